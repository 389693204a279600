//! Owns: connecting an account step by step: the link, its browser, the callback, what was chosen and typed in; who may go
//! on from where.
//! Does not own: asking the channel (`turn`) and asking it again (`waits`), pages.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use harness_contract::{AccountError, Candidate, ConnectInput, Parameter};
use harness_inbox::WorkspaceId;
use url::Url;

use super::{
    Accounts, AccountsError,
    entered::{self, Checked, Problems, Typed},
    links::{Link, LinkId, digest},
    stage::{ConnectStage, ConnectView},
    turn::{Next, token},
};
use crate::{channels::loaded::LoadedChannel, error::ConnectError, network::PendingAccount};
use harness_egress::credentials::Secret;

/// The length of a cookie that was made here.
const COOKIE_LENGTH: usize = 43;
/// Parameters of a callback, and the longest of them in bytes.
const MAX_PARAMETERS: usize = 32;
const MAX_PARAMETER: usize = 4096;

/// What came of what a person typed in.
#[derive(Debug)]
pub enum Entered {
    /// It was taken, and the link's stage says how it goes on. With the dialog to which a browser goes, where one follows.
    Taken(Option<Url>),
    /// Nothing was taken: these fields do not fit.
    Refused(Problems),
}

impl Accounts {
    /// Makes a link over which one account can be connected: `{public-url}/connect/{ticket}`. The ticket is a
    /// credential: whoever begins from the link first goes on with it. With a `login`, it is for that one alone.
    pub(crate) async fn begin_connecting(
        &self,
        workspace: WorkspaceId,
        channel: &str,
        login: Option<&str>,
    ) -> Result<String, AccountsError> {
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
        let link = Link::new(ticket.clone(), workspace, channel.to_owned(), login.map(str::to_owned), now);
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

    /// Begins with a login. Returns where the browser is to go, where that is a dialog; else the link's stage says how it
    /// goes on.
    pub(crate) async fn start_connecting(
        self: &Arc<Self>,
        ticket: &str,
        login: &str,
        cookie: &str,
    ) -> Result<Option<Url>, AccountsError> {
        let (room, ticket, login, cookie) = (Arc::clone(self), ticket.to_owned(), login.to_owned(), cookie.to_owned());
        self.base.begun.whole(async move { room.start(&ticket, &login, &cookie).await }).await
    }

    async fn start(self: &Arc<Self>, ticket: &str, login: &str, cookie: &str) -> Result<Option<Url>, AccountsError> {
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
        registered.channel.manifest().logins.get(login).ok_or(ConnectError::NoLogin)?;
        let begun = self.change_link(&id, now, |link| {
            may_begin(link)?;
            link.begin(login);
            Ok(link.turn(id))
        });
        let turn = begun.await?;
        match self.ask(&turn, ConnectInput::Start).await {
            Ok(next) => self.note(&turn, next).await,
            Err(error) => {
                self.end(&turn, &error).await?;
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
        let id = self.links.of_state(channel, &state)?;
        let now = self.base.clock.now();
        // Whoever else comes with it leaves it to the browser that it belongs to.
        self.links.look(&id, now, |link| link.same_browser(cookies))?;
        let room = Arc::clone(self);
        self.base.begun.whole(async move { room.exchange(id, parameters).await }).await
    }

    async fn exchange(self: &Arc<Self>, id: LinkId, mut parameters: Vec<Parameter>) -> Result<String, AccountsError> {
        let now = self.base.clock.now();
        let taken = self.change_link(&id, now, |link| {
            let first = link.take_state();
            if first {
                link.stage = ConnectStage::Working;
            }
            Ok((first, link.ticket.clone(), link.turn(id)))
        });
        let (first, ticket, turn) = taken.await?;
        if !first {
            return Ok(ticket);
        }
        let next = async {
            let registered = self.channels.get(&turn.channel)?;
            if let Some(declared) = registered.channel.manifest().logins.get(&turn.login) {
                hide(&mut parameters, &declared.secret_parameters, &turn.pending);
            }
            self.ask(&turn, ConnectInput::Callback(parameters)).await
        };
        let next = next.await;
        self.settle(&turn, next).await?;
        Ok(ticket)
    }

    /// Takes the person's choice. `cookies` is none for a caller that has the API's authority. Returns where a browser
    /// goes, where a dialog follows.
    pub(crate) async fn connect_select(
        self: &Arc<Self>,
        ticket: &str,
        candidate: &str,
        cookies: Option<&[&str]>,
    ) -> Result<Option<Url>, AccountsError> {
        let (id, now) = (digest(ticket), self.base.clock.now());
        self.links.look(&id, now, |link| cookies.map_or(Ok(()), |cookies| link.same_browser(cookies)))?;
        let (room, candidate) = (Arc::clone(self), candidate.to_owned());
        self.base.begun.whole(async move { room.choose(id, candidate).await }).await
    }

    async fn choose(self: &Arc<Self>, id: LinkId, candidate: String) -> Result<Option<Url>, AccountsError> {
        let now = self.base.clock.now();
        let taken = self.change_link(&id, now, |link| {
            let ConnectStage::Choosing { candidates } = &link.stage else { return Err(ConnectError::OutOfOrder) };
            let can_be_chosen = |known: &&Candidate| known.id == candidate && known.obstacle.is_none();
            let chosen = candidates.iter().find(can_be_chosen).ok_or(ConnectError::NoCandidate)?.id.clone();
            // A second press of the button meets another stage.
            link.stage = ConnectStage::Working;
            Ok((link.turn(id), chosen))
        });
        let (turn, chosen) = taken.await?;
        let next = self.ask(&turn, ConnectInput::Chosen(chosen)).await;
        self.settle(&turn, next).await
    }

    /// Takes what the person typed in. `cookies` is none for a caller that has the API's authority.
    pub(crate) async fn connect_enter(
        self: &Arc<Self>,
        ticket: &str,
        typed: Typed,
        cookies: Option<&[&str]>,
    ) -> Result<Entered, AccountsError> {
        let (id, now) = (digest(ticket), self.base.clock.now());
        self.links.look(&id, now, |link| cookies.map_or(Ok(()), |cookies| link.same_browser(cookies)))?;
        let room = Arc::clone(self);
        self.base.begun.whole(async move { room.enter(id, typed).await }).await
    }

    async fn enter(self: &Arc<Self>, id: LinkId, typed: Typed) -> Result<Entered, AccountsError> {
        let now = self.base.clock.now();
        let fields = self.links.look(&id, now, |link| match &link.stage {
            ConnectStage::Entering { fields, .. } => Ok((link.attempt, fields.clone())),
            _ => Err(ConnectError::OutOfOrder),
        });
        let (attempt, fields) = fields?;
        let Checked { settings, secrets } = match entered::check(&fields, &typed) {
            Ok(checked) => checked,
            Err(problems) => return Ok(Entered::Refused(problems)),
        };
        let taken = self.change_link(&id, now, |link| {
            let ConnectStage::Entering { fields: asked, .. } = &link.stage else {
                return Err(ConnectError::OutOfOrder);
            };
            if link.attempt != attempt || *asked != fields {
                return Err(ConnectError::OutOfOrder);
            }
            // A second press of the button meets another stage.
            link.stage = ConnectStage::Working;
            for (slot, secret) in secrets {
                link.pending.credentials.set(slot, secret);
            }
            Ok(link.turn(id))
        });
        let turn = taken.await?;
        turn.pending.knows(&settings);
        let kept = entered::kept(fields, &settings);
        match self.ask(&turn, ConnectInput::Entered(settings)).await {
            // The platform knows better than any form: the person tries again from what was typed in.
            Err(AccountsError::Account(error)) if matches!(*error, AccountError::InvalidInput(_)) => {
                let problem = Some(AccountsError::Account(error).for_people());
                self.note(&turn, Next::Stage(ConnectStage::Entering { fields: kept, problem }))
                    .await
                    .map(Entered::Taken)
            }
            next => self.settle(&turn, next).await.map(Entered::Taken),
        }
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
