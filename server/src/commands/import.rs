//! `import`.

use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Result;
use link::Service;
use protocol::ServiceName;

use super::stores::Opened;
use crate::cli::Import as Arguments;
use crate::config::Config;
use crate::import::{Accounts, Conversations, Import, Outcome, Target};
use crate::reach::{Reach, reach};
use crate::say;
use crate::serve::peers;

pub(crate) async fn run(config: &Config, arguments: Arguments) -> Result<ExitCode> {
    let mut opened = Opened::new();
    let imported = import(config, &arguments, &mut opened).await;
    opened.end().await;
    let Outcome { users, conversations, existed, problems } = imported?;
    say::answer(format_args!(
        "{users} users and {conversations} conversations made, {existed} were there already, {problems} lines refused"
    ));
    Ok(if problems == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

async fn import(config: &Config, arguments: &Arguments, opened: &mut Opened) -> Result<Outcome> {
    let (accounts, auth): (_, Option<Arc<dyn Service>>) = match reach(config, ServiceName::Auth)? {
        Reach::Running(server) => (Target::There(server), None),
        Reach::Stopped(lock) => {
            let auth = opened.auth(config, lock)?;
            (Target::Here(Accounts(Arc::clone(&auth))), Some(auth))
        }
    };
    let conversations = match reach(config, ServiceName::Chat)? {
        Reach::Running(server) => Target::There(server),
        Reach::Stopped(lock) => {
            let auth = match auth {
                Some(auth) => auth,
                None => {
                    let asker = peers::Asker { service: ServiceName::Chat, readiness: None, redis: None };
                    peers::find(config, &[], ServiceName::Auth, asker)?
                }
            };
            Target::Here(Conversations(opened.chat(config, lock, auth)?))
        }
    };
    let mut import = Import::new(accounts, conversations);
    if let Some(tokens) = &arguments.tokens {
        import = import.with_tokens(tokens)?;
    }
    import.run(&arguments.file).await
}
