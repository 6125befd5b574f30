//! PSKC.

use super::Case;

pub(super) const CASES: &[Case] = &[
    Case {
        folder: "03-suite-unknown-hash-to-otpauth",
        changed: &[],
        command: &["pskc", "convert", "--to", "otpauth", "input"],
        code: 1,
        said: &["SHA-1, SHA-256 and SHA-512"],
        never: &["otpauth://"],
    },
    Case {
        folder: "03-suite-unknown-hash-to-otpauth",
        changed: &[("HMAC-SHA224", "TOTP-SHA3")],
        command: &["pskc", "convert", "--to", "otpauth", "input"],
        code: 1,
        said: &["Suite names no hash that is known"],
        never: &["otpauth://"],
    },
    Case {
        folder: "03-suite-unknown-hash-to-otpauth",
        changed: &[("HMAC-SHA224", "SHA512/256")],
        command: &["pskc", "convert", "--to", "otpauth", "input"],
        code: 1,
        said: &["Suite names no hash that is known"],
        never: &["otpauth://"],
    },
    Case {
        folder: "03-suite-unknown-hash-to-otpauth",
        changed: &[("HMAC-SHA224", "HmacSHA256")],
        command: &["pskc", "convert", "--to", "otpauth", "input"],
        code: 0,
        said: &["algorithm=SHA256"],
        never: &[],
    },
];
