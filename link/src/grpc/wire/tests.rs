//! Whatever the types can hold survives the wire, and what is not of the link's form is refused.

use std::borrow::Cow;
use std::sync::Arc;

use bytes::Bytes;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use prost::Message;
use protocol::accounts::Role;
use protocol::{Epoch, ErrorCode, Position, StreamId, StreamKind, Tag};
use uuid::Uuid;

use super::{Malformed, proto};
use crate::*;

fn uuid() -> impl Strategy<Value = Uuid> {
    any::<[u8; 16]>().prop_map(Uuid::from_bytes)
}

fn stream() -> impl Strategy<Value = StreamId> {
    (any::<bool>(), uuid())
        .prop_map(|(user, id)| StreamId { kind: if user { StreamKind::User } else { StreamKind::Conversation }, id })
}

fn position() -> impl Strategy<Value = Position> {
    (any::<u64>(), any::<u32>()).prop_map(|(seq, tag)| Position { seq, tag: Tag(tag) })
}

fn bytes() -> impl Strategy<Value = Bytes> {
    vec(any::<u8>(), 0..64).prop_map(Bytes::from)
}

fn call() -> impl Strategy<Value = Call> {
    let actor = prop_oneof![
        Just(Actor::Anonymous),
        Just(Actor::System),
        (uuid(), uuid(), option::of(uuid()), 0_usize..3).prop_map(|(user, session, connection, role)| {
            Actor::User(Caller {
                user: user.into(),
                session: session.into(),
                connection: connection.map(Into::into),
                role: [Role::User, Role::Moderator, Role::Admin][role],
            })
        })
    ];
    let context = (uuid(), any::<bool>(), option::of(any::<std::net::IpAddr>()), option::of(".*")).prop_map(
        |(id, sampled, client_ip, user_agent)| Context {
            request_id: id.into(),
            trace: TraceContext::make(sampled),
            client_ip,
            user_agent: user_agent.map(Into::into),
        },
    );
    (".*", actor, option::of(".*"), bytes(), option::of(uuid()), option::of(".*"), context).prop_map(
        |(command, actor, to, body, key, cookie, context)| Call { command, actor, to, body, key, cookie, context },
    )
}

fn refusal() -> impl Strategy<Value = Refusal> {
    (0..ErrorCode::ALL.len(), ".*", option::of(any::<u64>())).prop_map(|(code, message, retry_after_ms)| Refusal {
        code: ErrorCode::ALL[code],
        message,
        retry_after_ms,
    })
}

fn reply() -> impl Strategy<Value = Reply> {
    let result = prop_oneof![bytes().prop_map(Ok), refusal().prop_map(Err)];
    let cookie = prop_oneof![
        Just(CookieChange::Keep),
        Just(CookieChange::Clear),
        (".*", any::<u64>()).prop_map(|(token, max_age_s)| CookieChange::Set { token, max_age_s })
    ];
    (result, cookie).prop_map(|(result, cookie)| Reply { result, cookie })
}

fn event() -> impl Strategy<Value = Event> {
    let identity = prop_oneof![
        (stream(), position()).prop_map(|(stream, position)| Identity::Entry {
            stream,
            seq: position.seq,
            tag: position.tag
        }),
        (".*", any::<u64>()).prop_map(|(key, version)| Identity::Register { key: key.into(), version }),
        any::<u64>().prop_map(|until| Identity::Ephemeral { until }),
    ];
    let audience = prop_oneof![
        stream().prop_map(Audience::Stream),
        vec(uuid(), 0..4).prop_map(|users| Audience::Users(users.into_iter().map(Into::into).collect())),
    ];
    let effect = (stream(), uuid(), any::<bool>(), position()).prop_map(|(stream, user, joined, at)| Effect {
        stream,
        user: user.into(),
        change: if joined { Change::Joined } else { Change::Left },
        at,
    });
    (identity, audience, ".*", any::<u64>(), bytes(), any::<bool>(), vec(effect, 0..3)).prop_map(
        |(identity, audience, name, at, body, by_rights, effects)| Event {
            identity,
            audience,
            name: Cow::Owned(name),
            at,
            body,
            by_rights,
            effects: effects.into(),
        },
    )
}

fn hint() -> impl Strategy<Value = Hint> {
    prop_oneof![
        (uuid(), any::<u64>()).prop_map(|(publisher, number)| Hint::Newest { publisher, number }),
        (uuid(), any::<u64>(), event()).prop_map(|(publisher, number, event)| {
            let event = Arc::new(event);
            Hint::Event { publisher, number, event }
        }),
    ]
}

fn page() -> impl Strategy<Value = Page> {
    let item = prop_oneof![
        event().prop_map(Item::Entry),
        (any::<u64>(), position()).prop_map(|(first, last)| Item::Withheld { first, last }),
    ];
    (vec(item, 0..4), position(), 0_usize..3).prop_map(|(items, head, standing)| Page {
        items,
        head,
        standing: [Standing::Member, Standing::Gone, Standing::Reset][standing],
    })
}

fn read_request() -> impl Strategy<Value = ReadRequest> {
    (stream(), option::of(uuid()), any::<u64>(), option::of(any::<u32>()), any::<u32>()).prop_map(
        |(stream, user, after, tag, limit)| ReadRequest {
            stream,
            reader: user.map_or(Reader::System, |user| Reader::User(user.into())),
            after,
            tag: tag.map(Tag),
            limit,
        },
    )
}

fn subscriptions() -> impl Strategy<Value = Subscriptions> {
    let head = (stream(), position()).prop_map(|(stream, position)| Head { stream, position });
    (uuid(), vec(head, 0..4)).prop_map(|(epoch, heads)| Subscriptions { epoch: Epoch(epoch), heads })
}

fn report() -> impl Strategy<Value = DeviceReport> {
    let device = || {
        let device = (uuid(), uuid(), uuid()).prop_map(|(user, session, connection)| Device {
            user: user.into(),
            session: session.into(),
            connection: connection.into(),
        });
        vec(device, 0..3)
    };
    let acknowledged = (uuid(), stream(), any::<u64>()).prop_map(|(user, stream, seq)| Acknowledged {
        user: user.into(),
        stream,
        seq,
    });
    (uuid(), any::<bool>(), device(), device(), vec(acknowledged, 0..3)).prop_map(
        |(gateway, whole, opened, closed, acknowledged)| DeviceReport { gateway, whole, opened, closed, acknowledged },
    )
}

fn revocations() -> impl Strategy<Value = Revocations> {
    let row = (any::<u64>(), uuid(), uuid(), option::of(any::<u64>()), any::<u64>()).prop_map(
        |(number, user, session, before, until)| Revocation {
            number,
            user: user.into(),
            revoked: before.map_or(Revoked::Session(session.into()), Revoked::TokensBefore),
            until,
        },
    );
    (vec(row, 0..4), any::<u64>()).prop_map(|(rows, newest)| Revocations { rows, newest })
}

/// Across the wire, in bytes, and back.
fn across<T, M>(message: M) -> Result<T, Malformed>
where
    M: Message + Default,
    T: TryFrom<M, Error = Malformed>,
{
    T::try_from(M::decode(message.encode_to_vec().as_slice()).unwrap())
}

proptest! {
    #[test]
    fn every_call_survives(value in call()) {
        prop_assert_eq!(across::<Call, _>(proto::Call::from(value.clone())), Ok(value));
    }

    #[test]
    fn every_reply_survives(value in reply()) {
        prop_assert_eq!(across::<Reply, _>(proto::Reply::from(value.clone())), Ok(value));
    }

    #[test]
    fn every_hint_survives(value in hint()) {
        prop_assert_eq!(across::<Hint, _>(proto::Hint::from(&value)), Ok(value));
    }

    #[test]
    fn every_page_survives(value in page()) {
        prop_assert_eq!(across::<Page, _>(proto::Page::from(value.clone())), Ok(value));
    }

    #[test]
    fn every_question_for_a_page_survives(value in read_request()) {
        prop_assert_eq!(across::<ReadRequest, _>(proto::ReadRequest::from(value)), Ok(value));
    }

    #[test]
    fn all_subscriptions_survive(value in subscriptions()) {
        prop_assert_eq!(
            across::<Subscriptions, _>(proto::SubscriptionsReply::from(value.clone())),
            Ok(value)
        );
    }

    #[test]
    fn every_report_survives(value in report()) {
        prop_assert_eq!(
            across::<DeviceReport, _>(proto::DeviceReport::from(value.clone())),
            Ok(value)
        );
    }

    #[test]
    fn all_revocations_survive(value in revocations()) {
        prop_assert_eq!(
            across::<Revocations, _>(proto::RevocationsReply::from(value.clone())),
            Ok(value)
        );
    }

    #[test]
    fn whatever_bytes_come_nothing_panics(bytes in vec(any::<u8>(), 0..256)) {
        if let Ok(message) = proto::Call::decode(bytes.as_slice()) {
            let _ = Call::try_from(message);
        }
        if let Ok(message) = proto::Page::decode(bytes.as_slice()) {
            let _ = Page::try_from(message);
        }
        if let Ok(message) = proto::Hint::decode(bytes.as_slice()) {
            let _ = Hint::try_from(message);
        }
    }
}

#[test]
fn fields_of_a_newer_version_are_passed_over() {
    let value = DeviceReport {
        gateway: Uuid::new_v4(),
        whole: true,
        opened: Vec::new(),
        closed: Vec::new(),
        acknowledged: Vec::new(),
    };
    let mut bytes = proto::DeviceReport::from(value.clone()).encode_to_vec();
    // Field 1000, a varint.
    prost::encoding::uint64::encode(1000, &7, &mut bytes);
    let message = proto::DeviceReport::decode(bytes.as_slice()).unwrap();
    assert_eq!(DeviceReport::try_from(message), Ok(value));
}

#[test]
fn an_actor_that_is_not_understood_is_refused_not_guessed() {
    assert_eq!(Call::try_from(proto::Call::default()), Err(Malformed("actor")));
}

#[test]
fn a_code_of_a_newer_version_is_a_refusal_all_the_same() {
    let refusal = Refusal::from(proto::Refusal {
        code: "of_the_future".to_owned(),
        message: "because".to_owned(),
        retry_after_ms: None,
    });
    assert_eq!(refusal, Refusal::new(ErrorCode::Internal, "because"));
}
