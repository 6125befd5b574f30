//! The last pass, ServerFinished, which both variants share (RFC 6063 §§4.2.5, 5.2.3).

use std::num::NonZeroU32;

use dskpp_crypto::Secret;
use pskc::{Key, KeyContainer};

use super::failed::{Failed, NO_LENGTH};
use crate::algorithm::{KeyType, ProtectionMethod};
use crate::key_package::received_key_len;
use crate::key_schedule::RunKeys;
use crate::message::{Response, ServerFinished, ServerFinishedBody};
use crate::prf::Prf;

/// A confirmed key, ready to be stored.
#[derive(Debug)]
pub struct Provisioned {
    /// K_TOKEN and K_MAC.
    pub keys: RunKeys,
    /// The PRF, to be kept with K_MAC.
    pub prf: Prf,
    /// The negotiated type.
    pub key_type: KeyType,
    /// The key's `Id`.
    pub key_id: String,
    /// `ServerID`
    pub server_id: Option<String>,
    /// The key package: everything about the key but its value.
    pub container: KeyContainer,
    /// The octets of this run's K: the modulus of K_SERVER, or K_SHARED (profile P1).
    pub k: Secret,
    /// The key protection method of two-pass; `None`: four-pass.
    pub method: Option<ProtectionMethod>,
    /// The PBKDF2 iterations between the passphrase and the key that wrapped this one, in any package; if the MAC of
    /// PKCS #12 has a different count, the lower one. Warn of fewer than
    /// [`MIN_ITERATIONS`](crate::auth_data::MIN_ITERATIONS) (profile P15).
    pub iterations: Option<NonZeroU32>,
}

/// `SessionID` and content of a successful ServerFinished. `at_hello`: the error for a ServerHello.
pub(super) fn read(body: &[u8], at_hello: &'static str) -> Result<(Option<String>, ServerFinishedBody), Failed> {
    match Response::read(body).map_err(|why| Failed::Unreadable(Box::new(why)))? {
        Response::ServerHello(hello) if hello.status.is_failure() => Err(Failed::Refused(hello.status)),
        Response::ServerHello(_) => Err(Failed::Misbehaved(at_hello)),
        Response::ServerFinished(ServerFinished { status, .. }) if status.is_failure() => Err(Failed::Refused(status)),
        Response::ServerFinished(ServerFinished { session_id, body, .. }) => {
            body.map(|body| (session_id, body)).ok_or(Failed::Misbehaved("ServerFinished without a key package"))
        }
    }
}

/// The only key of a package, with its mandatory properties.
pub(super) struct Described<'a> {
    pub(super) key: &'a mut Key,
    pub(super) key_type: KeyType,
    /// The length of a key of this type in octets.
    pub(super) len: usize,
}

impl<'a> Described<'a> {
    /// Checks that the package has one key of an offered type, and, in a renewal, the id of the renewed key. RFC 6030 makes
    /// `Algorithm` optional: without it, the only offered type applies.
    pub(super) fn by(
        container: &'a mut KeyContainer,
        offered: &[KeyType],
        renews: Option<&str>,
    ) -> Result<Self, Failed> {
        let [package] = &mut container.key_packages[..] else {
            return Err(Failed::Misbehaved("the key package does not describe exactly one key"));
        };
        let key = package.key.as_mut().ok_or(Failed::Misbehaved("the key package describes no key"))?;
        let key_type = match (key.algorithm.as_deref().map(KeyType::from_uri), offered) {
            (Some(named), offered) if offered.contains(&named) => named,
            (None, [only]) => only.clone(),
            _ => return Err(Failed::Misbehaved("the key package is for a key type that was not offered")),
        };
        if renews.is_some_and(|renewed| renewed != key.id) {
            return Err(Failed::Misbehaved("the key package names a different key than the one to renew"));
        }
        if key.id.is_empty() {
            return Err(Failed::Misbehaved("the key has no identifier"));
        }
        let suite = key.algorithm_parameters.as_ref().and_then(|parameters| parameters.suite.as_deref());
        let len = received_key_len(&key_type, suite).ok_or(NO_LENGTH)?;
        Ok(Described { key, key_type, len })
    }
}
