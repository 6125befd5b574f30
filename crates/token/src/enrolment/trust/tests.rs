use super::*;
use dskpp_crypto::RsaPrivateKey;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use std::sync::LazyLock;

static OLD: LazyLock<RsaPrivateKey> = LazyLock::new(|| RsaPrivateKey::generate(2048).unwrap());
static NEW: LazyLock<RsaPrivateKey> = LazyLock::new(|| RsaPrivateKey::generate(2048).unwrap());

fn bare(key: &RsaPrivateKey) -> KeyInfo {
    KeyInfo::from_rsa(key.public().modulus(), key.public().exponent())
}

fn ca() -> CertifiedIssuer<'static, KeyPair> {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

fn certificate(ca: &CertifiedIssuer<'static, KeyPair>, key: &RsaPrivateKey, last_year: i32) -> Vec<u8> {
    let pkcs8 = rustls_pki_types::PrivatePkcs8KeyDer::from(key.to_pkcs8_der().expose());
    let pair = KeyPair::from_pkcs8_der_and_sign_algo(&pkcs8, &rcgen::PKCS_RSA_SHA256).unwrap();
    let mut params = CertificateParams::new(vec!["k-server.example".to_owned()]).unwrap();
    params.not_after = rcgen::date_time_ymd(last_year, 1, 1);
    params.signed_by(&pair, ca).unwrap().der().to_vec()
}

fn remembered(key: &RsaPrivateKey, issuer: Option<&CertifiedIssuer<'static, KeyPair>>) -> RememberedKServer {
    RememberedKServer { key: key.public().clone(), issuer: issuer.map(|ca| ca.der().to_vec()) }
}

fn judged(trust: &Trust, info: &KeyInfo) -> (Vec<u8>, bool) {
    let judged = trust.judge(info, SystemTime::now()).unwrap();
    (judged.k.octets().to_vec(), judged.is_trusted)
}

#[test]
fn p29_a_bare_key_is_trusted_as_far_as_tls() {
    let new = Trust { takes_any: true, ..Trust::default() };
    assert_eq!(judged(&new, &bare(&NEW)), (NEW.public().modulus().to_vec(), true));
    assert!(!judged(&Trust::default(), &bare(&NEW)).1, "nothing is remembered, and nobody has accepted it");
    let short = KeyInfo::from_rsa(&[0xff; 128], &[1, 0, 1]);
    assert!(matches!(new.judge(&short, SystemTime::now()), Err(EnrolmentError::KServer(_))));
}

/// The server's key, the configured or remembered trust, and whether that suffices.
#[test]
fn p29_a_changed_key_needs_a_reason() {
    let (mine, other) = (ca(), ca());
    let chain = |ca: &CertifiedIssuer<'static, KeyPair>, key, year| {
        KeyInfo::from_certificates(vec![certificate(ca, key, year), ca.der().to_vec()])
    };
    let (by_mine, by_other) = (chain(&mine, &NEW, 2999), chain(&other, &NEW, 2999));
    let leaf = KeyInfo::from_certificates(vec![certificate(&mine, &NEW, 2999)]);
    let other_exponent = KeyInfo::from_rsa(OLD.public().modulus(), &[3]);
    let (old, of_mine) = (remembered(&OLD, None), remembered(&OLD, Some(&mine)));
    for (what, sent, known, is_trusted) in [
        ("the stored key", &bare(&OLD), &old, true),
        ("another key", &bare(&NEW), &old, false),
        ("the stored modulus with another exponent", &other_exponent, &old, false),
        ("the stored key, now with a certificate", &chain(&other, &OLD, 2999), &old, true),
        ("another key with a certificate that nobody knows", &by_other, &old, false),
        ("another key of the stored issuer", &by_mine, &of_mine, true),
        ("the same without the issuer beside it", &leaf, &of_mine, true),
        ("another key of another issuer", &by_other, &of_mine, false),
        ("another key of the stored issuer, expired", &chain(&mine, &NEW, 2020), &of_mine, false),
        ("another key without a certificate, where one is stored", &bare(&NEW), &of_mine, false),
        ("the stored key without its certificate", &bare(&OLD), &of_mine, true),
    ] {
        let trust = Trust { remembered: vec![known.clone()], ..Trust::default() };
        assert_eq!(trust.judge(sent, SystemTime::now()).unwrap().is_trusted, is_trusted, "{what}");
    }
    let anchors = vec![mine.der().to_vec()];
    let checked = Trust { anchors, remembered: vec![old], ..Trust::default() };
    assert_eq!(judged(&checked, &by_mine), (NEW.public().modulus().to_vec(), true));
    for sent in [bare(&OLD), bare(&NEW), by_other, chain(&other, &OLD, 2999)] {
        assert!(
            matches!(checked.judge(&sent, SystemTime::now()), Err(EnrolmentError::KServerCertificate(_))),
            "an anchor is configured"
        );
    }
}

/// The CA file, and a remembered issuer, may be an end-entity certificate: it vouches only for itself.
#[test]
fn p29_an_end_entity_certificate_certifies_no_other_key() {
    let params = CertificateParams::new(vec!["old.example".to_owned()]).unwrap();
    let pkcs8 = rustls_pki_types::PrivatePkcs8KeyDer::from(OLD.to_pkcs8_der().expose());
    let pair = KeyPair::from_pkcs8_der_and_sign_algo(&pkcs8, &rcgen::PKCS_RSA_SHA256).unwrap();
    let no_ca = CertifiedIssuer::self_signed(params, pair).unwrap();
    let own = KeyInfo::from_certificates(vec![no_ca.der().to_vec()]);
    let of_other = KeyInfo::from_certificates(vec![certificate(&no_ca, &NEW, 2999)]);
    let anchored = Trust { anchors: vec![no_ca.der().to_vec()], ..Trust::default() };
    assert_eq!(judged(&anchored, &own), (OLD.public().modulus().to_vec(), true), "its own");
    assert!(matches!(anchored.judge(&of_other, SystemTime::now()), Err(EnrolmentError::KServerCertificate(_))));
    let known = Trust { remembered: vec![remembered(&OLD, Some(&no_ca))], ..Trust::default() };
    assert!(!judged(&known, &of_other).1, "not a CA");
}

#[test]
fn p29_the_issuer_is_remembered_and_survives_a_key_rollover() {
    let (mine, other) = (ca(), ca());
    let chain = |ca: &CertifiedIssuer<'static, KeyPair>, above: &CertifiedIssuer<'static, KeyPair>, key| {
        KeyInfo::from_certificates(vec![certificate(ca, key, 2999), above.der().to_vec()])
    };
    let issuer = |trust: &Trust, info: &KeyInfo| trust.judge(info, SystemTime::now()).unwrap().k_server.unwrap().issuer;
    let der = |ca: &CertifiedIssuer<'static, KeyPair>| Some(ca.der().to_vec());
    let new = Trust { takes_any: true, ..Trust::default() };
    assert_eq!(issuer(&new, &chain(&mine, &mine, &NEW)), der(&mine));
    assert_eq!(issuer(&new, &chain(&mine, &other, &NEW)), None, "only the signer counts as issuer");
    assert_eq!(issuer(&new, &bare(&NEW)), None);
    let anchored = Trust { anchors: vec![mine.der().to_vec()], ..Trust::default() };
    assert_eq!(issuer(&anchored, &KeyInfo::from_certificates(vec![certificate(&mine, &NEW, 2999)])), der(&mine));
    let known = Trust { remembered: vec![remembered(&OLD, Some(&mine))], ..Trust::default() };
    assert_eq!(issuer(&known, &chain(&mine, &other, &NEW)), der(&mine));
    assert_eq!(issuer(&known, &bare(&OLD)), der(&mine), "an omitted certificate is remembered");
    assert_eq!(issuer(&known, &bare(&NEW)), None, "the key was accepted by a person only");
}

#[test]
fn p29_a_certificate_must_chain_to_an_anchor_and_match_the_key() {
    let (mine, other) = (ca(), ca());
    let trust = Trust { anchors: vec![mine.der().to_vec()], takes_any: true, ..Trust::default() };
    for (what, certificate) in [
        ("another CA", certificate(&other, &NEW, 2999)),
        ("expired", certificate(&mine, &NEW, 2020)),
        ("no certificate", vec![0x30, 0]),
    ] {
        let result = trust.judge(&KeyInfo::from_certificates(vec![certificate]), SystemTime::now());
        assert!(matches!(result, Err(EnrolmentError::KServerCertificate(_))), "{what}");
    }
    let mut mixed = bare(&OLD);
    mixed.x509_certificates = vec![certificate(&mine, &NEW, 2999)];
    assert!(
        matches!(trust.judge(&mixed, SystemTime::now()), Err(EnrolmentError::KServerCertificate(_))),
        "another key beside it"
    );
}

#[test]
fn a_shared_key_is_identified_by_its_name() {
    let device_key = Some(("device 7".to_owned(), Secret::from_slice(&[7; 16])));
    let trust = Trust { device_key, ..Trust::default() };
    assert_eq!(judged(&trust, &KeyInfo::from_key_name("device 7")), (vec![7; 16], true));
    let other = trust.judge(&KeyInfo::from_key_name("device 8"), SystemTime::now());
    assert!(matches!(other, Err(EnrolmentError::DeviceKeyName(name)) if name == "device 8"));
    let none = Trust::default().judge(&KeyInfo::from_key_name("device 7"), SystemTime::now());
    assert!(matches!(none, Err(EnrolmentError::DeviceKeyName(_))));
    assert!(matches!(trust.judge(&KeyInfo::default(), SystemTime::now()), Err(EnrolmentError::KServer(_))));
}
