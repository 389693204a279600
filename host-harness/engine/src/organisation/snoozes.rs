//! Owns: opening snoozed conversations at their time, by the host's clock.
//! Does not own: when that is, which people say.

use std::sync::Arc;

use super::Organisation;
use crate::base::tasks::{REST, Worker};

/// Conversations opened per transaction.
const BATCH: usize = 200;

/// Runs for as long as the host lives.
pub(crate) async fn run(room: Arc<Organisation>) {
    loop {
        match room.base.tasks.guarded(Worker::Snoozes, open_due(&room)).await {
            Ok(Ok(next)) => tokio::select! {
                () = room.base.wake.snoozed.notified() => {}
                () = room.base.clock.sleep_until(next) => {}
            },
            Ok(Err(error)) => {
                tracing::error!(%error, "opening snoozed conversations pauses");
                room.base.clock.wait(REST).await;
            }
            Err(_) => room.base.clock.wait(REST).await,
        }
    }
}

/// Opens what is due, and returns when the next is.
async fn open_due(room: &Organisation) -> Result<Option<u64>, harness_inbox::InboxError> {
    let now = room.base.clock.now();
    while room.base.inbox.open_snoozed(now, BATCH).await? == BATCH {}
    room.base.inbox.next_snoozed(now).await
}
