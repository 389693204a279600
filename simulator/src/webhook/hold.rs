//! Holding webhooks, and releasing them reordered, repeated or batched.
//! What belongs here: grouping of pending items into entries and deliveries. Posting is `sender`.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use tokio::task::JoinSet;

use crate::config::Login;
use crate::core::Core;
use crate::webhook::change::Change;
use crate::webhook::envelope::{Entry, Envelope, Shape};
use crate::webhook::gate;
use crate::webhook::item::Item;
use crate::webhook::sender::{Delivery, Signing};

/// How held webhooks are released.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Release {
    /// One delivery each, in the order in which they happened.
    InOrder,
    /// One delivery each, newest first.
    Reversed,
    /// As few deliveries as the signing secrets allow, one entry per run of the same account and
    /// shape. Meta batches up to 1000 updates.
    OneBatch,
    /// One delivery each, each sent this many times.
    Repeated(usize),
    /// One delivery each, all at the same moment.
    Concurrently,
    /// Never: as if Meta had lost them.
    Discard,
}

/// One pending update.
#[derive(Debug, Clone)]
pub(crate) struct Outgoing {
    pub(crate) ig_id: String,
    pub(crate) login: Login,
    pub(crate) part: Part,
}

#[derive(Debug, Clone)]
pub(crate) enum Part {
    Messaging(Item),
    Standby(Item),
    Change(Change),
    Flat(Change),
}

impl Outgoing {
    fn entry(self, now_ms: i64) -> Entry {
        match self.part {
            Part::Messaging(item) => Entry::messaging(&self.ig_id, now_ms, vec![item]),
            Part::Standby(item) => Entry::standby(&self.ig_id, now_ms, vec![item]),
            Part::Change(change) => Entry::changes(&self.ig_id, now_ms, vec![change]),
            Part::Flat(change) => Entry::flat(&self.ig_id, now_ms, change),
        }
    }
}

impl Core {
    /// Sends one update in its own delivery, or keeps it while webhooks are held. What the platform would not send
    /// stays undelivered.
    pub(crate) async fn emit(&self, outgoing: Outgoing) -> Delivery {
        let login = outgoing.login;
        let body = Envelope::new(vec![outgoing.clone().entry(self.clock.now_ms())]).to_wire();
        if !gate::opens(&self.world(), &outgoing) {
            return self.undelivered(login, body);
        }
        let held = match &mut self.world().held {
            Some(held) => {
                held.push(outgoing);
                true
            }
            None => false,
        };
        if held { self.undelivered(login, body) } else { self.deliver(login, body, Signing::Valid).await }
    }

    pub(crate) async fn release(self: &Arc<Self>, how: Release) -> Vec<Delivery> {
        let mut held = self.world().held.take().unwrap_or_default();
        let now_ms = self.clock.now_ms();
        match how {
            Release::Discard => held.clear(),
            Release::Reversed => held.reverse(),
            Release::Repeated(times) => {
                held = held.into_iter().flat_map(|one| vec![one; times]).collect();
            }
            Release::InOrder | Release::OneBatch | Release::Concurrently => {}
        }
        let bodies: Vec<(Login, Vec<u8>)> = if how == Release::OneBatch {
            batches(held, now_ms)
        } else {
            held.into_iter().map(|one| (one.login, Envelope::new(vec![one.entry(now_ms)]).to_wire())).collect()
        };
        if how == Release::Concurrently {
            let mut tasks = JoinSet::new();
            for (login, body) in bodies {
                let core = Arc::clone(self);
                tasks.spawn(async move { core.deliver(login, body, Signing::Valid).await });
            }
            return tasks.join_all().await;
        }
        let mut deliveries = Vec::new();
        for (login, body) in bodies {
            deliveries.push(self.deliver(login, body, Signing::Valid).await);
        }
        deliveries
    }
}

/// One body per signing secret: a signature covers a whole body, so two logins cannot share one.
fn batches(held: Vec<Outgoing>, now_ms: i64) -> Vec<(Login, Vec<u8>)> {
    let mut by_login: Vec<(Login, Vec<Entry>)> = Vec::new();
    for one in held {
        let login = one.login;
        let entry = one.entry(now_ms);
        match by_login.iter_mut().find(|(of, _)| *of == login) {
            Some((_, entries)) => merge(entries, entry),
            None => by_login.push((login, vec![entry])),
        }
    }
    by_login.into_iter().map(|(login, entries)| (login, Envelope::new(entries).to_wire())).collect()
}

fn merge(entries: &mut Vec<Entry>, new: Entry) {
    let last = entries.last_mut().filter(|last| last.id == new.id);
    match (last.map(|last| &mut last.shape), new.shape) {
        (Some(Shape::Messaging { messaging: list }), Shape::Messaging { messaging: more })
        | (Some(Shape::Standby { standby: list }), Shape::Standby { standby: more }) => list.extend(more),
        (Some(Shape::Changes { changes: list }), Shape::Changes { changes: more }) => list.extend(more),
        (_, shape) => entries.push(Entry { id: new.id, time: new.time, shape }),
    }
}
