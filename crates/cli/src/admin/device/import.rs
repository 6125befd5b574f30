//! `dskpp admin device import`: devices in bulk.

mod csv;
mod pskc;

use std::fmt;

use clap::{Args, ValueEnum};
use dskpp_api::{DeviceBatch, DeviceBatchReport, NewDeviceRequest, RejectedDevice, SecretString, paths};
use serde::Serialize;
use tokio::sync::mpsc;

use crate::api::Api;
use crate::output::{Failure, Output};
use crate::pskc::document::Document;
use crate::pskc::format::Format as KeyFormat;
use crate::pskc::input::{Input, KeySource};
use crate::pskc::kind::FileKind;
use crate::pskc::reading::ReadOptions;
use crate::shown::{count, shown};

/// Devices per request, and the limit for the length of their texts: the server accepts 1000 in 8 MiB.
const BATCH: usize = 500;
const MOST_TEXT: usize = 4 * 1024 * 1024;
/// At most this many lines of a text report; `--json` lists all.
const MOST: usize = 50;

/// The format of the list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum DeviceFormat {
    /// A table with the heading manufacturer, serial, key_name and shared_key_hex, certificate_file or certificate_pem
    Csv,
    /// Key packages (RFC 6030), each with a device and the key that the device shares with the server
    Pskc,
}

impl DeviceFormat {
    /// Detects the format of a document.
    fn of(document: &Document) -> Result<Self, Failure> {
        let name = document.name();
        match document.kind()? {
            FileKind::Keys(KeyFormat::Csv) => Ok(DeviceFormat::Csv),
            FileKind::Keys(KeyFormat::Pskc) => Ok(DeviceFormat::Pskc),
            FileKind::Keys(other) => Err(Failure::new(format!("{name} is {}", other.what()))
                .next("import devices from a table (CSV) or PSKC; import users' keys with `dskpp admin key import`")),
            FileKind::Other(what, next) => Err(Failure::new(format!("{name} is {what}")).next(next)),
            FileKind::Text | FileKind::Unknown => {
                Err(Failure::new(format!("{name} is neither a table nor a key file"))
                    .next("import devices from a table (CSV) or PSKC"))
            }
        }
    }
}

#[derive(Args)]
pub(in crate::admin) struct DeviceImportArgs {
    #[command(flatten)]
    source: KeySource,

    /// Format of the file [default: detected from its content]
    #[arg(long, value_enum, help_heading = "Format")]
    format: Option<DeviceFormat>,
}

/// A device of the file.
struct Row {
    place: DevicePlace,
    manufacturer: String,
    serial: String,
    /// The device to send, or why it is refused.
    device: Result<NewDeviceRequest, String>,
}

/// Receives the devices one by one.
type Each<'a> = &'a mut dyn FnMut(Row) -> Result<(), Failure>;

impl DeviceImportArgs {
    /// Sends the devices in batches. The server reports those it has already, so an interrupted import can be run
    /// again.
    pub(in crate::admin) async fn run(self, api: &Api, output: &Output) -> Result<(), Failure> {
        let document = Document::open(&self.source.file)?;
        let format = self.format.map_or_else(|| DeviceFormat::of(&document), Ok)?;
        let (sender, mut rows) = mpsc::channel(2);
        let reading = tokio::task::spawn_blocking(move || self.read(document, format, &sender));
        let mut report = DeviceImportReport::default();
        while let Some(batch) = rows.recv().await {
            report.send(api, batch).await?;
        }
        let read = reading.await.map_err(|_| Failure::new("cannot read the file to its end"))?;
        read.map_err(|why| match report.accepted {
            0 => why,
            accepted => why.next(format!(
                "{} before that point: run the command again",
                count(
                    accepted,
                    "registered \
                                          device"
                )
            )),
        })?;
        report.print(output)
    }

    fn read(self, document: Document, format: DeviceFormat, sender: &mpsc::Sender<Vec<Row>>) -> Result<(), Failure> {
        let (mut batch, mut text) = (Vec::new(), 0);
        let mut each = |row: Row| {
            text += row.device.as_ref().map_or(0, text_len);
            batch.push(row);
            if batch.len() == BATCH || text > MOST_TEXT {
                text = 0;
                let full = std::mem::take(&mut batch);
                return sender.blocking_send(full).map_err(|_| Failure::new("the server stopped accepting devices"));
            }
            Ok(())
        };
        match format {
            DeviceFormat::Csv if self.source.unlock.is_given() => {
                return Err(Failure::usage("tables are not encrypted: decryption options require --format pskc"));
            }
            DeviceFormat::Csv => csv::read(&document, &self.source.file, &mut each)?,
            DeviceFormat::Pskc => {
                let input = Input { source: self.source, reading: ReadOptions::default() };
                pskc::read(&input.read(document, true)?, &mut each)?;
            }
        }
        // If nobody receives it, the receiver reports why.
        let _ = sender.blocking_send(batch);
        Ok(())
    }
}

/// The approximate length of a device in JSON.
fn text_len(device: &NewDeviceRequest) -> usize {
    let NewDeviceRequest { manufacturer, serial, key_name, shared_key_hex, certificate_pem } = device;
    let key = shared_key_hex.as_ref().map_or("", SecretString::expose);
    let certificate = certificate_pem.as_deref().unwrap_or_default();
    [manufacturer, serial, key_name, key, certificate].iter().map(|text| text.len()).sum()
}

/// The place of a device in the file, from 1.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
enum DevicePlace {
    Line(u64),
    Key(u64),
}

impl fmt::Display for DevicePlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            DevicePlace::Line(number) => write!(f, "line {number}"),
            DevicePlace::Key(number) => write!(f, "key {number}"),
        }
    }
}

/// A device that was not registered.
#[derive(Serialize)]
struct Rejected {
    #[serde(flatten)]
    place: DevicePlace,
    manufacturer: String,
    serial: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

/// The outcome of the import.
#[derive(Default, Serialize)]
struct DeviceImportReport {
    accepted: u64,
    duplicate: usize,
    refused: usize,
    duplicates: Vec<Rejected>,
    refusals: Vec<Rejected>,
}

impl DeviceImportReport {
    async fn send(&mut self, api: &Api, batch: Vec<Row>) -> Result<(), Failure> {
        let (mut devices, mut places) = (Vec::new(), Vec::new());
        for Row { place, manufacturer, serial, device } in batch {
            match device {
                Ok(device) => {
                    devices.push(device);
                    places.push(place);
                }
                Err(reason) => self.refusals.push(Rejected { place, manufacturer, serial, reason: Some(reason) }),
            }
        }
        if devices.is_empty() {
            return Ok(());
        }
        let answer: DeviceBatchReport = api.post(paths::DEVICES_IMPORT, &DeviceBatch { devices }).await?;
        self.accepted += answer.accepted;
        for (told, lines) in [(answer.duplicate, &mut self.duplicates), (answer.refused, &mut self.refusals)] {
            for RejectedDevice { index, manufacturer, serial, reason } in told {
                let place = places.get(index).copied().ok_or_else(|| {
                    Failure::new(format!("the server reports on device {index} of {} sent", places.len()))
                })?;
                lines.push(Rejected { place, manufacturer, serial, reason });
            }
        }
        Ok(())
    }

    fn print(mut self, output: &Output) -> Result<(), Failure> {
        self.refusals.sort_by_key(|device| device.place);
        (self.duplicate, self.refused) = (self.duplicates.len(), self.refusals.len());
        output.print(&self, || {
            let line = |kind: &str, device: &Rejected| {
                let Rejected { place, manufacturer, serial, reason } = device;
                let reason = reason.as_ref().map(|reason| format!(": {}", shown(reason))).unwrap_or_default();
                format!("  {place} ({}:{}) {kind}{reason}", shown(manufacturer), shown(serial))
            };
            let told = self.refusals.iter().map(|device| line("refused", device));
            let told = told.chain(self.duplicates.iter().map(|device| line("already present", device)));
            let first = count(self.accepted, "device");
            let first = format!("{first} registered, {} already present, {} refused", self.duplicate, self.refused);
            let mut lines: Vec<String> = std::iter::once(first).chain(told.take(MOST)).collect();
            if self.refused + self.duplicate > MOST {
                lines.push("  … (--json lists all)".to_owned());
            }
            lines.join("\n")
        })?;
        // Everything is reported: only the exit code remains.
        if self.refused == 0 { Ok(()) } else { std::process::exit(1) }
    }
}

/// A text that is safe to show and send; the limit is longer than any valid name.
fn cut(text: &str) -> String {
    const MOST_NAME: usize = 256;
    text.chars().take(MOST_NAME + 1).collect()
}
