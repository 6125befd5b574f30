//! Whether a token may be used (RFC 6030 §5).

use std::time::SystemTime;

use pskc::{DateTime, KeyUsage};

use super::Token;

/// Why a key must not be used now.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NotAllowed {
    /// Before its `StartDate`.
    #[error("the key '{id}' is not valid before {start}")]
    NotYet {
        /// The key's id.
        id: String,
        /// RFC 3339.
        start: String,
    },
    /// After its `ExpiryDate`.
    #[error("the key '{id}' expired at {expiry}")]
    Expired {
        /// The key's id.
        id: String,
        /// RFC 3339.
        expiry: String,
    },
    /// Not one of its `KeyUsage`s.
    #[error("the key '{id}' is not for this use ({usage}), but for: {allowed}")]
    Usage {
        /// The key's id.
        id: String,
        /// The use that was requested, as RFC 6030 spells it.
        usage: &'static str,
        /// The allowed uses, separated by commas.
        allowed: String,
    },
    /// Its `NumberOfTransactions` is reached.
    #[error("the key '{0}' was used as often as its policy allows")]
    UsedUp(String),
    /// The stored start or expiry date is unreadable, which allows nothing.
    #[error("the key '{0}' has an unreadable date, so it must not be used")]
    Unreadable(String),
    /// The clock is before 1970 or after 9999.
    #[error("the clock of this machine is wrong")]
    Clock,
}

impl NotAllowed {
    /// What to do about it, in words for the owner of the token.
    pub fn next(&self) -> &'static str {
        match self {
            Self::NotYet { .. } => "wait until then, or check the clock of this machine",
            Self::Expired { .. } => "check the clock of this machine, or ask the issuer for a new key",
            Self::Usage { .. } => "choose a key for this use",
            Self::UsedUp(_) => "ask the issuer for a new key",
            Self::Unreadable(_) => "import the key again",
            Self::Clock => "set the clock",
        }
    }
}

impl Token {
    /// The token to store before the key is used for `usage`: a limited number of uses is one less.
    ///
    /// Both dates must include `now`, the usage must be allowed, and a use must remain (RFC 6030 §5).
    pub fn use_for(&self, usage: KeyUsage, now: SystemTime) -> Result<Token, NotAllowed> {
        let id = || self.id.clone();
        let now = DateTime::from_clock(now).ok_or(NotAllowed::Clock)?;
        let date = |text: &Option<String>| match text.as_deref().map(str::parse::<DateTime>) {
            None => Ok(None),
            Some(date) => date.map(Some).map_err(|_| NotAllowed::Unreadable(id())),
        };
        if let (Some(start), Some(text)) = (date(&self.start)?, &self.start)
            && start > now
        {
            return Err(NotAllowed::NotYet { id: id(), start: text.clone() });
        }
        if let (Some(expiry), Some(text)) = (date(&self.expiry)?, &self.expiry)
            && expiry < now
        {
            return Err(NotAllowed::Expired { id: id(), expiry: text.clone() });
        }
        if !self.usages.is_empty() && !self.usages.iter().any(|allowed| allowed == usage.as_str()) {
            return Err(NotAllowed::Usage { id: id(), usage: usage.as_str(), allowed: self.usages.join(", ") });
        }
        let uses_left = match self.uses_left {
            Some(left) => Some(left.checked_sub(1).ok_or_else(|| NotAllowed::UsedUp(id()))?),
            None => None,
        };
        Ok(Token { uses_left, ..self.clone() })
    }
}

#[cfg(test)]
mod tests;
