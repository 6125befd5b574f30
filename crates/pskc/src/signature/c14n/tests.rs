//! Canonical forms as produced by libxml2 (`xmllint --c14n`, `--exc-c14n`, and xmlsec1 for prefix lists).

use super::{CanonicalForm, NamespaceRule, canonicalize};
use crate::signature::tree::SignedTree;

struct Case {
    name: &'static str,
    document: &'static str,
    inclusive: &'static str,
    /// [`SAME`] if equal to `inclusive`.
    exclusive: &'static str,
}

const SAME: &str = "";

#[rustfmt::skip]
const CASES: &[Case] = &[
    Case {
        name: "empty elements and attribute order",
        document: r#"<a xmlns="urn:d" c="3" b = '2'  a="1"><b/><c ></c ></a>"#,
        inclusive: r#"<a xmlns="urn:d" a="1" b="2" c="3"><b></b><c></c></a>"#,
        exclusive: SAME,
    },
    Case {
        name: "attributes by namespace, then name",
        document: r#"<r xmlns:z="urn:a" xmlns:y="urn:b" y:b="1" z:c="2" z:a="3" b="4" a="5" xml:lang="en"/>"#,
        inclusive: r#"<r xmlns:y="urn:b" xmlns:z="urn:a" a="5" b="4" xml:lang="en" z:a="3" z:c="2" y:b="1"></r>"#,
        exclusive: SAME,
    },
    Case {
        name: "declarations by prefix, default first",
        document: r#"<z:r xmlns:z="urn:z" xmlns:b="urn:b" xmlns="urn:d" xmlns:a="urn:a"><b:x a:y=""/><q/></z:r>"#,
        inclusive: r#"<z:r xmlns="urn:d" xmlns:a="urn:a" xmlns:b="urn:b" xmlns:z="urn:z"><b:x a:y=""></b:x><q></q></z:r>"#,
        exclusive: r#"<z:r xmlns:z="urn:z"><b:x xmlns:a="urn:a" xmlns:b="urn:b" a:y=""></b:x><q xmlns="urn:d"></q></z:r>"#,
    },
    Case {
        name: "unused and repeated declarations",
        document: r#"<a:r xmlns:a="urn:a" xmlns:u="urn:u"><a:b xmlns:a="urn:a" xmlns:u="urn:u"><u:c xmlns:u="urn:u"/></a:b></a:r>"#,
        inclusive: r#"<a:r xmlns:a="urn:a" xmlns:u="urn:u"><a:b><u:c></u:c></a:b></a:r>"#,
        exclusive: r#"<a:r xmlns:a="urn:a"><a:b><u:c xmlns:u="urn:u"></u:c></a:b></a:r>"#,
    },
    Case {
        name: "a prefix declared anew",
        document: r#"<a:r xmlns:a="urn:1"><a:b xmlns:a="urn:2"><c xmlns:a="urn:3"><d xmlns:a="urn:1" a:e=""/></c><a:f/></a:b><a:g/></a:r>"#,
        inclusive: r#"<a:r xmlns:a="urn:1"><a:b xmlns:a="urn:2"><c xmlns:a="urn:3"><d xmlns:a="urn:1" a:e=""></d></c><a:f></a:f></a:b><a:g></a:g></a:r>"#,
        exclusive: r#"<a:r xmlns:a="urn:1"><a:b xmlns:a="urn:2"><c><d xmlns:a="urn:1" a:e=""></d></c><a:f></a:f></a:b><a:g></a:g></a:r>"#,
    },
    Case {
        name: "a prefix that goes and comes back",
        document: r#"<a:r xmlns:a="urn:1"><b xmlns:a="urn:2"><a:c xmlns:a="urn:1"/></b></a:r>"#,
        inclusive: r#"<a:r xmlns:a="urn:1"><b xmlns:a="urn:2"><a:c xmlns:a="urn:1"></a:c></b></a:r>"#,
        exclusive: r#"<a:r xmlns:a="urn:1"><b><a:c></a:c></b></a:r>"#,
    },
    Case {
        name: "the default undeclared",
        document: r#"<r xmlns="urn:d"><a xmlns=""><b/><c xmlns="urn:d"><d xmlns=""/></c></a></r>"#,
        inclusive: r#"<r xmlns="urn:d"><a xmlns=""><b></b><c xmlns="urn:d"><d xmlns=""></d></c></a></r>"#,
        exclusive: SAME,
    },
    Case {
        name: "the default undeclared where there is none",
        document: r#"<r xmlns=""><a xmlns=""><b xmlns="urn:b"><c xmlns=""/></b></a></r>"#,
        inclusive: r#"<r><a><b xmlns="urn:b"><c xmlns=""></c></b></a></r>"#,
        exclusive: SAME,
    },
    Case {
        name: "the default not used between",
        document: r#"<p:r xmlns:p="urn:p" xmlns="urn:d"><p:a xmlns=""><b/></p:a><c/></p:r>"#,
        inclusive: r#"<p:r xmlns="urn:d" xmlns:p="urn:p"><p:a xmlns=""><b></b></p:a><c></c></p:r>"#,
        exclusive: r#"<p:r xmlns:p="urn:p"><p:a><b></b></p:a><c xmlns="urn:d"></c></p:r>"#,
    },
    Case {
        name: "escapes in text",
        document: r#"<r>&lt; &gt; &amp; &quot; &apos; > " ' &#x9;&#xA;&#xD;&#38;</r>"#,
        inclusive: "<r>&lt; &gt; &amp; \" ' &gt; \" ' \t\n&#xD;&amp;</r>",
        exclusive: SAME,
    },
    Case {
        name: "escapes in attributes",
        document: r#"<r a="&lt; &gt; &amp; &quot; &apos; > ' &#x9;&#xA;&#xD;&#x20;" b='"'/>"#,
        inclusive: r#"<r a="&lt; > &amp; &quot; ' > ' &#x9;&#xA;&#xD; " b="&quot;"></r>"#,
        exclusive: SAME,
    },
    Case {
        name: "white space in attributes",
        document: "<r a=\" x\ty\nz\r\nw\rv  \" b=\"&#32;&#13;&#10;\"/>",
        inclusive: r#"<r a=" x y z w v  " b=" &#xD;&#xA;"></r>"#,
        exclusive: SAME,
    },
    Case {
        name: "line ends in text",
        document: "<r>a\r\nb\rc\n\r\nd &#xD;\n</r>",
        inclusive: "<r>a\nb\nc\n\nd &#xD;\n</r>",
        exclusive: SAME,
    },
    Case {
        name: "CDATA",
        document: "<r><![CDATA[<a>&amp;]]]]><![CDATA[>\r\n]]>x<![CDATA[]]></r>",
        inclusive: "<r>&lt;a&gt;&amp;amp;]]&gt;\nx</r>",
        exclusive: SAME,
    },
    Case {
        name: "references to characters",
        document: r#"<r a="&#233;&#xE9;">&#233;&#x1F511;é🔑&#x2028;</r>"#,
        inclusive: "<r a=\"éé\">é\u{1F511}é\u{1F511}\u{2028}</r>",
        exclusive: SAME,
    },
    Case {
        name: "comments",
        document: "<r><!-- one --><a><!--two\r\n--></a>te<!---->xt</r>",
        inclusive: "<r><!-- one --><a><!--two\n--></a>te<!---->xt</r>",
        exclusive: SAME,
    },
    Case {
        name: "xml: attributes",
        document: r#"<r xml:lang="de" xml:space="preserve"> <a xml:id="i" xml:base="http://e.org/"> </a></r>"#,
        inclusive: r#"<r xml:lang="de" xml:space="preserve"> <a xml:base="http://e.org/" xml:id="i"> </a></r>"#,
        exclusive: SAME,
    },
    Case {
        name: "the prefix xml declared",
        document: r#"<r xmlns:xml="http://www.w3.org/XML/1998/namespace" xml:lang="x"><a xmlns:xml="http://www.w3.org/XML/1998/namespace"/></r>"#,
        inclusive: r#"<r xml:lang="x"><a></a></r>"#,
        exclusive: SAME,
    },
    Case {
        name: "declaration, white space around the root",
        document: "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?>\n\n  <r\n a=\"1\"\n/>\n\n",
        inclusive: r#"<r a="1"></r>"#,
        exclusive: SAME,
    },
    Case {
        name: "names outside ASCII",
        document: r#"<é:r xmlns:é="urn:e" ü="1" é:ö="2"/>"#,
        inclusive: r#"<é:r xmlns:é="urn:e" ü="1" é:ö="2"></é:r>"#,
        exclusive: SAME,
    },
    Case {
        name: "order by code point",
        document: "<r \u{10400}=\"1\" \u{FB00}=\"2\" é=\"3\" z=\"4\" _=\"5\" Z=\"6\"/>",
        inclusive: "<r Z=\"6\" _=\"5\" z=\"4\" é=\"3\" \u{FB00}=\"2\" \u{10400}=\"1\"></r>",
        exclusive: SAME,
    },
    Case {
        name: "qualified names in values",
        document: r#"<r xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xmlns:t="urn:t" xsi:type="t:u"/>"#,
        inclusive: r#"<r xmlns:t="urn:t" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="t:u"></r>"#,
        exclusive: r#"<r xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="t:u"></r>"#,
    },
    Case {
        name: "quotes in namespace names",
        document: r#"<a:r xmlns:a="urn:a&amp;b&apos;c"/>"#,
        // By the specification: this version of libxml2 does not escape here.
        inclusive: r#"<a:r xmlns:a="urn:a&amp;b'c"></a:r>"#,
        exclusive: SAME,
    },
    Case {
        name: "mixed depth",
        document: r#"<r xmlns="urn:d" xmlns:p="urn:p"><p:a><b p:x="1"><c xmlns="urn:e" p:y="2"><p:d/></c></b></p:a></r>"#,
        inclusive: r#"<r xmlns="urn:d" xmlns:p="urn:p"><p:a><b p:x="1"><c xmlns="urn:e" p:y="2"><p:d></p:d></c></b></p:a></r>"#,
        exclusive: r#"<r xmlns="urn:d"><p:a xmlns:p="urn:p"><b p:x="1"><c xmlns="urn:e" p:y="2"><p:d></p:d></c></b></p:a></r>"#,
    },
];

fn form(document: &str, apex: usize, kind: NamespaceRule, comments: bool) -> String {
    let tree = SignedTree::parse(document.as_bytes()).unwrap();
    String::from_utf8(canonicalize(&tree, apex, None, &CanonicalForm { kind, comments }).unwrap()).unwrap()
}

fn prefixes(list: &[&str]) -> NamespaceRule {
    NamespaceRule::Exclusive(list.iter().map(|prefix| (*prefix).to_owned()).collect())
}

#[test]
fn canonical_forms_match_libxml2() {
    for case in CASES {
        let exclusive = if case.exclusive == SAME { case.inclusive } else { case.exclusive };
        assert_eq!(form(case.document, 0, NamespaceRule::Inclusive, true), case.inclusive, "{}", case.name);
        assert_eq!(form(case.document, 0, NamespaceRule::Inclusive11, true), case.inclusive, "{}", case.name);
        assert_eq!(form(case.document, 0, prefixes(&[]), true), exclusive, "{}", case.name);
    }
}

#[test]
fn canonicalisation_is_idempotent_and_drops_a_byte_order_mark() {
    for case in CASES {
        let exclusive = form(case.document, 0, prefixes(&[]), false);
        assert_eq!(form(&exclusive, 0, prefixes(&[]), false), exclusive, "{}", case.name);
        let marked = format!("\u{FEFF}{}", case.document);
        assert_eq!(form(&marked, 0, prefixes(&[]), false), exclusive, "{}", case.name);
    }
}

#[test]
fn comments_are_omitted_unless_the_algorithm_keeps_them() {
    let document = "<!--0--><r><!--1-->a<b><!--2--></b>b<!--3-->c</r><!--4-->";
    assert_eq!(form(document, 0, NamespaceRule::Inclusive, false), "<r>a<b></b>bc</r>");
    assert_eq!(form(document, 0, NamespaceRule::Inclusive, true), "<r><!--1-->a<b><!--2--></b>b<!--3-->c</r>");
}

#[test]
fn exc_c14n_s2_listed_prefixes_are_treated_inclusively() {
    let document = concat!(
        r#"<r xmlns="urn:d" xmlns:t="urn:t" xmlns:u="urn:u"><t:a/>"#,
        r#"<p:b xmlns:p="urn:p" xmlns="" xmlns:t="urn:t2"><c t="1"/></p:b></r>"#
    );
    let undeclared = r#"<t:r xmlns="urn:d" xmlns:t="urn:t"><t:p xmlns=""><t:q/></t:p></t:r>"#;
    let cases: [(&str, &[&str], &str); 4] = [
        (
            document,
            &["t"],
            r#"<r xmlns="urn:d" xmlns:t="urn:t"><t:a></t:a><p:b xmlns:p="urn:p" xmlns:t="urn:t2"><c xmlns="" t="1"></c></p:b></r>"#,
        ),
        (
            document,
            &["", "p", "nowhere"],
            r#"<r xmlns="urn:d"><t:a xmlns:t="urn:t"></t:a><p:b xmlns="" xmlns:p="urn:p"><c t="1"></c></p:b></r>"#,
        ),
        (undeclared, &[""], r#"<t:r xmlns="urn:d" xmlns:t="urn:t"><t:p xmlns=""><t:q></t:q></t:p></t:r>"#),
        (undeclared, &["t"], r#"<t:r xmlns:t="urn:t"><t:p><t:q></t:q></t:p></t:r>"#),
    ];
    for (document, list, expected) in cases {
        assert_eq!(form(document, 0, prefixes(list), false), expected, "{list:?}");
    }
}

/// Canonical XML 1.0 §2.4 and 1.1 §2.4 for the `xml:` attributes of elements around the apex, and
/// inherited namespaces for all three.
#[test]
fn an_inner_element_inherits_from_its_ancestors() {
    let document = concat!(
        r#"<r xmlns="urn:d" xmlns:t="urn:t" xmlns:o="urn:o" xml:lang="de" xml:space="default" xml:id="x" o:y="1">"#,
        r#"<m xmlns:t="urn:t2" xml:lang="fr"><t:a xml:space="preserve" z="2"><b/></t:a></m></r>"#
    );
    let cases = [
        (
            NamespaceRule::Inclusive,
            r#"<t:a xmlns="urn:d" xmlns:o="urn:o" xmlns:t="urn:t2" z="2" xml:id="x" xml:lang="fr" xml:space="preserve"><b></b></t:a>"#,
        ),
        (
            NamespaceRule::Inclusive11,
            r#"<t:a xmlns="urn:d" xmlns:o="urn:o" xmlns:t="urn:t2" z="2" xml:lang="fr" xml:space="preserve"><b></b></t:a>"#,
        ),
        (prefixes(&[]), r#"<t:a xmlns:t="urn:t2" z="2" xml:space="preserve"><b xmlns="urn:d"></b></t:a>"#),
        (
            prefixes(&["o", ""]),
            r#"<t:a xmlns="urn:d" xmlns:o="urn:o" xmlns:t="urn:t2" z="2" xml:space="preserve"><b></b></t:a>"#,
        ),
    ];
    for (kind, expected) in cases {
        assert_eq!(form(document, 2, kind.clone(), false), expected, "{kind:?}");
    }
}

#[test]
fn documents_without_a_supported_canonical_form_are_refused() {
    let base = r#"<r xml:base="http://e.org/"><a/></r>"#;
    let tree = SignedTree::parse(base.as_bytes()).unwrap();
    let method = CanonicalForm { kind: NamespaceRule::Inclusive11, comments: false };
    assert!(canonicalize(&tree, 1, None, &method).is_err());
    assert!(canonicalize(&tree, 0, None, &method).is_ok());
    for relative in ["b", "../b", "/b", "#b", "1:b", ":b", "a/b:c"] {
        let document = format!(r#"<a xmlns="{relative}"/>"#);
        assert!(SignedTree::parse(document.as_bytes()).is_err(), "{relative}");
    }
    for faulty in ["", "<a>", "<a><?pi?></a>", "<!DOCTYPE a><a/>", "<a>\u{0}</a>", "<a/><b/>", "<a b=\"&x;\"/>"] {
        assert!(SignedTree::parse(faulty.as_bytes()).is_err(), "{faulty}");
    }
}
