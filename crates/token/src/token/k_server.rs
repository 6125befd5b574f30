//! K_SERVER as a token remembers it (profile P29).

use dskpp_crypto::{RsaPublicKey, Sha256};

use super::Token;

/// The public exponent if a token stores none.
const USUAL_EXPONENT: [u8; 3] = [1, 0, 1];
/// The prefix of a fingerprint.
pub(crate) const FINGERPRINT: &str = "sha256:";

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RememberedKServer {
    pub(crate) key: RsaPublicKey,
    /// The certificate of the authority that certified it, DER.
    pub(crate) issuer: Option<Vec<u8>>,
}

impl RememberedKServer {
    /// The key that a token remembers. An unusable key counts as forgotten: it vouches for nothing.
    pub(crate) fn of(token: &Token) -> Option<Self> {
        let exponent = token.k_server_exponent.as_deref().unwrap_or(&USUAL_EXPONENT);
        let key = RsaPublicKey::from_components(token.k_server.as_ref()?, exponent).ok()?;
        Some(RememberedKServer { key, issuer: token.k_server_issuer.clone() })
    }

    /// Stores it in a token.
    pub(crate) fn remember(&self, token: &mut Token) {
        token.k_server = Some(self.key.modulus().to_vec());
        token.k_server_exponent = Some(self.key.exponent().to_vec()).filter(|exponent| *exponent != USUAL_EXPONENT);
        token.k_server_issuer = self.issuer.clone();
    }

    /// `sha256:` and the SHA-256 of the key's SubjectPublicKeyInfo in DER, 64 lower-case hexadecimal digits.
    pub(crate) fn fingerprint(&self) -> String {
        let digest = Sha256::digest(&[&self.key.to_spki_der()]);
        digest.iter().fold(FINGERPRINT.to_owned(), |text, octet| text + &format!("{octet:02x}"))
    }
}
