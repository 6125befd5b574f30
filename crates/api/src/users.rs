//! Users and API tokens.

use serde::{Deserialize, Serialize};

use crate::{Role, SecretString};

/// A user to create.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct NewUser {
    /// 1 to 256 printable characters, unique; surrounding white space is ignored.
    pub name: String,
}

/// A user.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct User {
    /// Its identifier.
    pub id: String,
    /// Its name.
    pub name: String,
}

/// Which users to list, in the order of their names (by code point).
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct UserQuery {
    /// Only users whose names begin so.
    pub name: Option<String>,
    /// Only users after this one: `next` of the previous page.
    pub after: Option<String>,
    /// Page size, 1 to 100; 100 by default.
    #[cfg_attr(feature = "schema", schemars(range(min = 1, max = 100)))]
    pub limit: Option<usize>,
}

/// A user in a list.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ListedUser {
    /// Its identifier.
    pub id: String,
    /// Its name.
    pub name: String,
    /// When it was created (RFC 3339, UTC).
    pub created_at: Option<String>,
}

/// An API token to create.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct NewToken {
    /// Its purpose: 1 to 256 printable characters.
    pub name: String,
    /// One or more roles.
    #[cfg_attr(feature = "schema", schemars(length(min = 1)))]
    pub roles: Vec<Role>,
}

/// A new token.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct CreatedToken {
    /// Its identifier.
    pub id: String,
    /// Its purpose.
    pub name: String,
    /// Its roles.
    pub roles: Vec<Role>,
    /// The token, for the header `Authorization: Bearer`. Only this answer contains it.
    pub token: SecretString,
}

/// A token, without its value, which the server does not have.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct TokenSummary {
    /// Its identifier, which the audit trail has as `by`.
    pub id: String,
    /// Its purpose.
    pub name: String,
    /// Its roles.
    pub roles: Vec<Role>,
    /// When it was created (RFC 3339, UTC).
    pub created_at: Option<String>,
}
