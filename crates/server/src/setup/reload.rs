//! Reloading the configuration.

use std::sync::Arc;

use tokio::sync::mpsc;
use toml::{Table, Value};

use crate::Config;
use crate::net::tls::CertificateSource;
use crate::policy::device_trust::DeviceTrust;

/// Keys that a reload applies; the program that sets up logging applies `log.level`.
const RELOADED: &[&str] = &[
    "tls.certificate",
    "tls.key",
    "devices.anchors",
    "devices.revocation_lists",
    "devices.accept_unlisted_issuers",
    "devices.reload_s",
    "log.level",
];

/// The reloadable state.
#[derive(Debug)]
pub(crate) struct Reload {
    /// The configuration at startup, with the current certificate files.
    pub(crate) config: Config,
    pub(crate) device_trust: Arc<DeviceTrust>,
    /// To the task that watches the certificate; there is none without TLS.
    pub(crate) tls: mpsc::Sender<Option<CertificateSource>>,
}

impl Reload {
    /// Applies the reloadable keys of a configuration, with the files that they name, and logs the others. With an
    /// invalid file, the old content stays in use. Blocks.
    pub(crate) fn take_over(&mut self, new: Config) {
        if let Err(why) = new.check() {
            tracing::error!("reload failed: {why}");
            return;
        }
        self.device_trust.reload(&new.devices);
        let has_files = |config: &Config| !config.tls.certificate.as_os_str().is_empty();
        let files = CertificateSource::Files { certificate: new.tls.certificate.clone(), key: new.tls.key.clone() };
        _ = self.tls.try_send(has_files(&new).then_some(files)); // full: a reload is pending
        for key in changed(&self.config, &new) {
            let back_to_ca = key.starts_with("tls.") && has_files(&self.config) && !has_files(&new);
            if back_to_ca || !RELOADED.contains(&&*key) {
                tracing::warn!("{key} has changed: it takes effect at the next start");
            }
        }
        if has_files(&new) {
            (self.config.tls.certificate, self.config.tls.key) = (new.tls.certificate, new.tls.key);
        }
        tracing::info!("reloaded the configuration");
    }
}

/// The keys with different values.
fn changed(old: &Config, new: &Config) -> Vec<String> {
    let [old, new] = [old, new].map(|config| Table::try_from(config).expect("every field has a TOML form"));
    let sections = old.into_iter().filter_map(|(section, keys)| match keys {
        Value::Table(keys) => Some((section, keys)),
        _ => None,
    });
    let differing = sections.flat_map(|(section, keys)| {
        let new = new.get(&section).cloned();
        keys.into_iter().filter_map(move |(key, value)| {
            let same = new.as_ref().and_then(|section| section.get(&key)) == Some(&value);
            (!same).then(|| format!("{section}.{key}"))
        })
    });
    differing.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_that_is_reloaded_exists_and_changes_are_found() {
        let old = Config::default();
        let mut new = old.clone();
        assert!(changed(&old, &new).is_empty());
        new.server.workers = 7;
        new.log.level = "debug".into();
        assert_eq!(changed(&old, &new), ["log.level", "server.workers"]);
        let keys = Table::try_from(&old).unwrap();
        for name in RELOADED {
            let (section, key) = name.split_once('.').unwrap();
            assert!(keys[section].get(key).is_some(), "{name}");
        }
    }
}
