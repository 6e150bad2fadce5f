//! Reading the trail back, newest first, a page at a time.

use std::net::IpAddr;

use protocol::{Millis, RequestId, UserId};
use rusqlite::types::Value;
use rusqlite::{Connection, Row, params_from_iter};
use uuid::Uuid;

use super::{AuditResult, Event};

/// Rows of a page at most.
const PAGE_MAX: u32 = 1_000;

/// What to look for; everything that is set must hold.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Events of this user.
    pub user: Option<UserId>,
    /// Events on exactly this resource.
    pub resource: Option<String>,
    /// Events of exactly this action.
    pub action: Option<String>,
    /// Events that ended so.
    pub result: Option<AuditResult>,
    /// Not before this time.
    pub from: Option<Millis>,
    /// Before this time.
    pub to: Option<Millis>,
    /// Continue after the last record of the page before.
    pub after: Option<i64>,
    /// How many at most; 0 is the largest page.
    pub limit: u32,
}

/// One row of the trail.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Record {
    /// Its place in the trail, for [`Filter::after`].
    pub id: i64,
    /// How many equal events it stands for.
    pub count: u64,
    /// What happened.
    #[serde(flatten)]
    pub event: Event,
}

/// One page of the trail, newest first.
pub fn query(connection: &Connection, filter: &Filter) -> rusqlite::Result<Vec<Record>> {
    let mut sql = "SELECT id, event_id, at, user_id, resource, action, result, reason, client_ip, request_id, trace_id, count FROM audit WHERE 1".to_owned();
    let mut values: Vec<Value> = Vec::new();
    let mut and = |condition: &str, value: Option<Value>| {
        if let Some(value) = value {
            sql.push_str(" AND ");
            sql.push_str(condition);
            values.push(value);
        }
    };
    and("user_id = ?", filter.user.map(|user| Value::Blob(user.as_bytes().to_vec())));
    and("resource = ?", filter.resource.clone().map(Value::Text));
    and("action = ?", filter.action.clone().map(Value::Text));
    and("result = ?", filter.result.map(|result| Value::Text(result.as_str().to_owned())));
    and("at >= ?", filter.from.map(|at| Value::Integer(at as i64)));
    and("at < ?", filter.to.map(|at| Value::Integer(at as i64)));
    and("id < ?", filter.after.map(Value::Integer));
    let limit = match filter.limit {
        0 => PAGE_MAX,
        limit => limit.min(PAGE_MAX),
    };
    sql.push_str(" ORDER BY id DESC LIMIT ?");
    values.push(Value::Integer(i64::from(limit)));
    let mut statement = connection.prepare_cached(&sql)?;
    let rows = statement.query_map(params_from_iter(values), record)?;
    rows.collect()
}

fn record(row: &Row<'_>) -> rusqlite::Result<Record> {
    let uuid = |bytes: [u8; 16]| Uuid::from_bytes(bytes);
    let result: String = row.get(6)?;
    Ok(Record {
        id: row.get(0)?,
        count: row.get::<_, i64>(11)?.unsigned_abs(),
        event: Event {
            event_id: uuid(row.get(1)?),
            at: row.get::<_, i64>(2)?.unsigned_abs(),
            user_id: row.get::<_, Option<[u8; 16]>>(3)?.map(uuid).map(UserId),
            resource: row.get::<_, String>(4)?.into(),
            action: row.get::<_, String>(5)?.into(),
            // The table's own check leaves no fourth result.
            result: AuditResult::from_name(&result).unwrap_or(AuditResult::Failed),
            reason: row.get::<_, Option<String>>(7)?.map(Into::into),
            client_ip: row.get::<_, Option<String>>(8)?.and_then(|text| text.parse::<IpAddr>().ok()),
            request_id: row.get::<_, Option<[u8; 16]>>(9)?.map(uuid).map(RequestId),
            trace_id: row.get(10)?,
        },
    })
}
