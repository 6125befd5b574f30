//! Options for reading formats other than PSKC, and defaults for what a file does not state.

use std::collections::HashSet;

use clap::Args;
use dskpp::algorithm::KeyType;
use dskpp_crypto::Hash;
use pskc::{AlgorithmParameters, Key, KeyPackage, ResponseFormat, Value, ValueFormat};

use super::document::Document;
use super::format::{Format, algorithm};
use super::kind::{FileKind, TEXT_OF_NO_FORMAT};
use super::names::too_long;
use super::notes::Notes;
use crate::output::Failure;

/// The file's format, and values that it does not state.
#[derive(Args, Clone, Default)]
#[command(next_help_heading = "Format")]
pub(crate) struct ReadOptions {
    /// Format of the file [default: detected from its content]
    #[arg(long, value_enum)]
    from: Option<Format>,

    /// Columns of a table, in order, if it has no heading or unknown names; - skips one
    #[arg(long, value_name = "NAME,…", value_delimiter = ',', long_help = columns_help())]
    columns: Option<Vec<String>>,

    /// Algorithm of keys for which the file names none: hotp, totp or a URI
    #[arg(long, value_name = "NAME")]
    algorithm: Option<String>,

    /// Value for keys that do not state it: counter=N (HOTP), digits=N or period=SECONDS (TOTP)
    #[arg(long, value_name = "NAME=VALUE", value_parser = assumption)]
    assume: Vec<Assumption>,
}

/// A value to assume for keys that do not state it.
#[derive(Clone, Copy, Debug)]
enum Assumption {
    Counter(i64),
    Digits(u32),
    PeriodS(i32),
}

fn assumption(text: &str) -> Result<Assumption, String> {
    let (name, value) = text.split_once('=').ok_or("expected NAME=VALUE")?;
    let wrong = || format!("invalid {name} {value:?}");
    match name {
        "counter" => value.parse().ok().filter(|n| *n >= 0).map(Assumption::Counter).ok_or_else(wrong),
        "digits" => value.parse().ok().filter(|n| (1..=10).contains(n)).map(Assumption::Digits).ok_or_else(wrong),
        "period" => value.parse().ok().filter(|n| *n > 0).map(Assumption::PeriodS).ok_or_else(wrong),
        _ => Err("expected counter, digits or period".to_owned()),
    }
}

fn columns_help() -> String {
    format!(
        "Columns of a table, in order, if it has no heading or unknown names; - skips one. A heading line whose secret \
         column has a column name is skipped.\n\nColumns: {}; secret_base32, \
         secret_base64 and hash; and vendors' names for them, such as serial number, secret key, time \
         interval, upn, digits",
        super::format::COLUMNS.join(", ")
    )
}

impl ReadOptions {
    /// The format of a document.
    ///
    /// # Errors
    /// The file is something else, which the failure names; or an option does not apply to its format.
    pub(crate) fn format(&self, document: &Document) -> Result<Format, Failure> {
        let file = document.name();
        let format = match (self.from, document.kind()?) {
            (Some(format), _) | (None, FileKind::Keys(format)) => format,
            (None, FileKind::Other(what, next)) => {
                return Err(Failure::new(format!("{file} is {what}, not a key file")).next(next));
            }
            (None, FileKind::Text) => {
                return Err(Failure::new(format!("{file} is not a key file but {TEXT_OF_NO_FORMAT}"))
                    .next("ask the sender for its format and name it with --from"));
            }
            (None, FileKind::Unknown) => {
                return Err(Failure::new(format!("{file} is not a key file in a known format"))
                    .next("ask the sender for its format and name it with --from"));
            }
        };
        if self.columns.is_some() && format != Format::Csv {
            return Err(Failure::usage(format!("--columns is for tables, but {file} is {}", format.what())));
        }
        Ok(format)
    }

    /// The keys in a text, completed.
    pub(crate) fn read(&self, format: Format, text: &str, notes: &mut Notes) -> Result<Vec<KeyPackage>, Failure> {
        let mut packages = format.read(text, self.columns.as_deref(), notes).map_err(|why| {
            let next = why.next.unwrap_or_else(|| "correct it, or ask the sender for the file again".to_owned());
            Failure::new(why.what).next(next)
        })?;
        for (number, package) in (1..).zip(&mut packages) {
            if let Some(why) = too_long(package) {
                return Err(Failure::new(format!("key {number}: {why}")).next("shorten it"));
            }
            self.name(package).map_err(Failure::usage)?;
            let unnamed = |why| Failure::new(format!("key {number}: {why}")).next(NAME_IT);
            if let Some(guess) = guess(package).map_err(unnamed)? {
                notes.add(guess.to_owned(), || format!("key {number}"));
            }
            self.fill(package);
        }
        tell(&packages, notes);
        Ok(packages)
    }

    /// Adds the given defaults to a key that does not state them.
    ///
    /// # Errors
    /// The given algorithm is unknown.
    pub(crate) fn complete(&self, package: &mut KeyPackage) -> Result<(), String> {
        self.name(package)?;
        self.fill(package);
        Ok(())
    }

    fn name(&self, package: &mut KeyPackage) -> Result<(), String> {
        let (Some(key), Some(name)) = (&mut package.key, &self.algorithm) else { return Ok(()) };
        // An HMAC key states its hash, but not its purpose.
        let hash = key.algorithm.as_deref().and_then(pskc::mac_hash);
        if key.algorithm.is_none() || hash.is_some() {
            key.algorithm = Some(algorithm(name.clone())?);
        }
        if let Some(hash) = hash.filter(|hash| *hash != Hash::Sha1) {
            let suite = &mut key.algorithm_parameters.get_or_insert_default().suite;
            suite.get_or_insert_with(|| hash.hmac_name().to_owned());
        }
        Ok(())
    }

    fn fill(&self, package: &mut KeyPackage) {
        let Some(key) = package.key.as_mut().filter(|_| !self.assume.is_empty()) else { return };
        let key_type = key.algorithm.as_deref().map(KeyType::from_uri);
        let (is_hotp, is_totp) = (key_type == Some(KeyType::Hotp), key_type == Some(KeyType::Totp));
        for assumption in &self.assume {
            match *assumption {
                Assumption::Counter(counter) if is_hotp => {
                    key.data.get_or_insert_default().counter.get_or_insert(Value::Plain(counter));
                }
                Assumption::PeriodS(period) if is_totp => {
                    key.data.get_or_insert_default().time_interval.get_or_insert(Value::Plain(period));
                }
                Assumption::Digits(length) if is_hotp || is_totp => {
                    let parameters = key.algorithm_parameters.get_or_insert_with(AlgorithmParameters::default);
                    let encoding = ValueFormat::Decimal;
                    parameters.response_format.get_or_insert(ResponseFormat { encoding, length, check_digits: None });
                }
                _ => {}
            }
        }
    }

    /// The options that distinguish imports of the same file.
    pub(crate) fn identity(&self) -> String {
        let ReadOptions { from, columns, algorithm, assume } = self;
        match (from, columns, algorithm, &assume[..]) {
            (None, None, None, []) => String::new(),
            _ => format!("{from:?} {columns:?} {algorithm:?} {assume:?}"),
        }
    }
}

/// Reports missing values and duplicate Ids.
pub(super) fn tell(packages: &[KeyPackage], notes: &mut Notes) {
    let mut ids = HashSet::new();
    for (number, package) in (1..).zip(packages) {
        let Some(key) = &package.key else { continue };
        let twice = (!ids.insert(key.id.as_str())).then_some("its Id occurs twice: an import takes the first");
        for what in missing(key).into_iter().chain(twice) {
            notes.add(what.to_owned(), || format!("key {number}"));
        }
    }
}

/// Values that a one-time-password key does not state and for which programs assume different defaults.
fn missing(key: &Key) -> Vec<&'static str> {
    let data = key.data.as_ref();
    let has_digits = key.algorithm_parameters.as_ref().is_some_and(|part| part.response_format.is_some());
    let (is_hotp, is_totp) = match key.algorithm.as_deref().map(KeyType::from_uri) {
        Some(KeyType::Hotp) => (true, false),
        Some(KeyType::Totp) => (false, true),
        _ => return Vec::new(),
    };
    let parts = [
        ("it has no number of digits: set it with --assume digits=6", !has_digits),
        (
            "it has no counter: set it with --assume counter=0",
            is_hotp && data.is_none_or(|data| data.counter.is_none()),
        ),
        (
            "it has no time interval: set it with --assume period=30",
            is_totp && data.is_none_or(|data| data.time_interval.is_none()),
        ),
    ];
    parts.into_iter().filter(|(_, is_missing)| *is_missing).map(|(what, _)| what).collect()
}

const NAME_IT: &str = "name it with --algorithm hotp or --algorithm totp, or in a separate column";

/// The algorithm of a key that names none, if its values imply one.
fn guess(package: &mut KeyPackage) -> Result<Option<&'static str>, &'static str> {
    let Some(key) = package.key.as_mut().filter(|key| key.algorithm.is_none()) else { return Ok(None) };
    let data = key.data.as_ref();
    let has_counter = data.is_some_and(|data| data.counter.is_some());
    let has_interval = data.is_some_and(|data| data.time_interval.is_some());
    let (uri, told) = match (has_counter, has_interval) {
        (true, false) => (super::format::HOTP, "it names no algorithm: read as HOTP, since it has a counter"),
        (false, true) => (super::format::TOTP, "it names no algorithm: read as TOTP, since it has a time interval"),
        _ => return Err("the key may be HOTP or TOTP"),
    };
    key.algorithm = Some(uri.to_owned());
    Ok(Some(told))
}
