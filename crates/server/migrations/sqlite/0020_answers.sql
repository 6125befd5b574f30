-- In a table WITHOUT ROWID the rows lie in the tree that is searched. An answer is longer than a page has room for in
-- such a tree, so that each comparison on the way read a page more. Rows beside an index of the sessions are found
-- without any of them, and a new one goes to the end.
CREATE TABLE new_answer (
    session_id TEXT PRIMARY KEY,
    request_hash BLOB NOT NULL,
    sealed_response BLOB NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT;
INSERT INTO new_answer (session_id, request_hash, sealed_response, expires_at)
    SELECT session_id, request_hash, sealed_response, expires_at FROM answer ORDER BY session_id;
DROP TABLE answer;
ALTER TABLE new_answer RENAME TO answer;
CREATE INDEX answer_by_expiry ON answer (expires_at);
