//! A check of a configuration with all that it names, without a start.

use std::path::Path;

use crate::checkpoints;
use crate::net::tls;
use crate::notices::Notices;
use crate::pages::portal::Portal;
use crate::policy::device_trust::DeviceTrust;
use crate::setup::{database_url, k_servers};
use crate::sinks::Sinks;
use crate::store::seal::Kek;
use crate::{Config, ConfigError, ConfigFault, Error, files};

impl Config {
    /// Checks the values and reads every file that they name, as a start does. It creates nothing, connects to nothing and
    /// opens no database. Blocks.
    ///
    /// # Errors
    /// Every fault of both.
    pub fn check_with_files(&self) -> Result<(), ConfigError> {
        let mut faults = Vec::new();
        let mut add = |checked: Result<(), ConfigError>| faults.extend(checked.err().into_iter().flat_map(|why| why.0));
        add(self.check());
        add(database_url::of(self).map(drop).map_err(|fault| ConfigError(vec![fault])));
        add(DeviceTrust::load(&self.devices).map(drop));
        add(Sinks::load(self).map(drop));
        add(Notices::load(self).map(drop));
        let url_s = self.public_urls(self.server.listen.port());
        let key = |key: &'static str, path: &Path| (key, path.display().to_string());
        let (tls, seal) = (&self.tls, &self.seal);
        let mut files = vec![
            (key("k_server.key", &self.k_server.key), k_servers::configured(self).map(drop)),
            (key("seal.kek_file", &seal.kek_file), Kek::handed_out(&seal.kek_file, &[]).map(drop)),
            (key("portal.logo_file", &self.portal.logo_file), Portal::load(self, &url_s).map(drop)),
        ];
        let mut read = |name: &'static str, path: &Path, read: &dyn Fn(&Path) -> Result<(), Error>| {
            if !path.as_os_str().is_empty() {
                files.push((key(name, path), read(path)));
            }
        };
        if tls.certificate.as_os_str().is_empty() == tls.key.as_os_str().is_empty() {
            read("tls.certificate", &tls.certificate, &|path| tls::check_files(path, &tls.key));
        }
        for further in &seal.further_kek_files {
            read("seal.further_kek_files", further, &|path| Kek::read(path).map(drop));
        }
        read("database.password_file", &self.database.password_file, &|path| files::read_text(path).map(drop));
        read("audit.checkpoint_key", &self.audit.checkpoint_key, &|path| checkpoints::read_key(path).map(drop));
        for ((key, value), read) in files {
            match read {
                Ok(()) => {}
                Err(Error::Config(why)) => faults.extend(why.0),
                Err(why) => faults.push(ConfigFault::new(key, value, why)),
            }
        }
        // A fault may show in the values and again in what is made of them.
        let mut seen = Vec::new();
        faults.retain(|fault| {
            !seen.contains(fault) && {
                seen.push(fault.clone());
                true
            }
        });
        if faults.is_empty() { Ok(()) } else { Err(ConfigError(faults)) }
    }
}

#[cfg(test)]
mod tests {
    use crate::Config;

    #[test]
    fn every_file_that_the_configuration_names_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str| folder.path().join(name).display().to_string();
        std::fs::write(file("text"), "nonsense").unwrap();
        let text = |name: &str| {
            let path = file(name);
            format!(
                "[tls]\ncertificate = '{path}'\nkey = '{path}'\n[k_server]\nkey = '{path}'\n\
                 [database]\nurl = 'mysql://x'\n[seal]\nkek_file = '{path}'\nfurther_kek_files = ['{path}']\n\
                 [devices]\nanchors = '{path}'\n[portal]\nlogo_file = '{path}'\n[audit]\ncheckpoint_key = '{path}'\n\
                 [[sink]]\nname = 'hook'\nkind = 'webhook'\nurl = 'https://example.com'\n\
                 public_key_file = '{path}'\nsigning_key_file = '{path}'\n"
            )
        };
        for name in ["text", "nothing"] {
            let why = Config::read(&text(name), []).unwrap().check_with_files().unwrap_err();
            let keys = why.0.iter().map(|fault| fault.key.as_str()).collect::<Vec<_>>();
            for key in [
                "tls.certificate",
                "k_server.key",
                "database.url",
                "seal.kek_file",
                "seal.further_kek_files",
                "devices.anchors",
                "portal.logo_file",
                "audit.checkpoint_key",
                "sink.1.signing_key_file",
            ] {
                assert!(keys.contains(&key), "{key} of {name}: {why}");
            }
            assert!(!why.to_string().contains("nonsense"), "no content is shown: {why}");
        }
        assert_eq!(Config::default().check_with_files(), Ok(()));
    }
}
