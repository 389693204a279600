//! The inbox in a browser: every kind of message is shown, answers go out, what comes in appears by itself.

use channel_tests::{World, browser::Browser, eventually, request};
use fantoccini::Locator;
use harness_inbox::PublicId as _;

use crate::street;

async fn inbox(world: &World) -> Browser {
    let browser = Browser::start().await;
    browser.sized(1440, 900).await;
    browser.open(&format!("{}/inbox", world.address)).await;
    browser
}

async fn opened(world: &World, customer: &str) -> Browser {
    let conversation = world.conversation(customer).await;
    world.settled().await;
    let browser = inbox(world).await;
    browser.open(&format!("{}/inbox/{}", world.address, conversation.public())).await;
    browser
}

#[tokio::test(flavor = "multi_thread")]
async fn every_kind_of_message_is_shown_as_what_it_is() {
    let world = World::new().await;
    street::others(&world).await;
    let maya = street::maya(&world).await;
    let browser = opened(&world, maya.igsid()).await;
    browser.says("I’d love both!").await;
    browser.pictured("thread-1440-light").await;
    let page = browser.runs("return document.querySelector('#log').innerText").await;
    let page = page.as_str().unwrap();
    for shown in [
        "Came from your ad “Autumn glazes, made slowly”",
        "Shared a reel",
        "Tall vase, river green",
        "Mentioned you in a story",
        "Replied to your story",
        "does not hand it over",
        "unsent this message",
        "Could you make the rim like this?",
        "edited",
        "Written in the Instagram app",
        "tapped a button",
        "Commented on your",
        "Will you be at the winter market?",
        "https://fernandclay.example/vase",
    ] {
        assert!(page.contains(shown), "{shown:?} is missing in {page}");
    }
    assert!(!page.contains("Wrong chat") && !page.contains("Coud you"), "{page}");
    for kind in ["figure.media img", "video", "audio", "a.bubble.file", "svg.heart", "article.share"] {
        let count = browser.client.find_all(Locator::Css(&format!("#log {kind}"))).await.unwrap().len();
        assert!(count > 0, "there is no {kind}: {page}");
    }
    browser.client.find(Locator::Css("#list")).await.unwrap();
    browser.quit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_customer_writes_appears_by_itself_and_an_answer_reaches_them() {
    let world = World::new().await;
    let tomas = street::customer(&world, "551982014663711", "Tomás Rivera");
    tomas.text("Is the mug dishwasher safe?").await;
    let browser = opened(&world, tomas.igsid()).await;
    browser.says("Is the mug dishwasher safe?").await;
    browser.types("#text", "It is, up to 60 degrees.").await;
    browser.click("#send").await;
    let log = browser.says("Sent").await;
    assert!(log.contains("It is, up to 60 degrees."), "{log}");
    assert_eq!(tomas.last_reply().unwrap().text.as_deref(), Some("It is, up to 60 degrees."));
    browser.becomes("document.querySelector('#text').value", "").await;
    tomas.text("Wonderful, I take two.").await;
    browser.says("Wonderful, I take two.").await;
    let reply = tomas.last_reply().unwrap().mid;
    tomas.seen(&reply).await;
    browser.says("Read").await;
    browser.quit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_customer_sees_that_somebody_writes_before_anything_is_sent() {
    let world = World::new().await;
    let tomas = street::customer(&world, "551982014663711", "Tomás Rivera");
    tomas.text("Is the mug dishwasher safe?").await;
    let browser = opened(&world, tomas.igsid()).await;
    browser.says("Is the mug dishwasher safe?").await;
    assert!(!tomas.sees_typing());
    browser.types("#text", "It is").await;
    eventually("that somebody writes", async || tomas.sees_typing().then_some(())).await;
    assert!(tomas.last_reply().is_none());
    browser.quit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_list_shows_a_new_conversation_without_being_loaded_again() {
    let world = World::new().await;
    let browser = inbox(&world).await;
    browser.says("No conversations yet").await;
    street::customer(&world, "551982014663713", "Priya Nair").text("How much is it?").await;
    browser.says("How much is it?").await;
    street::customer(&world, "551982014663714", "Ben Okafor").text("Thank you!").await;
    browser.says("Thank you!").await;
    browser.quit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_scripts_a_form_reads_and_answers() {
    let world = World::new().await;
    let ben = street::customer(&world, "551982014663714", "Ben Okafor");
    ben.text("Do you open on Sunday?").await;
    let conversation = world.conversation(ben.igsid()).await;
    world.settled().await;
    let address = format!("{}/inbox/{}", world.address, conversation.public());
    let page = request("GET", &address, &[], Vec::new()).await;
    assert!(page.status == 200 && page.body.contains("Do you open on Sunday?"), "{}", page.body);
    let form = [("content-type", "application/x-www-form-urlencoded")];
    let sent = request("POST", &format!("{address}/reply"), &form, b"key=one&text=From+ten+to+four.".to_vec()).await;
    assert_eq!(sent.status, 303, "{}", sent.body);
    eventually("the answer", async || {
        ben.last_reply().filter(|reply| reply.text.as_deref() == Some("From ten to four."))
    })
    .await;
    let empty = request("POST", &format!("{address}/reply"), &form, b"key=two&text=+".to_vec()).await;
    assert!(empty.status == 422 && empty.body.contains("Write something"), "{}", empty.body);
}
