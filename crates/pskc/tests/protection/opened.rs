//! Decrypts files of other programs and the values of the RFC's figures, including values besides the secret.

use std::sync::Arc;

use dskpp_crypto::{Hash, HmacKey, RsaPrivateKey, Secret, aes_cbc_encrypt};
use pskc::{
    DecryptionKey, Deviation, EncryptedData, EncryptedValue, KeyContainer, KeyData, MacMethod, Opener, OpenerOptions,
    ProtectionError, Value, mac_uri,
};

use super::{hex, key};

const SECRET: &[u8] = b"12345678901234567890abcd";
const PASSWORD: &[u8] = b"correct horse";

fn file(name: &str) -> String {
    let path = format!("{}/tests/data/protection/{name}.xml", env!("CARGO_MANIFEST_DIR"));
    std::fs::read_to_string(path).unwrap()
}

/// The first key of a document, decrypted. python-pskc writes a `MACMethod` without algorithm for key wraps: those need
/// the lenient reader, the others do not.
fn opened(name: &str, document: &str, unlock: &DecryptionKey) -> Result<KeyData, ProtectionError> {
    let container = match KeyContainer::from_xml(document.as_bytes()) {
        Ok(container) => container,
        Err(error) => {
            assert!(name.starts_with("kw-"), "{name}: {error}");
            KeyContainer::from_xml_lenient(document.as_bytes()).unwrap().0
        }
    };
    let (named, mac) = (container.encryption_key.as_ref(), container.mac_method.as_ref());
    let mut opener = Opener::new(named, mac, unlock, OpenerOptions::default())?;
    let mut data = container.key_packages[0].key.clone().unwrap().data.unwrap();
    opener.open(&mut data)?;
    Ok(data)
}

fn secret(data: &KeyData) -> &[u8] {
    data.secret.as_ref().and_then(Value::plain).unwrap().expose()
}

fn private_key() -> DecryptionKey {
    let pem = include_str!("../data/signature/rsa.key");
    DecryptionKey::PrivateKey(Arc::new(RsaPrivateKey::from_pkcs8_pem(pem).unwrap()))
}

#[test]
fn s6_files_of_python_pskc_decrypt_for_each_algorithm() {
    for (name, len) in [
        ("aes128-cbc", 16),
        ("aes192-cbc", 24),
        ("aes256-cbc", 32),
        ("kw-aes128", 16),
        ("kw-aes192", 24),
        ("kw-aes256", 32),
        ("tripledes-16-cbc", 16),
        ("tripledes-24-cbc", 24),
        ("kw-tripledes-16", 16),
        ("kw-tripledes-24", 24),
        ("camellia128-cbc", 16),
        ("camellia192-cbc", 24),
        ("camellia256-cbc", 32),
        ("kw-camellia128", 16),
        ("kw-camellia192", 24),
        ("kw-camellia256", 32),
        ("hmac-sha1", 16),
        ("hmac-sha224", 16),
        ("hmac-sha256", 16),
        ("hmac-sha384", 16),
        ("hmac-sha512", 16),
        ("all-fields", 16),
    ] {
        let document = file(name);
        let data =
            opened(name, &document, &DecryptionKey::Key(key(len))).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(secret(&data), SECRET, "{name}");
        assert_eq!(data.counter, Some(300.into()), "{name}");
        let other = opened(name, &document, &DecryptionKey::Key(Secret::new(vec![0xA5; len])));
        assert!(matches!(other, Err(ProtectionError::WrongKeyOrDamaged(_))), "{name}: {other:?}");
        let short = opened(name, &document, &DecryptionKey::Key(key(len - 1)));
        assert_eq!(short, Err(ProtectionError::KeyLength(len - 1)), "{name}");
    }
}

#[test]
fn s6_2_files_of_python_pskc_decrypt_with_a_password() {
    let unlock = DecryptionKey::Password(Secret::from_slice(PASSWORD));
    for name in ["default", "hmac-sha1", "hmac-sha256", "hmac-sha384", "hmac-sha512", "aes256-cbc"] {
        let document = file(&format!("pbkdf2-{name}"));
        let data = opened(name, &document, &unlock).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(secret(&data), SECRET, "{name}");
        let other = opened(name, &document, &DecryptionKey::Password(Secret::from_slice(b"correct horsf")));
        assert!(matches!(other, Err(ProtectionError::WrongKeyOrDamaged(_))), "{name}: {other:?}");
    }
    // The schema allows omitting the length: then it is that of the algorithm using the key.
    for (name, len) in [("pbkdf2-default", 16), ("pbkdf2-aes256-cbc", 32)] {
        let (document, said) = (file(name), format!("<KeyLength>{len}</KeyLength>"));
        assert!(document.contains(&said));
        let data = opened(name, &document.replace(&said, ""), &unlock).unwrap_or_else(|e| panic!("{name}: {e}"));
        assert_eq!(secret(&data), SECRET, "{name}");
        let unfit = opened(name, &document.replace(&said, "<KeyLength>24</KeyLength>"), &unlock);
        assert_eq!(unfit, Err(ProtectionError::KeyLength(24)), "{name}");
    }
    // An unknown pseudorandom function must not be replaced by another one.
    let known = "http://www.w3.org/2001/04/xmldsig-more#hmac-sha256";
    for prf in ["urn:md5", "http://www.w3.org/2001/04/xmldsig-more#", "http://www.w3.org/2001/04/xmldsig-more#hmac-md5"]
    {
        let document = file("pbkdf2-hmac-sha256").replace(known, prf);
        assert!(matches!(opened(prf, &document, &unlock), Err(ProtectionError::Derivation(_))), "{prf}");
    }
}

#[test]
fn s6_1_padded_key_wrap_of_another_library_decrypts() {
    for bits in [128, 192, 256] {
        let (name, document) = (format!("kw-aes-{bits}-pad"), file(&format!("kw-aes-{bits}-pad")));
        let data = opened(&name, &document, &DecryptionKey::Key(key(bits / 8))).unwrap();
        assert_eq!(secret(&data), &SECRET[..21], "{name}");
        let plain_name = document.replace("2009/xmlenc11#kw-aes-", "2001/04/xmlenc#kw-aes").replace("-pad\"", "\"");
        let data = opened(&name, &plain_name, &DecryptionKey::Key(key(bits / 8))).unwrap();
        assert_eq!(secret(&data), &SECRET[..21], "{name}: RFC 6063 §5.1.2 pads under the plain name");
    }
}

#[test]
fn s6_3_values_encrypted_by_openssl_for_a_certificate_decrypt() {
    for name in ["rsa-1_5", "rsa_1_5", "rsa-oaep-mgf1p", "rsa-oaep", "rsa-oaep-sha256"] {
        let data = opened(name, &file(name), &private_key()).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(secret(&data), SECRET, "{name}");
        let other = DecryptionKey::PrivateKey(super::rsa());
        assert_eq!(opened(name, &file(name), &other), Err(ProtectionError::OtherRecipient), "{name}");
        assert_eq!(
            opened(name, &file(name), &DecryptionKey::Key(key(16))),
            Err(ProtectionError::NeedsPrivateKey),
            "{name}"
        );
    }
    let mixed = opened("", &file("rsa-oaep-mixed"), &private_key());
    assert!(matches!(mixed, Err(ProtectionError::Algorithm(_))), "a digest and a mask of two hashes: {mixed:?}");
}

/// The values of figures 6 and 7, in our own documents.
#[test]
fn s6_the_values_of_figures_6_and_7_decrypt() {
    let document = |encryption_key: &str, mac_key: &str, cipher_value: &str, mac: &str| {
        let encrypted = |value: &str| {
            format!(
                "<e:EncryptionMethod Algorithm='http://www.w3.org/2001/04/xmlenc#aes128-cbc'/>\
                 <e:CipherData><e:CipherValue>{value}</e:CipherValue></e:CipherData>"
            )
        };
        format!(
            "<KeyContainer xmlns='urn:ietf:params:xml:ns:keyprov:pskc' xmlns:d='http://www.w3.org/2000/09/xmldsig#' \
             xmlns:e='http://www.w3.org/2001/04/xmlenc#' xmlns:f='http://www.w3.org/2009/xmlenc11#' \
             xmlns:p='http://www.rsasecurity.com/rsalabs/pkcs/schemas/pkcs-5v2-0#' Version='1.0'>\
             <EncryptionKey>{encryption_key}</EncryptionKey>\
             <MACMethod Algorithm='http://www.w3.org/2000/09/xmldsig#hmac-sha1'><MACKey>{}</MACKey></MACMethod>\
             <KeyPackage><Key Id='1'><Data><Secret><EncryptedValue>{}</EncryptedValue><ValueMAC>{mac}</ValueMAC>\
             </Secret></Data></Key></KeyPackage></KeyContainer>",
            encrypted(mac_key),
            encrypted(cipher_value)
        )
    };
    let figure_6 = document(
        "<d:KeyName>Pre-shared-key</d:KeyName>",
        "ESIzRFVmd4iZABEiM0RVZgKn6WjLaTC1sbeBMSvIhRejN9vJa2BOlSaMrR7I5wSX",
        "AAECAwQFBgcICQoLDA0OD+cIHItlB3Wra1DUpxVvOx2lef1VmNPCMl8jwZqIUqGv",
        "Su+NvtQfmvfJzF6bmQiJqoLRExc=",
    );
    let figure_7 = document(
        "<f:DerivedKey><f:KeyDerivationMethod \
         Algorithm='http://www.rsasecurity.com/rsalabs/pkcs/schemas/pkcs-5v2-0#pbkdf2'><p:PBKDF2-params>\
         <Salt xmlns=''><Specified>Ej7/PEpyEpw=</Specified></Salt><IterationCount xmlns=''>1000</IterationCount>\
         <KeyLength xmlns=''>16</KeyLength><PRF xmlns=''/></p:PBKDF2-params></f:KeyDerivationMethod>\
         <e:ReferenceList><e:DataReference URI='#ED'/></e:ReferenceList>\
         <f:MasterKeyName>My Password 1</f:MasterKeyName></f:DerivedKey>",
        "2GTTnLwM3I4e5IO5FkufoOEiOhNj91fhKRQBtBJYluUDsPOLTfUvoU2dStyOwYZx",
        "oTvo+S22nsmS2Z/RtcoF8Hfh+jzMe0RkiafpoDpnoZTjPYZu6V+A4aEn032yCr4f",
        "LP6xMvjtypbfT9PdkJhBZ+D6O4w=",
    );
    let by_key = DecryptionKey::Key(Secret::new(hex("12345678901234567890123456789012")));
    let by_password = DecryptionKey::Password(Secret::from_slice(b"qwerty"));
    let derived = DecryptionKey::Key(Secret::new(hex("651e63cd57008476af1ff6422cd02e41")));
    for (figure, unlock) in [(&figure_6, &by_key), (&figure_7, &by_password), (&figure_7, &derived)] {
        assert_eq!(secret(&opened("", figure, unlock).unwrap()), b"12345678901234567890");
    }
}

fn mac_key() -> Secret {
    Secret::new(vec![0x4D; 20])
}

fn mac_method() -> MacMethod {
    let mac_key_reference = Some("agreed".to_owned());
    MacMethod { algorithm: mac_uri(Hash::Sha1).into(), mac_key: None, mac_key_reference, other: Vec::new() }
}

/// AES-128-CBC under `key(16)`; `mac` computes the MAC from ciphertext and plaintext.
fn sealed<T>(plain: &[u8], mac: impl Fn(&[u8], &[u8]) -> Option<Vec<u8>>) -> Option<Value<T>> {
    let iv = [3; 16];
    let cipher_value = [&iv[..], &aes_cbc_encrypt(key(16).expose(), &iv, plain).unwrap()].concat();
    let mac = mac(&cipher_value, plain);
    let algorithm = "http://www.w3.org/2001/04/xmlenc#aes128-cbc".into();
    let data = EncryptedData { algorithm, parameters: Vec::new(), key_info: None, cipher_value };
    Some(Value::Encrypted(Box::new(EncryptedValue { data, mac })))
}

fn hmac(key: &Secret, octets: &[u8]) -> Option<Vec<u8>> {
    Some(HmacKey::new(Hash::Sha1, key.expose()).sign(&[octets]).as_ref().to_vec())
}

fn good<T>(plain: &[u8]) -> Option<Value<T>> {
    sealed(plain, |ciphertext, _| hmac(&mac_key(), ciphertext))
}

fn agreed() -> OpenerOptions {
    with_mac_key(mac_key())
}

fn with_mac_key(key: Secret) -> OpenerOptions {
    let mut options = OpenerOptions::default();
    options.mac_key = Some(key);
    options
}

fn lenient(mut options: OpenerOptions) -> OpenerOptions {
    options.lenient = true;
    options
}

fn opener(mac: Option<&MacMethod>, options: OpenerOptions) -> Result<Opener, ProtectionError> {
    Opener::new(None, mac, &DecryptionKey::Key(key(16)), options)
}

#[test]
fn s6_1_1_a_shared_mac_key_is_required() {
    let method = mac_method();
    let asked = opener(Some(&method), OpenerOptions::default()).err();
    assert_eq!(asked, Some(ProtectionError::MacKeyNeeded("agreed".into())));
    let sealed = KeyData { secret: good(SECRET), ..KeyData::default() };
    let mut data = sealed.clone();
    opener(Some(&method), agreed()).unwrap().open(&mut data).unwrap();
    assert_eq!(secret(&data), SECRET);
    let mut data = sealed.clone();
    let other = with_mac_key(Secret::new(vec![0x4E; 20]));
    let refused = opener(Some(&method), other).unwrap().open(&mut data);
    assert_eq!(refused, Err(ProtectionError::WrongKeyOrDamaged("a secret")));
    assert_eq!(data, sealed);
    let unknown = MacMethod { algorithm: "http://www.w3.org/2001/04/xmldsig-more#hmac-md5".into(), ..mac_method() };
    assert!(matches!(opener(Some(&unknown), agreed()), Err(ProtectionError::MacAlgorithm(_))));
}

#[test]
fn s6_1_1_deviations_need_lenient_reading_and_are_reported() {
    let over_ciphertext = KeyData { secret: good(SECRET), ..KeyData::default() };
    let over_plaintext = KeyData { secret: sealed(SECRET, |_, plain| hmac(&mac_key(), plain)), ..KeyData::default() };
    let by_encryption_key =
        KeyData { secret: sealed(SECRET, |ciphertext, _| hmac(&key(16), ciphertext)), ..KeyData::default() };
    let without = KeyData { secret: sealed(SECRET, |_, _| None), ..KeyData::default() };
    let wrong = KeyData { secret: sealed(SECRET, |_, _| Some(vec![0; 20])), ..KeyData::default() };
    let method = mac_method();
    let none = || OpenerOptions::default();
    for (data, method, options, deviation) in [
        (&over_ciphertext, Some(&method), agreed(), None),
        (&over_plaintext, Some(&method), agreed(), Some(Deviation::MacOverPlaintext)),
        (&by_encryption_key, Some(&method), none(), Some(Deviation::EncryptionKeyAsMacKey)),
        (&without, None, none(), Some(Deviation::NoMac)),
    ] {
        let strict = opener(method, options.clone()).and_then(|mut opener| opener.open(&mut data.clone()));
        assert_eq!(strict.is_ok(), deviation.is_none(), "{deviation:?}");
        let mut opener = opener(method, lenient(options)).unwrap();
        let mut data = data.clone();
        opener.open(&mut data).unwrap();
        assert_eq!(secret(&data), SECRET, "{deviation:?}");
        assert_eq!(opener.deviations().iter().copied().collect::<Vec<_>>(), Vec::from_iter(deviation));
    }
    let mut opener = opener(Some(&method), lenient(agreed())).unwrap();
    let refused = opener.open(&mut without.clone());
    assert_eq!(refused, Err(ProtectionError::MacTakenAway("a secret")), "a MACMethod says that there were MACs");
    let refused = opener.open(&mut wrong.clone());
    assert_eq!(refused, Err(ProtectionError::WrongKeyOrDamaged("a secret")), "lenient is not blind");
}

#[test]
fn s6_encrypted_numbers_are_digits_or_octets_within_range() {
    for (plain, expected) in [
        (&b"0"[..], Some(0)),
        (b"42", Some(42)),
        (b"-1", Some(-1)),
        (b"9223372036854775807", Some(i64::MAX)),
        (&[0x01, 0x2C], Some(300)),
        (&[0x7F, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF], Some(i64::MAX)),
        (&[0x80, 0, 0, 0, 0, 0, 0, 0], None),
        (&[0; 9], None),
        (b"9223372036854775808", None),
        (b"", None),
    ] {
        let before = KeyData { secret: good(SECRET), counter: good(plain), ..KeyData::default() };
        let mut data = before.clone();
        let result = opener(Some(&mac_method()), agreed()).unwrap().open(&mut data);
        match expected {
            Some(number) => {
                assert_eq!((result, data.counter.clone()), (Ok(()), Some(Value::Plain(number))), "{plain:?}");
            }
            None => {
                assert_eq!(result, Err(ProtectionError::Content("a counter")), "{plain:?}");
                assert_eq!(data, before, "all or nothing");
            }
        }
    }
    let mut data = KeyData {
        time: good(b"1"),
        time_interval: good(b"30"),
        time_drift: good(&[0xFF]),
        counter: Some(7.into()),
        ..KeyData::default()
    };
    opener(Some(&mac_method()), agreed()).unwrap().open(&mut data).unwrap();
    let found = (data.time.clone(), data.time_interval.clone(), data.time_drift.clone(), data.counter.clone());
    assert_eq!(found, (Some(1.into()), Some(30.into()), Some(255.into()), Some(7.into())));
    data.time_drift = good(b"2147483648");
    let result = opener(Some(&mac_method()), agreed()).unwrap().open(&mut data);
    assert_eq!(result, Err(ProtectionError::Content("a time drift")), "32 bits");
}

/// MAC keys are not authenticated (§6.1.1): a change is detected by the values, or has no effect.
#[test]
fn s6_1_1_a_changed_mac_key_never_changes_a_secret() {
    let container = KeyContainer::from_xml(file("aes128-cbc").as_bytes()).unwrap();
    let data = container.key_packages[0].key.as_ref().unwrap().data.as_ref().unwrap();
    let method = container.mac_method.unwrap();
    let len = method.mac_key.as_ref().unwrap().cipher_value.len();
    let mut refused = 0;
    for i in 0..len {
        let (mut method, mut data) = (method.clone(), data.clone());
        method.mac_key.as_mut().unwrap().cipher_value[i] ^= 1;
        match opener(Some(&method), OpenerOptions::default()).and_then(|mut opener| opener.open(&mut data)) {
            Ok(()) => assert_eq!(secret(&data), SECRET, "octet {i}: one of the padding"),
            Err(ProtectionError::WrongKeyOrDamaged(_)) => refused += 1,
            Err(other) => panic!("octet {i}: {other}"),
        }
    }
    assert!(refused >= len - 16, "{refused} of {len}");
}
