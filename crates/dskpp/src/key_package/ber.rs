//! Converts BER, as other programs write it, to DER: indefinite lengths, segmented strings, unordered sets.

use super::PackageError;

const WRONG: PackageError = PackageError::Unreadable("it is cut off, or not BER");

/// The deepest nesting of elements.
const MAX_DEPTH: usize = 32;
const SEQUENCE: u8 = 0x30;
const SET: u8 = 0x31;
const OCTET_STRING: u8 = 0x04;
const CONSTRUCTED: u8 = 0x20;

/// The only element in `octets` as DER: shortest lengths, unsegmented octet strings, ordered sets.
/// Values inside octet strings and explicit defaults stay unchanged.
pub(super) fn to_der(octets: &[u8]) -> Result<Vec<u8>, PackageError> {
    let mut rest = octets;
    let mut der = Vec::with_capacity(octets.len());
    element(&mut rest, MAX_DEPTH, &mut der)?;
    if rest.is_empty() { Ok(der) } else { Err(PackageError::Unreadable("it has trailing data")) }
}

/// Appends the next element of `rest` to `der`, and returns its tag.
fn element(rest: &mut &[u8], depth: usize, der: &mut Vec<u8>) -> Result<u8, PackageError> {
    let depth = depth.checked_sub(1).ok_or(PackageError::Unreadable("it is nested too deeply"))?;
    let tag = octet(rest)?;
    if tag & 0x1F == 0x1F {
        return Err(PackageError::Unreadable("it has a tag of several octets"));
    }
    let len = length(rest)?;
    if tag & CONSTRUCTED == 0 {
        let content = taken(rest, len.ok_or(WRONG)?)?;
        write(tag, content, der);
        return Ok(tag);
    }
    let children = match len {
        Some(len) => {
            let mut content = taken(rest, len)?;
            children(&mut content, depth, |content| Ok(content.is_empty()))?
        }
        None => children(rest, depth, |rest| match rest {
            [0, 0, after @ ..] => {
                *rest = after;
                Ok(true)
            }
            [] => Err(WRONG),
            _ => Ok(false),
        })?,
    };
    constructed(tag, children, der)
}

/// An element: its tag, and its complete DER.
type BerElement = (u8, Vec<u8>);

fn children(
    rest: &mut &[u8],
    depth: usize,
    ended: impl Fn(&mut &[u8]) -> Result<bool, PackageError>,
) -> Result<Vec<BerElement>, PackageError> {
    let mut children = Vec::new();
    while !ended(rest)? {
        let mut der = Vec::new();
        let tag = element(rest, depth, &mut der)?;
        children.push((tag, der));
    }
    Ok(children)
}

fn constructed(tag: u8, mut children: Vec<BerElement>, der: &mut Vec<u8>) -> Result<u8, PackageError> {
    if tag == OCTET_STRING | CONSTRUCTED {
        write(OCTET_STRING, &joined(&children)?, der);
        return Ok(OCTET_STRING);
    }
    // EncryptedContentInfo: [0] after a type and an algorithm is an implicitly tagged octet string.
    if let (SEQUENCE, [(0x06, _), (SEQUENCE, _), (0xA0, pieces)]) = (tag, &mut children[..]) {
        let mut content = &pieces[1..];
        length(&mut content)?;
        let pieces_of = self::children(&mut content, 2, |content| Ok(content.is_empty()));
        if let Ok(octets) = pieces_of.and_then(|pieces| joined(&pieces)) {
            let mut one = Vec::with_capacity(pieces.len());
            write(0x80, &octets, &mut one);
            children[2] = (0x80, one);
        }
    }
    if tag == SET {
        children.sort_unstable();
    }
    let len = children.iter().map(|(_, child)| child.len()).sum();
    head(tag, len, der);
    children.iter().for_each(|(_, child)| der.extend_from_slice(child));
    Ok(tag)
}

/// The concatenated segments of an octet string, each in DER.
fn joined(pieces: &[BerElement]) -> Result<Vec<u8>, PackageError> {
    let mut octets = Vec::new();
    for (tag, piece) in pieces {
        let mut content = piece.get(1..).filter(|_| *tag == OCTET_STRING).ok_or(WRONG)?;
        length(&mut content)?;
        octets.extend_from_slice(content);
    }
    Ok(octets)
}

/// The available content of an element with this tag.
pub(super) fn inside(octets: &[u8], tag: u8) -> Option<&[u8]> {
    let mut rest = octets.strip_prefix(&[tag])?;
    length(&mut rest).ok()?;
    Some(rest)
}

fn octet(rest: &mut &[u8]) -> Result<u8, PackageError> {
    let (first, after) = rest.split_first().ok_or(WRONG)?;
    *rest = after;
    Ok(*first)
}

fn taken<'a>(rest: &mut &'a [u8], len: usize) -> Result<&'a [u8], PackageError> {
    let (taken, after) = rest.split_at_checked(len).ok_or(WRONG)?;
    *rest = after;
    Ok(taken)
}

/// A length; `None` if indefinite.
fn length(rest: &mut &[u8]) -> Result<Option<usize>, PackageError> {
    match octet(rest)? {
        0x80 => Ok(None),
        len @ 0..0x80 => Ok(Some(usize::from(len))),
        long => {
            let octets = taken(rest, usize::from(long & 0x7F))?;
            let octets = &octets[octets.iter().take_while(|octet| **octet == 0).count()..];
            if octets.len() > 4 {
                return Err(WRONG); // longer than any file
            }
            Ok(Some(octets.iter().fold(0, |len, octet| len << 8 | usize::from(*octet))))
        }
    }
}

fn write(tag: u8, content: &[u8], der: &mut Vec<u8>) {
    head(tag, content.len(), der);
    der.extend_from_slice(content);
}

fn head(tag: u8, len: usize, der: &mut Vec<u8>) {
    der.push(tag);
    if len < 0x80 {
        der.push(len as u8); // fits, as the condition says
        return;
    }
    let octets = len.to_be_bytes();
    let octets = &octets[octets.iter().take_while(|octet| **octet == 0).count()..];
    der.push(0x80 | octets.len() as u8); // eight at most
    der.extend_from_slice(octets);
}

#[cfg(test)]
mod tests {
    use data_encoding::HEXLOWER;

    use super::*;

    #[test]
    fn x690_ber_of_other_programs_becomes_der() {
        for (ber, der) in [
            ("0500", "0500"),
            ("048100", "0400"),
            ("048400000001aa", "0401aa"),
            ("30800201010000", "3003020101"),
            ("3080308000000000", "30023000"),
            ("2480040101240304010204010300 00", "0403010203"),
            ("24800401012403040102 0401030000", "0403010203"),
            ("3106 020102 020101", "3106020101020102"),
            // EncryptedContentInfo: segmented content after a type and an algorithm.
            ("3080 06012a 3000 a080 040101 040102 0000 0000", "3009 06012a 3000 80020102"),
            // ContentInfo: explicit tags are kept.
            ("3080 06012a a080 040101 0000 0000", "3008 06012a a003040101"),
        ] {
            let octets = |hex: &str| HEXLOWER.decode(hex.replace(' ', "").as_bytes()).unwrap();
            assert_eq!(to_der(&octets(ber)), Ok(octets(der)), "{ber}");
            assert_eq!(to_der(&octets(der)), Ok(octets(der)), "{der}: DER stays");
        }
    }

    #[test]
    fn x690_hostile_lengths_and_depths_are_refused() {
        for bad in [
            "",
            "30",
            "3001",
            "3080",
            "308000",
            "0480",
            "30800000 00",
            "3f0100",
            "04ffffffffffffff",
            "0485ffffffffff00",
            "0484ffffffff00",
            "2403020101",
            "2480020101 0000",
            "3080 04 0000",
        ] {
            let octets = HEXLOWER.decode(bad.replace(' ', "").as_bytes()).unwrap();
            assert!(matches!(to_der(&octets), Err(PackageError::Unreadable(_))), "{bad}");
        }
        for deep in ["3080", "2480", "a080", "3182"] {
            let deep = HEXLOWER.decode(deep.repeat(100_000).as_bytes()).unwrap();
            assert!(matches!(to_der(&deep), Err(PackageError::Unreadable(_))));
        }
    }
}
