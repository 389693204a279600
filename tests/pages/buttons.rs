//! Text with buttons in the composer: built with and without scripts, each problem beside its field, as the phone will show it.

use channel_tests::{World, eventually, request};
use fantoccini::key::Key;
use harness_inbox::PublicId as _;
use serde_json::{Value, json};

use crate::{
    accessible::axe,
    composer::{TOMAS, holds, messages, press, sent},
    plugins::looked_at,
    street, team,
};

#[tokio::test(flavor = "multi_thread")]
async fn buttons_under_a_text_are_built_with_a_preview_and_their_problems_beside_them() {
    let world = World::new().await;
    let (browser, _) = team::opened(&world).await;
    browser.types("#text", &format!("Shall we send it?{}b", char::from(Key::Alt))).await;
    holds(&browser, "the builder", "document.activeElement.id === 'button-0-title'").await;
    // The text above buttons is shorter than another one, and in another unit.
    holds(&browser, "its limit", "document.querySelector('#count').innerText === '17 of 640 characters'").await;
    browser.types("#button-0-title", "Yes, please").await;
    press(&browser, "#add-button").await;
    browser.types("#button-1-title", "Look at the sizes of all vases").await;
    browser.click("select[name='button.1.does'] option[value=opens]").await;
    browser.types("#button-1-address", "fern.example/sizes").await;
    holds(&browser, "the title's problem", "document.querySelector('#button-1-title-problem .violation')").await;
    holds(&browser, "the address's problem", "document.querySelector('#button-1-address-problem .violation')").await;
    holds(&browser, "none at the first", "!document.querySelector('#button-0-title-problem .violation')").await;
    let shown = browser.says("Not shown on: web").await;
    assert!(shown.contains("2 of 3") && shown.contains("2 things to fix"), "{shown}");
    browser.click("#sending a").await;
    browser.pictured("composer-buttons").await;
    looked_at(&browser, &axe(), "composer-buttons").await;
    browser.sized(1440, 900).await;
    for (field, value) in [("#button-1-title", "Sizes"), ("#button-1-address", "https://fern.example/sizes")] {
        let set = format!(
            "const field = document.querySelector('{field}'); field.value = '{value}'; \
            field.dispatchEvent(new Event('input', {{ bubbles: true }}))"
        );
        browser.runs(&set).await;
    }
    holds(&browser, "no problem", "!document.querySelector('#buttons .violation')").await;
    let preview = "[...document.querySelectorAll('#buttons-preview .cta')].map(one => one.innerText).join() === 'Yes, please,Sizes' \
        && document.querySelector('#buttons-preview').innerText.includes('Shall we send it?')";
    holds(&browser, "the preview", preview).await;
    browser.client.refresh().await.unwrap();
    holds(&browser, "the draft", "document.querySelector('#button-1-address')?.value === 'https://fern.example/sizes'")
        .await;
    // The second comes first.
    press(&browser, "[value='buttons.up.1']").await;
    holds(&browser, "the order", "document.querySelector('#button-0-title').value === 'Sizes'").await;
    assert_eq!(messages(&world), 0, "nothing is sent while somebody builds");
    browser.click("#send").await;
    let sent = sent(&world, "the buttons", |reply| !reply.attachments.is_empty()).await;
    // The platform shows a text with buttons as a card whose title it is.
    let card = sent.attachments[0].pointer("/payload/generic/elements/0").unwrap();
    assert_eq!(card["title"], "Shall we send it?");
    let [sizes, yes] = card["buttons"].as_array().unwrap().as_slice() else { panic!("{card}") };
    assert_eq!((&sizes["title"], &sizes["url"]), (&json!("Sizes"), &json!("https://fern.example/sizes")));
    assert_eq!((&yes["title"], &yes["payload"]), (&json!("Yes, please"), &json!("Yes, please")));
    holds(&browser, "they are shown", "document.querySelector('#log .answers')?.innerText.includes('Sizes')").await;
    browser.quit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_scripts_the_builder_of_buttons_is_a_form() {
    let world = World::new().await;
    let tomas = street::customer(&world, TOMAS, "Tomás Rivera");
    tomas.text("Is the mug dishwasher safe?").await;
    let conversation = world.conversation(TOMAS).await;
    world.settled().await;
    let address = format!("{}/inbox/{}/reply", world.address, conversation.public());
    let form = [("content-type", "application/x-www-form-urlencoded")];
    let post = async |body: &str| request("POST", &address, &form, format!("key=one&{body}").into_bytes()).await;
    let drawn = post("text=Shall+I%3F&change=buttons").await;
    assert!(drawn.status == 200 && drawn.body.contains("name=\"button.0.title\""), "{}", drawn.body);
    let one = "text=Shall+I%3F&button.0.title=Yes";
    let drawn = post(&format!("{one}&change=buttons.add")).await;
    assert!(drawn.body.contains("name=\"button.1.title\"") && drawn.body.contains("Shall I?"), "{}", drawn.body);
    // Three fit, whatever a form brings.
    let drawn =
        post(&format!("{one}&button.1.title=No&button.2.title=Later&button.3.title=Never&change=buttons.add")).await;
    assert!(drawn.body.contains("button.2.title") && !drawn.body.contains("button.3.title"), "{}", drawn.body);
    let drawn = post(&format!("{one}&button.1.title=No&change=buttons.remove.0")).await;
    assert!(drawn.body.contains("value=\"No\"") && !drawn.body.contains("value=\"Yes\""), "{}", drawn.body);
    let drawn = post(&format!("{one}&change=buttons")).await;
    assert!(!drawn.body.contains("button.0.title"), "{}", drawn.body);
    let refused = post("button.0.title=Yes").await;
    assert!(refused.status == 422 && refused.body.contains("The text above the buttons"), "{}", refused.body);
    assert_eq!(messages(&world), 0);
    let sent = post(&format!(
        "{one}&button.1.title=&button.2.title=Look&button.2.does=opens&button.2.address=https%3A%2F%2Ffern.example"
    ))
    .await;
    assert_eq!(sent.status, 303, "{}", sent.body);
    let reply =
        eventually("the buttons", async || tomas.last_reply().filter(|reply| !reply.attachments.is_empty())).await;
    let buttons =
        reply.attachments[0].pointer("/payload/generic/elements/0/buttons").and_then(Value::as_array).unwrap();
    assert_eq!(buttons.len(), 2, "a blank one is not sent: {:?}", reply.attachments);
}
