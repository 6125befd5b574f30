//! A table: one line for each key, columns as in the JSON objects, those of the policy as `policy.…`.
//!
//! A spreadsheet takes a cell that begins with `=` and its like for a formula and runs it. Such cells are written with
//! a `'` in front, which is what people type there for the same end, and read without it.

use pskc::KeyPackage;
use serde_json::{Map, Value as Json};

use crate::pskc::describe::{self, Pins};

/// Every column there can be, in the order in which they are written.
pub(in crate::pskc) const COLUMNS: &[&str] = &[
    "id",
    "algorithm",
    "algorithm_suite",
    "secret_hex",
    "counter",
    "time_offset",
    "time_interval",
    "time_drift",
    "response_length",
    "response_encoding",
    "response_check",
    "challenge_encoding",
    "challenge_min_length",
    "challenge_max_length",
    "challenge_check",
    "manufacturer",
    "serial",
    "model",
    "issue_no",
    "device_binding",
    "device_userid",
    "start_date",
    "expiry_date",
    "crypto_module",
    "issuer",
    "friendly_name",
    "key_userid",
    "key_profile",
    "key_reference",
    "policy.start_date",
    "policy.expiry_date",
    "policy.number_of_transactions",
    "policy.key_usage",
    "policy.pin_key_id",
    "policy.pin_usage",
    "policy.pin_max_failed_attempts",
    "policy.pin_min_length",
    "policy.pin_max_length",
    "policy.pin_encoding",
];

/// Other names that columns have in the field.
const ALIASES: &[(&str, &str)] =
    &[("secret", "secret_hex"), ("digits", "response_length"), ("type", "algorithm"), ("period", "time_interval")];

/// Writes rows; before the first one the heading.
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
    if is_run(&text) { format!("'{text}") } else { text }
}

/// Whether a spreadsheet would run the cell, or would if it had fewer `'` in front.
fn is_run(cell: &str) -> bool {
    let cell = cell.trim_start_matches('\'');
    cell.starts_with(['\t', '\r', '\n'])
        || cell.trim_start().starts_with(['=', '+', '-', '@', '\u{FF1D}', '\u{FF0B}', '\u{FF0D}', '\u{FF20}'])
}

/// What a cell says that [`cell`] may have written.
fn plain(cell: &str) -> &str {
    cell.strip_prefix('\'').filter(|rest| is_run(rest)).unwrap_or(cell)
}

pub(super) fn read(text: &str, default: Option<&str>) -> Result<Vec<KeyPackage>, String> {
    let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(text.as_bytes());
    let heading = reader.headers().map_err(|why| why.to_string())?.clone();
    let columns = heading.iter().map(column).collect::<Result<Vec<_>, _>>()?;
    let mut packages = Vec::new();
    for (i, record) in reader.records().enumerate() {
        let line = i + 2; // as people count them, where no cell has several lines
        let record = record.map_err(|why| why.to_string())?;
        let (mut members, mut policy) = (Map::new(), Map::new());
        for (column, cell) in columns.iter().zip(&record).filter(|(_, cell)| !cell.is_empty()) {
            match column.strip_prefix("policy.") {
                Some(name) => policy.insert(name.to_owned(), plain(cell).into()),
                None => members.insert((*column).to_owned(), plain(cell).into()),
            };
        }
        if !policy.is_empty() {
            members.insert("policy".into(), policy.into());
        }
        packages.push(super::json::package(members, default).map_err(|why| format!("line {line}: {why}"))?);
    }
    Ok(packages)
}

fn column(name: &str) -> Result<&'static str, String> {
    let name = name.trim_start_matches('\u{FEFF}').to_ascii_lowercase();
    let name = ALIASES.iter().find(|(alias, _)| *alias == name).map_or(name.as_str(), |(_, column)| column);
    let known = COLUMNS.iter().find(|column| **column == name);
    known.copied().ok_or_else(|| format!("the column {name} is not known; known are {}", COLUMNS.join(", ")))
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
    fn no_cell_is_run_by_a_spreadsheet_and_each_is_read_as_it_was() {
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
            let read = read(&written, None).unwrap();
            let (device, key) = (read[0].device_info.as_ref().unwrap(), read[0].key.as_ref().unwrap());
            for found in [&device.manufacturer, &device.serial_no, &key.issuer, &key.friendly_name, &key.user_id] {
                assert_eq!(found.as_deref(), Some(text), "{written}");
            }
        }
    }
}
