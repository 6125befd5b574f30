//! `--trace`: readable messages, and the values behind them.

use std::fmt::Write as _;

use data_encoding::HEXLOWER;
use serde_json::{Value, json};

use super::derive::{self, Derived};
use super::environment::{DemoEnvironment, DemoRun};
use crate::output::Failure;

/// Octets of a value per line.
const LINE: usize = 32;

/// One run, explained.
pub(super) struct Explained {
    /// Sender and receiver, and the message.
    messages: Vec<(&'static str, String)>,
    values: Vec<Derived>,
}

pub(super) fn explain(demo: &DemoEnvironment, run: &DemoRun) -> Result<Explained, Failure> {
    let text = |octets: &[u8]| String::from_utf8_lossy(octets).into_owned();
    let mut messages = Vec::new();
    if let Some(trigger) = &run.trigger {
        messages.push(("server -> token", text(trigger)));
    }
    for exchange in &run.exchanges {
        messages.push(("token -> server", text(&exchange.request)));
        messages.push(("server -> token", text(&exchange.answer)));
    }
    Ok(Explained { messages, values: derive::values(demo, run)? })
}

impl Explained {
    /// As text.
    pub(super) fn text(&self) -> String {
        let mut text = String::new();
        for (way, message) in &self.messages {
            let _ = writeln!(text, "\n  {way}, {} octets (without these line breaks)", message.len());
            text.push_str(&indented(message));
        }
        text.push_str("\n  Derived values:\n");
        for Derived { name, formula, octets, equals } in &self.values {
            let _ = writeln!(text, "  {name} = {formula}");
            for line in octets.chunks(LINE) {
                let _ = writeln!(text, "      {}", HEXLOWER.encode(line));
            }
            if let Some(equals) = equals {
                let _ = writeln!(text, "      equals {equals}");
            }
        }
        text
    }

    /// As JSON; messages are unchanged.
    pub(super) fn document(&self, title: &str) -> Value {
        let messages = self.messages.iter().map(|(way, xml)| json!({ "way": way, "xml": xml }));
        let values = self.values.iter().map(|Derived { name, formula, octets, equals }| {
            json!({ "name": name, "formula": formula, "hex": HEXLOWER.encode(octets), "equals": equals })
        });
        json!({ "title": title, "messages": messages.collect::<Vec<_>>(), "values": values.collect::<Vec<_>>() })
    }
}

/// Puts each element on its own line: messages of this program have no white space between elements.
fn indented(xml: &str) -> String {
    let mut text = String::new();
    let mut depth = 2;
    for part in xml.replace("><", ">\n<").lines() {
        let closes = part.starts_with("</");
        depth -= usize::from(closes);
        let _ = writeln!(text, "{:1$}{part}", "", 2 * depth);
        let opens = part.starts_with('<') && !part.starts_with("<?") && !part.ends_with("/>") && !part.contains("</");
        depth += usize::from(opens && !closes);
    }
    text
}

#[cfg(test)]
mod tests {
    #[test]
    fn each_element_is_on_its_own_line() {
        let text = super::indented("<?xml version=\"1.0\"?><a b=\"c\"><d>e</d><f/><g><h>i</h></g></a>");
        let lines = ["    <?xml version=\"1.0\"?>", "    <a b=\"c\">", "      <d>e</d>", "      <f/>", "      <g>"];
        let rest = ["        <h>i</h>", "      </g>", "    </a>", ""];
        assert_eq!(text, [&lines[..], &rest].concat().join("\n"));
    }
}
