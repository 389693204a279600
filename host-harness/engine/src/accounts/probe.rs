//! Trying an account out: a signal to somebody, and the archive beside the inbox. Belongs here: what
//! `health` asks for and what takes more than a look.

use std::time::Duration;

use harness_contract::{
    Author, CheckLevel, CheckResult, EventBody, FallbackPolicy, HistoryRequest, OutboundMessage, OutboundPart,
    SendResult, Sender, WindowState,
};
use harness_inbox::{AccountRow, ReplyState, StepState};
use url::Url;

use crate::{
    accounts::call::call,
    error::HostError,
    host::{Host, Shared},
    ingest::translate::read_archived,
    options::Registered,
};
use harness_egress::{Egress, credentials::random, read_at_most};

/// The longest challenge, in bytes.
const MAX_CHALLENGE: usize = 4 << 10;
/// Conversations among which an open one is looked for.
const LOOK_AT: usize = 50;
/// How long the signal may take, in rounds of a tenth of a second.
const ROUNDS: u32 = 100;
/// Messages of the archive that are compared.
const COMPARED: u32 = 50;
/// Webhooks may take this long, in milliseconds.
const ON_ITS_WAY: u64 = 60_000;

/// Sends "typing" to the newest open conversation of an account; none where there is none.
pub(crate) async fn send(host: &Host, row: &AccountRow) -> Result<Option<CheckResult>, HostError> {
    let line = |level, finding: String, fix: Option<String>| {
        Ok(Some(CheckResult { name: "send-probe".into(), level, finding, fix }))
    };
    for conversation in host.inbox().conversations(LOOK_AT).await? {
        if conversation.channel != row.channel || conversation.account != row.platform_id {
            continue;
        }
        if host.context(conversation.id).await?.window.state != WindowState::Open {
            continue;
        }
        let message = OutboundMessage {
            id: String::new(),
            sender: Sender::Automation("health-check".into()),
            parts: vec![OutboundPart::Typing(true)],
            quick_replies: Vec::new(),
            reply_to: None,
            private_reply_to: None,
            fallback: FallbackPolicy::default(),
            try_anyway: false,
            native: None,
        };
        let key = format!("health-check-{}", hex::encode(random::<8>()?));
        let queued = host.reply(conversation.id, &key, message).await?;
        for _ in 0..ROUNDS {
            let view = host.inbox().reply(queued.reply).await?;
            if matches!(view.state, ReplyState::Done | ReplyState::Refused) {
                if view.steps.iter().all(|step| step.state == StepState::Sent) && !view.steps.is_empty() {
                    return line(CheckLevel::Passed, "A signal to a customer went out.".into(), None);
                }
                let said = view.steps.iter().filter_map(|step| step.outcome.as_ref()).find_map(|outcome| {
                    let result: SendResult = serde_json::from_str(outcome.get()).ok()?;
                    result.failure().map(|failure| failure.sentence.clone())
                });
                let said = said.or_else(|| view.violations.first().map(|violation| violation.sentence.clone()));
                let finding = said.unwrap_or_else(|| "The signal was not sent.".into());
                return line(CheckLevel::Failed, finding, Some("See the lines about the platform.".into()));
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        let finding = "The signal is still waiting to be sent.".to_owned();
        return line(CheckLevel::Warning, finding, Some("See `connected` and `outbox` above.".into()));
    }
    Ok(None)
}

impl Shared {
    /// Customers' messages since a time that stand in the platform's archive: how many of them came by no
    /// webhook, and how many there are. None where the platform has no archive.
    pub(crate) async fn missing_messages(
        self: &std::sync::Arc<Self>,
        row: &AccountRow,
        registered: &Registered,
        since: u64,
    ) -> Result<Option<(usize, usize)>, HostError> {
        // Archives know whole seconds.
        let since = since.saturating_sub(1000);
        let request = HistoryRequest { contact: None, since: Some(since), cursor: None, limit: COMPARED };
        let page = call(self, row.id, move |channel, effects, account| channel.history(effects, account, &request));
        let page = match page.await {
            Ok(page) => page,
            Err(HostError::Account(error)) if matches!(*error, harness_contract::AccountError::Unsupported) => {
                return Ok(None);
            }
            Err(error) => return Err(error),
        };
        let now = self.clock.now();
        let items = page.items.into_iter().map(|item| item.body).collect();
        let events = read_archived(registered.channel.clone(), row.platform_id.clone(), items, now).await?;
        let (mut missing, mut known) = (0, 0);
        for event in events {
            let at = event.at.unwrap_or_default();
            let (Author::Contact, EventBody::Message(message)) = (&event.author, &event.body) else { continue };
            let Some(id) = &message.id else { continue };
            if at < since || at.saturating_add(ON_ITS_WAY) > now {
                continue;
            }
            known += 1;
            if !self.inbox.came_live(row.id, id).await? {
                missing += 1;
            }
        }
        Ok(Some((missing, known)))
    }
}

/// Asks an address of this host itself, which may be a private one.
pub(crate) async fn own_address(egress: &Egress, url: Url, time: Duration) -> Result<(u16, String), String> {
    let answer = async {
        // The address holds the verify token.
        let response = egress.own().get(url).send().await.map_err(|error| error.without_url().to_string())?;
        let status = response.status().as_u16();
        // What is longer is no challenge.
        let body = read_at_most(response, MAX_CHALLENGE).await.unwrap_or_default();
        Ok::<_, String>((status, String::from_utf8_lossy(&body).into_owned()))
    };
    match tokio::time::timeout(time, answer).await {
        Ok(answer) => answer,
        Err(_) => Err("no answer came in time".into()),
    }
}
