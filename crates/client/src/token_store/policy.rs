//! What a token may be used for, decided in one place (RFC 6030 §5).

use jiff::Timestamp;
use pskc::{DateTime, KeyUsage};

use super::Token;

/// Why a key must not be used now.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NotAllowed {
    /// Its `StartDate` is to come.
    #[error("the key '{id}' may be used only from {start}")]
    NotYet {
        /// The key's id.
        id: String,
        /// RFC 3339.
        start: String,
    },
    /// Its `ExpiryDate` has passed.
    #[error("the key '{id}' has expired: it could be used until {expiry}; ask its issuer for another")]
    Expired {
        /// The key's id.
        id: String,
        /// RFC 3339.
        expiry: String,
    },
    /// Its `KeyUsage`s are others.
    #[error("the key '{id}' is not for this use ({usage}), but for: {allowed}")]
    Usage {
        /// The key's id.
        id: String,
        /// What was asked for, as RFC 6030 spells it.
        usage: &'static str,
        /// The uses that are allowed, with commas between.
        allowed: String,
    },
    /// Its `NumberOfTransactions` was reached.
    #[error("the key '{0}' was used as often as its policy allows: ask its issuer for another")]
    UsedUp(String),
    /// The store has a date that cannot be read, which allows nothing.
    #[error("the key '{0}' has a date that cannot be read, so it must not be used: import it again")]
    Unreadable(String),
}

impl Token {
    /// Whether the key may be used for `usage` at the time `now`: both dates include it, the usage is among those
    /// named if any are, and uses are left (RFC 6030 §5). It counts nothing:
    /// [`TokenStore::count_use`](super::TokenStore::count_use) does, before the result of the use is given out.
    pub fn check_use(&self, usage: KeyUsage, now: Timestamp) -> Result<(), NotAllowed> {
        let id = || self.id.clone();
        let date = |text: &Option<String>| match text.as_deref().map(str::parse::<DateTime>) {
            None => Ok(None),
            Some(date) => date.map(Some).map_err(|_| NotAllowed::Unreadable(id())),
        };
        if let (Some(start), Some(text)) = (date(&self.start)?, &self.start)
            && start > now.into()
        {
            return Err(NotAllowed::NotYet { id: id(), start: text.clone() });
        }
        if let (Some(expiry), Some(text)) = (date(&self.expiry)?, &self.expiry)
            && expiry < now.into()
        {
            return Err(NotAllowed::Expired { id: id(), expiry: text.clone() });
        }
        if !self.usages.is_empty() && !self.usages.iter().any(|allowed| allowed == usage.as_str()) {
            return Err(NotAllowed::Usage { id: id(), usage: usage.as_str(), allowed: self.usages.join(", ") });
        }
        if self.uses_left == Some(0) {
            return Err(NotAllowed::UsedUp(id()));
        }
        Ok(())
    }
}
