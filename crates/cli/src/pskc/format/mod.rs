//! Key file formats other than PSKC.

mod columns;
mod csv;
mod heading;
mod json;
pub(super) mod left_out;
mod loose;
mod otp;
mod otpauth;
mod quotes;
mod secret;
mod users;

use std::path::Path;

use clap::ValueEnum;
use pskc::{Key, KeyPackage};

pub(super) use columns::COLUMNS;
pub(crate) use csv::likely_separator;
pub(super) use json::algorithm;
use otp::OtpKey;
pub(crate) use quotes::Quotes;

use super::describe::Pins;
use super::notes::Notes;
use crate::output::Failure;

/// A format of key files.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// PSKC (RFC 6030)
    Pskc,
    /// A table with a heading line; columns as in the JSON of `inspect`
    Csv,
    /// The JSON of `inspect --show-secrets --json`
    Json,
    /// One `otpauth://…` line per key, as in the QR codes for authenticator apps
    Otpauth,
    /// The users file of liboath and its PAM module
    Usersfile,
    /// A symmetric key package in CMS (RFC 6031)
    Rfc6031,
    /// PKCS #12 (RFC 7292), as in Java keystores
    Pkcs12,
}

impl Format {
    /// The format that a file name implies.
    pub(super) fn of_name(name: &str) -> Option<Format> {
        let extension = name.rsplit_once('.')?.1.to_ascii_lowercase();
        match extension.as_str() {
            "xml" | "pskc" | "pskcxml" => Some(Format::Pskc),
            "csv" => Some(Format::Csv),
            "json" => Some(Format::Json),
            "otpauth" | "uri" => Some(Format::Otpauth),
            "oath" => Some(Format::Usersfile),
            "cms" | "p7m" => Some(Format::Rfc6031),
            "p12" | "pfx" => Some(Format::Pkcs12),
            _ => None,
        }
    }

    /// The format that an output file's name implies; PSKC without a name or extension.
    ///
    /// # Errors
    /// An unknown extension.
    pub(super) fn of_result(name: Option<&str>) -> Result<Format, Failure> {
        let extension = name.and_then(|name| Path::new(name).extension());
        let (Some(name), Some(extension)) = (name, extension) else { return Ok(Format::Pskc) };
        Format::of_name(name).ok_or_else(|| {
            let names: Vec<&str> = Format::value_variants().iter().map(|format| format.name()).collect();
            let what =
                format!("cannot tell the format from the name {name}: unknown extension .{}", extension.display());
            Failure::usage(what).next(format!("name the format with --to: {}", names.join(", ")))
        })
    }

    /// Its name in options and documents.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Format::Pskc => "pskc",
            Format::Csv => "csv",
            Format::Json => "json",
            Format::Otpauth => "otpauth",
            Format::Usersfile => "usersfile",
            Format::Rfc6031 => "rfc6031",
            Format::Pkcs12 => "pkcs12",
        }
    }

    /// What people call such a file.
    pub(crate) fn what(self) -> &'static str {
        match self {
            Format::Pskc => "PSKC",
            Format::Csv => "a table (CSV)",
            Format::Json => "JSON",
            Format::Otpauth => "otpauth lines",
            Format::Usersfile => "a users file",
            Format::Rfc6031 => "a key package in CMS (RFC 6031)",
            Format::Pkcs12 => "a PKCS #12 file",
        }
    }

    /// The keys in `text`; `columns` names those of a table, if given. Adds to `notes` what was left out or guessed.
    /// `notes`.
    ///
    /// # Errors
    /// What is wrong, and in which line or key.
    pub(super) fn read(
        self,
        text: &str,
        columns: Option<&[String]>,
        notes: &mut Notes,
    ) -> Result<Vec<KeyPackage>, FormatError> {
        match self {
            Format::Csv => csv::read(text, columns, notes),
            Format::Json => json::read(text, notes),
            Format::Otpauth => lines(text, notes, |line, note| otpauth::read(line, note).map(|package| vec![package])),
            Format::Usersfile => lines(text, notes, users::read),
            // Binary or read elsewhere: never passed here.
            Format::Pskc | Format::Rfc6031 | Format::Pkcs12 => Err(FormatError::from("not text")),
        }
    }
}

/// What is wrong with a file, and what to do about it.
pub(super) struct FormatError {
    pub(super) what: String,
    pub(super) next: Option<String>,
}

impl FormatError {
    fn new(what: impl Into<String>, next: impl Into<String>) -> Self {
        FormatError { what: what.into(), next: Some(next.into()) }
    }

    fn at(mut self, line: u64) -> Self {
        self.what = format!("line {line}: {}", self.what);
        self
    }
}

impl<T: Into<String>> From<T> for FormatError {
    fn from(what: T) -> Self {
        FormatError { what: what.into(), next: None }
    }
}

/// A format that is written key by key.
pub(super) enum KeyWriter {
    Csv(csv::Table),
    Json { begun: bool },
    Otpauth,
    Usersfile,
}

impl KeyWriter {
    pub(super) fn new(format: Format) -> Option<KeyWriter> {
        match format {
            Format::Pskc | Format::Rfc6031 | Format::Pkcs12 => None,
            Format::Csv => Some(KeyWriter::Csv(csv::Table::default())),
            Format::Json => Some(KeyWriter::Json { begun: false }),
            Format::Otpauth => Some(KeyWriter::Otpauth),
            Format::Usersfile => Some(KeyWriter::Usersfile),
        }
    }

    /// The text of a key.
    ///
    /// # Errors
    /// The format cannot express the key, or the key must not be used.
    pub(super) fn package(&mut self, package: &KeyPackage, pins: &Pins) -> Result<String, String> {
        let key = package.key.as_ref();
        if key.is_some_and(|key| !key.is_usable()) {
            return Err("its policy has unknown elements, so the key must not be used (RFC 6030 §5)".to_owned());
        }
        if let Some((name, _)) = key.and_then(|key| key.data.as_ref()).and_then(|data| data.encrypted_values().next()) {
            return Err(format!("its {name} is encrypted"));
        }
        let secret = key.and_then(|key| key.data.as_ref()?.secret.as_ref()?.plain());
        if secret.is_some_and(|secret| secret.is_empty()) {
            return Err("its secret is empty".to_owned());
        }
        let algorithm = key.and_then(|key| key.algorithm.as_deref());
        if matches!(self, KeyWriter::Csv(_) | KeyWriter::Json { .. })
            && algorithm.is_some_and(|name| !name.is_empty() && !name.contains(':'))
        {
            return Err("the format would read an Algorithm that is not a URI as another one".to_owned());
        }
        match self {
            KeyWriter::Csv(table) => table.row(package, pins),
            KeyWriter::Json { begun } => {
                let begin = if std::mem::replace(begun, true) { "," } else { "{\"keys\":[" };
                Ok(format!("{begin}{}", super::describe::package(package, Some(pins))))
            }
            KeyWriter::Otpauth => otpauth::write(package),
            KeyWriter::Usersfile => users::write(package, pins),
        }
    }

    /// Properties that the format cannot express and that affect neither codes nor policy.
    pub(super) fn left_out(&self, package: &KeyPackage) -> Vec<&'static str> {
        match self {
            KeyWriter::Csv(_) => left_out::of_all(package, true, true),
            KeyWriter::Json { .. } => left_out::of_all(package, false, false),
            KeyWriter::Otpauth => left_out::of_apps(package, package.key.as_ref().map(name).unwrap_or_default(), true),
            KeyWriter::Usersfile => {
                left_out::of_apps(package, package.key.as_ref().map(user).unwrap_or_default(), false)
            }
        }
    }

    /// Values that the written key states but the package does not.
    pub(super) fn assumed(&self, package: &KeyPackage) -> Vec<&'static str> {
        if matches!(self, KeyWriter::Otpauth | KeyWriter::Usersfile) { otp::assumed(package) } else { Vec::new() }
    }

    /// The text after the last key.
    pub(super) fn end(&self) -> &'static str {
        match self {
            KeyWriter::Json { begun: true } => "]}\n",
            KeyWriter::Json { begun: false } => "{\"keys\":[]}\n",
            _ => "",
        }
    }
}

/// One key per line; empty lines and comments (`#`) are skipped.
fn lines(
    text: &str,
    notes: &mut Notes,
    read: impl Fn(&str, &mut dyn FnMut(String)) -> Result<Vec<KeyPackage>, String>,
) -> Result<Vec<KeyPackage>, FormatError> {
    let mut packages = Vec::new();
    for (number, line) in (1..).zip(text.lines()) {
        let line = line.trim();
        if !line.is_empty() && !line.starts_with('#') {
            let mut note = |what| notes.add(what, || format!("line {number}"));
            packages.extend(read(line, &mut note).map_err(|why| FormatError::from(why).at(number))?);
        }
    }
    Ok(packages)
}

/// The name under which an app shows a key.
fn name(key: &Key) -> &str {
    let of_user = key.user_id.as_deref().filter(|user| !user.is_empty());
    key.friendly_name.as_deref().filter(|name| !name.is_empty()).or(of_user).unwrap_or(&key.id)
}

/// The owner's name in a users file.
fn user(key: &Key) -> &str {
    let name = key.friendly_name.as_deref().filter(|name| !name.is_empty());
    key.user_id.as_deref().filter(|user| !user.is_empty()).or(name).unwrap_or(&key.id)
}

pub(super) const HOTP: &str = "urn:ietf:params:xml:ns:keyprov:pskc:hotp";
pub(super) const TOTP: &str = "urn:ietf:params:xml:ns:keyprov:pskc:totp";
pub(super) const PIN: &str = "urn:ietf:params:xml:ns:keyprov:pskc:pin";
