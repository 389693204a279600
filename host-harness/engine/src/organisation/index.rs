//! Owns: bringing the search's index up to date after the inbox changed.
//! Does not own: what is indexed (the inbox), taking out what is deleted, which does not wait for this.

use std::{sync::Arc, time::Duration};

use super::Organisation;
use crate::base::tasks::{REST, Worker};

/// The most texts indexed per transaction, which are fewer while people wait.
const BATCH: usize = 500;
/// How long changes are gathered, so that a stream of them is indexed in larger pieces.
const GATHER: Duration = Duration::from_millis(200);

/// Runs for as long as the host lives.
pub(crate) async fn run(room: Arc<Organisation>) {
    let inbox = &room.base.inbox;
    let mut newest = inbox.newest_change();
    loop {
        newest.borrow_and_update();
        match room.base.tasks.guarded(Worker::Index, inbox.index(BATCH)).await {
            Ok(Ok(0)) => {
                if newest.changed().await.is_err() {
                    return;
                }
                tokio::time::sleep(GATHER).await;
            }
            Ok(Ok(_)) => {}
            Ok(Err(error)) => {
                tracing::error!(%error, "the search is not brought up to date for the moment");
                room.base.clock.wait(REST).await;
            }
            Err(_) => room.base.clock.wait(REST).await,
        }
    }
}
