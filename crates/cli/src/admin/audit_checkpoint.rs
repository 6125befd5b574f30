//! Checkpoints of the audit trail, compared with what a server says of its entries.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use clap::Args;
use data_encoding::HEXLOWER;
use dskpp_api::{AuditEntry, ChainHead, ListedAuditEntry, SignedCheckpoint};
use dskpp_crypto::{SignatureAlgorithm, VerifyingKey};

use super::audit_chain::Fault;
use crate::output::Failure;
use crate::pskc::material::public_key;

/// Which checkpoints the entries must agree with.
#[derive(Args)]
pub(super) struct CheckpointArgs {
    /// Compare with checkpoints that were kept: files, or folders with files NAME.checkpoint
    #[arg(long = "checkpoint", value_name = "PATH", requires = "key", help_heading = "Checkpoints")]
    paths: Vec<PathBuf>,
    /// Public key that has signed them (PEM or DER)
    #[arg(long = "checkpoint-key", value_name = "FILE", requires = "paths", help_heading = "Checkpoints")]
    key: Option<PathBuf>,
}

/// An entry that a checkpoint has.
type Place = (String, i64);

/// What verified checkpoints say of entries.
#[derive(Default)]
pub(super) struct Expected {
    /// The digests, each with the time of its checkpoint.
    entries: BTreeMap<Place, (String, String)>,
    /// Checkpoints that were read.
    pub(super) checkpoints: usize,
}

impl CheckpointArgs {
    /// Reads the checkpoints and verifies their signatures.
    ///
    /// # Errors
    /// A file that is no checkpoint, a signature of another key, checkpoints of several stores, or two that contradict
    /// each other.
    pub(super) fn read(&self) -> Result<Expected, Failure> {
        let Some(key) = &self.key else { return Ok(Expected::default()) };
        let of_key = |why| Failure::new(format!("{}: {why}", key.display()));
        let key = VerifyingKey::from_spki_der(&public_key(key)?).map_err(of_key)?;
        let (mut expected, mut store) = (Expected::default(), None);
        for path in self.files()? {
            let at_file = |why: String| Failure::new(format!("{}: {why}", path.display()));
            let text = std::fs::read_to_string(&path).map_err(|why| at_file(why.to_string()))?;
            let signed = SignedCheckpoint::read(&text).map_err(|why| at_file(format!("not a checkpoint: {why}")))?;
            verify(&signed, &key).map_err(at_file)?;
            let of = signed.checkpoint.store.clone();
            if store.get_or_insert_with(|| of.clone()) != &of {
                return Err(at_file("it is of another store than those before it".into())
                    .next("verify the checkpoints of each store apart"));
            }
            expected.add(signed).map_err(at_file)?;
        }
        Ok(expected)
    }

    fn files(&self) -> Result<Vec<PathBuf>, Failure> {
        let mut files = Vec::new();
        for path in &self.paths {
            if path.is_dir() {
                let before = files.len();
                files.extend(checkpoints_in(path)?);
                if files.len() == before {
                    return Err(Failure::new(format!("{} has no files NAME.checkpoint", path.display())));
                }
            } else {
                files.push(path.clone());
            }
        }
        Ok(files)
    }
}

fn checkpoints_in(folder: &Path) -> Result<Vec<PathBuf>, Failure> {
    let failed = |why: std::io::Error| Failure::new(format!("{}: {why}", folder.display()));
    let mut files = Vec::new();
    for entry in folder.read_dir().map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        if path.extension().is_some_and(|extension| extension == "checkpoint") {
            files.push(path);
        }
    }
    files.sort_unstable();
    Ok(files)
}

fn verify(signed: &SignedCheckpoint, key: &VerifyingKey) -> Result<(), String> {
    let algorithm = match signed.algorithm.as_str() {
        "rsa-sha256" => SignatureAlgorithm::RsaSha256,
        "ecdsa-p256-sha256" => SignatureAlgorithm::EcdsaP256Sha256,
        "ecdsa-p384-sha384" => SignatureAlgorithm::EcdsaP384Sha384,
        other => return Err(format!("unknown signature algorithm {other}")),
    };
    let signature = HEXLOWER.decode(signed.signature.as_bytes()).map_err(|why| why.to_string())?;
    key.verify(algorithm, signed.checkpoint.to_string().as_bytes(), &signature)
        .map_err(|_| "its signature is not of this key, or it was changed".to_owned())
}

impl Expected {
    fn add(&mut self, signed: SignedCheckpoint) -> Result<(), String> {
        let at = signed.checkpoint.at;
        for ChainHead { chain, seq, hash } in signed.checkpoint.chains {
            let (known, before) = self.entries.entry((chain, seq)).or_insert_with(|| (hash.clone(), at.clone()));
            if *known != hash {
                return Err(format!("it contradicts the checkpoint of {before}: the trail was changed between them"));
            }
        }
        self.checkpoints += 1;
        Ok(())
    }

    /// Takes the next entry of the server; a fault where a checkpoint has another digest there.
    pub(super) fn take(&mut self, entry: &ListedAuditEntry) -> Option<Fault> {
        let ListedAuditEntry::Readable(AuditEntry { chain, seq, hash, .. }) = entry else { return None };
        let (expected, at) = self.entries.remove(&(chain.clone(), *seq))?;
        let reason = || format!("the checkpoint of {at} has another entry here: the chain was computed anew since");
        (expected != *hash).then(|| Fault { chain: chain.clone(), seq: *seq, reason: reason() })
    }

    /// Entries that checkpoints have and the server has not: the last one of each chain.
    pub(super) fn missing(self) -> Vec<Fault> {
        let last: BTreeMap<_, _> = self.entries.into_iter().map(|((chain, seq), (_, at))| (chain, (seq, at))).collect();
        let fault = |(chain, (seq, at))| {
            let reason = format!("the checkpoint of {at} has this entry, the server has not: entries were taken away");
            Fault { chain, seq, reason }
        };
        last.into_iter().map(fault).collect()
    }
}
