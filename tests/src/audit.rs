//! Reads the audit trail of a service from its store, beside the running process, as an operator's tool would.

use protocol::{ServiceName, UserId};
use rusqlite::{Connection, OpenFlags};
use uuid::Uuid;

use crate::world::World;

/// The rows of one service, the oldest first.
#[derive(Debug)]
pub struct Audit {
    /// The rows.
    pub rows: Vec<Row>,
}

/// One event.
#[derive(Clone, Debug)]
pub struct Row {
    /// Who, where known.
    pub user: Option<UserId>,
    /// On what.
    pub resource: String,
    /// What.
    pub action: String,
    /// `allowed`, `denied` or `failed`.
    pub result: String,
    /// Why.
    pub reason: Option<String>,
    /// From where.
    pub client_ip: Option<String>,
    /// Which request.
    pub request_id: Option<Uuid>,
    /// How often.
    pub count: u64,
}

impl Audit {
    /// Reads all rows of a service.
    ///
    /// # Panics
    /// When its store can't be read.
    #[must_use]
    pub fn read(world: &World, service: ServiceName) -> Self {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let store = Connection::open_with_flags(world.store_file(service), flags).expect("a store");
        let mut statement = store
            .prepare(
                "SELECT user_id, resource, action, result, reason, client_ip, request_id, count
                 FROM audit ORDER BY id",
            )
            .expect("the audit table");
        let rows = statement
            .query_map([], |row| {
                Ok(Row {
                    user: row.get::<_, Option<[u8; 16]>>(0)?.map(UserId::from),
                    resource: row.get(1)?,
                    action: row.get(2)?,
                    result: row.get(3)?,
                    reason: row.get(4)?,
                    client_ip: row.get(5)?,
                    request_id: row.get::<_, Option<[u8; 16]>>(6)?.map(Uuid::from_bytes),
                    count: row.get::<_, i64>(7)?.unsigned_abs(),
                })
            })
            .expect("rows");
        let rows = rows.collect::<Result<_, _>>().expect("rows");
        Self { rows }
    }

    /// The last row whose action contains this.
    #[must_use]
    pub fn with_action(&self, part: &str) -> Option<&Row> {
        self.rows.iter().rev().find(|row| row.action.contains(part))
    }
}
