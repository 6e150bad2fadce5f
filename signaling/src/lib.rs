//! Calls: so far a service that is there and says that it offers no command.
//!
//! It has its listener, health and metrics like every other service, so that operators, dashboards and the split topology meet all
//! five from the first day. It pretends nothing: every command is answered `unsupported`.

pub mod machine;
pub mod store;

use async_trait::async_trait;
use link::{Call, Refusal, Reply, Service};
use protocol::{ErrorCode, ServiceName};

/// The service.
#[derive(Clone, Copy, Debug, Default)]
pub struct Signaling;

#[async_trait]
impl Service for Signaling {
    fn name(&self) -> ServiceName {
        ServiceName::Signaling
    }

    async fn execute(&self, call: Call) -> Reply {
        let message = format!("this server offers no calls: `{}`", call.command);
        Refusal::new(ErrorCode::Unsupported, message).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn every_command_is_answered_unsupported() -> Result<(), Refusal> {
        let call = Call::internal("calls.start", None, &())?;
        let refused = Signaling.execute(call).await.result;
        assert_eq!(refused.map_err(|refusal| refusal.code), Err(ErrorCode::Unsupported));
        Ok(())
    }
}
