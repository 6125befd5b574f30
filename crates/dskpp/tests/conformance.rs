//! Checks the list of RFC 6063's requirements, `docs/conformance.toml`: every row has a valid state and existing tests,
//! and `docs/conformance.md` is generated from it. `BLESS=1` rewrites that file.

#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;

use toml::{Table, Value};

/// The introduction of `docs/conformance.md`.
const HEAD: &str = "\
# Conformance to RFC 6063

One row per requirement of sections 3.2.3 to 10, in our words, with its tests. `BLESS=1 cargo test -p dskpp --test
conformance` generates this file from [conformance.toml](conformance.toml); without `BLESS` it checks the file and that
the tests exist. Level *flow* means that the RFC describes the behaviour without a requirement word.
";

const SECTIONS: [(&str, &str); 11] = [
    ("3.2.3", "Triggered by the server"),
    ("3.2.4", "Variants"),
    ("3.3", "Status codes"),
    ("3.4", "Basic constructs"),
    ("4", "Four-pass"),
    ("5", "Two-pass"),
    ("6", "Extensions"),
    ("7", "Binding to HTTP/1.1"),
    ("8", "XML schema"),
    ("9", "Conformance requirements"),
    ("10", "Security considerations"),
];

const LEVELS: [&str; 8] = ["MUST", "MUST NOT", "must", "SHOULD", "SHOULD NOT", "RECOMMENDED", "MAY", "flow"];

struct Row {
    id: String,
    level: String,
    who: String,
    text: String,
    tests: Vec<String>,
    state: String,
}

impl Row {
    fn of(row: &Table) -> Self {
        let known = BTreeSet::from(["id", "level", "who", "text", "tests", "state"]);
        assert_eq!(row.keys().map(String::as_str).collect::<BTreeSet<_>>(), known, "{row}");
        let text = |name: &str| row[name].as_str().unwrap_or_else(|| panic!("{name} of {row}")).to_owned();
        let tests = row["tests"].as_array().unwrap().iter().map(|test| test.as_str().unwrap().to_owned()).collect();
        Row { id: text("id"), level: text("level"), who: text("who"), text: text("text"), tests, state: text("state") }
    }

    /// The first of [`SECTIONS`] that the row belongs to.
    fn section(&self) -> &'static str {
        let is_of = |section: &&str| self.id.strip_prefix(section).is_some_and(|rest| rest.starts_with(['.', '-']));
        SECTIONS.iter().map(|(section, _)| *section).find(is_of).unwrap_or_else(|| panic!("no section: {}", self.id))
    }
}

fn file(path: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..").join(path)
}

fn rows() -> Vec<Row> {
    let list: Table = fs::read_to_string(file("docs/conformance.toml")).unwrap().parse().unwrap();
    let rows: Vec<_> = list["row"].as_array().unwrap().iter().filter_map(Value::as_table).map(Row::of).collect();
    assert!(rows.len() > 150, "{}", rows.len());
    rows
}

#[test]
fn every_row_is_complete_with_a_valid_level_state_and_place() {
    let mut ids = BTreeSet::new();
    for row in rows() {
        let Row { id, level, who, text, tests, state } = &row;
        assert!(ids.insert(id.clone()), "{id} is there twice");
        assert!(!row.section().is_empty());
        assert!(LEVELS.contains(&level.as_str()), "{id}: {level}");
        assert!(["server", "client", "both"].contains(&who.as_str()), "{id}: {who}");
        assert!(!text.is_empty() && !text.contains('|'), "{id}: {text}");
        let why = ["met in part: ", "not applicable: ", "left to the operator: "]
            .iter()
            .find_map(|known| state.strip_prefix(known));
        assert!(state == "met" || why.is_some_and(|why| !why.is_empty() && !why.contains('|')), "{id}: {state}");
        assert!(state != "met" || !tests.is_empty(), "{id} is met, and no test shows it");
    }
}

#[test]
fn s9_every_row_has_tests_for_server_or_client() {
    let rows: Vec<_> = rows().into_iter().filter(|row| row.section() == "9").collect();
    assert!(rows.iter().all(|row| !row.tests.is_empty()));
    let of = |who: &str| {
        let items = rows.iter().filter(|row| row.who == who).map(|row| row.id.split('-').nth(1).unwrap());
        items.collect::<BTreeSet<_>>().into_iter().collect::<String>()
    };
    assert_eq!(of("server"), "abcdefghijk", "a to j, and k: the binding to HTTP/1.1");
    assert_eq!(of("client"), "acdefghijk", "a: either variant");
}

#[test]
fn every_named_test_exists() {
    let mut files = BTreeMap::new();
    for row in rows() {
        for test in &row.tests {
            let (path, name) = test.split_once("::").unwrap_or_else(|| panic!("{}: {test}", row.id));
            let text =
                files.entry(path.to_owned()).or_insert_with(|| fs::read_to_string(file(path)).unwrap_or_default());
            let at = text.find(&format!("fn {name}(")).unwrap_or_else(|| panic!("{}: there is no {test}", row.id));
            let before: Vec<_> = text[..at].lines().rev().take(4).collect();
            assert!(before.iter().any(|line| line.contains("test]") || line.contains("test(")), "{test} is no test");
        }
    }
}

/// Generates the document.
fn document(rows: &[Row]) -> String {
    let mut document = HEAD.to_owned();
    let count = |of: &dyn Fn(&Row) -> bool| rows.iter().filter(|row| of(row)).count();
    document += "\n| Section | Rows | Met | In part | Not applicable | Operator's |\n|---|---|---|---|---|---|\n";
    for (section, title) in SECTIONS {
        let with = |state: &str| count(&|row| row.section() == section && row.state.starts_with(state));
        let (all, part) = (with(""), with("met in part"));
        let (met, other, operator) = (with("met") - part, with("not applicable"), with("left to the operator"));
        writeln!(document, "| {section} {title} | {all} | {met} | {part} | {other} | {operator} |").unwrap();
    }
    for (section, title) in SECTIONS {
        write!(document, "\n## {section} {title}\n\n| Id | Level | Who | Requirement | Tests | State |\n").unwrap();
        document += "|---|---|---|---|---|---|\n";
        for row in rows.iter().filter(|row| row.section() == section) {
            let Row { id, level, who, text, tests, state } = row;
            let tests: Vec<_> = tests.iter().map(|test| linked(test)).collect();
            writeln!(document, "| {id} | {level} | {who} | {text} | {} | {state} |", tests.join("<br>")).unwrap();
        }
    }
    document
}

/// A test as a link to its file.
fn linked(test: &str) -> String {
    let (path, name) = test.split_once("::").unwrap();
    format!("[{name}](../{path})")
}

#[test]
fn the_document_matches_the_list() {
    let document = document(&rows());
    let path = file("docs/conformance.md");
    if std::env::var_os("BLESS").is_some() {
        fs::write(&path, &document).unwrap();
    }
    let written = fs::read_to_string(&path).unwrap_or_default();
    assert!(written == document, "docs/conformance.md is not what docs/conformance.toml says: run with BLESS=1");
}
