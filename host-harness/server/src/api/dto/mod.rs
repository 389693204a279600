//! Owns: the API's JSON: one type for each kind of object, with opaque ids and RFC 3339 times.
//! Does not own: the rows behind them (the inbox), reading requests (`extract`).

pub(crate) mod account;
pub(crate) mod activity;
pub(crate) mod attachment;
pub(crate) mod automation;
pub(crate) mod channel;
pub(crate) mod connect;
pub(crate) mod contact;
pub(crate) mod contract;
pub(crate) mod conversation;
pub(crate) mod delivery;
pub(crate) mod event;
pub(crate) mod health;
pub(crate) mod message;
pub(crate) mod organisation;
pub(crate) mod reply;
pub(crate) mod retention;
pub(crate) mod upload;
pub(crate) mod webhook;

use std::collections::BTreeMap;

use harness_contract as contract_types;
use harness_engine::Host;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::value::RawValue;
use utoipa::ToSchema;

macro_rules! tags {
    ($($tag:ident = $text:literal;)+) => {
        $(
            #[derive(Clone, Copy, Debug, Default, Serialize, ToSchema)]
            #[schema(title = $text)]
            pub(crate) enum $tag {
                /// The kind of object.
                #[default]
                #[serde(rename = $text)]
                Tag,
            }
        )+
    };
}

// `object` of each kind.
tags! {
    AccountTag = "account";
    ActivityTag = "activity";
    AutomationDecisionTag = "automation_decision";
    AutomationTag = "automation";
    CannedAnswerTag = "canned_answer";
    ChannelTag = "channel";
    CollectionTag = "collection";
    ConnectLinkTag = "connect_link";
    ContactTag = "contact";
    ConversationTag = "conversation";
    DeliveryReplayTag = "delivery_replay";
    DeliveryTag = "delivery";
    EventTag = "event";
    HealthTag = "health";
    InvitationTag = "invitation";
    LabelTag = "label";
    MediaTag = "media";
    MentionTag = "mention";
    MessageTag = "message";
    NoteTag = "note";
    ReplyTag = "reply";
    RetentionTag = "retention";
    SavedViewTag = "saved_view";
    SessionTag = "session";
    TokenTag = "token";
    UploadTag = "upload";
    UserTag = "user";
    ValidationTag = "validation";
    WebhookAttemptTag = "webhook_attempt";
    WebhookTag = "webhook";
    WorkspaceTag = "workspace";
}

/// The platform's id of a person, under the name that the channel's identity rule gives it.
#[derive(Clone, Debug, Default, Serialize, ToSchema)]
#[schema(example = json!({ "user_id": "17841400000000000" }))]
pub(crate) struct Identifiers(BTreeMap<String, String>);

/// What people of a channel are known by.
#[derive(Clone, Debug)]
pub(crate) struct IdentityRule(String);

impl IdentityRule {
    /// The rule of a channel; for one that is not loaded any more, the id is the `platform_id`.
    pub(crate) fn of(host: &Host, channel: &str) -> Self {
        let field = host.channel(channel).map(|loaded| loaded.capabilities.identity.field.clone());
        Self(field.unwrap_or_else(|_| "platform_id".to_owned()))
    }

    pub(crate) fn identifiers(&self, id: Option<String>) -> Identifiers {
        Identifiers(id.into_iter().map(|id| (self.0.clone(), id)).collect())
    }
}

/// A fact to show that has no field of its own.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub(crate) struct Fact {
    /// A name, such as `subject`.
    key: String,
    /// For a person, such as "Subject".
    label: String,
    /// For a person, and in a form that programs read.
    value: String,
}

impl From<&contract_types::Detail> for Fact {
    fn from(detail: &contract_types::Detail) -> Self {
        Self { key: detail.key.clone(), label: detail.label.clone(), value: detail.value.clone() }
    }
}

/// A document that the inbox keeps for the API, in the type that it was written with; `None` where it is none of that.
pub(crate) fn parsed<T: DeserializeOwned>(raw: Option<&RawValue>) -> Option<T> {
    raw.and_then(|raw| serde_json::from_str(raw.get()).ok())
}
