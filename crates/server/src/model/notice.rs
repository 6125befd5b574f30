//! What is told to people and systems: a key or certificate that ends soon, a lost token. No notice has a secret.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// What a notice is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Event {
    /// A key ends soon.
    #[serde(rename = "key.expiring")]
    KeyExpiring,
    /// A certificate of this server ends soon.
    #[serde(rename = "certificate.expiring")]
    CertificateExpiring,
    /// The keys of a user were taken out of use.
    #[serde(rename = "user.lost")]
    UserLost,
}

impl Event {
    /// Its name.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Event::KeyExpiring => "key.expiring",
            Event::CertificateExpiring => "certificate.expiring",
            Event::UserLost => "user.lost",
        }
    }
}

/// A notice.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Notice {
    /// What it says, in one text: of two notices with the same one, only the first is sent.
    pub(crate) id: String,
    /// What it is about.
    pub(crate) event: Event,
    /// When it was made, in seconds since 1970.
    pub(crate) at: i64,
    /// The user whom it is about, by name.
    pub(crate) user: Option<String>,
    /// The rest, for programs.
    pub(crate) data: Map<String, Value>,
}

/// A way to send notices.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Channel {
    /// The operators' webhook.
    Webhook,
    /// Mail to operators.
    Operators,
    /// Mail to the user whom it is about.
    User,
}

impl Channel {
    /// Every channel.
    pub(crate) const ALL: [Channel; 3] = [Channel::Webhook, Channel::Operators, Channel::User];

    /// Its name.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Channel::Webhook => "webhook",
            Channel::Operators => "operators",
            Channel::User => "user",
        }
    }
}
