-- Networks are CAIP-2, addresses and hashes lower-case hex with 0x, amounts decimal, times unix seconds.

CREATE TABLE attempts (
    id INTEGER PRIMARY KEY,
    payment TEXT NOT NULL REFERENCES payments (id),
    generation INTEGER NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('own', 'remote', 'foreign')),
    network TEXT NOT NULL,
    signer TEXT,
    account_nonce INTEGER,
    raw BLOB,
    hash TEXT,
    facilitator TEXT,
    made_at INTEGER NOT NULL,
    CHECK ((kind = 'own') = (signer IS NOT NULL AND account_nonce IS NOT NULL AND raw IS NOT NULL)),
    CHECK ((kind = 'remote') = (facilitator IS NOT NULL)),
    CHECK ((kind = 'remote') = (hash IS NULL)),
    UNIQUE (network, signer, account_nonce, hash)
) STRICT;
CREATE INDEX attempts_payment ON attempts (payment);

CREATE TABLE payments (
    id TEXT PRIMARY KEY,
    network TEXT NOT NULL,
    contract TEXT NOT NULL,
    payer TEXT NOT NULL,
    nonce TEXT NOT NULL,
    state TEXT NOT NULL,
    generation INTEGER NOT NULL CHECK (generation > 0),
    asset TEXT NOT NULL,
    pay_to TEXT NOT NULL,
    amount TEXT NOT NULL,
    valid_after TEXT NOT NULL,
    valid_before TEXT NOT NULL,
    signature BLOB NOT NULL,
    -- The binding: all of it, or nothing.
    request TEXT,
    facts TEXT,
    conditions TEXT,
    header TEXT,
    source TEXT,
    version_1 INTEGER,
    rule TEXT,
    method TEXT,
    path TEXT,
    worker TEXT NOT NULL,
    claimed_block INTEGER NOT NULL,
    claimed_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    attempt INTEGER REFERENCES attempts (id),
    reason TEXT,
    body_digest TEXT,
    delivered INTEGER NOT NULL DEFAULT 0,
    redeliveries INTEGER NOT NULL DEFAULT 0,
    -- The worker by whom a delivery is under way.
    redelivering TEXT,
    CHECK ((request IS NULL) = (facts IS NULL) AND (request IS NULL) = (conditions IS NULL) AND (request IS NULL) = (header IS NULL) AND (request IS NULL) = (source IS NULL) AND (request IS NULL) = (version_1 IS NULL)
        AND (request IS NULL) = (rule IS NULL) AND (request IS NULL) = (method IS NULL) AND (request IS NULL) = (path IS NULL))
) STRICT;
CREATE INDEX payments_newest ON payments (claimed_at, id);
CREATE INDEX payments_open ON payments (claimed_at, id) WHERE state IN ('claimed', 'submitted', 'unknown', 'reverted');
CREATE INDEX payments_redelivering ON payments (redelivering) WHERE redelivering IS NOT NULL;

CREATE TABLE settlements (
    id INTEGER PRIMARY KEY,
    payment TEXT NOT NULL REFERENCES payments (id),
    generation INTEGER NOT NULL,
    network TEXT NOT NULL,
    hash TEXT NOT NULL,
    block_number INTEGER NOT NULL,
    block_hash TEXT NOT NULL,
    log_index INTEGER,
    amount TEXT NOT NULL CHECK (amount <> '0'),
    settled_at INTEGER NOT NULL,
    reverted_at INTEGER
) STRICT;
-- A payment is settled once, and a log is evidence for one payment only.
CREATE UNIQUE INDEX settlements_of_payment ON settlements (payment) WHERE reverted_at IS NULL;
CREATE UNIQUE INDEX settlements_of_log ON settlements (network, hash, log_index) WHERE reverted_at IS NULL;

CREATE TABLE entries (
    id INTEGER PRIMARY KEY,
    payment TEXT NOT NULL REFERENCES payments (id),
    debit TEXT NOT NULL,
    credit TEXT NOT NULL CHECK (credit <> debit),
    network TEXT NOT NULL,
    asset TEXT NOT NULL,
    amount TEXT NOT NULL CHECK (amount <> '0'),
    booked_at INTEGER NOT NULL
) STRICT;
CREATE INDEX entries_payment ON entries (payment);
CREATE TRIGGER entries_are_not_changed BEFORE UPDATE ON entries BEGIN SELECT RAISE(ABORT, 'entries are never changed'); END;
CREATE TRIGGER entries_are_not_removed BEFORE DELETE ON entries BEGIN SELECT RAISE(ABORT, 'entries are never removed'); END;

CREATE TABLE replies (
    payment TEXT PRIMARY KEY REFERENCES payments (id),
    generation INTEGER NOT NULL,
    status INTEGER NOT NULL,
    headers TEXT NOT NULL,
    body BLOB NOT NULL,
    kept_at INTEGER NOT NULL
) STRICT;
CREATE INDEX replies_oldest ON replies (kept_at);

CREATE TABLE workers (
    id TEXT PRIMARY KEY,
    beat_at INTEGER NOT NULL
) STRICT;

CREATE TABLE lanes (
    network TEXT NOT NULL,
    signer TEXT NOT NULL,
    worker TEXT,
    epoch INTEGER NOT NULL,
    next_nonce INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (network, signer)
) STRICT;

CREATE TABLE secrets (
    name TEXT PRIMARY KEY,
    value BLOB NOT NULL CHECK (length(value) = 32)
) STRICT;
