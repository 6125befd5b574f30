//! Users, and tokens of the API itself.

use serde::{Deserialize, Serialize};

use crate::{Role, SecretString};

/// A user to create.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewUser {
    /// 1 to 256 printable characters; white space around them is ignored. No other user has this name.
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

/// A token of the API to create.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewToken {
    /// What it is for: 1 to 256 printable characters.
    pub name: String,
    /// What it may do: one role or more.
    pub roles: Vec<Role>,
}

/// A token that was created.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct CreatedToken {
    /// Its identifier.
    pub id: String,
    /// What it is for.
    pub name: String,
    /// What it may do.
    pub roles: Vec<Role>,
    /// The token itself, for the header `Authorization: Bearer`. No later answer has it.
    pub token: SecretString,
}
