//! Strict reading accepts exactly what the schema of RFC 6030 §11 accepts, except as stated here. If
//! xmllint and the schema are available, each case is also checked with them.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use pskc::{ContainerReader, ContainerWriter, Header, Key, KeyContainer, KeyUsage};

/// A document whose `<Key>` has this content; `X` stands for a vendor's namespace.
fn document(content: &str) -> String {
    format!(
        "<KeyContainer Version='1.0' xmlns='urn:ietf:params:xml:ns:keyprov:pskc' xmlns:v='urn:vendor' \
         xmlns:xenc='http://www.w3.org/2001/04/xmlenc#' xmlns:xsi='http://www.w3.org/2001/XMLSchema-instance'>\
         <KeyPackage><Key Id='1'>{content}</Key></KeyPackage></KeyContainer>"
    )
}

/// Whether the document is read, with its key.
fn read(content: &str) -> Option<Key> {
    KeyContainer::from_xml(document(content).as_bytes()).ok()?.key_packages.remove(0).key
}

/// The schema's verdict on the document, if available.
fn schema_says(content: &str, number: usize) -> Option<bool> {
    let schema = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/schema/pskc.xsd");
    let mut xmllint = Command::new("xmllint");
    if !schema.exists() || xmllint.arg("--version").stderr(Stdio::null()).status().is_err() {
        assert!(std::env::var("DSKPP_SCHEMA_CHECKS").as_deref() != Ok("required"), "xmllint or the schema is missing");
        return None;
    }
    let file = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("schema-true-{number}.xml"));
    std::fs::write(&file, document(content)).expect("a file for xmllint");
    let mut xmllint = Command::new("xmllint");
    let found = xmllint.args(["--nonet", "--noout", "--schema"]).arg(&schema).arg(&file).output();
    let found = found.expect("xmllint runs");
    Some(found.status.success())
}

const CIPHER: &str = "<xenc:CipherData><xenc:CipherValue>AAAA</xenc:CipherValue></xenc:CipherData>";

#[test]
fn s11_strict_reading_follows_the_schema() {
    let encrypted = |attributes: &str, method: &str| {
        format!("<Data><Secret><EncryptedValue {attributes}>{method}{CIPHER}</EncryptedValue></Secret></Data>")
    };
    let method = "<xenc:EncryptionMethod Algorithm='http://www.w3.org/2001/04/xmlenc#kw-aes128'/>";
    // the content, whether the schema accepts it, whether strict reading does
    let cases: Vec<(String, bool, bool)> = vec![
        ("<Policy><KeyUsage>OTP</KeyUsage></Policy>".into(), true, true),
        (
            "<FriendlyName xsi:type='xs:string' xmlns:xs='http://www.w3.org/2001/XMLSchema'>a</FriendlyName>".into(),
            true,
            true,
        ),
        // RFC 6030 §4.2 wants a language, and the schema has no place for it
        ("<FriendlyName xml:lang='en'>a</FriendlyName>".into(), false, true),
        ("<FriendlyName xml:lang='not a language'>a</FriendlyName>".into(), false, false),
        ("<FriendlyName xml:space='preserve'>a</FriendlyName>".into(), false, false),
        // and neither has a place for one elsewhere
        ("<Issuer xml:lang='en'>a</Issuer>".into(), false, false),
        ("<UserId xml:base='urn:b'>a</UserId>".into(), false, false),
        ("<Policy xml:id='p'/>".into(), false, false),
        // attributes of others stand nowhere but in PINPolicy
        ("<Issuer v:a='1'>a</Issuer>".into(), false, false),
        ("<Issuer xsi:nil='true'></Issuer>".into(), false, false),
        ("<Data v:a='1'/>".into(), false, false),
        ("<Policy><PINPolicy PINUsageMode='Local' v:a='1'/></Policy>".into(), false, true), // valid with the vendor's schema
        ("<Policy v:a='1'/>".into(), false, false),
        ("<Policy><StartDate v:a='1'>2026-01-01T00:00:00Z</StartDate></Policy>".into(), false, false),
        ("<Policy><NumberOfTransactions v:a='1'>1</NumberOfTransactions></Policy>".into(), false, false),
        // elements of others are of another namespace, not of none
        ("<Extensions><v:a/></Extensions>".into(), true, true),
        ("<Extensions><a xmlns=''/></Extensions>".into(), false, false),
        ("<Data><a xmlns=''/></Data>".into(), false, false),
        // dates
        ("<Policy><ExpiryDate>2026-01-01T24:00:00Z</ExpiryDate></Policy>".into(), true, true),
        ("<Policy><ExpiryDate>2026-01-01T23:59:59.9999999999Z</ExpiryDate></Policy>".into(), true, false), // finer than dates here
        ("<Policy><ExpiryDate>2026-01-01T23:59:59.9999999990Z</ExpiryDate></Policy>".into(), true, true),
        ("<Policy><ExpiryDate>2026-01-01</ExpiryDate></Policy>".into(), false, false),
        ("<Policy><ExpiryDate>12026-01-01T00:00:00Z</ExpiryDate></Policy>".into(), true, false), // no such year here
        // numbers
        ("<Policy><NumberOfTransactions>+7</NumberOfTransactions></Policy>".into(), true, true),
        ("<Policy><NumberOfTransactions>-7</NumberOfTransactions></Policy>".into(), false, false),
        ("<Policy><NumberOfTransactions>18446744073709551616</NumberOfTransactions></Policy>".into(), true, false), // over 64 bits
        // encrypted values
        (encrypted("Type='urn:t' Id='i'", method), true, true),
        (encrypted("Color='red'", method), false, false),
        (encrypted("", ""), true, false), // nobody could open it
        ("<Data><Secret><PlainValue>AAAA</PlainValue><ValueMAC>AAAA</ValueMAC></Secret></Data>".into(), true, false), // a promise that nobody can check
    ];
    for (number, (content, valid, accepted)) in cases.into_iter().enumerate() {
        assert_eq!(schema_says(&content, number).unwrap_or(valid), valid, "by the schema: {content}");
        assert_eq!(read(&content).is_some(), accepted, "{content}");
    }
}

/// RFC 6030 §5: unknown content of a policy forbids the use of the key, or the file is refused.
#[test]
fn s5_no_part_of_a_policy_is_ignored() {
    let rules = [
        "<Policy v:a='1'/>",
        "<Policy><v:a/></Policy>",
        "<Policy><a xmlns=''/></Policy>",
        "<Policy><KeyUsage>OTP</KeyUsage><KeyUsage v:a='1'>CR</KeyUsage></Policy>",
        "<Policy><KeyUsage> OTP </KeyUsage></Policy>",
        "<Policy><KeyUsage>Anything</KeyUsage></Policy>",
        "<Policy><StartDate v:a='1'>2026-01-01T00:00:00Z</StartDate></Policy>",
        "<Policy><ExpiryDate v:a='1'>2026-01-01T00:00:00Z</ExpiryDate></Policy>",
        "<Policy><NumberOfTransactions v:a='1'>1</NumberOfTransactions></Policy>",
        "<Policy><PINPolicy PINUsageMode='Local' v:a='1'/></Policy>",
        "<Policy><PINPolicy PINUsageMode='Elsewhere'/></Policy>",
    ];
    for rule in rules {
        assert!(read(rule).is_none_or(|key| !key.is_usable()), "strictly: {rule}");
        let (container, _) = KeyContainer::from_xml_lenient(document(rule).as_bytes()).unwrap();
        let key = container.key_packages[0].key.clone().unwrap();
        let understood = key.policy.as_ref().is_some_and(|policy| policy.key_usage == [KeyUsage::Otp]);
        assert!(!key.is_usable() || (rule.contains(" OTP ") && understood), "leniently: {rule}");
    }
}

/// A policy that violates the schema is not an unknown one: the file is refused with the place.
#[test]
fn s11_a_policy_that_violates_the_schema_is_an_error_and_never_written_after_lenient_reading() {
    let cases = [
        "<Later/>",
        "<Later xmlns=''/>",
        "<KeyUsage>Teleport</KeyUsage>",
        "<KeyUsage>otp</KeyUsage>",
        "<KeyUsage/>",
        "<KeyUsage x='1'>OTP</KeyUsage>",
        "<KeyUsage>OTP<x/></KeyUsage>",
        "<KeyUsage>OTP</KeyUsage><StartDate>2026-01-01T00:00:00Z</StartDate>",
        "<ExpiryDate>2026-01-01T00:00:00Z</ExpiryDate><StartDate>2026-01-01T00:00:00Z</StartDate>",
        "<NumberOfTransactions>1</NumberOfTransactions><NumberOfTransactions>2</NumberOfTransactions>",
        "<NumberOfTransactions>1</NumberOfTransactions><KeyUsage>OTP</KeyUsage>",
        "<x:Region xmlns:x='urn:x'>EU</x:Region><KeyUsage>OTP</KeyUsage>",
        "<PINPolicy PINUsageMode='Telepathic'/>",
        "<PINPolicy PINEncoding='decimal'/>",
        "<PINPolicy MinLength='many'/>",
        "<PINPolicy PINFormat='DECIMAL'/>",
        "<PINPolicy><x/></PINPolicy>",
        "<PINPolicy/><PINPolicy/>",
    ];
    for policy in cases {
        let text = format!("<Policy>{policy}</Policy>");
        let error = KeyContainer::from_xml(document(&text).as_bytes()).expect_err(policy);
        assert!(error.place().path.contains("/Key/Policy"), "{policy}: {error}");
        let Ok((container, _)) = KeyContainer::from_xml_lenient(document(&text).as_bytes()) else { continue };
        let policy = container.key_packages[0].key.as_ref().unwrap().policy.as_ref().unwrap();
        let written = KeyContainer::from_xml(&container.to_xml());
        assert_eq!(written.is_ok(), policy.is_valid(), "{text}: {written:?}");
    }
}

/// RFC 6030 §9: extensions of the container are kept, also when streaming.
#[test]
fn s9_extensions_after_the_packages_are_kept() {
    let document = document("").replace("</KeyContainer>", "<Extensions><v:a>1</v:a></Extensions></KeyContainer>");
    let mut reader = ContainerReader::new(document.as_bytes()).unwrap();
    let mut writer = ContainerWriter::new(Vec::new(), &Header::default()).unwrap();
    while let Some(package) = reader.next_package().unwrap() {
        writer.package(&package).unwrap();
    }
    let written = writer.finish(&reader.finish().unwrap().extensions).unwrap();
    let read = KeyContainer::from_xml(&written).unwrap();
    assert_eq!(read, KeyContainer::from_xml(document.as_bytes()).unwrap());
    assert_eq!(read.extensions[0].elements[0].text(), "1");
}

/// A qualified name in a value of an extension keeps its meaning when written.
#[test]
fn s9_prefixes_in_the_values_of_extensions_keep_their_meaning() {
    let extension = "<Extensions xmlns:xs='http://www.w3.org/2001/XMLSchema'><v:a xsi:type='xs:string' v:b='1'>\
        v:name 12:00 http://x</v:a></Extensions>";
    for read in [read(extension), {
        let (mut container, _) = KeyContainer::from_xml_lenient(document(extension).as_bytes()).unwrap();
        container.key_packages.remove(0).key
    }] {
        let key = read.unwrap();
        let package = pskc::KeyPackage { key: Some(key.clone()), ..Default::default() };
        let container = KeyContainer { key_packages: vec![package], ..KeyContainer::default() };
        let written = String::from_utf8(container.to_xml()).unwrap();
        assert!(written.contains("xmlns:xs=\"http://www.w3.org/2001/XMLSchema\""), "{written}");
        assert!(written.contains("xmlns:v=\"urn:vendor\""), "{written}");
        let mut again = KeyContainer::from_xml(written.as_bytes()).unwrap();
        assert_eq!(again.key_packages.remove(0).key, Some(key));
    }
}
