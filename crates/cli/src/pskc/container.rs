//! Key files in CMS (RFC 6031) and PKCS #12 (RFC 7292), which are read and written as a whole.

use std::collections::HashMap;
use std::io::IsTerminal as _;

use dskpp::key_package::file::{self, FileError, FileFormat, OpenedFile};
use dskpp::key_package::{PackageError, PackageProtection};
use dskpp_crypto::SystemRandom;
use pskc::{DecryptionKey, KeyPackage};

use super::document::Document;
use super::format::Format;
use super::notes::Notes;
use super::opening::NEEDED;
use super::protect::few_rounds;
use super::reading;
use crate::output::Failure;
use crate::shown::count;
use crate::store::prompt;

/// Reads a file, passes each key to `complete`, and returns what decrypted it. If the file is encrypted and no key is
/// given, prompts for a password.
/// person is asked.
pub(super) fn read(
    document: &Document,
    format: FileFormat,
    mut unlock: Option<DecryptionKey>,
    lenient: bool,
    complete: impl Fn(&mut KeyPackage) -> Result<(), String>,
    notes: &mut Notes,
) -> Result<(OpenedFile, Option<DecryptionKey>), Failure> {
    let octets = document.octets()?;
    let open = if lenient { file::open_without_mac } else { file::open };
    let mut opened = open(octets.as_ref(), unlock.as_ref());
    let is_closed =
        |opened: &Result<OpenedFile, FileError>| matches!(opened, Err(why) if why.why == PackageError::Protection);
    if is_closed(&opened) && unlock.is_none() && std::io::stdin().is_terminal() {
        unlock = Some(DecryptionKey::Password(prompt("Password of the key file: ")?));
        opened = open(octets.as_ref(), unlock.as_ref());
    }
    let mut content = opened.map_err(|why| refused(why, document.name(), format, unlock.is_some()))?;
    if content.packages.is_empty() {
        let others = others(&content).map(|others| format!(": it has {others}")).unwrap_or_default();
        let is_old = content.others.contains_key(file::RC2_PART);
        return Err(Failure::new(format!("there are no symmetric keys in {}{others}", document.name()))
            .next(if is_old { ENCRYPT_ANEW } else { "name the file with the keys" }));
    }
    content.packages.iter_mut().try_for_each(complete).map_err(Failure::usage)?;
    tell(&content, notes);
    Ok((content, unlock))
}

/// Converts a file with legacy ciphers.
const ENCRYPT_ANEW: &str =
    "`keytool -importkeystore -srckeystore FILE -destkeystore NEW.p12 -deststoretype pkcs12` re-encrypts it";

fn refused(why: FileError, name: &str, format: FileFormat, is_unlocked: bool) -> Failure {
    match (why.why, is_unlocked) {
        (PackageError::Protection, false) if format == FileFormat::Pkcs12 => {
            Failure::new(format!("{name} is encrypted with a password")).next("pass it with --password-file")
        }
        (PackageError::Protection, false) => Failure::new(format!("{name} is encrypted")).next(NEEDED),
        (PackageError::Protection, true) => Failure::new(format!(
            "{name} is not encrypted, or not with this kind of key"
        ))
        .next("use another of --password-file, --key-file and --private-key, or none if the file is not encrypted"),
        (PackageError::Cipher(_), _) => Failure::new(format!("{name}: {why}")).next(ENCRYPT_ANEW),
        (PackageError::NoMac, _) => Failure::new(format!("{name}: {why}"))
            .next("ask the sender for a file with a MAC, or use --lenient if you trust how you got it"),
        (PackageError::WrongKeyOrDamaged, _) => Failure::new(format!("{name}: {why}"))
            .next("pass the right key or password, or ask the sender for the file again"),
        _ => Failure::new(format!("{name}: {why}")).next("ask the sender for the file again, or in another format"),
    }
}

/// What a file has besides symmetric keys.
fn others(content: &OpenedFile) -> Option<String> {
    let others: Vec<_> = content.others.iter().map(|(what, number)| count(*number as u64, what)).collect();
    (!others.is_empty()).then(|| others.join(", "))
}

fn tell(content: &OpenedFile, notes: &mut Notes) {
    if let Some(warning) = content.iterations.and_then(few_rounds) {
        notes.of_file(warning);
    }
    if let Some(others) = others(content) {
        notes.of_file(format!("entries other than symmetric keys are left out: {others}"));
    }
    if content.no_mac {
        notes.of_file("the file has no MAC: tampering would go unnoticed".into());
    }
    if content.signed {
        notes.of_file("the file's signature is not verified".into());
    }
}

/// Reports what the keys of a file do not state.
pub(super) fn tell_of_keys(packages: &[KeyPackage], notes: &mut Notes) {
    for (number, package) in (1..).zip(packages) {
        if package.key.as_ref().is_some_and(|key| key.algorithm.is_none()) {
            let what = "the key has no algorithm: name it with --algorithm hotp or --algorithm totp";
            notes.add(what.into(), || format!("key {number}"));
        }
    }
    reading::tell(packages, notes);
}

/// The packages of a file to write.
#[derive(Default)]
pub(super) struct OutputPackages {
    packages: Vec<KeyPackage>,
    /// The Ids by the names that readers use: Java ignores case in PKCS #12.
    names: HashMap<String, String>,
}

impl OutputPackages {
    /// Checks that a key can be added, and removes its extensions.
    ///
    /// # Errors
    /// Why the format cannot express it.
    pub(super) fn fit(&mut self, package: &mut KeyPackage, format: FileFormat) -> Result<(), String> {
        if let Some(key) = package.key.as_ref().filter(|key| !key.is_usable()) {
            return Err(format!(
                "the policy of {:?} has unknown elements, so the key must not be used (RFC 6030 §5)",
                key.id
            ));
        }
        without_extensions(package);
        file::carries(package).map_err(|why| why.to_string())?;
        let id = package.key.as_ref().map(|key| key.id.as_str()).unwrap_or_default();
        let name = if format == FileFormat::Pkcs12 { id.to_lowercase() } else { id.to_owned() };
        if let Some(other) = self.names.insert(name, id.to_owned()) {
            let but = if other == id { "" } else { ", apart from letter case" };
            return Err(format!("another key has the same Id{but}"));
        }
        Ok(())
    }

    /// Adds a key that [fits](Self::fit).
    pub(super) fn push(&mut self, package: KeyPackage) {
        self.packages.push(package);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.packages.is_empty()
    }

    /// Writes the file.
    pub(super) fn write(
        &self,
        format: FileFormat,
        protection: &PackageProtection,
        old: bool,
    ) -> Result<Vec<u8>, Failure> {
        let packages: Vec<_> = self.packages.iter().collect();
        file::write(format, &packages, protection, old, &mut SystemRandom).map_err(Failure::new)
    }
}

fn without_extensions(package: &mut KeyPackage) {
    package.extensions.clear();
    if let Some(device) = &mut package.device_info {
        device.extensions.clear();
    }
    if let Some(module) = &mut package.crypto_module_info {
        module.extensions.clear();
    }
    let Some(key) = &mut package.key else { return };
    key.extensions.clear();
    if let Some(parameters) = &mut key.algorithm_parameters {
        parameters.extensions.clear();
    }
    if let Some(data) = &mut key.data {
        data.other.clear();
    }
}

impl Format {
    /// The library's name of this format, if it is CMS or PKCS #12.
    pub(super) fn of_container(self) -> Option<FileFormat> {
        match self {
            Format::Rfc6031 => Some(FileFormat::Skpc),
            Format::Pkcs12 => Some(FileFormat::Pkcs12),
            _ => None,
        }
    }
}
