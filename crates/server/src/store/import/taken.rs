//! A key whose `Id` is taken: by itself, or by another one.

use std::borrow::Cow;

use super::super::StoreError;
use super::super::records::Params;
use super::super::row::readable;
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
        let mut query = self.db.prepare_cached(
            "SELECT k.sealed_k_token, k.key_type, k.params, k.start_at, k.expires_at, u.name FROM key k \
             LEFT JOIN user u ON u.id = k.user_id WHERE k.id = ?",
        )?;
        let mut rows = query.query_and_then([&key.id], |row| {
            let there = (row.get(1)?, row.get(2)?, (row.get(3)?, row.get(4)?), row.get(5)?);
            Ok::<(Vec<u8>, (String, String, _, Option<String>)), StoreError>((row.get(0)?, there))
        })?;
        let Some(row) = rows.next() else { return Ok(Put::Duplicate(None)) };
        let (sealed, (key_type, params, dates, user)) = row?;
        let is_compared = key.secret_len >= LEN_TO_COMPARE;
        let open = |sealed: &[u8]| self.kek.open("key", "sealed_k_token", &key.id, sealed);
        let is_same = |stored: &[u8]| -> Result<bool, StoreError> {
            let stored = readable(open(stored).map(Some).map_err(StoreError::from))?;
            Ok(stored.as_ref() == Some(&open(&key.sealed_k_token)?))
        };
        let difference = match (Params::read(&params), Params::read(&key.params)) {
            _ if is_compared && !is_same(&sealed)? => Some("secret"),
            _ if key_type != key.key_type => Some("algorithm"),
            (Some(there), Some(new)) => there.difference(&new),
            _ => Some("parameters"), // of a row that cannot be read
        };
        let difference = difference.or((dates != (key.start_at, key.expires_at)).then_some("policy"));
        Ok(match difference {
            Some(what) => Put::Other(format!("a key with this Id exists with a different {what}").into()),
            None if key.user.is_some() && key.user != user => {
                let whose = if user.is_some() { "another user's" } else { "nobody's" };
                Put::Duplicate(Some(
                    format!("it stays {whose}, as it was: `dskpp admin key assign` changes that").into(),
                ))
            }
            None if !is_compared => Put::Duplicate(Some("a secret this short is not compared".into())),
            None => Put::Duplicate(None),
        })
    }
}
