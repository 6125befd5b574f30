//! The writer.

use base64ct::{Base64, Encoding as _};
use zeroize::Zeroizing;

use super::lexical::is_char;

/// Writes a document to memory: no white space except the caller's, `<a/>` for an empty element,
/// so that the same calls always give the same octets.
///
/// Names are written unchanged: they must be valid names, with prefixes that
/// the caller has declared with `attr("xmlns:…", …)`. Values are escaped. A character that XML 1.0
/// cannot represent is written as U+FFFD; check with [`is_text`](super::is_text) beforehand.
///
/// ```
/// let mut writer = pskc::xml::Writer::new();
/// writer.start("a").attr("b", "<\"").text("1 & 2").start("c").end().end();
/// assert_eq!(writer.finish(), b"<a b=\"&lt;&quot;\">1 &amp; 2<c/></a>");
/// ```
#[derive(Default)]
pub struct Writer {
    out: String,
    open: Vec<String>,
    /// Whether the last start tag is still open for attributes.
    in_tag: bool,
}

impl Writer {
    /// An empty writer.
    pub fn new() -> Self {
        Self { out: String::with_capacity(2048), ..Self::default() }
    }

    /// Writes the XML declaration; must be the first call.
    pub fn declaration(&mut self) -> &mut Self {
        self.out.push_str("<?xml version=\"1.0\" encoding=\"UTF-8\"?>");
        self
    }

    /// Opens the element `name` (`prefix:local`).
    pub fn start(&mut self, name: &str) -> &mut Self {
        self.close_tag();
        self.out.push('<');
        self.out.push_str(name);
        self.open.push(name.to_owned());
        self.in_tag = true;
        self
    }

    /// Adds an attribute to the element just opened. After content, nothing is
    /// written.
    pub fn attr(&mut self, name: &str, value: &str) -> &mut Self {
        debug_assert!(self.in_tag, "attributes come directly after start()");
        if self.in_tag {
            self.out.push(' ');
            self.out.push_str(name);
            self.out.push_str("=\"");
            escape(&mut self.out, value, true);
            self.out.push('"');
        }
        self
    }

    /// Like [`attr`](Self::attr), if there is a value.
    pub fn attr_opt(&mut self, name: &str, value: Option<&str>) -> &mut Self {
        match value {
            Some(value) => self.attr(name, value),
            None => self,
        }
    }

    /// Writes text into the open element.
    pub fn text(&mut self, text: &str) -> &mut Self {
        if !text.is_empty() {
            self.close_tag();
            escape(&mut self.out, text, false);
        }
        self
    }

    /// Writes octets as base64 into the open element.
    pub fn base64(&mut self, octets: &[u8]) -> &mut Self {
        if !octets.is_empty() {
            self.close_tag();
            self.out.push_str(&Zeroizing::new(Base64::encode_string(octets)));
        }
        self
    }

    /// Writes `<name>text</name>`.
    pub fn element(&mut self, name: &str, text: &str) -> &mut Self {
        self.start(name).text(text).end()
    }

    /// Writes an empty element, `<name/>`.
    pub fn empty(&mut self, name: &str) -> &mut Self {
        self.start(name).end()
    }

    /// Closes the open element.
    pub fn end(&mut self) -> &mut Self {
        let name = self.open.pop();
        debug_assert!(name.is_some(), "every end() has its start()");
        if std::mem::take(&mut self.in_tag) {
            self.out.push_str("/>");
        } else if let Some(name) = name {
            self.out.push_str("</");
            self.out.push_str(&name);
            self.out.push('>');
        }
        self
    }

    /// Octets written so far; the next content begins exactly here.
    pub fn position(&mut self) -> usize {
        self.close_tag();
        self.out.len()
    }

    /// Moves what is written so far to `out`, and continues with the rest of the document.
    pub(crate) fn drain_into(&mut self, out: &mut impl std::io::Write) -> std::io::Result<()> {
        self.close_tag();
        let written = out.write_all(self.out.as_bytes());
        self.out.clear();
        written
    }

    /// Closes open elements, and returns the document.
    pub fn finish(mut self) -> Vec<u8> {
        while !self.open.is_empty() {
            self.end();
        }
        self.out.into_bytes()
    }

    fn close_tag(&mut self) {
        if std::mem::take(&mut self.in_tag) {
            self.out.push('>');
        }
    }
}

/// Appends `text` so that a reader gets it back unchanged, including line ends.
fn escape(out: &mut String, text: &str, attribute: bool) {
    let mut rest = text;
    while let Some(i) = rest.find(|c| special(c, attribute)) {
        out.push_str(&rest[..i]);
        let mut chars = rest[i..].chars();
        out.push_str(match chars.next() {
            Some('&') => "&amp;",
            Some('<') => "&lt;",
            Some('>') => "&gt;",
            Some('"') => "&quot;",
            Some('\t') => "&#9;",
            Some('\n') => "&#10;",
            Some('\r') => "&#13;",
            _ => "\u{FFFD}",
        });
        rest = chars.as_str();
    }
    out.push_str(rest);
}

fn special(c: char, attribute: bool) -> bool {
    matches!(c, '&' | '<' | '>' | '\r') || (attribute && matches!(c, '"' | '\t' | '\n')) || !is_char(c)
}
