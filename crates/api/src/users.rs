//! Users and API tokens.

use serde::{Deserialize, Serialize};

use crate::{Role, SecretString};

/// A user to create.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewUser {
    /// 1 to 256 printable characters, unique; surrounding white space is ignored.
    pub name: String,
}

/// A user.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct User {
    /// Its identifier.
    pub id: String,
    /// Its name.
    pub name: String,
}

/// An API token to create.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewToken {
    /// Its purpose: 1 to 256 printable characters.
    pub name: String,
    /// One or more roles.
    pub roles: Vec<Role>,
}

/// A new token.
#[derive(Clone, Debug, Serialize, Deserialize)]
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
