//! Tokenizer: separates markup from text.

use std::io::BufRead;

use memchr::{memchr, memchr2, memchr3, memmem};

use super::{End, Reader, XmlToken};
use crate::xml::{Fault, XmlError, lexical};

impl<R: BufRead> Reader<R> {
    /// One token; `None` for irrelevant ones.
    pub(super) fn raw_token(&mut self) -> Result<Option<XmlToken>, XmlError> {
        if std::mem::take(&mut self.closes) {
            return Ok(Some(self.close()));
        }
        self.mark = self.window.offset();
        self.text.clear();
        let first = match self.octet(0) {
            Some(first) => first,
            None => match self.fill() {
                Ok(()) => return Ok(None),
                Err(End::Complete) if self.open.is_empty() => return Ok(Some(XmlToken::Eof)),
                Err(End::Complete) => return Err(self.syntax("the document ends inside an element")),
                Err(end) => return Err(self.ended(end)),
            },
        };
        let at_start = std::mem::take(&mut self.at_start);
        match first {
            b'<' => self.markup(at_start),
            b'&' => self.reference(),
            0xEF if self.window.offset() == 0 && self.window.rest().starts_with('\u{FEFF}') => {
                self.window.consume('\u{FEFF}'.len_utf8()); // a byte order mark
                self.at_start = true;
                Ok(None)
            }
            _ if at_start && self.forgives() && self.before_the_start() => Ok(None),
            _ => self.characters_until_markup(),
        }
    }

    /// The error for a document that ends or fails inside a token.
    pub(super) fn ended(&self, end: End) -> XmlError {
        let place = self.place();
        match end {
            End::Complete => XmlError::Syntax(Fault::at(place, "markup that is not closed")),
            End::Io(kind) => XmlError::Io(kind, place),
            End::Encoding => XmlError::Encoding(place),
            End::Character => XmlError::Syntax(Fault::at(place, "a character that XML forbids")),
        }
    }

    fn octet(&self, at: usize) -> Option<u8> {
        self.window.octets().get(at).copied()
    }

    fn fill(&mut self) -> Result<(), End> {
        self.window.fill(self.text_mark.unwrap_or(self.mark))
    }

    /// Searches with `find` from the offset `from`, reading as much as needed. The match
    /// has `len` octets.
    fn find(
        &mut self,
        from: usize,
        len: usize,
        find: impl Fn(&[u8]) -> Option<usize>,
    ) -> Result<Result<usize, End>, XmlError> {
        let mut from = from;
        loop {
            let rest = self.window.octets();
            if let Some(at) = find(rest.get(from..).unwrap_or_default()) {
                self.check_size(from + at)?;
                return Ok(Ok(from + at));
            }
            let passed = rest.len().saturating_sub(len - 1); // a match may have begun
            self.check_size(passed)?;
            from = from.max(passed);
            if let Err(end) = self.fill() {
                return Ok(Err(end));
            }
        }
    }

    fn check_size(&self, len: usize) -> Result<(), XmlError> {
        if len > self.limits.max_text { Err(XmlError::TooLarge(self.place())) } else { Ok(()) }
    }

    /// Like [`find`](Self::find), for a mandatory match.
    pub(super) fn find_end(&mut self, from: usize, end: &[u8]) -> Result<usize, XmlError> {
        let found = match end {
            [octet] => self.find(from, 1, |rest| memchr(*octet, rest))?,
            _ => self.find(from, end.len(), |rest| memmem::find(rest, end))?,
        };
        found.map_err(|end| self.ended(end))
    }

    /// Whether `prefix` follows; reads as much as needed.
    fn follows(&mut self, prefix: &str) -> Result<bool, XmlError> {
        while self.window.rest().len() < prefix.len() {
            match self.fill() {
                Ok(()) => {}
                Err(End::Complete) => break,
                Err(end) => return Err(self.ended(end)),
            }
        }
        let start = self.window.rest().as_bytes().get(..prefix.len());
        Ok(start.is_some_and(|start| start.eq_ignore_ascii_case(prefix.as_bytes())))
    }

    /// Characters up to the next markup or reference.
    fn characters_until_markup(&mut self) -> Result<Option<XmlToken>, XmlError> {
        let end = match self.find(0, 1, |rest| memchr2(b'<', b'&', rest))? {
            Ok(end) => end,
            Err(End::Complete) => self.window.rest().len(),
            Err(end) => return Err(self.ended(end)),
        };
        let raw = &self.window.rest()[..end]; // ends at an ASCII character, or is everything
        let suspect = raw.len() > 2 && memchr(b'>', raw.as_bytes()).is_some();
        if suspect && raw.contains("]]>") {
            return Err(self.syntax("]]> in text"));
        }
        lexical::push_lines(&mut self.text, raw);
        self.window.consume(end);
        Ok(Some(XmlToken::Text))
    }

    /// `&name;`
    fn reference(&mut self) -> Result<Option<XmlToken>, XmlError> {
        const UNKNOWN: &str = "an unknown entity or forbidden character reference";
        if self.open.is_empty() {
            return Err(self.syntax("text outside the root element"));
        }
        let end = self.find(1, 1, |rest| memchr3(b';', b'&', b'<', rest))?.map_err(|end| self.ended(end))?;
        if self.octet(end) != Some(b';') {
            return Err(self.syntax("& that is not a reference"));
        }
        let expanded = lexical::expand(&self.window.rest()[1..end]); // between two ASCII characters
        self.text.push(expanded.ok_or_else(|| self.syntax(UNKNOWN))?);
        self.window.consume(end + 1);
        Ok(Some(XmlToken::Text))
    }

    /// A token that begins with `<`.
    fn markup(&mut self, at_start: bool) -> Result<Option<XmlToken>, XmlError> {
        if self.octet(1).is_none() {
            self.fill().map_err(|end| self.ended(end))?;
        }
        match self.octet(1) {
            Some(b'/') => self.end_tag().map(Some),
            Some(b'!') if self.follows("<!--")? => self.comment(),
            Some(b'!') if self.follows("<!DOCTYPE")? => Err(XmlError::Dtd(self.place())),
            Some(b'!') if self.follows("<![CDATA[")? => self.cdata(),
            Some(b'!') => Err(self.syntax("unknown markup")),
            Some(b'?') => self.instruction(at_start),
            _ => self.start_tag().map(Some),
        }
    }

    /// Fast path for tags without attributes in the usual form, `<name>`.
    fn plain_tag(&mut self) -> Option<Result<XmlToken, XmlError>> {
        let rest = self.window.rest().get(1..)?;
        let (prefix, local, after) = lexical::leading_name(rest)?;
        let len = rest.len() - after.len();
        if !after.starts_with('>') || len + 1 > self.limits.max_text {
            return None;
        }
        let (prefix_len, local_len) = (prefix.len(), local.len());
        self.names.push_str(rest.get(..len)?);
        self.window.consume(len + 2);
        Some(self.open_named(len, prefix_len, local_len).map(|()| XmlToken::Start))
    }

    fn start_tag(&mut self) -> Result<XmlToken, XmlError> {
        if let Some(started) = self.plain_tag() {
            return started;
        }
        let mut at = 1;
        let end = loop {
            let found = self.find(at, 1, |rest| memchr3(b'>', b'"', b'\'', rest))?;
            let found = found.map_err(|end| self.ended(end))?;
            match self.octet(found) {
                Some(quote @ (b'"' | b'\'')) => at = self.find_end(found + 1, &[quote])? + 1,
                _ => break found,
            }
        };
        let mut buffer = std::mem::take(&mut self.buffer);
        buffer.clear();
        let tag = &self.window.rest()[1..end]; // between two ASCII characters
        let plain = tag.strip_suffix('/');
        self.closes = plain.is_some();
        buffer.push_str(plain.unwrap_or(tag));
        let started = self.start(&buffer);
        self.buffer = buffer;
        self.window.consume(end + 1);
        started.map(|()| XmlToken::Start)
    }

    fn end_tag(&mut self) -> Result<XmlToken, XmlError> {
        if self.close_as_expected() {
            return Ok(XmlToken::End);
        }
        let end = self.find_end(2, b">")?;
        let name = self.window.rest()[2..end].trim_end_matches(lexical::is_white); // between ASCII characters
        let open = self.open.last().and_then(|open| self.names.get(open.name..open.end));
        if open != Some(name) {
            return Err(self.syntax("an end tag that does not match its start tag"));
        }
        self.window.consume(end + 1);
        Ok(self.close())
    }

    /// Closes the open element if its end tag follows in the usual form.
    pub(super) fn close_as_expected(&mut self) -> bool {
        let Some(len) = self.expected_end(0) else { return false };
        self.window.consume(len);
        self.close();
        true
    }

    /// The length of the end tag at offset `at`, if it is that of the open element in the usual form.
    #[inline]
    fn expected_end(&self, at: usize) -> Option<usize> {
        let open = self.open.last()?;
        let name = self.names.as_bytes().get(open.name..open.end)?;
        let rest = self.window.octets().get(at..)?;
        let (begin, rest) = rest.split_at_checked(2)?;
        let (found, rest) = rest.split_at_checked(name.len())?;
        let closes = begin == b"</" && found == name && rest.first() == Some(&b'>');
        (closes && name.len() + 2 <= self.limits.max_text).then_some(name.len() + 3)
    }

    /// The length of the text that follows, if it is the whole content of the open element and needs no processing.
    pub(super) fn leaf_text(&mut self) -> Option<usize> {
        if self.closes || self.closed.is_some() {
            return None;
        }
        let octets = self.window.octets();
        let len = memchr3(b'<', b'&', b'\r', octets)?;
        self.expected_end(len)?;
        let text = octets.get(..len)?;
        (len <= self.limits.max_text && memchr(b'>', text).is_none()).then_some(len)
    }

    fn close(&mut self) -> XmlToken {
        if let Some(before) = self.closed.take() {
            self.names.truncate(before.name);
        }
        self.closed = self.open.pop();
        self.scope.leave(self.open.len());
        XmlToken::End
    }

    fn comment(&mut self) -> Result<Option<XmlToken>, XmlError> {
        let end = self.find_end(4, b"-->")?;
        let text = &self.window.rest()[4..end]; // between ASCII characters
        if text.ends_with('-') || text.contains("--") {
            return Err(self.syntax("-- in a comment"));
        }
        self.window.consume(end + 3);
        Ok(None)
    }

    fn cdata(&mut self) -> Result<Option<XmlToken>, XmlError> {
        if self.open.is_empty() {
            return Err(self.syntax("text outside the root element"));
        }
        let begin = "<![CDATA[".len();
        if !self.window.rest().starts_with("<![CDATA[") {
            return Err(self.syntax("unknown markup")); // in another case
        }
        let end = self.find_end(begin, b"]]>")?;
        lexical::push_lines(&mut self.text, &self.window.rest()[begin..end]); // between ASCII characters
        self.window.consume(end + 3);
        Ok(Some(XmlToken::Text))
    }
}
