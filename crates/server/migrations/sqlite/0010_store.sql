-- The store's identity, which stands beside a key file that the server made, too, and when a write was last tried only
-- to see whether one succeeds.
CREATE TABLE store (
    only INTEGER PRIMARY KEY CHECK (only = 1),
    id TEXT NOT NULL,
    tried_at INTEGER NOT NULL
) STRICT;
INSERT INTO store VALUES (1, lower(hex(randomblob(8))), 0);
