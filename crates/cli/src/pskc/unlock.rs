//! Decryption options and the files that they name.

use std::io::IsTerminal as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;
use dskpp_crypto::{RsaPrivateKey, Secret};
use pskc::{DecryptionKey, Header};

use super::key_text::from_hex;
use super::material::{first_line, key_file, private_key};
use crate::output::Failure;
use crate::store::prompt;

/// Decrypts a file, including old ones that lack a value.
#[derive(Args)]
#[command(next_help_heading = "Decryption")]
#[group(multiple = true)]
pub(crate) struct UnlockOptions {
    #[command(flatten)]
    pub(super) by: OpenedBy,

    /// File with the MAC key, in a form that --key-file takes, if the key file only names that key
    #[arg(long, value_name = "FILE")]
    pub(super) mac_key_file: Option<PathBuf>,

    /// Initialization vector in hexadecimal, if the file omits it (some old files; requires --lenient)
    #[arg(long, value_name = "HEX", requires = "lenient")]
    pub(super) iv_hex: Option<String>,
}

/// A key or a password.
#[derive(Args)]
#[command(next_help_heading = "Decryption")]
#[group(multiple = true)]
pub(crate) struct OpenedBy {
    /// Decryption key in hexadecimal. Other users of this machine may see it: prefer --key-file
    #[arg(long, value_name = "HEX", conflicts_with_all = ["key_file", "password_file", "private_key"])]
    key_hex: Option<String>,

    /// File with the decryption key: hexadecimal, Base64, a JWK or raw octets; raw:FILE, hex:FILE and base64:FILE name
    /// the form
    #[arg(long, value_name = "FILE", conflicts_with_all = ["password_file", "private_key"])]
    key_file: Option<PathBuf>,

    /// File whose first line is the decryption password
    #[arg(long, value_name = "FILE", conflicts_with = "private_key")]
    password_file: Option<PathBuf>,

    /// File with the RSA private key (PKCS #8, PEM or DER)
    #[arg(long, value_name = "FILE")]
    private_key: Option<PathBuf>,
}

impl UnlockOptions {
    /// Whether any option is given.
    pub(crate) fn is_given(&self) -> bool {
        let UnlockOptions { by, mac_key_file, iv_hex } = self;
        by.is_given() || mac_key_file.is_some() || iv_hex.is_some()
    }

    pub(crate) fn get(&self) -> Result<Option<DecryptionKey>, Failure> {
        self.by.get()
    }
}

impl OpenedBy {
    /// Whether any option is given.
    pub(super) fn is_given(&self) -> bool {
        let OpenedBy { key_hex, key_file, password_file, private_key } = self;
        key_hex.is_some() || [key_file, password_file, private_key].into_iter().any(Option::is_some)
    }

    pub(super) fn get(&self) -> Result<Option<DecryptionKey>, Failure> {
        if let Some(hex) = &self.key_hex {
            return Ok(Some(DecryptionKey::Key(Secret::new(from_hex(hex)?))));
        }
        if let Some(path) = &self.key_file {
            return key_file(path).map(|key| Some(DecryptionKey::Key(key)));
        }
        if let Some(path) = &self.password_file {
            return first_line(path).map(|password| Some(DecryptionKey::Password(password)));
        }
        let Some(path) = &self.private_key else { return Ok(None) };
        let key = rsa_key(path)?;
        Ok(Some(DecryptionKey::PrivateKey(Arc::new(key))))
    }
}

/// The RSA private key in a file.
pub(crate) fn rsa_key(path: &Path) -> Result<RsaPrivateKey, Failure> {
    let key = RsaPrivateKey::from_pkcs8_der(private_key(path)?.expose());
    key.map_err(|why| {
        Failure::new(format!("{}: {why}", path.display())).next("use an RSA key of 2048 to 4096 bits in PKCS #8")
    })
}

/// Prompts for the password of a file that a password protects and no option opens.
pub(super) fn ask(header: &Header) -> Result<Option<DecryptionKey>, Failure> {
    let derived = header.encryption_key.as_ref().is_some_and(|key| key.other.iter().any(|e| e.local == "DerivedKey"));
    if !derived || !std::io::stdin().is_terminal() {
        return Ok(None);
    }
    prompt("Password of the key file: ").map(|password| Some(DecryptionKey::Password(password)))
}
