//! The pull reader.

mod tags;

use std::io::BufRead;

use quick_xml::events::Event;

use super::error::{Place, XmlError};
use super::lexical::{self, is_white};
use super::scope::Scope;
use super::source::Source;
use super::{Element, Ns};

/// What a document may cost before it is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// How deep elements may be nested; the root is at depth 1.
    pub max_depth: usize,
    /// Octets of the longest single tag, comment or text.
    pub max_text: usize,
}

impl Limits {
    /// For messages of a protocol (profile P25): nesting of 32, values of 64 KiB.
    pub const MESSAGE: Limits = Limits { max_depth: 32, max_text: 64 * 1024 };
    /// For key files, which may carry certificate chains: nesting of 64, values of 1 MiB. The
    /// length of the file itself needs no limit, since none of it is kept.
    pub const FILE: Limits = Limits { max_depth: 64, max_text: 1024 * 1024 };
}

/// Reads a document element by element.
///
/// After [`root`](Self::root) or [`next`](Self::next) has given an element, that element is *open*,
/// and must be closed by exactly one of: [`next`](Self::next) until it gives `None`,
/// [`text`](Self::text), [`skip`](Self::skip) or [`end`](Self::end).
///
/// ```
/// use pskc::xml::{Limits, Reader};
/// let mut reader = Reader::from_slice(b"<a><b>1</b><c/></a>", Limits::MESSAGE)?;
/// assert_eq!(reader.root()?.local, "a");
/// assert_eq!(reader.next()?.unwrap().local, "b");
/// assert_eq!(reader.text()?, "1");
/// assert_eq!(reader.next()?.unwrap().local, "c");
/// reader.end()?;
/// assert_eq!(reader.next()?, None);
/// reader.finish()?;
/// # Ok::<(), pskc::xml::XmlError>(())
/// ```
pub struct Reader<R: BufRead> {
    tokenizer: quick_xml::Reader<Source<R>>,
    limits: Limits,
    scope: Scope,
    /// Local names of the open elements and of the one closed last, each after a `/`.
    path: String,
    /// Where in `path` each open element's name ends.
    open: Vec<usize>,
    /// Where the token read last begins: offset and line.
    mark: (u64, u64),
    at_start: bool,
    /// The text collected since it was last cleared.
    text: String,
    buffer: Vec<u8>,
}

/// What the tokens of a document come to for us.
pub(super) enum Token {
    Start(Element),
    /// More characters in `Reader::text`.
    Text,
    End,
    Eof,
}

impl<'a> Reader<&'a [u8]> {
    /// Begins to read a document that is in memory.
    ///
    /// Errors: as [`Reader::new`].
    pub fn from_slice(document: &'a [u8], limits: Limits) -> Result<Self, XmlError> {
        Self::new(document, limits)
    }
}

impl<R: BufRead> Reader<R> {
    /// Begins to read a document from a stream, of which no more than one token is held at a time.
    ///
    /// Errors: [`XmlError::Encoding`] for UTF-16 and UTF-32, [`XmlError::Io`].
    pub fn new(source: R, limits: Limits) -> Result<Self, XmlError> {
        let mut tokenizer = quick_xml::Reader::from_reader(Source::new(source, limits.max_text));
        let config = tokenizer.config_mut();
        config.check_comments = true;
        config.expand_empty_elements = true; // `<a/>` and `<a></a>` are one thing from here on
        let mut reader = Self {
            tokenizer,
            limits,
            scope: Scope::default(),
            path: String::new(),
            open: Vec::new(),
            mark: (0, 1),
            at_start: true,
            text: String::new(),
            buffer: Vec::new(),
        };
        match reader.tokenizer.get_mut().fill_buf() {
            Ok([0xFE, 0xFF, ..] | [0xFF, 0xFE, ..] | [0, ..] | [_, 0, ..]) => {
                Err(XmlError::Encoding { place: reader.place() })
            }
            Ok(_) => Ok(reader),
            Err(error) => Err(XmlError::Io { kind: error.kind(), place: reader.place() }),
        }
    }

    /// Reads the XML declaration, if there is one, and the root's start tag.
    pub fn root(&mut self) -> Result<Element, XmlError> {
        loop {
            match self.token()? {
                Token::Start(element) => return Ok(element),
                Token::Text => self.only_white("text before the root element")?,
                Token::End | Token::Eof => return Err(self.syntax("there is no root element")),
            }
        }
    }

    /// The next child of the open element, which is then the open one; `None` where there is no
    /// more, and the element's end tag has been consumed.
    ///
    /// Errors: [`XmlError::Unexpected`] for text other than white space.
    #[expect(clippy::should_implement_trait, reason = "reads as one, but can fail")]
    pub fn next(&mut self) -> Result<Option<Element>, XmlError> {
        loop {
            match self.inner_token()? {
                Token::Start(element) => return Ok(Some(element)),
                Token::Text if self.text.chars().all(is_white) => {}
                Token::Text => {
                    return Err(XmlError::Unexpected { what: "text".into(), place: self.place() });
                }
                Token::End | Token::Eof => return Ok(None),
            }
        }
    }

    /// The text of the open element, which is closed by this. CDATA sections, predefined entities
    /// and character references are resolved, comments left out; white space is kept.
    ///
    /// Errors: [`XmlError::Unexpected`] for a child element.
    pub fn text(&mut self) -> Result<String, XmlError> {
        let mark = self.mark;
        let mut text = String::new();
        loop {
            match self.inner_token()? {
                Token::Text if text.is_empty() => text = std::mem::take(&mut self.text),
                Token::Text => text.push_str(&self.text),
                Token::Start(element) => return Err(self.unexpected(&element)),
                Token::End | Token::Eof => {
                    self.mark = mark; // so that a complaint about the value points at its element
                    return Ok(text);
                }
            }
            if text.len() > self.limits.max_text {
                return Err(XmlError::TooLarge { place: self.place() });
            }
        }
    }

    /// [`text`](Self::text) as the octets that its base64 stands for; see
    /// [`decode_base64`](super::decode_base64).
    pub fn base64(&mut self) -> Result<Vec<u8>, XmlError> {
        let text = self.text()?;
        lexical::decode_base64(&text).map_err(|error| self.invalid(error.to_string()))
    }

    /// Passes over the rest of the open element, which must be well-formed all the same.
    pub fn skip(&mut self) -> Result<(), XmlError> {
        let depth = self.open.len();
        loop {
            if let Token::End = self.inner_token()?
                && self.open.len() < depth
            {
                return Ok(());
            }
        }
    }

    /// Closes the open element, which must have neither children nor text.
    pub fn end(&mut self) -> Result<(), XmlError> {
        match self.next()? {
            None => Ok(()),
            Some(element) => Err(self.unexpected(&element)),
        }
    }

    /// Makes sure that nothing but white space and comments follows the root.
    pub fn finish(mut self) -> Result<(), XmlError> {
        if !self.open.is_empty() {
            let what = "content: the root element is not closed yet".into();
            return Err(XmlError::Unexpected { what, place: self.place() });
        }
        loop {
            match self.token()? {
                Token::Eof => return Ok(()),
                Token::Text => self.only_white("text after the root element")?,
                Token::Start(_) | Token::End => return Err(self.syntax("a second root element")),
            }
        }
    }

    /// What a qualified name in content, such as the value of `xsi:type`, stands for by the
    /// declarations of the open element. White space around it is ignored.
    ///
    /// Errors: [`XmlError::Value`] where it is no name, or its prefix is not declared.
    pub fn resolve_qname(&self, name: &str) -> Result<(Ns, String), XmlError> {
        let split = lexical::split_name(lexical::trim(name));
        let (prefix, local) = split.ok_or_else(|| self.invalid("not a qualified name"))?;
        let ns = self.scope.resolve(prefix);
        let ns = ns.ok_or_else(|| self.invalid("a qualified name with an undeclared prefix"))?;
        Ok((ns, local.to_owned()))
    }

    /// Where reading stands: at the element opened or closed last.
    pub fn place(&self) -> Place {
        let path = if self.path.is_empty() { "/" } else { &self.path };
        let (offset, line) = self.mark;
        Place { path: path.to_owned(), offset, line }
    }

    /// The error for an element that may not stand here.
    pub fn unexpected(&self, element: &Element) -> XmlError {
        let place = self.place();
        XmlError::Unexpected { what: format!("element <{}>", element.local), place }
    }

    /// The error for something that must stand in the element read last, such as `"<Version>"`.
    pub fn missing(&self, what: impl Into<String>) -> XmlError {
        XmlError::Missing { what: what.into(), place: self.place() }
    }

    /// The error for a value of the wrong form in the element read last.
    pub fn invalid(&self, what: impl Into<String>) -> XmlError {
        XmlError::Value { what: what.into(), place: self.place() }
    }

    fn syntax(&self, what: &'static str) -> XmlError {
        XmlError::Syntax { what, place: self.place() }
    }

    fn only_white(&self, what: &'static str) -> Result<(), XmlError> {
        if self.text.chars().all(is_white) { Ok(()) } else { Err(self.syntax(what)) }
    }

    /// The next token inside an open element, never `Eof`.
    pub(super) fn inner_token(&mut self) -> Result<Token, XmlError> {
        if self.open.is_empty() {
            let what = "use of the reader: no element is open".into();
            return Err(XmlError::Unexpected { what, place: self.place() });
        }
        self.token()
    }

    /// The characters of the last [`Token::Text`].
    pub(super) fn characters(&self) -> &str {
        &self.text
    }

    fn token(&mut self) -> Result<Token, XmlError> {
        // The name of the element closed last stood there for messages about its value.
        self.path.truncate(self.open.last().copied().unwrap_or(0));
        let mut buffer = std::mem::take(&mut self.buffer);
        let token = loop {
            buffer.clear();
            match self.raw_token(&mut buffer) {
                Ok(Some(token)) => break Ok(token),
                Ok(None) => {}
                Err(error) => break Err(error),
            }
        };
        self.buffer = buffer;
        token
    }

    /// One token of the tokenizer; `None` for those that mean nothing.
    fn raw_token(&mut self, buffer: &mut Vec<u8>) -> Result<Option<Token>, XmlError> {
        let source = self.tokenizer.get_mut();
        source.begin_token();
        self.mark = source.position();
        let event = self.tokenizer.read_event_into(buffer);
        if self.tokenizer.get_ref().token_too_large() {
            return Err(XmlError::TooLarge { place: self.place() });
        }
        let at_start = std::mem::replace(&mut self.at_start, false);
        let outside = self.open.is_empty();
        self.text.clear();
        match event.map_err(|error| self.broken(error))? {
            Event::Start(tag) => Ok(Some(Token::Start(self.start(&tag)?))),
            Event::End(_) => {
                self.open.pop();
                self.scope.leave(self.open.len());
                Ok(Some(Token::End))
            }
            Event::Text(text) => {
                if text.contains("]]>") {
                    return Err(self.syntax("]]> in text"));
                }
                self.push_text(&text)
            }
            Event::CData(_) | Event::GeneralRef(_) if outside => Err(self.syntax("text outside the root element")),
            Event::CData(text) => self.push_text(&text),
            Event::GeneralRef(name) => match lexical::expand(&name) {
                Some(c) => {
                    self.text.push(c);
                    Ok(Some(Token::Text))
                }
                None => Err(self.syntax("an unknown entity or forbidden character reference")),
            },
            Event::Comment(text) if lexical::is_text(&text) && !text.ends_with('-') => Ok(None),
            Event::Comment(_) => Err(self.syntax("a comment with what may not stand in one")),
            Event::Decl(declaration) if at_start => self.declaration(&declaration),
            Event::Decl(_) | Event::PI(_) => Err(XmlError::ProcessingInstruction { place: self.place() }),
            Event::DocType(_) => Err(XmlError::Dtd { place: self.place() }),
            Event::Empty(_) => Err(self.syntax("an empty tag")), // never: they are expanded
            Event::Eof if outside => Ok(Some(Token::Eof)),
            Event::Eof => Err(self.syntax("the document ends inside an element")),
        }
    }

    fn push_text(&mut self, raw: &str) -> Result<Option<Token>, XmlError> {
        if !lexical::is_text(raw) {
            return Err(self.syntax("a character that XML forbids"));
        }
        lexical::push_lines(&mut self.text, raw);
        Ok(Some(Token::Text))
    }

    fn broken(&self, error: quick_xml::Error) -> XmlError {
        use quick_xml::Error;
        use quick_xml::errors::IllFormedError::*;
        let what = match error {
            Error::Io(error) => {
                return XmlError::Io { kind: error.kind(), place: self.place() };
            }
            Error::Encoding(_) => return XmlError::Encoding { place: self.place() },
            Error::IllFormed(MismatchedEndTag { .. } | UnmatchedEndTag(_)) => {
                "an end tag that does not match its start tag"
            }
            Error::IllFormed(DoubleHyphenInComment) => "-- in a comment",
            Error::IllFormed(UnclosedReference) => "& that begins no reference",
            Error::Syntax(_) => "markup that is not closed or not known",
            _ => "markup that XML does not know",
        };
        self.syntax(what)
    }
}
