//! Where the parts of a world are, for those who ask them: clients, and whoever looks at their metrics. Where several parts run a role, what
//! names no part means the first of them.

use std::net::SocketAddr;
use std::sync::Arc;

use protocol::ServiceName;
use rig::Cable;

use super::World;
use super::cables::{CLIENTS, Line};
use super::joined::LINK;
use crate::metrics::Metrics;
use crate::places::Places;
use crate::rest::Rest;
use crate::tls::Trust;

impl World {
    /// Clients that come from now on use only this gateway, where there are several: for what happens to those of one process.
    ///
    /// # Panics
    /// When the part is no gateway.
    pub fn clients_use(&mut self, part: &'static str) {
        assert!(self.topology.parts_of(ServiceName::Gateway).any(|gateway| gateway == part), "{part} is no gateway");
        self.only = Some(part);
    }

    /// Where a service listens, on the first part that runs it.
    ///
    /// # Panics
    /// When it was never started.
    #[must_use]
    pub fn address(&self, service: ServiceName) -> SocketAddr {
        self.listener(service.as_str())
    }

    /// Where a service listens on a part.
    ///
    /// # Panics
    /// When it was never started there.
    #[must_use]
    pub fn address_at(&self, part: &str, service: ServiceName) -> SocketAddr {
        self.bound
            .of(part, service.as_str())
            .unwrap_or_else(|| panic!("no {} on {part}: {:?}", service.as_str(), self.bound))
    }

    /// Where a listener of this name in the addresses files is, of the first part that has one.
    ///
    /// # Panics
    /// When there is none.
    #[must_use]
    pub fn listener(&self, name: &str) -> SocketAddr {
        let first = self.bound.first(self.topology, name);
        first.unwrap_or_else(|| panic!("no listener {name} among {:?}", self.bound))
    }

    /// The cable of a line.
    ///
    /// # Panics
    /// When the settings lay none, or nobody who uses it was started yet.
    #[must_use]
    pub fn cable(&self, line: Line) -> &Cable {
        self.links.cable(line).unwrap_or_else(|| panic!("no cable {line}"))
    }

    /// Where clients connect: to the first gateway, or the only one in use.
    #[must_use]
    pub fn gateway(&self) -> SocketAddr {
        self.gateway_at(self.only.unwrap_or(self.topology.gateway_part()))
    }

    /// Where clients of a gateway's part connect.
    #[must_use]
    pub fn gateway_at(&self, part: &'static str) -> SocketAddr {
        let cable = self.links.cable(Line { from: CLIENTS, to: part });
        cable.map_or_else(|| self.address_at(part, ServiceName::Gateway), Cable::address)
    }

    /// The part whose gateway clients find there.
    ///
    /// # Panics
    /// When there is none.
    #[must_use]
    pub fn part_at(&self, gateway: SocketAddr) -> &'static str {
        let mut parts = self.topology.parts_of(ServiceName::Gateway);
        parts.find(|part| self.gateway_at(part) == gateway).unwrap_or_else(|| panic!("no gateway at {gateway}"))
    }

    /// A plain HTTP client of the gateway.
    #[must_use]
    pub fn rest(&self) -> Rest {
        self.rest_to(ServiceName::Gateway, self.gateway())
    }

    /// A plain HTTP client of a gateway's part.
    #[must_use]
    pub fn rest_at(&self, part: &'static str) -> Rest {
        self.rest_to(ServiceName::Gateway, self.gateway_at(part))
    }

    /// A plain HTTP client of a service, on the straight way.
    pub(super) fn rest_of(&self, part: &str, service: ServiceName) -> Rest {
        self.rest_to(service, self.address_at(part, service))
    }

    fn rest_to(&self, service: ServiceName, address: SocketAddr) -> Rest {
        match self.settings.certificate().filter(|_| service == ServiceName::Gateway) {
            Some(certificate) => Rest::over_tls(address, Trust::in_file(certificate)),
            None => Rest::to(address),
        }
    }

    /// The gateways that logins are spread over.
    #[must_use]
    pub fn places(&self) -> Places {
        let parts =
            self.topology.parts_of(ServiceName::Gateway).filter(|part| self.only.is_none_or(|only| only == *part));
        let gateways = parts.map(|part| (self.gateway_at(part), self.rest_at(part)));
        Places::among(gateways.collect(), Arc::clone(&self.turn))
    }

    /// What a service's `/metrics` say, of all parts that run it and were started.
    pub async fn metrics(&self, service: ServiceName) -> Metrics {
        let mut all = Metrics::default();
        for part in self.topology.parts_of(service).filter(|part| self.processes.contains_key(part)) {
            all.extend(self.metrics_at(part, service).await);
        }
        assert!(!all.is_empty(), "{} does not run", service.as_str());
        all
    }

    /// What a service's `/metrics` say on one part.
    pub async fn metrics_at(&self, part: &str, service: ServiceName) -> Metrics {
        let answer = self.rest_of(part, service).get("/metrics").await;
        assert_eq!(answer.status, 200, "{answer}");
        Metrics::parse(&String::from_utf8_lossy(&answer.body))
    }

    /// Where the first part that runs a service listens for other processes, where that is a port.
    #[must_use]
    pub fn link(&self, service: ServiceName) -> Option<SocketAddr> {
        self.bound.of(self.topology.part_of(service), LINK)
    }
}
