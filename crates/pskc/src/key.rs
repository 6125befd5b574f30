//! `Key`, its data and its algorithm parameters.

use std::io::BufRead;

use dskpp_crypto::Secret;

use crate::codec::{self, Sequence, flag, only_attributes, parsed_attr, required, write_text};
use crate::extensions::Extensions;
use crate::value::{EncryptedValue, Value, read_number, read_secret, write_number, write_secret};
use crate::xml::{self, Element, Foreign, Reader, Writer};
use crate::{Error, Policy};

/// `<Key>`: a symmetric key and its properties (RFC 6030 §4.2 and §4.3.3).
///
/// A key must not be used if its policy is not understood; see [`Key::is_usable`].
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Key {
    /// An identifier that is unique in its scope.
    pub id: String,
    /// The key's purpose: a URI such as `urn:ietf:params:xml:ns:keyprov:pskc:totp` (§10).
    pub algorithm: Option<String>,
    /// The issuer.
    pub issuer: Option<String>,
    /// Parameters of the algorithm.
    pub algorithm_parameters: Option<AlgorithmParameters>,
    /// A profile that both sides know, instead of parameters.
    pub key_profile_id: Option<String>,
    /// A key outside the document, such as the master key that this one is derived from.
    pub key_reference: Option<String>,
    /// A display name.
    pub friendly_name: Option<String>,
    /// The language of the display name (`xml:lang`, RFC 5646); defaults to that of the container, then to English.
    pub friendly_name_language: Option<String>,
    /// The secret and the moving values.
    pub data: Option<KeyData>,
    /// The key's user; a distinguished name as text (RFC 4514).
    pub user_id: Option<String>,
    /// What the key may be used for (§5).
    pub policy: Option<Policy>,
    /// Extensions, in order.
    pub extensions: Vec<Extensions>,
}

/// `<AlgorithmParameters>` (§4.3.4).
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct AlgorithmParameters {
    /// Further details of the algorithm, such as an OCRA suite or a hash.
    pub suite: Option<String>,
    /// The form of a challenge.
    pub challenge_format: Option<ChallengeFormat>,
    /// The form of a response, such as an OTP.
    pub response_format: Option<ResponseFormat>,
    /// Extensions, in order.
    pub extensions: Vec<Extensions>,
}

/// `<ChallengeFormat>`; lengths are in digits or characters, or in octets before encoding for
/// [`ValueFormat::Base64`] and [`ValueFormat::Binary`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChallengeFormat {
    /// The encoding of the challenge.
    pub encoding: ValueFormat,
    /// The shortest challenge that the device accepts.
    pub min: u32,
    /// The longest challenge that the device accepts.
    pub max: u32,
    /// Whether the last digit is a check digit (Luhn); defaults to no.
    pub check_digits: Option<bool>,
}

/// `<ResponseFormat>`; the length is counted as in [`ChallengeFormat`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ResponseFormat {
    /// The encoding of the response.
    pub encoding: ValueFormat,
    /// Its length.
    pub length: u32,
    /// Whether a check digit (Luhn) is appended; defaults to no.
    pub check_digits: Option<bool>,
}

codec::names! {
    /// The encoding of a challenge, response or PIN.
    pub enum ValueFormat {
        /// Decimal digits.
        Decimal = "DECIMAL",
        /// Hexadecimal digits.
        Hexadecimal = "HEXADECIMAL",
        /// ASCII letters and digits.
        Alphanumeric = "ALPHANUMERIC",
        /// Base64.
        Base64 = "BASE64",
        /// Octets.
        Binary = "BINARY",
    }
}

/// `<Data>`: the secret and its moving values (§4.2).
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct KeyData {
    /// The key's octets.
    pub secret: Option<Value<Secret>>,
    /// The event counter of HOTP.
    pub counter: Option<Value<i64>>,
    /// The time of TOTP, in intervals since the epoch.
    pub time: Option<Value<i32>>,
    /// Seconds in an interval.
    pub time_interval: Option<Value<i32>>,
    /// The drift of the device's clock, in intervals.
    pub time_drift: Option<Value<i32>>,
    /// Values of other namespaces.
    pub other: Vec<Foreign>,
}

impl Key {
    /// The elements in it, in the order of the schema, as [`Sequence`] takes them.
    pub(crate) const CHILDREN: &[&str] = &[
        "Issuer",
        "AlgorithmParameters",
        "KeyProfileId",
        "KeyReference",
        "FriendlyName",
        "Data",
        "UserId",
        "Policy",
        "Extensions*",
    ];

    /// Whether the key's policy is fully understood. If not, the key must not be
    /// used at all (§5).
    pub fn is_usable(&self) -> bool {
        self.policy.as_ref().is_none_or(Policy::is_understood)
    }

    pub(crate) fn read_open<R: BufRead>(reader: &mut Reader<R>, element: &Element) -> Result<Self, Error> {
        only_attributes(reader, element, &["Id", "Algorithm"])?;
        let mut key = Self {
            id: required(reader, element, "Id")?.to_owned(),
            algorithm: element.attr("Algorithm").map(xml::without_white_space),
            ..Self::default()
        };
        let mut children = Sequence::new(Self::CHILDREN);
        while let Some((name, child)) = children.next(reader)? {
            match name {
                "AlgorithmParameters" => {
                    let parameters = AlgorithmParameters::read_open(reader, &child)?;
                    key.algorithm_parameters = Some(parameters);
                }
                "Data" => key.data = Some(KeyData::read_open(reader, &child)?),
                "Policy" => key.policy = Some(Policy::read_open(reader, &child)?),
                "Extensions" => key.extensions.push(Extensions::read_open(reader, &child)?),
                "Issuer" => key.issuer = Some(codec::text(reader, &child)?),
                "KeyProfileId" => key.key_profile_id = Some(codec::text(reader, &child)?),
                "KeyReference" => key.key_reference = Some(codec::text(reader, &child)?),
                "FriendlyName" => {
                    key.friendly_name_language = codec::language(reader, &child, &[])?;
                    key.friendly_name = Some(reader.with_text(|text| xml::trim(text).to_owned())?);
                }
                _ => key.user_id = Some(codec::text(reader, &child)?),
            }
        }
        Ok(key)
    }

    pub(crate) fn write(&self, writer: &mut Writer) {
        writer.start("pskc:Key").attr("Id", &self.id);
        writer.attr_opt("Algorithm", self.algorithm.as_deref());
        write_text(writer, "pskc:Issuer", self.issuer.as_deref());
        if let Some(parameters) = &self.algorithm_parameters {
            parameters.write(writer);
        }
        write_text(writer, "pskc:KeyProfileId", self.key_profile_id.as_deref());
        write_text(writer, "pskc:KeyReference", self.key_reference.as_deref());
        if let Some(name) = &self.friendly_name {
            writer.start("pskc:FriendlyName").attr_opt("xml:lang", self.friendly_name_language.as_deref());
            writer.text(name).end();
        }
        if let Some(data) = &self.data {
            data.write(writer);
        }
        write_text(writer, "pskc:UserId", self.user_id.as_deref());
        if let Some(policy) = &self.policy {
            policy.write(writer);
        }
        self.extensions.iter().for_each(|extensions| extensions.write(writer));
        writer.end();
    }
}

impl AlgorithmParameters {
    fn read_open<R: BufRead>(reader: &mut Reader<R>, element: &Element) -> Result<Self, Error> {
        only_attributes(reader, element, &[])?;
        let mut parameters = Self::default();
        let mut children = Sequence::new(&["Suite", "ChallengeFormat", "ResponseFormat", "Extensions*"]);
        while let Some((name, child)) = children.next(reader)? {
            match name {
                "Suite" => parameters.suite = Some(codec::text(reader, &child)?),
                "ChallengeFormat" => {
                    parameters.challenge_format = Some(ChallengeFormat::read_open(reader, &child)?);
                }
                "ResponseFormat" => {
                    parameters.response_format = Some(ResponseFormat::read_open(reader, &child)?);
                }
                _ => parameters.extensions.push(Extensions::read_open(reader, &child)?),
            }
        }
        Ok(parameters)
    }

    fn write(&self, writer: &mut Writer) {
        writer.start("pskc:AlgorithmParameters");
        write_text(writer, "pskc:Suite", self.suite.as_deref());
        if let Some(format) = &self.challenge_format {
            writer.start("pskc:ChallengeFormat").attr("Encoding", format.encoding.as_str());
            writer.attr("Min", &format.min.to_string()).attr("Max", &format.max.to_string());
            writer.attr_opt("CheckDigits", format.check_digits.map(flag_name)).end();
        }
        if let Some(format) = &self.response_format {
            writer.start("pskc:ResponseFormat").attr("Encoding", format.encoding.as_str());
            writer.attr("Length", &format.length.to_string());
            writer.attr_opt("CheckDigits", format.check_digits.map(flag_name)).end();
        }
        self.extensions.iter().for_each(|extensions| extensions.write(writer));
        writer.end();
    }
}

impl ChallengeFormat {
    fn read_open<R: BufRead>(reader: &mut Reader<R>, element: &Element) -> Result<Self, Error> {
        only_attributes(reader, element, &["Encoding", "Min", "Max", "CheckDigits"])?;
        let format = Self {
            encoding: read_encoding(reader, element)?,
            min: read_length(reader, element, "Min")?,
            max: read_length(reader, element, "Max")?,
            check_digits: flag(reader, element, "CheckDigits")?,
        };
        reader.end()?;
        Ok(format)
    }
}

impl ResponseFormat {
    fn read_open<R: BufRead>(reader: &mut Reader<R>, element: &Element) -> Result<Self, Error> {
        only_attributes(reader, element, &["Encoding", "Length", "CheckDigits"])?;
        let format = Self {
            encoding: read_encoding(reader, element)?,
            length: read_length(reader, element, "Length")?,
            check_digits: flag(reader, element, "CheckDigits")?,
        };
        reader.end()?;
        Ok(format)
    }
}

/// An `xs:boolean`.
fn flag_name(flag: bool) -> &'static str {
    if flag { "true" } else { "false" }
}

fn read_encoding<R: BufRead>(reader: &Reader<R>, element: &Element) -> Result<ValueFormat, Error> {
    let encoding = required(reader, element, "Encoding")?;
    let encoding = ValueFormat::from_name(encoding);
    Ok(encoding.ok_or_else(|| reader.invalid("attribute Encoding is not a known encoding"))?)
}

fn read_length<R: BufRead>(reader: &Reader<R>, element: &Element, name: &str) -> Result<u32, Error> {
    let length = parsed_attr(reader, element, name, "a number of 32 bits")?;
    Ok(length.ok_or_else(|| reader.missing(format!("attribute {name}")))?)
}

impl KeyData {
    /// The encrypted values, each with its element name, in schema order.
    pub fn encrypted_values(&self) -> impl Iterator<Item = (&'static str, &EncryptedValue)> {
        fn named<'v, T>(name: &'static str, value: &'v Option<Value<T>>) -> Option<(&'static str, &'v EncryptedValue)> {
            value.as_ref().and_then(Value::encrypted).map(|value| (name, value))
        }
        (0..5).filter_map(|number| match number {
            0 => named("Secret", &self.secret),
            1 => named("Counter", &self.counter),
            2 => named("Time", &self.time),
            3 => named("TimeInterval", &self.time_interval),
            _ => named("TimeDrift", &self.time_drift),
        })
    }

    fn read_open<R: BufRead>(reader: &mut Reader<R>, element: &Element) -> Result<Self, Error> {
        only_attributes(reader, element, &[])?;
        let mut data = Self::default();
        let mut children = Sequence::new(&["Secret", "Counter", "Time", "TimeInterval", "TimeDrift", "*"]);
        while let Some((name, child)) = children.next(reader)? {
            match name {
                "Secret" => data.secret = Some(read_secret(reader, &child)?),
                "Counter" => data.counter = Some(read_number(reader, &child)?),
                "Time" => data.time = Some(read_number(reader, &child)?),
                "TimeInterval" => data.time_interval = Some(read_number(reader, &child)?),
                "TimeDrift" => data.time_drift = Some(read_number(reader, &child)?),
                _ => data.other.push(Foreign::read_open(reader, child)?),
            }
        }
        Ok(data)
    }

    fn write(&self, writer: &mut Writer) {
        writer.start("pskc:Data");
        write_secret(writer, "pskc:Secret", self.secret.as_ref());
        write_number(writer, "pskc:Counter", self.counter.as_ref());
        write_number(writer, "pskc:Time", self.time.as_ref());
        write_number(writer, "pskc:TimeInterval", self.time_interval.as_ref());
        write_number(writer, "pskc:TimeDrift", self.time_drift.as_ref());
        self.other.iter().for_each(|element| element.write(writer));
        writer.end();
    }
}
