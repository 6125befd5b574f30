//! Key files as input: a file or standard input, strict or lenient, with or without decryption.
//!
//! Every file is read twice: first to its end, so that nothing is done with part of a file that turns out to be
//! truncated, damaged or protected by a different key; then to process it, in constant memory.

use std::io::IsTerminal as _;
use std::num::NonZeroU32;
use std::path::PathBuf;

use clap::Args;
use data_encoding::HEXLOWER;
use dskpp::key_package::file::FileFormat;
use dskpp_crypto::{Pbkdf2Prf, Secret, pbkdf2};
use indicatif::{ProgressBar, ProgressStyle};
use pskc::{DecryptionKey, DerivedKey, KeyPackage};

use super::container;
use super::digest::Digest;
use super::document::Document;
use super::format::Format;
use super::key_text::from_hex;
use super::kind::FileKind;
use super::material::key_file;
use super::notes::Notes;
use super::opening::Opening;
use super::packages::{PackageReader, later_version};
use super::protect::few_rounds;
use super::reading::ReadOptions;
use super::rules::MIXED;
use super::summary::Summary;
use super::unlock::{UnlockOptions, ask};
use crate::output::Failure;
use crate::shown::{count, note};

/// A key file to read, in any supported format.
#[derive(Args)]
pub(crate) struct Input {
    #[command(flatten)]
    pub(crate) source: KeySource,

    #[command(flatten)]
    pub(crate) reading: ReadOptions,
}

/// A file and its decryption options.
#[derive(Args)]
pub(crate) struct KeySource {
    /// The key file; - for standard input
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,

    /// Accept deviations of vendors and old drafts, and report each
    #[arg(long, help_heading = "Format")]
    pub(crate) lenient: bool,

    #[command(flatten)]
    pub(crate) unlock: UnlockOptions,
}

/// A key file that was read to its end: it is complete, and the given key decrypts it.
pub(crate) struct KeyFile {
    document: Document,
    /// The keys, if the file is not PSKC.
    packages: Option<Vec<KeyPackage>>,
    format: Format,
    reading: ReadOptions,
    lenient: bool,
    unlock: Option<DecryptionKey>,
    mac_key: Option<Secret>,
    iv: Option<Vec<u8>>,
    pub(crate) summary: Summary,
}

impl Input {
    /// Reads the file once. If it is encrypted, no key is given and `must_open` is set, prompts for a password.
    pub(crate) fn open(&self, must_open: bool) -> Result<KeyFile, Failure> {
        self.read(Document::open(&self.source.file)?, must_open)
    }

    /// Like [`open`](Self::open), for a document that is open already.
    pub(crate) fn read(&self, document: Document, must_open: bool) -> Result<KeyFile, Failure> {
        match self.reading.format(&document)? {
            Format::Pskc => self.read_pskc(document, must_open, None),
            format => self.read_other(document, format),
        }
    }

    /// As [`open`](Self::open), with the SHA-256 of `options`, of [what changes the reading](KeyFile::identity) and of
    /// the file: the name of an import.
    pub(crate) fn open_with_digest(&self, options: &str) -> Result<(KeyFile, String), Failure> {
        let (document, digest) = (Document::open(&self.source.file)?, Digest::default());
        let file = match self.reading.format(&document)? {
            Format::Pskc => self.read_pskc(document, true, Some((&digest, options)))?,
            format => {
                let file = self.read_other(document, format)?;
                digest.start(&format!("{options}{}", file.identity()));
                let read = std::io::copy(&mut digest.reader(file.document.source()?), &mut std::io::sink());
                read.map_err(|why| Failure::new(format!("cannot read {}: {why}", file.document.name())))?;
                file
            }
        };
        Ok((file, digest.finish()))
    }

    fn read_pskc(
        &self,
        document: Document,
        must_open: bool,
        digest: Option<(&Digest, &str)>,
    ) -> Result<KeyFile, Failure> {
        let KeySource { lenient, unlock: options, .. } = &self.source;
        let source = document.source()?;
        let source = match digest {
            Some((digest, _)) => Box::new(digest.reader(source)),
            None => source,
        };
        let mut packages = PackageReader::new(source, *lenient)?;
        let header = packages.header().clone();
        let unlock = match options.get()? {
            None if must_open => ask(&header)?,
            unlock => unlock,
        };
        let mac_key = options.mac_key_file.as_deref().map(key_file).transpose()?;
        let iv = options.iv_hex.as_deref().map(from_hex).transpose()?;
        let (format, reading, summary) = (Format::Pskc, self.reading.clone(), Summary::new(header.clone()));
        let mut file =
            KeyFile { document, packages: None, format, reading, lenient: *lenient, unlock, mac_key, iv, summary };
        if let Some((digest, options)) = digest {
            digest.start(&format!("{options}{}", file.identity()));
        }
        let (unlock, mac_key) = (file.unlock.as_ref(), file.mac_key.as_ref());
        let mut opener = Opening::new(&header, unlock, mac_key, *lenient, file.iv.as_deref())?;
        let (bar, summary) = (progress(file.document.len()), &mut file.summary);
        while let Some(mut package) = packages.next()? {
            let data = package.key.as_ref().and_then(|key| key.data.as_ref());
            if let Some((_, value)) = data.and_then(|data| data.encrypted_values().next()) {
                summary.algorithm.get_or_insert_with(|| value.data.algorithm.clone());
            }
            summary.has_open |= data.is_some_and(|data| matches!(data.secret, Some(pskc::Value::Plain(_))));
            summary.packages += 1;
            if let Err(why) = opener.open(&mut package, summary.packages, must_open) {
                return Err(why.details(packages.faults_of_mac_method()));
            }
            self.reading.complete(&mut package).map_err(Failure::usage)?;
            summary.look_at(&package);
            if summary.packages.is_multiple_of(1024) {
                bar.set_position(packages.offset());
            }
        }
        let (trailer, warnings) = packages.finish()?;
        bar.finish_and_clear();
        summary.trailer = trailer;
        if !lenient && summary.header.is_later() {
            summary.warnings.push((later_version(&summary.header), None));
        }
        summary.warnings.extend(warnings.into_iter().map(|w| (w.irregularity.to_string(), Some(w.place))));
        if summary.has_open && summary.algorithm.is_some() {
            summary.warnings.push((MIXED.to_owned(), None));
        }
        let derived = summary.header.encryption_key.as_ref().and_then(|key| DerivedKey::of(key).ok().flatten());
        let few = derived.and_then(|derived| few_rounds(derived.iterations.get()));
        summary.warnings.extend(few.map(|warning| (warning, None)));
        summary.warnings.extend(opener.deviations().into_iter().map(|deviation| (deviation, None)));
        Ok(file)
    }

    /// Reads a text file in another format than PSKC.
    fn read_other(&self, document: Document, format: Format) -> Result<KeyFile, Failure> {
        if let Some(container) = format.of_container() {
            return self.read_container(document, format, container);
        }
        let (name, mut notes) = (document.name(), Notes::default());
        if self.source.lenient || self.source.unlock.is_given() {
            let what = format!("{name} is {}: --lenient and decryption options are for PSKC", format.what());
            return Err(Failure::usage(what).next("omit these options"));
        }
        let octets = document.octets()?;
        let text = octets.as_ref().strip_prefix(b"\xEF\xBB\xBF").unwrap_or(octets.as_ref());
        let text = std::str::from_utf8(text).map_err(|why| {
            let line = text[..why.valid_up_to()].iter().filter(|octet| **octet == b'\n').count() + 1;
            Failure::new(format!("{name}: line {line} is not in UTF-8")).next("save the file as UTF-8")
        })?;
        let packages = self.reading.read(format, text, &mut notes).map_err(|why| match document.kind() {
            Ok(FileKind::Keys(other)) if other != format => {
                why.next(format!("it looks like {}: omit --from", other.what()))
            }
            _ => why,
        });
        let packages = packages.map_err(|why| why.within(name))?;
        if packages.is_empty() {
            return Err(Failure::new(format!("there are no keys in {name}")));
        }
        let summary = Summary::of(&packages, &notes);
        let (packages, reading) = (Some(packages), self.reading.clone());
        let (lenient, unlock, mac_key, iv) = (false, None, None, None);
        Ok(KeyFile { document, packages, format, reading, lenient, unlock, mac_key, iv, summary })
    }

    /// Reads a file of CMS or PKCS #12.
    fn read_container(&self, document: Document, format: Format, file: FileFormat) -> Result<KeyFile, Failure> {
        let options = &self.source.unlock;
        let lenient = self.source.lenient;
        let is_lenient = lenient && file != FileFormat::Pkcs12;
        if is_lenient || options.mac_key_file.is_some() || options.iv_hex.is_some() {
            let what = format!("{} is {}", document.name(), format.what());
            return Err(Failure::usage(format!("{what}: --lenient, --mac-key-file and --iv-hex are for PSKC"))
                .next("omit these options"));
        }
        let mut notes = Notes::default();
        let (content, unlock) = container::read(
            &document,
            file,
            options.get()?,
            lenient,
            |package| self.reading.complete(package),
            &mut notes,
        )?;
        container::tell_of_keys(&content.packages, &mut notes);
        let mut summary = Summary::of(&content.packages, &notes);
        summary.trailer.signed = content.signed;
        let (packages, reading) = (Some(content.packages), self.reading.clone());
        let (mac_key, iv) = (None, None);
        Ok(KeyFile { document, packages, format, reading, lenient, unlock, mac_key, iv, summary })
    }
}

impl KeyFile {
    /// Reads the file again and passes each package to `each`, decrypted if possible.
    pub(crate) fn for_each(&self, mut each: impl FnMut(KeyPackage) -> Result<(), Failure>) -> Result<(), Failure> {
        if let Some(packages) = &self.packages {
            return packages.iter().cloned().try_for_each(each);
        }
        let mut packages = PackageReader::new(self.document.source()?, self.lenient)?;
        let (unlock, mac_key) = (self.unlock.as_ref(), self.mac_key.as_ref());
        let mut opener = Opening::new(packages.header(), unlock, mac_key, self.lenient, self.iv.as_deref())?;
        let (bar, mut number) = (progress(self.document.len()), 0);
        while let Some(mut package) = packages.next()? {
            number += 1;
            opener.open(&mut package, number, false)?;
            self.reading.complete(&mut package).map_err(Failure::usage)?;
            each(package)?;
            if number.is_multiple_of(1024) {
                bar.set_position(packages.offset());
            }
        }
        packages.finish()?;
        bar.finish_and_clear();
        Ok(())
    }

    /// Like [`for_each`](Self::for_each), consuming the file.
    pub(crate) fn into_each(mut self, each: impl FnMut(KeyPackage) -> Result<(), Failure>) -> Result<(), Failure> {
        match self.packages.take() {
            Some(packages) => packages.into_iter().try_for_each(each),
            None => self.for_each(each),
        }
    }

    pub(crate) fn format(&self) -> Format {
        self.format
    }

    /// The options that affect what is read: part of an import's identity.
    fn identity(&self) -> String {
        let mut identity = self.reading.identity();
        if self.lenient {
            identity.push_str(" lenient");
        }
        if let Some(iv) = &self.iv {
            identity.push_str(&format!(" iv {iv:?}"));
        }
        for (name, secret) in [("key", self.unlock.as_ref().and_then(secret_of)), ("mac key", self.mac_key.as_ref())] {
            if let Some(secret) = secret {
                // As hard to attack as the file itself.
                let tag = pbkdf2(Pbkdf2Prf::HmacSha256, secret.expose(), b"identity of an import", ROUNDS, 16);
                identity.push_str(&format!(" {name} {}", HEXLOWER.encode(tag.expose())));
            }
        }
        identity
    }

    /// Whether a key or password was given.
    pub(crate) fn is_unlocked(&self) -> bool {
        self.unlock.is_some()
    }

    /// Whether the file was encrypted and is decrypted now.
    fn is_opened(&self) -> bool {
        self.summary.algorithm.is_some() || self.is_unlocked() && self.format.of_container().is_some()
    }

    /// Adds a warning that encrypted content is written in the clear.
    pub(super) fn warn_of_clear_result(&mut self) {
        if self.is_opened() {
            let what = "the file is encrypted, but the result has its secrets in the clear: to protect them, use \
                        --to-password-file, --to-key-file or --to-certificate with --to pskc or rfc6031";
            self.summary.warnings.push((what.to_owned(), None));
        }
    }

    /// Warns on standard error of deviations, unchecked signatures and unusable keys, and returns the warnings.
    pub(super) fn warn_of_all(&self) -> Vec<String> {
        let warnings: Vec<String> = self.warnings().into_iter().chain(self.summary.unusable.texts()).collect();
        warnings.iter().for_each(|what| note(format!("warning: {what}")));
        warnings
    }

    /// Warns of unusable keys.
    pub(crate) fn warn_of_unusable(&self) {
        self.summary.unusable.texts().for_each(|what| note(format!("warning: {what}")));
    }

    /// Warns of values that an import assumes.
    pub(crate) fn warn_of_assumed(&self) {
        self.summary.assumed.texts().for_each(|what| note(format!("warning: {what}")));
        let without = self.summary.packages - self.summary.keys;
        if without > 0 {
            note(format!("{} without a key: nothing to import", count(without, "package")));
        }
    }

    /// Warns of deviations and unchecked signatures.
    pub(crate) fn warn(&self) {
        self.warnings().into_iter().for_each(|what| note(format!("warning: {what}")));
    }

    fn warnings(&self) -> Vec<String> {
        let is_signed = self.summary.trailer.signed && self.format == Format::Pskc;
        let signed = is_signed.then(|| {
            "the file's signature is not verified: `dskpp pskc verify FILE --ca CA -o -` verifies it and prints what was \
             signed"
                .to_owned()
        });
        let found = self.summary.warnings.iter().map(|(what, place)| match place {
            Some(place) => format!("{what} ({place})"),
            None => what.clone(),
        });
        self.summary.suspicions.texts().chain(signed).chain(found).collect()
    }
}

const ROUNDS: NonZeroU32 = NonZeroU32::new(600_000).expect("not 0");

fn secret_of(unlock: &DecryptionKey) -> Option<&Secret> {
    match unlock {
        DecryptionKey::Key(secret) | DecryptionKey::Password(secret) => Some(secret),
        DecryptionKey::PrivateKey(_) => None, // a file has one recipient
    }
}

/// A progress bar for large files.
fn progress(len: u64) -> ProgressBar {
    const LARGE: u64 = 8 * 1024 * 1024;
    if len < LARGE || !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("{bar:40} {bytes}/{total_bytes} {eta}");
    ProgressBar::new(len).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}
