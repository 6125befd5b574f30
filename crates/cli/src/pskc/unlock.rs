//! What opens key files: options, and the files that they name.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;
use data_encoding::HEXLOWER_PERMISSIVE as HEX;
use dskpp_crypto::{RsaPrivateKey, Secret};
use pskc::{Header, Unlock};
use std::io::IsTerminal as _;
use zeroize::Zeroizing;

use crate::output::Failure;
use crate::store::prompt;

/// What opens an encrypted file.
#[derive(Args)]
#[group(multiple = true)]
pub(crate) struct UnlockOptions {
    /// The key that protects the file, in hexadecimal. Other users of this machine may see it: prefer --key-file
    #[arg(long, value_name = "HEX", conflicts_with_all = ["key_file", "password_file", "private_key"])]
    key_hex: Option<String>,

    /// A file with the key in hexadecimal
    #[arg(long, value_name = "FILE", conflicts_with_all = ["password_file", "private_key"])]
    key_file: Option<PathBuf>,

    /// A file whose first line is the password
    #[arg(long, value_name = "FILE", conflicts_with = "private_key")]
    password_file: Option<PathBuf>,

    /// A file with the RSA private key (PKCS #8 in PEM)
    #[arg(long, value_name = "FILE")]
    private_key: Option<PathBuf>,

    /// A file with the MAC key in hexadecimal, where the key file only names one
    #[arg(long, value_name = "FILE")]
    pub(super) mac_key_file: Option<PathBuf>,

    /// The initialization vector in hexadecimal, where the file leaves it out (some old files; needs --lenient)
    #[arg(long, value_name = "HEX", requires = "lenient")]
    pub(super) iv_hex: Option<String>,
}

impl UnlockOptions {
    pub(crate) fn get(&self) -> Result<Option<Unlock>, Failure> {
        if let Some(hex) = &self.key_hex {
            return Ok(Some(Unlock::Key(Secret::new(from_hex(hex)?))));
        }
        if let Some(path) = &self.key_file {
            return hex_file(path).map(|key| Some(Unlock::Key(key)));
        }
        if let Some(path) = &self.password_file {
            return first_line(path).map(|password| Some(Unlock::Password(password)));
        }
        let Some(path) = &self.private_key else { return Ok(None) };
        let pem = text_file(path)?;
        let key = RsaPrivateKey::from_pkcs8_pem(&pem).map_err(|why| {
            let next = "an RSA key in PKCS #8 (`openssl pkcs8 -topk8 -nocrypt` makes it from other forms)";
            Failure::new(format!("{}: {why}", path.display())).next(next)
        })?;
        Ok(Some(Unlock::PrivateKey(Arc::new(key))))
    }
}

/// A file with encrypted values, and nothing given: a person can be asked for a password, where one opens it.
pub(super) fn ask(header: &Header) -> Result<Option<Unlock>, Failure> {
    let derived = header.encryption_key.as_ref().is_some_and(|key| key.other.iter().any(|e| e.local == "DerivedKey"));
    if !derived || !std::io::stdin().is_terminal() {
        return Ok(None);
    }
    prompt("Password of the key file: ").map(|password| Some(Unlock::Password(password)))
}

/// Octets in hexadecimal; blanks and line ends do not matter.
pub(crate) fn from_hex(text: &str) -> Result<Vec<u8>, Failure> {
    let text: Zeroizing<String> = Zeroizing::new(text.split_whitespace().collect());
    let octets = HEX.decode(text.as_bytes());
    octets.map_err(|_| Failure::usage("not hexadecimal: an even number of digits 0-9, a-f is needed"))
}

pub(crate) fn hex_file(path: &Path) -> Result<Secret, Failure> {
    from_hex(&text_file(path)?).map(Secret::new).map_err(|why| {
        let _ = why;
        Failure::new(format!("{} does not hold a key in hexadecimal", path.display()))
    })
}

pub(crate) fn first_line(path: &Path) -> Result<Secret, Failure> {
    let text = text_file(path)?;
    Ok(Secret::from_slice(text.lines().next().unwrap_or_default().as_bytes()))
}

pub(crate) fn text_file(path: &Path) -> Result<Zeroizing<String>, Failure> {
    let text = std::fs::read_to_string(path);
    text.map(Zeroizing::new).map_err(|why| Failure::new(format!("{} cannot be read: {why}", path.display())))
}
