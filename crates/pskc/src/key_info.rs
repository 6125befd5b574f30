//! `ds:KeyInfo`: identifies a key or contains it (XML Signature §4.4).

use std::io::BufRead;

use crate::Error;
use crate::codec::only_attributes;
use crate::xml::{Element, Foreign, Reader, Writer, decode_base64, ns, trim};

/// An element of type `ds:KeyInfoType`, such as `<EncryptionKey>`.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct KeyInfo {
    /// `ds:KeyName`: the name of a shared key.
    pub key_name: Option<String>,
    /// `ds:KeyValue` with a `ds:RSAKeyValue`: an RSA public key.
    pub rsa_key_value: Option<RsaKeyValue>,
    /// The certificates of `ds:X509Data`, in DER, in document order. They
    /// are not checked here.
    pub x509_certificates: Vec<Vec<u8>>,
    /// Other forms, such as `xenc11:DerivedKey`.
    pub other: Vec<Foreign>,
}

/// `ds:RSAKeyValue`. Numbers are big-endian, without leading zero octets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RsaKeyValue {
    /// The modulus n.
    pub modulus: Vec<u8>,
    /// The public exponent e.
    pub exponent: Vec<u8>,
}

impl KeyInfo {
    /// Identifies a key by its name.
    pub fn from_key_name(name: impl Into<String>) -> Self {
        Self { key_name: Some(name.into()), ..Self::default() }
    }

    /// An RSA public key.
    pub fn from_rsa(modulus: &[u8], exponent: &[u8]) -> Self {
        let rsa = RsaKeyValue { modulus: number(modulus), exponent: number(exponent) };
        Self { rsa_key_value: Some(rsa), ..Self::default() }
    }

    /// A public key by its certificate (DER), followed by its chain.
    pub fn from_certificates(certificates: Vec<Vec<u8>>) -> Self {
        Self { x509_certificates: certificates, ..Self::default() }
    }

    /// Reads the content of `element`, whatever its name.
    pub fn read_open<R: BufRead>(reader: &mut Reader<R>, element: &Element) -> Result<Self, Error> {
        only_attributes(reader, element, &["Id"])?;
        let mut info = Self::default();
        while let Some(child) = reader.next()? {
            info.take(Foreign::read_open(reader, child)?).map_err(|what| reader.invalid(what))?;
        }
        if info == Self::default() {
            return Err(reader.missing("a key in an element of type KeyInfo").into());
        }
        Ok(info)
    }

    /// Adds a child that was read whole; unknown ones are kept. `Err` says what is wrong.
    pub(crate) fn take(&mut self, child: Foreign) -> Result<(), &'static str> {
        if child.is(ns::DS, "KeyName") && self.key_name.is_none() && child.is_plain() {
            self.key_name = Some(trim(&child.text()).to_owned());
            return Ok(());
        }
        if child.is(ns::DS, "KeyValue") && self.rsa_key_value.is_none() {
            let mut values = child.children().filter(|value| value.is(ns::DS, "RSAKeyValue"));
            if let Some(value) = values.next() {
                self.rsa_key_value = Some(RsaKeyValue::from_element(value)?);
                return Ok(());
            }
        }
        if child.is(ns::DS, "X509Data")
            && child.children().next().is_some()
            && child.children().all(|entry| entry.is(ns::DS, "X509Certificate"))
        {
            for certificate in child.children() {
                let der = decode_base64(&certificate.text()).map_err(|_| "a certificate is not base64")?;
                self.x509_certificates.push(der);
            }
            return Ok(());
        }
        self.other.push(child);
        Ok(())
    }

    /// Writes it as the element `element_name`; its children have the prefix `ds`.
    pub fn write(&self, writer: &mut Writer, element_name: &str) {
        writer.start(element_name);
        if let Some(name) = &self.key_name {
            writer.element("ds:KeyName", name);
        }
        if let Some(RsaKeyValue { modulus, exponent }) = &self.rsa_key_value {
            writer.start("ds:KeyValue").start("ds:RSAKeyValue");
            writer.start("ds:Modulus").base64(modulus).end();
            writer.start("ds:Exponent").base64(exponent).end();
            writer.end().end();
        }
        if !self.x509_certificates.is_empty() {
            writer.start("ds:X509Data");
            for der in &self.x509_certificates {
                writer.start("ds:X509Certificate").base64(der).end();
            }
            writer.end();
        }
        self.other.iter().for_each(|element| element.write(writer));
        writer.end();
    }
}

impl RsaKeyValue {
    fn from_element(element: &Foreign) -> Result<Self, &'static str> {
        const WRONG: &str = "an RSAKeyValue is not a Modulus and an Exponent in base64";
        let children: Vec<&Foreign> = element.children().collect();
        let [modulus, exponent] = children[..] else { return Err(WRONG) };
        if !modulus.is(ns::DS, "Modulus") || !exponent.is(ns::DS, "Exponent") {
            return Err(WRONG);
        }
        let read = |element: &Foreign| match decode_base64(&element.text()) {
            Ok(octets) if octets.iter().any(|octet| *octet != 0) => Ok(number(&octets)),
            _ => Err(WRONG),
        };
        Ok(Self { modulus: read(modulus)?, exponent: read(exponent)? })
    }
}

/// `octets` without the leading zeros that some writers add (profile P1).
fn number(octets: &[u8]) -> Vec<u8> {
    octets.iter().skip_while(|octet| **octet == 0).copied().collect()
}
