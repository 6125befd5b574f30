//! Writing.

use base64ct::{Base64, Encoding as _};
use zeroize::{Zeroize as _, Zeroizing};

/// Writes a document without white space. Octets that it gives back in growing are wiped.
#[derive(Default)]
pub struct JsonWriter {
    out: Vec<u8>,
}

impl JsonWriter {
    /// An object, whose fields `write` adds.
    pub fn object(write: impl FnOnce(&mut JsonWriter)) -> Vec<u8> {
        let mut writer = JsonWriter::default();
        writer.begin(b'{');
        write(&mut writer);
        writer.end(b'}');
        writer.finish()
    }

    /// The document.
    pub fn finish(self) -> Vec<u8> {
        self.out
    }

    /// Begins an object or an array: `{` or `[`.
    pub fn begin(&mut self, bracket: u8) -> &mut Self {
        self.separate();
        self.push(&[bracket]);
        self
    }

    /// Ends it: `}` or `]`.
    pub fn end(&mut self, bracket: u8) -> &mut Self {
        self.push(&[bracket]);
        self
    }

    /// The name of a field; its value is next.
    pub fn name(&mut self, name: &str) -> &mut Self {
        self.value(name);
        self.push(b":");
        self
    }

    /// A text as the next value.
    pub fn value(&mut self, text: &str) {
        self.separate();
        self.push(b"\"");
        let mut plain = text;
        while let Some(at) = plain.find(|c: char| matches!(c, '"' | '\\' | ..' ')) {
            let (before, rest) = plain.split_at(at);
            self.push(before.as_bytes());
            let (special, after) = rest.split_at(1); // it is ASCII
            match special {
                "\"" | "\\" => self.push(&[b'\\', special.as_bytes()[0]]),
                _ => self.push(format!("\\u{:04x}", special.as_bytes()[0]).as_bytes()),
            }
            plain = after;
        }
        self.push(plain.as_bytes());
        self.push(b"\"");
    }

    /// A number, `true`, `false` or `null` as the next value.
    pub fn word(&mut self, word: &str) {
        self.separate();
        self.push(word.as_bytes());
    }

    /// A field with a text, or with `null`.
    pub fn text_or_null(&mut self, name: &str, text: Option<&str>) {
        match text {
            Some(text) => self.name(name).value(text),
            None => self.name(name).word("null"),
        }
    }

    /// A field with a text, if there is one.
    pub fn text(&mut self, name: &str, text: Option<&str>) {
        if let Some(text) = text {
            self.name(name).value(text);
        }
    }

    /// A field with a number, or with `null`.
    pub fn number_or_null(&mut self, name: &str, number: Option<u64>) {
        match number {
            Some(number) => self.name(name).word(&number.to_string()),
            None => self.name(name).word("null"),
        }
    }

    /// A field with a number, if there is one.
    pub fn number(&mut self, name: &str, number: Option<u64>) {
        if number.is_some() {
            self.number_or_null(name, number);
        }
    }

    /// A field with a flag.
    pub fn flag(&mut self, name: &str, flag: bool) {
        self.name(name).word(if flag { "true" } else { "false" });
    }

    /// A field with texts.
    pub fn texts(&mut self, name: &str, texts: &[String]) {
        self.name(name).begin(b'[');
        texts.iter().for_each(|text| self.value(text));
        self.end(b']');
    }

    /// A field with octets in base64, or with `null`.
    pub fn octets_or_null(&mut self, name: &str, octets: Option<&[u8]>) {
        let text = Zeroizing::new(octets.map(Base64::encode_string).unwrap_or_default());
        self.text_or_null(name, octets.map(|_| text.as_str()));
    }

    /// A field with octets in base64, if there are any.
    pub fn octets(&mut self, name: &str, octets: Option<&[u8]>) {
        if octets.is_some() {
            self.octets_or_null(name, octets);
        }
    }

    fn separate(&mut self) {
        if !matches!(self.out.last(), None | Some(b'{' | b'[' | b':')) {
            self.push(b",");
        }
    }

    fn push(&mut self, octets: &[u8]) {
        let len = self.out.len() + octets.len();
        if len > self.out.capacity() {
            let mut larger = Vec::with_capacity(2 * len);
            larger.extend_from_slice(&self.out);
            self.out.zeroize();
            self.out = larger;
        }
        self.out.extend_from_slice(octets);
    }
}
