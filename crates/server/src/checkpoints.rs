//! Signed checkpoints of the audit trail. Without them a trail that ends too early, or that somebody with the database
//! has computed anew, is as whole as any other: its hash chains alone cannot show that.

use std::convert::Infallible;
use std::path::{Path, PathBuf};
use std::time::Duration;

use data_encoding::HEXLOWER;
use dskpp_api::{ChainHead, Checkpoint, SignedCheckpoint};
use dskpp_crypto::{Secret, SignatureAlgorithm, SigningKey};

use crate::metrics::{Collectors, IntGauge, collectors, gauge};
use crate::model::clock::now;
use crate::platform::warn_of_exposed_key;
use crate::store::{Store, StoreError};
use crate::{Config, Error, files};

/// The mode of a checkpoint's file: it has no secret, but names the store.
const MODE: u32 = 0o640;

/// Makes checkpoints.
#[derive(Debug)]
pub(crate) struct Checkpoints {
    store: Store,
    key: SigningKey,
    algorithm: SignatureAlgorithm,
    folder: PathBuf,
    interval: Duration,
    /// When the last one was kept.
    kept_at: IntGauge,
}

impl Checkpoints {
    /// Reads the key, and makes the folder; `None` where the configuration names no key.
    pub(crate) fn load(config: &Config, store: &Store) -> Result<Option<Self>, Error> {
        let audit = &config.audit;
        if audit.checkpoint_key.as_os_str().is_empty() {
            return Ok(None);
        }
        let key = read_key(&audit.checkpoint_key)?;
        let folder = match audit.checkpoint_dir.as_os_str().is_empty() {
            true => config.server.data_dir.join("checkpoints"),
            false => audit.checkpoint_dir.clone(),
        };
        files::make_private_folder(&folder)?;
        let (algorithm, interval) = (key.default_algorithm(), Duration::from_secs(audit.checkpoint_interval_s));
        Ok(Some(Self { store: store.clone(), key, algorithm, folder, interval, kept_at: kept_at() }))
    }

    /// A checkpoint of now.
    pub(crate) async fn make(&self) -> Result<SignedCheckpoint, StoreError> {
        let chains = self.store.chain_heads().await?;
        let at = pskc::DateTime::from_unix_s(now());
        let at = at.ok_or_else(|| StoreError::Unavailable("this clock's time has no date".into()))?.to_string();
        self.sign(Checkpoint { store: self.store.id().to_owned(), at, chains })
    }

    /// When the last one was kept, also where none is made.
    pub(crate) fn metrics(this: Option<&Self>) -> Collectors {
        collectors![this.map_or_else(kept_at, |this| this.kept_at.clone())]
    }

    fn sign(&self, checkpoint: Checkpoint) -> Result<SignedCheckpoint, StoreError> {
        let signature = self.key.sign(self.algorithm, checkpoint.to_string().as_bytes());
        let signature = signature.map_err(|why| StoreError::Unavailable(format!("no checkpoint: {why}")))?;
        let algorithm = match self.algorithm {
            SignatureAlgorithm::EcdsaP256Sha256 => "ecdsa-p256-sha256",
            SignatureAlgorithm::EcdsaP384Sha384 => "ecdsa-p384-sha384",
            _ => "rsa-sha256",
        };
        Ok(SignedCheckpoint { checkpoint, algorithm: algorithm.into(), signature: HEXLOWER.encode(&signature) })
    }

    /// Keeps a file for each interval in which the trail has grown.
    pub(crate) async fn keep(self: std::sync::Arc<Self>) -> Infallible {
        let mut kept = Vec::new();
        loop {
            match self.keep_one(&kept).await {
                Ok(heads) => kept = heads,
                Err(why) => tracing::error!("cannot keep a checkpoint of the audit trail: {why}"),
            }
            tokio::time::sleep(self.interval).await;
        }
    }

    /// Gives how far the chains go that the last file has.
    async fn keep_one(&self, kept: &[ChainHead]) -> Result<Vec<ChainHead>, Error> {
        let (signed, at) = (self.make().await?, now());
        if signed.checkpoint.chains != kept {
            let name = format!("{}.checkpoint", signed.checkpoint.at.replace(['-', ':'], ""));
            let (path, text) = (self.folder.join(name), signed.to_string());
            let written = tokio::task::spawn_blocking(move || files::write(&path, text.as_bytes(), MODE)).await;
            written.map_err(|why| Error::System { what: "a file was not written", source: why.into() })??;
        }
        // Where the trail has not grown, the last file still says how far it goes.
        self.kept_at.set(at);
        Ok(signed.checkpoint.chains)
    }
}

fn kept_at() -> IntGauge {
    let help =
        "When a checkpoint of the audit trail was last made sure of, in seconds since 1970; 0: not since the start.";
    gauge("dskpp_audit_checkpoint_timestamp_seconds", help, &[])
}

/// The key that signs checkpoints.
pub(crate) fn read_key(path: &Path) -> Result<SigningKey, Error> {
    warn_of_exposed_key(path);
    let pem = Secret::new(files::read_text(path)?.into_bytes());
    let unusable = |why: String| Error::Content { path: path.to_owned(), what: "a key for checkpoints", why };
    let text = std::str::from_utf8(pem.expose()).map_err(|why| unusable(why.to_string()))?;
    SigningKey::from_pem(text).map_err(|why| unusable(why.to_string()))
}
