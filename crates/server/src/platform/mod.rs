//! Platform-specific code: the same functions for each system. No other file depends on the platform.
//!
//! Some functions guarantee less on Windows; their documentation says so, and the log if the operator must act.

#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;

use std::path::Path;

use crate::Error;

#[cfg(unix)]
use unix as system;
#[cfg(windows)]
use windows as system;

pub(crate) use system::{
    Signals, database_host, file_limit, identity, lock_folder, lower_priority, passed_sockets, private_folder,
    read_locked, secure_data_folder, secure_database, sync_folder, tell_supervisor, thread_cpu_time, try_lock_record,
    warn_of_exposed_key, write_options,
};

/// What a signal requests.
pub(crate) enum Signal {
    /// Stop; the signal's name.
    Stop(&'static str),
    /// Reload configuration and files.
    #[cfg_attr(windows, expect(dead_code, reason = "Windows has no signal for it"))]
    Reload,
}

/// What a supervisor is told.
#[derive(Clone, Copy)]
pub(crate) enum State {
    /// Requests are answered, with the configuration as it is now.
    Ready,
    /// The configuration is being read again.
    Reloading,
    /// The server stops.
    Stopping,
}

/// How a database server is reached.
pub(crate) enum DatabaseHost<'a> {
    /// By name or address.
    Name(&'a str),
    /// By a socket in this folder.
    #[cfg_attr(windows, expect(dead_code, reason = "Windows has no such sockets"))]
    Socket(&'a Path),
}

/// Maps an I/O error to one with path and operation.
pub(crate) fn failed<'a>(done: &'static str, path: &'a Path) -> impl FnOnce(std::io::Error) -> Error + 'a {
    move |source| Error::File { done, path: path.to_owned(), source }
}
