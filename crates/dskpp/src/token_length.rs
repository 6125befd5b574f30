//! A K_TOKEN of another length than its type has: a key that was there before (RFC 6063 §3.2.4.2).
//!
//! Nothing in RFC 6030 tells the length of a secret, and K_PROV tells only which of two keys is longer (profile P4). So
//! the key package says it, in an element of this implementation:
//! `<TokenLength xmlns="urn:x-dskpp:token-length" Mac="BASE64">16</TokenLength>`, where `Mac` is
//! `DSKPP-PRF(K_MAC, "K_TOKEN length" || length in decimal || K_TOKEN, 16)`, since no MAC of the protocol covers the
//! package.
//!
//! - A shorter key's stands in the key's `<Extensions>`, which others pass over: to them the key has zeros behind it,
//!   which HMAC adds itself.
//! - A longer key's stands in its `<Policy>`: others would cut the key, and must not use one whose policy they do not
//!   understand (RFC 6030 §5). The schema allows only elements there that it knows, so it is in a `<ds:Object>`.

use data_encoding::BASE64;
use dskpp_crypto::ct_eq;
use pskc::xml::{Attribute, Foreign, Node, Ns, ns};
use pskc::{Extensions, Key};

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

/// Says the length of K_TOKEN, where it is not `type_len`.
pub(crate) fn state(key: &mut Key, type_len: usize, prf: Prf, keys: &RunKeys) {
    let len = keys.k_token.len();
    if len == type_len {
        return;
    }
    let mac = Attribute { ns: Ns::None, local: "Mac".into(), value: BASE64.encode(&mac(prf, keys, len)) };
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

/// What a key package says of the length of its key.
#[derive(Debug)]
pub(crate) struct Stated {
    pub(crate) len: usize,
    mac: Vec<u8>,
}

/// Takes the statement out of the package; `Err`: it cannot be right.
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
    let mac = mac.and_then(|mac| BASE64.decode(mac.value.as_bytes()).ok());
    match (len, mac) {
        (Some(len), Some(mac)) => Ok(Some(Stated { len, mac })),
        _ => Err(()),
    }
}

impl Stated {
    /// The keys with K_TOKEN cut to its length, if the statement is the server's.
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
