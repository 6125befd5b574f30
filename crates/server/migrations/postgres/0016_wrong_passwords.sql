-- Consecutive wrong one-time passwords of a user, key or client. Names of nobody share 256 rows.
CREATE TABLE wrong_password (
    subject TEXT COLLATE "C" PRIMARY KEY,
    count BIGINT NOT NULL CHECK (count > 0),
    at BIGINT NOT NULL                                     -- the last one
);
CREATE INDEX wrong_password_by_time ON wrong_password (at);
