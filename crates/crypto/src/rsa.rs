//! RSA encryption with 2048 to 4096 bits: PKCS #1 v1.5 and OAEP (RFC 8017 §7), deterministic from the random source.

use std::sync::Arc;

use subtle::{Choice, ConditionallySelectable, ConstantTimeEq, ConstantTimeLess};

use crate::{Error, Hash, HmacKey, Random, RsaEncryption, Secret, backend};

const MIN_BITS: usize = 2048;
const MAX_BITS: usize = 4096;

/// A public key of 2048 to 4096 bits.
#[derive(Clone)]
pub struct RsaPublicKey {
    n: Vec<u8>,
    e: Vec<u8>,
    raw: Arc<backend::RsaPublic>,
}

impl RsaPublicKey {
    /// From modulus and exponent, big-endian; leading zero octets are dropped.
    pub fn from_components(n: &[u8], e: &[u8]) -> Result<Self, Error> {
        let (n, e) = (without_zeros(n), without_zeros(e));
        let bits = n.len() * 8 - n.first().map_or(0, |first| first.leading_zeros() as usize);
        if !(MIN_BITS..=MAX_BITS).contains(&bits) {
            return Err(Error::RsaKey("the modulus must have 2048 to 4096 bits"));
        }
        if n.last().is_none_or(|last| last % 2 == 0) {
            return Err(Error::RsaKey("the modulus is even"));
        }
        // Both back ends take odd exponents of 2 to 33 bits.
        let raw = backend::RsaPublic::new(n, e)?;
        Ok(RsaPublicKey { n: n.to_vec(), e: e.to_vec(), raw: Arc::new(raw) })
    }

    /// From a DER SubjectPublicKeyInfo (RFC 5280 §4.1).
    pub fn from_spki_der(der: &[u8]) -> Result<Self, Error> {
        let refused = Error::RsaKey("no RSA SubjectPublicKeyInfo");
        let (n, e) = backend::rsa_of_spki(der).filter(|_| is_one_sequence(der)).ok_or(refused)?;
        Self::from_components(&n, &e)
    }

    /// From the certificate (X.509, DER) of an RSA key; the rest of it is ignored.
    ///
    /// # Errors
    /// [`Error::Path`] if it is not a certificate, [`Error::RsaKey`] if it has another kind of key.
    pub fn from_certificate_der(der: &[u8]) -> Result<Self, Error> {
        Self::from_spki_der(&crate::certificate::spki_of(der)?)
    }

    /// The modulus, big-endian without leading zero octets: the octets of K (profile P1).
    pub fn modulus(&self) -> &[u8] {
        &self.n
    }

    /// The public exponent, big-endian without leading zero octets.
    pub fn exponent(&self) -> &[u8] {
        &self.e
    }

    /// DER SubjectPublicKeyInfo.
    pub fn to_spki_der(&self) -> Vec<u8> {
        backend::spki_of_rsa(&self.n, &self.e)
    }

    /// Bits of the modulus.
    pub fn bits(&self) -> usize {
        self.n.len() * 8 - self.n[0].leading_zeros() as usize // not empty: at least 2048 bits
    }

    /// Encrypts a message; `rng` provides the padding's randomness. The result is as long as the modulus.
    ///
    /// [`Error::InputLength`] if the message is too long for the padding: 11 octets less than the modulus
    /// for v1.5, 42 less for OAEP with SHA-1, 66 less with SHA-256.
    pub fn encrypt(&self, padding: RsaEncryption, message: &[u8], rng: &mut dyn Random) -> Result<Vec<u8>, Error> {
        let padded = match padding {
            RsaEncryption::Pkcs1v15 => pad_pkcs1v15(self.n.len(), message, rng)?,
            RsaEncryption::OaepSha1 => pad_oaep(self.n.len(), Hash::Sha1, message, rng)?,
            RsaEncryption::OaepSha256 => pad_oaep(self.n.len(), Hash::Sha256, message, rng)?,
        };
        self.raw.apply(padded.expose())
    }
}

impl PartialEq for RsaPublicKey {
    fn eq(&self, other: &Self) -> bool {
        self.n == other.n && self.e == other.e
    }
}

impl Eq for RsaPublicKey {}

impl std::fmt::Debug for RsaPublicKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "RsaPublicKey({} bits)", self.bits())
    }
}

/// A private key of 2048 to 4096 bits.
pub struct RsaPrivateKey {
    public: RsaPublicKey,
    pkcs8: Secret,
    raw: backend::RsaPrivate,
    /// Derives the substitute for a message with an invalid padding.
    substitute: HmacKey,
}

impl RsaPrivateKey {
    /// Generates a key of 2048, 3072 or 4096 bits, with the system's randomness.
    #[cfg(feature = "aws-lc")]
    pub fn generate(bits: usize) -> Result<Self, Error> {
        Self::from_pkcs8_der(backend::generate_rsa(bits)?.expose())
    }

    /// From a DER PKCS #8 PrivateKeyInfo.
    pub fn from_pkcs8_der(der: &[u8]) -> Result<Self, Error> {
        if !is_one_sequence(der) {
            return Err(Error::RsaKey("octets before or after the PKCS #8 private key"));
        }
        let raw = backend::RsaPrivate::from_pkcs8(der)?;
        let (n, e) = raw.public();
        let label: &[u8] = b"dskpp implicit rejection";
        let seed = HmacKey::new(Hash::Sha256, der).sign(&[label]);
        Ok(RsaPrivateKey {
            public: RsaPublicKey::from_components(n, e)?,
            pkcs8: Secret::from_slice(der),
            raw,
            substitute: HmacKey::new(Hash::Sha256, seed.as_ref()),
        })
    }

    /// From PEM with the label `PRIVATE KEY` (RFC 7468 §10).
    pub fn from_pkcs8_pem(pem: &str) -> Result<Self, Error> {
        let der = pkcs8_of_pem(pem).ok_or(Error::RsaKey("no PEM with a PRIVATE KEY (PKCS #8, unencrypted)"))?;
        Self::from_pkcs8_der(der.expose())
    }

    /// DER PKCS #8.
    pub fn to_pkcs8_der(&self) -> &Secret {
        &self.pkcs8
    }

    /// The public key.
    pub fn public(&self) -> &RsaPublicKey {
        &self.public
    }

    /// Decrypts OAEP. [`Error::Decryption`] for an invalid padding, [`Error::InputLength`] for a wrong length;
    /// [`Error::Parameters`] for v1.5, which has [`RsaPrivateKey::decrypt_pkcs1v15`].
    pub fn decrypt_oaep(&self, padding: RsaEncryption, ciphertext: &[u8]) -> Result<Secret, Error> {
        if padding == RsaEncryption::Pkcs1v15 {
            return Err(Error::Parameters("PKCS #1 v1.5 is not OAEP"));
        }
        if ciphertext.len() != self.public.modulus().len() {
            return Err(Error::InputLength(ciphertext.len()));
        }
        self.raw.decrypt_oaep(padding, ciphertext)
    }

    /// Decrypts PKCS #1 v1.5 with implicit rejection (profile P20): for an invalid padding it returns, in the
    /// same time, `substitute_len` octets that only the owner of the key could have predicted, always the same
    /// for the same ciphertext. So the outcome does not reveal whether a padding is valid, provided that the caller
    /// checks the length only after authenticating the sender: a valid padding returns the message with its own length.
    ///
    /// [`Error::InputLength`] only for what the sender knows too: a ciphertext that is not as long as the
    /// modulus, or not less than it.
    pub fn decrypt_pkcs1v15(&self, ciphertext: &[u8], substitute_len: usize) -> Result<Secret, Error> {
        let padded = self.raw.apply(ciphertext)?;
        let (valid, message_at) = unpad_pkcs1v15(padded.expose());
        let substitute = self.substitute_for(ciphertext, padded.len());
        let substitute_at = (padded.len() - substitute_len.min(padded.len() - 11)) as u32;
        let start = u32::conditional_select(&substitute_at, &message_at, valid) as usize;
        let mut selected = Vec::with_capacity(padded.len());
        selected.extend(
            substitute
                .expose()
                .iter()
                .zip(padded.expose())
                .map(|(instead, message)| u8::conditional_select(instead, message, valid)),
        );
        Ok(Secret::from_slice(&Secret::new(selected).expose()[start..])) // start <= len, for both choices
    }

    /// Decrypts PKCS #1 v1.5 and reports an invalid padding: for files on the owner's own machine, where nobody
    /// can query repeatedly. For a peer's ciphertext, use [`decrypt_pkcs1v15`](Self::decrypt_pkcs1v15).
    ///
    /// [`Error::InputLength`], and [`Error::Decryption`] for an invalid padding.
    pub fn decrypt_pkcs1v15_openly(&self, ciphertext: &[u8]) -> Result<Secret, Error> {
        let padded = self.raw.apply(ciphertext)?;
        let (valid, message_at) = unpad_pkcs1v15(padded.expose());
        let message = padded.expose().get(message_at as usize..).filter(|_| bool::from(valid));
        message.map(Secret::from_slice).ok_or(Error::Decryption)
    }

    fn substitute_for(&self, ciphertext: &[u8], len: usize) -> Secret {
        let mut out = Vec::with_capacity(len + 32);
        for block in 0u32.. {
            out.extend_from_slice(self.substitute.sign(&[&block.to_be_bytes(), ciphertext]).as_ref());
            if out.len() >= len {
                break;
            }
        }
        out.truncate(len);
        Secret::new(out)
    }
}

impl std::fmt::Debug for RsaPrivateKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "RsaPrivateKey({} bits)", self.public.bits())
    }
}

const PEM_BEGIN: &str = "-----BEGIN PRIVATE KEY-----";
const PEM_END: &str = "-----END PRIVATE KEY-----";

/// The content of a PEM block with the label `PRIVATE KEY`; text before and after it is ignored.
pub(crate) fn pkcs8_of_pem(pem: &str) -> Option<Secret> {
    let body = pem.split_once(PEM_BEGIN).and_then(|(_, rest)| rest.split_once(PEM_END))?.0;
    let mut text = Vec::with_capacity(body.len()); // no copies of the key by reallocation
    text.extend(body.bytes().filter(|octet| !octet.is_ascii_whitespace()));
    data_encoding::BASE64.decode(Secret::new(text).expose()).ok().map(Secret::new)
}

pub(crate) fn without_zeros(number: &[u8]) -> &[u8] {
    let zeros = number.iter().take_while(|octet| **octet == 0).count();
    &number[zeros..] // zeros <= len
}

/// Whether the octets are exactly one DER SEQUENCE.
pub(crate) fn is_one_sequence(der: &[u8]) -> bool {
    match der {
        [0x30, len @ 0..=0x7F, content @ ..] => content.len() == usize::from(*len),
        [0x30, 0x81, len, content @ ..] => content.len() == usize::from(*len),
        [0x30, 0x82, high, low, content @ ..] => content.len() == usize::from(u16::from_be_bytes([*high, *low])),
        _ => false,
    }
}

/// EME-PKCS1-v1_5 encoding (RFC 8017 §7.2.1): `00 02 PS 00 M`, PS at least 8 octets without zero.
fn pad_pkcs1v15(size: usize, message: &[u8], rng: &mut dyn Random) -> Result<Secret, Error> {
    if message.len() + 11 > size {
        return Err(Error::InputLength(message.len()));
    }
    let mut padded = vec![0; size];
    padded[1] = 2;
    let separator = size - message.len() - 1;
    let random = &mut padded[2..separator];
    rng.fill(random);
    for octet in random {
        while *octet == 0 {
            rng.fill(std::slice::from_mut(octet));
        }
    }
    padded[separator + 1..].copy_from_slice(message);
    Ok(Secret::new(padded))
}

/// Whether a v1.5 padding is valid, and where its message begins; without branches on the content.
fn unpad_pkcs1v15(padded: &[u8]) -> (Choice, u32) {
    let mut message_at = 0u32;
    let mut looking = Choice::from(1);
    for (i, octet) in padded.iter().enumerate().skip(2) {
        let is_separator = looking & octet.ct_eq(&0);
        message_at.conditional_assign(&(i as u32 + 1), is_separator);
        looking &= !is_separator;
    }
    let long_enough = !message_at.ct_lt(&11); // 00 02, eight octets, 00
    let header = padded[0].ct_eq(&0) & padded[1].ct_eq(&2); // a padded message has at least 256 octets
    (header & !looking & long_enough, message_at)
}

/// EME-OAEP encoding (RFC 8017 §7.1.1) with an empty label.
fn pad_oaep(size: usize, hash: Hash, message: &[u8], rng: &mut dyn Random) -> Result<Secret, Error> {
    let h_len = hash.output_len();
    if message.len() + 2 * h_len + 2 > size {
        return Err(Error::InputLength(message.len()));
    }
    let mut padded = vec![0; size];
    let (head, db) = padded.split_at_mut(1 + h_len);
    let seed = &mut head[1..];
    rng.fill(seed);
    db[..h_len].copy_from_slice(&hash.digest(&[]));
    let message_at = db.len() - message.len();
    db[message_at - 1] = 1;
    db[message_at..].copy_from_slice(message);
    mask(hash, seed, db);
    mask(hash, db, seed);
    Ok(Secret::new(padded))
}

/// XORs MGF1 of `seed` (RFC 8017 §B.2.1) into `target`.
fn mask(hash: Hash, seed: &[u8], target: &mut [u8]) {
    for (counter, chunk) in (0u32..).zip(target.chunks_mut(hash.output_len())) {
        let block = hash.digest(&[seed, &counter.to_be_bytes()]);
        chunk.iter_mut().zip(block).for_each(|(octet, masking)| *octet ^= masking);
    }
}

#[cfg(test)]
mod tests;
