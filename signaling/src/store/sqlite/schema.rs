//! The tables, as versioned and reversible migrations.
//!
//! A call's row holds its state as JSON, which only callers read, and beside it what the store itself asks for. `due` is the one time at
//! which a worker has to look: a row's deadline, moved on to the lease's end while it is leased. It stands only in rows for which there is
//! something to do, so that the index of it is the queue of the work: of a call's outputs that is the first alone, and the next one's time
//! is set when that was performed.
//!
//! Outputs and records refer to no row of `calls`: states are forgotten after a day, and what they left has to outlive them.

use runtime::audit;
use runtime::store::Migration;

/// The versions of the schema.
pub(super) const MIGRATIONS: &[Migration] = &[
    Migration { version: 1, name: "audit", up: audit::MIGRATION_SQL, down: audit::MIGRATION_DOWN_SQL },
    Migration { version: 2, name: "calls, outputs, history", up: UP, down: DOWN },
];

// A state of the most people that a call remembers takes some 48 KB.
const UP: &str = "
CREATE TABLE calls (
    no INTEGER PRIMARY KEY,
    id BLOB NOT NULL UNIQUE CHECK (length(id) = 16),
    version INTEGER NOT NULL CHECK (version > 0),
    conversation BLOB NOT NULL CHECK (length(conversation) = 16),
    by_user BLOB NOT NULL CHECK (length(by_user) = 16),
    client_id BLOB NOT NULL CHECK (length(client_id) = 16),
    due INTEGER CHECK (due >= 0),
    ended_at INTEGER CHECK (ended_at >= 0),
    unit BLOB NOT NULL CHECK (length(unit) BETWEEN 2 AND 131072),
    CHECK ((due IS NULL) = (ended_at IS NOT NULL))
) STRICT;
CREATE UNIQUE INDEX calls_by_client_id ON calls (client_id, by_user);
CREATE UNIQUE INDEX calls_live_in ON calls (conversation) WHERE ended_at IS NULL;
CREATE INDEX calls_live ON calls (id) WHERE ended_at IS NULL;
CREATE INDEX calls_due ON calls (due, id) WHERE due IS NOT NULL;
CREATE INDEX calls_over ON calls (ended_at, id) WHERE ended_at IS NOT NULL;
CREATE TRIGGER calls_go_on BEFORE UPDATE OF version ON calls WHEN NEW.version <= OLD.version OR OLD.ended_at IS NOT NULL
BEGIN
    SELECT RAISE(ABORT, 'a version grows, and what is over stays over');
END;

CREATE TABLE places (
    call BLOB NOT NULL CHECK (length(call) = 16),
    user BLOB NOT NULL CHECK (length(user) = 16),
    PRIMARY KEY (call, user)
) STRICT, WITHOUT ROWID;
CREATE INDEX places_by_user ON places (user);

CREATE TABLE outputs (
    no INTEGER PRIMARY KEY,
    call BLOB NOT NULL CHECK (length(call) = 16),
    version INTEGER NOT NULL CHECK (version > 0),
    idx INTEGER NOT NULL CHECK (idx >= 0),
    conversation BLOB NOT NULL CHECK (length(conversation) = 16),
    output BLOB NOT NULL CHECK (length(output) BETWEEN 2 AND 131072),
    due INTEGER CHECK (due >= 0),
    attempts INTEGER NOT NULL DEFAULT 0 CHECK (attempts >= 0),
    UNIQUE (call, version, idx)
) STRICT;
CREATE UNIQUE INDEX outputs_first ON outputs (call) WHERE due IS NOT NULL;
CREATE INDEX outputs_due ON outputs (due, call) WHERE due IS NOT NULL;

CREATE TABLE records (
    call BLOB NOT NULL PRIMARY KEY CHECK (length(call) = 16),
    ended_at INTEGER NOT NULL CHECK (ended_at >= 0),
    record BLOB NOT NULL CHECK (length(record) BETWEEN 2 AND 131072)
) STRICT;
CREATE INDEX records_by_age ON records (ended_at, call);

CREATE TABLE history (
    user BLOB NOT NULL CHECK (length(user) = 16),
    call BLOB NOT NULL REFERENCES records (call) ON DELETE CASCADE,
    missed INTEGER NOT NULL CHECK (missed IN (0, 1)),
    PRIMARY KEY (user, call)
) STRICT, WITHOUT ROWID;
CREATE INDEX history_by_call ON history (call);
CREATE INDEX history_missed ON history (user, call) WHERE missed = 1;

CREATE TABLE seen (
    user BLOB NOT NULL PRIMARY KEY CHECK (length(user) = 16),
    call BLOB NOT NULL CHECK (length(call) = 16)
) STRICT, WITHOUT ROWID;
";

const DOWN: &str = "
DROP TABLE seen;
DROP TABLE history;
DROP TABLE records;
DROP TABLE outputs;
DROP TABLE places;
DROP TABLE calls;
";
