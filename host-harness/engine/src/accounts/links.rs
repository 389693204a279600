//! Owns: the links over which accounts are being connected: whose browser each belongs to, how far it has come, what was
//! captured so far. In memory, and sealed in the inbox's file, so that a restart costs nobody their place.
//! Does not own: the steps (`connect`).

mod rest;

use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex, PoisonError},
};

use harness_inbox::{StoredLink, WorkspaceId};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;
use tokio::sync::watch;
use url::Url;
use zeroize::Zeroizing;

use self::rest::AtRest;
use super::{
    Accounts, AccountsError,
    stage::{ConnectStage, ConnectView},
    turn::Next,
};
use crate::{error::ConnectError, network::PendingAccount};
use harness_egress::credentials::{Secret, SecretKey};

/// How long a link is good, in milliseconds.
const LIFE_MS: u64 = 20 * 60_000;
/// How long what became of it can be looked at, in milliseconds.
const KEPT_MS: u64 = 2 * LIFE_MS;
/// Links at one time.
const MAX_LINKS: usize = 1000;
/// States of links whose time is over. Past that, who comes with an older one hears that it was used.
const MAX_LATE: usize = 2 * MAX_LINKS;
/// Channels that are asked again at the same time, and how often one of them.
const ASKED_AT_ONCE: usize = 8;
const ASKED_OF_ONE: usize = 4;

/// Which link: SHA-256 of its ticket, so that looking one up takes the same time whatever is asked.
pub(crate) type LinkId = [u8; 32];

pub(crate) fn digest(text: &str) -> LinkId {
    Sha256::digest(text.as_bytes()).into()
}

/// A link.
pub(crate) struct Link {
    /// Known to whoever has the link anyway.
    pub(crate) ticket: String,
    /// The workspace that the account is connected in.
    pub(crate) workspace: WorkspaceId,
    pub(crate) channel: String,
    /// The only login that it is for, where there is one.
    pub(crate) only: Option<String>,
    /// The login that was begun with.
    pub(crate) login: Option<String>,
    began_at: u64,
    /// SHA-256 of the cookie of the browser that goes on with it.
    browser: Option<[u8; 32]>,
    /// SHA-256 of the value that the platform hands back. Taken by the browser's first callback.
    state: Option<[u8; 32]>,
    /// The one that was taken last: the same browser may come with it again, such as after a reload.
    spent: Option<[u8; 32]>,
    pub(crate) stage: ConnectStage,
    /// Where the person is expected while the stage is [`ConnectStage::Visiting`].
    visit: Option<Url>,
    /// The channel is being asked again. Not kept: after a restart it is asked anew.
    asking: bool,
    /// Counts the beginnings: what an earlier one comes to does not change the present one.
    pub(crate) attempt: u64,
    pub(crate) pending: Arc<PendingAccount>,
    version: i64,
}

impl Link {
    pub(crate) fn new(ticket: String, workspace: WorkspaceId, channel: String, only: Option<String>, now: u64) -> Self {
        Self {
            ticket,
            workspace,
            channel,
            only,
            login: None,
            began_at: now,
            browser: None,
            state: None,
            spent: None,
            stage: ConnectStage::Waiting,
            visit: None,
            asking: false,
            attempt: 0,
            pending: Arc::default(),
            version: 0,
        }
    }

    pub(crate) fn view(&self) -> ConnectView {
        ConnectView {
            workspace: self.workspace,
            channel: self.channel.clone(),
            login: self.login.clone().or_else(|| self.only.clone()),
            only: self.only.clone(),
            visit: self.visit.clone(),
            stage: self.stage.clone(),
        }
    }

    /// Whether a browser that shows one of these cookies may see where the link stands: its own one, or any while it
    /// is nobody's.
    pub(crate) fn may_look(&self, cookies: &[&str]) -> Result<(), ConnectError> {
        if self.browser.is_none() { Ok(()) } else { self.same_browser(cookies) }
    }

    pub(crate) fn same_browser(&self, cookies: &[&str]) -> Result<(), ConnectError> {
        let known = self.browser.ok_or(ConnectError::OtherBrowser)?;
        let same = |cookie: &&str| bool::from(known.ct_eq(&digest(cookie)));
        // All are compared, so that the time tells nothing about which one it is.
        let found = cookies.iter().filter(|cookie| same(cookie)).count();
        if found > 0 { Ok(()) } else { Err(ConnectError::OtherBrowser) }
    }

    /// Gives the link to a browser where it is nobody's.
    pub(crate) fn bind_to(&mut self, cookie: &str) {
        self.browser.get_or_insert_with(|| digest(cookie));
    }

    /// Begins anew: what an earlier attempt left is not mixed with this one.
    pub(crate) fn begin(&mut self, login: &str) {
        self.pending = Arc::default();
        self.state = None;
        self.spent = None;
        self.login = Some(login.to_owned());
        self.stage = ConnectStage::Working;
        self.visit = None;
        self.attempt += 1;
    }

    /// Takes the state that the platform handed back. False where that was done before.
    pub(crate) fn take_state(&mut self) -> bool {
        self.spent = self.state.take().or(self.spent);
        matches!(self.stage, ConnectStage::Visiting)
    }

    /// Notes how an attempt goes on, where it still is the present one.
    pub(super) fn go_on(&mut self, attempt: u64, next: Next) {
        if self.attempt != attempt {
            return;
        }
        (self.stage, self.visit) = match next {
            Next::Visit { to, state } => {
                self.state = Some(digest(&state));
                (ConnectStage::Visiting, Some(to))
            }
            Next::Stage(stage) => (stage, None),
        };
        if matches!(self.stage, ConnectStage::Connected { .. }) {
            // Credentials of what was not chosen are not kept.
            self.pending = Arc::default();
        }
    }

    /// Waits on until another time, where it still waits.
    pub(super) fn wait_on(&mut self, attempt: u64, at: u64) {
        if let ConnectStage::WaitingFor { again_at, .. } = &mut self.stage
            && self.attempt == attempt
        {
            *again_at = at;
        }
    }

    /// When the channel is to be asked again, or it is too late for that.
    fn due_at(&self) -> Option<u64> {
        match &self.stage {
            ConnectStage::WaitingFor { again_at, until, .. } if !self.asking => {
                Some(until.map_or(*again_at, |until| until.min(*again_at)))
            }
            _ => None,
        }
    }

    fn waits_for(&self, state: &[u8; 32]) -> bool {
        let same = |known: Option<[u8; 32]>| known.is_some_and(|known| bool::from(known.ct_eq(state)));
        same(self.state) | same(self.spent)
    }

    /// When its time is over. Whoever has connected may look at it for longer.
    fn over_at(&self) -> u64 {
        let done = matches!(self.stage, ConnectStage::Connected { .. });
        self.began_at.saturating_add(if done { KEPT_MS } else { LIFE_MS }).saturating_add(1)
    }

    fn is_over(&self, now: u64) -> bool {
        self.over_at() <= now
    }
}

/// The links that are open.
pub(crate) struct Links {
    open: Mutex<HashMap<LinkId, Link>>,
    /// What the links that were taken out waited for, oldest first: a late callback hears that it is late, whether
    /// or not somebody has tidied up before. Taken after `open`.
    late: Mutex<VecDeque<[u8; 32]>>,
    /// Tells whoever waits for a change.
    changed: watch::Sender<u64>,
}

impl Default for Links {
    fn default() -> Self {
        Self { open: Mutex::default(), late: Mutex::default(), changed: watch::channel(0).0 }
    }
}

/// A link as it is to be kept.
struct Snapshot {
    id: LinkId,
    version: i64,
    json: Zeroizing<Vec<u8>>,
}

impl Links {
    /// Looks at a link.
    pub(crate) fn look<T>(
        &self,
        id: &LinkId,
        now: u64,
        look: impl FnOnce(&Link) -> Result<T, ConnectError>,
    ) -> Result<T, ConnectError> {
        let open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        look(open.get(id).filter(|link| !link.is_over(now)).ok_or(ConnectError::Expired)?)
    }

    /// The link that waits for this state, or did.
    pub(crate) fn of_state(&self, channel: &str, state: &str) -> Result<LinkId, ConnectError> {
        let wanted = digest(state);
        let open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let waits = |link: &Link| link.channel == channel && link.waits_for(&wanted);
        if let Some((id, _)) = open.iter().find(|(_, link)| waits(link)) {
            return Ok(*id);
        }
        let late = self.late.lock().unwrap_or_else(PoisonError::into_inner);
        Err(if late.contains(&wanted) { ConnectError::Expired } else { ConnectError::Repeated })
    }

    pub(crate) fn changes(&self) -> watch::Receiver<u64> {
        self.changed.subscribe()
    }

    fn change<T>(
        &self,
        id: &LinkId,
        now: u64,
        change: impl FnOnce(&mut Link) -> Result<T, ConnectError>,
    ) -> Result<(T, Snapshot), ConnectError> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let link = open.get_mut(id).filter(|link| !link.is_over(now)).ok_or(ConnectError::Expired)?;
        let value = change(link)?;
        link.version += 1;
        let json = Zeroizing::new(serde_json::to_vec(&link.at_rest()).unwrap_or_default());
        let snapshot = Snapshot { id: *id, version: link.version, json };
        drop(open);
        self.changed.send_modify(|count| *count += 1);
        Ok((value, snapshot))
    }

    fn insert(&self, id: LinkId, link: Link) -> Result<(), ConnectError> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if open.len() >= MAX_LINKS {
            return Err(ConnectError::TooMany);
        }
        open.insert(id, link);
        Ok(())
    }

    /// Takes out those whose channel is to be asked again now, as far as there is room for them. Also returns when the
    /// next of the others is due.
    pub(super) fn take_due(&self, now: u64) -> (Vec<LinkId>, Option<u64>) {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let mut asked: HashMap<String, usize> = HashMap::new();
        for link in open.values().filter(|link| link.asking) {
            *asked.entry(link.channel.clone()).or_default() += 1;
        }
        let (mut due, mut next) = (Vec::new(), None::<u64>);
        for (id, link) in open.iter_mut().filter(|(_, link)| !link.is_over(now)) {
            let Some(at) = link.due_at() else { continue };
            if at > now {
                next = Some(next.map_or(at, |next| next.min(at)));
            } else if asked.values().sum::<usize>() < ASKED_AT_ONCE {
                let of_one = asked.entry(link.channel.clone()).or_default();
                if *of_one < ASKED_OF_ONE {
                    *of_one += 1;
                    link.asking = true;
                    due.push(*id);
                }
            }
        }
        (due, next)
    }

    /// The channel was asked.
    pub(super) fn asked(&self, id: &LinkId) {
        if let Some(link) = self.open.lock().unwrap_or_else(PoisonError::into_inner).get_mut(id) {
            link.asking = false;
        }
    }

    /// Nobody asks any channel.
    pub(super) fn ask_anew(&self) {
        self.open.lock().unwrap_or_else(PoisonError::into_inner).values_mut().for_each(|link| link.asking = false);
    }

    /// When the time of one is over next.
    pub(crate) fn next_over(&self) -> Option<u64> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner).values().map(Link::over_at).min()
    }

    /// Takes out those whose time is over.
    fn sweep(&self, now: u64) -> Vec<LinkId> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let over: Vec<_> = open.iter().filter(|(_, link)| link.is_over(now)).map(|(id, _)| *id).collect();
        let mut late = self.late.lock().unwrap_or_else(PoisonError::into_inner);
        for id in &over {
            let link = open.remove(id);
            late.extend(link.into_iter().flat_map(|link| [link.state, link.spent]).flatten());
        }
        let forgotten = late.len().saturating_sub(MAX_LATE);
        late.drain(..forgotten);
        over
    }
}

impl Accounts {
    /// A new link.
    pub(crate) async fn add_link(&self, link: Link) -> Result<(), AccountsError> {
        self.sweep_links().await?;
        let (id, now) = (digest(&link.ticket), link.began_at);
        self.links.insert(id, link)?;
        self.base.wake.accounts_due.notify_waiters();
        self.change_link(&id, now, |_| Ok(())).await
    }

    /// Changes a link, in memory and in the file.
    pub(crate) async fn change_link<T>(
        &self,
        id: &LinkId,
        now: u64,
        change: impl FnOnce(&mut Link) -> Result<T, ConnectError>,
    ) -> Result<T, AccountsError> {
        let (value, Snapshot { id, version, json }) = self.links.change(id, now, change)?;
        let sealed = self.credentials.vault.seal(&key_of(&id), &Secret::new(json.to_vec()))?;
        self.base.inbox.put_link(StoredLink { id, version, sealed }).await?;
        Ok(value)
    }

    /// Takes up the links of earlier runs. One that cannot be opened is as good as over.
    pub(crate) async fn open_links(&self) -> Result<(), AccountsError> {
        let now = self.base.clock.now();
        let mut over = Vec::new();
        for StoredLink { id, version, sealed } in self.base.inbox.links().await? {
            let rest = self.credentials.vault.unseal(&key_of(&id), &sealed).ok();
            let rest = rest.and_then(|json| serde_json::from_slice::<AtRest>(json.expose()).ok());
            match rest.map(|rest| Link::of(rest, version)).filter(|link| !link.is_over(now)) {
                Some(link) => self.links.insert(id, link)?,
                None => over.push(id),
            }
        }
        if !over.is_empty() {
            self.base.inbox.delete_links(over).await?;
        }
        Ok(())
    }

    /// Deletes the links whose time is over, with what was captured for them.
    pub(crate) async fn sweep_links(&self) -> Result<(), AccountsError> {
        let over = self.links.sweep(self.base.clock.now());
        if !over.is_empty() {
            self.base.inbox.delete_links(over).await?;
        }
        Ok(())
    }
}

fn key_of(id: &LinkId) -> SecretKey {
    SecretKey { channel: "link".to_owned(), account: None, slot: hex::encode(id) }
}
