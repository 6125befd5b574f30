//! A table: one line for each key, columns as in the JSON objects, those of the policy as `policy.…`.

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
    match value {
        None => String::new(),
        Some(Json::String(text)) => text.clone(),
        Some(Json::Array(list)) => list.iter().filter_map(Json::as_str).collect::<Vec<_>>().join(" "),
        Some(other) => other.to_string(),
    }
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
                Some(name) => policy.insert(name.to_owned(), cell.into()),
                None => members.insert((*column).to_owned(), cell.into()),
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
