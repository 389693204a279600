//! Connecting an account over a platform's dialog, step by step: the link that is used once, the browser that
//! it belongs to, the callback, the choice, the binding. Belongs here: who may go on from where. What the
//! platform is asked is the channel's; pages are `pages`.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use harness_contract::{Candidate, ConnectInput, ConnectRequest, ConnectStep, Parameter};
use serde::{Deserialize, Serialize};
use url::Url;

use crate::{
    accounts::{
        call::{CallScope, PendingAccount, call_as},
        links::{Link, LinkId, digest},
    },
    error::HostError,
    host::{Host, Shared},
    options::Registered,
};
use harness_egress::credentials::{Secret, random};

/// The length of a cookie that was made here.
const COOKIE_LENGTH: usize = 43;
/// Parameters of a callback, and the longest of them in bytes.
const MAX_PARAMETERS: usize = 32;
const MAX_PARAMETER: usize = 4096;

/// Why connecting does not go on.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum ConnectError {
    /// The link is unknown, or its time is over.
    #[error("This link is not valid any more. Begin again from where you got it.")]
    Expired,
    /// It was opened in another browser.
    #[error("This link belongs to another browser. Go on there, or begin again here.")]
    OtherBrowser,
    /// The platform's answer was used before, or was not asked for.
    #[error("This answer of the platform was used before, or nobody asked for it. Begin again.")]
    Repeated,
    /// It is not the time for that.
    #[error("This step is over or has not come yet. Open the link again to see where things stand.")]
    OutOfOrder,
    /// The link is for another login.
    #[error("This link is for another way of connecting. Use the button on its page.")]
    OtherLogin,
    /// It is not among what can be chosen.
    #[error(
        "There is no such account among those that can be chosen. Open the link again to see which ones there are."
    )]
    NoCandidate,
    /// The channel has no such login.
    #[error("This channel has no login of that name.")]
    NoLogin,
    /// The channel has no login at all.
    #[error(
        "This channel has no page over which an account is connected. Its accounts stand in the configuration, under `[[channels.ID.accounts]]`."
    )]
    NoLogins,
    /// Nobody has said where this host is reached.
    #[error("This host does not know its own address. Set `public-url` in its configuration.")]
    NoPublicUrl,
    /// The channel sent people somewhere else than its manifest says.
    #[error("The channel wanted to send you to an address that its manifest does not name. Nothing was opened.")]
    WrongDialog,
    /// Too many links are open.
    #[error("Too many links are open at the moment. Try again in some minutes.")]
    TooMany,
}

/// How far it has come.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "stage", rename_all = "snake_case")]
pub enum ConnectStage {
    /// The link is there, and nobody has gone on from it.
    Waiting,
    /// The person is at the platform's dialog.
    Visiting,
    /// The platform is being asked; this ends by itself.
    Working,
    /// The person chooses one of these.
    Choosing {
        /// With the reason where one cannot be chosen.
        candidates: Vec<Candidate>,
    },
    /// The account is connected.
    Connected {
        /// Its row.
        account: i64,
    },
    /// It ended otherwise. One can begin again from the same link.
    Failed {
        /// What happened and what to do.
        sentence: String,
    },
}

/// A link as its owner sees it.
#[derive(Clone, Debug, Serialize)]
pub struct ConnectView {
    /// The channel's id.
    pub channel: String,
    /// The login, once it is known.
    pub login: Option<String>,
    /// The only login that the link is for, where there is one.
    #[serde(skip)]
    pub only: Option<String>,
    /// How far it has come.
    #[serde(flatten)]
    pub stage: ConnectStage,
}

fn token() -> Result<String, HostError> {
    Ok(URL_SAFE_NO_PAD.encode(random::<32>()?))
}

impl Host {
    /// Makes a link over which one account can be connected: `{public-url}/connect/{ticket}`. The ticket is a
    /// credential: whoever begins from the link first goes on with it. With a `login`, it is for that one alone.
    pub async fn begin_connecting(&self, channel: &str, login: Option<&str>) -> Result<String, HostError> {
        let registered = self.channel(channel)?;
        if registered.channel.manifest().logins.is_empty() {
            return Err(ConnectError::NoLogins.into());
        }
        if let Some(login) = login {
            registered.channel.manifest().logins.get(login).ok_or(ConnectError::NoLogin)?;
        }
        self.shared.public_url().ok_or(ConnectError::NoPublicUrl)?;
        let ticket = token()?;
        let now = self.shared.clock.now();
        let link = Link::new(ticket.clone(), channel.to_owned(), login.map(str::to_owned), now);
        self.shared.add_link(link).await?;
        Ok(ticket)
    }

    /// The address of a link.
    pub fn link(&self, ticket: &str) -> Result<String, ConnectError> {
        Ok(self.shared.address(&["connect", ticket])?.into())
    }

    /// Whether browsers come over TLS.
    pub fn is_public_over_tls(&self) -> bool {
        self.shared.public_url().is_some_and(|url| url.scheme() == "https")
    }

    /// The origin under which browsers reach this host.
    pub fn public_origin(&self) -> Option<String> {
        self.shared.public_url().map(|url| url.origin().ascii_serialization())
    }

    /// Where the forms of the pages lead: the dialogs of a channel's logins.
    pub fn dialog_origins(&self, registered: &Registered) -> Vec<String> {
        let logins = registered.channel.manifest().logins.values();
        let dialogs = logins.filter_map(|login| Url::parse(login.authorize.as_deref()?).ok());
        dialogs.map(|dialog| self.shared.egress.destination(dialog).origin().ascii_serialization()).collect()
    }

    /// How far connecting has come.
    pub fn connecting(&self, ticket: &str) -> Result<ConnectView, ConnectError> {
        self.shared.links.look(&digest(ticket), self.shared.clock.now(), |link| Ok(link.view()))
    }

    /// The same for a browser that shows these cookies: only the one that the link belongs to, once it does. Looking
    /// changes nothing.
    pub fn look(&self, ticket: &str, cookies: &[&str]) -> Result<ConnectView, ConnectError> {
        self.shared.links.look(&digest(ticket), self.shared.clock.now(), |link| {
            link.may_look(cookies)?;
            Ok(link.view())
        })
    }

    /// Which of these cookies a link belongs to, where it does.
    pub fn claimed_by<'c>(&self, ticket: &str, cookies: &[&'c str]) -> Option<&'c str> {
        let (id, now) = (digest(ticket), self.shared.clock.now());
        let is_its = |cookie: &&&str| self.shared.links.look(&id, now, |link| link.same_browser(&[**cookie])).is_ok();
        cookies.iter().find(is_its).copied()
    }

    /// Returns when a link has changed, or after this time.
    pub async fn await_change(&self, ticket: &str, seen: &ConnectStage, patience: Duration) {
        let mut changes = self.shared.links.changes();
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
    pub fn new_cookie() -> Result<String, HostError> {
        token()
    }

    /// Binds a link to the browser that begins with it first: by its cookie, or by a new one, which is returned.
    /// Another browser is refused.
    pub async fn open_link(&self, ticket: &str, cookie: Option<&str>) -> Result<Option<String>, HostError> {
        let made_here = |cookie: &&str| cookie.len() == COOKIE_LENGTH;
        let (cookie, new) = match cookie.filter(made_here) {
            Some(cookie) => (cookie.to_owned(), None),
            None => {
                let new = token()?;
                (new.clone(), Some(new))
            }
        };
        let shown = [cookie.as_str()];
        let (id, now) = (digest(ticket), self.shared.clock.now());
        self.shared.links.look(&id, now, |link| link.may_look(&shown))?;
        self.shared
            .change_link(&id, now, |link| {
                link.bind_to(&cookie);
                link.same_browser(&shown)
            })
            .await?;
        Ok(new)
    }

    /// Begins with a login: returns where the browser is to go.
    pub async fn start_connecting(&self, ticket: &str, login: &str, cookie: &str) -> Result<Url, HostError> {
        let (host, ticket, login, cookie) = (self.clone(), ticket.to_owned(), login.to_owned(), cookie.to_owned());
        self.shared.begun.whole(async move { host.start(&ticket, &login, &cookie).await }).await
    }

    async fn start(&self, ticket: &str, login: &str, cookie: &str) -> Result<Url, HostError> {
        let (id, now) = (digest(ticket), self.shared.clock.now());
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
        let channel = self.shared.links.look(&id, now, may_begin)?;
        let registered = self.channel(&channel)?;
        let declared = registered.channel.manifest().logins.get(login).ok_or(ConnectError::NoLogin)?;
        let state = token()?;
        let begun = self.shared.change_link(&id, now, |link| {
            may_begin(link)?;
            link.begin(login, &state);
            Ok((link.attempt, Arc::clone(&link.pending)))
        });
        let (attempt, pending) = begun.await?;
        let visit = async {
            let request = self.shared.request(&registered, login, state, ConnectInput::Start)?;
            let visit = match self.shared.connect(&registered, pending, request).await? {
                ConnectStep::Visit(address) => Url::parse(&address).map_err(|_| ConnectError::WrongDialog)?,
                _ => return Err(ConnectError::OutOfOrder.into()),
            };
            let dialog = declared.authorize.as_deref().and_then(|address| Url::parse(address).ok());
            let same = |dialog: &Url| dialog.origin() == visit.origin() && dialog.path() == visit.path();
            if !dialog.as_ref().is_some_and(same) {
                return Err(ConnectError::WrongDialog.into());
            }
            Ok(self.shared.egress.destination(visit))
        };
        match visit.await {
            Ok(url) => Ok(url),
            Err(error) => {
                self.shared.end(&id, attempt, &error).await?;
                Err(error)
            }
        }
    }

    /// Takes the platform's callback from a browser that shows these cookies. Returns the ticket: how it ended is read
    /// with [`Host::connecting`]. Coming again with the same answer leads there too, and asks the platform nothing.
    pub async fn connect_callback(&self, channel: &str, query: &str, cookies: &[&str]) -> Result<String, HostError> {
        let parameters: Vec<Parameter> = url::form_urlencoded::parse(query.as_bytes())
            .take(MAX_PARAMETERS)
            .map(|(name, value)| Parameter { name: name.into_owned(), value: value.into_owned() })
            .filter(|parameter| parameter.value.len() <= MAX_PARAMETER)
            .collect();
        let state = parameters.iter().find(|parameter| parameter.name == "state").map(|found| found.value.clone());
        let state = state.ok_or(ConnectError::Repeated)?;
        let id = self.shared.links.of_state(channel, &state).ok_or(ConnectError::Repeated)?;
        let now = self.shared.clock.now();
        // Whoever else comes with it leaves it to the browser that it belongs to.
        self.shared.links.look(&id, now, |link| link.same_browser(cookies))?;
        let (host, channel) = (self.clone(), channel.to_owned());
        self.shared.begun.whole(async move { host.exchange(id, &channel, state, parameters).await }).await
    }

    async fn exchange(
        &self,
        id: LinkId,
        channel: &str,
        state: String,
        mut parameters: Vec<Parameter>,
    ) -> Result<String, HostError> {
        let now = self.shared.clock.now();
        let taken = self.shared.change_link(&id, now, |link| {
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
            let registered = self.channel(channel)?;
            if let Some(declared) = registered.channel.manifest().logins.get(&login) {
                hide(&mut parameters, &declared.secret_parameters, &pending);
            }
            let request = self.shared.request(&registered, &login, state, ConnectInput::Callback(parameters))?;
            match self.shared.connect(&registered, Arc::clone(&pending), request).await? {
                ConnectStep::Choose(candidates) => Ok(ConnectStage::Choosing { candidates }),
                ConnectStep::Ready(account) => {
                    let account = self.shared.bind(&registered, &pending, account).await?;
                    Ok(ConnectStage::Connected { account })
                }
                ConnectStep::Visit(_) | ConnectStep::Enter(_) => Err(ConnectError::OutOfOrder.into()),
            }
        };
        match stage.await {
            Ok(stage) => self.shared.set_stage(&id, attempt, stage).await?,
            Err(error) => self.shared.end(&id, attempt, &error).await?,
        }
        Ok(ticket)
    }

    /// Takes the person's choice. `cookies` is none for a caller that has the API's authority.
    pub async fn connect_select(
        &self,
        ticket: &str,
        candidate: &str,
        cookies: Option<&[&str]>,
    ) -> Result<(), HostError> {
        let (id, now) = (digest(ticket), self.shared.clock.now());
        self.shared.links.look(&id, now, |link| cookies.map_or(Ok(()), |cookies| link.same_browser(cookies)))?;
        let (host, candidate) = (self.clone(), candidate.to_owned());
        self.shared.begun.whole(async move { host.choose(id, candidate).await }).await
    }

    async fn choose(&self, id: LinkId, candidate: String) -> Result<(), HostError> {
        let now = self.shared.clock.now();
        let taken = self.shared.change_link(&id, now, |link| {
            let ConnectStage::Choosing { candidates } = &link.stage else { return Err(ConnectError::OutOfOrder) };
            let can_be_chosen = |known: &&Candidate| known.id == candidate && known.obstacle.is_none();
            let chosen = candidates.iter().find(can_be_chosen).ok_or(ConnectError::NoCandidate)?.clone();
            // A second press of the button meets another stage.
            link.stage = ConnectStage::Working;
            let login = link.login.clone().unwrap_or_default();
            Ok((link.channel.clone(), login, link.attempt, Arc::clone(&link.pending), chosen))
        });
        let (channel, login, attempt, pending, chosen) = taken.await?;
        let bound = async {
            let registered = self.channel(&channel)?;
            let request = self.shared.request(&registered, &login, String::new(), ConnectInput::Start)?;
            let scope = CallScope::Connecting(Arc::clone(&pending));
            let selected = call_as(&self.shared, &registered, scope, move |channel, effects| {
                channel.select(effects, &request, &chosen)
            });
            self.shared.bind(&registered, &pending, selected.await?).await
        };
        match bound.await {
            Ok(account) => self.shared.set_stage(&id, attempt, ConnectStage::Connected { account }).await,
            Err(error) => self.shared.end(&id, attempt, &error).await,
        }
    }
}

impl ConnectStage {
    /// Whether it is the same step, whatever it holds.
    fn is_like(&self, other: &Self) -> bool {
        std::mem::discriminant(self) == std::mem::discriminant(other)
    }
}

impl Shared {
    fn request(
        &self,
        registered: &Registered,
        login: &str,
        state: String,
        input: ConnectInput,
    ) -> Result<ConnectRequest, ConnectError> {
        let redirect = self.address(&["oauth", registered.channel.id(), "callback"])?;
        Ok(ConnectRequest {
            login: login.to_owned(),
            redirect_uri: redirect.into(),
            state,
            settings: registered.settings.to_vec(),
            input,
        })
    }

    /// An address of this host, as it is reached from outside.
    pub(crate) fn address(&self, segments: &[&str]) -> Result<Url, ConnectError> {
        let mut url = self.public_url().ok_or(ConnectError::NoPublicUrl)?;
        url.path_segments_mut().map_err(|()| ConnectError::NoPublicUrl)?.pop_if_empty().extend(segments);
        Ok(url)
    }

    async fn connect(
        self: &Arc<Self>,
        registered: &Registered,
        pending: Arc<PendingAccount>,
        request: ConnectRequest,
    ) -> Result<ConnectStep, HostError> {
        call_as(self, registered, CallScope::Connecting(pending), move |channel, effects| {
            channel.connect(effects, &request)
        })
        .await
    }

    async fn set_stage(&self, id: &LinkId, attempt: u64, stage: ConnectStage) -> Result<(), HostError> {
        let set = self.change_link(id, self.clock.now(), |link| {
            link.set_stage(attempt, stage);
            Ok(())
        });
        match set.await {
            // Whoever waited too long sees it from the accounts.
            Err(HostError::Connect(ConnectError::Expired)) => Ok(()),
            ended => ended,
        }
    }

    async fn end(&self, id: &LinkId, attempt: u64, error: &HostError) -> Result<(), HostError> {
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
