//! `dskpp pskc encrypt` and `decrypt`, and how a file that is written gets its protection.

use std::num::NonZeroU32;
use std::path::PathBuf;

use clap::{Args, ValueEnum};
use dskpp_crypto::{Hash, Pbkdf2Prf, RsaEncryption, Secret, SystemRandom};
use pskc::{ContainerWriter, Header, KeyInfo, KeyPackage, Protector};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject as _;

use super::input::{self, Input, KeyFile};
use super::sink::Sink;
use crate::output::{Failure, Output};

/// What protects the secrets of a file that is written.
#[derive(Args)]
#[group(multiple = true)]
pub(crate) struct Protection {
    /// A file with the key to encrypt with, in hexadecimal (16, 24 or 32 octets: AES-128, -192 or -256)
    #[arg(long, value_name = "FILE", conflicts_with_all = ["to_password_file", "to_certificate"])]
    to_key_file: Option<PathBuf>,

    /// The name of that key, by which the receiver knows it
    #[arg(long, value_name = "NAME", default_value = "Pre-shared-key")]
    to_key_name: String,

    /// How the key encrypts
    #[arg(long, value_enum, default_value_t = Cipher::Cbc)]
    cipher: Cipher,

    /// A file whose first line is the password to encrypt with
    #[arg(long, value_name = "FILE", conflicts_with = "to_certificate")]
    to_password_file: Option<PathBuf>,

    /// PBKDF2 rounds for the password
    #[arg(long, value_name = "N", default_value = "100000")]
    iterations: NonZeroU32,

    /// The receiver's RSA certificate (PEM)
    #[arg(long, value_name = "FILE")]
    to_certificate: Option<PathBuf>,

    /// The hash of the MAC over each encrypted value
    #[arg(long, value_enum, default_value_t = Mac::Sha256)]
    mac: Mac,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Cipher {
    /// AES-CBC with a MAC
    Cbc,
    /// AES key wrap; secrets of a multiple of 8 octets only
    Wrap,
    /// AES key wrap with padding
    WrapPad,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Mac {
    Sha1,
    Sha256,
    Sha384,
    Sha512,
}

impl Protection {
    /// Whether any is asked for.
    pub(crate) fn is_given(&self) -> bool {
        self.to_key_file.is_some() || self.to_password_file.is_some() || self.to_certificate.is_some()
    }

    pub(crate) fn protector(&self) -> Result<Option<Protector>, Failure> {
        let rng = &mut SystemRandom;
        let mac = match self.mac {
            Mac::Sha1 => Hash::Sha1,
            Mac::Sha256 => Hash::Sha256,
            Mac::Sha384 => Hash::Sha384,
            Mac::Sha512 => Hash::Sha512,
        };
        let made = if let Some(path) = &self.to_key_file {
            let (key, name) = (input::hex_file(path)?, self.to_key_name.as_str());
            match self.cipher {
                Cipher::Cbc => Protector::aes_cbc(key, name, mac, rng),
                Cipher::Wrap => Protector::aes_key_wrap(key, name, false),
                Cipher::WrapPad => Protector::aes_key_wrap(key, name, true),
            }
        } else if let Some(path) = &self.to_password_file {
            let password = input::first_line(path)?;
            refuse_empty(&password)?;
            Protector::passphrase(&password, self.iterations, Pbkdf2Prf::HmacSha1, rng)
        } else if let Some(path) = &self.to_certificate {
            let certificate = CertificateDer::from_pem_slice(input::text_file(path)?.as_bytes());
            let certificate =
                certificate.map_err(|_| Failure::new(format!("{} holds no certificate in PEM", path.display())))?;
            let key = KeyInfo::from_certificates(vec![certificate.to_vec()]);
            Protector::rsa(key, RsaEncryption::OaepSha1, Some(mac), rng)
        } else {
            return Ok(None);
        };
        made.map(Some).map_err(Failure::new)
    }
}

fn refuse_empty(password: &Secret) -> Result<(), Failure> {
    if password.is_empty() { Err(Failure::new("the password is empty")) } else { Ok(()) }
}

/// A PSKC file that is being written, its secrets protected or in the clear.
pub(crate) struct PskcFile {
    writer: ContainerWriter<Sink>,
    protector: Option<Protector>,
    pub(crate) keys: u64,
}

impl PskcFile {
    pub(crate) fn create(sink: Sink, id: Option<String>, protector: Option<Protector>) -> Result<Self, Failure> {
        let mut header = Header { id, ..Header::default() };
        if let Some(protector) = &protector {
            header.encryption_key = Some(protector.encryption_key().clone());
            header.mac_method = protector.mac_method().cloned();
        }
        let writer = ContainerWriter::new(sink, &header).map_err(unwritten)?;
        Ok(PskcFile { writer, protector, keys: 0 })
    }

    pub(crate) fn package(&mut self, mut package: KeyPackage) -> Result<(), Failure> {
        self.keys += 1;
        if let Some(protector) = &mut self.protector
            && let Some(key) = &mut package.key
            && let Some(data) = &mut key.data
        {
            let id = &key.id;
            let protected = protector.protect(data, &mut SystemRandom);
            protected.map_err(|why| Failure::new(format!("key {} ({id}): {why}", self.keys)))?;
        }
        super::sink::printed(self.writer.package(&package))
    }

    pub(crate) fn finish(self) -> Result<(), Failure> {
        self.writer.finish().map_err(unwritten)?.finish()
    }
}

fn unwritten(why: std::io::Error) -> Failure {
    Failure::new(format!("the result cannot be written: {why}"))
}

/// Where a result goes.
#[derive(Args)]
pub(crate) struct To {
    /// The file to write; standard output if not given
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,

    /// Replace the file if it is there
    #[arg(long)]
    force: bool,
}

impl To {
    pub(crate) fn sink(&self) -> Result<Sink, Failure> {
        Sink::open(self.output.as_deref(), self.force)
    }

    /// The name of the file, if it is one.
    pub(crate) fn name(&self) -> Option<String> {
        self.output.as_ref().map(|path| path.display().to_string())
    }

    /// Says what was written, where standard output is free for that.
    pub(crate) fn report(&self, keys: u64, output: &Output) -> Result<(), Failure> {
        let Some(name) = self.name().filter(|name| name != "-") else { return Ok(()) };
        let document = serde_json::json!({ "file": name, "keys": keys });
        output.print(&document, || format!("{keys} keys written to {name}"))
    }
}

#[derive(Args)]
pub(crate) struct Encrypt {
    #[command(flatten)]
    input: Input,
    #[command(flatten)]
    protection: Protection,
    #[command(flatten)]
    to: To,
}

impl Encrypt {
    pub(crate) fn run(self, output: &Output) -> Result<(), Failure> {
        let Some(protector) = self.protection.protector()? else {
            return Err(Failure::usage("nothing to encrypt with")
                .next("give --to-key-file, --to-password-file or --to-certificate"));
        };
        rewrite(&self.input.open(true)?, &self.to, Some(protector), output)
    }
}

#[derive(Args)]
pub(crate) struct Decrypt {
    #[command(flatten)]
    input: Input,
    #[command(flatten)]
    to: To,
}

impl Decrypt {
    pub(crate) fn run(self, output: &Output) -> Result<(), Failure> {
        rewrite(&self.input.open(true)?, &self.to, None, output)
    }
}

/// Writes the keys of `file` as PSKC.
pub(crate) fn rewrite(file: &KeyFile, to: &To, protector: Option<Protector>, output: &Output) -> Result<(), Failure> {
    file.warn();
    let mut result = PskcFile::create(to.sink()?, file.summary.header.id.clone(), protector)?;
    file.for_each(|package| result.package(package))?;
    let keys = result.keys;
    result.finish()?;
    to.report(keys, output)
}
