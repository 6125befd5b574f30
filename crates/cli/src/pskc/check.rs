//! `dskpp pskc check`

use std::collections::HashSet;
use std::path::PathBuf;

use clap::Args;
use pskc::{ContainerReader, Header, Key, KeyPackage, LenientReader, Value};
use serde_json::{Value as Json, json};

use super::input::Document;
use crate::output::{Failure, Output};

/// What is told of one file, at most.
const MOST: usize = 100;

#[derive(Args)]
pub(crate) struct Check {
    /// The key file; - for standard input
    file: PathBuf,
}

/// Something that is wrong, where, and what to do about it.
struct Problem {
    line: Option<u64>,
    what: String,
    next: Option<&'static str>,
    /// Whether the file breaks a rule; otherwise it is only unwise or of little use.
    is_error: bool,
}

impl Problem {
    fn error(line: u64, what: impl ToString, next: &'static str) -> Self {
        Problem { line: Some(line), what: what.to_string(), next: Some(next), is_error: true }
    }

    fn warning(line: u64, what: impl ToString, next: &'static str) -> Self {
        Problem { is_error: false, ..Problem::error(line, what, next) }
    }

    fn to_json(&self) -> Json {
        let severity = if self.is_error { "error" } else { "warning" };
        json!({ "severity": severity, "line": self.line, "what": self.what, "next": self.next })
    }

    fn to_text(&self) -> String {
        let line = self.line.map(|line| format!("line {line}: ")).unwrap_or_default();
        let severity = if self.is_error { "error" } else { "warning" };
        let next = self.next.map(|next| format!("\n    what to do: {next}")).unwrap_or_default();
        format!("{line}{severity}: {}{next}", self.what)
    }
}

impl Check {
    pub(crate) fn run(self, output: &Output) -> Result<(), Failure> {
        let document = Document::open(&self.file)?;
        let (keys, problems) = match strict(&document) {
            Ok(found) => found,
            Err(error) => (0, vec![error].into_iter().chain(lenient(&document)).collect()),
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
            lines.push(match valid {
                true => format!("{name}: {keys} keys, follows RFC 6030"),
                false => format!("{name}: does not follow RFC 6030"),
            });
            lines.join("\n")
        })?;
        // All has been said: only the exit code is left to tell.
        if valid { Ok(()) } else { std::process::exit(1) }
    }
}

/// Schema and meaning; the first fault against the schema ends it.
fn strict(document: &Document) -> Result<(u64, Vec<Problem>), Problem> {
    let fault = |why: pskc::Error| Problem {
        line: Some(why.place().line),
        what: why.to_string(),
        next: Some("correct it; what vendors ship may still be readable with --lenient"),
        is_error: true,
    };
    let unreadable = |_| Problem { line: None, what: "the file cannot be read".into(), next: None, is_error: true };
    let mut reader = ContainerReader::new(document.reader().map_err(unreadable)?).map_err(fault)?;
    let mut meaning = Meaning { header: reader.header().clone(), ids: HashSet::new(), found: Vec::new() };
    let mut keys = 0;
    while let Some(package) = reader.next_package().map_err(fault)? {
        keys += 1;
        meaning.package(&package, reader.line());
    }
    let signed = reader.finish().map_err(fault)?.signed;
    if signed {
        let what = "the file is signed, and the signature was not checked here";
        meaning.found.push(Problem::warning(1, what, "see `dskpp pskc verify`"));
    }
    meaning.found.truncate(MOST);
    Ok((keys, meaning.found))
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

/// Looks at what a schema cannot say.
struct Meaning {
    header: Header,
    ids: HashSet<String>,
    found: Vec<Problem>,
}

impl Meaning {
    fn package(&mut self, package: &KeyPackage, line: u64) {
        let Some(key) = &package.key else { return };
        if self.found.len() >= MOST {
            return;
        }
        if !self.ids.insert(key.id.clone()) {
            let next = "give each key an Id of its own: an import takes the first one only";
            self.found.push(Problem::warning(line, format!("the Id {:?} stands twice", key.id), next));
        }
        self.protection(key, line);
        self.policy(key, line);
        self.algorithm(key, line);
    }

    fn protection(&mut self, key: &Key, line: u64) {
        let Some(data) = &key.data else {
            if key.key_reference.is_none() {
                let next = "a key needs a Secret or a KeyReference to be of use";
                self.found.push(Problem::warning(line, "the key has no data", next));
            }
            return;
        };
        let Some(Value::Encrypted(value)) = &data.secret else { return };
        if self.header.encryption_key.is_none() && value.data.key_info.is_none() {
            let next = "name the key in EncryptionKey";
            self.found.push(Problem::warning(line, "nothing says which key the secret is encrypted with", next));
        }
        let has_integrity = value.data.algorithm.contains("kw-") || value.data.algorithm.contains("oaep");
        if !has_integrity && (value.mac.is_none() || self.header.mac_method.is_none()) {
            let what = "the encrypted secret has no MAC, which RFC 6030 §6.1.1 demands for its algorithm";
            self.found.push(Problem::error(line, what, "add MACMethod and ValueMAC, or use a key wrap"));
        }
    }

    fn policy(&mut self, key: &Key, line: u64) {
        let Some(policy) = &key.policy else { return };
        if !policy.is_understood() {
            let what = "the policy says what is not understood, so the key must not be used (RFC 6030 §5)";
            self.found.push(Problem::warning(line, what, "remove the unknown part, or use software that knows it"));
        }
        if let (Some(start), Some(expiry)) = (policy.start_date, policy.expiry_date)
            && start > expiry
        {
            let what = "the key expires before it begins to be good";
            self.found.push(Problem::error(line, what, "correct StartDate or ExpiryDate"));
        }
    }

    fn algorithm(&mut self, key: &Key, line: u64) {
        let Some(algorithm) = &key.algorithm else {
            let what = "the key does not say what it is for";
            return self.found.push(Problem::warning(line, what, "give it an Algorithm"));
        };
        let data = key.data.as_ref();
        let missing = match algorithm.rsplit(':').next() {
            Some("hotp") if data.is_none_or(|data| data.counter.is_none()) => "Counter",
            Some("totp") if data.is_none_or(|data| data.time_interval.is_none()) => "TimeInterval",
            Some("hotp" | "totp") if response_length(key).is_none() => "ResponseFormat",
            _ => return,
        };
        let what = format!("the key has no {missing}, which its algorithm needs");
        self.found.push(Problem::warning(line, what, "add it: programs differ in what they assume without"));
    }
}

fn response_length(key: &Key) -> Option<u32> {
    Some(key.algorithm_parameters.as_ref()?.response_format?.length)
}
