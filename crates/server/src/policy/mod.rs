//! Policy: back-off after wrong codes, device certificates, one-time passwords.

pub(crate) mod backoff;
pub(crate) mod device_trust;
pub(crate) mod otp;
