//! The identifiers of the negotiation, as typed values.
//!
//! Unknown identifiers are normal in a negotiation and not
//! errors: they are kept as `Unknown`, as spelled. White space is removed on reading, since
//! the RFC's own examples wrap their URIs.

use std::borrow::Cow;
use std::fmt;

use dskpp_crypto::Hash;

/// A URI without white space around or inside it.
pub(crate) fn without_white_space(text: &str) -> Cow<'_, str> {
    const WHITE_SPACE: [char; 4] = [' ', '\t', '\r', '\n'];
    let trimmed = text.trim_matches(WHITE_SPACE);
    match trimmed.contains(WHITE_SPACE) {
        true => Cow::Owned(trimmed.replace(WHITE_SPACE, "")),
        false => Cow::Borrowed(trimmed),
    }
}

macro_rules! identifiers {
    (
        $(#[$doc:meta])* $name:ident, $alias:path;
        $($(#[$variant_doc:meta])* $variant:ident = $uri:literal,)*
    ) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, Hash)]
        pub enum $name {
            $(#[doc = concat!("`", $uri, "`")] #[doc = ""] $(#[$variant_doc])* $variant,)*
            /// Any other identifier, as spelled by the peer, without white space.
            Unknown(String),
        }

        impl $name {
            /// Reads an identifier; never fails. Aliases of profile P18 are mapped to the identifiers they
            /// mean.
            pub fn from_uri(uri: &str) -> Self {
                let uri = without_white_space(uri);
                match $alias(&uri) {
                    $($uri => $name::$variant,)*
                    _ => $name::Unknown(uri.into_owned()),
                }
            }

            /// The identifier as written.
            pub fn uri(&self) -> &str {
                match self {
                    $($name::$variant => $uri,)*
                    $name::Unknown(uri) => uri,
                }
            }

            /// Whether this implementation knows it.
            pub fn is_known(&self) -> bool {
                !matches!(self, $name::Unknown(_))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.uri())
            }
        }
    };
}

identifiers! {
    /// The type of the key (`SupportedKeyTypes`, `KeyType`).
    KeyType, pskc::algorithm_uri;
    /// RFC 4226.
    Hotp = "urn:ietf:params:xml:ns:keyprov:pskc:hotp",
    /// RFC 6238.
    Totp = "urn:ietf:params:xml:ns:keyprov:pskc:totp",
    /// RFC 6287.
    Ocra = "urn:ietf:params:xml:ns:keyprov:pskc:OCRA-1",
    /// A PIN (RFC 6030 §10.2).
    Pin = "urn:ietf:params:xml:ns:keyprov:pskc:pin",
    /// The key type of RFC 6063's examples.
    SecurIdAes = "http://www.rsa.com/rsalabs/otps/schemas/2005/09/otps-wst#SecurID-AES",
    /// A key for AES-128 in CBC mode.
    Aes128Cbc = "http://www.w3.org/2001/04/xmlenc#aes128-cbc",
    /// A key for AES-192 in CBC mode.
    Aes192Cbc = "http://www.w3.org/2001/04/xmlenc#aes192-cbc",
    /// A key for AES-256 in CBC mode.
    Aes256Cbc = "http://www.w3.org/2001/04/xmlenc#aes256-cbc",
    /// A key for AES-128 key wrap.
    KwAes128 = "http://www.w3.org/2001/04/xmlenc#kw-aes128",
    /// A key for AES-192 key wrap.
    KwAes192 = "http://www.w3.org/2001/04/xmlenc#kw-aes192",
    /// A key for AES-256 key wrap.
    KwAes256 = "http://www.w3.org/2001/04/xmlenc#kw-aes256",
}

impl KeyType {
    /// The length of K_TOKEN in octets; `None` if the type does not determine it (a PIN, an unknown
    /// type).
    ///
    /// HOTP has 20; TOTP and OCRA have the output length of their hash, SHA-1 by
    /// default; ciphers have their key length.
    pub fn key_len(&self, hash: Option<Hash>) -> Option<usize> {
        match self {
            KeyType::Hotp => Some(20),
            KeyType::Totp | KeyType::Ocra => Some(hash.unwrap_or(Hash::Sha1).output_len()),
            KeyType::SecurIdAes | KeyType::Aes128Cbc | KeyType::KwAes128 => Some(16),
            KeyType::Aes192Cbc | KeyType::KwAes192 => Some(24),
            KeyType::Aes256Cbc | KeyType::KwAes256 => Some(32),
            KeyType::Pin | KeyType::Unknown(_) => None,
        }
    }
}

identifiers! {
    /// How R_C (four-pass) or K_PROV (two-pass) is encrypted (`SupportedEncryptionAlgorithms`,
    /// `EncryptionAlgorithm`; profile P19).
    EncryptionAlgorithm, encryption_alias;
    /// RSAES-PKCS1-v1_5 under K_SERVER.
    Rsa15 = "http://www.w3.org/2001/04/xmlenc#rsa-1_5",
    /// RSAES-OAEP with SHA-1 and MGF1 with SHA-1, under K_SERVER.
    RsaOaepMgf1p = "http://www.w3.org/2001/04/xmlenc#rsa-oaep-mgf1p",
    /// RSAES-OAEP of XML Encryption 1.1 with its defaults, also SHA-1 and MGF1 with
    /// SHA-1, under K_SERVER.
    RsaOaep11 = "http://www.w3.org/2009/xmlenc11#rsa-oaep",
    /// XOR with DSKPP-PRF-AES under K_SHARED (RFC 6063 §4.2.3).
    PrfAes128 = "urn:ietf:params:xml:ns:keyprov:dskpp:prf-aes-128",
    /// XOR with DSKPP-PRF-SHA256 under K_SHARED (RFC 6063 §4.2.3).
    PrfSha256 = "urn:ietf:params:xml:ns:keyprov:dskpp:prf-sha256",
    /// AES-128 in CBC mode; the initialisation vector comes first.
    Aes128Cbc = "http://www.w3.org/2001/04/xmlenc#aes128-cbc",
    /// AES-192 in CBC mode; the initialisation vector comes first.
    Aes192Cbc = "http://www.w3.org/2001/04/xmlenc#aes192-cbc",
    /// AES-256 in CBC mode; the initialisation vector comes first.
    Aes256Cbc = "http://www.w3.org/2001/04/xmlenc#aes256-cbc",
    /// AES-128 key wrap.
    KwAes128 = "http://www.w3.org/2001/04/xmlenc#kw-aes128",
    /// AES-192 key wrap.
    KwAes192 = "http://www.w3.org/2001/04/xmlenc#kw-aes192",
    /// AES-256 key wrap.
    KwAes256 = "http://www.w3.org/2001/04/xmlenc#kw-aes256",
}

impl EncryptionAlgorithm {
    /// Whether it encrypts under the public key K_SERVER rather than a shared key.
    pub fn is_public_key(&self) -> bool {
        use EncryptionAlgorithm::*;
        matches!(self, Rsa15 | RsaOaepMgf1p | RsaOaep11)
    }

    /// Whether an attacker who does not know a plaintext can modify its ciphertext so that the padding is
    /// valid by chance. If so, nobody may learn whether it was (profile P20).
    #[cfg(feature = "server")]
    pub(crate) fn has_malleable_padding(&self) -> bool {
        use EncryptionAlgorithm::*;
        matches!(self, Rsa15 | Aes128Cbc | Aes192Cbc | Aes256Cbc)
    }
}

/// RFC 6063's examples write `rsa_1_5` for the `rsa-1_5` of its text (profile P18).
fn encryption_alias(uri: &str) -> &str {
    match uri {
        "http://www.w3.org/2001/04/xmlenc#rsa_1_5" => "http://www.w3.org/2001/04/xmlenc#rsa-1_5",
        _ => uri,
    }
}

identifiers! {
    /// The DSKPP-PRF for keys and MACs (`SupportedMacAlgorithms`, `MacAlgorithm`;
    /// RFC 6063 appendix D).
    MacAlgorithm, no_alias;
    /// DSKPP-PRF-AES: AES-128-CMAC, keys of 16 octets.
    PrfAes128 = "urn:ietf:params:xml:ns:keyprov:dskpp:prf-aes-128",
    /// DSKPP-PRF-SHA256: HMAC-SHA-256, keys of 32 octets.
    PrfSha256 = "urn:ietf:params:xml:ns:keyprov:dskpp:prf-sha256",
}

identifiers! {
    /// How two-pass protects K_PROV inside the key package (RFC 6063 §5.1).
    ProtectionMethod, no_alias;
    /// Key transport (§5.1.1).
    Transport = "urn:ietf:params:xml:schema:keyprov:dskpp:transport",
    /// Key wrap (§5.1.2).
    Wrap = "urn:ietf:params:xml:schema:keyprov:dskpp:wrap",
    /// Passphrase-based key wrap (§5.1.3).
    PassphraseWrap = "urn:ietf:params:xml:schema:keyprov:dskpp:passphrase-wrap",
}

identifiers! {
    /// The format of the key package (`SupportedKeyPackages`, `KeyPackageFormat`; RFC 6063 §5).
    PackageFormat, no_alias;
    /// RFC 6030.
    Pskc = "urn:ietf:params:xml:ns:keyprov:dskpp:pskc-key-container",
    /// RFC 6031.
    Skpc = "urn:ietf:params:xml:ns:keyprov:dskpp:skpc-key-container",
    /// PKCS #12.
    Pkcs12 = "urn:ietf:params:xml:ns:keyprov:dskpp:pkcs12-key-container",
    /// PKCS #5 XML.
    Pkcs5Xml = "urn:ietf:params:xml:ns:keyprov:dskpp:pkcs5-xml-key-container",
}

impl PackageFormat {
    /// The binary formats, with their media types (RFC 7193, RFC 7292, RFC 7303).
    const MEDIA_TYPES: [(PackageFormat, &str); 3] = [
        (PackageFormat::Skpc, "application/cms"),
        (PackageFormat::Pkcs12, "application/pkcs12"),
        (PackageFormat::Pkcs5Xml, "application/xml"),
    ];

    /// The media type of a package of this format; `None` for PSKC, which needs none, and for unknown formats.
    pub fn media_type(&self) -> Option<&'static str> {
        Self::MEDIA_TYPES.iter().find(|(format, _)| format == self).map(|(_, media_type)| *media_type)
    }

    /// The format with this media type.
    pub fn from_media_type(media_type: &str) -> Option<Self> {
        let found = Self::MEDIA_TYPES.iter().find(|(_, known)| known.eq_ignore_ascii_case(media_type));
        found.map(|(format, _)| format.clone())
    }
}

fn no_alias(uri: &str) -> &str {
    uri
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn p18_key_types_are_read_in_every_spelling_and_written_in_one() {
        let pskc = "urn:ietf:params:xml:ns:keyprov:pskc";
        for (text, key_type) in [
            (format!("{pskc}:hotp"), KeyType::Hotp),
            (format!("{pskc}#hotp"), KeyType::Hotp),
            ("http://www.ietf.org/keyprov/pskc#hotp".into(), KeyType::Hotp),
            (format!("\n   {pskc}:totp\r\n"), KeyType::Totp),
            (format!("{pskc}:1.0#totp"), KeyType::Totp),
            (format!("{pskc}:ocra"), KeyType::Ocra),
            (format!("{pskc}:OCRA-1"), KeyType::Ocra),
            (format!("{pskc}#pin"), KeyType::Pin),
            ("urn:ietf:params:xml:schema:keyprov:otpalg#SecurID-AES".into(), KeyType::SecurIdAes),
        ] {
            assert_eq!(KeyType::from_uri(&text), key_type, "{text}");
        }
        assert_eq!(KeyType::Ocra.to_string(), format!("{pskc}:OCRA-1"));
        assert_eq!(KeyType::Hotp.uri(), format!("{pskc}:hotp"));
    }

    #[test]
    fn p18_the_rsa_1_5_alias_of_the_examples_is_read() {
        let read = EncryptionAlgorithm::from_uri("http://www.w3.org/2001/04/xmlenc#rsa_1_5");
        assert_eq!(read, EncryptionAlgorithm::Rsa15);
        assert_eq!(read.uri(), "http://www.w3.org/2001/04/xmlenc#rsa-1_5");
        assert!(read.is_public_key() && !EncryptionAlgorithm::PrfAes128.is_public_key());
    }

    #[test]
    fn unknown_identifiers_keep_their_spelling() {
        let uri = "http://www.yubico.com/#yubikey-AES";
        for (read, text) in [
            (KeyType::from_uri(uri).uri().to_owned(), uri),
            (MacAlgorithm::from_uri(" x:y\n").uri().to_owned(), "x:y"),
            (PackageFormat::from_uri("").uri().to_owned(), ""),
        ] {
            assert_eq!(read, text);
        }
        // RFC 6063 B.3.3 folds a URI over two lines.
        let folded = "http://www.w3.org/2001/04/\n              xmlenc#aes128-cbc";
        assert_eq!(EncryptionAlgorithm::from_uri(folded), EncryptionAlgorithm::Aes128Cbc);
        assert!(!ProtectionMethod::from_uri("WRAP").is_known(), "URIs are compared octet for octet");
    }

    #[test]
    fn key_lengths_follow_the_hash_for_totp_and_ocra_only() {
        assert_eq!(KeyType::Hotp.key_len(Some(Hash::Sha512)), Some(20));
        assert_eq!(KeyType::Totp.key_len(None), Some(20));
        assert_eq!(KeyType::Totp.key_len(Some(Hash::Sha256)), Some(32));
        assert_eq!(KeyType::Ocra.key_len(Some(Hash::Sha512)), Some(64));
        assert_eq!(KeyType::Aes192Cbc.key_len(None), Some(24));
        assert_eq!(KeyType::Pin.key_len(None), None);
    }
}
