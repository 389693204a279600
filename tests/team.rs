//! What a team makes of conversations, in a running host: snoozing by the host's clock, reopening, canned answers.
//! Not here: the promises of the store behind it (`host-harness/inbox/tests`).

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    reason = "a test fails by panicking"
)]

use std::time::Duration;

use channel_tests::{World, eventually, request, team::Team};
use harness_engine::{HostError, WrongField};
use harness_inbox::{
    Accepted, CannedAnswerText, ConversationChange, ConversationId, ConversationState, NewState, NewUser, Organised,
    PublicId as _, Role, UserId, WorkspaceId,
};
use serde_json::{Value, json};
use simulator::{CdnFile, Config};

const CUSTOMER: &str = Config::DEMO_CUSTOMER;
const HOUR: Duration = Duration::from_secs(3600);

async fn put(world: &World, conversation: ConversationId, state: NewState) {
    let change = ConversationChange { state: Some(state), ..ConversationChange::default() };
    assert_eq!(world.host.change_conversation(conversation, change).await.unwrap(), Organised::Changed);
}

async fn state(world: &World, conversation: ConversationId) -> ConversationState {
    world.host.inbox().conversation(conversation).await.unwrap().state
}

async fn becomes(world: &World, conversation: ConversationId, expected: ConversationState) {
    eventually("the state", async || (state(world, conversation).await == expected).then_some(())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_snoozed_conversation_is_opened_when_its_time_comes_or_the_customer_writes() {
    let world = World::new().await;
    let customer = world.sim.customer(CUSTOMER);
    customer.text("hello").await;
    let conversation = world.conversation(CUSTOMER).await;
    let in_hours = |hours| world.host.clock().now() + hours * u64::try_from(HOUR.as_millis()).unwrap();
    put(&world, conversation, NewState::Snoozed(in_hours(5))).await;
    // An earlier one wakes the worker that waits for the later one.
    put(&world, conversation, NewState::Snoozed(in_hours(2))).await;
    world.clock.advance(HOUR);
    world.settled().await;
    assert_eq!(state(&world, conversation).await, ConversationState::Snoozed);
    world.clock.advance(HOUR);
    becomes(&world, conversation, ConversationState::Open).await;
    put(&world, conversation, NewState::Snoozed(in_hours(2))).await;
    customer.text("are you there?").await;
    becomes(&world, conversation, ConversationState::Open).await;
    put(&world, conversation, NewState::Closed).await;
    customer.text("one more thing").await;
    becomes(&world, conversation, ConversationState::Open).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_canned_answer_is_filled_in_for_its_conversation_and_a_wrong_one_is_not_kept() {
    let world = World::new().await;
    world.sim.customer(CUSTOMER).text("hello").await;
    let conversation = world.conversation(CUSTOMER).await;
    eventually("the profile", async || world.host.inbox().conversation(conversation).await.unwrap().name).await;
    let name = world.host.inbox().conversation(conversation).await.unwrap().name.unwrap();
    let answer = |shortcut: &str, text: &str| CannedAnswerText {
        shortcut: shortcut.into(),
        title: "Hello".into(),
        text: text.into(),
    };
    let team = WorkspaceId::FIRST;
    let hi = answer("hi", "Hi {{contact.name}}, {{agent.name | we}} can help");
    let id = world.host.add_canned_answer(team, &hi).await.unwrap();
    let filled = world.host.fill_canned_answer(id, conversation, Some("Grace")).await.unwrap();
    assert_eq!(filled.text, format!("Hi {name}, Grace can help"));
    let filled = world.host.fill_canned_answer(id, conversation, None).await.unwrap();
    assert_eq!(filled.text, format!("Hi {name}, we can help"));
    for (wrong, field) in [
        (answer("hi there", "x"), "shortcut"),
        (answer("hi", " "), "text"),
        (answer("hi", "{{contact.age}}"), "text"),
        (answer("hi", &"x".repeat(20_000)), "text"),
        (CannedAnswerText { title: "a\nb".into(), ..answer("hi", "x") }, "title"),
    ] {
        match world.host.add_canned_answer(team, &wrong).await {
            Err(HostError::WrongField(error)) => assert_eq!(error.field(), field),
            other => panic!("{wrong:?}: {other:?}"),
        }
    }
    let color = world.host.add_label(team, "Late", "#f00").await;
    assert!(matches!(color, Err(HostError::WrongField(WrongField::Color))));
}

/// The answer's status and document.
async fn ask(world: &World, method: &str, path: &str, body: Value) -> (u16, Value) {
    let headers = [("content-type", "application/json")];
    let body = if body.is_null() { String::new() } else { body.to_string() };
    let answer = world.api(method, &format!("/api/v1{path}"), &headers, body).await;
    let document = if answer.body.is_empty() { Value::Null } else { answer.json() };
    (answer.status, document)
}

/// A conversation's address in the API, once it is there.
async fn with_customer(world: &World) -> String {
    world.sim.customer(CUSTOMER).text("Où est mon éclair?").await;
    world.conversation(CUSTOMER).await;
    let (_, list) = ask(world, "GET", "/conversations", Value::Null).await;
    format!("/conversations/{}", list["data"][0]["id"].as_str().unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_team_sorts_and_takes_conversations_over_the_api() {
    let world = World::new().await;
    let here = with_customer(&world).await;
    let new = |email: &str| NewUser {
        workspace: WorkspaceId::FIRST,
        email: email.into(),
        name: "Kim".into(),
        role: Role::Agent,
        accepted: Accepted::Password("$argon2id$v=19$m=8,t=1,p=1$c2FsdHNhbHQ$aGFzaA".into()),
    };
    let kim = world.host.users().create_user(new("kim@shop.example"), 1).await.unwrap().public();
    let lee = world.host.users().create_user(new("lee@shop.example"), 1).await.unwrap().public();
    let (status, sales) = ask(&world, "POST", "/collections", json!({"name": "Sales"})).await;
    assert_eq!((status, &sales["object"]), (201, &json!("collection")));
    let (status, taken) = ask(&world, "POST", "/collections", json!({"name": "Sales"})).await;
    assert_eq!((status, &taken["code"]), (409, &json!("name_taken")));
    let (_, late) = ask(&world, "POST", "/labels", json!({"name": "Late", "color": "red"})).await;
    let (status, wrong) = ask(&world, "POST", "/labels", json!({"name": "Odd", "color": "#f00"})).await;
    assert_eq!((status, &wrong["path"]), (400, &json!("color")));

    let take = |user: &str| json!({"assignee_id": user, "if_assignee_id": null, "collection_id": sales["id"]});
    let (status, taken) = ask(&world, "PATCH", &here, take(&kim)).await;
    assert_eq!((status, &taken["assignee_id"], &taken["collection_id"]), (200, &json!(kim), &sales["id"]));
    let (status, late_comer) = ask(&world, "PATCH", &here, take(&lee)).await;
    assert_eq!((status, &late_comer["code"]), (409, &json!("assigned_before")));
    assert!(late_comer["detail"].as_str().unwrap().contains(&kim), "{late_comer}");
    let labels = json!({"label_ids": [late["id"]]});
    let (status, labelled) = ask(&world, "PUT", &format!("{here}/labels"), labels.clone()).await;
    assert_eq!((status, &labelled["label_ids"]), (200, &json!([late["id"]])));

    for (body, path) in [
        (json!({"state": "snoozed"}), "snoozed_until"),
        (json!({"state": "snoozed", "snoozed_until": "2001-01-01T00:00:00Z"}), "snoozed_until"),
        (json!({"state": "closed", "snoozed_until": "2101-01-01T00:00:00Z"}), "snoozed_until"),
        (json!({"state": "asleep"}), "state"),
        (json!({"assignee_id": "usr_1"}), "assignee_id"),
    ] {
        let (status, problem) = ask(&world, "PATCH", &here, body.clone()).await;
        assert_eq!((status, &problem["path"]), (400, &json!(path)), "{body}: {problem}");
    }
    let nobody = UserId::new(99).public();
    let (status, problem) = ask(&world, "PATCH", &here, json!({"assignee_id": nobody})).await;
    assert_eq!((status, &problem["path"]), (404, &json!("assignee_id")));
    let (_, closed) = ask(&world, "PATCH", &here, json!({"state": "closed", "assignee_id": null})).await;
    assert_eq!((&closed["state"], &closed["assignee_id"]), (&json!("closed"), &Value::Null));
    assert!(closed["closed_at"].is_string());

    let count = async |query: &str| {
        let (status, list) = ask(&world, "GET", &format!("/conversations?{query}"), Value::Null).await;
        if status == 200 { Ok(list["data"].as_array().unwrap().len()) } else { Err(list["path"].clone()) }
    };
    let (sales, late) = (sales["id"].as_str().unwrap(), late["id"].as_str().unwrap());
    for (query, expected) in [
        ("state=closed,open".to_owned(), Ok(1)),
        ("state=open".to_owned(), Ok(0)),
        (format!("collection_id={sales}&label_id={late}&assignee_id=none&unread=true"), Ok(1)),
        ("collection_id=none".to_owned(), Ok(0)),
        (format!("assignee_id={kim}"), Ok(0)),
        ("from=2101-01-01T00:00:00Z".to_owned(), Ok(0)),
        ("to=2101-01-01T00:00:00Z".to_owned(), Ok(1)),
        ("state=asleep".to_owned(), Err(json!("state"))),
        ("assignee_id=me".to_owned(), Err(json!("assignee_id"))),
        ("assignee_id=kim".to_owned(), Err(json!("assignee_id"))),
        ("colour=red".to_owned(), Err(json!("colour"))),
    ] {
        assert_eq!(count(&query).await, expected, "{query}");
    }
    let (status, _) = ask(&world, "DELETE", &format!("/labels/{late}"), Value::Null).await;
    assert_eq!(status, 204);
    let (_, after) = ask(&world, "GET", &here, Value::Null).await;
    assert_eq!(after["label_ids"], json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn who_writes_after_the_closing_begins_anew_and_replies_go_to_the_conversation_that_goes_on() {
    let world = World::new().await;
    let old = with_customer(&world).await;
    let (_, accounts) = ask(&world, "GET", "/accounts", Value::Null).await;
    let account = format!("/accounts/{}", accounts["data"][0]["id"].as_str().unwrap());
    assert_eq!(accounts["data"][0]["when_closed"], "reopen");
    let (status, problem) = ask(&world, "PATCH", &account, json!({"when_closed": "never"})).await;
    assert_eq!((status, &problem["path"]), (400, &json!("when_closed")));
    let (status, changed) = ask(&world, "PATCH", &account, json!({"when_closed": "new"})).await;
    assert_eq!((status, &changed["when_closed"]), (200, &json!("new")));

    let (_, closed) = ask(&world, "PATCH", &old, json!({"state": "closed"})).await;
    world.advance(Duration::from_secs(1));
    world.sim.customer(CUSTOMER).text("et le gâteau?").await;
    let next = eventually("the new conversation", async || {
        let (_, was) = ask(&world, "GET", &old, Value::Null).await;
        was["continued_in"].as_str().map(str::to_owned)
    })
    .await;
    let (_, was) = ask(&world, "GET", &old, Value::Null).await;
    assert_eq!(
        (&was["state"], &was["closed_at"], &was["continues"]),
        (&json!("closed"), &closed["closed_at"], &Value::Null)
    );
    let is = format!("/conversations/{next}");
    let (_, found) = ask(&world, "GET", &is, Value::Null).await;
    assert_eq!((&found["state"], &found["unread"], &found["continues"]), (&json!("open"), &json!(1), &was["id"]));
    assert_eq!(found["window"]["state"], "open");

    let reply = json!({"sender": {"kind": "human", "id": "kim"}, "parts": [{"text": {"text": "avec plaisir"}}]});
    let headers = [("content-type", "application/json"), ("idempotency-key", "one")];
    for path in ["replies", "validate"] {
        let answer = world.api("POST", &format!("/api/v1{old}/{path}"), &headers, reply.to_string()).await;
        let problem = answer.json();
        assert_eq!((answer.status, &problem["code"]), (409, &json!("conversation_continued")), "{path}: {problem}");
        assert_eq!(problem["continued_in"], next, "{path}");
    }
    let (status, problem) = ask(&world, "PATCH", &old, json!({"state": "open"})).await;
    assert_eq!((status, &problem["continued_in"]), (409, &json!(next)));
    let (status, _) = ask(&world, "POST", &format!("{old}/notes"), json!({"text": "a regular"})).await;
    assert_eq!(status, 201);
    let answer = world.api("POST", &format!("/api/v1{is}/replies"), &headers, reply.to_string()).await;
    assert_eq!(answer.status, 201, "a refused reply used up no key: {}", answer.body);
    world.echoed("avec plaisir").await;
    let (_, said) = ask(&world, "GET", &format!("{is}/messages"), Value::Null).await;
    let texts: Vec<_> = said["data"].as_array().unwrap().iter().map(|one| one["text"].clone()).collect();
    assert_eq!(texts, ["et le gâteau?", "avec plaisir"]);
    let (_, said) = ask(&world, "GET", &format!("{old}/messages"), Value::Null).await;
    assert_eq!(said["data"].as_array().unwrap().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn notes_and_canned_answers_are_kept_for_the_team() {
    let world = World::new().await;
    let here = with_customer(&world).await;
    let notes = format!("{here}/notes");
    let (status, note) = ask(&world, "POST", &notes, json!({"text": "A regular customer."})).await;
    assert_eq!((status, &note["object"], &note["user_id"]), (201, &json!("note"), &Value::Null));
    let path = format!("/notes/{}", note["id"].as_str().unwrap());
    let (_, edited) = ask(&world, "PATCH", &path, json!({"text": "Pays late."})).await;
    assert_eq!(edited["text"], "Pays late.");
    assert!(edited["edited_at"].is_string());
    let (_, list) = ask(&world, "GET", &notes, Value::Null).await;
    assert_eq!((&list["data"][0]["id"], list["data"].as_array().unwrap().len()), (&note["id"], 1));
    assert!(world.sim.requests().iter().all(|request| !request.body.to_string().contains("regular")));
    assert_eq!(ask(&world, "DELETE", &path, Value::Null).await.0, 204);
    assert_eq!(ask(&world, "GET", &path, Value::Null).await.0, 404);

    // Without an answer the same is asked again.
    let keyed = async |text: &str, key: &str| {
        let headers = [("content-type", "application/json"), ("idempotency-key", key)];
        let answer = world.api("POST", &format!("/api/v1{notes}"), &headers, json!({ "text": text }).to_string()).await;
        (answer.status, answer.json())
    };
    let (status, first) = keyed("Paid.", "k1").await;
    assert_eq!((status, keyed("Paid.", "k1").await), (201, (201, first)));
    let (status, other) = keyed("Not paid.", "k1").await;
    assert_eq!((status, &other["code"]), (409, &json!("idempotency_key_reused")));
    assert_eq!(keyed("Paid.", &"k".repeat(201)).await.0, 400);
    let (_, list) = ask(&world, "GET", &notes, Value::Null).await;
    assert_eq!(list["data"].as_array().unwrap().len(), 1);

    let hello = json!({"shortcut": "hi", "title": "Hello", "text": "Hi {{contact.name | there}}!"});
    let (status, answer) = ask(&world, "POST", "/canned-answers", hello).await;
    assert_eq!(status, 201, "{answer}");
    let fill = format!("/canned-answers/{}/fill", answer["id"].as_str().unwrap());
    let conversation = here.rsplit('/').next().unwrap();
    let (_, filled) = ask(&world, "POST", &fill, json!({"conversation_id": conversation})).await;
    assert!(filled["text"].as_str().unwrap().starts_with("Hi ") && filled["missing"] == json!([]), "{filled}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_search_finds_a_message_moments_after_it_came_and_never_once_it_was_unsent() {
    let world = World::new().await;
    let here = with_customer(&world).await;
    let search = async |words: &str| {
        let (status, found) = ask(&world, "GET", &format!("/search?q={words}"), Value::Null).await;
        assert_eq!(status, 200, "{found}");
        found["messages"]["data"].as_array().unwrap().clone()
    };
    let found = eventually("the message", async || search("eclair").await.first().cloned()).await;
    assert_eq!(found["conversation_id"], here.rsplit('/').next().unwrap());
    assert_eq!(found["highlights"], json!([{"start": 11, "end": 17}]));
    let unsent = world.sim.customer(CUSTOMER).text("a zebra crossing").await;
    eventually("the other", async || search("zebra").await.first().cloned()).await;
    let (_, list) = ask(&world, "GET", "/conversations?q=zebra", Value::Null).await;
    assert_eq!(list["data"].as_array().unwrap().len(), 1);
    world.sim.customer(CUSTOMER).unsend(unsent.mid()).await;
    world.settled().await;
    assert!(search("zebra").await.is_empty());
    let (status, problem) = ask(&world, "GET", "/search", Value::Null).await;
    assert_eq!((status, &problem["code"]), (400, &json!("bad_parameter")));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_browser_loads_a_file_at_its_signed_address_in_parts_too_and_not_for_ever() {
    let world = World::new().await;
    let photo = CdnFile::demo_photo();
    let bytes = photo.bytes.clone();
    world.sim.customer(CUSTOMER).photo(&world.sim.host_file(photo)).await;
    let conversation = world.conversation(CUSTOMER).await.public();
    let signed = eventually("the stored photo", async || {
        let (_, list) = ask(&world, "GET", &format!("/conversations/{conversation}/messages"), Value::Null).await;
        list["data"][0]["attachments"][0]["signed_url"].as_str().map(str::to_owned)
    });
    let signed = format!("{}{}", world.address, signed.await);
    let whole = request("GET", &signed, &[], Vec::new()).await;
    assert_eq!((whole.status, whole.headers["content-type"].to_str().unwrap()), (200, "image/png"));
    assert_eq!(whole.headers["accept-ranges"], "bytes");
    let last = bytes.len() - 1;
    for (range, status, said) in [
        ("bytes=0-9".to_owned(), 206, format!("bytes 0-9/{}", bytes.len())),
        ("bytes=-1".to_owned(), 206, format!("bytes {last}-{last}/{}", bytes.len())),
        (format!("bytes={}-", bytes.len()), 416, format!("bytes */{}", bytes.len())),
    ] {
        let part = request("GET", &signed, &[("range", range.as_str())], Vec::new()).await;
        assert_eq!((part.status, part.headers["content-range"].to_str().unwrap()), (status, said.as_str()), "{range}");
    }
    let (address, query) = signed.split_once('?').unwrap();
    let later = query.replacen("expires=", "expires=9", 1);
    for wrong in
        [address.to_owned(), format!("{address}?{later}"), format!("{signed}A"), signed.replace("/med_", "/msg_")]
    {
        assert_eq!(request("GET", &wrong, &[], Vec::new()).await.status, 404, "{wrong}");
    }
    world.clock.advance(2 * HOUR);
    assert_eq!(request("GET", &signed, &[], Vec::new()).await.status, 404, "its time is over");
}

#[tokio::test(flavor = "multi_thread")]
async fn views_and_mentions_are_each_person_s_own_in_the_api() {
    let world = World::new().await;
    let here = with_customer(&world).await;
    let team = Team::of(world.host.clone(), world.clock.clone(), tempfile::tempdir().unwrap()).await;
    let (kim, lee) = (team.join("kim@shop.example", "admin").await, team.join("lee@shop.example", "agent").await);
    let of = async |who: &channel_tests::team::Browser, method: &str, path: &str, body: Value| {
        let answer = who.ask(method, &format!("/api/v1{path}"), &body).await;
        (answer.status, serde_json::from_str::<Value>(&answer.body).unwrap_or(Value::Null))
    };
    let view = json!({ "name": "To do", "filters": { "show": "mine", "unread": true, "q": "mug" } });
    let (status, own) = of(&lee, "POST", "/views", view.clone()).await;
    assert_eq!((status, &own["object"], &own["shared"]), (201, &json!("saved_view"), &json!(false)), "{own}");
    assert_eq!((&own["filters"]["show"], &own["filters"]["q"]), (&json!("mine"), &json!("mug")));
    let (status, taken) = of(&lee, "POST", "/views", view).await;
    assert_eq!((status, &taken["code"]), (409, &json!("name_taken")), "{taken}");
    // Agents share none, and change none that is shared.
    let shared = json!({ "name": "Done", "shared": true, "filters": { "show": "closed" } });
    assert_eq!(of(&lee, "POST", "/views", shared.clone()).await.0, 403);
    let (_, shared) = of(&kim, "POST", "/views", shared).await;
    let path = |view: &Value| format!("/views/{}", view["id"].as_str().unwrap());
    assert_eq!(of(&lee, "PATCH", &path(&shared), json!({ "name": "x" })).await.0, 403);
    assert_eq!(of(&lee, "DELETE", &path(&shared), Value::Null).await.0, 403);
    // A colleague's own is not there, not even for an admin.
    assert_eq!(of(&kim, "PATCH", &path(&own), json!({ "name": "x" })).await.0, 404);
    let names = async |who| {
        let (_, list) = of(who, "GET", "/views", Value::Null).await;
        list["data"].as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!((names(&lee).await, names(&kim).await), (vec!["To do".into(), "Done".into()], vec!["Done".into()]));
    let (_, changed) = of(&lee, "PATCH", &path(&own), json!({ "name": "Mine" })).await;
    assert_eq!((&changed["name"], &changed["filters"]["q"]), (&json!("Mine"), &json!("mug")));
    assert_eq!(of(&lee, "DELETE", &path(&own), Value::Null).await.0, 204);
    assert_eq!(names(&lee).await, ["Done"]);

    let (status, note) = of(&kim, "POST", &format!("{here}/notes"), json!({ "text": "@lee, please look" })).await;
    assert_eq!(status, 201, "{note}");
    let unseen = async |who| of(who, "GET", "/mentions?unseen=true", Value::Null).await.1["data"].clone();
    assert_eq!(unseen(&kim).await, json!([]));
    assert_eq!((&unseen(&lee).await[0]["note_id"], &unseen(&lee).await[0]["seen_at"]), (&note["id"], &Value::Null));
    let (_, list) = of(&lee, "GET", "/conversations?mentioned_id=me", Value::Null).await;
    assert_eq!(list["data"].as_array().unwrap().len(), 1);
    let (_, changes) = of(&lee, "GET", "/changes?after=0&kinds=mention.*", Value::Null).await;
    let (_, me) = of(&lee, "GET", "/session", Value::Null).await;
    assert_eq!(changes["data"][0]["user_id"], me["user"]["id"], "{changes}");
    assert_eq!(of(&lee, "POST", &format!("{here}/read"), Value::Null).await.0, 200);
    assert_eq!(unseen(&lee).await, json!([]));
    let (status, nobody) = ask(&world, "GET", "/mentions", Value::Null).await;
    assert_eq!((status, &nobody["code"]), (409, &json!("no_user")));
}
