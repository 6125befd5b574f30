//! CMS key files in PEM whose cost might grow faster than their length.

use data_encoding::BASE64;

use crate::inputs::{Input, Kind, input, refused};

/// An ordinary key: an identifier, an algorithm, an issuer and a secret.
fn key() -> Vec<u8> {
    let attributes = [(9, "key"), (10, "urn:ietf:params:xml:ns:keyprov:pskc:hotp"), (11, "issuer")];
    let attributes = attributes.map(|(number, text)| attribute(number, &[tlv(0x0C, text.as_bytes())].concat()));
    tlv(0x30, &[tlv(0x30, &attributes.concat()), tlv(0x04, b"12345678901234567890")].concat())
}

fn attribute(number: u8, values: &[u8]) -> Vec<u8> {
    let oid = [&b"\x2A\x86\x48\x86\xF7\x0D\x01\x09\x10\x0C"[..], &[number]].concat();
    tlv(0x30, &[tlv(0x06, &oid), tlv(0x31, values)].concat())
}

fn tlv(tag: u8, content: &[u8]) -> Vec<u8> {
    let len = u32::try_from(content.len()).unwrap().to_be_bytes(); // not the shortest form: BER
    [&[tag, 0x84], &len[..], content].concat()
}

fn repeated(octets: &[u8], len: usize) -> Vec<u8> {
    octets.repeat(len / octets.len() + 1)
}

/// A file of these keys after an ordinary one; its base64 has about the requested length.
fn file(more: impl Fn(usize) -> Vec<u8>, len: usize) -> String {
    let keys = tlv(0x30, &[key(), more(len * 3 / 4)].concat());
    format!("-----BEGIN CMS-----\n{}\n-----END CMS-----\n", BASE64.encode(&tlv(0x30, &keys)))
}

pub(crate) fn usual(len: usize) -> String {
    file(|len| repeated(&key(), len), len)
}

pub(crate) const CONTAINERS: &[Input] = &[
    input(Kind::Container, "a secret in pieces", |len| {
        let secret = |len| [&b"\x24\x80"[..], &repeated(b"\x04\x01x", len), b"\0\0"].concat();
        let attributes = [attribute(9, &tlv(0x0C, b"k")), attribute(10, &tlv(0x0C, b"urn:x"))].concat();
        file(|len| tlv(0x30, &[tlv(0x30, &attributes), secret(len)].concat()), len)
    }),
    refused(Kind::Container, "a set in the wrong order", |len| {
        let values = |len| (0..len / 6).rev().flat_map(|i| tlv(0x02, &[(i >> 8) as u8 & 0x7F, i as u8])).collect();
        file(|len| tlv(0x30, &tlv(0x30, &attribute(15, &Vec::<u8>::from_iter::<Vec<u8>>(values(len))))), len)
    }),
    refused(Kind::Container, "ever the same attribute", |len| {
        let one = attribute(11, &tlv(0x0C, b"i"));
        file(|len| tlv(0x30, &tlv(0x30, &repeated(&one, len))), len)
    }),
    refused(Kind::Container, "empty keys", |len| file(|len| repeated(b"\x30\0", len), len)),
    refused(Kind::Container, "nested without an end", |len| file(|len| repeated(b"\x30\x80", len), len)),
    refused(Kind::Container, "nested as deep as is read", |len| {
        let nested = [&b"\x30\x80".repeat(24)[..], &b"\0\0".repeat(24)].concat();
        file(|len| repeated(&nested, len), len)
    }),
];
