//! `dskpp pskc`: key files (RFC 6030) looked at, checked, changed, protected and signed.

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
    /// Show what is in a key file; secrets stay hidden unless asked for
    Inspect(inspect::Inspect),
    /// Turn a key file into another format, or into PSKC with another protection
    Convert(convert::Convert),
    /// Protect the secrets of a plain key file
    Encrypt(protect::Encrypt),
    /// Write a key file with its secrets in the clear
    Decrypt(protect::DecryptArgs),
    /// Sign a key file (enveloped XML signature)
    Sign(sign::Sign),
    /// Verify the signature of a key file
    Verify(sign::Verify),
    /// Say whether a key file follows RFC 6030, and if not, where and what to do
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
