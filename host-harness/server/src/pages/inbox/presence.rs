//! Owns: who looks at a conversation at the moment, and who writes in it: in memory, for as long as their pages say so.
//! Does not own: whose conversation it is (`team`), the stream that tells of it (`live`).

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use axum::{
    Form,
    extract::{State, rejection::FormRejection},
    http::StatusCode,
    response::Response,
};
use harness_inbox::{ConversationId, UserId, WorkspaceId};
use maud::{Markup, html};
use serde::Deserialize;
use tokio::{sync::broadcast, time::Instant};

use super::{Desk, here::Here, part, typing};
use crate::pages::{
    error,
    parts::{avatar, icon},
    reader::Reader,
    words::fill,
};

/// For how long a page that says nothing more counts. Pages say that they are there three times as often.
const LASTS: Duration = Duration::from_secs(30);
/// Pages that are known at once. Further ones are not shown to others.
const MOST: usize = 5000;
/// Those of one person, so that nobody takes the places of the others.
const MOST_OF_ONE: usize = 50;
/// Characters of a page's own id.
const MAX_TAB: usize = 40;
/// Changes that wait for a slow stream; one that misses some asks for everything.
const WAITING: usize = 64;

/// A page with a conversation.
#[derive(Clone)]
struct Open {
    workspace: WorkspaceId,
    conversation: ConversationId,
    user: Option<UserId>,
    name: Arc<str>,
    writes: bool,
    until: Instant,
}

/// Who is where. Cloning shares it.
#[derive(Clone)]
pub(super) struct Presence {
    pages: Arc<Mutex<HashMap<String, Open>>>,
    news: broadcast::Sender<(WorkspaceId, ConversationId)>,
}

impl Presence {
    pub(super) fn new() -> Self {
        Self { pages: Arc::default(), news: broadcast::channel(WAITING).0 }
    }

    fn pages(&self) -> MutexGuard<'_, HashMap<String, Open>> {
        self.pages.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Conversations of which others are to hear.
    pub(super) fn news(&self) -> broadcast::Receiver<(WorkspaceId, ConversationId)> {
        self.news.subscribe()
    }

    /// A page says that it is there, or with `None` that it goes.
    fn note(&self, tab: String, open: Option<Open>) {
        let mut pages = self.pages();
        let now = Instant::now();
        pages.retain(|_, open| open.until > now);
        let concerns = |open: &Open| (open.workspace, open.conversation);
        let before = match open.clone() {
            Some(open)
                if !pages.contains_key(&tab) && (pages.len() >= MOST || of_one(&pages, &open) >= MOST_OF_ONE) =>
            {
                return;
            }
            Some(open) => pages.insert(tab, open),
            None => pages.remove(&tab),
        };
        drop(pages);
        let same = |one: &Open, other: &Open| concerns(one) == concerns(other) && one.writes == other.writes;
        let changed = match (&before, &open) {
            (Some(before), Some(open)) if same(before, open) => return,
            (before, open) => [before.as_ref().map(concerns), open.as_ref().map(concerns)],
        };
        for of in changed.into_iter().flatten() {
            // Nobody may listen.
            let _ = self.news.send(of);
        }
    }

    /// The others who have a conversation open: their names, and whether they write. Each once.
    fn others(&self, conversation: ConversationId, reader: &Reader) -> Vec<(Arc<str>, bool)> {
        let now = Instant::now();
        let mut found: Vec<(Arc<str>, bool)> = Vec::new();
        for open in self.pages().values().filter(|open| open.conversation == conversation && open.until > now) {
            if open.user == reader.user {
                continue;
            }
            match found.iter_mut().find(|(name, _)| *name == open.name) {
                Some((_, writes)) => *writes |= open.writes,
                None => found.push((open.name.clone(), open.writes)),
            }
        }
        found.sort();
        found
    }
}

/// How many pages are open to whoever has this one.
fn of_one(pages: &HashMap<String, Open>, open: &Open) -> usize {
    pages.values().filter(|other| (other.workspace, other.user) == (open.workspace, open.user)).count()
}

/// What somebody is writing.
#[derive(Deserialize, PartialEq)]
#[serde(rename_all = "lowercase")]
enum Writes {
    Reply,
    /// For the team alone.
    Note,
}

#[derive(Deserialize)]
pub(super) struct Said {
    tab: String,
    writes: Option<Writes>,
    gone: Option<String>,
}

/// `POST …/here`: the page of a reader is open. Answers with who else is there.
pub(super) async fn here(
    State(desk): State<Desk>,
    Here(summary): Here,
    reader: Reader,
    form: Result<Form<Said>, FormRejection>,
) -> Response {
    let Ok(Form(said)) = form else { return error::no_form(&reader) };
    if said.tab.is_empty() || said.tab.len() > MAX_TAB {
        return error::no_form(&reader);
    }
    // Nobody speaks for the page of another one.
    let tab = format!("{:?} {}", reader.user, said.tab);
    let open = said.gone.is_none().then(|| Open {
        workspace: reader.workspace,
        conversation: summary.id,
        user: reader.user,
        name: reader.name.clone(),
        writes: said.writes.is_some(),
        until: Instant::now() + LASTS,
    });
    desk.presence.note(tab, open);
    if said.writes == Some(Writes::Reply) && said.gone.is_none() {
        typing::show(&desk, summary.id, &reader).await;
    }
    part(StatusCode::OK, shown(&desk.presence.others(summary.id, &reader), &reader))
}

/// The bar over the messages.
pub(super) fn shown(others: &[(Arc<str>, bool)], reader: &Reader) -> Markup {
    let words = reader.words;
    html! {
        div.bar id="presence" data-tone="human" role="status" hidden[others.is_empty()] {
            @for (name, writes) in others {
                span.line {
                    (avatar(name, name, "s", None))
                    span { (fill(if *writes { &words.is_writing } else { &words.is_looking }, &[("name", name)])) }
                    @if *writes { (icon("pen")) }
                }
            }
        }
    }
}
