//! What every key means: the words of `configs/secureconnect.toml`.

/// Above the file.
pub(super) const HEADING: &str = "\
# SecureConnect's configuration: every key with its default. What is not set here keeps its default; an unknown key is refused.
# A variable SECURECONNECT_SECTION__KEY sets the same key (SECURECONNECT_LISTEN__GATEWAY=0.0.0.0:8080), a variable
# SECURECONNECT_SECTION__KEY_FILE names a file that holds the value. `secureconnect config check` tells what is wrong.
";

/// Every key, in any order.
pub(super) const KEYS: &[(&str, &str)] = &[
    (
        "data_dir",
        "Where all data lies, each service in a folder of its own. One process at a time has a service's folder.",
    ),
    ("roles", "The services that run in this process. Processes that share a data directory find each other."),
    ("log", "Logs go to stdout."),
    ("log.format", "auto (readable on a terminal, JSON lines otherwise), json or pretty."),
    (
        "log.filter",
        "What is logged: a level, or levels by module (\"info,chat=debug\"). Can be changed while it runs: `secureconnect log`.",
    ),
    (
        "listen",
        "Addresses; port 0 takes a free one. Clients need the gateway's only; the others have /metrics, /healthz and /readyz.",
    ),
    (
        "listen.gateway",
        "The gateway: REST, the socket and the web client. Set 0.0.0.0:8080 to be reachable from elsewhere, and then [tls].",
    ),
    ("listen.auth", "The auth service."),
    ("listen.chat", "The chat service."),
    ("listen.signaling", "The signaling service."),
    ("listen.storage", "The storage service."),
    ("listen.turn", "The TURN server's operators' routes; where it relays stands in [turn]."),
    (
        "listen.max_connections",
        "Connections at once on each listener; more are closed at once. Leave room below the limit of open files.",
    ),
    ("listen.max_pending_per_address", "Connections of one client address that have not sent a whole request yet."),
    ("admin", "The admin listener: what the command line asks of a running server."),
    (
        "admin.listen",
        "On loopback only, behind the token in <data_dir>/admin.token. Of several processes on this machine only the one with the\nauth service takes this port, the others take a free one.",
    ),
    ("proxy", "Proxies in front of the gateway. Only what they say of the client's address is believed."),
    ("proxy.trusted", "Their networks, such as [\"10.0.0.0/8\"]."),
    ("proxy.protocol", "Whether they speak the PROXY protocol (version 1 or 2)."),
    ("tls", "The gateway's own TLS. Both files are PEM; they are read again when they change."),
    ("tls.cert", "The certificate chain, the server's own first."),
    ("tls.key", "The private key."),
    ("metrics", "Who may read /metrics, /healthz and /readyz."),
    ("metrics.networks", "Networks besides loopback. Never through a proxy."),
    ("limits", "Rate limits: how many in the limit's window. They can be raised, never switched off."),
    ("limits.general", "Requests of a user (of an address while there is no user) in any minute."),
    ("limits.login_account", "Logins to one account in any minute, whoever tries."),
    ("limits.login_address", "Logins from one address in any minute."),
    ("limits.register_address", "Registrations from one address in any minute."),
    ("limits.join_user", "Conversations that a user enters in any minute."),
    ("limits.join_address", "Conversations that are entered from one address in any minute."),
    ("limits.conversation_messages", "Messages of a user in one conversation, in a minute on average."),
    ("limits.calls_user", "Calls that a user starts, joins or comes back to in any minute."),
    ("limits.call_signals", "What a user's devices negotiate in calls, in a minute on average."),
    ("limits.socket_frames", "Frames of one login, all its sockets together, in a minute on average."),
    ("limits.socket_opens", "Sockets that one address opens, in a minute on average."),
    ("link", "How processes that share the work talk. One process that runs all roles needs none of it."),
    (
        "link.listen",
        "Where this process's services listen for other processes: unix:/path, 127.0.0.1:port or, with [link.tls], host:port.\nUnset: a socket for each service in <data_dir>/link.",
    ),
    (
        "link.name",
        "What the other processes call this one in their [link.peers]. Unset: link.listen, which does where all reach it by that.",
    ),
    (
        "link.tls",
        "What processes on several machines trust each other by (PEM): `secureconnect link certificates` makes the files.\nWithout it no address beyond loopback can be used.",
    ),
    ("link.tls.ca", "The certificate of the CA that signs for these processes, and for nothing else."),
    ("link.tls.cert", "This process's certificate, for the name by which the others reach it."),
    ("link.tls.key", "Its private key."),
    (
        "link.peers",
        "Where the services of other processes listen: an address, or a list of several that share one store. Unset: their sockets in\n<data_dir>/link. What is called as this process is called is passed over, so that all nodes can have the same list. The list decides\nwhich instance has which work, so all must call them alike: name=host:port where they reach them by different addresses.",
    ),
    ("link.peers.auth", "The auth service."),
    ("link.peers.chat", "The chat service."),
    ("link.peers.signaling", "The signaling service."),
    ("link.peers.storage", "The storage service."),
    ("drain", "How a process goes down on SIGTERM or SIGINT. A second signal forces."),
    (
        "drain.not_ready_ms",
        "Between /readyz saying no and the end of accepting: the time that a load balancer needs to notice.",
    ),
    ("drain.drain_ms", "For clients to go elsewhere and work in flight to end."),
    ("gateway", "The gateway: what it allows and what it holds for slow and absent clients."),
    ("auth", "Accounts, sessions, tokens."),
    ("auth.access_token_s", "How long an access token is valid. It bounds for how long a stolen one is of use."),
    (
        "auth.refresh_token_s",
        "How long a refresh token is valid. Each refresh begins it anew; a device that is silent for longer logs in again.",
    ),
    ("auth.refresh_repeat_s", "For how long a refresh whose answer was lost may be repeated, once."),
    (
        "auth.sessions_max",
        "The most sessions of a user; one more ends the one that was last seen longest ago. 0: no cap.",
    ),
    (
        "auth.key_publish_s",
        "How long a new signing key is published before it signs. Longer than gateways cache the key set.",
    ),
    ("auth.audit_days", "How long audit rows are kept."),
    ("auth.password", "Argon2id (RFC 9106). A login hashes a password again that was hashed with less."),
    ("auth.password.memory_kib", "Memory of one hash."),
    ("auth.password.iterations", "Passes over the memory."),
    ("auth.password.parallel", "How many hashes run at once. 0: as many as there are cores."),
    ("auth.password.waiting_max", "How many may wait for their turn; beyond that logins are refused as overloaded."),
    ("auth.lockout", "Failed logins, counted for each account and for each client address apart."),
    ("auth.lockout.account_failures", "Failures that lock an account."),
    (
        "auth.lockout.address_failures",
        "Failures that lock a client address. Raise it where many people share one address.",
    ),
    ("auth.lockout.window_s", "Failures further apart than this don't add up."),
    ("auth.lockout.first_s", "The first lock; each further one is twice as long."),
    ("auth.lockout.longest_s", "The longest lock."),
    ("auth.lockout.forget_s", "After this long without a failure all is forgotten."),
    (
        "auth.lockout.known_days",
        "For how long an address or device from which the account logged in is counted apart from all others.",
    ),
    ("redis", "What several processes share: limits, hints, calls, presence. Nothing exists only there."),
    ("turn", "Relayed media: the embedded STUN/TURN server, and what clients are told of it."),
    ("chat", "Conversations and presence."),
    ("chat.readers", "Read-only connections to the store, each with a thread."),
    (
        "chat.write_queue_max",
        "Commands that may wait for the writer; beyond 80 % of it new ones are refused as overloaded.",
    ),
    ("chat.batch_max", "The most commands in one commit."),
    ("chat.cache_kib", "The writer's page cache."),
    ("chat.hints_max", "Hints that are kept for a gateway that is not in step; beyond that it reads the log."),
    ("chat.markers_every_ms", "How long moved markers are gathered before they are told."),
    (
        "chat.presence_grace_ms",
        "How long somebody without a device still counts as present, so that a reconnect is no news.",
    ),
    (
        "chat.presence_deliveries_per_second",
        "Deliveries of presence a second, at most; more changes wait, and only the last state of each is told.",
    ),
    ("chat.registers_max", "The most registers that one device is sent when it connects."),
    ("chat.audit_spool_max", "Different denials that the audit trail gathers before it counts the rest together."),
    ("signaling", "Calls."),
    ("signaling.ring_ms", "How long a device rings: 5,000 to 180,000 milliseconds."),
    (
        "signaling.reconnect_ms",
        "How long the place of a participant whose socket dropped is kept: 5,000 to 300,000 milliseconds.",
    ),
    ("signaling.alone_ms", "How long a participant may be the only one: 10,000 to 3,600,000 milliseconds."),
    ("signaling.participants_max", "How many may be in a call: 2 to 16. In a mesh each sends to every other one."),
    ("signaling.calls_max", "Calls that may go on at once; beyond that new ones are refused as `overloaded`."),
    ("signaling.history_days", "How long calls stay in the history."),
    (
        "signaling.hints_max",
        "Hints that are kept for a gateway that is not in step; beyond that all calls are told once more.",
    ),
    ("signaling.audit_spool_max", "Different denials that the audit trail gathers before it counts the rest together."),
];
