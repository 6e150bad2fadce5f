//! Events and hints as messages.

use std::borrow::Cow;
use std::sync::Arc;

use protocol::{Position, UserId};

use super::{Malformed, id, proto, stream, to_id, to_position, to_stream};
use crate::bus::Hint;
use crate::event::{Audience, Change, Effect, Event, Identity};

impl From<&Event> for proto::Event {
    fn from(event: &Event) -> Self {
        Self {
            identity: Some(match &event.identity {
                Identity::Entry { stream: log, seq, tag } => proto::event::Identity::Entry(proto::Entry {
                    stream: stream(*log),
                    position: Some(Position { seq: *seq, tag: *tag }.into()),
                }),
                Identity::Register { key, version } => {
                    proto::event::Identity::Register(proto::Register { key: key.to_string(), version: *version })
                }
                Identity::Ephemeral { until } => proto::event::Identity::Ephemeral(proto::Ephemeral { until: *until }),
            }),
            audience: Some(match &event.audience {
                Audience::Stream(log) => proto::event::Audience::Stream(stream(*log)),
                Audience::Users(users) => proto::event::Audience::Users(proto::Users {
                    users: users.iter().map(|user| id(user.as_bytes())).collect(),
                }),
            }),
            name: event.name.to_string(),
            at: event.at,
            body: event.body.clone(),
            by_rights: event.by_rights,
            effects: event.effects.iter().map(proto::Effect::from).collect(),
        }
    }
}

impl TryFrom<proto::Event> for Event {
    type Error = Malformed;

    fn try_from(event: proto::Event) -> Result<Self, Malformed> {
        let identity = match event.identity.ok_or(Malformed("identity"))? {
            proto::event::Identity::Entry(entry) => {
                let position = to_position(entry.position)?;
                Identity::Entry { stream: to_stream(&entry.stream)?, seq: position.seq, tag: position.tag }
            }
            proto::event::Identity::Register(register) => {
                Identity::Register { key: register.key.into(), version: register.version }
            }
            proto::event::Identity::Ephemeral(ephemeral) => Identity::Ephemeral { until: ephemeral.until },
        };
        let audience = match event.audience.ok_or(Malformed("audience"))? {
            proto::event::Audience::Stream(log) => Audience::Stream(to_stream(&log)?),
            proto::event::Audience::Users(users) => {
                let users: Result<Arc<[UserId]>, _> = users.users.iter().map(|user| to_id(user, "users")).collect();
                Audience::Users(users?)
            }
        };
        let effects: Result<Arc<[Effect]>, _> = event.effects.into_iter().map(Effect::try_from).collect();
        Ok(Self {
            identity,
            audience,
            name: Cow::Owned(event.name),
            at: event.at,
            body: event.body,
            by_rights: event.by_rights,
            effects: effects?,
        })
    }
}

impl From<&Effect> for proto::Effect {
    fn from(effect: &Effect) -> Self {
        Self {
            stream: stream(effect.stream),
            user: id(effect.user.as_bytes()),
            joined: effect.change == Change::Joined,
            at: Some(effect.at.into()),
        }
    }
}

impl TryFrom<proto::Effect> for Effect {
    type Error = Malformed;

    fn try_from(effect: proto::Effect) -> Result<Self, Malformed> {
        Ok(Self {
            stream: to_stream(&effect.stream)?,
            user: to_id(&effect.user, "user")?,
            change: if effect.joined { Change::Joined } else { Change::Left },
            at: to_position(effect.at)?,
        })
    }
}

impl From<&Hint> for proto::Hint {
    fn from(hint: &Hint) -> Self {
        let (publisher, number, event) = match hint {
            Hint::Newest { publisher, number } => (publisher, number, None),
            Hint::Event { publisher, number, event } => (publisher, number, Some(event.as_ref().into())),
        };
        Self { number: *number, publisher: id(publisher.as_bytes()), event }
    }
}

impl TryFrom<proto::Hint> for Hint {
    type Error = Malformed;

    fn try_from(hint: proto::Hint) -> Result<Self, Malformed> {
        let (publisher, number) = (to_id(&hint.publisher, "publisher")?, hint.number);
        Ok(match hint.event {
            None => Self::Newest { publisher, number },
            Some(event) => Self::Event { publisher, number, event: Arc::new(event.try_into()?) },
        })
    }
}
