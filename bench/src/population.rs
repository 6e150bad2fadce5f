//! The people and conversations of a scenario, brought in by the bulk import as a migrating operator would.

use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use protocol::{SessionId, UserId};
use rand::SeedableRng;
use rand::rngs::StdRng;
use rand::seq::SliceRandom;
use serde::Deserialize;
use serde_json::json;

/// What the import hands out for each user.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Login {
    /// The handle it was imported under.
    pub(crate) handle: String,
    /// The account.
    #[allow(dead_code, reason = "part of the file's form")]
    pub(crate) user: UserId,
    /// The login.
    #[allow(dead_code, reason = "part of the file's form")]
    pub(crate) session: SessionId,
    /// The access token.
    pub(crate) access_token: String,
}

/// Lines of an import file.
#[derive(Default)]
pub(crate) struct Population {
    lines: String,
}

impl Population {
    /// `count` users, `p0`, `p1`, ….
    pub(crate) fn of(count: usize) -> Self {
        let mut population = Self::default();
        for number in 0..count {
            population.line(&json!({"user": {"handle": handle(number), "name": format!("Person {number}")}}));
        }
        population
    }

    /// A group of these users; the first one owns it.
    pub(crate) fn group(&mut self, title: &str, members: &[usize]) {
        let handles: Vec<String> = members.iter().skip(1).map(|number| handle(*number)).collect();
        let owner = handle(members.first().copied().unwrap_or_default());
        self.line(&json!({"conversation": {"kind": "group", "title": title, "owner": owner, "members": handles}}));
    }

    /// The 1-1 conversation of two users.
    pub(crate) fn direct(&mut self, one: usize, other: usize) {
        self.line(&json!({"conversation": {"kind": "direct", "owner": handle(one), "members": [handle(other)]}}));
    }

    /// Each of `count` users in 20 conversations of 10, with other people in each.
    pub(crate) fn twenty_conversations_of_ten(&mut self, count: usize) {
        let mut chance = StdRng::seed_from_u64(20);
        let mut people: Vec<usize> = (0..count).collect();
        for round in 0..20 {
            people.shuffle(&mut chance);
            for (block, members) in people.chunks_exact(10).enumerate() {
                self.group(&format!("Group {round}/{block}"), members);
            }
        }
    }

    /// Imports all into the server that runs on this data directory; the logins come in the order of the users.
    pub(crate) fn import(
        &self,
        server: &Path,
        data_dir: &Path,
        environment: &[(String, String)],
    ) -> Result<Vec<Login>> {
        let file = data_dir.join("import.jsonl");
        let tokens = data_dir.join("tokens.jsonl");
        std::fs::write(&file, &self.lines)?;
        let output = Command::new(server)
            .arg("import")
            .arg(&file)
            .arg("--tokens")
            .arg(&tokens)
            .env_clear()
            .envs(environment.iter().cloned())
            .output()?;
        ensure!(output.status.success(), "the import failed: {}", String::from_utf8_lossy(&output.stderr));
        let text = std::fs::read_to_string(&tokens)?;
        let mut logins: Vec<Login> = text.lines().map(serde_json::from_str).collect::<Result<_, _>>()?;
        logins.sort_by_key(|login| number(&login.handle).unwrap_or_default());
        Ok(logins)
    }

    fn line(&mut self, value: &serde_json::Value) {
        let _ = writeln!(self.lines, "{value}");
    }
}

fn handle(number: usize) -> String {
    format!("p{number:06}")
}

fn number(handle: &str) -> Result<usize> {
    handle.strip_prefix('p').context("an imported handle")?.parse().context("an imported handle")
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
