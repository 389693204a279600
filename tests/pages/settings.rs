//! The settings in a browser: a team's people, tokens, webhooks, labels and saved replies, what each person chooses for
//! themselves, and who may see what.

use channel_tests::{
    browser::Browser,
    eventually,
    team::{PASSWORD, Team},
};
use fantoccini::{Locator, key::Key};
use harness_inbox::{Role, WorkspaceId};
use serde_json::json;

use crate::accessible::{axe, findings};

/// Pages that every person has, and those for admins.
const OWN: [&str; 3] = ["you", "appearance", "replies"];
const OF_ADMINS: [&str; 5] = ["labels", "people", "tokens", "webhooks", "retention"];

/// A browser in which this person signs in on the page for it.
async fn signed_in(team: &Team, email: &str, role: &str) -> Browser {
    team.join(email, role).await;
    let browser = Browser::start().await;
    browser.sized(1440, 1000).await;
    browser.open(&format!("{}/settings", team.address)).await;
    browser.types("#email", email).await;
    browser.types("#password", &format!("{PASSWORD}{}", char::from(Key::Enter))).await;
    browser.says("Change your password").await;
    browser
}

/// The value of a field.
async fn value(browser: &Browser, selector: &str) -> String {
    let field = browser.client.find(Locator::Css(selector)).await.unwrap();
    field.prop("value").await.unwrap().unwrap_or_default()
}

/// The id of what has the focus.
async fn focused(browser: &Browser) -> String {
    browser.runs("return document.activeElement.id").await.as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_admin_invites_by_a_link_that_is_shown_once_and_decides_who_comes_in() {
    let team = Team::new().await;
    let browser = signed_in(&team, "nora@example.com", "admin").await;
    browser.open(&format!("{}/settings/people", team.address)).await;
    browser.types("#email", "not an address").await;
    browser.click("form button.primary").await;
    browser.says("Enter an email address, such as").await;
    assert_eq!(focused(&browser).await, "problems", "the summary of what is wrong has the focus");
    assert_eq!(value(&browser, "#email").await, "not an address");
    browser.runs("document.querySelector('#email').value = ''").await;
    browser.types("#email", &format!("dev@example.com{}", char::from(Key::Enter))).await;
    browser.says("The link for dev@example.com").await;
    let link = value(&browser, "#link").await;
    browser.open(&format!("{}/settings/people", team.address)).await;
    let page = browser.says("dev@example.com").await;
    assert!(!page.contains(&link), "it is shown once");

    let dev = Browser::start().await;
    dev.open(&link).await;
    dev.types("#name", "Dev Patel").await;
    dev.types("#password", &format!("{PASSWORD}{}", char::from(Key::Enter))).await;
    dev.says("No conversations yet").await;
    dev.quit().await;

    let dev =
        team.host.inbox().users(WorkspaceId::FIRST).await.unwrap().into_iter().find(|one| one.name == "Dev Patel");
    let row = format!("#{}", harness_inbox::PublicId::public(dev.unwrap().id));
    let now = async || {
        let users = team.host.inbox().users(WorkspaceId::FIRST).await.unwrap();
        users.into_iter().find(|one| one.name == "Dev Patel").unwrap()
    };
    browser.open(&format!("{}/settings/people", team.address)).await;
    let select = browser.client.find(Locator::Css(&format!("{row} select"))).await.unwrap();
    select.select_by_value("admin").await.unwrap();
    browser.click(&format!("{row} button[value=role]")).await;
    browser.says("Saved.").await;
    assert_eq!(now().await.role, Role::Admin);
    browser.click(&format!("{row} summary")).await;
    browser.click(&format!("{row} button[value=disable]")).await;
    browser.says("May not sign in since").await;
    assert!(now().await.disabled_at.is_some());
    // The last admin stays one.
    let nora = team.host.inbox().users(WorkspaceId::FIRST).await.unwrap().into_iter().find(|one| one.name == "nora");
    let row = format!("#{}", harness_inbox::PublicId::public(nora.unwrap().id));
    let select = browser.client.find(Locator::Css(&format!("{row} select"))).await.unwrap();
    select.select_by_value("agent").await.unwrap();
    browser.click(&format!("{row} button[value=role]")).await;
    browser.says("This is the last admin.").await;
    browser.quit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_is_shown_once_works_for_its_scopes_and_opens_nothing_after_it_was_revoked() {
    let team = Team::new().await;
    let browser = signed_in(&team, "nora@example.com", "admin").await;
    let page = format!("{}/settings/tokens", team.address);
    browser.open(&page).await;
    browser.types("#name", "two words").await;
    browser.click("form button.primary").await;
    browser.says("without spaces").await;
    browser.runs("document.querySelector('#name').value = ''").await;
    browser.types("#name", "crm").await;
    browser.click("form button.primary").await;
    browser.says("The token “crm”").await;
    let token = value(&browser, "#token").await;
    browser.open(&page).await;
    assert!(!browser.says("Never used").await.contains(&token));
    let nothing = json!(null);
    assert_eq!(team.with_token(&token, "GET", "/api/v1/conversations", &nothing).await.status, 200);
    assert_eq!(team.with_token(&token, "GET", "/api/v1/tokens", &nothing).await.status, 403);
    browser.click("form.acts button").await;
    browser.says("Saved.").await;
    assert_eq!(team.with_token(&token, "GET", "/api/v1/conversations", &nothing).await.status, 401);
    browser.quit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_s_page_shows_its_secret_once_how_a_test_was_answered_and_what_it_asks_for() {
    let team = Team::new().await;
    let browser = signed_in(&team, "nora@example.com", "admin").await;
    let page = format!("{}/settings/webhooks", team.address);
    browser.open(&page).await;
    browser.types("#url", "http://127.0.0.1:1/hooks").await;
    browser.click("form button.primary").await;
    browser.says("There is a problem").await;
    // A name that no machine has: the test cannot arrive, and says so.
    browser.runs("document.querySelector('#url').value = ''").await;
    browser.types("#url", "https://hooks.invalid/inbox").await;
    browser.click("input[value=some]").await;
    browser.click(".kinds input[value='message.created']").await;
    browser.click("form button.primary").await;
    browser.says("The secret of this address").await;
    let secret = value(&browser, "#secret").await;
    assert!(secret.starts_with("whsec_"), "{secret}");
    let webhook = team.host.webhooks(WorkspaceId::FIRST).await.unwrap().remove(0);
    assert_eq!(webhook.kinds.names(), ["message.created"]);
    let own = format!("{page}/{}", harness_inbox::PublicId::public(webhook.id));
    browser.open(&own).await;
    assert!(!browser.says("Last deliveries").await.contains("whsec_"));
    browser.click("button[value=test]").await;
    let said = browser.says("The test did not arrive.").await;
    assert!(said.contains("No answer"), "the attempt is in the list: {said}");
    browser.click("button[value=pause]").await;
    browser.says("Switch on again").await;
    browser.click("button[value=resume]").await;
    browser.says("Told up to event").await;
    browser.types("#position", "99999999").await;
    browser.click("button[value=replay]").await;
    browser.says("Enter the number of an event that has happened.").await;
    browser.runs("document.querySelector('#position').value = ''").await;
    browser.types("#position", "0").await;
    browser.click("button[value=replay]").await;
    browser.says("Saved.").await;
    browser.click("button[value=delete]").await;
    browser.says("Add an address").await;
    eventually("no address", async || team.host.webhooks(WorkspaceId::FIRST).await.unwrap().is_empty().then_some(()))
        .await;
    browser.quit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_sees_what_concerns_them_and_is_told_in_words_that_the_rest_is_for_admins() {
    let team = Team::new().await;
    team.join("nora@example.com", "admin").await;
    let browser = signed_in(&team, "dev@example.com", "agent").await;
    let tabs = browser.runs("return document.querySelector('nav.tabs').innerText").await;
    assert_eq!(
        tabs.as_str().unwrap().split_whitespace().collect::<Vec<_>>(),
        ["You", "Appearance", "Saved", "replies", "Saved", "views"]
    );
    for page in OF_ADMINS {
        browser.open(&format!("{}/settings/{page}", team.address)).await;
        let said = browser.says("Your role does not allow this").await;
        assert!(said.contains("Ask an admin of your team.") && said.contains("mention"), "{said}");
    }
    browser.open(&format!("{}/settings/replies", team.address)).await;
    browser.types("#shortcut", "hours").await;
    browser.types("#title", "Opening hours").await;
    browser.types("#text", "From ten to six, {{contact.first_name}}.").await;
    browser.click("form button.primary").await;
    browser.says("Opening hours").await;
    browser.quit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn how_somebody_wants_the_pages_holds_for_every_page_of_their_browser() {
    let team = Team::new().await;
    let browser = signed_in(&team, "dev@example.com", "agent").await;
    browser.open(&format!("{}/settings/appearance", team.address)).await;
    for choice in ["theme][value=dark", "density][value=compact", "enter][value=sends", "title][value=plain"] {
        browser.click(&format!("input[name={choice}]")).await;
    }
    browser.click("form button.primary").await;
    browser.says("Saved.").await;
    browser.open(&format!("{}/inbox", team.address)).await;
    browser.says("No conversations yet").await;
    let look = "const {theme, density, enter, title, keys} = document.documentElement.dataset;
        return [theme, density, enter, title, keys ?? null]";
    assert_eq!(browser.runs(look).await, json!(["dark", "compact", "sends", "plain", null]));
    browser.quit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_changes_their_password_and_signs_out_everywhere() {
    let team = Team::new().await;
    let elsewhere = team.join("dev@example.com", "agent").await;
    let browser = Browser::start().await;
    browser.open(&format!("{}/settings", team.address)).await;
    browser.types("#email", "dev@example.com").await;
    browser.types("#password", &format!("{PASSWORD}{}", char::from(Key::Enter))).await;
    browser.says("Change your password").await;
    browser.types("#current", "not this one, certainly").await;
    browser.types("#new", "quite other words for a door").await;
    browser.click("button[value=password]").await;
    browser.says("This is not your present password.").await;
    browser.types("#current", PASSWORD).await;
    browser.types("#new", "quite other words for a door").await;
    browser.click("button[value=password]").await;
    browser.says("Saved.").await;
    assert_eq!(elsewhere.ask("GET", "/api/v1/me", &json!(null)).await.status, 401, "other browsers are signed out");
    browser.click("button[value=sign-out]").await;
    browser.says("Sign in").await;
    browser.open(&format!("{}/settings/you", team.address)).await;
    browser.says("Password").await;
    browser.quit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_form_of_the_settings_works_without_scripts() {
    let team = Team::new().await;
    let nora = team.join("nora@example.com", "admin").await;
    let post = async |page: &str, body: &str, site: &str| {
        let form = [("content-type", "application/x-www-form-urlencoded"), ("sec-fetch-site", site)];
        nora.send("POST", &format!("/settings/{page}"), &form, body.as_bytes().to_vec()).await
    };
    for (page, body, status) in [
        ("labels", "kind=label&row=new-label&new-label=VIP&color=red&do=add", 303),
        ("labels", "kind=label&row=new-label&new-label=VIP&color=red&do=add", 422),
        ("labels", "kind=collection&row=new-collection&new-collection=Orders&do=add", 303),
        ("replies", "shortcut=hi&title=Hello&text=Hello+there", 303),
        ("replies", "shortcut=h+i&title=Hello&text=Hello+there", 422),
        ("tokens", "name=crm&scopes=read&days=30", 200),
        ("tokens", "name=crm&scopes=read&days=30", 422),
        ("tokens", "name=other&scopes=host&days=30", 403),
        ("people", "email=kim%40shop.example&role=agent", 200),
        ("webhooks", "url=https%3A%2F%2Fhooks.invalid%2F&which=all", 200),
        ("appearance", "theme=dark", 303),
        ("you", "do=name&name=Nora+Whitfield", 303),
        ("you", "do=name&name=", 422),
        ("you", "do=nothing", 400),
    ] {
        let answer = post(page, body, "same-origin").await;
        assert_eq!(answer.status, status, "{page} {body}: {}", answer.body);
        if status == 422 {
            assert!(
                answer.body.contains("There is a problem") && answer.body.contains("<title>Error: "),
                "{page} {body}"
            );
        }
    }
    let nora = team.host.inbox().users(WorkspaceId::FIRST).await.unwrap().remove(0);
    assert_eq!(nora.name, "Nora Whitfield");
    assert_eq!(team.host.inbox().labels(WorkspaceId::FIRST).await.unwrap().len(), 1);
    assert_eq!(team.host.inbox().collections(WorkspaceId::FIRST).await.unwrap().len(), 1);
    let answer = post("you", "do=sign-out", "cross-site").await;
    assert_eq!(answer.status, 403);
    assert!(
        answer.body.contains("asked by a page of another site") && answer.body.contains("<code>"),
        "{}",
        answer.body
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn no_page_of_the_settings_has_a_serious_finding() {
    let team = Team::new().await;
    let browser = signed_in(&team, "nora@example.com", "admin").await;
    let axe = axe();
    let label = team.host.add_label(WorkspaceId::FIRST, "VIP", "red").await.unwrap();
    team.host.add_collection(WorkspaceId::FIRST, "Orders").await.unwrap();
    let kinds = harness_inbox::KindFilter::new(["message.*"]).unwrap();
    let (webhook, _) = team.host.add_webhook(WorkspaceId::FIRST, "https://hooks.invalid/inbox", kinds).await.unwrap();
    team.host.test_webhook(webhook.id).await.unwrap();
    team.invited(None, "kim@shop.example", "agent").await;
    team.tokens.create("crm", &[harness_server::Scope::Read], None, team.host.clock().now()).unwrap();
    let _ = label;
    let mut pages: Vec<String> = OWN.iter().chain(&OF_ADMINS).map(|page| (*page).to_owned()).collect();
    pages.push(format!("webhooks/{}", harness_inbox::PublicId::public(webhook.id)));
    let mut wrong = Vec::new();
    for (theme, width) in [("light", 1440), ("dark", 1440), ("light", 820), ("light", 360), ("dark", 360)] {
        browser.runs(&format!("document.cookie = 'theme={theme}; path=/'")).await;
        browser.sized(width, 900).await;
        for page in &pages {
            browser.open(&format!("{}/settings/{page}", team.address)).await;
            let name = format!("settings-{}-{width}-{theme}", page.split('/').next_back().unwrap());
            browser.pictured(&name).await;
            wrong.extend(findings(&browser, &axe).await.into_iter().map(|one| format!("{name}: {one}")));
            let wide = browser.runs("return document.documentElement.scrollWidth - innerWidth").await;
            assert!(wide.as_i64().unwrap() <= 0, "{name} is {wide} pixels too wide");
        }
    }
    browser.open(&format!("{}/settings/tokens", team.address)).await;
    browser.types("#name", "two words").await;
    browser.click("form button.primary").await;
    browser.says("There is a problem").await;
    browser.pictured("settings-problem").await;
    wrong.extend(findings(&browser, &axe).await);
    browser.runs("document.cookie = 'language=qps; path=/'").await;
    browser.open(&format!("{}/settings/webhooks", team.address)).await;
    browser.pictured("settings-stretched").await;
    wrong.extend(findings(&browser, &axe).await);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    browser.quit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_admin_of_the_only_workspace_changes_how_long_things_are_kept_and_sees_what_the_configuration_says() {
    let team = Team::new().await;
    let browser = signed_in(&team, "nora@example.com", "admin").await;
    let page = format!("{}/settings/retention", team.address);
    browser.open(&page).await;
    browser.says("The configuration says: For ever").await;
    browser.types("#deliveries", "-5").await;
    browser.click("form button.primary").await;
    browser.says("Days are a whole number from 0 to 36500.").await;
    assert_eq!((focused(&browser).await, value(&browser, "#deliveries").await), ("problems".into(), "-5".into()));
    browser.runs("document.querySelector('#deliveries').value = ''").await;
    browser.types("#deliveries", "90").await;
    browser.click("form button.primary").await;
    let shown = browser.says("Saved.").await;
    assert!(shown.contains("90 days") && shown.contains("This page"), "{shown}");
    browser.pictured("retention").await;
    let found = findings(&browser, &axe()).await;
    assert!(found.is_empty(), "{found:?}");
    let set = team.operator("GET", "/api/v1/settings/retention", &json!(null)).await.json();
    assert_eq!((&set["deliveries"]["days"], &set["changes"]["is_set"]), (&json!(90), &json!(false)), "{set}");
    // With a second workspace it is no longer for an admin of one.
    team.host.users().create_workspace("Another shop".into(), 0).await.unwrap();
    browser.open(&page).await;
    browser.says("90 days").await;
    assert_eq!(browser.runs("return document.querySelectorAll('#deliveries').length").await, 0);
    browser.quit().await;
}
