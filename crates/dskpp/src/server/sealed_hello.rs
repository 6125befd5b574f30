//! Pass 2: the ServerHello, which contains the sealed session.

use data_encoding::BASE64;
use dskpp_crypto::{AeadKey, Random, Secret, Sha256};
use pskc::KeyInfo;

use super::sealed::{Sealed, SessionState};
use crate::key_schedule;
use crate::message::{ClientHello, Mac, MessageExtensions, ServerHello, ServerHelloBody};
use crate::negotiate::Choice;
use crate::server_k::ServerK;
use crate::status::Status;
use crate::version::Version;

/// The content of a ServerHello with the status Continue.
#[derive(Debug)]
pub struct SealedHello<'a> {
    /// The ClientHello.
    pub hello: &'a ClientHello,
    /// Its body, as received.
    pub body: &'a [u8],
    /// The negotiated values.
    pub choice: Choice,
    /// The key for R_C.
    pub k: &'a ServerK,
    /// The certificate chain of K_SERVER in DER, leaf first; empty for a bare key (profile P29).
    pub certificates: &'a [Vec<u8>],
    /// A new identifier, never used before, at most 128 characters.
    pub session_id: &'a str,
    /// When the session ends, in seconds of the caller's clock.
    pub expires_at: u64,
    /// The caller's state, returned at ClientNonce.
    pub state: SessionState,
    /// K_MAC' of the key that ClientHello names, if it may be used now (profile P6). If none can key the PRF,
    /// the MAC is made with a random key, and [`Session::authenticate`](super::Session::authenticate) refuses the run
    /// after its code is proved (profile P7).
    pub k_mac_old: Option<&'a Secret>,
    /// The key that seals the session.
    pub seal: &'a AeadKey,
}

impl SealedHello<'_> {
    /// Generates R_S, and writes the message. The server stores nothing.
    pub fn write(self, rng: &mut dyn Random) -> Vec<u8> {
        let prf = self.choice.prf;
        let r_s = rng.bytes(prf.key_len());
        let client_nonce = self.hello.client_nonce.as_deref().unwrap_or_default();
        let stand_in = rng.secret(prf.key_len());
        let k_mac_old = self.k_mac_old.filter(|k_mac_old| prf.takes_key_of(k_mac_old.len()));
        let mac = self.hello.key_id.as_ref().map(|_| Mac {
            algorithm: Some(prf.algorithm()),
            value: key_schedule::renewal(prf, k_mac_old.unwrap_or(&stand_in), client_nonce, &r_s)
                .expect("both keys fit the PRF"),
        });
        let message = ServerHello {
            version: Version::V1_0,
            session_id: Some(self.session_id.to_owned()),
            status: Status::Continue,
            body: Some(ServerHelloBody {
                key_type: self.choice.key_type.clone(),
                encryption_algorithm: self.choice.encryption_algorithm.clone(),
                mac_algorithm: prf.algorithm(),
                encryption_key: encryption_key(self.k, self.certificates),
                key_package_format: self.choice.package_format.clone(),
                r_s: r_s.clone(),
                extensions: MessageExtensions {
                    client_info: self.hello.extensions.client_info.clone(),
                    server_info: Some(vec![0; 3]), // placeholder
                },
                mac,
            }),
        };
        let (message, mark) = message.write_with_mark();
        let mark = mark.expect("ServerInfo was set");
        let (head, tail) = (&message[..mark.start], &message[mark.end..]); // the writer's own range
        let mut hash = Sha256::new();
        hash.update(self.body);
        hash.update(head);
        let sealed = Sealed {
            choice: self.choice,
            r_s,
            expires_at: self.expires_at,
            renews_in_vain: self.hello.key_id.is_some() && k_mac_old.is_none(),
            state: self.state,
            hash,
            tail: tail.to_vec(),
        }
        .seal(self.seal, self.session_id, rng);
        let mut out = Vec::with_capacity(message.len() + sealed.len() * 4 / 3 + 4);
        out.extend_from_slice(head);
        out.extend_from_slice(BASE64.encode(&sealed).as_bytes());
        out.extend_from_slice(tail);
        out
    }
}

fn encryption_key(k: &ServerK, certificates: &[Vec<u8>]) -> KeyInfo {
    match k {
        ServerK::Shared { name, .. } => KeyInfo::from_key_name(name),
        // The bare key is included with its certificate, for clients that support only that.
        ServerK::Server(key) => KeyInfo {
            x509_certificates: certificates.to_vec(),
            ..KeyInfo::from_rsa(key.public().modulus(), key.public().exponent())
        },
    }
}
