-- The keys that seal sessions, one for each day (UTC, as YYYY-MM-DD) on which they were begun.
CREATE TABLE session_key (
    day TEXT PRIMARY KEY,
    sealed_key BLOB NOT NULL
) STRICT, WITHOUT ROWID;
