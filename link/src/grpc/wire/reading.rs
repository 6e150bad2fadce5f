//! What is read, reported and revoked, as messages.

use protocol::{Epoch, Tag, UserId};

use super::{Malformed, all, id, proto, stream, to_id, to_position, to_stream};
use crate::device::{Acknowledged, Device, DeviceReport};
use crate::stream::{Head, Item, Page, ReadRequest, Reader, Standing, Subscriptions};
use crate::token::{Revocation, Revocations, Revoked};

pub(crate) fn user_request(user: UserId) -> proto::UserRequest {
    proto::UserRequest { user: id(user.as_bytes()) }
}

pub(crate) fn to_user(request: &proto::UserRequest) -> Result<UserId, Malformed> {
    to_id(&request.user, "user")
}

impl From<Head> for proto::Head {
    fn from(head: Head) -> Self {
        Self { stream: stream(head.stream), position: Some(head.position.into()) }
    }
}

impl TryFrom<proto::Head> for Head {
    type Error = Malformed;

    fn try_from(head: proto::Head) -> Result<Self, Malformed> {
        Ok(Self { stream: to_stream(&head.stream)?, position: to_position(head.position)? })
    }
}

impl From<Subscriptions> for proto::SubscriptionsReply {
    fn from(subscriptions: Subscriptions) -> Self {
        Self {
            epoch: id(subscriptions.epoch.0.as_bytes()),
            heads: subscriptions.heads.into_iter().map(Into::into).collect(),
        }
    }
}

impl TryFrom<proto::SubscriptionsReply> for Subscriptions {
    type Error = Malformed;

    fn try_from(reply: proto::SubscriptionsReply) -> Result<Self, Malformed> {
        Ok(Self { epoch: Epoch(to_id(&reply.epoch, "epoch")?), heads: all(reply.heads)? })
    }
}

impl From<ReadRequest> for proto::ReadRequest {
    fn from(request: ReadRequest) -> Self {
        Self {
            stream: stream(request.stream),
            user: match request.reader {
                Reader::User(user) => Some(id(user.as_bytes())),
                Reader::System => None,
            },
            after: request.after,
            tag: request.tag.map(|tag| tag.0),
            limit: request.limit,
        }
    }
}

impl TryFrom<proto::ReadRequest> for ReadRequest {
    type Error = Malformed;

    fn try_from(request: proto::ReadRequest) -> Result<Self, Malformed> {
        Ok(Self {
            stream: to_stream(&request.stream)?,
            reader: match request.user {
                Some(user) => Reader::User(to_id(&user, "user")?),
                None => Reader::System,
            },
            after: request.after,
            tag: request.tag.map(Tag),
            limit: request.limit,
        })
    }
}

impl From<Page> for proto::Page {
    fn from(page: Page) -> Self {
        let standing = match page.standing {
            Standing::Member => proto::Standing::Member,
            Standing::Gone => proto::Standing::Gone,
            Standing::Reset => proto::Standing::Reset,
        };
        Self {
            items: page.items.iter().map(Into::into).collect(),
            head: Some(page.head.into()),
            standing: standing.into(),
        }
    }
}

impl TryFrom<proto::Page> for Page {
    type Error = Malformed;

    fn try_from(page: proto::Page) -> Result<Self, Malformed> {
        let standing = match proto::Standing::try_from(page.standing) {
            Ok(proto::Standing::Member) => Standing::Member,
            Ok(proto::Standing::Gone) => Standing::Gone,
            Ok(proto::Standing::Reset) => Standing::Reset,
            Ok(proto::Standing::Unspecified) | Err(_) => return Err(Malformed("standing")),
        };
        Ok(Self { items: all(page.items)?, head: to_position(page.head)?, standing })
    }
}

impl From<&Item> for proto::Item {
    fn from(item: &Item) -> Self {
        Self {
            item: Some(match item {
                Item::Entry(event) => proto::item::Item::Entry(event.into()),
                Item::Withheld { first, last } => {
                    proto::item::Item::Withheld(proto::Withheld { first: *first, last: Some((*last).into()) })
                }
            }),
        }
    }
}

impl TryFrom<proto::Item> for Item {
    type Error = Malformed;

    fn try_from(item: proto::Item) -> Result<Self, Malformed> {
        Ok(match item.item.ok_or(Malformed("item"))? {
            proto::item::Item::Entry(event) => Self::Entry(event.try_into()?),
            proto::item::Item::Withheld(withheld) => {
                Self::Withheld { first: withheld.first, last: to_position(withheld.last)? }
            }
        })
    }
}

impl From<Device> for proto::Device {
    fn from(device: Device) -> Self {
        Self {
            user: id(device.user.as_bytes()),
            session: id(device.session.as_bytes()),
            connection: id(device.connection.as_bytes()),
        }
    }
}

impl TryFrom<proto::Device> for Device {
    type Error = Malformed;

    fn try_from(device: proto::Device) -> Result<Self, Malformed> {
        Ok(Self {
            user: to_id(&device.user, "user")?,
            session: to_id(&device.session, "session")?,
            connection: to_id(&device.connection, "connection")?,
        })
    }
}

impl From<Acknowledged> for proto::Acknowledged {
    fn from(acknowledged: Acknowledged) -> Self {
        Self { user: id(acknowledged.user.as_bytes()), stream: stream(acknowledged.stream), seq: acknowledged.seq }
    }
}

impl TryFrom<proto::Acknowledged> for Acknowledged {
    type Error = Malformed;

    fn try_from(acknowledged: proto::Acknowledged) -> Result<Self, Malformed> {
        Ok(Self {
            user: to_id(&acknowledged.user, "user")?,
            stream: to_stream(&acknowledged.stream)?,
            seq: acknowledged.seq,
        })
    }
}

impl From<DeviceReport> for proto::DeviceReport {
    fn from(report: DeviceReport) -> Self {
        Self {
            gateway: id(report.gateway.as_bytes()),
            whole: report.whole,
            opened: report.opened.into_iter().map(Into::into).collect(),
            closed: report.closed.into_iter().map(Into::into).collect(),
            acknowledged: report.acknowledged.into_iter().map(Into::into).collect(),
        }
    }
}

impl TryFrom<proto::DeviceReport> for DeviceReport {
    type Error = Malformed;

    fn try_from(report: proto::DeviceReport) -> Result<Self, Malformed> {
        Ok(Self {
            gateway: to_id(&report.gateway, "gateway")?,
            whole: report.whole,
            opened: all(report.opened)?,
            closed: all(report.closed)?,
            acknowledged: all(report.acknowledged)?,
        })
    }
}

impl From<Revocations> for proto::RevocationsReply {
    fn from(revocations: Revocations) -> Self {
        Self { rows: revocations.rows.into_iter().map(Into::into).collect(), newest: revocations.newest }
    }
}

impl TryFrom<proto::RevocationsReply> for Revocations {
    type Error = Malformed;

    fn try_from(reply: proto::RevocationsReply) -> Result<Self, Malformed> {
        Ok(Self { rows: all(reply.rows)?, newest: reply.newest })
    }
}

impl From<Revocation> for proto::Revocation {
    fn from(row: Revocation) -> Self {
        Self {
            number: row.number,
            user: id(row.user.as_bytes()),
            revoked: Some(match row.revoked {
                Revoked::Session(session) => proto::revocation::Revoked::Session(id(session.as_bytes())),
                Revoked::TokensBefore(before) => proto::revocation::Revoked::TokensBefore(before),
            }),
            until: row.until,
        }
    }
}

impl TryFrom<proto::Revocation> for Revocation {
    type Error = Malformed;

    fn try_from(row: proto::Revocation) -> Result<Self, Malformed> {
        Ok(Self {
            number: row.number,
            user: to_id(&row.user, "user")?,
            revoked: match row.revoked.ok_or(Malformed("revoked"))? {
                proto::revocation::Revoked::Session(session) => Revoked::Session(to_id(&session, "session")?),
                proto::revocation::Revoked::TokensBefore(before) => Revoked::TokensBefore(before),
            },
            until: row.until,
        })
    }
}
