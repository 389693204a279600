//! Connecting an account over a platform's dialog, step by step: the link that is used once, the browser that
//! it belongs to, the callback, the choice, the binding. Belongs here: who may go on from where. What the
//! platform is asked is the channel's; pages are `pages`.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex, PoisonError},
};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use harness_contract::{Candidate, ConnectInput, ConnectRequest, ConnectStep, Parameter};
use serde::Serialize;
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;
use url::Url;

use crate::{
    account::{Scratch, Whose, call_as},
    error::HostError,
    host::{Host, Shared},
    secrets::Secret,
    setup::Registered,
    vault::random,
};

/// How long a link is good, in milliseconds.
const LIFE_MS: u64 = 20 * 60_000;
/// Links at one time.
const MAX_SESSIONS: usize = 1000;
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
    /// The channel has no such login.
    #[error("This channel has no login of that name.")]
    NoLogin,
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
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "stage", rename_all = "snake_case")]
pub enum ConnectStage {
    /// The link is there, and nobody has gone on from it.
    Waiting,
    /// The person is at the platform's dialog.
    Visiting,
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
    /// How far it has come.
    #[serde(flatten)]
    pub stage: ConnectStage,
}

struct Session {
    /// Known to whoever has the link anyway; the map's keys are digests, so that looking one up takes the
    /// same time whatever is asked.
    ticket: String,
    channel: String,
    login: Option<String>,
    began_at: u64,
    /// SHA-256 of the browser's cookie, once the link was opened.
    browser: Option<[u8; 32]>,
    /// SHA-256 of the value that the platform hands back. Taken by the first callback.
    state: Option<[u8; 32]>,
    stage: ConnectStage,
    scratch: Arc<Scratch>,
}

impl Session {
    fn view(&self) -> ConnectView {
        ConnectView { channel: self.channel.clone(), login: self.login.clone(), stage: self.stage.clone() }
    }
}

/// The links that are open. In memory alone: after a restart one begins again.
#[derive(Default)]
pub(crate) struct Connecting {
    sessions: Mutex<HashMap<[u8; 32], Session>>,
}

impl Connecting {
    fn with<T>(
        &self,
        id: &[u8; 32],
        now: u64,
        change: impl FnOnce(&mut Session) -> Result<T, ConnectError>,
    ) -> Result<T, ConnectError> {
        let mut sessions = self.sessions.lock().unwrap_or_else(PoisonError::into_inner);
        let session = sessions.get_mut(id).ok_or(ConnectError::Expired)?;
        // Whoever has connected may look at it for longer.
        let done = matches!(session.stage, ConnectStage::Connected { .. });
        if !done && now.saturating_sub(session.began_at) > LIFE_MS {
            sessions.remove(id);
            return Err(ConnectError::Expired);
        }
        change(session)
    }

    fn insert(&self, id: [u8; 32], session: Session) -> Result<(), ConnectError> {
        let mut sessions = self.sessions.lock().unwrap_or_else(PoisonError::into_inner);
        sessions.retain(|_, other| session.began_at.saturating_sub(other.began_at) <= 2 * LIFE_MS);
        if sessions.len() >= MAX_SESSIONS {
            return Err(ConnectError::TooMany);
        }
        sessions.insert(id, session);
        Ok(())
    }

    /// The session that waits for this state, which it does only once.
    fn take_state(&self, channel: &str, state: &str) -> Option<[u8; 32]> {
        let wanted = digest(state);
        let mut sessions = self.sessions.lock().unwrap_or_else(PoisonError::into_inner);
        let (id, session) = sessions.iter_mut().find(|(_, session)| {
            session.channel == channel && session.state.is_some_and(|state| bool::from(state.ct_eq(&wanted)))
        })?;
        session.state = None;
        Some(*id)
    }
}

fn digest(text: &str) -> [u8; 32] {
    Sha256::digest(text.as_bytes()).into()
}

fn token() -> Result<String, HostError> {
    Ok(URL_SAFE_NO_PAD.encode(random::<32>()?))
}

fn same_browser(session: &Session, browser: &str) -> Result<(), ConnectError> {
    match session.browser {
        Some(known) if bool::from(known.ct_eq(&digest(browser))) => Ok(()),
        _ => Err(ConnectError::OtherBrowser),
    }
}

impl Host {
    /// Makes a link over which one account can be connected: `{public-url}/connect/{ticket}`. The ticket is a
    /// credential: whoever opens the link first goes on with it.
    pub fn begin_connecting(&self, channel: &str, login: Option<&str>) -> Result<String, HostError> {
        let registered = self.channel(channel)?;
        if let Some(login) = login {
            registered.channel.manifest().logins.get(login).ok_or(ConnectError::NoLogin)?;
        }
        self.shared.public_url().ok_or(ConnectError::NoPublicUrl)?;
        let ticket = token()?;
        let session = Session {
            ticket: ticket.clone(),
            channel: channel.to_owned(),
            login: login.map(str::to_owned),
            began_at: self.shared.clock.now(),
            browser: None,
            state: None,
            stage: ConnectStage::Waiting,
            scratch: Arc::default(),
        };
        self.shared.connecting.insert(digest(&ticket), session)?;
        Ok(ticket)
    }

    /// The address of a link.
    pub fn link(&self, ticket: &str) -> Result<String, ConnectError> {
        Ok(self.shared.address(&["connect", ticket])?.into())
    }

    /// Whether browsers come over TLS.
    pub(crate) fn is_public_over_tls(&self) -> bool {
        self.shared.public_url().is_some_and(|url| url.scheme() == "https")
    }

    /// The origin under which browsers reach this host.
    pub(crate) fn public_origin(&self) -> Option<String> {
        self.shared.public_url().map(|url| url.origin().ascii_serialization())
    }

    /// Where the forms of the pages lead: the dialogs of a channel's logins.
    pub(crate) fn dialog_origins(&self, registered: &Registered) -> Vec<String> {
        let logins = registered.channel.manifest().logins.values();
        let dialogs = logins.filter_map(|login| Url::parse(login.authorize.as_deref()?).ok());
        dialogs.map(|dialog| self.shared.egress.route(dialog).1.origin().ascii_serialization()).collect()
    }

    /// How far connecting has come.
    pub fn connecting(&self, ticket: &str) -> Result<ConnectView, ConnectError> {
        let now = self.shared.clock.now();
        self.shared.connecting.with(&digest(ticket), now, |session| Ok(session.view()))
    }

    /// Binds a link to the browser that opens it first. Returns the browser's new cookie, or none where the
    /// cookie that it sent is right.
    pub fn open_link(&self, ticket: &str, cookie: Option<&str>) -> Result<Option<String>, HostError> {
        let new = token()?;
        let now = self.shared.clock.now();
        Ok(self.shared.connecting.with(&digest(ticket), now, |session| {
            if session.browser.is_none() {
                session.browser = Some(digest(&new));
                return Ok(Some(new));
            }
            same_browser(session, cookie.unwrap_or_default()).map(|()| None)
        })?)
    }

    /// Begins with a login: returns where the browser is to go.
    pub async fn start_connecting(&self, ticket: &str, login: &str, cookie: &str) -> Result<Url, HostError> {
        let id = digest(ticket);
        let (connecting, now) = (&self.shared.connecting, self.shared.clock.now());
        let state = token()?;
        let (channel, scratch) = connecting.with(&id, now, |session| {
            same_browser(session, cookie)?;
            if matches!(session.stage, ConnectStage::Connected { .. }) {
                return Err(ConnectError::OutOfOrder);
            }
            // What an earlier attempt left is not mixed with this one.
            session.scratch = Arc::default();
            session.state = Some(digest(&state));
            session.login = Some(login.to_owned());
            session.stage = ConnectStage::Visiting;
            Ok((session.channel.clone(), Arc::clone(&session.scratch)))
        })?;
        let registered = self.channel(&channel)?;
        let declared = registered.channel.manifest().logins.get(login).ok_or(ConnectError::NoLogin)?;
        let request = self.shared.request(&registered, login, state, ConnectInput::Start)?;
        let answer = self.shared.connect(&registered, scratch, request).await;
        let visit = match answer {
            Ok(ConnectStep::Visit(address)) => Url::parse(&address).map_err(|_| ConnectError::WrongDialog)?,
            Ok(_) => return Err(ConnectError::OutOfOrder.into()),
            Err(error) => {
                self.shared.end(&id, &error);
                return Err(error);
            }
        };
        let dialog = declared.authorize.as_deref().and_then(|address| Url::parse(address).ok());
        let same = |dialog: &Url| dialog.origin() == visit.origin() && dialog.path() == visit.path();
        if !dialog.as_ref().is_some_and(same) {
            return Err(ConnectError::WrongDialog.into());
        }
        Ok(self.shared.egress.route(visit).1)
    }

    /// Takes the platform's callback. Returns the ticket: how it ended is read with [`Host::connecting`].
    pub async fn connect_callback(&self, channel: &str, query: &str, cookie: &str) -> Result<String, HostError> {
        let parameters: Vec<Parameter> = url::form_urlencoded::parse(query.as_bytes())
            .take(MAX_PARAMETERS)
            .map(|(name, value)| Parameter { name: name.into_owned(), value: value.into_owned() })
            .filter(|parameter| parameter.value.len() <= MAX_PARAMETER)
            .collect();
        let state = parameters.iter().find(|parameter| parameter.name == "state").map(|found| found.value.clone());
        let state = state.ok_or(ConnectError::Repeated)?;
        let id = self.shared.connecting.take_state(channel, &state).ok_or(ConnectError::Repeated)?;
        let now = self.shared.clock.now();
        let (ticket, login, scratch) = self.shared.connecting.with(&id, now, |session| {
            same_browser(session, cookie)?;
            let login = session.login.clone().unwrap_or_default();
            Ok((session.ticket.clone(), login, Arc::clone(&session.scratch)))
        })?;
        let registered = self.channel(channel)?;
        let mut parameters = parameters;
        if let Some(declared) = registered.channel.manifest().logins.get(&login) {
            hide(&mut parameters, &declared.secret_parameters, &scratch);
        }
        let request = self.shared.request(&registered, &login, state, ConnectInput::Callback(parameters))?;
        let step = self.shared.connect(&registered, Arc::clone(&scratch), request).await;
        let stage = match step {
            Ok(ConnectStep::Choose(candidates)) => Ok(ConnectStage::Choosing { candidates }),
            Ok(ConnectStep::Ready(account)) => self
                .shared
                .bind(&registered, &scratch, account)
                .await
                .map(|account| ConnectStage::Connected { account }),
            Ok(ConnectStep::Visit(_) | ConnectStep::Enter(_)) => Err(ConnectError::OutOfOrder.into()),
            Err(error) => Err(error),
        };
        match stage {
            Ok(stage) => self.shared.set_stage(&id, stage),
            Err(error) => self.shared.end(&id, &error),
        }
        Ok(ticket)
    }

    /// Takes the person's choice. `cookie` is none for a caller that has the API's authority.
    pub async fn connect_select(&self, ticket: &str, candidate: &str, cookie: Option<&str>) -> Result<(), HostError> {
        let id = digest(ticket);
        let now = self.shared.clock.now();
        let (channel, login, scratch, chosen, candidates) = self.shared.connecting.with(&id, now, |session| {
            if let Some(cookie) = cookie {
                same_browser(session, cookie)?;
            }
            let ConnectStage::Choosing { candidates } = &session.stage else { return Err(ConnectError::OutOfOrder) };
            let chosen = candidates.iter().find(|known| known.id == candidate).ok_or(ConnectError::OutOfOrder)?;
            let (chosen, candidates) = (chosen.clone(), candidates.clone());
            // A second press of the button meets another stage.
            session.stage = ConnectStage::Visiting;
            let login = session.login.clone().unwrap_or_default();
            Ok((session.channel.clone(), login, Arc::clone(&session.scratch), chosen, candidates))
        })?;
        if chosen.obstacle.is_some() {
            self.shared.set_stage(&id, ConnectStage::Choosing { candidates });
            return Err(ConnectError::OutOfOrder.into());
        }
        let registered = self.channel(&channel)?;
        let request = self.shared.request(&registered, &login, String::new(), ConnectInput::Start)?;
        let whose = Whose::Nobody(Arc::clone(&scratch));
        let selected = call_as(&self.shared, &registered, whose, move |channel, effects| {
            channel.select(effects, &request, &chosen)
        })
        .await;
        let bound = match selected {
            Ok(account) => self.shared.bind(&registered, &scratch, account).await,
            Err(error) => Err(error),
        };
        match bound {
            Ok(account) => self.shared.set_stage(&id, ConnectStage::Connected { account }),
            Err(error) => self.shared.end(&id, &error),
        }
        Ok(())
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
        scratch: Arc<Scratch>,
        request: ConnectRequest,
    ) -> Result<ConnectStep, HostError> {
        call_as(self, registered, Whose::Nobody(scratch), move |channel, effects| channel.connect(effects, &request))
            .await
    }

    fn set_stage(&self, id: &[u8; 32], stage: ConnectStage) {
        // Whoever waited too long sees it from the accounts.
        let _ = self.connecting.with(id, self.clock.now(), |session| {
            session.stage = stage;
            Ok(())
        });
    }

    fn end(&self, id: &[u8; 32], error: &HostError) {
        tracing::info!(%error, "an account was not connected");
        self.set_stage(id, ConnectStage::Failed { sentence: error.to_string() });
    }
}

/// Takes the parameters that are credentials out of a callback. What some browsers leave of a fragment behind
/// the value is no part of it.
fn hide(parameters: &mut [Parameter], secret: &BTreeMap<String, String>, scratch: &Scratch) {
    for parameter in parameters {
        let Some(slot) = secret.get(&parameter.name) else { continue };
        let value = std::mem::replace(&mut parameter.value, slot.clone());
        let value = value.split('#').next().unwrap_or_default();
        if value.is_empty() {
            parameter.value.clear();
        } else {
            scratch.keep(slot.clone(), Secret::new(value.as_bytes().to_vec()));
        }
    }
}
