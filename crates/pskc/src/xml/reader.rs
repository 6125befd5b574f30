//! The pull reader.

mod position;
mod prolog;
mod resume;
mod tags;
mod tokens;

use std::io::BufRead;

use compact_str::CompactString;
use zeroize::Zeroizing;

use super::error::XmlError;
use super::lexical::{self, is_white};
use super::window::{End, Window};
use super::{Attribute, Element, Ns, Scope};
pub(crate) use resume::Standing;

/// Resource limits for a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct XmlLimits {
    /// The deepest nesting of elements; the root is at depth 1.
    pub max_depth: usize,
    /// The longest single tag, comment or text, in octets.
    pub max_text: usize,
    /// The longest child of the root up to the last tag that starts in it, in octets: this much is buffered at a time.
    pub max_child: u64,
}

impl XmlLimits {
    /// For messages of a protocol (profile P25): nesting of 32, values of 64 KiB.
    pub const MESSAGE: XmlLimits = XmlLimits { max_depth: 32, max_text: 64 * 1024, max_child: 64 * 1024 };
    /// For key files, which may contain certificate chains: nesting of 64, values of 1 MiB, packages of
    /// 2 MiB. The length of the file needs no limit, since it is not kept.
    pub const FILE: XmlLimits = XmlLimits { max_depth: 64, max_text: 1024 * 1024, max_child: 2 * 1024 * 1024 };

    /// Limits of your own.
    pub const fn new(max_depth: usize, max_text: usize, max_child: u64) -> Self {
        Self { max_depth, max_text, max_child }
    }
}

/// Reads a document element by element.
///
/// An element returned by [`root`](Self::root) or [`next`](Self::next) is *open*,
/// and must be closed by exactly one of: [`next`](Self::next) until it returns `None`,
/// [`text`](Self::text), [`skip`](Self::skip) or [`end`](Self::end).
///
/// ```
/// use pskc::xml::{XmlLimits, Reader};
/// let mut reader = Reader::from_slice(b"<a><b>1</b><c/></a>", XmlLimits::MESSAGE)?;
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
    window: Window<R>,
    limits: XmlLimits,
    scope: Scope<Ns>,
    /// The names of the open elements and of the one closed last, as in their tags.
    names: String,
    open: Vec<Open>,
    /// The element closed last, until the next token: for messages about its value.
    closed: Option<Open>,
    /// The offset of the last token.
    mark: u64,
    /// The offset of the current child of the root.
    child: u64,
    /// The offset of the element whose text is being read.
    text_mark: Option<u64>,
    /// Whether `<a/>` was read: its end is the next token.
    closes: bool,
    at_start: bool,
    /// Whether white space preceded it.
    late: bool,
    /// Faults before the root or in the declaration, in forgiving mode.
    forgiven: Option<Vec<XmlError>>,
    /// The namespace of the element opened last, until it is requested.
    ns: Ns,
    attributes: Vec<Attribute>,
    /// The text collected since it was last cleared.
    text: String,
    buffer: String,
}

/// An open element: where its name begins in `Reader::names`, where its local part begins, and where it ends.
#[derive(Clone, Copy)]
struct Open {
    name: usize,
    local: usize,
    end: usize,
}

/// The relevant tokens of a document.
#[derive(Clone, Copy)]
pub(super) enum XmlToken {
    /// An element, available from `Reader::element`.
    Start,
    /// More characters in `Reader::text`.
    Text,
    End,
    Eof,
}

impl<'a> Reader<&'a [u8]> {
    /// Starts to read a document from memory.
    ///
    /// Errors: as [`Reader::new`].
    pub fn from_slice(document: &'a [u8], limits: XmlLimits) -> Result<Self, XmlError> {
        Self::new(document, limits)
    }
}

impl<R: BufRead> Reader<R> {
    /// Starts to read a document from a stream, holding at most one token at a time.
    ///
    /// Errors: [`XmlError::Encoding`] for UTF-16 and UTF-32, [`XmlError::Io`].
    pub fn new(source: R, limits: XmlLimits) -> Result<Self, XmlError> {
        let mut source = source;
        let wide = match source.fill_buf() {
            Ok([0xFE, 0xFF, ..] | [0xFF, 0xFE, ..] | [0, ..] | [_, 0, ..]) => Some(End::Encoding),
            Ok(_) => None,
            Err(error) => Some(End::Io(error.kind())),
        };
        let reader = Self::with_window(Window::at(source, 0, 1), limits);
        match wide {
            Some(end) => Err(reader.ended(end)),
            None => Ok(reader),
        }
    }

    fn with_window(window: Window<R>, limits: XmlLimits) -> Self {
        Self {
            window,
            limits,
            scope: Scope::default(),
            names: String::new(),
            open: Vec::new(),
            closed: None,
            mark: 0,
            child: 0,
            text_mark: None,
            closes: false,
            at_start: true,
            late: false,
            forgiven: None,
            ns: Ns::None,
            attributes: Vec::new(),
            text: String::new(),
            buffer: String::new(),
        }
    }

    /// Reads the XML declaration, if there is one, and the root's start tag.
    pub fn root(&mut self) -> Result<Element, XmlError> {
        loop {
            match self.token()? {
                XmlToken::Start => return Ok(self.element()),
                XmlToken::Text => self.only_white("text before the root element")?,
                XmlToken::End | XmlToken::Eof => return Err(self.syntax("there is no root element")),
            }
        }
    }

    /// The next child of the open element, which is then open; `None` after the last one,
    /// when the element's end tag is consumed.
    ///
    /// Errors: [`XmlError::Unexpected`] for text other than white space.
    #[expect(clippy::should_implement_trait, reason = "reads as one, but can fail")]
    pub fn next(&mut self) -> Result<Option<Element>, XmlError> {
        loop {
            match self.inner_token()? {
                XmlToken::Start => return Ok(Some(self.element())),
                XmlToken::Text if self.text.chars().all(is_white) => {}
                XmlToken::Text => {
                    return Err(XmlError::Unexpected(self.fault("text")));
                }
                XmlToken::End | XmlToken::Eof => return Ok(None),
            }
        }
    }

    /// The text of the open element, which this closes. CDATA sections, predefined entities
    /// and character references are resolved, comments omitted; white space is kept.
    ///
    /// Errors: [`XmlError::Unexpected`] for a child element.
    pub fn text(&mut self) -> Result<String, XmlError> {
        self.with_text(str::to_owned)
    }

    /// Applies `read` to the [`text`](Self::text), which is copied only if it has several parts.
    pub(crate) fn with_text<T>(&mut self, read: impl FnOnce(&str) -> T) -> Result<T, XmlError> {
        if let Some(len) = self.leaf_text() {
            let value = read(&self.window.rest()[..len]); // it ends before a `<`
            self.window.consume(len);
            self.close_as_expected();
            return Ok(value);
        }
        self.text_mark = Some(self.mark);
        let text = self.collect_text(self.mark);
        self.text_mark = None;
        let text = Zeroizing::new(text?); // a secret is read here too
        Ok(read(&text))
    }

    fn collect_text(&mut self, mark: u64) -> Result<String, XmlError> {
        let mut text = String::new();
        loop {
            match self.inner_token()? {
                XmlToken::Text if text.is_empty() => text = std::mem::take(&mut self.text),
                XmlToken::Text => text.push_str(&self.text),
                XmlToken::Start => {
                    let element = self.element();
                    return Err(self.unexpected(&element));
                }
                XmlToken::End | XmlToken::Eof => {
                    self.mark = mark; // so that an error about the value points to its element
                    return Ok(text);
                }
            }
            // Comments between the parts count too: the whole range is buffered for the error position.
            let length = self.window.offset() - mark;
            if text.len() > self.limits.max_text || length > 2 * self.limits.max_text as u64 {
                return Err(XmlError::TooLarge(self.place()));
            }
        }
    }

    /// [`text`](Self::text) decoded from base64; see
    /// [`decode_base64`](super::decode_base64).
    pub fn base64(&mut self) -> Result<Vec<u8>, XmlError> {
        self.with_text(lexical::decode_base64)?.map_err(|error| self.invalid(error.to_string()))
    }

    /// Skips the rest of the open element, which must still be well-formed.
    pub fn skip(&mut self) -> Result<(), XmlError> {
        let depth = self.open.len();
        loop {
            if let XmlToken::End = self.inner_token()?
                && self.open.len() < depth
            {
                return Ok(());
            }
        }
    }

    /// Closes the open element, which must be empty.
    pub fn end(&mut self) -> Result<(), XmlError> {
        match self.next()? {
            None => Ok(()),
            Some(element) => Err(self.unexpected(&element)),
        }
    }

    /// Checks that only white space and comments follow the root.
    pub fn finish(mut self) -> Result<(), XmlError> {
        if !self.open.is_empty() {
            let what = "content: the root element is not closed yet";
            return Err(XmlError::Unexpected(self.fault(what)));
        }
        loop {
            match self.token()? {
                XmlToken::Eof => return Ok(()),
                XmlToken::Text => self.only_white("text after the root element")?,
                XmlToken::Start | XmlToken::End => return Err(self.syntax("a second root element")),
            }
        }
    }

    /// Resolves a qualified name in content, such as the value of `xsi:type`, by the
    /// namespaces in scope. White space around it is ignored.
    ///
    /// Errors: [`XmlError::Value`] if it is not a name, or its prefix is not declared.
    pub fn resolve_qname(&self, name: &str) -> Result<(Ns, String), XmlError> {
        let split = lexical::split_name(lexical::trim(name));
        let (prefix, local) = split.ok_or_else(|| self.invalid("not a qualified name"))?;
        let ns = self.scope.resolve(prefix);
        let ns = ns.ok_or_else(|| self.invalid("a qualified name with an undeclared prefix"))?;
        Ok((ns, local.to_owned()))
    }

    /// Octets of the document read so far.
    pub fn offset(&self) -> u64 {
        self.window.offset()
    }

    /// The next token inside an open element, never `Eof`.
    pub(super) fn inner_token(&mut self) -> Result<XmlToken, XmlError> {
        if self.open.is_empty() {
            let what = "use of the reader: no element is open";
            return Err(XmlError::Unexpected(self.fault(what)));
        }
        self.token()
    }

    /// Adds the apparent prefixes in `value` with their namespaces here, sorted by prefix.
    pub(super) fn prefixes_in(&self, value: &str, found: &mut Vec<(CompactString, Ns)>) {
        let is_of_name = |c: char| c.is_alphanumeric() || matches!(c, ':' | '_' | '-' | '.');
        for word in value.split(|c| !is_of_name(c)) {
            let Some((prefix, _)) = word.split_once(':').filter(|(prefix, _)| !matches!(*prefix, "" | "xml")) else {
                continue;
            };
            if let Err(at) = found.binary_search_by(|(known, _)| known.as_str().cmp(prefix))
                && let Some(ns) = self.scope.resolve(prefix)
            {
                found.insert(at, (prefix.into(), ns));
            }
        }
    }

    /// Refuses a text of the open element that exceeds the limit.
    pub(super) fn check_text(&self, len: usize) -> Result<(), XmlError> {
        match len > self.limits.max_text {
            true => Err(XmlError::TooLarge(self.place())),
            false => Ok(()),
        }
    }

    /// The characters of the last [`XmlToken::Text`].
    pub(super) fn characters(&self) -> &str {
        &self.text
    }

    /// The element of the last [`XmlToken::Start`].
    pub(super) fn element(&mut self) -> Element {
        let local = self.open.last().and_then(|open| self.names.get(open.local..open.end)).unwrap_or_default();
        Element {
            ns: std::mem::take(&mut self.ns),
            local: local.into(),
            attributes: std::mem::take(&mut self.attributes),
        }
    }

    fn token(&mut self) -> Result<XmlToken, XmlError> {
        if let Some(closed) = self.closed.take() {
            self.names.truncate(closed.name);
        }
        loop {
            let Some(token) = self.raw_token()? else { continue };
            // Checked where tags start: those places do not depend on how the document is chunked.
            match (&token, self.open.len()) {
                (XmlToken::Start, ..=2) => self.child = self.mark,
                (XmlToken::Start, _) if self.mark - self.child > self.limits.max_child => {
                    return Err(XmlError::TooLarge(self.place()));
                }
                _ => {}
            }
            return Ok(token);
        }
    }
}
