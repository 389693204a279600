//! Owns: testing an account by sending a signal to a customer.
//! Does not own: the other lines of a health check (`accounts`).

use std::time::Duration;

use harness_contract::{
    CheckLevel, CheckResult, FallbackPolicy, OutboundMessage, OutboundPart, SendResult, Sender, SenderKind, WindowState,
};
use harness_egress::credentials::random;
use harness_inbox::{AccountRow, ReplyState, StepState};

use super::{Host, HostError};

/// Conversations searched for an open one.
const LOOK_AT: usize = 50;
/// Changes read at a time.
const CHANGES: usize = 100;
/// How long the signal may take.
const PATIENCE: Duration = Duration::from_secs(10);

fn line(level: CheckLevel, finding: &str, fix: Option<&str>) -> CheckResult {
    CheckResult { name: "send-probe".into(), level, finding: finding.to_owned(), fix: fix.map(str::to_owned) }
}

impl Host {
    /// The result of sending a signal (typing) to the newest open conversation.
    pub(super) async fn probe(&self, row: &AccountRow) -> CheckResult {
        match send(self, row).await {
            Ok(Some(result)) => result,
            Ok(None) => line(
                CheckLevel::Skipped,
                "No conversation is open to send a signal to.",
                Some("Send the account a message from another account, and try again."),
            ),
            Err(error) => line(CheckLevel::Failed, &error.to_string(), Some("Try again.")),
        }
    }
}

/// Sends "typing" to the newest open conversation of an account; `None` if no conversation is open.
async fn send(host: &Host, row: &AccountRow) -> Result<Option<CheckResult>, HostError> {
    let line = |level, finding: String, fix: Option<String>| {
        Ok(Some(CheckResult { name: "send-probe".into(), level, finding, fix }))
    };
    for conversation in host.inbox().conversations(LOOK_AT).await? {
        let goes_on = conversation.continued_in.is_none();
        if conversation.channel != row.channel || conversation.account != row.platform_id || !goes_on {
            continue;
        }
        if host.context(conversation.id).await?.window.state != WindowState::Open {
            continue;
        }
        let message = OutboundMessage {
            id: String::new(),
            sender: Sender { kind: SenderKind::Automation, id: "health-check".into(), name: None, picture_url: None },
            parts: vec![OutboundPart::Typing(true)],
            quick_replies: Vec::new(),
            reply_to: None,
            private_reply_to: None,
            fallback: FallbackPolicy::default(),
            try_anyway: false,
            options: Vec::new(),
            native: None,
        };
        let key = format!("health-check-{}", hex::encode(random::<8>()?));
        let mut changes = host.inbox().follow();
        let queued = host.reply(conversation.id, &key, message).await?;
        let mut too_late = std::pin::pin!(host.clock().wait(PATIENCE));
        loop {
            let view = host.inbox().reply(queued.reply).await?;
            if matches!(view.state, ReplyState::Done | ReplyState::Refused) {
                if view.steps.iter().all(|step| step.state == StepState::Sent) && !view.steps.is_empty() {
                    return line(CheckLevel::Passed, "A signal to a customer went out.".into(), None);
                }
                let said = view.steps.iter().filter_map(|step| step.outcome.as_ref()).find_map(|outcome| {
                    let result: SendResult = serde_json::from_str(outcome.get()).ok()?;
                    result.failure().map(|failure| failure.message.clone())
                });
                let said = said.or_else(|| view.violations.first().map(|violation| violation.message.clone()));
                let finding = said.unwrap_or_else(|| "The signal was not sent.".into());
                return line(CheckLevel::Failed, finding, Some("See the lines about the platform.".into()));
            }
            tokio::select! {
                // On any change, the reply is read again.
                changes = changes.next(CHANGES) => drop(changes?),
                () = &mut too_late => break,
            }
        }
        let finding = "The signal is still waiting to be sent.".to_owned();
        return line(CheckLevel::Warning, finding, Some("See `connected` and `outbox` above.".into()));
    }
    Ok(None)
}
