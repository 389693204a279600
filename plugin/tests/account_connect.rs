//! Connecting an account through either login: what is asked, what is chosen, and what stands in the way.
//! What belongs here is `connect` over a network of a script.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::result_large_err)]

mod common;
use common::{ACCOUNT, network::*};
use instagram_channel::account::*;
use instagram_channel::types::*;

const OAUTH: &str = "GET graph.facebook.com/v25.0/oauth/access_token?";
const PERMISSIONS: &str = "GET graph.facebook.com/v25.0/me/permissions [bearer: user-token]";
const ACCOUNTS: &str = "GET graph.facebook.com/v25.0/me/accounts?fields=id,name,instagram_business_account%7b";
const SCOPES: [&str; 6] = [
    "instagram_basic",
    "instagram_manage_messages",
    "pages_manage_metadata",
    "pages_messaging",
    "pages_read_engagement",
    "pages_show_list",
];

fn permissions(declined: &str) -> String {
    let line = |scope: &&str| {
        let status = if *scope == declined { "declined" } else { "granted" };
        format!(r#"{{"permission":"{scope}","status":"{status}"}}"#)
    };
    format!(r#"{{"data":[{}]}}"#, SCOPES.iter().map(line).collect::<Vec<_>>().join(","))
}

const LINKED: &str = r#""instagram_business_account":{"id":"17841400000000001","username":"shop","name":"The Shop","profile_picture_url":"https://scontent.cdninstagram.com/p.jpg"}"#;
const TASKS: &str = r#""tasks":["MESSAGING","MODERATE","ANALYZE"]"#;

fn page(id: &str, rest: &str) -> String {
    format!(r#"{{"id":"{id}","name":"Page {id}",{rest}}}"#)
}

fn pages(pages: &[String]) -> String {
    format!(r#"{{"data":[{}],"paging":{{"cursors":{{"before":"b","after":"a"}}}}}}"#, pages.join(","))
}

fn good_page() -> String {
    page(PAGE, &format!("{TASKS},{LINKED}"))
}

/// The token steps of the Facebook login.
fn exchanged() -> Script {
    Script::new()
        .answer(OAUTH, r#"{"access_token":"SECRET-short","token_type":"bearer","expires_in":5183}"#)
        .answer(OAUTH, r#"{"access_token":"SECRET-long","token_type":"bearer","expires_in":5183944}"#)
}

/// The account that a login comes to once this page was chosen.
fn select(script: &Script, mut request: ConnectRequest, page: &str) -> Result<ConnectedAccount, AccountError> {
    request.input = ConnectInput::Chosen(page.to_owned());
    match connect(script, request)? {
        ConnectStep::Ready(account) => Ok(account),
        other => panic!("{other:?}"),
    }
}

fn candidates(step: Result<ConnectStep, AccountError>) -> Vec<Candidate> {
    match step {
        Ok(ConnectStep::Choose(candidates)) => candidates,
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_dialog_of_each_login_is_asked_for_what_the_manifest_lists() {
    let manifest = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/channel.toml")).unwrap();
    for (login, address, app) in [
        ("facebook", "https://www.facebook.com/v25.0/dialog/oauth?", "1234567890"),
        ("instagram", "https://www.instagram.com/oauth/authorize?", "9876543210"),
    ] {
        let step = connect(&Script::new(), connecting(login, ConnectInput::Start)).unwrap();
        let ConnectStep::Visit(url) = step else { panic!("{step:?}") };
        assert!(url.starts_with(address), "{url}");
        let rest = format!(
            "client_id={app}&redirect_uri=https%3a%2f%2finbox.example%2fconnect%2fcallback&state=st%26te&response_type=code&scope="
        );
        let scopes = url.split_once(&rest).expect("all parameters").1;
        let section = manifest.split(&format!("[logins.{login}]")).nth(1).unwrap().split("\n[").next().unwrap();
        let listed: Vec<&str> = section.split('"').filter(|word| word.contains('_')).collect();
        assert_eq!(scopes.split(',').collect::<Vec<_>>(), listed);
    }
}

#[test]
fn the_facebook_login_ends_with_pages_to_choose_from() {
    let script = exchanged().answer(PERMISSIONS, &permissions("")).answer(ACCOUNTS, &pages(&[good_page()]));
    let found = candidates(connect(&script, connecting("facebook", callback(&[("code", "code"), ("state", "st&te")]))));
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].id, PAGE);
    assert_eq!(found[0].account_id.as_deref(), Some(ACCOUNT));
    assert_eq!(found[0].name, format!("Page {PAGE}"));
    assert_eq!(found[0].username.as_deref(), Some("shop"));
    let picture = found[0].picture.as_ref().unwrap();
    assert_eq!(picture.url.as_deref(), Some("https://scontent.cdninstagram.com/p.jpg"));
    assert_eq!(found[0].obstacle, None);
    insta::assert_snapshot!(script.lines().join("\n"));
}

#[test]
fn the_chosen_page_is_bound_with_a_token_of_its_own() {
    let script = Script::new()
        .answer(PERMISSIONS, &permissions(""))
        .answer(ACCOUNTS, &pages(&[page("55", TASKS), good_page()]))
        .answer("GET graph.facebook.com/v25.0/me?fields=id [bearer: user-token]", r#"{"id":"778899"}"#)
        .answer(
            "GET graph.facebook.com/v25.0/102030405060708?fields=access_token [bearer: user-token] -> page-token",
            r#"{"access_token":"SECRET-page","id":"102030405060708"}"#,
        )
        .answer(OAUTH, r#"{"access_token":"SECRET-app","token_type":"bearer"}"#)
        .answer(
            "GET graph.facebook.com/v25.0/debug_token [bearer: app-token] [query input_token: user-token]",
            r#"{"data":{"is_valid":true,"expires_at":1780550772,"data_access_expires_at":1783142828}}"#,
        );
    let account = select(&script, connecting("facebook", callback(&[])), PAGE).unwrap();
    assert_eq!(account.id, ACCOUNT);
    assert_eq!(account.aliases, [PAGE]);
    assert_eq!(account.authorized_by.as_deref(), Some("778899"));
    assert_eq!(account.username.as_deref(), Some("shop"));
    assert_eq!(account.refresh_before, Some(1_780_550_772_000));
    let settings: Vec<(&str, &SettingValue)> = account.settings.iter().map(|it| (&*it.key, &it.value)).collect();
    let (login, id) = (SettingValue::Text("facebook".into()), SettingValue::Text(PAGE.into()));
    assert_eq!(settings, [("login", &login), ("page-id", &id)]);
    insta::assert_snapshot!(script.lines().join("\n"));
}

#[test]
fn a_page_that_cannot_be_used_is_listed_with_the_reason_and_refused_when_it_is_chosen_all_the_same() {
    let personal = r#""connected_instagram_account":{"id":"17841400000000009","username":"me"}"#;
    for (page, declined, word) in [
        (page(PAGE, TASKS), "", "No business or creator account"),
        (page(PAGE, &format!("{TASKS},{personal}")), "", "personal"),
        (page(PAGE, &format!(r#""tasks":["ANALYZE","MODERATE"],{LINKED}"#)), "", "What is missing: MESSAGING."),
        (page(PAGE, &format!(r#""tasks":["ANALYZE"],{LINKED}"#)), "", "What is missing: MESSAGING, MODERATE."),
        (good_page(), "instagram_manage_messages", "What was not granted: instagram_manage_messages."),
    ] {
        let script = exchanged()
            .answer(PERMISSIONS, &permissions(declined))
            .answer(ACCOUNTS, &pages(std::slice::from_ref(&page)));
        let found = candidates(connect(&script, connecting("facebook", callback(&[("code", "AQC")]))));
        let obstacle = found[0].obstacle.clone().expect(word);
        assert!(obstacle.contains(word), "{obstacle}");

        let script = Script::new().answer(PERMISSIONS, &permissions(declined)).answer(ACCOUNTS, &pages(&[page]));
        let refused = select(&script, connecting("facebook", callback(&[])), PAGE);
        assert_eq!(refused, Err(AccountError::InvalidInput(obstacle)));
    }
}

#[test]
fn pages_beyond_the_first_answer_are_read_too() {
    let first = format!(
        r#"{{"data":[{}],"paging":{{"cursors":{{"after":"QVFI=="}},"next":"https://graph.facebook.com/x"}}}}"#,
        page("1", TASKS)
    );
    let script = exchanged()
        .answer(PERMISSIONS, &permissions(""))
        .answer(ACCOUNTS, &first)
        .answer(ACCOUNTS, &pages(&[good_page()]));
    let found = candidates(connect(&script, connecting("facebook", callback(&[("code", "AQC")]))));
    let ids: Vec<&str> = found.iter().map(|page| &*page.id).collect();
    assert_eq!(ids, ["1", PAGE]);
    assert!(script.lines().last().unwrap().contains("&limit=100&after=QVFI%3d%3d "));
}

#[test]
fn a_field_that_meta_does_not_have_any_more_costs_nothing_but_its_reason() {
    let script = exchanged()
        .answer(PERMISSIONS, &permissions(""))
        .refused(ACCOUNTS, 100, 0)
        .answer(ACCOUNTS, &pages(&[good_page()]));
    let found = candidates(connect(&script, connecting("facebook", callback(&[("code", "AQC")]))));
    assert_eq!(found[0].obstacle, None);
    assert!(!script.lines().last().unwrap().contains("connected_instagram_account"));
}

#[test]
fn pages_of_a_business_that_the_list_leaves_out_are_found_through_the_token() {
    let debugged = r#"{"data":{"is_valid":true,"granular_scopes":[{"scope":"pages_show_list"},
        {"scope":"pages_messaging","target_ids":["102030405060708","not-a-page"]}]}}"#;
    let script = exchanged()
        .answer(PERMISSIONS, &permissions(""))
        .answer(ACCOUNTS, r#"{"data":[]}"#)
        .answer(OAUTH, r#"{"access_token":"SECRET-app"}"#)
        .answer("GET graph.facebook.com/v25.0/debug_token", debugged)
        .answer("GET graph.facebook.com/v25.0/102030405060708?fields=id,name,instagram_business_account%7bid,username,name,profile_picture_url%7d [", &page(PAGE, LINKED));
    let found = candidates(connect(&script, connecting("facebook", callback(&[("code", "AQC")]))));
    assert_eq!((found[0].id.as_str(), &found[0].obstacle), (PAGE, &None));
    script.lines();
}

/// Meta's word for a list that is too long.
const TOO_MUCH: &str = r#"{"error":{"code":1,"message":"Meta's own words: ask for less"}}"#;

#[test]
fn pages_that_only_the_token_names_are_offered_beside_those_of_the_list() {
    let debugged = format!(
        r#"{{"data":{{"is_valid":true,"granular_scopes":[{{"scope":"pages_show_list","target_ids":["{PAGE}","7","8"]}},
            {{"scope":"pages_messaging","target_ids":["7"]}}]}}}}"#
    );
    let script = exchanged()
        .answer(PERMISSIONS, &permissions(""))
        .answer(ACCOUNTS, &pages(&[good_page()]))
        .answer("GET graph.facebook.com/v25.0/debug_token", &debugged)
        .answer("GET graph.facebook.com/v25.0/7?fields=id,name,", &page("7", LINKED))
        .refused("GET graph.facebook.com/v25.0/8?fields=id,name,", 100, 33);
    let found = candidates(connect(&script, connecting("facebook", callback(&[("code", "AQC")]))));
    let ids: Vec<_> = found.iter().map(|page| (page.id.as_str(), page.obstacle.is_none())).collect();
    assert_eq!(ids, [(PAGE, true), ("7", true), ("8", false)]);
    let why = found[2].obstacle.as_deref().unwrap();
    assert!(why.contains("business_management") && why.contains("business-pages"), "{why}");
    script.lines();
}

#[test]
fn a_list_that_begins_with_an_empty_page_is_read_to_its_end() {
    let first = r#"{"data":[],"paging":{"cursors":{"after":"b"},"next":"https://graph.facebook.com/x"}}"#;
    let script = exchanged()
        .answer(PERMISSIONS, &permissions(""))
        .answer(ACCOUNTS, first)
        .answer(ACCOUNTS, &pages(&[good_page()]));
    assert_eq!(candidates(connect(&script, connecting("facebook", callback(&[("code", "AQC")])))).len(), 1);
}

#[test]
fn a_list_that_meta_finds_too_long_is_asked_for_in_smaller_pages() {
    let first = format!(
        r#"{{"data":[{}],"paging":{{"cursors":{{"after":"b"}},"next":"https://graph.facebook.com/x"}}}}"#,
        page("1", TASKS)
    );
    let script = exchanged()
        .answer(PERMISSIONS, &permissions(""))
        .status(ACCOUNTS, 500, TOO_MUCH)
        .answer(ACCOUNTS, &first)
        .answer(ACCOUNTS, &pages(&[good_page()]));
    assert_eq!(candidates(connect(&script, connecting("facebook", callback(&[("code", "AQC")])))).len(), 2);
    let lines = script.lines();
    let sizes: Vec<_> = lines.iter().filter_map(|line| line.split_once("&limit=")).map(|(_, rest)| rest).collect();
    assert!(
        sizes[0].starts_with("100 ") && sizes[1].starts_with("25 ") && sizes[2].starts_with("25&after="),
        "{sizes:?}"
    );
    // One that is refused at any size is an error, and asked for no more.
    let mut script = exchanged().answer(PERMISSIONS, &permissions(""));
    for _ in 0..4 {
        script = script.status(ACCOUNTS, 500, TOO_MUCH);
    }
    assert!(connect(&script, connecting("facebook", callback(&[("code", "AQC")]))).is_err());
    script.lines();
}

#[test]
fn the_permission_for_pages_of_businesses_is_asked_for_where_the_operator_wants_it() {
    let asked = |flag: bool| {
        let mut request = connecting("facebook", ConnectInput::Start);
        request.settings.push(Setting { key: "business-pages".into(), value: SettingValue::Flag(flag) });
        let ConnectStep::Visit(url) = connect(&Script::new(), request).unwrap() else { panic!() };
        url.ends_with(",business_management")
    };
    assert!(asked(true) && !asked(false));
}

#[test]
fn a_person_without_any_page_is_told_what_to_do() {
    let script =
        exchanged().answer(PERMISSIONS, &permissions("")).answer(ACCOUNTS, r#"{"data":[]}"#).refused(OAUTH, 1, 0);
    let error = connect(&script, connecting("facebook", callback(&[("code", "AQC")]))).unwrap_err();
    let AccountError::Platform(failure) = error else { panic!("{error:?}") };
    assert!(failure.message.contains("no page") && failure.fix.is_some());
}

#[test]
fn a_candidate_that_is_not_offered_any_more_begins_again() {
    let script = Script::new().answer(PERMISSIONS, &permissions("")).answer(ACCOUNTS, &pages(&[good_page()]));
    assert_eq!(select(&script, connecting("facebook", callback(&[])), "../me"), Err(AccountError::Expired));
}

#[test]
fn a_page_that_gives_no_token_says_whom_to_connect_with() {
    let script = Script::new()
        .answer(PERMISSIONS, &permissions(""))
        .answer(ACCOUNTS, &pages(&[good_page()]))
        .answer("GET graph.facebook.com/v25.0/me?", r#"{"id":"778899"}"#)
        .answer("GET graph.facebook.com/v25.0/102030405060708?", r#"{"id":"102030405060708"}"#);
    let error = select(&script, connecting("facebook", callback(&[])), PAGE).unwrap_err();
    assert!(matches!(&error, AccountError::Platform(failure) if failure.fix.is_some()), "{error:?}");
}

const INSTAGRAM_TOKEN: &str = "POST api.instagram.com/oauth/access_token client_id=9876543210&grant_type=authorization_code&\
                               redirect_uri=https%3a%2f%2finbox.example%2fconnect%2fcallback \
                               [form client_secret: instagram-app-secret] [form code: code] -> instagram-token";
const LONG: &str = "GET graph.instagram.com/access_token?grant_type=ig_exchange_token \
                    [query client_secret: instagram-app-secret] [query access_token: instagram-token] -> instagram-token";
const ME: &str = "GET graph.instagram.com/v25.0/me?fields=id,user_id,username,name,account_type,profile_picture_url \
                  [bearer: instagram-token]";
const SHOP: &str = r#"{"user_id":"17841400000000001","id":"26512345678901234","username":"shop","name":"The Shop","account_type":"BUSINESS","profile_picture_url":"https://scontent.cdninstagram.com/p.jpg"}"#;

#[test]
fn the_instagram_login_ends_with_the_account_whichever_form_the_answers_have() {
    let flat = r#"{"access_token":"SECRET-short","user_id":26512345678901234,"permissions":["instagram_business_basic","instagram_business_manage_messages"]}"#;
    let listed = r#"{"data":[{"access_token":"SECRET-short","user_id":"26512345678901234","permissions":"instagram_business_basic, instagram_business_manage_messages"}]}"#;
    let bare = r#"{"access_token":"SECRET-short"}"#;
    for (token, me) in [(flat, SHOP.to_owned()), (listed, format!(r#"{{"data":[{SHOP}]}}"#)), (bare, SHOP.to_owned())] {
        let script = Script::new()
            .answer(INSTAGRAM_TOKEN, token)
            .answer(LONG, r#"{"access_token":"SECRET-long","token_type":"bearer","expires_in":5183944}"#)
            .answer(ME, &me);
        let step = connect(&script, connecting("instagram", callback(&[("code", "code")]))).unwrap();
        let ConnectStep::Ready(account) = step else { panic!("{step:?}") };
        assert_eq!(account.id, ACCOUNT);
        assert_eq!(account.authorized_by.as_deref(), Some("26512345678901234"));
        assert_eq!((account.name.as_str(), account.username.as_deref()), ("The Shop", Some("shop")));
        assert_eq!(account.refresh_before, Some(NOW + 5_183_944_000));
        assert_eq!(account.settings, [common::login("instagram")]);
        assert!(account.aliases.is_empty());
        script.lines();
    }
}

#[test]
fn a_personal_account_and_a_permission_that_is_missing_stop_the_instagram_login() {
    let token = r#"{"access_token":"SECRET-short","permissions":["instagram_business_basic"]}"#;
    let script = Script::new().answer(INSTAGRAM_TOKEN, token);
    let error = connect(&script, connecting("instagram", callback(&[("code", "AQC")]))).unwrap_err();
    assert!(matches!(&error, AccountError::Denied(why) if why.contains("instagram_business_manage_messages")));

    let personal = SHOP.replace("BUSINESS", "PERSONAL");
    let script = Script::new()
        .answer(INSTAGRAM_TOKEN, r#"{"access_token":"SECRET-short"}"#)
        .answer(LONG, r#"{"access_token":"SECRET-long","expires_in":5183944}"#)
        .answer(ME, &personal);
    let error = connect(&script, connecting("instagram", callback(&[("code", "AQC")]))).unwrap_err();
    assert!(matches!(&error, AccountError::InvalidInput(why) if why.contains("personal")), "{error:?}");
}

#[test]
fn the_only_account_of_the_instagram_login_can_be_selected_and_no_other() {
    let chosen = |id| select(&Script::new().answer(ME, SHOP), connecting("instagram", callback(&[])), id);
    assert_eq!(chosen(ACCOUNT).unwrap().username.as_deref(), Some("shop"));
    assert_eq!(chosen("1"), Err(AccountError::Expired));
}

#[test]
fn what_the_dialog_sends_back_instead_of_a_code_is_told_apart() {
    fn connect(login: &str, parameters: &[(&str, &str)]) -> AccountError {
        instagram_channel::account::connect(&Script::new(), connecting(login, callback(parameters))).unwrap_err()
    }
    for login in ["facebook", "instagram"] {
        let denied = [("error", "access_denied"), ("error_reason", "user_denied"), ("error_description", "…")];
        assert!(matches!(connect(login, &denied), AccountError::Denied(_)));
        for missing in [&[][..], &[("state", "st&te")], &[("code", " ")]] {
            assert!(matches!(connect(login, missing), AccountError::InvalidInput(_)));
        }
        let long = "x".repeat(5000);
        for other in
            [&[("error", "server_error"), ("error_description", long.as_str())][..], &[("error_code", "1349126")]]
        {
            let error = connect(login, other);
            let AccountError::Platform(failure) = error else { panic!("{error:?}") };
            assert!(failure.message.len() < 300 && failure.category == FailureCategory::Other);
        }
    }
}

#[test]
fn a_code_that_was_used_or_is_too_old_begins_again_and_other_refusals_say_what_is_wrong() {
    let facebook = |subcode| {
        let script = Script::new().refused(OAUTH, 100, subcode);
        connect(&script, connecting("facebook", callback(&[("code", "AQC")]))).unwrap_err()
    };
    assert_eq!(facebook(36009), AccountError::Expired);
    assert_eq!(facebook(36007), AccountError::Expired);
    let error = facebook(36008);
    assert!(matches!(&error, AccountError::Platform(failure) if failure.message.contains("Meta's own words")));

    let instagram = |message: &str| {
        let body = format!(r#"{{"error_type":"OAuthException","code":400,"error_message":"{message}"}}"#);
        let script = Script::new().status(INSTAGRAM_TOKEN, 400, &body);
        connect(&script, connecting("instagram", callback(&[("code", "AQC")]))).unwrap_err()
    };
    assert_eq!(instagram("Matching code was not found or was already used"), AccountError::Expired);
    assert_eq!(instagram("This authorization code has expired"), AccountError::Expired);
    let error = instagram("Error validating client secret.");
    assert!(matches!(&error, AccountError::Platform(failure) if failure.message.contains("client secret")));
}

#[test]
fn without_the_apps_id_connecting_says_which_setting_is_missing() {
    for (login, key) in [("facebook", "`app-id`"), ("instagram", "`instagram-app-id`")] {
        let request = ConnectRequest { settings: Vec::new(), ..connecting(login, ConnectInput::Start) };
        let error = connect(&Script::new(), request).unwrap_err();
        assert!(matches!(&error, AccountError::InvalidInput(sentence) if sentence.contains(key)), "{error:?}");
    }
    let error = connect(&Script::new(), connecting("myspace", ConnectInput::Start)).unwrap_err();
    assert!(matches!(&error, AccountError::InvalidInput(sentence) if sentence.contains("facebook, instagram")));
    for input in [ConnectInput::Entered(Vec::new()), ConnectInput::Resumed, ConnectInput::Other("x".into())] {
        let error = connect(&Script::new(), connecting("facebook", input)).unwrap_err();
        assert!(matches!(error, AccountError::InvalidInput(_)));
    }
}

#[test]
fn what_the_host_could_not_carry_out_is_handed_on() {
    let script = Script::new().fails(OAUTH, HttpError::MissingSlot("app-secret".into()));
    let error = connect(&script, connecting("facebook", callback(&[("code", "AQC")]))).unwrap_err();
    assert_eq!(error, AccountError::Http(HttpError::MissingSlot("app-secret".into())));
}

#[test]
fn with_the_proof_switched_on_every_token_of_the_facebook_login_has_one() {
    let proof = common::setting("appsecret-proof", SettingValue::Flag(true));
    let script =
        Script::new().answer(PERMISSIONS, &permissions("pages_messaging")).answer(ACCOUNTS, &pages(&[good_page()]));
    let mut request = connecting("facebook", callback(&[]));
    request.settings.push(proof);
    select(&script, request, PAGE).unwrap_err();
    for line in script.lines() {
        assert!(line.ends_with("[query appsecret_proof: hmac(app-secret,user-token)]"), "{line}");
    }
}
