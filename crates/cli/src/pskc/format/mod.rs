//! Key files of other formats than PSKC.

mod csv;
mod json;
mod otpauth;
mod users;

use clap::ValueEnum;
use dskpp_crypto::Hash;
use pskc::{Key, KeyPackage, KeyUsage, PinPolicy, Value};

pub(super) use csv::COLUMNS;

use super::describe::Pins;

/// A format of key files.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// PSKC (RFC 6030)
    Pskc,
    /// A table with a heading line; columns as in the JSON of `inspect`
    Csv,
    /// The JSON of `inspect --show-secrets --json`
    Json,
    /// A line `otpauth://…` for each key, as authenticator apps read them from QR codes
    Otpauth,
    /// The users file of liboath and its PAM module
    Usersfile,
}

impl Format {
    /// The format that a file's name tells.
    pub(super) fn of_name(name: &str) -> Option<Format> {
        let extension = name.rsplit_once('.')?.1.to_ascii_lowercase();
        match extension.as_str() {
            "xml" | "pskc" | "pskcxml" => Some(Format::Pskc),
            "csv" => Some(Format::Csv),
            "json" => Some(Format::Json),
            "otpauth" | "uri" => Some(Format::Otpauth),
            "oath" => Some(Format::Usersfile),
            _ => None,
        }
    }

    /// The keys in `text`; `default` is the algorithm of those that name none.
    ///
    /// # Errors
    /// What is wrong, and in which line or key.
    pub(super) fn read(self, text: &str, default: Option<&str>) -> Result<Vec<KeyPackage>, String> {
        match self {
            Format::Csv => csv::read(text, default),
            Format::Json => json::read(text, default),
            Format::Otpauth => lines(text, otpauth::read),
            Format::Usersfile => lines(text, users::read),
            Format::Pskc => Err("PSKC is read elsewhere".to_owned()), // never asked for
        }
    }
}

/// A format that is written key by key.
pub(super) enum Writer {
    Csv(csv::Table),
    Json { begun: bool },
    Otpauth,
    Usersfile,
}

impl Writer {
    pub(super) fn new(format: Format) -> Option<Writer> {
        match format {
            Format::Pskc => None,
            Format::Csv => Some(Writer::Csv(csv::Table::default())),
            Format::Json => Some(Writer::Json { begun: false }),
            Format::Otpauth => Some(Writer::Otpauth),
            Format::Usersfile => Some(Writer::Usersfile),
        }
    }

    /// The text that stands for a key.
    ///
    /// # Errors
    /// Why the format cannot express the key, or why the key must not be used.
    pub(super) fn package(&mut self, package: &KeyPackage, pins: &Pins) -> Result<String, String> {
        let key = package.key.as_ref();
        if key.is_some_and(|key| !key.is_usable()) {
            return Err("its policy says what is not understood, so it must not be used (RFC 6030 §5)".to_owned());
        }
        if let Some((name, _)) = key.and_then(|key| key.data.as_ref()).and_then(|data| data.encrypted_values().next()) {
            return Err(format!("its {name} is encrypted"));
        }
        match self {
            Writer::Csv(table) => table.row(package, pins),
            Writer::Json { begun } => {
                let begin = if std::mem::replace(begun, true) { "," } else { "{\"keys\":[" };
                Ok(format!("{begin}{}", super::describe::package(package, Some(pins))))
            }
            Writer::Otpauth => otpauth::write(package),
            Writer::Usersfile => users::write(package, pins),
        }
    }

    /// What the package says that the format has no place for, and that changes neither the codes nor the policy.
    pub(super) fn left_out(&self, package: &KeyPackage) -> Vec<&'static str> {
        let key = package.key.as_ref();
        let (data, device) = (key.and_then(|key| key.data.as_ref()), package.device_info.as_ref());
        let parameters = key.and_then(|key| key.algorithm_parameters.as_ref());
        let extended = [
            Some(&package.extensions),
            device.map(|device| &device.extensions),
            package.crypto_module_info.as_ref().map(|module| &module.extensions),
            key.map(|key| &key.extensions),
            parameters.map(|parameters| &parameters.extensions),
        ];
        let extended = extended.into_iter().flatten().any(|extensions| !extensions.is_empty())
            || data.is_some_and(|data| !data.other.is_empty());
        let of_apps = matches!(self, Writer::Otpauth | Writer::Usersfile);
        let drift = data.and_then(|data| data.time_drift.as_ref()?.plain()).is_some_and(|drift| *drift != 0);
        let issuer = matches!(self, Writer::Usersfile) && key.is_some_and(|key| key.issuer.is_some());
        let parts = [
            ("extensions", extended),
            ("devices and modules", of_apps && (device.is_some() || package.crypto_module_info.is_some())),
            ("the drift of the device's clock", of_apps && drift),
            ("issuers", issuer),
        ];
        parts.into_iter().filter(|(_, is_there)| *is_there).map(|(name, _)| name).collect()
    }

    /// What stands after the last key.
    pub(super) fn end(&self) -> &'static str {
        match self {
            Writer::Json { begun: true } => "]}\n",
            Writer::Json { begun: false } => "{\"keys\":[]}\n",
            _ => "",
        }
    }
}

/// One key a line; empty lines and comments (`#`) hold none.
fn lines(text: &str, read: impl Fn(&str) -> Result<Vec<KeyPackage>, String>) -> Result<Vec<KeyPackage>, String> {
    let mut packages = Vec::new();
    for (i, line) in text.lines().enumerate() {
        let line = line.trim();
        if !line.is_empty() && !line.starts_with('#') {
            packages.extend(read(line).map_err(|why| format!("line {}: {why}", i + 1))?);
        }
    }
    Ok(packages)
}

pub(super) const HOTP: &str = "urn:ietf:params:xml:ns:keyprov:pskc:hotp";
pub(super) const TOTP: &str = "urn:ietf:params:xml:ns:keyprov:pskc:totp";
pub(super) const PIN: &str = "urn:ietf:params:xml:ns:keyprov:pskc:pin";

/// A one-time-password key, as the formats of authenticators have it.
pub(super) struct Otp<'a> {
    pub(super) key: &'a Key,
    pub(super) secret: &'a [u8],
    pub(super) is_totp: bool,
    pub(super) digits: u32,
    /// `SHA1`, `SHA256` or `SHA512`.
    pub(super) hash: &'static str,
    pub(super) counter: i64,
    pub(super) period_s: i32,
    pub(super) pin: Option<&'a PinPolicy>,
}

impl<'a> Otp<'a> {
    /// # Errors
    /// Why the key is none, or which limit of its use would be lost.
    pub(super) fn of(package: &'a KeyPackage) -> Result<Self, String> {
        let key = package.key.as_ref().ok_or("there is no key")?;
        let name = key.algorithm.as_deref().unwrap_or_default().to_ascii_lowercase();
        let is_totp = name.ends_with("totp");
        if !is_totp && !name.ends_with("hotp") {
            return Err("only HOTP and TOTP keys can be written in this format".to_owned());
        }
        let policy = key.policy.as_ref();
        if policy.is_some_and(|policy| !policy.key_usage.is_empty() && !policy.key_usage.contains(&KeyUsage::Otp)) {
            return Err("its policy does not allow one-time passwords".to_owned());
        }
        if policy.is_some_and(|policy| {
            policy.start_date.is_some() || policy.expiry_date.is_some() || policy.number_of_transactions.is_some()
        }) {
            return Err("the format cannot say from when, until when or how often a key may be used".to_owned());
        }
        let data = key.data.as_ref().ok_or("there is no secret")?;
        let Some(Value::Plain(secret)) = &data.secret else { return Err("there is no secret in the clear".to_owned()) };
        let parameters = key.algorithm_parameters.as_ref();
        let suite = parameters.and_then(|part| part.suite.as_deref()).filter(|suite| !suite.trim().is_empty());
        let hash = match suite.map(Hash::from_name) {
            None | Some(Some(Hash::Sha1)) => "SHA1",
            Some(Some(Hash::Sha256)) if is_totp => "SHA256",
            Some(Some(Hash::Sha512)) if is_totp => "SHA512",
            Some(None) => return Err("its Suite names no hash that is known".to_owned()),
            Some(_) if !is_totp => return Err("HOTP has no other hash than SHA-1".to_owned()),
            Some(_) => return Err("the format knows SHA-1, SHA-256 and SHA-512 only".to_owned()),
        };
        let number = |value: &Option<Value<i32>>| value.as_ref().and_then(Value::plain).copied();
        if number(&data.time).unwrap_or(0) != 0 {
            return Err("the format cannot say that time does not begin in 1970".to_owned());
        }
        let format = parameters.and_then(|part| part.response_format);
        if format.is_some_and(|format| format.encoding != pskc::ValueFormat::Decimal) {
            return Err("the format knows codes of decimal digits only".to_owned());
        }
        if format.is_some_and(|format| format.check_digits == Some(true)) {
            return Err("the format knows no codes with a check digit".to_owned());
        }
        let counter = data.counter.as_ref().and_then(Value::plain).copied().unwrap_or(0);
        let period_s = number(&data.time_interval).unwrap_or(30);
        if counter < 0 || period_s < 1 {
            return Err("its counter or its time interval is none".to_owned());
        }
        Ok(Otp {
            key,
            secret: secret.expose(),
            is_totp,
            digits: format.map_or(6, |format| format.length),
            hash,
            counter,
            period_s,
            pin: policy.and_then(|policy| policy.pin_policy.as_ref()),
        })
    }
}
