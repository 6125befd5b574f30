//! Short names of key types, as people type them and tokens keep them.

use dskpp::algorithm::KeyType;

const NAMES: [(&str, KeyType); 11] = [
    ("totp", KeyType::Totp),
    ("hotp", KeyType::Hotp),
    ("ocra", KeyType::Ocra),
    ("pin", KeyType::Pin),
    ("securid", KeyType::SecurIdAes),
    ("aes128", KeyType::Aes128Cbc),
    ("aes192", KeyType::Aes192Cbc),
    ("aes256", KeyType::Aes256Cbc),
    ("kw-aes128", KeyType::KwAes128),
    ("kw-aes192", KeyType::KwAes192),
    ("kw-aes256", KeyType::KwAes256),
];

/// The short name of a type, such as `totp` or `aes128`; its URI if it has none.
pub fn key_type_name(key_type: &KeyType) -> &str {
    NAMES.iter().find(|(_, known)| known == key_type).map_or(key_type.uri(), |(name, _)| name)
}

/// The type with this short name, in upper or lower case, or with this known URI.
pub fn key_type_from_name(name: &str) -> Option<KeyType> {
    let known = NAMES.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, key_type)| key_type.clone());
    known.or_else(|| Some(KeyType::from_uri(name)).filter(KeyType::is_known))
}
