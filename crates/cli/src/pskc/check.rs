//! `dskpp pskc check`

use std::path::PathBuf;

use clap::Args;
use dskpp::key_package::file::FileFormat;
use jiff::Timestamp;
use pskc::{ContainerReader, DerivedKey, Header, LenientReader, ValueAlgorithm};
use serde_json::{Value as Json, json};

use super::container;
use super::document::Document;
use super::format::Format;
use super::kind::{FileKind, TEXT_OF_NO_FORMAT};
use super::material::key_file;
use super::notes::Notes;
use super::opening::{NEEDED, Opening};
use super::rules::RuleChecker;
use super::unlock::OpenedBy;
use crate::output::{Failure, Output};
use crate::shown::{self, count};

/// At most this many findings are reported per file.
pub(super) const MOST: usize = 100;

#[derive(Args)]
pub(crate) struct Check {
    /// The key file; - for standard input
    file: PathBuf,

    #[command(flatten)]
    by: OpenedBy,

    /// File with the MAC key, in a form that --key-file takes, if the key file only names that key
    #[arg(long, value_name = "FILE", help_heading = "Decryption")]
    mac_key_file: Option<PathBuf>,
}

/// What a check has found.
#[derive(Default)]
struct CheckResult {
    keys: u64,
    /// Keys with encrypted values that were not decrypted.
    closed: u64,
    problems: Vec<Finding>,
}

/// A finding: what is wrong, where, and what to do about it.
pub(super) struct Finding {
    pub(super) line: Option<u64>,
    what: String,
    next: Option<&'static str>,
    /// Whether the file breaks a rule. Otherwise the finding is a warning.
    is_error: bool,
}

impl Finding {
    pub(super) fn error(line: u64, what: impl ToString, next: &'static str) -> Self {
        Finding { line: Some(line), what: what.to_string(), next: Some(next), is_error: true }
    }

    pub(super) fn warning(line: u64, what: impl ToString, next: &'static str) -> Self {
        Finding { is_error: false, ..Finding::error(line, what, next) }
    }

    /// For a document that is not PSKC at all.
    fn of_other(document: &Document) -> Result<Option<Self>, Failure> {
        let (what, next) = match document.kind()? {
            FileKind::Keys(Format::Pskc) => return Ok(None),
            FileKind::Text => (
                TEXT_OF_NO_FORMAT.to_owned(),
                "ask the sender for its format; `dskpp pskc convert --from FORMAT` reads it",
            ),
            FileKind::Unknown => ("an unknown format".to_owned(), "ask the sender for its format"),
            FileKind::Keys(format) => (
                format.what().to_owned(),
                "convert it with `dskpp pskc convert FILE -o keys.xml`, or show it with `dskpp pskc inspect FILE`",
            ),
            FileKind::Other(what, next) => (what, next),
        };
        let what = format!("this is not PSKC (RFC 6030) but {what}");
        Ok(Some(Finding { line: None, what, next: Some(next), is_error: true }))
    }

    /// A violation of the schema.
    fn of_schema(why: &pskc::Error) -> Self {
        Finding::error(
            why.place().line,
            why,
            match super::packages::may_be_lenient(why) {
                true => "correct it, or try --lenient, which reads many vendors' files",
                false => "correct it, or ask the sender for the file again",
            },
        )
    }

    /// A value that cannot be decrypted with the given key.
    fn of_opening(why: Failure, line: u64) -> Self {
        Finding::error(line, why.message, "pass the right key or password, or ask the sender for the file again")
    }

    fn to_json(&self) -> Json {
        let severity = if self.is_error { "error" } else { "warning" };
        json!({ "severity": severity, "line": self.line, "what": self.what, "next": self.next })
    }

    fn to_text(&self) -> String {
        let line = self.line.map(|line| format!("line {line}: ")).unwrap_or_default();
        let severity = if self.is_error { "error" } else { "warning" };
        let next = self.next.map(|next| format!("\n    what to do: {next}")).unwrap_or_default();
        format!("{line}{severity}: {}{next}", shown::line(&self.what))
    }
}

impl Check {
    pub(crate) fn run(self, output: &Output) -> Result<(), Failure> {
        let document = Document::open(&self.file)?;
        let container = match document.kind()? {
            FileKind::Keys(format) => format.of_container(),
            _ => None,
        };
        if container.is_some() && self.mac_key_file.is_some() {
            return Err(Failure::usage("--mac-key-file is for PSKC").next("omit it"));
        }
        let CheckResult { keys, closed, problems } = match container {
            Some(format) => self.container(&document, format)?,
            None => match Finding::of_other(&document)? {
                Some(other) => CheckResult { problems: vec![other], ..CheckResult::default() },
                None => match self.strict(&document)? {
                    Ok(found) => found,
                    Err(error) => {
                        let told = lenient(&document).into_iter();
                        let is_new = |other: &Finding| {
                            other.line != error.line || !error.what.starts_with(other.what.trim_end_matches('…'))
                        };
                        let others: Vec<Finding> = told.filter(is_new).collect();
                        let problems = [error].into_iter().chain(others).collect();
                        CheckResult { problems, ..CheckResult::default() }
                    }
                },
            },
        };
        let rules = match container {
            None => "RFC 6030",
            Some(FileFormat::Skpc) => "RFC 6031",
            Some(FileFormat::Pkcs12) => "RFC 7292",
        };
        let valid = !problems.iter().any(|problem| problem.is_error);
        let result = json!({
            "valid": valid,
            "keys": keys,
            "unchecked_secrets": closed,
            "problems": problems.iter().map(Finding::to_json).collect::<Vec<_>>(),
        });
        let name = self.file.display();
        output.print(&result, || {
            let mut lines: Vec<String> = problems.iter().map(Finding::to_text).collect();
            let (counted, warnings) = (count(keys, "key"), count(problems.len() as u64, "warning"));
            let unchecked = format!("{} encrypted and not checked; {NEEDED}", {
                if closed == 1 { "1 key is".to_owned() } else { format!("{closed} keys are") }
            });
            lines.push(match valid {
                true if problems.is_empty() && closed > 0 => {
                    format!("{name}: {counted}, follows {rules} as far as it can be read: {unchecked}")
                }
                true if problems.is_empty() => format!("{name}: {counted}, follows {rules}"),
                true if closed > 0 => format!("{name}: {counted}, no error, {warnings}; {unchecked}"),
                true => format!("{name}: {counted}, no error, {warnings}"),
                false if container.is_some() => format!("{name}: has keys that do not follow RFC 6030"),
                false => format!("{name}: does not follow {rules}"),
            });
            lines.join("\n")
        })?;
        // Everything is reported: only the exit code remains.
        if valid { Ok(()) } else { std::process::exit(1) }
    }

    /// Keys in CMS and PKCS #12 follow the same rules as those in PSKC.
    fn container(&self, document: &Document, format: FileFormat) -> Result<CheckResult, Failure> {
        let mut notes = Notes::default();
        let (content, _) = container::read(document, format, self.by.get()?, false, |_| Ok(()), &mut notes)?;
        let of_file = |what| Finding { line: None, what, next: None, is_error: false };
        let mut found: Vec<Finding> = notes.texts().map(of_file).collect();
        let mut checker = RuleChecker::new(Header::default(), 0, Timestamp::now().as_second());
        for (number, package) in (1..).zip(&content.packages) {
            checker.package(package, number);
        }
        found.extend(checker.finish().into_iter().map(|problem| match problem.line {
            Some(key) => Finding { line: None, what: format!("key {key}: {}", problem.what), ..problem },
            None => problem,
        }));
        found.truncate(MOST);
        Ok(CheckResult { keys: content.packages.len() as u64, closed: 0, problems: found })
    }

    /// Schema and rules; the first fault against the schema ends it. Values are opened where there is what opens them.
    ///
    /// # Errors
    /// The given key does not decrypt the file; inside, the first schema violation.
    fn strict(&self, document: &Document) -> Result<Result<CheckResult, Finding>, Failure> {
        let mut reader = match ContainerReader::new(document.reader()?) {
            Ok(reader) => reader,
            Err(why) => return Ok(Err(Finding::of_schema(&why))),
        };
        let mut checker = RuleChecker::new(reader.header().clone(), reader.line(), Timestamp::now().as_second());
        let mac_key = self.mac_key_file.as_deref().map(key_file).transpose()?;
        let unlock = self.by.get()?;
        let (mut found, mut packages, mut line) = (CheckResult::default(), 0, reader.line());
        let open = |unlock| Opening::new(reader.header(), unlock, mac_key.as_ref(), false, None);
        let mut opening = match open(unlock.as_ref()) {
            Ok(opening) => opening,
            // An unknown protection cannot be opened; the rest can be checked.
            Err(why) if !is_known(reader.header()) => {
                let next = "ask the sender to encrypt it with a known algorithm, or to name this one correctly";
                found.problems.push(Finding::warning(line, why.message, next));
                open(None)?
            }
            Err(why) => return Err(why),
        };
        loop {
            let mut package = match reader.next_package() {
                Ok(Some(package)) => package,
                Ok(None) => break,
                Err(why) => return Ok(Err(Finding::of_schema(&why))),
            };
            packages += 1;
            found.keys += u64::from(package.key.is_some());
            checker.protected(&package, line);
            if let Err(why) = opening.open(&mut package, packages, false) {
                found.problems.push(Finding::of_opening(why, line));
            }
            checker.package(&package, line);
            let data = package.key.as_ref().and_then(|key| key.data.as_ref());
            found.closed += u64::from(data.is_some_and(|data| data.encrypted_values().next().is_some()));
            line = reader.line();
        }
        let signed = match reader.finish() {
            Ok(trailer) => trailer.signed,
            Err(why) => return Ok(Err(Finding::of_schema(&why))),
        };
        found.problems.extend(checker.finish());
        found.problems.sort_by_key(|problem| problem.line);
        if signed {
            let what = "the file is signed; its signature was not verified";
            found.problems.push(Finding::warning(1, what, "see `dskpp pskc verify`"));
        }
        found.problems.truncate(MOST);
        Ok(Ok(found))
    }
}

/// Whether this program supports the protection that the header declares.
fn is_known(header: &Header) -> bool {
    let of_macs = header.mac_method.as_ref().is_none_or(|method| {
        let key = method.mac_key.as_ref();
        pskc::mac_hash(&method.algorithm).is_some() && key.is_none_or(|key| ValueAlgorithm::of(key).is_ok())
    });
    of_macs && header.encryption_key.as_ref().is_none_or(|key| DerivedKey::of(key).is_ok())
}

/// Further deviations of a file that violates the schema, as far as lenient reading goes.
fn lenient(document: &Document) -> Vec<Finding> {
    let Ok(source) = document.reader() else { return Vec::new() };
    let Ok(mut reader) = LenientReader::new(source) else { return Vec::new() };
    while let Ok(Some(_)) = reader.next_package() {}
    let told = reader.warnings().iter().take(MOST).map(|warning| Finding {
        line: Some(warning.place.line),
        what: warning.irregularity.to_string(),
        next: None,
        is_error: true,
    });
    told.collect()
}
