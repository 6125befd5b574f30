//! The content before the root: the XML declaration, and its faults.

use std::borrow::Cow;
use std::io::BufRead;

use super::{Reader, XmlLimits, XmlToken};
use crate::xml::XmlError;
use crate::xml::lexical::{self, is_white, next_attribute};

const MARK: char = '\u{FEFF}';

impl<R: BufRead> Reader<R> {
    /// Like [`new`](Self::new), but accepts faults of the declaration and before it that make no
    /// difference to the rest; [`forgiven`](Self::forgiven) returns them.
    pub(crate) fn forgiving(source: R, limits: XmlLimits) -> Result<Self, XmlError> {
        Ok(Self { forgiven: Some(Vec::new()), ..Self::new(source, limits)? })
    }

    /// The faults before the root.
    pub(crate) fn forgiven(&mut self) -> Vec<XmlError> {
        self.forgiven.take().unwrap_or_default()
    }

    pub(super) fn forgives(&self) -> bool {
        self.forgiven.is_some()
    }

    /// Refuses a fault, unless it is forgiven.
    fn refuse(&mut self, error: XmlError) -> Result<(), XmlError> {
        match &mut self.forgiven {
            Some(forgiven) => {
                forgiven.push(error);
                Ok(())
            }
            None => Err(error),
        }
    }

    /// Skips white space and byte order marks, so that a declaration after them still counts as at the start.
    pub(super) fn before_the_start(&mut self) -> bool {
        let rest = self.window.rest();
        let len = rest.len() - rest.trim_start_matches(|c| is_white(c) || c == MARK).len();
        let has_mark = rest[..len].contains(MARK); // ends a character
        if has_mark && self.refuse(self.misplaced_mark()).is_err() {
            return false;
        }
        self.window.consume(len);
        self.at_start = len > 0;
        self.late |= len > 0;
        len > 0
    }

    /// Refuses text other than white space outside the root; `what` names the rule.
    pub(super) fn only_white(&self, what: &'static str) -> Result<(), XmlError> {
        match self.text.trim_start_matches(is_white) {
            "" => Ok(()),
            text if text.starts_with(MARK) => Err(self.misplaced_mark()),
            _ => Err(self.syntax(what)),
        }
    }

    fn misplaced_mark(&self) -> XmlError {
        self.wrong_declaration("a byte order mark is allowed only at the very beginning: remove it")
    }

    fn wrong_declaration(&self, what: impl Into<Cow<'static, str>>) -> XmlError {
        XmlError::Declaration(self.fault(what))
    }

    /// Handles the XML declaration and processing instructions.
    pub(super) fn instruction(&mut self, at_start: bool) -> Result<Option<XmlToken>, XmlError> {
        let end = self.find_end(2, b"?>")?;
        let text = self.window.rest()[2..end].to_owned(); // between ASCII characters
        let is_declaration = text.get(..3).is_some_and(|name| name.eq_ignore_ascii_case("xml"))
            && text.get(3..).is_some_and(|rest| rest.is_empty() || rest.starts_with(is_white));
        if !is_declaration {
            return Err(XmlError::ProcessingInstruction(self.place()));
        }
        if !at_start || self.late {
            let what = match self.open.is_empty() {
                true => "the XML declaration must be at the very beginning: remove what is before it",
                false => "an XML declaration inside the document: remove it",
            };
            let error = self.wrong_declaration(what);
            match at_start {
                true => self.refuse(error)?,
                false => return Err(error),
            }
        }
        match text.strip_prefix("xml") {
            Some(rest) => self.declaration(rest)?,
            None => self.refuse(self.wrong_declaration("the XML declaration must begin with lower-case <?xml"))?,
        }
        self.window.consume(end + 2);
        Ok(None)
    }

    /// XML 1.0 §2.8: version, then encoding, then standalone, after `<?xml`.
    fn declaration(&mut self, rest: &str) -> Result<(), XmlError> {
        const FAULTY: &str = "the XML declaration is faulty: write <?xml version=\"1.0\" encoding=\"UTF-8\"?>";
        let mut rest = rest;
        let mut expected = ["version", "encoding", "standalone"].iter();
        let mut first = true;
        loop {
            let Ok(found) = next_attribute(&mut rest) else { return self.refuse(self.wrong_declaration(FAULTY)) };
            let Some((name, value)) = found else { break };
            if !expected.any(|known| *known == name) || (first && name != "version") {
                return self.refuse(self.wrong_declaration(FAULTY));
            }
            first = false;
            match (name, value) {
                ("version", "1.0") | ("standalone", "yes" | "no") => {}
                ("version", _) => {
                    let what = "the XML declaration names a version other than 1.0, which is not supported";
                    self.refuse(self.wrong_declaration(what))?;
                }
                ("encoding", encoding) if encoding.eq_ignore_ascii_case("UTF-8") => {}
                ("encoding", encoding) => self.refuse(self.wrong_label(encoding))?,
                _ => return self.refuse(self.wrong_declaration(FAULTY)),
            }
        }
        if first { self.refuse(self.wrong_declaration(FAULTY)) } else { Ok(()) }
    }

    /// The declaration is readable as UTF-8, so the file is not UTF-16; other encodings look the same here.
    fn wrong_label(&self, encoding: &str) -> XmlError {
        let label = lexical::trim(encoding);
        let shown: String = label.chars().take(40).collect();
        let is_wide = ["utf-16", "utf16", "utf-32", "utf32", "ucs-", "iso-10646", "unicode"];
        let lower = label.to_ascii_lowercase();
        self.wrong_declaration(match is_wide.iter().any(|wide| lower.starts_with(wide)) || lower == "utf8" {
            true => format!("the declaration says {shown}, but the file is UTF-8: correct the declaration"),
            false => format!(
                "the declaration says {shown}, but only UTF-8 is supported: correct the declaration if the file is UTF-8, \
                 else convert the file"
            ),
        })
    }
}
