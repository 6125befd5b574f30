//! What attackers try. Most documents here carry a signature of the trusted key over their `SignedInfo`, so that
//! only the profile is left to refuse them.

use dskpp_crypto::{Hash, HmacKey};
use pskc::signature::{Canonicalization, Verified, sign};

use super::*;

const DS: &str = "http://www.w3.org/2000/09/xmldsig#";
const EXC: &str = "http://www.w3.org/2001/10/xml-exc-c14n#";
const ENVELOPED: &str = "http://www.w3.org/2000/09/xmldsig#enveloped-signature";
const SHA256: &str = "http://www.w3.org/2001/04/xmlenc#sha256";
const ECDSA: &str = "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256";

fn signed() -> String {
    let signed = sign(&data("unsigned.xml"), &signing_key("p256"), &[certificate("p256")], Canonicalization::Exclusive);
    String::from_utf8(signed.unwrap()).unwrap()
}

fn by_key() -> VerifyOptions {
    VerifyOptions::with_key(verifying_key("p256"))
}

/// A document taken apart: what is before the signature, the signature, what is behind it.
fn split(document: &str) -> (&str, &str, &str) {
    let start = document.find("<ds:Signature ").unwrap();
    let end = document.find("</ds:Signature>").unwrap() + "</ds:Signature>".len();
    (&document[..start], &document[start..end], &document[end..])
}

/// The error's name, or what was read.
fn outcome(document: &str, options: &VerifyOptions) -> String {
    match verify(document.as_bytes(), options) {
        Ok(_) => "verified".to_owned(),
        Err(error) => format!("{error:?}").split(['(', ' ']).next().unwrap().to_owned(),
    }
}

/// The canonical `SignedInfo` of a good signature over `content`, for changes.
fn signed_info(content: &[u8]) -> String {
    let digest = BASE64.encode(&Hash::Sha256.digest(&[content]));
    format!(
        "<ds:SignedInfo xmlns:ds=\"{DS}\"><ds:CanonicalizationMethod Algorithm=\"{EXC}\"></ds:CanonicalizationMethod>\
         <ds:SignatureMethod Algorithm=\"{ECDSA}\"></ds:SignatureMethod><ds:Reference URI=\"\"><ds:Transforms>\
         <ds:Transform Algorithm=\"{ENVELOPED}\"></ds:Transform><ds:Transform Algorithm=\"{EXC}\"></ds:Transform>\
         </ds:Transforms><ds:DigestMethod Algorithm=\"{SHA256}\"></ds:DigestMethod>\
         <ds:DigestValue>{digest}</ds:DigestValue></ds:Reference></ds:SignedInfo>"
    )
}

/// A `Signature` of the trusted key over a canonical `SignedInfo`, whatever that says.
fn signature(signed_info: &str) -> String {
    let value = signing_key("p256").sign(SignatureAlgorithm::EcdsaP256Sha256, signed_info.as_bytes()).unwrap();
    let value = BASE64.encode(&value);
    format!(
        "<ds:Signature xmlns:ds=\"{DS}\">{signed_info}<ds:SignatureValue>{value}</ds:SignatureValue></ds:Signature>"
    )
}

fn signed_content() -> Vec<u8> {
    verify(signed().as_bytes(), &by_key()).unwrap().content
}

#[test]
fn s7_only_signed_infos_of_the_profile_are_accepted_even_from_the_trusted_key() {
    let good = signed_info(&signed_content());
    let second = format!("<ds:Transform Algorithm=\"{EXC}\"></ds:Transform></ds:Transforms>");
    let transform = |uri: &str| second.replace(EXC, uri);
    let reference = good[good.find("<ds:Reference").unwrap()..].replace("</ds:SignedInfo>", "");
    let digest = good[good.find("<ds:DigestValue>").unwrap() + 16..good.find("</ds:DigestValue>").unwrap()].to_owned();
    let changes: Vec<(&str, String, &str)> = vec![
        // the Reference names something else
        ("URI=\"\"", "URI=\"#S\"".into(), "NotAllowed"),
        ("URI=\"\"", "URI=\"#KC-1\"".into(), "verified"),
        ("URI=\"\"", "URI=\"#kc-1\"".into(), "NotAllowed"),
        ("URI=\"\"", "URI=\"#12345678\"".into(), "NotAllowed"),
        ("URI=\"\"", "URI=\"#\"".into(), "NotAllowed"),
        ("URI=\"\"", "URI=\"#xpointer(/)\"".into(), "NotAllowed"),
        ("URI=\"\"", "URI=\"http://example.org/\"".into(), "NotAllowed"),
        ("URI=\"\"", "URI=\"file:///dev/zero\"".into(), "NotAllowed"),
        ("URI=\"\"", format!("Type=\"{DS}Manifest\" URI=\"\""), "NotAllowed"),
        (" URI=\"\"", String::new(), "verified"),
        // other transforms, more, fewer, in another order
        (&second, second.repeat(2).replacen("</ds:Transforms>", "", 1), "NotAllowed"),
        (&second, "</ds:Transforms>".into(), "Digest"), // inclusive canonicalisation then
        (&second, transform("http://www.w3.org/TR/1999/REC-xpath-19991116"), "Algorithm"),
        (&second, transform("http://www.w3.org/2002/06/xmldsig-filter2"), "Algorithm"),
        (&second, transform("http://www.w3.org/TR/1999/REC-xslt-19991116"), "Algorithm"),
        (&second, transform("http://www.w3.org/2000/09/xmldsig#base64"), "Algorithm"),
        (&second, transform(ENVELOPED), "Algorithm"),
        (&second, transform("http://www.w3.org/2001/10/xml-exc-c14n#WithComments"), "verified"),
        (ENVELOPED, EXC.into(), "NotAllowed"),
        ("<ds:Transforms>", format!("<ds:Transforms>{}", second.replace("</ds:Transforms>", "")), "NotAllowed"),
        (&second, second.replace("></ds:Transform>", "><ds:XPath>1</ds:XPath></ds:Transform>"), "NotAllowed"),
        // several references, or none
        ("</ds:SignedInfo>", format!("{reference}</ds:SignedInfo>"), "NotAllowed"),
        (&reference, String::new(), "NotAllowed"),
        // digests cut short, empty, of another kind
        (&digest, BASE64.encode(&BASE64.decode(digest.as_bytes()).unwrap()[..16]), "Digest"),
        (&digest, String::new(), "NotAllowed"),
        (&digest, "AAAA".repeat(11), "NotAllowed"),
        (SHA256, "http://www.w3.org/2000/09/xmldsig#sha1".into(), "Sha1"),
        (SHA256, "http://www.w3.org/2001/04/xmldsig-more#md5".into(), "Algorithm"),
        (SHA256, "http://www.w3.org/2001/04/xmlenc#sha512".into(), "Digest"),
        // other algorithms for the value
        (ECDSA, "http://www.w3.org/2000/09/xmldsig#rsa-sha1".into(), "Sha1"),
        (ECDSA, "http://www.w3.org/2000/09/xmldsig#dsa-sha1".into(), "Algorithm"),
        (ECDSA, "http://www.w3.org/2000/09/xmldsig#hmac-sha1".into(), "Algorithm"),
        (ECDSA, "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256".into(), "Signature"),
        (ECDSA, "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha384".into(), "Signature"),
        (ECDSA, String::new(), "Algorithm"),
        (
            "></ds:SignatureMethod>",
            "><ds:HMACOutputLength>1</ds:HMACOutputLength></ds:SignatureMethod>".into(),
            "NotAllowed",
        ),
        ("></ds:CanonicalizationMethod>", "><ds:x></ds:x></ds:CanonicalizationMethod>".into(), "NotAllowed"),
        ("<ds:Reference ", "text<ds:Reference ".into(), "NotAllowed"),
    ];
    let document = signed();
    let (before, _, after) = split(&document);
    let put = |info: &str| outcome(&[before, &signature(info), after].concat(), &by_key());
    assert_eq!(put(&good), "verified");
    for (from, to, expected) in changes {
        assert!(good.contains(from), "{from}");
        assert_eq!(put(&good.replacen(from, &to, 1)), expected, "{from} -> {to}");
    }
}

#[test]
fn s7_a_good_signature_in_another_place_covers_nothing() {
    let document = signed();
    let (before, signature, after) = split(&document);
    let bare = text("unsigned.xml");
    let by_id = text("p256-prefixes.xml");
    let original = by_id.split_once("<!-- not signed: outside the root -->").unwrap().1;
    let start = original.find("<Signature ").unwrap();
    let end = original.find("</Signature>").unwrap() + "</Signature>".len();
    let (id_signature, unsigned) = (&original[start..end], [&original[..start], &original[end..]].concat());
    let evil = |id: &str, signature: &str, inner: &str| {
        format!(
            "<KeyContainer xmlns=\"urn:ietf:params:xml:ns:keyprov:pskc\" Version=\"1.0\"{id}><KeyPackage/>{signature}\
             <Extensions>{inner}</Extensions></KeyContainer>"
        )
    };
    let object = format!("<ds:Object>{}</ds:Object></ds:Signature>", &unsigned);
    let documents = [
        ("moved into an extension", bare.replace("<t:note ", &format!("{signature}<t:note ")), "NotAllowed"),
        (
            "moved into a package",
            format!("{}{signature}</KeyPackage>{after}", before.trim_end_matches("</KeyPackage>")),
            "NotAllowed",
        ),
        ("the original wrapped", evil("", "", original), "NotAllowed"),
        ("the original wrapped, its signature taken out", evil("", id_signature, &unsigned), "NotAllowed"),
        ("and its Id given to the new root", evil(" Id=\"KC-1\"", id_signature, &unsigned), "NotAllowed"),
        ("the root has the Id under another name", evil(" ID=\"KC-1\"", id_signature, &unsigned), "NotAllowed"),
        ("the original as an Object", evil("", &signature.replace("</ds:Signature>", &object), "<a/>"), "NotAllowed"),
        ("two signatures", [before, signature, signature, after].concat(), "NotAllowed"),
        ("a second one in an extension", document.replace("<t:note ", &format!("{signature}<t:note ")), "NotAllowed"),
        ("a second, empty one of PSKC", document.replace("<Extensions ", "<Signature/><Extensions "), "NotAllowed"),
        ("another root", document.replace("KeyContainer", "KeyPackage"), "NotContainer"),
        (
            "a root of another namespace",
            document.replace("urn:ietf:params:xml:ns:keyprov:pskc\"", "urn:x\""),
            "NotContainer",
        ),
        ("nothing around it", signature.to_owned(), "NotContainer"),
    ];
    for (name, document, expected) in documents {
        assert_eq!(outcome(&document, &by_root()), expected, "{name}");
        assert_eq!(outcome(&document, &by_key()), expected, "{name}");
    }
}

#[test]
fn s7_the_id_of_the_container_is_nobody_elses() {
    let document = text("p256-prefixes.xml");
    assert_eq!(outcome(&document, &by_key()), "verified");
    for id in ["Id", "ID", "id", "iD", "xml:id", "t:Id"] {
        for element in ["<t:note ", "<SignatureValue", "<Key "] {
            let twice = document.replacen(element, &format!("{element} {id}=\"KC-1\" "), 1);
            let twice = if element == "<Key " { twice.replace(" Id=\"12345678\"", "") } else { twice };
            assert_eq!(outcome(&twice, &by_key()), "NotAllowed", "{id} in {element}");
        }
    }
}

#[test]
fn s7_key_info_convinces_nobody() {
    let document = signed();
    let (before, good, after) = split(&document);
    let with = |key_info: &str| {
        let value = good.split("<ds:KeyInfo>").next().unwrap();
        format!("{before}{value}{key_info}</ds:Signature>{after}")
    };
    let data = |names: &[&str]| {
        let certificates = names.iter().map(|name| BASE64.encode(&certificate(name)));
        let certificates: String =
            certificates.map(|der| format!("<ds:X509Certificate>{der}</ds:X509Certificate>")).collect();
        format!("<ds:KeyInfo><ds:X509Data>{certificates}</ds:X509Data></ds:KeyInfo>")
    };
    let value = |name: &str, curve: &str| {
        let spki = verifying_key(name).to_spki_der().to_vec();
        let point = BASE64.encode(&spki[spki.len() - 65..]);
        format!(
            "<ds:KeyValue><e:ECKeyValue xmlns:e=\"http://www.w3.org/2009/xmldsig11#\"><e:NamedCurve URI=\"{curve}\"/>\
             <e:PublicKey>{point}</e:PublicKey></e:ECKeyValue></ds:KeyValue>"
        )
    };
    const P256: &str = "urn:oid:1.2.840.10045.3.1.7";
    let own = value("p256", P256);
    let info = |inner: &str| format!("<ds:KeyInfo>{inner}</ds:KeyInfo>");
    let both = |inner: &str| data(&["p256"]).replace("<ds:X509Data>", &format!("{inner}<ds:X509Data>"));
    let rsa = "<ds:KeyValue><ds:RSAKeyValue><ds:Modulus>AQAB</ds:Modulus><ds:Exponent>AQAB</ds:Exponent>\
               </ds:RSAKeyValue></ds:KeyValue>";
    let serial = "<ds:X509Data><ds:X509IssuerSerial><ds:X509IssuerName>CN=root</ds:X509IssuerName>\
                  <ds:X509SerialNumber>1</ds:X509SerialNumber></ds:X509IssuerSerial></ds:X509Data>";
    let many: Vec<&str> = ["p256"; 11].to_vec();
    // what there is, what comes of it with anchors, and with the key
    let cases: Vec<(String, &str, &str)> = vec![
        (String::new(), "NoKey", "verified"),
        (data(&["p256"]), "verified", "verified"),
        (data(&["root", "rsa", "p256"]), "verified", "verified"),
        (data(&["untrusted", "p256"]), "verified", "verified"),
        (info("<ds:KeyName>p256</ds:KeyName>"), "NoKey", "verified"),
        (info(serial), "NoKey", "verified"),
        (info(&own), "NoKey", "verified"),
        (both(&own), "verified", "verified"),
        (both(&value("root", P256)), "Key", "Key"),
        (both(&value("p256", "urn:oid:1.3.132.0.34")), "Key", "Key"),
        (both(rsa), "Key", "Key"),
        (both("<ds:KeyValue><ds:DSAKeyValue/></ds:KeyValue>"), "Key", "Key"),
        (both(&own.repeat(2)), "NotAllowed", "NotAllowed"),
        (info("<ds:RetrievalMethod URI=\"http://example.org/\"/>"), "NoKey", "verified"),
        (data(&["rsa", "intermediate"]), "Signature", "verified"),
        (data(&["p384"]), "Signature", "verified"),
        (data(&["untrusted"]), "Certificate", "verified"),
        (data(&["untrusted", "other-root"]), "Certificate", "verified"),
        (data(&["from-leaf", "rsa", "intermediate"]), "Certificate", "verified"),
        (data(&["agreement"]), "KeyUse", "verified"),
        (data(&many), "NotAllowed", "NotAllowed"),
        (info("<ds:X509Data><ds:X509Certificate>AAAA</ds:X509Certificate></ds:X509Data>"), "Key", "verified"),
        (info("<ds:X509Data><ds:X509Certificate>A</ds:X509Certificate></ds:X509Data>"), "NotAllowed", "NotAllowed"),
    ];
    for (key_info, by_anchor, with_key) in cases {
        assert_eq!(outcome(&with(&key_info), &by_root()), by_anchor, "{key_info}");
        assert_eq!(outcome(&with(&key_info), &by_key()), with_key, "{key_info}");
    }
    let widened = by_root().any_key_usage();
    assert_eq!(outcome(&with(&data(&["agreement"])), &widened), "verified");
    assert_eq!(outcome(&with(&data(&["untrusted"])), &widened), "Certificate");
}

#[test]
fn s7_values_without_the_private_key_are_refused() {
    let document = signed();
    let (before, _, after) = split(&document);
    let info = signed_info(&signed_content());
    let put = |info: &str, value: &[u8]| {
        let value = BASE64.encode(value);
        let signature = format!(
            "<ds:Signature xmlns:ds=\"{DS}\">{info}<ds:SignatureValue>{value}</ds:SignatureValue></ds:Signature>"
        );
        outcome(&[before, &signature, after].concat(), &by_key())
    };
    assert_eq!(put(&info, &[]), "NotAllowed");
    assert_eq!(put(&info, &[0; 2049]), "NotAllowed");
    for value in [vec![0; 64], vec![0; 1], vec![0xFF; 64], vec![0; 2048]] {
        assert_eq!(put(&info, &value), "Signature");
    }
    // A MAC whose key everybody knows.
    let hmac = info.replace(ECDSA, "http://www.w3.org/2001/04/xmldsig-more#hmac-sha256");
    let key = HmacKey::new(Hash::Sha256, verifying_key("p256").to_spki_der());
    assert_eq!(put(&hmac, key.sign(&[hmac.as_bytes()]).as_ref()), "Algorithm");
}

#[test]
fn s7_comments_and_white_space_do_not_change_what_is_read() {
    let document = signed();
    let Verified { content, .. } = verify(document.as_bytes(), &by_key()).unwrap();
    let changes = [
        ("MTIzNDU2", "MTIz<!-- x -->NDU2"),
        (">Ma&#110;", ">M<!-- </Manufacturer> -->an"),
        ("<ds:DigestValue>", "<ds:DigestValue><!-- x -->"),
        ("</ds:DigestValue>", "<!-- x --></ds:DigestValue>"),
        ("<ds:SignatureValue>", "<ds:SignatureValue>\n <!-- x -->"),
        ("<Key ", "<Key\n\t"),
        ("MTIzNDU2", "<![CDATA[MTIz]]>NDU&#x32;"),
    ];
    for (from, to) in changes {
        assert!(document.contains(from), "{from}");
        let changed = document.replacen(from, to, 1);
        assert_eq!(verify(changed.as_bytes(), &by_key()).unwrap().content, content, "{to}");
    }
    for (from, to) in [("MTIzNDU2", "MTIz NDU2"), ("<ds:DigestValue>", "<ds:DigestValue> ")] {
        assert_ne!(outcome(&document.replacen(from, to, 1), &by_key()), "verified", "{to}");
    }
}

#[test]
fn s7_no_octet_can_be_changed_to_another_meaning() {
    for options in [by_root(), by_key()] {
        let document = signed().into_bytes();
        let content = verify(&document, &options).unwrap().content;
        let mut same = 0;
        for i in 0..document.len() {
            for flip in [0x01, 0x20, 0x80] {
                let mut changed = document.clone();
                changed[i] ^= flip;
                if let Ok(verified) = verify(&changed, &options) {
                    same += 1;
                    assert_eq!(verified.content, content, "octet {i} of {}", String::from_utf8_lossy(&changed));
                }
            }
        }
        assert!(same > 0, "comments may be changed");
    }
}
