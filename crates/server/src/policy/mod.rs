//! Policy: back-off after wrong codes, device certificates, one-time passwords, permissions of the admin API.

pub(crate) mod backoff;
pub(crate) mod device_trust;
pub(crate) mod otp;
pub(crate) mod permissions;
