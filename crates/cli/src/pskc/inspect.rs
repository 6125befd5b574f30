//! `dskpp pskc inspect`

use std::io::{self, Write};

use clap::Args;
use pskc::{DateTime, KeyPackage, Policy, Value};
use serde_json::Value as Json;

use super::describe::{self, Pins};
use super::format::Format;
use super::input::{Input, KeyFile};
use crate::output::{Failure, Output};
use crate::shown::{self, count, shown};

#[derive(Args)]
pub(crate) struct Inspect {
    #[command(flatten)]
    input: Input,

    /// Print secrets and PINs too
    #[arg(long, help_heading = "Output")]
    show_secrets: bool,
}

impl Inspect {
    pub(crate) fn run(self, output: &Output) -> Result<(), Failure> {
        let file = self.input.open(false)?;
        let pins = if self.show_secrets { Some(describe::pins(&file)?) } else { None };
        let mut out = io::BufWriter::new(io::stdout().lock());
        let printed = match output.json {
            true => print_json(&file, pins.as_ref(), &mut out),
            false => print_table(&file, pins.as_ref(), &mut out),
        };
        printed?;
        super::atomic_output::printed(out.flush())
    }
}

/// Writes one document key by key, in constant memory.
fn print_json(file: &KeyFile, pins: Option<&Pins>, out: &mut impl Write) -> Result<(), Failure> {
    super::atomic_output::printed(write!(out, "{{\"keys\":["))?;
    let mut begin = "";
    file.for_each(|package| {
        if package.key.is_none() {
            return Ok(());
        }
        let object = shown::json(&describe::package(&package, pins).to_string());
        super::atomic_output::printed(write!(out, "{begin}{object}"))?;
        begin = ",";
        Ok(())
    })?;
    super::atomic_output::printed(write!(out, "]"))?;
    if file.format() != Format::Pskc {
        super::atomic_output::printed(write!(out, ",\"format\":{}", Json::from(file.format().name())))?;
    }
    for (name, value) in describe::file(&file.summary) {
        super::atomic_output::printed(write!(out, ",{}:{}", Json::from(name), shown::json(&value.to_string())))?;
    }
    super::atomic_output::printed(writeln!(out, "}}"))
}

fn print_table(file: &KeyFile, pins: Option<&Pins>, out: &mut impl Write) -> Result<(), Failure> {
    super::atomic_output::printed(writeln!(out, "{}", line(HEADING.map(str::to_owned))))?;
    file.for_each(|package| match &package.key {
        Some(_) => super::atomic_output::printed(writeln!(out, "{}", line(cells(&package, pins.is_some())))),
        None => Ok(()),
    })?;
    let summary = &file.summary;
    let protection = match (&summary.algorithm, file.is_unlocked()) {
        (None, true) if file.format().of_container().is_some() => "encrypted, now decrypted",
        (None, _) => "not encrypted",
        (Some(_), true) => "encrypted, now decrypted",
        (Some(_), false) => "encrypted",
    };
    let signed = if summary.trailer.signed { "; signed" } else { "" };
    let format = match file.format() {
        Format::Pskc => String::new(),
        format => format!("; {}", format.what()),
    };
    let keys = summary.counted();
    super::atomic_output::printed(writeln!(out, "{keys}, {protection}{signed}{format}"))?;
    file.warn();
    file.warn_of_unusable();
    Ok(())
}

const HEADING: [&str; 9] =
    ["ID", "TYPE", "SERIAL NUMBER", "DIGITS", "COUNTER/STEP", "SECRET", "ISSUER", "VALID", "POLICY"];

/// Column widths, and whether a column is right-aligned (numbers).
const WIDTHS: [(usize, bool); 9] =
    [(24, false), (8, false), (20, false), (6, true), (12, true), (10, false), (16, false), (22, false), (0, false)];

fn line(cells: [String; 9]) -> String {
    let mut line = String::with_capacity(160);
    for (cell, (width, is_right)) in cells.iter().zip(WIDTHS) {
        let blanks = " ".repeat(width.saturating_sub(cell.chars().count()));
        let (before, after) = if is_right { (&*blanks, "") } else { ("", &*blanks) };
        line.extend([before, cell, after, " "]);
    }
    line.truncate(line.trim_end().len());
    line
}

fn cells(package: &KeyPackage, show: bool) -> [String; 9] {
    let key = package.key.as_ref();
    let data = key.and_then(|key| key.data.as_ref());
    let device = package.device_info.as_ref();
    let algorithm = key.and_then(|key| key.algorithm.as_deref()).unwrap_or_default();
    let name = algorithm.rsplit([':', '#']).next().unwrap_or_default();
    let digits = key.and_then(|key| key.algorithm_parameters.as_ref()?.response_format.map(|format| format.length));
    let counter = data.and_then(|data| data.counter.as_ref()?.plain().map(ToString::to_string));
    let interval = data.and_then(|data| data.time_interval.as_ref()?.plain().map(|seconds| format!("{seconds} s")));
    let secret = match data.and_then(|data| data.secret.as_ref()) {
        Some(Value::Plain(secret)) if show => data_encoding::HEXLOWER.encode(secret.expose()),
        Some(Value::Plain(secret)) => count(secret.len() as u64, "octet"),
        Some(Value::Encrypted(_)) => "encrypted".to_owned(),
        None => String::new(),
    };
    let policy = key.and_then(|key| key.policy.as_ref());
    let of_key = policy.and_then(|policy| dates(policy.start_date, policy.expiry_date));
    let of_device = device.and_then(|device| dates(device.start_date, device.expiry_date));
    let valid = of_key.into_iter().chain(of_device.map(|dates| format!("device {dates}"))).collect::<Vec<_>>();
    [
        key.map(|key| shown(&key.id)).unwrap_or_default(),
        shown(name),
        device.and_then(|device| device.serial_no.as_deref()).map(shown).unwrap_or_default(),
        digits.map(|digits| digits.to_string()).unwrap_or_default(),
        counter.or(interval).unwrap_or_default(),
        secret,
        key.and_then(|key| key.issuer.as_deref()).map(shown).unwrap_or_default(),
        valid.join(", "),
        policy.map(rules).unwrap_or_default(),
    ]
}

/// The validity, by days if it begins and ends at midnight.
fn dates(from: Option<DateTime>, until: Option<DateTime>) -> Option<String> {
    let day = |time: DateTime| time.to_string().trim_end_matches("T00:00:00Z").to_owned();
    match (from.map(day), until.map(day)) {
        (Some(from), Some(until)) => Some(format!("{from}..{until}")),
        (Some(from), None) => Some(format!("from {from}")),
        (None, Some(until)) => Some(format!("until {until}")),
        (None, None) => None,
    }
}

/// The policy without dates.
fn rules(policy: &Policy) -> String {
    let mut rules: Vec<String> = Vec::new();
    if !policy.is_understood() {
        rules.push("unknown elements: must not be used".to_owned());
    }
    if !policy.key_usage.is_empty() {
        rules.push(policy.key_usage.iter().map(|usage| usage.as_str()).collect::<Vec<_>>().join(" "));
    }
    rules.extend(policy.number_of_transactions.map(|number| count(number, "use")));
    if let Some(pin) = &policy.pin_policy {
        let mode = pin.pin_usage_mode.map(|mode| format!(" {}", mode.as_str())).unwrap_or_default();
        let key = pin.pin_key_id.as_deref().map(|id| format!(" of key {}", shown(id))).unwrap_or_default();
        rules.push(format!("PIN{mode}{key}"));
    }
    rules.join(", ")
}
