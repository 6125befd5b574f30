//! JSON that carries secrets: it is wiped from memory, and octets are base64.

use data_encoding::BASE64;
use dskpp_crypto::Secret;
use serde::Serialize;

/// The JSON of `value`, wiped when it is dropped.
pub(crate) fn to_json(value: &impl Serialize) -> Secret {
    const WHY: &str = "tokens and runs are plain JSON, and a vector takes any length";
    let mut len = Length(0);
    serde_json::to_writer(&mut len, value).expect(WHY);
    let mut json = Vec::with_capacity(len.0); // exactly, so that growing leaves no copies of secrets behind
    serde_json::to_writer(&mut json, value).expect(WHY);
    Secret::new(json)
}

/// Counts what is written and keeps nothing.
struct Length(usize);

impl std::io::Write for Length {
    fn write(&mut self, octets: &[u8]) -> std::io::Result<usize> {
        self.0 += octets.len();
        Ok(octets.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// A secret, for `#[serde(with = …)]`.
pub(crate) mod secret {
    use super::{BASE64, Secret};
    use serde::{Deserialize as _, Deserializer, Serializer, de::Error as _};

    pub(crate) fn serialize<S: Serializer>(secret: &Secret, to: S) -> Result<S::Ok, S::Error> {
        let text = Secret::from(BASE64.encode(secret.expose()).into_bytes());
        to.serialize_str(&String::from_utf8_lossy(text.expose()))
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Secret, D::Error> {
        let text = Secret::from(String::deserialize(from)?.into_bytes());
        BASE64.decode(text.expose()).map(Secret::from).map_err(|_| D::Error::custom("base64"))
    }
}

/// An optional secret.
pub(crate) mod optional_secret {
    use super::{BASE64, Secret};
    use serde::{Deserialize as _, Deserializer, Serialize, Serializer, de::Error as _};

    pub(crate) fn serialize<S: Serializer>(secret: &Option<Secret>, to: S) -> Result<S::Ok, S::Error> {
        secret.as_ref().map(Text).serialize(to)
    }

    /// Serializes as a secret does, so that its text is wiped.
    struct Text<'a>(&'a Secret);

    impl Serialize for Text<'_> {
        fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
            super::secret::serialize(self.0, to)
        }
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Secret>, D::Error> {
        let text = Option::<String>::deserialize(from)?.map(|text| Secret::from(text.into_bytes()));
        let octets = text.map(|text| BASE64.decode(text.expose())).transpose();
        Ok(octets.map_err(|_| D::Error::custom("base64"))?.map(Secret::from))
    }
}

/// Optional octets that are not secret.
pub(crate) mod optional_octets {
    use super::BASE64;
    use serde::{Deserialize as _, Deserializer, Serialize as _, Serializer, de::Error as _};

    pub(crate) fn serialize<S: Serializer>(octets: &Option<Vec<u8>>, to: S) -> Result<S::Ok, S::Error> {
        octets.as_ref().map(|octets| BASE64.encode(octets)).serialize(to)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Vec<u8>>, D::Error> {
        let octets = Option::<String>::deserialize(from)?.map(|text| BASE64.decode(text.as_bytes())).transpose();
        octets.map_err(|_| D::Error::custom("base64"))
    }
}
