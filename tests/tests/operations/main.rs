//! What operators are given, held against reality: the compose files, the proxy, Prometheus with its alerts and its dashboard, the runbooks.
//!
//! There is no container engine here, so [`engine`] does what one would do with a service of a compose file, and with nothing else: it fills in the
//! variables, mounts (copies) the files, and starts the stated command with the stated environment. The programs are Debian's Redis, coturn, Caddy,
//! Prometheus and Alertmanager (`scripts/setup`). What only an engine can show (images, users, read-only roots, limits of resources, networks) is checked as
//! words in [`structure`], and so are Loki, Alloy and Grafana, which can't be had here as programs.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test states what must be")]

mod alertmanager;
mod dashboard;
mod engine;
mod files;
mod monitoring;
mod places;
mod production;
mod prometheus;
mod proxy;
mod rules;
mod structure;
