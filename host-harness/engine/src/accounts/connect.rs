//! Owns: connecting an account over a platform's dialog, step by step: the link, its browser, the callback, the choice;
//! who may go on from where.
//! Does not own: what the platform is asked (the channel), pages.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use harness_contract::{Candidate, ConnectInput, ConnectRequest, ConnectStep, Parameter};
use url::Url;

use super::{
    Accounts, AccountsError,
    links::{Link, LinkId, digest},
    stage::{ConnectStage, ConnectView},
};
use crate::{
    channels::loaded::LoadedChannel,
    error::ConnectError,
    network::{CallScope, PendingAccount},
};
use harness_egress::credentials::{Secret, random};

/// The length of a cookie that was made here.
const COOKIE_LENGTH: usize = 43;
/// Parameters of a callback, and the longest of them in bytes.
const MAX_PARAMETERS: usize = 32;
const MAX_PARAMETER: usize = 4096;

fn token() -> Result<String, AccountsError> {
    Ok(URL_SAFE_NO_PAD.encode(random::<32>()?))
}

impl Accounts {
    /// Makes a link over which one account can be connected: `{public-url}/connect/{ticket}`. The ticket is a
    /// credential: whoever begins from the link first goes on with it. With a `login`, it is for that one alone.
    pub(crate) async fn begin_connecting(&self, channel: &str, login: Option<&str>) -> Result<String, AccountsError> {
        let registered = self.channels.get(channel)?;
        if registered.channel.manifest().logins.is_empty() {
            return Err(ConnectError::NoLogins.into());
        }
        if let Some(login) = login {
            registered.channel.manifest().logins.get(login).ok_or(ConnectError::NoLogin)?;
        }
        self.public_url.get().ok_or(ConnectError::NoPublicUrl)?;
        let ticket = token()?;
        let now = self.base.clock.now();
        let link = Link::new(ticket.clone(), channel.to_owned(), login.map(str::to_owned), now);
        self.add_link(link).await?;
        Ok(ticket)
    }

    /// The address of a link.
    pub(crate) fn link(&self, ticket: &str) -> Result<String, ConnectError> {
        Ok(self.public_url.address(&["connect", ticket])?.into())
    }

    /// Where the forms of the pages lead: the dialogs of a channel's logins.
    pub(crate) fn dialog_origins(&self, registered: &LoadedChannel) -> Vec<String> {
        let logins = registered.channel.manifest().logins.values();
        let dialogs = logins.filter_map(|login| Url::parse(login.authorization_url.as_deref()?).ok());
        dialogs.map(|dialog| self.network.egress.destination(dialog).origin().ascii_serialization()).collect()
    }

    /// How far connecting has come.
    pub(crate) fn connecting(&self, ticket: &str) -> Result<ConnectView, ConnectError> {
        self.links.look(&digest(ticket), self.base.clock.now(), |link| Ok(link.view()))
    }

    /// The same for a browser that shows these cookies: only the one that the link belongs to, once it does. Looking
    /// changes nothing.
    pub(crate) fn look(&self, ticket: &str, cookies: &[&str]) -> Result<ConnectView, ConnectError> {
        self.links.look(&digest(ticket), self.base.clock.now(), |link| {
            link.may_look(cookies)?;
            Ok(link.view())
        })
    }

    /// Which of these cookies a link belongs to, where it does.
    pub(crate) fn claimed_by<'c>(&self, ticket: &str, cookies: &[&'c str]) -> Option<&'c str> {
        let (id, now) = (digest(ticket), self.base.clock.now());
        let is_its = |cookie: &&&str| self.links.look(&id, now, |link| link.same_browser(&[**cookie])).is_ok();
        cookies.iter().find(is_its).copied()
    }

    /// Returns when a link has changed, or after this time.
    pub(crate) async fn await_change(&self, ticket: &str, seen: &ConnectStage, patience: Duration) {
        let mut changes = self.links.changes();
        let changed = async {
            while self.connecting(ticket).is_ok_and(|view| view.stage.is_like(seen)) {
                if changes.changed().await.is_err() {
                    return;
                }
            }
        };
        let _ = tokio::time::timeout(patience, changed).await;
    }

    /// A value for the cookie of a new browser.
    pub(crate) fn new_cookie(&self) -> Result<String, AccountsError> {
        token()
    }

    /// Binds a link to the browser that begins with it first: by its cookie, or by a new one, which is returned.
    /// Another browser is refused.
    pub(crate) async fn open_link(&self, ticket: &str, cookie: Option<&str>) -> Result<Option<String>, AccountsError> {
        let made_here = |cookie: &&str| cookie.len() == COOKIE_LENGTH;
        let (cookie, new) = match cookie.filter(made_here) {
            Some(cookie) => (cookie.to_owned(), None),
            None => {
                let new = token()?;
                (new.clone(), Some(new))
            }
        };
        let shown = [cookie.as_str()];
        let (id, now) = (digest(ticket), self.base.clock.now());
        self.links.look(&id, now, |link| link.may_look(&shown))?;
        self.change_link(&id, now, |link| {
            link.bind_to(&cookie);
            link.same_browser(&shown)
        })
        .await?;
        Ok(new)
    }

    /// Begins with a login: returns where the browser is to go.
    pub(crate) async fn start_connecting(
        self: &Arc<Self>,
        ticket: &str,
        login: &str,
        cookie: &str,
    ) -> Result<Url, AccountsError> {
        let (room, ticket, login, cookie) = (Arc::clone(self), ticket.to_owned(), login.to_owned(), cookie.to_owned());
        self.base.begun.whole(async move { room.start(&ticket, &login, &cookie).await }).await
    }

    async fn start(self: &Arc<Self>, ticket: &str, login: &str, cookie: &str) -> Result<Url, AccountsError> {
        let (id, now) = (digest(ticket), self.base.clock.now());
        let may_begin = |link: &Link| {
            link.same_browser(&[cookie])?;
            if link.only.as_ref().is_some_and(|only| only != login) {
                return Err(ConnectError::OtherLogin);
            }
            match link.stage {
                // What is under way ends by itself.
                ConnectStage::Connected { .. } | ConnectStage::Working => Err(ConnectError::OutOfOrder),
                _ => Ok(link.channel.clone()),
            }
        };
        let channel = self.links.look(&id, now, may_begin)?;
        let registered = self.channels.get(&channel)?;
        let declared = registered.channel.manifest().logins.get(login).ok_or(ConnectError::NoLogin)?;
        let state = token()?;
        let begun = self.change_link(&id, now, |link| {
            may_begin(link)?;
            link.begin(login, &state);
            Ok((link.attempt, Arc::clone(&link.pending)))
        });
        let (attempt, pending) = begun.await?;
        let visit = async {
            let request = self.request(&registered, login, state, ConnectInput::Start)?;
            let visit = match self.connect(&registered, pending, request).await? {
                ConnectStep::Visit(address) => Url::parse(&address).map_err(|_| ConnectError::WrongDialog)?,
                _ => return Err(ConnectError::OutOfOrder.into()),
            };
            let dialog = declared.authorization_url.as_deref().and_then(|address| Url::parse(address).ok());
            let same = |dialog: &Url| dialog.origin() == visit.origin() && dialog.path() == visit.path();
            if !dialog.as_ref().is_some_and(same) {
                return Err(ConnectError::WrongDialog.into());
            }
            Ok(self.network.egress.destination(visit))
        };
        match visit.await {
            Ok(url) => Ok(url),
            Err(error) => {
                self.end(&id, attempt, &error).await?;
                Err(error)
            }
        }
    }

    /// Takes the platform's callback from a browser that shows these cookies. Returns the ticket: how it ended is read
    /// with [`Self::connecting`]. Coming again with the same answer leads there too, and asks the platform nothing.
    pub(crate) async fn connect_callback(
        self: &Arc<Self>,
        channel: &str,
        query: &str,
        cookies: &[&str],
    ) -> Result<String, AccountsError> {
        let parameters: Vec<Parameter> = url::form_urlencoded::parse(query.as_bytes())
            .take(MAX_PARAMETERS)
            .map(|(name, value)| Parameter { name: name.into_owned(), value: value.into_owned() })
            .filter(|parameter| parameter.value.len() <= MAX_PARAMETER)
            .collect();
        let state = parameters.iter().find(|parameter| parameter.name == "state").map(|found| found.value.clone());
        let state = state.ok_or(ConnectError::Repeated)?;
        let id = self.links.of_state(channel, &state).ok_or(ConnectError::Repeated)?;
        let now = self.base.clock.now();
        // Whoever else comes with it leaves it to the browser that it belongs to.
        self.links.look(&id, now, |link| link.same_browser(cookies))?;
        let (room, channel) = (Arc::clone(self), channel.to_owned());
        self.base.begun.whole(async move { room.exchange(id, &channel, state, parameters).await }).await
    }

    async fn exchange(
        self: &Arc<Self>,
        id: LinkId,
        channel: &str,
        state: String,
        mut parameters: Vec<Parameter>,
    ) -> Result<String, AccountsError> {
        let now = self.base.clock.now();
        let taken = self.change_link(&id, now, |link| {
            let first = link.take_state();
            if first {
                link.stage = ConnectStage::Working;
            }
            let login = link.login.clone().unwrap_or_default();
            Ok((first, link.ticket.clone(), login, link.attempt, Arc::clone(&link.pending)))
        });
        let (first, ticket, login, attempt, pending) = taken.await?;
        if !first {
            return Ok(ticket);
        }
        let stage = async {
            let registered = self.channels.get(channel)?;
            if let Some(declared) = registered.channel.manifest().logins.get(&login) {
                hide(&mut parameters, &declared.secret_parameters, &pending);
            }
            let request = self.request(&registered, &login, state, ConnectInput::Callback(parameters))?;
            self.take_step(&registered, pending, request).await
        };
        match stage.await {
            Ok(stage) => self.set_stage(&id, attempt, stage).await?,
            Err(error) => self.end(&id, attempt, &error).await?,
        }
        Ok(ticket)
    }

    /// Takes the person's choice. `cookies` is none for a caller that has the API's authority.
    pub(crate) async fn connect_select(
        self: &Arc<Self>,
        ticket: &str,
        candidate: &str,
        cookies: Option<&[&str]>,
    ) -> Result<(), AccountsError> {
        let (id, now) = (digest(ticket), self.base.clock.now());
        self.links.look(&id, now, |link| cookies.map_or(Ok(()), |cookies| link.same_browser(cookies)))?;
        let (room, candidate) = (Arc::clone(self), candidate.to_owned());
        self.base.begun.whole(async move { room.choose(id, candidate).await }).await
    }

    async fn choose(self: &Arc<Self>, id: LinkId, candidate: String) -> Result<(), AccountsError> {
        let now = self.base.clock.now();
        let taken = self.change_link(&id, now, |link| {
            let ConnectStage::Choosing { candidates } = &link.stage else { return Err(ConnectError::OutOfOrder) };
            let can_be_chosen = |known: &&Candidate| known.id == candidate && known.obstacle.is_none();
            let chosen = candidates.iter().find(can_be_chosen).ok_or(ConnectError::NoCandidate)?.id.clone();
            // A second press of the button meets another stage.
            link.stage = ConnectStage::Working;
            let login = link.login.clone().unwrap_or_default();
            Ok((link.channel.clone(), login, link.attempt, Arc::clone(&link.pending), chosen))
        });
        let (channel, login, attempt, pending, chosen) = taken.await?;
        let stage = async {
            let registered = self.channels.get(&channel)?;
            let request = self.request(&registered, &login, String::new(), ConnectInput::Chosen(chosen))?;
            self.take_step(&registered, pending, request).await
        };
        match stage.await {
            Ok(stage) => self.set_stage(&id, attempt, stage).await,
            Err(error) => self.end(&id, attempt, &error).await,
        }
    }

    /// Asks the channel to go on, and does what it says.
    async fn take_step(
        self: &Arc<Self>,
        registered: &LoadedChannel,
        pending: Arc<PendingAccount>,
        request: ConnectRequest,
    ) -> Result<ConnectStage, AccountsError> {
        match self.connect(registered, Arc::clone(&pending), request).await? {
            ConnectStep::Choose(candidates) => Ok(ConnectStage::Choosing { candidates }),
            ConnectStep::Ready(account) => {
                let account = self.activate(registered, &pending, account).await?;
                Ok(ConnectStage::Connected { account })
            }
            ConnectStep::Visit(_) | ConnectStep::Enter(_) | ConnectStep::Wait(_) => {
                Err(ConnectError::OutOfOrder.into())
            }
        }
    }
}

impl Accounts {
    fn request(
        &self,
        registered: &LoadedChannel,
        login: &str,
        state: String,
        input: ConnectInput,
    ) -> Result<ConnectRequest, ConnectError> {
        let redirect = self.public_url.address(&["oauth", registered.channel.id(), "callback"])?;
        Ok(ConnectRequest {
            login: login.to_owned(),
            redirect_uri: redirect.into(),
            webhook_url: self.webhook_url(registered, None)?,
            state,
            settings: registered.settings.to_vec(),
            input,
        })
    }

    async fn connect(
        self: &Arc<Self>,
        registered: &LoadedChannel,
        pending: Arc<PendingAccount>,
        request: ConnectRequest,
    ) -> Result<ConnectStep, AccountsError> {
        self.call_as(registered, CallScope::Connecting(pending), move |channel, effects| {
            channel.connect(effects, &request)
        })
        .await
    }

    async fn set_stage(&self, id: &LinkId, attempt: u64, stage: ConnectStage) -> Result<(), AccountsError> {
        let set = self.change_link(id, self.base.clock.now(), |link| {
            link.set_stage(attempt, stage);
            Ok(())
        });
        match set.await {
            // Whoever waited too long sees it from the accounts.
            Err(AccountsError::Connect(ConnectError::Expired)) => Ok(()),
            ended => ended,
        }
    }

    async fn end(&self, id: &LinkId, attempt: u64, error: &AccountsError) -> Result<(), AccountsError> {
        tracing::warn!(%error, "an account was not connected");
        self.set_stage(id, attempt, ConnectStage::Failed { sentence: error.for_people() }).await
    }
}

/// Takes the parameters that are credentials out of a callback. What some browsers leave of a fragment behind
/// the value is no part of it.
fn hide(parameters: &mut [Parameter], secret: &BTreeMap<String, String>, pending: &PendingAccount) {
    for parameter in parameters {
        let Some(slot) = secret.get(&parameter.name) else { continue };
        let value = std::mem::replace(&mut parameter.value, slot.clone());
        let value = value.split('#').next().unwrap_or_default();
        if value.is_empty() {
            parameter.value.clear();
        } else {
            pending.credentials.set(slot.clone(), Secret::new(value.as_bytes().to_vec()));
        }
    }
}
