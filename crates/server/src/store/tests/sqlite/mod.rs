//! What only SQLite has: files of its own, migrations from versions before there was another engine, values of any type in
//! any column, and steps that can be counted.

mod at_rest;
mod damage;
mod disk;
mod failures;
mod migration;
mod rotate;
mod session_keys;
mod strangers;

use super::*;
