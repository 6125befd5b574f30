//! Checks of a trigger (RFC 6063 §3.2.3, §4.2.1, profile P14) before anything is sent: anyone may have written it.

use dskpp::client::Credential;
use dskpp::message::{Platform, Trigger};
use pskc::{DeviceInfo, Shown};

use super::error::EnrolmentError;
use super::request::EnrollRequest;

impl EnrollRequest {
    /// Whether the label is valid, and whether the trigger, if any, fits this device, this client and the requested
    /// server (RFC 6063 §4.2.1). An enrolment begins with this check; call it to know before there is a
    /// store.
    ///
    /// # Errors
    /// [`EnrolmentError::Label`], [`EnrolmentError::AnotherDevice`], [`EnrolmentError::AnotherServer`], [`EnrolmentError::Hardware`]
    /// and [`EnrolmentError::BadUrl`].
    pub fn check(&self) -> Result<(), EnrolmentError> {
        if self.label.as_deref().is_some_and(|label| !pskc::is_name(label)) {
            return Err(EnrolmentError::Label);
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
pub(super) fn key_id(trigger: &Trigger) -> Result<Option<&str>, EnrolmentError> {
    let Some(octets) = &trigger.key_id else { return Ok(None) };
    let text = std::str::from_utf8(octets);
    text.map(Some).map_err(|_| EnrolmentError::NothingToRenew(Shown(&String::from_utf8_lossy(octets)).to_string()))
}

/// This client is software and cannot promise hardware.
fn platform(trigger: &Trigger) -> Result<(), EnrolmentError> {
    let info = trigger.token_platform_info.unwrap_or_default();
    if info.key_location == Some(Platform::Hardware) {
        return Err(EnrolmentError::Hardware("the key be kept"));
    }
    if info.algorithm_location == Some(Platform::Hardware) {
        return Err(EnrolmentError::Hardware("the key's algorithm run"));
    }
    Ok(())
}

/// The trigger must be for this device, as far as this device is known.
fn device(own: &(String, String), named: &DeviceInfo) -> Result<(), EnrolmentError> {
    let differs = |named: &Option<String>, own: &String| named.as_ref().is_some_and(|named| named != own);
    if !differs(&named.manufacturer, &own.0) && !differs(&named.serial_no, &own.1) {
        return Ok(());
    }
    let part = |text: &Option<String>| text.as_deref().map_or("?".to_owned(), |text| Shown(text).to_string());
    let named = format!("{}:{}", part(&named.manufacturer), part(&named.serial_no));
    Err(EnrolmentError::AnotherDevice { named, own: format!("{}:{}", own.0, own.1) })
}

/// The trigger's server must be the requested one, octet for octet (profile P13), and its URL must not mislead a reader.
fn server(url: &str, asked: Option<&str>) -> Result<(), EnrolmentError> {
    if let Some(reason) = fault(url) {
        return Err(EnrolmentError::BadUrl { url: url.to_owned(), reason });
    }
    match asked {
        Some(asked) if asked != url => Err(EnrolmentError::AnotherServer(url.to_owned())),
        _ => Ok(()),
    }
}

/// What is wrong with the URL of a trigger. Whether anything is sent there is for the host to decide.
fn fault(url: &str) -> Option<&'static str> {
    // Browsers read a backslash as a slash: its host would not be the one that a reader sees.
    if !url.bytes().all(|octet| octet.is_ascii_graphic() && octet != b'\\') {
        return Some("the trigger's URL contains characters that are not allowed in a URL");
    }
    let (scheme, rest) = url.split_once("://").unwrap_or_default();
    if !["https", "http"].iter().any(|known| known.eq_ignore_ascii_case(scheme)) {
        return Some("the trigger's URL does not begin with https://");
    }
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    match (authority.is_empty(), authority.contains('@')) {
        (true, _) => Some("the trigger's URL names no host"),
        (_, true) => Some("the trigger's URL contains a user name, which looks like a host"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use dskpp::message::{AuthenticationCodeMac, AuthenticationData, Mac, TokenPlatformInfo};
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
                (Ok(()), true) | (Err(EnrolmentError::AnotherDevice { .. }), false) => {}
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
                    (Ok(()), true) | (Err(EnrolmentError::Hardware(_)), false) => {}
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
            assert!(matches!(asked(Some(url), other), Err(EnrolmentError::AnotherServer(named)) if named == other));
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
            "https://evil.example\\@keys.example/dskpp",
            "https:///keys.example/dskpp",
            "https:keys.example/dskpp",
            "file:///etc/passwd",
            "javascript:alert(1)",
        ] {
            for asked_for in [None, Some(url)] {
                let error = asked(asked_for, bad).unwrap_err();
                assert!(matches!(error, EnrolmentError::BadUrl { .. }), "{bad:?}: {error:?}");
                assert!(!error.to_string().chars().any(char::is_control), "{error:?}");
            }
        }
    }

    #[test]
    fn p21_the_key_id_of_a_trigger_is_utf_8() {
        let with = |key_id: Option<&[u8]>| Trigger { key_id: key_id.map(<[u8]>::to_vec), ..trigger("https://a/") };
        assert_eq!(key_id(&with(None)).unwrap(), None);
        assert_eq!(key_id(&with(Some("K\u{e9}1".as_bytes()))).unwrap(), Some("K\u{e9}1"));
        assert!(matches!(key_id(&with(Some(b"key\xff"))), Err(EnrolmentError::NothingToRenew(_))));
    }
}
