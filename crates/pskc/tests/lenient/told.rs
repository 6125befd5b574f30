//! Lenient reading never ignores or reinterprets anything without a warning.

use pskc::{KeyContainer, LenientReader};

use super::{document, key, read};

/// A container with every element that lenient reading knows.
fn whole() -> String {
    let encrypted = "<e:EncryptionMethod Algorithm='http://www.w3.org/2001/04/xmlenc#aes128-cbc'/><e:CipherData>\
                     <e:CipherValue>AAAA</e:CipherValue></e:CipherData>";
    document(&format!(
        "<EncryptionKey><d:KeyName xmlns:d='http://www.w3.org/2000/09/xmldsig#'>k</d:KeyName></EncryptionKey>\
         <MACMethod Algorithm='http://www.w3.org/2000/09/xmldsig#hmac-sha1'><MACKey>{encrypted}</MACKey></MACMethod>\
         <KeyPackage><DeviceInfo><Manufacturer>m</Manufacturer><SerialNo>1</SerialNo><Model>o</Model><IssueNo>2</IssueNo>\
         <DeviceBinding>b</DeviceBinding><StartDate>2026-01-01T00:00:00Z</StartDate>\
         <ExpiryDate>2027-01-01T00:00:00Z</ExpiryDate><UserId>u</UserId></DeviceInfo>\
         <CryptoModuleInfo><Id>c</Id></CryptoModuleInfo><Key Id='1' Algorithm='urn:ietf:params:xml:ns:keyprov:pskc:totp'>\
         <Issuer>i</Issuer><AlgorithmParameters><Suite>HMAC-SHA256</Suite><ChallengeFormat Encoding='DECIMAL' Min='1' \
         Max='8'/><ResponseFormat Encoding='DECIMAL' Length='6'/></AlgorithmParameters><KeyProfileId>p</KeyProfileId>\
         <KeyReference>r</KeyReference><FriendlyName>f</FriendlyName><Data><Secret><EncryptedValue>{encrypted}\
         </EncryptedValue><ValueMAC>AAAA</ValueMAC></Secret><Counter><PlainValue>0</PlainValue></Counter><Time>\
         <PlainValue>0</PlainValue></Time><TimeInterval><PlainValue>30</PlainValue></TimeInterval><TimeDrift>\
         <PlainValue>0</PlainValue></TimeDrift></Data><UserId>n</UserId><Policy><StartDate>2026-01-01T00:00:00Z</StartDate>\
         <ExpiryDate>2027-01-01T00:00:00Z</ExpiryDate><PINPolicy MinLength='4'/><KeyUsage>OTP</KeyUsage>\
         <NumberOfTransactions>5</NumberOfTransactions></Policy></Key></KeyPackage>"
    ))
    .replace("<KeyContainer", "<KeyContainer xmlns:e='http://www.w3.org/2001/04/xmlenc#' xmlns:v='urn:v'")
}

/// Whether a difference from [`whole`] is an error, a warning, or in the model, also after writing
/// it.
fn is_noticed(text: &str, good: &KeyContainer) -> bool {
    let differs = |container: &KeyContainer| {
        *container != *good && KeyContainer::from_xml(&container.to_xml()).as_ref() == Ok(container)
    };
    let strict = KeyContainer::from_xml(text.as_bytes());
    strict.as_ref().is_ok_and(differs) && read(text).is_ok_and(|(container, _)| differs(&container))
        || strict.is_err() && read(text).map_or(true, |(container, told)| !told.is_empty() || container != *good)
}

#[test]
fn additions_to_any_element_are_read_kept_or_reported() {
    let whole = whole();
    let (good, told) = read(&whole).unwrap();
    assert_eq!((told, KeyContainer::from_xml(whole.as_bytes()).as_ref()), (Vec::new(), Ok(&good)));
    let tags: Vec<usize> =
        whole.match_indices('<').map(|(at, _)| at).filter(|at| !whole[*at..].starts_with("</")).collect();
    assert!(tags.len() > 45, "{}", tags.len());
    for at in tags {
        let end = at + whole[at..].find(['>', '/']).unwrap();
        let name = &whole[at + 1..at + whole[at..].find([' ', '>', '/']).unwrap()];
        for attribute in [
            " odd='1'",
            " v:odd='1'",
            " xmlns:s='http://www.w3.org/2001/XMLSchema-instance' s:nil='true'",
            " xml:lang='de'",
            " xml:lang='no language'",
            " xml:space='preserve'",
            " xml:base='urn:b'",
            " xml:id='x'",
        ] {
            // Slashes occur in URIs too: attributes are inserted after the name.
            let changed = [&whole[..at + 1 + name.len()], attribute, &whole[at + 1 + name.len()..]].concat();
            assert!(is_noticed(&changed, &good), "{attribute} in <{name}>");
        }
        if whole[end..].starts_with("/>") {
            continue;
        }
        let start = at + whole[at..].find('>').unwrap() + 1;
        for content in ["<Odd/>", "<v:odd/>", "odd", "<Secret><PlainValue>MTIz</PlainValue></Secret>"] {
            let changed = [&whole[..start], content, &whole[start..]].concat();
            assert!(is_noticed(&changed, &good), "{content} in <{name}>");
        }
    }
}

/// Order too: each element after all that follow it.
#[test]
fn every_element_out_of_order_is_reported() {
    let order = |content: &str| {
        let (_, told) = key("Id='1'", content);
        assert!(told.iter().any(|told| told.contains("is out of order")), "{content}: {told:?}");
    };
    order("<Data/><Issuer>i</Issuer>");
    order(
        "<AlgorithmParameters><ResponseFormat Encoding='DECIMAL' Length='6'/><Suite>HMAC-SHA1</Suite></AlgorithmParameters>",
    );
    order(
        "<Data><TimeInterval><PlainValue>30</PlainValue></TimeInterval><Counter><PlainValue>0</PlainValue></Counter></Data>",
    );
    order("<Policy><KeyUsage>OTP</KeyUsage><ExpiryDate>2030-12-31T00:00:00Z</ExpiryDate></Policy>");
    for (text, found) in [
        (
            "<MACMethod Algorithm='urn:m'/><EncryptionKey><KeyName>k</KeyName></EncryptionKey><KeyPackage/>",
            "EncryptionKey",
        ),
        ("<KeyPackage/><EncryptionKey><KeyName>k</KeyName></EncryptionKey><KeyPackage/>", "EncryptionKey"),
        ("<KeyPackage><Key Id='1'/><DeviceInfo/></KeyPackage>", "DeviceInfo"),
        (
            "<KeyPackage><DeviceInfo><SerialNo>1</SerialNo><Manufacturer>m</Manufacturer></DeviceInfo></KeyPackage>",
            "Manufacturer",
        ),
    ] {
        let told = read(&document(text)).unwrap().1;
        assert!(told.iter().any(|told| told.contains(&format!("<{found}> is out of order"))), "{text}: {told:?}");
    }
}

/// Harmless faults before the root or in the declaration are accepted, and always reported.
#[test]
fn faults_of_the_declaration_are_reported_and_strict_reading_names_them() {
    let content = document("<KeyPackage><Key Id='1'/></KeyPackage>");
    for (before, named) in [
        ("\n<?xml version='1.0'?>", "must be at the very beginning"),
        ("\u{FEFF} \r\n<?xml version='1.0'?>", "must be at the very beginning"),
        ("\u{FEFF}\u{FEFF}<?xml version='1.0'?>", "byte order mark is allowed only"),
        (" \u{FEFF}", "byte order mark is allowed only"),
        ("<?xml version='1.0' encoding='utf-16'?>", "says utf-16, but the file is UTF-8"),
        ("<?xml version='1.0' encoding='UTF-16LE'?>", "says UTF-16LE, but the file is UTF-8"),
        ("<?xml version='1.0' encoding='windows-1252'?>", "says windows-1252, but only UTF-8"),
        ("<?xml version='1.0' encoding='utf8'?>", "says utf8, but the file is UTF-8"),
        ("<?xml version='1.1'?>", "a version other than 1.0"),
        ("<?xml encoding='UTF-8'?>", "declaration is faulty"),
        ("<?XML version='1.0'?>", "lower-case"),
    ] {
        let text = format!("{before}{content}");
        let strict = KeyContainer::from_xml(text.as_bytes()).expect_err(before).to_string();
        assert!(strict.contains(named), "{before:?}: {strict}");
        let (container, told) = read(&text).unwrap_or_else(|error| panic!("{before:?}: {error}"));
        assert_eq!(container.key_packages.len(), 1);
        assert!(told.iter().any(|told| told.contains(named)), "{before:?}: {told:?}");
        let mut slowly = LenientReader::new(std::io::BufReader::with_capacity(1, text.as_bytes())).unwrap();
        assert!(slowly.next_package().unwrap().is_some(), "{before:?} octet by octet");
    }
    for fine in ["", "\u{FEFF}", "\n", "\u{FEFF}<?xml version='1.0'?>", "<?xml version='1.0' encoding='utf-8'?>\n"] {
        assert_eq!(read(&format!("{fine}{content}")).unwrap().1, Vec::<String>::new(), "{fine:?}");
    }
    for bad in ["x", "<!-- --><?xml version='1.0'?>", "<?x?>", "<?xml version='1.0'?><?xml version='1.0'?>"] {
        assert!(read(&format!("{bad}{content}")).is_err(), "{bad}");
    }
    let latin = b"<?xml version='1.0' encoding='ISO-8859-1'?><KeyContainer \xE4='1'/>";
    assert!(KeyContainer::from_xml_lenient(latin).is_err(), "what is not UTF-8 is not guessed");
}

/// Algorithm names in a related namespace, and base64 in other forms.
#[test]
fn names_in_a_related_namespace_and_loose_base64_are_accepted_and_reported() {
    let whole = whole();
    let (good, _) = read(&whole).unwrap();
    for (right, wrong) in [
        ("http://www.w3.org/2000/09/xmldsig#hmac-sha1", "http://www.w3.org/2001/04/xmldsig-more#hmac-sha1"),
        ("http://www.w3.org/2000/09/xmldsig#hmac-sha1", "http://www.w3.org/2001/04/xmlenc#HMAC-SHA1"),
        ("http://www.w3.org/2001/04/xmlenc#aes128-cbc", "http://www.w3.org/2009/xmlenc11#aes128-cbc"),
        ("http://www.w3.org/2001/04/xmlenc#aes128-cbc", "http://www.w3.org/2001/04/xmlenc/aes128-cbc"),
        ("urn:ietf:params:xml:ns:keyprov:pskc:totp", "http://www.w3.org/keyprov#TOTP"),
        (">AAAA<", ">AAA=<"),
        (">AAAA<", ">AAA<"),
    ] {
        let text = whole.replace(right, wrong);
        let (container, told) = read(&text).unwrap_or_else(|error| panic!("{wrong}: {error}"));
        match right.starts_with('>') {
            true => assert_eq!(wrong == ">AAA<", told.iter().any(|told| told.contains("padding")), "{wrong}: {told:?}"),
            false => {
                assert_eq!(container, good, "{wrong}");
                assert!(told.iter().any(|told| told.contains(&format!("is read as {right}"))), "{wrong}: {told:?}");
            }
        }
    }
    for (text, octets) in
        [("-_-_", Some(3)), ("MTIzNDU2Nzg5MDEyMzQ1Njc4OTA", Some(20)), ("MTIzN", None), ("MT==Iz", None)]
    {
        let content = format!(
            "<KeyPackage><Key Id='1'><Data><Secret><PlainValue>{text}</PlainValue></Secret></Data></Key></KeyPackage>"
        );
        let read = read(&document(&content)).ok().map(|(container, told)| {
            assert_eq!(told.len(), 1, "{text}: {told:?}");
            let data = container.key_packages[0].key.as_ref().unwrap().data.as_ref().unwrap();
            data.secret.as_ref().unwrap().plain().unwrap().len()
        });
        assert_eq!(read, octets, "{text}");
    }
}

/// The hash of TOTP in an attribute of `Suite`, as written by a widespread server.
#[test]
fn the_hash_in_an_attribute_of_suite_is_used() {
    let suite = |suite: &str| {
        read(&document(&format!(
            "<KeyPackage><Key Id='1'><AlgorithmParameters>{suite}</AlgorithmParameters></Key></KeyPackage>"
        )))
        .ok()
        .map(|(container, told)| {
            let parameters = container.key_packages[0].key.clone().unwrap().algorithm_parameters.unwrap();
            (parameters.suite.unwrap(), told.len())
        })
    };
    for (text, expected) in [
        ("<Suite hashalgo='sha256'/>", Some(("HMAC-SHA256", 1))),
        ("<Suite hashalgo='SHA-512'></Suite>", Some(("HMAC-SHA512", 1))),
        ("<Suite HashAlgo='HmacSHA1'/>", Some(("HMAC-SHA1", 1))),
        ("<Suite hash='sha256'/>", Some(("HMAC-SHA256", 1))),
        ("<Suite hashalgo='md5'/>", Some(("md5", 1))), // no program takes it for SHA-1
        ("<Suite hashalgo='sha256'>HMAC-SHA256</Suite>", Some(("HMAC-SHA256", 1))),
        ("<Suite hashalgo='sha256'>HMAC-SHA1</Suite>", None),
        ("<Suite hashalgo='sha256'>other</Suite>", None),
        ("<Suite hashalgo=''/>", Some(("", 0))),
        ("<Suite odd='sha256'/>", Some(("", 1))),
    ] {
        let found = suite(text);
        assert_eq!(found.as_ref().map(|(suite, told)| (suite.as_str(), *told)), expected, "{text}");
    }
}

/// Empty and repeated elements.
#[test]
fn empty_values_and_a_second_method_are_reported() {
    let value = |data: &str| document(&format!("<KeyPackage><Key Id='1'><Data>{data}</Data></Key></KeyPackage>"));
    let begin = |begin: String| document(&(begin + "<KeyPackage><Key Id='1'/></KeyPackage>"));
    let method = |hash: &str| format!("<MACMethod Algorithm='{hash}'><MACKeyReference>r</MACKeyReference></MACMethod>");
    let name = |name: &str| {
        format!(
            "<EncryptionKey><k:KeyName xmlns:k='http://www.w3.org/2000/09/xmldsig#'>{name}</k:KeyName></EncryptionKey>"
        )
    };
    let sha1 = "http://www.w3.org/2000/09/xmldsig#hmac-sha1";
    let sha2 = "http://www.w3.org/2001/04/xmldsig-more#hmac-sha256";
    let again = "is repeated: the first one is used";
    for (text, told) in [
        (value("<TimeInterval/>"), vec!["<TimeInterval> is empty"]),
        (value("<Time></Time>"), vec!["<Time> is empty"]),
        (value("<Counter> </Counter>"), vec!["<Counter> is empty"]),
        (value("<Counter>5</Counter>"), vec!["<Counter> is empty", "the text in <Counter>"]),
        (value("<Secret/>"), vec!["<Secret> is empty"]),
        (value("<Secret><ValueMAC>AAAA</ValueMAC></Secret>"), vec!["<Secret> is empty", "the text in <ValueMAC>"]),
        (begin(method(sha1) + &method(sha1)), vec![again]),
        (begin(method(sha1) + &method(sha2)), vec![again]),
        (begin(name("a") + &name("b")), vec![again]),
    ] {
        let (container, found) = read(&text).unwrap();
        assert!(found.len() == told.len() && found.iter().zip(&told).all(|(f, t)| f.contains(t)), "{text}: {found:?}");
        if let Some(method) = &container.mac_method {
            assert_eq!(method.algorithm, sha1, "{text}");
        }
    }
}
