//! Certificates and CRLs made with OpenSSL: see tests/data/devices/make.sh. Device certificates are valid from 2025
//! to 2998, CRLs from 2026 to 2990.

use std::path::PathBuf;

use super::*;

const IN_2024: u64 = 1_717_200_000;
const IN_2028: u64 = 1_843_430_400;
const IN_2995: u64 = 32_358_960_000;
const IN_2999: u64 = 32_485_190_400;

fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/devices").join(name)
}

fn config(lists: &[&str]) -> DevicesSection {
    let revocation_lists = lists.iter().map(|name| file(name)).collect();
    DevicesSection { anchors: file("root.pem"), revocation_lists, ..DevicesSection::default() }
}

fn trust(lists: &[&str]) -> DeviceTrust {
    DeviceTrust::load(&config(lists)).unwrap()
}

fn chain(names: &[&str]) -> Vec<Vec<u8>> {
    names.iter().map(|name| files::read_certificates(&file(name)).unwrap()[0].to_vec()).collect()
}

fn check(trust: &DeviceTrust, names: &[&str], unix_s: u64) -> Result<(), CertificateError> {
    let chain = chain(names);
    let key = trust.check(&chain, unix_s)?;
    assert_eq!(key, key_of(&chain[0]).unwrap());
    Ok(())
}

#[test]
fn s5_1_1_a_device_certificate_chains_to_an_anchor_and_allows_key_transport() {
    let trust = trust(&[]);
    assert!(trust.has_anchors());
    for (names, unix_s, expected) in [
        (&["good.pem"][..], IN_2028, Ok(())),
        (&["any_usage.pem"], IN_2028, Ok(())),
        (&["below.pem", "middle.pem"], IN_2028, Ok(())),
        (&["below.pem", "other.pem", "middle.pem"], IN_2028, Ok(())),
        (&["good.pem"], IN_2024, Err(CertificateError::Path(PathError::Time))),
        (&["good.pem"], IN_2999, Err(CertificateError::Path(PathError::Time))),
        (&["good.pem"], u64::MAX, Err(CertificateError::Path(PathError::Time))),
        (&["below.pem", "middle.pem"], IN_2999, Err(CertificateError::Path(PathError::Time))),
        (&["below.pem"], IN_2028, Err(CertificateError::Path(PathError::Untrusted))),
        (&["stranger.pem"], IN_2028, Err(CertificateError::Path(PathError::Untrusted))),
        (&["stranger.pem", "other.pem"], IN_2028, Err(CertificateError::Path(PathError::Untrusted))),
        (&["stranger.pem", "good.pem"], IN_2028, Err(CertificateError::Path(PathError::Untrusted))),
        (&["signer.pem"], IN_2028, Err(CertificateError::KeyUsage)),
        (&["short.pem"], IN_2028, Err(CertificateError::Key)),
        (&["curve.pem"], IN_2028, Err(CertificateError::Key)),
        (&["root.pem"], IN_2028, Err(CertificateError::Key)),
        (&["revoked.pem"], IN_2028, Ok(())), // no CRL is configured
    ] {
        assert_eq!(check(&trust, names, unix_s), expected, "{names:?} at {unix_s}");
    }
    assert_eq!(trust.check(&[], IN_2028), Err(CertificateError::Path(PathError::NoCertificate)));
}

#[test]
fn revoked_certificates_and_unknown_states_are_refused() {
    let all = &["root.crl.pem", "middle.crl.pem"][..];
    let good = &["good.pem"][..];
    let below = &["below.pem", "middle.pem"][..];
    for (lists, names, unix_s, expected) in [
        (all, good, IN_2028, Ok(())),
        (all, below, IN_2028, Ok(())),
        (all, &["revoked.pem"], IN_2028, Err(CertificateError::Path(PathError::Revoked))),
        (all, &["below_revoked.pem", "middle.pem"], IN_2028, Err(CertificateError::Path(PathError::Revoked))),
        (&["root.crl"], &["revoked.pem"], IN_2028, Err(CertificateError::Path(PathError::Revoked))),
        // The newest CRL of an issuer applies, in any order.
        (&["early.crl.pem"], &["revoked.pem"], IN_2028, Ok(())),
        (
            &["early.crl.pem", "root.crl.pem"],
            &["revoked.pem"],
            IN_2028,
            Err(CertificateError::Path(PathError::Revoked)),
        ),
        (
            &["root.crl.pem", "early.crl.pem"],
            &["revoked.pem"],
            IN_2028,
            Err(CertificateError::Path(PathError::Revoked)),
        ),
        // An intermediate CA.
        (&["no_middle.crl.pem", "middle.crl.pem"], below, IN_2028, Err(CertificateError::Path(PathError::Revoked))),
        (all, good, IN_2995, Err(CertificateError::Path(PathError::OldRevocationList))),
        (&["root.crl.pem"], below, IN_2028, Err(CertificateError::Path(PathError::NoRevocationList))),
        (&["other.crl.pem"], good, IN_2028, Err(CertificateError::Path(PathError::NoRevocationList))),
        (&["namesake.crl.pem"], good, IN_2028, Err(CertificateError::Path(PathError::ForeignRevocationList))),
    ] {
        assert_eq!(check(&trust(lists), names, unix_s), expected, "{names:?} at {unix_s} with {lists:?}");
    }
}

#[test]
fn issuers_without_a_crl_are_accepted_if_configured() {
    let mut config = config(&["root.crl.pem"]);
    config.accept_unlisted_issuers = true;
    let trust = DeviceTrust::load(&config).unwrap();
    assert_eq!(check(&trust, &["below_revoked.pem", "middle.pem"], IN_2028), Ok(()));
    assert_eq!(check(&trust, &["revoked.pem"], IN_2028), Err(CertificateError::Path(PathError::Revoked)));
    assert_eq!(check(&trust, &["good.pem"], IN_2995), Err(CertificateError::Path(PathError::OldRevocationList)));
}

#[test]
fn without_anchors_no_certificate_is_trusted_but_keys_can_be_read() {
    let trust = DeviceTrust::load(&DevicesSection::default()).unwrap();
    assert!(!trust.has_anchors());
    assert_eq!(check(&trust, &["good.pem"], IN_2028), Err(CertificateError::NoAnchors));
    for (name, expected) in [
        ("stranger.pem", Ok(2048)),
        ("short.pem", Err(CertificateError::Key)),
        ("curve.pem", Err(CertificateError::Key)),
    ] {
        assert_eq!(key_of(&chain(&[name])[0]).map(|key| key.bits()), expected, "{name}");
    }
}

#[test]
fn hostile_octets_are_not_a_certificate() {
    let trust = trust(&["root.crl.pem"]);
    let good = chain(&["good.pem"]).remove(0);
    for cut in 0..good.len() {
        assert_eq!(key_of(&good[..cut]), Err(CertificateError::Path(PathError::NoCertificate)), "{cut} octets");
    }
    assert_eq!(key_of(&[&good[..], &[0]].concat()), Err(CertificateError::Path(PathError::NoCertificate)));
    for at in 0..good.len() {
        let mut altered = good.clone();
        altered[at] ^= 1;
        assert!(trust.check(&[altered], IN_2028).is_err(), "octet {at} altered");
    }
    let junk = vec![vec![0x30; 9]; 50];
    assert_eq!(
        trust.check(&[&[good][..], &junk].concat(), IN_2028).map(|_| ()),
        Ok(()),
        "junk in the chain is ignored"
    );
}

#[test]
fn every_invalid_file_is_a_fault() {
    let folder = tempfile::tempdir().unwrap();
    let cut = folder.path().join("cut.crl");
    std::fs::write(&cut, &std::fs::read(file("root.crl")).unwrap()[..100]).unwrap();
    let mut config = config(&["root.crl.pem", "missing.crl", "root.pem"]);
    config.revocation_lists.push(cut);
    config.anchors = file("good.pem");
    let faults = DeviceTrust::load(&config).err().unwrap().0;
    let shown: Vec<_> = faults.iter().map(|fault| (&fault.key[..], &fault.remedy[..])).collect();
    assert!(matches!(shown[0], ("devices.anchors", why) if why.contains("not a CA certificate")), "{shown:?}");
    assert!(matches!(shown[1], ("devices.revocation_lists", why) if why.contains("cannot be read")), "{shown:?}");
    assert!(matches!(shown[2], ("devices.revocation_lists", why) if why.contains("no X509 CRL block")), "{shown:?}");
    assert!(matches!(shown[3], ("devices.revocation_lists", why) if why.contains("not a valid CRL")), "{shown:?}");
    assert_eq!(shown.len(), 4);
}

#[test]
fn a_changed_crl_is_reloaded_and_a_damaged_one_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let list = folder.path().join("list");
    let put = |content: &[u8]| std::fs::write(&list, content).unwrap();
    put(&std::fs::read(file("early.crl.pem")).unwrap());
    let mut config = config(&[]);
    config.revocation_lists = vec![list.clone()];
    let trust = DeviceTrust::load(&config).unwrap();
    let revoked = || check(&trust, &["revoked.pem"], IN_2028);
    assert_eq!(revoked(), Ok(()));
    put(&std::fs::read(file("root.crl.pem")).unwrap());
    trust.look();
    assert_eq!(revoked(), Err(CertificateError::Path(PathError::Revoked)));
    put(b"damaged");
    trust.look();
    assert_eq!(revoked(), Err(CertificateError::Path(PathError::Revoked)), "the old CRL stays");
    put(&std::fs::read(file("early.crl.pem")).unwrap());
    trust.look();
    assert_eq!(revoked(), Ok(()));
}
