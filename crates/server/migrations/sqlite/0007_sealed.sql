-- Who reads a trigger's nonce and MAC can use them in the code's place, and answers carry keys: both are sealed.
-- seal_trigger and seal_response are functions of the program that migrates.
ALTER TABLE enrolment ADD COLUMN sealed_trigger BLOB; -- nonce, MAC and URL of the trigger that was given out
UPDATE enrolment SET sealed_trigger = seal_trigger(id, trigger_nonce, trigger_mac, trigger_url)
    WHERE trigger_nonce IS NOT NULL AND trigger_mac IS NOT NULL AND trigger_url IS NOT NULL;
ALTER TABLE enrolment DROP COLUMN trigger_nonce;
ALTER TABLE enrolment DROP COLUMN trigger_mac;
ALTER TABLE enrolment DROP COLUMN trigger_url;

CREATE TABLE new_answer (
    session_id TEXT PRIMARY KEY,
    request_hash BLOB NOT NULL,
    sealed_response BLOB NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO new_answer SELECT session_id, request_hash, seal_response(session_id, response), expires_at FROM answer;
DROP TABLE answer;
ALTER TABLE new_answer RENAME TO answer;
CREATE INDEX answer_by_expiry ON answer (expires_at);

-- Free pages still hold what is no longer in a table. A row here has the database written anew, at this start or, if
-- that fails, at a later one.
CREATE TABLE rewrite (
    schema INTEGER PRIMARY KEY -- the migration that asks for it
) STRICT;
INSERT INTO rewrite SELECT 7 WHERE EXISTS (SELECT 1 FROM enrolment WHERE sealed_trigger IS NOT NULL)
    OR EXISTS (SELECT 1 FROM answer);
