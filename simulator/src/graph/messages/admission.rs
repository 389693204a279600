//! Whether a message may be sent to its recipient now: recipient, window, tag, owner, private reply.
//! What belongs here: the platform's policy. What the message contains is `content`.

use serde_json::{Map, Value};

use crate::config::AccountConfig;
use crate::graph::error::GraphError;
use crate::graph::fields;
use crate::state::World;
use crate::state::thread::Window;

/// A private reply is possible for 7 days after the comment.
const PRIVATE_REPLY_MS: i64 = 7 * 24 * 3600 * 1000;

/// The recipient of a message.
pub(crate) enum Recipient {
    Customer(String),
    /// A private reply to a comment.
    Comment(String),
}

impl Recipient {
    pub(crate) fn read(params: &Map<String, Value>) -> Result<Self, GraphError> {
        let value =
            params.get("recipient").ok_or_else(|| GraphError::parameter("The parameter recipient is required."))?;
        let recipient = fields::object(value, "recipient")?;
        fields::only(recipient, &["id", "comment_id"], "recipient")?;
        match (recipient.get("id").and_then(fields::id), recipient.get("comment_id").and_then(fields::id)) {
            (Some(id), None) => Ok(Self::Customer(id)),
            (None, Some(comment)) => Ok(Self::Comment(comment)),
            _ => Err(GraphError::parameter("Param recipient must hold either id or comment_id")),
        }
    }

    pub(crate) fn comment_id(&self) -> Option<&str> {
        match self {
            Self::Comment(id) => Some(id),
            Self::Customer(_) => None,
        }
    }
}

/// How a message is sent: type, tag, thread control.
pub(crate) struct Sending {
    pub(crate) tag: Option<String>,
    /// `Some(None)` releases the thread, `Some(Some(app))` passes it on.
    pub(crate) thread_control: Option<Option<String>>,
}

impl Sending {
    /// `messaging_type` is optional; `HUMAN_AGENT` is Instagram's only tag and may stand without it.
    pub(crate) fn read(params: &Map<String, Value>) -> Result<Self, GraphError> {
        let upper = |text: &str| text.to_ascii_uppercase();
        let messaging_type = fields::optional_text(params, "messaging_type", "messaging_type")?.map(upper);
        let tag = fields::optional_text(params, "tag", "tag")?.map(upper);
        match (messaging_type.as_deref(), tag.as_deref()) {
            (_, Some(other)) if other != "HUMAN_AGENT" => {
                return Err(GraphError::parameter(format!("The message tag {other} is not available")));
            }
            (Some("MESSAGE_TAG"), None) => {
                return Err(GraphError::parameter("Param tag is required for messaging_type MESSAGE_TAG"));
            }
            (Some("RESPONSE" | "UPDATE"), Some(_)) => {
                return Err(GraphError::parameter("Param tag needs messaging_type MESSAGE_TAG"));
            }
            (None | Some("RESPONSE" | "UPDATE" | "MESSAGE_TAG"), _) => {}
            (Some(other), _) => {
                return Err(GraphError::parameter(format!("Param messaging_type has the unknown value {other}")));
            }
        }
        Ok(Self { tag, thread_control: thread_control(params)? })
    }
}

fn thread_control(params: &Map<String, Value>) -> Result<Option<Option<String>>, GraphError> {
    let Some(value) = params.get("thread_control") else { return Ok(None) };
    let control = fields::object(value, "thread_control")?;
    fields::only(control, &["control_type", "app_id", "metadata"], "thread_control")?;
    match fields::word(control, "control_type", "thread_control")?.as_str() {
        "release" => Ok(Some(None)),
        "pass" => {
            let app = control.get("app_id").and_then(fields::id);
            let app = app.ok_or_else(|| GraphError::parameter("Param thread_control[app_id] is required"))?;
            Ok(Some(Some(app)))
        }
        other => Err(GraphError::parameter(format!("Param thread_control[control_type] is not {other}"))),
    }
}

/// Checks the policy and returns the customer's id.
pub(crate) fn admit(
    world: &World,
    account: &AccountConfig,
    recipient: &Recipient,
    sending: &Sending,
    now_ms: i64,
) -> Result<String, GraphError> {
    match recipient {
        Recipient::Customer(igsid) => admit_customer(world, account, igsid, sending, now_ms),
        Recipient::Comment(id) => admit_private_reply(world, account, id, now_ms),
    }
}

/// The customer's thread, if the account may use it at all; the window is not checked.
pub(crate) fn reachable(world: &World, account: &AccountConfig, igsid: &str) -> Result<(), GraphError> {
    // An app that is not live reaches only people with a role.
    if !world.app.serves(igsid) {
        return Err(GraphError::new(200, Some(2_018_028)));
    }
    let thread = world.thread(&account.ig_id, igsid).ok_or_else(|| GraphError::new(100, Some(2_534_014)))?;
    if thread.blocked {
        return Err(GraphError::new(551, Some(1_545_041)));
    }
    if thread.owner.is_some() {
        return Err(GraphError::new(100, Some(2_534_037)));
    }
    Ok(())
}

pub(crate) fn admit_customer(
    world: &World,
    account: &AccountConfig,
    igsid: &str,
    sending: &Sending,
    now_ms: i64,
) -> Result<String, GraphError> {
    reachable(world, account, igsid)?;
    let tagged = sending.tag.is_some();
    if tagged && !account.human_agent {
        return Err(
            GraphError::new(10, None).saying("(#10) To use the Human Agent tag, the app needs the Human Agent feature")
        );
    }
    let window =
        world.thread(&account.ig_id, igsid).map_or(Window::Closed, |thread| thread.window(now_ms, account.ad_window));
    match window {
        Window::Open => Ok(igsid.to_owned()),
        Window::HumanAgentOnly if tagged => Ok(igsid.to_owned()),
        Window::HumanAgentOnly | Window::Closed => Err(GraphError::new(10, Some(2_534_022))),
    }
}

/// One private reply per comment, within 7 days; for live comments only during the broadcast.
fn admit_private_reply(
    world: &World,
    account: &AccountConfig,
    comment_id: &str,
    now_ms: i64,
) -> Result<String, GraphError> {
    let invalid = || GraphError::new(100, Some(2_534_025));
    let comment = world.comments.get(comment_id).ok_or_else(invalid)?;
    let ended = comment.live && world.ended_broadcasts.contains(&comment.media_id);
    let late = now_ms.saturating_sub(comment.at_ms) > PRIVATE_REPLY_MS;
    if comment.ig_id != account.ig_id || comment.answered_privately || ended || late {
        return Err(invalid());
    }
    if !world.app.serves(&comment.from_id) {
        return Err(GraphError::new(200, Some(2_018_028)));
    }
    Ok(comment.from_id.clone())
}
