//! User Authentication Data: K_AC and the MAC that proves the authentication code (RFC 6063 §3.4.1.2).

use std::num::NonZeroU32;

use dskpp_crypto::{Pbkdf2Prf, Secret, pbkdf2};

use crate::prf::Prf;

/// The minimum iterations if K is a public key, and always in four-pass (RFC 6063 §3.4.1.2, profile P3).
pub const MIN_ITERATIONS: u32 = 100_000;

/// Length of K_AC and of the MAC in octets.
pub const LEN: usize = 16;

/// Limits and settings for the authentication data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct AuthPolicy {
    /// The minimum iterations: 100,000 (profile P3). Less only for measurements.
    pub iteration_floor: u32,
    /// The maximum iterations.
    pub iteration_ceiling: u32,
    /// PBKDF2's PRF (profile P2).
    pub pbkdf2_prf: Pbkdf2Prf,
}

impl Default for AuthPolicy {
    fn default() -> Self {
        AuthPolicy { iteration_floor: MIN_ITERATIONS, iteration_ceiling: 200_000, pbkdf2_prf: Pbkdf2Prf::HmacSha1 }
    }
}

/// `K_AC = PBKDF2(password, R_C || K, iter_count, 16)`. This is the expensive step.
pub fn k_ac(prf: Pbkdf2Prf, password: &Secret, r_c: &[u8], k: &[u8], iterations: NonZeroU32) -> Secret {
    let salt = Secret::new([r_c, k].concat());
    pbkdf2(prf, password.expose(), salt.expose(), iterations, LEN)
}

/// `MAC = DSKPP-PRF(K_AC, ClientID || URL_S || R_C || [R_S], 16)`; not secret.
pub fn mac(prf: Prf, k_ac: &Secret, client_id: &str, url_s: &str, r_c: &[u8], r_s: &[u8]) -> Vec<u8> {
    prf.derive(k_ac.expose(), &[client_id.as_bytes(), url_s.as_bytes(), r_c, r_s], LEN)
        .expect("K_AC has the 16 octets that every PRF takes")
        .expose()
        .to_vec()
}
