//! A key whose `Id` is taken: by itself, or by another one.

use std::borrow::Cow;

use super::super::StoreError;
use super::super::columns::{listed, readable};
use super::super::export::outgoing;
use super::{ImportedKey, Writing};

/// Shortest secret, in octets, of which a duplicate is told whether it is the same: of a PIN that would be a way to
/// guess it.
const LEN_TO_COMPARE: usize = 16;

/// What became of a key.
pub(super) enum Put {
    Stored,
    /// The same key is there already. With what is to be said of it.
    Duplicate(Option<Cow<'static, str>>),
    /// Another key of its `Id` is there.
    Other(Cow<'static, str>),
}

impl Writing<'_> {
    /// How the stored key of that `Id` differs, as far as that may be said.
    pub(super) fn taken(&self, key: &ImportedKey) -> Result<Put, StoreError> {
        let there = match listed(outgoing(self.db, &key.id).wait())? {
            Ok(Some(there)) => there,
            Ok(None) => return Ok(Put::Duplicate(None)),
            Err(_) => return Ok(Put::Other("a key with this Id exists, and cannot be read".into())),
        };
        let record = there.record;
        let is_compared = key.secret_len >= LEN_TO_COMPARE;
        let open = |sealed: &[u8]| self.kek.open("key", "sealed_k_token", &key.id, sealed);
        let is_same = || -> Result<bool, StoreError> {
            let stored = readable(open(&there.sealed_k_token).map(Some).map_err(StoreError::from))?;
            Ok(stored.as_ref() == Some(&open(&key.sealed_k_token)?))
        };
        let difference = match record.params.difference(&key.params) {
            _ if is_compared && !is_same()? => Some("secret"),
            _ if record.key_type != key.key_type => Some("algorithm"),
            None if (record.start_at, record.expires_at) != (key.start_at, key.expires_at) => Some("policy"),
            difference => difference,
        };
        Ok(match difference {
            Some(what) => Put::Other(format!("a key with this Id exists with a different {what}").into()),
            None if key.user.is_some() && key.user != record.user => {
                let whose = if record.user.is_some() { "another user's" } else { "nobody's" };
                Put::Duplicate(Some(
                    format!("it stays {whose}, as it was: `dskpp admin key assign` changes that").into(),
                ))
            }
            None if !is_compared => Put::Duplicate(Some("a secret this short is not compared".into())),
            None => Put::Duplicate(None),
        })
    }
}
