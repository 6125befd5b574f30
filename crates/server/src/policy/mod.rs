//! Policy: back-off after wrong codes, device certificates, one-time passwords, permissions of the admin API, templates for
//! enrolments.

pub(crate) mod backoff;
pub(crate) mod device_trust;
pub(crate) mod otp;
pub(crate) mod permissions;
pub(crate) mod templates;
