//! The many ways in which clients write one request, and the answers' forms that they can ask for.
//! What belongs here: how a request is written. What it means is in the files about its endpoint; whole
//! clients run in `sdks`.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    reason = "test code: a failed unwrap is a failed test"
)]

mod common;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use common::login::{self, encode};
use common::{ANA, Answer, Graph, IG, PAGE, open, request};
use http::Method;
use serde_json::{Value, json};
use simulator::{Fault, Simulator, TokenPlace};

fn token(sim: &Simulator) -> String {
    sim.accounts()[0].page.as_ref().unwrap().token.expose().to_owned()
}

async fn raw(sim: &Simulator, method: Method, path: &str, content_type: &str, body: &str) -> Answer {
    let separator = if path.contains('?') { '&' } else { '?' };
    let url = format!("{}{path}{separator}access_token={}", sim.graph_facebook_url(), token(sim));
    let headers = [("content-type", content_type)];
    request(method, &url, if content_type.is_empty() { &[] } else { &headers }, body).await.unwrap()
}

async fn get(sim: &Simulator, path: &str) -> Answer {
    raw(sim, Method::GET, path, "", "").await
}

const FORM: &str = "application/x-www-form-urlencoded";

fn last_text(sim: &Simulator) -> Option<String> {
    sim.customer(ANA).last_reply().and_then(|reply| reply.text)
}

#[tokio::test]
async fn a_message_can_be_written_in_every_way_that_clients_use() {
    let sim = open().await;
    let recipient = format!(r#"{{"id":"{ANA}"}}"#);
    let json = |text: &str| json!({"recipient": {"id": ANA}, "message": {"text": text}}).to_string();
    let strings =
        |text: &str| json!({"recipient": recipient, "message": json!({"text": text}).to_string()}).to_string();
    let form = |text: &str| encode(&[("recipient", &recipient), ("message", &json!({ "text": text }).to_string())]);
    let brackets = |text: &str| encode(&[("recipient[id]", ANA), ("message[text]", text)]);
    let parts = |text: &str| {
        let part = |name: &str, value: &str| {
            format!("--x\r\ncontent-disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
        };
        format!("{}{}--x--\r\n", part("recipient[id]", ANA), part("message", &json!({ "text": text }).to_string()))
    };
    let ways: [(&str, String); 9] = [
        ("application/json", json("way 0")),
        ("application/json; charset=utf-8", strings("way 1")),
        ("text/plain", json("way 2")),
        ("", json("way 3")),
        ("text/plain;charset=UTF-8", form("way 4")),
        (FORM, form("way 5")),
        ("application/x-www-form-urlencoded; charset=UTF-8", brackets("way 6")),
        ("multipart/form-data; boundary=x", parts("way 7")),
        ("", brackets("way 8")),
    ];
    for (way, (content_type, body)) in ways.iter().enumerate() {
        let answer = raw(&sim, Method::POST, "/v26.0/me/messages", content_type, body).await;
        assert_eq!(answer.status, 200, "{way}: {answer:?}");
        assert_eq!(last_text(&sim), Some(format!("way {way}")));
    }
    // As Meta's samples write it.
    let loose = encode(&[("recipient", &format!("{{id:{ANA}}}")), ("message", "{text:'You did it!'}")]);
    assert_eq!(raw(&sim, Method::POST, &format!("/me/messages?{loose}"), "", "").await.status, 200);
    assert_eq!(last_text(&sim).unwrap(), "You did it!");
    let query = format!("/me/messages?{}", form("in the query"));
    assert_eq!(raw(&sim, Method::POST, &query, "", "").await.status, 200);
    assert_eq!(last_text(&sim).unwrap(), "in the query");
}

#[tokio::test]
async fn versions_slashes_and_places_of_the_token_do_not_matter() {
    let sim = open().await;
    for path in ["/v18.0/me", "/v26.0/me/", "/me", "//me", "/v25.0//me?fields=id%2Cname", "/me?fields%5B0%5D=id"] {
        assert_eq!(get(&sim, path).await.json()["id"], PAGE, "{path}");
    }
    let url = format!("{}/me/messages", sim.graph_facebook_url());
    let body = json!({"recipient": {"id": ANA}, "message": {"text": "x"}, "access_token": token(&sim)}).to_string();
    let headers = [("content-type", "application/json"), ("authorization", "Bearer nonsense")];
    assert_eq!(request(Method::POST, &url, &headers, body).await.unwrap().status, 200);
    let oauth = format!("OAuth {}", token(&sim));
    let me = format!("{}/me?access_token=", sim.graph_facebook_url());
    assert_eq!(request(Method::GET, &me, &[("authorization", &oauth)], "").await.unwrap().status, 200);
    let places: Vec<_> = sim.requests().iter().rev().take(2).filter_map(|request| request.token_place).collect();
    assert_eq!(places, [TokenPlace::Bearer, TokenPlace::Json]);
}

#[tokio::test]
async fn words_of_enumerations_count_in_either_case() {
    let sim = open().await;
    let graph = Graph::facebook(&sim);
    let ana = sim.customer(ANA);
    let act = async |action: &str| graph.send(&json!({"recipient": {"id": ANA}, "sender_action": action})).await;
    assert_eq!(act("TYPING_ON").await.status, 200);
    assert!(ana.sees_typing());
    assert_eq!((act("Typing_Off").await.status, ana.sees_typing()), (200, false));
    assert_eq!(act("MARK_SEEN").await.status, 200);
    let mut body = json!({"recipient": {"id": ANA}, "message": {"text": "x"}, "messaging_type": "response"});
    assert_eq!(graph.send(&body).await.status, 200);
    body["messaging_type"] = json!("message_tag");
    body["tag"] = json!("human_agent");
    assert_eq!(graph.send(&body).await.status, 200);
    assert_eq!(ana.last_reply().unwrap().tag.as_deref(), Some("HUMAN_AGENT"));
    let payload = json!({"url": "https://cdn.example.com/a.jpg"});
    for kind in ["IMAGE", "image"] {
        assert_eq!(graph.message(json!({"attachment": {"type": kind, "payload": payload}})).await.status, 200);
        assert_eq!(ana.last_reply().unwrap().attachments[0]["type"], "image");
    }
    let card = json!({"template_type": "GENERIC", "elements": [{"title": "t", "subtitle": "s"}]});
    assert_eq!(graph.message(json!({"attachment": {"type": "TEMPLATE", "payload": card}})).await.status, 200);
    assert_eq!(get(&sim, "/me/conversations?platform=INSTAGRAM").await.status, 200);
    let upload = json!({"platform": "INSTAGRAM", "message": {"attachment": {"type": "image", "payload": payload}}});
    assert_eq!(graph.post("/me/message_attachments", &upload).await.status, 200);
    assert_eq!(act("DANCE").await.error(), (100, None));
}

#[tokio::test]
async fn unknown_parameters_are_ignored_and_unknown_members_of_a_message_refused() {
    let sim = open().await;
    let graph = Graph::facebook(&sim);
    let body = json!({
        "id": PAGE, "recipient": {"id": ANA}, "message": {"text": "x"}, "notification_type": "REGULAR", "locale": "de_DE",
    });
    assert_eq!(graph.send(&body).await.status, 200);
    let typing = json!({
        "id": PAGE, "recipient": {"id": ANA}, "sender_action": "typing_on", "messaging_type": "RESPONSE", "tag": "X",
    });
    assert_eq!(graph.send(&typing).await.json(), json!({"recipient_id": ANA}));
    let menu = json!({"id": PAGE, "platform": "instagram", "ice_breakers": [{"question": "?", "payload": "P"}]});
    assert_eq!(graph.post("/me/messenger_profile", &menu).await.status, 200);
    let fields = json!({"id": PAGE, "subscribed_fields": "messages"});
    assert_eq!(graph.post("/me/subscribed_apps", &fields).await.status, 200);
    for member in ["is_echo", "mid", "quick_reply", "reply_to"] {
        assert_eq!(graph.message(json!({"text": "x", member: true})).await.error(), (100, None), "{member}");
    }
}

#[tokio::test]
async fn several_nodes_can_be_asked_for_with_any_token() {
    let sim = open().await;
    let page = get(&sim, &format!("/?ids={PAGE},{ANA}&fields=name")).await.json();
    assert_eq!((&page[PAGE]["id"], &page[ANA]["id"]), (&json!(PAGE), &json!(ANA)));
    let instagram = Graph::instagram(&sim).get(&format!("?ids={IG}&fields=user_id")).await.json();
    assert_eq!(instagram[IG]["user_id"], IG);
    let app = &sim.config().app_id;
    let of_app = format!("{app}|{}", sim.config().app_secret.expose());
    let answer = login::facebook(&sim, &of_app, "/", &[("ids", app), ("fields", "id,name")]).await.json();
    assert_eq!(answer[app]["id"], json!(app));
    assert_eq!(get(&sim, &format!("/?ids={PAGE},123")).await.error(), (100, Some(33)));
    assert_eq!(get(&sim, "/?ids=").await.error(), (100, None));
}

#[tokio::test]
async fn the_method_can_be_a_parameter() {
    let sim = open().await;
    Graph::facebook(&sim).subscribe().await;
    let listed = raw(&sim, Method::POST, "/me/subscribed_apps?method=get", "", "").await.json();
    assert_eq!(listed["data"][0]["subscribed_fields"], json!(["messages"]));
    assert_eq!(raw(&sim, Method::POST, "/me/subscribed_apps", FORM, "method=DELETE").await.status, 200);
    assert_eq!(get(&sim, "/me/subscribed_apps").await.json()["data"], json!([]));
    let message = encode(&[("method", "post"), ("recipient[id]", ANA), ("message[text]", "over GET")]);
    assert_eq!(get(&sim, &format!("/me/messages?{message}")).await.status, 200);
    assert_eq!(last_text(&sim).unwrap(), "over GET");
}

#[tokio::test]
async fn me_without_fields_tells_name_and_id() {
    let sim = open().await;
    let account = sim.accounts().remove(0);
    assert_eq!(get(&sim, "/me").await.json(), json!({"id": PAGE, "name": account.page.unwrap().name}));
    assert_eq!(get(&sim, "/me?fields=").await.json()["name"].as_str().map(str::is_empty), Some(false));
    let instagram = Graph::instagram(&sim).get("/me").await.json();
    assert_eq!((instagram["name"].as_str(), instagram["id"].is_string()), (Some(account.name.as_str()), true));
    let person = sim.person().token.expose().to_owned();
    assert!(login::facebook(&sim, &person, "/me", &[]).await.json()["name"].is_string());
}

#[tokio::test]
async fn what_the_simulator_does_not_play_is_no_refusal_of_metas() {
    let sim = open().await;
    let message = sim.customer(ANA).text("hi").await.id;
    let comment = sim.customer(ANA).comment("18000000000000001", "price?").await.id;
    for path in [
        "/me?fields=fan_count".to_owned(),
        "/me?fields=id,instagram_business_account%7Bid,biography%7D".to_owned(),
        "/me/feed".to_owned(),
        "/me/insights?metric=page_views".to_owned(),
        format!("/{message}?fields=tags"),
        format!("/{comment}"),
        "/me/conversations?platform=instagram&date_format=U".to_owned(),
    ] {
        let answer = get(&sim, &path).await;
        let error = answer.json()["error"].clone();
        assert_eq!((answer.status, answer.header("x-simulator")), (501, "not-played"), "{path}");
        assert_eq!((&error["type"], &error["code"]), (&json!("SimulatorNotPlayed"), &json!(0)), "{path}");
        assert!(error["message"].as_str().unwrap().starts_with("The simulator does not play "), "{error}");
    }
    // What Meta does not have either is refused in Meta's words.
    for path in ["/me?fields=shoe_size", "/me?fields=picture%7Bsmell%7D"] {
        assert_eq!(get(&sim, path).await.error(), (100, None), "{path}");
    }
    assert_eq!(get(&sim, "/me/shoes").await.error(), (2500, None));
}

#[tokio::test]
async fn a_batch_answers_each_of_its_requests() {
    let sim = open().await;
    sim.inject(Fault::drop_after_accepting());
    let message = |text: &str| encode(&[("recipient[id]", ANA), ("message[text]", text)]);
    let batch = json!([
        {"method": "POST", "relative_url": "me/messages", "body": message("lost")},
        {"method": "POST", "relative_url": "/v25.0/me/messages", "body": message("second")},
        {"method": "GET", "relative_url": "me?fields=id"},
        {"method": "GET", "relative_url": format!("me?access_token={}", sim.person().token.expose())},
        {"method": "GET", "relative_url": "123456789012345"},
        {"method": "GET", "relative_url": "me", "name": "unseen"},
    ]);
    let body = encode(&[("batch", &batch.to_string()), ("include_headers", "false")]);
    let answer = raw(&sim, Method::POST, "/", FORM, &body).await.json();
    let inner = |at: usize| serde_json::from_str::<Value>(answer[at]["body"].as_str().unwrap()).unwrap();
    assert_eq!((&answer[0], &answer[5]), (&Value::Null, &Value::Null));
    assert!(inner(1)["message_id"].is_string() && answer[1].get("headers").is_none());
    assert_eq!((&inner(2), inner(3)["id"] == sim.person().id), (&json!({"id": PAGE}), true));
    assert_eq!((&answer[4]["code"], &inner(4)["error"]["error_subcode"]), (&json!(400), &json!(33)));
    assert_eq!(sim.requests().len(), 6);
    let texts: Vec<_> = sim.customer(ANA).transcript().into_iter().filter_map(|message| message.text).collect();
    assert_eq!(texts, ["hi", "lost", "second"]);

    let as_json = json!({"batch": [{"relative_url": "me"}]}).to_string();
    let answer = raw(&sim, Method::POST, "/v25.0", "application/json", &as_json).await.json();
    assert!(answer[0]["headers"].as_array().unwrap().iter().any(|header| header["name"] == "facebook-api-version"));
    let many: Vec<Value> = vec![json!({"relative_url": "me"}); 51];
    for (wrong, status) in [
        (json!([]), 400),
        (json!(many), 400),
        (json!([{"relative_url": "/", "method": "POST", "body": "batch=[]"}]), 400),
        (json!([{"relative_url": "me?id={result=a:$.id}"}]), 501),
    ] {
        let body = json!({ "batch": wrong }).to_string();
        assert_eq!(raw(&sim, Method::POST, "/", "application/json", &body).await.status, status, "{body}");
    }
}

#[tokio::test]
async fn a_file_of_a_batch_is_uploaded_by_its_name() {
    let sim = open().await;
    let message = encode(&[("platform", "instagram"), ("message", r#"{"attachment":{"type":"image"}}"#)]);
    let batch = json!([{
        "method": "POST", "relative_url": "me/message_attachments", "body": message, "attached_files": "cat",
    }]);
    let body = format!(
        "--x\r\ncontent-disposition: form-data; name=\"batch\"\r\n\r\n{batch}\r\n--x\r\ncontent-disposition: form-data; \
         name=\"cat\"; filename=\"cat.png\"\r\ncontent-type: image/png\r\n\r\nPNG\r\n--x--\r\n"
    );
    let answer = raw(&sim, Method::POST, "/", "multipart/form-data; boundary=x", &body).await.json();
    assert!(answer[0]["body"].as_str().unwrap().contains("attachment_id"), "{answer}");
}

#[tokio::test]
async fn the_form_of_an_answer_can_be_chosen() {
    let sim = open().await;
    assert!(get(&sim, "/me?pretty=1").await.body.contains("\n  \"id\""));
    assert!(!get(&sim, "/me?pretty=false").await.body.contains('\n'));
    assert!(get(&sim, "/me?debug=all").await.json()["__debug__"].is_object());
    let hidden = get(&sim, "/123456789012345?suppress_http_code=1").await;
    assert_eq!((hidden.status, hidden.error()), (200, (100, Some(33))));
    let preflight = raw(&sim, Method::OPTIONS, "/me/messages", "", "").await;
    assert_eq!((preflight.status, preflight.header("access-control-allow-origin")), (200, "*"));
    assert!(preflight.header("access-control-allow-methods").contains("POST"));
    let head = raw(&sim, Method::HEAD, "/me", "", "").await;
    assert_eq!((head.status, head.body.as_str()), (200, ""));
}

#[tokio::test]
async fn pages_lead_to_each_other_with_the_same_fields() {
    let sim = open().await;
    for text in ["two", "three", "four"] {
        sim.customer(ANA).text(text).await;
    }
    let get = async |url: &str| request(Method::GET, url, &[], "").await.unwrap().json();
    let texts = |page: &Value| -> Vec<String> {
        let list = page["data"].as_array().unwrap();
        list.iter().map(|message| message["message"].as_str().unwrap().to_owned()).collect()
    };
    let asked = "conversations?platform=instagram&fields=messages.limit(2)%7Bmessage,from%7Bid%7D%7D";
    let url = format!("{}/v25.0/me/{asked}&access_token={}", sim.graph_facebook_url(), token(&sim));
    let newest = get(&url).await["data"][0]["messages"].clone();
    assert_eq!(texts(&newest), ["four", "three"]);
    assert!(newest["paging"].get("previous").is_none());
    let oldest = get(newest["paging"]["next"].as_str().unwrap()).await;
    assert_eq!(
        (texts(&oldest).as_slice(), &oldest["data"][0]["from"]["id"]),
        (&["two".to_owned(), "hi".to_owned()][..], &json!(ANA))
    );
    assert!(oldest["paging"].get("next").is_none());
    assert_eq!(texts(&get(oldest["paging"]["previous"].as_str().unwrap()).await), ["four", "three"]);

    let person = sim.person().token.expose().to_owned();
    let nested = [("fields", "id,accounts.limit(1){name,instagram_business_account{username}}")];
    let me = login::facebook(&sim, &person, "/me", &nested).await.json();
    assert!(me["accounts"]["data"][0]["instagram_business_account"]["username"].is_string(), "{me}");
    let list = login::facebook(&sim, &person, "/me/accounts", &[("summary", "true")]).await.json();
    assert_eq!(list["summary"], json!({"total_count": 1}));
}

#[tokio::test]
async fn an_app_may_name_itself_by_http_basic_at_the_token_exchanges() {
    let sim = Simulator::start(simulator::Config::demo()).await.unwrap();
    let config = sim.config();
    let basic = |id: &str, secret: &str| format!("Basic {}", STANDARD.encode(format!("{id}:{secret}")));
    let exchange = async |url: &str, basic: &str, pairs: &[(&str, &str)]| {
        request(Method::POST, url, &[("authorization", basic), ("content-type", FORM)], encode(pairs)).await.unwrap()
    };
    let facebook = format!("{}/v25.0/oauth/access_token", sim.graph_facebook_url());
    let mut code = login::code(&login::press(&login::facebook_dialog(&sim, login::FACEBOOK_SCOPES), "continue").await);
    let own = basic(&config.app_id, config.app_secret.expose());
    let pairs = [("grant_type", "authorization_code"), ("redirect_uri", login::REDIRECT), ("code", &code)];
    assert_eq!(exchange(&facebook, &basic(&config.app_id, "wrong"), &pairs).await.error().0, 1);
    assert!(exchange(&facebook, &own, &pairs).await.json()["access_token"].is_string());
    let instagram = format!("{}/oauth/access_token", sim.api_instagram_url());
    code = login::code(&login::press(&login::instagram_dialog(&sim, login::INSTAGRAM_SCOPES), "continue").await);
    let own = basic(&config.instagram_app_id, config.instagram_app_secret.expose());
    let pairs = [("grant_type", "authorization_code"), ("redirect_uri", login::REDIRECT), ("code", &code)];
    assert_eq!(exchange(&instagram, &own, &pairs).await.status, 200);
}

#[tokio::test]
async fn a_comment_s_answer_that_looks_like_json_stays_a_text() {
    let sim = open().await;
    let comment = sim.customer(ANA).comment("18000000000000001", "1?").await.id;
    let answer = raw(&sim, Method::POST, &format!("/{comment}/replies"), FORM, "message=%5B1%5D").await;
    assert_eq!(answer.status, 200, "{answer:?}");
}

#[tokio::test]
async fn the_control_surface_has_one_form_of_error_and_takes_a_slash_at_the_end() {
    let sim = open().await;
    let call = async |method: Method, path: &str, body: &str| {
        request(method, &format!("{}{path}", sim.base_url()), &[], body).await.unwrap()
    };
    for path in ["/sim", "/sim/", "/sim/accounts/", "/sim/clock/?x=1"] {
        assert_eq!(call(Method::GET, path, "").await.status, 200, "{path}");
    }
    let history = format!("/sim/customers/{ANA}/history");
    for (method, path, body, status, named) in [
        (Method::GET, "/sim/nothing", "", 404, "/sim/nothing"),
        (Method::GET, "/elsewhere", "", 404, "hosts"),
        (Method::DELETE, "/sim/clock", "", 405, "DELETE"),
        (Method::POST, "/sim/faults", "{", 400, "JSON"),
        (Method::POST, "/sim/faults", r#"{"code":1}"#, 400, "kind"),
        (Method::POST, "/sim/faults", r#"{"kind":"html","delay":9}"#, 400, "delay_ms"),
        (Method::POST, "/sim/clock", r#"{"advance":1}"#, 400, "advance_seconds"),
        (Method::POST, "/sim/media", r#"{"base46":"eA=="}"#, 400, "base46"),
        (Method::POST, "/sim/webhook/release", r#"{"order":"in_order","now":true}"#, 400, "now"),
        (Method::POST, "/sim/app", r#"{"app_mode":"alive"}"#, 400, "alive"),
        (Method::POST, &history, r#"{"messages":[{}]}"#, 400, "from"),
        (Method::GET, "/sim/requests?from=x", "", 400, "query"),
        (Method::GET, "/sim/requests?form=1", "", 400, "form"),
    ] {
        let answer = call(method, path, body).await;
        let document = answer.json();
        assert_eq!(answer.status, status, "{path} {answer:?}");
        assert_eq!(document.as_object().unwrap().keys().collect::<Vec<_>>(), ["error"], "{path}");
        assert!(document["error"].as_str().unwrap().contains(named), "{path} {document}");
    }
    assert_eq!(call(Method::POST, "/sim/faults", r#"{"kind":"html"}"#).await.json()[0]["status"], 502);
    assert_eq!(call(Method::GET, "/sim/answers", "").await.json(), json!({"held": 0}));
    assert_eq!(call(Method::POST, "/sim/answers/release", "").await.json(), json!({"released": 0}));
}
