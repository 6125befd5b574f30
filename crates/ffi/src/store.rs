//! The tokens and the notes of unfinished runs, and the octets that the caller keeps.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use dskpp_token::json::{Fields, JsonWriter};
use dskpp_token::{OtpInput, Runs, Secret, Tokens};

use crate::error::Fault;

/// What the octets begin with; then the length of the tokens (four octets, big-endian), the tokens, and the notes, both in
/// JSON.
const MAGIC: &[u8] = b"dskpp\x01";

/// Tokens and notes.
#[derive(Debug, Default)]
pub struct Store {
    pub(crate) tokens: Tokens,
    pub(crate) runs: Runs,
}

impl Store {
    /// Reads the octets of [`write`](Self::write); none at all are an empty store.
    ///
    /// # Errors
    /// They are anything else, or of a later version.
    pub fn read(octets: &[u8]) -> Result<Self, Fault> {
        if octets.is_empty() {
            return Ok(Store::default());
        }
        Self::parse(octets).ok_or_else(|| {
            Fault::new("badStore", "the stored tokens are damaged, or of a later version", "use the newest version")
        })
    }

    fn parse(octets: &[u8]) -> Option<Self> {
        let (len, rest) = octets.strip_prefix(MAGIC)?.split_first_chunk::<4>()?;
        let (tokens, runs) = rest.split_at_checked(usize::try_from(u32::from_be_bytes(*len)).ok()?)?;
        Some(Store {
            tokens: Tokens::from_json(&Secret::from_slice(tokens))?,
            runs: Runs::from_json(&Secret::from_slice(runs))?,
        })
    }

    /// The octets to keep, with the keys in the clear.
    pub fn write(&self) -> Vec<u8> {
        let (tokens, runs) = (self.tokens.to_json(), self.runs.to_json());
        let len = u32::try_from(tokens.len()).unwrap_or(u32::MAX); // 4 GiB of tokens are not read again
        [MAGIC, &len.to_be_bytes(), tokens.expose(), runs.expose()].concat()
    }

    pub(crate) fn otp(&mut self, input: &[u8]) -> Result<Vec<u8>, Fault> {
        let mut from = Fields::parse(input);
        let (id, now, challenge) = (from.required_text("id"), from.seconds("now"), from.text("challenge"));
        let pin = from.text("pin").map(|pin| Secret::from(pin.into_bytes()));
        end(from)?;
        let now = time(now)?;
        let mut inputs = OtpInput::at(now);
        if let Some(challenge) = &challenge {
            inputs = inputs.challenge(challenge);
        }
        if let Some(pin) = &pin {
            inputs = inputs.pin(pin);
        }
        let before = self.tokens.get(&id).cloned();
        let otp = self.tokens.otp(&id, &inputs)?;
        let until = |left| now.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs()) + left;
        let changed = self.tokens.get(&id) != before.as_ref();
        Ok(JsonWriter::object(|to| {
            to.text("code", Some(otp.code.as_str()));
            to.number("validFor", otp.valid_for_s);
            to.number("validUntil", otp.valid_for_s.map(until));
            to.flag("changed", changed);
        }))
    }

    pub(crate) fn change(&mut self, change: &[u8]) -> Result<Vec<u8>, Fault> {
        let mut from = Fields::parse(change);
        let (rename, label) = (from.text("rename"), from.text("label"));
        let (delete, forget_replaced) = (from.text("delete"), from.text("forgetReplaced"));
        end(from)?;
        match (rename, delete, forget_replaced, &label) {
            (Some(id), None, None, _) => self.tokens.rename(&id, label)?,
            (None, Some(id), None, None) => drop(self.tokens.delete(&id)?),
            (None, None, Some(id), None) => drop(self.tokens.forget_replaced(&id)?),
            _ => return Err(Fault::misuse("not one change")),
        }
        Ok(Vec::new())
    }
}

/// The caller's JSON must have nothing else.
pub(crate) fn end(from: Fields) -> Result<(), Fault> {
    from.end().map_err(Fault::misuse)
}

/// A time of the caller, in seconds since 1970.
pub(crate) fn time(now_s: f64) -> Result<SystemTime, Fault> {
    let since = Duration::try_from_secs_f64(now_s).ok().and_then(|since| UNIX_EPOCH.checked_add(since));
    since.ok_or_else(|| Fault::misuse("`now` is not a time in seconds since 1970"))
}
