//! Where a service can be reached, for tools and tests: `<data_dir>/<role>/addresses.json`.
//!
//! Ports may be chosen by the system, so this file is the one place that always knows: the service's listener under the service's
//! name, its process's admin listener under `admin`, where other processes ask it under `link`, where TURN relays under `turn`. It is
//! written whole when everything is bound, and removed at an orderly end; what a killed process leaves is told from the present by
//! the folder's lock.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::{fs, io};

use protocol::ServiceName;

const FILE: &str = "addresses.json";
const ADMIN: &str = "admin";
/// The link's listener, where it has a port.
pub(crate) const LINK: &str = "link";

/// Writes the file into the service's folder; `also` is what it listens on besides.
pub(crate) fn write(
    folder: &Path,
    service: ServiceName,
    http: SocketAddr,
    admin: SocketAddr,
    also: impl Iterator<Item = (&'static str, SocketAddr)>,
) -> io::Result<Written> {
    let addresses: BTreeMap<_, _> = [(service.as_str(), http), (ADMIN, admin)].into_iter().chain(also).collect();
    let draft = folder.join("addresses.json.new");
    fs::write(&draft, serde_json::to_vec_pretty(&addresses)?)?;
    let path = folder.join(FILE);
    fs::rename(&draft, &path)?;
    Ok(Written(path))
}

/// The listener of a service that runs, by the file in its folder.
pub(crate) fn of_service(folder: &Path, service: ServiceName) -> io::Result<SocketAddr> {
    named(folder, service.as_str())
}

/// The admin listener of the process that runs a service, by the file in its folder.
pub(crate) fn of_admin(folder: &Path) -> io::Result<SocketAddr> {
    named(folder, ADMIN)
}

/// What is listened on under this name, by the file in the folder.
pub(crate) fn named(folder: &Path, name: &str) -> io::Result<SocketAddr> {
    let path = folder.join(FILE);
    let text = fs::read(&path)?;
    let addresses: BTreeMap<String, SocketAddr> = serde_json::from_slice(&text)?;
    let missing = || io::Error::new(io::ErrorKind::InvalidData, format!("{} names no {name}", path.display()));
    addresses.get(name).copied().ok_or_else(missing)
}

/// The file; removed when it goes.
#[derive(Debug)]
pub(crate) struct Written(PathBuf);

impl Drop for Written {
    fn drop(&mut self) {
        // The lock tells whether it is of the present.
        let _ = fs::remove_file(&self.0);
    }
}
