//! Key files in CMS (RFC 6031) and PKCS #12 (RFC 7292), our own and those of other programs.

#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use data_encoding::{BASE64, HEXLOWER};
use dskpp::key_package::file::{self, FileFormat, OpenedFile};
use dskpp::key_package::{PackageError, PackageProtection};
use dskpp_crypto::{RsaEncryption, RsaPrivateKey, Secret, SeededRandom};
use pskc::{DecryptionKey, KeyContainer, KeyPackage};

fn rng() -> SeededRandom {
    SeededRandom::new(b"key files")
}

/// Keys of two devices with every attribute of RFC 6031.
fn packages() -> Vec<KeyPackage> {
    let key = |id: &str, kind: &str, more: &str, data: &str| {
        format!(
            "<Key Id='{id}' Algorithm='urn:ietf:params:xml:ns:keyprov:pskc:{kind}'><Issuer>I</Issuer>{more}<Data>\
             <Secret><PlainValue>MTIzNDU2Nzg5MDEyMzQ1Njc4OTAx</PlainValue></Secret>{data}</Data>"
        )
    };
    let parameters = "<AlgorithmParameters><Suite>HMAC-SHA256</Suite><ChallengeFormat Encoding='DECIMAL' Min='4' \
        Max='8' CheckDigits='true'/><ResponseFormat Encoding='DECIMAL' Length='8'/></AlgorithmParameters>\
        <KeyProfileId>P</KeyProfileId><KeyReference>R</KeyReference><FriendlyName>Mein Schlüssel</FriendlyName>";
    let times = "<Time><PlainValue>7</PlainValue></Time><TimeInterval><PlainValue>30</PlainValue></TimeInterval>\
        <TimeDrift><PlainValue>-4</PlainValue></TimeDrift>";
    let policy = "<UserId>CN=b</UserId><Policy><StartDate>2026-02-01T00:00:00Z</StartDate>\
        <ExpiryDate>2027-02-01T00:00:00Z</ExpiryDate><PINPolicy PINKeyId='p' PINUsageMode='Local' \
        MaxFailedAttempts='8' MinLength='4' MaxLength='6' PINEncoding='DECIMAL'/><KeyUsage>OTP</KeyUsage>\
        <NumberOfTransactions>1000</NumberOfTransactions></Policy>";
    let device = "<DeviceInfo><Manufacturer>Firma Ä</Manufacturer><SerialNo>1</SerialNo>\
        <StartDate>2026-01-01T00:00:00Z</StartDate><UserId>CN=a</UserId></DeviceInfo>\
        <CryptoModuleInfo><Id>CM</Id></CryptoModuleInfo>";
    let document = [
        "<KeyContainer xmlns='urn:ietf:params:xml:ns:keyprov:pskc' Version='1.0'><KeyPackage>",
        device,
        &key("key-1", "totp", parameters, times),
        policy,
        "</Key></KeyPackage><KeyPackage><DeviceInfo><SerialNo>2</SerialNo></DeviceInfo>",
        &key("schlüssel 2", "hotp", "", "<Counter><PlainValue>9007199254740993</PlainValue></Counter>"),
        "</Key></KeyPackage><KeyPackage>",
        &key("pin", "pin", "", ""),
        "</Key></KeyPackage></KeyContainer>",
    ];
    KeyContainer::from_xml(document.concat().as_bytes()).unwrap().key_packages
}

fn password() -> Secret {
    Secret::from_slice("pässword".as_bytes())
}

fn by_password() -> PackageProtection {
    PackageProtection::Password { password: password(), iterations: NonZeroU32::new(1000).unwrap() }
}

fn written(format: FileFormat, protection: &PackageProtection, old: bool) -> Vec<u8> {
    let packages = packages();
    file::write(format, &packages.iter().collect::<Vec<_>>(), protection, old, &mut rng()).unwrap()
}

/// Every way to write a file, with the key that opens it.
fn ways() -> Vec<(Vec<u8>, FileFormat, Option<DecryptionKey>)> {
    let rsa = Arc::new(RsaPrivateKey::generate(2048).unwrap());
    let public = PackageProtection::Public { key: rsa.public().clone(), encryption: RsaEncryption::OaepSha1 };
    let shared = PackageProtection::Shared { name: "K".into(), key: Secret::new(vec![7; 32]) };
    let mut ways = Vec::new();
    for old in [false, true] {
        for (protection, unlock) in [
            (PackageProtection::None, None),
            (by_password(), Some(DecryptionKey::Password(password()))),
            (shared.clone(), Some(DecryptionKey::Key(Secret::new(vec![7; 32])))),
            (public.clone(), Some(DecryptionKey::PrivateKey(Arc::clone(&rsa)))),
        ] {
            ways.push((written(FileFormat::Skpc, &protection, old), FileFormat::Skpc, unlock));
        }
        let pfx = written(FileFormat::Pkcs12, &by_password(), old);
        ways.push((pfx, FileFormat::Pkcs12, Some(DecryptionKey::Password(password()))));
    }
    ways
}

#[test]
fn rfc6031_rfc7292_many_keys_round_trip_with_all_properties() {
    for (octets, format, unlock) in ways() {
        let content = file::open(&octets, unlock.as_ref()).unwrap();
        assert_eq!(content.packages, packages(), "{format:?} {unlock:?}");
        assert!(content.others.is_empty() && !content.signed);
        let has_rounds = matches!(unlock, Some(DecryptionKey::Password(_)));
        assert_eq!(content.iterations, has_rounds.then_some(1000));
        assert_eq!(file::format_of(&octets[..octets.len().min(200)]), Some(format));
        let base64 = BASE64.encode(&octets);
        let lines: Vec<&str> = base64.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).unwrap()).collect();
        let pem = format!("\n-----BEGIN CMS-----\r\n{}\r\n-----END CMS-----\n", lines.join("\r\n"));
        assert_eq!(file::open(pem.as_bytes(), unlock.as_ref()).unwrap().packages, packages());
        assert_eq!(file::format_of(&pem.as_bytes()[..200.min(pem.len())]), Some(format));
        let secret = b"123456789012345678901";
        assert_eq!(octets.windows(secret.len()).any(|part| part == secret), unlock.is_none());
    }
}

#[test]
fn rfc6031_s2_shared_attributes_are_written_once_and_the_package_reads_without_cms() {
    let mut packages = packages();
    for package in &mut packages {
        package.device_info = None;
        package.crypto_module_info =
            Some(pskc::CryptoModuleInfo { id: "shared module".into(), extensions: Vec::new() });
    }
    let all: Vec<&KeyPackage> = packages.iter().collect();
    let octets = file::write(FileFormat::Skpc, &all, &PackageProtection::None, false, &mut rng()).unwrap();
    assert_eq!(octets.windows(13).filter(|part| part == b"shared module").count(), 1);
    // SEQUENCE (header of 4 octets), the content type of 13, [0] of 4: then the bare package.
    let package = &octets[4 + 13 + 4..];
    for octets in [&octets[..], package] {
        assert_eq!(file::format_of(octets), Some(FileFormat::Skpc));
        assert_eq!(file::open(octets, None).unwrap().packages, packages);
    }
}

#[test]
fn rfc5652_s5_a_signed_file_is_read_and_reported_as_signed() {
    let signer = include_str!("../../pskc/tests/data/signature/p256.key");
    let signer = dskpp_crypto::SigningKey::from_pem(signer).unwrap();
    let unlock = DecryptionKey::Password(password());
    for (protection, unlock) in [(PackageProtection::None, None), (by_password(), Some(&unlock))] {
        let signed = dskpp::key_package::sign(&written(FileFormat::Skpc, &protection, false), &signer).unwrap();
        let content = file::open(&signed, unlock).unwrap();
        assert!(content.signed && content.packages == packages(), "{protection:?}");
        let twice = dskpp::key_package::sign(&signed, &signer).unwrap();
        assert!(matches!(file::open(&twice, unlock).unwrap_err().why, PackageError::Unreadable(_)));
    }
}

#[test]
fn keys_that_no_file_can_carry_are_named_by_their_number() {
    let mut packages = packages();
    packages[1].key.as_mut().unwrap().algorithm = None;
    assert!(matches!(file::carries(&packages[1]), Err(PackageError::Unfit(_))));
    let all: Vec<&KeyPackage> = packages.iter().collect();
    for format in [FileFormat::Skpc, FileFormat::Pkcs12] {
        let refused = file::write(format, &all, &by_password(), false, &mut rng()).unwrap_err();
        assert_eq!(refused.key, Some(2));
        assert!(refused.to_string().starts_with("key 2: ") && refused.to_string().contains("algorithm"), "{refused}");
    }
    let refused = file::write(FileFormat::Pkcs12, &all[..1], &PackageProtection::None, false, &mut rng());
    assert_eq!(refused.unwrap_err().why, PackageError::Protection);
}

#[test]
fn rfc5652_a_wrong_key_is_distinguished_from_a_missing_one() {
    for (octets, format, unlock) in ways() {
        let Some(unlock) = unlock else { continue };
        assert_eq!(file::open(&octets, None).unwrap_err().why, PackageError::Protection, "{format:?}");
        let wrong = match unlock {
            DecryptionKey::Password(_) => DecryptionKey::Password(Secret::from_slice(b"wrong")),
            DecryptionKey::Key(_) => DecryptionKey::Key(Secret::new(vec![8; 32])),
            DecryptionKey::PrivateKey(_) => DecryptionKey::PrivateKey(Arc::new(RsaPrivateKey::generate(2048).unwrap())),
        };
        assert_eq!(file::open(&octets, Some(&wrong)).unwrap_err().why, PackageError::WrongKeyOrDamaged, "{format:?}");
    }
}

/// GCM and the MAC of PKCS #12 detect every change, and no input causes a panic.
#[test]
fn rfc5083_rfc7292_changed_and_truncated_files_are_refused() {
    for (format, old) in [(FileFormat::Skpc, false), (FileFormat::Pkcs12, false), (FileFormat::Pkcs12, true)] {
        let octets = written(format, &by_password(), old);
        let unlock = DecryptionKey::Password(password());
        for at in (0..octets.len()).step_by(if old { 41 } else { 7 }) {
            let mut changed = octets.clone();
            changed[at] ^= 0x41;
            let opened = file::open(&changed, Some(&unlock)).map(|content| content.packages);
            assert!(opened.is_err() || opened == Ok(packages()), "{format:?} {old}: octet {at}");
            let _ = file::format_of(&changed);
            assert!(file::open(&octets[..at], Some(&unlock)).is_err(), "{format:?} {old}: cut at {at}");
        }
        assert!(file::open(&[&octets[..], b"\0"].concat(), Some(&unlock)).is_err(), "an octet behind it");
    }
}

fn keystore(name: &str) -> PathBuf {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/keystores")).join(name)
}

fn open_keystore(name: &str) -> OpenedFile {
    let octets = std::fs::read(keystore(name)).unwrap();
    assert_eq!(file::format_of(&octets), Some(FileFormat::Pkcs12));
    file::open(&octets, Some(&DecryptionKey::Password(Secret::from_slice(b"password")))).unwrap()
}

/// The results of Java's own reader are stored beside the keystores.
#[test]
fn rfc7292_s4_2_6_current_and_old_java_secret_bags_are_read() {
    let types = |name: &str| match name {
        "PBEWithMD5AndDES" => None,
        "AES" => Some("http://www.w3.org/2001/04/xmlenc#aes256-cbc"),
        "HmacSHA1" => Some("http://www.w3.org/2000/09/xmldsig#hmac-sha1"),
        "HmacSHA256" => Some("http://www.w3.org/2001/04/xmldsig-more#hmac-sha256"),
        "DESede" => Some("http://www.w3.org/2001/04/xmlenc#tripledes-cbc"),
        other => panic!("{other}"),
    };
    for (name, iterations, others) in [
        ("java", 10_000, &[("certificate", 1), ("private key", 1)][..]),
        ("java-old", 50_000, &[("RC2-encrypted part", 1), ("private key", 1)]),
    ] {
        let content = open_keystore(&format!("{name}.p12"));
        let listed = std::fs::read_to_string(keystore(&format!("{name}.keys"))).unwrap();
        let listed: Vec<_> = listed.lines().map(|line| line.splitn(3, ' ').collect::<Vec<_>>()).collect();
        let listed: Vec<_> = listed.iter().map(|line| (line[2], types(line[1]), line[0].to_owned())).collect();
        let found = content.packages.iter().map(|package| {
            let key = package.key.as_ref().unwrap();
            let secret = key.data.as_ref().unwrap().secret.as_ref().unwrap().plain().unwrap();
            (key.id.as_str(), key.algorithm.as_deref(), HEXLOWER.encode(secret.expose()))
        });
        assert_eq!(found.collect::<Vec<_>>(), listed, "{name}");
        assert_eq!(content.iterations, Some(iterations));
        assert_eq!(content.others.into_iter().collect::<Vec<_>>(), others);
    }
}

/// Whether another program is available. If checks are required, it must be.
fn is_there(program: &str, args: &[&str]) -> bool {
    match Command::new(program).args(args).output() {
        Ok(_) => true,
        Err(why) => {
            assert!(std::env::var("DSKPP_PEER_CHECKS").as_deref() != Ok("required"), "{program} cannot be run: {why}");
            println!("not checked: {program} cannot be run ({why})");
            false
        }
    }
}

fn run(program: &str, folder: &Path, args: &[&str]) -> (bool, String) {
    let output = Command::new(program).args(args).current_dir(folder).output().unwrap();
    (output.status.success(), String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned())
}

#[test]
fn rfc7292_keytool_and_openssl_interoperate() {
    let folder = tempfile::tempdir().unwrap();
    let unlock = DecryptionKey::Password(Secret::from_slice(b"password"));
    for (name, old) in [("today.p12", false), ("old.p12", true)] {
        let iterations = NonZeroU32::new(10_000).unwrap();
        let protection = PackageProtection::Password { password: Secret::from_slice(b"password"), iterations };
        std::fs::write(folder.path().join(name), written(FileFormat::Pkcs12, &protection, old)).unwrap();
        if is_there("openssl", &["version"]) {
            let info = ["pkcs12", "-info", "-nodes", "-in", name, "-passin", "pass:password"];
            let (done, text) = run("openssl", folder.path(), &info);
            assert!(done && text.matches("Secret bag").count() == 3 && text.contains("key-1"), "{name}: {text}");
        }
        if !is_there("keytool", &["-help"]) {
            continue;
        }
        let keytool = |args: &[&str]| run("keytool", folder.path(), args);
        let (done, text) = keytool(&["-list", "-keystore", name, "-storepass", "password", "-J-Duser.language=en"]);
        assert!(done && text.matches("SecretKeyEntry").count() == 3 && text.contains("key-1"), "{name}: {text}");
        let copied = format!("copied-{name}");
        let copy = ["-importkeystore", "-noprompt", "-srckeystore", name, "-srcstorepass", "password"];
        let to = ["-destkeystore", &copied, "-deststoretype", "PKCS12", "-deststorepass", "password"];
        let (done, text) = keytool(&[&copy[..], &to].concat());
        assert!(done, "{name}: {text}");
        let content = file::open(&std::fs::read(folder.path().join(&copied)).unwrap(), Some(&unlock)).unwrap();
        assert_eq!(content.packages.len(), 3, "{name}");
        for package in packages() {
            let (key, id) = (package.key.as_ref().unwrap(), &package.key.as_ref().unwrap().id);
            let same = |other: &&KeyPackage| other.key.as_ref().unwrap().id == *id;
            let other = content.packages.iter().find(same).unwrap_or_else(|| panic!("{name}: {id}"));
            let secret = |key: &pskc::Key| key.data.as_ref().unwrap().secret.clone();
            assert_eq!(secret(other.key.as_ref().unwrap()), secret(key), "{name}: {id}");
        }
    }
}

/// OpenSSL's encrypted content has the type data, and indefinite lengths in BER.
#[test]
fn rfc5652_openssl_files_are_read_in_der_and_ber() {
    if !is_there("openssl", &["version"]) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let plain = written(FileFormat::Skpc, &PackageProtection::None, false);
    std::fs::write(folder.path().join("package.der"), &plain[4 + 13 + 4..]).unwrap();
    let key = "0707070707070707070707070707070707070707070707070707070707070707";
    let shared = ["-secretkey", key, "-secretkeyid", "4b", "-aes256"];
    let password = ["-pwri_password", "password", "-aes256"];
    for stream in [&["-noindef"][..], &["-stream"]] {
        for (with, unlock) in [
            (&shared[..], DecryptionKey::Key(Secret::new(vec![7; 32]))),
            (&password[..], DecryptionKey::Password(Secret::from_slice(b"password"))),
        ] {
            for form in ["DER", "PEM"] {
                let encrypt = ["cms", "-encrypt", "-binary", "-outform", form, "-in", "package.der", "-out", "made"];
                let (done, text) = run("openssl", folder.path(), &[&encrypt[..], stream, with].concat());
                assert!(done, "{text}");
                let made = std::fs::read(folder.path().join("made")).unwrap();
                assert_eq!(file::format_of(&made), Some(FileFormat::Skpc), "{stream:?} {form}");
                let content = file::open(&made, Some(&unlock)).unwrap();
                assert_eq!(content.packages, packages(), "{stream:?} {form}");
            }
        }
    }
}

#[test]
fn other_files_are_no_key_files() {
    for octets in [
        &b""[..],
        b"\x30",
        b"\x30\x80",
        b"-----BEGIN CERTIFICATE-----\n",
        b"-----BEGIN CMS-----\nAAAA\n-----END CMS-----\n",
        b"<KeyContainer/>",
        b"PK\x03\x04",
        // The beginnings of an RSA private key, a public key, a certificate and a revocation list.
        b"\x30\x82\x04\xbd\x02\x01\x00\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01",
        b"\x30\x82\x01\x22\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01",
        b"\x30\x82\x03\x00\x30\x82\x02\x00\xa0\x03\x02\x01\x02\x02\x01\x01",
        b"\x30\x82\x03\x00\x30\x82\x02\x00\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0b",
    ] {
        assert_eq!(file::format_of(octets), None, "{octets:?}");
        assert!(file::open(octets, None).is_err());
    }
}
