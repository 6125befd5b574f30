//! What differs between systems: each has the same functions here, and no other file asks which system it is.

#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;

#[cfg(unix)]
use unix as system;
#[cfg(windows)]
use windows as system;

pub(super) use system::{keep_private, private_options, sync_folder};
