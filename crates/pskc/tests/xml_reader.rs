//! What the XML reader accepts, and what it refuses (profile P25, XML 1.0, Namespaces in XML).

use std::io::BufReader;

use pskc::xml::{Foreign, Node, Ns, Reader, XmlError, XmlLimits};

const SMALL: XmlLimits = XmlLimits::new(4, 64, 1024 * 1024);

/// A whole document as text: `name{namespace}[attributes](content)`.
fn show<R: std::io::BufRead>(mut reader: Reader<R>) -> Result<String, XmlError> {
    let root = reader.root()?;
    let tree = Foreign::read_open(&mut reader, root)?;
    reader.finish()?;
    let mut out = String::new();
    show_foreign(&tree, &mut out);
    Ok(out)
}

fn show_foreign(e: &Foreign, out: &mut String) {
    out.push_str(&e.local);
    if e.ns != Ns::None {
        out.push_str(&format!("{{{}}}", e.ns.as_str()));
    }
    for a in &e.attributes {
        out.push_str(&format!("[{}{}={}]", a.ns.as_str(), a.local, a.value));
    }
    out.push('(');
    for node in &e.content {
        match node {
            Node::Text(text) => out.push_str(text),
            Node::Element(child) => show_foreign(child, out),
        }
    }
    out.push(')');
}

fn read(document: &[u8]) -> Result<String, XmlError> {
    show(Reader::from_slice(document, SMALL)?)
}

/// The same through a stream that gives a few octets at a time.
fn read_slowly(document: &[u8], octets: usize) -> Result<String, XmlError> {
    show(Reader::new(BufReader::with_capacity(octets, document), SMALL)?)
}

#[test]
fn accepts_what_xml_allows() {
    let cases: &[(&str, &str)] = &[
        ("<a/>", "a()"),
        ("<a></a>", "a()"),
        ("<a ></a >", "a()"),
        ("<?xml version=\"1.0\"?><a/>", "a()"),
        ("<?xml version='1.0' encoding='utf-8' standalone='yes' ?>\n<a/>\n", "a()"),
        ("<?xml\tversion = \"1.0\"\nencoding = \"UTF-8\"?><a/>", "a()"),
        ("\u{FEFF}<?xml version=\"1.0\"?><a/>", "a()"),
        ("<!-- one --><a/><!-- - two -->\n", "a()"),
        ("<a><!---->1<!-- x -->2</a>", "a(12)"),
        ("<a>&lt;&gt;&amp;&quot;&apos;&#65;&#x41;&#x1F600;&#9;</a>", "a(<>&\"'AA\u{1F600}\t)"),
        ("<a><![CDATA[<&]]>]]&gt;</a>", "a(<&]]>)"),
        ("<a>1\r\n2\r3\n4&#13;5</a>", "a(1\n2\n3\n4\r5)"),
        ("<a b='1\t2\n3\r\n4&#9;5&#10;6'/>", "a[b=1 2 3 4\t5\n6]()"),
        ("<a b=\"&lt;'>\" c = '\"'/>", "a[b=<'>][c=\"]()"),
        ("<a xmlns='urn:x' b='1'><c xmlns=''/></a>", "a{urn:x}[b=1](c())"),
        ("<p:a xmlns:p='urn:x' p:b='1' b='2'/>", "a{urn:x}[urn:xb=1][b=2]()"),
        ("<p:a xmlns:p='urn:x'><p:b xmlns:p='urn:y'/><p:c/></p:a>", "a{urn:x}(b{urn:y}()c{urn:x}())"),
        ("<a xml:lang='en'/>", "a[http://www.w3.org/XML/1998/namespacelang=en]()"),
        ("<a xmlns:p='urn&#58;x'><p:b/></a>", "a(b{urn:x}())"),
        ("<é.-1>ü€😀</é.-1>", "é.-1(ü€😀)"),
        ("<a><b><c><d/></c></b></a>", "a(b(c(d())))"),
    ];
    for (document, expected) in cases {
        assert_eq!(read(document.as_bytes()).as_deref(), Ok(*expected), "{document}");
        for octets in [3, 7, 64] {
            assert_eq!(read_slowly(document.as_bytes(), octets).as_deref(), Ok(*expected));
        }
    }
}

#[derive(Debug, PartialEq)]
enum Kind {
    Dtd,
    Pi,
    Encoding,
    Depth,
    TooLarge,
    Syntax,
    Declaration,
}

fn kind(error: &XmlError) -> Option<Kind> {
    Some(match error {
        XmlError::Dtd { .. } => Kind::Dtd,
        XmlError::ProcessingInstruction { .. } => Kind::Pi,
        XmlError::Declaration { .. } => Kind::Declaration,
        XmlError::Encoding { .. } => Kind::Encoding,
        XmlError::Depth { .. } => Kind::Depth,
        XmlError::TooLarge { .. } => Kind::TooLarge,
        XmlError::Syntax { .. } => Kind::Syntax,
        _ => return None,
    })
}

#[test]
fn p25_refuses_hostile_documents() {
    use Kind::*;
    let many: String = (0..65).map(|i| format!(" a{i}=''")).collect();
    let utf16: Vec<u8> = "<a/>".encode_utf16().flat_map(u16::to_le_bytes).collect();
    let cases: &[(&[u8], Kind)] = &[
        (b"<!DOCTYPE a><a/>", Dtd),
        (b"<!doctype a><a/>", Dtd),
        (b"<!DOCTYPE a [<!ENTITY x 'y'>]><a>&x;</a>", Dtd),
        (b"<?xml version='1.0'?>\n<!DOCTYPE a SYSTEM 'file:///etc/passwd'><a/>", Dtd),
        (b"<a><!DOCTYPE b></a>", Dtd),
        (b"<a/><!DOCTYPE a>", Dtd),
        (b"<?x?><a/>", Pi),
        (b"<?xml-stylesheet href='x'?><a/>", Pi),
        (b"<a><?php 1 ?></a>", Pi),
        (b"<a/><?x?>", Pi),
        (b"<?XML version='1.0'?><a/>", Declaration),
        (b" <?xml version='1.0'?><a/>", Declaration),
        (b"<?xml version='1.0'?><?xml version='1.0'?><a/>", Declaration),
        (b"<a><?xml version='1.0'?></a>", Declaration),
        (b"<?xml version='1.1'?><a/>", Declaration),
        (b"<?xml version='1.0' encoding='UTF-16'?><a/>", Declaration),
        (b"<?xml version='1.0' encoding='ISO-8859-1'?><a/>", Declaration),
        (b"\xFF\xFE<\0a\0/\0>\0", Encoding),
        (b"\xFE\xFF\0<\0a\0/\0>", Encoding),
        (&utf16, Encoding),
        (b"\0<\0a\0/\0>", Encoding),
        (b"\xEF\xBB\xBF\xEF\xBB\xBF<a/>", Declaration),
        (b"\n\xEF\xBB\xBF<a/>", Declaration),
        (b"<?xml version='1.0' encoding='utf8'?><a/>", Declaration),
        (b"<a>\xFF</a>", Encoding),
        (b"<a>\xC0\x80</a>", Encoding),
        (b"<a>\xED\xA0\x80</a>", Encoding),
        (b"<a b='\xE9'/>", Encoding),
        (b"<a><!-- \xE9 --></a>", Encoding),
        (b"<?xml encoding='UTF-8'?><a/>", Declaration),
        (b"<?xml version='1.0' standalone='maybe'?><a/>", Declaration),
        (b"<?xml version='1.0' standalone='no' encoding='UTF-8'?><a/>", Declaration),
        (b"<?xml version='1.0' x='y'?><a/>", Declaration),
        (b"<?xml version='1.0' version='1.0'?><a/>", Declaration),
        (b"<?xml?><a/>", Declaration),
        (b"<?xml version=1.0?><a/>", Declaration),
        (b"<a><a><a><a><a/></a></a></a></a>", Depth),
        (b"<a><a><a><a><a>", Depth),
        (b"<a>0123456789012345678901234567890123456789012345678901234567890123456789</a>", TooLarge),
        (b"<a>0123456789012345678901234567890123456789<!-- -->01234567890123456789012345</a>", TooLarge),
        (b"<a b='01234567890123456789012345678901234567890123456789012345678901234567'/>", TooLarge),
        (b"<!-- 01234567890123456789012345678901234567890123456789012345678901234567 --><a/>", TooLarge),
        (b"<a0123456789012345678901234567890123456789012345678901234567890123456789/>", TooLarge),
    ];
    for (document, expected) in cases {
        check(document, expected);
    }
    let wide = XmlLimits::new(4, 1 << 20, 1024 * 1024);
    let wide = Reader::from_slice(format!("<a{many}/>").as_bytes(), wide).and_then(show);
    assert_eq!(wide.as_ref().err().and_then(kind), Some(TooLarge));
}

/// Refused with that kind, from memory and from a stream. Text that is collected over several
/// tokens is bounded where it is asked for as a value.
fn check(document: &[u8], expected: &Kind) {
    let shown = String::from_utf8_lossy(document).into_owned();
    let read_text = |document| {
        let mut reader = Reader::from_slice(document, SMALL)?;
        reader.root()?;
        reader.text()?;
        reader.finish()
    };
    let result = match expected {
        Kind::TooLarge => read_text(document).map(|()| String::new()),
        _ => read(document),
    };
    let error = result.expect_err(&shown);
    assert_eq!(kind(&error).as_ref(), Some(expected), "{shown}: {error}");
    if *expected != Kind::TooLarge {
        let slowly = read_slowly(document, 5).expect_err(&shown);
        assert_eq!(kind(&slowly).as_ref(), Some(expected), "{shown}: {slowly}");
    }
}

#[test]
fn refuses_what_is_not_well_formed() {
    let cases: &[&[u8]] = &[
        b"",
        b"  \n",
        b"<!-- only -->",
        b"text",
        b"text<a/>",
        b"<a/>text",
        b"<a/><a/>",
        b"<a></a><b/>",
        b"<a/></a>",
        b"</a>",
        b"<a>",
        b"<a><b></a></b>",
        b"<a></b>",
        b"<a><b></a>",
        b"<a",
        b"<a b='1",
        b"<a></a",
        b"<",
        b"<>",
        b"</>",
        b"<a></>",
        b"< a/>",
        b"<a></ a>",
        b"<1/>",
        b"<-a/>",
        b"<a$/>",
        b"<a:b/>",
        b"<:a/>",
        b"<a:/>",
        b"<a xmlns:b='x'><b:c:d/></a>",
        b"<x:a xmlns:y='urn:x'/>",
        b"<a><p:b xmlns:p='urn:x'/><p:c/></a>",
        b"<a p:b='1'/>",
        b"<xmlns:a/>",
        b"<a b='1' b='2'/>",
        b"<a xmlns:p='x' xmlns:q='x' p:b='1' q:b='2'/>",
        b"<a xmlns='x' xmlns='y'/>",
        b"<a xmlns:p='x' xmlns:p='y'/>",
        b"<a xmlns:p=''/>",
        b"<a xmlns:xml='urn:x'/>",
        b"<a xmlns:p='http://www.w3.org/XML/1998/namespace'/>",
        b"<a xmlns='http://www.w3.org/XML/1998/namespace'/>",
        b"<a xmlns:xmlns='urn:x'/>",
        b"<a xmlns:p='http://www.w3.org/2000/xmlns/'/>",
        b"<a xmlns:='x'/>",
        b"<a b/>",
        b"<a b=/>",
        b"<a b=1/>",
        b"<a b='1\"/>",
        b"<a b='1'c='2'/>",
        b"<a b='<'/>",
        b"<a 'b'/>",
        b"<a ='b'/>",
        b"<a b c='1'/>",
        b"<a/ >",
        b"<a / >",
        b"<a b='&'/>",
        b"<a b='&x;'/>",
        b"<a b='&amp'/>",
        b"<a b='&#0;'/>",
        b"<a b='\x01'/>",
        b"<a b='\0'/>",
        b"<a>&</a>",
        b"<a>& b;</a>",
        b"<a>&x;</a>",
        b"<a>&amp</a>",
        b"<a>&;</a>",
        b"<a>&#;</a>",
        b"<a>&#x;</a>",
        b"<a>&#0;</a>",
        b"<a>&#8;</a>",
        b"<a>&#xD800;</a>",
        b"<a>&#xFFFE;</a>",
        b"<a>&#x110000;</a>",
        b"<a>&#99999999999;</a>",
        b"<a>&#+65;</a>",
        b"<a>&#-1;</a>",
        b"<a>&#X41;</a>",
        b"<a>&#x4G;</a>",
        b"<a>&nbsp;</a>",
        b"<a>&AMP;</a>",
        b"<a>\x00</a>",
        b"<a>\x08</a>",
        b"<a>\x1F</a>",
        b"<a>\xEF\xBF\xBE</a>",
        b"<a>\xEF\xBF\xBF</a>",
        b"<a><![CDATA[\x01]]></a>",
        b"<a><!-- \x01 --></a>",
        b"<a\x01/>",
        b"<a>]]></a>",
        b"<a>x]]>y</a>",
        b"<a><![CDATA[x]]>]]></a>",
        b"<a><![CDATA[x</a>",
        b"<![CDATA[ ]]><a/>",
        b"<a/><![CDATA[ ]]>",
        b"&#32;<a/>",
        b"<a/>&#32;",
        b"<a><![cdata[x]]></a>",
        b"<a><!-- -- --></a>",
        b"<a><!-- x ---></a>",
        b"<a><!--></a>",
        b"<a><!---></a>",
        b"<a><!-- x</a>",
        b"<a><!x></a>",
        b"<a><!ENTITY x 'y'></a>",
        b"<!ELEMENT a ANY><a/>",
        b"<a><?x</a>",
    ];
    for document in cases {
        check(document, &Kind::Syntax);
    }
}
