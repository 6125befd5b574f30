//! Pass 3 and 4: opens the session in a ClientNonce, verifies the code, derives the keys.

use std::num::NonZeroU32;

use data_encoding::BASE64;
use dskpp_crypto::{AeadKey, Random, Secret, Sha256, ct_eq};

use super::sealed::{Sealed, SessionState};
use crate::algorithm::{KeyType, MacAlgorithm};
use crate::auth_data::{self, AuthPolicy, MIN_ITERATIONS, ProofInput, Rounds};
use crate::key_package::PackageSpec;
use crate::key_schedule::{self, RunKeys};
use crate::message::{
    ClientNonce, Mac, MessageExtensions, PackageContent, ServerFinished, ServerFinishedBody, ServerKeyPackage,
};
use crate::negotiate::Choice;
use crate::prf::Prf;
use crate::refusal::{RefusalReason, RunRefusal};
use crate::server_k::ServerK;
use crate::status::Status;
use crate::version::Version;

/// A ClientNonce that belongs to a session of this server.
#[derive(Debug)]
pub struct Session {
    message: ClientNonce,
    request_hash: [u8; 32],
    message_hash: [u8; 32],
    choice: Choice,
    r_s: Vec<u8>,
    state: SessionState,
    renews_in_vain: bool,
    has_expired: bool,
}

impl Session {
    /// Opens the session in a ClientNonce; `now` is on the clock of [`super::SealedHello::expires_at`].
    /// It is cheap. An expired session still gets a repeated answer;
    /// [`check`](Self::check) refuses a new one.
    ///
    /// Abort if ServerInfo is absent, was changed, or belongs to another SessionID.
    pub fn open(message: ClientNonce, body: &[u8], seal: &AeadKey, now: u64) -> Result<Self, RunRefusal> {
        let server_info = message.extensions.server_info.as_deref().unwrap_or_default();
        let sealed = Sealed::open(server_info, seal, &message.session_id)
            .ok_or_else(|| RunRefusal::of_nonce(Status::Abort, RefusalReason::Seal, None))?;
        let mut hash = sealed.hash;
        hash.update(BASE64.encode(server_info).as_bytes());
        hash.update(&sealed.tail);
        hash.update(body);
        Ok(Session {
            request_hash: Sha256::digest(&[body]),
            message_hash: hash.finish(),
            choice: sealed.choice,
            r_s: sealed.r_s,
            state: sealed.state,
            renews_in_vain: sealed.renews_in_vain,
            has_expired: now >= sealed.expires_at,
            message,
        })
    }

    /// `SessionID`
    pub fn session_id(&self) -> &str {
        &self.message.session_id
    }

    /// SHA-256 of the request, which identifies a retransmission (profile P28).
    pub fn request_hash(&self) -> [u8; 32] {
        self.request_hash
    }

    /// `ClientID`, if AD is present.
    pub fn client_id(&self) -> Option<&str> {
        self.message.authentication_data.as_ref()?.client_id.as_deref()
    }

    /// The caller's sealed state.
    pub fn state(&self) -> &SessionState {
        &self.state
    }

    /// The negotiated key type.
    pub fn key_type(&self) -> &KeyType {
        &self.choice.key_type
    }

    /// The negotiated PRF.
    pub fn mac_algorithm(&self) -> MacAlgorithm {
        self.choice.prf.algorithm()
    }

    /// PBKDF2 iterations for verifying the code, whose limits [`check`](Self::check) enforces; 0 if
    /// a trigger has proved it.
    pub fn proof_iterations(&self) -> u32 {
        self.message.authentication_data.as_ref().and(self.iterations()).map_or(0, NonZeroU32::get)
    }

    /// Ends this session.
    pub fn refuse(&self, status: Status, reason: RefusalReason) -> RunRefusal {
        RunRefusal::of_nonce(status, reason, Some(self.message.session_id.clone()))
    }

    /// Refuses what can be refused without any derivation (profile P3, P12, P12a, P16).
    pub fn check(&self, policy: &AuthPolicy) -> Result<(), RunRefusal> {
        if self.has_expired {
            return Err(self.refuse(Status::Abort, RefusalReason::SessionExpired));
        }
        let Some(data) = &self.message.authentication_data else {
            return match self.state.trigger {
                true => Ok(()),
                false => Err(self.refuse(Status::AuthenticationDataMissing, RefusalReason::NoAuthenticationData)),
            };
        };
        let proof = &data.authentication_code_mac;
        if data.client_id.is_none() {
            return Err(self.refuse(Status::AuthenticationDataMissing, RefusalReason::NoAuthenticationData));
        }
        if proof.mac.algorithm.as_ref().is_some_and(|named| *named != self.choice.prf.algorithm()) {
            return Err(self.refuse(Status::MalformedRequest, RefusalReason::MacAlgorithm));
        }
        if proof.nonce.is_some() {
            return Err(self.refuse(Status::AuthenticationDataInvalid, RefusalReason::NonceSent));
        }
        let within = policy.iteration_floor..=policy.iteration_ceiling;
        match self.iterations() {
            Some(count) if within.contains(&count.get()) => Ok(()),
            _ => Err(self.refuse(Status::AuthenticationDataInvalid, RefusalReason::Iterations)),
        }
    }

    fn iterations(&self) -> Option<NonZeroU32> {
        let data = self.message.authentication_data.as_ref()?;
        match data.authentication_code_mac.iteration_count {
            None => NonZeroU32::new(MIN_ITERATIONS),
            Some(count) => NonZeroU32::new(u32::try_from(count).ok()?),
        }
    }

    /// The derivation for verifying the code; `None` if a trigger has proved it.
    pub fn proof_rounds(&self, policy: &AuthPolicy) -> Option<Rounds> {
        let _ad = self.message.authentication_data.as_ref()?;
        Some(Rounds { prf: policy.pbkdf2_prf, iterations: self.iterations()? })
    }

    /// Decrypts R_C and verifies the code against `password`: one private-key operation, one PBKDF2 and one PRF per
    /// URL. Blocks for their duration.
    ///
    /// For an unknown, spent, locked or revoked client ID, the caller passes a random password: work and
    /// answer are the same (profile P16). A run that named a key to renew, but got no MAC under its K_MAC',
    /// ends here with AccessDenied (profile P7).
    pub fn authenticate(
        self,
        policy: &AuthPolicy,
        password: &Secret,
        k: &ServerK,
        urls: &[String],
        rng: &mut dyn Random,
    ) -> Result<Authenticated, RunRefusal> {
        let decrypted = self.decrypt(policy, k, rng)?;
        let k_ac = ProofInput::derive(decrypted.proof_input(password).as_slice()).pop();
        decrypted.verify(k_ac.as_ref(), urls, rng)
    }

    /// The first part of [`authenticate`](Self::authenticate), for servers that derive for several runs at once: decrypts
    /// R_C by one private-key operation.
    pub fn decrypt(
        self,
        policy: &AuthPolicy,
        k: &ServerK,
        rng: &mut dyn Random,
    ) -> Result<DecryptedSession, RunRefusal> {
        self.check(policy)?;
        let rounds = self.proof_rounds(policy);
        let (algorithm, encrypted) = (&self.choice.encryption_algorithm, &self.message.encrypted_nonce);
        let r_c = k.decrypt(algorithm, encrypted, &self.r_s, self.choice.prf.key_len(), rng);
        Ok(DecryptedSession { session: self, rounds, r_c, k: Secret::from_slice(k.octets()) })
    }

    /// The URL_S of the authentication data, if the password is right.
    fn proved_url(&self, k_ac: &Secret, r_c: &Secret, urls: &[String]) -> Option<String> {
        let data = self.message.authentication_data.as_ref()?;
        let (client_id, received) = (self.client_id()?, &data.authentication_code_mac.mac.value);
        let is_proved = |url_s: &&String| {
            let expected = auth_data::mac(self.choice.prf, k_ac, client_id, url_s, r_c.expose(), &self.r_s);
            ct_eq(&expected, received)
        };
        urls.iter().find(is_proved).cloned()
    }
}

/// R_C is known; the code is not verified yet.
#[derive(Debug)]
pub struct DecryptedSession {
    session: Session,
    rounds: Option<Rounds>,
    r_c: Secret,
    k: Secret,
}

impl DecryptedSession {
    /// The session, for its identifiers and refusals.
    pub fn session(&self) -> &Session {
        &self.session
    }

    /// What K_AC is derived from; `None` if a trigger has proved the code.
    pub fn proof_input(&self, password: &Secret) -> Option<ProofInput> {
        self.rounds.map(|rounds| ProofInput::new(rounds, password, self.r_c.expose(), self.k.expose()))
    }

    /// The last part of [`Session::authenticate`]: verifies the code. `k_ac` is the result for
    /// [`proof_input`](Self::proof_input), if there is one.
    pub fn verify(
        self,
        k_ac: Option<&Secret>,
        urls: &[String],
        rng: &mut dyn Random,
    ) -> Result<Authenticated, RunRefusal> {
        let DecryptedSession { session, rounds: _, mut r_c, k } = self;
        let (prf, algorithm) = (session.choice.prf, &session.choice.encryption_algorithm);
        let mut url_s = None;
        if session.message.authentication_data.is_some() {
            url_s = k_ac.and_then(|k_ac| session.proved_url(k_ac, &r_c, urls));
            if url_s.is_none() {
                return Err(session.refuse(Status::AuthenticationDataInvalid, RefusalReason::AuthenticationData));
            }
            if !prf.takes_nonce_of(r_c.len()) {
                return Err(session.refuse(Status::InitializationFailed, RefusalReason::NonceLength));
            }
        } else if !prf.takes_nonce_of(r_c.len()) {
            // The trigger proved the code, but nothing proves R_C. If a refusal would distinguish a valid padding around
            // a wrong length from an invalid padding, the run continues and fails at the client (profile P20).
            match algorithm.has_malleable_padding() {
                true => r_c = rng.secret(prf.key_len()),
                false => return Err(session.refuse(Status::InitializationFailed, RefusalReason::NonceLength)),
            }
        }
        if session.renews_in_vain {
            return Err(session.refuse(Status::AccessDenied, RefusalReason::Key));
        }
        Ok(Authenticated { session, r_c, k, url_s })
    }
}

/// The code is verified, and R_C is known.
#[derive(Debug)]
pub struct Authenticated {
    session: Session,
    r_c: Secret,
    k: Secret,
    url_s: Option<String>,
}

/// The result of a successful run. Store the keys before sending the response.
#[derive(Debug)]
pub struct Finished {
    /// KeyProvServerFinished.
    pub response: Vec<u8>,
    /// K_TOKEN and K_MAC.
    pub keys: RunKeys,
    /// The PRF, to be kept with K_MAC.
    pub prf: Prf,
}

impl Authenticated {
    /// The session, for its identifiers and refusals.
    pub fn session(&self) -> &Session {
        &self.session
    }

    /// The client's URL_S for the server; `None` after a trigger, which named it.
    pub fn url_s(&self) -> Option<&str> {
        self.url_s.as_deref()
    }

    /// Derives the keys and writes the message that confirms them (RFC 6063 §4.2.4).
    ///
    /// InitializationFailed if no key can be derived.
    pub fn finish(&self, package: &PackageSpec) -> Result<Finished, RunRefusal> {
        let session = &self.session;
        let prf = session.choice.prf;
        let keys = package
            .key_len()
            .and_then(|key_len| key_schedule::agree(prf, &self.r_c, self.k.expose(), &session.r_s, key_len).ok());
        let keys = keys.ok_or_else(|| session.refuse(Status::InitializationFailed, RefusalReason::NonceLength))?;
        let mac = key_schedule::confirmation(prf, &keys.k_mac, &session.message_hash);
        let response = ServerFinished {
            version: Version::V1_0,
            session_id: Some(session.message.session_id.clone()),
            status: Status::Success,
            body: Some(ServerFinishedBody {
                key_package: ServerKeyPackage {
                    server_id: Some(package.server_id.clone()),
                    key_protection_method: None,
                    content: PackageContent::Pskc(Box::new(package.container())),
                },
                extensions: MessageExtensions {
                    client_info: session.message.extensions.client_info.clone(),
                    server_info: None,
                },
                mac: Mac { algorithm: Some(prf.algorithm()), value: mac },
                authentication_data: None,
            }),
        };
        Ok(Finished { response: response.write(), keys, prf })
    }
}

#[cfg(test)]
mod tests;
