//! Two people in one conversation, and a connection that is lost.

use channel_tests::{API_TOKEN, World, browser::Browser, eventually, team as people};
use harness_inbox::PublicId as _;

use crate::{street, team};

/// Cuts a page off from the host; `window.fetch = window.real` ends it.
pub(crate) const CUT: &str =
    "window.real = window.fetch; window.fetch = () => Promise.reject(new TypeError('no connection'))";

/// Somebody who was invited, signed in in a browser of their own.
pub(crate) async fn joined(world: &World, name: &str) -> Browser {
    let token = format!("Bearer {API_TOKEN}");
    let link = people::invited_at(&world.address, &token, None, "dev@example.org", "agent").await;
    let jar = people::accepts(&world.address, &link, name).await;
    let browser = Browser::start().await;
    browser.sized(1440, 900).await;
    browser.open(&format!("{}/health/live", world.address)).await;
    for (name, value) in jar.cookies() {
        browser.runs(&format!("document.cookie = '{name}={value}; path=/'")).await;
    }
    browser
}

#[tokio::test(flavor = "multi_thread")]
async fn each_sees_that_the_other_is_there_writes_and_goes() {
    let world = World::new().await;
    team::person(&world, "Nora Whitfield").await;
    let (nora, conversation) = team::opened(&world).await;
    let dev = joined(&world, "Dev Patel").await;
    dev.open(&format!("{}/inbox/{}", world.address, conversation.public())).await;
    nora.says("Dev Patel is here too").await;
    dev.says("Nora Whitfield is here too").await;
    nora.pictured("together").await;
    dev.types("#text", "Of course").await;
    nora.says("Dev Patel is writing").await;
    dev.open(&format!("{}/inbox", world.address)).await;
    let others = "return document.querySelector('#presence').innerText";
    eventually("one alone", async || (nora.runs(others).await == "").then_some(())).await;
    dev.quit().await;
    nora.quit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_who_choose_an_assignee_the_second_reads_who_was_first() {
    let world = World::new().await;
    let nora = team::person(&world, "Nora Whitfield").await;
    let (first, conversation) = team::opened(&world).await;
    let second = joined(&world, "Dev Patel").await;
    second.open(&format!("{}/inbox/{}", world.address, conversation.public())).await;
    second.says("Handled by").await;
    // The second one's page is asked before it hears of the first one's choice.
    second.runs("window.choose = document.querySelector('#assignee').form.cloneNode(true)").await;
    first
        .runs(&format!(
            "const all = document.querySelector('#assignee'); all.value = '{}'; \
        all.dispatchEvent(new Event('change', {{ bubbles: true }}))",
            nora.public()
        ))
        .await;
    eventually("the first one's choice", async || {
        let now = world.host.inbox().conversation(conversation).await.unwrap();
        (now.assignee == Some(nora)).then_some(())
    })
    .await;
    second
        .runs(
            "document.querySelector('#contact').append(window.choose); \
        window.choose.querySelector('select').value = ''; window.choose.requestSubmit()",
        )
        .await;
    second.says("Nora Whitfield was first").await;
    first.quit().await;
    second.quit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_connection_a_bar_says_so_and_nothing_that_was_typed_is_lost() {
    let world = World::new().await;
    team::person(&world, "Nora Whitfield").await;
    let (browser, conversation) = team::opened(&world).await;
    browser.types("#text", "I look it up").await;
    // The browser cannot reach the host.
    browser.runs(CUT).await;
    browser.click("#send").await;
    browser.says("No connection. What you write stays here.").await;
    browser.pictured("offline").await;
    street::customer(&world, "551982014663711", "Tomás Rivera").text("Are you still there?").await;
    world.settled().await;
    assert_eq!(browser.runs("return document.querySelector('#text').value").await, "I look it up");
    assert!(!browser.text().await.contains("Are you still there?"));
    browser.runs("window.fetch = window.real").await;
    // By script: the bar may be gone by itself, as soon as anything is loaded.
    browser.runs("document.querySelector('#offline [data-retry]').click()").await;
    browser.says("Are you still there?").await;
    browser.click("#send").await;
    browser.says("Sent").await;
    let sent = world.host.inbox().timeline(conversation, 10).await.unwrap();
    assert_eq!(sent.iter().filter(|one| one.text.as_deref() == Some("I look it up")).count(), 1, "it is sent once");
    let bar = "return document.querySelector('#offline').hidden";
    assert_eq!(browser.runs(bar).await, true);
    browser.quit().await;
}
