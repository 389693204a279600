//! Owns: activities in the API's JSON: comments, mentions, referrals, handovers, opt-ins.
//! Does not own: messages.

use harness_inbox::ActivityView;
use serde::Serialize;
use serde_json::value::RawValue;
use utoipa::ToSchema;

use super::{ActivityTag, Fact, Identifiers, IdentityRule, parsed};
use crate::api::{
    ids::{AccountRef, ActivityRef, ConversationRef, Id},
    time::Time,
};

/// Something that is not a message happened.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Activity {
    object: ActivityTag,
    id: ActivityRef,
    /// The channel's id.
    channel: String,
    account_id: AccountRef,
    /// Null for what belongs to no conversation. A message written into the conversation of a comment answers it in private.
    conversation_id: Option<ConversationRef>,
    /// The customer, as far as the platform says.
    identifiers: Identifiers,
    /// When it happened, by the platform's clock.
    created_at: Time,
    /// `live`, `standby`, `history`, `test` or `other`.
    origin: String,
    /// The contract's name for it, such as `comment`, `mention`, `referral`, `handover`, `opt_in`; or `refused_event`, for
    /// what could not be taken.
    kind: String,
    /// What happened, with the ids that are needed to answer it: the contract's `event-body`.
    #[schema(value_type = Object)]
    body: Box<RawValue>,
    /// Facts to show beside it.
    details: Vec<Fact>,
}

impl Activity {
    pub(crate) fn of(row: ActivityView, rule: &IdentityRule) -> Self {
        Self {
            object: ActivityTag::Tag,
            id: row.id.into(),
            channel: row.channel,
            account_id: row.account_id.into(),
            conversation_id: row.conversation.map(Id::from),
            identifiers: rule.identifiers(row.contact),
            created_at: row.at.into(),
            origin: row.origin,
            kind: row.kind,
            body: row.body,
            details: parsed(row.details.as_deref()).unwrap_or_default(),
        }
    }
}
