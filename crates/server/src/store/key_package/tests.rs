//! Packages against RFC 6030: what they mean here, and that nothing of them is lost.

use pskc::{ContainerReader, KeyPackage, MAX_COUNTER, Value};

use super::owner::{user_id_of, user_of};
use super::*;
use crate::model::{HashName, KeyType};

/// The present time of these tests, 2025-01-01.
const NOW: i64 = 1_735_689_600;
const SECRET: &str = "<Secret><PlainValue>MTIzNDU2Nzg5MDEyMzQ1Njc4OTA=</PlainValue></Secret>";
const PSKC: &str = "urn:ietf:params:xml:ns:keyprov:pskc";

fn parse(package: &str) -> KeyPackage {
    let document = format!(
        "<KeyContainer Version=\"1.0\" xmlns=\"{PSKC}\" xmlns:xenc=\"http://www.w3.org/2001/04/xmlenc#\" \
         xmlns:x=\"urn:x\">{package}</KeyContainer>"
    );
    ContainerReader::new(document.as_bytes()).unwrap().next_package().unwrap().unwrap()
}

/// What is made of a key of that algorithm, with what stands before its data, in it behind the secret, and after it.
fn taken(algorithm: &str, before: &str, data: &str, after: &str) -> Result<Taken, String> {
    let key = format!("<Key Id=\"1\" Algorithm=\"{algorithm}\">{before}<Data>{SECRET}{data}</Data>{after}</Key>");
    let package = parse(&format!("<KeyPackage>{key}</KeyPackage>"));
    take_in(package, &Owner::Nobody, NOW).map_err(|refusal| refusal.reason.into_owned())
}

fn number(name: &str, value: &str) -> String {
    format!("<{name}><PlainValue>{value}</PlainValue></{name}>")
}

fn parameters(content: &str) -> String {
    format!("<AlgorithmParameters>{content}</AlgorithmParameters>")
}

fn response(encoding: &str, length: u32, more: &str) -> String {
    parameters(&format!("<ResponseFormat Encoding=\"{encoding}\" Length=\"{length}\"{more}/>"))
}

#[test]
fn p18_types_are_known_in_every_spelling_and_others_are_kept() {
    let suite = parameters("<Suite>OCRA-1:HOTP-SHA1-6:QN08</Suite>");
    for (uri, before, key_type, algorithm) in [
        (format!("{PSKC}:hotp"), "", "hotp", None),
        (format!("{PSKC}#hotp"), "", "hotp", None),
        ("http://www.ietf.org/keyprov/pskc#totp".into(), "", "totp", None),
        (format!("{PSKC}:ocra"), &*suite, "ocra", None),
        ("http://www.w3.org/2001/04/xmlenc#tripledes-cbc".into(), "", "other", Some("#tripledes-cbc")),
        (format!("{PSKC}:pin"), "", "other", Some(":pin")),
        ("urn:vendor:what".into(), "", "other", Some("what")),
    ] {
        let taken = taken(&uri, before, "", "").unwrap();
        assert_eq!(taken.key_type.as_str(), key_type, "{uri}");
        let kept = taken.params.algorithm;
        assert!(algorithm.map_or(kept.is_none(), |end| kept.as_ref().is_some_and(|kept| kept.ends_with(end))), "{uri}");
        assert_eq!(taken.secret.expose(), b"12345678901234567890");
        assert_eq!(taken.package.key.unwrap().data.unwrap().secret, None, "it is in no other place");
    }
    let of_len = |len: usize| {
        let secret = data_encoding::BASE64.encode(&vec![1; len]);
        let uri = "http://www.w3.org/2001/04/xmlenc#aes256-cbc";
        let data = format!("<Data><Secret><PlainValue>{secret}</PlainValue></Secret></Data>");
        let package = parse(&format!("<KeyPackage><Key Id=\"1\" Algorithm=\"{uri}\">{data}</Key></KeyPackage>"));
        take_in(package, &Owner::Nobody, NOW).map(|taken| taken.key_type).map_err(|refusal| refusal.reason.into_owned())
    };
    assert_eq!(of_len(32), Ok(KeyType::Aes256));
    assert!(of_len(20).unwrap_err().contains("wrong length for its algorithm"));
}

#[test]
fn s4_parameters_become_those_of_validation() {
    let all = response("DECIMAL", 8, "").replace("<Resp", "<Suite>HMAC-SHA256</Suite><Resp");
    let data = number("Time", "50000000") + &number("TimeInterval", "60") + &number("TimeDrift", "-4");
    // A step that is to come is not taken for one that was used.
    let totp = taken(&format!("{PSKC}:totp"), &all, &data, "").unwrap();
    assert_eq!(
        (totp.params.digits, totp.params.period_s, totp.params.hash),
        (Some(8), Some(60), Some(HashName::Sha256))
    );
    assert_eq!((totp.drift, totp.last_step), (-4, None));
    let data = number("Time", "28928160") + &number("TimeInterval", "60");
    assert_eq!(taken(&format!("{PSKC}:totp"), "", &data, "").unwrap().last_step, Some(NOW / 60));
    let totp = taken(&format!("{PSKC}:totp"), "", &number("Time", "0"), "").unwrap();
    assert_eq!((totp.params.digits, totp.params.period_s, totp.last_step), (None, None, None));
    let hotp = taken(&format!("{PSKC}:hotp"), "", &number("Counter", "4611686018427387904"), "").unwrap();
    assert_eq!((hotp.counter, hotp.params.counter), (MAX_COUNTER, Some(1 << 62)));
    let suite = parameters("<Suite>OCRA-1:HOTP-SHA512-8:C-QN08</Suite>");
    let ocra = taken(&format!("{PSKC}:ocra"), &suite, &number("Counter", "7"), "").unwrap();
    assert_eq!((ocra.counter, ocra.params.suite.as_deref()), (7, Some("OCRA-1:HOTP-SHA512-8:C-QN08")));
}

#[test]
fn s5_the_policy_is_taken_in_whole_seconds() {
    let policy = "<Policy><StartDate>2025-01-01T00:00:00.5Z</StartDate>\
                  <ExpiryDate>2025-01-02T00:00:00.5+01:00</ExpiryDate>\
                  <PINPolicy PINUsageMode=\"Append\"/><KeyUsage>OTP</KeyUsage><KeyUsage>CR</KeyUsage>\
                  <NumberOfTransactions>18446744073709551615</NumberOfTransactions></Policy>";
    let key = taken(&format!("{PSKC}:hotp"), "", "", policy).unwrap();
    assert_eq!((key.start_at, key.expires_at, key.uses_left), (Some(NOW + 1), Some(NOW + 23 * 3600), Some(i64::MAX)));
    assert_eq!((key.params.usage, key.params.pin.as_deref()), (vec!["OTP".to_owned(), "CR".into()], Some("Append")));
    let expired = "<Policy><ExpiryDate>1960-01-01T00:00:00.5Z</ExpiryDate><PINPolicy PINUsageMode=\"Local\"/></Policy>";
    let key = taken(&format!("{PSKC}:hotp"), "", "", expired).unwrap();
    assert_eq!((key.expires_at, key.params.pin), (Some(-315_619_200), None), "an expired key is kept");
}

#[test]
fn what_cannot_be_used_is_refused_with_a_reason() {
    let (hotp, totp, ocra) = (format!("{PSKC}:hotp"), format!("{PSKC}:totp"), format!("{PSKC}:ocra"));
    let suite = |suite: &str| parameters(&format!("<Suite>{suite}</Suite>"));
    for (algorithm, before, data, after, reason) in [
        ("", String::new(), String::new(), "", "no Algorithm"),
        (&hotp, response("DECIMAL", 5, ""), String::new(), "", "6 to 10 digits"),
        (&hotp, response("DECIMAL", 11, ""), String::new(), "", "6 to 10 digits"),
        (&totp, response("DECIMAL", 262, ""), String::new(), "", "6 to 10 digits"),
        (&hotp, response("HEXADECIMAL", 6, ""), String::new(), "", "not decimal"),
        (&hotp, response("DECIMAL", 6, " CheckDigits=\"true\""), String::new(), "", "check digits"),
        (&hotp, suite("HMAC-SHA256"), String::new(), "", "SHA-1"),
        (&totp, suite("HMAC-SHA384"), String::new(), "", "SHA-512"),
        (&totp, suite("WHIRLPOOL"), String::new(), "", "names an unknown hash"),
        (&hotp, String::new(), number("Counter", "-1"), "", "less than 0"),
        (&hotp, String::new(), number("Counter", "4611686018427387905"), "", "exceeds 2^62"),
        (&totp, String::new(), number("TimeInterval", "0"), "", "not positive"),
        (&totp, String::new(), number("TimeInterval", "-30"), "", "not positive"),
        (&ocra, String::new(), String::new(), "", "needs its suite"),
        (&ocra, suite("OCRA-1:HOTP-SHA1-6:QN08-PSHA1"), String::new(), "", "PIN"),
        (&ocra, suite("OCRA-1:HOTP-SHA1-6:QN08-S064"), String::new(), "", "session"),
        (&ocra, suite("OCRA-9"), String::new(), "", "OCRA-1"),
        (&hotp, String::new(), String::new(), "<Policy><x:y/></Policy>", "unknown elements"),
        (&hotp, String::new(), String::new(), "<Policy><dance xmlns='urn:v'/></Policy>", "unknown elements"),
        (&hotp, String::new(), String::new(), "<Policy><PINPolicy x:WrongPINs=\"3\"/></Policy>", "unknown elements"),
    ] {
        let refused = taken(algorithm, &before, &data, after).unwrap_err();
        assert!(refused.contains(reason), "{algorithm} {before} {data} {after}: {refused}");
    }
}

#[test]
fn secrets_that_are_missing_encrypted_or_too_long_are_refused() {
    let encrypted = "<EncryptedValue><xenc:EncryptionMethod Algorithm=\"http://www.w3.org/2001/04/xmlenc#aes128-cbc\"/>\
                     <xenc:CipherData><xenc:CipherValue>AAAA</xenc:CipherValue></xenc:CipherData></EncryptedValue>";
    let long = data_encoding::BASE64.encode(&[7; 1025]);
    for (data, reason) in [
        (String::new(), "no secret"),
        ("<Data/>".into(), "no secret"),
        ("<Data><Secret><PlainValue/></Secret></Data>".into(), "empty"),
        (format!("<Data><Secret>{encrypted}</Secret></Data>"), "its secret is encrypted"),
        (format!("<Data>{SECRET}<Counter>{encrypted}</Counter></Data>"), "values is encrypted"),
        (format!("<Data><Secret><PlainValue>{long}</PlainValue></Secret></Data>"), "1024"),
    ] {
        let package = parse(&format!("<KeyPackage><Key Id=\"1\" Algorithm=\"{PSKC}:hotp\">{data}</Key></KeyPackage>"));
        let Refusal { key_id, reason: given } = take_in(package, &Owner::Nobody, NOW).unwrap_err();
        assert!(key_id == "1" && given.contains(reason), "{data}: {given}");
    }
}

#[test]
fn every_package_is_read_back_as_it_was_written() {
    let full = format!(
        "<KeyPackage><DeviceInfo><Manufacturer>ac&amp;me</Manufacturer><SerialNo>1</SerialNo><Model>m</Model>\
         <IssueNo>2</IssueNo><DeviceBinding>IMEI</DeviceBinding><StartDate>2020-01-01T00:00:00Z</StartDate>\
         <UserId>CN=dev</UserId><Extensions><x:y a=\"b\">t</x:y></Extensions></DeviceInfo>\
         <CryptoModuleInfo><Id>cm</Id></CryptoModuleInfo><Key Id=\"1\" Algorithm=\"{PSKC}:hotp\"><Issuer>i</Issuer>\
         <FriendlyName>\u{1f511} f</FriendlyName><Data><Counter><PlainValue>5</PlainValue></Counter>\
         <x:more>v</x:more></Data><UserId>CN=u</UserId><Policy><PINPolicy PINKeyId=\"2\" MinLength=\"4\"/>\
         <NumberOfTransactions>9</NumberOfTransactions></Policy></Key><Extensions><x:z/></Extensions></KeyPackage>"
    );
    let mut elements = Elements::new();
    for text in [&*full, "<KeyPackage/>", "<KeyPackage><Key Id=\"1\"/></KeyPackage>", &full] {
        let package = parse(text);
        let written = elements.write(&package).to_vec();
        assert!(written.starts_with(b"<pskc:KeyPackage"), "{}", String::from_utf8_lossy(&written));
        assert_eq!(read_element(&written), Some(package));
    }
    for broken in [&b""[..], b"<pskc:KeyPackage>", b"</pskc:KeyContainer>", b"\xff"] {
        assert_eq!(read_element(broken), None);
    }
    assert!(matches!(parse(&full).key.unwrap().data.unwrap().counter, Some(Value::Plain(5))));
}

#[test]
fn rfc4514_names_are_read_and_written() {
    for (user_id, user) in [
        ("CN=alice", "alice"),
        ("UID=jsmith,DC=example,DC=net", "jsmith"),
        ("cn = John Smith , O=acme", "John Smith"),
        ("CN=Smith\\, John+UID=x,O=acme", "Smith, John"),
        ("CN=Lu\\C4\\8Di\\C4\\87", "Lu\u{10d}i\u{107}"),
        ("CN=\"Smith, John\",O=acme", "Smith, John"),
        ("CN=ends with a blank\\ ,O=x", "ends with a blank "),
        ("2.5.4.3=alice", "alice"),
        // What is no such name is a name as it stands.
        ("alice", "alice"),
        ("DC=net,CN=alice", "DC=net,CN=alice"),
        ("CN=", "CN="),
        ("CN=#0403666f6f", "CN=#0403666f6f"),
        ("CN=x\\", "CN=x\\"),
        ("CN=x\\C4", "CN=x\\C4"),
        ("CN=\"open", "CN=\"open"),
        ("", ""),
    ] {
        assert_eq!(user_of(user_id), user, "{user_id}");
    }
    for user in ["alice", " blanks ", "#1", "a,b+c\"d\\e<f>g;h", "CN=x,O=y", "\u{1f511}", " ", "Lu\u{10d}i\u{107}"] {
        assert_eq!(user_of(&user_id_of(user)), user, "{}", user_id_of(user));
    }
    assert_eq!(user_id_of("#Smith, J "), "CN=\\#Smith\\, J\\ ");
}
