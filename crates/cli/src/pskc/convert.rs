//! `dskpp pskc convert`

use std::io::{IsTerminal as _, Write as _};

use clap::Args;
use dskpp::key_package::{self, file::FileFormat};
use zeroize::Zeroizing;

use super::atomic_output::printed;
use super::container::OutputPackages;
use super::describe::{self, Pins};
use super::format::{Format, KeyWriter, left_out};
use super::input::{Input, KeyFile};
use super::protect::{self, Protection, To};
use super::report::PskcReport;
use crate::output::{Failure, Output};
use crate::shown::{count, note};

/// Convert a key file to another format, or change how its secrets are protected
#[derive(Args)]
pub(crate) struct Convert {
    #[command(flatten)]
    input: Input,

    /// Format of the result [default: by the extension of --output, or PSKC without one]
    #[arg(long, value_enum, help_heading = "Output")]
    to: Option<Format>,

    /// Omit keys that the format cannot express, and report them
    #[arg(long, help_heading = "Output")]
    skip: bool,

    #[command(flatten)]
    protection: Protection,

    #[command(flatten)]
    result: To,
}

impl Convert {
    pub(crate) fn run(self, output: &Output) -> Result<(), Failure> {
        let to = self.to.map_or_else(|| Format::of_result(self.result.name().as_deref()), Ok)?;
        if let Some(format) = to.of_container() {
            return self.write_container(format, output);
        }
        if to != Format::Pskc && self.protection.is_given() {
            return Err(Failure::usage(format!("{} cannot be encrypted", to.what()))
                .next("use --to pskc, --to pkcs12 or --to rfc6031"));
        }
        let mut report = PskcReport::new(self.skip);
        let Some(writer) = KeyWriter::new(to) else {
            let protector = self.protection.protector()?;
            let mut file = self.input.open(true)?;
            if protector.is_none() {
                file.warn_of_clear_result();
            }
            return protect::rewrite(file, &self.result, protector, report, output);
        };
        let mut file = self.input.open(true)?;
        file.warn_of_clear_result();
        let warnings = file.warn_of_all();
        let without = file.summary.packages - file.summary.keys;
        if without > 0 {
            note(format!("{} without a key left out: the format has no place for it", count(without, "package")));
        }
        left_out::tell_of_file(&file.summary);
        let pins = describe::pins(&file)?;
        self.write(file, writer, &pins, &mut report, output)?;
        report.tell();
        self.result.report(report.written, report.members(&warnings), output)
    }

    /// Writes a file that is encoded as a whole.
    fn write_container(&self, format: FileFormat, output: &Output) -> Result<(), Failure> {
        let (protection, old) = self.protection.of_container(format)?;
        if !output.json && self.result.name().is_none() && !self.result.is_stdout() && std::io::stdout().is_terminal() {
            return Err(Failure::usage("the result is binary").next("name a file with --output"));
        }
        let mut file = self.input.open(true)?;
        if matches!(protection, key_package::PackageProtection::None) {
            file.warn_of_clear_result();
        }
        let warnings = file.warn_of_all();
        left_out::tell_of_file(&file.summary);
        let mut result = self.result.open_output(output)?;
        let (mut packages, mut number, mut report) = (OutputPackages::default(), 0, PskcReport::new(self.skip));
        file.into_each(|mut package| {
            number += 1;
            let left_out = left_out::of_all(&package, false, true);
            match packages.fit(&mut package, format) {
                Ok(()) => {
                    report.write(&package);
                    report.add(left_out, Vec::new());
                    packages.push(package);
                    Ok(())
                }
                Err(why) => report.leave_out(number, &package, why.into()),
            }
        })?;
        if packages.is_empty() {
            return Err(Failure::new("the format can express none of the keys"));
        }
        let octets = Zeroizing::new(packages.write(format, &protection, old)?);
        printed(result.write_all(&octets))?;
        result.finish()?;
        report.tell();
        self.result.report(report.written, report.members(&warnings), output)
    }

    fn write(
        &self,
        file: KeyFile,
        mut writer: KeyWriter,
        pins: &Pins,
        report: &mut PskcReport,
        output: &Output,
    ) -> Result<(), Failure> {
        let mut result = self.result.open_output(output)?;
        let mut number = 0_u64;
        file.into_each(|package| {
            number += 1;
            if package.key.is_none() {
                return Ok(());
            }
            match writer.package(&package, pins).map(Zeroizing::new) {
                Ok(text) if text.is_empty() => {
                    report.add(left_out::of_pin(&package), Vec::new());
                    report.write_within(number, &package);
                    Ok(())
                }
                Ok(text) => {
                    report.write(&package);
                    report.add(writer.left_out(&package), writer.assumed(&package));
                    printed(result.write_all(text.as_bytes()))
                }
                Err(why) => report.leave_out(number, &package, why.into()),
            }
        })?;
        printed(result.write_all(writer.end().as_bytes()))?;
        result.finish()
    }
}
