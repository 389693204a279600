//! Owns: the team's part of a conversation: who takes care of it, its state, collection, labels, saved replies.
//! Does not own: the rules (the engine), the messages, private notes (`notes`).

use axum::{
    Form,
    extract::{Path, RawQuery, State, rejection::FormRejection},
    http::StatusCode,
    response::{IntoResponse as _, Response},
};
use harness_engine::{Host, HostError};
use harness_inbox::{
    CannedAnswerId, CannedAnswerView, CollectionView, ConversationChange, ConversationId, ConversationState,
    ConversationSummary, InboxError, LabelChange, LabelId, LabelView, NewState, Organised, PublicId, SavedView, UserId,
    UserView,
};
use maud::{Markup, html};

use super::{
    Desk,
    here::{Here, is_here},
};
use crate::pages::{
    error,
    parts::{avatar, icon},
    reader::Reader,
    redirect::see,
    times,
    words::fill,
};

/// An hour, in milliseconds.
const HOUR: u64 = 3_600_000;
/// The color of labels made here.
const COLOR: &str = "gray";
/// The most conversations that are changed by one form.
const MANY: usize = 200;

/// What a team shares.
pub(super) struct Team {
    pub(super) users: Vec<UserView>,
    pub(super) labels: Vec<LabelView>,
    pub(super) collections: Vec<CollectionView>,
    pub(super) canned: Vec<CannedAnswerView>,
    /// The reader's saved views, and those that the team shares.
    pub(super) views: Vec<SavedView>,
    /// The conversations with mentions of the reader that they have not seen, and how many.
    pub(super) mentions: Vec<(ConversationId, u64)>,
}

impl Team {
    pub(super) async fn load(host: &Host, reader: &Reader) -> Result<Self, InboxError> {
        let (inbox, workspace) = (host.inbox(), reader.workspace);
        let mentions = async {
            match reader.user {
                Some(user) => inbox.unseen_mentions(user).await,
                None => Ok(Vec::new()),
            }
        };
        let (users, labels, collections, canned, views, mentions) = tokio::try_join!(
            inbox.users(workspace),
            inbox.labels(workspace),
            inbox.collections(workspace),
            inbox.canned_answers(workspace),
            inbox.saved_views(workspace, reader.user),
            mentions,
        )?;
        Ok(Self { users, labels, collections, canned, views, mentions })
    }

    pub(super) fn name_of(&self, user: UserId) -> Option<&str> {
        self.users.iter().find(|known| known.id == user).map(|user| user.name.as_str())
    }

    pub(super) fn label(&self, id: LabelId) -> Option<&LabelView> {
        self.labels.iter().find(|label| label.id == id)
    }
}

/// Closing and the other states, in the head of the thread.
pub(super) fn state(summary: &ConversationSummary, query: &str, now: i64, reader: &Reader) -> Markup {
    let words = reader.words;
    let action = format!("/inbox/{}/organise{query}", summary.id.public());
    let stays_closed = summary.continued_in.is_some();
    let snoozed = summary.snoozed_until.and_then(|until| i64::try_from(until).ok());
    html! {
        @match (summary.state, snoozed) {
            (ConversationState::Snoozed, Some(until)) => span.chip.if-two-panes { (icon("clock")) (fill(&words.snoozed, &[("time", &times::moment_inside(until, now, reader))])) },
            (ConversationState::Pending, _) => span.chip.if-two-panes { (icon("clock")) (words.pending) },
            (ConversationState::Closed, _) => span.chip.if-two-panes data-tone="closed" { (icon("archive")) (words.closed_at) },
            _ => {},
        }
        @if !stays_closed {
            form method="post" action=(action) data-organise {
                @if summary.state == ConversationState::Closed {
                    button.btn.small name="state" value="open" { (icon("undo")) (words.reopen) }
                } @else {
                    button.btn.small.if-two-panes id="close" name="state" value="closed" aria-keyshortcuts="e" { (icon("archive")) (words.close) }
                }
            }
        }
        details.menu {
            summary.btn.icon.small.quiet id="more-actions" aria-label=(words.more_actions) { (icon("more")) }
            div { form method="post" action=(action) data-organise {
                input type="hidden" name="if_assignee" value=(summary.assignee.map(PublicId::public).unwrap_or_default());
                @if let Some(me) = reader.user { button.btn.quiet.small name="assignee" value=(me.public()) { (icon("person")) (words.take_it) } }
                @if summary.state != ConversationState::Closed { button.btn.quiet.small name="state" value="closed" { (icon("archive")) (words.close) } }
                @if summary.state != ConversationState::Open && !stays_closed { button.btn.quiet.small name="state" value="open" { (icon("undo")) (words.reopen) } }
                button.btn.quiet.small id="mark-unread" formaction={ "/inbox/" (summary.id.public()) "/unread" } aria-keyshortcuts="u" { (icon("eye")) (words.find.mark_unread) }
                @if !stays_closed {
                    button.btn.quiet.small name="snooze" value="1" { (icon("clock")) (words.snooze_hour) }
                    button.btn.quiet.small name="snooze" value="24" { (icon("clock")) (words.snooze_day) }
                    button.btn.quiet.small name="state" value="pending" { (icon("person")) (words.set_pending) }
                }
            } }
        }
    }
}

/// Assignee, collection and labels, in the contact's panel.
pub(super) fn section(summary: &ConversationSummary, team: &Team, query: &str, reader: &Reader) -> Markup {
    let words = reader.words;
    let action = format!("/inbox/{}/organise{query}", summary.id.public());
    let people = team.users.iter().filter(|user| user.disabled_at.is_none() || summary.assignee == Some(user.id));
    html! {
        section.stack {
            h3 { (words.handled_by) }
            @if !team.users.is_empty() {
                form.line method="post" action=(action) data-organise {
                    input type="hidden" name="if_assignee" value=(summary.assignee.map(PublicId::public).unwrap_or_default());
                    select.input.small id="assignee" name="assignee" aria-label=(words.assigned_to) {
                        option value="" selected[summary.assignee.is_none()] { (words.nobody) }
                        @for user in people {
                            option value=(user.id.public()) selected[summary.assignee == Some(user.id)] {
                                (user.name) @if reader.user == Some(user.id) { " (" (words.myself) ")" }
                            }
                        }
                    }
                    button.btn.small.no-script { (words.save) }
                }
            }
            @if !team.collections.is_empty() {
                form.line method="post" action=(action) data-organise {
                    select.input.small name="collection" aria-label=(words.collection) {
                        option value="" selected[summary.collection.is_none()] { (words.no_collection) }
                        @for one in &team.collections {
                            option value=(one.id.public()) selected[summary.collection == Some(one.id)] { (one.name) }
                        }
                    }
                    button.btn.small.no-script { (words.save) }
                }
            }
            form.line.wrap method="post" action=(action) data-organise {
                @for label in summary.labels.iter().filter_map(|id| team.label(*id)) {
                    button.chip name="label_remove" value=(label.id.public()) data-tone="accent" aria-label=(fill(&words.remove, &[("name", &label.name)])) {
                        bdi { (label.name) } (icon("x"))
                    }
                }
            }
            form.line method="post" action=(action) data-organise {
                input.input.small id="label" name="label_new" list="labels" maxlength="60" placeholder=(words.add_label) aria-label=(words.add_label) autocomplete="off";
                datalist id="labels" { @for label in &team.labels { option value=(label.name) {} } }
                button.btn.small.no-script { (words.save) }
            }
        }
    }
}

/// The saved replies, which the script offers after `/`.
pub(super) fn canned(team: &Team, reader: &Reader) -> Markup {
    html! {
        @if !team.canned.is_empty() {
            ul id="canned" role="listbox" aria-label=(reader.words.saved_replies) hidden {
                @for answer in &team.canned {
                    li role="option" id={ "o-" (answer.id.public()) } data-canned=(answer.id.public()) data-shortcut=(answer.shortcut) {
                        kbd { "/" (answer.shortcut) } " " strong { (answer.title) } " " span.muted.cut { (answer.text) }
                    }
                }
            }
        }
    }
}

/// The colleagues, whom the script offers after `@` in a note.
pub(super) fn mentions(team: &Team, reader: &Reader) -> Markup {
    html! {
        ul id="mentions" role="listbox" aria-label=(reader.words.composer.colleagues) hidden {
            @for user in team.users.iter().filter(|user| user.disabled_at.is_none()) {
                li role="option" id={ "o-" (user.id.public()) } data-mention=(user.name) { (avatar(&user.name, &user.name, "s", None)) bdi { (user.name) } }
            }
        }
    }
}

/// The people who take care of a conversation, in the list.
pub(super) fn assignee(summary: &ConversationSummary, team: &Team, reader: &Reader) -> Option<String> {
    let user = summary.assignee?;
    if reader.user == Some(user) {
        Some(reader.words.myself.to_string())
    } else {
        team.name_of(user).map(str::to_owned)
    }
}

/// Who writes: beside the composer.
pub(super) fn face(reader: &Reader) -> Markup {
    avatar(&reader.name, &reader.name, "s", None)
}

/// `POST …/organise`: one change of state, assignee, collection or label.
pub(super) async fn organise(
    State(desk): State<Desk>,
    Here(summary): Here,
    RawQuery(query): RawQuery,
    reader: Reader,
    form: Result<Form<Vec<(String, String)>>, FormRejection>,
) -> Response {
    let Ok(Form(fields)) = form else { return error::no_form(&reader) };
    match change(&desk, summary.id, &fields, &reader).await {
        Ok(None) => {
            let query = query.map(|query| format!("?{query}")).unwrap_or_default();
            see(&format!("/inbox/{}{query}", summary.id.public()))
        }
        Ok(Some(first)) => {
            let team = Team::load(&desk.host, &reader).await.ok();
            let name = first.and_then(|user| team.as_ref()?.name_of(user).map(str::to_owned));
            let name = name.unwrap_or_else(|| reader.words.nobody.to_string());
            let sentence = fill(&reader.words.others_first, &[("name", &name)]);
            error::page(&reader, StatusCode::CONFLICT, &sentence, &reader.words.others_first_hint)
        }
        Err(failed) => error::failed(&reader, &failed),
    }
}

/// A field of a form.
pub(super) fn given<'f>(fields: &'f [(String, String)], name: &str) -> Option<&'f str> {
    fields.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
}

/// Does what the form says. `Some`: somebody else was first.
async fn change(
    desk: &Desk,
    id: ConversationId,
    fields: &[(String, String)],
    reader: &Reader,
) -> Result<Option<Option<UserId>>, HostError> {
    let host = &desk.host;
    let given = |name: &str| given(fields, name);
    let missing = |what: &'static str| InboxError::NotFound { what, id: String::new() };
    let mut wanted = ConversationChange {
        state: match given("state") {
            Some("open") => Some(NewState::Open),
            Some("pending") => Some(NewState::Pending),
            Some("closed") => Some(NewState::Closed),
            _ => None,
        },
        ..ConversationChange::default()
    };
    if let Some(hours) = given("snooze").and_then(|hours| hours.parse::<u64>().ok()).filter(|hours| *hours <= 24 * 30) {
        wanted.state = Some(NewState::Snoozed(host.clock().now() + hours * HOUR));
    }
    if let Some(user) = given("assignee") {
        let user = if user.is_empty() { None } else { Some(UserId::from_public(user).map_err(|_| missing("user"))?) };
        wanted.assignee = Some(user);
    }
    if let Some(before) = given("if_assignee").filter(|_| wanted.assignee.is_some()) {
        wanted.if_assignee = Some(UserId::from_public(before).ok());
    }
    if let Some(one) = given("collection") {
        let one =
            if one.is_empty() { None } else { Some(PublicId::from_public(one).map_err(|_| missing("collection"))?) };
        wanted.collection = Some(one);
    }
    if wanted != ConversationChange::default() {
        let mut changed = host.change_conversation(id, wanted).await?;
        // Whoever assigned it themselves, in another tab or a moment ago, was not overtaken.
        if let Organised::AssignedBefore(first) = changed
            && first.is_some()
            && first == reader.user
        {
            changed = host.change_conversation(id, ConversationChange { if_assignee: Some(first), ..wanted }).await?;
        }
        if let Organised::AssignedBefore(first) = changed {
            return Ok(Some(first));
        }
    }
    if let Some(label) = given("label_remove").and_then(|label| LabelId::from_public(label).ok()) {
        host.change_labels(id, LabelChange::Remove(vec![label])).await?;
    }
    if let Some(name) = given("label_new").map(str::trim).filter(|name| !name.is_empty()) {
        let label = label_named(host, name, reader).await?;
        host.change_labels(id, LabelChange::Add(vec![label])).await?;
    }
    Ok(None)
}

/// The label of this name, which is made where there is none.
async fn label_named(host: &Host, name: &str, reader: &Reader) -> Result<LabelId, HostError> {
    let known = async || {
        let labels = host.inbox().labels(reader.workspace).await?;
        Ok::<_, HostError>(labels.into_iter().find(|label| label.name == name).map(|label| label.id))
    };
    if let Some(label) = known().await? {
        return Ok(label);
    }
    match host.add_label(reader.workspace, name, COLOR).await {
        // Somebody else made it meanwhile.
        Err(taken @ HostError::Inbox(InboxError::NameTaken { .. })) => known().await?.ok_or(taken),
        added => added,
    }
}

/// `POST /inbox/many`: the same for several conversations.
pub(super) async fn many(
    State(desk): State<Desk>,
    RawQuery(query): RawQuery,
    reader: Reader,
    form: Result<Form<Vec<(String, String)>>, FormRejection>,
) -> Response {
    let Ok(Form(fields)) = form else { return error::no_form(&reader) };
    let ids = fields.iter().filter(|(name, _)| name == "id");
    let ids: Vec<ConversationId> = ids.filter_map(|(_, id)| ConversationId::from_public(id).ok()).collect();
    if ids.len() > MANY {
        let sentence = fill(&reader.words.find.too_many, &[("n", &ids.len().to_string()), ("max", &MANY.to_string())]);
        return error::page(&reader, StatusCode::UNPROCESSABLE_ENTITY, &sentence, &reader.words.find.too_many_hint);
    }
    // It goes on to its end, also where whoever asked for it is gone by then.
    let by = reader.clone();
    let changed = tokio::spawn(async move { change_all(&desk, &ids, &fields, &by).await }).await;
    match changed {
        Ok(Ok(())) => see(&format!("/inbox{}", query.map(|query| format!("?{query}")).unwrap_or_default())),
        Ok(Err(failed)) => error::failed(&reader, &failed),
        Err(_) => error::ours(&reader),
    }
}

/// Changes each of them, and says what failed first. One that fails keeps the others from nothing.
async fn change_all(
    desk: &Desk,
    ids: &[ConversationId],
    fields: &[(String, String)],
    reader: &Reader,
) -> Result<(), HostError> {
    let marks_unread = fields.iter().any(|(name, _)| name == "unread");
    let mut first = Ok(());
    for &id in ids {
        if !is_here(desk, id, reader).await {
            continue;
        }
        let changed = async {
            if marks_unread {
                desk.host.inbox().mark_unread(id, desk.host.clock().now()).await?;
            }
            change(desk, id, fields, reader).await
        };
        match changed.await {
            // One that goes on in another conversation stays as it is.
            Ok(_) | Err(HostError::Inbox(InboxError::Continued { .. })) => {}
            Err(failed) => first = first.and(Err(failed)),
        }
    }
    first
}

/// `POST …/unread`: lets a conversation stand out again.
pub(super) async fn unread(State(desk): State<Desk>, Here(summary): Here, reader: Reader) -> Response {
    match desk.host.inbox().mark_unread(summary.id, desk.host.clock().now()).await {
        Ok(_) => see("/inbox"),
        Err(failed) => error::failed(&reader, &failed.into()),
    }
}

/// `GET …/canned/{answer}`: a saved reply with its variables filled in, as text.
pub(super) async fn fill_canned(
    State(desk): State<Desk>,
    Path((conversation, answer)): Path<(String, String)>,
    reader: Reader,
) -> Response {
    let ids = (ConversationId::from_public(&conversation), CannedAnswerId::from_public(&answer));
    let (Ok(conversation), Ok(answer)) = ids else { return error::no_page(&reader) };
    if !is_here(&desk, conversation, &reader).await || !is_here(&desk, answer, &reader).await {
        return error::no_page(&reader);
    }
    match desk.host.fill_canned_answer(answer, conversation, Some(&reader.name)).await {
        Ok(filled) => filled.text.into_response(),
        Err(failed) => error::failed(&reader, &failed),
    }
}
