//! What an enrolment is, in words for its user.

use jiff::Timestamp;
use serde_json::json;

use crate::model::{EnrolmentRecord, KeyType, Location, Method, Variant};
use crate::pages::language::Language;
use crate::pages::portal::Portal;

/// For whom an enrolment is, what for, and until when.
pub(super) struct Facts {
    pub(super) user: String,
    pub(super) what: String,
    /// RFC 3339.
    pub(super) until: String,
    /// The device that it is for.
    pub(super) device: Option<String>,
    /// Whether the token in the browser can have the key.
    pub(super) is_for_browser: bool,
}

impl Facts {
    /// `None` if no calendar has the time at which the enrolment expires.
    pub(super) fn of(enrolment: &EnrolmentRecord, language: Language) -> Option<Self> {
        let until = Timestamp::from_second(enrolment.expires_at).ok()?;
        let device = enrolment.device.as_ref().map(|device| format!("{} {}", device.manufacturer, device.serial));
        Some(Facts {
            user: enrolment.user.clone(),
            what: what(enrolment, language),
            until: until.to_string(),
            is_for_browser: device.is_none() && is_for_browser(enrolment),
            device,
        })
    }

    /// For programs that show it to their user; times are RFC 3339.
    pub(super) fn as_json(&self, portal: &Portal) -> serde_json::Value {
        json!({
            "issuer": portal.issuer,
            "user": self.user,
            "what": self.what,
            "expires_at": self.until,
            "device": self.device,
            "help": Some(&portal.help).filter(|help| !help.is_empty()),
        })
    }
}

/// A browser shows codes, is no hardware, and has no key of its own to which a key could be encrypted.
fn is_for_browser(enrolment: &EnrolmentRecord) -> bool {
    let is_hardware = |location| location == Some(Location::Hardware);
    let needs_own_key = enrolment.variant == Some(Variant::TwoPass)
        && !enrolment.methods.is_empty()
        && !enrolment.methods.contains(&Method::PassphraseWrap);
    matches!(enrolment.key_type, KeyType::Hotp | KeyType::Totp | KeyType::Ocra)
        && !is_hardware(enrolment.key_location)
        && !is_hardware(enrolment.algorithm_location)
        && !needs_own_key
}

fn what(enrolment: &EnrolmentRecord, language: Language) -> String {
    let message = match enrolment.key_type {
        KeyType::Totp => "link_what_totp",
        KeyType::Hotp => "link_what_hotp",
        KeyType::Ocra => "link_what_ocra",
        _ => "link_what_key",
    };
    let params = &enrolment.params;
    let text = language
        .message(message)
        .replace("{digits}", &params.digits.unwrap_or(6).to_string())
        .replace("{period}", &params.period_s().to_string());
    match enrolment.renews {
        Some(_) => format!("{text} {}", language.message("link_renews")),
        None => text,
    }
}
