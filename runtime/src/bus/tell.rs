//! The publisher's side: everything that a service of this process tells, also on its channel.

use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use link::Service;
use link::grpc::hints;

use super::channel;
use crate::lifecycle::Shutdown;
use crate::redis::Redis;

/// Hints that are ready are told together, up to so many.
const HINTS_AT_ONCE: usize = 64;
/// Before another try to listen to the service of this process, which can always be listened to.
const AGAIN_AFTER: Duration = Duration::from_millis(200);

/// Tells until the service stops.
pub async fn tell(service: Arc<dyn Service>, redis: Redis, shutdown: Shutdown) {
    tokio::select! {
        () = keep_telling(service, redis) => {}
        () = shutdown.stopped() => {}
    }
}

async fn keep_telling(service: Arc<dyn Service>, redis: Redis) {
    loop {
        if let Ok(told) = service.watch().await {
            let mut told = told.ready_chunks(HINTS_AT_ONCE);
            while let Some(hints) = told.next().await {
                // What is lost here is missed by its number, and whoever listens goes over to the link.
                let Some(first) = hints.first().filter(|_| redis.standing().is_up()) else { continue };
                let channel = channel(&redis, first.publisher());
                if let Err(failure) = redis.publish(&channel, &hints::encode(&hints)).await {
                    tracing::debug!(service = service.name().as_str(), %failure, "hints could not be told");
                }
            }
        }
        tokio::time::sleep(AGAIN_AFTER).await;
    }
}
