//! A folder for key files: one PSKC document (RFC 6030) per key, encrypted, which somebody else takes away.

use std::path::{Path, PathBuf};

use data_encoding::HEXLOWER_PERMISSIVE;
use dskpp_crypto::{Hash, RsaEncryption, Secret, SystemRandom};
use pskc::{ContainerWriter, Header, KeyInfo, ProtectionError, Protector};

use super::{Change, Delivered, Failure, secret};
use crate::config::PskcFolderSink;
use crate::files;
use crate::model::KeyRecord;
use crate::store::key_package::restore;

/// What the pre-shared key is called in a document.
const KEY_NAME: &str = "Pre-shared-key";

/// A folder, and under what its files are encrypted.
#[derive(Debug)]
pub(super) struct PskcFolder {
    folder: PathBuf,
    protection: Protection,
}

#[derive(Debug)]
enum Protection {
    Certificate(Vec<u8>),
    Key(Secret),
}

impl PskcFolder {
    pub(super) fn load(section: &PskcFolderSink) -> Result<Self, (&'static str, String)> {
        let has_key = !section.key_file.as_os_str().is_empty() || !section.key_env.is_empty();
        let protection = match (section.certificate_file.as_os_str().is_empty(), has_key) {
            (false, false) => {
                let certificates = files::read_certificates(&section.certificate_file);
                let mut certificates = certificates.map_err(|why| ("certificate_file", why.to_string()))?;
                Protection::Certificate(certificates.swap_remove(0).to_vec())
            }
            (true, true) => {
                let key = secret(&section.key_file, &section.key_env).and_then(|text| aes_key(&text));
                Protection::Key(key.map_err(|why| ("key_file", why))?)
            }
            _ => return Err(("certificate_file", "name a certificate, or a key instead".to_owned())),
        };
        let folder = PskcFolder { folder: section.folder.clone(), protection };
        folder.protector().map_err(|why| ("certificate_file", why.to_string()))?;
        Ok(folder)
    }

    pub(super) fn shown(&self) -> String {
        self.folder.display().to_string()
    }

    fn protector(&self) -> Result<Protector, ProtectionError> {
        let rng = &mut SystemRandom;
        match &self.protection {
            Protection::Key(key) => Protector::aes_cbc(key.clone(), KEY_NAME, Hash::Sha256, rng),
            Protection::Certificate(der) => {
                let key = KeyInfo::from_certificates(vec![der.clone()]);
                Protector::rsa(key, RsaEncryption::OaepSha1, Some(Hash::Sha256), rng)
            }
        }
    }

    /// Writes a key's file, in the place of an earlier one, or takes it away and leaves a note that the key is revoked.
    pub(super) async fn deliver(&self, change: &Change) -> Delivered {
        let path = |ending: &str| self.folder.join(format!("{}.{ending}", change.id));
        let document = match &change.secret {
            Some(secret) => Some(self.document(&change.key, secret)?),
            None => None,
        };
        let (file, note, note_text) = (path("pskc"), path("revoked"), format!("{}\n", change.key.id));
        let written = tokio::task::spawn_blocking(move || match document {
            Some(document) => files::write(&file, &document, 0o600).map_err(|why| why.to_string()),
            None => {
                match std::fs::remove_file(&file) {
                    Err(why) if why.kind() != std::io::ErrorKind::NotFound => return Err(why.to_string()),
                    _ => {}
                }
                files::write(&note, note_text.as_bytes(), 0o600).map_err(|why| why.to_string())
            }
        });
        written.await.unwrap_or_else(|why| Err(why.to_string())).map_err(Failure::Down)
    }

    fn document(&self, key: &KeyRecord, secret: &Secret) -> Result<Vec<u8>, Failure> {
        let package = restore(key, None, secret.clone());
        let mut package = package.ok_or_else(|| Failure::Never("PSKC has no name for the key's type".to_owned()))?;
        let protector = self.protector().map_err(|why| Failure::Never(why.to_string()))?;
        if let Some(data) = package.key.as_mut().and_then(|key| key.data.as_mut()) {
            protector.protect(data, &mut SystemRandom).map_err(|why| Failure::Never(why.to_string()))?;
        }
        let header = Header {
            encryption_key: Some(protector.encryption_key().clone()),
            mac_method: protector.mac_method().cloned(),
            ..Header::default()
        };
        let memory = |why: std::io::Error| Failure::Down(why.to_string());
        let mut writer = ContainerWriter::new(Vec::new(), &header).map_err(memory)?;
        writer.package(&package).map_err(memory)?;
        writer.finish(&[]).map_err(memory)
    }

    /// A document whose secret is encrypted like any other, and is nobody's.
    pub(super) fn sample(&self, key: &KeyRecord) -> String {
        let document = self.document(key, &Secret::new(vec![0; 20]));
        document.map_or_else(|why| why.to_string(), |document| String::from_utf8_lossy(&document).into_owned())
    }

    pub(super) fn reach(&self) -> Delivered {
        let path = self.folder.join(".reached");
        let reached = files::write(&path, b"", 0o600).map_err(|why| why.to_string());
        let reached = reached.and_then(|()| remove(&path));
        reached.map_err(Failure::Down)
    }
}

fn remove(path: &Path) -> Result<(), String> {
    std::fs::remove_file(path).map_err(|why| why.to_string())
}

/// 16, 24 or 32 octets in hexadecimal.
fn aes_key(text: &Secret) -> Result<Secret, String> {
    match HEXLOWER_PERMISSIVE.decode(text.expose()).map(Secret::new) {
        Ok(key) if matches!(key.len(), 16 | 24 | 32) => Ok(key),
        _ => Err("must be 16, 24 or 32 octets in hexadecimal".to_owned()),
    }
}
