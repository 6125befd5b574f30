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

fn modulus(k: Result<K, EnrollError>) -> Vec<u8> {
    k.unwrap().octets().to_vec()
}

#[test]
fn p29_a_bare_key_is_taken_as_far_as_tls_is_trusted() {
    assert_eq!(modulus(Trust::default().choose(&bare(&NEW))), NEW.public().modulus());
    let short = KeyInfo::from_rsa(&[0xff; 128], &[1, 0, 1]);
    assert!(matches!(Trust::default().choose(&short), Err(EnrollError::KServer(_))));
}

#[test]
fn p29_a_changed_key_needs_a_reason() {
    let ca = ca();
    let remembered = vec![OLD.public().modulus().to_vec()];
    let certified = KeyInfo::from_certificates(vec![certificate(&ca, &NEW, 2999)]);
    let trust = Trust { remembered: remembered.clone(), ..Trust::default() };
    assert_eq!(modulus(trust.choose(&bare(&OLD))), OLD.public().modulus());
    assert!(matches!(trust.choose(&bare(&NEW)), Err(EnrollError::KServerChanged)));
    assert!(matches!(trust.choose(&certified), Err(EnrollError::KServerChanged)), "unchecked certificate");

    let decided = Trust { accept_new: true, remembered: remembered.clone(), ..Trust::default() };
    assert_eq!(modulus(decided.choose(&bare(&NEW))), NEW.public().modulus());
    let checked = Trust { anchors: vec![ca.der().clone()], remembered, ..Trust::default() };
    assert_eq!(modulus(checked.choose(&certified)), NEW.public().modulus());
    assert!(matches!(checked.choose(&bare(&NEW)), Err(EnrollError::KServerCertificate(_))));
}

#[test]
fn p29_a_certificate_must_lead_to_an_anchor_and_be_of_the_key() {
    let (mine, other) = (ca(), ca());
    let trust = Trust { anchors: vec![mine.der().clone()], accept_new: true, ..Trust::default() };
    for (what, certificate) in [
        ("another CA", certificate(&other, &NEW, 2999)),
        ("expired", certificate(&mine, &NEW, 2020)),
        ("no certificate", vec![0x30, 0]),
    ] {
        let result = trust.choose(&KeyInfo::from_certificates(vec![certificate]));
        assert!(matches!(result, Err(EnrollError::KServerCertificate(_))), "{what}");
    }
    let mut mixed = bare(&OLD);
    mixed.x509_certificates = vec![certificate(&mine, &NEW, 2999)];
    assert!(matches!(trust.choose(&mixed), Err(EnrollError::KServerCertificate(_))), "another key beside it");
}

#[test]
fn a_shared_key_goes_by_its_name() {
    let device_key = Some(("device 7".to_owned(), Secret::from_slice(&[7; 16])));
    let trust = Trust { device_key, ..Trust::default() };
    assert_eq!(modulus(trust.choose(&KeyInfo::from_key_name("device 7"))), [7; 16]);
    let other = trust.choose(&KeyInfo::from_key_name("device 8"));
    assert!(matches!(other, Err(EnrollError::DeviceKeyName(name)) if name == "device 8"));
    let none = Trust::default().choose(&KeyInfo::from_key_name("device 7"));
    assert!(matches!(none, Err(EnrollError::DeviceKeyName(_))));
    assert!(matches!(trust.choose(&KeyInfo::default()), Err(EnrollError::KServer(_))));
}
