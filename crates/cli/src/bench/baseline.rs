//! The bare cryptography that RFC 6063 requires of a server: PBKDF2, plus an RSA decryption in four-pass or an RSA
//! encryption in two-pass with key transport.

use std::num::NonZeroU32;
use std::time::Instant;

use dskpp::auth_data::MIN_ITERATIONS;
use dskpp_crypto::{Pbkdf2Prf, Random as _, RsaEncryption, RsaPrivateKey, SystemRandom, pbkdf2};

use super::load::RunKind;
use super::process::thread_cpu_ms;
use crate::enroll::names::MethodName;
use crate::output::Failure;

const ROUNDS: u32 = 60;

/// CPU milliseconds of the bare cryptography of one run.
pub(super) fn bare_ms(kind: RunKind) -> Result<f64, Failure> {
    let key = RsaPrivateKey::generate(2048).map_err(Failure::new)?;
    let r_c = SystemRandom.bytes(32);
    let encrypted = key.public().encrypt(RsaEncryption::OaepSha1, &r_c, &mut SystemRandom).map_err(Failure::new)?;
    let salt = [&r_c, key.public().modulus()].concat();
    let iterations = NonZeroU32::new(MIN_ITERATIONS).ok_or_else(|| Failure::new("no iterations"))?;
    let derive = |salt: &[u8]| pbkdf2(Pbkdf2Prf::HmacSha1, b"0123456789ABCDEF", salt, iterations, 16);
    let (begun, cpu) = (Instant::now(), thread_cpu_ms());
    for _ in 0..ROUNDS {
        match kind {
            RunKind::TwoPass(MethodName::Transport) => {
                let public = key.public();
                let encrypted = public.encrypt(RsaEncryption::OaepSha1, &r_c, &mut SystemRandom);
                std::hint::black_box(encrypted.map_err(Failure::new)?);
            }
            // The wrapping key is also derived from the password.
            RunKind::TwoPass(_) => _ = std::hint::black_box(derive(&r_c)),
            _ => _ = std::hint::black_box(key.decrypt_oaep(RsaEncryption::OaepSha1, &encrypted).map_err(Failure::new)?),
        }
        std::hint::black_box(derive(&salt));
    }
    let cpu = thread_cpu_ms().zip(cpu).map(|(now, before)| now - before);
    let spent = cpu.unwrap_or_else(|| begun.elapsed().as_secs_f64() * 1e3);
    Ok(spent / f64::from(ROUNDS))
}
