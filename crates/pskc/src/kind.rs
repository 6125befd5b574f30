//! What a key is for, by the URI of its algorithm.

/// What a key is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeyKind {
    /// One-time passwords from a counter (RFC 4226).
    Hotp,
    /// One-time passwords from the time (RFC 6238).
    Totp,
    /// Challenge and response (RFC 6287).
    Ocra,
    /// A PIN (RFC 6030 §10.2).
    Pin,
    /// A cipher whose keys have so many octets.
    Cipher(usize),
    /// Something else.
    Other,
}

const HOTP: &str = "urn:ietf:params:xml:ns:keyprov:pskc:hotp";
const TOTP: &str = "urn:ietf:params:xml:ns:keyprov:pskc:totp";
const OCRA: &str = "urn:ietf:params:xml:ns:keyprov:pskc:OCRA-1";
const PIN: &str = "urn:ietf:params:xml:ns:keyprov:pskc:pin";
const SECURID_AES: &str = "http://www.rsa.com/rsalabs/otps/schemas/2005/09/otps-wst#SecurID-AES";

impl KeyKind {
    /// What a key of the algorithm `uri` is for, in any known spelling.
    pub fn of_uri(uri: &str) -> KeyKind {
        match algorithm_uri(uri) {
            HOTP => KeyKind::Hotp,
            TOTP => KeyKind::Totp,
            OCRA => KeyKind::Ocra,
            PIN => KeyKind::Pin,
            SECURID_AES => KeyKind::Cipher(16),
            uri => match uri.strip_prefix(crate::xml::ns::XENC) {
                Some("aes128-cbc" | "kw-aes128") => KeyKind::Cipher(16),
                Some("aes192-cbc" | "kw-aes192") => KeyKind::Cipher(24),
                Some("aes256-cbc" | "kw-aes256") => KeyKind::Cipher(32),
                _ => KeyKind::Other,
            },
        }
    }
}

/// The URI that an algorithm of keys has, for the other spellings of it that are met in the field: fragments, draft
/// namespaces, and the URN of RFC 6063 B.2.4 (profile P18). Any other URI as it is.
pub fn algorithm_uri(uri: &str) -> &str {
    const PREFIXES: [&str; 5] = [
        "urn:ietf:params:xml:ns:keyprov:pskc:1.0#",
        "urn:ietf:params:xml:ns:keyprov:pskc:",
        "urn:ietf:params:xml:ns:keyprov:pskc#",
        "urn:ietf:params:xml:schema:keyprov:otpalg#",
        "http://www.ietf.org/keyprov/pskc#",
    ];
    let name = PREFIXES.iter().find_map(|prefix| uri.strip_prefix(prefix));
    name.and_then(uri_of_name).unwrap_or(uri)
}

/// The URI that is meant by a name which stands under no namespace that is known for it.
pub(crate) fn meant(uri: &str) -> Option<&'static str> {
    match KeyKind::of_uri(uri) {
        KeyKind::Other => uri_of_name(uri.rsplit(['#', ':', '/']).next()?),
        _ => None,
    }
}

fn uri_of_name(name: &str) -> Option<&'static str> {
    const NAMES: [(&str, &str); 6] =
        [("hotp", HOTP), ("totp", TOTP), ("ocra", OCRA), ("ocra-1", OCRA), ("pin", PIN), ("securid-aes", SECURID_AES)];
    NAMES.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, uri)| *uri)
}
