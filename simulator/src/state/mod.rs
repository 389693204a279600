//! The platform's state: accounts, threads, uploads, comments, and the queue of faults. What belongs here: data and
//! look-ups; the platform's rules are in `graph`.

pub(crate) mod log;
pub(crate) mod thread;
pub(crate) mod tokens;

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};

use serde_json::{Map, Value};

use crate::callbacks::CallbackRecord;
use crate::cdn::CdnFile;
use crate::config::{AccountConfig, AccountType, EchoTiming, Login, PageConfig, Redelivery};
use crate::faults::{Fault, Scope};
use crate::person::PersonConfig;
use crate::settings::AppSettings;
use crate::state::log::RequestRecord;
use crate::state::thread::Thread;
use crate::state::tokens::{Holder, Tokens};
use crate::webhook::hold::Outgoing;
use crate::webhook::sender::Delivery;

/// A thread's key: account and customer.
pub(crate) type ThreadKey = (String, String);

/// A medium that was uploaded, or sent with `is_reusable`.
#[derive(Debug, Clone)]
pub(crate) struct Upload {
    pub(crate) ig_id: String,
    pub(crate) kind: String,
    pub(crate) url: String,
}

/// A comment, which private and public replies may answer.
#[derive(Debug, Clone)]
pub(crate) struct StoredComment {
    pub(crate) ig_id: String,
    pub(crate) from_id: String,
    pub(crate) media_id: String,
    pub(crate) at_ms: i64,
    pub(crate) live: bool,
    pub(crate) answered_privately: bool,
}

/// The end of an account's tokens; later ones work.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Death {
    /// The subcode of 190.
    pub(crate) subcode: u32,
    /// Tokens from this serial number on work.
    pub(crate) before_serial: u64,
}

#[derive(Debug)]
pub(crate) struct World {
    pub(crate) app: AppSettings,
    pub(crate) person: PersonConfig,
    pub(crate) tokens: Tokens,
    pub(crate) accounts: Vec<AccountConfig>,
    pub(crate) webhook_url: Option<String>,
    /// The fields that the app set over the API; `None` if set in the dashboard.
    pub(crate) webhook_fields: Option<Vec<String>>,
    pub(crate) echo: EchoTiming,
    pub(crate) redelivery: Redelivery,
    pub(crate) threads: BTreeMap<ThreadKey, Thread>,
    pub(crate) uploads: BTreeMap<String, Upload>,
    pub(crate) comments: BTreeMap<String, StoredComment>,
    pub(crate) ended_broadcasts: BTreeSet<String>,
    pub(crate) subscriptions: HashMap<(String, Login), Vec<String>>,
    pub(crate) messenger_profiles: BTreeMap<String, Map<String, Value>>,
    /// Accounts whose tokens are dead.
    pub(crate) dead_accounts: HashMap<(String, Login), Death>,
    pub(crate) files: BTreeMap<String, CdnFile>,
    pub(crate) faults: VecDeque<Fault>,
    pub(crate) held: Option<Vec<Outgoing>>,
    pub(crate) requests: Vec<RequestRecord>,
    pub(crate) deliveries: Vec<Delivery>,
    pub(crate) callbacks: Vec<CallbackRecord>,
    /// Recent calls of the Conversations API, per account.
    pub(crate) conversation_calls: HashMap<String, VecDeque<i64>>,
}

impl World {
    pub(crate) fn account(&self, ig_id: &str) -> Option<&AccountConfig> {
        self.accounts.iter().find(|account| account.ig_id == ig_id)
    }

    /// The account linked to a page, including a personal one.
    pub(crate) fn account_of_page(&self, page_id: &str) -> Option<&AccountConfig> {
        self.accounts.iter().find(|account| account.page.as_ref().is_some_and(|page| page.id == page_id))
    }

    /// Every page of the person, those of the accounts first.
    pub(crate) fn pages(&self) -> impl Iterator<Item = &PageConfig> {
        self.accounts.iter().filter_map(|account| account.page.as_ref()).chain(&self.person.more_pages)
    }

    pub(crate) fn page(&self, id: &str) -> Option<&PageConfig> {
        self.pages().find(|page| page.id == id)
    }

    /// The holder of a token, dead or alive. App tokens of id and secret are not included.
    pub(crate) fn holder(&self, login: Login, token: &str) -> Option<Holder> {
        if let Some(minted) = self.tokens.get(token) {
            let of_instagram = matches!(minted.holder, Holder::Account(_));
            return (of_instagram == (login == Login::Instagram)).then(|| minted.holder.clone());
        }
        match login {
            Login::Facebook if self.person.token.expose() == token => Some(Holder::Person),
            Login::Facebook => {
                self.pages().find(|page| page.token.expose() == token).map(|page| Holder::Page(page.id.clone()))
            }
            Login::Instagram => self
                .accounts
                .iter()
                .find(|account| account.token(login).is_some_and(|known| known.expose() == token))
                .map(|account| Holder::Account(account.ig_id.clone())),
        }
    }

    /// The subcode of 190 for a token, whoever holds it; `None` if it works.
    pub(crate) fn death(&self, login: Login, token: &str, now_ms: i64) -> Option<u32> {
        if let Some(subcode) = self.tokens.death(token, now_ms) {
            return Some(subcode);
        }
        let account = match self.holder(login, token)? {
            Holder::App | Holder::Person => return None,
            Holder::Account(ig_id) => self.account(&ig_id),
            Holder::Page(id) => {
                // 492: the person no longer has a role on the page.
                if self.page(&id).is_none_or(|page| page.tasks.is_empty()) {
                    return Some(492);
                }
                self.account_of_page(&id)
            }
        };
        let death = self.dead_accounts.get(&(account?.ig_id.clone(), login))?;
        let serial = self.tokens.get(token).map(|minted| minted.serial);
        serial.is_none_or(|serial| serial < death.before_serial).then_some(death.subcode)
    }

    /// Invalidates every token of an account that was issued for a login so far.
    pub(crate) fn kill_account(&mut self, ig_id: &str, login: Login, subcode: u32) {
        let death = Death { subcode, before_serial: self.tokens.next_serial() };
        self.dead_accounts.insert((ig_id.to_owned(), login), death);
    }

    pub(crate) fn thread(&self, ig_id: &str, igsid: &str) -> Option<&Thread> {
        self.threads.get(&(ig_id.to_owned(), igsid.to_owned()))
    }

    pub(crate) fn thread_mut(&mut self, ig_id: &str, igsid: &str) -> Option<&mut Thread> {
        self.threads.get_mut(&(ig_id.to_owned(), igsid.to_owned()))
    }

    /// Takes the next fault for a request of this kind.
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

impl AccountConfig {
    /// Whether the account is a business or a creator.
    pub(crate) fn is_professional(&self) -> bool {
        self.account_type != AccountType::Personal
    }
}
