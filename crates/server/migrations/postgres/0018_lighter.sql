-- Two indexes of lists cost every run, and serve only to find rows that are few: without the events of every run, and
-- without the enrolments that are done.
DROP INDEX audit_by_event;
CREATE INDEX audit_by_rare_event ON audit (event, at, chain, seq)
    WHERE event <> 'enrolment.created' AND event <> 'key.provisioned';
DROP INDEX enrolment_by_state;
CREATE INDEX enrolment_by_state ON enrolment (state, expires_at, id) WHERE state <> 'active';
