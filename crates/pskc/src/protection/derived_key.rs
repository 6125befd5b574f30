//! `DerivedKey`: a password-derived key (RFC 6030 §6.2).

use std::num::NonZeroU32;

use dskpp_crypto::{Hash, Pbkdf2Prf, Secret, pbkdf2};

use super::ProtectionError;
use crate::KeyInfo;
use crate::xml::{Attribute, Foreign, Node, Ns, decode_base64, ns, trim};

const PBKDF2: &str = "http://www.rsasecurity.com/rsalabs/pkcs/schemas/pkcs-5v2-0#pbkdf2";
/// The URI in the RFC's text; its example and the field use another one (profile P18).
const PBKDF2_OF_TEXT: &str = "http://www.rsasecurity.com/rsalabs/pkcs/schemas/pkcs-5#pbkdf2";

/// PBKDF2 and its parameters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DerivedKey {
    /// The salt; at most 1,024 octets are accepted.
    pub salt: Vec<u8>,
    /// The number of rounds; at most 10,000,000 are accepted.
    pub iterations: NonZeroU32,
    /// The key length in octets. If absent, that of the MAC key's algorithm, or, without MACs, that of the
    /// first value.
    pub key_len: Option<usize>,
    /// The pseudorandom function.
    pub prf: Pbkdf2Prf,
    /// A name for the password.
    pub name: Option<String>,
}

impl DerivedKey {
    const MAX_SALT: usize = 1024;
    /// The most rounds of PBKDF2 accepted.
    pub const MAX_ITERATIONS: u32 = 10_000_000;
    /// Fewer rounds than these deserve a warning.
    pub const FEW_ITERATIONS: u32 = 100_000;

    /// The derivation that `key` describes, if any.
    ///
    /// # Errors
    /// [`ProtectionError::Derivation`] if it is incomplete, too expensive, or not PBKDF2.
    pub fn of(key: &KeyInfo) -> Result<Option<Self>, ProtectionError> {
        // Drafts have the method without an enclosing element.
        let is_one = |element: &&Foreign| matches!(element.local.as_str(), "DerivedKey" | "KeyDerivationMethod");
        let Some(element) = key.other.iter().find(is_one) else { return Ok(None) };
        let mut derived = Self::from_element(element).map_err(ProtectionError::Derivation)?;
        derived.name = derived.name.or_else(|| key.key_name.clone());
        Ok(Some(derived))
    }

    // Namespaces are ignored: files use several for the parameters, or none.
    fn from_element(element: &Foreign) -> Result<Self, &'static str> {
        let method = match element.local.as_str() {
            "KeyDerivationMethod" => element,
            _ => child(element, "KeyDerivationMethod").ok_or("it names no method")?,
        };
        let algorithm = attribute(method, "Algorithm").unwrap_or_default();
        if !matches!(algorithm, PBKDF2 | PBKDF2_OF_TEXT) {
            return Err("its method is not PBKDF2");
        }
        let parameters = child(method, "PBKDF2-params").or(child(method, "Parameters"));
        let parameters = parameters.ok_or("PBKDF2 has no parameters")?;
        let salt = child(parameters, "Salt").and_then(|salt| child(salt, "Specified")).ok_or("PBKDF2 has no salt")?;
        let salt = decode_base64(&salt.text()).map_err(|_| "the salt is not base64")?;
        if salt.len() > Self::MAX_SALT {
            return Err("the salt is too long");
        }
        let iterations = child(parameters, "IterationCount").ok_or("PBKDF2 has no iteration count")?;
        let iterations = trim(&iterations.text()).parse().map_err(|_| "the iteration count is not a number from 1")?;
        if iterations > Self::MAX_ITERATIONS {
            return Err("the iteration count is over 10,000,000");
        }
        let iterations = NonZeroU32::new(iterations).ok_or("the iteration count is not a number from 1")?;
        let key_len = match child(parameters, "KeyLength") {
            None => None,
            Some(len) => match trim(&len.text()).parse() {
                Ok(len @ 1..=64) => Some(len),
                _ => return Err("the key length is not a number from 1 to 64"),
            },
        };
        let prf = match child(parameters, "PRF") {
            None => Pbkdf2Prf::HmacSha1,
            Some(prf) => {
                // python-pskc writes it as text. Ignoring it would look like a wrong password.
                let text = prf.text();
                prf_of(attribute(prf, "Algorithm").unwrap_or(trim(&text)))
                    .ok_or("its pseudorandom function is unknown")?
            }
        };
        let name = child(element, "MasterKeyName")
            .or(child(element, "CarriedKeyName"))
            .map(|name| trim(&name.text()).to_owned());
        Ok(Self { salt, iterations, key_len, prf, name })
    }

    /// Replaces the name of a PBKDF2 method in the wrong namespace by the standard one; returns the
    /// old name.
    pub(crate) fn correct_method(element: &mut Foreign) -> Option<String> {
        if element.local != "KeyDerivationMethod" {
            let children = element.content.iter_mut().filter(|_| element.local == "DerivedKey");
            return children
                .filter_map(|node| match node {
                    Node::Element(child) if child.local == "KeyDerivationMethod" => Self::correct_method(child),
                    _ => None,
                })
                .next();
        }
        let named = element.attributes.iter_mut().find(|attribute| attribute.local == "Algorithm")?;
        let name = trim(&named.value);
        let is_meant = name.rsplit(['#', '/', ':']).next()?.eq_ignore_ascii_case("pbkdf2");
        (is_meant && !matches!(name, PBKDF2 | PBKDF2_OF_TEXT))
            .then(|| std::mem::replace(&mut named.value, PBKDF2.to_owned()))
    }

    /// The form that [`of`](Self::of) reads: XML Encryption 1.1, as in figure 7 of the RFC.
    pub fn to_key_info(&self) -> KeyInfo {
        use data_encoding::BASE64;
        let text = |ns, local, text| element(ns, local, vec![Node::Text(text)]);
        let salt = text(Ns::None, "Specified", BASE64.encode(&self.salt));
        let mut prf = element(Ns::None, "PRF", Vec::new());
        if let Some(uri) = prf_uri(self.prf) {
            prf.attributes.push(algorithm(uri));
        }
        let mut parameters = vec![
            element(Ns::None, "Salt", vec![Node::Element(salt)]),
            text(Ns::None, "IterationCount", self.iterations.to_string()),
        ];
        parameters.extend(self.key_len.map(|len| text(Ns::None, "KeyLength", len.to_string())));
        parameters.push(prf);
        let parameters = parameters.into_iter().map(Node::Element).collect();
        let parameters = element(Ns::Known(ns::PKCS5), "PBKDF2-params", parameters);
        let mut method = element(Ns::Known(ns::XENC11), "KeyDerivationMethod", vec![Node::Element(parameters)]);
        method.attributes.push(algorithm(PBKDF2));
        let mut content = vec![Node::Element(method)];
        let name = self.name.as_ref().map(|name| text(Ns::Known(ns::XENC11), "MasterKeyName", name.clone()));
        content.extend(name.map(Node::Element));
        KeyInfo { other: vec![element(Ns::Known(ns::XENC11), "DerivedKey", content)], ..KeyInfo::default() }
    }

    /// Derives the key, of `len` octets unless the derivation states its length. Expensive.
    pub fn derive(&self, password: &Secret, len: usize) -> Secret {
        let len = self.key_len.unwrap_or(len);
        pbkdf2(self.prf, password.expose(), &self.salt, self.iterations, len)
    }
}

/// Defaults to HMAC-SHA-1 (PKCS #5 v2.0), as in figure 7.
fn prf_of(uri: &str) -> Option<Pbkdf2Prf> {
    if uri.is_empty() {
        return Some(Pbkdf2Prf::HmacSha1);
    }
    match Hash::from_name(uri)? {
        Hash::Sha1 => Some(Pbkdf2Prf::HmacSha1),
        Hash::Sha224 => None,
        Hash::Sha256 => Some(Pbkdf2Prf::HmacSha256),
        Hash::Sha384 => Some(Pbkdf2Prf::HmacSha384),
        Hash::Sha512 => Some(Pbkdf2Prf::HmacSha512),
    }
}

fn prf_uri(prf: Pbkdf2Prf) -> Option<&'static str> {
    match prf {
        Pbkdf2Prf::HmacSha1 => None,
        Pbkdf2Prf::HmacSha256 => Some("http://www.w3.org/2001/04/xmldsig-more#hmac-sha256"),
        Pbkdf2Prf::HmacSha384 => Some("http://www.w3.org/2001/04/xmldsig-more#hmac-sha384"),
        Pbkdf2Prf::HmacSha512 => Some("http://www.w3.org/2001/04/xmldsig-more#hmac-sha512"),
    }
}

fn child<'a>(element: &'a Foreign, local: &str) -> Option<&'a Foreign> {
    element.children().find(|child| child.local == local)
}

fn attribute<'a>(element: &'a Foreign, local: &str) -> Option<&'a str> {
    element.attributes.iter().find(|a| a.local == local).map(|a| trim(&a.value))
}

fn element(ns: Ns, local: &str, content: Vec<Node>) -> Foreign {
    Foreign { ns, local: local.into(), attributes: Vec::new(), prefixes: Vec::new(), content }
}

fn algorithm(uri: &str) -> Attribute {
    Attribute { ns: Ns::None, local: "Algorithm".into(), value: uri.to_owned() }
}
