//! The states of four-pass (RFC 6063 §4.2).

use std::num::NonZeroU32;

use dskpp_crypto::{Random, Secret, Sha256, ct_eq};
use pskc::KeyInfo;

use super::config::{Credential, RunConfig};
use super::failed::Failed;
use super::server_finished::{self, Described, Provisioned};
use crate::algorithm::{KeyType, PackageFormat};
use crate::encryption::K;
use crate::message::{
    AuthenticationCodeMac, AuthenticationData, ClientNonce, Mac, MessageExtensions, PackageContent, Response,
    ServerHello, ServerHelloBody,
};
use crate::prf::Prf;
use crate::version::Version;
use crate::{auth_data, key_schedule};

/// The start of a four-pass run.
#[derive(Debug)]
pub struct FourPass;

impl FourPass {
    /// The ClientHello to send, and the state that awaits its answer.
    ///
    /// A renewal sends a ClientNonce, so that the server's proof is fresh (profile P7).
    pub fn start(offer: RunConfig, rng: &mut dyn Random) -> (Vec<u8>, AwaitingServerHello) {
        let offer = offer.fitted();
        let client_nonce = offer.renewal.is_some().then(|| rng.bytes(32));
        let request = offer.hello(client_nonce.clone()).write();
        let mut hash = Sha256::new();
        hash.update(&request);
        (request, AwaitingServerHello { offer, client_nonce: client_nonce.unwrap_or_default(), hash })
    }
}

/// The state after sending ClientHello.
#[derive(Debug)]
pub struct AwaitingServerHello {
    pub(super) offer: RunConfig,
    pub(super) client_nonce: Vec<u8>,
    pub(super) hash: Sha256,
}

impl AwaitingServerHello {
    /// Processes the body of the HTTP response (RFC 6063 §4.2.3). In a renewal, the server has proved
    /// that it knows the old key when this returns.
    pub fn receive(mut self, body: &[u8]) -> Result<ChooseK, Failed> {
        let ServerHello { session_id, status, body: hello, .. } = match Response::read(body) {
            Ok(Response::ServerHello(hello)) => hello,
            Ok(Response::ServerFinished(finished)) if finished.status.is_failure() => {
                return Err(Failed::Refused(finished.status));
            }
            Ok(Response::ServerFinished(_)) => {
                return Err(Failed::Misbehaved("ServerFinished came instead of ServerHello"));
            }
            Err(error) => return Err(Failed::Unreadable(Box::new(error))),
        };
        if status.is_failure() {
            return Err(Failed::Refused(status));
        }
        let (Some(session_id), Some(hello)) = (session_id, hello) else {
            return Err(Failed::Misbehaved("ServerHello without SessionID or content"));
        };
        let prf = self.was_offered(&hello)?;
        if !prf.takes_nonce_of(hello.r_s.len()) {
            return Err(Failed::Misbehaved("R_S has a length that the PRF does not support"));
        }
        self.verify_renewal(&hello, prf)?;
        self.hash.update(body);
        Ok(ChooseK { offer: self.offer, hash: self.hash, session_id, hello, prf })
    }

    /// The server must choose from the client's lists (RFC 6063 §4.2.3).
    fn was_offered(&self, hello: &ServerHelloBody) -> Result<Prf, Failed> {
        let offer = &self.offer;
        let wrong = Failed::Misbehaved;
        if !offer.key_types.contains(&hello.key_type) {
            return Err(wrong("it chose a key type that was not offered"));
        }
        if !offer.encryption_algorithms.contains(&hello.encryption_algorithm) {
            return Err(wrong("it chose an encryption algorithm that was not offered"));
        }
        if !offer.mac_algorithms.contains(&hello.mac_algorithm) {
            return Err(wrong("it chose a MAC algorithm that was not offered"));
        }
        if hello.key_package_format != PackageFormat::Pskc {
            return Err(wrong("it chose a key package format that was not offered"));
        }
        Prf::of(&hello.mac_algorithm).ok_or(Failed::Unusable("an unknown MAC algorithm was offered"))
    }

    fn verify_renewal(&self, hello: &ServerHelloBody, prf: Prf) -> Result<(), Failed> {
        let Some(renewal) = &self.offer.renewal else {
            return match self.offer.names_a_key() {
                true => Err(Failed::Unusable("the trigger names a key to be replaced, which was not given")),
                false => Ok(()),
            };
        };
        let received = hello.mac.as_ref().ok_or(Failed::NotAuthenticated)?;
        if received.algorithm.as_ref().is_some_and(|named| *named != hello.mac_algorithm) {
            return Err(Failed::NotAuthenticated);
        }
        renewal.is_proved(&received.value, |k_mac| key_schedule::renewal(prf, k_mac, &self.client_nonce, &hello.r_s))
    }
}

/// The state after a valid ServerHello; the caller decides whether to trust K.
#[derive(Debug)]
pub struct ChooseK {
    offer: RunConfig,
    hash: Sha256,
    session_id: String,
    hello: ServerHelloBody,
    prf: Prf,
}

impl ChooseK {
    /// `EncryptionKey`: K_SERVER with or without certificate, or the name of K_SHARED (profile P29).
    pub fn encryption_key(&self) -> &KeyInfo {
        &self.hello.encryption_key
    }

    /// The key type that the server chose.
    pub fn key_type(&self) -> &KeyType {
        &self.hello.key_type
    }

    /// Generates R_C, encrypts it under K, derives the proof of the code, and writes the ClientNonce.
    /// Blocks for the duration of PBKDF2.
    pub fn proceed(self, k: K, rng: &mut dyn Random) -> Result<(Vec<u8>, AwaitingServerFinished), Failed> {
        let ChooseK { offer, mut hash, session_id, hello, prf } = self;
        let r_c = rng.secret(prf.key_len());
        let encrypted_nonce = k
            .encrypt(&hello.encryption_algorithm, &r_c, &hello.r_s, rng)
            .map_err(|_| Failed::Unusable("the key for R_C does not match the negotiated algorithm"))?;
        let request = ClientNonce {
            version: Version::V1_0,
            session_id: session_id.clone(),
            encrypted_nonce,
            authentication_data: authentication_data(&offer, prf, &r_c, &k, &hello.r_s)?,
            extensions: MessageExtensions { client_info: offer.client_info, server_info: hello.extensions.server_info },
        };
        let request = request.write();
        hash.update(&request);
        let k = Secret::from_slice(k.octets());
        let state = AwaitingServerFinished {
            session_id,
            message_hash: hash.finish(),
            prf,
            key_type: hello.key_type,
            r_c,
            r_s: hello.r_s,
            k,
            renews: offer.renewal.map(|renewal| renewal.key_id),
        };
        Ok((request, state))
    }
}

/// AD of a code; none after a trigger, whose AD was sent with ClientHello (profile P14).
fn authentication_data(
    offer: &RunConfig,
    prf: Prf,
    r_c: &Secret,
    k: &K,
    r_s: &[u8],
) -> Result<Option<AuthenticationData>, Failed> {
    let Credential::Code(code) = &offer.credential else { return Ok(None) };
    let counts = (NonZeroU32::new(offer.iterations), i32::try_from(offer.iterations));
    let (Some(iterations), Ok(iteration_count)) = counts else {
        return Err(Failed::Unusable("the iteration count must be from 1 to 2147483647"));
    };
    let k_ac = auth_data::k_ac(offer.pbkdf2_prf, code.password(), r_c.expose(), k.octets(), iterations);
    let value = auth_data::mac(prf, &k_ac, code.client_id(), &offer.url_s, r_c.expose(), r_s);
    Ok(Some(AuthenticationData {
        client_id: Some(code.client_id().to_owned()),
        authentication_code_mac: AuthenticationCodeMac {
            nonce: None,
            iteration_count: Some(iteration_count),
            mac: Mac { algorithm: Some(prf.algorithm()), value },
        },
    }))
}

/// The state after sending ClientNonce.
#[derive(Debug)]
pub struct AwaitingServerFinished {
    session_id: String,
    message_hash: [u8; 32],
    prf: Prf,
    key_type: KeyType,
    r_c: Secret,
    r_s: Vec<u8>,
    k: Secret,
    renews: Option<String>,
}

impl AwaitingServerFinished {
    /// Processes the body of the HTTP response (RFC 6063 §4.2.5), and returns the key if its confirmation is valid.
    pub fn receive(self, body: &[u8]) -> Result<Provisioned, Failed> {
        let (session_id, finished) = server_finished::read(body, "a second ServerHello")?;
        if session_id.is_some_and(|session_id| session_id != self.session_id) {
            return Err(Failed::Misbehaved("ServerFinished belongs to another session"));
        }
        let PackageContent::Pskc(mut container) = finished.key_package.content else {
            return Err(Failed::Misbehaved("the key package does not have the negotiated format"));
        };
        let described = Described::by(&mut container, std::slice::from_ref(&self.key_type), self.renews.as_deref())?;
        if described.key.data.as_ref().is_some_and(|data| data.secret.is_some()) {
            return Err(Failed::Misbehaved("the key package of four-pass contains a key"));
        }
        let (key_id, key_len) = (described.key.id.clone(), described.len);
        let keys = key_schedule::agree(self.prf, &self.r_c, self.k.expose(), &self.r_s, key_len)
            .map_err(|_| Failed::Misbehaved("the PRF does not fit R_C"))?;
        let expected = key_schedule::confirmation(self.prf, &keys.k_mac, &self.message_hash);
        let named = finished.mac.algorithm.as_ref().is_none_or(|named| *named == self.prf.algorithm());
        if !(named && ct_eq(&finished.mac.value, &expected)) {
            return Err(Failed::WrongConfirmation);
        }
        Ok(Provisioned {
            keys,
            prf: self.prf,
            key_type: self.key_type,
            key_id,
            server_id: finished.key_package.server_id,
            container: *container,
            k: self.k,
            method: None,
            iterations: None,
        })
    }
}

#[cfg(test)]
mod tests;
