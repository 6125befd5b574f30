-- What could not be taken of a file, for the report of an import that was interrupted.
ALTER TABLE import ADD COLUMN rejected TEXT NOT NULL DEFAULT '[]'; -- JSON: index, key_id, kind and reason
