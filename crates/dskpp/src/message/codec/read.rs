//! Reading: from octets to the elements of a PDU, in the schema's order.

use pskc::xml::{Attribute, Element, Fault, Ns, XmlError, XmlLimits, ns, trim};

use crate::algorithm::without_white_space;
use crate::message::{MAX_IDENTIFIER_LEN, MAX_MESSAGE_LEN, MIN_NONCE_LEN, MessageError, ReadError, RootKind};
use crate::status::Status;
use crate::version::Version;

pub(in crate::message) type MessageReader<'b> = pskc::xml::Reader<&'b [u8]>;

/// Reads a whole body whose root must be one of `kinds`. `content` receives the open root and reads
/// through its end tag; the version is checked before anything else (profile P23).
pub(in crate::message) fn read<'b, T>(
    body: &'b [u8],
    kinds: &[RootKind],
    content: impl FnOnce(&mut MessageReader<'b>, &Element, RootKind, Version) -> Result<T, MessageError>,
) -> Result<T, ReadError> {
    let (mut reader, root, kind) = open(body, kinds).map_err(ReadError::NotDskpp)?;
    version(&reader, &root, kind)
        .and_then(|version| content(&mut reader, &root, kind, version))
        .and_then(|message| {
            reader.finish()?;
            Ok(message)
        })
        .map_err(|reason| ReadError::Refused {
            status: status_of(&reason, kind),
            root: kind,
            session_id: root.attr("SessionID").filter(|id| is_identifier(id)).map(str::to_owned),
            offered_four_pass: kind == RootKind::ClientHello && may_offer_four_pass(body),
            reason,
        })
}

fn open<'b>(body: &'b [u8], kinds: &[RootKind]) -> Result<(MessageReader<'b>, Element, RootKind), MessageError> {
    if body.len() > MAX_MESSAGE_LEN {
        return Err(MessageError::TooLong { octets: body.len() });
    }
    let mut reader = MessageReader::from_slice(body, XmlLimits::MESSAGE)?;
    let root = reader.root()?;
    let kind = RootKind::from_name(&root.local).filter(|kind| kinds.contains(kind) && root.is(ns::DSKPP, kind.name()));
    match kind {
        Some(kind) => Ok((reader, root, kind)),
        None => Err(reader.unexpected(&root).into()),
    }
}

/// The root's `Version`; a trigger may omit it, which means 1.0.
fn version(reader: &MessageReader<'_>, root: &Element, kind: RootKind) -> Result<Version, MessageError> {
    let Some(text) = root.attr("Version") else {
        return match kind {
            RootKind::Trigger => Ok(Version::V1_0),
            _ => Err(reader.missing("attribute Version").into()),
        };
    };
    let version: Version = text.parse().map_err(|_| reader.invalid("Version is not two numbers such as 1.0"))?;
    match version.is_supported() {
        true => Ok(version),
        false => Err(MessageError::UnsupportedVersion(version)),
    }
}

/// `UnsupportedVersion` is valid in a server's first response only (RFC 6063 §3.3).
fn status_of(reason: &MessageError, kind: RootKind) -> Status {
    match reason {
        MessageError::UnsupportedVersion(_) if kind != RootKind::ClientNonce => Status::UnsupportedVersion,
        MessageError::UnknownCriticalExtension { .. } => Status::UnknownCriticalExtension,
        _ => Status::MalformedRequest,
    }
}

/// Reads a refused ClientHello again, leniently, to choose the element
/// of the answer (profile P22). If in doubt, four-pass counts as offered.
fn may_offer_four_pass(body: &[u8]) -> bool {
    fn scan(body: &[u8]) -> Result<bool, MessageError> {
        let mut reader = MessageReader::from_slice(body, XmlLimits::MESSAGE)?;
        reader.root()?;
        while let Some(element) = reader.next()? {
            if !element.is(ns::DSKPP, "SupportedProtocolVariants") {
                reader.skip()?;
                continue;
            }
            while let Some(variant) = reader.next()? {
                if variant.is(ns::DSKPP, "FourPass") {
                    return Ok(true);
                }
                reader.skip()?;
            }
            return Ok(false);
        }
        Ok(true)
    }
    scan(body).unwrap_or(true)
}

/// The children of the open element, in schema order.
pub(in crate::message) struct Children<'r, 'b> {
    reader: &'r mut MessageReader<'b>,
    /// A child whose start tag was read, but not its content.
    peeked: Option<Element>,
    ended: bool,
}

impl<'r, 'b> Children<'r, 'b> {
    pub(in crate::message) fn of(reader: &'r mut MessageReader<'b>) -> Self {
        Children { reader, peeked: None, ended: false }
    }

    /// Reads the next child if it is `dskpp:name`; `read` must read through its end tag.
    pub(in crate::message) fn optional<T>(
        &mut self,
        name: &'static str,
        read: impl FnOnce(&mut MessageReader<'b>, &Element) -> Result<T, MessageError>,
    ) -> Result<Option<T>, MessageError> {
        self.optional_in(ns::DSKPP, name, read)
    }

    /// Like [`optional`](Self::optional), in another namespace.
    pub(in crate::message) fn optional_in<T>(
        &mut self,
        namespace: &str,
        name: &'static str,
        read: impl FnOnce(&mut MessageReader<'b>, &Element) -> Result<T, MessageError>,
    ) -> Result<Option<T>, MessageError> {
        match self.take(namespace, name)? {
            Some(element) => read(self.reader, &element).map(Some),
            None => Ok(None),
        }
    }

    /// The next child if it is this one; its attributes are checked, its content is not read. Apart from the generic
    /// functions, so that there is one copy of it.
    fn take(&mut self, namespace: &str, name: &'static str) -> Result<Option<Element>, MessageError> {
        if !self.peek()?.is_some_and(|element| element.is(namespace, name)) {
            return Ok(None);
        }
        let element = self.peeked.take();
        if let (Some(element), Some(allowed)) = (&element, attributes_of(name)) {
            only_attributes(self.reader, element, allowed)?;
        }
        Ok(element)
    }

    /// Reads the next child, which must be `dskpp:name`.
    pub(in crate::message) fn required<T>(
        &mut self,
        name: &'static str,
        read: impl FnOnce(&mut MessageReader<'b>, &Element) -> Result<T, MessageError>,
    ) -> Result<T, MessageError> {
        match self.optional(name, read)? {
            Some(value) => Ok(value),
            None => Err(self.missing_child(name)),
        }
    }

    /// Whether there are no more children.
    pub(in crate::message) fn is_at_end(&mut self) -> Result<bool, MessageError> {
        Ok(self.peek()?.is_none())
    }

    /// Requires that there are no more children.
    pub(in crate::message) fn end(mut self) -> Result<(), MessageError> {
        match self.peek()?.cloned() {
            None => Ok(()),
            Some(element) => Err(self.reader.unexpected(&element).into()),
        }
    }

    /// The error for a missing child, with the place of the child found instead.
    pub(in crate::message) fn missing(&self, what: &str) -> MessageError {
        self.reader.missing(what.to_owned()).into()
    }

    fn missing_child(&self, name: &str) -> MessageError {
        self.missing(&format!("<{name}>"))
    }

    fn peek(&mut self) -> Result<Option<&Element>, MessageError> {
        if self.peeked.is_none() && !self.ended {
            self.peeked = self.reader.next()?;
            self.ended = self.peeked.is_none();
        }
        Ok(self.peeked.as_ref())
    }
}

/// The allowed attributes without namespace of an element below the root; `None` if its
/// reader checks them.
fn attributes_of(name: &str) -> Option<&'static [&'static str]> {
    match name {
        "Mac" => Some(&["MacAlgorithm"]),
        "Object" => Some(&["Id", "MimeType", "Encoding"]),
        "TokenPlatformInfo" => Some(&["KeyLocation", "AlgorithmLocation"]),
        "EncryptionKey" | "KeyInfo" | "KeyContainer" | "Extension" | "FourPass" => None,
        _ => Some(&[]),
    }
}

/// Refuses attributes without namespace that are not among `allowed`.
pub(in crate::message) fn only_attributes(
    reader: &MessageReader<'_>,
    element: &Element,
    allowed: &[&str],
) -> Result<(), MessageError> {
    let unknown = |a: &&Attribute| a.ns == Ns::None && !allowed.contains(&a.local.as_str());
    match element.attributes().iter().find(unknown) {
        None => Ok(()),
        Some(attribute) => {
            let what = format!("attribute {}", attribute.local);
            Err(XmlError::Unexpected(Fault::at(reader.place(), what)).into())
        }
    }
}

/// `SessionID` of the root.
pub(in crate::message) fn session_id(
    reader: &MessageReader<'_>,
    root: &Element,
) -> Result<Option<String>, MessageError> {
    match root.attr("SessionID") {
        None => Ok(None),
        Some(id) if is_identifier(id) => Ok(Some(id.to_owned())),
        Some(_) => Err(reader.invalid("SessionID has more than 128 characters").into()),
    }
}

/// The attributes of a response: `SessionID` and `Status`.
pub(in crate::message) fn response(
    reader: &MessageReader<'_>,
    root: &Element,
) -> Result<(Option<String>, Status), MessageError> {
    only_attributes(reader, root, &["Version", "SessionID", "Status"])?;
    let status = root.attr("Status").ok_or_else(|| reader.missing("attribute Status"))?;
    let status = status.parse().map_err(|_| reader.invalid("Status is not a status code"))?;
    Ok((session_id(reader, root)?, status))
}

/// The text of an element of type `IdentifierType`, unchanged: xs:string is compared octet
/// for octet (RFC 6063 §8.1).
pub(in crate::message) fn identifier(reader: &mut MessageReader<'_>, _: &Element) -> Result<String, MessageError> {
    let text = reader.text()?;
    match is_identifier(&text) {
        true => Ok(text),
        false => Err(reader.invalid("more than 128 characters").into()),
    }
}

fn is_identifier(text: &str) -> bool {
    text.chars().count() <= MAX_IDENTIFIER_LEN
}

/// The text of an element of type `xs:base64Binary`.
pub(in crate::message) fn base64(reader: &mut MessageReader<'_>, _: &Element) -> Result<Vec<u8>, MessageError> {
    Ok(reader.base64()?)
}

/// The text of an element of type `NonceType`.
pub(in crate::message) fn nonce(reader: &mut MessageReader<'_>, element: &Element) -> Result<Vec<u8>, MessageError> {
    let nonce = base64(reader, element)?;
    match nonce.len() >= MIN_NONCE_LEN {
        true => Ok(nonce),
        false => Err(reader.invalid("a nonce of fewer than 16 octets").into()),
    }
}

/// The text of an element of type `xs:int`.
pub(in crate::message) fn int(reader: &mut MessageReader<'_>, _: &Element) -> Result<i32, MessageError> {
    let text = reader.text()?;
    trim(&text).parse().map_err(|_| reader.invalid("not a number of 32 bits").into())
}

/// The text of an element of type `xs:anyURI`, without white space.
pub(in crate::message) fn uri(reader: &mut MessageReader<'_>, _: &Element) -> Result<String, MessageError> {
    Ok(without_white_space(&reader.text()?).into_owned())
}

/// Reads the text of an element that holds an identifier.
pub(in crate::message) fn value<T>(
    from_uri: fn(&str) -> T,
) -> impl Fn(&mut MessageReader<'_>, &Element) -> Result<T, MessageError> {
    move |reader, _| Ok(from_uri(&reader.text()?))
}

/// Reads a list of such elements, all called `name`, at least one; repetitions are
/// allowed.
pub(in crate::message) fn values<T>(
    name: &'static str,
    from_uri: fn(&str) -> T,
) -> impl Fn(&mut MessageReader<'_>, &Element) -> Result<Vec<T>, MessageError> {
    move |reader, _| {
        let mut children = Children::of(reader);
        let mut values = vec![children.required(name, value(from_uri))?];
        while let Some(next) = children.optional(name, value(from_uri))? {
            values.push(next);
        }
        children.end()?;
        Ok(values)
    }
}
