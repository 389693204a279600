//! Owns: endpoints that read conversations, their messages and activities, and mark them as read.
//! Does not own: how a page is found (the inbox), replies.

use std::collections::HashMap;

use axum::extract::State;
use harness_engine::Host;
use harness_inbox::{ActivityFilter, ActivityId, ActivityView, ConversationEntry, ConversationId, MessageId};
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::routes;

use super::{
    Answer, Api, Routes,
    dto::{
        IdentityRule,
        activity::Activity,
        conversation::{Conversation, MarkedAsRead},
        message::{Message, TimelineItem},
    },
    extract::{Json, Query, Row},
    ids::{AccountRef, ActivityRef, ConversationRef, Id, MessageRef},
    paging::{List, Paging},
    search::Filter,
    time::Time,
};
use crate::auth::{Principal, Scope};

pub(super) fn routes() -> Routes {
    Routes::default()
        .at(Scope::Read, routes!(list_conversations))
        .at(Scope::Read, routes!(get_conversation))
        .at(Scope::Read, routes!(list_messages))
        .at(Scope::Read, routes!(list_timeline))
        .at(Scope::Reply, routes!(mark_conversation_as_read))
        .at(Scope::Read, routes!(list_activities))
        .at(Scope::Read, routes!(get_activity))
        .at(Scope::Read, routes!(get_message))
}

/// The identity rules of channels, each looked up once for a list.
pub(super) struct Rules<'h>(&'h Host, HashMap<String, IdentityRule>);

impl<'h> Rules<'h> {
    pub(super) fn new(host: &'h Host) -> Self {
        Self(host, HashMap::new())
    }

    pub(super) fn of(&mut self, channel: &str) -> &IdentityRule {
        let Self(host, known) = self;
        known.entry(channel.to_owned()).or_insert_with(|| IdentityRule::of(host, channel))
    }
}

/// Conversations, newest first.
#[utoipa::path(
    get, path = "/conversations", tag = "Conversations", params(Filter, Paging),
    responses((status = 200, body = List<Conversation>)),
)]
async fn list_conversations(
    State(api): State<Api>,
    principal: Principal,
    Query(filter): Query<Filter>,
    Query(paging): Query<Paging>,
) -> Answer<List<Conversation>> {
    let filter = filter.of(&principal)?;
    let page = api.host.inbox().conversations_of(filter, paging.place()?, paging.limit()?).await?;
    let mut rules = Rules::new(&api.host);
    Ok(Json(List::of(page, |row| {
        let rule = rules.of(&row.channel).clone();
        Conversation::of(row, &rule, None)
    })))
}

/// One conversation, with its messaging window.
#[utoipa::path(
    get, path = "/conversations/{id}", tag = "Conversations", params(("id" = ConversationRef, Path)),
    responses((status = 200, body = Conversation)),
)]
async fn get_conversation(State(api): State<Api>, Row(id): Row<ConversationId>) -> Answer<Conversation> {
    let row = api.host.inbox().conversation(id).await?;
    let rule = IdentityRule::of(&api.host, &row.channel);
    // Without its channel, a conversation can still be read.
    let window = match api.host.context(id).await {
        Ok(context) => Some(context.window),
        Err(harness_engine::HostError::NoChannel(..)) => None,
        Err(error) => return Err(error.into()),
    };
    Ok(Json(Conversation::of(row, &rule, window)))
}

/// The newest messages of a conversation before the cursor, in the platform's order.
#[utoipa::path(
    get, path = "/conversations/{id}/messages", tag = "Conversations",
    params(("id" = ConversationRef, Path), Paging), responses((status = 200, body = List<Message>)),
)]
async fn list_messages(
    State(api): State<Api>,
    Row(id): Row<ConversationId>,
    Query(paging): Query<Paging>,
) -> Answer<List<Message>> {
    let (limit, before) = (paging.limit()?, paging.place()?);
    let rule = IdentityRule::of(&api.host, &api.host.inbox().channel_of(id).await?);
    let page = api.host.inbox().timeline_before(id, before, limit).await?;
    Ok(Json(List::of(page, |row| Message::of(row, id, &rule).signed(&api.host))))
}

/// The newest messages and activities of a conversation before the cursor, in the platform's order.
#[utoipa::path(
    get, path = "/conversations/{id}/timeline", tag = "Conversations",
    params(("id" = ConversationRef, Path), Paging), responses((status = 200, body = List<TimelineItem>)),
)]
async fn list_timeline(
    State(api): State<Api>,
    Row(id): Row<ConversationId>,
    Query(paging): Query<Paging>,
) -> Answer<List<TimelineItem>> {
    let (limit, before) = (paging.limit()?, paging.place()?);
    let rule = IdentityRule::of(&api.host, &api.host.inbox().channel_of(id).await?);
    let page = api.host.inbox().entries_before(id, before, limit).await?;
    Ok(Json(List::of(page, |entry| match entry {
        ConversationEntry::Message(row) => {
            TimelineItem::Message(Box::new(Message::of(*row, id, &rule).signed(&api.host)))
        }
        ConversationEntry::Activity(row) => TimelineItem::Activity(Box::new(Activity::of(*row, &rule))),
    })))
}

/// One message.
#[utoipa::path(
    get, path = "/messages/{id}", tag = "Conversations", params(("id" = MessageRef, Path)),
    responses((status = 200, body = Message)),
)]
async fn get_message(State(api): State<Api>, Row(id): Row<MessageId>) -> Answer<Message> {
    let (conversation, row) = api.host.inbox().message(id).await?;
    let rule = IdentityRule::of(&api.host, &api.host.inbox().channel_of(conversation).await?);
    Ok(Json(Message::of(row, conversation, &rule).signed(&api.host)))
}

/// One activity.
#[utoipa::path(
    get, path = "/activities/{id}", tag = "Conversations", params(("id" = ActivityRef, Path)),
    responses((status = 200, body = Activity)),
)]
async fn get_activity(State(api): State<Api>, Row(id): Row<ActivityId>) -> Answer<Activity> {
    let row = api.host.inbox().activity(id).await?;
    let rule = IdentityRule::of(&api.host, &row.channel);
    Ok(Json(Activity::of(row, &rule)))
}

/// Marks all messages so far as read, and the sender's mentions in private notes as seen. The customer is not told.
#[utoipa::path(
    post, path = "/conversations/{id}/read", tag = "Conversations", params(("id" = ConversationRef, Path)),
    responses((status = 200, body = MarkedAsRead)),
)]
async fn mark_conversation_as_read(
    State(api): State<Api>,
    principal: Principal,
    Row(id): Row<ConversationId>,
) -> Answer<MarkedAsRead> {
    if let Some(user) = principal.user_id() {
        api.host.see_mentions(user, id).await?;
    }
    Ok(Json(MarkedAsRead { read: api.host.inbox().mark_read(id, api.host.clock().now()).await? }))
}

/// Which activities are asked for.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct WhichActivities {
    /// Those of this conversation.
    conversation_id: Option<ConversationRef>,
    /// Those of this account.
    account_id: Option<AccountRef>,
    /// Those of this kind, such as `comment`.
    kind: Option<String>,
    /// Those that happened at this time or later.
    from: Option<Time>,
    /// Those that happened before this time.
    to: Option<Time>,
}

/// What is no message, newest first: comments, mentions, handovers, referrals, opt-ins, what the platform says of an
/// account, what could not be read.
#[utoipa::path(
    get, path = "/activities", tag = "Conversations", params(WhichActivities, Paging),
    responses(
        (status = 200, body = List<Activity>),
        (status = 404, description = "There is no such conversation or account."),
    ),
)]
async fn list_activities(
    State(api): State<Api>,
    principal: Principal,
    Query(which): Query<WhichActivities>,
    Query(paging): Query<Paging>,
) -> Answer<List<Activity>> {
    let (limit, before) = (paging.limit()?, paging.place()?);
    let WhichActivities { conversation_id, account_id, kind, from, to } = which;
    let (conversation, account) = (conversation_id.map(|Id(id)| id), account_id.map(|Id(id)| id));
    if let Some(id) = conversation {
        api.own(&principal, id).await.map_err(|error| error.at("conversation_id"))?;
    }
    if let Some(id) = account {
        api.own(&principal, id).await.map_err(|error| error.at("account_id"))?;
    }
    let millis = |Time(at): Time| at;
    let filter = ActivityFilter {
        workspace: Some(principal.workspace),
        account,
        conversation,
        kind,
        from: from.map(millis),
        to: to.map(millis),
    };
    let page = api.host.inbox().activities_before(filter, before, limit).await?;
    let mut rules = Rules::new(&api.host);
    Ok(Json(List::of(page, |row: ActivityView| {
        let rule = rules.of(&row.channel).clone();
        Activity::of(row, &rule)
    })))
}
