//! Helpers shared by the model's readers and writers.

use std::io::BufRead;
use std::str::FromStr;

use crate::date::DateTimeError;
use crate::xml::{self, Element, Fault, Ns, Reader, Writer, XmlError, ns};
use crate::{DateTime, Error};

/// The children of the open element, in schema order. A name ending in `*`
/// may occur repeatedly; `*` alone is any element of another namespace.
pub(crate) struct Sequence {
    names: &'static [&'static str],
    at: usize,
}

impl Sequence {
    pub(crate) fn new(names: &'static [&'static str]) -> Self {
        Self { names, at: 0 }
    }

    /// Reads the next child; returns its name in the list (without the `*`).
    ///
    /// Errors: a child that is not in the list, out of order, or repeated.
    pub(crate) fn next<R: BufRead>(
        &mut self,
        reader: &mut Reader<R>,
    ) -> Result<Option<(&'static str, Element)>, XmlError> {
        let Some(element) = reader.next()? else { return Ok(None) };
        match self.find(&element) {
            Some(name) => Ok(Some((name, element))),
            None => Err(reader.unexpected(&element)),
        }
    }

    /// The name in the list that matches `element` at this point.
    pub(crate) fn find(&mut self, element: &Element) -> Option<&'static str> {
        let local = match &element.ns {
            ns if ns.is(ns::PSKC) => element.local.as_str(),
            Ns::None => return None, // `##other` is another namespace, not none
            _ => "",
        };
        for (i, name) in self.names.iter().enumerate().skip(self.at) {
            let (plain, several) = match name.as_bytes() {
                [.., b'*'] => (&name[..name.len() - 1], true), // after an ASCII character
                _ => (*name, false),
            };
            if plain == local {
                self.at = if several { i } else { i + 1 };
                return Some(plain);
            }
        }
        None
    }
}

/// Refuses attributes other than `allowed`, which have no namespace, and schema-related ones, which any element may
/// have.
pub(crate) fn only_attributes<R: BufRead>(
    reader: &Reader<R>,
    element: &Element,
    allowed: &[&str],
) -> Result<(), XmlError> {
    let unknown = |a: &&xml::Attribute| match &a.ns {
        Ns::None => !allowed.contains(&a.local.as_str()),
        _ => !a.is_about_schema(),
    };
    match element.attributes().iter().find(unknown) {
        Some(attribute) => Err(unexpected_attribute(reader, &attribute.shown())),
        None => Ok(()),
    }
}

/// The error for an unexpected attribute of the element read last.
pub(crate) fn unexpected_attribute<R: BufRead>(reader: &Reader<R>, name: &str) -> XmlError {
    XmlError::Unexpected(Fault::at(reader.place(), format!("attribute {name}")))
}

/// The attribute `name`, which is mandatory.
pub(crate) fn required<'e, R: BufRead>(
    reader: &Reader<R>,
    element: &'e Element,
    name: &str,
) -> Result<&'e str, XmlError> {
    element.attr(name).ok_or_else(|| reader.missing(format!("attribute {name}")))
}

/// The trimmed text of the open element, which must have no attributes.
pub(crate) fn text<R: BufRead>(reader: &mut Reader<R>, element: &Element) -> Result<String, XmlError> {
    only_attributes(reader, element, &[])?;
    reader.with_text(|text| xml::trim(text).to_owned())
}

/// The language of the element (`xml:lang`), if any. Refuses other attributes like
/// [`only_attributes`] does.
pub(crate) fn language<R: BufRead>(
    reader: &Reader<R>,
    element: &Element,
    allowed: &[&str],
) -> Result<Option<String>, XmlError> {
    let Some(language) = element.attr_ns(ns::XML, "lang") else {
        return only_attributes(reader, element, allowed).map(|()| None);
    };
    let mut others = element.clone();
    others.attributes.retain(|attribute| !attribute.is_language());
    only_attributes(reader, &others, allowed)?;
    match xml::is_language(language) {
        true => Ok(Some(language.to_owned())),
        false => Err(reader.invalid("attribute xml:lang is not a language tag (RFC 5646)")),
    }
}

/// The text of the open element as a `T`; `what` describes the expected form.
pub(crate) fn parsed<R: BufRead, T: FromStr>(
    reader: &mut Reader<R>,
    element: &Element,
    what: &str,
) -> Result<T, XmlError> {
    only_attributes(reader, element, &[])?;
    let value = reader.with_text(|text| xml::trim(text).parse())?;
    value.map_err(|_| reader.invalid(format!("not {what}")))
}

/// The attribute `name` as a `T`, if present.
pub(crate) fn parsed_attr<R: BufRead, T: FromStr>(
    reader: &Reader<R>,
    element: &Element,
    name: &str,
    what: &str,
) -> Result<Option<T>, XmlError> {
    let Some(value) = element.attr(name) else { return Ok(None) };
    let value = xml::trim(value).parse();
    value.map(Some).map_err(|_| reader.invalid(format!("attribute {name} is not {what}")))
}

/// The attribute `name` as an `xs:boolean`, if present.
pub(crate) fn flag<R: BufRead>(reader: &Reader<R>, element: &Element, name: &str) -> Result<Option<bool>, XmlError> {
    match element.attr(name).map(xml::trim) {
        None => Ok(None),
        Some("false" | "0") => Ok(Some(false)),
        Some("true" | "1") => Ok(Some(true)),
        Some(_) => Err(reader.invalid(format!("attribute {name} is not true or false"))),
    }
}

/// The text of the open element as an `xs:dateTime`.
pub(crate) fn date<R: BufRead>(reader: &mut Reader<R>, element: &Element) -> Result<DateTime, Error> {
    let text = text(reader, element)?;
    Ok(text.parse().map_err(|why: DateTimeError| reader.invalid(why.to_string()))?)
}

/// An enum whose values have XML names.
macro_rules! names {
    ($(#[$meta:meta])* pub enum $type:ident { $($(#[$doc:meta])* $variant:ident = $name:literal,)* }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum $type { $($(#[$doc])* $variant,)* }

        impl $type {
            /// The XML name.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// The value with this name; `None` if the name is unknown.
            pub fn from_name(name: &str) -> Option<Self> {
                match name { $($name => Some(Self::$variant),)* _ => None }
            }
        }
    };
}
pub(crate) use names;

/// Writes `<name>text</name>`, if there is a text.
pub(crate) fn write_text(writer: &mut Writer, name: &str, text: Option<&str>) {
    if let Some(text) = text {
        writer.element(name, text);
    }
}

/// Writes a date in UTC, in canonical form, if there is one.
pub(crate) fn write_date(writer: &mut Writer, name: &str, date: Option<DateTime>) {
    if let Some(date) = date {
        writer.element(name, &date.to_string());
    }
}
