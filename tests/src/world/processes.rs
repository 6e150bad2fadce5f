//! How the processes of a world are started, signalled, killed and started again.

use std::process::ExitStatus;

use protocol::ServiceName;
use rig::RedisServer;

use super::joined::LINK;
use super::process::Process;
use super::{World, settings};
use crate::rest::Answer;
use crate::wait;

impl World {
    /// Kills a process on the spot, as a crash or the kernel does.
    ///
    /// # Panics
    /// When it doesn't run.
    pub async fn kill(&mut self, part: &str) {
        self.process(part).kill().await;
        self.processes.remove(part);
    }

    /// Asks a process to end (SIGTERM) and awaits that it did.
    ///
    /// # Panics
    /// When it doesn't run or doesn't end.
    pub async fn terminate(&mut self, part: &str) -> ExitStatus {
        self.signal(part, libc::SIGTERM);
        self.exited(part).await
    }

    /// Sends one more signal to a process that may be ending already.
    ///
    /// # Panics
    /// When it was never started.
    pub fn signal_again(&mut self, part: &str, signal: i32) {
        self.process(part).send(signal);
    }

    /// Sends a signal to a process.
    ///
    /// # Panics
    /// When it doesn't run.
    pub fn signal(&mut self, part: &str, signal: i32) {
        self.process(part).signal(signal);
    }

    /// Awaits the end of a process.
    ///
    /// # Panics
    /// When it doesn't end.
    pub async fn exited(&mut self, part: &str) -> ExitStatus {
        let status = self.process(part).exited().await;
        self.processes.remove(part);
        status
    }

    /// Starts a process that was ended, on the ports it had, and awaits that everything is ready.
    pub async fn restart(&mut self, part: &str) {
        self.spawn(part).await;
        self.ready().await;
    }

    /// Kills a process and starts it again.
    pub async fn crash(&mut self, part: &str) {
        self.kill(part).await;
        self.restart(part).await;
    }

    /// The process id.
    ///
    /// # Panics
    /// When it doesn't run.
    pub fn pid(&mut self, part: &str) -> u32 {
        self.process(part).pid()
    }

    /// Starts a process and awaits that it has bound its listeners.
    ///
    /// # Panics
    /// When it ends instead.
    pub async fn spawn(&mut self, name: &str) {
        self.launch(name).await;
        let part = self.part(name);
        let pid = self.pid(name);
        for role in part.roles {
            let file = self.seen_by(name, pid, &self.addresses_file(part.name, *role));
            let what = format!("{} to bind", role.as_str());
            let process = self.process(name);
            let found = wait::until(&what, async || {
                process.assert_running();
                settings::read_addresses(&file)
            })
            .await;
            self.bound.learn(part.name, &found);
        }
        if let Some(link) = self.bound.of(name, LINK) {
            self.links.learn(name, link);
        }
        if part.roles.contains(&ServiceName::Gateway) {
            let (gateway, host) = (self.address_at(name, ServiceName::Gateway), self.host());
            self.links.lay_to_clients(part.name, gateway, host).await;
        }
    }

    /// Starts a process and awaits nothing: for one that had its ports before, and whose start something else may hold up.
    ///
    /// # Panics
    /// When it can't be started.
    pub async fn launch(&mut self, name: &str) {
        let part = self.part(name);
        self.share_redis().await;
        for role in part.roles {
            let _ = std::fs::remove_file(self.addresses_file(part.name, *role));
        }
        self.links.lay(part, &self.bound).await;
        let redis = self.redis.as_ref().map(RedisServer::address);
        let redis = self.links.lay_to_redis(part, redis).await;
        let mut environment = self.links.environment(part, &self.bound);
        environment.extend(self.settings.environment(part, &self.home(name), &self.bound));
        environment.extend(redis);
        if part.roles.contains(&ServiceName::Gateway) {
            let folder = self.topology.folder(part.name, ServiceName::Gateway);
            environment.push((settings::variable("gateway.folder"), folder.to_owned()));
        }
        let wrapper = if name == self.topology.chat_part() { self.settings.wrapper() } else { &[] };
        let arguments = if part.roles.contains(&ServiceName::Gateway) { self.settings.arguments() } else { &[] };
        let process = Process::spawn(part, wrapper, arguments, self.data_dir(), &environment);
        self.processes.insert(part.name, process);
    }

    /// Freezes a process: it answers nothing, and its connections stay.
    pub fn freeze(&mut self, part: &str) {
        self.signal(part, libc::SIGSTOP);
    }

    /// Ends the freeze.
    pub fn thaw(&mut self, part: &str) {
        self.signal(part, libc::SIGCONT);
    }

    /// Awaits that every process that runs can serve, with all that it depends on.
    ///
    /// # Panics
    /// When one ends instead.
    pub async fn ready(&mut self) {
        let gone: Vec<&str> = self.topology.parts().iter().map(|part| part.name).collect();
        let gone: Vec<&str> = gone.into_iter().filter(|part| !self.processes.contains_key(part)).collect();
        for part in self.topology.parts() {
            for role in part.roles {
                let rest = self.rest_of(part.name, *role);
                let Some(process) = self.processes.get_mut(part.name) else {
                    continue;
                };
                wait::until(&format!("{} to be ready", role.as_str()), async || {
                    process.assert_running();
                    let answer = crate::rest::try_send(rest.request("GET", "/readyz")).await.ok()?;
                    (answer.status == 200 && depends_on_nothing_that_is_down(&answer, &gone)).then_some(())
                })
                .await;
            }
        }
    }

    fn process(&mut self, part: &str) -> &mut Process {
        self.processes.get_mut(part).unwrap_or_else(|| panic!("{part} does not run"))
    }
}

/// A service can serve without some of what it depends on; scenarios begin when all of it is there, but for the one of several instances that the
/// scenario has ended.
fn depends_on_nothing_that_is_down(ready: &Answer, gone: &[&str]) -> bool {
    let report: serde_json::Value = serde_json::from_slice(&ready.body).expect("a report");
    let dependencies = report["dependencies"].as_object().expect("dependencies");
    let has_ended = |name: &str| name.split_once('@').is_some_and(|(_, part)| gone.contains(&part));
    dependencies.iter().all(|(name, dependency)| dependency["state"] == "up" || has_ended(name))
}
