-- As in PostgreSQL: a database that was copied from there has several chains, each with its own numbers.
CREATE TABLE new_audit (
    chain TEXT NOT NULL,
    seq INTEGER NOT NULL,
    at INTEGER NOT NULL,
    event TEXT NOT NULL,
    subject TEXT NOT NULL,          -- JSON
    hash BLOB NOT NULL,
    PRIMARY KEY (chain, seq)
) STRICT, WITHOUT ROWID;
INSERT INTO new_audit (chain, seq, at, event, subject, hash) SELECT chain, seq, at, event, subject, hash FROM audit;
DROP TABLE audit;
ALTER TABLE new_audit RENAME TO audit;
-- The name that the column has in PostgreSQL, where `only` is a reserved word.
ALTER TABLE store RENAME COLUMN only TO is_only;
