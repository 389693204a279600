//! Owns: paged lists: conversations, messages, activities; marking as read.
//! Does not own: how a page is found (the inbox).

use axum::{
    extract::State,
    http::{HeaderMap, HeaderValue, header},
    routing::{get, post},
};
use harness_inbox::{ActivityView, ConversationId, ConversationSummary, Page, Place, TimelineEntry};
use serde::{Deserialize, Serialize};

use super::{
    Answer, Api, ApiError, Routes,
    extract::{Json, Path, Query},
};
use crate::auth::Scope;

/// Maximum number of entries per page.
const MAX_PAGE: usize = 500;
/// Default number of entries per page.
const PAGE: usize = 50;

pub(super) fn routes() -> Routes {
    const PAGED: &[&str] = &["limit", "before"];
    const ACTIVITIES: &[&str] = &["limit", "before", "conversation", "kind"];
    Routes::default()
        .taking("/conversations", Scope::Read, PAGED, get(conversations))
        .taking("/conversations/{id}/messages", Scope::Read, PAGED, get(messages))
        .at("/conversations/{id}/read", Scope::Reply, post(read))
        .taking("/activities", Scope::Read, ACTIVITIES, get(activities))
}

/// The requested page and its filters.
#[derive(Deserialize)]
struct Asked {
    limit: Option<String>,
    before: Option<String>,
    conversation: Option<String>,
    kind: Option<String>,
}

impl Asked {
    fn limit(&self) -> Result<usize, ApiError> {
        let Some(limit) = &self.limit else { return Ok(PAGE) };
        match limit.parse() {
            Ok(limit @ 1..) => Ok(MAX_PAGE.min(limit)),
            _ => Err(bad(format!("`limit` is how many entries a page has: a number from 1 to {MAX_PAGE}"))),
        }
    }

    fn before(&self) -> Result<Option<Place>, ApiError> {
        let place = self.before.as_deref().map(str::parse).transpose();
        place.map_err(|_| bad("`before` is where an earlier page ended: take it from that page's `Link` header".into()))
    }

    fn conversation(&self) -> Result<Option<ConversationId>, ApiError> {
        let id = self.conversation.as_deref().map(str::parse).transpose();
        id.map_err(|_| bad("`conversation` is a conversation's id: a number".into()))
    }
}

fn bad(sentence: String) -> ApiError {
    ApiError::bad("bad_parameter", sentence)
}

/// One page. A `Link` header with `rel="next"`, relative to the requested address, points to older entries.
type Listed<T> = Result<(HeaderMap, Json<Vec<T>>), ApiError>;

fn listed<T>(page: Page<T>, limit: usize, more: &str) -> (HeaderMap, Json<Vec<T>>) {
    let mut headers = HeaderMap::new();
    if let Some(next) = page.next
        && let Ok(link) = HeaderValue::from_str(&format!("<?limit={limit}{more}&before={next}>; rel=\"next\""))
    {
        headers.insert(header::LINK, link);
    }
    (headers, Json(page.entries))
}

async fn conversations(State(api): State<Api>, Query(asked): Query<Asked>) -> Listed<ConversationSummary> {
    let limit = asked.limit()?;
    Ok(listed(api.host.inbox().conversations_before(asked.before()?, limit).await?, limit, ""))
}

async fn messages(
    State(api): State<Api>,
    Path(id): Path<ConversationId>,
    Query(asked): Query<Asked>,
) -> Listed<TimelineEntry> {
    let (limit, before) = (asked.limit()?, asked.before()?);
    api.host.inbox().channel_of(id).await?;
    Ok(listed(api.host.inbox().timeline_before(id, before, limit).await?, limit, ""))
}

async fn activities(State(api): State<Api>, Query(asked): Query<Asked>) -> Listed<ActivityView> {
    let (limit, before, conversation) = (asked.limit()?, asked.before()?, asked.conversation()?);
    if let Some(id) = conversation {
        api.host.inbox().channel_of(id).await.map_err(|error| ApiError::from(error).at("conversation"))?;
    }
    let mut more = conversation.map(|id| format!("&conversation={id}")).unwrap_or_default();
    if let Some(kind) = &asked.kind {
        more.extend(["&kind=".into(), url::form_urlencoded::byte_serialize(kind.as_bytes()).collect::<String>()]);
    }
    Ok(listed(api.host.inbox().activities_before(conversation, asked.kind, before, limit).await?, limit, &more))
}

#[derive(Serialize)]
struct Marked {
    /// The number of messages that were unread.
    read: usize,
}

/// `POST`: marks all messages so far as read. The customer is not told.
async fn read(State(api): State<Api>, Path(id): Path<ConversationId>) -> Answer<Marked> {
    Ok(Json(Marked { read: api.host.inbox().mark_read(id, api.host.clock().now()).await? }))
}
