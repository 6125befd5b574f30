-- Entries of the audit trail belong to chains. A SQLite database has one, without a name.
ALTER TABLE audit ADD COLUMN chain TEXT NOT NULL DEFAULT '';
