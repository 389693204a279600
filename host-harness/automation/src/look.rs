//! Owns: what is there to decide by: settings, a conversation's newest entries, where it stands, who has it.
//! Does not own: deciding.

use std::collections::HashMap;

use harness_contract::WindowState;
use harness_engine::{Host, HostError};
use harness_inbox::{AccountId, AutomationRow, ConversationId, InboxError, Standing, TimelineEntry};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::{
    decision::Reason,
    facts::{Writer, at, writer},
    settings::Settings,
};

/// The entries of a conversation that are looked at.
pub(crate) const ENTRIES: usize = 100;

/// The settings of accounts that do something.
#[derive(Default)]
pub(crate) struct Active(HashMap<AccountId, (u64, Settings)>);

impl Active {
    /// Reads all settings.
    pub(crate) async fn read(host: &Host) -> Result<Self, InboxError> {
        let rows = host.automations().automations().await?;
        Ok(Self(rows.iter().filter_map(|row| Some((row.account, (row.since, active(row)?)))).collect()))
    }

    /// The settings for a change with this number.
    pub(crate) fn of(&self, account: AccountId, seq: u64) -> Option<&Settings> {
        self.0.get(&account).filter(|(since, _)| seq > *since).map(|(_, settings)| settings)
    }
}

/// The settings of an account, if they do something now.
pub(crate) fn active(row: &AutomationRow) -> Option<Settings> {
    let read = serde_json::from_str::<Settings>(&row.settings);
    let settings = read.inspect_err(|error| {
        tracing::error!(account = row.account.get(), %error, "the automation's settings cannot be read and do nothing");
    });
    settings.ok().filter(|settings| settings.acts() && !row.off)
}

/// The assistant's knowledge of a conversation.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(default)]
pub(crate) struct Assisted {
    /// Answers since it last began.
    pub(crate) turns: u32,
    /// When it answered last.
    pub(crate) answered_at: u64,
    /// When it handed the conversation over.
    pub(crate) handed_over_at: Option<u64>,
}

/// What a part of the automation knows of a conversation.
pub(crate) async fn known<T: DeserializeOwned + Default>(
    host: &Host,
    conversation: ConversationId,
    consumer: &'static str,
) -> Result<T, InboxError> {
    let state = host.automations().automation_state(conversation, consumer).await?;
    Ok(state.map(|state| serde_json::from_str(&state)).transpose()?.unwrap_or_default())
}

/// A conversation as the assistant sees it.
pub(crate) struct Look {
    pub(crate) entries: Vec<TimelineEntry>,
    pub(crate) standing: Standing,
    pub(crate) assisted: Assisted,
    /// From when on the assistant may answer.
    since: u64,
    person: bool,
}

impl Look {
    pub(crate) async fn at(host: &Host, conversation: ConversationId) -> Result<Self, InboxError> {
        let store = host.automations();
        let standing = store.standing(conversation).await?;
        let mut assisted: Assisted = known(host, conversation, "assistant").await?;
        let since = standing.handed_back_at.unwrap_or(0);
        if assisted.answered_at <= since {
            assisted.turns = 0;
        }
        // Before the entries: a reply that is being sent meanwhile is seen in one of the two.
        let person = store.person_is_answering(conversation).await?;
        let entries = host.inbox().timeline(conversation, ENTRIES).await?;
        Ok(Self { entries, standing, assisted, since, person })
    }

    /// Why the assistant says nothing here.
    pub(crate) fn silent(&self, settings: &Settings) -> Option<Reason> {
        let assistant = &settings.assistant;
        let by_person = |entry: &TimelineEntry| writer(entry) == Writer::Person && at(entry) > self.since;
        if !assistant.on {
            Some(Reason::Off)
        } else if self.assisted.handed_over_at.is_some_and(|then| then > self.since) {
            Some(Reason::HandedOver)
        } else if self.person || self.entries.iter().any(by_person) {
            Some(Reason::Person)
        } else if !assistant.answers_in(self.standing.collection) {
            Some(Reason::OtherCollection)
        } else {
            None
        }
    }
}

/// Why nothing may be sent to a conversation now.
pub(crate) async fn barred(host: &Host, conversation: ConversationId) -> Result<Option<Reason>, InboxError> {
    match host.context(conversation).await {
        Ok(context) if context.window.state == WindowState::Open => Ok(None),
        Ok(_) => Ok(Some(Reason::Window)),
        Err(HostError::Inbox(error)) => Err(error),
        Err(_) => Ok(Some(Reason::NoChannel)),
    }
}
