//! Key files in CMS (RFC 6031) and PKCS #12 (RFC 7292): any number of keys, in DER, BER or PEM, of any program.

use std::collections::BTreeMap;
use std::num::NonZeroU32;

use dskpp_crypto::{Random, Secret};
use pskc::{DecryptionKey, KeyPackage};

use super::asn1::{ContentInfo, UNREADABLE, from_der, to_der};
use super::bags::{self, BagContents};
use super::pfx::{self, Sealing};
use super::reading::ReadRules;
use super::{PackageError, PackageProtection, Skpc, ber, signed, skpc};

/// The longest file in octets.
pub const MAX_LEN: usize = 256 * 1024 * 1024;
/// How [`OpenedFile::others`] calls a part that is skipped for its legacy cipher, usually with certificates.
pub const RC2_PART: &str = "RC2-encrypted part";
/// The most rounds for all passwords of a file.
pub(super) const MAX_ROUNDS: u64 = 100_000_000;

/// The format of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileFormat {
    /// A `SymmetricKeyPackage`, by itself or in CMS.
    Skpc,
    /// A PFX.
    Pkcs12,
}

/// The content of a file.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct OpenedFile {
    /// Its symmetric keys.
    pub packages: Vec<KeyPackage>,
    /// What else it contains, with the number of each.
    pub others: BTreeMap<&'static str, usize>,
    /// The lowest number of key derivation rounds that protects its password.
    pub iterations: Option<u32>,
    /// Whether it is PKCS #12 without a MAC, so that tampering goes unnoticed.
    pub no_mac: bool,
    /// Whether it is signed; the signature is not verified.
    pub signed: bool,
}

/// Why a file cannot be read or written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}{why}", .key.map(|key| format!("key {key}: ")).unwrap_or_default())]
#[non_exhaustive]
pub struct FileError {
    /// The number of the key, from 1; `None` for the file as a whole.
    pub key: Option<usize>,
    /// Why.
    pub why: PackageError,
}

impl From<PackageError> for FileError {
    fn from(why: PackageError) -> Self {
        Self { key: None, why }
    }
}

impl FileError {
    pub(super) fn or_in(self, key: usize) -> Self {
        Self { key: Some(self.key.map_or(key, |inner| key + inner - 1)), ..self }
    }
}

/// The content of a PEM file; `None` if it is not PEM.
fn pem(octets: &[u8]) -> Option<Result<Secret, PackageError>> {
    const WRONG: PackageError = PackageError::Unreadable("its PEM is cut off, or not base64");
    let text = octets.trim_ascii_start();
    if !text.starts_with(b"-----BEGIN ") {
        return None;
    }
    let body = || {
        let text = std::str::from_utf8(text).map_err(|_| WRONG)?;
        let (label, rest) = text["-----BEGIN ".len()..].split_once("-----").ok_or(WRONG)?;
        let (body, after) = rest.split_once(&format!("-----END {label}-----")).ok_or(WRONG)?;
        if !after.trim().is_empty() {
            return Err(PackageError::Unreadable("its PEM has trailing data"));
        }
        let body = Secret::new(body.bytes().filter(|octet| !octet.is_ascii_whitespace()).collect());
        data_encoding::BASE64.decode(body.expose()).map(Secret::new).map_err(|_| WRONG)
    };
    Some(body())
}

/// The format of a file that begins with these octets; a few hundred are enough. `None` if unknown.
pub fn format_of(begin: &[u8]) -> Option<FileFormat> {
    let trimmed = begin.trim_ascii_start();
    if trimmed.starts_with(b"-----BEGIN ") {
        let line = trimmed.split(|octet| *octet == b'\n').map(<[u8]>::trim_ascii).nth(1)?;
        let whole = line.get(..line.len() / 4 * 4)?; // groups of base64
        return format_of_der(&data_encoding::BASE64.decode(whole).ok()?);
    }
    format_of_der(begin)
}

fn format_of_der(begin: &[u8]) -> Option<FileFormat> {
    /// id-data, signed, enveloped, … of PKCS #7
    const PKCS7: &[u8] = b"\x06\x09\x2A\x86\x48\x86\xF7\x0D\x01\x07";
    /// id-ct: the content types of S/MIME
    const CT: &[u8] = b"\x06\x0B\x2A\x86\x48\x86\xF7\x0D\x01\x09\x10\x01";
    /// id-pskc: an attribute of RFC 6031
    const PSKC: &[u8] = b"\x06\x0B\x2A\x86\x48\x86\xF7\x0D\x01\x09\x10\x0C";
    let inside = ber::inside(begin, 0x30)?;
    if inside.strip_prefix(b"\x02\x01\x03").is_some_and(|rest| ber::inside(rest, 0x30).is_some()) {
        return Some(FileFormat::Pkcs12);
    }
    // Without CMS: attributes of all keys, or the keys.
    let by_itself = inside.strip_prefix(b"\x02\x01\x01").unwrap_or(inside);
    let attributes = ber::inside(by_itself, 0xA0).and_then(|inside| ber::inside(inside, 0x30));
    let key = ber::inside(by_itself, 0x30).and_then(|inside| ber::inside(inside, 0x30));
    let key_attributes = key.and_then(|inside| ber::inside(inside, 0x30)).and_then(|inside| ber::inside(inside, 0x30));
    let is_package = [attributes, key_attributes].into_iter().flatten().any(|inside| inside.starts_with(PSKC))
        || key.is_some_and(|inside| inside.first() == Some(&0x04));
    (is_package || inside.starts_with(PKCS7) || inside.starts_with(CT)).then_some(FileFormat::Skpc)
}

/// The keys of a file, decrypted with `unlock` if it is encrypted.
///
/// # Errors
/// [`PackageError::Protection`] if `unlock` is missing or of the wrong kind; others.
pub fn open(octets: &[u8], unlock: Option<&DecryptionKey>) -> Result<OpenedFile, FileError> {
    open_by(octets, unlock, &ReadRules::of_file())
}

/// Like [`open`], but also reads PKCS #12 without a MAC, and sets [`OpenedFile::no_mac`].
///
/// # Errors
/// As [`open`].
pub fn open_without_mac(octets: &[u8], unlock: Option<&DecryptionKey>) -> Result<OpenedFile, FileError> {
    open_by(octets, unlock, &ReadRules::of_file().without_mac())
}

fn open_by(octets: &[u8], unlock: Option<&DecryptionKey>, reading: &ReadRules) -> Result<OpenedFile, FileError> {
    let der = match pem(octets) {
        Some(der) => reading.der(der?.expose())?,
        None => reading.der(octets)?,
    };
    let mut content = match format_of_der(der.expose()) {
        Some(FileFormat::Pkcs12) => open_pkcs12(&der, unlock, reading)?,
        Some(FileFormat::Skpc) => open_cms(&der, unlock, reading)?,
        None => return Err(UNREADABLE.into()),
    };
    content.no_mac = reading.has_no_mac.get();
    content.iterations = reading.fewest().map(NonZeroU32::get);
    Ok(content)
}

fn open_pkcs12(der: &Secret, unlock: Option<&DecryptionKey>, reading: &ReadRules) -> Result<OpenedFile, FileError> {
    let Some(DecryptionKey::Password(password)) = unlock else { return Err(PackageError::Protection.into()) };
    let mut found = BagContents::default();
    for part in pfx::open(der, password, reading)? {
        match part {
            Some(bags) => found.read(&bags, password, reading)?,
            None => *found.others.entry(RC2_PART).or_default() += 1,
        }
    }
    Ok(OpenedFile { packages: found.packages, others: found.others, ..OpenedFile::default() })
}

fn open_cms(der: &Secret, unlock: Option<&DecryptionKey>, reading: &ReadRules) -> Result<OpenedFile, FileError> {
    let mut content = OpenedFile::default();
    let Ok(mut info) = from_der::<ContentInfo>(der.expose()) else {
        content.packages = skpc::read_all(der)?; // without CMS
        return Ok(content);
    };
    if info.content_type == signed::SIGNED_DATA {
        info = signed::content(&info)?;
        content.signed = true;
    }
    let check = |octets: &Secret| {
        let der = reading.der(octets.expose())?;
        if skpc::is_one(&der) { Ok(der) } else { Err(UNREADABLE) }
    };
    let package = skpc::content(&info, false, unlock, reading, check)?;
    content.packages = skpc::read_all(&package)?;
    Ok(content)
}

/// Checks that a file can carry all properties of a package except its extensions.
///
/// # Errors
/// [`PackageError::Unfit`]
pub fn carries(package: &KeyPackage) -> Result<(), PackageError> {
    skpc::write(&[package]).map(drop)
}

/// Writes a file. PKCS #12 requires a password. For `old` readers it uses Triple-DES and SHA-1, and RFC 6031 uses
/// `EncryptedData` and `EnvelopedData` instead of AES-256-GCM, which detects every change.
///
/// # Errors
/// [`PackageError::Protection`], [`PackageError::Unfit`]
pub fn write(
    format: FileFormat,
    packages: &[&KeyPackage],
    protection: &PackageProtection,
    old: bool,
    rng: &mut dyn Random,
) -> Result<Vec<u8>, FileError> {
    for (at, package) in packages.iter().enumerate() {
        carries(package).map_err(|why| FileError { key: Some(at + 1), why })?;
    }
    match (format, protection) {
        (FileFormat::Skpc, _) => {
            let codec = Skpc { authenticated: !old };
            Ok(codec.seal_content(&skpc::write(packages)?, protection, rng)?)
        }
        (FileFormat::Pkcs12, PackageProtection::Password { password, iterations }) => {
            let sealing = Sealing::new(password, *iterations, old, rng)?;
            let bags = packages.iter().map(|package| bags::of_java(package, &sealing, rng));
            let bags = Secret::new(to_der(&bags.collect::<Result<Vec<_>, _>>()?)?);
            Ok(sealing.seal(&bags, rng)?)
        }
        (FileFormat::Pkcs12, _) => Err(PackageError::Protection.into()),
    }
}
