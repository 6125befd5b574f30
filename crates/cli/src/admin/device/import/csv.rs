//! Devices in a table: a heading line, then one line each.

use std::io::{BufRead as _, Read as _};
use std::path::{Path, PathBuf};

use csv::{ErrorKind, ReaderBuilder, StringRecord, Terminator, Trim};
use dskpp_api::NewDeviceRequest;

use super::{DevicePlace, Each, Row, cut};
use crate::output::Failure;
use crate::pskc::document::Document;
use crate::pskc::format::{Quotes, likely_separator};

const COLUMNS: [&str; 6] =
    ["manufacturer", "serial", "key_name", "shared_key_hex", "certificate_file", "certificate_pem"];
const NEEDED: usize = 3;
/// The longest cell and certificate file, in octets.
const MOST_CELL: usize = 64 * 1024;

const BEGIN: &str = "-----BEGIN CERTIFICATE-----";
const END: &str = "-----END CERTIFICATE-----";

/// # Errors
/// The file cannot be read, or its heading is not that of a device table.
pub(super) fn read(document: &Document, path: &Path, each: Each<'_>) -> Result<(), Failure> {
    let unreadable = |why: csv::Error| Failure::new(format!("cannot read the table: {why}"));
    let mut first = String::new();
    document.reader()?.take(MOST_CELL as u64).read_line(&mut first).map_err(|why| unreadable(why.into()))?;
    let separator = likely_separator(&first).0;
    must_be_quoted_well(document, separator)?;
    let mut reader = ReaderBuilder::new()
        .delimiter(separator)
        .terminator(Terminator::Any(b'\n')) // a CR before it is trimmed
        .trim(Trim::All)
        .flexible(true)
        .from_reader(document.reader()?);
    let heading = columns(reader.headers().map_err(unreadable)?)?;
    let folder = path.parent().map(Path::to_owned).unwrap_or_default();
    let mut record = StringRecord::new();
    loop {
        let line = reader.position().line();
        match reader.read_record(&mut record) {
            Ok(true) if record.iter().all(str::is_empty) => {}
            Ok(true) => each(row(line, &heading, &record, &folder))?,
            Ok(false) => return Ok(()),
            Err(why) if matches!(why.kind(), ErrorKind::Utf8 { .. }) => {
                let (manufacturer, serial) = Default::default();
                each(Row {
                    place: DevicePlace::Line(line),
                    manufacturer,
                    serial,
                    device: Err("not UTF-8".to_owned()),
                })?;
            }
            Err(why) => return Err(unreadable(why)),
        }
    }
}

/// Refuses a table with ambiguous quotation marks.
fn must_be_quoted_well(document: &Document, separator: u8) -> Result<(), Failure> {
    let wrong = |why: String| Failure::new(format!("cannot read the table: {why}")).next("correct the quotation marks");
    let (mut quotes, mut source) = (Quotes::new(separator, 1), document.reader()?);
    loop {
        let octets = source.fill_buf().map_err(|why| Failure::new(format!("cannot read the table: {why}")))?;
        if octets.is_empty() {
            return quotes.end().map_err(wrong);
        }
        quotes.read(octets).map_err(wrong)?;
        let len = octets.len();
        source.consume(len);
    }
}

/// The columns in order.
fn columns(heading: &StringRecord) -> Result<Vec<&'static str>, Failure> {
    let mut columns = Vec::new();
    for name in heading {
        let name = name.trim_start_matches('\u{FEFF}');
        if name.is_empty() {
            columns.push(""); // spreadsheets write columns without name and value
            continue;
        }
        let wrong = |what| {
            Failure::new(format!("column {:?} is {what}", cut(name)))
                .next(format!("the first line must name the columns: {}", COLUMNS.join(", ")))
        };
        let known = COLUMNS.into_iter().find(|column| column.eq_ignore_ascii_case(name));
        match known.ok_or_else(|| wrong("unknown"))? {
            column if columns.contains(&column) => return Err(wrong("duplicated")),
            column => columns.push(column),
        }
    }
    match COLUMNS.iter().take(NEEDED).find(|needed| !columns.contains(needed)) {
        Some(missing) => Err(Failure::new(format!("the table has no column {missing}"))
            .next(format!("the first line must name the columns: {}", COLUMNS.join(", ")))),
        None => Ok(columns),
    }
}

fn row(number: u64, heading: &[&'static str], record: &StringRecord, folder: &Path) -> Row {
    let cell = |name: &str| {
        let at = heading.iter().position(|column| *column == name);
        at.and_then(|at| record.get(at)).unwrap_or_default()
    };
    let device = device(cell, heading, record, folder);
    Row {
        place: DevicePlace::Line(number),
        manufacturer: cut(cell("manufacturer")),
        serial: cut(cell("serial")),
        device,
    }
}

fn is_unnamed(heading: &[&str], i: usize) -> bool {
    heading.get(i).is_none_or(|name| name.is_empty())
}

fn device<'a>(
    cell: impl Fn(&str) -> &'a str,
    heading: &[&str],
    record: &StringRecord,
    folder: &Path,
) -> Result<NewDeviceRequest, String> {
    if record.iter().any(|cell| cell.len() > MOST_CELL) {
        return Err(format!("a cell has more than {MOST_CELL} octets"));
    }
    if record.len() < heading.len()
        || record.iter().zip(0..).any(|(cell, i)| !cell.is_empty() && is_unnamed(heading, i))
    {
        return Err("the line has more or fewer cells than the heading".to_owned());
    }
    let given = |name| Some(cell(name)).filter(|cell| !cell.is_empty());
    let certificate_pem = match (given("certificate_file"), given("certificate_pem")) {
        (Some(_), Some(_)) => return Err("certificate_file and certificate_pem are mutually exclusive".to_owned()),
        (Some(file), None) => Some(certificate(&folder.join(file))?),
        (None, pem) => pem.map(str::to_owned),
    };
    Ok(NewDeviceRequest {
        manufacturer: cell("manufacturer").to_owned(),
        serial: cell("serial").to_owned(),
        key_name: cell("key_name").to_owned(),
        shared_key_hex: given("shared_key_hex").map(|hex| hex.to_owned().into()),
        certificate_pem,
    })
}

/// Reads a certificate file and nothing else from it: the table's author may have named any file.
fn certificate(path: &PathBuf) -> Result<String, String> {
    let unreadable = |why: std::io::Error| format!("cannot read certificate_file: {why}");
    let file = std::fs::File::open(path).map_err(unreadable)?;
    // A device or pipe may never end, or block.
    if !file.metadata().map_err(unreadable)?.is_file() {
        return Err("certificate_file is not a file".to_owned());
    }
    let mut text = Vec::new();
    file.take(MOST_CELL as u64).read_to_end(&mut text).map_err(unreadable)?;
    let text = String::from_utf8_lossy(&text);
    let found = text.split_once(BEGIN).and_then(|(_, rest)| rest.split_once(END));
    match found {
        Some((body, rest)) if !rest.contains(BEGIN) => Ok(format!("{BEGIN}{body}{END}\n")),
        _ => Err("certificate_file must contain exactly one PEM certificate".to_owned()),
    }
}
