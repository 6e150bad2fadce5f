//! `users role`: how the first admin is made.

use std::process::ExitCode;

use anyhow::Result;
use protocol::ServiceName;
use protocol::accounts::{Done, Role};

use super::stores::Opened;
use crate::admin::UsersRole;
use crate::config::Config;
use crate::reach::{Reach, reach};
use crate::say;

pub(crate) async fn role(config: &Config, handle: String, role: Role) -> Result<ExitCode> {
    let said = format!("{handle} is now {}", role.as_str());
    match reach(config, ServiceName::Auth)? {
        Reach::Running(server) => {
            let _: Done = server.post("/v1/users/role", &UsersRole { handle, role }).await?;
        }
        Reach::Stopped(lock) => {
            let mut opened = Opened::new();
            let auth = opened.auth(config, lock)?;
            let set = auth.set_role(&handle, role).await;
            opened.end().await;
            set?;
        }
    }
    say::answer(said);
    Ok(ExitCode::SUCCESS)
}
