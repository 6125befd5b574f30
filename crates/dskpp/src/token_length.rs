//! Existing keys whose K_TOKEN does not have the length of its type (RFC 6063 §3.2.4.2).
//!
//! RFC 6030 does not state the length of a secret, and K_PROV reveals only the longer of two keys (profile P4). So
//! the key package states it, in an element of this implementation:
//! `<TokenLength xmlns="urn:x-dskpp:token-length" Mac="BASE64">16</TokenLength>`, where `Mac` is
//! `DSKPP-PRF(K_MAC, "K_TOKEN length" || length in decimal || K_TOKEN, 16)`, since no MAC of the protocol covers the
//! package.
//!
//! - For a shorter key, it is in the key's `<Extensions>`, which other programs ignore: to them the key has trailing
//!   zeros, which HMAC adds itself.
//! - For a longer key, it is in its `<Policy>`: other programs would truncate the key, and must not use a key whose
//!   policy they do not understand (RFC 6030 §5). The schema allows only known elements there, so it is in a `<ds:Object>`.

use base64ct::{Base64, Encoding as _};
use dskpp_crypto::ct_eq;
use pskc::Key;
use pskc::xml::{Foreign, ns};
#[cfg(feature = "server")]
use pskc::{
    Extensions,
    xml::{Attribute, Node, Ns},
};

use crate::algorithm::KeyType;
use crate::key_schedule::RunKeys;
use crate::prf::Prf;

const NAMESPACE: &str = "urn:x-dskpp:token-length";
const NAME: &str = "TokenLength";
const MAC_LEN: usize = 16;
/// The longest K_TOKEN, in octets.
const MAX_LEN: usize = 1024;

/// Whether a key of `len` octets can be sent as one of this type, whose keys have `type_len`.
pub fn fits(key_type: &KeyType, type_len: usize, len: usize) -> bool {
    let is_hmac = matches!(key_type, KeyType::Hotp | KeyType::Totp | KeyType::Ocra);
    len == type_len || is_hmac && (1..=MAX_LEN).contains(&len)
}

/// States the length of K_TOKEN, if it is not `type_len`.
#[cfg(feature = "server")]
pub(crate) fn state(key: &mut Key, type_len: usize, prf: Prf, keys: &RunKeys) {
    let len = keys.k_token.len();
    if len == type_len {
        return;
    }
    let mac = Attribute { ns: Ns::None, local: "Mac".into(), value: Base64::encode_string(&mac(prf, keys, len)) };
    let element = Foreign {
        ns: Ns::from(NAMESPACE),
        local: NAME.into(),
        attributes: vec![mac],
        prefixes: Vec::new(),
        content: vec![Node::Text(len.to_string())],
    };
    if len < type_len {
        key.extensions.push(Extensions { definition: None, elements: vec![element] });
        return;
    }
    let (ns, content) = (Ns::from(ns::DS), vec![Node::Element(element)]);
    let object = Foreign { ns, local: "Object".into(), attributes: Vec::new(), prefixes: Vec::new(), content };
    key.policy.get_or_insert_default().other.push(object);
}

/// A key package's statement of its key's length.
#[derive(Debug)]
pub(crate) struct Stated {
    pub(crate) len: usize,
    mac: Vec<u8>,
}

/// Removes the statement from the package; `Err`: it is invalid.
pub(crate) fn take(key: &mut Key, key_type: &KeyType, type_len: usize) -> Result<Option<Stated>, ()> {
    let is_statement = |element: &Foreign| element.is(NAMESPACE, NAME);
    let is_object = |element: &Foreign| element.is(ns::DS, "Object") && element.children().all(is_statement);
    let mut found = Vec::new();
    for extensions in &mut key.extensions {
        found.extend(extensions.elements.extract_if(.., |element| is_statement(element)));
    }
    key.extensions.retain(|extensions| !extensions.elements.is_empty());
    if let Some(policy) = &mut key.policy {
        let objects = policy.other.extract_if(.., |element| is_object(element));
        found.extend(objects.flat_map(|object| object.children().cloned().collect::<Vec<_>>()));
    }
    let element = match &found[..] {
        [] => return Ok(None),
        [element] => element,
        _ => return Err(()),
    };
    let len = element.text().parse().ok().filter(|len| *len != type_len && fits(key_type, type_len, *len));
    let mac = element.attributes.iter().find(|attribute| attribute.local == "Mac");
    let mac = mac.and_then(|mac| Base64::decode_vec(&mac.value).ok());
    match (len, mac) {
        (Some(len), Some(mac)) => Ok(Some(Stated { len, mac })),
        _ => Err(()),
    }
}

impl Stated {
    /// Truncates K_TOKEN to the stated length, if the statement is authentic.
    pub(crate) fn cut(&self, prf: Prf, keys: RunKeys) -> Option<RunKeys> {
        let keys = RunKeys { k_token: keys.k_token.prefix(self.len)?, k_mac: keys.k_mac };
        ct_eq(&self.mac, &mac(prf, &keys, self.len)).then_some(keys)
    }
}

fn mac(prf: Prf, RunKeys { k_token, k_mac }: &RunKeys, len: usize) -> Vec<u8> {
    let len = len.to_string();
    let mac = prf.derive(k_mac.expose(), &[b"K_TOKEN length", len.as_bytes(), k_token.expose()], MAC_LEN);
    mac.expect("K_MAC was cut to the PRF's length").expose().to_vec()
}
