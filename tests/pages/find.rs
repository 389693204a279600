//! Finding conversations in a browser: searching, views, marking as unread, changing many at once, scrolling both ways.

use channel_tests::{World, browser::Browser, eventually};
use harness_inbox::{ConversationState, PublicId as _, WorkspaceId};

use crate::{street, team};

/// A script's answer, once it is this.
async fn becomes(browser: &Browser, what: &str, script: &str, wanted: serde_json::Value) {
    eventually(what, async || (browser.runs(&format!("return {script}")).await == wanted).then_some(())).await;
}

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
    becomes(&browser, "the mark", "document.querySelector('.found mark').textContent", "porcel".into()).await;
    browser.pictured("search").await;
    browser.click(".row.found a").await;
    let path = format!("/inbox/{}", conversation.public());
    becomes(&browser, "the address", "location.pathname", path.into()).await;
    let shown = "(() => { const at = document.querySelector('#log .item:target')?.getBoundingClientRect(); \
        return Boolean(at && at.top > 0 && at.bottom < innerHeight); })()";
    becomes(&browser, "the message in view", shown, true.into()).await;
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
    becomes(&browser, "every message once, in order", numbers, serde_json::to_string(&all).unwrap().into()).await;
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
        becomes(&browser, "the number", "document.querySelector('#selected').innerText", "2 selected".into()).await;
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
    becomes(&browser, "none chosen", none, 0.into()).await;
    choose().await;
    browser.click("#many details:has([name=assignee]) > summary").await;
    browser.click("#many [name=assignee]").await;
    are("the assignee", &|one| one.assignee == Some(nora)).await;
    becomes(&browser, "none chosen", none, 0.into()).await;
    choose().await;
    browser.click("#many [name=state]").await;
    are("the end", &|one| one.state == ConversationState::Closed).await;
    let left = "document.querySelectorAll('#rows .row').length";
    becomes(&browser, "a shorter list", left, 3.into()).await;
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
    becomes(&browser, "the badge", "document.querySelector('#rows .badge')?.textContent.trim()", "1 1 unread".into())
        .await;
    browser.quit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_view_is_saved_under_a_name_and_opened_again() {
    let world = World::new().await;
    street::others(&world).await;
    world.settled().await;
    let browser = Browser::start().await;
    browser.sized(1440, 900).await;
    browser.open(&format!("{}/inbox?unread=1&view=unassigned", world.address)).await;
    browser.click("#views > summary").await;
    browser.types("#save-view input", "<b>To do\n").await;
    browser.says("<b>To do").await;
    browser.open(&format!("{}/inbox", world.address)).await;
    browser.click("#views > summary").await;
    browser.pictured("views").await;
    browser.click("#saved-views a").await;
    becomes(&browser, "the view", "location.search", "?view=unassigned&unread=1".into()).await;
    browser.quit().await;
}
