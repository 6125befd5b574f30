//! Entries of the audit trail as one line each, for systems that collect them.

use clap::ValueEnum;
use dskpp_api::{AuditEntry, ListedAuditEntry, UnreadableAuditEntry};
use pskc::DateTime;
use serde_json::Value;

use crate::output::Failure;
use crate::shown;

/// The form of a line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// A JSON document, as the API gives it
    #[default]
    Json,
    /// ArcSight's Common Event Format, version 0
    Cef,
}

/// Events by which a secret leaves the server.
const READS_OF_SECRETS: [&str; 3] = ["key.exported", "keys.exported", "key.sent"];

impl Format {
    /// An entry, without the end of the line.
    pub(super) fn line(self, entry: &ListedAuditEntry) -> Result<String, Failure> {
        Ok(match self {
            Format::Json => shown::json(&serde_json::to_value(entry).map_err(Failure::new)?.to_string()),
            Format::Cef => cef(entry),
        })
    }
}

/// `CEF:0|vendor|product|version|event|event|severity|extension`.
fn cef(entry: &ListedAuditEntry) -> String {
    let (event, severity, extension) = match entry {
        ListedAuditEntry::Readable(entry) => (entry.event.as_str(), severity(&entry.event), extension(entry)),
        ListedAuditEntry::Unreadable(UnreadableAuditEntry { chain, seq, unreadable }) => {
            let place = format!("externalId={} msg=unreadable: {}", value(&place(chain, *seq)), value(unreadable));
            ("audit.unreadable", 9, place)
        }
    };
    let event = header(event);
    format!("CEF:0|dskpp|dskpp|{}|{event}|{event}|{severity}|{extension}", env!("CARGO_PKG_VERSION"))
}

fn severity(event: &str) -> u8 {
    match event {
        _ if READS_OF_SECRETS.contains(&event) => 7,
        "run.refused" => 5,
        _ => 3,
    }
}

fn extension(entry: &AuditEntry) -> String {
    let mut fields = vec![("externalId", place(&entry.chain, entry.seq))];
    // Milliseconds since 1970. A time that cannot be read stands in the message as it is.
    let at = entry.at.parse::<DateTime>().ok().map(|at| (at.unix_s() * 1000).to_string());
    fields.extend(at.map(|at| ("rt", at)));
    let subject: Value = serde_json::from_str(&entry.subject).unwrap_or_default();
    let text = |name: &str| subject.get(name).and_then(Value::as_str).map(str::to_owned);
    fields.extend(text("from").map(|from| (if from.contains(':') { "c6a2" } else { "src" }, from)));
    fields.extend(text("by").map(|by| ("suser", by)));
    fields.extend(text("user").map(|user| ("duser", user)));
    fields.push(("msg", entry.subject.clone()));
    fields.iter().map(|(name, text)| format!("{name}={}", value(text))).collect::<Vec<_>>().join(" ")
}

fn place(chain: &str, seq: i64) -> String {
    format!("{chain}/{seq}")
}

/// A field of the header: `\` and `|` are escaped.
fn header(text: &str) -> String {
    escaped(text, &['\\', '|'])
}

/// A value of the extension: `\` and `=` are escaped.
fn value(text: &str) -> String {
    escaped(text, &['\\', '='])
}

fn escaped(text: &str, special: &[char]) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '\n' => escaped.push_str("\\n"),
            '\r' => escaped.push_str("\\r"),
            character if character.is_control() => escaped.push('?'),
            character => {
                if special.contains(&character) {
                    escaped.push('\\');
                }
                escaped.push(character);
            }
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_cannot_add_fields_or_lines_to_a_cef_message() {
        let entry = AuditEntry {
            chain: "a|b".into(),
            seq: 7,
            at: "2026-01-31T12:00:00Z".into(),
            event: "key|sent\nCEF:0".into(),
            subject: r#"{"user":"eve src=1.2.3.4\nCEF:0|x","from":"192.0.2.1","by":"t=1"}"#.into(),
            hash: String::new(),
        };
        assert_eq!(
            Format::Cef.line(&ListedAuditEntry::Readable(entry)).ok().as_deref(),
            Some(concat!(
                "CEF:0|dskpp|dskpp|",
                env!("CARGO_PKG_VERSION"),
                r"|key\|sent\nCEF:0|key\|sent\nCEF:0|3|externalId=a|b/7 rt=1769860800000 src=192.0.2.1 suser=t\=1 ",
                r"duser=eve src\=1.2.3.4\nCEF:0|x ",
                r#"msg={"user":"eve src\=1.2.3.4\\nCEF:0|x","from":"192.0.2.1","by":"t\=1"}"#
            ))
        );
    }
}
