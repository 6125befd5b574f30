//! Properties of the XML layer: no input panics, streams and slices agree, what is written is read.

use std::io::BufReader;

use proptest::prelude::*;
use pskc::xml::{Foreign, Reader, Writer, XmlError, XmlLimits, collapse, decode_base64, is_text, trim};

fn read(reader: Result<Reader<impl std::io::BufRead>, XmlError>) -> Result<Foreign, XmlError> {
    let mut reader = reader?;
    let root = reader.root()?;
    let tree = Foreign::read_open(&mut reader, root)?;
    reader.finish()?;
    Ok(tree)
}

/// Pieces that together often come close to a document.
fn almost_xml() -> impl Strategy<Value = Vec<u8>> {
    let pieces = [
        "<a>",
        "</a>",
        "<a/>",
        "<b",
        "</b>",
        ">",
        "/>",
        "<",
        "&amp;",
        "&",
        ";",
        "&#x41;",
        "&#",
        "]]>",
        "<![CDATA[",
        "<!--",
        "-->",
        "--",
        "<?xml version=\"1.0\"?>",
        "<?",
        "?>",
        "<!DOCTYPE",
        " ",
        "\n",
        "\r",
        "x",
        "é",
        "\u{FEFF}",
        "\0",
        " c=\"1\"",
        " c='",
        "\"",
        "'",
        "=",
        " xmlns:p='urn:x'",
        " xmlns=''",
        "<p:a",
        " p:c='1'",
        "p:",
        ":",
        "\u{FFFE}",
    ];
    let piece = prop_oneof![
        8 => prop::sample::select(pieces.to_vec()).prop_map(|s| s.as_bytes().to_vec()),
        1 => prop::collection::vec(any::<u8>(), 0..4),
    ];
    prop::collection::vec(piece, 0..24).prop_map(|pieces| pieces.concat())
}

/// Text that XML can carry.
fn text() -> impl Strategy<Value = String> {
    prop_oneof!["[ -~\t\n\r]{0,40}", "\\PC{0,20}", Just("<&>\"' ]]> \r\n\t --".to_owned()),]
        .prop_filter("XML characters", |text| is_text(text))
}

fn name() -> impl Strategy<Value = String> {
    "[A-Za-z_é][A-Za-z0-9_.é-]{0,8}".prop_filter("not reserved", |name| name != "xmlns")
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..Default::default() })]

    #[test]
    fn no_input_panics_and_streams_agree_with_slices(
        document in prop_oneof![almost_xml(), prop::collection::vec(any::<u8>(), 0..200)],
        octets in 3..40usize,
    ) {
        let limits = XmlLimits::new(4, 64, 1024);
        let whole = read(Reader::from_slice(&document, limits));
        let stream = read(Reader::new(BufReader::with_capacity(octets, &document[..]), limits));
        prop_assert_eq!(whole, stream);
    }

    #[test]
    fn every_prefix_of_a_document_is_refused(cut in 0..91usize) {
        let document = b"<?xml version=\"1.0\"?><p:a xmlns:p='urn:x'><b c='1'>&lt;<![CDATA[x]]></b><!-- x --><d/></p:a>";
        prop_assert!(read(Reader::from_slice(&document[..cut], XmlLimits::MESSAGE)).is_err());
    }

    #[test]
    fn written_text_is_read_back(name in name(), attribute in name(), a in text(), b in text()) {
        let mut writer = Writer::new();
        writer.declaration().start(&name).attr(&attribute, &a).text(&b).end();
        let document = writer.finish();
        let mut reader = Reader::from_slice(&document, XmlLimits::MESSAGE).unwrap();
        let element = reader.root().unwrap();
        prop_assert!(element.is("", &name));
        prop_assert_eq!(element.attr(&attribute), Some(a.as_str()));
        prop_assert_eq!(reader.text().unwrap(), b);
        reader.finish().unwrap();
    }

    #[test]
    fn any_text_at_all_gives_a_well_formed_document(a in any::<String>(), b in any::<String>()) {
        let mut writer = Writer::new();
        writer.start("a").attr("b", &a).text(&b);
        prop_assert!(read(Reader::from_slice(&writer.finish(), XmlLimits::MESSAGE)).is_ok());
    }

    #[test]
    fn octets_are_read_back_with_any_white_space_between(
        octets in prop::collection::vec(any::<u8>(), 0..60),
        at in any::<prop::sample::Index>(),
    ) {
        let mut writer = Writer::new();
        writer.start("a").base64(&octets);
        let document = writer.finish();
        let mut reader = Reader::from_slice(&document, XmlLimits::MESSAGE).unwrap();
        reader.root().unwrap();
        let mut text = reader.text().unwrap();
        prop_assert_eq!(decode_base64(&text).unwrap(), octets.clone());
        text.insert_str(at.index(text.len() + 1), " \r\n\t");
        prop_assert_eq!(decode_base64(&text).unwrap(), octets);
    }
}

#[test]
fn base64_is_rfc_4648_section_4_with_padding_and_canonical() {
    for (text, expected) in [("", ""), ("Zg==", "f"), ("Zm8=", "fo"), (" Zm9v\n", "foo"), ("Z g=\t=", "f")] {
        assert_eq!(decode_base64(text).unwrap(), expected.as_bytes(), "{text}");
    }
    let bad = [
        "Zg",
        "Zg=",
        "Zg===",
        "Z",
        "=",
        "Zh==",
        "Zm9=",
        "Zg==Zg==",
        "Zm9v=",
        "-_8=",
        "Zm9v!",
        "Zm\u{A0}9v",
        "Zm\u{B}9v",
        "Zm9v\0",
        "é",
    ];
    for text in bad {
        assert!(decode_base64(text).is_err(), "{text}");
    }
}

#[test]
fn white_space_is_that_of_xml_only() {
    assert_eq!(trim(" \t\r\n\u{A0}a\u{A0} "), "\u{A0}a\u{A0}");
    assert_eq!(collapse("  a \n b\u{2003}c\t"), "a b\u{2003}c");
    assert_eq!(collapse(""), "");
}

#[test]
fn the_writer_adds_nothing_and_tells_its_position() {
    let mut writer = Writer::new();
    writer.declaration().start("p:a").attr("xmlns:p", "urn:x").element("p:b", "1").empty("p:c");
    writer.start("p:d");
    let begin = writer.position();
    writer.base64(b"\x01\x02\x03");
    let end = writer.position();
    writer.end().start("e").text("").end();
    let document = writer.finish();
    assert_eq!(&document[begin..end], b"AQID");
    let expected = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\
        <p:a xmlns:p=\"urn:x\"><p:b>1</p:b><p:c/><p:d>AQID</p:d><e/></p:a>";
    assert_eq!(String::from_utf8(document).unwrap(), expected);
}
