//! Taps on what was sent: a form with one field, `payload`, that holds JSON.
//! Owns forms and taps; not events (`webhook`).

use channel_sdk::{blank, id, names::window_opener, types::*};
use serde::Deserialize;

use crate::{
    message_id, milliseconds, thread_of,
    webhook::{malformed, unknown},
};

#[derive(Default, Deserialize)]
#[serde(default)]
struct Payload {
    #[serde(rename = "type")]
    kind: String,
    team: Option<Named>,
    user: Named,
    channel: Option<Named>,
    container: Container,
    response_url: Option<String>,
    trigger_id: String,
    actions: Vec<Action>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Named {
    id: String,
    username: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Container {
    message_ts: Option<String>,
    thread_ts: Option<String>,
    channel_id: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Action {
    action_id: String,
    action_ts: String,
    text: Option<Words>,
    value: Option<String>,
    selected_option: Option<Choice>,
    selected_date: Option<String>,
    selected_time: Option<String>,
}

#[derive(Deserialize)]
struct Words {
    text: String,
}

#[derive(Deserialize)]
struct Choice {
    text: Words,
    value: String,
}

/// The taps of a delivery.
pub(crate) fn parse(input: &Delivery) -> Result<Vec<Event>, ParseError> {
    let text = String::from_utf8_lossy(&input.body);
    let payload = text.split('&').find_map(|field| field.strip_prefix("payload=")).and_then(decoded);
    let Some(text) = payload else {
        return Err(ParseError::NotThisChannel("a form without `payload`".into()));
    };
    let payload: Payload = serde_json::from_str(&text).map_err(|error| malformed(&error))?;
    let account = payload.team.as_ref().map(|team| team.id.clone()).unwrap_or_default();
    if payload.kind != "block_actions" {
        let reason = format!("Slack's interaction `{}` is not one that this version reads.", payload.kind);
        let id = id::of("i", &[&payload.trigger_id]);
        return Ok(vec![unknown(account, id, reason, Some(&payload.kind), text)]);
    }
    let Payload { user, channel, container, response_url, actions, .. } = payload;
    let channel = channel.map(|channel| channel.id).or(container.channel_id).unwrap_or_default();
    let tap = |action: Action| {
        let id = id::of("tap", &[&channel, &action.action_ts, &action.action_id]);
        let at = milliseconds(&action.action_ts);
        let message = Message {
            answer: Some(action.answer(response_url.clone())),
            reply_to: container.message_ts.as_deref().map(|ts| ReplyTarget::Message(message_id(&channel, ts))),
            ..blank::message()
        };
        Event {
            contact: Some(Contact { username: user.username.clone(), ..blank::person(user.id.clone()) }),
            thread: Some(thread_of(&channel, container.thread_ts.as_deref(), None)),
            author: Author::Contact,
            at,
            opens: Some(window_opener::BUTTON.to_owned()),
            ..blank::event(id, account.clone(), EventBody::Message(message))
        }
    };
    Ok(actions.into_iter().map(tap).collect())
}

impl Action {
    fn answer(self, response_url: Option<String>) -> Answer {
        let picked = [("date", self.selected_date), ("time", self.selected_time)];
        let values = picked.into_iter().filter_map(|(key, value)| {
            let value = value?;
            Some(Detail { key: key.to_owned(), label: key.to_owned(), value })
        });
        let (source, title, payload) = match self.selected_option {
            Some(choice) => (AnswerSource::ListItem, Some(choice.text.text), Some(choice.value)),
            None => (AnswerSource::Button, self.text.map(|words| words.text), self.value),
        };
        // Good for five answers within half an hour, which only the person sees.
        Answer { source, title, payload, values: values.collect(), token: response_url }
    }
}

/// A field of a form as it was before it was encoded; none where it is no text.
fn decoded(field: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(field.len());
    let mut rest = field.as_bytes();
    while let [first, behind @ ..] = rest {
        rest = behind;
        match (first, behind) {
            (b'+', _) => bytes.push(b' '),
            (b'%', [high, low, after @ ..]) => {
                let digit = |digit: &u8| char::from(*digit).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
                bytes.push(digit(high)? << 4 | digit(low)?);
                rest = after;
            }
            (byte, _) => bytes.push(*byte),
        }
    }
    String::from_utf8(bytes).ok()
}
