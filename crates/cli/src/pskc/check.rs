//! `dskpp pskc check`

use std::path::PathBuf;

use clap::Args;
use dskpp::vessel::file::FileFormat;
use pskc::{ContainerReader, Header, LenientReader};
use serde_json::{Value as Json, json};

use super::container;
use super::document::Document;
use super::format::Format;
use super::kind::Kind;
use super::meaning::Meaning;
use super::notes::Notes;
use super::unlock::OpenedBy;
use crate::output::{Failure, Output};
use crate::shown::{self, count};

/// What is told of one file, at most.
pub(super) const MOST: usize = 100;

#[derive(Args)]
pub(crate) struct Check {
    /// The key file; - for standard input
    file: PathBuf,

    #[command(flatten)]
    by: OpenedBy,
}

/// Something that is wrong, where, and what to do about it.
pub(super) struct Problem {
    pub(super) line: Option<u64>,
    what: String,
    next: Option<&'static str>,
    /// Whether the file breaks a rule; otherwise it is only unwise or of little use.
    is_error: bool,
}

impl Problem {
    pub(super) fn error(line: u64, what: impl ToString, next: &'static str) -> Self {
        Problem { line: Some(line), what: what.to_string(), next: Some(next), is_error: true }
    }

    pub(super) fn warning(line: u64, what: impl ToString, next: &'static str) -> Self {
        Problem { is_error: false, ..Problem::error(line, what, next) }
    }

    /// What a document is that is no PSKC at all.
    fn of_other(document: &Document) -> Result<Option<Self>, Failure> {
        let (what, next) = match document.kind()? {
            Kind::Keys(Format::Pskc) | Kind::Unknown => return Ok(None),
            Kind::Keys(format) => (
                format.what().to_owned(),
                "`dskpp pskc convert FILE -o keys.xml` makes PSKC of it, `dskpp pskc inspect FILE` shows it",
            ),
            Kind::Other(what, next) => (what, next),
        };
        let what = format!("it is no PSKC (RFC 6030): it is {what}");
        Ok(Some(Problem { line: None, what, next: Some(next), is_error: true }))
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
            Kind::Keys(format) => format.of_container(),
            _ => None,
        };
        if container.is_none() && self.by.is_given() {
            return Err(Failure::usage("only files of CMS and PKCS #12 are opened to be checked")
                .next("leave out what opens the file"));
        }
        let (keys, problems) = match container {
            Some(format) => self.container(&document, format)?,
            None => match Problem::of_other(&document)?.map_or_else(|| strict(&document), Err) {
                Ok(found) => found,
                Err(error) => (0, vec![error].into_iter().chain(lenient(&document)).collect()),
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
            "problems": problems.iter().map(Problem::to_json).collect::<Vec<_>>(),
        });
        let name = self.file.display();
        output.print(&result, || {
            let mut lines: Vec<String> = problems.iter().map(Problem::to_text).collect();
            let counted = count(keys, "key");
            lines.push(match valid {
                true if problems.is_empty() => format!("{name}: {counted}, follows {rules}"),
                true => format!("{name}: {counted}, no error, {}", count(problems.len() as u64, "warning")),
                false if container.is_some() => format!("{name}: has keys that do not follow RFC 6030"),
                false => format!("{name}: does not follow {rules}"),
            });
            lines.join("\n")
        })?;
        // All has been said: only the exit code is left to tell.
        if valid { Ok(()) } else { std::process::exit(1) }
    }

    /// What a file of CMS or PKCS #12 says of its keys is what PSKC says, and has to follow the same rules.
    fn container(&self, document: &Document, format: FileFormat) -> Result<(u64, Vec<Problem>), Failure> {
        let mut notes = Notes::default();
        let (content, _) = container::read(document, format, self.by.get()?, |_| Ok(()), &mut notes)?;
        let of_file = |what| Problem { line: None, what, next: None, is_error: false };
        let mut found: Vec<Problem> = notes.texts().map(of_file).collect();
        let mut meaning = Meaning::new(Header::default(), 0);
        for (number, package) in (1..).zip(&content.packages) {
            meaning.package(package, number);
        }
        found.extend(meaning.finish().into_iter().map(|problem| match problem.line {
            Some(key) => Problem { line: None, what: format!("key {key}: {}", problem.what), ..problem },
            None => problem,
        }));
        found.truncate(MOST);
        Ok((content.packages.len() as u64, found))
    }
}

/// Schema and meaning; the first fault against the schema ends it.
fn strict(document: &Document) -> Result<(u64, Vec<Problem>), Problem> {
    let fault = |why: pskc::Error| Problem {
        line: Some(why.place().line),
        what: why.to_string(),
        next: Some(match super::input::may_be_lenient(&why) {
            true => "correct it; what vendors ship may still be readable with --lenient",
            false => "correct it, or ask the sender for the file again",
        }),
        is_error: true,
    };
    let unreadable = |_| Problem { line: None, what: "the file cannot be read".into(), next: None, is_error: true };
    let mut reader = ContainerReader::new(document.reader().map_err(unreadable)?).map_err(fault)?;
    let mut meaning = Meaning::new(reader.header().clone(), reader.line());
    let (mut keys, mut line) = (0, reader.line());
    while let Some(package) = reader.next_package().map_err(fault)? {
        keys += u64::from(package.key.is_some());
        meaning.package(&package, line);
        line = reader.line();
    }
    let signed = reader.finish().map_err(fault)?.signed;
    let mut found = meaning.finish();
    if signed {
        let what = "the file is signed, and the signature was not checked here";
        found.push(Problem::warning(1, what, "see `dskpp pskc verify`"));
    }
    found.truncate(MOST);
    Ok((keys, found))
}

/// What else is wrong with a file that the schema refuses, as far as it can be understood.
fn lenient(document: &Document) -> Vec<Problem> {
    let Ok(source) = document.reader() else { return Vec::new() };
    let Ok(mut reader) = LenientReader::new(source) else { return Vec::new() };
    while let Ok(Some(_)) = reader.next_package() {}
    let told = reader.warnings().iter().take(MOST).map(|warning| Problem {
        line: Some(warning.place.line),
        what: warning.irregularity.to_string(),
        next: None,
        is_error: true,
    });
    told.collect()
}
