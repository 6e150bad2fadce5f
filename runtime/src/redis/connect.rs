//! How a connection is made: to the one server, or to whom the Sentinels call the master.

use std::fs;
use std::time::Duration;

use redis::aio::{AsyncPushSender, MultiplexedConnection};
use redis::sentinel::{SentinelClient, SentinelClientBuilder, SentinelServerType};
use redis::{
    AsyncConnectionConfig, Client, ConnectionAddr, ErrorKind, IntoConnectionInfo, ProtocolVersion, RedisError,
    RedisResult, TlsCertificates, TlsMode,
};
use tokio::sync::Mutex;

use super::config::Config;

/// Making a connection must not take longer; a machine that is gone answers nothing.
const CONNECT_WITHIN: Duration = Duration::from_secs(1);
/// Commands that wait to be written to one connection.
const PIPELINE_COMMANDS: usize = 1_024;

/// Makes connections.
pub(super) enum Connector {
    Server(Box<Client>),
    Sentinel(Box<Mutex<SentinelClient>>),
}

impl Connector {
    /// Nothing is connected yet.
    ///
    /// # Errors
    /// What is wrong with the configuration.
    pub(super) fn new(config: &Config) -> Result<Self, String> {
        let certificates = match &config.ca {
            Some(path) => {
                let pem = fs::read(path).map_err(|error| format!("the CA in {}: {error}", path.display()))?;
                Some(TlsCertificates { client_tls: None, root_cert: Some(pem) })
            }
            None => None,
        };
        match config.sentinel.addresses.is_empty() {
            true => server(config, certificates),
            false => sentinel(config, certificates),
        }
        .map_err(|error| error.to_string())
    }

    /// A new connection; `pushed` hears what a subscription brings.
    pub(super) async fn connect(&self, pushed: Option<impl AsyncPushSender>) -> RedisResult<MultiplexedConnection> {
        let settings = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(CONNECT_WITHIN))
            // The handle has a deadline of its own, around the whole command.
            .set_response_timeout(None)
            .set_pipeline_buffer_size(PIPELINE_COMMANDS);
        let settings = match pushed {
            Some(pushed) => settings.set_push_sender(pushed),
            None => settings,
        };
        let connecting = async {
            match self {
                Self::Server(client) => client.get_multiplexed_async_connection_with_config(&settings).await,
                Self::Sentinel(client) => client.lock().await.get_async_connection_with_config(&settings).await,
            }
        };
        match tokio::time::timeout(2 * CONNECT_WITHIN, connecting).await {
            Ok(connected) => connected,
            Err(_) => Err(RedisError::from((ErrorKind::Io, "no connection in time"))),
        }
    }
}

fn server(config: &Config, certificates: Option<TlsCertificates>) -> RedisResult<Connector> {
    let info = config.url.as_str().into_connection_info()?;
    let mut settings = info.redis_settings().clone().set_protocol(ProtocolVersion::RESP3);
    if !config.username.is_empty() {
        settings = settings.set_username(&config.username);
    }
    if let Some(password) = config.password.expose() {
        settings = settings.set_password(password);
    }
    let tcp = info.tcp_settings().clone().set_nodelay(true);
    let info = info.set_redis_settings(settings).set_tcp_settings(tcp);
    let client = match certificates {
        Some(certificates) => Client::build_with_tls(info, certificates)?,
        None => Client::open(info)?,
    };
    Ok(Connector::Server(Box::new(client)))
}

fn sentinel(config: &Config, certificates: Option<TlsCertificates>) -> RedisResult<Connector> {
    let mut addresses = Vec::with_capacity(config.sentinel.addresses.len());
    for address in &config.sentinel.addresses {
        let parts = address.rsplit_once(':').and_then(|(host, port)| Some((host, port.parse().ok()?)));
        let Some((host, port)) = parts else {
            let what = format!("`{address}` is not host:port");
            return Err(RedisError::from((ErrorKind::InvalidClientConfig, "redis.sentinel.addresses", what)));
        };
        addresses.push(ConnectionAddr::Tcp(host.to_owned(), port));
    }
    let mut builder = SentinelClientBuilder::new(addresses, &config.sentinel.master, SentinelServerType::Master)?
        .set_client_to_redis_protocol(ProtocolVersion::RESP3);
    if !config.url.is_empty() {
        let info = config.url.as_str().into_connection_info()?;
        builder = builder.set_client_to_redis_db(info.redis_settings().db());
        if matches!(info.addr(), ConnectionAddr::TcpTls { .. }) {
            builder = builder.set_client_to_redis_tls_mode(TlsMode::Secure);
        }
    }
    if !config.username.is_empty() {
        builder = builder.set_client_to_redis_username(&config.username);
    }
    if let Some(password) = config.password.expose() {
        builder = builder.set_client_to_redis_password(password);
    }
    if let Some(certificates) = certificates {
        builder = builder.set_client_to_redis_certificates(certificates);
    }
    Ok(Connector::Sentinel(Box::new(Mutex::new(builder.build()?))))
}
