//! Processes as on several machines: each has a data directory and a certificate of its own, and they are joined by mutual TLS.
//!
//! The machines are called `localhost` here: a host name goes the way of all that is beyond loopback.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;

use protocol::ServiceName;

use super::process::binary;
use super::settings::variable;
use crate::topology::{Part, Topology};

pub(crate) struct Machines {
    folder: PathBuf,
    /// Where the services that were started listen for the others.
    links: BTreeMap<ServiceName, u16>,
}

impl Machines {
    /// Has the certificates made, as an operator does.
    pub(crate) fn prepare(folder: &Path, topology: Topology) -> Self {
        let names = topology.parts().iter().map(|part| format!("{},localhost", part.name));
        let made = Command::new(binary()).args(["link", "certificates"]).arg(folder).args(names).output();
        let made = made.expect("the binary starts");
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        Self { folder: folder.to_path_buf(), links: BTreeMap::new() }
    }

    /// A machine's data directory.
    pub(crate) fn home(&self, part: &str) -> PathBuf {
        self.folder.join(part)
    }

    /// What a process has bound.
    pub(crate) fn learn(&mut self, service: ServiceName, found: &BTreeMap<String, SocketAddr>) {
        self.links.extend(found.get("link").map(|address| (service, address.port())));
    }

    /// What a process is told beside all the rest: its certificate, and where those are that were started before it.
    pub(crate) fn environment(&self, part: Part) -> Vec<(String, String)> {
        let file = |name: String| self.folder.join(name).display().to_string();
        let mut told = vec![
            (variable("link.tls.ca"), file("ca.pem".to_owned())),
            (variable("link.tls.cert"), file(format!("{}.pem", part.name))),
            (variable("link.tls.key"), file(format!("{}-key.pem", part.name))),
        ];
        let bound = part.roles.iter().find_map(|role| self.links.get(role)).copied().unwrap_or(0);
        told.push((variable("link.listen"), format!("localhost:{bound}")));
        let others = self.links.iter().filter(|(service, _)| !part.roles.contains(service));
        told.extend(
            others.map(|(service, port)| {
                (variable(&format!("link.peers.{}", service.role())), format!("localhost:{port}"))
            }),
        );
        told
    }
}
