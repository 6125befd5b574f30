//! The little of DER (X.690) that public keys and their certificates need: the crate `der` has ten times the code.

pub(crate) const INTEGER: u8 = 0x02;
pub(crate) const BIT_STRING: u8 = 0x03;
pub(crate) const SEQUENCE: u8 = 0x30;

/// Takes the next value off: its identifier, which has one octet, and its content. `None` if there is none, or if its
/// length is not in DER.
pub(crate) fn next<'a>(der: &mut &'a [u8]) -> Option<(u8, &'a [u8])> {
    let (tag, len, rest) = match *der {
        [tag, len @ ..=0x7F, rest @ ..] => (tag, usize::from(*len), rest),
        [tag, 0x81, len @ 0x80..=0xFF, rest @ ..] => (tag, usize::from(*len), rest),
        [tag, 0x82, high @ 1..=0xFF, low, rest @ ..] => (tag, usize::from(u16::from_be_bytes([*high, *low])), rest),
        _ => return None,
    };
    let (content, rest) = rest.split_at_checked(len)?;
    *der = rest;
    (tag & 0x1F != 0x1F).then_some((*tag, content))
}

/// The content of the value, which is the only one and has this identifier.
pub(crate) fn only(mut der: &[u8], tag: u8) -> Option<&[u8]> {
    match next(&mut der)? {
        (found, content) if found == tag && der.is_empty() => Some(content),
        _ => None,
    }
}

/// A value of at most 65,535 octets.
pub(crate) fn of(tag: u8, content: &[&[u8]]) -> Vec<u8> {
    let content = content.concat();
    let [high, low] = (content.len() as u16).to_be_bytes();
    let head: &[u8] = match (high, low) {
        (0, ..=0x7F) => &[tag, low],
        (0, _) => &[tag, 0x81, low],
        _ => &[tag, 0x82, high, low],
    };
    [head, &content].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_read_as_written_and_other_forms_of_lengths_refused() {
        for len in [0, 1, 127, 128, 255, 256, 65_535] {
            let content = vec![7; len];
            let value = of(SEQUENCE, &[&content]);
            assert_eq!(only(&value, SEQUENCE), Some(&content[..]));
            assert_eq!(only(&value, INTEGER), None);
            assert_eq!(only(&[&value[..], &[0]].concat(), SEQUENCE), None, "an octet too many");
            for cut in 0..value.len().min(300) {
                assert_eq!(only(&value[..cut], SEQUENCE), None, "{len} cut at {cut}");
            }
        }
        let long = |head: &[u8], len| [head, &vec![7; len]].concat();
        for wrong in [
            long(&[0x30, 0x81, 0x7F], 0x7F),
            long(&[0x30, 0x82, 0, 0xFF], 0xFF),
            long(&[0x30, 0x83, 0, 1, 0], 0x100),
            long(&[0x30, 0x80], 2),
            long(&[0x3F, 0x20, 1], 1),
            vec![0x30],
        ] {
            assert_eq!(next(&mut &wrong[..]), None, "{:?}", &wrong[..2.min(wrong.len())]);
        }
    }
}
