//! Startup: opens or creates the data folder, the keys, the store and the first admin token.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use dskpp_crypto::Secret;
use jiff::Timestamp;

use crate::model::clock::{timestamp, unix_now_ms};
use crate::net::private_ca::PrivateCa;
use crate::policy::device_trust::DeviceTrust;
use crate::setup::data_folder;
use crate::setup::k_servers::KServers;
use crate::setup::store_halves::{self, Create, OpenedStore};
use crate::store::{SessionKeys, Store, new_token};
use crate::{Config, Error, files};

/// A clock this many seconds before the last audit entry was set back, or is wrong.
const CLOCK_BEHIND_S: i64 = 5 * 60;
/// A gap of this many seconds after the last audit entry is unusual.
const CLOCK_AHEAD_S: i64 = 30 * 86_400;

/// The contents of the data folder.
pub(crate) struct DataFolder {
    pub(crate) store: Store,
    pub(crate) k_servers: KServers,
    /// Seal sessions in `ServerInfo`.
    pub(crate) session_keys: SessionKeys,
    pub(crate) admin_token_file: PathBuf,
    /// Whether that file has a token of the store. With several servers, only the one that made the first has it.
    pub(crate) has_admin_token: bool,
    /// The trust anchors for devices.
    pub(crate) device_trust: Arc<DeviceTrust>,
}

/// Opens the data folder; at the first start, creates its contents.
pub(crate) async fn open(config: &Config, create: Create) -> Result<DataFolder, Error> {
    let device_trust = Arc::new(DeviceTrust::load(&config.devices)?);
    let folder = &config.server.data_dir;
    let OpenedStore { store, .. } = store_halves::open(config, create, timestamp())?;
    if let Some(last) = store.last_audit().await?
        && let Some(warning) = clock_warning(timestamp(), last)
    {
        tracing::warn!("{warning}");
    }
    let session_keys = SessionKeys::default();
    store.renew_session_keys(&session_keys, unix_now_ms()).await?;
    let k_servers = KServers::open(config, &store).await?;
    let admin_token_file = folder.join("admin-token");
    if !store.has_tokens().await? {
        // The file first: after a crash in between, the token in it is unknown and the next start creates another.
        let token = new_token();
        files::write(&admin_token_file, format!("{token}\n").as_bytes(), 0o600)?;
        if store.create_first_token(token).await? {
            tracing::info!("wrote the first admin token to {}", admin_token_file.display());
        } else {
            // Another server made it meanwhile.
            std::fs::remove_file(&admin_token_file)
                .map_err(|source| Error::System { what: "removing a token", source })?;
        }
    }
    let has_admin_token = match files::read_text(&admin_token_file) {
        Ok(token) => store.token(token.trim()).await?.is_some(),
        Err(_) => false,
    };
    Ok(DataFolder { store, k_servers, session_keys, admin_token_file, has_admin_token, device_trust })
}

/// A warning if the clock is far from the time of the last audit entry, in seconds since 1970.
fn clock_warning(now: Timestamp, last: i64) -> Option<String> {
    let ahead = now.as_second().saturating_sub(last);
    let (what, hint) = match ahead {
        _ if ahead <= -CLOCK_BEHIND_S => ("before", "set the clock"),
        _ if ahead >= CLOCK_AHEAD_S => ("after", "set the clock, unless the server was unused for so long"),
        _ => return None,
    };
    let last = Timestamp::from_second(last).map_or_else(|_| last.to_string(), |last| last.to_string());
    let now = now.strftime("%Y-%m-%dT%H:%M:%SZ");
    Some(format!(
        "the clock says {now}, long {what} the last audit entry of {last}: enrolments, time-based passwords and \
         certificates depend on it; {hint}"
    ))
}

/// The private CA for a server with these addresses. It must be the CA of every earlier start; with `new_ca`, the old CA
/// is set aside.
pub(crate) async fn private_ca(
    config: &Config,
    store: &Store,
    address: SocketAddr,
    url_s: &[String],
    new_ca: bool,
) -> Result<PrivateCa, Error> {
    const KNOWN: &str = "private_ca";
    let (folder, now) = (&config.server.data_dir, timestamp());
    if new_ca {
        // Forget the CA in the store first: after a crash in between, the next start accepts the CA that it finds.
        store.forget_setting(KNOWN).await?;
        store.forget_setting(SHARED_CA).await?;
        if folder.join("tls").exists() {
            let aside = data_folder::set_aside(folder, &["tls"], now)?;
            tracing::warn!("the old private CA was set aside in {}", aside.display());
        }
    }
    let ca = PrivateCa::new(folder.join("tls"), address, url_s)?;
    if store.is_shared() {
        share(&ca, store, now).await?;
    }
    let known = store.setting(KNOWN).await?;
    let id = ca.open(known.as_ref().map(Secret::expose), now)?;
    if known.is_none() {
        store.set_setting_once(KNOWN, Secret::from_slice(&id)).await?;
    }
    Ok(ca)
}

/// The setting with the CA of servers that share a database.
const SHARED_CA: &str = "private_ca_files";

/// Servers that share a database share a CA: the first one creates it, and the others take it from the database.
async fn share(ca: &PrivateCa, store: &Store, now: Timestamp) -> Result<(), Error> {
    if let Some(shared) = store.setting(SHARED_CA).await? {
        return if ca.exists() { Ok(()) } else { ca.install(&shared) };
    }
    ca.open(None, now)?;
    let own = ca.bundle()?;
    let shared = store.set_setting_once(SHARED_CA, own.clone()).await?;
    if shared == own { Ok(()) } else { ca.install(&shared) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_far_from_the_last_audit_entry_causes_a_warning() {
        let now: Timestamp = "2026-11-28T09:30:00Z".parse().unwrap();
        for (last, words) in [
            (now.as_second(), None),
            (now.as_second() + 299, None),
            (now.as_second() + 300, Some("before the last audit entry of 2026-11-28T09:35:00Z")),
            (now.as_second() + 86_400 * 4000, Some("set the clock")),
            (now.as_second() - 86_400 * 29, None),
            (now.as_second() - 86_400 * 30, Some("after the last audit entry of 2026-10-29T09:30:00Z")),
            (0, Some("unless the server was unused")),
            (i64::MAX, Some("before the last audit entry of 9223372036854775807")),
        ] {
            let warning = clock_warning(now, last);
            assert_eq!(warning.is_some(), words.is_some(), "{last}: {warning:?}");
            let said = warning.unwrap_or_default();
            assert!(
                words.is_none_or(|words| said.contains(words) && said.contains("says 2026-11-28T09:30:00Z")),
                "{said}"
            );
        }
    }
}
