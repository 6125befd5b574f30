//! Key files from the field, after public bug reports: `tests/field/NN-name/input`, and variants
//! with small changes. The built program reads each to the right value, or refuses it with the right cause.
//!
//! `xml`, `protection`, `usable` and `checked` cover PSKC; `otpauth`, `tables` and `files` other formats and other files.

#![allow(clippy::unwrap_used, reason = "a test may stop at once")]

mod checked;
mod files;
mod foreign;
mod imports;
mod losses;
mod options;
mod otpauth;
mod protection;
mod signers;
mod silent;
#[path = "../support/mod.rs"]
mod support;
mod tables;
mod usable;
mod xml;

use std::path::Path;

use support::Home;

/// One command on one file.
struct Case {
    /// The folder in `tests/field`.
    folder: &'static str,
    /// Replacements in `input`; each text must occur.
    changed: &'static [(&'static str, &'static str)],
    /// The command, run in a copy of the folder.
    command: &'static str,
    code: i32,
    /// Texts in the result or the messages.
    said: &'static [&'static str],
    /// Texts in neither.
    never: &'static [&'static str],
}

impl Case {
    const fn new(
        folder: &'static str,
        changed: &'static [(&'static str, &'static str)],
        command: &'static str,
        code: i32,
        said: &'static [&'static str],
        never: &'static [&'static str],
    ) -> Case {
        Case { folder, changed, command, code, said, never }
    }

    /// A file that is read, and texts in the result.
    const fn read(
        folder: &'static str,
        changed: &'static [(&'static str, &'static str)],
        command: &'static str,
        said: &'static [&'static str],
    ) -> Case {
        Case { folder, changed, command, code: 0, said, never: &[] }
    }

    /// A file that is refused for a reason, without any result.
    const fn refused(
        folder: &'static str,
        changed: &'static [(&'static str, &'static str)],
        command: &'static str,
        said: &'static [&'static str],
    ) -> Case {
        Case { folder, changed, command, code: 1, said, never: &["{\"keys\"", "otpauth://totp/", "otpauth://hotp/k"] }
    }

    /// The result, followed by the messages on standard error.
    fn run(&self) -> (Option<i32>, String) {
        let home = Home::new();
        copy(self.folder, self.changed, &home);
        let done = home.run(&self.command.split(' ').collect::<Vec<_>>());
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
            .then(|| format!("{folder} {changed:?}\n$ dskpp {command}\n{text}\n=> {}", faults.join("; ")))
    }
}

/// Copies the files of a case, with the replacements in `input`.
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
    let all =
        [xml::CASES, protection::CASES, usable::CASES, checked::CASES, otpauth::CASES, tables::CASES, files::CASES]
            .into_iter()
            .flatten();
    let faults: Vec<String> = all.filter_map(Case::faults).collect();
    assert!(faults.is_empty(), "{} rows are wrong:\n\n{}", faults.len(), faults.join("\n\n"));
}
