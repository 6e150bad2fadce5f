//! The tables, with the limits of `protocol` as their own constraints: what a defect lets past the code stops here.
//!
//! No token stands in any of them: a refresh token is the session's id, its generation and a MAC under a key that is kept
//! in a file beside the store.

use runtime::audit;
use runtime::store::Migration;

/// All versions of the schema.
pub(crate) const MIGRATIONS: &[Migration] = &[
    Migration { version: 1, name: "the audit trail", up: audit::MIGRATION_SQL, down: audit::MIGRATION_DOWN_SQL },
    Migration { version: 2, name: "accounts, sessions, keys", up: ACCOUNTS_UP, down: ACCOUNTS_DOWN },
];

const ACCOUNTS_UP: &str = "
CREATE TABLE accounts (
    id BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    handle TEXT NOT NULL UNIQUE
        CHECK (length(handle) BETWEEN 3 AND 32 AND handle GLOB '[a-z]*' AND handle NOT GLOB '*[^a-z0-9_.]*'),
    name TEXT NOT NULL CHECK (length(name) BETWEEN 1 AND 64),
    avatar TEXT CHECK (avatar IS NULL OR (length(avatar) <= 512 AND avatar GLOB 'https://?*')),
    role TEXT NOT NULL CHECK (role IN ('user', 'moderator', 'admin')),
    password TEXT CHECK (password IS NULL OR password GLOB '$argon2*'),
    password_at INTEGER NOT NULL CHECK (password_at > 0),
    created_at INTEGER NOT NULL CHECK (created_at > 0),
    suspended_at INTEGER CHECK (suspended_at IS NULL OR suspended_at > 0)
) STRICT;
CREATE INDEX accounts_admins ON accounts (id) WHERE role = 'admin';

CREATE TABLE sessions (
    id BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    account BLOB NOT NULL REFERENCES accounts (id),
    generation INTEGER NOT NULL CHECK (generation > 0),
    rotated_at INTEGER NOT NULL CHECK (rotated_at > 0),
    repeated INTEGER NOT NULL DEFAULT 0 CHECK (repeated IN (0, 1)),
    device TEXT CHECK (device IS NULL OR length(device) BETWEEN 1 AND 100),
    address TEXT,
    created_at INTEGER NOT NULL CHECK (created_at > 0),
    seen_at INTEGER NOT NULL CHECK (seen_at > 0),
    expires_at INTEGER NOT NULL CHECK (expires_at > 0),
    ended_at INTEGER CHECK (ended_at IS NULL OR ended_at > 0)
) STRICT;
CREATE INDEX sessions_live ON sessions (account, seen_at) WHERE ended_at IS NULL;
CREATE INDEX sessions_by_expiry ON sessions (expires_at);

CREATE TABLE revocations (
    number INTEGER NOT NULL PRIMARY KEY CHECK (number > 0),
    account BLOB NOT NULL CHECK (length(account) = 16),
    session BLOB CHECK (session IS NULL OR length(session) = 16),
    tokens_before INTEGER,
    until INTEGER NOT NULL,
    CHECK ((session IS NULL) <> (tokens_before IS NULL))
) STRICT;
CREATE INDEX revocations_by_end ON revocations (until);
CREATE TABLE revocation_head (
    one INTEGER NOT NULL PRIMARY KEY CHECK (one = 1),
    newest INTEGER NOT NULL CHECK (newest >= 0)
) STRICT;
INSERT INTO revocation_head VALUES (1, 0);

CREATE TABLE signing_keys (
    kid TEXT NOT NULL PRIMARY KEY,
    signs_from INTEGER NOT NULL,
    pkcs8 BLOB NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;

CREATE TABLE tallies (
    subject BLOB NOT NULL PRIMARY KEY CHECK (length(subject) = 16),
    failures INTEGER NOT NULL CHECK (failures >= 0),
    level INTEGER NOT NULL CHECK (level >= 0),
    failed_at INTEGER NOT NULL,
    locked_until INTEGER NOT NULL,
    forget_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX tallies_by_end ON tallies (forget_at);

CREATE TABLE places (
    account BLOB NOT NULL REFERENCES accounts (id),
    network TEXT NOT NULL,
    seen_at INTEGER NOT NULL,
    PRIMARY KEY (account, network)
) STRICT, WITHOUT ROWID;
CREATE INDEX places_by_age ON places (seen_at);

CREATE TABLE registrations (
    key BLOB NOT NULL PRIMARY KEY CHECK (length(key) = 16),
    fingerprint BLOB NOT NULL CHECK (length(fingerprint) = 32),
    account BLOB NOT NULL REFERENCES accounts (id),
    session BLOB NOT NULL CHECK (length(session) = 16),
    at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX registrations_by_age ON registrations (at);
";

const ACCOUNTS_DOWN: &str = "
DROP TABLE registrations;
DROP TABLE places;
DROP TABLE tallies;
DROP TABLE signing_keys;
DROP TABLE revocation_head;
DROP TABLE revocations;
DROP TABLE sessions;
DROP TABLE accounts;
";
