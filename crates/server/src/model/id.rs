//! Identifiers: 80 random bits and more, so that no two are alike and none can be guessed.

use dskpp_crypto::{Random as _, SystemRandom};

use super::clock::unix_now_ms;

/// Octets of an identifier before it is text.
const LEN: usize = 10;

/// A new identifier of a row: 16 characters.
pub(crate) fn new_id() -> String {
    Ids::new().next()
}

/// Identifiers as [`new_id`] makes them, but one after the other from a random one on: rows of a batch then stand
/// together in the indexes, which is far faster.
pub(crate) struct Ids(u128);

impl Ids {
    /// Begins anywhere.
    pub(crate) fn new() -> Self {
        let random = SystemRandom.bytes(LEN);
        Ids(random.iter().fold(0, |number, octet| number << 8 | u128::from(*octet)))
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

/// Characters of the identifier of a session or a key that tell when it was made: the milliseconds since 1970,
/// hexadecimal.
pub(crate) const SESSION_TIME_LEN: usize = 12;

/// A new identifier of a session, or of a key that a run makes: the time in milliseconds, then 80 random bits,
/// hexadecimal. Those of one time stand together in the store's indexes, which is what makes many commits cheap.
pub(crate) fn new_session_id() -> String {
    let random = data_encoding::HEXUPPER.encode(&SystemRandom.bytes(LEN));
    format!("{:0len$X}{random}", unix_now_ms() & 0xFFFF_FFFF_FFFF, len = SESSION_TIME_LEN)
}
