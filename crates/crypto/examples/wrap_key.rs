//! Derives a key from a password and wraps another key with it (RFC 8018, RFC 3394).

use std::num::NonZeroU32;

use dskpp_crypto::{Pbkdf2Prf, Random, SystemRandom, aes_unwrap, aes_wrap, pbkdf2};

fn main() -> Result<(), dskpp_crypto::Error> {
    let salt = SystemRandom.bytes(16);
    let iterations = NonZeroU32::new(100_000).expect("not 0");
    let kek = pbkdf2(Pbkdf2Prf::HmacSha256, b"correct horse", &salt, iterations, 32);

    let key = SystemRandom.secret(16);
    let wrapped = aes_wrap(kek.expose(), key.expose())?;
    assert_eq!(aes_unwrap(kek.expose(), &wrapped)?, key);

    // AES key wrap detects every change.
    let mut changed = wrapped;
    changed[0] ^= 1;
    assert!(aes_unwrap(kek.expose(), &changed).is_err());
    Ok(())
}
