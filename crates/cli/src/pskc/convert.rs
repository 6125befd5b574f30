//! `dskpp pskc convert`

use std::collections::BTreeMap;
use std::io::{IsTerminal as _, Write as _};

use clap::Args;
use dskpp::vessel::{self, file::FileFormat};
use pskc::KeyPackage;
use serde_json::{Value as Json, json};
use zeroize::Zeroizing;

use super::container::Packages;
use super::describe::{self, Pins};
use super::format::{Format, Writer, left_out};
use super::input::{Input, KeyFile};
use super::protect::{self, Protection, To};
use super::sink::printed;
use crate::output::{Failure, Output};
use crate::shown::{count, note, shown};

/// Turn a key file into another format, or into PSKC with another protection
#[derive(Args)]
pub(crate) struct Convert {
    #[command(flatten)]
    input: Input,

    /// The format of the result; told by the file's extension if not given, and PSKC where it has none
    #[arg(long, value_enum)]
    to: Option<Format>,

    /// Leave out keys that the format of the result cannot express, and say which
    #[arg(long)]
    skip: bool,

    #[command(flatten)]
    protection: Protection,

    #[command(flatten)]
    result: To,
}

/// What became of the keys.
#[derive(Default)]
struct Report {
    written: u64,
    /// What the format has no place for, and with how many keys.
    left_out: BTreeMap<&'static str, u64>,
    /// What was taken for values that keys do not state.
    assumed: BTreeMap<&'static str, u64>,
    skipped: Vec<Json>,
}

impl Convert {
    pub(crate) fn run(self, output: &Output) -> Result<(), Failure> {
        let to = self.to.map_or_else(|| Format::of_result(self.result.name().as_deref()), Ok)?;
        if let Some(format) = to.of_container() {
            return self.write_container(format, output);
        }
        if to != Format::Pskc && self.protection.is_given() {
            return Err(Failure::usage(format!("{} cannot be encrypted", to.what()))
                .next("give --to pskc, --to pkcs12 or --to rfc6031"));
        }
        let Some(writer) = Writer::new(to) else {
            let protector = self.protection.protector()?;
            let mut file = self.input.open(true)?;
            if protector.is_none() {
                file.warn_of_clear_result();
            }
            return protect::rewrite(file, &self.result, protector, output);
        };
        let mut file = self.input.open(true)?;
        file.warn_of_clear_result();
        let warnings = file.warn_of_all();
        let without = file.summary.packages - file.summary.keys;
        if without > 0 {
            note(format!("{} without a key left out: the format has no place for it", count(without, "package")));
        }
        if !file.summary.trailer.extensions.is_empty() {
            note("the format has no place for the extensions of the container: they are left out");
        }
        let pins = describe::pins(|each| file.for_each(each))?;
        let report = self.write(file, writer, &pins, output)?;
        report.tell();
        self.result.report(report.written, report.members(&warnings), output)
    }

    /// Writes what has to be there as a whole.
    fn write_container(&self, format: FileFormat, output: &Output) -> Result<(), Failure> {
        let (protection, old) = self.protection.of_container(format)?;
        if !output.json && self.result.name().is_none() && !self.result.is_stdout() && std::io::stdout().is_terminal() {
            return Err(Failure::usage("the result is no text").next("give a file with --output"));
        }
        let mut file = self.input.open(true)?;
        if matches!(protection, vessel::Protection::None) {
            file.warn_of_clear_result();
        }
        let warnings = file.warn_of_all();
        if !file.summary.trailer.extensions.is_empty() {
            note("the format has no place for the extensions of the container: they are left out");
        }
        let mut sink = self.result.sink(output)?;
        let (mut packages, mut number, mut report) = (Packages::default(), 0, Report::default());
        file.into_each(|package| {
            number += 1;
            let id = package.key.as_ref().map(|key| key.id.clone()).unwrap_or_default();
            let left_out = left_out::of_all(&package);
            match packages.add(package, format) {
                Ok(()) => report.count(left_out, Vec::new()),
                Err(why) => self.leave_out(number, &id, why, &mut report)?,
            }
            Ok(())
        })?;
        if packages.is_empty() {
            return Err(Failure::new("there are no keys that the format can express"));
        }
        let octets = Zeroizing::new(packages.write(format, &protection, old)?);
        printed(sink.write_all(&octets))?;
        sink.finish()?;
        report.tell();
        self.result.report(report.written, report.members(&warnings), output)
    }

    /// Leaves out a key that the format cannot express, where that was asked for.
    fn leave_out(&self, number: u64, id: &str, why: String, report: &mut Report) -> Result<(), Failure> {
        if !self.skip {
            return Err(Failure::new(format!("key {number} ({}): {why}", shown(id)))
                .next("--skip leaves such keys out; other formats can express more"));
        }
        note(format!("key {number} ({}) is left out: {why}", shown(id)));
        report.skipped.push(json!({ "number": number, "id": id, "reason": why }));
        Ok(())
    }

    fn write(&self, file: KeyFile, mut writer: Writer, pins: &Pins, output: &Output) -> Result<Report, Failure> {
        let mut sink = self.result.sink(output)?;
        let (mut number, mut report) = (0_u64, Report::default());
        file.into_each(|package| {
            number += 1;
            if package.key.is_none() {
                return Ok(());
            }
            match writer.package(&package, pins).map(Zeroizing::new) {
                Ok(text) => {
                    report.add(&writer, &package, &text);
                    printed(sink.write_all(text.as_bytes()))
                }
                Err(why) => {
                    let id = package.key.as_ref().map(|key| key.id.as_str()).unwrap_or_default();
                    self.leave_out(number, id, why, &mut report)
                }
            }
        })?;
        printed(sink.write_all(writer.end().as_bytes()))?;
        sink.finish()?;
        Ok(report)
    }
}

impl Report {
    fn add(&mut self, writer: &Writer, package: &KeyPackage, text: &str) {
        if !text.is_empty() {
            self.count(writer.left_out(package), writer.assumed(package));
        }
    }

    /// Counts a key that is written.
    fn count(&mut self, left_out: Vec<&'static str>, assumed: Vec<&'static str>) {
        self.written += 1;
        for part in left_out {
            *self.left_out.entry(part).or_default() += 1;
        }
        for part in assumed {
            *self.assumed.entry(part).or_default() += 1;
        }
    }

    /// Says on standard error what differs.
    fn tell(&self) {
        let list = |parts: &BTreeMap<&str, u64>| {
            parts.iter().map(|(part, keys)| format!("{part} ({})", count(*keys, "key"))).collect::<Vec<_>>().join(", ")
        };
        if !self.left_out.is_empty() {
            note(format!("the format has no place for what is left out: {}", list(&self.left_out)));
        }
        if !self.assumed.is_empty() {
            note(format!("not stated, and taken as the format means it: {}", list(&self.assumed)));
        }
        if !self.skipped.is_empty() {
            note(format!("{} left out", count(self.skipped.len() as u64, "key")));
        }
    }

    /// The same for a program.
    fn members(&self, warnings: &[String]) -> Json {
        json!({ "warnings": warnings, "left_out": self.left_out, "assumed": self.assumed, "skipped": self.skipped })
    }
}
