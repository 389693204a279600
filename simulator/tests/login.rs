//! The login dialogs, and the tokens that come out of them.
//! What belongs here: forms, redirects, codes, exchanges, expiry, `debug_token`.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    reason = "test code: a failed unwrap is a failed test"
)]

mod common;

use std::time::Duration;

use common::login::{
    FACEBOOK_SCOPES, INSTAGRAM_SCOPES, REDIRECT, account_token, code, debug, encode, exchange, facebook,
    facebook_dialog, facebook_tokens, get, instagram_dialog, instagram_token, lengthened, page_tokens, parameter,
    post_form, press, press_with, refresh, token, user_token,
};
use common::{ANA, Graph, IG, PAGE, request};
use http::Method;
use serde_json::json;
use simulator::{AnswerForm, Config, Login, Simulator, Subject, UserIdForm, appsecret_proof};

const HOUR: Duration = Duration::from_secs(3600);
const DAY: Duration = Duration::from_secs(24 * 3600);

async fn start() -> Simulator {
    Simulator::start(Config::demo()).await.unwrap()
}

#[tokio::test]
async fn the_facebook_dialog_is_a_form_with_pages_and_permissions_that_are_ticked() {
    let sim = start().await;
    let page = get(&facebook_dialog(&sim, "instagram_basic,pages_show_list")).await;
    assert!(page.header("content-type").starts_with("text/html"));
    for part in [
        r#"<form id="dialog" method="post">"#,
        &format!(r#"<input type="checkbox" id="page-{PAGE}" name="page" value="{PAGE}" checked>"#),
        r#"id="permission-instagram_basic" name="permission" value="instagram_basic" checked"#,
        r#"<button type="submit" id="continue" name="action" value="continue">Continue</button>"#,
        r#"<button type="submit" id="cancel" name="action" value="cancel">Cancel</button>"#,
    ] {
        assert!(page.body.contains(part), "{part} in {}", page.body);
    }
    assert!(!page.body.contains("<script"));
}

#[tokio::test]
async fn continuing_sends_the_person_back_with_code_state_and_the_login_s_fragment() {
    let sim = start().await;
    for (dialog, fragment) in [
        (facebook_dialog(&sim, FACEBOOK_SCOPES), "_=_"),
        (facebook_dialog(&sim, "instagram_basic pages_show_list"), "_=_"),
        (instagram_dialog(&sim, INSTAGRAM_SCOPES), "_"),
    ] {
        let back = press(&dialog, "continue").await;
        assert!(back.as_str().starts_with("https://inbox.example.com/connect/callback?tenant=7&code="), "{back}");
        assert_eq!((parameter(&back, "state").as_deref(), back.fragment()), (Some("s&1"), Some(fragment)));
    }
}

#[tokio::test]
async fn cancelling_sends_the_person_back_with_access_denied() {
    let sim = start().await;
    let back = press(&facebook_dialog(&sim, FACEBOOK_SCOPES), "cancel").await;
    let query = "error=access_denied&error_reason=user_denied&error_description=Permissions+error&state=s%261";
    assert!(back.as_str().ends_with(&format!("&{query}#_=_")), "{back}");
    let back = press(&instagram_dialog(&sim, INSTAGRAM_SCOPES), "cancel").await;
    assert_eq!(parameter(&back, "error").as_deref(), Some("access_denied"));
    assert_eq!((parameter(&back, "code"), back.fragment()), (None, Some("_")));
}

#[tokio::test]
async fn a_dialog_that_is_asked_wrongly_is_an_error_page_and_no_redirect() {
    let sim = start().await;
    let good = facebook_dialog(&sim, "instagram_basic");
    for (from, to) in [
        ("client_id=", "client_id=9"),
        ("redirect_uri=", "r="),
        ("redirect_uri=https", "redirect_uri=javascript"),
        ("response_type=code", "response_type=token"),
        ("scope=instagram_basic", "scope=instagram_nonsense"),
    ] {
        let page = get(&good.replace(from, to)).await;
        assert_eq!(page.status, 400, "{to}");
        assert!(page.body.contains("id=\"error\""), "{}", page.body);
    }
    // The names that ended in January 2025.
    assert_eq!(get(&instagram_dialog(&sim, "business_basic")).await.status, 400);
    sim.update_app(|app| app.allowed_redirect_uris = vec!["https://inbox.example.com/other".to_owned()]);
    assert_eq!(get(&good).await.status, 400);
    assert_eq!(post_form(&good, &[("action", "continue")]).await.status, 400);
    sim.update_app(|app| app.allowed_redirect_uris.push(REDIRECT.to_owned()));
    assert_eq!(get(&good).await.status, 200);
}

#[tokio::test]
async fn a_facebook_code_gives_a_short_token_and_that_a_long_one() {
    let sim = start().await;
    let back = press(&facebook_dialog(&sim, FACEBOOK_SCOPES), "continue").await;
    let answer = facebook_tokens(&sim, &[("redirect_uri", REDIRECT), ("code", &code(&back))]).await;
    let short = token(&answer);
    assert!(short.starts_with("EAA") && short.len() > 100);
    assert_eq!((&answer.json()["token_type"], &answer.json()["expires_in"]), (&json!("bearer"), &json!(5183)));
    let long = lengthened(&sim, &short).await;
    sim.clock().advance(HOUR * 2);
    assert_eq!(facebook(&sim, &short, "/me", &[]).await.error(), (190, Some(463)));
    assert_eq!(facebook(&sim, &long, "/me", &[]).await.json()["name"], "Dana Demo");
    sim.clock().advance(DAY * 60);
    assert_eq!(facebook(&sim, &long, "/me", &[]).await.error(), (190, Some(463)));
}

#[tokio::test]
async fn facebook_codes_work_once_for_ten_minutes_and_for_their_address_only() {
    let sim = start().await;
    let dialog = facebook_dialog(&sim, FACEBOOK_SCOPES);
    let first = code(&press(&dialog, "continue").await);
    let with = |redirect: &'static str, code: &str| {
        let (sim, code) = (sim.clone(), code.to_owned());
        async move { facebook_tokens(&sim, &[("redirect_uri", redirect), ("code", &code)]).await }
    };
    let other = with("https://inbox.example.com/connect/callback", &first).await;
    assert_eq!((other.error(), other.status), ((100, Some(36_008)), 400));
    assert_eq!(with(REDIRECT, &first).await.status, 200);
    assert_eq!(with(REDIRECT, &first).await.error(), (100, Some(36_009)));
    assert_eq!(with(REDIRECT, "AQunknown").await.error(), (100, Some(36_009)));
    let late = code(&press(&dialog, "continue").await);
    sim.clock().advance(Duration::from_secs(600));
    assert_eq!(with(REDIRECT, &late).await.error(), (100, Some(36_009)));
    let instagram = code(&press(&instagram_dialog(&sim, INSTAGRAM_SCOPES), "continue").await);
    assert_eq!(with(REDIRECT, &instagram).await.error(), (100, Some(36_009)));
}

#[tokio::test]
async fn a_wrong_app_secret_is_refused_with_code_one_and_status_400() {
    let sim = start().await;
    let query = encode(&[("client_id", &sim.config().app_id), ("client_secret", "guess"), ("code", "AQ")]);
    let answer = get(&format!("{}/oauth/access_token?{query}", sim.graph_facebook_url())).await;
    let error = &answer.json()["error"];
    assert_eq!(
        (&error["message"], &error["type"]),
        (&json!("Error validating client secret."), &json!("OAuthException"))
    );
    assert_eq!((answer.error(), answer.status), ((1, None), 400));
}

#[tokio::test]
async fn an_app_token_looks_into_other_tokens_and_nothing_else_can() {
    let sim = start().await;
    let answer = facebook_tokens(&sim, &[("grant_type", "client_credentials")]).await;
    let app = token(&answer);
    assert!(app.starts_with("987650000000001|"), "{app}");
    assert_eq!(answer.json().get("expires_in"), None);
    let user = user_token(&sim, FACEBOOK_SCOPES).await;
    let about = facebook(&sim, &app, "/debug_token", &[("input_token", &user)]).await.json()["data"].clone();
    assert_eq!(
        (&about["type"], &about["is_valid"], &about["app_id"]),
        (&json!("USER"), &json!(true), &json!("987650000000001"))
    );
    assert_eq!(about["user_id"], sim.person().id);
    assert_eq!(about["expires_at"].as_i64().unwrap() - about["issued_at"].as_i64().unwrap(), 5183);
    assert!(about["scopes"].as_array().unwrap().contains(&json!("instagram_manage_messages")));
    let granular = about["granular_scopes"].as_array().unwrap();
    assert!(granular.contains(&json!({"scope": "pages_show_list", "target_ids": [PAGE]})), "{granular:?}");
    assert!(granular.contains(&json!({"scope": "instagram_basic", "target_ids": [IG]})), "{granular:?}");
    assert_eq!(facebook(&sim, &user, "/debug_token", &[("input_token", &user)]).await.error(), (100, None));
    assert_eq!(facebook(&sim, &app, "/me", &[]).await.error(), (2500, None));
}

#[tokio::test]
async fn debug_token_says_why_a_token_is_worth_nothing() {
    let sim = start().await;
    let unknown = debug(&sim, "EAAnonsense").await;
    assert_eq!((&unknown["is_valid"], &unknown["error"]["code"]), (&json!(false), &json!(190)));
    let user = user_token(&sim, FACEBOOK_SCOPES).await;
    let page = page_tokens(&sim, &user).await[0].clone();
    let about = debug(&sim, &page).await;
    assert_eq!((&about["type"], &about["profile_id"]), (&json!("PAGE"), &json!(PAGE)));
    sim.clock().advance(HOUR * 2);
    let expired = debug(&sim, &page).await;
    assert_eq!((&expired["is_valid"], &expired["error"]["subcode"]), (&json!(false), &json!(463)));
    let configured = sim.accounts()[0].page.clone().unwrap().token;
    let about = debug(&sim, configured.expose()).await;
    assert_eq!((&about["is_valid"], &about["expires_at"]), (&json!(true), &json!(0)));
}

#[tokio::test]
async fn page_tokens_live_as_long_as_the_user_token_was_meant_to() {
    let sim = start().await;
    let short = user_token(&sim, FACEBOOK_SCOPES).await;
    let long = lengthened(&sim, &short).await;
    let (of_short, of_long) = (page_tokens(&sim, &short).await, page_tokens(&sim, &long).await);
    assert_ne!(of_short, of_long);
    assert_eq!(page_tokens(&sim, &long).await, of_long);
    assert_eq!(debug(&sim, &of_long[0]).await["expires_at"], 0);
    sim.customer(ANA).text("hi").await;
    sim.clock().advance(HOUR * 2);
    let message = json!({"text": "hello"});
    assert_eq!(Graph::facebook_as(&sim, &of_short[0]).message(message.clone()).await.error(), (190, Some(463)));
    assert_eq!(Graph::facebook_as(&sim, &of_long[0]).message(message).await.status, 200);
    sim.clock().advance(DAY * 400);
    assert_eq!(Graph::facebook_as(&sim, &of_long[0]).get("/me").await.status, 200);
}

#[tokio::test]
async fn minted_tokens_need_the_right_proof_and_die_by_faults_like_configured_ones() {
    let sim = start().await;
    let user = lengthened(&sim, &user_token(&sim, FACEBOOK_SCOPES).await).await;
    let page = page_tokens(&sim, &user).await[0].clone();
    let proof = appsecret_proof(&sim.config().app_secret, &page);
    assert_eq!(facebook(&sim, &page, "/me", &[("appsecret_proof", &proof)]).await.status, 200);
    assert_eq!(facebook(&sim, &user, "/me", &[("appsecret_proof", &proof)]).await.error(), (100, None));
    sim.set_token_dead(IG, Login::Facebook, Some(460));
    assert_eq!(facebook(&sim, &page, "/me", &[]).await.error(), (190, Some(460)));
    // Whoever logs in again gets tokens that live.
    let again = user_token(&sim, FACEBOOK_SCOPES).await;
    assert_eq!(facebook(&sim, &page_tokens(&sim, &again).await[0], "/me", &[]).await.status, 200);
    assert_eq!(facebook(&sim, &page_tokens(&sim, &user).await[0], "/me", &[]).await.status, 200);
    sim.invalidate_tokens(&Subject::Person, 460).unwrap();
    assert_eq!(facebook(&sim, &again, "/me", &[]).await.error(), (190, Some(460)));
}

#[tokio::test]
async fn an_instagram_code_gives_a_number_for_an_id_or_the_documented_wrapping() {
    let sim = start().await;
    let dialog = instagram_dialog(&sim, INSTAGRAM_SCOPES);
    let flat = instagram_token(&sim, &code(&press(&dialog, "continue").await)).await;
    assert!(token(&flat).starts_with("IGAA"));
    let id = flat.json()["user_id"].as_u64().unwrap();
    assert!(id > 1 << 53, "{id}");
    assert_eq!(flat.json()["permissions"], json!(["instagram_business_basic", "instagram_business_manage_messages"]));
    let me = Graph::instagram_as(&sim, &token(&flat)).get("/me?fields=user_id,username").await.json();
    assert_eq!((&me["user_id"], me["id"].as_str()), (&json!(IG), Some(id.to_string().as_str())));
    sim.update_app(|app| {
        app.instagram_token_answer = AnswerForm::Wrapped;
        app.instagram_user_id = UserIdForm::Account;
    });
    let wrapped = instagram_token(&sim, &code(&press(&dialog, "continue").await)).await.json();
    assert_eq!(wrapped["data"][0]["permissions"], "instagram_business_basic,instagram_business_manage_messages");
    assert_eq!(wrapped["data"][0]["user_id"], IG);
}

#[tokio::test]
async fn instagram_codes_work_once_for_an_hour_and_refusals_have_their_own_envelope() {
    let sim = start().await;
    let dialog = instagram_dialog(&sim, INSTAGRAM_SCOPES);
    let first = code(&press(&dialog, "continue").await);
    // Whoever forgets to take the fragment off has no valid code.
    let refused = instagram_token(&sim, &format!("{first}#_")).await;
    assert_eq!((refused.status, &refused.json()["error_type"]), (400, &json!("OAuthException")));
    assert_eq!(refused.json()["code"], 400);
    assert_eq!(instagram_token(&sim, &first).await.status, 200);
    assert_eq!(instagram_token(&sim, &first).await.status, 400);
    let late = code(&press(&dialog, "continue").await);
    sim.clock().advance(HOUR);
    assert_eq!(instagram_token(&sim, &late).await.status, 400);
    let url = format!("{}/oauth/access_token", sim.api_instagram_url());
    let json_body = request(Method::POST, &url, &[("content-type", "application/json")], "{}").await.unwrap();
    assert_eq!(json_body.status, 400);
    assert_eq!(get(&url).await.status, 400);
}

#[tokio::test]
async fn instagram_tokens_are_exchanged_when_short_and_refreshed_when_a_day_old() {
    let sim = start().await;
    let back = press(&instagram_dialog(&sim, INSTAGRAM_SCOPES), "continue").await;
    let short = token(&instagram_token(&sim, &code(&back)).await);
    assert_eq!(refresh(&sim, &short).await.error(), (100, None));
    let answer = exchange(&sim, &short).await;
    assert_eq!(answer.json()["expires_in"], 5_183_944);
    let long = token(&answer);
    assert_eq!(exchange(&sim, &long).await.error(), (100, None));
    assert_eq!(refresh(&sim, &long).await.error(), (100, None));
    sim.clock().advance(DAY);
    assert_eq!(exchange(&sim, &short).await.error(), (190, Some(463)));
    sim.clock().advance(DAY * 49);
    let fresh = token(&refresh(&sim, &long).await);
    sim.clock().advance(DAY * 20);
    assert_eq!(refresh(&sim, &long).await.error(), (190, Some(463)));
    assert_eq!(Graph::instagram_as(&sim, &fresh).get("/me").await.status, 200);
    // Tokens of the dashboard are long-lived from the first moment.
    let configured = sim.accounts()[0].instagram_token.clone().unwrap();
    assert_eq!(refresh(&sim, configured.expose()).await.status, 200);
}

#[tokio::test]
async fn a_token_without_the_basic_permission_cannot_be_refreshed() {
    let sim = start().await;
    let long = account_token(&sim, "instagram_business_manage_messages").await;
    sim.clock().advance(DAY * 2);
    assert_eq!(refresh(&sim, &long).await.error(), (10, None));
}

#[tokio::test]
async fn the_instagram_dialog_offers_professional_accounts_only() {
    let sim = Simulator::start(Config::crowded()).await.unwrap();
    let accounts = sim.accounts();
    let dialog = instagram_dialog(&sim, INSTAGRAM_SCOPES);
    let page = get(&dialog).await.body;
    let personal = &accounts[1].ig_id;
    assert!(page.contains(&format!(r#"name="account" value="{personal}" disabled>"#)), "{page}");
    assert!(page.contains(&format!(r#"type="radio" id="account-{IG}" name="account" value="{IG}" checked"#)), "{page}");
    let form = [("account", personal.as_str()), ("action", "continue")];
    assert_eq!(post_form(&dialog, &form).await.status, 400);
    let third = accounts[2].ig_id.as_str();
    let fields = [("account", third), ("permission", "instagram_business_basic"), ("action", "continue")];
    let answer = instagram_token(&sim, &code(&press_with(&dialog, &fields).await)).await;
    let me = Graph::instagram_as(&sim, &token(&answer)).get("/me?fields=user_id").await.json();
    assert_eq!(me["user_id"], third);
}

#[tokio::test]
async fn neither_the_record_nor_the_json_surface_tells_a_secret_and_the_list_knows_all() {
    let sim = start().await;
    let user = lengthened(&sim, &user_token(&sim, FACEBOOK_SCOPES).await).await;
    let page = page_tokens(&sim, &user).await[0].clone();
    debug(&sim, &page).await;
    let long = account_token(&sim, INSTAGRAM_SCOPES).await;
    facebook(&sim, "EAAwrong", "/me", &[]).await;
    let secrets = sim.secrets();
    for known in [&user, &page, &long, "demo-meta-app-secret", "demo-instagram-app-secret", "demo-verify-token"] {
        assert!(secrets.iter().any(|secret| secret.expose() == known), "{known}");
    }
    let mut shown = format!("{:?} {:?} {:?}", sim.requests(), sim.app(), sim.person());
    for path in ["/", "/accounts", "/requests", "/app", "/callbacks", "/deliveries"] {
        shown.push_str(&get(&format!("{}/sim{path}", sim.base_url())).await.body);
    }
    assert!(shown.contains("/oauth/access_token") && shown.contains("api.instagram.com"));
    for secret in &secrets {
        assert!(!shown.contains(secret.expose()), "{}", secret.expose());
    }
}
