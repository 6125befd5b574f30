//! `dskpp pskc inspect`

use std::io::{self, Write};

use clap::Args;
use pskc::{KeyPackage, Value};
use serde_json::Value as Json;

use super::describe::{self, Pins};
use super::input::{Input, KeyFile};
use crate::output::{Failure, Output};
use crate::shown::{self, shown};

#[derive(Args)]
pub(crate) struct Inspect {
    #[command(flatten)]
    input: Input,

    /// Print secrets and PINs too
    #[arg(long)]
    show_secrets: bool,
}

impl Inspect {
    pub(crate) fn run(self, output: &Output) -> Result<(), Failure> {
        let file = self.input.open(false)?;
        let pins = if self.show_secrets { Some(describe::pins(|each| file.for_each(each))?) } else { None };
        let mut out = io::BufWriter::new(io::stdout().lock());
        let printed = match output.json {
            true => print_json(&file, pins.as_ref(), &mut out),
            false => print_table(&file, pins.as_ref(), &mut out),
        };
        printed?;
        super::sink::printed(out.flush())
    }
}

/// One document, however many keys: written as they come.
fn print_json(file: &KeyFile, pins: Option<&Pins>, out: &mut impl Write) -> Result<(), Failure> {
    let mut begin = "{\"keys\":[";
    file.for_each(|package| {
        let object = shown::json(&describe::package(&package, pins).to_string());
        super::sink::printed(write!(out, "{begin}{object}"))?;
        begin = ",";
        Ok(())
    })?;
    super::sink::printed(write!(out, "]"))?;
    for (name, value) in describe::file(&file.summary) {
        super::sink::printed(write!(out, ",{}:{}", Json::from(name), shown::json(&value.to_string())))?;
    }
    super::sink::printed(writeln!(out, "}}"))
}

fn print_table(file: &KeyFile, pins: Option<&Pins>, out: &mut impl Write) -> Result<(), Failure> {
    let line = |cells: [&str; 6]| {
        let [id, algorithm, serial, digits, moving, secret] = cells;
        format!("{id:<24} {algorithm:<8} {serial:<20} {digits:>6} {moving:>12} {secret}")
    };
    let heading = line(["ID", "TYPE", "SERIAL NUMBER", "DIGITS", "COUNTER/STEP", "SECRET"]);
    super::sink::printed(writeln!(out, "{heading}"))?;
    file.for_each(|package| {
        let cells = cells(&package, pins.is_some());
        let [id, algorithm, serial, digits, moving, secret] = &cells;
        super::sink::printed(writeln!(out, "{}", line([id, algorithm, serial, digits, moving, secret])))
    })?;
    let summary = &file.summary;
    let protection = match (&summary.algorithm, file.is_unlocked()) {
        (None, _) => "not encrypted",
        (Some(_), true) => "encrypted, opened with what was given",
        (Some(_), false) => "encrypted",
    };
    let signed = if summary.trailer.signed { "; signed" } else { "" };
    super::sink::printed(writeln!(out, "{} keys, {protection}{signed}", summary.packages))?;
    file.warn();
    Ok(())
}

fn cells(package: &KeyPackage, show: bool) -> [String; 6] {
    let key = package.key.as_ref();
    let data = key.and_then(|key| key.data.as_ref());
    let algorithm = key.and_then(|key| key.algorithm.as_deref()).unwrap_or_default();
    let name = algorithm.rsplit([':', '#']).next().unwrap_or_default();
    let digits = key.and_then(|key| key.algorithm_parameters.as_ref()?.response_format.map(|format| format.length));
    let counter = data.and_then(|data| data.counter.as_ref()?.plain().map(ToString::to_string));
    let interval = data.and_then(|data| data.time_interval.as_ref()?.plain().map(|seconds| format!("{seconds} s")));
    let secret = match data.and_then(|data| data.secret.as_ref()) {
        Some(Value::Plain(secret)) if show => data_encoding::HEXLOWER.encode(secret.expose()),
        Some(Value::Plain(secret)) => format!("{} octets", secret.len()),
        Some(Value::Encrypted(_)) => "encrypted".to_owned(),
        None => String::new(),
    };
    [
        key.map(|key| shown(&key.id)).unwrap_or_default(),
        shown(name),
        package.device_info.as_ref().and_then(|device| device.serial_no.as_deref()).map(shown).unwrap_or_default(),
        digits.map(|digits| digits.to_string()).unwrap_or_default(),
        counter.or(interval).unwrap_or_default(),
        secret,
    ]
}
