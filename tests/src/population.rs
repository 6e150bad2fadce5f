//! Many people and their conversations, brought in by the bulk import as a migrating operator would.

use std::fmt::Write as _;
use std::process::Command;

use protocol::{SessionId, UserId};
use rand::SeedableRng;
use rand::rngs::StdRng;
use rand::seq::SliceRandom;
use serde::Deserialize;
use serde_json::json;

use crate::World;
use crate::world::binary;

/// What the import hands out for each user.
#[derive(Clone, Debug, Deserialize)]
pub struct Login {
    /// The handle it was imported under.
    pub handle: String,
    /// The account.
    pub user: UserId,
    /// The login.
    pub session: SessionId,
    /// The access token.
    pub access_token: String,
}

/// Lines of an import file.
#[derive(Default)]
pub struct Population {
    lines: String,
}

impl Population {
    /// `count` users, `p0`, `p1`, ….
    #[must_use]
    pub fn of(count: usize) -> Self {
        let mut population = Self::default();
        for number in 0..count {
            population.line(&json!({"user": {"handle": handle(number), "name": format!("Person {number}")}}));
        }
        population
    }

    /// A group of these users; the first one owns it.
    pub fn group(&mut self, title: &str, members: &[usize]) {
        let handles: Vec<String> = members.iter().skip(1).map(|number| handle(*number)).collect();
        let owner = handle(members.first().copied().unwrap_or_default());
        self.line(&json!({"conversation": {"kind": "group", "title": title, "owner": owner, "members": handles}}));
    }

    /// The 1-1 conversation of two users.
    pub fn direct(&mut self, one: usize, other: usize) {
        self.line(&json!({"conversation": {"kind": "direct", "owner": handle(one), "members": [handle(other)]}}));
    }

    /// Each of `count` users in 20 conversations of 10, with other people in each.
    pub fn twenty_conversations_of_ten(&mut self, count: usize) {
        let mut chance = StdRng::seed_from_u64(20);
        let mut people: Vec<usize> = (0..count).collect();
        for round in 0..20 {
            people.shuffle(&mut chance);
            for (block, members) in people.chunks_exact(10).enumerate() {
                self.group(&format!("Group {round}/{block}"), members);
            }
        }
    }

    /// Imports all into a running system; the logins come in the order of the users.
    ///
    /// # Panics
    /// When it fails.
    #[must_use]
    pub fn import(&self, world: &World) -> Vec<Login> {
        let data_dir = world.data_dir();
        let file = data_dir.join("import.jsonl");
        let tokens = data_dir.join("tokens.jsonl");
        std::fs::write(&file, &self.lines).expect("a file");
        let mut command = Command::new(binary());
        command.arg("import").arg(&file).arg("--tokens").arg(&tokens);
        let output = command.env_clear().env("SECURECONNECT_DATA_DIR", data_dir).output().expect("its output");
        assert!(output.status.success(), "the import failed: {}", String::from_utf8_lossy(&output.stderr));
        let text = std::fs::read_to_string(&tokens).expect("the tokens");
        let mut logins: Vec<Login> = text.lines().map(|line| serde_json::from_str(line).expect("a login")).collect();
        logins.sort_by_key(|login| number(&login.handle));
        logins
    }

    fn line(&mut self, value: &serde_json::Value) {
        let _ = writeln!(self.lines, "{value}");
    }
}

fn handle(number: usize) -> String {
    format!("p{number:06}")
}

fn number(handle: &str) -> usize {
    handle.strip_prefix('p').and_then(|number| number.parse().ok()).expect("an imported handle")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashMap;

    #[test]
    fn everyone_is_in_twenty_conversations_of_ten() {
        let mut population = Population::default();
        population.twenty_conversations_of_ten(1_000);
        let mut memberships: HashMap<String, usize> = HashMap::new();
        for line in population.lines.lines() {
            let value: serde_json::Value = serde_json::from_str(line).unwrap();
            let group = &value["conversation"];
            let mut members = vec![group["owner"].as_str().unwrap().to_owned()];
            members.extend(group["members"].as_array().unwrap().iter().map(|m| m.as_str().unwrap().to_owned()));
            assert_eq!(members.len(), 10);
            for member in members {
                *memberships.entry(member).or_default() += 1;
            }
        }
        assert_eq!(memberships.len(), 1_000);
        assert!(memberships.values().all(|count| *count == 20), "{memberships:?}");
    }
}
