//! `dskpp admin device import`: devices in bulk.

mod csv;
mod pskc;

use clap::{Args, ValueEnum};
use serde_json::{Value, json};
use tokio::sync::mpsc;

use crate::api::{Api, list, number};
use crate::output::{Failure, Output};
use crate::pskc::document::Document;
use crate::pskc::format::Format as KeyFormat;
use crate::pskc::input::{Input, Source};
use crate::pskc::kind::Kind;
use crate::pskc::reading::Reading;
use crate::shown::{count, shown};

/// Devices in one request, and how long their texts may be together: the server takes 1000 in 8 MiB.
const BATCH: usize = 500;
const MOST_TEXT: usize = 4 * 1024 * 1024;
/// Lines of a report for people, at most; `--json` tells all.
const MOST: usize = 50;

/// What the devices stand in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// A table with the heading manufacturer, serial, key_name and shared_key_hex, certificate_file or certificate_pem
    Csv,
    /// Key packages (RFC 6030), each with its device and the key that the device shares with the server
    Pskc,
}

impl Format {
    /// What a document is, by its content.
    fn of(document: &Document) -> Result<Self, Failure> {
        let name = document.name();
        match document.kind()? {
            Kind::Keys(KeyFormat::Csv) => Ok(Format::Csv),
            Kind::Keys(KeyFormat::Pskc) => Ok(Format::Pskc),
            Kind::Keys(other) => Err(Failure::new(format!("{name} is {}", other.what()))
                .next("devices come in a table (CSV) or in PSKC; keys of users are for `dskpp admin key import`")),
            Kind::Other(what, next) => Err(Failure::new(format!("{name} is {what}")).next(next)),
            Kind::Text | Kind::Unknown => Err(Failure::new(format!("{name} is neither a table nor a key file"))
                .next("devices come in a table (CSV) or in PSKC")),
        }
    }
}

#[derive(Args)]
pub(in crate::admin) struct Import {
    #[command(flatten)]
    source: Source,

    /// What the file is; told by its content if not given
    #[arg(long, value_enum)]
    format: Option<Format>,
}

/// A device of the file.
struct Row {
    /// The line or the number of the key package, from 1.
    number: u64,
    manufacturer: String,
    serial: String,
    /// What the server is sent, or why it is not.
    device: Result<Value, String>,
}

/// Takes the devices one after the other.
type Each<'a> = &'a mut dyn FnMut(Row) -> Result<(), Failure>;

impl Import {
    /// Sends the devices in batches. Those that the server has already are told as such, so an import that was
    /// interrupted can be run again.
    pub(in crate::admin) async fn run(self, api: &Api, output: &Output) -> Result<(), Failure> {
        let document = Document::open(&self.source.file)?;
        let format = self.format.map_or_else(|| Format::of(&document), Ok)?;
        let unit = if format == Format::Csv { "line" } else { "key" };
        let (sender, mut rows) = mpsc::channel(2);
        let reading = tokio::task::spawn_blocking(move || self.read(document, format, &sender));
        let mut report = Report { unit, ..Report::default() };
        while let Some(batch) = rows.recv().await {
            report.send(api, batch).await?;
        }
        let read = reading.await.map_err(|_| Failure::new("the file could not be read to its end"))?;
        read.map_err(|why| match report.accepted {
            0 => why,
            accepted => why.next(format!("{} before that place: run it again", count(accepted, "registered device"))),
        })?;
        report.print(output)
    }

    fn read(self, document: Document, format: Format, sender: &mpsc::Sender<Vec<Row>>) -> Result<(), Failure> {
        let (mut batch, mut text) = (Vec::new(), 0);
        let mut each = |row: Row| {
            text += row.device.as_ref().map_or(0, |device| device.to_string().len());
            batch.push(row);
            if batch.len() == BATCH || text > MOST_TEXT {
                text = 0;
                let full = std::mem::take(&mut batch);
                return sender.blocking_send(full).map_err(|_| Failure::new("the server does not take the devices"));
            }
            Ok(())
        };
        match format {
            Format::Csv if self.source.unlock.is_given() => {
                return Err(Failure::usage("a table is not encrypted: what opens a file is for --format pskc"));
            }
            Format::Csv => csv::read(&document, &self.source.file, &mut each)?,
            Format::Pskc => {
                let input = Input { source: self.source, reading: Reading::default() };
                pskc::read(&input.read(document, true)?, &mut each)?;
            }
        }
        // Where nobody takes it any more, the reason is told there.
        let _ = sender.blocking_send(batch);
        Ok(())
    }
}

/// What became of the devices.
#[derive(Default)]
struct Report {
    unit: &'static str,
    accepted: u64,
    duplicate: Vec<Value>,
    refused: Vec<Value>,
}

impl Report {
    async fn send(&mut self, api: &Api, batch: Vec<Row>) -> Result<(), Failure> {
        let (mut devices, mut numbers) = (Vec::new(), Vec::new());
        for Row { number, manufacturer, serial, device } in batch {
            match device {
                Ok(device) => {
                    devices.push(device);
                    numbers.push(number);
                }
                Err(reason) => self.refused.push(json!({
                    self.unit: number, "manufacturer": manufacturer, "serial": serial, "reason": reason,
                })),
            }
        }
        if devices.is_empty() {
            return Ok(());
        }
        let answer = api.post("/devices/import", &json!({ "devices": devices })).await?;
        self.accepted += number(&answer, "accepted")?;
        for (name, lines) in [("duplicate", &mut self.duplicate), ("refused", &mut self.refused)] {
            for mut line in list(&answer, name)? {
                let index = line["index"].as_u64().and_then(|index| usize::try_from(index).ok());
                if let Some(object) = line.as_object_mut() {
                    object.remove("index");
                    object.insert(self.unit.into(), json!(index.and_then(|index| numbers.get(index))));
                }
                lines.push(line);
            }
        }
        Ok(())
    }

    fn print(mut self, output: &Output) -> Result<(), Failure> {
        self.refused.sort_by_key(|line| line[self.unit].as_u64());
        let Report { unit, accepted, duplicate, refused } = &self;
        let document = json!({
            "accepted": accepted,
            "duplicate": duplicate.len(),
            "refused": refused.len(),
            "duplicates": duplicate,
            "refusals": refused,
        });
        output.print(&document, || {
            let line = |kind: &str, device: &Value| {
                let text = |name: &str| shown(device[name].as_str().unwrap_or_default());
                let reason = device["reason"].as_str().map(|reason| format!(": {}", shown(reason))).unwrap_or_default();
                format!("  {unit} {} ({}:{}) is {kind}{reason}", device[*unit], text("manufacturer"), text("serial"))
            };
            let told = refused.iter().map(|device| line("refused", device));
            let told = told.chain(duplicate.iter().map(|device| line("there already", device)));
            let first = count(*accepted, "device");
            let first = format!("{first} registered, {} there already, {} refused", duplicate.len(), refused.len());
            let mut lines: Vec<String> = std::iter::once(first).chain(told.take(MOST)).collect();
            if refused.len() + duplicate.len() > MOST {
                lines.push("  … (--json tells all)".to_owned());
            }
            lines.join("\n")
        })?;
        // All has been said: only the exit code is left to tell.
        if refused.is_empty() { Ok(()) } else { std::process::exit(1) }
    }
}

/// A text that may be shown and sent: longer ones are no names.
fn cut(text: &str) -> String {
    const MOST_NAME: usize = 256;
    text.chars().take(MOST_NAME + 1).collect()
}
