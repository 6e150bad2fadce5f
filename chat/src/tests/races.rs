//! Commands that meet: whatever the order in which the writer takes them, no entry stands in a log that the entries before it
//! forbid. The log is folded and judged by rules written here once more, apart from those of the service.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use protocol::chat::Sent;
use protocol::{ClientId, ConversationId, Seq};
use rand::rngs::SmallRng;
use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};
use serde_json::{Value, json};
use tokio::task::JoinSet;

use super::world::{Person, World};

/// Rounds of each pair of commands, each on a group of its own; ten times as many in a soak.
fn rounds() -> u64 {
    if std::env::var_os("SECURECONNECT_SOAK").is_some() { 2_500 } else { 250 }
}

/// Rounds that run at once, so that they share commits.
const AT_ONCE: u64 = 50;

/// A conversation folded from its log.
#[derive(Default)]
struct Folded {
    is_channel: bool,
    roles: HashMap<String, u8>,
    banned: HashSet<String>,
    /// Author, and whether it was deleted.
    messages: HashMap<Seq, (String, bool)>,
    client_ids: HashSet<(String, String)>,
    number: u64,
}

fn text(body: &Value, field: &str) -> String {
    body[field].as_str().unwrap_or_else(|| panic!("{field} in {body}")).to_owned()
}

fn rank(role: &str) -> u8 {
    ["member", "admin", "owner"].iter().position(|name| *name == role).unwrap() as u8
}

impl Folded {
    fn of(log: &[(String, Value)]) -> Self {
        let mut folded = Self::default();
        for (index, (name, body)) in log.iter().enumerate() {
            folded.apply(index as Seq + 1, name, body).unwrap_or_else(|why| {
                panic!("entry {}, {name} {body}: {why}\n{log:#?}", index + 1);
            });
        }
        folded
    }

    fn owners(&self) -> usize {
        self.roles.values().filter(|role| **role == 2).count()
    }

    fn may_act_on(&self, by: &str, target: Option<u8>) -> bool {
        let actor = self.roles.get(by).copied();
        actor == Some(2) || (actor == Some(1) && target.is_none_or(|target| target < 1))
    }

    fn apply(&mut self, seq: Seq, name: &str, body: &Value) -> Result<(), &'static str> {
        let check = |holds: bool, why: &'static str| if holds { Ok(()) } else { Err(why) };
        let by = text(body, "by");
        match name {
            "conversation.created" => {
                check(seq == 1, "not the first")?;
                self.is_channel = body["kind"] == "channel";
            }
            "conversation.updated" => check(self.roles.get(&by) >= Some(&1), "renamed by a member")?,
            "member.joined" => {
                let user = text(body, "user");
                check(!self.banned.contains(&user), "banned")?;
                let invited = self.may_act_on(&by, None) || self.roles.is_empty();
                check(if self.is_channel { by == user } else { invited }, "not invited by who may")?;
                check(self.roles.insert(user, rank(&text(body, "role"))).is_none(), "is in already")?;
            }
            "member.left" => {
                let user = text(body, "user");
                let role = self.roles.get(&user).copied();
                check(role.is_some(), "was not in")?;
                if body["how"] == "left" {
                    check(by == user, "left by somebody else")?;
                    check(role < Some(2) || self.owners() > 1 || self.roles.len() == 1, "the last owner left")?;
                } else {
                    check(self.may_act_on(&by, role), "removed by who may not")?;
                }
                self.roles.remove(&user);
                if body["how"] == "banned" {
                    self.banned.insert(user);
                }
            }
            "member.role" => {
                check(self.roles.get(&by) == Some(&2), "a role given by who is no owner")?;
                let given = self.roles.get_mut(&text(body, "user")).ok_or("no member")?;
                *given = rank(&text(body, "role"));
                check(self.owners() > 0, "no owner is left")?;
            }
            "member.banned" => {
                let user = text(body, "user");
                check(self.may_act_on(&by, None) && !self.roles.contains_key(&user), "banned by who may not")?;
                check(self.banned.insert(user), "banned already")?;
            }
            "member.unbanned" => {
                check(self.may_act_on(&by, None), "unbanned by who may not")?;
                check(self.banned.remove(&text(body, "user")), "was not banned")?;
            }
            "message.new" => {
                check(self.roles.contains_key(&by), "sent by who is not in")?;
                check(self.client_ids.insert((by.clone(), text(body, "client_id"))), "sent twice")?;
                self.number += 1;
                check(body["number"] == self.number, "wrong running number")?;
                self.messages.insert(seq, (by, false));
            }
            "message.edited" => {
                check(self.roles.contains_key(&by), "edited by who is not in")?;
                check(self.client_ids.insert((by.clone(), text(body, "client_id"))), "edited twice")?;
                let target = body["target"].as_u64().and_then(|target| self.messages.get(&target));
                check(target == Some(&(by, false)), "edited by another, or after it was deleted")?;
            }
            "message.deleted" => {
                let role = self.roles.get(&by).copied();
                let target = body["target"].as_u64().and_then(|target| self.messages.get_mut(&target));
                let (author, deleted) = target.ok_or("no message")?;
                check(!*deleted, "deleted twice")?;
                check(role >= Some(1) || (role.is_some() && *author == by), "deleted by who may not")?;
                *deleted = true;
            }
            _ => return Err("an unknown entry"),
        }
        Ok(())
    }
}

/// Runs a round many times, each on a group with two owners and two members of its own, then judges the log.
async fn race<F, R>(seed: u64, round: F)
where
    F: Fn(Arc<World>, ConversationId, [Person; 4], SmallRng) -> R + Copy + Send + 'static,
    R: Future<Output = ()> + Send + 'static,
{
    let ways = [Arc::new(World::new()), Arc::new(World::linked().await)];
    // Every second batch goes over the link.
    for (begin, world) in (0..rounds()).step_by(AT_ONCE as usize).zip(ways.iter().cycle()) {
        let mut rounds = JoinSet::new();
        for number in begin..begin + AT_ONCE {
            let world = Arc::clone(world);
            rounds.spawn(async move {
                let people: [Person; 4] = world.people();
                let group = world.group(people[0], &people[1..]).await;
                let owner = json!({ "user": people[1].id, "role": "owner" });
                people[0].act(&world, "members.role", group, owner).await.unwrap();
                let random = SmallRng::seed_from_u64(seed ^ (number << 32));
                round(Arc::clone(&world), group, people, random).await;
                Folded::of(&world.conversation_log(group).await);
            });
        }
        while let Some(round) = rounds.join_next().await {
            round.unwrap();
        }
    }
}

/// Lets one of two go first, by seed.
async fn either<A, B>(random: &mut SmallRng, one: A, other: B) -> (A::Output, B::Output)
where
    A: Future,
    B: Future,
{
    if random.random() {
        tokio::join!(one, other)
    } else {
        let (other, one) = tokio::join!(other, one);
        (one, other)
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_kick_meets_sends() {
    race(1, async |world: Arc<World>, group, [owner, _, member, _]: [Person; 4], mut random: SmallRng| {
        let sends = async {
            for n in 0..4 {
                let _ = member.send(&world, group, &format!("{n}")).await;
            }
        };
        let (kicked, ()) = either(&mut random, owner.on(&world, "members.kick", group, member), sends).await;
        let log = world.conversation_log(group).await;
        let kicked = kicked.unwrap() as usize;
        assert!(log[kicked..].iter().all(|(name, _)| name != "message.new"), "a send behind the kick");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_ban_meets_an_invitation() {
    race(2, async |world: Arc<World>, group, [owner, other, member, _]: [Person; 4], mut random: SmallRng| {
        owner.on(&world, "members.kick", group, member).await.unwrap();
        let invite = json!({ "users": [member.id] });
        let (banned, _) = either(
            &mut random,
            owner.on(&world, "members.ban", group, member),
            other.act(&world, "members.invite", group, invite),
        )
        .await;
        banned.unwrap();
        assert!(member.conversation(&world, group).await.is_err(), "banned, and in");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_ban_meets_a_join() {
    race(3, async |world: Arc<World>, _, [owner, _, member, _]: [Person; 4], mut random: SmallRng| {
        let channel = world.channel(owner).await;
        let (banned, _) = either(
            &mut random,
            owner.on(&world, "members.ban", channel, member),
            member.act(&world, "channels.join", channel, json!({})),
        )
        .await;
        banned.unwrap();
        assert!(member.conversation(&world, channel).await.is_err(), "banned, and in");
        Folded::of(&world.conversation_log(channel).await);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_demotion_meets_a_renaming() {
    race(4, async |world: Arc<World>, group, [owner, other, ..]: [Person; 4], mut random: SmallRng| {
        let _ = either(
            &mut random,
            owner.act(&world, "members.role", group, json!({ "user": other.id, "role": "member" })),
            other.act(&world, "conversations.update", group, json!({ "title": "mine" })),
        )
        .await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_last_owners_leave() {
    race(5, async |world: Arc<World>, group, [owner, other, ..]: [Person; 4], mut random: SmallRng| {
        let (one, two) = either(
            &mut random,
            owner.act(&world, "members.leave", group, json!({})),
            other.act(&world, "members.leave", group, json!({})),
        )
        .await;
        assert_ne!(one.is_ok(), two.is_ok(), "exactly one of them leaves");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_deletion_meets_an_edit() {
    race(6, async |world: Arc<World>, group, [owner, _, member, _]: [Person; 4], mut random: SmallRng| {
        let seq = member.send(&world, group, "secret").await.unwrap().position.seq;
        let edit = json!({ "seq": seq, "text": "secret still", "client_id": ClientId::now() });
        let (deleted, _) = either(
            &mut random,
            owner.act(&world, "messages.delete", group, json!({ "seq": seq })),
            member.act(&world, "messages.edit", group, edit),
        )
        .await;
        deleted.unwrap();
        assert!(!format!("{:?}", world.conversation_log(group).await).contains("secret"));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_client_id_is_sent_twice() {
    race(7, async |world: Arc<World>, group, [_, _, member, _]: [Person; 4], mut random: SmallRng| {
        let body = json!({ "client_id": ClientId::now(), "text": "once" });
        let send = || member.ask::<Sent>(&world, "messages.send", Some(group), body.clone());
        let (one, other) = either(&mut random, send(), send()).await;
        assert_eq!(one.unwrap(), other.unwrap());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everything_meets_everything() {
    const SEEDS: u64 = 24;
    const STEPS: usize = 60;
    let world = Arc::new(World::new());
    for seed in 0..SEEDS {
        let people: [Person; 6] = world.people();
        let channel = world.channel(people[0]).await;
        let mut tasks = JoinSet::new();
        for (index, own) in people.into_iter().enumerate() {
            let world = Arc::clone(&world);
            tasks.spawn(async move {
                let mut random = SmallRng::seed_from_u64(seed << 8 | index as u64);
                for _ in 0..STEPS {
                    let other = people.choose(&mut random).unwrap().id;
                    let seq = random.random_range(1..60_u64);
                    let (command, body) = match random.random_range(0..20) {
                        0..6 => ("messages.send", json!({ "client_id": ClientId::now(), "text": "x" })),
                        6 | 7 => ("messages.edit", json!({ "client_id": ClientId::now(), "seq": seq, "text": "y" })),
                        8 => ("messages.delete", json!({ "seq": seq })),
                        9..12 => ("channels.join", json!({})),
                        12 => ("members.leave", json!({})),
                        13 => ("members.kick", json!({ "user": other })),
                        14 => ("members.ban", json!({ "user": other })),
                        15 | 16 => ("members.unban", json!({ "user": other })),
                        17 => ("conversations.update", json!({ "title": format!("{seq}") })),
                        18 => {
                            let role = ["member", "admin", "owner"].choose(&mut random).unwrap();
                            ("members.role", json!({ "user": other, "role": role }))
                        }
                        _ => ("read.mark", json!({ "seq": seq })),
                    };
                    let _ = own.ask::<Value>(&world, command, Some(channel), body).await;
                }
            });
        }
        while let Some(task) = tasks.join_next().await {
            task.unwrap();
        }
        let folded = Folded::of(&world.conversation_log(channel).await);
        for person in people {
            let seen = person.conversation(&world, channel).await;
            assert_eq!(seen.is_ok(), folded.roles.contains_key(&person.id.to_string()));
            if let Ok(seen) = seen {
                assert_eq!(seen.members, folded.roles.len() as u64);
                let own_since = seen.own_number - seen.read.own_number;
                assert_eq!(seen.unread, folded.number - seen.read.number - own_since);
            }
        }
    }
}
