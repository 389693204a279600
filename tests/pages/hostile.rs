//! Whatever a customer, a platform or a colleague writes is text on every page, never markup.

use channel_tests::{World, browser::Browser, eventually};
use harness_inbox::{CannedAnswerText, ConversationChange, LabelChange, PublicId as _, WorkspaceId};

use crate::{street, team};

/// Breaks out of text, of attributes in both kinds of quotes, of a script and of a style.
const HOSTILE: &str =
    "\"'><img src=x onerror=\"window.hit=1\"></script><script>window.hit=1</script><svg/onload=window.hit=1>";

#[tokio::test(flavor = "multi_thread")]
async fn nothing_that_anybody_writes_runs_on_a_page() {
    let world = World::new().await;
    let (host, workspace) = (&world.host, WorkspaceId::FIRST);
    let nora = team::person(&world, &HOSTILE.chars().take(90).collect::<String>()).await;
    let maya = street::customer(&world, "551982014663702", HOSTILE);
    maya.text_from_ad(HOSTILE, HOSTILE, "120330000012345", HOSTILE).await;
    maya.text("javascript:window.hit=1 https://a.example/\"onclick=\"window.hit=1").await;
    maya.share_post("17900000000000001", HOSTILE, "javascript:window.hit=1").await;
    maya.postback(HOSTILE, HOSTILE).await;
    maya.comment("17900000000000004", HOSTILE).await;
    let said = maya.text("react").await;
    maya.react(said.mid(), HOSTILE).await;
    maya.business_writes_in_app(HOSTILE).await;
    let conversation = world.conversation(maya.igsid()).await;
    world.settled().await;
    let short: String = HOSTILE.chars().take(40).collect();
    let label = host.add_label(workspace, &short, "red").await.unwrap();
    host.change_labels(conversation, LabelChange::Add(vec![label])).await.unwrap();
    let collection = host.add_collection(workspace, &short).await.unwrap();
    let change = ConversationChange {
        assignee: Some(Some(nora)),
        collection: Some(Some(collection)),
        ..ConversationChange::default()
    };
    host.change_conversation(conversation, change).await.unwrap();
    host.add_note(conversation, Some(nora), HOSTILE, HOSTILE, None).await.unwrap();
    // A mention of somebody with such a name, and views of the list.
    let other = team::person(&world, &format!("{}!", HOSTILE.chars().take(70).collect::<String>())).await;
    let name = host.inbox().user(nora).await.unwrap().name;
    host.add_note(conversation, Some(other), HOSTILE, &format!("@{name} {HOSTILE}"), None).await.unwrap();
    for user in [Some(nora), None] {
        let text = Some(HOSTILE.to_owned());
        let filters = harness_inbox::ViewFilters { channel: text.clone(), text, ..Default::default() };
        host.save_view(workspace, user, &HOSTILE.chars().take(80).collect::<String>(), filters).await.unwrap();
    }
    let view = host.inbox().saved_views(workspace, Some(nora)).await.unwrap().remove(0);
    // Words of a message are found in the index a little later.
    let search = harness_inbox::MessageSearch { workspace, text: "onerror".into(), conversation: None };
    eventually("the index", async || {
        (!host.inbox().search_messages(search.clone(), None, 9).await.unwrap().entries.is_empty()).then_some(())
    })
    .await;
    let answer = CannedAnswerText { shortcut: "hi".into(), title: short, text: HOSTILE.into() };
    host.add_canned_answer(workspace, &answer).await.unwrap();

    // What a person of the team and an admin write into the settings, and a web address that a product is told at.
    let kinds = harness_inbox::KindFilter::default();
    let address = "https://hooks.invalid/?q=%22%3E<script>window.hit=1</script>";
    let (webhook, _) = host.add_webhook(workspace, address, kinds).await.unwrap();
    host.test_webhook(webhook.id).await.unwrap();
    let account = host.inbox().accounts().await.unwrap().remove(0);
    let mut settings = harness_automation::configured(host, account.id).await.unwrap().settings;
    settings.welcome.text = HOSTILE.into();
    settings.assistant.instructions = HOSTILE.into();
    settings.routing.rules.push(harness_automation::Rule {
        name: HOSTILE.chars().take(60).collect(),
        when: harness_automation::Condition { keywords: vec![HOSTILE.into()], ..Default::default() },
        collection: Some(collection),
        ..Default::default()
    });
    harness_automation::configure(host, account.id, &settings).await.unwrap();
    let filter = harness_inbox::DeliveryFilter::default();
    let deliveries = host.inbox().deliveries_before(filter, None, 50).await.unwrap().entries;
    let inspected = deliveries.iter().map(|one| format!("{}/inspector/{}", world.address, one.id.public()));

    let browser = Browser::start().await;
    let thread = format!("{}/inbox/{}", world.address, conversation.public());
    let hostile = url::form_urlencoded::byte_serialize(HOSTILE.as_bytes()).collect::<String>();
    let settings = ["you", "appearance", "replies", "views", "labels", "people", "tokens", "webhooks", "retention"];
    let settings = settings.map(|page| format!("{}/settings/{page}", world.address));
    let own = [
        format!("{}/settings/views/{}", world.address, view.id.public()),
        format!("{}/settings/webhooks/{}", world.address, webhook.id.public()),
        format!("{}/bot/{}", world.address, account.id.public()),
        format!("{}/bot/{}/log", world.address, account.id.public()),
        format!("{}/channels/{}", world.address, account.id.public()),
        format!("{}/plugins", world.address),
        format!("{}/plugins/{hostile}", world.address),
        format!("{}/inspector?channel={hostile}&state={hostile}", world.address),
    ];
    let inbox = [
        format!("{}/inbox", world.address),
        thread.clone(),
        format!("{thread}?mode=note"),
        format!("{thread}?reply_to={hostile}&comment={hostile}&react={hostile}&anyway={hostile}"),
        format!("{}/inbox?view={hostile}&channel={hostile}&label={hostile}", world.address),
        format!("{}/inbox/{hostile}", world.address),
        format!("{}/inbox?view=mentions", world.address),
        format!("{}/inbox?q={hostile}", world.address),
        format!("{}/inbox?q=onerror", world.address),
        format!("{thread}?q=script"),
        format!("{}/help", world.address),
        format!("{}/channels", world.address),
        format!("{}/demo", world.address),
    ];
    for page in inbox.into_iter().chain(settings).chain(own).chain(inspected) {
        browser.open(&page).await;
        let wrong = browser
            .runs(
                "return [window.hit ?? 0, document.querySelectorAll('img[src=x], script:not([src]), [onload], [onerror], \
                 [onclick], a[href^=javascript]').length]",
            )
            .await;
        assert_eq!(wrong, serde_json::json!([0, 0]), "{page}");
    }
    // The same in everything that the composer holds.
    browser.open(&thread).await;
    let draft = ["text", "quick", "share", "reply_to", "card.0.title", "card.0.image", "card.0.button.0.title"];
    let draft = draft.map(|field| format!("{field}={hostile}")).join("&");
    browser.runs(&format!("localStorage.setItem('draft-{}', `{draft}`)", conversation.public())).await;
    browser.client.refresh().await.unwrap();
    let drawn = "return document.querySelector('#card-title')?.value.length > 20";
    eventually("the draft", async || (browser.runs(drawn).await == true).then_some(())).await;
    let wrong =
        "return [window.hit ?? 0, document.querySelectorAll('img[src=x], [onerror], [onload], [onclick]').length]";
    assert_eq!(browser.runs(wrong).await, serde_json::json!([0, 0]));
    browser.runs("localStorage.clear()").await;
    // The same after it has come in over the live stream.
    browser.open(&thread).await;
    maya.text(&format!("{HOSTILE} the last one")).await;
    browser.says("the last one").await;
    assert_eq!(browser.runs("return window.hit ?? 0").await, 0);
    browser.quit().await;
}
