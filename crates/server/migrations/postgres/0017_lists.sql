-- Lists, page by page: the enrolments of a user, those in a state by the time at which they expire, and the audit trail
-- by time, all of it or one kind of event.
DROP INDEX enrolment_by_user;
CREATE INDEX enrolment_by_user ON enrolment (user_id, id);
CREATE INDEX enrolment_by_state ON enrolment (state, expires_at, id);
CREATE INDEX audit_by_time ON audit (at, chain, seq);
CREATE INDEX audit_by_event ON audit (event, at, chain, seq);
