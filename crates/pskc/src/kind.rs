//! The purpose of a key, by the URI of its algorithm.

/// The purpose of a key.
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
    /// A cipher, with the length of its keys in octets.
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
    /// The purpose of the algorithm `uri`, in any known spelling.
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

/// The standard URI of an algorithm, given another spelling from the field: fragments, draft
/// namespaces, and the URN of RFC 6063 B.2.4 (profile P18). Other URIs are returned unchanged.
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

/// The URI that a name in an unknown namespace stands for.
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
