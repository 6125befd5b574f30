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
    /// When a database of an earlier version is migrated to this version's schema.
    pub migrate: Migrate,
}

/// `database.migrate`
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Migrate {
    /// By the first server of a new version that starts.
    #[default]
    AtStart,
    /// Only by `dskpp database migrate`; without it a server of a new version refuses to start.
    ByCommand,
}
