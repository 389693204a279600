//! Workspaces: nothing crosses. Every route that the API describes is asked by a sender of another workspace, and one that
//! this file does not know makes it fail.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    reason = "a test fails by panicking"
)]

use std::collections::{BTreeMap, BTreeSet};

use channel_tests::{
    API_TOKEN, Answer, World,
    dialog::Person,
    eventually, message, request,
    team::{PASSWORD, Team},
    text,
};
use harness_engine::ConnectStage;
use harness_inbox::{AccountState, ActivityFilter, ConversationId, MediaId, PublicId, ReplyId, UserId, WorkspaceId};
use harness_server::Scope;
use serde_json::{Value, json};
use simulator::{Config, Login};

/// What somebody of another workspace sees of a route.
#[derive(Clone, Copy, PartialEq)]
enum Foreign {
    /// The row that the address names does not exist for them.
    Row(&'static str),
    /// A list, without anything of others.
    List,
    /// It makes something in the sender's own workspace.
    Makes,
    /// It is about the sender, or about their workspace as a whole.
    Sender,
    /// It is for senders of the whole host.
    Host,
    /// The same as `/changes`, without an end.
    Feed,
    /// What all workspaces share: channels and their files.
    Shared,
    /// What is found is looked at in a test of its own.
    Found,
}

/// Every route, and what another workspace sees of it.
const ROUTES: &[(&str, &str, Foreign)] = &[
    ("get", "/accounts", Foreign::List),
    ("get", "/accounts/{id}", Foreign::Row("account")),
    ("delete", "/accounts/{id}", Foreign::Row("account")),
    ("patch", "/accounts/{id}", Foreign::Row("account")),
    ("get", "/accounts/{id}/check", Foreign::Row("account")),
    ("post", "/accounts/{id}/check", Foreign::Row("account")),
    ("put", "/accounts/{id}/entry-points", Foreign::Row("account")),
    ("post", "/accounts/{id}/fetch-history", Foreign::Row("account")),
    ("post", "/accounts/{id}/renew", Foreign::Row("account")),
    ("get", "/activities", Foreign::List),
    ("get", "/activities/{id}", Foreign::Row("activity")),
    ("get", "/automation", Foreign::Sender),
    ("put", "/automation", Foreign::Sender),
    ("get", "/automation/accounts/{id}", Foreign::Row("account")),
    ("put", "/automation/accounts/{id}", Foreign::Row("account")),
    ("get", "/automation/accounts/{id}/decisions", Foreign::Row("account")),
    ("post", "/automation/accounts/{id}/dry-run", Foreign::Row("account")),
    ("put", "/automation/accounts/{id}/model-key", Foreign::Row("account")),
    ("delete", "/automation/accounts/{id}/model-key", Foreign::Row("account")),
    ("post", "/automation/conversations/{id}/dry-run", Foreign::Row("conversation")),
    ("post", "/automation/conversations/{id}/hand-back", Foreign::Row("conversation")),
    ("post", "/automation/conversations/{id}/hand-over", Foreign::Row("conversation")),
    ("get", "/canned-answers", Foreign::List),
    ("post", "/canned-answers", Foreign::Makes),
    ("put", "/canned-answers/{id}", Foreign::Row("canned_answer")),
    ("delete", "/canned-answers/{id}", Foreign::Row("canned_answer")),
    ("post", "/canned-answers/{id}/fill", Foreign::Row("canned_answer")),
    ("get", "/changes", Foreign::List),
    ("get", "/channels", Foreign::Shared),
    ("post", "/channels/{id}/reset", Foreign::Host),
    ("get", "/collections", Foreign::List),
    ("post", "/collections", Foreign::Makes),
    ("patch", "/collections/{id}", Foreign::Row("collection")),
    ("delete", "/collections/{id}", Foreign::Row("collection")),
    ("post", "/connect", Foreign::Makes),
    ("get", "/connect/{ticket}", Foreign::Row("ticket")),
    ("post", "/connect/{ticket}/enter", Foreign::Row("ticket")),
    ("post", "/connect/{ticket}/select", Foreign::Row("ticket")),
    ("get", "/contacts", Foreign::List),
    ("get", "/contacts/{id}", Foreign::Row("contact")),
    ("get", "/conversations", Foreign::List),
    ("get", "/conversations/{id}", Foreign::Row("conversation")),
    ("patch", "/conversations/{id}", Foreign::Row("conversation")),
    ("post", "/conversations/{id}/labels", Foreign::Row("conversation")),
    ("put", "/conversations/{id}/labels", Foreign::Row("conversation")),
    ("delete", "/conversations/{id}/labels", Foreign::Row("conversation")),
    ("get", "/conversations/{id}/messages", Foreign::Row("conversation")),
    ("get", "/conversations/{id}/notes", Foreign::Row("conversation")),
    ("post", "/conversations/{id}/notes", Foreign::Row("conversation")),
    ("post", "/conversations/{id}/read", Foreign::Row("conversation")),
    ("post", "/conversations/{id}/replies", Foreign::Row("conversation")),
    ("get", "/conversations/{id}/timeline", Foreign::Row("conversation")),
    ("post", "/conversations/{id}/validate", Foreign::Row("conversation")),
    ("get", "/deliveries", Foreign::Host),
    ("post", "/deliveries/retry", Foreign::Host),
    ("get", "/deliveries/{id}", Foreign::Host),
    ("post", "/deliveries/{id}/replay", Foreign::Host),
    ("get", "/events", Foreign::Feed),
    ("get", "/health", Foreign::Host),
    ("get", "/invitations", Foreign::List),
    ("post", "/invitations", Foreign::Makes),
    ("post", "/invitations/accept", Foreign::Sender),
    ("delete", "/invitations/{id}", Foreign::Row("invitation")),
    ("get", "/labels", Foreign::List),
    ("post", "/labels", Foreign::Makes),
    ("patch", "/labels/{id}", Foreign::Row("label")),
    ("delete", "/labels/{id}", Foreign::Row("label")),
    ("get", "/me", Foreign::Sender),
    ("patch", "/me", Foreign::Sender),
    ("post", "/me/password", Foreign::Sender),
    ("get", "/media/{id}", Foreign::Row("media")),
    ("get", "/mentions", Foreign::Sender),
    ("get", "/messages/{id}", Foreign::Row("message")),
    ("get", "/notes/{id}", Foreign::Row("note")),
    ("patch", "/notes/{id}", Foreign::Row("note")),
    ("delete", "/notes/{id}", Foreign::Row("note")),
    ("get", "/replies/{id}", Foreign::Row("reply")),
    ("post", "/replies/{id}/send-again", Foreign::Row("reply")),
    ("post", "/replies/{id}/settle", Foreign::Row("reply")),
    ("get", "/search", Foreign::Found),
    ("get", "/session", Foreign::Sender),
    ("post", "/session", Foreign::Sender),
    ("delete", "/session", Foreign::Sender),
    ("delete", "/sessions", Foreign::Sender),
    ("get", "/tokens", Foreign::List),
    ("post", "/tokens", Foreign::Makes),
    ("delete", "/tokens/{id}", Foreign::Row("token")),
    ("get", "/settings/retention", Foreign::Host),
    ("patch", "/settings/retention", Foreign::Host),
    ("post", "/uploads", Foreign::Makes),
    ("get", "/uploads/{id}", Foreign::Row("upload")),
    ("get", "/users", Foreign::List),
    ("get", "/users/{id}", Foreign::Row("user")),
    ("patch", "/users/{id}", Foreign::Row("user")),
    ("get", "/views", Foreign::List),
    ("post", "/views", Foreign::Makes),
    ("patch", "/views/{id}", Foreign::Row("saved_view")),
    ("delete", "/views/{id}", Foreign::Row("saved_view")),
    ("get", "/webhooks", Foreign::List),
    ("post", "/webhooks", Foreign::Makes),
    ("get", "/webhooks/{id}", Foreign::Row("webhook")),
    ("patch", "/webhooks/{id}", Foreign::Row("webhook")),
    ("delete", "/webhooks/{id}", Foreign::Row("webhook")),
    ("get", "/webhooks/{id}/attempts", Foreign::Row("webhook")),
    ("post", "/webhooks/{id}/test", Foreign::Row("webhook")),
    ("get", "/workspaces", Foreign::Host),
    ("post", "/workspaces", Foreign::Host),
    ("patch", "/workspaces/{id}", Foreign::Host),
];

struct Two {
    world: World,
    team: Team,
    /// Of the second workspace.
    other: WorkspaceId,
    own_token: String,
    foreign_token: String,
    /// A row of the first workspace of each kind, and a row of that kind that does not exist.
    rows: BTreeMap<&'static str, (String, String)>,
}

impl Two {
    async fn new() -> Self {
        let world = World::new().await;
        let folder = tempfile::tempdir().unwrap();
        let team = Team::of(world.host.clone(), world.clock.clone(), folder).await;
        let made = team.operator("POST", "/api/v1/workspaces", &json!({ "name": "Other" })).await;
        assert_eq!(made.status, 201, "{}", made.body);
        let other = WorkspaceId::from_public(made.json()["id"].as_str().unwrap()).unwrap();
        let scopes = [Scope::Read, Scope::Reply, Scope::Accounts, Scope::Admin];
        let token =
            |workspace, name: &str| team.tokens.create_in(workspace, name, &scopes, None, world.clock.now()).unwrap();
        let (own_token, foreign_token) = (token(WorkspaceId::FIRST, "own"), token(other, "foreign"));
        let rows = rows(&world, &team, &own_token).await;
        Self { world, team, other, own_token, foreign_token, rows }
    }

    /// A request that would be right in every other way.
    async fn ask(&self, token: &str, method: &str, path: &str) -> Answer {
        let shown = format!("Bearer {token}");
        let headers =
            [("authorization", shown.as_str()), ("content-type", "application/json"), ("idempotency-key", "foreign")];
        let body = match path.rsplit('/').next().unwrap() {
            "replies" | "validate" => {
                json!({ "sender": {"kind": "human", "id": "k"}, "parts": [{"text": {"text": "hi"}}] })
            }
            "settle" => json!({ "delivered": true }),
            "select" => json!({ "candidate": "1" }),
            "enter" => json!({ "values": {} }),
            _ => json!({}),
        };
        let body = if method == "get" { Vec::new() } else { body.to_string().into_bytes() };
        let url = format!("{}/api/v1{path}", self.team.address);
        request(&method.to_uppercase(), &url, &headers, body).await
    }
}

/// Rows of the first workspace.
async fn rows(world: &World, team: &Team, token: &str) -> BTreeMap<&'static str, (String, String)> {
    let customer = world.sim.customer(Config::DEMO_CUSTOMER);
    customer.photo("https://lookaside.fbsbx.com/ig_messaging_cdn/?asset_id=1&signature=demo").await;
    world.settled().await;
    let conversation = world.conversation(Config::DEMO_CUSTOMER).await;
    let reply = world.reply(conversation, "own", message(vec![text("hi")])).await.id;
    let media = world.timeline(Config::DEMO_CUSTOMER).await.iter().find_map(|entry| Some(entry.media.first()?.id));
    let account = world.host.inbox().accounts().await.unwrap()[0].id;
    let first = world.timeline(Config::DEMO_CUSTOMER).await.into_iter().next().unwrap();
    let contact = world.host.inbox().conversation(conversation).await.unwrap().contact_id;
    customer.comment("17900000000000001", "nice").await;
    world.settled().await;
    let activity = eventually("the comment", async || {
        let found = world.host.inbox().activities_before(ActivityFilter::default(), None, 1).await.unwrap();
        found.entries.first().map(|activity| activity.id)
    })
    .await;
    let upload = world.host.store_upload(b"prices".to_vec().into(), None, None).await.unwrap();
    team.join("kim@shop.example", "admin").await;
    let user = world.host.inbox().users(WorkspaceId::FIRST).await.unwrap()[0].id;
    team.invited(None, "lee@shop.example", "agent").await;
    let invitations = team.with_token(token, "GET", "/api/v1/invitations", &Value::Null).await.json();
    let tokens = team.with_token(token, "GET", "/api/v1/tokens", &Value::Null).await.json();
    let webhook = json!({ "url": "https://product.example/events" });
    let webhook = team.with_token(token, "POST", "/api/v1/webhooks", &webhook).await;
    assert_eq!(webhook.status, 201, "{}", webhook.body);
    let link = team.with_token(token, "POST", "/api/v1/connect", &json!({ "channel": "instagram" })).await;
    assert_eq!(link.status, 201, "{}", link.body);
    let text_of = |value: &Value| value.as_str().unwrap().to_owned();
    let made = async |path: &str, body: Value| {
        let made = team.with_token(token, "POST", &format!("/api/v1/{path}"), &body).await;
        assert_eq!(made.status, 201, "{path}: {}", made.body);
        text_of(&made.json()["id"])
    };
    let label = made("labels", json!({ "name": "VIP", "color": "blue" })).await;
    let collection = made("collections", json!({ "name": "Sales" })).await;
    let canned = json!({ "shortcut": "hi", "title": "Hello", "text": "Hello!" });
    let canned = made("canned-answers", canned).await;
    let view = made("views", json!({ "name": "Unread", "shared": true, "filters": { "unread": true } })).await;
    let note =
        made(&format!("conversations/{}/notes", conversation.public()), json!({ "text": "a secret plan" })).await;
    let missing = |prefix_of: String| {
        let (prefix, rest) = prefix_of.split_once('_').unwrap();
        format!("{prefix}_{}", "0".repeat(rest.len()))
    };
    fn ids<T: PublicId>(id: T) -> (String, String) {
        (id.public(), T::from_number(987_654_321).public())
    }
    BTreeMap::from([
        ("account", ids(account)),
        ("activity", ids(activity)),
        ("contact", ids(contact)),
        ("message", ids(first.id)),
        ("canned_answer", (canned, harness_inbox::CannedAnswerId::new(987_654_321).public())),
        ("collection", (collection, harness_inbox::CollectionId::new(987_654_321).public())),
        ("conversation", ids::<ConversationId>(conversation)),
        ("label", (label, harness_inbox::LabelId::new(987_654_321).public())),
        ("note", (note, harness_inbox::NoteId::new(987_654_321).public())),
        ("media", ids::<MediaId>(media.unwrap())),
        ("reply", ids::<ReplyId>(reply)),
        ("saved_view", (view, harness_inbox::SavedViewId::new(987_654_321).public())),
        ("user", ids::<UserId>(user)),
        ("invitation", {
            let id = text_of(&invitations["data"][0]["id"]);
            (id, harness_inbox::InvitationId::new(987_654_321).public())
        }),
        ("token", {
            let id = text_of(&tokens["data"][0]["id"]);
            (id.clone(), missing(id))
        }),
        ("upload", (format!("upl_{}", upload.handle), format!("upl_{}", "A".repeat(22)))),
        ("webhook", (text_of(&webhook.json()["id"]), harness_inbox::WebhookId::new(987_654_321).public())),
        ("ticket", (text_of(&link.json()["ticket"]), "A".repeat(43))),
    ])
}

fn without_id(answer: &Answer) -> (u16, Value) {
    let mut body = serde_json::from_str(&answer.body).unwrap_or(Value::Null);
    if let Some(body) = body.as_object_mut() {
        body.remove("request_id");
    }
    (answer.status, body)
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_of_another_workspace_exists_on_any_route() {
    let two = Two::new().await;
    let document = two.team.operator("GET", "/api/v1/openapi.json", &Value::Null).await.json();
    let mut seen = BTreeSet::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for method in item.as_object().unwrap().keys() {
            let known = ROUTES.iter().find(|(known, at, _)| (*known, *at) == (method.as_str(), path.as_str()));
            let Some((_, _, foreign)) = known else {
                panic!("{method} {path}: say in this test what somebody of another workspace sees of it")
            };
            seen.insert((method.clone(), path.clone()));
            match foreign {
                Foreign::Row(kind) => {
                    let (own, missing) = &two.rows[kind];
                    let at = |id: &str| path.replace("{id}", id).replace("{ticket}", id);
                    let theirs = without_id(&two.ask(&two.foreign_token, method, &at(own)).await);
                    let nowhere = without_id(&two.ask(&two.foreign_token, method, &at(missing)).await);
                    assert_eq!(theirs.0, 404, "{method} {path}: {theirs:?}");
                    assert_eq!(theirs, nowhere, "{method} {path}");
                    if method == "get" {
                        let own = two.ask(&two.own_token, method, &at(own)).await;
                        assert!(own.status == 200 || own.body.contains("no_file_here"), "{path}: {}", own.body);
                    }
                }
                Foreign::List => {
                    let ids = |answer: Answer| -> BTreeSet<String> {
                        assert_eq!(answer.status, 200, "{path}: {}", answer.body);
                        let list = answer.json();
                        list["data"].as_array().unwrap().iter().map(|one| one["id"].to_string()).collect()
                    };
                    // The feed begins where the reader says.
                    let from_the_start = if path == "/changes" { "/changes?after=0" } else { path.as_str() };
                    let own = ids(two.ask(&two.own_token, method, from_the_start).await);
                    let theirs = ids(two.ask(&two.foreign_token, method, from_the_start).await);
                    assert!(own.is_disjoint(&theirs), "{path}: {theirs:?}");
                    assert!(!own.is_empty() || path == "/activities", "{path} proves nothing");
                    // Their own token, and what became of their workspace.
                    let may_have = matches!(path.as_str(), "/tokens" | "/changes");
                    assert!(may_have || theirs.is_empty(), "{path}: {theirs:?}");
                }
                Foreign::Host => {
                    let answer = two.ask(&two.own_token, method, &path.replace("{id}", "instagram")).await;
                    assert_eq!((answer.status, &answer.json()["code"]), (403, &json!("scope_missing")), "{path}");
                }
                Foreign::Makes | Foreign::Sender | Foreign::Feed | Foreign::Shared | Foreign::Found => {}
            }
        }
    }
    let gone: Vec<_> =
        ROUTES.iter().filter(|(method, path, _)| !seen.contains(&((*method).into(), (*path).into()))).collect();
    assert!(gone.is_empty(), "no such routes any more: {:?}", gone.iter().map(|one| one.1).collect::<Vec<_>>());
    // What they asked for changed nothing.
    let account = two.world.host.inbox().accounts().await.unwrap().remove(0);
    assert_eq!(account.state, AccountState::Connected);
    assert_eq!(two.world.host.inbox().users(WorkspaceId::FIRST).await.unwrap().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_in_a_body_or_a_query_is_looked_at_too() {
    let two = Two::new().await;
    let conversation = &two.rows["conversation"].0;
    let path = format!("/activities?conversation_id={conversation}");
    assert_eq!(two.ask(&two.own_token, "get", &path).await.status, 200);
    assert_eq!(two.ask(&two.foreign_token, "get", &path).await.status, 404);
    let path = format!("/search?q=hello&conversation_id={conversation}");
    assert_eq!(two.ask(&two.own_token, "get", &path).await.status, 200);
    assert_eq!(two.ask(&two.foreign_token, "get", &path).await.status, 404);
    // A file that another workspace has uploaded is none.
    let shown = format!("Bearer {}", two.foreign_token);
    let url = format!("{}/api/v1/uploads", two.team.address);
    let theirs = request("POST", &url, &[("authorization", &shown)], b"secret prices".to_vec()).await;
    assert_eq!(theirs.status, 201, "{}", theirs.body);
    let media = json!({ "kind": "file", "source": theirs.json()["source"] });
    let body = json!({ "sender": {"kind": "human", "id": "k"}, "parts": [{"media": [media]}] });
    let shown = format!("Bearer {}", two.own_token);
    let headers = [("authorization", shown.as_str()), ("content-type", "application/json"), ("idempotency-key", "1")];
    let url = format!("{}/api/v1/conversations/{conversation}/replies", two.team.address);
    let refused = request("POST", &url, &headers, body.to_string().into_bytes()).await;
    assert_eq!((refused.status, &refused.json()["code"]), (404, &json!("not_found")), "{}", refused.body);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_operator_chooses_the_workspace_and_nobody_else_does() {
    let two = Two::new().await;
    let other = two.other.public();
    let accounts = async |token: &str, workspace: &str| {
        let shown = format!("Bearer {token}");
        let headers = [("authorization", shown.as_str()), ("workspace", workspace)];
        request("GET", &format!("{}/api/v1/accounts", two.team.address), &headers, Vec::new()).await
    };
    let first = WorkspaceId::FIRST.public();
    assert_eq!(accounts(API_TOKEN, &first).await.json()["data"].as_array().unwrap().len(), 1);
    assert_eq!(accounts(API_TOKEN, &other).await.json()["data"], json!([]));
    assert_eq!(accounts(&two.own_token, &first).await.status, 200);
    for (token, workspace) in [
        (two.own_token.as_str(), other.as_str()),
        (&two.foreign_token, &first),
        (API_TOKEN, "1"),
        (API_TOKEN, ""),
        (API_TOKEN, &WorkspaceId::new(77).public()),
    ] {
        let answer = accounts(token, workspace).await;
        assert_eq!((answer.status, &answer.json()["code"]), (404, &json!("no_such_workspace")), "{workspace}");
    }
    // People belong to one, wherever they sign in.
    let sam = two.team.join_in(Some(&other), "sam@other.example", "admin").await;
    assert_eq!(sam.ask("GET", "/api/v1/session", &Value::Null).await.json()["workspace_id"], json!(other));
    assert_eq!(sam.ask("GET", "/api/v1/conversations", &Value::Null).await.json()["data"], json!([]));
    let conversation = format!("/api/v1/conversations/{}", two.rows["conversation"].0);
    assert_eq!(sam.status(&conversation).await, 404);
    assert_eq!(sam.sign_in("sam@other.example", PASSWORD).await.status, 201);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_stays_in_its_workspace_whoever_proves_that_it_is_theirs() {
    let world = World::with(Config::demo(), Login::Facebook).await;
    let other = world.host.users().create_workspace("Other".into(), world.clock.now()).await.unwrap();
    let before = world.host.inbox().accounts().await.unwrap().remove(0);
    let person = Person::new_in(&world, other).await;
    let dialog = person.visits("facebook").await;
    let query = person.permits(&dialog, &[]).await;
    let mut stage = person.returns(&query).await.unwrap();
    if let ConnectStage::Choosing { candidates } = &stage {
        let same = candidates.iter().find(|candidate| candidate.obstacle.is_none()).unwrap();
        stage = person.chooses(&same.id).await.unwrap();
    }
    let ConnectStage::Failed { sentence } = stage else { panic!("{stage:?}") };
    assert!(sentence.contains("another team"), "{sentence}");
    let after = world.host.inbox().accounts().await.unwrap();
    assert_eq!(after.len(), 1);
    assert_eq!((after[0].workspace, after[0].state), (WorkspaceId::FIRST, AccountState::Connected));
    assert_eq!(after[0].connection, before.connection, "it is not even connected again");
    // It still receives.
    world.sim.customer(Config::DEMO_CUSTOMER).text("still there?").await;
    eventually("the message", async || {
        let timeline = world.timeline(Config::DEMO_CUSTOMER).await;
        timeline.iter().any(|entry| entry.text.as_deref() == Some("still there?")).then_some(())
    })
    .await;
}
