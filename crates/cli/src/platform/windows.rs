//! Windows.

use std::alloc::System;
use std::fs::File;
use std::io;
use std::os::windows::io::AsHandle as _;

/// The system's allocator.
pub(crate) type Allocator = System;
pub(crate) const ALLOCATOR: Allocator = System;

/// Windows has no limit of open files and connections for a process.
pub(crate) fn open_more_files() {}

/// Standard error, by a handle of its own: no other thread waits for a lock while a line is written.
pub(crate) fn standard_error() -> io::Result<File> {
    io::stderr().as_handle().try_clone_to_owned().map(File::from)
}
