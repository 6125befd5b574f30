-- The server's key pairs under which clients encrypt R_C. New runs take the newest that is not retired.
CREATE TABLE k_server (
    id TEXT PRIMARY KEY,                    -- the first octets of the digest of the modulus, hexadecimal
    sealed_key BLOB NOT NULL,               -- PKCS #8
    created_at INTEGER NOT NULL,
    retired_at INTEGER                      -- NULL: in use
) STRICT, WITHOUT ROWID;
