//! Secrets for a receiver's RSA key: JSON Web Encryption (RFC 7516) in compact form, with `RSA-OAEP-256` (RFC 7518 §4.3)
//! and `A256GCM` (§5.3).

use data_encoding::BASE64URL_NOPAD;
use dskpp_crypto::{AeadKey, Error, Random as _, RsaEncryption, RsaPublicKey, Secret, Sha256, SystemRandom};
use serde_json::json;

/// Octets of the initialization vector, and of the authentication tag.
const IV_LEN: usize = 12;
const TAG_LEN: usize = 16;

/// A receiver.
#[derive(Debug)]
pub(super) struct Recipient {
    key: RsaPublicKey,
    /// The protected header as it stands in a JWE: with `kid`, SHA-256 of the key's SubjectPublicKeyInfo.
    header: String,
}

impl Recipient {
    pub(super) fn new(key: RsaPublicKey) -> Self {
        let kid = BASE64URL_NOPAD.encode(&Sha256::digest(&[&key.to_spki_der()]));
        let header = json!({ "alg": "RSA-OAEP-256", "enc": "A256GCM", "kid": kid }).to_string();
        Recipient { key, header: BASE64URL_NOPAD.encode(header.as_bytes()) }
    }

    /// The JWE of these octets, under a new content key.
    pub(super) fn encrypt(&self, plaintext: &Secret) -> Result<String, Error> {
        let content_key = SystemRandom.secret(32);
        let wrapped = self.key.encrypt(RsaEncryption::OaepSha256, content_key.expose(), &mut SystemRandom)?;
        let sealed =
            AeadKey::from_secret(&content_key)?.seal(&mut SystemRandom, self.header.as_bytes(), plaintext.expose());
        let (iv, sealed) = sealed.split_at(IV_LEN);
        let (ciphertext, tag) = sealed.split_at(sealed.len() - TAG_LEN);
        let [wrapped, iv, ciphertext, tag] =
            [&wrapped[..], iv, ciphertext, tag].map(|part| BASE64URL_NOPAD.encode(part));
        Ok([&self.header, &wrapped, &iv, &ciphertext, &tag].map(String::as_str).join("."))
    }
}

#[cfg(test)]
pub(super) mod tests {
    use dskpp_crypto::RsaPrivateKey;

    use super::*;

    /// What a receiver does.
    pub(in crate::sinks) fn decrypt(key: &RsaPrivateKey, jwe: &str) -> Secret {
        let parts: Vec<_> = jwe.split('.').collect();
        let [header, wrapped, iv, ciphertext, tag] = parts[..] else { panic!("{jwe}") };
        let decode = |part: &str| BASE64URL_NOPAD.decode(part.as_bytes()).unwrap();
        let content_key = key.decrypt_oaep(RsaEncryption::OaepSha256, &decode(wrapped)).unwrap();
        let sealed = [decode(iv), decode(ciphertext), decode(tag)].concat();
        AeadKey::from_secret(&content_key).unwrap().open(header.as_bytes(), &sealed).unwrap()
    }

    #[test]
    fn only_the_receiver_reads_it_and_no_two_are_alike() {
        let key = RsaPrivateKey::generate(2048).unwrap();
        let recipient = Recipient::new(key.public().clone());
        let secret = Secret::from_slice(b"the seed");
        let jwes = [recipient.encrypt(&secret).unwrap(), recipient.encrypt(&secret).unwrap()];
        assert_ne!(jwes[0], jwes[1]);
        for jwe in jwes {
            assert_eq!(decrypt(&key, &jwe), secret);
        }
    }
}
