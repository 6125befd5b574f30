-- Two indexes of lists cost every run, and serve only to find rows that are few: without the events of every run, and
-- without the enrolments that are done.
DROP INDEX audit_by_event;
CREATE INDEX audit_by_rare_event ON audit (event, at, chain, seq)
    WHERE event <> 'enrolment.created' AND event <> 'key.provisioned';
DROP INDEX enrolment_by_state;
CREATE INDEX enrolment_by_state ON enrolment (state, expires_at, id) WHERE state <> 'active';
-- SQLite makes a table of its own for every check against a list, in every statement that writes the row. The same
-- constraints as comparisons cost nothing. What is stored does not change, so only the tables' texts do:
-- https://www.sqlite.org/lang_altertable.html#otheralter
PRAGMA writable_schema = ON;
UPDATE sqlite_schema SET sql = replace(sql, 'state IN (''open'', ''provisioned'', ''active'', ''revoked'')',
    'state = ''open'' OR state = ''provisioned'' OR state = ''active'' OR state = ''revoked''')
    WHERE type = 'table' AND name = 'enrolment';
UPDATE sqlite_schema SET sql = replace(sql, 'state IN (''imported'', ''provisioned'', ''active'', ''replaced'', ''revoked'')',
    'state = ''imported'' OR state = ''provisioned'' OR state = ''active'' OR state = ''replaced'' OR state = ''revoked''')
    WHERE type = 'table' AND name = 'key';
PRAGMA writable_schema = RESET;
