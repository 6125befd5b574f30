//! `dskpp pskc encrypt` and `decrypt`, and how an output file is protected.

use std::num::NonZeroU32;
use std::path::PathBuf;

use clap::builder::NonEmptyStringValueParser;
use clap::{Args, ValueEnum};
use dskpp::key_package::{self, file::FileFormat};
use dskpp_crypto::{Hash, RsaEncryption, RsaPublicKey, SystemRandom};
use pskc::{
    ContainerWriter, DerivedKey, Extensions, Header, KeyInfo, KeyPackage, PasswordStrength, ProtectionError, Protector,
    ValueAlgorithm,
};
use serde_json::Value as Json;

use super::atomic_output::{AtomicOutput, printed};
use super::input::{Input, KeyFile};
use super::report::{PskcReport, Unfit};
use super::{carried, material};
use crate::output::{Failure, Output};
use crate::shown::{count, note};

/// How to protect the secrets of an output file.
#[derive(Args)]
#[command(next_help_heading = "Protection")]
#[group(multiple = true)]
pub(crate) struct Protection {
    /// File with the encryption key (16, 24 or 32 octets: AES-128, -192 or -256), in a form that --key-file takes
    #[arg(long, value_name = "FILE", conflicts_with_all = ["to_password_file", "to_certificate"])]
    to_key_file: Option<PathBuf>,

    /// The receiver's name for that key
    #[arg(long, value_name = "NAME", default_value = "Pre-shared-key", requires = "to_key_file")]
    #[arg(value_parser = NonEmptyStringValueParser::new(), conflicts_with_all = ["to_password_file", "to_certificate"])]
    to_key_name: String,

    /// Encryption algorithm
    #[arg(long, value_enum, default_value_t = Cipher::Cbc, conflicts_with = "to_certificate")]
    cipher: Cipher,

    /// File whose first line is the encryption password
    #[arg(long, value_name = "FILE", conflicts_with = "to_certificate")]
    to_password_file: Option<PathBuf>,

    /// PBKDF2 rounds for the password, 1,000 to 10,000,000 [default: 600,000]
    #[arg(long, value_name = "N", requires = "to_password_file")]
    #[arg(value_parser = rounds, conflicts_with_all = ["to_key_file", "to_certificate"])]
    iterations: Option<NonZeroU32>,

    /// Use password protection that old programs can read: 100,000 rounds of HMAC-SHA-1, AES-128 (Triple-DES in PKCS #12),
    /// SHA-1 MACs [default: 600,000 rounds of HMAC-SHA-256, AES-256, SHA-256 MACs]
    #[arg(long, requires = "to_password_file", conflicts_with_all = ["to_key_file", "to_certificate"])]
    for_old_readers: bool,

    /// The receiver's RSA certificate (PEM or DER)
    #[arg(long, value_name = "FILE")]
    to_certificate: Option<PathBuf>,

    /// Hash of the MAC over each encrypted value [default: sha256, or sha1 with --for-old-readers]
    #[arg(long, value_enum)]
    mac: Option<MacHash>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Cipher {
    /// AES-CBC with a MAC
    Cbc,
    /// AES key wrap, without a MAC; padded if a secret needs it
    Wrap,
    /// AES key wrap with padding, under its own algorithm URI
    WrapPad,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum MacHash {
    Sha1,
    Sha256,
    Sha384,
    Sha512,
}

impl Protection {
    /// Whether any option is given.
    pub(crate) fn is_given(&self) -> bool {
        self.to_key_file.is_some() || self.to_password_file.is_some() || self.to_certificate.is_some()
    }

    pub(crate) fn protector(&self) -> Result<Option<Protector>, Failure> {
        if !self.is_given() && (self.mac.is_some() || !matches!(self.cipher, Cipher::Cbc)) {
            return Err(Failure::usage("--mac and --cipher need a key, password or certificate to encrypt with")
                .next(WITH_WHAT));
        }
        if self.mac.is_some() && !matches!(self.cipher, Cipher::Cbc) {
            return Err(Failure::usage("a key wrap has no MAC").next("omit --mac or --cipher"));
        }
        let rng = &mut SystemRandom;
        let mac = |default| match self.mac {
            None => default,
            Some(MacHash::Sha1) => Hash::Sha1,
            Some(MacHash::Sha256) => Hash::Sha256,
            Some(MacHash::Sha384) => Hash::Sha384,
            Some(MacHash::Sha512) => Hash::Sha512,
        };
        let made = if let Some(path) = &self.to_key_file {
            let (key, name) = (material::key_file(path)?, self.to_key_name.as_str());
            match self.cipher {
                Cipher::Cbc => Protector::aes_cbc(key, name, mac(Hash::Sha256), rng),
                Cipher::Wrap => Protector::aes_key_wrap(key, name, false),
                Cipher::WrapPad => Protector::aes_key_wrap(key, name, true),
            }
        } else if let Some(path) = &self.to_password_file {
            let password = material::first_line(path)?;
            let mut strength = self.strength();
            if let (ValueAlgorithm::AesCbc(len), cipher) = (strength.algorithm, self.cipher) {
                strength.algorithm = match cipher {
                    Cipher::Cbc => ValueAlgorithm::AesCbc(len),
                    Cipher::Wrap => ValueAlgorithm::AesWrap(len),
                    Cipher::WrapPad => ValueAlgorithm::AesWrapPad(len),
                };
            }
            strength.mac = mac(strength.mac);
            Protector::passphrase(&password, None, strength, rng)
        } else if let Some(path) = &self.to_certificate {
            let key = KeyInfo::from_certificates(vec![material::certificates(path)?.swap_remove(0)]);
            Protector::rsa(key, RsaEncryption::OaepSha1, Some(mac(Hash::Sha256)), rng)
        } else {
            return Ok(None);
        };
        made.map(Some).map_err(Failure::new)
    }

    /// The same for CMS or PKCS #12, and whether the file is for old readers.
    pub(super) fn of_container(&self, format: FileFormat) -> Result<(key_package::PackageProtection, bool), Failure> {
        if self.mac.is_some() || !matches!(self.cipher, Cipher::Cbc) {
            return Err(Failure::usage("--mac and --cipher are for PSKC").next("omit them"));
        }
        let protection = if let Some(path) = &self.to_password_file {
            let password = material::first_line(path)?;
            key_package::PackageProtection::Password { password, iterations: self.strength().iterations }
        } else if format == FileFormat::Pkcs12 {
            return Err(Failure::usage("PKCS #12 needs a password").next("pass it with --to-password-file"));
        } else if let Some(path) = &self.to_key_file {
            let key = material::key_file(path)?;
            if !matches!(key.len(), 16 | 24 | 32) {
                return Err(
                    Failure::new(ProtectionError::KeyLength(key.len())).next("use a key of 16, 24 or 32 octets")
                );
            }
            key_package::PackageProtection::Shared { name: self.to_key_name.clone(), key }
        } else if let Some(path) = &self.to_certificate {
            let key = RsaPublicKey::from_certificate_der(&material::certificates(path)?.swap_remove(0));
            let key = key.map_err(|why| Failure::new(format!("{}: {why}", path.display())))?;
            key_package::PackageProtection::Public { key, encryption: RsaEncryption::OaepSha1 }
        } else {
            key_package::PackageProtection::None
        };
        Ok((protection, self.for_old_readers))
    }

    /// The password-based encryption, as far as the format allows a choice.
    fn strength(&self) -> PasswordStrength {
        let mut strength = if self.for_old_readers { PasswordStrength::OLD } else { PasswordStrength::TODAY };
        if let Some(iterations) = self.iterations {
            strength.iterations = iterations;
        }
        if let Some(warning) = few_rounds(strength.iterations.get()) {
            note(format!("warning: {warning}"));
        }
        strength
    }
}

/// The warning for too few PBKDF2 rounds.
pub(super) fn few_rounds(rounds: u32) -> Option<String> {
    (rounds < DerivedKey::FEW_ITERATIONS).then(|| {
        let (s, protect) = if rounds == 1 { ("", "protects") } else { ("s", "protect") };
        format!("{rounds} round{s} {protect} a password poorly: anyone with the file can try many. 600000 are usual")
    })
}

const WITH_WHAT: &str = "pass --to-key-file, --to-password-file or --to-certificate";

/// Fewer rounds protect nothing; readers refuse more.
fn rounds(text: &str) -> Result<NonZeroU32, String> {
    let rounds = text.parse().ok().filter(|rounds| (1000..=DerivedKey::MAX_ITERATIONS).contains(rounds));
    rounds.and_then(NonZeroU32::new).ok_or_else(|| "not a number from 1000 to 10000000".to_owned())
}

/// A PSKC file to write, with its secrets protected or in the clear.
pub(crate) struct PskcFile {
    writer: ContainerWriter<AtomicOutput>,
    protector: Option<Protector>,
}

impl PskcFile {
    fn create(result: AtomicOutput, of: &Header, protector: Option<Protector>) -> Result<Self, Failure> {
        let Header { id, language, .. } = of.clone();
        let mut header = Header { id, language, ..Header::default() };
        if let Some(protector) = &protector {
            header.encryption_key = Some(protector.encryption_key().clone());
            header.mac_method = protector.mac_method().cloned();
        }
        let writer = printed(ContainerWriter::new(result, &header))?;
        Ok(PskcFile { writer, protector })
    }

    /// Writes a package, with its values encrypted if they are to be protected.
    ///
    /// # Errors
    /// The file cannot be written. Inside, why the format cannot express the package.
    fn package(&mut self, package: &mut KeyPackage) -> Result<Result<(), Unfit>, Failure> {
        if let Err(why) = carried::carries(package) {
            let next = "correct the text in the file, use --to json or --to csv, or omit such keys with --skip";
            return Ok(Err(Unfit { why, next }));
        }
        if package.key.as_ref().is_some_and(|key| key.policy.as_ref().is_some_and(|policy| !policy.is_valid())) {
            let why = "its policy breaks the schema of RFC 6030, and must not be lost".to_owned();
            let next = "correct the policy in the file, or ask the sender for it again, or omit such keys with --skip";
            return Ok(Err(Unfit { why, next }));
        }
        let data = package.key.as_mut().and_then(|key| key.data.as_mut());
        if let (Some(protector), Some(data)) = (&mut self.protector, data)
            && let Err(why) = protector.protect(data, &mut SystemRandom)
        {
            let next = "protect the file in another way, or omit such keys with --skip";
            return Ok(Err(Unfit { why: why.to_string(), next }));
        }
        printed(self.writer.package(package)).map(Ok)
    }

    pub(crate) fn finish(self, extensions: &[Extensions]) -> Result<(), Failure> {
        printed(self.writer.finish(extensions))?.finish()
    }
}

/// The destination of a result.
#[derive(Args)]
#[command(next_help_heading = "Output")]
pub(crate) struct To {
    /// File to write [default: standard output]
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,

    /// Replace an existing file
    #[arg(long)]
    force: bool,
}

impl To {
    /// # Errors
    /// As [`AtomicOutput::open`]; standard output would have to take the report in JSON too.
    pub(crate) fn open_output(&self, output: &Output) -> Result<AtomicOutput, Failure> {
        if output.json && self.name().is_none() {
            let why = "--json would print its document into the result";
            return Err(Failure::usage(why).next("name a file with --output, or omit --json"));
        }
        AtomicOutput::open(self.output.as_deref(), self.force)
    }

    /// The name of the file, if any.
    pub(crate) fn name(&self) -> Option<String> {
        self.output.as_ref().map(|path| path.display().to_string()).filter(|name| name != "-")
    }

    /// Whether standard output was requested explicitly.
    pub(crate) fn is_stdout(&self) -> bool {
        self.output.as_ref().is_some_and(|path| path.as_os_str() == "-")
    }

    /// Reports what was written, with `more` in JSON, if standard output is free.
    pub(crate) fn report(&self, keys: u64, more: Json, output: &Output) -> Result<(), Failure> {
        let Some(name) = self.name() else { return Ok(()) };
        let mut document = serde_json::json!({ "file": name, "keys": keys });
        if let (Json::Object(document), Json::Object(more)) = (&mut document, more) {
            document.extend(more);
        }
        output.print(&document, || format!("{} written to {name}", count(keys, "key")))
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
            return Err(Failure::usage("no key, password or certificate to encrypt with").next(WITH_WHAT));
        };
        rewrite(self.input.open(true)?, &self.to, Some(protector), PskcReport::default(), output)
    }
}

#[derive(Args)]
pub(crate) struct DecryptArgs {
    #[command(flatten)]
    input: Input,
    #[command(flatten)]
    to: To,
}

impl DecryptArgs {
    pub(crate) fn run(self, output: &Output) -> Result<(), Failure> {
        rewrite(self.input.open(true)?, &self.to, None, PskcReport::default(), output)
    }
}

/// Writes the keys of `file` as PSKC.
pub(super) fn rewrite(
    file: KeyFile,
    to: &To,
    protector: Option<Protector>,
    mut report: PskcReport,
    output: &Output,
) -> Result<(), Failure> {
    let warnings = file.warn_of_all();
    let mut result = PskcFile::create(to.open_output(output)?, &file.summary.header, protector)?;
    let extensions = file.summary.trailer.extensions.clone();
    let (mut number, mut is_empty) = (0, true);
    file.into_each(|mut package| {
        number += 1;
        match result.package(&mut package)? {
            Ok(()) => {
                is_empty = false;
                report.write(&package);
                Ok(())
            }
            Err(unfit) => report.leave_out(number, &package, unfit),
        }
    })?;
    if is_empty {
        return Err(Failure::new("the format can express none of the keys"));
    }
    result.finish(&extensions)?;
    report.tell();
    to.report(report.written, report.members(&warnings), output)
}
