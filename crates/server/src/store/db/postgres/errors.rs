//! What errors of the server mean for a transaction and its connection.

use tokio_postgres::error::{Severity, SqlState};

use crate::store::StoreError;

/// Whether the connection goes with an error: the server ends it, or it broke.
pub(super) fn ends_connection(error: &tokio_postgres::Error) -> bool {
    let severity = error.as_db_error().map(|reason| reason.parsed_severity());
    severity.is_none_or(|severity| matches!(severity, Some(Severity::Fatal | Severity::Panic) | None))
}

/// What an error says, with its code. The detail is left out: it may have values.
pub(super) fn reason(error: &tokio_postgres::Error) -> String {
    match (error.as_db_error(), std::error::Error::source(error)) {
        (Some(reason), _) => format!("{} ({})", reason.message(), reason.code().code()),
        (None, Some(source)) => format!("{error}: {source}"),
        (None, None) => error.to_string(),
    }
}

impl From<tokio_postgres::Error> for StoreError {
    fn from(error: tokio_postgres::Error) -> Self {
        // What may end otherwise when it is done again.
        let conflicts = [
            SqlState::T_R_SERIALIZATION_FAILURE,
            SqlState::T_R_DEADLOCK_DETECTED,
            SqlState::UNIQUE_VIOLATION,
            SqlState::DUPLICATE_OBJECT,
            SqlState::DUPLICATE_TABLE,
        ];
        match error.code().is_some_and(|code| conflicts.contains(code)) {
            true => StoreError::Conflict(reason(&error)),
            false => StoreError::Unavailable(reason(&error)),
        }
    }
}
