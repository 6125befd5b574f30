//! A trigger that does not fit: nothing is sent.

use super::*;
use crate::{TransportError, Trigger};
use dskpp::message::{AuthenticationCodeMac, AuthenticationData, Mac, Platform, TokenPlatformInfo};
use dskpp::version::Version;

fn trigger(url: &str) -> Trigger {
    Trigger {
        version: Version::V1_0,
        device_identifier_data: None,
        key_id: None,
        token_platform_info: None,
        authentication_data: AuthenticationData {
            client_id: Some("AC00000A".into()),
            authentication_code_mac: AuthenticationCodeMac {
                nonce: Some(vec![1; 32]),
                iteration_count: Some(100_000),
                mac: Mac { algorithm: None, value: vec![2; 32] },
            },
        },
        server_url: Some(url.to_owned()),
    }
}

fn of(trigger: Trigger) -> EnrollRequest {
    EnrollRequest::new(None, Credential::Trigger(Box::new(trigger)))
}

/// No connection is attempted: nothing listens at these addresses, so the error would differ.
#[tokio::test]
async fn s3_2_3_nothing_is_sent_for_a_trigger_that_does_not_fit() {
    let folder = tempfile::tempdir().unwrap();
    let unlock = Unlock::Passphrase(Secret::from_slice(b"correct horse"));
    let mut store = FileStore::open_or_create(&folder.path().join("tokens"), &unlock).unwrap();
    let url = "https://keys.invalid/dskpp";
    let hardware = TokenPlatformInfo { key_location: Some(Platform::Hardware), algorithm_location: None };
    let mut renews_another = of(Trigger { key_id: Some(b"other".to_vec()), ..trigger(url) });
    renews_another.renew = Some("mine".into());
    type Fits = fn(&EnrollError) -> bool;
    let cases: [(EnrollRequest, Fits); 8] = [
        (of(Trigger { server_url: None, ..trigger(url) }), |error| {
            matches!(error, EnrollError::Enrolment(EnrolmentError::NoUrl))
        }),
        (of(Trigger { token_platform_info: Some(hardware), ..trigger(url) }), |error| {
            matches!(error, EnrollError::Enrolment(EnrolmentError::Hardware(_)))
        }),
        (
            of(Trigger { key_id: Some(b"\x1b[2J".to_vec()), ..trigger(url) }),
            |error| matches!(error, EnrollError::Enrolment(EnrolmentError::NothingToRenew(id)) if id == r"\u{1b}[2J"),
        ),
        (of(Trigger { key_id: Some(vec![0xff]), ..trigger(url) }), |error| {
            matches!(error, EnrollError::Enrolment(EnrolmentError::NothingToRenew(_)))
        }),
        (
            renews_another,
            |error| matches!(error, EnrollError::Enrolment(EnrolmentError::RenewsAnother(id)) if id == "other"),
        ),
        (of(trigger("http://keys.invalid/dskpp")), |error| {
            matches!(error, EnrollError::Transport(TransportError::NotHttps(_)))
        }),
        (of(trigger("file:///etc/passwd")), |error| {
            matches!(error, EnrollError::Enrolment(EnrolmentError::BadUrl { .. }))
        }),
        (of(trigger("javascript:alert(1)")), |error| {
            matches!(error, EnrollError::Enrolment(EnrolmentError::BadUrl { .. }))
        }),
    ];
    for (number, (request, fits)) in cases.into_iter().enumerate() {
        let error = enroll(&transport(), &mut store, request).await.unwrap_err();
        assert!(fits(&error), "case {number}: {error:?}");
        assert!(!error.to_string().chars().any(char::is_control), "{error:?}");
    }
    assert!(store.load().unwrap().iter().next().is_none());
}
