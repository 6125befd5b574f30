//! User Authentication Data: K_AC and the MAC that proves the authentication code (RFC 6063 §3.4.1.2).

use std::num::NonZeroU32;

#[cfg(feature = "server")]
use dskpp_crypto::{Derivation, pbkdf2_many};
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

/// PRF and iterations of a derivation.
#[cfg(feature = "server")]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rounds {
    /// PBKDF2's PRF.
    pub prf: Pbkdf2Prf,
    /// PBKDF2's iterations.
    pub iterations: NonZeroU32,
}

/// The input of the derivation that a server needs to verify a code.
#[cfg(feature = "server")]
#[derive(Clone, Debug)]
pub struct ProofInput {
    rounds: Rounds,
    password: Secret,
    salt: Secret,
}

#[cfg(feature = "server")]
impl ProofInput {
    /// The input of [`k_ac`].
    pub fn new(rounds: Rounds, password: &Secret, r_c: &[u8], k: &[u8]) -> Self {
        ProofInput { rounds, password: password.clone(), salt: Secret::new([r_c, k].concat()) }
    }

    /// The results, 16 octets each; neighbours with equal rounds are computed at once ([`pbkdf2_many`]). This is the
    /// expensive step.
    pub fn derive(inputs: &[ProofInput]) -> Vec<Secret> {
        let mut derived = Vec::with_capacity(inputs.len());
        for alike in inputs.chunk_by(|one, next| one.rounds == next.rounds) {
            let Rounds { prf, iterations } = alike[0].rounds;
            let derivations: Vec<_> = alike.iter().map(ProofInput::derivation).collect();
            derived.extend(pbkdf2_many(prf, iterations, &derivations));
        }
        derived
    }

    fn derivation(&self) -> Derivation<'_> {
        Derivation { password: self.password.expose(), salt: self.salt.expose(), len: LEN }
    }
}

/// `MAC = DSKPP-PRF(K_AC, ClientID || URL_S || R_C || [R_S], 16)`; not secret.
pub fn mac(prf: Prf, k_ac: &Secret, client_id: &str, url_s: &str, r_c: &[u8], r_s: &[u8]) -> Vec<u8> {
    prf.derive(k_ac.expose(), &[client_id.as_bytes(), url_s.as_bytes(), r_c, r_s], LEN)
        .expect("K_AC has the 16 octets that every PRF takes")
        .expose()
        .to_vec()
}
