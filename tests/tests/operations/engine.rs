//! Starts the services of a compose file without a container engine, by exactly what the file says of them.
//!
//! What a container has of its own is mapped, and this is all that is changed: volumes, `/tmp` and `/run/secrets` are folders below one temporary
//! folder; host names and ports are ports of one loopback address that is this test's own, and stand in the file's place of them; the networks are
//! where the connections come from here (127.0.0.1). What is private to a container by nature, its loopback, is given to the services
//! as a port of that address (`admin.listen`).

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use harness::wait;
use harness::world::binary;
use protocol::ServiceName;
use rig::program::print_end_of_log;
use rig::{Program, free_port, own_address};
use serde_json::Value;
use tempfile::TempDir;

use crate::files::{self, MONITORING, PRODUCTION, root, words};
use crate::places::Places;

/// The services whose names are those of containers, with the file they stand in.
pub(crate) struct Engine {
    services: BTreeMap<String, Value>,
    host: Ipv4Addr,
    places: Places,
    programs: BTreeMap<&'static str, Program>,
    folder: TempDir,
}

/// One service, ready to be started.
struct Container {
    words: Vec<String>,
    environment: Vec<(String, String)>,
    healthcheck: Vec<String>,
    /// Shipped files, and where the container has its copy of each.
    mounted: Vec<(String, PathBuf)>,
    places: Places,
}

impl Engine {
    /// Both compose files, with secrets made by the shipped script.
    pub(crate) fn new() -> Self {
        let host = own_address();
        let name = host.to_string();
        let folder = tempfile::Builder::new().prefix("secureconnect-operations-").tempdir().unwrap();
        let variables = [("SECURECONNECT_DOMAIN", name.as_str())];
        let mut services = BTreeMap::new();
        for file in [PRODUCTION, MONITORING] {
            let tree = files::compose(file, &variables);
            let listed = tree["services"].as_object().unwrap().iter();
            services.extend(listed.map(|(name, service)| (name.clone(), service.clone())));
        }
        make_secrets(&folder.path().join("secrets"));
        std::fs::create_dir(folder.path().join("bin")).unwrap();
        symlink(binary(), folder.path().join("bin/secureconnect")).unwrap();
        // Debian's name of it.
        symlink("/usr/bin/prometheus-alertmanager", folder.path().join("bin/alertmanager")).unwrap();
        let mut places = Places::default();
        places.add("/run/secrets", folder.path().join("secrets").display());
        // Where connections of this machine come from.
        places.add("172.30.1.0/24", "127.0.0.1/32");
        places.add("172.30.3.0/24", "127.0.0.1/32");
        for service in five() {
            places.add(format!("0.0.0.0:{}", service.default_port()), format!("{host}:0"));
        }
        Self { services, host, places, programs: BTreeMap::new(), folder }
    }

    /// The address that everything listens on.
    pub(crate) fn host(&self) -> Ipv4Addr {
        self.host
    }

    /// What stands in a secret's file.
    pub(crate) fn secret(&self, name: &str) -> String {
        std::fs::read_to_string(self.folder.path().join("secrets").join(name)).unwrap().trim().to_owned()
    }

    /// Writes another secret into its file.
    pub(crate) fn tell_secret(&self, name: &str, value: &str) {
        let file = self.folder.path().join("secrets").join(name);
        // It may be read only: another one takes its place.
        std::fs::remove_file(&file).unwrap();
        std::fs::write(file, format!("{value}\n")).unwrap();
    }

    /// The folder that stands for a volume.
    pub(crate) fn volume(&self, name: &str) -> PathBuf {
        self.folder.path().join("volumes").join(name)
    }

    /// Says under which address of this machine a name and port of the files is found.
    pub(crate) fn place(&mut self, name: &str, address: SocketAddr) {
        self.places.add(name, address);
    }

    /// Starts a service. `edits` are what must be different in its words and files where there is no network of its own.
    pub(crate) fn start(&mut self, name: &'static str, edits: &[(&str, String)]) {
        let container = self.container(name, edits);
        let folder = self.own_folder(name);
        for (shipped, copy) in &container.mounted {
            std::fs::write(copy, container.places.in_text(&files::text(shipped))).unwrap();
        }
        let mut command = container.command(&container.words);
        command.current_dir(&folder);
        self.programs.insert(name, Program::start(name, command, &folder));
    }

    /// Awaits that a service's own health check passes.
    pub(crate) async fn healthy(&mut self, name: &str, edits: &[(&str, String)]) {
        let container = self.container(name, edits);
        self.until(name, &format!("{name} to be healthy"), async || {
            let output = container.command(&container.healthcheck).output().await.unwrap();
            output.status.success().then_some(())
        })
        .await;
    }

    /// Starts Redis where the services look for it.
    pub(crate) async fn start_redis(&mut self) -> SocketAddr {
        let address = SocketAddr::from((self.host, free_port(self.host)));
        self.place("redis:6379", address);
        self.start_redis_again(address).await;
        address
    }

    /// Starts Redis where it was.
    pub(crate) async fn start_redis_again(&mut self, address: SocketAddr) {
        let (host, port) = (address.ip(), address.port());
        let edits = [
            ("bind 0.0.0.0", format!("bind {host}")),
            ("port 6379", format!("port {port}")),
            ("redis-cli ping", format!("redis-cli -h {host} -p {port} ping")),
        ];
        self.start("redis", &edits);
        self.healthy("redis", &edits).await;
    }

    /// Starts the five services and awaits that they are healthy.
    pub(crate) async fn start_services(&mut self) {
        for service in five() {
            self.start(service.as_str(), &[]);
        }
        for service in five() {
            self.healthy(service.as_str(), &[]).await;
            let file = self.volume("data").join(service.role()).join("addresses.json");
            let told: BTreeMap<String, SocketAddr> = serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
            let name = format!("{}:{}", service.as_str(), service.default_port());
            self.place(&name, told[service.as_str()]);
        }
    }

    /// Looks again and again until `probe` finds something, as long as the program runs.
    pub(crate) async fn until<T>(&mut self, name: &str, what: &str, mut probe: impl AsyncFnMut() -> Option<T>) -> T {
        let program = self.programs.get_mut(name).unwrap_or_else(|| panic!("{name} was not started"));
        wait::until(what, async || {
            program.assert_running();
            probe().await
        })
        .await
    }

    /// Runs a command inside of a service's container and gives what it printed.
    pub(crate) async fn exec(&self, name: &str, words: &[&str]) -> String {
        let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
        let output = self.container(name, &[]).command(&words).output().await.unwrap();
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{name}: {words:?}: {errors}");
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// Ends a service as an engine does; it must end well.
    pub(crate) async fn stop(&mut self, name: &str) {
        let mut program = self.programs.remove(name).unwrap_or_else(|| panic!("{name} was not started"));
        program.signal(libc::SIGTERM);
        let status = program.exited().await;
        assert!(status.success(), "{name}: {status}");
    }

    /// Kills a service that has nothing to put in order.
    pub(crate) async fn kill(&mut self, name: &str) {
        self.programs.remove(name).unwrap_or_else(|| panic!("{name} was not started")).kill().await;
    }

    /// Everything that was started.
    pub(crate) fn programs(&self) -> &BTreeMap<&'static str, Program> {
        &self.programs
    }

    fn own_folder(&self, name: &str) -> PathBuf {
        let folder = self.folder.path().join("own").join(name);
        std::fs::create_dir_all(folder.join("tmp")).unwrap();
        folder
    }

    fn container(&self, name: &str, edits: &[(&str, String)]) -> Container {
        let service = &self.services[name];
        let own = self.own_folder(name);
        let mut places = self.places.and(edits);
        places.add("/tmp", own.join("tmp").display());
        let mut mounted = Vec::new();
        for volume in words(&service["volumes"]) {
            let (source, target) = volume.split_once(':').unwrap();
            let target = target.trim_end_matches(":ro");
            match source.strip_prefix("./") {
                Some(shipped) if root().join(shipped).is_file() => {
                    let copy = own.join(Path::new(shipped).file_name().unwrap());
                    places.add(target, copy.display());
                    mounted.push((shipped.to_owned(), copy));
                }
                Some(_) => {}
                None => {
                    std::fs::create_dir_all(self.volume(source)).unwrap();
                    places.add(target, self.volume(source).display());
                }
            }
        }
        let words = entrypoint(name, service).into_iter().chain(words(&service["command"]));
        let path = format!("{}:{}", self.folder.path().join("bin").display(), std::env::var("PATH").unwrap());
        let mut environment = vec![("PATH".to_owned(), path)];
        for (variable, value) in service["environment"].as_object().into_iter().flatten() {
            environment.push((variable.clone(), places.in_text(value.as_str().unwrap())));
        }
        if service["image"].as_str().unwrap().starts_with("secureconnect:") {
            environment.push(("SECURECONNECT_ADMIN__LISTEN".to_owned(), format!("{}:0", self.host)));
        }
        Container {
            words: words.map(|word| places.in_text(&word)).collect(),
            environment,
            healthcheck: healthcheck(service).iter().map(|word| places.in_text(word)).collect(),
            mounted,
            places,
        }
    }
}

impl Container {
    /// A command in the container's environment, and in no other.
    fn command(&self, words: &[String]) -> tokio::process::Command {
        let (program, arguments) = words.split_first().expect("a command");
        let mut command = tokio::process::Command::new(program);
        command.args(arguments).env_clear().envs(self.environment.iter().cloned()).kill_on_drop(true);
        command
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        if std::thread::panicking() {
            for name in self.programs.keys() {
                print_end_of_log(&self.own_folder(name), name);
            }
        }
    }
}

/// The five services that the compose file runs.
pub(crate) fn five() -> impl Iterator<Item = ServiceName> {
    ServiceName::ALL.into_iter().filter(|service| service.serves_commands())
}

/// What an image starts before the words of `command`.
fn entrypoint(name: &str, service: &Value) -> Vec<String> {
    let stated = words(&service["entrypoint"]);
    if !stated.is_empty() {
        return stated;
    }
    match service["image"].as_str().unwrap() {
        image if image.starts_with("secureconnect:") => dockerfile_entrypoint(),
        // Its command has arguments only.
        image if image.starts_with("prom/") => vec![name.to_owned()],
        // Their entry points start what `command` names.
        _ => Vec::new(),
    }
}

fn dockerfile_entrypoint() -> Vec<String> {
    let dockerfile = files::text("Dockerfile");
    let line = dockerfile.lines().filter_map(|line| line.strip_prefix("ENTRYPOINT ")).next_back();
    serde_json::from_str(line.expect("an entry point")).unwrap()
}

fn healthcheck(service: &Value) -> Vec<String> {
    let mut words = words(&service["healthcheck"]["test"]);
    if words.is_empty() {
        return words;
    }
    match words.remove(0).as_str() {
        "CMD" => words,
        "CMD-SHELL" => ["sh", "-c", &words[0]].map(str::to_owned).to_vec(),
        other => panic!("{other} is no health check"),
    }
}

fn make_secrets(folder: &Path) {
    let output = Command::new(root().join("scripts/production-secrets"))
        .arg(folder)
        .env("ALERT_WEBHOOK_URL", "http://127.0.0.1:9/alerts")
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}
