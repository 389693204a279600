//! Owns: asking channels again while a step waits for something outside, such as a scanned QR code or a review.
//! Does not own: what is asked (`turn`), how waiting is shown.

use std::sync::Arc;

use harness_contract::ConnectInput;
use tokio::task::JoinSet;

use super::{
    Accounts, AccountsError,
    links::LinkId,
    stage::ConnectStage,
    turn::{Next, Turn},
};
use crate::{
    base::tasks::{REST, Worker},
    error::ConnectError,
};

/// The wait after a temporary error, in milliseconds.
const RETRY: u64 = 5000;
const TOO_LATE: &str = "The time for this step is over. Begin again with the button.";

/// Asks again until the host stops.
pub(crate) async fn run(room: Arc<Accounts>) {
    let mut changes = room.links.changes();
    let mut asks = JoinSet::new();
    room.links.ask_anew();
    loop {
        let (due, next) = room.links.take_due(room.base.clock.now());
        for link in due {
            asks.spawn(resume(Arc::clone(&room), link));
        }
        tokio::select! {
            Some(_) = asks.join_next() => {}
            _ = changes.changed() => {}
            () = room.base.clock.sleep_until(next) => {}
        }
    }
}

async fn resume(room: Arc<Accounts>, link: LinkId) {
    let asked = room.base.tasks.guarded(Worker::Keeper, again(&room, link)).await;
    if let Ok(Err(error)) = &asked {
        tracing::error!(%error, "connecting an account pauses");
    }
    if !matches!(asked, Ok(Ok(()))) {
        // The link is still due: do not retry at once.
        room.base.clock.wait(REST).await;
    }
    room.links.asked(&link);
}

async fn again(room: &Arc<Accounts>, link: LinkId) -> Result<(), AccountsError> {
    let now = room.base.clock.now();
    let waits = room.links.look(&link, now, |known| match &known.stage {
        ConnectStage::WaitingFor { until, .. } => Ok((known.turn(link), *until)),
        _ => Err(ConnectError::OutOfOrder),
    });
    // The person has started again in the meantime.
    let Ok((turn, until)) = waits else { return Ok(()) };
    if until.is_some_and(|until| until <= now) {
        let failed = ConnectStage::Failed { sentence: TOO_LATE.to_owned() };
        return room.note(&turn, Next::Stage(failed)).await.map(|_| ());
    }
    let whole = Arc::clone(room);
    room.base.begun.whole(async move { whole.resumed(turn).await }).await
}

impl Accounts {
    async fn resumed(self: &Arc<Self>, turn: Turn) -> Result<(), AccountsError> {
        match self.ask(&turn, ConnectInput::Resumed).await {
            Err(error) if error.passes() => {
                tracing::info!(%error, "a step of connecting is asked for again later");
                let now = self.base.clock.now();
                let later = self.change_link(&turn.link, now, |link| {
                    link.wait_on(turn.attempt, now.saturating_add(RETRY));
                    Ok(())
                });
                match later.await {
                    Err(AccountsError::Connect(ConnectError::Expired)) => Ok(()),
                    ended => ended,
                }
            }
            next => self.settle(&turn, next).await.map(|_| ()),
        }
    }
}
