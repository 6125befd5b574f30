//! Checks of a trigger (RFC 6063 §3.2.3, §4.2.1, profile P14) before anything is sent: anyone may have written it.

use dskpp::client::Credential;
use dskpp::message::{Platform, Trigger};
use pskc::DeviceInfo;
use reqwest::Url;

use super::error::EnrollError;
use super::request::EnrollRequest;
use crate::transport::{TransportError, printable};

impl EnrollRequest {
    /// Whether the label is valid, and whether the trigger, if any, fits this device, this client and the requested
    /// server (RFC 6063 §4.2.1). [`enroll`](crate::enroll()) begins with this check; call it to know before there is a
    /// store.
    ///
    /// # Errors
    /// [`EnrollError::Label`], [`EnrollError::AnotherDevice`], [`EnrollError::AnotherServer`], [`EnrollError::Hardware`]
    /// and [`TransportError::BadUrl`].
    pub fn check(&self) -> Result<(), EnrollError> {
        if self.label.as_deref().is_some_and(|label| !pskc::is_name(label)) {
            return Err(EnrollError::Label);
        }
        let Credential::Trigger(trigger) = &self.credential else { return Ok(()) };
        platform(trigger)?;
        if let (Some(own), Some(named)) = (&self.device, &trigger.device_identifier_data) {
            device(own, named)?;
        }
        match &trigger.server_url {
            Some(url) => server(url, self.url_s.as_deref()),
            None => Ok(()),
        }
    }
}

/// The id of the key that the trigger renews (profile P21: UTF-8).
pub(super) fn key_id(trigger: &Trigger) -> Result<Option<&str>, EnrollError> {
    let Some(octets) = &trigger.key_id else { return Ok(None) };
    let text = std::str::from_utf8(octets);
    text.map(Some).map_err(|_| EnrollError::NothingToRenew(printable(&String::from_utf8_lossy(octets))))
}

/// This client is software and cannot promise hardware.
fn platform(trigger: &Trigger) -> Result<(), EnrollError> {
    let info = trigger.token_platform_info.unwrap_or_default();
    if info.key_location == Some(Platform::Hardware) {
        return Err(EnrollError::Hardware("the key be kept"));
    }
    if info.algorithm_location == Some(Platform::Hardware) {
        return Err(EnrollError::Hardware("the key's algorithm run"));
    }
    Ok(())
}

/// The trigger must be for this device, as far as this device is known.
fn device(own: &(String, String), named: &DeviceInfo) -> Result<(), EnrollError> {
    let differs = |named: &Option<String>, own: &String| named.as_ref().is_some_and(|named| named != own);
    if !differs(&named.manufacturer, &own.0) && !differs(&named.serial_no, &own.1) {
        return Ok(());
    }
    let part = |text: &Option<String>| text.as_deref().map_or("?".to_owned(), printable);
    let named = format!("{}:{}", part(&named.manufacturer), part(&named.serial_no));
    Err(EnrollError::AnotherDevice { named, own: format!("{}:{}", own.0, own.1) })
}

/// The trigger's server must be the requested one, octet for octet (profile P13), and its URL must not mislead a reader.
fn server(url: &str, asked: Option<&str>) -> Result<(), EnrollError> {
    let bad = |reason: &str| TransportError::BadUrl { url: printable(url), reason: reason.to_owned() };
    if !url.bytes().all(|octet| octet.is_ascii_graphic()) {
        return Err(bad("the trigger's URL contains characters that are not allowed in a URL").into());
    }
    let parsed = Url::parse(url).map_err(|why| bad(&format!("the trigger's URL is invalid: {why}")))?;
    if !parsed.username().is_empty() || parsed.password().is_some() {
        return Err(bad("the trigger's URL contains a user name, which looks like a host").into());
    }
    match asked {
        Some(asked) if asked != url => Err(EnrollError::AnotherServer(url.to_owned())),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::enroll::enroll;
    use crate::store::{FileStore, TokenStore as _, Unlock};
    use crate::transport::tests::transport;
    use dskpp::message::{AuthenticationCodeMac, AuthenticationData, Mac, TokenPlatformInfo};
    use dskpp::version::Version;
    use dskpp_crypto::Secret;

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

    fn device(manufacturer: Option<&str>, serial: Option<&str>) -> Option<DeviceInfo> {
        let [manufacturer, serial_no] = [manufacturer, serial].map(|part| part.map(str::to_owned));
        Some(DeviceInfo { manufacturer, serial_no, ..DeviceInfo::default() })
    }

    #[test]
    fn s4_2_1_a_trigger_must_name_this_device() {
        for (manufacturer, serial, fits) in [
            (Some("Acme"), Some("7"), true),
            (Some("Acme"), None, true),
            (None, Some("7"), true),
            (None, None, true),
            (Some("Acme"), Some("8"), false),
            (Some("Acme"), Some("07"), false),
            (Some("Acme"), Some(""), false),
            (Some("acme"), Some("7"), false),
            (Some("Acme "), Some("7"), false),
            (None, Some("8"), false),
            (Some("Ac\u{200b}me"), Some("7"), false),
        ] {
            let named = device(manufacturer, serial);
            let trigger = Trigger { device_identifier_data: named, ..trigger("https://keys.example/dskpp") };
            let unnamed = of(trigger);
            assert!(unnamed.check().is_ok(), "an unnamed client accepts any device");
            let request = EnrollRequest { device: Some(("Acme".into(), "7".into())), ..unnamed };
            match (request.check(), fits) {
                (Ok(()), true) | (Err(EnrollError::AnotherDevice { .. }), false) => {}
                (other, _) => panic!("{manufacturer:?} {serial:?}: {other:?}"),
            }
        }
        let hostile = device(Some("\u{9b}2J\u{1b}]0;x\u{7}"), None);
        let trigger = Trigger { device_identifier_data: hostile, ..trigger("https://keys.example/dskpp") };
        let request = EnrollRequest { device: Some(("Acme".into(), "7".into())), ..of(trigger) };
        let message = request.check().unwrap_err().to_string();
        assert!(
            message.contains(r"\u{9b}2J\u{1b}]0;x\u{7}:?") && !message.chars().any(char::is_control),
            "{message:?}"
        );
    }

    #[test]
    fn s8_2_hardware_is_refused_by_software() {
        use Platform::{Hardware, Software, Unspecified};
        let soft = [None, Some(Software), Some(Unspecified)];
        for key_location in [None, Some(Software), Some(Unspecified), Some(Hardware)] {
            for algorithm_location in [None, Some(Software), Some(Unspecified), Some(Hardware)] {
                let info = TokenPlatformInfo { key_location, algorithm_location };
                let request = of(Trigger { token_platform_info: Some(info), ..trigger("https://keys.example/dskpp") });
                let fits = soft.contains(&key_location) && soft.contains(&algorithm_location);
                match (request.check(), fits) {
                    (Ok(()), true) | (Err(EnrollError::Hardware(_)), false) => {}
                    (other, _) => panic!("{info:?}: {other:?}"),
                }
            }
        }
    }

    #[test]
    fn p13_p14_a_triggers_server_is_the_requested_one_and_has_no_misleading_url() {
        let url = "https://keys.example/dskpp";
        let asked = |asked: Option<&str>, url: &str| {
            let request = EnrollRequest { url_s: asked.map(str::to_owned), ..of(trigger(url)) };
            request.check()
        };
        assert!(asked(None, url).is_ok() && asked(Some(url), url).is_ok());
        for other in ["https://keys.example/dskpp/", "https://KEYS.example/dskpp", "https://keys.example:443/dskpp"] {
            assert!(matches!(asked(Some(url), other), Err(EnrollError::AnotherServer(named)) if named == other));
        }
        for bad in [
            "keyprovservice.example.com", // RFC 6063 Appendix B.1
            "",
            "/dskpp",
            "https://",
            "https://keys.example@evil.example/dskpp",
            "https://keys.example:x@evil.example/dskpp",
            "https://k\u{435}ys.example/dskpp",
            "https://keys.example/\u{202e}ppksd",
            "https://keys.example/ dskpp",
            "https://keys.example/\u{1b}[2J",
        ] {
            for asked_for in [None, Some(url)] {
                let error = asked(asked_for, bad).unwrap_err();
                assert!(matches!(error, EnrollError::Transport(TransportError::BadUrl { .. })), "{bad:?}: {error:?}");
                assert!(!error.to_string().chars().any(char::is_control), "{error:?}");
            }
        }
    }

    #[test]
    fn p21_the_key_id_of_a_trigger_is_utf_8() {
        let with = |key_id: Option<&[u8]>| Trigger { key_id: key_id.map(<[u8]>::to_vec), ..trigger("https://a/") };
        assert_eq!(key_id(&with(None)).unwrap(), None);
        assert_eq!(key_id(&with(Some("K\u{e9}1".as_bytes()))).unwrap(), Some("K\u{e9}1"));
        assert!(matches!(key_id(&with(Some(b"key\xff"))), Err(EnrollError::NothingToRenew(_))));
    }

    /// No connection is attempted: nothing listens at these addresses, so the error would differ.
    #[tokio::test]
    async fn s3_2_3_nothing_is_sent_for_a_trigger_that_does_not_fit() {
        let folder = tempfile::tempdir().unwrap();
        let unlock = Unlock::Passphrase(Secret::from_slice(b"correct horse"));
        let mut store = FileStore::open_or_create(&folder.path().join("tokens"), &unlock).unwrap();
        let url = "https://keys.invalid/dskpp";
        let hardware = TokenPlatformInfo { key_location: Some(Platform::Hardware), algorithm_location: None };
        type Fits = fn(&EnrollError) -> bool;
        let cases: [(EnrollRequest, Fits); 8] = [
            (of(Trigger { server_url: None, ..trigger(url) }), |error| matches!(error, EnrollError::NoUrl)),
            (of(Trigger { token_platform_info: Some(hardware), ..trigger(url) }), |error| {
                matches!(error, EnrollError::Hardware(_))
            }),
            (
                of(Trigger { key_id: Some(b"\x1b[2J".to_vec()), ..trigger(url) }),
                |error| matches!(error, EnrollError::NothingToRenew(id) if id == r"\u{1b}[2J"),
            ),
            (of(Trigger { key_id: Some(vec![0xff]), ..trigger(url) }), |error| {
                matches!(error, EnrollError::NothingToRenew(_))
            }),
            (
                EnrollRequest {
                    renew: Some("mine".into()),
                    ..of(Trigger { key_id: Some(b"other".to_vec()), ..trigger(url) })
                },
                |error| matches!(error, EnrollError::RenewsAnother(id) if id == "other"),
            ),
            (of(trigger("http://keys.invalid/dskpp")), |error| {
                matches!(error, EnrollError::Transport(TransportError::NotHttps(_)))
            }),
            (of(trigger("file:///etc/passwd")), |error| {
                matches!(error, EnrollError::Transport(TransportError::BadUrl { .. }))
            }),
            (of(trigger("javascript:alert(1)")), |error| {
                matches!(error, EnrollError::Transport(TransportError::BadUrl { .. }))
            }),
        ];
        for (number, (request, fits)) in cases.into_iter().enumerate() {
            let error = enroll(&transport(), &mut store, request).await.unwrap_err();
            assert!(fits(&error), "case {number}: {error:?}");
            assert!(!error.to_string().chars().any(char::is_control), "{error:?}");
        }
        assert!(store.load().unwrap().iter().next().is_none());
    }
}
