//! The composer in a browser: what is checked while somebody types, what can be added to a message, how it is sent. Not
//! here: when it may be sent, and what stands under it afterwards (`outcomes`).

use std::path::PathBuf;

use channel_tests::{World, browser::Browser, eventually, request};
use fantoccini::{Locator, key::Key};
use harness_inbox::PublicId as _;
use serde_json::Value;
use simulator::{CdnFile, Fault, Scope, ThreadMessage};
use tempfile::TempDir;

use crate::{street, team};

pub(crate) const TOMAS: &str = "551982014663711";

fn last(world: &World) -> ThreadMessage {
    world.sim.customer(TOMAS).last_reply().expect("something was sent")
}

pub(crate) async fn sent(world: &World, what: &str, fits: impl Fn(&ThreadMessage) -> bool) -> ThreadMessage {
    eventually(what, async || world.sim.customer(TOMAS).last_reply().filter(&fits)).await
}

fn key(key: Key) -> String {
    String::from(char::from(key))
}

/// How many messages went out. That somebody writes is shown to the customer meanwhile, and is none.
pub(crate) fn messages(world: &World) -> usize {
    world.sends().iter().filter(|sent| sent.body["sender_action"].is_null()).count()
}

/// A file of this folder.
pub(crate) fn put(folder: &TempDir, name: &str, content: &[u8]) -> PathBuf {
    let path = folder.path().join(name);
    std::fs::write(&path, content).unwrap();
    path
}

/// Chooses files for the message.
pub(crate) async fn choose(browser: &Browser, paths: &[PathBuf]) {
    let input = browser.client.find(Locator::Css("#choose")).await.unwrap();
    let paths: Vec<_> = paths.iter().map(|path| path.display().to_string()).collect();
    input.send_keys(&paths.join("\n")).await.unwrap();
}

/// Waits until a script says so.
pub(crate) async fn holds(browser: &Browser, what: &str, script: &str) {
    eventually(what, async || (browser.runs(&format!("return Boolean({script})")).await == true).then_some(())).await;
}

/// Presses a button that changes the form, and waits until the host has drawn it anew.
pub(crate) async fn press(browser: &Browser, button: &str) {
    browser.click(button).await;
    drawn(browser).await;
}

async fn drawn(browser: &Browser) {
    holds(browser, "a drawn form", "!document.querySelector('#composer').ariaBusy").await;
}

/// Puts the pointer on the customer's newest message, and clicks a button beside it.
async fn beside_message(browser: &Browser, button: &str) {
    let all = "[...document.querySelectorAll('#log .item[data-from=customer]')].at(-1)";
    browser.runs(&format!("{all}.querySelector('{button}').click()")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_channel_says_stands_beside_its_field_while_somebody_types() {
    let world = World::new().await;
    let (browser, _) = team::opened(&world).await;
    browser.types("#text", "We are open.").await;
    holds(&browser, "the counter", "document.querySelector('#count').innerText === '12 of 1000 bytes'").await;
    browser
        .runs(
            "const text = document.querySelector('#text'); text.value = 'Fern and clay. '.repeat(80); \
        text.dispatchEvent(new Event('input', { bubbles: true }))",
        )
        .await;
    browser.says("Arrives as 2 messages").await;
    browser.says("Send 2").await;
    holds(&browser, "an early counter", "document.querySelector('#count').dataset.tone === 'closing'").await;
    press(&browser, "#tool-quick").await;
    browser.types("#quick-0", "Yes, please wrap both of them").await;
    browser.says("1 thing to fix").await;
    holds(&browser, "the field", "document.querySelector('#quick-0').ariaInvalid === 'true'").await;
    holds(&browser, "its problem", "document.querySelector('#quick-0-problem .violation')").await;
    browser.pictured("composer-problem").await;
    browser
        .runs(
            "const field = document.querySelector('#quick-0'); field.value = 'Yes, both'; \
        field.dispatchEvent(new Event('input', { bubbles: true }))",
        )
        .await;
    holds(&browser, "no problem", "!document.querySelector('#quick-0-problem .violation:not([data-tone])')").await;
    assert_eq!(messages(&world), 0, "nothing is sent while somebody types");
    browser.quit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reaction_is_given_and_taken_back() {
    let world = World::new().await;
    let (browser, _) = team::opened(&world).await;
    let reactions = || {
        let all = world.sim.customer(TOMAS).transcript();
        all.iter().flat_map(|message| &message.reactions).map(|one| one.emoji.clone()).collect::<Vec<_>>()
    };
    beside_message(&browser, "[data-react]").await;
    browser.pictured("composer-reactions").await;
    browser.click("#reactions button[value='\u{1f44d}']").await;
    eventually("the reaction", async || (reactions() == ["\u{1f44d}"]).then_some(())).await;
    browser.click("#log button.react").await;
    eventually("its end", async || reactions().is_empty().then_some(())).await;
    holds(&browser, "no reaction", "!document.querySelector('#log button.react')").await;
    // Any other emoji is found by its name.
    beside_message(&browser, "[data-react]").await;
    browser.click("#reactions [data-emoji-open]").await;
    browser.types("#find-emoji", &format!("fire{}", key(Key::Enter))).await;
    eventually("the fire", async || (reactions() == ["\u{1f525}"]).then_some(())).await;
    holds(&browser, "it is shown", "document.querySelector('#log button.react')?.innerText.includes('\u{1f525}')")
        .await;
    // A refused one says why.
    world.sim.inject(Fault::graph_error(100, None).on(Scope::Actions));
    beside_message(&browser, "[data-react]").await;
    browser.click("#reactions button[value='\u{1f622}']").await;
    browser.says("The reaction was not sent").await;
    browser.quit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_quotes_the_message_that_it_answers() {
    let world = World::new().await;
    let (browser, _) = team::opened(&world).await;
    beside_message(&browser, "[data-answer]").await;
    browser.says("Reply to: Is the mug dishwasher safe?").await;
    browser.types("#text", "Yes, all of them are.").await;
    browser.click("#send").await;
    let sent = sent(&world, "the answer", |reply| reply.reply_to.is_some()).await;
    let asked = &world.sim.customer(TOMAS).transcript()[0];
    assert_eq!(sent.reply_to.as_deref(), Some(asked.mid.as_str()));
    holds(
        &browser,
        "the quote",
        "document.querySelector('#log .item[data-from=agent] .quote')?.innerText.includes('dishwasher')",
    )
    .await;
    // What is answered can be left out again.
    beside_message(&browser, "[data-answer]").await;
    browser.click("#answered [data-forget]").await;
    browser.types("#text", "And the plates too.").await;
    browser.click("#send").await;
    let second = eventually("the second", async || {
        Some(last(&world)).filter(|reply| reply.text.as_deref() == Some("And the plates too."))
    })
    .await;
    assert_eq!(second.reply_to, None);
    browser.quit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_emoji_is_found_by_name_with_keys_alone() {
    let world = World::new().await;
    let (browser, _) = team::opened(&world).await;
    browser.types("#text", "Congratulations ").await;
    browser.runs("document.querySelector('[data-emoji-open=text]').focus()").await;
    browser.client.active_element().await.unwrap().send_keys(&key(Key::Enter)).await.unwrap();
    browser.types("#find-emoji", &format!("party popper{}", key(Key::Down))).await;
    browser.pictured("composer-emoji").await;
    browser.client.active_element().await.unwrap().send_keys(&key(Key::Enter)).await.unwrap();
    holds(&browser, "the emoji", "document.querySelector('#text').value === 'Congratulations \u{1f389}'").await;
    assert_eq!(browser.runs("return document.activeElement.id").await, "text");
    browser.quit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn quick_replies_and_cards_are_built_with_a_preview_of_the_phone() {
    let world = World::new().await;
    let (browser, _) = team::opened(&world).await;
    browser.types("#text", "Shall I wrap them?").await;
    browser.runs("document.querySelector('#text').focus()").await;
    browser.types("#text", &format!("{}q", key(Key::Alt))).await;
    holds(&browser, "the builder", "document.querySelector('#quick-0')").await;
    browser.types("#quick-0", &format!("Yes, both{}", key(Key::Enter))).await;
    holds(&browser, "the next one", "document.querySelector('#quick-1')").await;
    browser.types("#quick-1", "No, thanks").await;
    holds(&browser, "the preview", "document.querySelector('#quick-preview').innerText.includes('No, thanks')").await;
    let shown = browser.says("Not shown on: web").await;
    assert!(shown.contains("2 of 13"), "{shown}");
    browser.pictured("composer-quick").await;
    browser.click("#send").await;
    drawn(&browser).await;
    let first = sent(&world, "quick replies", |reply| reply.quick_replies.len() == 2).await;
    assert_eq!(first.text.as_deref(), Some("Shall I wrap them?"));

    press(&browser, "#tool-cards").await;
    browser.types("#card-title", "Tall vase, river green").await;
    browser.types("#card-subtitle", "\u{20ac} 68, two left").await;
    press(&browser, "button[value='card.0.button']").await;
    browser.types("#card-button-0-title", "Reserve").await;
    press(&browser, "#add-card").await;
    browser.types("#card-title", "Bowl").await;
    browser.types("#card-image", "http://fern.example/bowl.jpg").await;
    press(&browser, "button[value='card.1.button']").await;
    browser.types("#card-button-0-title", "Look").await;
    browser.click("select[name='card.1.button.0.does'] option[value=opens]").await;
    browser.types("#card-button-0-address", "https://fern.example/bowl").await;
    holds(&browser, "the address's problem", "document.querySelector('#card-image-problem .violation')").await;
    browser.pictured("composer-cards").await;
    browser
        .runs(
            "const field = document.querySelector('#card-image'); field.value = 'https://fern.example/bowl.jpg'; \
        field.dispatchEvent(new Event('input', { bubbles: true }))",
        )
        .await;
    holds(&browser, "the preview", "document.querySelectorAll('#cards-preview .cards li').length === 2").await;
    holds(&browser, "no problem", "!document.querySelector('#card-image-problem .violation')").await;
    browser.click("#send").await;
    let second = sent(&world, "the cards", |reply| !reply.attachments.is_empty()).await;
    let cards = second.attachments[0].to_string();
    for said in ["Tall vase, river green", "two left", "Reserve", "Bowl", "https://fern.example/bowl"] {
        assert!(cards.contains(said), "{said}: {cards}");
    }
    browser.quit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn several_pictures_go_out_in_order_and_a_refused_file_says_what_would_be_taken() {
    let world = World::new().await;
    let (browser, _) = team::opened(&world).await;
    let folder = tempfile::tempdir().unwrap();
    let put = |name: &str, content: &[u8]| [put(&folder, name, content)];
    let photo = CdnFile::demo_photo().bytes;
    choose(&browser, &put("chart.webp", b"RIFF\x04\0\0\0WEBP")).await;
    let page = browser.says("chart.webp: Instagram does not take this kind of file here. It takes").await;
    assert!(page.contains("JPEG") && page.contains("PDF"), "{page}");
    choose(&browser, &put("first.png", &photo)).await;
    browser.says("first.png").await;
    choose(&browser, &put("second.png", &photo)).await;
    holds(&browser, "both", "document.querySelectorAll('#files input[name=file]').length === 2").await;
    browser.pictured("composer-files").await;
    browser.click("#files li:nth-child(2) [data-move-file]").await;
    holds(&browser, "the order", "document.querySelector('#files li').innerText.includes('second.png')").await;
    browser.click("#send").await;
    let sent = sent(&world, "the pictures", |reply| reply.attachments.len() == 2).await;
    assert!(sent.text.is_none());
    drawn(&browser).await;
    browser.click("button[name=sticker]").await;
    eventually("the heart", async || {
        last(&world).attachments.iter().any(|one| one.to_string().contains("like_heart")).then_some(())
    })
    .await;
    browser.quit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_card_s_picture_is_uploaded_where_the_platform_can_fetch_it() {
    let world = World::new().await;
    let (browser, _) = team::opened(&world).await;
    press(&browser, "#tool-cards").await;
    assert_eq!(browser.runs("return document.querySelector('[data-card-picture]')").await, Value::Null);
    world.host.set_public_url("https://shop.example".parse().unwrap());
    browser.types("#card-title", "Tall vase").await;
    press(&browser, "#add-card").await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("vase.png");
    std::fs::write(&path, CdnFile::demo_photo().bytes).unwrap();
    press(&browser, "button[value='card.0.show']").await;
    let input = browser.client.find(fantoccini::Locator::Css("[data-card-picture]")).await.unwrap();
    input.send_keys(&path.display().to_string()).await.unwrap();
    holds(&browser, "the picture", "document.querySelector('#cards-preview img.pic')?.naturalWidth > 0").await;
    browser.pictured("composer-card-picture").await;
    browser.click("#send").await;
    let sent = sent(&world, "the card", |reply| !reply.attachments.is_empty()).await;
    assert!(sent.attachments[0].to_string().contains("https://shop.example/files/"), "{:?}", sent.attachments);
    browser.quit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_post_of_the_business_is_shared_by_what_customers_wrote_about() {
    let world = World::new().await;
    let (browser, _) = team::opened(&world).await;
    street::customer(&world, "551982014663799", "Ada Lind").comment("18000000000000001", "Lovely rim!").await;
    world.settled().await;
    press(&browser, "#tool-share").await;
    holds(&browser, "the post", "document.querySelector('#known-posts option')?.value === '18000000000000001'").await;
    browser.types("#share", "18000000000000001").await;
    browser.click("#send").await;
    let sent = sent(&world, "the post", |reply| !reply.attachments.is_empty()).await;
    assert!(sent.attachments[0].to_string().contains("18000000000000001"), "{:?}", sent.attachments);
    browser.quit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn enter_sends_by_choice_and_never_while_a_word_is_composed() {
    let world = World::new().await;
    let (browser, _) = team::opened(&world).await;
    browser.types("#text", &format!("One{}two", key(Key::Enter))).await;
    assert_eq!(browser.runs("return document.querySelector('#text').value").await, "One\ntwo");
    browser.click(".menu.up > summary").await;
    browser.click("#enter-sends").await;
    // What an input method sends while it composes.
    browser
        .runs(
            "document.querySelector('#text').dispatchEvent(new KeyboardEvent('keydown', { key: 'Enter', keyCode: 229, \
        isComposing: true, bubbles: true, cancelable: true }))",
        )
        .await;
    assert_eq!(browser.runs("return document.querySelector('#composer').ariaBusy").await, Value::Null);
    browser.types("#text", &key(Key::Enter)).await;
    sent(&world, "the message", |reply| reply.text.as_deref() == Some("One\ntwo")).await;
    drawn(&browser).await;
    browser.client.refresh().await.unwrap();
    assert_eq!(browser.runs("return document.querySelector('#enter-sends').checked").await, true);
    browser.types("#text", "three").await;
    browser.types("#text", &format!("{}{}", key(Key::Control), key(Key::Enter))).await;
    sent(&world, "the next", |reply| reply.text.as_deref() == Some("three")).await;
    browser.quit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_draft_is_there_after_a_reload_and_in_another_tab() {
    let world = World::new().await;
    let (browser, _) = team::opened(&world).await;
    browser.types("#text", "I will ask the kiln. ").await;
    press(&browser, "#tool-quick").await;
    browser.types("#quick-0", "Thanks").await;
    browser.client.refresh().await.unwrap();
    holds(&browser, "the quick reply", "document.querySelector('#quick-0')?.value === 'Thanks'").await;
    assert_eq!(browser.runs("return document.querySelector('#text').value").await, "I will ask the kiln. ");
    let here = browser.client.current_url().await.unwrap();
    let tab = browser.client.new_window(true).await.unwrap();
    browser.client.switch_to_window(tab.handle).await.unwrap();
    browser.open(here.as_str()).await;
    holds(&browser, "the draft", "document.querySelector('#quick-0')?.value === 'Thanks'").await;
    // What the first tab's browser tells this one when somebody goes on writing there.
    browser.runs("document.querySelector('#composer').dataset.old = ''; \
        const key = Object.keys(localStorage).find(key => key.startsWith('draft-')); \
        const kept = new URLSearchParams(localStorage[key]); \
        for (const more of ['Tomor', 'Tomorrow.']) { kept.set('text', `I will ask the kiln. ${more}`); localStorage[key] = kept; \
        dispatchEvent(new StorageEvent('storage', { key, newValue: localStorage[key] })); }").await;
    holds(
        &browser,
        "what the other wrote",
        "document.querySelector('#text').value === 'I will ask the kiln. Tomorrow.'",
    )
    .await;
    holds(&browser, "the form drawn anew", "!('old' in document.querySelector('#composer').dataset)").await;
    browser.click("#send").await;
    sent(&world, "the message", |reply| reply.quick_replies.len() == 1).await;
    drawn(&browser).await;
    browser.client.refresh().await.unwrap();
    holds(&browser, "an empty composer", "document.querySelector('#text').value === ''").await;
    browser.quit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_colleague_is_mentioned_in_a_note_by_keyboard() {
    let world = World::new().await;
    team::person(&world, "Nora Whitfield").await;
    team::person(&world, "Dev Patel").await;
    let (browser, _) = team::opened(&world).await;
    browser.click("#note").await;
    browser.click("form.composer.note textarea").await;
    browser.types("#text", "Ask @de").await;
    holds(&browser, "the list", "!document.querySelector('#mentions').hidden").await;
    browser.pictured("composer-mention").await;
    browser.types("#text", &format!("{}about the paper.", key(Key::Enter))).await;
    holds(&browser, "the name", "document.querySelector('#text').value.startsWith('Ask @Dev Patel ')").await;
    browser.types("#text", " Soon.").await;
    browser.click("#send").await;
    holds(&browser, "the mark", "document.querySelector('#log .mention')?.innerText === '@Dev Patel'").await;
    browser.quit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_scripts_the_builders_and_reactions_are_forms() {
    let world = World::new().await;
    let tomas = street::customer(&world, TOMAS, "Tomás Rivera");
    tomas.text("Is the mug dishwasher safe?").await;
    let conversation = world.conversation(TOMAS).await;
    world.settled().await;
    let address = format!("{}/inbox/{}", world.address, conversation.public());
    let form = [("content-type", "application/x-www-form-urlencoded")];
    let post = async |place: &str, body: &str| {
        request("POST", &format!("{address}/{place}"), &form, body.as_bytes().to_vec()).await
    };
    let drawn = post("reply", "key=one&text=Shall+I%3F&quick=Yes&change=quick.add").await;
    assert!(
        drawn.status == 200 && drawn.body.contains("id=\"quick-1\"") && drawn.body.contains("Shall I?"),
        "{}",
        drawn.body
    );
    let drawn = post("reply", "key=one&text=Shall+I%3F&change=cards").await;
    assert!(drawn.status == 200 && drawn.body.contains("name=\"card.0.title\""), "{}", drawn.body);
    assert_eq!(world.sends().len(), 0, "a change of the form sends nothing");
    let refused =
        post("reply", "key=one&card.0.title=Vase&card.0.subtitle=Green&card.0.button.0.title=A+title+that+is+too+long")
            .await;
    assert!(refused.status == 422 && refused.body.contains("1 thing to fix"), "{}", refused.body);
    let sent = post("reply", "key=one&card.0.title=Vase&card.0.subtitle=Green").await;
    assert_eq!(sent.status, 303, "{}", sent.body);
    eventually("the card", async || tomas.last_reply().filter(|reply| !reply.attachments.is_empty())).await;
    let message = world.timeline(TOMAS).await[0].id.public();
    let page = request("GET", &format!("{address}?react={message}"), &[], Vec::new()).await;
    assert!(page.body.contains("React to: Is the mug dishwasher safe?"), "{}", page.body);
    let reacted = post("react", &format!("message={message}&what=%E2%9D%A4%EF%B8%8F")).await;
    assert_eq!(reacted.status, 303, "{}", reacted.body);
    assert_eq!(tomas.transcript()[0].reactions.len(), 1);
    let neither = post("react", &format!("message={message}")).await;
    assert_eq!(neither.status, 400, "{}", neither.body);
}
