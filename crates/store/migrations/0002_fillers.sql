-- Transactions of our own that only use up an account nonce, written before they are sent.

CREATE TABLE fillers (
    network TEXT NOT NULL,
    signer TEXT NOT NULL,
    account_nonce INTEGER NOT NULL,
    hash TEXT NOT NULL,
    raw BLOB NOT NULL,
    made_at INTEGER NOT NULL,
    PRIMARY KEY (network, signer, account_nonce, hash)
) STRICT;
