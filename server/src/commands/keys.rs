//! `keys rotate`.

use std::process::ExitCode;

use anyhow::Result;
use protocol::ServiceName;
use runtime::telemetry::logs::rfc3339;

use super::stores::Opened;
use crate::admin::Rotated;
use crate::config::Config;
use crate::reach::{Reach, reach};
use crate::say;

pub(crate) async fn run(config: &Config) -> Result<ExitCode> {
    let rotated: Rotated = match reach(config, ServiceName::Auth)? {
        Reach::Running(server) => server.post("/v1/keys/rotate", &()).await?,
        Reach::Stopped(lock) => {
            let mut opened = Opened::new();
            let auth = opened.auth(config, lock)?;
            let rotated = auth.rotate_keys().await;
            opened.end().await;
            let (kid, signs_from) = rotated?;
            Rotated { kid, signs_from }
        }
    };
    say::answer(format_args!(
        "the key {} is published now and signs from {} on",
        rotated.kid,
        rfc3339(rotated.signs_from)
    ));
    Ok(ExitCode::SUCCESS)
}
