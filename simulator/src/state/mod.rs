//! What the platform knows while it runs: accounts, threads, uploads, comments, and the script of
//! faults. What belongs here: data and plain look-ups; rules of the platform live in `graph`.

pub(crate) mod log;
pub(crate) mod thread;

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};

use serde_json::{Map, Value};

use crate::cdn::CdnFile;
use crate::config::{AccountConfig, EchoTiming, Login, Redelivery};
use crate::faults::{Fault, Scope};
use crate::state::log::RequestRecord;
use crate::state::thread::Thread;
use crate::webhook::hold::Outgoing;
use crate::webhook::sender::Delivery;

/// A thread is named by the account and the customer.
pub(crate) type ThreadKey = (String, String);

/// A medium that was uploaded, or kept with `is_reusable`.
#[derive(Debug, Clone)]
pub(crate) struct Upload {
    pub(crate) ig_id: String,
    pub(crate) kind: String,
    pub(crate) url: String,
}

/// A comment that private and public replies can answer.
#[derive(Debug, Clone)]
pub(crate) struct StoredComment {
    pub(crate) ig_id: String,
    pub(crate) from_id: String,
    pub(crate) media_id: String,
    pub(crate) at_ms: i64,
    pub(crate) live: bool,
    pub(crate) answered_privately: bool,
}

#[derive(Debug)]
pub(crate) struct World {
    pub(crate) accounts: Vec<AccountConfig>,
    pub(crate) webhook_url: Option<String>,
    pub(crate) echo: EchoTiming,
    pub(crate) redelivery: Redelivery,
    pub(crate) threads: BTreeMap<ThreadKey, Thread>,
    pub(crate) uploads: BTreeMap<String, Upload>,
    pub(crate) comments: BTreeMap<String, StoredComment>,
    pub(crate) ended_broadcasts: BTreeSet<String>,
    pub(crate) subscriptions: HashMap<(String, Login), Vec<String>>,
    pub(crate) messenger_profiles: BTreeMap<String, Map<String, Value>>,
    /// Whose token is dead, with the subcode that says why.
    pub(crate) dead_accounts: HashMap<(String, Login), u32>,
    pub(crate) files: BTreeMap<String, CdnFile>,
    pub(crate) faults: VecDeque<Fault>,
    pub(crate) held: Option<Vec<Outgoing>>,
    pub(crate) requests: Vec<RequestRecord>,
    pub(crate) deliveries: Vec<Delivery>,
}

impl World {
    pub(crate) fn account(&self, ig_id: &str) -> Option<&AccountConfig> {
        self.accounts.iter().find(|account| account.ig_id == ig_id)
    }

    pub(crate) fn thread(&self, ig_id: &str, igsid: &str) -> Option<&Thread> {
        self.threads.get(&(ig_id.to_owned(), igsid.to_owned()))
    }

    pub(crate) fn thread_mut(&mut self, ig_id: &str, igsid: &str) -> Option<&mut Thread> {
        self.threads.get_mut(&(ig_id.to_owned(), igsid.to_owned()))
    }

    /// The next scripted fault for a request of this kind; counts it down.
    pub(crate) fn take_fault(&mut self, scope: Scope) -> Option<Fault> {
        let position = self.faults.iter().position(|fault| fault.scope.covers(scope))?;
        let fault = self.faults.get_mut(position)?;
        fault.times = fault.times.saturating_sub(1);
        let taken = fault.clone();
        if taken.times == 0 {
            self.faults.remove(position);
        }
        Some(taken)
    }
}
