//! What people read.

use pskc::DateTime;
use serde_json::Value;

use crate::model::notice::{Event, Notice};

/// A mail's subject and text, before the template.
pub(super) fn subject_and_text(notice: &Notice, for_user: bool) -> (String, String) {
    let member = |name: &str| match notice.data.get(name) {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Null) | None => "?".to_owned(),
        Some(other) => other.to_string(),
    };
    let user = notice.user.as_deref().unwrap_or("somebody");
    match (notice.event, for_user) {
        (Event::KeyExpiring, _) => (
            format!("Your key expires on {}", day(&member("expires_at"))),
            format!(
                "The key {} ({}) of {user} expires at {}. Renew it before then, or ask for a new one.",
                member("key_id"),
                member("key_type"),
                member("expires_at"),
            ),
        ),
        (Event::CertificateExpiring, _) => (
            format!("The certificate of {} expires on {}", member("certificate"), day(&member("expires_at"))),
            format!(
                "The certificate of {} of the DSKPP server {} expires at {}. Replace it in time.",
                member("certificate"),
                member("server"),
                member("expires_at"),
            ),
        ),
        (Event::UserLost, true) => (
            "Your keys were taken out of use".to_owned(),
            format!(
                "All keys of {user} were taken out of use, because a token was reported as lost. You get the link for a new \
                 one from whoever took the report. If nobody should have reported that, tell them at once."
            ),
        ),
        (Event::UserLost, false) => (
            format!("The keys of {user} were taken out of use"),
            format!(
                "A token of {user} was reported as lost. Keys taken out of use: {}. A new enrolment was made.",
                member("keys")
            ),
        ),
    }
}

/// RFC 3339, for programs and people.
pub(super) fn time(unix_s: i64) -> Option<String> {
    DateTime::from_unix_s(unix_s).map(|time| time.to_string())
}

fn day(time: &str) -> &str {
    time.split('T').next().unwrap_or(time)
}
