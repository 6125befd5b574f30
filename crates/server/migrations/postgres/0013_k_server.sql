-- The server's key pairs under which clients encrypt R_C. New runs take the newest that is not retired.
CREATE TABLE k_server (
    id TEXT COLLATE "C" PRIMARY KEY,                       -- the first octets of the digest of the modulus, hexadecimal
    sealed_key BYTEA NOT NULL,                             -- PKCS #8
    created_at BIGINT NOT NULL,
    retired_at BIGINT                                      -- NULL: in use
);
