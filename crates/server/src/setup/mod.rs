//! From files to a server's state: the data folder, database and key, startup, and reloading.

mod backup;
pub(crate) mod bootstrap;
mod copy;
pub(crate) mod data_folder;
pub mod database;
pub(crate) mod database_url;
pub(crate) mod k_servers;
pub(crate) mod neighbours;
pub(crate) mod reload;
pub mod seal;
pub(crate) mod store_halves;
