//! Verifies a time-based one-time password (RFC 6238), and refuses the same one a second time.

use dskpp_crypto::Secret;
use dskpp_otp::{Digits, Hash, Totp};

fn main() -> Result<(), dskpp_otp::Error> {
    let totp = Totp::new(Digits::new(8)?, 30, Hash::Sha1)?;
    let key = Secret::from_slice(b"12345678901234567890");
    let now = 1_111_111_109; // seconds since 1970-01-01 UTC

    let (drift, window) = (0, 1); // one step early or late is accepted
    let accepted = totp.check(&key, now, drift, window, None, "07081804").expect("the right password");

    // Store the accepted step: a password that was used once is not accepted again.
    let again = totp.check(&key, now, accepted.drift, window, Some(accepted.step), "07081804");
    assert!(again.is_none());
    assert!(totp.check(&key, now, drift, window, None, "00000000").is_none());
    Ok(())
}
