//! What differs between systems: each has the same here, and no other file asks which system it is.

#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;

#[cfg(unix)]
use unix as system;
#[cfg(windows)]
use windows as system;

pub(crate) use system::{ALLOCATOR, Allocator, open_more_files, standard_error};
