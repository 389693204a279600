//! Finding conversations in a browser: searching, views, marking as unread, changing many at once, scrolling both ways.

use channel_tests::{World, browser::Browser, eventually, request};
use harness_inbox::{ConversationState, PublicId as _, WorkspaceId};

use crate::{street, team};

#[tokio::test(flavor = "multi_thread")]
async fn a_search_marks_its_hits_and_opens_the_message_among_those_around_it() {
    let world = World::new().await;
    street::others(&world).await;
    let tomas = world.sim.customer("551982014663711");
    for number in 0..90 {
        tomas.text(&format!("message {number} {}", if number == 9 { "about <b>porcelain" } else { "" })).await;
    }
    let conversation = world.conversation(tomas.igsid()).await;
    world.settled().await;
    let browser = Browser::start().await;
    browser.sized(1440, 900).await;
    // What is new comes into the index a little later.
    eventually("a hit", async || {
        browser.open(&format!("{}/inbox?q=porcel", world.address)).await;
        browser.text().await.contains("about <b>porcelain").then_some(())
    })
    .await;
    browser.becomes("document.querySelector('.found mark').textContent", "porcel").await;
    browser.pictured("search").await;
    browser.click(".row.found a").await;
    let path = format!("/inbox/{}", conversation.public());
    browser.becomes("location.pathname", path).await;
    let shown = "(() => { const at = document.querySelector('#log .item:target')?.getBoundingClientRect(); \
        return Boolean(at && at.top > 0 && at.bottom < innerHeight); })()";
    browser.becomes(shown, true).await;
    browser.pictured("search-opened").await;
    assert!(!browser.text().await.contains("message 80"), "the newest are not loaded");
    tomas.text("and one more").await;
    // Scrolling down goes on to the newest, and every message is there once.
    eventually("the newest message", async || {
        browser.runs("document.querySelector('#later')?.scrollIntoView()").await;
        browser
            .runs("return document.querySelector('#log').innerText")
            .await
            .as_str()?
            .contains("and one more")
            .then_some(())
    })
    .await;
    eventually("the oldest message", async || {
        browser.runs("document.querySelector('#earlier')?.scrollIntoView()").await;
        let log = browser.runs("return document.querySelector('#log').innerText").await;
        log.as_str()?.contains("dishwasher").then_some(())
    })
    .await;
    let numbers = "JSON.stringify([...document.querySelectorAll('#log .item')].map(one => (one.innerText.match(/message (\\d+)/) ?? [])[1]).filter(Boolean).map(Number))";
    let all: Vec<u64> = (0..90).collect();
    browser.becomes(numbers, serde_json::to_string(&all).unwrap()).await;
    browser.quit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn later_messages_come_without_moving_what_is_read() {
    let world = World::new().await;
    let tomas = street::customer(&world, "551982014663711", "Tomás Rivera");
    for number in 0..90 {
        tomas.text(&format!("message {number}")).await;
    }
    let conversation = world.conversation(tomas.igsid()).await;
    world.settled().await;
    let fifth = world.timeline(tomas.igsid()).await[5].id.public();
    let browser = Browser::start().await;
    browser.sized(1440, 900).await;
    browser.open(&format!("{}/inbox/{}?at={fifth}#m-{fifth}", world.address, conversation.public())).await;
    let moved = "const item = [...document.querySelectorAll('#log .item')].find(one => one.innerText.includes('message 29')); \
        item.scrollIntoView({ block: 'center' }); window.item = item; window.top0 = item.getBoundingClientRect().top; return true";
    browser.runs(moved).await;
    eventually("later messages", async || browser.text().await.contains("message 50").then_some(())).await;
    let by = browser.runs("return Math.abs(window.item.getBoundingClientRect().top - window.top0)").await;
    assert!(by.as_f64().unwrap() < 4.0, "it moved by {by} pixels");
    browser.quit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn many_conversations_are_labelled_assigned_and_closed_at_once() {
    let world = World::new().await;
    let nora = team::person(&world, "Nora Whitfield").await;
    street::others(&world).await;
    world.settled().await;
    world.host.add_label(WorkspaceId::FIRST, "gift", "gray").await.unwrap();
    let (tomas, priya) = ("551982014663711", "551982014663713");
    let chosen = [world.conversation(tomas).await, world.conversation(priya).await];
    let browser = Browser::start().await;
    browser.sized(1440, 900).await;
    browser.open(&format!("{}/inbox", world.address)).await;
    let choose = async || {
        for one in chosen {
            browser.runs(&format!("document.querySelector('#c-{} .pick').click()", one.public())).await;
        }
        browser.becomes("document.querySelector('#selected').innerText", "2 selected").await;
    };
    let are = async |what: &str, fits: &(dyn Fn(&harness_inbox::ConversationSummary) -> bool + Sync)| {
        eventually(what, async || {
            let all =
                [world.host.inbox().conversation(chosen[0]).await, world.host.inbox().conversation(chosen[1]).await];
            all.iter().all(|one| fits(one.as_ref().unwrap())).then_some(())
        })
        .await;
    };
    let none = "document.querySelectorAll('.pick:checked').length";
    choose().await;
    browser.pictured("many").await;
    browser.click("#many details:has([name=label_new]) > summary").await;
    browser.click("#many [name=label_new]").await;
    are("the labels", &|one| one.labels.len() == 1).await;
    browser.becomes(none, 0).await;
    choose().await;
    browser.click("#many details:has([name=assignee]) > summary").await;
    browser.click("#many [name=assignee]").await;
    are("the assignee", &|one| one.assignee == Some(nora)).await;
    browser.becomes(none, 0).await;
    choose().await;
    browser.click("#many [name=state]").await;
    are("the end", &|one| one.state == ConversationState::Closed).await;
    let left = "document.querySelectorAll('#rows .row').length";
    browser.becomes(left, 3).await;
    browser.quit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_marked_as_unread_stands_out_again() {
    let world = World::new().await;
    let (browser, conversation) = team::opened(&world).await;
    let unread = async || world.host.inbox().conversation(conversation).await.unwrap().unread;
    eventually("what is read", async || (unread().await == 0).then_some(())).await;
    browser.click("#head details > summary").await;
    browser.click("#mark-unread").await;
    eventually("what is unread", async || (unread().await == 1).then_some(())).await;
    browser.becomes("document.querySelector('#rows .badge')?.textContent.trim()", "1 1 unread").await;
    browser.quit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_view_is_saved_under_a_name_and_opened_again() {
    let world = World::new().await;
    team::person(&world, "Nora Whitfield").await;
    street::others(&world).await;
    world.settled().await;
    let browser = Browser::start().await;
    browser.sized(1440, 900).await;
    browser.open(&format!("{}/inbox?unread=1&view=unassigned", world.address)).await;
    browser.click("#views > summary").await;
    browser.types("#save-view input[name=name]", "<b>To do\n").await;
    eventually("the view", async || (!saved(&world).await.is_empty()).then_some(())).await;
    // Wherever the person looks next, it is there.
    browser.runs("localStorage.clear()").await;
    browser.open(&format!("{}/inbox", world.address)).await;
    browser.click("#views > summary").await;
    browser.pictured("views").await;
    assert_eq!(browser.runs("return document.querySelector('#saved-views bdi').textContent").await, "<b>To do");
    browser.click("#saved-views a").await;
    browser.becomes("location.search", "?view=unassigned&unread=1").await;
    browser.becomes("document.querySelectorAll('#saved-views [aria-current]').length", 1).await;
    browser.quit().await;
}

/// The names of the first workspace's views, and of the first person's.
async fn saved(world: &World) -> Vec<(String, bool)> {
    let inbox = world.host.inbox();
    let user = inbox.users(WorkspaceId::FIRST).await.unwrap()[0].id;
    let all = inbox.saved_views(WorkspaceId::FIRST, Some(user)).await.unwrap();
    all.into_iter().map(|view| (view.name, view.user.is_none())).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_view_is_saved_renamed_and_deleted_without_script() {
    let world = World::new().await;
    let _nora = team::person(&world, "Nora Whitfield").await;
    let dev = team::person(&world, "Dev Patel").await;
    let post = async |path: &str, body: &str| {
        let form = [("content-type", "application/x-www-form-urlencoded")];
        request("POST", &format!("{}{path}", world.address), &form, body.as_bytes().to_vec()).await
    };
    let page = async |path: &str| request("GET", &format!("{}{path}", world.address), &[], Vec::new()).await;
    assert_eq!(post("/inbox/views?view=mine&q=mug", "name=Mugs").await.status, 303);
    assert_eq!(post("/inbox/views?view=closed", "name=Done&shared=1").await.status, 303);
    assert_eq!(saved(&world).await, [("Mugs".to_owned(), false), ("Done".to_owned(), true)]);
    let taken = post("/inbox/views?unread=1", "name=Mugs").await;
    assert!(taken.status == 422 && taken.body.contains("There is a view of this name already"), "{}", taken.body);
    assert_eq!(post("/inbox/views", "name=").await.status, 422);
    let list = page("/settings/views").await;
    assert!(list.body.contains("href=\"/inbox?view=mine&amp;q=mug\""), "{}", list.body);
    let views = world.host.inbox().saved_views(WorkspaceId::FIRST, Some(dev)).await.unwrap();
    let done = format!("/settings/views/{}", views[0].id.public());
    assert_eq!(post(&done, "do=save&name=Finished").await.status, 303);
    assert!(saved(&world).await.contains(&("Finished".to_owned(), true)));
    assert_eq!(post(&done, "do=delete&name=").await.status, 303);
    assert_eq!(saved(&world).await, [("Mugs".to_owned(), false)]);
    // A colleague's own view is not there.
    let filters = harness_inbox::ViewFilters::default();
    let own = world.host.save_view(WorkspaceId::FIRST, Some(dev), "Secret plans", filters).await.unwrap();
    assert_eq!(page(&format!("/settings/views/{}", own.public())).await.status, 404);
    assert_eq!(post(&format!("/settings/views/{}", own.public()), "do=delete").await.status, 404);
    for path in ["/inbox", "/settings/views"] {
        assert!(!page(path).await.body.contains("Secret plans"), "{path}");
    }
}
