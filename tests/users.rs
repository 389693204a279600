//! People who sign in: how they come in and go out, what opens nothing, what they may do, and that nobody locks out
//! anybody else.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    reason = "a test fails by panicking"
)]

use std::time::Duration;

use channel_tests::{
    API_TOKEN, World, eventually, files_with, request,
    team::{Browser, PASSWORD, Team},
};
use harness_engine::Clock;
use harness_inbox::PublicId as _;
use http::header::{RETRY_AFTER, SET_COOKIE};
use serde_json::{Value, json};
use simulator::Config;

const DAY: Duration = Duration::from_secs(24 * 3600);
const WRONG: &str = "not the password of anybody";

#[tokio::test(flavor = "multi_thread")]
async fn an_invited_person_comes_in_with_a_cookie_that_no_script_reads_and_goes_out_again() {
    let team = Team::new().await;
    let secret = team.invited(None, "Kim@Shop.example", "agent").await;
    let kim = team.browser();
    let accept = json!({ "secret": secret, "name": "  Kim Lee ", "password": PASSWORD });
    let answer = kim.ask("POST", "/api/v1/invitations/accept", &accept).await;
    assert_eq!(answer.status, 201, "{}", answer.body);
    let session = answer.json();
    assert_eq!(session["user"]["name"], "Kim Lee");
    assert_eq!(session["user"]["email"], "kim@shop.example");
    assert_eq!(session["scopes"], json!(["read", "reply"]));
    let cookies: Vec<_> = answer.headers.get_all(SET_COOKIE).iter().map(|one| one.to_str().unwrap()).collect();
    assert_eq!(cookies.len(), 2);
    for cookie in &cookies {
        assert!(cookie.contains("; Path=/; HttpOnly; SameSite=Lax") && !cookie.contains("Secure"), "{cookie}");
    }
    assert_eq!(kim.status("/api/v1/conversations").await, 200);
    assert_eq!(kim.ask("GET", "/api/v1/me", &Value::Null).await.json()["id"], session["user"]["id"]);
    let again = kim.ask("POST", "/api/v1/invitations/accept", &accept).await;
    assert_eq!((again.status, &again.json()["code"]), (404, &json!("no_such_invitation")));

    let stolen = kim.copied();
    assert_eq!(kim.ask("DELETE", "/api/v1/session", &Value::Null).await.status, 204);
    assert!(!kim.cookies().contains_key("session"));
    let after = stolen.ask("GET", "/api/v1/me", &Value::Null).await;
    assert_eq!((after.status, &after.json()["code"]), (401, &json!("signed_out")), "the cookie opens nothing any more");
    assert_eq!(kim.sign_in(" KIM@shop.example", PASSWORD).await.status, 201);
    assert_eq!(kim.status("/api/v1/me").await, 200);

    // Nothing that rests or is shown opens anything.
    let cookie = kim.cookies()["session"].clone();
    for secret in [PASSWORD, &cookie, &secret] {
        assert_eq!(files_with(team.folder.path(), secret), Vec::<std::path::PathBuf>::new());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn over_tls_the_cookies_belong_to_this_host_alone() {
    let team = Team::new().await;
    let secret = team.invited(None, "kim@shop.example", "agent").await;
    team.host.set_public_url("https://inbox.example".parse().unwrap());
    let kim = team.browser();
    let accept = json!({ "secret": secret, "name": "Kim", "password": PASSWORD });
    let answer = kim.ask("POST", "/api/v1/invitations/accept", &accept).await;
    for cookie in answer.headers.get_all(SET_COOKIE) {
        let cookie = cookie.to_str().unwrap();
        assert!(cookie.starts_with("__Host-") && cookie.ends_with("; Secure"), "{cookie}");
    }
    assert_eq!(kim.status("/api/v1/me").await, 200);
    let origin = [("origin", "https://inbox.example")];
    assert_eq!(kim.send("DELETE", "/api/v1/session", &origin, Vec::new()).await.status, 204);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_that_nobody_has_and_a_wrong_password_get_the_same_answer() {
    let team = Team::new().await;
    let kim = team.join("kim@shop.example", "admin").await;
    let lee = team.join("lee@shop.example", "agent").await;
    let id = lee.ask("GET", "/api/v1/me", &Value::Null).await.json()["id"].as_str().unwrap().to_owned();
    assert_eq!(kim.ask("PATCH", &format!("/api/v1/users/{id}"), &json!({"disabled": true})).await.status, 200);
    let stranger = team.browser();
    let mut seen = Vec::new();
    for (email, password) in [
        ("kim@shop.example", WRONG),
        ("nobody@shop.example", WRONG),
        ("no address", WRONG),
        ("lee@shop.example", PASSWORD),
        ("kim@shop.example", ""),
        ("kim@shop.example", &"x".repeat(5000)),
    ] {
        let answer = stranger.sign_in(email, password).await;
        let mut body = answer.json();
        body.as_object_mut().unwrap().remove("request_id");
        let headers: Vec<_> = answer.headers.keys().map(|name| name.as_str().to_owned()).collect();
        seen.push((answer.status, body, headers));
    }
    assert_eq!(seen[0].0, 401);
    assert_eq!(seen[0].1["code"], "wrong_credentials");
    assert!(seen.iter().all(|one| *one == seen[0]), "{seen:#?}");
    assert!(stranger.cookies().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn strangers_who_guess_slow_each_other_down_and_nobody_who_was_here_before() {
    // Delays pass when the test says so, however long comparing a password takes.
    let team = Team::at(Clock::stopped()).await;
    let kim = team.join("kim@shop.example", "agent").await;
    assert_eq!(kim.ask("DELETE", "/api/v1/session", &Value::Null).await.status, 204);
    let stranger = team.browser();
    let mut refused = None;
    for _ in 0..12 {
        let answer = stranger.sign_in("kim@shop.example", WRONG).await;
        if answer.status == 429 {
            refused = Some(answer);
            break;
        }
        assert_eq!(answer.status, 401);
    }
    let refused = refused.expect("guessing goes on without a delay");
    assert_eq!(refused.json()["code"], "too_many_attempts");
    assert!(refused.headers[RETRY_AFTER].to_str().unwrap().parse::<u64>().unwrap() >= 1);
    // The right password from a browser that was never here waits too: else guessing would pay.
    assert_eq!(team.browser().sign_in("kim@shop.example", PASSWORD).await.status, 429);
    assert_eq!(kim.sign_in("kim@shop.example", PASSWORD).await.status, 201, "her own browser");
    // A link from an admin leads past it.
    let secret = team.invited(None, "kim@shop.example", "agent").await;
    let other = team.browser();
    let accept = json!({ "secret": secret, "name": "Kim", "password": PASSWORD });
    assert_eq!(other.ask("POST", "/api/v1/invitations/accept", &accept).await.status, 201);
    team.advance(Duration::from_secs(120));
    assert_eq!(team.browser().sign_in("kim@shop.example", PASSWORD).await.status, 201);
    // Whoever has a cookie of the browser, but not the password, guesses no faster.
    let stolen = kim.copied();
    let statuses = async || {
        let mut statuses = Vec::new();
        for _ in 0..12 {
            statuses.push(stolen.sign_in("kim@shop.example", WRONG).await.status);
        }
        statuses
    };
    assert!(statuses().await.contains(&429));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_ends_unused_or_old_and_for_everybody_who_should_be_out() {
    let team = Team::new().await;
    let kim = team.join("kim@shop.example", "admin").await;
    let lee = team.join("lee@shop.example", "agent").await;
    // Used every few days, it goes on, but not for ever.
    let mut days = 0;
    while kim.status("/api/v1/me").await == 200 {
        let used = async || {
            let sessions = rusqlite::Connection::open(team.folder.path().join("inbox.sqlite")).unwrap();
            let newest: i64 =
                sessions.query_row("SELECT max(last_used_at) FROM session", [], |row| row.get(0)).unwrap();
            (u64::try_from(newest).unwrap() + 600_000 > team.clock.now()).then_some(())
        };
        eventually("the note of the use", used).await;
        team.advance(3 * DAY);
        days += 3;
        assert!(days < 60, "it never ends");
    }
    assert_eq!(days, 30);
    assert_eq!(lee.status("/api/v1/me").await, 401, "it was not used for a week");

    for browser in [&kim, &lee] {
        let email = if std::ptr::eq(browser, &kim) { "kim@shop.example" } else { "lee@shop.example" };
        assert_eq!(browser.sign_in(email, PASSWORD).await.status, 201);
    }
    // Everywhere.
    let phone = team.browser();
    assert_eq!(phone.sign_in("kim@shop.example", PASSWORD).await.status, 201);
    assert_eq!(phone.ask("DELETE", "/api/v1/sessions", &Value::Null).await.status, 204);
    assert_eq!((kim.status("/api/v1/me").await, phone.status("/api/v1/me").await), (401, 401));
    // Another password ends the others.
    for browser in [&kim, &phone] {
        assert_eq!(browser.sign_in("kim@shop.example", PASSWORD).await.status, 201);
    }
    let change = |current: &str, new: &str| json!({ "current": current, "new": new });
    let wrong = kim.ask("POST", "/api/v1/me/password", &change(WRONG, "another set of words")).await;
    assert_eq!((wrong.status, phone.status("/api/v1/me").await), (401, 200));
    let short = kim.ask("POST", "/api/v1/me/password", &change(PASSWORD, "short")).await;
    assert_eq!((short.status, &short.json()["code"]), (422, &json!("password_not_accepted")));
    let done = kim.ask("POST", "/api/v1/me/password", &change(PASSWORD, "another set of words")).await;
    assert_eq!(done.status, 204, "{}", done.body);
    assert_eq!((kim.status("/api/v1/me").await, phone.status("/api/v1/me").await), (200, 401));
    assert_eq!(phone.sign_in("kim@shop.example", PASSWORD).await.status, 401);
    assert_eq!(phone.sign_in("kim@shop.example", "another set of words").await.status, 201);
    // Disabled, she is out at once; enabled, she signs in again.
    let id = lee.ask("GET", "/api/v1/me", &Value::Null).await.json()["id"].as_str().unwrap().to_owned();
    let user = format!("/api/v1/users/{id}");
    assert!(kim.ask("PATCH", &user, &json!({"disabled": true})).await.json()["disabled_at"].is_string());
    assert_eq!(lee.status("/api/v1/me").await, 401);
    assert_eq!(lee.sign_in("lee@shop.example", PASSWORD).await.status, 401);
    assert_eq!(kim.ask("PATCH", &user, &json!({"disabled": false})).await.status, 200);
    assert_eq!(lee.status("/api/v1/me").await, 401);
    assert_eq!(lee.sign_in("lee@shop.example", PASSWORD).await.status, 201);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_changes_nothing_for_pages_of_others_and_where_nobody_says_which_page_asks() {
    let team = Team::new().await;
    let kim = team.join("kim@shop.example", "admin").await;
    let try_with = async |headers: &[(&str, &str)]| {
        let headers = [headers, &[("content-type", "application/json")]].concat();
        let body = json!({ "name": "Changed" }).to_string().into_bytes();
        kim.send("PATCH", "/api/v1/me", &headers, body).await.status
    };
    for foreign in [
        &[] as &[(&str, &str)],
        &[("origin", "https://evil.example")],
        &[("origin", "null")],
        &[("sec-fetch-site", "cross-site")],
        &[("sec-fetch-site", "same-site")],
        &[("sec-fetch-site", "none")],
        &[("sec-fetch-site", "cross-site"), ("origin", &team.address)],
    ] {
        assert_eq!(try_with(foreign).await, 403, "{foreign:?}");
    }
    assert_eq!(kim.ask("GET", "/api/v1/me", &Value::Null).await.json()["name"], "kim");
    assert_eq!(try_with(&[("origin", &team.address)]).await, 200);
    assert_eq!(try_with(&[("sec-fetch-site", "same-origin")]).await, 200);
    // A token is no cookie: a browser does not send it by itself.
    let url = format!("{}/api/v1/session", team.address);
    let shown = format!("Bearer {API_TOKEN}");
    assert_eq!(request("GET", &url, &[("authorization", &shown)], Vec::new()).await.status, 200);
    // A cookie that is there twice, as another host of the domain could arrange, is none.
    let cookie = kim.cookies()["session"].clone();
    let twice = [("cookie", format!("session=mine; session={cookie}"))];
    let twice: Vec<_> = twice.iter().map(|(name, value)| (*name, value.as_str())).collect();
    assert_eq!(request("GET", &url, &twice, Vec::new()).await.status, 401);
    assert_eq!(request("GET", &url, &[("cookie", &format!("session={cookie}"))], Vec::new()).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_reads_and_answers_and_an_admin_does_what_concerns_the_workspace() {
    let team = Team::new().await;
    let admin = team.join("kim@shop.example", "admin").await;
    let agent = team.join("lee@shop.example", "agent").await;
    let status = async |browser: &Browser, method: &str, path: &str| browser.ask(method, path, &json!({})).await.status;
    for (method, path, of_agent, of_admin) in [
        ("GET", "/api/v1/conversations", 200, 200),
        ("GET", "/api/v1/users", 200, 200),
        ("GET", "/api/v1/invitations", 403, 200),
        ("POST", "/api/v1/invitations", 403, 400),
        ("GET", "/api/v1/tokens", 403, 200),
        ("POST", "/api/v1/tokens", 403, 400),
        ("POST", "/api/v1/connect", 403, 400),
        ("GET", "/api/v1/workspaces", 403, 403),
        ("GET", "/api/v1/health", 403, 403),
        ("GET", "/metrics", 403, 403),
        ("POST", "/api/v1/deliveries/retry", 403, 403),
    ] {
        assert_eq!(status(&agent, method, path).await, of_agent, "agent: {method} {path}");
        assert_eq!(status(&admin, method, path).await, of_admin, "admin: {method} {path}");
    }
    // The last admin stays one; a role that changes counts from the next request on.
    let users = admin.ask("GET", "/api/v1/users", &Value::Null).await.json();
    let id = |email: &str| {
        let found = users["data"].as_array().unwrap().iter().find(|user| user["email"] == email).unwrap();
        format!("/api/v1/users/{}", found["id"].as_str().unwrap())
    };
    let last = admin.ask("PATCH", &id("kim@shop.example"), &json!({"role": "agent"})).await;
    assert_eq!((last.status, &last.json()["code"]), (409, &json!("last_admin")));
    assert_eq!(admin.ask("PATCH", &id("lee@shop.example"), &json!({"role": "admin"})).await.status, 200);
    assert_eq!(status(&agent, "GET", "/api/v1/tokens").await, 200);
    assert_eq!(admin.ask("PATCH", &id("kim@shop.example"), &json!({"role": "agent"})).await.status, 200);
    assert_eq!(status(&admin, "GET", "/api/v1/tokens").await, 403);
    // What a person's own account is about is not for programs.
    for (method, path) in [("GET", "/api/v1/me"), ("DELETE", "/api/v1/session"), ("DELETE", "/api/v1/sessions")] {
        let answer = team.operator(method, path, &Value::Null).await;
        assert_eq!((answer.status, &answer.json()["code"]), (409, &json!("no_user")), "{method} {path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_admin_gives_programs_what_admins_have_and_takes_it_back() {
    let team = Team::new().await;
    let admin = team.join("kim@shop.example", "admin").await;
    let create = json!({ "name": "crm", "scopes": ["read", "reply"] });
    let created = admin.ask("POST", "/api/v1/tokens", &create).await;
    assert_eq!(created.status, 201, "{}", created.body);
    let token = created.json()["token"].as_str().unwrap().to_owned();
    let listed = admin.ask("GET", "/api/v1/tokens", &Value::Null).await;
    assert!(!listed.body.contains(&token), "it is shown once");
    assert_eq!(listed.json()["data"][0]["id"], created.json()["id"]);
    let session = team.with_token(&token, "GET", "/api/v1/session", &Value::Null).await.json();
    assert_eq!((&session["user"], &session["scopes"]), (&Value::Null, &json!(["read", "reply"])));
    assert_eq!(admin.ask("POST", "/api/v1/tokens", &create).await.json()["code"], "name_taken");
    for (scopes, expires) in [
        (json!([]), Value::Null),
        (json!(["host"]), Value::Null),
        (json!(["observe"]), Value::Null),
        (json!(["read"]), json!("2020-01-01T00:00:00Z")),
    ] {
        let mut body = json!({ "name": "more", "scopes": scopes });
        if !expires.is_null() {
            body["expires_at"] = expires;
        }
        let refused = admin.ask("POST", "/api/v1/tokens", &body).await;
        assert_eq!((refused.status, &refused.json()["code"]), (422, &json!("bad_token")), "{body}");
    }
    let path = format!("/api/v1/tokens/{}", created.json()["id"].as_str().unwrap());
    assert_eq!(admin.ask("DELETE", &path, &Value::Null).await.status, 204);
    assert_eq!(admin.ask("DELETE", &path, &Value::Null).await.status, 404);
    assert_eq!(team.with_token(&token, "GET", "/api/v1/session", &Value::Null).await.status, 401);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_person_writes_carries_their_name_whatever_the_request_says() {
    let world = World::new().await;
    world.sim.customer(Config::DEMO_CUSTOMER).text("hello?").await;
    let conversation = world.conversation(Config::DEMO_CUSTOMER).await;
    let team = Team::of(world.host.clone(), world.clock.clone(), tempfile::tempdir().unwrap()).await;
    let kim = team.join("kim@shop.example", "agent").await;
    let id = kim.ask("GET", "/api/v1/me", &Value::Null).await.json()["id"].clone();
    let path = format!("/api/v1/conversations/{}/replies?wait=60000", conversation.public());
    for (key, sender) in [("1", Value::Null), ("2", json!({ "kind": "bot", "id": "someone", "name": "Someone else" }))]
    {
        let mut body = json!({ "parts": [{ "text": { "text": format!("answer {key}") } }] });
        if !sender.is_null() {
            body["sender"] = sender;
        }
        let headers =
            [("content-type", "application/json"), ("sec-fetch-site", "same-origin"), ("idempotency-key", key)];
        let answer = kim.send("POST", &path, &headers, body.to_string().into_bytes()).await;
        assert_eq!(answer.status, 201, "{}", answer.body);
        let entry = world.timeline(Config::DEMO_CUSTOMER).await.pop().unwrap();
        assert_eq!(entry.text.as_deref(), Some(format!("answer {key}").as_str()));
        let author: Value = serde_json::from_str(entry.author.get()).unwrap();
        assert_eq!((&author["kind"], &author["id"], &author["name"]), (&json!("human"), &id, &json!("kim")));
    }
    let sql = rusqlite::Connection::open(world.inbox_file()).unwrap();
    let written: i64 =
        sql.query_row("SELECT count(*) FROM reply WHERE user_id IS NOT NULL", [], |row| row.get(0)).unwrap();
    assert_eq!(written, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_pages_ask_to_sign_in_first_and_lead_back_and_out() {
    let team = Team::new().await;
    let stranger = team.browser();
    let form = [("content-type", "application/x-www-form-urlencoded"), ("sec-fetch-site", "same-origin")];
    let location = |answer: &channel_tests::Answer| answer.headers["location"].to_str().unwrap().to_owned();
    let first = stranger.ask("GET", "/inbox?unread=1", &Value::Null).await;
    assert_eq!((first.status, location(&first).as_str()), (303, "/sign-in?next=%2Finbox%3Funread%3D1"));
    let page = stranger.ask("GET", "/sign-in?next=%2Finbox%3Funread%3D1", &Value::Null).await;
    assert!(page.status == 200 && page.body.contains("value=\"/inbox?unread=1\""), "{}", page.body);

    let secret = team.invited(None, "kim@shop.example", "agent").await;
    let kim = team.browser();
    let invitation = format!("/invitations/{secret}");
    for _ in 0..2 {
        assert!(
            kim.ask("GET", &invitation, &Value::Null).await.body.contains("kim@shop.example"),
            "looking uses nothing up"
        );
    }
    let post = async |path: &str, fields: &[(&str, &str)]| {
        let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        kim.send("POST", path, &form, body.into_bytes()).await
    };
    let short = post(&invitation, &[("name", "<b>Kim</b>"), ("password", "short")]).await;
    assert_eq!(short.status, 422);
    assert!(short.body.contains("&lt;b&gt;Kim&lt;/b&gt;") && short.body.contains("at least 10"), "{}", short.body);
    let accepted = post(&invitation, &[("name", "Kim"), ("password", PASSWORD)]).await;
    assert_eq!((accepted.status, location(&accepted).as_str()), (303, "/"));
    assert_eq!(kim.status("/inbox").await, 200);
    assert_eq!(kim.ask("GET", &invitation, &Value::Null).await.status, 404);
    assert_eq!(location(&kim.ask("GET", "/sign-in?next=/help", &Value::Null).await), "/help");
    let out = post("/sign-out", &[]).await;
    assert_eq!((out.status, location(&out).as_str()), (303, "/sign-in"));
    assert_eq!(kim.status("/inbox").await, 303);
    let wrong = post("/sign-in", &[("email", "kim@shop.example"), ("password", WRONG), ("next", "/help")]).await;
    assert!(wrong.status == 401 && !wrong.body.contains(WRONG), "{}", wrong.body);
    let right = [("email", "kim@shop.example"), ("password", PASSWORD), ("next", "//evil.example")];
    assert_eq!(location(&post("/sign-in", &right).await), "/");
    // A form on a page of another site signs nobody in or out.
    for path in ["/sign-in", "/sign-out", &invitation] {
        let foreign = [("content-type", "application/x-www-form-urlencoded"), ("sec-fetch-site", "cross-site")];
        assert_eq!(kim.send("POST", path, &foreign, Vec::new()).await.status, 403, "{path}");
    }
    assert_eq!(kim.status("/inbox").await, 200);
}
