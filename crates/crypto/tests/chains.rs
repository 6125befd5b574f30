//! Which certificate chains are accepted for signers: cases beyond the plain chains of `signatures.rs`.

#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

use dskpp_crypto::{DistrustCause, Error, SignerUse, distrust, verify_chain};
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, CustomExtension, DnType, ExtendedKeyUsagePurpose, IsCa,
    KeyPair, KeyUsagePurpose, date_time_ymd,
};

/// 2030-01-01.
const NOW: u64 = 1_893_456_000;
const KEY_USAGE: [u64; 4] = [2, 5, 29, 15];

type Issuer = CertifiedIssuer<'static, KeyPair>;

fn params(name: &str, is_ca: IsCa) -> CertificateParams {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.distinguished_name.push(DnType::CommonName, name);
    (params.not_before, params.not_after) = (date_time_ymd(2026, 1, 1), date_time_ymd(2040, 1, 1));
    params.is_ca = is_ca;
    params
}

fn signer() -> CertificateParams {
    params("signer", IsCa::NoCa)
}

fn unconstrained() -> IsCa {
    IsCa::Ca(BasicConstraints::Unconstrained)
}

fn root(params: CertificateParams) -> Issuer {
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

fn below(params: CertificateParams, issuer: &Issuer) -> Issuer {
    CertifiedIssuer::signed_by(params, KeyPair::generate().unwrap(), issuer).unwrap()
}

fn der(issuer: &Issuer) -> Vec<u8> {
    issuer.der().to_vec()
}

/// Verifies `leaf` under `anchor`.
fn verify(leaf: &Issuer, between: &[&Issuer], anchor: &Issuer) -> Result<(), Error> {
    verify_for(leaf, between, anchor, SignerUse::Documents)
}

fn verify_for(leaf: &Issuer, between: &[&Issuer], anchor: &Issuer, signer_use: SignerUse) -> Result<(), Error> {
    let between: Vec<Vec<u8>> = between.iter().map(|certificate| der(certificate)).collect();
    let between: Vec<&[u8]> = between.iter().map(|der| &der[..]).collect();
    verify_chain(&der(leaf), &between, &[&der(anchor)], NOW, signer_use)
}

#[test]
fn rfc5280_s4_2_1_3_an_unreadable_key_usage_is_not_ignored() {
    let root = root(params("root", unconstrained()));
    // A BIT STRING: 80 is digitalSignature, 08 is keyAgreement.
    let with = |contents: &[&[u8]]| {
        let mut params = signer();
        for content in contents {
            params.custom_extensions.push(CustomExtension::from_oid_content(&KEY_USAGE, content.to_vec()));
        }
        verify(&below(params, &root), &[], &root).is_ok()
    };
    let (signs, agrees) = (&[3, 2, 7, 0x80][..], &[3, 2, 3, 8][..]);
    assert!(with(&[]) && with(&[signs]), "without one, and for signatures");
    assert!(with(&[&[3, 2, 6, 0x40]]), "nonRepudiation signs as well");
    assert!(!with(&[agrees]), "for something else");
    for unreadable in [&[][..], &[0x04, 0], &[3, 9, 7, 0x80], &[3, 1, 0]] {
        assert!(!with(&[unreadable]), "{unreadable:?}");
    }
    assert!(!with(&[signs, agrees]) && !with(&[agrees, signs]) && !with(&[signs, signs]), "two of them");
}

/// A CA also certifies servers and clients: they must not sign key files.
#[test]
fn rfc5280_s4_2_1_12_a_signer_needs_a_certificate_for_signing_documents() {
    use ExtendedKeyUsagePurpose as Purpose;
    let root = root(params("root", unconstrained()));
    let document_signing = || Purpose::Other(vec![1, 3, 6, 1, 5, 5, 7, 3, 36]);
    for (purposes, fits) in [
        (vec![], true),
        (vec![Purpose::CodeSigning], true),
        (vec![Purpose::EmailProtection], true),
        (vec![Purpose::Any], true),
        (vec![document_signing()], true),
        (vec![Purpose::ServerAuth, document_signing()], true),
        (vec![Purpose::ServerAuth], false),
        (vec![Purpose::ClientAuth], false),
        (vec![Purpose::ServerAuth, Purpose::ClientAuth], false),
        (vec![Purpose::TimeStamping], false),
        (vec![Purpose::OcspSigning], false),
        (vec![Purpose::Other(vec![1, 3, 6, 1, 4, 1, 1])], false),
    ] {
        for (usages, signs) in [
            (vec![], true),
            (vec![KeyUsagePurpose::DigitalSignature], true),
            (vec![KeyUsagePurpose::ContentCommitment, KeyUsagePurpose::KeyEncipherment], true),
            (vec![KeyUsagePurpose::KeyEncipherment], false),
            (vec![KeyUsagePurpose::KeyCertSign], false),
        ] {
            let mut params = signer();
            (params.extended_key_usages, params.key_usages) = (purposes.clone(), usages.clone());
            for (leaf, anchor) in [(below(params.clone(), &root), None), (self::root(params), Some(()))] {
                let anchor = if anchor.is_some() { &leaf } else { &root };
                let checked = verify(&leaf, &[], anchor);
                assert_eq!(checked.is_ok(), fits && signs, "{purposes:?} {usages:?}");
                assert!(checked.is_ok() || matches!(checked, Err(Error::KeyUse(_))), "{checked:?}");
                assert_eq!(verify_for(&leaf, &[], anchor, SignerUse::Any), Ok(()), "{purposes:?} {usages:?}");
            }
        }
    }
}

/// Trusting a signer's certificate does not extend to certificates that it issued.
#[test]
fn rfc5280_s6_1_a_trusted_signer_does_not_certify_others() {
    let root_ca = root(params("root", unconstrained()));
    let mut cannot_certify = params("an authority for revocation lists", unconstrained());
    cannot_certify.key_usages.push(KeyUsagePurpose::CrlSign);
    let mut no_constraints = params("signs certificates, without basic constraints", IsCa::NoCa);
    no_constraints.key_usages.push(KeyUsagePurpose::KeyCertSign);
    for (what, trusted) in [
        ("no extension", root(signer())),
        ("explicitly none", root(params("explicitly none", IsCa::ExplicitNoCa))),
        ("certified by another", below(signer(), &root_ca)),
        ("not for certificates", root(cannot_certify)),
        ("without basic constraints (§4.2.1.9)", root(no_constraints)),
    ] {
        let other = below(params("other signer", IsCa::NoCa), &trusted);
        assert!(verify(&other, &[], &trusted).is_err(), "{what}");
        assert!(verify(&other, &[&trusted], &trusted).is_err());
    }
    let trusted = below(signer(), &root_ca);
    assert_eq!(verify(&trusted, &[], &trusted), Ok(()), "it is trusted itself");
    let mut certifies = params("an authority that says so", unconstrained());
    certifies.key_usages.push(KeyUsagePurpose::KeyCertSign);
    let certifies = root(certifies);
    assert_eq!(verify(&below(signer(), &certifies), &[], &certifies), Ok(()));
}

#[test]
fn rfc5280_s4_2_1_9_path_length_and_dates_of_every_link() {
    let root = root(params("root", unconstrained()));
    let limited = below(params("limited", IsCa::Ca(BasicConstraints::Constrained(0))), &root);
    let middle = below(params("middle", unconstrained()), &limited);
    assert_eq!(verify(&below(signer(), &limited), &[&limited], &root), Ok(()));
    assert!(verify(&below(signer(), &middle), &[&middle, &limited], &root).is_err(), "one authority too many");

    let mut expired = params("expired", unconstrained());
    expired.not_after = date_time_ymd(2029, 12, 31);
    let expired = below(expired, &root);
    let error = verify(&below(signer(), &expired), &[&expired], &root).unwrap_err();
    assert!(error.to_string().ends_with("is not valid at this time"), "{error}");
}

#[test]
fn a_forged_certificate_signature_is_detected_at_every_octet() {
    let root = root(params("root", unconstrained()));
    let (leaf, anchor) = (der(&below(signer(), &root)), der(&root));
    assert_eq!(verify_chain(&leaf, &[], &[&anchor], NOW, SignerUse::Documents), Ok(()));
    for i in 0..leaf.len() {
        let mut changed = leaf.clone();
        changed[i] ^= 1;
        assert!(verify_chain(&changed, &[], &[&anchor], NOW, SignerUse::Documents).is_err(), "octet {i}");
    }
    assert!(
        verify_chain(&[&leaf[..], &[0]].concat(), &[], &[&anchor], NOW, SignerUse::Documents).is_err(),
        "a trailing octet"
    );
    assert_eq!(
        verify_chain(&leaf, &[b"junk"], &[b"junk", &anchor], NOW, SignerUse::Documents),
        Ok(()),
        "unrelated junk is ignored"
    );
    assert!(verify_chain(&leaf, &[], &[&anchor], u64::MAX, SignerUse::Documents).is_err());
}

/// A refusal names certificate and cause.
#[test]
fn an_untrusted_chain_is_explained() {
    let (good, other) = (root(params("root", unconstrained())), root(params("other", unconstrained())));
    let middle = below(params("middle", unconstrained()), &good);
    let dated = |from: i32, to: i32| {
        let mut params = signer();
        (params.not_before, params.not_after) = (date_time_ymd(from, 1, 1), date_time_ymd(to, 1, 1));
        params
    };
    let critical = || {
        let mut params = signer();
        let mut extension = CustomExtension::from_oid_content(&[1, 3, 6, 1, 4, 1, 99999, 1], vec![5, 0]);
        extension.set_criticality(true);
        params.custom_extensions.push(extension);
        params
    };
    let not_authority = below(params("clerk", IsCa::ExplicitNoCa), &good);
    use DistrustCause::*;
    for (leaf, between, anchor, cause, named) in [
        (below(dated(2027, 2028), &good), None, &good, Expired, "CN=signer\" has expired"),
        (below(dated(2035, 2036), &good), None, &good, NotYetValid, "CN=signer\" is not valid before"),
        (below(signer(), &good), None, &other, UnknownIssuer, "issued by \"CN=root\""),
        (below(signer(), &middle), None, &good, UnknownIssuer, "issued by \"CN=middle\""),
        (below(params("signer", unconstrained()), &good), None, &good, Authority, "is a CA certificate"),
        (below(critical(), &good), None, &good, Extension, "1.3.6.1.4.1.99999.1"),
        (below(signer(), &not_authority), Some(&not_authority), &good, NotAuthority, "CN=clerk\" is not"),
        (below(signer(), &not_authority), None, &not_authority, NotAuthority, "issued by \"CN=clerk\", whose"),
        (below(signer(), &root(params("root", unconstrained()))), None, &good, Signature, "not signed with the key"),
        (
            below(signer(), &good),
            None,
            &not_authority,
            NotAuthority,
            "the given certificate of \"CN=clerk\" is not a CA",
        ),
    ] {
        let refused = verify(&leaf, &between.into_iter().collect::<Vec<_>>(), anchor);
        assert!(refused.is_err(), "{cause:?}");
        let between: Vec<Vec<u8>> = between.into_iter().map(der).collect();
        let between: Vec<&[u8]> = between.iter().map(|der| &der[..]).collect();
        let why = distrust(&der(&leaf), &between, &[&der(anchor)], NOW);
        assert!(why.cause == cause && why.to_string().contains(named), "{cause:?}: {why}");
    }
    assert_eq!(distrust(b"junk", &[], &[], NOW).cause, Unreadable);
}
