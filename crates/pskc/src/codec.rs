//! What all readers and writers of the model share.

use std::io::BufRead;
use std::str::FromStr;

use jiff::civil;
use jiff::tz::Offset;
use jiff::{Timestamp, fmt::temporal};

use crate::Error;
use crate::xml::{self, Element, Ns, Reader, Writer, XmlError, ns};

/// The children of the open element, in the order that the schema gives them. A name ending in `*`
/// may stand several times; `*` alone is any element of another namespace.
pub(crate) struct Sequence {
    names: &'static [&'static str],
    at: usize,
}

impl Sequence {
    pub(crate) fn new(names: &'static [&'static str]) -> Self {
        Self { names, at: 0 }
    }

    /// The next child with its name in the list (without the `*`).
    ///
    /// Errors: a child that is not in the list, comes too late, or comes once too often.
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

    /// The name in the list that `element` may have at this point.
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

/// Refuses attributes other than `allowed`, which are in no namespace, and what any element may tell about its
/// schema and language.
pub(crate) fn only_attributes<R: BufRead>(
    reader: &Reader<R>,
    element: &Element,
    allowed: &[&str],
) -> Result<(), XmlError> {
    let unknown = |a: &&xml::Attribute| match &a.ns {
        Ns::None => !allowed.contains(&a.local.as_str()),
        ns if ns.is(ns::XML) => false, // a name has a language (RFC 6030 §4.2), which its schema forgets
        ns => !(ns.is(ns::XSI) && matches!(&*a.local, "type" | "schemaLocation" | "noNamespaceSchemaLocation")),
    };
    match element.attributes().iter().find(unknown) {
        Some(attribute) => {
            Err(XmlError::Unexpected { what: format!("attribute {}", attribute.local), place: reader.place() })
        }
        None => Ok(()),
    }
}

/// The attribute `name`, which must be there.
pub(crate) fn required<'e, R: BufRead>(
    reader: &Reader<R>,
    element: &'e Element,
    name: &str,
) -> Result<&'e str, XmlError> {
    element.attr(name).ok_or_else(|| reader.missing(format!("attribute {name}")))
}

/// The text of the open element, which has no attributes, without white space around it.
pub(crate) fn text<R: BufRead>(reader: &mut Reader<R>, element: &Element) -> Result<String, XmlError> {
    only_attributes(reader, element, &[])?;
    reader.with_text(|text| xml::trim(text).to_owned())
}

/// The text of the open element as a `T`; `what` says what it should be.
pub(crate) fn parsed<R: BufRead, T: FromStr>(
    reader: &mut Reader<R>,
    element: &Element,
    what: &str,
) -> Result<T, XmlError> {
    only_attributes(reader, element, &[])?;
    let value = reader.with_text(|text| xml::trim(text).parse())?;
    value.map_err(|_| reader.invalid(format!("not {what}")))
}

/// The attribute `name` as a `T`, where it stands.
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

/// The attribute `name` as an `xs:boolean`, where it stands.
pub(crate) fn flag<R: BufRead>(reader: &Reader<R>, element: &Element, name: &str) -> Result<Option<bool>, XmlError> {
    match element.attr(name).map(xml::trim) {
        None => Ok(None),
        Some("false" | "0") => Ok(Some(false)),
        Some("true" | "1") => Ok(Some(true)),
        Some(_) => Err(reader.invalid(format!("attribute {name} is not true or false"))),
    }
}

/// The text of the open element as an `xs:dateTime`.
pub(crate) fn date<R: BufRead>(reader: &mut Reader<R>, element: &Element) -> Result<Timestamp, Error> {
    let text = text(reader, element)?;
    let date = parse_date(&text);
    Ok(date.ok_or_else(|| reader.invalid("not a date and time such as 2026-01-31T12:00:00Z"))?)
}

/// `YYYY-MM-DDThh:mm:ss[.f][Z|±hh:mm]`, without a zone in UTC; years 1 to 9999, no leap seconds, as exact as a
/// nanosecond.
/// "Never", as files write it (`9999-12-31T23:59:59Z`), becomes the latest time that can be held, a
/// day earlier.
pub(crate) fn parse_date(text: &str) -> Option<Timestamp> {
    const FORM: &[u8] = b"0000-00-00T00:00:00";
    static PARSER: temporal::DateTimeParser = temporal::DateTimeParser::new();
    let (fixed, rest) = text.split_at_checked(FORM.len())?;
    // The library reads more than XML Schema allows, so the form is checked first.
    let matches = |(form, octet): (&u8, u8)| match form {
        b'0' => octet.is_ascii_digit(),
        separator => octet == *separator,
    };
    if !FORM.iter().zip(fixed.bytes()).all(matches) || fixed.starts_with("0000") || fixed.ends_with("60") {
        return None;
    }
    let zone = rest.find(['Z', '+', '-']).unwrap_or(rest.len());
    let (fraction, zone) = rest.split_at(zone);
    if !fraction.is_empty() {
        let digits = fraction.strip_prefix('.')?;
        if digits.is_empty() || !digits.bytes().all(|digit| digit.is_ascii_digit()) {
            return None;
        }
    }
    let fraction = &fraction[..fraction.len().min(".123456789".len())]; // ASCII, as just seen
    // The end of a day is the first moment of the next.
    let (date, day) = match fixed.strip_suffix("24:00:00") {
        Some(day) if fraction.bytes().all(|octet| matches!(octet, b'.' | b'0')) => ([day, "00:00:00"].concat(), 1),
        _ => ([fixed, fraction].concat(), 0),
    };
    let date: civil::DateTime = PARSER.parse_datetime(date).ok()?;
    let zone = parse_zone(zone)?;
    let date = date.checked_add(jiff::Span::new().days(day)).and_then(|date| zone.to_timestamp(date));
    Some(date.unwrap_or(Timestamp::MAX)) // with years from 1 on, it can only be too late
}

fn parse_zone(zone: &str) -> Option<Offset> {
    if matches!(zone, "" | "Z") {
        return Some(Offset::UTC);
    }
    let (sign, hours_minutes) = zone.split_at_checked(1)?;
    let (hours, minutes) = hours_minutes.split_once(':')?;
    let number = |digits: &str| match digits.as_bytes() {
        [tens @ b'0'..=b'9', ones @ b'0'..=b'9'] => Some(i32::from(tens - b'0') * 10 + i32::from(ones - b'0')),
        _ => None,
    };
    let (hours, minutes) = (number(hours)?, number(minutes)?);
    if minutes > 59 || hours * 60 + minutes > 14 * 60 {
        return None;
    }
    let seconds = (hours * 60 + minutes) * 60;
    Offset::from_seconds(if sign == "-" { -seconds } else { seconds }).ok()
}

/// An enum whose values have names in XML.
macro_rules! names {
    ($(#[$meta:meta])* pub enum $type:ident { $($(#[$doc:meta])* $variant:ident = $name:literal,)* }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum $type { $($(#[$doc])* $variant,)* }

        impl $type {
            /// The name that it has in XML.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// The value of that name; `None` where the name is not known.
            pub fn from_name(name: &str) -> Option<Self> {
                match name { $($name => Some(Self::$variant),)* _ => None }
            }
        }
    };
}
pub(crate) use names;

/// Writes `<name>text</name>` where there is a text.
pub(crate) fn write_text(writer: &mut Writer, name: &str, text: Option<&str>) {
    if let Some(text) = text {
        writer.element(name, text);
    }
}

/// Writes a date in UTC, in canonical form, where there is one.
pub(crate) fn write_date(writer: &mut Writer, name: &str, date: Option<Timestamp>) {
    if let Some(date) = date {
        writer.element(name, &date.to_string());
    }
}

#[cfg(test)]
mod tests {
    use super::parse_date;

    #[test]
    fn s5_dates_are_xml_schema_dates_and_without_a_zone_utc() {
        let good = [
            ("2006-05-01T00:00:00Z", "2006-05-01T00:00:00Z"),
            ("2006-05-01T00:00:00", "2006-05-01T00:00:00Z"),
            ("2006-05-01T02:30:00+02:30", "2006-05-01T00:00:00Z"),
            ("2006-04-30T10:00:00-14:00", "2006-05-01T00:00:00Z"),
            ("2006-05-01T00:00:00.250Z", "2006-05-01T00:00:00.25Z"),
            ("2006-05-01T00:00:00.12345678987Z", "2006-05-01T00:00:00.123456789Z"),
            ("2006-04-30T24:00:00Z", "2006-05-01T00:00:00Z"),
            ("2006-04-30T24:00:00.0+01:00", "2006-04-30T23:00:00Z"),
            ("9999-12-31T23:59:59Z", "9999-12-30T22:00:00.999999999Z"),
            ("9999-12-31T24:00:00Z", "9999-12-30T22:00:00.999999999Z"),
        ];
        for (text, expected) in good {
            assert_eq!(parse_date(text).unwrap().to_string(), expected, "{text}");
        }
        let bad = [
            "",
            "2006",
            "2006-05-01",
            "2006-05-01 00:00:00Z",
            "2006-05-01t00:00:00z",
            "2006-05-01T00:00Z",
            "2006-05-01T00:00:60Z",
            "2006-13-01T00:00:00Z",
            "2006-02-30T00:00:00Z",
            "2006-05-01T25:00:00Z",
            "2006-05-01T24:00:01Z",
            "2006-05-01T24:00:00.1Z",
            "2006-05-01T00:00:00.Z",
            "2006-05-01T00:00:00+2:00",
            "2006-05-01T00:00:00+14:01",
            "2006-05-01T00:00:00+00:60",
            "2006-05-01T00:00:00+0200",
            "2006-05-01T00:00:00Z[UTC]",
            "2006-05-01T00:00:00ZZ",
            "0000-01-01T00:00:00Z",
            "-001-01-01T00:00:00Z",
            "20060501T000000Z",
            "2006-05-01T00:00:00,5Z",
            "２006-05-01T00:00:00Z",
            "2006-05-01T00:00:00é",
        ];
        for text in bad {
            assert_eq!(parse_date(text), None, "{text}");
        }
    }
}
