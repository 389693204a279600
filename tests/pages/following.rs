//! A page that stays open while things happen: nothing is lost from it, doubled on it, or left on it that is gone.

use channel_tests::{World, browser::Browser, eventually};
use harness_inbox::{ConversationChange, ConversationId, NewState, PublicId as _};
use serde_json::Value;
use simulator::Customer;

use crate::{
    opening::{list, opens},
    sent::TEXT,
    street, team,
};

const TOMAS: &str = "551982014663711";
/// The numbers of the messages on the page, in their order.
const NUMBERS: &str = "[...document.querySelectorAll('#log .item')] \
    .map(one => one.innerText.match(/message (\\d+)/)?.[1]).filter(Boolean).join()";
/// How many elements of the log have an id that another one has.
const DOUBLED: &str =
    "(all => all.length - new Set(all).size)([...document.querySelectorAll('#log [id]')].map(one => one.id))";
/// The number beside "Inbox" in the navigation.
const UNREAD: &str = "document.querySelector('#unread').innerText.split('\\n')[0].trim()";

fn numbers(all: std::ops::Range<usize>) -> String {
    all.map(|number| number.to_string()).collect::<Vec<_>>().join(",")
}

async fn write(customer: &Customer, all: std::ops::Range<usize>) {
    for number in all {
        customer.text(&format!("message {number}")).await;
    }
}

/// A conversation of so many messages.
async fn long(world: &World, count: usize) -> (Customer, ConversationId) {
    let tomas = street::customer(world, TOMAS, "Tomás Rivera");
    write(&tomas, 0..count).await;
    let conversation = world.conversation(tomas.igsid()).await;
    world.settled().await;
    (tomas, conversation)
}

async fn at(world: &World, path: &str) -> Browser {
    let browser = Browser::start().await;
    browser.sized(1440, 900).await;
    browser.open(&format!("{}/inbox{path}", world.address)).await;
    browser
}

async fn scrolled_to_the_first(browser: &Browser) {
    eventually("the first message", async || {
        browser.runs("document.querySelector('#earlier')?.scrollIntoView()").await;
        browser.runs(&format!("return {NUMBERS}")).await.as_str()?.starts_with("0,").then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thread_that_grows_keeps_every_message_and_the_way_to_earlier_ones() {
    let world = World::new().await;
    let (tomas, conversation) = long(&world, 70).await;
    let browser = at(&world, &format!("/{}", conversation.public())).await;
    browser.becomes(NUMBERS, numbers(20..70)).await;
    write(&tomas, 70..85).await;
    browser.becomes(NUMBERS, numbers(20..85)).await;
    scrolled_to_the_first(&browser).await;
    browser.becomes(NUMBERS, numbers(0..85)).await;
    write(&tomas, 85..86).await;
    browser.becomes(NUMBERS, numbers(0..86)).await;
    assert_eq!(browser.runs(&format!("return {DOUBLED}")).await, 0);
    browser.quit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thread_that_outgrows_one_page_still_begins_with_its_first_message() {
    let world = World::new().await;
    let (tomas, conversation) = long(&world, 45).await;
    let browser = at(&world, &format!("/{}", conversation.public())).await;
    browser.becomes(NUMBERS, numbers(0..45)).await;
    write(&tomas, 45..60).await;
    browser.becomes(NUMBERS, numbers(0..60)).await;
    assert_eq!(browser.runs("return document.querySelector('#earlier')").await, Value::Null);
    browser.quit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn notes_and_comments_stand_once_in_the_log_however_often_earlier_is_pressed() {
    let world = World::new().await;
    let (tomas, conversation) = long(&world, 1).await;
    world.host.add_note(conversation, None, "Nora", "the first note", None).await.unwrap();
    write(&tomas, 1..120).await;
    tomas.comment("17900000000000004", "the only comment").await;
    world.settled().await;
    world.host.add_note(conversation, None, "Nora", "the last note", None).await.unwrap();
    let browser = at(&world, &format!("/{}", conversation.public())).await;
    browser.says("the last note").await;
    browser.runs("for (let press = 0; press < 3; press++) document.querySelector('#earlier a').click()").await;
    scrolled_to_the_first(&browser).await;
    browser.becomes(NUMBERS, numbers(0..120)).await;
    assert_eq!(browser.runs(&format!("return {DOUBLED}")).await, 0);
    let said = browser.runs("return document.querySelector('#log').innerText").await;
    let said = said.as_str().unwrap();
    let place = |words: &str| said.find(words).unwrap_or_else(|| panic!("{words} in {said}"));
    assert!(place("message 0") < place("the first note") && place("the first note") < place("message 1"), "{said}");
    assert!(place("message 119") < place("the last note"), "{said}");
    for once in ["the first note", "the only comment", "the last note"] {
        assert_eq!(said.matches(once).count(), 1, "{once}");
    }
    browser.quit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_came_in_while_a_conversation_was_being_opened_is_shown() {
    let world = World::new().await;
    let (browser, tomas, _) = list(&world).await;
    // The host has drawn it, and the answer is on its way. In one script: the driver waits for what is being opened.
    let held = format!(
        "(async () => {{ \
            const real = fetch, next = () => new Promise(requestAnimationFrame); \
            let release = null; \
            window.fetch = async (...asked) => {{ \
                const answer = await real(...asked); \
                if (String(asked[0]).includes('part=open')) await new Promise(done => release = done); \
                return answer; \
            }}; \
            document.querySelector('#c-{} > a').click(); \
            while (!release) await next(); \
            while (!document.querySelector('#rows').innerText.includes('One more thing')) await next(); \
            window.fetch = real; \
            release(); \
        }})()",
        tomas.public()
    );
    let writes = async {
        // Whoever opens it has read what is there.
        let unread = async || world.host.inbox().conversation(tomas).await.unwrap().unread;
        eventually("what is drawn", async || (unread().await == 0).then_some(())).await;
        world.sim.customer(TOMAS).text("One more thing").await;
    };
    tokio::join!(browser.waits(&held), writes);
    browser.becomes("document.querySelector('#log')?.innerText.includes('One more thing')", true).await;
    browser.quit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn conversations_that_left_the_list_leave_the_page_however_far_it_was_scrolled() {
    let world = World::new().await;
    for n in 10..60 {
        world.sim.customer(&format!("5519820147000{n}")).text("Hello").await;
    }
    world.settled().await;
    let all = world.host.inbox().conversations(99).await.unwrap();
    let browser = at(&world, "").await;
    // All that nobody has read is counted, and not what is on the first page.
    browser.becomes(UNREAD, "50").await;
    browser.becomes("document.title.startsWith('(50) ')", true).await;
    browser.runs("document.querySelector('#more').scrollIntoView()").await;
    browser.becomes("document.querySelectorAll('#rows .row').length", 50).await;
    for at in [2, 45] {
        let closed = ConversationChange { state: Some(NewState::Closed), ..ConversationChange::default() };
        world.host.change_conversation(all[at].id, closed).await.unwrap();
        browser.becomes(&format!("document.querySelector('#c-{}')", all[at].id.public()), Value::Null).await;
    }
    browser.becomes("document.querySelectorAll('#rows .row').length", 48).await;
    browser.becomes(UNREAD, "48").await;
    browser.quit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_comes_back_to_the_tab_has_read_what_it_shows() {
    let world = World::new().await;
    let (browser, conversation) = team::opened(&world).await;
    let unread = async || world.host.inbox().conversation(conversation).await.unwrap().unread;
    eventually("what is read", async || (unread().await == 0).then_some(())).await;
    browser.runs("window.away = true; Object.defineProperty(document, 'hidden', { get: () => away })").await;
    world.sim.customer(TOMAS).text("Still there?").await;
    browser.becomes("document.querySelector('#log').innerText.includes('Still there?')", true).await;
    browser.becomes(UNREAD, "1").await;
    assert_eq!(unread().await, 1);
    browser.runs("away = false; document.dispatchEvent(new Event('visibilitychange'))").await;
    eventually("what is read", async || (unread().await == 0).then_some(())).await;
    browser.becomes(UNREAD, "").await;
    browser.quit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reply_is_shown_where_a_found_message_was_looked_at() {
    let world = World::new().await;
    let (_, conversation) = long(&world, 90).await;
    let fifth = world.timeline(TOMAS).await[5].id.public();
    let browser = at(&world, &format!("/{}?at={fifth}#m-{fifth}", conversation.public())).await;
    browser.becomes("document.querySelector('#log').dataset.later?.length > 0", true).await;
    let unread = async || world.host.inbox().conversation(conversation).await.unwrap().unread;
    assert_eq!(unread().await, 90, "nobody has looked at the newest");
    browser.types("#text", "Here it is").await;
    browser.click("#send").await;
    browser.becomes(TEXT, "").await;
    browser.becomes("document.querySelector('#log .item:last-of-type').innerText.includes('Here it is')", true).await;
    eventually("what is read", async || (unread().await == 0).then_some(())).await;
    scrolled_to_the_first(&browser).await;
    browser.becomes(NUMBERS, numbers(0..90)).await;
    browser.quit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_assigns_and_thinks_again_is_not_told_that_somebody_was_first() {
    let world = World::new().await;
    let nora = team::person(&world, "Nora Whitfield").await;
    let dev = team::person(&world, "Dev Patel").await;
    let (browser, conversation) = team::opened(&world).await;
    // By keyboard: the arrows pass who is not meant.
    browser.runs("document.querySelector('#assignee').focus()").await;
    for (index, wanted) in [(1, Some(nora)), (2, Some(dev)), (0, None)] {
        let chosen = format!(
            "const field = document.querySelector('#assignee'); \
             field.dispatchEvent(new KeyboardEvent('keydown', {{ key: 'ArrowDown', bubbles: true }})); \
             field.selectedIndex = {index}; field.dispatchEvent(new Event('change', {{ bubbles: true }})); \
             field.dispatchEvent(new KeyboardEvent('keydown', {{ key: 'Enter', bubbles: true }}))"
        );
        let names =
            browser.runs("return [...document.querySelector('#assignee').options].map(one => one.value).join()").await;
        let order: Vec<_> = names.as_str().unwrap().split(',').map(str::to_owned).collect();
        let wanted = wanted.map(|_| order[index].clone());
        browser.runs(&chosen).await;
        eventually("the assignee", async || {
            let now = world.host.inbox().conversation(conversation).await.unwrap().assignee;
            (now.map(|user| user.public()) == wanted).then_some(())
        })
        .await;
    }
    assert_eq!(browser.runs("return document.querySelectorAll('body > .toast').length").await, 0);
    browser.quit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_label_that_is_entered_is_added_once_and_shown_while_its_field_has_the_focus() {
    let world = World::new().await;
    let (browser, conversation) = team::opened(&world).await;
    for (label, count) in [("gift", 1), ("abroad", 2)] {
        browser.types("#label", &format!("{label}\n")).await;
        browser.becomes("document.querySelectorAll('#contact [name=label_remove]').length", count).await;
        browser.becomes("document.querySelector('#label').value", "").await;
        browser.becomes("document.activeElement.id", "label").await;
    }
    assert_eq!(browser.runs("return document.querySelectorAll('body > .toast').length").await, 0);
    assert_eq!(world.host.inbox().conversation(conversation).await.unwrap().labels.len(), 2);
    // Removing one by keyboard leaves the focus on the next.
    browser.runs("document.querySelector('#contact [name=label_remove]').focus()").await;
    browser.presses_enter().await;
    browser.becomes("document.querySelectorAll('#contact [name=label_remove]').length", 1).await;
    browser.becomes("document.activeElement.name", "label_remove").await;
    browser.quit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_snoozed_conversation_is_found_and_opened_again() {
    let world = World::new().await;
    let (browser, tomas, priya) = list(&world).await;
    opens(&browser, tomas, "Tomás Rivera").await;
    let shown = format!("document.querySelector('#c-{}') !== null", tomas.public());
    browser.click("#more-actions").await;
    browser.click("#head [name=snooze][value='24']").await;
    browser.becomes(&shown, false).await;
    browser.click("#views > summary").await;
    browser.click("#views a[href*=snoozed]").await;
    browser.becomes(&shown, true).await;
    browser.becomes(&format!("document.querySelector('#c-{}')", priya.public()), Value::Null).await;
    browser.runs(&format!("document.querySelector('#c-{} .pick').click()", tomas.public())).await;
    browser.click("#many [name=state][value=open]").await;
    browser.becomes(&shown, false).await;
    browser.open(&format!("{}/inbox", world.address)).await;
    browser.becomes(&shown, true).await;
    browser.quit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn any_number_of_tabs_follow_over_one_connection_and_go_on_when_the_one_that_listened_is_closed() {
    let world = World::new().await;
    let (browser, conversation) = team::opened(&world).await;
    let first = browser.client.window().await.unwrap();
    let mut tabs = Vec::new();
    // More than a browser has connections to one host.
    for _ in 0..7 {
        let tab = browser.client.new_window(true).await.unwrap().handle;
        browser.client.switch_to_window(tab.clone()).await.unwrap();
        browser.open(&format!("{}/inbox/{}", world.address, conversation.public())).await;
        browser.becomes("document.body.classList.contains('has-script')", true).await;
        tabs.push(tab);
    }
    let shows = async |words: &str| {
        for tab in &tabs {
            browser.client.switch_to_window(tab.clone()).await.unwrap();
            browser.becomes(&format!("document.querySelector('#log').innerText.includes('{words}')"), true).await;
        }
    };
    world.sim.customer(TOMAS).text("Still there?").await;
    shows("Still there?").await;
    browser.client.switch_to_window(first).await.unwrap();
    browser.client.close_window().await.unwrap();
    browser.client.switch_to_window(tabs[0].clone()).await.unwrap();
    world.sim.customer(TOMAS).text("And in blue?").await;
    shows("And in blue?").await;
    browser.quit().await;
}
