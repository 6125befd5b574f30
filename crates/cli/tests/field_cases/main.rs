//! Key files as the world has them, after public bug reports: `tests/field/NN-name/input`, and others of the same kinds
//! that differ in a few words. Each is read by the built program to the right value, or refused with the true cause.
//!
//! `xml` has the rows for PSKC, `text` those for other formats.

#![allow(clippy::unwrap_used, reason = "a test may stop at once")]

#[path = "../support/mod.rs"]
mod support;
mod text;
mod xml;

use std::path::Path;

use support::Home;

/// One command on one file.
struct Case {
    /// The folder in `tests/field`.
    folder: &'static str,
    /// What is written differently in `input`; each text must stand there.
    changed: &'static [(&'static str, &'static str)],
    /// The command, in a copy of the folder.
    command: &'static [&'static str],
    code: i32,
    /// What stands in the result, or in what is said about it.
    said: &'static [&'static str],
    /// What does not.
    never: &'static [&'static str],
}

impl Case {
    /// The result, with what was said about it on standard error behind it.
    fn run(&self) -> (Option<i32>, String) {
        let home = Home::new();
        copy(self.folder, self.changed, &home);
        let done = home.run(self.command);
        (done.code, done.out + &done.err)
    }

    fn faults(&self) -> Option<String> {
        let (code, text) = self.run();
        let missing =
            self.said.iter().filter(|words| !text.contains(**words)).map(|words| format!("without {words:?}"));
        let wrong = self.never.iter().filter(|words| text.contains(**words)).map(|words| format!("with {words:?}"));
        let code = (code != Some(self.code)).then(|| format!("exit code {code:?}, not {}", self.code));
        let faults: Vec<String> = code.into_iter().chain(missing).chain(wrong).collect();
        let Case { folder, changed, command, .. } = self;
        (!faults.is_empty())
            .then(|| format!("{folder} {changed:?}\n$ dskpp {}\n{text}\n=> {}", command.join(" "), faults.join("; ")))
    }
}

/// Copies the files of a case, `input` with its changes.
fn copy(folder: &str, changed: &[(&str, &str)], home: &Home) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/field").join(folder);
    for file in std::fs::read_dir(folder).unwrap() {
        let file = file.unwrap();
        let mut octets = std::fs::read(file.path()).unwrap();
        for (old, new) in changed.iter().filter(|_| file.file_name() == "input") {
            let text = String::from_utf8(octets).unwrap();
            assert!(text.contains(old), "{old:?} does not stand in {}", file.path().display());
            octets = text.replace(old, new).into_bytes();
        }
        home.write(&file.file_name().to_string_lossy(), octets);
    }
}

#[test]
fn field_cases() {
    let faults: Vec<String> = xml::CASES.iter().chain(text::CASES).filter_map(Case::faults).collect();
    assert!(faults.is_empty(), "{} rows are wrong:\n\n{}", faults.len(), faults.join("\n\n"));
}
