//! Where the store's database is.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// `[database]`
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DatabaseSection {
    /// Empty: the SQLite database `data_dir/dskpp.db`. `sqlite:PATH`: that of another path. Or
    /// `postgres://user@host1,host2/name?sslmode=verify-full&sslrootcert=FILE`, without a password: that comes from
    /// `password_file`, from `PGPASSWORD` or from `~/.pgpass`.
    pub url: String,
    /// File with the password of the PostgreSQL user.
    pub password_file: PathBuf,
}
