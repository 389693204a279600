//! Owns: one turn of connecting: asking the channel, checking its step, and storing it as the stage of the link.
//! Does not own: who starts a turn and when (`connect`, `waits`), the values typed in (`entered`).

use std::sync::Arc;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use harness_contract::{
    AccountError, ConnectInput, ConnectRequest, ConnectStep, FailureCategory, HttpError, Waiting, text::shown,
};
use harness_inbox::WorkspaceId;
use url::Url;

use super::{
    Accounts, AccountsError, entered,
    links::{Link, LinkId},
    stage::ConnectStage,
};
use crate::{
    channels::loaded::LoadedChannel,
    error::ConnectError,
    network::{CallScope, PendingAccount},
};
use harness_egress::credentials::random;

/// Maximum content of a QR code, in bytes: the capacity of the largest code.
const MAX_QR: usize = 2953;
/// Maximum length of a code to type in elsewhere, in characters.
const MAX_CODE: usize = 64;
/// Minimum wait before a channel is asked again, in milliseconds.
const SOONEST: u64 = 1000;

pub(super) fn token() -> Result<String, AccountsError> {
    Ok(URL_SAFE_NO_PAD.encode(random::<32>()?))
}

/// One turn of an attempt. Its result is ignored once another attempt has started.
#[derive(Clone)]
pub(super) struct Turn {
    pub(super) link: LinkId,
    pub(super) workspace: WorkspaceId,
    pub(super) channel: String,
    pub(super) login: String,
    pub(super) attempt: u64,
    pub(super) pending: Arc<PendingAccount>,
}

impl Link {
    /// The next turn of the current attempt.
    pub(super) fn turn(&self, id: LinkId) -> Turn {
        Turn {
            link: id,
            workspace: self.workspace,
            channel: self.channel.clone(),
            login: self.login.clone().unwrap_or_default(),
            attempt: self.attempt,
            pending: Arc::clone(&self.pending),
        }
    }
}

/// The result of a turn.
pub(super) enum Next {
    /// The person is sent to this address, which returns the state.
    Visit {
        to: Url,
        state: String,
    },
    Stage(ConnectStage),
}

impl Accounts {
    /// Asks the channel for the next step.
    pub(super) async fn ask(self: &Arc<Self>, turn: &Turn, input: ConnectInput) -> Result<Next, AccountsError> {
        let registered = self.channels.get(&turn.channel)?;
        // Any step may lead to a dialog, so each turn gets a state.
        let state = token()?;
        let request = self.request(&registered, &turn.login, state.clone(), input)?;
        let scope = CallScope::Connecting(Arc::clone(&turn.pending));
        let step = self.call_as(&registered, scope, move |channel, effects| channel.connect(effects, &request));
        Ok(Next::Stage(match step.await? {
            ConnectStep::Visit(address) => {
                return Ok(Next::Visit { to: self.dialog(&registered, &turn.login, &address)?, state });
            }
            ConnectStep::Enter(fields) => {
                let fields = entered::asked(&registered.channel.manifest().slots, fields)?;
                ConnectStage::Entering { fields, problem: None }
            }
            ConnectStep::Choose(candidates) => ConnectStage::Choosing { candidates },
            ConnectStep::Wait(waiting) => self.waiting_for(waiting)?,
            ConnectStep::Ready(account) => ConnectStage::Connected {
                account: self.activate(turn.workspace, &registered, &turn.pending, (&turn.login, account)).await?,
            },
        }))
    }

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

    /// The dialog's address, if it is the one declared in the manifest.
    fn dialog(&self, registered: &LoadedChannel, login: &str, address: &str) -> Result<Url, ConnectError> {
        let visit = Url::parse(address).map_err(|_| ConnectError::WrongDialog)?;
        let declared = registered.channel.manifest().logins.get(login);
        let dialog = declared.and_then(|login| Url::parse(login.authorization_url.as_deref()?).ok());
        let same = |dialog: &Url| dialog.origin() == visit.origin() && dialog.path() == visit.path();
        if !dialog.as_ref().is_some_and(same) {
            return Err(ConnectError::WrongDialog);
        }
        Ok(self.network.egress.destination(visit))
    }

    fn waiting_for(&self, waiting: Waiting) -> Result<ConnectStage, ConnectError> {
        let Waiting { text, qr, code, again_after, until } = waiting;
        let fits = qr.as_ref().is_none_or(|qr| (1..=MAX_QR).contains(&qr.len()))
            && code.as_ref().is_none_or(|code| (1..=MAX_CODE).contains(&code.chars().count()));
        if text.is_empty() || !fits {
            return Err(ConnectError::WrongStep);
        }
        let again_at = self.base.clock.now().saturating_add(again_after.max(SOONEST));
        Ok(ConnectStage::WaitingFor { text: shown(&text), qr, code: code.as_deref().map(shown), again_at, until })
    }

    /// Stores the result of a turn: the next stage, or why it failed. Returns where to send the browser.
    pub(super) async fn settle(
        &self,
        turn: &Turn,
        next: Result<Next, AccountsError>,
    ) -> Result<Option<Url>, AccountsError> {
        match next {
            Ok(next) => self.note(turn, next).await,
            Err(error) => self.end(turn, &error).await.map(|()| None),
        }
    }

    pub(super) async fn note(&self, turn: &Turn, next: Next) -> Result<Option<Url>, AccountsError> {
        let visit = if let Next::Visit { to, .. } = &next { Some(to.clone()) } else { None };
        let noted = self.change_link(&turn.link, self.base.clock.now(), |link| {
            link.go_on(turn.attempt, next);
            Ok(())
        });
        match noted.await {
            // If the link has expired, the result shows in the list of accounts.
            Ok(()) | Err(AccountsError::Connect(ConnectError::Expired)) => Ok(visit),
            Err(error) => Err(error),
        }
    }

    pub(super) async fn end(&self, turn: &Turn, error: &AccountsError) -> Result<(), AccountsError> {
        tracing::warn!(%error, "an account was not connected");
        let failed = ConnectStage::Failed { sentence: error.for_people() };
        self.note(turn, Next::Stage(failed)).await.map(|_| ())
    }
}

impl AccountsError {
    /// Whether a retry may succeed.
    pub(super) fn passes(&self) -> bool {
        match self {
            Self::Busy(_) | Self::Paused(_) | Self::Held(_) => true,
            Self::Account(error) => match &**error {
                AccountError::Http(error) => matches!(error, HttpError::Unreachable(_) | HttpError::TimedOut),
                AccountError::Platform(failure) => {
                    matches!(failure.category, FailureCategory::PlatformTransient | FailureCategory::RateLimited)
                }
                _ => false,
            },
            _ => false,
        }
    }
}
