//! Key packages in formats other than PSKC (RFC 6031, RFC 7292, PKCS #5 XML), for RFC 6063 §5.

#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

use std::num::NonZeroU32;
use std::path::PathBuf;
use std::process::Command;
use std::sync::{Arc, OnceLock};

use dskpp::algorithm::PackageFormat;
use dskpp::key_package::{self, PackageCodec, PackageError, PackageProtection, Pkcs5Xml, Pkcs12, ProtectionKind, Skpc};
use dskpp_crypto::{RsaEncryption, RsaPrivateKey, Secret, SeededRandom, SigningKey};
use pskc::{DecryptionKey, KeyContainer, KeyPackage};

fn rng() -> SeededRandom {
    SeededRandom::new(b"key packages")
}

/// A package with every attribute of RFC 6031.
fn package() -> KeyPackage {
    let document = "<KeyContainer xmlns='urn:ietf:params:xml:ns:keyprov:pskc' Version='1.0'><KeyPackage>\
        <DeviceInfo><Manufacturer>Firma Ä</Manufacturer><SerialNo>1</SerialNo><Model>M</Model><IssueNo>2</IssueNo>\
        <DeviceBinding>IMEI</DeviceBinding><StartDate>2026-01-01T00:00:00Z</StartDate>\
        <ExpiryDate>2036-01-01T00:00:00Z</ExpiryDate><UserId>CN=a</UserId></DeviceInfo>\
        <CryptoModuleInfo><Id>CM</Id></CryptoModuleInfo>\
        <Key Id='key-1' Algorithm='urn:ietf:params:xml:ns:keyprov:pskc:totp'><Issuer>I</Issuer>\
        <AlgorithmParameters><Suite>HMAC-SHA256</Suite><ChallengeFormat Encoding='DECIMAL' Min='4' Max='8' \
        CheckDigits='true'/><ResponseFormat Encoding='DECIMAL' Length='8'/></AlgorithmParameters>\
        <KeyProfileId>P</KeyProfileId><KeyReference>R</KeyReference><FriendlyName>Mein Schlüssel</FriendlyName>\
        <Data><Secret><PlainValue>MTIzNDU2Nzg5MDEyMzQ1Njc4OTAx</PlainValue></Secret>\
        <Counter><PlainValue>9007199254740993</PlainValue></Counter><Time><PlainValue>7</PlainValue></Time>\
        <TimeInterval><PlainValue>30</PlainValue></TimeInterval><TimeDrift><PlainValue>4</PlainValue></TimeDrift></Data>\
        <UserId>CN=b</UserId><Policy><StartDate>2026-02-01T00:00:00Z</StartDate>\
        <ExpiryDate>2027-02-01T00:00:00Z</ExpiryDate><PINPolicy PINKeyId='p' PINUsageMode='Local' \
        MaxFailedAttempts='8' MinLength='4' MaxLength='6' PINEncoding='DECIMAL'/><KeyUsage>OTP</KeyUsage>\
        <KeyUsage>Verify</KeyUsage><NumberOfTransactions>1000</NumberOfTransactions></Policy></Key></KeyPackage>\
        </KeyContainer>";
    KeyContainer::from_xml(document.as_bytes()).unwrap().key_packages.swap_remove(0)
}

fn rsa() -> Arc<RsaPrivateKey> {
    static KEY: OnceLock<Arc<RsaPrivateKey>> = OnceLock::new();
    Arc::clone(KEY.get_or_init(|| Arc::new(RsaPrivateKey::generate(2048).unwrap())))
}

/// Every codec, and whether it detects every change.
const CODECS: [(&dyn PackageCodec, bool); 4] = [
    (&Skpc { authenticated: true }, true),
    (&Skpc { authenticated: false }, false),
    (&Pkcs12, true),
    (&Pkcs5Xml, true),
];

/// A sealed package.
struct Sealed {
    codec: &'static dyn PackageCodec,
    authenticated: bool,
    protection: PackageProtection,
    unlock: Option<DecryptionKey>,
    octets: Vec<u8>,
}

impl Sealed {
    fn open(&self, octets: &[u8], unlock: Option<&DecryptionKey>) -> Result<KeyPackage, PackageError> {
        self.codec.open(octets, unlock).map(|opened| opened.package)
    }

    fn name(&self) -> String {
        format!("{} {:?}", self.codec.format(), self.protection.kind())
    }
}

/// Every protection, with the key that opens it.
fn protections() -> Vec<(PackageProtection, Option<DecryptionKey>)> {
    let password = Secret::from_slice("pässword".as_bytes());
    let iterations = NonZeroU32::new(1000).unwrap();
    let mut all = vec![
        (PackageProtection::None, None),
        (
            PackageProtection::Password { password: password.clone(), iterations },
            Some(DecryptionKey::Password(password)),
        ),
    ];
    for len in [16, 24, 32] {
        let key = Secret::new((0..len).collect());
        all.push((
            PackageProtection::Shared { name: "device 1".into(), key: key.clone() },
            Some(DecryptionKey::Key(key)),
        ));
    }
    for encryption in [RsaEncryption::Pkcs1v15, RsaEncryption::OaepSha1] {
        let protection = PackageProtection::Public { key: rsa().public().clone(), encryption };
        all.push((protection, Some(DecryptionKey::PrivateKey(rsa()))));
    }
    all
}

/// All supported combinations, sealed.
fn sealed() -> Vec<Sealed> {
    let mut all = Vec::new();
    for (codec, authenticated) in CODECS {
        for (protection, unlock) in protections() {
            match (codec.supports(protection.kind()), codec.seal(&package(), &protection, &mut rng())) {
                (true, octets) => {
                    all.push(Sealed { codec, authenticated, protection, unlock, octets: octets.unwrap() });
                }
                (false, refused) => assert_eq!(refused, Err(PackageError::Protection), "{:?}", protection.kind()),
            }
        }
    }
    all
}

#[test]
fn s5_every_format_carries_everything_with_each_supported_protection() {
    let sealed = sealed();
    let kinds = |wanted: PackageFormat| sealed.iter().filter(|one| one.codec.format() == wanted).count();
    assert_eq!([PackageFormat::Skpc, PackageFormat::Pkcs12, PackageFormat::Pkcs5Xml].map(kinds), [14, 1, 1]);
    for one in &sealed {
        assert_eq!(one.open(&one.octets, one.unlock.as_ref()), Ok(package()), "{}", one.name());
        let iterations = one.codec.open(&one.octets, one.unlock.as_ref()).unwrap().iterations;
        let of_password = matches!(one.protection, PackageProtection::Password { .. }).then_some(1000);
        assert_eq!(iterations.map(NonZeroU32::get), of_password, "{}", one.name());
        let hidden = one.protection.kind() != ProtectionKind::None;
        let secret = b"123456789012345678901";
        assert_eq!(!one.octets.windows(secret.len()).any(|part| part == secret), hidden);
        let negotiated = key_package::codec(&one.codec.format()).unwrap().open(&one.octets, one.unlock.as_ref());
        assert_eq!(negotiated.is_ok(), one.authenticated || !hidden, "{}: what has no MAC is refused", one.name());
    }
}

#[test]
fn s5_wrong_keys_and_kinds_of_keys_are_refused() {
    let other = [
        None,
        Some(DecryptionKey::Password(Secret::from_slice(b"wrong"))),
        Some(DecryptionKey::Key(Secret::new(vec![9; 16]))),
        Some(DecryptionKey::Key(Secret::new(vec![9; 5]))),
        Some(DecryptionKey::PrivateKey(Arc::new(RsaPrivateKey::generate(2048).unwrap()))),
    ];
    for one in sealed() {
        for other in other.iter().filter(|other| other.is_some() || one.unlock.is_some()) {
            let opened = one.open(&one.octets, other.as_ref());
            let refused = matches!(opened, Err(PackageError::Protection | PackageError::WrongKeyOrDamaged));
            assert!(refused, "{} {other:?}: {opened:?}", one.name());
        }
    }
}

/// CBC without a MAC misses some changes, as documented: then the result is still a valid package.
#[test]
fn p26_changed_and_truncated_packages_do_not_panic_and_macs_detect_all_changes() {
    for one in sealed() {
        let slow = one.protection.kind() == ProtectionKind::Public;
        let noticed = one.authenticated && one.protection.kind() != ProtectionKind::None;
        for i in (0..one.octets.len()).step_by(if slow { 7 } else { 1 }) {
            for mask in [0x41, 1] {
                let mut changed = one.octets.clone();
                changed[i] ^= mask;
                let opened = one.open(&changed, one.unlock.as_ref());
                if noticed {
                    assert_eq!(opened.ok().filter(|opened| *opened != package()), None, "{}: octet {i}", one.name());
                }
            }
            assert!(one.open(&one.octets[..i], one.unlock.as_ref()).is_err(), "{} cut at {i}", one.name());
        }
        let longer = [&one.octets[..], b"\0"].concat();
        assert!(one.open(&longer, one.unlock.as_ref()).is_err(), "{}: an octet behind it", one.name());
    }
}

#[test]
fn rfc5652_s5_a_signature_covers_the_whole_package() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../crypto/tests/data/signatures.json");
    let vectors: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let keys = ["rsa", "p256", "p384"]
        .map(|name| SigningKey::from_pem(vectors["keys"][name]["private_pem"].as_str().unwrap()).unwrap());
    for (i, key) in keys.iter().enumerate() {
        for one in sealed().into_iter().filter(|one| one.codec.format() == PackageFormat::Skpc) {
            let octets = &one.octets;
            let signed = key_package::sign(octets, key).unwrap();
            let verified = key_package::verify(&signed, &key.public()).unwrap();
            assert_eq!(verified, *octets);
            assert_eq!(one.open(&verified, one.unlock.as_ref()), Ok(package()));
            assert!(key_package::verify(&signed, &keys[(i + 1) % 3].public()).is_err(), "another key");
            assert!(key_package::verify(octets, &key.public()).is_err(), "no signature");
            for at in (0..signed.len()).step_by(11) {
                let mut changed = signed.clone();
                changed[at] ^= 1;
                let verified = key_package::verify(&changed, &key.public());
                assert!(verified.is_err() || verified.as_ref() == Ok(octets), "octet {at}: {verified:?}");
            }
        }
    }
    assert!(key_package::sign(b"no package", &keys[0]).is_err());
}

#[test]
fn keys_that_a_format_cannot_carry_are_refused() {
    let mut without = package();
    without.key.as_mut().unwrap().data = None;
    let mut unknown = package();
    let policy = unknown.key.as_mut().unwrap().policy.as_mut().unwrap();
    policy.other.push(pskc::xml::Foreign {
        ns: "urn:x".into(),
        local: "x".into(),
        attributes: vec![],
        prefixes: Vec::new(),
        content: vec![],
    });
    for package in [without, unknown] {
        let refused = Skpc { authenticated: true }.seal(&package, &PackageProtection::None, &mut rng());
        assert!(matches!(refused, Err(PackageError::Unfit(_))), "{refused:?}");
    }
    assert!(key_package::codec(&PackageFormat::Pskc).is_none());
}

fn openssl(args: &[&str]) -> std::io::Result<(bool, String)> {
    let output = Command::new("openssl").args(args).output()?;
    let text = [output.stdout, output.stderr].concat();
    Ok((output.status.success(), String::from_utf8_lossy(&text).into_owned()))
}

/// Interoperability with OpenSSL, both ways.
#[test]
fn rfc5652_openssl_interoperates_both_ways() {
    if let Err(why) = openssl(&["version"]) {
        assert!(std::env::var("DSKPP_PEER_CHECKS").as_deref() != Ok("required"), "openssl cannot be run: {why}");
        return eprintln!("not checked: openssl cannot be run ({why})");
    }
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str| -> PathBuf { folder.path().join(name) };
    let name = |name: &str| file(name).display().to_string();
    let codec = Skpc { authenticated: false }; // OpenSSL does not support attributes of AuthEnvelopedData
    let plain = codec.seal(&package(), &PackageProtection::None, &mut rng()).unwrap();
    // OpenSSL needs the content of `[0]` in ContentInfo, without its tag and length.
    std::fs::write(file("plain.der"), &plain).unwrap();
    let (done, text) = openssl(&["asn1parse", "-inform", "DER", "-in", &name("plain.der")]).unwrap();
    assert!(done && text.contains("id-smime-ct") || text.contains("1.2.840.113549.1.9.16.1.25"), "{text}");
    let kek = "000102030405060708090a0b0c0d0e0f";
    let shared = PackageProtection::Shared { name: "kek".into(), key: Secret::new((0..16).collect()) };
    std::fs::write(file("shared.der"), codec.seal(&package(), &shared, &mut rng()).unwrap()).unwrap();
    let (input, output) = (name("shared.der"), name("shared.out"));
    let id = data_encoding::HEXLOWER.encode(b"kek");
    let args = ["cms", "-decrypt", "-inform", "DER", "-in", &input, "-secretkey", kek, "-secretkeyid", &id];
    let (done, text) = openssl(&[&args[..], &["-binary", "-out", &output]].concat()).unwrap();
    assert!(done, "{text}");
    let opened = std::fs::read(file("shared.out")).unwrap();
    assert!(plain.ends_with(&opened), "what openssl decrypted is the package");

    let password = Secret::from_slice(b"password");
    let protection =
        PackageProtection::Password { password: password.clone(), iterations: NonZeroU32::new(2048).unwrap() };
    let pfx = key_package::codec(&PackageFormat::Pkcs12).unwrap().seal(&package(), &protection, &mut rng()).unwrap();
    std::fs::write(file("pfx.der"), pfx).unwrap();
    let info = ["pkcs12", "-info", "-nodes", "-in", &name("pfx.der"), "-passin"];
    let (done, text) = openssl(&[&info[..], &["pass:password"]].concat()).unwrap();
    assert!(done && text.contains("Secret bag"), "{text}");
    let (done, text) = openssl(&[&info[..], &["pass:wrong"]].concat()).unwrap();
    assert!(!done, "{text}");

    // OpenSSL's encryption cannot set the content type; its signatures can.
    std::fs::write(file("content.der"), &opened).unwrap();
    for kind in ["rsa:2048", "ec"] {
        let (key, certificate, output) = (name("key.pem"), name("certificate.pem"), name("signed.der"));
        let made = ["req", "-x509", "-nodes", "-subj", "/CN=signer", "-keyout", &key, "-out", &certificate];
        let curve: &[&str] = if kind == "ec" { &["-pkeyopt", "ec_paramgen_curve:P-256"] } else { &[] };
        let (done, text) = openssl(&[&made[..], &["-newkey", kind], curve].concat()).unwrap();
        assert!(done, "{text}");
        let sign = ["cms", "-sign", "-binary", "-nodetach", "-noindef", "-outform", "DER", "-md", "sha256"];
        let of = ["-econtent_type", "1.2.840.113549.1.9.16.1.25", "-in", &name("content.der"), "-out", &output];
        let by = ["-signer", &certificate, "-inkey", &key];
        let (done, text) = openssl(&[&sign[..], &of, &by].concat()).unwrap();
        assert!(done, "{text}");
        let signer = SigningKey::from_pem(&std::fs::read_to_string(file("key.pem")).unwrap()).unwrap();
        let signed = std::fs::read(file("signed.der")).unwrap();
        assert_eq!(key_package::verify(&signed, &signer.public()), Ok(plain.clone()), "{kind}");

        std::fs::write(file("ours.der"), key_package::sign(&plain, &signer).unwrap()).unwrap();
        let (input, output) = (name("ours.der"), name("verified.der"));
        let verify = ["cms", "-verify", "-binary", "-inform", "DER", "-in", &input, "-out", &output];
        let with = ["-certfile", &certificate, "-noverify", "-nointern"];
        let (done, text) = openssl(&[&verify[..], &with].concat()).unwrap();
        assert!(done, "{kind}: {text}");
        assert_eq!(std::fs::read(file("verified.der")).unwrap(), opened);
    }
}

/// RFC 6030 §5 and RFC 6031: an unknown attribute of PSKC may limit the use of the key.
#[test]
fn rfc6031_an_unknown_pskc_attribute_is_refused() {
    let codec = Skpc { authenticated: false };
    let octets = codec.seal(&package(), &PackageProtection::None, &mut rng()).unwrap();
    // 1.2.840.113549.1.9.16.12.n: 11 is the issuer, 41 is undefined
    let oid = |last: u8| [&b"\x06\x0B\x2A\x86\x48\x86\xF7\x0D\x01\x09\x10\x0C"[..], &[last]].concat();
    let at = octets.windows(13).position(|part| part == oid(11)).unwrap();
    let changed = [&octets[..at], &oid(41), &octets[at + 13..]].concat();
    assert_eq!(codec.open(&octets, None).map(|opened| opened.package), Ok(package()));
    assert!(
        matches!(codec.open(&changed, None), Err(PackageError::Unreadable(why)) if why.contains("unknown attribute"))
    );
}
