//! From files to what a running server holds: the data folder, the two halves of the store, the first start, and what is
//! read again while the server runs.

pub(crate) mod bootstrap;
pub(crate) mod data_folder;
pub mod database;
pub(crate) mod neighbours;
pub(crate) mod reload;
pub(crate) mod store_halves;
