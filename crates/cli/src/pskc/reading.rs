//! How a key file of another format than PSKC is read: options, and what is taken for what it does not state.

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

/// What the file is, and what it does not say itself.
#[derive(Args, Clone, Default)]
pub(crate) struct ReadOptions {
    /// The format of the file; told by its content if not given
    #[arg(long, value_enum)]
    from: Option<Format>,

    /// The columns of a table in their order, where it has no heading or names that are not known; - leaves one out
    #[arg(long, value_name = "NAME,…", value_delimiter = ',', long_help = columns_help())]
    columns: Option<Vec<String>>,

    /// The algorithm of keys for which the file names none: hotp, totp or a URI
    #[arg(long, value_name = "NAME")]
    algorithm: Option<String>,

    /// A value for keys that do not state it: counter=N (HOTP), digits=N, or period=SECONDS (TOTP)
    #[arg(long, value_name = "NAME=VALUE", value_parser = assumption)]
    assume: Vec<Assumption>,
}

/// A value that is taken where a key states none.
#[derive(Clone, Copy, Debug)]
enum Assumption {
    Counter(i64),
    Digits(u32),
    PeriodS(i32),
}

fn assumption(text: &str) -> Result<Assumption, String> {
    let (name, value) = text.split_once('=').ok_or("it has the form NAME=VALUE")?;
    let wrong = || format!("{value:?} is no value for {name}");
    match name {
        "counter" => value.parse().ok().filter(|n| *n >= 0).map(Assumption::Counter).ok_or_else(wrong),
        "digits" => value.parse().ok().filter(|n| (1..=10).contains(n)).map(Assumption::Digits).ok_or_else(wrong),
        "period" => value.parse().ok().filter(|n| *n > 0).map(Assumption::PeriodS).ok_or_else(wrong),
        _ => Err("there are counter, digits and period".to_owned()),
    }
}

fn columns_help() -> String {
    format!(
        "The columns of a table in their order, where it has no heading or names that are not known; - leaves one out. A \
         heading line is passed over where its column of the secret is named as one.\n\nColumns: {}; secret_base32, \
         secret_base64 and hash; and the names that vendors give to them, such as serial number, secret key, time \
         interval, upn, digits",
        super::format::COLUMNS.join(", ")
    )
}

impl ReadOptions {
    /// The format of a document.
    ///
    /// # Errors
    /// The file is something else, which is named; options are given that its format does not have.
    pub(crate) fn format(&self, document: &Document) -> Result<Format, Failure> {
        let file = document.name();
        let format = match (self.from, document.kind()?) {
            (Some(format), _) | (None, FileKind::Keys(format)) => format,
            (None, FileKind::Other(what, next)) => {
                return Err(Failure::new(format!("{file} is {what}, not a key file")).next(next));
            }
            (None, FileKind::Text) => {
                return Err(Failure::new(format!("{file} is no key file: it is {TEXT_OF_NO_FORMAT}"))
                    .next("--from names its format; ask the sender which one it is"));
            }
            (None, FileKind::Unknown) => {
                return Err(Failure::new(format!("{file} is no key file in a format that is known"))
                    .next("--from names its format; ask the sender which one it is"));
            }
        };
        if self.columns.is_some() && format != Format::Csv {
            return Err(Failure::usage(format!("--columns is for tables, and {file} is {}", format.what())));
        }
        Ok(format)
    }

    /// The keys in a text, complete.
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

    /// Adds what was given for keys that do not state it.
    ///
    /// # Errors
    /// The algorithm that was given is none.
    pub(crate) fn complete(&self, package: &mut KeyPackage) -> Result<(), String> {
        self.name(package)?;
        self.fill(package);
        Ok(())
    }

    fn name(&self, package: &mut KeyPackage) -> Result<(), String> {
        let (Some(key), Some(name)) = (&mut package.key, &self.algorithm) else { return Ok(()) };
        // A key for HMAC says how it hashes, and not what for.
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

    /// What makes another import of the same file.
    pub(crate) fn identity(&self) -> String {
        let ReadOptions { from, columns, algorithm, assume } = self;
        match (from, columns, algorithm, &assume[..]) {
            (None, None, None, []) => String::new(),
            _ => format!("{from:?} {columns:?} {algorithm:?} {assume:?}"),
        }
    }
}

/// Tells what keys do not state, and whose Ids stand twice.
pub(super) fn tell(packages: &[KeyPackage], notes: &mut Notes) {
    let mut ids = HashSet::new();
    for (number, package) in (1..).zip(packages) {
        let Some(key) = &package.key else { continue };
        let twice =
            (!ids.insert(key.id.as_str())).then_some("its Id stands in the file twice: an import takes the first");
        for what in missing(key).into_iter().chain(twice) {
            notes.add(what.to_owned(), || format!("key {number}"));
        }
    }
}

/// What a one-time-password key does not state, and programs differ in what they take for it.
fn missing(key: &Key) -> Vec<&'static str> {
    let data = key.data.as_ref();
    let has_digits = key.algorithm_parameters.as_ref().is_some_and(|part| part.response_format.is_some());
    let (is_hotp, is_totp) = match key.algorithm.as_deref().map(KeyType::from_uri) {
        Some(KeyType::Hotp) => (true, false),
        Some(KeyType::Totp) => (false, true),
        _ => return Vec::new(),
    };
    let parts = [
        ("it does not state how many digits its codes have: --assume digits=6 would", !has_digits),
        ("it states no counter: --assume counter=0 would", is_hotp && data.is_none_or(|data| data.counter.is_none())),
        (
            "it states no time interval: --assume period=30 would",
            is_totp && data.is_none_or(|data| data.time_interval.is_none()),
        ),
    ];
    parts.into_iter().filter(|(_, is_missing)| *is_missing).map(|(what, _)| what).collect()
}

const NAME_IT: &str = "name it with --algorithm hotp or --algorithm totp, or in a column of its own";

/// The algorithm of a key that names none, where the values that it has are those of one alone.
fn guess(package: &mut KeyPackage) -> Result<Option<&'static str>, &'static str> {
    let Some(key) = package.key.as_mut().filter(|key| key.algorithm.is_none()) else { return Ok(None) };
    let data = key.data.as_ref();
    let has_counter = data.is_some_and(|data| data.counter.is_some());
    let has_interval = data.is_some_and(|data| data.time_interval.is_some());
    let (uri, told) = match (has_counter, has_interval) {
        (true, false) => (super::format::HOTP, "it names no algorithm: read as HOTP, since it has a counter"),
        (false, true) => (super::format::TOTP, "it names no algorithm: read as TOTP, since it has a time interval"),
        _ => return Err("nothing says whether the key is HOTP or TOTP"),
    };
    key.algorithm = Some(uri.to_owned());
    Ok(Some(told))
}
