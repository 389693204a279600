//! Owns: what the automation would have done in a conversation of the past.
//! Does not own: doing it: nothing is sent and nothing is changed, besides the budget that a call of the model spends.

use harness_contract::OutboundPart;
use harness_engine::Host;
use harness_inbox::{ConversationId, MessageId, Standing};

use crate::{
    assistant::{self, Answer},
    decision::{Consumer, Decision, Outcome},
    facts::{Facts, Writer, at, writer},
    look::ENTRIES,
    manage::AutomationError,
    routing::{self, Routed},
    settings::Settings,
    welcome::{self, Past, Welcomed},
};

/// What would have been done about a message.
#[derive(Clone, Debug)]
pub struct Would {
    /// The customer's message.
    pub message: MessageId,
    /// The part of the automation.
    pub consumer: Consumer,
    /// The decision.
    pub decision: Decision,
    /// What the assistant would have said, in parts.
    pub says: Vec<String>,
}

/// Goes through the newest messages of a conversation with these settings, as if they came one after another in an open
/// window, into a conversation that nobody has placed. With `ask`, the model is asked about the last turn.
pub async fn dry_run(
    host: &Host,
    conversation: ConversationId,
    settings: &Settings,
    ask: bool,
) -> Result<Vec<Would>, AutomationError> {
    settings.check(&host.direct())?;
    host.automations().standing(conversation).await?;
    let page = host.inbox().timeline_before(conversation, None, ENTRIES).await?;
    let (mut standing, mut routed, mut welcomed) = (Standing::default(), Routed::default(), Welcomed::default());
    let past = Past::of(host, conversation, page.next.is_some()).await?;
    let mut would = Vec::new();
    for (index, entry) in page.entries.iter().enumerate() {
        if let Some(facts) = Facts::of_message(entry)
            && let Some((decision, placement, state)) = routing::decide(&settings.routing, &facts, &standing, routed)
        {
            standing.collection = placement.collection.or(standing.collection);
            routed = state;
            would.push(Would { message: entry.id, consumer: Consumer::Routing, decision, says: Vec::new() });
        }
        // As it stood when the message came.
        let so_far = page.entries.get(..=index).unwrap_or_default();
        if let Some(decision) = welcome::decide(&settings.welcome, so_far, index, past, welcomed) {
            if decision.outcome == Outcome::Sent {
                welcomed.at = Some(at(entry));
            }
            would.push(Would { message: entry.id, consumer: Consumer::Welcome, decision, says: Vec::new() });
        }
    }
    let last = page.entries.iter().rposition(|entry| writer(entry) == Writer::Customer);
    if ask
        && settings.assistant.on
        && let Some(last) = last
        && let Some(entry) = page.entries.get(last)
    {
        let so_far = page.entries.get(..=last).unwrap_or_default();
        let answered = assistant::would_answer(host, conversation, settings, so_far).await;
        would.extend(answered.map_err(AutomationError::from)?.map(|answer| told(entry.id, answer)));
    }
    Ok(would)
}

fn told(message: MessageId, answer: Answer) -> Would {
    let (decision, says) = match answer {
        Answer::Says(parts, made_by) => {
            let words = parts.into_iter().filter_map(|part| match part {
                OutboundPart::Text(text) => Some(text.text),
                _ => None,
            });
            let decision = Decision { made_by: Some(made_by), ..Decision::new(Outcome::Sent, "assistant") };
            (decision, words.collect())
        }
        Answer::HandsOver { reason, detail, made_by, .. } => {
            let base = Decision::new(Outcome::HandedOver, "assistant");
            (Decision { reason: Some(reason), detail, made_by, ..base }, Vec::new())
        }
    };
    Would { message, consumer: Consumer::Assistant, decision, says }
}
