//! Secret texts.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use zeroize::Zeroizing;

/// A secret text: wiped when dropped, never printed. In JSON it is a string.
///
/// ```
/// let password = dskpp_api::SecretString::from("0123456789abcdef".to_owned());
/// assert_eq!(format!("{password:?}"), "SecretString");
/// assert_eq!(password.expose(), "0123456789abcdef");
/// ```
#[derive(Clone, Default)]
pub struct SecretString(Zeroizing<String>);

impl SecretString {
    /// The text.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

/// Takes over the buffer without a copy.
impl From<String> for SecretString {
    fn from(text: String) -> Self {
        SecretString(Zeroizing::new(text))
    }
}

impl fmt::Debug for SecretString {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretString")
    }
}

impl Serialize for SecretString {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.expose())
    }
}

impl<'de> Deserialize<'de> for SecretString {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(SecretString::from)
    }
}

#[cfg(feature = "schema")]
impl schemars::JsonSchema for SecretString {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "SecretString".into()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        String::json_schema(generator)
    }
}
