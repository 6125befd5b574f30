//! How the XML reader is used: closing elements, places of errors, qualified names, streams.

use std::io::BufReader;

use pskc::xml::{Foreign, Ns, Reader, XmlError, XmlLimits, ns};

const SMALL: XmlLimits = XmlLimits::new(4, 64, 1024 * 1024);

#[test]
fn both_spellings_of_an_empty_element_behave_the_same() {
    for document in ["<a><b/><c/></a>", "<a><b></b><c></c></a>"] {
        let open = || {
            let mut reader = Reader::from_slice(document.as_bytes(), SMALL).unwrap();
            assert_eq!(reader.root().unwrap().local, "a");
            assert_eq!(reader.next().unwrap().unwrap().local, "b");
            reader
        };
        let next = |reader: &mut Reader<&[u8]>| assert_eq!(reader.next(), Ok(None));
        let text = |reader: &mut Reader<&[u8]>| assert_eq!(reader.text().as_deref(), Ok(""));
        let end = |reader: &mut Reader<&[u8]>| reader.end().unwrap();
        let skip = |reader: &mut Reader<&[u8]>| reader.skip().unwrap();
        let octets = |reader: &mut Reader<&[u8]>| assert_eq!(reader.base64(), Ok(vec![]));
        for close in [next, text, end, skip, octets] {
            let mut reader = open();
            close(&mut reader);
            assert_eq!(reader.next().unwrap().unwrap().local, "c", "{document}");
            close(&mut reader);
            assert_eq!(reader.next(), Ok(None), "{document}");
            reader.finish().unwrap();
        }
        let mut reader = open();
        reader.end().unwrap();
        reader.skip().unwrap(); // the rest of <a>
        reader.finish().unwrap();
    }
    for root in ["<a/>", "<a></a>", "<a> </a>"] {
        let mut reader = Reader::from_slice(root.as_bytes(), SMALL).unwrap();
        reader.root().unwrap();
        reader.end().unwrap();
        reader.finish().unwrap();
    }
}

#[test]
fn misplaced_content_is_reported_with_its_place() {
    let document = b"<a>\n <b>x</b>\n <c><d/></c>\n</a>";
    let open = || {
        let mut reader = Reader::from_slice(document, SMALL).unwrap();
        reader.root().unwrap();
        reader.next().unwrap();
        reader
    };
    let mut reader = open();
    let error = reader.next().unwrap_err();
    assert_eq!(error.to_string(), "unexpected text (/a/b, line 2, octet 8)");

    let mut reader = open();
    reader.text().unwrap();
    assert_eq!(reader.place().to_string(), "/a/b, line 2, octet 5"); // of the value just read
    assert_eq!(reader.next().unwrap().unwrap().local, "c");
    assert_eq!(reader.place().to_string(), "/a/c, line 3, octet 15");
    let error = reader.text().unwrap_err();
    assert_eq!(error.to_string(), "unexpected element <d> (/a/c/d, line 3, octet 18)");

    let mut reader = open();
    assert!(matches!(reader.base64(), Err(XmlError::Value(fault)) if fault.place.path == "/a/b"));
    let reader = open();
    assert!(matches!(reader.finish(), Err(XmlError::Unexpected { .. })));
}

#[test]
fn calls_without_an_open_element_are_errors() {
    let mut reader = Reader::from_slice(b"<a/>", SMALL).unwrap();
    assert!(reader.next().is_err());
    reader.root().unwrap();
    reader.end().unwrap();
    assert!(reader.next().is_err() && reader.text().is_err() && reader.skip().is_err());
    assert!(reader.root().is_err());
}

#[test]
fn p24_qualified_names_in_values_are_resolved() {
    let document = b"<a xmlns='urn:d' xmlns:p='urn:ietf:params:xml:ns:keyprov:dskpp'><b xmlns:p='urn:x'/><c/></a>";
    let mut reader = Reader::from_slice(document, XmlLimits::MESSAGE).unwrap();
    reader.root().unwrap();
    reader.next().unwrap();
    assert_eq!(reader.resolve_qname("p:T"), Ok((Ns::Other("urn:x".into()), "T".into())));
    reader.end().unwrap();
    reader.next().unwrap();
    assert_eq!(reader.resolve_qname(" p:T\n"), Ok((Ns::Known(ns::DSKPP), "T".into())));
    assert_eq!(reader.resolve_qname("T"), Ok((Ns::Other("urn:d".into()), "T".into())));
    for bad in ["q:T", "", ":T", "p:", "p:T:U", "p: T", "1"] {
        assert!(matches!(reader.resolve_qname(bad), Err(XmlError::Value { .. })), "{bad}");
    }
}

#[test]
fn a_long_stream_costs_no_memory_and_an_endless_token_is_refused() {
    use std::io::Read;
    let endless = |start: &'static str| {
        let source = start.as_bytes().chain(std::io::repeat(b'x'));
        Reader::new(BufReader::new(source), SMALL).unwrap()
    };
    for start in ["<a>", "<a", "<a b='", "<!--", "<a><![CDATA[", "<a>&", "<?xml "] {
        let mut reader = endless(start);
        let error = reader.root().and_then(|_| reader.text()).unwrap_err();
        assert!(matches!(error, XmlError::TooLarge { .. }), "{start}: {error}");
    }
    let failing = |_: ()| -> Result<(), XmlError> {
        struct Broken;
        impl Read for Broken {
            fn read(&mut self, _: &mut [u8]) -> std::io::Result<usize> {
                Err(std::io::ErrorKind::ConnectionReset.into())
            }
        }
        let mut reader = Reader::new(BufReader::with_capacity(2, b"<a>".chain(Broken)), SMALL)?;
        reader.root()?;
        reader.skip()
    };
    assert!(matches!(failing(()), Err(XmlError::Io { .. })));
}

#[test]
fn p25_nesting_up_to_the_limit_fits_a_small_stack() {
    let depth = XmlLimits::FILE.max_depth;
    let document = ["<a>".repeat(depth), "</a>".repeat(depth)].concat();
    let thread = std::thread::Builder::new().stack_size(256 * 1024);
    let read = move || {
        let mut reader = Reader::from_slice(document.as_bytes(), XmlLimits::FILE)?;
        let root = reader.root()?;
        let tree = Foreign::read_open(&mut reader, root)?;
        assert_eq!(tree.children().count(), 1);
        reader.finish()
    };
    assert_eq!(thread.spawn(read).unwrap().join().unwrap(), Ok(()));
}

/// P25: what is held at a time has a limit, however small its parts are; the document has none.
#[test]
fn p25_a_child_of_the_root_has_a_limit_and_the_document_none() {
    let small = XmlLimits::new(64, 1024 * 1024, 100);
    let many_parts = format!("<a><b>{}</b></a>", "<c/>".repeat(30));
    let many_children = format!("<a>{}</a>", format!("<b>{}</b>", "<c/>".repeat(10)).repeat(1000));
    let read = |document: &str| {
        let mut reader = Reader::from_slice(document.as_bytes(), small)?;
        reader.root()?;
        while reader.next()?.is_some() {
            reader.skip()?;
        }
        reader.finish()
    };
    assert!(matches!(read(&many_parts), Err(XmlError::TooLarge { .. })));
    assert_eq!(read(&many_children), Ok(()));
}

/// P25: what one name costs is bounded by what may be declared where it stands.
#[test]
fn p25_declarations_in_scope_and_their_names_are_limited() {
    let outcome = |document: String| {
        let mut reader = Reader::from_slice(document.as_bytes(), XmlLimits::FILE)?;
        reader.root()?;
        reader.skip()?;
        reader.finish()
    };
    let declared = |element: usize, count: usize| -> String {
        (0..count).map(|i| format!(" xmlns:p{element}-{i}='urn:{i}'")).collect()
    };
    let nested = |elements: usize, each: usize| {
        let starts: String = (0..elements).map(|element| format!("<a{}>", declared(element, each))).collect();
        starts + &"</a>".repeat(elements)
    };
    assert_eq!(outcome(nested(4, 64)), Ok(()), "256 in force");
    assert!(matches!(outcome(nested(4, 64).replacen("<a ", "<a xmlns='urn:x' ", 1)), Err(XmlError::TooLarge { .. })));
    assert!(matches!(outcome(nested(5, 60)), Err(XmlError::TooLarge { .. })));
    // One after the other, they are forgotten again.
    assert_eq!(outcome(format!("<r>{}</r>", nested(4, 60).repeat(10))), Ok(()));
    for (len, fits) in [(512, true), (513, false)] {
        let name = format!("urn:{}", "n".repeat(len - 4));
        assert_eq!(outcome(format!("<a xmlns='{name}'/>")).is_ok(), fits, "{len}");
        assert_eq!(outcome(format!("<{0}:a xmlns:{0}='urn:x'/>", "p".repeat(len))).is_ok(), fits, "{len}");
    }
}

/// What is hidden by a declaration further in stands for what it did before, once that element has ended.
#[test]
fn declarations_hide_and_uncover_others() {
    let document = "<p:a xmlns:p='urn:1'><p:b xmlns:p='urn:2'><p:c xmlns:p='urn:3'/><p:d/></p:b><p:e/></p:a>";
    let mut reader = Reader::from_slice(document.as_bytes(), XmlLimits::FILE).unwrap();
    let root = reader.root().unwrap();
    let tree = Foreign::read_open(&mut reader, root).unwrap();
    let inner = tree.children().next().unwrap();
    let found: Vec<_> = [&tree, inner].into_iter().chain(inner.children()).chain(tree.children().nth(1)).collect();
    let found: Vec<_> = found.iter().map(|element| format!("{}={}", element.local, element.ns.as_str())).collect();
    assert_eq!(found, ["a=urn:1", "b=urn:2", "c=urn:3", "d=urn:2", "e=urn:1"]);
}

/// A place never shows more than a line, whatever the names.
#[test]
fn a_place_is_short() {
    let name = "n".repeat(5000);
    let deep = [&format!("<{name}>").repeat(20), "<x/>x", &format!("</{name}>").repeat(20)].concat();
    let mut reader = Reader::from_slice(deep.as_bytes(), XmlLimits::FILE).unwrap();
    reader.root().unwrap();
    let error = loop {
        match reader.next() {
            Ok(Some(element)) if element.local == "x" => reader.end().unwrap(),
            Ok(_) => {}
            Err(error) => break error.to_string(),
        }
    };
    assert!(error.contains("/…/") && error.contains("octet") && error.len() < 2000, "{error}");
}
