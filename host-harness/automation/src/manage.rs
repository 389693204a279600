//! Owns: what the team does with the automation: settings, handing over, handing back.
//! Does not own: the form in which the API shows it.

use harness_engine::{Host, HostError, Secret};
use harness_inbox::{AccountId, ConversationId, InboxError};

use crate::{
    assistant::{TurnFailed, digest},
    look::{Assisted, known},
    settings::{Settings, WrongSettings},
};

/// The longest key for a model, in bytes.
const MAX_KEY: usize = 4_096;

/// Why something was not done.
#[derive(Debug, thiserror::Error)]
pub enum AutomationError {
    /// The settings make no sense. Nothing was changed.
    #[error(transparent)]
    Settings(#[from] WrongSettings),
    /// The host failed, or there is no such account or conversation.
    #[error(transparent)]
    Host(#[from] HostError),
    /// A stored value cannot be read or written.
    #[error("what the automation stored cannot be read: {0}")]
    Json(#[from] serde_json::Error),
    /// What is to be tried holds nothing.
    #[error("write what a customer might write; for a tap on an ad or a link, say which")]
    NothingWritten,
    /// The key of the model has characters that no header takes.
    #[error("the key is empty, longer than 4,096 bytes, or has characters that no header takes")]
    Key,
    /// The host stopped while it stored something.
    #[error("the host stopped while this was stored; load the page again and look")]
    Interrupted,
}

impl From<InboxError> for AutomationError {
    fn from(error: InboxError) -> Self {
        Self::Host(error.into())
    }
}

/// The settings of an account and what follows from them.
#[derive(Clone, Debug)]
pub struct Configured {
    /// The settings.
    pub settings: Settings,
    /// Whether a key for the model is stored. It is never shown.
    pub has_model_key: bool,
    /// What the log says for these instructions.
    pub instructions: String,
    /// Whether all automation of the workspace is switched off.
    pub off: bool,
}

/// The settings of an account.
pub async fn configured(host: &Host, account: AccountId) -> Result<Configured, AutomationError> {
    host.inbox().account_row(account).await?;
    let row = host.automations().automation(account).await?;
    let settings: Settings = match &row {
        Some(row) => serde_json::from_str(&row.settings)?,
        None => Settings::default(),
    };
    Ok(Configured {
        has_model_key: row.as_ref().is_some_and(|row| row.has_model_key),
        instructions: digest(&settings.assistant),
        off: row.is_some_and(|row| row.off),
        settings,
    })
}

/// Replaces the settings of an account. What is switched on by it answers nothing that happened before.
pub async fn configure(host: &Host, account: AccountId, settings: &Settings) -> Result<(), AutomationError> {
    settings.check(&host.direct())?;
    let before = configured(host, account).await?.settings;
    let on = |settings: &Settings| {
        [settings.welcome.on, settings.routing.on, settings.assistant.on].map(|on| on && settings.on)
    };
    let begins = on(&before).into_iter().zip(on(settings)).any(|(before, after)| after && !before);
    let text = serde_json::to_string(settings)?;
    host.automations().set_automation(account, text, begins, host.clock().now()).await?;
    Ok(())
}

/// The same with a new key for the model, where there is one: nothing is stored unless both may be, and then both are, also
/// where the caller goes away meanwhile.
pub async fn configure_with_key(
    host: &Host,
    account: AccountId,
    settings: &Settings,
    key: Option<Secret>,
) -> Result<(), AutomationError> {
    check_key(key.as_ref())?;
    let (host, settings) = (host.clone(), settings.clone());
    let both = tokio::spawn(async move {
        configure(&host, account, &settings).await?;
        match key {
            Some(key) => set_model_key(&host, account, Some(key)).await,
            None => Ok(()),
        }
    });
    both.await.unwrap_or(Err(AutomationError::Interrupted))
}

fn check_key(key: Option<&Secret>) -> Result<(), AutomationError> {
    let usable = |key: &Secret| {
        let bytes = key.expose();
        !bytes.is_empty() && bytes.len() <= MAX_KEY && bytes.iter().all(|byte| (0x21..=0x7e).contains(byte))
    };
    if key.is_some_and(|key| !usable(key)) { Err(AutomationError::Key) } else { Ok(()) }
}

/// Stores the key for the model of an account, or deletes it.
pub async fn set_model_key(host: &Host, account: AccountId, key: Option<Secret>) -> Result<(), AutomationError> {
    check_key(key.as_ref())?;
    if host.automations().automation(account).await?.is_none() {
        configure(host, account, &Settings::default()).await?;
    }
    Ok(host.set_model_key(account, key).await?)
}

/// The assistant is silent in a conversation until it is handed back, or the team closes it.
pub async fn hand_over(host: &Host, conversation: ConversationId) -> Result<(), AutomationError> {
    let store = host.automations();
    store.standing(conversation).await?;
    let known: Assisted = known(host, conversation, "assistant").await?;
    let now = host.clock().now();
    let state = Assisted { handed_over_at: Some(now), ..known };
    Ok(store.hand_over(conversation, serde_json::to_string(&state)?, now).await?)
}

/// The assistant may answer in a conversation again: what the customer writes from now on.
pub async fn hand_back(host: &Host, conversation: ConversationId) -> Result<(), AutomationError> {
    let store = host.automations();
    store.standing(conversation).await?;
    Ok(store.hand_back(conversation, host.clock().now()).await?)
}

impl From<TurnFailed> for AutomationError {
    fn from(error: TurnFailed) -> Self {
        match error {
            TurnFailed::Inbox(error) => error.into(),
            TurnFailed::Host(error) => Self::Host(error),
            TurnFailed::Json(error) => Self::Json(error),
        }
    }
}
