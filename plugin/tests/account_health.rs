//! Keeping an account healthy: its webhooks, its credentials, the check, and contacts' profiles.
//! What belongs here is one test for each promise, over a network of a script.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod common;
use common::{CONTACT, network::*};
use instagram_channel::account::*;
use instagram_channel::types::*;

const TO_PAGE: &str = "POST graph.facebook.com/v25.0/102030405060708/subscribed_apps?subscribed_fields=";
const TO_ACCOUNT: &str = "POST graph.instagram.com/v25.0/17841400000000001/subscribed_apps?subscribed_fields=";
const OF_PAGE: &str = "GET graph.facebook.com/v25.0/102030405060708/subscribed_apps [bearer: page-token]";
const OF_ACCOUNT: &str = "GET graph.instagram.com/v25.0/17841400000000001/subscribed_apps [bearer: instagram-token]";
const SUCCESS: &str = r#"{"success":true}"#;
const PAGE_SUBSCRIBED: &str =
    r#"{"data":[{"id":"1","subscribed_fields":["feed"]},{"id":"1234567890","subscribed_fields":["messages"]}]}"#;
const ACCOUNT_SUBSCRIBED: &str = r#"{"data":[{"id":"9876543210","subscribed_fields":["messages","messaging_postbacks","message_reactions","messaging_seen","messaging_referral"]}]}"#;
const OAUTH: &str = "GET graph.facebook.com/v25.0/oauth/access_token?grant_type=";

#[test]
fn webhooks_are_subscribed_and_read_back() {
    let script = Script::new().answer(TO_PAGE, SUCCESS).answer(OF_PAGE, PAGE_SUBSCRIBED);
    assert_eq!(subscribe(&script, &connected("facebook")), Ok(()));
    let script_of_account = Script::new().answer(TO_ACCOUNT, SUCCESS).answer(OF_ACCOUNT, ACCOUNT_SUBSCRIBED);
    assert_eq!(subscribe(&script_of_account, &connected("instagram")), Ok(()));
    let other_id = ACCOUNT_SUBSCRIBED.replace("9876543210", "1234567890");
    let by_the_other_id = Script::new().answer(TO_ACCOUNT, SUCCESS).answer(OF_ACCOUNT, &other_id);
    assert_eq!(subscribe(&by_the_other_id, &connected("instagram")), Ok(()));
    insta::assert_snapshot!([script.lines(), script_of_account.lines()].concat().join("\n"));
}

/// The app's webhook, asked for first of all.
const APP: &str = "GET graph.facebook.com/v25.0/1234567890/subscriptions";

#[test]
fn the_apps_webhook_is_set_up_where_nobody_has_and_left_alone_where_it_leads_elsewhere() {
    let to_app = "POST graph.facebook.com/v25.0/1234567890/subscriptions object=instagram&callback_url=https%3a%2f%2finbox.example%2fwebhooks%2finstagram&include_values=true&fields=messages,";
    let script = Script::new()
        .answer(APP, r#"{"data":[{"object":"page","callback_url":"https://x.example","active":true}]}"#)
        .answer(to_app, SUCCESS)
        .answer(TO_ACCOUNT, SUCCESS)
        .answer(OF_ACCOUNT, ACCOUNT_SUBSCRIBED);
    assert_eq!(subscribe(&script, &connected("instagram")), Ok(()));
    let lines = script.lines();
    assert!(
        lines[1].contains("[form verify_token: verify-token]") || lines[1].contains("verify-token"),
        "{}",
        lines[1]
    );
    assert!(lines[1].contains("app-token"), "{}", lines[1]);
    // Fields that Meta does not have cost only themselves, and a refusal is no failure of connecting.
    let script = Script::new()
        .answer(APP, r#"{"data":[]}"#)
        .refused(to_app, 100, 0)
        .refused(to_app, 10, 0)
        .answer(TO_PAGE, SUCCESS)
        .answer(OF_PAGE, PAGE_SUBSCRIBED);
    assert_eq!(subscribe(&script, &connected("facebook")), Ok(()));
    script.lines();
}

#[test]
fn the_apps_webhook_is_the_accounts_and_without_one_the_app_is_left_alone() {
    let to_app = "POST graph.facebook.com/v25.0/1234567890/subscriptions object=instagram&callback_url=https%3a%2f%2fshop.example%2fhook&";
    let script = Script::new()
        .answer(APP, r#"{"data":[]}"#)
        .answer(to_app, SUCCESS)
        .answer(TO_ACCOUNT, SUCCESS)
        .answer(OF_ACCOUNT, ACCOUNT_SUBSCRIBED);
    let own = AccountSettings { webhook_url: Some("https://shop.example/hook".into()), ..connected("instagram") };
    assert_eq!(subscribe(&script, &own), Ok(()));
    script.lines();
    let network = WithoutApp(Script::new().answer(TO_ACCOUNT, SUCCESS).answer(OF_ACCOUNT, ACCOUNT_SUBSCRIBED));
    assert_eq!(subscribe(&network, &AccountSettings { webhook_url: None, ..own }), Ok(()));
    network.0.lines();
}

#[test]
fn a_field_that_meta_does_not_take_costs_only_that_field() {
    let script = Script::new()
        .refused(TO_ACCOUNT, 100, 0)
        .refused(TO_ACCOUNT, 10, 0)
        .answer(TO_ACCOUNT, SUCCESS)
        .answer(OF_ACCOUNT, ACCOUNT_SUBSCRIBED);
    assert_eq!(subscribe(&script, &connected("instagram")), Ok(()));
    let lines = script.lines();
    assert!(lines[0].contains(",message_echoes "), "{}", lines[0]);
    assert!(lines[1].contains(",comments,") && !lines[1].contains("message_echoes"), "{}", lines[1]);
    assert!(lines[2].contains("=messages,messaging_postbacks,message_reactions,messaging_seen,messaging_referral "));

    let script = Script::new().refused(TO_PAGE, 100, 0).answer(TO_PAGE, SUCCESS).answer(OF_PAGE, PAGE_SUBSCRIBED);
    assert_eq!(subscribe(&script, &connected("facebook")), Ok(()));
    assert!(script.lines()[1].contains("=messages "));
}

#[test]
fn a_subscription_that_is_refused_or_not_listed_is_a_failure() {
    let script = Script::new().refused(TO_ACCOUNT, 190, 460);
    assert_eq!(category(subscribe(&script, &connected("instagram"))), FailureCategory::AuthExpired);
    let script = Script::new().refused(TO_PAGE, 200, 0).refused(TO_PAGE, 200, 0);
    assert_eq!(category(subscribe(&script, &connected("facebook"))), FailureCategory::PermissionMissing);
    for listed in [
        r#"{"data":[]}"#,
        r#"{"data":[{"id":"1","subscribed_fields":["messages"]}]}"#,
        r#"{"data":[{"id":"1234567890","subscribed_fields":["feed"]}]}"#,
    ] {
        let script = Script::new().answer(TO_PAGE, SUCCESS).answer(OF_PAGE, listed);
        assert_eq!(category(subscribe(&script, &connected("facebook"))), FailureCategory::Other);
    }
}

#[test]
fn unsubscribing_takes_one_request() {
    let page = "DELETE graph.facebook.com/v25.0/102030405060708/subscribed_apps [bearer: page-token]";
    assert_eq!(unsubscribe(&Script::new().answer(page, SUCCESS), &connected("facebook")), Ok(()));
    let own = "DELETE graph.instagram.com/v25.0/17841400000000001/subscribed_apps [bearer: instagram-token]";
    assert_eq!(unsubscribe(&Script::new().answer(own, SUCCESS), &connected("instagram")), Ok(()));
}

fn category<T: std::fmt::Debug>(outcome: Result<T, AccountError>) -> FailureCategory {
    match outcome {
        Err(AccountError::Platform(failure)) => failure.category,
        other => panic!("{other:?}"),
    }
}

/// A refresh that changed no setting.
fn renewed(until: u64) -> Refreshed {
    Refreshed { before: Some(until), settings: Vec::new() }
}

const REFRESH: &str = "GET graph.instagram.com/refresh_access_token?grant_type=ig_refresh_token \
                       [query access_token: instagram-token] -> instagram-token";

#[test]
fn a_token_of_the_instagram_login_is_renewed_for_as_long_as_the_answer_says() {
    for answer in [
        r#"{"access_token":"SECRET","token_type":"bearer","expires_in":5183944}"#,
        r#"{"data":[{"access_token":"SECRET","expires_in":"5183944"}]}"#,
    ] {
        let script = Script::new().answer(REFRESH, answer);
        assert_eq!(refresh(&script, &connected("instagram")), Ok(renewed(NOW + 5_183_944_000)));
    }
    let script = Script::new().refused(REFRESH, 190, 463);
    assert_eq!(category(refresh(&script, &connected("instagram"))), FailureCategory::AuthExpired);
    // Without a `date` nobody knows when it ends, which must not pass for "never".
    let script = Script::undated().answer(REFRESH, r#"{"access_token":"SECRET","expires_in":5183944}"#);
    assert_eq!(category(refresh(&script, &connected("instagram"))), FailureCategory::Other);
}

const PAGE_TOKEN: &str =
    "GET graph.facebook.com/v25.0/102030405060708?fields=access_token [bearer: user-token] -> page-token";
const DEBUG: &str = "GET graph.facebook.com/v25.0/debug_token [bearer: app-token] [query input_token: page-token]";
const TOKEN: &str = r#"{"access_token":"SECRET","expires_in":5183944}"#;

fn debugged(rest: &str) -> String {
    format!(r#"{{"data":{{"app_id":"1234567890","type":"PAGE",{rest}}}}}"#)
}

#[test]
fn with_the_facebook_login_the_persons_token_renews_the_pages() {
    let end = NOW / 1000 + 90 * 86_400;
    for (said, until) in [
        (format!(r#""is_valid":true,"expires_at":0,"data_access_expires_at":{end}"#), NOW + 5_183_944_000),
        (
            format!(r#""is_valid":true,"expires_at":{},"data_access_expires_at":{end}"#, end - 80 * 86_400),
            NOW + 10 * DAY,
        ),
    ] {
        let script = Script::new()
            .answer(OAUTH, TOKEN)
            .answer(PAGE_TOKEN, TOKEN)
            .answer(OAUTH, TOKEN)
            .answer(DEBUG, &debugged(&said));
        assert_eq!(refresh(&script, &connected("facebook")), Ok(renewed(until)));
        let lines = script.lines();
        assert!(lines[0].ends_with(
            "?grant_type=fb_exchange_token&client_id=1234567890 [query client_secret: app-secret] [query fb_exchange_token: user-token] -> user-token"
        ));
        assert!(lines[2].ends_with(
            "?grant_type=client_credentials&client_id=1234567890 [query client_secret: app-secret] -> app-token"
        ));
    }
}

#[test]
fn a_page_token_that_is_valid_counts_more_than_a_persons_that_is_not() {
    let valid = debugged(r#""is_valid":true,"expires_at":0,"data_access_expires_at":0"#);
    for script in [
        Script::new().refused(OAUTH, 190, 463),
        Script::new().fails(OAUTH, HttpError::MissingSlot("user-token".into())),
        Script::new().answer(OAUTH, TOKEN).refused(PAGE_TOKEN, 100, 33),
    ] {
        let dies = script.answer(OAUTH, TOKEN).answer(DEBUG, &valid);
        let refreshed = refresh(&dies, &connected("facebook")).unwrap();
        assert!(refreshed.before.is_none_or(|until| until == NOW + 5_183_944_000));
        assert_eq!(refreshed.settings, []);
        dies.lines();
    }
}

#[test]
fn a_dead_page_token_says_why_it_died() {
    let dead = debugged(r#""is_valid":false,"error":{"code":190,"message":"…","subcode":460}"#);
    for (script, subcode) in [
        (Script::new().refused(OAUTH, 190, 458), "458"),
        (Script::new().fails(OAUTH, HttpError::MissingSlot("user-token".into())), "460"),
    ] {
        let error = refresh(&script.answer(OAUTH, TOKEN).answer(DEBUG, &dead), &connected("facebook")).unwrap_err();
        let AccountError::Platform(failure) = error else { panic!("{error:?}") };
        assert_eq!(failure.category, FailureCategory::AuthExpired);
        assert_eq!(failure.subcode.as_deref(), Some(subcode));
    }
}

const OWN_PAGE: &str = "GET graph.facebook.com/v25.0/102030405060708?fields=id,name,instagram_business_account%7bid,username%7d [bearer: page-token]";
const ACCOUNTS: &str = "GET graph.facebook.com/v25.0/me/accounts?";
const CONVERSATIONS: &str = "GET graph.facebook.com/v25.0/102030405060708/conversations?platform=instagram&fields=id&limit=1 [bearer: page-token]";
const SCOPES: &str = r#""scopes":["instagram_basic","instagram_manage_messages","pages_manage_metadata","pages_messaging","pages_read_engagement","pages_show_list"]"#;
const LINKED: &str = r#"{"id":"102030405060708","instagram_business_account":{"id":"17841400000000001"}}"#;

/// The answers of a healthy account of the Facebook login, in the order of the questions.
fn healthy() -> Vec<(&'static str, String)> {
    let end = NOW / 1000 + 60 * 86_400;
    vec![
        (OWN_PAGE, LINKED.into()),
        (OAUTH, TOKEN.into()),
        (DEBUG, debugged(&format!(r#""is_valid":true,"expires_at":0,"data_access_expires_at":{end},{SCOPES}"#))),
        (ACCOUNTS, r#"{"data":[{"id":"102030405060708","tasks":["MESSAGING","MODERATE"]}]}"#.into()),
        (CONVERSATIONS, r#"{"data":[]}"#.into()),
        (OF_PAGE, PAGE_SUBSCRIBED.into()),
    ]
}

fn script(answers: &[(&'static str, String)]) -> Script {
    answers.iter().fold(Script::new(), |script, (request, body)| {
        let is_error = body.starts_with(r#"{"error""#);
        script.status(request, if is_error { 400 } else { 200 }, body)
    })
}

fn refusal(code: u32, subcode: u32) -> String {
    format!(r#"{{"error":{{"message":"…","code":{code},"error_subcode":{subcode}}}}}"#)
}

fn report(login: &str, script: Script) -> Vec<CheckResult> {
    let lines = check(&script, &connected(login)).unwrap();
    script.lines();
    lines
}

fn shown(lines: &[CheckResult]) -> String {
    let line = |line: &CheckResult| {
        format!("{} {:?}: {} {}", line.name, line.level, line.finding, line.fix.as_deref().unwrap_or("-"))
    };
    lines.iter().map(line).collect::<Vec<_>>().join("\n")
}

fn level(lines: &[CheckResult], name: &str) -> CheckLevel {
    lines.iter().find(|line| line.name == name).unwrap_or_else(|| panic!("no line {name}")).level
}

#[test]
fn every_line_of_the_check_passes_on_a_healthy_account() {
    let facebook = report("facebook", script(&healthy()));
    let instagram = report("instagram", script(&healthy_instagram()));
    insta::assert_snapshot!(format!("{}\n\n{}", shown(&facebook), shown(&instagram)));
}

#[test]
fn every_line_of_the_check_fails_for_its_own_reason_and_stops_no_other() {
    let near = NOW / 1000 + 9 * 86_400;
    for (request, body, name, expected) in [
        (DEBUG, debugged(&format!(r#""expires_at":{},{SCOPES}"#, NOW / 1000)), "token-expiry", CheckLevel::Failed),
        (DEBUG, debugged(&format!(r#""expires_at":{near},{SCOPES}"#)), "token-expiry", CheckLevel::Warning),
        (DEBUG, debugged(&format!(r#""data_access_expires_at":{near},{SCOPES}"#)), "data-access", CheckLevel::Warning),
        (DEBUG, debugged(r#""data_access_expires_at":1,"scopes":[]"#), "data-access", CheckLevel::Failed),
        (DEBUG, debugged(r#""scopes":["instagram_basic"]"#), "permissions", CheckLevel::Failed),
        (DEBUG, refusal(4, 0), "permissions", CheckLevel::Skipped),
        (
            ACCOUNTS,
            r#"{"data":[{"id":"102030405060708","tasks":["ANALYZE"]}]}"#.into(),
            "page-task",
            CheckLevel::Failed,
        ),
        (ACCOUNTS, r#"{"data":[]}"#.into(), "page-task", CheckLevel::Failed),
        (ACCOUNTS, refusal(190, 463), "page-task", CheckLevel::Skipped),
        (OWN_PAGE, r#"{"instagram_business_account":{"id":"1"}}"#.into(), "page-link", CheckLevel::Failed),
        (OWN_PAGE, r#"{"id":"1"}"#.into(), "page-link", CheckLevel::Failed),
        (OWN_PAGE, r#"{"id":"1"}"#.into(), "account-type", CheckLevel::Skipped),
        (OF_PAGE, r#"{"data":[]}"#.into(), "webhook-fields", CheckLevel::Failed),
        (OF_PAGE, refusal(200, 0), "webhook-fields", CheckLevel::Failed),
        (CONVERSATIONS, refusal(200, 2_534_041), "message-access", CheckLevel::Failed),
        (CONVERSATIONS, refusal(200, 2_018_028), "app-mode", CheckLevel::Failed),
        (CONVERSATIONS, refusal(2, 0), "message-access", CheckLevel::Skipped),
    ] {
        let mut answers = healthy();
        let place = answers.iter_mut().find(|(known, _)| *known == request).unwrap();
        place.1 = body;
        let lines = report("facebook", script(&answers));
        assert_eq!(lines.len(), 12);
        assert_eq!(level(&lines, name), expected, "{}", shown(&lines));
    }
}

#[test]
fn a_dead_token_says_why_and_nothing_is_asked_in_vain() {
    for (code, subcode, word) in [
        (190, 463, "expired"),
        (190, 460, "password"),
        (190, 458, "removed the app"),
        (190, 492, "role"),
        (10, 0, "permission"),
    ] {
        let lines = report("facebook", Script::new().refused(OWN_PAGE, code, subcode));
        assert_eq!(lines[0].name, "token-valid");
        assert_eq!(lines[0].level, CheckLevel::Failed);
        assert!(lines[0].finding.contains(word), "{}", lines[0].finding);
        assert!(lines[0].fix.is_some() && lines.len() == 12);
        assert!(lines[1..].iter().all(|line| line.level == CheckLevel::Skipped && line.finding.contains(word)));
    }
}

#[test]
fn a_network_that_does_not_answer_is_lines_and_no_error() {
    for (error, word) in [
        (HttpError::Unreachable("dns".into()), "reached"),
        (HttpError::TimedOut, "in time"),
        (HttpError::MissingSlot("page-token".into()), "`page-token`"),
        (HttpError::Denied("GET /x".into()), "GET /x"),
        (HttpError::BudgetExhausted, "carried out"),
    ] {
        let lines = report("facebook", Script::new().fails(OWN_PAGE, error));
        assert!(lines.iter().all(|line| line.finding.contains(word)), "{}", shown(&lines));
        assert_eq!((lines[0].level, lines[1].level), (CheckLevel::Failed, CheckLevel::Skipped));
    }
    let mut answers = healthy();
    answers.truncate(1);
    let script = script(&answers)
        .fails(OAUTH, HttpError::TimedOut)
        .fails(ACCOUNTS, HttpError::TimedOut)
        .fails(CONVERSATIONS, HttpError::TimedOut)
        .fails(OF_PAGE, HttpError::TimedOut);
    let lines = report("facebook", script);
    assert_eq!(level(&lines, "page-link"), CheckLevel::Passed);
    assert_eq!(level(&lines, "message-access"), CheckLevel::Skipped);
}

const ME: &str = "GET graph.instagram.com/v25.0/me?fields=id,user_id,username,name,account_type,profile_picture_url [bearer: instagram-token]";
const OWN_CONVERSATIONS: &str = "GET graph.instagram.com/v25.0/17841400000000001/conversations?platform=instagram&fields=id&limit=1 [bearer: instagram-token]";

fn healthy_instagram() -> Vec<(&'static str, String)> {
    vec![
        (ME, r#"{"user_id":"17841400000000001","account_type":"MEDIA_CREATOR"}"#.into()),
        (OWN_CONVERSATIONS, r#"{"data":[]}"#.into()),
        (OF_ACCOUNT, ACCOUNT_SUBSCRIBED.into()),
    ]
}

#[test]
fn the_check_of_the_instagram_login_finds_what_only_that_login_shows() {
    for (request, body, name, expected) in [
        (ME, r#"{"data":[{"account_type":"PERSONAL"}]}"#.into(), "account-type", CheckLevel::Failed),
        (ME, r#"{"user_id":"1"}"#.into(), "account-type", CheckLevel::Skipped),
        (OWN_CONVERSATIONS, refusal(10, 0), "permissions", CheckLevel::Failed),
        (OWN_CONVERSATIONS, refusal(200, 2_534_041), "message-access", CheckLevel::Failed),
        (
            OF_ACCOUNT,
            r#"{"data":[{"id":"9876543210","subscribed_fields":["messages"]}]}"#.into(),
            "webhook-fields",
            CheckLevel::Failed,
        ),
    ] {
        let mut answers = healthy_instagram();
        answers.iter_mut().find(|(known, _)| *known == request).unwrap().1 = body;
        let lines = report("instagram", script(&answers));
        assert_eq!(lines.len(), 9);
        assert_eq!(level(&lines, name), expected, "{}", shown(&lines));
    }
}

#[test]
fn a_version_that_meta_has_retired_is_named() {
    let headers = vec![Header { name: "facebook-api-version".into(), value: "v27.0".into() }];
    let own = HttpResponse { status: 200, headers, body: LINKED.into() };
    let rest = healthy().split_off(1);
    let script =
        rest.iter().fold(Script::new().response(OWN_PAGE, own), |script, (request, body)| script.answer(request, body));
    let lines = report("facebook", script);
    assert_eq!(level(&lines, "api-version"), CheckLevel::Warning);
    assert!(lines.last().unwrap().finding.contains("v27.0 instead of v25.0"));
}

const PROFILE: &str = "GET graph.instagram.com/v25.0/6512345678901234?fields=name,username,profile_pic,follower_count,is_user_follow_business,is_business_follow_user,is_verified_user [bearer: instagram-token]";

#[test]
fn a_profile_is_read_with_its_nulls() {
    let body = r#"{"name":"Ana","username":"ana","profile_pic":"https://scontent.cdninstagram.com/a.jpg","follower_count":12,
        "is_user_follow_business":true,"is_business_follow_user":false,"is_verified_user":false,"id":"6512345678901234"}"#;
    let found = profile(&Script::new().answer(PROFILE, body), &connected("instagram"), CONTACT.into()).unwrap();
    assert_eq!((found.contact.name.as_deref(), found.contact.username.as_deref()), (Some("Ana"), Some("ana")));
    assert_eq!(found.contact.id, CONTACT);
    assert_eq!(found.picture.unwrap().url.as_deref(), Some("https://scontent.cdninstagram.com/a.jpg"));
    let details: Vec<_> =
        found.contact.details.iter().map(|it| (it.key.as_str(), it.label.as_str(), it.value.as_str())).collect();
    assert_eq!(
        details,
        [
            ("follower_count", "Followers", "12"),
            ("follows_business", "Follows the business", "yes"),
            ("followed_by_business", "Followed by the business", "no"),
            ("verified", "Verified", "no"),
        ]
    );

    let script = Script::new().answer(PROFILE, r#"{"name":null,"profile_pic":null,"id":"6512345678901234"}"#);
    let found = profile(&script, &connected("instagram"), CONTACT.into()).unwrap();
    assert_eq!((found.contact.name, found.picture, found.contact.details), (None, None, Vec::new()));
}

#[test]
fn a_profile_that_meta_withholds_says_whether_asking_again_may_help() {
    let page = PROFILE.replace("graph.instagram", "graph.facebook").replace("instagram-token", "page-token");
    for (code, subcode, expected) in [
        (230, 0, FailureCategory::PermissionMissing),
        (9010, 0, FailureCategory::NotFound),
        (100, 33, FailureCategory::NotFound),
    ] {
        let script = Script::new().refused(&page, code, subcode);
        assert_eq!(category(profile(&script, &connected("facebook"), CONTACT.into())), expected);
    }
    let odd = profile(&Script::new(), &connected("facebook"), "me/accounts".into());
    assert!(matches!(odd, Err(AccountError::InvalidInput(_))));
}

#[test]
fn settings_that_are_wrong_are_named_before_anything_is_asked() {
    let mut wrong = connected("facebook");
    wrong.settings.push(common::login("myspace"));
    assert!(matches!(check(&Script::new(), &wrong), Err(AccountError::InvalidInput(_))));
}
