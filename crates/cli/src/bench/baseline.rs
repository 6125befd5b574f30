//! The bare cryptography that RFC 6063 requires of a server: PBKDF2, plus an RSA decryption in four-pass or an RSA
//! encryption in two-pass with key transport. It is measured during the load, by a thread that computes for a tenth of
//! the time: whatever slows the processor slows both.

use std::num::NonZeroU32;
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread::{self, JoinHandle};
use std::time::Instant;

use dskpp::auth_data::MIN_ITERATIONS;
use dskpp_crypto::{Pbkdf2Prf, Random as _, RsaEncryption, RsaPrivateKey, Secret, SystemRandom, pbkdf2};

use super::load::RunKind;
use super::process::thread_cpu_ms;
use crate::enroll::names::MethodName;
use crate::output::Failure;

/// The fewest samples; if the load ends earlier, the rest follows.
const LEAST: u32 = 20;
/// Pause after each sample, in times of its duration.
const PAUSE: u32 = 9;

/// CPU milliseconds of the bare cryptography of one run, one by one.
pub(super) struct BareCost {
    /// All of it.
    pub(super) crypto_ms: f64,
    /// One derivation.
    pub(super) derivation_ms: f64,
}

/// A measurement that goes on.
pub(super) struct Bare {
    end: Sender<()>,
    thread: JoinHandle<Result<BareCost, Failure>>,
}

impl Bare {
    pub(super) fn begin(kind: RunKind) -> Result<Self, Failure> {
        let sample = Sample::new(kind)?;
        let (end, ended) = mpsc::channel::<()>();
        let thread = thread::spawn(move || {
            let (mut crypto_ms, mut derivation_ms, mut samples) = (0.0, 0.0, 0);
            loop {
                let start = Instant::now();
                let (other, derivation, derivations) = sample.measure()?;
                (crypto_ms, derivation_ms) = (crypto_ms + other + derivation, derivation_ms + derivation / derivations);
                samples += 1;
                let is_over = ended.recv_timeout(start.elapsed() * PAUSE) == Err(RecvTimeoutError::Disconnected);
                if is_over && samples >= LEAST {
                    let mean = |sum: f64| sum / f64::from(samples);
                    return Ok(BareCost { crypto_ms: mean(crypto_ms), derivation_ms: mean(derivation_ms) });
                }
            }
        });
        Ok(Bare { end, thread })
    }

    pub(super) fn finish(self) -> Result<BareCost, Failure> {
        drop(self.end);
        self.thread.join().map_err(|_| Failure::new("the measurement of bare cryptography panicked"))?
    }
}

/// The inputs of the bare cryptography.
struct Sample {
    kind: RunKind,
    key: RsaPrivateKey,
    r_c: Vec<u8>,
    encrypted: Vec<u8>,
    iterations: NonZeroU32,
}

impl Sample {
    fn new(kind: RunKind) -> Result<Self, Failure> {
        let key = RsaPrivateKey::generate(2048).map_err(Failure::new)?;
        let r_c = SystemRandom.bytes(32);
        let encrypted = key.public().encrypt(RsaEncryption::OaepSha1, &r_c, &mut SystemRandom).map_err(Failure::new)?;
        let iterations = NonZeroU32::new(MIN_ITERATIONS).ok_or_else(|| Failure::new("no iterations"))?;
        Ok(Sample { kind, key, r_c, encrypted, iterations })
    }

    /// CPU milliseconds of RSA and of PBKDF2, and how many derivations that were.
    fn measure(&self) -> Result<(f64, f64, f64), Failure> {
        let (begun, begun_ms) = (Instant::now(), thread_cpu_ms());
        let now = || match thread_cpu_ms().zip(begun_ms) {
            Some((now, begun)) => now - begun,
            None => begun.elapsed().as_secs_f64() * 1e3,
        };
        let key = &self.key;
        match self.kind {
            RunKind::TwoPass(MethodName::Transport) => {
                let encrypted = key.public().encrypt(RsaEncryption::OaepSha1, &self.r_c, &mut SystemRandom);
                std::hint::black_box(encrypted.map_err(Failure::new)?);
            }
            RunKind::TwoPass(_) => {}
            _ => {
                let decrypted = key.decrypt_oaep(RsaEncryption::OaepSha1, &self.encrypted);
                std::hint::black_box(decrypted.map_err(Failure::new)?);
            }
        }
        let rsa = now();
        std::hint::black_box(self.derive(&[self.r_c.as_slice(), key.public().modulus()].concat()));
        let is_twice = self.kind == RunKind::TwoPass(MethodName::PassphraseWrap); // the wrapping key is derived too
        if is_twice {
            std::hint::black_box(self.derive(&self.r_c));
        }
        Ok((rsa, now() - rsa, if is_twice { 2.0 } else { 1.0 }))
    }

    fn derive(&self, salt: &[u8]) -> Secret {
        pbkdf2(Pbkdf2Prf::HmacSha1, b"0123456789ABCDEF", salt, self.iterations, 16)
    }
}
