//! What is allowed: how long who has guessed wrong waits, which device certificates are trusted, which one-time password
//! is right.

pub(crate) mod backoff;
pub(crate) mod device_trust;
pub(crate) mod otp;
