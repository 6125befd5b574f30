//! Identifiers: at least 80 random bits, unique and unguessable.

use dskpp_crypto::{Random as _, SystemRandom};

use super::clock::unix_now_ms;

/// Octets of an identifier.
const LEN: usize = 10;

/// A new identifier of a row: 16 characters.
pub(crate) fn new_id() -> String {
    IdSequence::new().next()
}

/// Identifiers like those of [`new_id`], but consecutive from a random one: rows of a batch are then adjacent in the
/// indexes, which is far faster.
pub(crate) struct IdSequence(u128);

impl IdSequence {
    /// Begins at a random identifier.
    pub(crate) fn new() -> Self {
        let random = SystemRandom.bytes(LEN);
        IdSequence(random.iter().fold(0, |number, octet| number << 8 | u128::from(*octet)))
    }

    /// The next one.
    pub(crate) fn next(&mut self) -> String {
        self.0 = self.0.wrapping_add(1);
        let octets = self.0.to_be_bytes();
        let octets: &[u8; LEN] = octets.last_chunk().expect("16 octets have a last 10");
        let mut id = data_encoding::BASE32_NOPAD.encode(octets);
        id.make_ascii_lowercase();
        id
    }
}

/// Leading characters of a session or key identifier: its creation time in milliseconds since 1970, hexadecimal.
pub(crate) const SESSION_TIME_LEN: usize = 12;

/// A new identifier of a session, or of a key that a run makes: the time in milliseconds, then 80 random bits,
/// hexadecimal. Recent ones are adjacent in the store's indexes, which makes commits cheap.
pub(crate) fn new_session_id() -> String {
    let random = data_encoding::HEXUPPER.encode(&SystemRandom.bytes(LEN));
    format!("{:0len$X}{random}", unix_now_ms() & 0xFFFF_FFFF_FFFF, len = SESSION_TIME_LEN)
}
