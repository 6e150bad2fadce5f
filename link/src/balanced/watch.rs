//! The watches of several instances as one stream of hints.
//!
//! Each hint names its publisher, so they need not be told apart otherwise. An instance that is lost is watched again and again while the
//! others go on; its publisher's numbers tell the reader what was missed meanwhile. Only when all are lost the stream ends, so that the
//! reader knows at once that it hears nothing.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use futures_util::stream::{self, FuturesUnordered, SelectAll};
use futures_util::{Stream, StreamExt};
use protocol::ErrorCode;
use tokio::time::{sleep, timeout};

use crate::bus::{Hint, Hints, SILENT_FOR};
use crate::call::Refusal;
use crate::service::Service;

/// How long to wait before watching an instance again.
const AGAIN_AFTER: Duration = Duration::from_millis(200);

/// A hint of an instance, or that it is lost.
type Told = (usize, Option<Hint>);
type Watched = (usize, Result<Hints, Refusal>);

struct Merged {
    instances: Vec<Arc<dyn Service>>,
    live: usize,
    told: SelectAll<Pin<Box<dyn Stream<Item = Told> + Send>>>,
    coming: FuturesUnordered<Pin<Box<dyn Future<Output = Watched> + Send>>>,
}

/// The hints of all instances, where at least one can be watched.
pub(super) async fn merged(instances: Vec<Arc<dyn Service>>) -> Result<Hints, Refusal> {
    let watched = join_all(instances.iter().map(|instance| instance.watch())).await;
    let mut merged = Merged { instances, live: 0, told: SelectAll::new(), coming: FuturesUnordered::new() };
    let mut refused = Refusal::of(ErrorCode::Unavailable);
    for (index, watched) in watched.into_iter().enumerate() {
        match watched {
            Ok(hints) => merged.listen(index, hints),
            Err(refusal) => {
                refused = refusal;
                merged.again(index);
            }
        }
    }
    if merged.live == 0 {
        return Err(refused);
    }
    Ok(Box::pin(stream::unfold(merged, Merged::next)))
}

impl Merged {
    async fn next(mut self) -> Option<(Hint, Self)> {
        while self.live > 0 {
            tokio::select! {
                Some((index, hint)) = self.told.next() => match hint {
                    Some(hint) => return Some((hint, self)),
                    None => {
                        self.live -= 1;
                        self.again(index);
                    }
                },
                Some((index, watched)) = self.coming.next() => match watched {
                    Ok(hints) => self.listen(index, hints),
                    Err(_) => self.again(index),
                },
                else => return None,
            }
        }
        None
    }

    fn listen(&mut self, index: usize, hints: Hints) {
        self.live += 1;
        // A publisher restates its number every second: one that is silent is lost, also where no error tells.
        let hints = stream::unfold(hints, |mut hints| async {
            let hint = timeout(SILENT_FOR, hints.next()).await.ok().flatten()?;
            Some((hint, hints))
        });
        let told = hints.map(Some).chain(stream::once(async { None })).map(move |hint| (index, hint));
        self.told.push(Box::pin(told));
    }

    fn again(&self, index: usize) {
        let Some(instance) = self.instances.get(index).cloned() else { return };
        self.coming.push(Box::pin(async move {
            sleep(AGAIN_AFTER).await;
            (index, instance.watch().await)
        }));
    }
}
