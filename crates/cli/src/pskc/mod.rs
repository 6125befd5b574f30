//! `dskpp pskc`: inspects, checks, converts, protects and signs key files (RFC 6030).

pub(crate) mod atomic_output;
pub(crate) mod carried;
mod check;
mod container;
mod convert;
mod describe;
mod digest;
pub(crate) mod document;
mod foreign;
pub(crate) mod format;
mod ids;
pub(crate) mod input;
mod inspect;
mod key_text;
pub(crate) mod kind;
pub(crate) mod material;
mod named;
mod names;
mod notes;
mod opening;
mod packages;
pub(crate) mod protect;
pub(crate) mod reading;
mod report;
mod rules;
mod sign;
mod summary;
pub(crate) mod unlock;

use clap::Subcommand;

use crate::output::{Failure, Output};

#[derive(Subcommand)]
pub(crate) enum Pskc {
    /// Show what is in a key file; secrets stay hidden unless --show-secrets is given
    Inspect(inspect::Inspect),
    /// Convert a key file to another format, or change how its secrets are protected
    Convert(convert::Convert),
    /// Encrypt the secrets of a key file
    Encrypt(protect::Encrypt),
    /// Decrypt the secrets of a key file
    Decrypt(protect::DecryptArgs),
    /// Sign a key file (enveloped XML signature)
    Sign(sign::Sign),
    /// Verify the signature of a key file
    Verify(sign::Verify),
    /// Check whether a key file follows RFC 6030, and report each deviation with its line and a remedy
    Check(check::Check),
}

impl Pskc {
    pub(crate) fn run(self, output: &Output) -> Result<(), Failure> {
        match self {
            Pskc::Inspect(inspect) => inspect.run(output),
            Pskc::Convert(convert) => convert.run(output),
            Pskc::Encrypt(encrypt) => encrypt.run(output),
            Pskc::Decrypt(decrypt) => decrypt.run(output),
            Pskc::Sign(sign) => sign.run(output),
            Pskc::Verify(verify) => verify.run(output),
            Pskc::Check(check) => check.run(output),
        }
    }
}
