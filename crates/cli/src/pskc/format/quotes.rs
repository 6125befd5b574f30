//! Quotation marks in tables. Readers interpret stray marks differently, and an unclosed one swallows the lines after it,
//! so marks must follow RFC 4180: around whole cells, doubled within them.

/// Tracks quotation marks through the text of a table.
pub(crate) struct Quotes {
    separator: u8,
    place: QuoteState,
    line: u64,
    /// The line where the last quoted cell begins.
    opened: u64,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum QuoteState {
    Begin,
    Bare,
    Quoted,
    /// After a mark within a quoted cell: its end, or the first of a pair.
    Behind,
    /// After `=` at the beginning of a cell.
    Equals,
    /// Within `="0012"`, which keeps a spreadsheet from converting it to a number.
    Formula,
}

impl Quotes {
    pub(crate) fn new(separator: u8, first_line: u64) -> Self {
        Quotes { separator, place: QuoteState::Begin, line: first_line, opened: first_line }
    }

    /// # Errors
    /// A misplaced mark.
    pub(crate) fn read(&mut self, text: &[u8]) -> Result<(), String> {
        let mut text = text;
        // Fast path: lines without a mark.
        let is_bare = matches!(self.place, QuoteState::Begin | QuoteState::Bare) && !text.contains(&b'"');
        if let (true, Some(end)) = (is_bare, text.iter().rposition(|octet| *octet == b'\n')) {
            self.line += text.iter().filter(|octet| **octet == b'\n').count() as u64;
            self.place = QuoteState::Begin;
            text = &text[end + 1..];
        }
        for octet in text {
            self.place = match (self.place, *octet) {
                (QuoteState::Quoted, b'"') => QuoteState::Behind,
                (QuoteState::Begin, b'=') => QuoteState::Equals,
                (QuoteState::Equals, b'"') => QuoteState::Formula,
                (QuoteState::Formula, b'"') => QuoteState::Behind,
                (QuoteState::Formula, other) if other == self.separator || other == b'\n' => {
                    return Err(format!("line {}: a formula =\"…\" with a separator in it", self.line));
                }
                (QuoteState::Formula, _) => QuoteState::Formula,
                (QuoteState::Behind, b'"') | (QuoteState::Quoted, _) => QuoteState::Quoted,
                (_, b'\n') => QuoteState::Begin,
                (_, other) if other == self.separator => QuoteState::Begin,
                (QuoteState::Begin, b'"') => {
                    self.opened = self.line;
                    QuoteState::Quoted
                }
                (QuoteState::Bare, b'"') => {
                    return Err(format!("line {}: a quotation mark within a cell: {RULE}", self.line));
                }
                (QuoteState::Behind, b' ' | b'\t' | b'\r') => QuoteState::Behind,
                (QuoteState::Behind, _) => {
                    return Err(format!("line {}: text after a quoted cell: {RULE}", self.line));
                }
                (QuoteState::Begin | QuoteState::Bare | QuoteState::Equals, _) => QuoteState::Bare,
            };
            self.line += u64::from(*octet == b'\n');
        }
        Ok(())
    }

    /// # Errors
    /// An unclosed mark.
    pub(crate) fn end(&self) -> Result<(), String> {
        match self.place {
            QuoteState::Quoted => Err(format!("line {}: unclosed quotation mark: {RULE}", self.opened)),
            _ => Ok(()),
        }
    }
}

const RULE: &str = "quote whole cells, and double a mark within one";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_quote_whole_cells_and_are_doubled_within() {
        let read = |text: &str| {
            let mut quotes = Quotes::new(b',', 1);
            text.bytes().try_for_each(|octet| quotes.read(&[octet])).and_then(|()| quotes.end())
        };
        for text in [
            "",
            "a,b\n",
            "\"a\",\"b\"\r\n",
            "\"a\nb\",c",
            "\"a\"\"b\"",
            "\"\",\"\"",
            "\"a\" ,b",
            "\"\"\"\"\n",
            "=\"01\",=\"\"\n",
            "a,=1",
        ] {
            assert_eq!(read(text), Ok(()), "{text}");
        }
        for (text, told) in [
            ("a,\"b\nc,d\n", "line 1: unclosed quotation mark"),
            ("a\nb,\"", "line 2: unclosed quotation mark"),
            ("a,5\" b\n", "line 1: a quotation mark within a cell"),
            ("a, \"b\"\n", "line 1: a quotation mark within a cell"),
            ("=\"a,b\",c", "line 1: a formula"),
            ("=\"a\"b,c", "line 1: text after a quoted cell"),
            ("a=\"b\",c", "line 1: a quotation mark within a cell"),
            ("a\n\"b\"c\n", "line 2: text after a quoted cell"),
        ] {
            assert!(read(text).is_err_and(|why| why.starts_with(told)), "{text}");
        }
    }
}
