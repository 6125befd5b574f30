//! Plain and encrypted values, and their protection (RFC 6030 §6).

use std::fmt::Display;
use std::io::BufRead;
use std::str::FromStr;

use dskpp_crypto::Secret;

use crate::codec::{self, Sequence, only_attributes, required};
use crate::xml::{self, Element, Fault, Foreign, Reader, Writer, ns};
use crate::{Error, KeyInfo};

/// A value of [`KeyData`](crate::KeyData).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value<T> {
    /// `<PlainValue>`
    Plain(T),
    /// `<EncryptedValue>`, with its `<ValueMAC>`
    Encrypted(Box<EncryptedValue>),
}

impl<T> Value<T> {
    /// The value, if it is plain.
    pub fn plain(&self) -> Option<&T> {
        match self {
            Value::Plain(value) => Some(value),
            Value::Encrypted(_) => None,
        }
    }

    /// The encrypted value, if it is encrypted.
    pub fn encrypted(&self) -> Option<&EncryptedValue> {
        match self {
            Value::Plain(_) => None,
            Value::Encrypted(value) => Some(value),
        }
    }
}

impl<T> From<T> for Value<T> {
    fn from(value: T) -> Self {
        Value::Plain(value)
    }
}

/// `<EncryptedValue>` with its `<ValueMAC>`, neither checked nor decrypted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EncryptedValue {
    /// The ciphertext and its algorithm.
    pub data: EncryptedData,
    /// The MAC over the ciphertext (§6.1.1).
    pub mac: Option<Vec<u8>>,
}

/// `xenc:EncryptedData`, as far as RFC 6030 uses it. `EncryptionProperties` and the element's
/// attributes are irrelevant to keys and not kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EncryptedData {
    /// The algorithm's URI.
    pub algorithm: String,
    /// The algorithm's parameters, such as the digest of RSA-OAEP.
    pub parameters: Vec<Foreign>,
    /// The key, if stated here.
    pub key_info: Option<KeyInfo>,
    /// The ciphertext; for CBC it starts with the IV.
    pub cipher_value: Vec<u8>,
}

/// `<MACMethod>`: the algorithm and key of a container's `<ValueMAC>`s (§6.1.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MacMethod {
    /// The MAC's URI, such as `http://www.w3.org/2000/09/xmldsig#hmac-sha1`.
    pub algorithm: String,
    /// The MAC key, encrypted with the container's encryption key.
    pub mac_key: Option<EncryptedData>,
    /// The name of a shared MAC key. Never together with `mac_key`.
    pub mac_key_reference: Option<String>,
    /// Elements of other namespaces.
    pub other: Vec<Foreign>,
}

impl MacMethod {
    pub(crate) fn read_open<R: BufRead>(reader: &mut Reader<R>, element: &Element) -> Result<Self, Error> {
        only_attributes(reader, element, &["Algorithm"])?;
        let mut method = Self {
            algorithm: xml::without_white_space(required(reader, element, "Algorithm")?),
            mac_key: None,
            mac_key_reference: None,
            other: Vec::new(),
        };
        let mut children = Sequence::new(&["MACKey", "MACKeyReference", "*"]);
        while let Some((name, child)) = children.next(reader)? {
            match name {
                "MACKey" => method.mac_key = Some(EncryptedData::read_open(reader, &child)?),
                "MACKeyReference" if method.mac_key.is_some() => {
                    return Err(reader.unexpected(&child).into());
                }
                "MACKeyReference" => method.mac_key_reference = Some(codec::text(reader, &child)?),
                _ => method.other.push(Foreign::read_open(reader, child)?),
            }
        }
        Ok(method)
    }

    pub(crate) fn write(&self, writer: &mut Writer) {
        writer.start("pskc:MACMethod").attr("Algorithm", &self.algorithm);
        match (&self.mac_key, &self.mac_key_reference) {
            (Some(key), _) => key.write(writer, "pskc:MACKey"),
            (None, reference) => {
                codec::write_text(writer, "pskc:MACKeyReference", reference.as_deref());
            }
        }
        self.other.iter().for_each(|element| element.write(writer));
        writer.end();
    }
}

impl EncryptedData {
    /// Reads the content of `element`, of type `xenc:EncryptedDataType`.
    fn read_open<R: BufRead>(reader: &mut Reader<R>, element: &Element) -> Result<Self, Error> {
        only_attributes(reader, element, &["Id", "Type", "MimeType", "Encoding"])?;
        let mut method = None;
        let mut key_info = None;
        let mut cipher_value = None;
        while let Some(child) = reader.next()? {
            let first = cipher_value.is_none();
            if child.is(ns::XENC, "EncryptionMethod") && first && method.is_none() {
                only_attributes(reader, &child, &["Algorithm"])?;
                let algorithm = xml::without_white_space(required(reader, &child, "Algorithm")?);
                let mut parameters = Vec::new();
                while let Some(parameter) = reader.next()? {
                    parameters.push(Foreign::read_open(reader, parameter)?);
                }
                method = Some((algorithm, parameters));
            } else if child.is(ns::DS, "KeyInfo") && first && key_info.is_none() {
                key_info = Some(KeyInfo::read_open(reader, &child)?);
            } else if child.is(ns::XENC, "CipherData") && first {
                only_attributes(reader, &child, &[])?;
                cipher_value = Some(read_cipher_data(reader)?);
            } else if child.is(ns::XENC, "EncryptionProperties") && !first {
                reader.skip()?;
            } else {
                return Err(reader.unexpected(&child).into());
            }
        }
        let (algorithm, parameters) = method.ok_or_else(|| reader.missing("element <EncryptionMethod>"))?;
        let cipher_value = cipher_value.ok_or_else(|| reader.missing("element <CipherData>"))?;
        Ok(Self { algorithm, parameters, key_info, cipher_value })
    }

    fn write(&self, writer: &mut Writer, element_name: &str) {
        writer.start(element_name);
        writer.start("xenc:EncryptionMethod").attr("Algorithm", &self.algorithm);
        self.parameters.iter().for_each(|parameter| parameter.write(writer));
        writer.end();
        if let Some(key) = &self.key_info {
            key.write(writer, "ds:KeyInfo");
        }
        writer.start("xenc:CipherData").start("xenc:CipherValue").base64(&self.cipher_value);
        writer.end().end().end();
    }
}

/// `xenc:CipherData`. References to external ciphertexts are not followed.
fn read_cipher_data<R: BufRead>(reader: &mut Reader<R>) -> Result<Vec<u8>, Error> {
    let Some(child) = reader.next()? else {
        return Err(reader.missing("element <CipherValue>").into());
    };
    if child.is(ns::XENC, "CipherReference") {
        let what = "a ciphertext outside the document";
        return Err(Error::Unsupported(Fault::at(reader.place(), what)));
    }
    if !child.is(ns::XENC, "CipherValue") {
        return Err(reader.unexpected(&child).into());
    }
    only_attributes(reader, &child, &[])?;
    let value = reader.base64()?;
    reader.end()?;
    Ok(value)
}

/// Reads the content of a `…DataType` element; `plain` reads the text of
/// `<PlainValue>`.
fn read_value<R: BufRead, T>(
    reader: &mut Reader<R>,
    element: &Element,
    plain: impl FnOnce(&mut Reader<R>, &Element) -> Result<T, Error>,
) -> Result<Value<T>, Error> {
    only_attributes(reader, element, &[])?;
    let Some(child) = reader.next()? else {
        return Err(reader.missing("element <PlainValue> or <EncryptedValue>").into());
    };
    if child.is(ns::PSKC, "PlainValue") {
        let value = plain(reader, &child)?;
        // A MAC beside a plain value would promise protection that cannot be checked.
        reader.end()?;
        return Ok(Value::Plain(value));
    }
    if !child.is(ns::PSKC, "EncryptedValue") {
        return Err(reader.unexpected(&child).into());
    }
    let data = EncryptedData::read_open(reader, &child)?;
    let mut mac = None;
    let mut children = Sequence::new(&["ValueMAC"]);
    while let Some((_, child)) = children.next(reader)? {
        only_attributes(reader, &child, &[])?;
        mac = Some(reader.base64()?);
    }
    Ok(Value::Encrypted(Box::new(EncryptedValue { data, mac })))
}

pub(crate) fn read_secret<R: BufRead>(reader: &mut Reader<R>, element: &Element) -> Result<Value<Secret>, Error> {
    read_value(reader, element, |reader, child| {
        only_attributes(reader, child, &[])?;
        let octets = reader.with_text(|text| xml::decode_base64(text).map(Secret::from))?;
        Ok(octets.map_err(|error| reader.invalid(error.to_string()))?)
    })
}

pub(crate) fn read_number<R: BufRead, T: FromStr>(
    reader: &mut Reader<R>,
    element: &Element,
) -> Result<Value<T>, Error> {
    read_value(reader, element, |reader, child| {
        let what = if size_of::<T>() == 8 { "a whole number of 64 bits" } else { "a whole number of 32 bits" };
        Ok(codec::parsed(reader, child, what)?)
    })
}

fn write_value<T>(writer: &mut Writer, name: &str, value: Option<&Value<T>>, plain: impl FnOnce(&mut Writer, &T)) {
    let Some(value) = value else { return };
    writer.start(name);
    match value {
        Value::Plain(value) => {
            writer.start("pskc:PlainValue");
            plain(writer, value);
            writer.end();
        }
        Value::Encrypted(encrypted) => {
            let EncryptedValue { data, mac } = encrypted.as_ref();
            data.write(writer, "pskc:EncryptedValue");
            if let Some(mac) = mac {
                writer.start("pskc:ValueMAC").base64(mac).end();
            }
        }
    }
    writer.end();
}

pub(crate) fn write_secret(writer: &mut Writer, name: &str, value: Option<&Value<Secret>>) {
    write_value(writer, name, value, |writer, secret| {
        writer.base64(secret.expose());
    });
}

pub(crate) fn write_number<T: Display>(writer: &mut Writer, name: &str, value: Option<&Value<T>>) {
    write_value(writer, name, value, |writer, number| {
        writer.text(&number.to_string());
    });
}
