//! Documents whose cost might grow faster than their length: one for each repeatable construct.

use std::fmt::Write as _;

/// The kind of a document, which determines how it is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A request.
    Message,
    /// A key file, read and written.
    File,
    /// A key file, read leniently and written.
    Lenient,
    /// A key file, read by several threads.
    Parallel,
    /// A key file, signed and verified.
    Signed,
    /// A key file in CMS.
    Container,
}

impl Kind {
    pub(crate) const ALL: [Kind; 6] =
        [Kind::Message, Kind::File, Kind::Lenient, Kind::Parallel, Kind::Signed, Kind::Container];

    /// The length of the shorter document in octets.
    pub(crate) fn len(self) -> usize {
        match self {
            Kind::Message => 26 * 1024,
            Kind::Parallel => 200 * 1024, // several pieces
            _ => 25 * 1024,
        }
    }

    /// An ordinary document of this kind.
    pub(crate) fn usual(self) -> Input {
        let document: fn(usize) -> String = match self {
            Kind::Message => |len| message(&repeated(&extension("<a:Data>AQIDBAUGBwgJCgsMDQ4PEA==</a:Data>"), len)),
            Kind::Container => super::containers::usual,
            _ => |len| file("", &[PACKAGE, &repeated(PACKAGE, len)].concat(), ""),
        };
        Input { kind: self, name: "", refused: false, document }
    }
}

/// One shape.
pub(crate) struct Input {
    pub(crate) kind: Kind,
    pub(crate) name: &'static str,
    /// Whether it exceeds a limit that bounds its cost.
    pub(crate) refused: bool,
    /// The document whose variable part has about this length in octets.
    pub(crate) document: fn(usize) -> String,
}

const PACKAGE: &str = r#"<KeyPackage><DeviceInfo><Manufacturer>M</Manufacturer><SerialNo>1</SerialNo></DeviceInfo><Key Id="k" Algorithm="urn:ietf:params:xml:ns:keyprov:pskc:hotp"><Issuer>I</Issuer><AlgorithmParameters><ResponseFormat Length="6" Encoding="DECIMAL"/></AlgorithmParameters><Data><Secret><PlainValue>MTIzNDU2Nzg5MDEyMzQ1Njc4OTA=</PlainValue></Secret><Counter><PlainValue>0</PlainValue></Counter></Data></Key></KeyPackage>
"#;

/// As many repetitions as fit into `len` octets.
fn repeated(piece: &str, len: usize) -> String {
    piece.repeat(len.div_ceil(piece.len()))
}

fn file(attributes: &str, before: &str, behind: &str) -> String {
    format!(
        r#"<KeyContainer xmlns="urn:ietf:params:xml:ns:keyprov:pskc" Version="1.0" {attributes}>{before}{behind}</KeyContainer>"#
    )
}

/// A key file with `content` in an extension of its only key.
fn extended(attributes: &str, content: &str) -> String {
    let content = format!(r#"<Extensions><x:x xmlns:x="urn:x">{content}</x:x></Extensions></Key></KeyPackage>"#);
    file(attributes, &PACKAGE.replace("</Key></KeyPackage>", &content), "")
}

fn message(extensions: &str) -> String {
    request("", "<dskpp:FourPass/>", extensions)
}

fn request(types: &str, variants: &str, extensions: &str) -> String {
    format!(
        r#"<dskpp:KeyProvClientHello xmlns:dskpp="urn:ietf:params:xml:ns:keyprov:dskpp" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xmlns:ds="http://www.w3.org/2000/09/xmldsig#" xmlns:a="urn:a" Version="1.0"><dskpp:SupportedKeyTypes><dskpp:Algorithm>urn:ietf:params:xml:ns:keyprov:pskc:hotp</dskpp:Algorithm>{types}</dskpp:SupportedKeyTypes><dskpp:SupportedEncryptionAlgorithms><dskpp:Algorithm>http://www.w3.org/2001/04/xmlenc#rsa-1_5</dskpp:Algorithm></dskpp:SupportedEncryptionAlgorithms><dskpp:SupportedMacAlgorithms><dskpp:Algorithm>urn:ietf:params:xml:ns:keyprov:dskpp:prf-sha256</dskpp:Algorithm></dskpp:SupportedMacAlgorithms><dskpp:SupportedProtocolVariants>{variants}</dskpp:SupportedProtocolVariants><dskpp:Extensions>{first}{extensions}</dskpp:Extensions></dskpp:KeyProvClientHello>"#,
        first = extension("")
    )
}

fn extension(content: &str) -> String {
    format!(r#"<dskpp:Extension xsi:type="a:b">{content}</dskpp:Extension>"#)
}

/// `content` inside `elements` nested elements, each with `each` declarations p0, p1, …, of names with `name_len`
/// additional octets.
fn declared(elements: usize, each: usize, name_len: usize, content: &str) -> String {
    let mut nested = String::new();
    for element in 0..elements {
        nested.push_str("<x");
        for i in element * each..(element + 1) * each {
            write!(nested, r#" xmlns:p{i}="urn:{}{i}""#, "n".repeat(name_len)).unwrap();
        }
        nested.push('>');
    }
    nested + content + &"</x>".repeat(elements)
}

/// An element with `count` attributes, each written by `attribute`.
fn with_attributes(count: usize, attribute: impl Fn(usize) -> String) -> String {
    let attributes: String = (0..count).map(attribute).collect();
    format!("<x{attributes}/>")
}

/// `depth` nested elements.
fn nested(name: &str, depth: usize, content: &str) -> String {
    [&format!("<{name}>").repeat(depth), content, &format!("</{name}>").repeat(depth)].concat()
}

/// 60 declarations in each of 4 nested elements.
fn many_declared(content: &str) -> String {
    declared(4, 60, 0, content)
}

/// Content that a reader of messages skips.
fn skipped(content: &str) -> String {
    message(&extension(content))
}

pub(crate) const fn input(kind: Kind, name: &'static str, document: fn(usize) -> String) -> Input {
    Input { kind, name, refused: false, document }
}

pub(crate) const fn refused(kind: Kind, name: &'static str, document: fn(usize) -> String) -> Input {
    Input { kind, name, refused: true, document }
}

pub(crate) const INPUTS: &[Input] = &[
    refused(Kind::Message, "ever more declarations, and the two outermost prefixes", |len| {
        let each = (len / 2 / 28 / 24).max(11);
        skipped(&declared(28, each, 0, &repeated("<p0:x/><p1:x/>", len / 2)))
    }),
    refused(Kind::Message, "ever longer namespace names", |len| {
        skipped(&declared(1, 1, 512 + len / 2, &repeated("<p0:x/>", len / 2)))
    }),
    refused(Kind::File, "ever more declarations, and the two outermost prefixes", |len| {
        let each = (len / 2 / 50 / 24).max(6);
        extended("", &declared(50, each, 0, &repeated("<p0:x/><p1:x/>", len / 2)))
    }),
    refused(Kind::File, "ever longer namespace names", |len| {
        extended("", &declared(1, 1, 512 + len / 2, &repeated("<p0:x/>", len / 2)))
    }),
    input(Kind::Message, "the two outermost of many prefixes", |len| {
        skipped(&many_declared(&repeated("<p0:x/><p1:x/>", len)))
    }),
    input(Kind::Message, "all of many prefixes in turn", |len| {
        let all: String = (0..240).map(|i| format!("<p{i}:x/>")).collect();
        skipped(&many_declared(&repeated(&all, len)))
    }),
    input(Kind::Message, "many prefixes of attributes", |len| {
        skipped(&many_declared(&repeated(&with_attributes(60, |i| format!(r#" p{i}:a="""#)), len)))
    }),
    input(Kind::Message, "declarations made and forgotten", |len| {
        skipped(&many_declared(&repeated(&declared(1, 10, 0, ""), len)))
    }),
    input(Kind::Message, "one prefix declared again and again", |len| {
        skipped(&many_declared(&repeated(r#"<p0:x xmlns:p0="urn:b"/>"#, len)))
    }),
    input(Kind::Message, "a long namespace name", |len| {
        skipped(&declared(1, 1, 450.min(len), &repeated("<p0:x/>", len)))
    }),
    input(Kind::Message, "long namespace names of attributes", |len| {
        skipped(&declared(1, 20, 450.min(len), &repeated(&with_attributes(20, |i| format!(r#" p{i}:a="""#)), len)))
    }),
    input(Kind::Message, "many attributes", |len| {
        skipped(&repeated(&with_attributes(64, |i| format!(r#" a{i}="""#)), len))
    }),
    input(Kind::Message, "short elements", |len| skipped(&repeated("<x/>", len))),
    input(Kind::Message, "nesting", |len| skipped(&repeated(&nested("x", 28, ""), len))),
    input(Kind::Message, "nesting in long names", |len| {
        skipped(&nested(&"n".repeat(1 + len / 100), 25, &repeated("<x/>", len / 2)))
    }),
    input(Kind::Message, "extensions", |len| message(&repeated(&extension(""), len))),
    input(Kind::Message, "algorithms", |len| {
        request(&repeated("<dskpp:Algorithm>urn:x</dskpp:Algorithm>", len), "<dskpp:FourPass/>", "")
    }),
    input(Kind::Message, "protection methods", |len| {
        const ONE: &str = "<dskpp:SupportedKeyProtectionMethod>urn:x</dskpp:SupportedKeyProtectionMethod><dskpp:Payload><ds:KeyInfo><ds:KeyName>x</ds:KeyName></ds:KeyInfo></dskpp:Payload>";
        request("", &format!("<dskpp:FourPass/><dskpp:TwoPass>{ONE}{}</dskpp:TwoPass>", repeated(ONE, len)), "")
    }),
    input(Kind::Message, "comments", |len| skipped(&repeated("<!---->", len))),
    input(Kind::Message, "references", |len| skipped(&repeated("&#9;", len))),
    input(Kind::Message, "lines", |len| skipped(&repeated("\n\n\n<x/>", len))),
    input(Kind::File, "the two outermost of many prefixes", |len| {
        extended("", &many_declared(&repeated("<p0:x/><p1:x/>", len)))
    }),
    input(Kind::File, "prefixes inside of values", |len| {
        let all: String = (0..240).map(|i| format!("p{i}:x ")).collect();
        extended("", &many_declared(&repeated(&all, len)))
    }),
    input(Kind::File, "a long namespace name", |len| {
        extended("", &declared(1, 1, 450.min(len), &repeated("<x><p0:x/><a>some text of its own</a></x>", len)))
    }),
    input(Kind::File, "a prefix as those that are made", |len| {
        let prefix = "a".repeat(500.min(len));
        let content = repeated(&format!(r#"<x p:b="a{prefix}:x"/>"#), len);
        extended("", &format!(r#"<x xmlns:a{prefix}="urn:a" xmlns:p="urn:p">{content}</x>"#))
    }),
    input(Kind::File, "lines", |len| extended("", &repeated("\n\n\n\n<x/>", len))),
    input(Kind::File, "nesting", |len| extended("", &repeated(&nested("x", 50, ""), len))),
    input(Kind::File, "nesting in long names", |len| {
        extended("", &nested(&"n".repeat(1 + len / 200), 50, &repeated("<x>some text of its own</x>", len / 2)))
    }),
    input(Kind::File, "many attributes", |len| {
        extended("", &repeated(&with_attributes(64, |i| format!(r#" a{i}="1""#)), len))
    }),
    input(Kind::File, "a long attribute", |len| extended(&format!(r#"Id="{}""#, "i".repeat(len + 1)), "")),
    input(Kind::File, "references in an attribute", |len| {
        extended("", &format!(r#"<x a="{}"/>"#, repeated("&#9;&amp;", len)))
    }),
    input(Kind::File, "references in a text", |len| extended("", &repeated("&lt;", len))),
    input(Kind::File, "sections of a text", |len| extended("", &repeated("<![CDATA[]]]]><![CDATA[>]]>", len))),
    input(Kind::File, "comments in a text", |len| extended("", &repeated("a<!---->", len))),
    input(Kind::File, "base64 with white space", |len| {
        let value = repeated("A B\nC\tD ", len);
        file("", &PACKAGE.replace("MTIzNDU2Nzg5MDEyMzQ1Njc4OTA=", &format!("{value}MTIz")), "")
    }),
    input(Kind::File, "base64 in sections", |len| {
        let value = repeated("<![CDATA[A]]>BCD", len);
        file("", &PACKAGE.replace("MTIzNDU2Nzg5MDEyMzQ1Njc4OTA=", &format!("{value}MTIz")), "")
    }),
    input(Kind::File, "ways to name a key", |len| {
        let info = repeated("<d:KeyValue/><d:X509Data><d:X509Certificate>AAAA</d:X509Certificate></d:X509Data>", len);
        let info = format!(
            "<EncryptionKey xmlns:d=\"http://www.w3.org/2000/09/xmldsig#\"><d:KeyName>k</d:KeyName>{info}</EncryptionKey>"
        );
        file("", &(info + PACKAGE), "")
    }),
    input(Kind::File, "uses of a key", |len| {
        let uses = repeated("<KeyUsage>OTP</KeyUsage>", len + 1);
        file("", &PACKAGE.replace("</Key>", &format!("<Policy>{uses}</Policy></Key>")), "")
    }),
    input(Kind::File, "lists of extensions", |len| {
        file("", PACKAGE, &repeated(r#"<Extensions><x xmlns="urn:x"/></Extensions>"#, len))
    }),
    input(Kind::Lenient, "elements that are not known", |len| file("", PACKAGE, &repeated("<x/>", len))),
    input(Kind::Lenient, "nesting in long names", |len| {
        extended("", &nested(&"n".repeat(1 + len / 200), 50, &repeated("<x>some text of its own</x>", len / 2)))
    }),
    input(Kind::Lenient, "names of long namespaces", |len| {
        file(
            "",
            &declared(1, 1, 450.min(len), "")
                .replace("<x", "<KeyPackage")
                .replace("</x", "</KeyPackage")
                .replace("></", &format!(">{}</", repeated("<p0:x/>", len))),
            PACKAGE,
        )
    }),
    input(Kind::Lenient, "lines", |len| extended("", &repeated("\n\n\n\n<x>some text of its own</x>", len))),
    input(Kind::Lenient, "prefixes inside of values", |len| {
        let all: String = (0..240).map(|i| format!("p{i}:x ")).collect();
        extended("", &many_declared(&repeated(&all, len)))
    }),
    input(Kind::Lenient, "keys of one package", |len| {
        let key = r#"<Key Id="k" Algorithm="urn:x"><Data><Secret><PlainValue>MTIz</PlainValue></Secret></Data></Key>"#;
        file(
            "",
            &format!(
                "<KeyPackage><DeviceInfo><SerialNo>1</SerialNo></DeviceInfo>{key}{}</KeyPackage>",
                repeated(key, len)
            ),
            "",
        )
    }),
    input(Kind::Lenient, "values said again", |len| {
        let again = repeated("<Data><Secret><PlainValue>MTIz</PlainValue></Secret></Data>", len);
        file("", &PACKAGE.replace("</Key>", &format!("{again}</Key>")), "")
    }),
    input(Kind::Lenient, "words of a usage", |len| {
        let usage = repeated(&with_attributes(60, |i| format!(r#" a{i}="1""#)).replace("<x", "<Usage"), len);
        file("", &PACKAGE.replace("</Key>", &format!("{usage}</Key>")), "")
    }),
    input(Kind::Parallel, "packages in comments", |len| {
        file("", PACKAGE, &repeated("<!--<KeyPackage> <KeyPackage>-->", len))
    }),
    input(Kind::Parallel, "a package that is no package", |len| {
        file("", PACKAGE, &repeated(&format!("<!--\n-->{PACKAGE}<!--</Key>-->"), len))
    }),
    input(Kind::Parallel, "extensions with packages' names", |len| {
        let package = PACKAGE.replace(
            "</Key></K",
            r#"<Extensions><KeyPackage xmlns="urn:x"/><KeyPackage xmlns="urn:x"/></Extensions></Key></K"#,
        );
        file("", &package, &repeated(&package, len))
    }),
    input(Kind::Signed, "the two outermost of many prefixes", |len| {
        extended("", &many_declared(&repeated("<p0:x/><p1:x/>", len)))
    }),
    input(Kind::Signed, "prefixes of types", |len| {
        let xsi = r#"xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance""#;
        let types: String = (0..60).map(|i| format!(r#"<x xsi:type="p{i}:t"/>"#)).collect();
        extended(xsi, &declared(1, 60, 0, &[&types, &*repeated(&declared(1, 60, 0, ""), len)].concat()))
    }),
    input(Kind::Signed, "many attributes", |len| {
        extended("", &repeated(&with_attributes(64, |i| format!(r#" a{i}="1""#)), len))
    }),
    input(Kind::Signed, "nesting", |len| extended("", &repeated(&nested("x", 50, ""), len))),
    input(Kind::Signed, "texts and comments", |len| extended("", &repeated("a<!---->&lt;<![CDATA[b]]>", len))),
    input(Kind::Signed, "elements called Signature", |len| {
        extended("", &declared(1, 1, 450.min(len), &repeated("<p0:Signature/>", len)))
    }),
];
