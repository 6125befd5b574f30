//! Algorithms of encrypted values.

use dskpp_crypto::{Error, Hash, RsaEncryption, Secret, aes_cbc_decrypt, aes_unwrap, aes_unwrap_pad};
#[cfg(feature = "legacy")]
use dskpp_crypto::{camellia_cbc_decrypt, camellia_unwrap, camellia_unwrap_pad, des3_cbc_decrypt, des3_unwrap};

use super::ProtectionError;
use crate::EncryptedData;
use crate::xml::ns;

/// The encryption of a value (RFC 6030 §6.1 and §6.3). Numbers are key lengths in octets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ValueAlgorithm {
    /// AES-CBC: 16, 24 or 32.
    AesCbc(usize),
    /// AES key wrap: RFC 3394, or RFC 5649 under the same name for secrets that are not a multiple of 8 octets:
    /// 16, 24 or 32.
    AesWrap(usize),
    /// AES key wrap with padding (RFC 5649) under its own name: 16, 24 or 32.
    AesWrapPad(usize),
    /// Triple-DES in CBC mode; old files only.
    TripleDesCbc,
    /// Triple-DES key wrap (RFC 3217); old files only.
    TripleDesWrap,
    /// Camellia in CBC mode; for reading only.
    CamelliaCbc(usize),
    /// Camellia key wrap (RFC 3657); for reading only.
    CamelliaWrap(usize),
    /// RSA with an encoding.
    Rsa(RsaEncryption),
}

const XENC: &str = "http://www.w3.org/2001/04/xmlenc#";
const XENC11: &str = "http://www.w3.org/2009/xmlenc11#";
const MORE: &str = "http://www.w3.org/2001/04/xmldsig-more#";
const SHA1: &str = "http://www.w3.org/2000/09/xmldsig#sha1";
const SHA256: &str = "http://www.w3.org/2001/04/xmlenc#sha256";
const MGF1_SHA1: &str = "http://www.w3.org/2009/xmlenc11#mgf1sha1";
const MGF1_SHA256: &str = "http://www.w3.org/2009/xmlenc11#mgf1sha256";

impl ValueAlgorithm {
    /// The algorithm of an encrypted value.
    ///
    /// # Errors
    /// [`ProtectionError::Algorithm`]
    pub fn of(data: &EncryptedData) -> Result<Self, ProtectionError> {
        let uri = data.algorithm.as_str();
        let found = match Self::from_uri(uri) {
            Some(ValueAlgorithm::Rsa(RsaEncryption::OaepSha1)) => oaep(data).map(ValueAlgorithm::Rsa),
            Some(old) if old.is_legacy() && cfg!(not(feature = "legacy")) => None,
            found => found,
        };
        found.ok_or_else(|| ProtectionError::Algorithm(uri.to_owned()))
    }

    fn from_uri(uri: &str) -> Option<Self> {
        use ValueAlgorithm::*;
        if let Some(name) = uri.strip_prefix(XENC) {
            return Some(match name {
                "aes128-cbc" => AesCbc(16),
                "aes192-cbc" => AesCbc(24),
                "aes256-cbc" => AesCbc(32),
                "kw-aes128" => AesWrap(16),
                "kw-aes192" => AesWrap(24),
                "kw-aes256" => AesWrap(32),
                "tripledes-cbc" => TripleDesCbc,
                "kw-tripledes" => TripleDesWrap,
                "rsa-1_5" | "rsa_1_5" => Rsa(RsaEncryption::Pkcs1v15), // the RFC uses both
                "rsa-oaep-mgf1p" => Rsa(RsaEncryption::OaepSha1),
                name => return camellia(name), // where some programs put them
            });
        }
        if let Some(name) = uri.strip_prefix(XENC11) {
            return Some(match name {
                "kw-aes-128-pad" => AesWrapPad(16),
                "kw-aes-192-pad" => AesWrapPad(24),
                "kw-aes-256-pad" => AesWrapPad(32),
                "rsa-oaep" => Rsa(RsaEncryption::OaepSha1),
                _ => return None,
            });
        }
        camellia(uri.strip_prefix(MORE)?)
    }

    /// The URI for writing; `None` for read-only algorithms.
    pub fn uri(self) -> Option<&'static str> {
        use ValueAlgorithm::*;
        Some(match self {
            AesCbc(16) => "http://www.w3.org/2001/04/xmlenc#aes128-cbc",
            AesCbc(24) => "http://www.w3.org/2001/04/xmlenc#aes192-cbc",
            AesCbc(32) => "http://www.w3.org/2001/04/xmlenc#aes256-cbc",
            AesWrap(16) => "http://www.w3.org/2001/04/xmlenc#kw-aes128",
            AesWrap(24) => "http://www.w3.org/2001/04/xmlenc#kw-aes192",
            AesWrap(32) => "http://www.w3.org/2001/04/xmlenc#kw-aes256",
            AesWrapPad(16) => "http://www.w3.org/2009/xmlenc11#kw-aes-128-pad",
            AesWrapPad(24) => "http://www.w3.org/2009/xmlenc11#kw-aes-192-pad",
            AesWrapPad(32) => "http://www.w3.org/2009/xmlenc11#kw-aes-256-pad",
            Rsa(RsaEncryption::Pkcs1v15) => "http://www.w3.org/2001/04/xmlenc#rsa-1_5",
            Rsa(RsaEncryption::OaepSha1) => "http://www.w3.org/2001/04/xmlenc#rsa-oaep-mgf1p",
            _ => return None,
        })
    }

    /// Whether only a MAC detects changes of a value (§6.1.1).
    pub fn needs_mac(self) -> bool {
        use ValueAlgorithm::*;
        matches!(self, AesCbc(_) | TripleDesCbc | CamelliaCbc(_))
    }

    fn is_legacy(self) -> bool {
        use ValueAlgorithm::*;
        matches!(self, TripleDesCbc | TripleDesWrap | CamelliaCbc(_) | CamelliaWrap(_))
    }

    /// Its key length in octets; `None` if variable.
    pub(super) fn key_len(self) -> Option<usize> {
        use ValueAlgorithm::*;
        match self {
            AesCbc(len) | AesWrap(len) | AesWrapPad(len) | CamelliaCbc(len) | CamelliaWrap(len) => Some(len),
            TripleDesCbc | TripleDesWrap | Rsa(_) => None,
        }
    }

    /// The length of its initialization vector in octets; zero if it has none.
    pub(super) fn iv_len(self) -> usize {
        use ValueAlgorithm::*;
        match self {
            AesCbc(_) | CamelliaCbc(_) => 16,
            TripleDesCbc => 8,
            _ => 0,
        }
    }

    /// Decrypts with a symmetric key. Without `iv`, the ciphertext starts with the IV.
    pub(super) fn decrypt(self, key: &Secret, iv: Option<&[u8]>, octets: &[u8]) -> Result<Secret, Error> {
        use ValueAlgorithm::*;
        let fits = |len: usize| if key.len() == len { Ok(()) } else { Err(Error::KeyLength(key.len())) };
        match self {
            AesCbc(len) | AesWrap(len) | AesWrapPad(len) | CamelliaCbc(len) | CamelliaWrap(len) => fits(len)?,
            TripleDesCbc | TripleDesWrap if matches!(key.len(), 16 | 24) => {}
            _ => return Err(Error::KeyLength(key.len())),
        }
        let (iv, octets) = match iv.filter(|iv| iv.len() == self.iv_len()) {
            Some(iv) => (iv, octets),
            None => octets.split_at_checked(self.iv_len()).ok_or(Error::InputLength(octets.len()))?,
        };
        let key = key.expose();
        let short = |_| Error::InputLength(octets.len());
        match self {
            AesCbc(_) => aes_cbc_decrypt(key, iv.try_into().map_err(short)?, octets),
            #[cfg(feature = "legacy")]
            CamelliaCbc(_) => camellia_cbc_decrypt(key, iv.try_into().map_err(short)?, octets),
            #[cfg(feature = "legacy")]
            TripleDesCbc => des3_cbc_decrypt(key, iv.try_into().map_err(short)?, octets),
            // A secret whose length is not a multiple of 8 is padded under the same name (RFC 6063 §5.1.2).
            AesWrap(_) => aes_unwrap(key, octets).or_else(|_| aes_unwrap_pad(key, octets)),
            AesWrapPad(_) => aes_unwrap_pad(key, octets),
            #[cfg(feature = "legacy")]
            CamelliaWrap(_) => camellia_unwrap(key, octets).or_else(|_| camellia_unwrap_pad(key, octets)),
            #[cfg(feature = "legacy")]
            TripleDesWrap => des3_unwrap(key, octets),
            _ => Err(Error::KeyLength(key.len())), // unreachable: refused above, or by `of`
        }
    }
}

fn camellia(name: &str) -> Option<ValueAlgorithm> {
    use ValueAlgorithm::*;
    Some(match name {
        "camellia128" | "camellia128-cbc" => CamelliaCbc(16),
        "camellia192" | "camellia192-cbc" => CamelliaCbc(24),
        "camellia256" | "camellia256-cbc" => CamelliaCbc(32),
        "kw-camellia128" => CamelliaWrap(16),
        "kw-camellia192" => CamelliaWrap(24),
        "kw-camellia256" => CamelliaWrap(32),
        _ => return None,
    })
}

/// The digest and mask generation of OAEP: SHA-1 by default.
fn oaep(data: &EncryptedData) -> Option<RsaEncryption> {
    let parameter = |name: &str| {
        let found = data.parameters.iter().find(|parameter| parameter.local == name)?;
        found.attributes.iter().find(|a| a.local == "Algorithm").map(|a| a.value.as_str())
    };
    if data.parameters.iter().any(|parameter| parameter.local == "OAEPparams" && !parameter.text().trim().is_empty()) {
        return None;
    }
    match (parameter("DigestMethod").unwrap_or(SHA1), parameter("MGF").unwrap_or(MGF1_SHA1)) {
        (SHA1, MGF1_SHA1) => Some(RsaEncryption::OaepSha1),
        (SHA256, MGF1_SHA256) => Some(RsaEncryption::OaepSha256),
        _ => None,
    }
}

/// The hash of a MAC method's HMAC (§6.1.1).
pub fn mac_hash(uri: &str) -> Option<Hash> {
    Some(match uri.strip_prefix(MORE) {
        Some("hmac-sha224") => Hash::Sha224,
        Some("hmac-sha256") => Hash::Sha256,
        Some("hmac-sha384") => Hash::Sha384,
        Some("hmac-sha512") => Hash::Sha512,
        _ if uri.strip_prefix(ns::DS) == Some("hmac-sha1") => Hash::Sha1,
        _ => return None,
    })
}

/// The standard URI for a value or MAC algorithm in the wrong namespace.
pub(crate) fn meant(uri: &str) -> Option<String> {
    if ValueAlgorithm::from_uri(uri).is_some() || mac_hash(uri).is_some() {
        return None;
    }
    let name = uri.rsplit(['#', '/', ':']).next()?.to_ascii_lowercase();
    if name.starts_with("hmac") {
        return Hash::from_name(&name).map(|hash| mac_uri(hash).to_owned());
    }
    let uris = [XENC, XENC11, MORE].map(|namespace| format!("{namespace}{name}"));
    uris.into_iter().find(|uri| ValueAlgorithm::from_uri(uri).is_some())
}

/// The same for OAEP's digest and mask generation function.
pub(crate) fn meant_parameter(uri: &str) -> Option<&'static str> {
    const KNOWN: [&str; 4] = [SHA1, SHA256, MGF1_SHA1, MGF1_SHA256];
    let name = uri.rsplit(['#', '/', ':']).next()?;
    let of_name = |known: &&&str| known.rsplit('#').next().is_some_and(|known| known.eq_ignore_ascii_case(name));
    KNOWN.iter().find(of_name).copied().filter(|known| *known != uri)
}

/// The URI of the MAC method with this hash.
pub fn mac_uri(hash: Hash) -> &'static str {
    match hash {
        Hash::Sha1 => "http://www.w3.org/2000/09/xmldsig#hmac-sha1",
        Hash::Sha224 => "http://www.w3.org/2001/04/xmldsig-more#hmac-sha224",
        Hash::Sha256 => "http://www.w3.org/2001/04/xmldsig-more#hmac-sha256",
        Hash::Sha384 => "http://www.w3.org/2001/04/xmldsig-more#hmac-sha384",
        Hash::Sha512 => "http://www.w3.org/2001/04/xmldsig-more#hmac-sha512",
    }
}
