//! The tables, as versioned and reversible migrations.
//!
//! Entries stand in the order of their commits (a rowid table), with a narrow index by `(stream, seq)`: keyed by that pair itself
//! the same rows cost six times as much at full batches, because each of them then dirties a page of its own. Streams are
//! referred to by a small number for the same reason: an index page holds some hundreds of them.
//!
//! Client-made ids stand first in the key of their index: those of version 7 begin with the time, so that new ones of all
//! conversations fall on the same few pages.
//!
//! Every limit of the protocol stands here once more as a CHECK, so that no path around the API can break it (RS8).

use runtime::audit;
use runtime::store::Migration;

/// The versions of the schema.
pub const MIGRATIONS: &[Migration] = &[
    // The audit table stands in the same file, so that a row commits with the change it tells of.
    Migration { version: 1, name: "audit", up: audit::MIGRATION_SQL, down: audit::MIGRATION_DOWN_SQL },
    Migration { version: 2, name: "conversations, logs, members, markers, presence", up: UP, down: DOWN },
    Migration { version: 3, name: "running numbers of own messages", up: OWN_NUMBERS_UP, down: OWN_NUMBERS_DOWN },
    Migration { version: 4, name: "who came in after an entry", up: BEGINNINGS_UP, down: BEGINNINGS_DOWN },
];

const UP: &str = "
CREATE TABLE streams (
    no INTEGER PRIMARY KEY,
    key BLOB NOT NULL UNIQUE CHECK (length(key) = 17),
    head_seq INTEGER NOT NULL DEFAULT 0 CHECK (head_seq >= 0),
    head_tag INTEGER NOT NULL DEFAULT 0 CHECK (head_tag BETWEEN 0 AND 4294967295),
    number INTEGER NOT NULL DEFAULT 0 CHECK (number BETWEEN 0 AND head_seq),
    last_message INTEGER NOT NULL DEFAULT 0 CHECK (last_message BETWEEN 0 AND head_seq)
) STRICT;

CREATE TABLE conversations (
    no INTEGER PRIMARY KEY REFERENCES streams (no),
    id BLOB NOT NULL UNIQUE CHECK (length(id) = 16),
    kind INTEGER NOT NULL CHECK (kind IN (0, 1, 2)),
    title TEXT CHECK ((kind = 0) = (title IS NULL) AND (title IS NULL OR length(title) BETWEEN 1 AND 100)),
    title_folded TEXT CHECK ((title IS NULL) = (title_folded IS NULL)),
    created_at INTEGER NOT NULL,
    members INTEGER NOT NULL DEFAULT 0 CHECK (members BETWEEN 0 AND 100000)
) STRICT;
CREATE INDEX channels_by_id ON conversations (id) WHERE kind = 2;
CREATE INDEX channels_by_title ON conversations (title_folded, id) WHERE kind = 2;

CREATE TABLE entries (
    no INTEGER PRIMARY KEY,
    stream INTEGER NOT NULL,
    seq INTEGER NOT NULL CHECK (seq > 0),
    tag INTEGER NOT NULL CHECK (tag BETWEEN 0 AND 4294967295),
    at INTEGER NOT NULL,
    kind INTEGER NOT NULL CHECK (kind BETWEEN 1 AND 22),
    number INTEGER NOT NULL CHECK (number >= 0),
    actor BLOB CHECK (actor IS NULL OR length(actor) = 16),
    client_id BLOB CHECK (client_id IS NULL OR length(client_id) = 16),
    subject BLOB CHECK (subject IS NULL OR length(subject) = 16),
    target INTEGER,
    target_tag INTEGER,
    detail INTEGER,
    text TEXT CHECK (text IS NULL OR length(text) <= 4000),
    edited_at INTEGER,
    revision INTEGER NOT NULL DEFAULT 0 CHECK (revision >= 0),
    body BLOB CHECK (body IS NULL OR length(body) <= 65536),
    CHECK (kind <> 8 OR (actor IS NOT NULL AND client_id IS NOT NULL AND text IS NOT NULL AND number > 0))
) STRICT;
CREATE UNIQUE INDEX entries_by_position ON entries (stream, seq);

CREATE TABLE client_ids (
    stream INTEGER NOT NULL,
    sender BLOB NOT NULL CHECK (length(sender) = 16),
    client_id BLOB NOT NULL CHECK (length(client_id) = 16),
    seq INTEGER NOT NULL,
    PRIMARY KEY (client_id, sender, stream)
) STRICT, WITHOUT ROWID;

CREATE TABLE memberships (
    stream INTEGER NOT NULL,
    user BLOB NOT NULL CHECK (length(user) = 16),
    joined_seq INTEGER NOT NULL CHECK (joined_seq > 0),
    first_seq INTEGER NOT NULL CHECK (first_seq BETWEEN 1 AND joined_seq),
    left_seq INTEGER CHECK (left_seq IS NULL OR left_seq > joined_seq),
    role INTEGER NOT NULL CHECK (role IN (0, 1, 2)),
    read_seq INTEGER NOT NULL,
    read_number INTEGER NOT NULL CHECK (read_number BETWEEN 0 AND read_seq),
    delivered_seq INTEGER NOT NULL CHECK (delivered_seq >= read_seq),
    untold INTEGER NOT NULL DEFAULT 0 CHECK (untold BETWEEN 0 AND 3),
    PRIMARY KEY (stream, user, joined_seq)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX memberships_now ON memberships (user, stream) WHERE left_seq IS NULL;
CREATE INDEX memberships_untold ON memberships (stream, user) WHERE untold > 0;

CREATE TABLE bans (
    stream INTEGER NOT NULL,
    user BLOB NOT NULL CHECK (length(user) = 16),
    at INTEGER NOT NULL,
    PRIMARY KEY (stream, user)
) STRICT, WITHOUT ROWID;

CREATE TABLE direct_pairs (
    low BLOB NOT NULL CHECK (length(low) = 16),
    high BLOB NOT NULL CHECK (length(high) = 16 AND low < high),
    stream INTEGER NOT NULL REFERENCES streams (no),
    PRIMARY KEY (low, high)
) STRICT, WITHOUT ROWID;

CREATE TABLE revisions (
    stream INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    revision INTEGER NOT NULL CHECK (revision >= 0),
    text TEXT NOT NULL CHECK (length(text) BETWEEN 1 AND 4000),
    replaced_at INTEGER NOT NULL,
    replaced_by BLOB NOT NULL CHECK (length(replaced_by) = 16),
    replaced_in INTEGER NOT NULL CHECK (replaced_in > seq),
    PRIMARY KEY (stream, seq, revision)
) STRICT, WITHOUT ROWID;

CREATE TABLE idempotency (
    user BLOB NOT NULL CHECK (length(user) = 16),
    key BLOB NOT NULL CHECK (length(key) = 16),
    request BLOB NOT NULL CHECK (length(request) <= 65536),
    answer BLOB NOT NULL CHECK (length(answer) <= 65536),
    at INTEGER NOT NULL,
    PRIMARY KEY (user, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX idempotency_by_age ON idempotency (at);

CREATE TABLE imports (
    key BLOB NOT NULL PRIMARY KEY CHECK (length(key) = 16),
    conversation BLOB NOT NULL CHECK (length(conversation) = 16)
) STRICT, WITHOUT ROWID;

CREATE TABLE presence (
    user BLOB NOT NULL PRIMARY KEY CHECK (length(user) = 16),
    online INTEGER NOT NULL CHECK (online IN (0, 1)),
    last_seen_at INTEGER NOT NULL,
    version INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX presence_online ON presence (user) WHERE online = 1;
CREATE INDEX presence_version ON presence (version);
";

const DOWN: &str = "
DROP TABLE presence;
DROP TABLE imports;
DROP TABLE idempotency;
DROP TABLE revisions;
DROP TABLE direct_pairs;
DROP TABLE bans;
DROP TABLE memberships;
DROP TABLE client_ids;
DROP TABLE entries;
DROP TABLE conversations;
DROP TABLE streams;
";

/// Until now a message moved its sender's marker to itself, so nobody has own messages after their marker: both numbers begin at 0.
const OWN_NUMBERS_UP: &str = "
ALTER TABLE memberships ADD COLUMN own_number INTEGER NOT NULL DEFAULT 0 CHECK (own_number >= 0);
ALTER TABLE memberships ADD COLUMN read_own INTEGER NOT NULL DEFAULT 0 CHECK (read_own BETWEEN 0 AND own_number);
";

/// As it was: the last own message after a marker has moved the marker to itself, which is told.
const OWN_NUMBERS_DOWN: &str = "
UPDATE memberships SET read_seq = last.seq, read_number = last.number,
    delivered_seq = max(delivered_seq, last.seq), untold = untold | 1
FROM (
    SELECT behind.stream, behind.user, behind.joined_seq, max(entries.seq) AS seq, entries.number
    FROM memberships AS behind CROSS JOIN entries
        ON entries.stream = behind.stream AND entries.seq > behind.read_seq AND kind = 8 AND actor = behind.user
    WHERE behind.own_number > behind.read_own AND behind.left_seq IS NULL
    GROUP BY behind.stream, behind.user, behind.joined_seq
) AS last
WHERE memberships.stream = last.stream AND memberships.user = last.user AND memberships.joined_seq = last.joined_seq;
ALTER TABLE memberships DROP COLUMN read_own;
ALTER TABLE memberships DROP COLUMN own_number;
";

/// Every edit asks whether somebody came in after the message. A send changes none of these columns.
const BEGINNINGS_UP: &str = "
CREATE INDEX memberships_beginning ON memberships (stream, first_seq) WHERE left_seq IS NULL;
";

const BEGINNINGS_DOWN: &str = "
DROP INDEX memberships_beginning;
";
