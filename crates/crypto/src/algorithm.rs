//! Algorithms and values without the computation: what the back ends know too.

/// The hash functions that OTP, MAC and OAEP need.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Hash {
    /// SHA-1, 20 octets. Only for HMAC, PBKDF2 and OAEP.
    Sha1,
    /// SHA-224, 28 octets. Only for the MACs of key files.
    Sha224,
    /// SHA-256, 32 octets.
    Sha256,
    /// SHA-384, 48 octets.
    Sha384,
    /// SHA-512, 64 octets.
    Sha512,
}

impl Hash {
    /// Length of the output in octets.
    pub const fn output_len(self) -> usize {
        match self {
            Hash::Sha1 => 20,
            Hash::Sha224 => 28,
            Hash::Sha256 => 32,
            Hash::Sha384 => 48,
            Hash::Sha512 => 64,
        }
    }

    /// The hash with this name, in any spelling: `SHA-256`, `sha256`, `SHA_256`, `HMAC-SHA256`,
    /// `HmacSHA256`, `hmacWithSHA256`, or a URI with such a fragment. Key files, QR codes and tables use all
    /// of them; this is the only parser. `None` for every other name; similar names of other hashes
    /// (`SHA3-256`, `SHA-512/256`) never match.
    ///
    /// ```
    /// use dskpp_crypto::Hash;
    /// assert_eq!(Hash::from_name("HmacSHA256"), Some(Hash::Sha256));
    /// assert_eq!(Hash::from_name("SHA3-256"), None);
    /// ```
    pub fn from_name(name: &str) -> Option<Self> {
        const LONGEST: usize = 200; // octets, of a URI
        if name.len() > LONGEST {
            return None;
        }
        let name = name.rsplit('#').next()?.trim().to_ascii_lowercase().replace(['-', '_', ' '], "");
        let name = name.strip_prefix("hmac").map_or(&*name, |rest| rest.strip_prefix("with").unwrap_or(rest));
        match name {
            "sha1" => Some(Hash::Sha1),
            "sha224" => Some(Hash::Sha224),
            "sha256" => Some(Hash::Sha256),
            "sha384" => Some(Hash::Sha384),
            "sha512" => Some(Hash::Sha512),
            _ => None,
        }
    }

    /// Its name in authenticators, such as `SHA256`.
    pub fn name(self) -> &'static str {
        let name = self.hmac_name();
        name.strip_prefix("HMAC-").unwrap_or(name)
    }

    /// Its name in `Suite` of RFC 6030, such as `HMAC-SHA256`.
    pub const fn hmac_name(self) -> &'static str {
        match self {
            Hash::Sha1 => "HMAC-SHA1",
            Hash::Sha224 => "HMAC-SHA224",
            Hash::Sha256 => "HMAC-SHA256",
            Hash::Sha384 => "HMAC-SHA384",
            Hash::Sha512 => "HMAC-SHA512",
        }
    }
}

/// An HMAC value, as long as the hash's output. Not secret.
#[derive(Clone, Copy, Debug)]
pub struct Tag {
    octets: [u8; 64],
    len: usize,
}

impl Tag {
    /// At most 64 octets.
    pub(crate) fn new(tag: &[u8]) -> Self {
        let mut octets = [0; 64];
        octets[..tag.len()].copy_from_slice(tag);
        Tag { octets, len: tag.len() }
    }
}

impl AsRef<[u8]> for Tag {
    fn as_ref(&self) -> &[u8] {
        &self.octets[..self.len]
    }
}

/// The PRF of PBKDF2. Not negotiated: configure both sides identically (profile P2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Pbkdf2Prf {
    /// PKCS #5's default.
    #[default]
    HmacSha1,
    /// By configuration on both sides.
    HmacSha256,
    /// In key files.
    HmacSha384,
    /// In key files.
    HmacSha512,
}

/// The padding of RSA encryption.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RsaEncryption {
    /// PKCS #1 v1.5 (`xmlenc#rsa-1_5`).
    Pkcs1v15,
    /// OAEP with SHA-1 and MGF1 with SHA-1, empty label (`xmlenc#rsa-oaep-mgf1p`, and `xmlenc11#rsa-oaep` by default).
    OaepSha1,
    /// OAEP with SHA-256 and MGF1 with SHA-256, empty label.
    OaepSha256,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hash_names_are_read_in_every_spelling_and_never_confused() {
        let spellings =
            ["SHA{}", "sha{}", "Sha-{}", "SHA_{}", "SHA {}", " sha{} ", "HMAC-SHA{}", "HMAC-SHA-{}", "hmac-sha-{}"];
        let more = ["HmacSHA{}", "HMAC_SHA{}", "hmacWithSHA{}", "http://www.w3.org/2000/09/xmldsig#hmac-sha{}"];
        let bits = [
            ("1", Hash::Sha1),
            ("224", Hash::Sha224),
            ("256", Hash::Sha256),
            ("384", Hash::Sha384),
            ("512", Hash::Sha512),
        ];
        for (bits, hash) in bits {
            for spelling in spellings.iter().chain(&more) {
                let name = spelling.replace("{}", bits);
                assert_eq!(Hash::from_name(&name), Some(hash), "{name}");
            }
            assert_eq!(Hash::from_name(hash.hmac_name()), Some(hash));
        }
        let others =
            ["", "SHA", "SHA2", "SHA-2", "MD5", "SHA3-256", "SHA-512/256", "SHA512/224", "SHA0", "SHA-25", "SHA2566"];
        let more = ["TOTP-SHA3", "SHA1SHA256", "HMAC", "HMAC-", "SHA-\u{ff11}", "1", "256", "#", "SM3"];
        for name in others.into_iter().chain(more) {
            assert_eq!(Hash::from_name(name), None, "{name}");
        }
    }
}
