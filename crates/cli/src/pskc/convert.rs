//! `dskpp pskc convert`

use std::collections::BTreeSet;
use std::io::Write as _;

use clap::Args;
use pskc::KeyPackage;
use zeroize::Zeroizing;

use super::describe::{self, Pins};
use super::format::{Format, Writer};
use super::input::{Document, Input};
use super::protect::{self, Protection, PskcFile, To};
use super::sink::printed;
use crate::output::{Failure, Output};
use crate::shown::{note, shown};

/// Turn a key file into another format, or into PSKC with another protection
#[derive(Args)]
pub(crate) struct Convert {
    #[command(flatten)]
    input: Input,

    /// The format of the input; told by the name of the file if not given, else PSKC
    #[arg(long, value_enum)]
    from: Option<Format>,

    /// The format of the result; told by the name of the file if not given, else PSKC
    #[arg(long, value_enum)]
    to: Option<Format>,

    /// The algorithm of keys for which the input names none: hotp, totp or a URI
    #[arg(long, value_name = "NAME")]
    algorithm: Option<String>,

    /// Leave out keys that the format of the result cannot express, and say which
    #[arg(long)]
    skip: bool,

    #[command(flatten)]
    protection: Protection,

    #[command(flatten)]
    result: To,
}

impl Convert {
    pub(crate) fn run(self, output: &Output) -> Result<(), Failure> {
        let name = self.input.file.display().to_string();
        let from = self.from.or_else(|| Format::of_name(&name)).unwrap_or(Format::Pskc);
        let to = self.to.or_else(|| Format::of_name(&self.result.name()?)).unwrap_or(Format::Pskc);
        if to != Format::Pskc && self.protection.is_given() {
            return Err(Failure::usage("only PSKC files can be encrypted").next("give --to pskc"));
        }
        match (from, Writer::new(to)) {
            (Format::Pskc, None) => {
                let protector = self.protection.protector()?;
                protect::rewrite(&self.input.open(true)?, &self.result, protector, output)
            }
            (Format::Pskc, Some(writer)) => {
                let file = self.input.open(true)?;
                file.warn();
                if !file.summary.trailer.extensions.is_empty() {
                    note("the format has no place for the extensions of the container: they are left out");
                }
                let pins = describe::pins(|each| file.for_each(each))?;
                self.write(writer, &pins, |each| file.for_each(each), output)
            }
            (from, writer) => {
                let packages = self.read(from)?;
                let each_of = |each: &mut dyn FnMut(KeyPackage) -> Result<(), Failure>| {
                    packages.iter().cloned().try_for_each(each)
                };
                match writer {
                    Some(writer) => self.write(writer, &describe::pins(each_of)?, each_of, output),
                    None => self.write_pskc(packages, output),
                }
            }
        }
    }

    /// The keys of a file of another format than PSKC.
    fn read(&self, format: Format) -> Result<Vec<KeyPackage>, Failure> {
        let octets = Document::open(&self.input.file)?.into_octets()?;
        let text = std::str::from_utf8(octets.as_ref()).map_err(|_| Failure::new("the file is not text in UTF-8"))?;
        let default = self.algorithm.as_deref().unwrap_or("hotp");
        let default = match default {
            "hotp" => super::format::HOTP,
            "totp" => super::format::TOTP,
            other => other,
        };
        let packages = format.read(text, Some(default)).map_err(|why| {
            Failure::new(format!("{}: {why}", self.input.file.display())).next(match format {
                Format::Csv => format!("the columns are {}", super::format::COLUMNS.join(", ")),
                _ => "--from tells the format of the input".to_owned(),
            })
        })?;
        if packages.is_empty() { Err(Failure::new("there are no keys in the file")) } else { Ok(packages) }
    }

    fn write_pskc(&self, packages: Vec<KeyPackage>, output: &Output) -> Result<(), Failure> {
        let mut file = PskcFile::create(self.result.sink(output)?, None, self.protection.protector()?)?;
        let keys = packages.len() as u64;
        packages.into_iter().try_for_each(|package| file.package(package))?;
        file.finish(&[])?;
        self.result.report(keys, output)
    }

    fn write(
        &self,
        mut writer: Writer,
        pins: &Pins,
        each_of: impl Fn(&mut dyn FnMut(KeyPackage) -> Result<(), Failure>) -> Result<(), Failure>,
        output: &Output,
    ) -> Result<(), Failure> {
        let mut sink = self.result.sink(output)?;
        let (mut number, mut written) = (0_u64, 0_u64);
        let mut left_out = BTreeSet::new();
        each_of(&mut |package| {
            number += 1;
            let id = package.key.as_ref().map(|key| key.id.as_str()).unwrap_or_default();
            match writer.package(&package, pins).map(Zeroizing::new) {
                Ok(text) => {
                    written += u64::from(!text.is_empty());
                    left_out.extend(writer.left_out(&package));
                    printed(sink.write_all(text.as_bytes()))
                }
                Err(why) if self.skip => {
                    note(format!("key {number} ({}) is left out: {why}", shown(id)));
                    Ok(())
                }
                Err(why) => Err(Failure::new(format!("key {number} ({}): {why}", shown(id)))
                    .next("--skip leaves such keys out; other formats can express more")),
            }
        })?;
        printed(sink.write_all(writer.end().as_bytes()))?;
        sink.finish()?;
        if !left_out.is_empty() {
            let parts = left_out.into_iter().collect::<Vec<_>>().join(", ");
            note(format!("the format has no place for what is left out: {parts}"));
        }
        self.result.report(written, output)
    }
}
