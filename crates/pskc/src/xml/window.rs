//! The buffered part of a document.

use std::cell::Cell;
use std::io::{self, BufRead};

use super::lexical;

/// Octets to read from the source at a time.
const CHUNK: usize = 32 * 1024;

/// A window that moves over the document. Its content is text: UTF-8, without characters
/// that XML forbids.
pub(super) struct Window<R> {
    source: R,
    text: String,
    /// Consumed octets of `text`.
    at: usize,
    /// Octets of the document before `text`, and their lines.
    offset: u64,
    line: u64,
    /// Octets of `text` whose lines were counted, and the line after them.
    counted: Cell<(usize, u64)>,
    /// The first octets of an incomplete character.
    cut: Vec<u8>,
    /// Why the text ends.
    end: Option<End>,
}

/// Why a document ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// It is complete.
    Complete,
    /// The source failed.
    Io(io::ErrorKind),
    /// Invalid UTF-8 follows.
    Encoding,
    /// A character that XML forbids follows.
    Character,
}

impl<R: BufRead> Window<R> {
    /// A window on `source`, which starts at this offset and line of the document.
    pub(super) fn at(source: R, offset: u64, line: u64) -> Self {
        Self {
            source,
            text: String::new(),
            at: 0,
            offset,
            line,
            counted: Cell::new((0, line)),
            cut: Vec::new(),
            end: None,
        }
    }

    /// The buffered octets from the offset `from` on, which must not be discarded yet, and the source of the rest.
    /// Returns the window as `Err` if nothing more follows.
    pub(super) fn into_rest(self, from: u64) -> Result<(Vec<u8>, R), Self> {
        let rest = self.text.as_bytes().get(from.saturating_sub(self.offset) as usize..);
        match (rest, self.end) {
            (Some(rest), None) => Ok(([rest, &self.cut].concat(), self.source)),
            _ => Err(self),
        }
    }

    /// The buffered rest.
    pub(super) fn rest(&self) -> &str {
        &self.text[self.at..] // `at` only moves over whole tokens
    }

    /// The octets of [`rest`](Self::rest).
    #[inline]
    pub(super) fn octets(&self) -> &[u8] {
        self.text.as_bytes().get(self.at..).unwrap_or_default()
    }

    /// Consumes `len` octets of [`rest`](Self::rest), up to a character boundary.
    pub(super) fn consume(&mut self, len: usize) {
        self.at += len;
    }

    /// Octets consumed since the document's start.
    pub(super) fn offset(&self) -> u64 {
        self.offset + self.at as u64
    }

    /// The line of an offset that is not before the last `keep`.
    pub(super) fn line_of(&self, offset: u64) -> u64 {
        let octets = self.text.as_bytes();
        let len = octets.len().min(offset.saturating_sub(self.offset) as usize);
        // Incremental: increasing offsets count each octet once.
        let (from, line) = Some(self.counted.get()).filter(|(from, _)| *from <= len).unwrap_or((0, self.line));
        let line = line + lines(octets.get(from..len).unwrap_or_default());
        self.counted.set((len, line));
        line
    }

    /// Reads more, and discards what is consumed and before the offset `keep`.
    ///
    /// # Errors
    /// Why there is no more.
    pub(super) fn fill(&mut self, keep: u64) -> Result<(), End> {
        self.forget(keep);
        let before = self.text.len();
        while self.text.len() == before {
            match self.end {
                Some(end) => return Err(end),
                None => self.take_chunk(),
            }
        }
        Ok(())
    }

    fn forget(&mut self, keep: u64) {
        let len = self.at.min(keep.saturating_sub(self.offset) as usize);
        self.line = self.line_of(self.offset + len as u64);
        self.counted.set((0, self.line));
        self.text.drain(..len); // up to a token
        self.at -= len;
        self.offset += len as u64;
    }

    fn take_chunk(&mut self) {
        let available = match self.source.fill_buf() {
            Ok(available) => &available[..available.len().min(CHUNK)],
            Err(error) if error.kind() == io::ErrorKind::Interrupted => return,
            Err(error) => {
                self.end = Some(End::Io(error.kind()));
                return;
            }
        };
        if available.is_empty() {
            self.end = Some(if self.cut.is_empty() { End::Complete } else { End::Encoding });
            return;
        }
        let before = self.text.len();
        let taken = if self.cut.is_empty() {
            take_text(available, &mut self.text, &mut self.cut, &mut self.end);
            available.len()
        } else {
            // Octet by octet until the character is complete or invalid.
            self.cut.extend(available.first());
            let character = std::mem::take(&mut self.cut);
            take_text(&character, &mut self.text, &mut self.cut, &mut self.end);
            1
        };
        self.source.consume(taken);
        let new = self.text.get(before..).unwrap_or_default();
        if !lexical::is_text(new) {
            let good = new.find(|c| !lexical::is_char(c)).unwrap_or(0);
            self.text.truncate(before + good);
            self.end = Some(End::Character);
        }
    }
}

/// Appends valid text from `octets`, up to a fault or an incomplete character at the end.
fn take_text(octets: &[u8], text: &mut String, cut: &mut Vec<u8>, end: &mut Option<End>) {
    let error = match std::str::from_utf8(octets) {
        Ok(all) => return text.push_str(all),
        Err(error) => error,
    };
    let (valid, rest) = octets.split_at(error.valid_up_to());
    text.push_str(std::str::from_utf8(valid).unwrap_or_default());
    match error.error_len() {
        None => cut.extend(rest),
        Some(_) => *end = Some(End::Encoding),
    }
}

fn lines(octets: &[u8]) -> u64 {
    memchr::memchr_iter(b'\n', octets).count() as u64
}
