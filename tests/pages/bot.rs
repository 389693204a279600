//! The bot's page in a browser: its settings are tried on a past conversation before they are saved; its log says why.

use channel_tests::{World, browser::Browser, eventually, request};
use fantoccini::{Locator, key::Key};
use harness_automation::{Condition, Rule, Settings};
use harness_inbox::{AccountId, PublicId as _, WorkspaceId};

use crate::{accessible::axe, plugins::looked_at, street};

#[tokio::test(flavor = "multi_thread")]
async fn settings_are_tried_before_they_are_saved_and_nothing_is_sent() {
    let world = World::new().await;
    let tomas = street::customer(&world, "551982014663711", "Tomás Rivera");
    tomas.text("Where is my parcel?").await;
    world.conversation(tomas.igsid()).await;
    world.settled().await;
    world.host.add_collection(WorkspaceId::FIRST, "Orders").await.unwrap();
    let account = world.host.inbox().accounts().await.unwrap().remove(0);
    let browser = Browser::start().await;
    browser.sized(1440, 1200).await;
    browser.open(&format!("{}/bot/{}", world.address, account.id.public())).await;
    browser.says("Nothing is sent").await;
    browser.click("input[name=on]").await;
    browser.click("input[name=welcome]").await;
    browser.types("#welcome-text", "Hello! We answer within a day.").await;
    browser.click("input[name=routing]").await;
    browser.types("input[name=rule_words]", "parcel, order").await;
    let select = browser.client.find(Locator::Css("#rule-0")).await.unwrap();
    select.select_by_label("Orders").await.unwrap();
    // Without pressing anything.
    let page = browser.says("Sorted the conversation").await;
    assert!(page.contains("Hello! We answer within a day.") && page.contains("Where is my parcel?"), "{page}");
    looked_at(&browser, &axe(), "bot").await;
    assert_eq!(world.sends().len(), 0);
    let configured = harness_automation::configured(&world.host, account.id).await.unwrap();
    assert!(!configured.settings.welcome.on, "nothing was saved");
    browser.sized(1440, 1200).await;
    browser.click("button[value=save]").await;
    browser.says("Saved.").await;
    eventually("the settings", async || {
        let configured = harness_automation::configured(&world.host, account.id).await.unwrap();
        configured.settings.welcome.on.then_some(())
    })
    .await;
    browser.open(&format!("{}/bot/{}/log", world.address, account.id.public())).await;
    browser.says("It has not decided anything yet.").await;
    looked_at(&browser, &axe(), "bot-log").await;
    browser.sized(1440, 1200).await;
    browser.open(&format!("{}/bot/{}", world.address, account.id.public())).await;
    browser.click("button[value=off]").await;
    browser.says("All bots of your team are switched off").await;
    browser.click("button[name=switch][value=on]").await;
    browser.says("Switch all bots off").await;
    browser.quit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn somebody_writes_as_a_customer_and_sees_which_rule_decides_and_nothing_is_kept() {
    let world = World::new().await;
    let orders = world.host.add_collection(WorkspaceId::FIRST, "Orders").await.unwrap();
    let account = world.host.inbox().accounts().await.unwrap().remove(0);
    // A rule that the form has no field for.
    let mut settings = harness_automation::Settings::default();
    let when = harness_automation::Condition { story_reply: Some(true), ..Default::default() };
    let stories = harness_automation::Rule { name: "Stories".into(), when, ..Default::default() };
    settings.routing.rules = vec![harness_automation::Rule { collection: Some(orders), ..stories }];
    harness_automation::configure(&world.host, account.id, &settings).await.unwrap();
    let browser = Browser::start().await;
    browser.sized(1440, 1200).await;
    let address = format!("{}/bot/{}", world.address, account.id.public());
    browser.open(&address).await;
    browser.click("input[name=welcome]").await;
    browser.types("#welcome-text", "Hello! We answer within a day.").await;
    browser.says("Write what a customer might write").await;
    browser.click("input[name=routing]").await;
    browser.types("tr:nth-child(2) input[name=rule_words]", "parcel").await;
    browser.client.find(Locator::Css("#rule-1")).await.unwrap().select_by_label("Orders").await.unwrap();
    browser.types("#try-text", "Where is my parcel?").await;
    let page = browser.says("by “parcel”").await;
    assert!(page.contains("Sorted the conversation") && page.contains("Hello! We answer within a day."), "{page}");
    // The same words as the answer to a story.
    browser.client.find(Locator::Css("#try-came")).await.unwrap().select_by_value("story_reply").await.unwrap();
    browser.says("by “Stories”").await;
    // As a comment it is not greeted.
    browser.client.find(Locator::Css("#try-came")).await.unwrap().select_by_value("comment").await.unwrap();
    let page = browser.says("by “parcel”").await;
    assert!(!page.contains("Sent a message"), "{page}");
    looked_at(&browser, &axe(), "bot-message").await;
    // Enter in a field of the try-out saves nothing.
    browser.sized(1440, 1200).await;
    browser.client.find(Locator::Css("#try-came")).await.unwrap().select_by_value("referral").await.unwrap();
    browser.says("say which").await;
    browser.types("#try-ad", &format!("ad-7{}", char::from(Key::Enter))).await;
    browser.says("It would do nothing here.").await;
    let kept = harness_automation::configured(&world.host, account.id).await.unwrap().settings;
    assert_eq!(kept, settings, "nothing was saved");
    assert!(world.host.inbox().conversations(10).await.unwrap().is_empty() && world.sends().is_empty());

    // Once there is a conversation, either can be chosen, and the other one's fields are away.
    let tomas = street::customer(&world, "551982014663711", "Tomás Rivera");
    tomas.text("Hi").await;
    world.conversation(tomas.igsid()).await;
    browser.open(&address).await;
    let seen = async |field: &str| {
        let shown = format!("return document.querySelector('{field}').checkVisibility()");
        browser.runs(&shown).await.as_bool().unwrap()
    };
    assert!(seen("#try-with").await && !seen("#try-text").await);
    browser.click("input[name=try_as][value=message]").await;
    assert!(!seen("#try-with").await && seen("#try-text").await);
    browser.quit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_scripts_a_message_is_tried_by_a_button_and_stays_in_its_field() {
    let world = World::new().await;
    let account = world.host.inbox().accounts().await.unwrap().remove(0);
    let address = format!("{}/bot/{}", world.address, account.id.public());
    let form = [("content-type", "application/x-www-form-urlencoded")];
    let post = async |body: &str| request("POST", &address, &form, body.as_bytes().to_vec()).await;
    let greets = "welcome=1&welcome_text=Hello%21&try_as=message";
    let tried = post(&format!("do=try&{greets}&try_text=Is+it+%3Cb%3Eopen%3C%2Fb%3E%3F")).await;
    assert_eq!(tried.status, 200, "{}", tried.body);
    assert!(tried.body.contains("Sent a message"), "{}", tried.body);
    let kept = "rows=\"3\" dir=\"auto\">Is it &lt;b&gt;open&lt;/b&gt;?</textarea>";
    assert!(tried.body.contains(kept) && !tried.body.contains("<b>open"), "{}", tried.body);
    let tapped = post(&format!("do=try&{greets}&try_came=referral&try_ref=summer")).await;
    assert!(tapped.body.contains("It would do nothing here."), "{}", tapped.body);
    let nothing = post(&format!("do=try&{greets}&try_text=+")).await;
    assert!(nothing.body.contains("Write what a customer might write"), "{}", nothing.body);
    // What is being tried is still there when the settings are saved.
    let saved = post(&format!("do=save&{greets}&try_text=Are+you+open%3F")).await;
    assert!(saved.body.contains("Saved.") && saved.body.contains(">Are you open?</textarea>"), "{}", saved.body);
    assert!(world.sends().is_empty());
}

fn rule(name: &str) -> Rule {
    let when = Condition { keywords: vec![name.to_owned()], ..Condition::default() };
    Rule { name: format!("about {name}"), when, ..Rule::default() }
}

/// A browser on the page of an account's bot, which has these rules.
async fn with_rules(world: &World, names: &[String]) -> (Browser, AccountId) {
    let account = world.host.inbox().accounts().await.unwrap().remove(0).id;
    let orders = world.host.add_collection(WorkspaceId::FIRST, "Orders").await.unwrap();
    let mut settings = Settings::default();
    settings.routing.rules = names.iter().map(|name| Rule { collection: Some(orders), ..rule(name) }).collect();
    harness_automation::configure(&world.host, account, &settings).await.unwrap();
    let browser = Browser::start().await;
    browser.sized(1440, 1200).await;
    browser.open(&format!("{}/bot/{}", world.address, account.public())).await;
    (browser, account)
}

async fn rules(world: &World, account: AccountId) -> Vec<Rule> {
    harness_automation::configured(&world.host, account).await.unwrap().settings.routing.rules
}

#[tokio::test(flavor = "multi_thread")]
async fn saving_the_form_keeps_every_rule_and_each_under_its_own_name() {
    let world = World::new().await;
    let names: Vec<_> = (0..60).map(|number| format!("word{number}")).collect();
    let (browser, account) = with_rules(&world, &names).await;
    browser.click("button[value=save]").await;
    browser.says("Saved.").await;
    let kept = rules(&world, account).await;
    assert_eq!(kept.iter().map(|rule| rule.when.keywords[0].clone()).collect::<Vec<_>>(), names);
    // One is taken out and tried without, and the form is drawn anew.
    browser.runs("document.querySelector('input[name=rule_words]').value = ''").await;
    browser.click("button[value=try]").await;
    browser.becomes("document.querySelector('input[name=rule_words]').value", "word1").await;
    browser.click("button[value=save]").await;
    browser.says("Saved.").await;
    assert_eq!(rules(&world, account).await, kept[1..]);
    browser.quit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn settings_that_were_changed_meanwhile_are_not_overwritten() {
    let world = World::new().await;
    let (browser, account) = with_rules(&world, &["parcel".to_owned()]).await;
    let mut settings = harness_automation::configured(&world.host, account).await.unwrap().settings;
    settings.routing.rules.push(Rule { collection: settings.routing.rules[0].collection, ..rule("refund") });
    harness_automation::configure(&world.host, account, &settings).await.unwrap();
    browser.types("#welcome-text", "Hello!").await;
    browser.click("button[value=save]").await;
    browser.says("Somebody changed these settings since this page was loaded.").await;
    browser.becomes("document.querySelector('#welcome-text').value", "Hello!").await;
    assert_eq!(harness_automation::configured(&world.host, account).await.unwrap().settings, settings);
    browser.quit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_is_said_in_the_form_s_words_and_nothing_is_saved() {
    let world = World::new().await;
    let (browser, account) = with_rules(&world, &[]).await;
    browser.click("input[name=on]").await;
    browser.types("#key", "a b").await;
    browser.click("button[value=save]").await;
    browser.says("Nothing was saved.").await;
    assert!(!harness_automation::configured(&world.host, account).await.unwrap().settings.on);
    browser.click("input[name=welcome]").await;
    browser.click("button[value=save]").await;
    let page = browser.says("Welcome message is empty").await;
    assert!(!page.contains('`') && !page.contains("welcome.text"), "{page}");
    browser.becomes("document.title.startsWith('Error: ')", true).await;
    browser.quit().await;
}
