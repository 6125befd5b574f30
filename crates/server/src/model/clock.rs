//! The only code that reads the system clock. Everything else takes the time as an argument.

use jiff::Timestamp;

/// The current time.
pub(crate) fn timestamp() -> Timestamp {
    Timestamp::now()
}

/// The current time in seconds since 1970-01-01 UTC, as stored in rows.
pub(crate) fn now() -> i64 {
    timestamp().as_second()
}

/// The same, 0 before 1970, as used for sessions and certificates.
pub(crate) fn unix_now() -> u64 {
    unix_now_ms() / 1000
}

/// The current time in milliseconds since 1970, as used for sessions and their keys.
pub(crate) fn unix_now_ms() -> u64 {
    timestamp().as_millisecond().try_into().unwrap_or(0)
}
