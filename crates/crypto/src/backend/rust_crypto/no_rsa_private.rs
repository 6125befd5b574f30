//! A build without private keys (the feature `pure-public` without `pure`): there is no value of the type, so that the
//! compiler removes all code that uses one.

use crate::{Error, RsaEncryption, Secret};

/// A private key, which this build does not have.
pub(crate) enum RsaPrivate {}

impl RsaPrivate {
    pub(crate) fn from_pkcs8(_: &[u8]) -> Result<Self, Error> {
        Err(Error::RsaKey("this build has no private keys"))
    }

    pub(crate) fn public(&self) -> (&[u8], &[u8]) {
        match *self {}
    }

    pub(crate) fn apply(&self, _: &[u8]) -> Result<Secret, Error> {
        match *self {}
    }

    pub(crate) fn decrypt_oaep(&self, _: RsaEncryption, _: &[u8]) -> Result<Secret, Error> {
        match *self {}
    }
}
