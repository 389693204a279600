//! What is written, attached and pressed while something else is on its way.

use channel_tests::World;
use harness_inbox::PublicId as _;

use crate::{
    opening::{DROPS, drops_a_file, list, opens},
    sent::{HELD, IS_NOTE, TEXT, TOLD, a_note_on_its_way, redrawn, texts, written},
    team,
};

#[tokio::test(flavor = "multi_thread")]
async fn what_is_added_while_a_message_is_on_its_way_is_of_the_next_one() {
    let world = World::new().await;
    let (browser, tomas, _) = list(&world).await;
    opens(&browser, tomas, "Tomás Rivera").await;
    browser.runs(HELD).await;
    browser.click("#tool-quick").await;
    browser.becomes("held.length", 1).await;
    redrawn(&browser, "held.pop()[0]()").await;
    browser.types("#text", "It is, Tomás").await;
    browser.click("#send").await;
    browser.becomes("held.length", 1).await;
    browser.click("#log .item[data-message] [data-answer]").await;
    browser.types("#quick-0", "Yes").await;
    browser.runs("held.pop()[0]()").await;
    browser.becomes(TEXT, "").await;
    browser.becomes("document.querySelector('#quick-0')?.value", "Yes").await;
    browser.becomes("document.querySelector('#answered').hidden", false).await;
    browser.becomes("document.querySelector('#answered [name=reply_to]').value.length > 0", true).await;
    assert_eq!(texts(&world, tomas).await, [Some("It is, Tomás".to_owned())]);
    browser.quit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_under_way_is_waited_for_and_a_form_that_is_drawn_anew_keeps_it() {
    let world = World::new().await;
    let (browser, tomas, _) = list(&world).await;
    opens(&browser, tomas, "Tomás Rivera").await;
    drops_a_file(&browser).await;
    browser.types("#text", "Here you are").await;
    browser.click("#send").await;
    browser.says("A file is still being uploaded.").await;
    redrawn(&browser, "document.querySelector('#tool-quick').click()").await;
    browser.runs("uploads.pop()()").await;
    browser.becomes("document.querySelector('#files li [name=file]')?.value.length > 0", true).await;
    browser.becomes("document.querySelectorAll('#files progress').length", 0).await;
    browser.click("#send").await;
    browser.becomes("document.querySelectorAll('#files li').length", 0).await;
    assert_eq!(texts(&world, tomas).await.len(), 2);
    browser.quit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_typed_while_a_note_is_on_its_way_is_the_next_note() {
    let world = World::new().await;
    let (browser, conversation) = a_note_on_its_way(&world, "He ordered twice").await;
    browser.types("#text", " before.").await;
    browser.runs("held.pop()[0]()").await;
    browser.becomes("document.querySelectorAll('#log .item[data-from=note]').length", 1).await;
    browser.becomes(TEXT, "He ordered twice before.").await;
    browser.becomes("document.querySelector('#composer').ariaBusy", serde_json::Value::Null).await;
    browser.runs("window.fetch = real").await;
    browser.click("#send").await;
    browser.becomes("document.querySelectorAll('#log .item[data-from=note]').length", 2).await;
    assert_eq!(world.host.inbox().notes_before(conversation, None, 9).await.unwrap().entries.len(), 2);
    browser.quit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_changes_while_the_form_is_drawn_anew_is_as_it_was_left() {
    let world = World::new().await;
    let (browser, tomas, _) = list(&world).await;
    opens(&browser, tomas, "Tomás Rivera").await;
    drops_a_file(&browser).await;
    browser.runs("uploads.pop()()").await;
    browser.becomes("document.querySelector('#files li [name=file]')?.value.length > 0", true).await;
    browser.runs(HELD).await;
    let opens_builder = async |tool: &str| {
        browser.click(tool).await;
        browser.becomes("held.length", 1).await;
    };
    // A file that is taken out meanwhile.
    opens_builder("#tool-quick").await;
    browser.click("#files [data-remove-file]").await;
    redrawn(&browser, "held.pop()[0]()").await;
    browser.becomes("document.querySelectorAll('#files li').length", 0).await;
    // What another tab writes meanwhile.
    opens_builder("#tool-buttons").await;
    browser.runs(&written(tomas, "text=Shall+I&quick=Yes&quick=No")).await;
    browser.runs("held.pop()[0]()").await;
    browser.becomes("document.querySelector('#quick-0')?.value", "Yes").await;
    browser.becomes("document.querySelector('#quick-1')?.value", "No").await;
    browser.becomes(TEXT, "Shall I").await;
    let kept = format!("new URLSearchParams(localStorage.getItem('draft-{}')).getAll('quick').join()", tomas.public());
    browser.becomes(&kept, "Yes,No").await;
    browser.quit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_waits_for_a_heart_is_sent_after_it_or_said_not_to_be() {
    let world = World::new().await;
    let (browser, tomas, priya) = list(&world).await;
    opens(&browser, tomas, "Tomás Rivera").await;
    browser.runs(HELD).await;
    for leaves in [false, true] {
        browser.click("[name=sticker]").await;
        browser.becomes("held.length", 1).await;
        browser.types("#text", "Thank you").await;
        browser.click("#send").await;
        if leaves {
            opens(&browser, priya, "Priya Nair").await;
        }
        browser.runs("held.pop()[0]()").await;
        if leaves {
            browser.becomes(&format!("({TOLD}).startsWith('Your message to Tomás Rivera was not sent.')"), true).await;
        } else {
            browser.becomes("held.length", 1).await;
            browser.runs("held.pop()[0]()").await;
            browser.becomes(TEXT, "").await;
        }
    }
    let sent = texts(&world, tomas).await;
    assert_eq!(sent.iter().flatten().collect::<Vec<_>>(), ["Thank you"], "{sent:?}");
    assert_eq!(sent.len(), 3);
    browser.quit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_that_does_not_end_is_taken_out_and_the_message_goes_without_it() {
    let world = World::new().await;
    let (browser, tomas, _) = list(&world).await;
    opens(&browser, tomas, "Tomás Rivera").await;
    drops_a_file(&browser).await;
    browser.types("#text", "Here you are").await;
    browser.click("#files [data-remove-file]").await;
    browser.becomes("document.querySelectorAll('#files li').length", 0).await;
    browser.click("#send").await;
    browser.becomes(TEXT, "").await;
    assert_eq!(texts(&world, tomas).await, [Some("Here you are".to_owned())]);
    browser.quit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_card_s_picture_lands_in_its_own_card_whichever_is_shown_by_then() {
    let world = World::new().await;
    world.host.set_public_url("https://shop.example".parse().unwrap());
    let (browser, tomas, _) = list(&world).await;
    opens(&browser, tomas, "Tomás Rivera").await;
    let redrawn_by =
        async |button: &str| redrawn(&browser, &format!("document.querySelector({button:?}).click()")).await;
    redrawn_by("#tool-cards").await;
    browser.types("#card-title", "Tall vase").await;
    redrawn_by("#add-card").await;
    browser.types("#card-title", "Bowl").await;
    browser.runs(&HELD.replace("part=composer", "/inbox/files")).await;
    let chooses = "const data = new DataTransfer(); \
        data.items.add(new File([Uint8Array.from([0xff, 0xd8, 0xff, 0xd9])], 'bowl.jpg', { type: 'image/jpeg' })); \
        const field = document.querySelector('[data-card-picture]'); field.files = data.files; \
        field.dispatchEvent(new Event('change', { bubbles: true }))";
    browser.runs(chooses).await;
    browser.becomes("held.length", 1).await;
    // Not until it is there: it would be another card's.
    browser.click("button[value='card.1.first']").await;
    browser.says("A file is still being uploaded.").await;
    redrawn_by("button[value='card.0.show']").await;
    browser.becomes("document.querySelector('#card-title').value", "Tall vase").await;
    redrawn(&browser, "held.pop()[0]()").await;
    let pictures = "[0, 1].map(at => document.querySelector(`[name='card.${at}.picture']`).value.length > 0).join()";
    browser.becomes(pictures, "false,true").await;
    browser.quit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_is_dropped_on_a_note_gets_a_sentence_and_the_note_stays() {
    let world = World::new().await;
    team::person(&world, "Nora Whitfield").await;
    let (browser, _) = team::opened(&world).await;
    browser.click("#note").await;
    browser.becomes(IS_NOTE, true).await;
    browser.types("#text", "He ordered twice").await;
    browser.runs(DROPS).await;
    browser.says("A note is text.").await;
    browser.becomes(TEXT, "He ordered twice").await;
    browser.quit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_leaves_whoever_searches_in_the_search_field() {
    let world = World::new().await;
    let (browser, tomas, _) = list(&world).await;
    opens(&browser, tomas, "Tomás Rivera").await;
    browser.runs(HELD).await;
    browser.types("#text", "It is, Tomás").await;
    browser.click("#send").await;
    browser.becomes("held.length", 1).await;
    browser.runs("document.querySelector('#search').focus()").await;
    redrawn(&browser, "held.pop()[0]()").await;
    browser.becomes(TEXT, "").await;
    browser.becomes("document.querySelector('#composer').ariaBusy", serde_json::Value::Null).await;
    assert_eq!(browser.runs("return document.activeElement.id").await, "search");
    browser.quit().await;
}
