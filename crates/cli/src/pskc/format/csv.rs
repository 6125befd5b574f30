//! A table: one line per key, columns as in the JSON objects, those of the policy as `policy.…`.
//!
//! A spreadsheet runs a cell that begins with `=` or the like as a formula. Such cells are written with a leading `'`,
//! as people type it for the same purpose; reading removes it.

use std::borrow::Cow;

use csv::{Reader, ReaderBuilder, StringRecord, Terminator};
use pskc::KeyPackage;
use serde_json::{Map, Value as Json};

use super::columns::{COLUMNS, Column};
use super::heading::heading;
use super::json::UnreadMembers;
use super::quotes::Quotes;
use super::secret::Encoding;
use super::{FormatError, loose};
use crate::pskc::describe::{self, Pins};
use crate::pskc::notes::Notes;
use crate::shown::count;

/// Writes the heading before the first row.
#[derive(Default)]
pub(in crate::pskc) struct Table {
    begun: bool,
}

impl Table {
    pub(super) fn row(&mut self, package: &KeyPackage, pins: &Pins) -> Result<String, String> {
        let Json::Object(mut members) = describe::package(package, Some(pins)) else { return Ok(String::new()) };
        if let Some(Json::Object(policy)) = members.remove("policy") {
            members.extend(policy.into_iter().map(|(name, value)| (format!("policy.{name}"), value)));
        }
        let mut writer = csv::Writer::from_writer(Vec::new());
        let fault = |why: csv::Error| why.to_string();
        if !std::mem::replace(&mut self.begun, true) {
            writer.write_record(COLUMNS).map_err(fault)?;
        }
        writer.write_record(COLUMNS.iter().map(|column| cell(members.get(*column)))).map_err(fault)?;
        let row = writer.into_inner().map_err(|why| why.to_string())?;
        Ok(String::from_utf8_lossy(&row).into_owned())
    }
}

fn cell(value: Option<&Json>) -> String {
    let text = match value {
        None => String::new(),
        Some(Json::String(text)) => text.clone(),
        Some(Json::Array(list)) => list.iter().filter_map(Json::as_str).collect::<Vec<_>>().join(" "),
        Some(other) => other.to_string(),
    };
    if is_marked(&text) { format!("'{text}") } else { text }
}

/// Whether a spreadsheet would run the cell, with or without leading `'`, or trim it.
fn is_marked(cell: &str) -> bool {
    let cell = cell.trim_start_matches('\'');
    let inner = cell.trim();
    inner.len() != cell.len() || inner.starts_with(['=', '+', '-', '@', '\u{FF1D}', '\u{FF0B}', '\u{FF0D}', '\u{FF20}'])
}

/// Undoes [`cell`]; in other cells, surrounding spaces do not matter.
fn plain(cell: &str) -> &str {
    if let Some(rest) = cell.strip_prefix('\'').filter(|rest| is_marked(rest)) {
        return rest;
    }
    let text = cell.trim();
    of_excel(text).unwrap_or(text)
}

/// The trimmed text in `="0012"`, which keeps a spreadsheet from converting it to a number.
fn of_excel(cell: &str) -> Option<&str> {
    let text = cell.strip_prefix("=\"")?.strip_suffix('"')?;
    (!text.contains('"')).then_some(text.trim())
}

/// The keys in a table. `columns` names its columns if it has no heading or unknown names.
///
/// # Errors
/// What is wrong, in which line, and what to do.
pub(super) fn read(text: &str, columns: Option<&[String]>, notes: &mut Notes) -> Result<Vec<KeyPackage>, FormatError> {
    let (separator, text, before) = separator(text, notes);
    let mut quotes = Quotes::new(separator, before + 1);
    quotes.read(text).and_then(|()| quotes.end()).map_err(FormatError::from)?;
    let mut records = Records::new(text, separator, before);
    let Some(first) = records.next()? else { return Ok(Vec::new()) };
    let names: Vec<&str> = match columns {
        Some(columns) => columns.iter().map(String::as_str).collect(),
        None => records.record.iter().collect(),
    };
    let columns_given = columns.is_some();
    let mut columns = heading(&names, columns_given, text)?;
    let is_heading = !columns_given || names_secret(&records.record, &columns);
    if is_heading && columns_given {
        notes.add("skipped: it is a heading".to_owned(), || format!("line {first}"));
    }
    decide(&mut columns, &names, text, separator, is_heading, before, notes)?;
    let mut packages = Vec::new();
    let mut next = if is_heading { records.next()? } else { Some(first) };
    while let Some(line) = next {
        let mut note = |what: String| notes.add(what, || format!("line {line}"));
        if let Some(members) = row(&columns, &records.record, &mut note).map_err(|why| why.at(line))? {
            packages.push(super::json::package(members).map_err(|why| FormatError::from(why).at(line))?);
        }
        next = records.next()?;
    }
    Ok(packages)
}

/// The numbered lines of a table.
struct Records<'a> {
    text: &'a [u8],
    reader: Reader<&'a [u8]>,
    record: StringRecord,
    /// Lines before the table.
    before: u64,
}

impl<'a> Records<'a> {
    fn new(text: &'a [u8], separator: u8, before: u64) -> Self {
        // With CRLF, the CR stays in the last cell, where it is trimmed.
        let end = if text.contains(&b'\n') { b'\n' } else { b'\r' };
        let mut builder = ReaderBuilder::new();
        builder.delimiter(separator).terminator(Terminator::Any(end)).has_headers(false).flexible(true);
        Records { text, reader: builder.from_reader(text), record: StringRecord::new(), before }
    }

    fn next(&mut self) -> Result<Option<u64>, FormatError> {
        if !self.reader.read_record(&mut self.record).map_err(|why| FormatError::from(why.to_string()))? {
            return Ok(None);
        }
        let start = self.record.position().map_or((0, 0), |at| (at.line(), at.byte()));
        let rest = usize::try_from(start.1).ok().and_then(|byte| self.text.get(byte..)).unwrap_or_default();
        let blank = rest.iter().take_while(|octet| **octet == b'\n').count() as u64;
        Ok(Some(start.0 + blank + self.before))
    }
}

/// The separator, the table, and the number of lines before it.
fn separator<'a>(text: &'a str, notes: &mut Notes) -> (u8, &'a [u8], u64) {
    // Excel reads and writes a first line that names the separator.
    if let Some(&[b's' | b'S', b'e' | b'E', b'p' | b'P', b'=', separator]) = text.lines().next().map(str::as_bytes) {
        return (separator, text.split_once('\n').map_or("", |(_, rest)| rest).as_bytes(), 1);
    }
    let (separator, name) = likely_separator(text);
    if separator != b',' {
        notes.add(format!("the columns are separated by {name}"), || "line 1".to_owned());
    }
    (separator, text.as_bytes(), 0)
}

/// The most frequent separator outside quotes in the first line, and its name.
pub(crate) fn likely_separator(text: &str) -> (u8, &'static str) {
    let line = text.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
    let mut is_quoted = false;
    let bare = line.bytes().filter(|octet| {
        is_quoted ^= *octet == b'"';
        !is_quoted
    });
    let mut counts = [(b',', "commas", 0), (b';', "semicolons", 0), (b'\t', "tabs", 0), (b'|', "bars", 0)];
    for octet in bare {
        counts.iter_mut().filter(|(separator, ..)| *separator == octet).for_each(|(.., count)| *count += 1);
    }
    let more = |most, other: (u8, &'static str, u32)| if other.2 > (most as (_, _, u32)).2 { other } else { most };
    let (separator, name, _) = counts[1..].iter().copied().fold(counts[0], more);
    (separator, name)
}

/// Whether the secret's cell holds a column name.
fn names_secret(record: &StringRecord, columns: &[Column]) -> bool {
    let at = columns.iter().position(|column| matches!(column, Column::Secret(_)));
    let cell = at.and_then(|at| record.get(at));
    cell.is_some_and(|cell| matches!(Column::of(cell), Some(Column::Secret(_))))
}

/// Determines the encoding of the secrets, if the column name does not: the one that fits all of them.
fn decide(
    columns: &mut [Column],
    names: &[&str],
    text: &[u8],
    separator: u8,
    has_heading: bool,
    before: u64,
    notes: &mut Notes,
) -> Result<(), FormatError> {
    let Some(at) = columns.iter().position(|column| *column == Column::Secret(None)) else { return Ok(()) };
    let mut records = Records::new(text, separator, before);
    if has_heading {
        records.next()?;
    }
    // The first lines whose secret is not hexadecimal, and not Base32.
    let (mut not_hex, mut not_base32) = (None, None);
    while not_hex.is_none() || not_base32.is_none() {
        let Some(line) = records.next()? else { break };
        let cell = records.record.get(at).map(plain).unwrap_or_default();
        if not_hex.is_none() && !cell.is_empty() && Encoding::Hex.decode(cell).is_err() {
            not_hex = Some(line);
        }
        if not_base32.is_none() && !cell.is_empty() && Encoding::Base32.decode(cell).is_err() {
            not_base32 = Some(line);
        }
    }
    let name = names[at].trim();
    let encoding = match (not_hex, not_base32) {
        (None, Some(_)) => Encoding::Hex,
        (Some(_), None) => Encoding::Base32,
        (not_hex, not_base32) => {
            let what = match (not_hex, not_base32) {
                (Some(hex), Some(base32)) => format!(
                    "the secrets in the column {name:?} are not all hexadecimal (line {hex}), and not all Base32 (line \
                     {base32})"
                ),
                _ => format!("the secrets in the column {name:?} could be hexadecimal or Base32"),
            };
            return Err(FormatError::new(what, "name the column secret_hex, secret_base32 or secret_base64"));
        }
    };
    columns[at] = Column::Secret(Some(encoding));
    notes.add(format!("the secrets in the column {name:?} are read as {}", encoding.name()), || "line 1".to_owned());
    Ok(())
}

/// The values in a line; `None` if it is empty.
fn row(
    columns: &[Column],
    record: &StringRecord,
    note: &mut dyn FnMut(String),
) -> Result<Option<UnreadMembers>, FormatError> {
    if record.iter().all(|cell| cell.trim().is_empty()) {
        return Ok(None);
    }
    if record.len() < columns.len() {
        return Err(FormatError::from(format!(
            "it has {}, and there are {}",
            count(record.len() as u64, "cell"),
            count(columns.len() as u64, "column")
        )));
    }
    let (mut members, mut policy) = (UnreadMembers::default(), Map::new());
    for (i, cell) in record.iter().enumerate() {
        if of_excel(cell.trim()).is_some() {
            note(format!("the formula =\"…\" in column {} is read as the text in it", i + 1));
        }
        let mut cell = Cow::Borrowed(plain(cell));
        if cell.is_empty() {
            continue;
        }
        let name = match columns.get(i) {
            Some(Column::LeftOut) => {
                note(format!("the content of column {} is left out", i + 1));
                continue;
            }
            None | Some(Column::Unnamed) => {
                return Err(FormatError::from(format!("column {} has a value but no name", i + 1)));
            }
            Some(Column::Value(name)) => name,
            Some(Column::Date(name)) => {
                if let Some(date) = loose::date(name, &cell)? {
                    note(format!("{name} {cell:?} is read as {date}"));
                    cell = Cow::Owned(date);
                }
                name
            }
            Some(Column::Number(name)) => {
                if let Some(number) = loose::number(&cell) {
                    note(format!("{name} {cell:?} is read as {number}"));
                    cell = Cow::Owned(number.to_owned());
                }
                name
            }
            Some(Column::Hash) => "hash",
            Some(Column::Secret(Some(Encoding::Base32))) => "secret_base32",
            Some(Column::Secret(Some(Encoding::Base64))) => "secret_base64",
            Some(Column::Secret(_)) => "secret_hex",
        };
        if matches!(name, "serial" | "id") && is_shortened(&cell) {
            note(format!("the {name} looks like a number that a spreadsheet has shortened, such as 1.23E+11"));
        }
        if matches!(name, "serial" | "id") && is_no_value(&cell) {
            note(format!("the {name} {cell:?} is a spreadsheet's error value"));
        }
        match name.strip_prefix("policy.") {
            Some(name) => _ = policy.insert(name.to_owned(), (&*cell).into()),
            None => members.push(name, &*cell),
        }
    }
    if !policy.is_empty() {
        members.push("policy", policy);
    }
    Ok(Some(members))
}

/// `1.23457E+11`
fn is_shortened(cell: &str) -> bool {
    let is_number =
        |text: &str| !text.is_empty() && text.bytes().all(|octet| matches!(octet, b'0'..=b'9' | b'.' | b','));
    cell.split_once("E+").is_some_and(|(number, power)| is_number(number) && is_number(power))
}

/// `#N/A`, `#REF!` and their like.
fn is_no_value(cell: &str) -> bool {
    matches!(cell, "#N/A" | "#REF!" | "#NAME?" | "#VALUE!" | "#NUM!" | "#NULL!" | "#DIV/0!")
}

#[cfg(test)]
mod tests {
    use pskc::{DeviceInfo, Key, KeyData, Value};

    use super::*;

    const HOSTILE: [&str; 18] = [
        "=HYPERLINK(\"http://evil.example\")",
        "+1",
        "-1",
        "@SUM(A1)",
        "=",
        "\t=1",
        "\r=1",
        "\n=1",
        " =1",
        "'=1",
        "''=1",
        "'",
        "'quoted'",
        "it's",
        "\u{FF1D}1",
        "\u{FF0B}1",
        "a=b",
        "=1,\"2\"\n=3",
    ];

    #[test]
    fn spreadsheets_run_no_cell_and_every_cell_round_trips() {
        for text in HOSTILE {
            let name = || Some(text.to_owned());
            let secret = Some(Value::Plain(dskpp_crypto::Secret::from_slice(&[1; 20])));
            let key = Key {
                id: "k".into(),
                algorithm: Some("urn:ietf:params:xml:ns:keyprov:pskc:hotp".into()),
                issuer: name(),
                friendly_name: name(),
                user_id: name(),
                data: Some(KeyData { secret, counter: Some(Value::Plain(0)), ..KeyData::default() }),
                ..Key::default()
            };
            let device = DeviceInfo { manufacturer: name(), serial_no: name(), ..DeviceInfo::default() };
            let package = KeyPackage { device_info: Some(device), key: Some(key), ..KeyPackage::default() };
            let written = Table::default().row(&package, &Pins::default()).unwrap();
            let mut cells = csv::Reader::from_reader(written.as_bytes());
            for cell in cells.records().next().unwrap().unwrap().iter() {
                assert!(!cell.trim_start().starts_with(['=', '+', '-', '@', '\u{FF1D}', '\u{FF0B}']), "{cell:?}");
                assert!(!cell.starts_with(['\t', '\r', '\n']), "{cell:?}");
            }
            let read = read(&written, None, &mut Notes::default()).unwrap_or_else(|why| panic!("{}", why.what));
            let (device, key) = (read[0].device_info.as_ref().unwrap(), read[0].key.as_ref().unwrap());
            for found in [&device.manufacturer, &device.serial_no, &key.issuer, &key.friendly_name, &key.user_id] {
                assert_eq!(found.as_deref(), Some(text), "{written}");
            }
        }
    }
}
