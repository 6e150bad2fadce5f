//! Commands, answers and refusals as messages.

use protocol::ErrorCode;
use protocol::accounts::Role;

use super::{Malformed, id, proto, to_id};
use crate::call::{Actor, Call, Caller, Context, CookieChange, Refusal, Reply};
use crate::trace::TraceContext;

impl From<Call> for proto::Call {
    fn from(call: Call) -> Self {
        Self {
            command: call.command,
            actor: Some(match call.actor {
                Actor::Anonymous => proto::call::Actor::Anonymous(proto::Anonymous {}),
                Actor::User(caller) => proto::call::Actor::User(proto::Caller {
                    user: id(caller.user.as_bytes()),
                    session: id(caller.session.as_bytes()),
                    role: caller.role.as_str().to_owned(),
                    connection: caller.connection.map(|connection| id(connection.as_bytes())),
                }),
                Actor::System => proto::call::Actor::System(proto::System {}),
            }),
            to: call.to,
            body: call.body,
            key: call.key.map(|key| id(key.as_bytes())),
            cookie: call.cookie,
            context: Some(proto::Context {
                request_id: id(call.context.request_id.as_bytes()),
                traceparent: Some(call.context.trace.header()),
                client_ip: call.context.client_ip.map(|ip| ip.to_string()),
                user_agent: call.context.user_agent.map(|text| text.to_string()),
            }),
        }
    }
}

impl TryFrom<proto::Call> for Call {
    type Error = Malformed;

    fn try_from(call: proto::Call) -> Result<Self, Malformed> {
        // An actor that this build does not know must not become one with more rights: it is refused.
        let actor = match call.actor.ok_or(Malformed("actor"))? {
            proto::call::Actor::Anonymous(_) => Actor::Anonymous,
            proto::call::Actor::User(caller) => Actor::User(Caller {
                user: to_id(&caller.user, "user")?,
                session: to_id(&caller.session, "session")?,
                role: Role::parse(&caller.role).ok_or(Malformed("role"))?,
                connection: match caller.connection {
                    Some(connection) => Some(to_id(&connection, "connection")?),
                    None => None,
                },
            }),
            proto::call::Actor::System(_) => Actor::System,
        };
        let context = call.context.ok_or(Malformed("context"))?;
        let client_ip = match context.client_ip {
            Some(ip) => Some(ip.parse().map_err(|_| Malformed("client_ip"))?),
            None => None,
        };
        Ok(Self {
            command: call.command,
            actor,
            to: call.to,
            body: call.body,
            key: match call.key {
                Some(key) => Some(to_id(&key, "key")?),
                None => None,
            },
            cookie: call.cookie,
            context: Context {
                request_id: to_id(&context.request_id, "request_id")?,
                trace: TraceContext::of(context.traceparent.as_deref()),
                client_ip,
                user_agent: context.user_agent.map(Into::into),
            },
        })
    }
}

impl From<Reply> for proto::Reply {
    fn from(reply: Reply) -> Self {
        Self {
            result: Some(match reply.result {
                Ok(body) => proto::reply::Result::Ok(body),
                Err(refusal) => proto::reply::Result::Refused(refusal.into()),
            }),
            cookie: match reply.cookie {
                CookieChange::Keep => None,
                CookieChange::Set { token, max_age_s } => {
                    Some(proto::reply::Cookie::SetCookie(proto::SetCookie { token, max_age_s }))
                }
                CookieChange::Clear => Some(proto::reply::Cookie::ClearCookie(proto::ClearCookie {})),
            },
        }
    }
}

impl TryFrom<proto::Reply> for Reply {
    type Error = Malformed;

    fn try_from(reply: proto::Reply) -> Result<Self, Malformed> {
        Ok(Self {
            result: match reply.result.ok_or(Malformed("result"))? {
                proto::reply::Result::Ok(body) => Ok(body),
                proto::reply::Result::Refused(refusal) => Err(refusal.into()),
            },
            cookie: match reply.cookie {
                None => CookieChange::Keep,
                Some(proto::reply::Cookie::SetCookie(set)) => {
                    CookieChange::Set { token: set.token, max_age_s: set.max_age_s }
                }
                Some(proto::reply::Cookie::ClearCookie(_)) => CookieChange::Clear,
            },
        })
    }
}

impl From<Refusal> for proto::Refusal {
    fn from(refusal: Refusal) -> Self {
        Self {
            code: refusal.code.as_str().to_owned(),
            message: refusal.message,
            retry_after_ms: refusal.retry_after_ms,
        }
    }
}

impl From<proto::Refusal> for Refusal {
    fn from(refusal: proto::Refusal) -> Self {
        let code = ErrorCode::ALL.iter().find(|code| code.as_str() == refusal.code);
        Self {
            // A code of a newer process: it was refused all the same, and its message says why.
            code: code.copied().unwrap_or(ErrorCode::Internal),
            message: refusal.message,
            retry_after_ms: refusal.retry_after_ms,
        }
    }
}
