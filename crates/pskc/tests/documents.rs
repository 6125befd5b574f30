//! Complete PSKC documents like RFC 6030's figures 2, 3, 5 and 6, and documents that must be refused.

use jiff::Timestamp;
use pskc::xml::{Reader, XmlLimits};
use pskc::{
    AlgorithmParameters, ChallengeFormat, CryptoModuleInfo, DeviceInfo, Error, Key, KeyContainer, KeyData, KeyInfo,
    KeyPackage, KeyUsage, PinPolicy, PinUsageMode, Policy, ResponseFormat, Value, ValueFormat,
};

const HEAD: &str = "<?xml version='1.0' encoding='UTF-8'?>\
    <KeyContainer Version='1.0' xmlns='urn:ietf:params:xml:ns:keyprov:pskc'>";

fn read(document: &str) -> Result<KeyContainer, Error> {
    KeyContainer::from_xml(document.as_bytes())
}

/// The only key of a container whose `<Key>` has this content.
fn key(content: &str) -> Result<Key, Error> {
    let document = format!("{HEAD}<KeyPackage><Key Id='1'>{content}</Key></KeyPackage></KeyContainer>");
    let mut packages = read(&document)?.key_packages;
    Ok(packages.remove(0).key.expect("it has a key"))
}

fn one(package: KeyPackage) -> KeyContainer {
    KeyContainer { key_packages: vec![package], ..KeyContainer::default() }
}

#[test]
fn s4_2_a_key_and_its_secret() {
    let document = format!(
        "{HEAD}<KeyPackage><Key Id='12345678' Algorithm='urn:ietf:params:xml:ns:keyprov:pskc:hotp'>\
         <Issuer>Issuer-A</Issuer><Data><Secret><PlainValue>MTIzNA==\n   </PlainValue></Secret></Data>\
         </Key></KeyPackage></KeyContainer>"
    );
    let expected = one(KeyPackage {
        key: Some(Key {
            id: "12345678".into(),
            algorithm: Some("urn:ietf:params:xml:ns:keyprov:pskc:hotp".into()),
            issuer: Some("Issuer-A".into()),
            data: Some(KeyData { secret: Some(b"1234".to_vec().into_secret()), ..KeyData::default() }),
            ..Key::default()
        }),
        ..KeyPackage::default()
    });
    assert_eq!(read(&document).unwrap(), expected);
}

trait IntoSecret {
    fn into_secret(self) -> Value<dskpp_crypto::Secret>;
}

impl IntoSecret for Vec<u8> {
    fn into_secret(self) -> Value<dskpp_crypto::Secret> {
        Value::Plain(self.into())
    }
}

#[test]
fn s4_3_every_element_of_a_package_is_read() {
    let document = "<pskc:KeyContainer Version=' 1.0 ' Id='c1' xmlns:pskc='urn:ietf:params:xml:ns:keyprov:pskc'>
           <!-- as figure 3, with every element -->
           <pskc:KeyPackage>
             <pskc:DeviceInfo>
               <pskc:Manufacturer> Manufacturer\n </pskc:Manufacturer>
               <pskc:SerialNo>987654321</pskc:SerialNo>
               <pskc:Model>M</pskc:Model>
               <pskc:IssueNo>1</pskc:IssueNo>
               <pskc:DeviceBinding>imei</pskc:DeviceBinding>
               <pskc:StartDate>\n 2006-05-01T00:00:00Z\n </pskc:StartDate>
               <pskc:ExpiryDate>2012-05-01T02:00:00+02:00</pskc:ExpiryDate>
               <pskc:UserId>DC=example,UID=jsmith</pskc:UserId>
             </pskc:DeviceInfo>
             <pskc:CryptoModuleInfo><pskc:Id>CM_ID_001</pskc:Id></pskc:CryptoModuleInfo>
             <pskc:Key Id='12345678' Algorithm='urn:ietf:params:xml:ns:
                 keyprov:pskc:totp'>
               <pskc:Issuer>Issuer</pskc:Issuer>
               <pskc:AlgorithmParameters>
                 <pskc:Suite>HMAC-SHA256</pskc:Suite>
                 <pskc:ChallengeFormat Encoding='DECIMAL' Min='6' Max='8' CheckDigits='1'/>
                 <pskc:ResponseFormat Length='8' Encoding='DECIMAL'></pskc:ResponseFormat>
               </pskc:AlgorithmParameters>
               <pskc:KeyProfileId>P</pskc:KeyProfileId>
               <pskc:KeyReference>R</pskc:KeyReference>
               <pskc:FriendlyName>F</pskc:FriendlyName>
               <pskc:Data>
                 <pskc:Counter><pskc:PlainValue> 9223372036854775807 </pskc:PlainValue></pskc:Counter>
                 <pskc:Time><pskc:PlainValue>0</pskc:PlainValue></pskc:Time>
                 <pskc:TimeInterval><pskc:PlainValue>30</pskc:PlainValue></pskc:TimeInterval>
                 <pskc:TimeDrift><pskc:PlainValue>-4</pskc:PlainValue></pskc:TimeDrift>
               </pskc:Data>
               <pskc:UserId>CN=x</pskc:UserId>
             </pskc:Key>
           </pskc:KeyPackage>
         </pskc:KeyContainer>";
    let text = |text: &str| Some(text.to_owned());
    let date = |text: &str| Some(text.parse().unwrap());
    let expected = KeyContainer {
        id: text("c1"),
        ..one(KeyPackage {
            device_info: Some(DeviceInfo {
                manufacturer: text("Manufacturer"),
                serial_no: text("987654321"),
                model: text("M"),
                issue_no: text("1"),
                device_binding: text("imei"),
                start_date: date("2006-05-01T00:00:00Z"),
                expiry_date: date("2012-05-01T00:00:00Z"),
                user_id: text("DC=example,UID=jsmith"),
                extensions: vec![],
            }),
            crypto_module_info: Some(CryptoModuleInfo { id: "CM_ID_001".into(), extensions: vec![] }),
            key: Some(Key {
                id: "12345678".into(),
                algorithm: text("urn:ietf:params:xml:ns:keyprov:pskc:totp"),
                issuer: text("Issuer"),
                algorithm_parameters: Some(AlgorithmParameters {
                    suite: text("HMAC-SHA256"),
                    challenge_format: Some(ChallengeFormat {
                        encoding: ValueFormat::Decimal,
                        min: 6,
                        max: 8,
                        check_digits: Some(true),
                    }),
                    response_format: Some(ResponseFormat {
                        encoding: ValueFormat::Decimal,
                        length: 8,
                        check_digits: None,
                    }),
                    extensions: vec![],
                }),
                key_profile_id: text("P"),
                key_reference: text("R"),
                friendly_name: text("F"),
                data: Some(KeyData {
                    counter: Some(Value::Plain(i64::MAX)),
                    time: Some(Value::Plain(0)),
                    time_interval: Some(Value::Plain(30)),
                    time_drift: Some(Value::Plain(-4)),
                    ..KeyData::default()
                }),
                user_id: text("CN=x"),
                ..Key::default()
            }),
            extensions: vec![],
        })
    };
    let container = read(document).unwrap();
    assert_eq!(container, expected);
    assert_eq!(KeyContainer::from_xml(&container.to_xml()).unwrap(), expected);
}

#[test]
fn s5_policy_with_a_pin_key_beside_it() {
    let policy = "<Policy><StartDate>2026-01-01T00:00:00Z</StartDate><ExpiryDate>2026-12-31T00:00:00Z\
        </ExpiryDate><PINPolicy MinLength='4' MaxLength='8' PINKeyId='p' PINEncoding='DECIMAL' \
        PINUsageMode='Local' MaxFailedAttempts='3'/><KeyUsage>OTP</KeyUsage><KeyUsage>CR</KeyUsage>\
        <NumberOfTransactions>18446744073709551615</NumberOfTransactions></Policy>";
    let key = key(policy).unwrap();
    let date = |text: &str| text.parse::<Timestamp>().unwrap();
    let expected = Policy {
        start_date: Some(date("2026-01-01T00:00:00Z").into()),
        expiry_date: Some(date("2026-12-31T00:00:00Z").into()),
        pin_policy: Some(PinPolicy {
            pin_key_id: Some("p".into()),
            pin_usage_mode: Some(PinUsageMode::Local),
            max_failed_attempts: Some(3),
            min_length: Some(4),
            max_length: Some(8),
            pin_encoding: Some(ValueFormat::Decimal),
            other: vec![],
        }),
        key_usage: vec![KeyUsage::Otp, KeyUsage::Cr],
        number_of_transactions: Some(u64::MAX),
        other: vec![],
    };
    assert!(key.is_usable());
    let policy = key.policy.unwrap();
    assert_eq!(policy, expected);
    let now = date("2026-06-01T00:00:00Z");
    assert!(policy.permits(KeyUsage::Otp, now));
    assert!(policy.permits(KeyUsage::Otp, date("2026-12-31T00:00:00Z")), "the end is included");
    assert!(!policy.permits(KeyUsage::Encrypt, now));
    assert!(!policy.permits(KeyUsage::Otp, date("2025-12-31T23:59:59Z")));
    assert!(!policy.permits(KeyUsage::Otp, date("2027-01-01T00:00:00Z")));
    assert!(Policy::default().permits(KeyUsage::Derive, now), "no constraint");
}

#[test]
fn s5_a_policy_not_understood_forbids_the_key_even_after_rewriting() {
    let cases = [
        "<x:Region xmlns:x='urn:x'>EU</x:Region>",
        "<KeyUsage>OTP</KeyUsage><x:Region xmlns:x='urn:x'>EU</x:Region><x:Region xmlns:x='urn:x'/>",
        "<PINPolicy xmlns:x='urn:x' x:Retry='no' xml:lang='en'/>",
    ];
    for policy in cases {
        let key = key(&format!("<Policy>{policy}</Policy>")).expect(policy);
        assert!(!key.is_usable(), "{policy}");
        assert!(key.policy.as_ref().unwrap().is_valid());
        assert!(!key.policy.as_ref().unwrap().permits(KeyUsage::Otp, Timestamp::UNIX_EPOCH));
        let container = one(KeyPackage { key: Some(key), ..KeyPackage::default() });
        let again = KeyContainer::from_xml(&container.to_xml()).unwrap();
        assert_eq!(again, container, "{policy}");
    }
}

#[test]
fn s6_encrypted_values_are_kept_unchanged() {
    let document = "<KeyContainer Version='1.0' xmlns='urn:ietf:params:xml:ns:keyprov:pskc'
        xmlns:ds='http://www.w3.org/2000/09/xmldsig#' xmlns:xenc='http://www.w3.org/2001/04/xmlenc#'>
      <EncryptionKey><ds:KeyName>Pre-shared-key</ds:KeyName></EncryptionKey>
      <MACMethod Algorithm='http://www.w3.org/2000/09/xmldsig#hmac-sha1'><MACKey>
        <xenc:EncryptionMethod Algorithm='http://www.w3.org/2001/04/xmlenc#aes128-cbc'/>
        <xenc:CipherData><xenc:CipherValue>ESIzRFVmd4g=</xenc:CipherValue></xenc:CipherData>
      </MACKey></MACMethod>
      <KeyPackage><Key Id='1'><Data><Secret><EncryptedValue>
        <xenc:EncryptionMethod Algorithm='http://www.w3.org/2001/04/xmlenc#aes128-cbc'/>
        <xenc:CipherData><xenc:CipherValue> AAEC\n Aw== </xenc:CipherValue></xenc:CipherData>
      </EncryptedValue><ValueMAC>Su+NvtQfmvfJzF6bmQiJqoLRExc=</ValueMAC></Secret></Data></Key></KeyPackage>
      <ds:Signature><ds:SignedInfo/></ds:Signature></KeyContainer>";
    let mut container = read(document).unwrap();
    assert_eq!(container.encryption_key, Some(KeyInfo::from_key_name("Pre-shared-key")));
    let mac_key = container.mac_method.as_ref().unwrap().mac_key.as_ref().unwrap();
    assert_eq!(mac_key.cipher_value, [0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88]);
    let data = container.key_packages[0].key.as_ref().unwrap().data.as_ref().unwrap();
    let Some(Value::Encrypted(secret)) = &data.secret else { panic!("not encrypted") };
    assert_eq!(secret.data.cipher_value, [0, 1, 2, 3]);
    assert_eq!(secret.data.algorithm, "http://www.w3.org/2001/04/xmlenc#aes128-cbc");
    assert_eq!(secret.mac.as_ref().unwrap().len(), 20);
    assert_eq!(data.secret.as_ref().unwrap().plain(), None);
    assert!(std::mem::take(&mut container.signed), "the signature is told of");
    assert_eq!(KeyContainer::from_xml(&container.to_xml()).unwrap(), container);
}

#[test]
fn key_info_identifies_a_key_by_name_numbers_or_certificate() {
    let info = |content: &str| {
        let document = format!("<x xmlns='http://www.w3.org/2000/09/xmldsig#'>{content}</x>");
        let mut reader = Reader::from_slice(document.as_bytes(), XmlLimits::MESSAGE)?;
        let root = reader.root()?;
        KeyInfo::read_open(&mut reader, &root)
    };
    let rsa = "<KeyValue><RSAKeyValue><Modulus>AAECAw==</Modulus><Exponent>AQ\nAB</Exponent></RSAKeyValue></KeyValue>";
    let certificates = "<X509Data><X509Certificate>AQI=</X509Certificate><X509Certificate>Aw==\
        </X509Certificate></X509Data>";
    assert_eq!(info("<KeyName> k\n</KeyName>").unwrap(), KeyInfo::from_key_name("k"));
    assert_eq!(info(rsa).unwrap(), KeyInfo::from_rsa(&[1, 2, 3], &[1, 0, 1]), "P1: no zero in front");
    let expected = KeyInfo::from_certificates(vec![vec![1, 2], vec![3]]);
    assert_eq!(info(certificates).unwrap(), expected);
    for other in [
        "<KeyValue><DSAKeyValue/></KeyValue>",
        "<X509Data><X509SubjectName>CN=x</X509SubjectName></X509Data>",
        "<RetrievalMethod URI='http://attacker.example/'/>",
        "<d:DerivedKey xmlns:d='http://www.w3.org/2009/xmlenc11#'><d:MasterKeyName>m</d:MasterKeyName></d:DerivedKey>",
    ] {
        let info = info(other).unwrap();
        assert_eq!(info.other.len(), 1, "{other}");
        assert_eq!((&info.key_name, &info.rsa_key_value), (&None, &None));
    }
    let bad = [
        "",
        "<KeyValue><RSAKeyValue/></KeyValue>",
        "<KeyValue><RSAKeyValue><Modulus>AA==</Modulus><Exponent>AQAB</Exponent></RSAKeyValue></KeyValue>",
        "<KeyValue><RSAKeyValue><Modulus>AQ==</Modulus><Exponent></Exponent></RSAKeyValue></KeyValue>",
        "<KeyValue><RSAKeyValue><Exponent>AQ==</Exponent><Modulus>AQ==</Modulus></RSAKeyValue></KeyValue>",
        "<X509Data><X509Certificate>!</X509Certificate></X509Data>",
    ];
    for content in bad {
        assert!(info(content).is_err(), "{content}");
    }
}

#[test]
fn extensions_are_kept_and_written_back() {
    let foreign = "<Extensions definition='urn:d'><x:e xmlns:x='urn:x' x:a='1' b='2'>t<x:f/>u</x:e></Extensions>";
    let document = format!(
        "{HEAD}<KeyPackage><DeviceInfo>{foreign}</DeviceInfo><CryptoModuleInfo><Id>1</Id>{foreign}\
         </CryptoModuleInfo><Key Id='1'><AlgorithmParameters>{foreign}</AlgorithmParameters><Data>\
         <y:v xmlns:y='urn:y'/></Data>{foreign}{foreign}</Key>{foreign}</KeyPackage>{foreign}</KeyContainer>"
    );
    let container = read(&document).unwrap();
    let package = &container.key_packages[0];
    let key = package.key.as_ref().unwrap();
    assert_eq!(key.extensions.len(), 2);
    assert_eq!(key.extensions[0], container.extensions[0]);
    assert_eq!(key.data.as_ref().unwrap().other[0].local, "v");
    assert_eq!(key.extensions[0].elements[0].text(), "tu");
    assert!(key.is_usable(), "an extension outside the policy does not matter");
    assert_eq!(KeyContainer::from_xml(&container.to_xml()).unwrap(), container);
}

#[test]
fn documents_that_violate_the_schema_are_refused() {
    let package = "<KeyPackage><Key Id='1'/></KeyPackage>";
    let ns = "xmlns='urn:ietf:params:xml:ns:keyprov:pskc'";
    let mut cases = vec![
        format!("<KeyContainer Version='1.0'>{package}</KeyContainer>"),
        format!("<KeyContainer Version='1.0' xmlns='urn:x'>{package}</KeyContainer>"),
        format!("<KeyPackage {ns}/>"),
        format!("<KeyContainer {ns}>{package}</KeyContainer>"),
        format!("<KeyContainer {ns} Version='1.0'/>"),
        format!("<KeyContainer {ns} Version='1.0' id='x'>{package}</KeyContainer>"),
        format!("<KeyContainer {ns} Version='1.0' Id='1x'>{package}</KeyContainer>"),
        format!("{HEAD}{package}</KeyContainer>{package}"),
        format!("{HEAD}{package}<EncryptionKey/></KeyContainer>"),
        format!("{HEAD}<Signature/>{package}</KeyContainer>"),
        format!("{HEAD}{package}<Other/></KeyContainer>"),
        format!("{HEAD}{package}text</KeyContainer>"),
        format!("{HEAD}{package}<x:o xmlns:x='urn:x'/></KeyContainer>"),
        format!("{HEAD}{package}<Extensions/></KeyContainer>"),
        format!("{HEAD}<MACMethod><MACKeyReference>x</MACKeyReference></MACMethod>{package}</KeyContainer>"),
        format!("{HEAD}<KeyPackage><Key/></KeyPackage></KeyContainer>"),
        format!("{HEAD}<KeyPackage><Key Id='1'/><Key Id='2'/></KeyPackage></KeyContainer>"),
        format!("{HEAD}<KeyPackage><Key Id='1'/><DeviceInfo/></KeyPackage></KeyContainer>"),
        format!("{HEAD}<KeyPackage><CryptoModuleInfo/></KeyPackage></KeyContainer>"),
        format!("{HEAD}<KeyPackage><DeviceInfo><StartDate>today</StartDate></DeviceInfo></KeyPackage></KeyContainer>"),
    ];
    for version in ["", "1", "1.", ".0", "1.0000", "100.0", "1.x", "-1.0", "1.0.0"] {
        cases.push(format!("<KeyContainer {ns} Version='{version}'>{package}</KeyContainer>"));
    }
    for document in cases {
        let error = read(&document).expect_err(&document);
        assert!(matches!(error, Error::Xml(_)), "{document}: {error}");
    }
    let later = format!("<KeyContainer {ns} Version='2.0'>{package}</KeyContainer>");
    assert!(matches!(read(&later), Err(Error::Version(fault)) if fault.what == "2.0"));
    assert!(read(&later.replace("2.0", "1.1")).is_ok(), "a minor version changes nothing");
}

#[test]
fn keys_that_violate_the_schema_are_refused() {
    let cases = [
        "<Issuer>a</Issuer><Issuer>b</Issuer>",
        "<FriendlyName/><Issuer/>",
        "<Issuer><b/></Issuer>",
        "<Issuer x='1'/>",
        "<Data><Secret/></Data>",
        "<Data><Secret>MTIz</Secret></Data>",
        "<Data><Secret><PlainValue>M</PlainValue></Secret></Data>",
        "<Data><Secret><PlainValue>MTIz</PlainValue><PlainValue>MTIz</PlainValue></Secret></Data>",
        "<Data><Secret><PlainValue>MTIz</PlainValue><ValueMAC>MTIz</ValueMAC></Secret></Data>",
        "<Data><Secret><EncryptedValue/></Secret></Data>",
        "<Data><Counter><PlainValue></PlainValue></Counter></Data>",
        "<Data><Counter><PlainValue>1.0</PlainValue></Counter></Data>",
        "<Data><Counter><PlainValue>9223372036854775808</PlainValue></Counter></Data>",
        "<Data><Time><PlainValue>2147483648</PlainValue></Time></Data>",
        "<Data><TimeInterval><PlainValue>0x1E</PlainValue></TimeInterval></Data>",
        "<Data><Time><PlainValue>1</PlainValue></Time><Counter><PlainValue>1</PlainValue></Counter></Data>",
        "<Data><Key/></Data>",
        "<AlgorithmParameters><ResponseFormat Length='6'/></AlgorithmParameters>",
        "<AlgorithmParameters><ResponseFormat Length='6' Encoding='decimal'/></AlgorithmParameters>",
        "<AlgorithmParameters><ResponseFormat Length='-6' Encoding='DECIMAL'/></AlgorithmParameters>",
        "<AlgorithmParameters><ResponseFormat Length='6' Encoding='DECIMAL'>x</ResponseFormat></AlgorithmParameters>",
        "<AlgorithmParameters><ChallengeFormat Encoding='DECIMAL' Min='1'/></AlgorithmParameters>",
        "<AlgorithmParameters><ChallengeFormat Encoding='DECIMAL' Min='1' Max='2' CheckDigits='yes'/></AlgorithmParameters>",
        "<Policy><StartDate>2026-01-01</StartDate></Policy>",
        "<Policy><NumberOfTransactions>-1</NumberOfTransactions></Policy>",
        "<Policy Strict='1'/>",
    ];
    for content in cases {
        let error = key(content).expect_err(content);
        assert!(matches!(error, Error::Xml(_)), "{content}: {error}");
    }
    let elsewhere = "<Data><Secret><EncryptedValue xmlns:x='http://www.w3.org/2001/04/xmlenc#'>\
        <x:EncryptionMethod Algorithm='urn:x'/><x:CipherData><x:CipherReference URI='file:///etc/shadow'/>\
        </x:CipherData></EncryptedValue></Secret></Data>";
    assert!(matches!(key(elsewhere), Err(Error::Unsupported { .. })));
}

#[test]
fn errors_have_a_place_and_no_secret() {
    let document = format!(
        "{HEAD}\n<KeyPackage><Key Id='1'>\n<Data><Secret><PlainValue>c2VjcmV0!</PlainValue></Secret></Data>\
         </Key></KeyPackage></KeyContainer>"
    );
    let error = read(&document).unwrap_err().to_string();
    let place = "(/KeyContainer/KeyPackage/Key/Data/Secret/PlainValue, line 3, octet ";
    assert!(error.starts_with("not base64 ") && error.contains(place), "{error}");
    assert!(!error.contains("c2Vj"));
    let key = key("<Data><Secret><PlainValue>c2VjcmV0</PlainValue></Secret></Data>").unwrap();
    let shown = format!("{key:?}");
    assert!(shown.contains("Secret(6 octets)") && !shown.contains("115"), "{shown}");
}
