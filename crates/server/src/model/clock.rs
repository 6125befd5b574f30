//! The one place that reads the system's clock. Everything behind the server's edges takes the time as an argument.

use jiff::Timestamp;

/// The present time.
pub(crate) fn timestamp() -> Timestamp {
    Timestamp::now()
}

/// The present time in seconds since 1970-01-01 UTC, as rows have it.
pub(crate) fn now() -> i64 {
    timestamp().as_second()
}

/// The same where none is before 1970, as sessions and certificates have it.
pub(crate) fn unix_now() -> u64 {
    unix_now_ms() / 1000
}

/// The present time in milliseconds since 1970, as sessions and their keys have it.
pub(crate) fn unix_now_ms() -> u64 {
    timestamp().as_millisecond().try_into().unwrap_or(0)
}
