//! What becomes of a message that is on its way: its key, its draft, what its author is told.

use channel_tests::{World, browser::Browser, eventually};
use harness_inbox::{ConversationId, PublicId as _};

use crate::{
    opening::{is_open, list, opens, stayed},
    team,
};

/// What is sent waits until somebody says how it ends: as the host answers, or without an answer although it came to the
/// host.
pub(crate) const HELD: &str = "window.real ??= window.fetch; window.held = []; \
    window.fetch = (address, how) => String(address).includes('part=composer') \
        ? new Promise((done, fails) => held.push([() => real(address, how).then(done), \
            () => real(address, how).then(() => fails(new TypeError('lost')))])) \
        : real(address, how)";

/// Presses Send, and goes to another conversation before there is an answer.
async fn sends_and_leaves(browser: &Browser, text: &str, (other, name): (ConversationId, &str)) {
    browser.types("#text", text).await;
    browser.click("#send").await;
    browser.becomes("held.length", 1).await;
    opens(browser, other, name).await;
}

pub(crate) const IS_NOTE: &str = "document.querySelector('#composer').matches('.note')";
pub(crate) const TEXT: &str = "document.querySelector('#text')?.value";
/// What is said about messages of other conversations.
pub(crate) const TOLD: &str = "[...document.querySelectorAll('.toasts > *')].map(one => one.innerText).join('|')";

pub(crate) async fn texts(world: &World, one: ConversationId) -> Vec<Option<String>> {
    world.settled().await;
    let all = world.host.inbox().timeline(one, 10).await.unwrap();
    all.into_iter().filter(|one| one.direction == "outbound").map(|one| one.text).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn somebody_in_another_conversation_is_told_that_a_message_was_not_sent_and_finds_it_as_a_draft() {
    let world = World::new().await;
    let (browser, tomas, priya) = list(&world).await;
    opens(&browser, tomas, "Tomás Rivera").await;
    browser.runs(HELD).await;
    let quick = "const key = document.createElement('input'); key.name = 'quick'; \
        key.value = 'longer than a quick reply may be'; document.querySelector('#composer').append(key)";
    browser.runs(quick).await;
    sends_and_leaves(&browser, "Is it?", (priya, "Priya Nair")).await;
    browser.runs("held.pop()[0]()").await;
    let said = "Your message to Tomás Rivera was not sent.";
    browser.becomes(&format!("({TOLD}).startsWith({said:?})"), true).await;
    browser.pictured("not-sent-elsewhere").await;
    browser.click(".toasts a").await;
    is_open(&browser, tomas, "Tomás Rivera").await;
    browser.becomes(TOLD, "").await;
    browser.becomes(TEXT, "Is it?").await;
    assert_eq!(texts(&world, tomas).await, []);
    assert!(stayed(&browser).await);
    browser.quit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_sent_is_no_draft_any_more_where_somebody_is_back_before_the_answer() {
    let world = World::new().await;
    let (browser, tomas, priya) = list(&world).await;
    opens(&browser, tomas, "Tomás Rivera").await;
    browser.runs(HELD).await;
    sends_and_leaves(&browser, "It is, Tomás", (priya, "Priya Nair")).await;
    opens(&browser, tomas, "Tomás Rivera").await;
    browser.becomes(TEXT, "It is, Tomás").await;
    redrawn(&browser, "held.pop()[0]()").await;
    browser.becomes(TEXT, "").await;
    browser.types("#text", "Shall I?").await;
    browser.click("#send").await;
    browser.becomes("held.length", 1).await;
    browser.runs("held.pop()[0]()").await;
    browser.becomes(TEXT, "").await;
    assert_eq!(texts(&world, tomas).await, ["It is, Tomás", "Shall I?"].map(|text| Some(text.to_owned())));

    // What is written meanwhile stays.
    sends_and_leaves(&browser, "Until Friday", (priya, "Priya Nair")).await;
    opens(&browser, tomas, "Tomás Rivera").await;
    browser.becomes(TEXT, "Until Friday").await;
    browser.types("#text", " at noon").await;
    browser.runs("held.pop()[0]()").await;
    browser.says("Until Friday").await;
    browser.becomes("document.querySelectorAll('.item[data-from=agent]').length", 3).await;
    browser.becomes(TEXT, "Until Friday at noon").await;
    browser.quit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_whose_answer_was_lost_is_sent_once_over_a_reload_and_what_is_changed_then_only_when_somebody_says_so()
 {
    let world = World::new().await;
    let (browser, tomas, _) = list(&world).await;
    opens(&browser, tomas, "Tomás Rivera").await;
    loses(&browser, "It is, Tomás").await;
    browser.pictured("no-answer").await;
    assert_eq!(texts(&world, tomas).await, [Some("It is, Tomás".to_owned())]);

    browser.client.refresh().await.unwrap();
    browser.becomes(TEXT, "It is, Tomás").await;
    browser.click("#send").await;
    browser.becomes(TEXT, "").await;
    assert_eq!(texts(&world, tomas).await.len(), 1);

    loses(&browser, "Shall I?").await;
    browser.client.refresh().await.unwrap();
    browser.becomes(TEXT, "Shall I?").await;
    browser.types("#text", " Today").await;
    browser.click("#send").await;
    browser.says("What stood here before was sent").await;
    assert_eq!(texts(&world, tomas).await.len(), 2);
    browser.becomes(TEXT, "Shall I? Today").await;
    browser.click("#send").await;
    browser.becomes(TEXT, "").await;
    assert_eq!(texts(&world, tomas).await.len(), 3);
    browser.quit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_is_about_something_else_than_the_message_is_said_and_the_message_stays() {
    let world = World::new().await;
    let (browser, tomas, _) = list(&world).await;
    opens(&browser, tomas, "Tomás Rivera").await;
    let answers = async |address: &str| {
        let instead = format!(
            "const real = window.fetch; window.fetch = (to, how) => \
            String(to).includes('part=composer') ? real('{address}') : real(to, how)"
        );
        browser.runs(&instead).await;
        browser.click("#send").await;
    };
    browser.types("#text", "It is, Tomás").await;
    answers("/inbox/nowhere").await;
    browser.becomes("document.querySelector('body > .toast')?.innerText.length > 0", true).await;
    browser.becomes(TEXT, "It is, Tomás").await;
    assert!(stayed(&browser).await);
    // Who was signed out is led to another page.
    answers("/").await;
    browser.becomes("window.document0 === undefined && document.querySelector('#text')?.value", "It is, Tomás").await;
    assert_eq!(texts(&world, tomas).await, []);
    browser.quit().await;
}

/// Types, sends, and gets no answer although the host took it.
async fn loses(browser: &Browser, text: &str) {
    browser.runs(HELD).await;
    browser.types("#text", text).await;
    browser.click("#send").await;
    browser.becomes("held.length", 1).await;
    browser.runs("held.pop()[1]()").await;
    browser.becomes("document.querySelector('#no-answer').hidden", false).await;
    browser.says("No answer came").await;
}

/// Puts a draft in the place of the one that a conversation has, as another tab does, and waits until it is drawn.
async fn in_another_tab(browser: &Browser, one: ConversationId, values: &str) {
    redrawn(browser, &written(one, values)).await;
}

/// The script that puts it there.
pub(crate) fn written(one: ConversationId, values: &str) -> String {
    let key = format!("draft-{}", one.public());
    format!(
        "if ({values:?}) localStorage.setItem('{key}', {values:?}); else localStorage.removeItem('{key}'); \
         dispatchEvent(new StorageEvent('storage', {{ key: '{key}' }}))"
    )
}

/// Runs a script, and waits until the composer is another one.
pub(crate) async fn redrawn(browser: &Browser, script: &str) {
    browser.runs("document.querySelector('#composer').dataset.old = ''").await;
    browser.runs(script).await;
    browser.becomes("'old' in document.querySelector('#composer').dataset", false).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_written_after_a_message_is_another_message_wherever_that_one_was_sent() {
    let world = World::new().await;
    let (browser, tomas, _) = list(&world).await;
    opens(&browser, tomas, "Tomás Rivera").await;
    loses(&browser, "It is, Tomás").await;
    // In another tab it is sent again, and what is written there next.
    in_another_tab(&browser, tomas, "").await;
    browser.becomes(TEXT, "").await;
    loses(&browser, "Shall I?").await;
    in_another_tab(&browser, tomas, "text=Until+Friday").await;
    browser.becomes(TEXT, "Until Friday").await;
    browser.runs("window.fetch = real").await;
    browser.click("#send").await;
    browser.becomes(TEXT, "").await;
    let sent = ["It is, Tomás", "Shall I?", "Until Friday"].map(|text| Some(text.to_owned()));
    assert_eq!(texts(&world, tomas).await, sent);
    browser.quit().await;
}

/// That a message went out with the quick reply "Yes".
async fn offers_yes(world: &World) {
    eventually("the quick reply", async || {
        world.sends().iter().any(|sent| sent.body["message"]["quick_replies"][0]["title"] == "Yes").then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_heart_is_a_message_of_its_own_beside_what_is_being_written() {
    let world = World::new().await;
    let (browser, tomas, _) = list(&world).await;
    opens(&browser, tomas, "Tomás Rivera").await;
    browser.runs(HELD).await;
    browser.click("#tool-quick").await;
    browser.becomes("held.length", 1).await;
    browser.runs("held.pop()[0]()").await;
    browser.types("#quick-0", "Yes").await;
    browser.types("#text", "Shall I?").await;
    let heart = async |how: usize| {
        browser.click("[name=sticker]").await;
        browser.becomes("held.length", 1).await;
        browser.runs(&format!("held.pop()[{how}]()")).await;
        browser.becomes("document.querySelector('#composer').ariaBusy", serde_json::Value::Null).await;
    };
    // Without an answer it is the same heart when it is pressed again.
    for (how, hearts) in [(1, 1), (0, 1), (0, 2)] {
        heart(how).await;
        assert_eq!(texts(&world, tomas).await.len(), hearts);
        browser.becomes(TEXT, "Shall I?").await;
        browser.becomes("document.querySelector('#quick-0').value", "Yes").await;
    }
    browser.runs("window.fetch = real").await;
    browser.click("#send").await;
    browser.becomes(TEXT, "").await;
    assert_eq!(texts(&world, tomas).await.last(), Some(&Some("Shall I?".to_owned())));
    offers_yes(&world).await;
    browser.quit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_browser_that_keeps_nothing_still_sends_and_keeps_drafts_until_the_page_is_left() {
    let world = World::new().await;
    let (browser, tomas, priya) = list(&world).await;
    let full = "for (const name of ['setItem', 'getItem', 'removeItem']) \
        Storage.prototype[name] = () => { throw new DOMException('full', 'QuotaExceededError') }";
    browser.runs(full).await;
    opens(&browser, tomas, "Tomás Rivera").await;
    browser.types("#text", "It is, Tomás").await;
    opens(&browser, priya, "Priya Nair").await;
    opens(&browser, tomas, "Tomás Rivera").await;
    browser.becomes(TEXT, "It is, Tomás").await;
    browser.click("#send").await;
    browser.becomes(TEXT, "").await;
    assert_eq!(texts(&world, tomas).await, [Some("It is, Tomás".to_owned())]);
    browser.quit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_draft_is_there_for_its_author_and_not_for_whoever_signs_in_after_them() {
    let world = World::new().await;
    let nora = team::person(&world, "Nora Whitfield").await;
    let (browser, tomas, _) = list(&world).await;
    opens(&browser, tomas, "Tomás Rivera").await;
    browser.types("#text", "It is").await;
    browser.client.refresh().await.unwrap();
    browser.becomes(TEXT, "It is").await;
    assert_eq!(browser.runs("return localStorage.getItem('drafts-of')").await, nora.public());
    // As if somebody else had written it.
    browser.runs("localStorage.setItem('drafts-of', 'usr_other')").await;
    browser.client.refresh().await.unwrap();
    browser
        .becomes("document.body.classList.contains('has-script') && document.querySelector('#text').value", "")
        .await;
    browser.quit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_draft_is_whole_before_the_host_has_drawn_it() {
    let world = World::new().await;
    let (browser, tomas, _) = list(&world).await;
    opens(&browser, tomas, "Tomás Rivera").await;
    in_another_tab(&browser, tomas, "text=Shall+I&quick=Yes").await;
    browser.becomes("document.querySelector('#quick-0')?.value", "Yes").await;
    // The channel is not asked what becomes of it.
    browser
        .in_every_page(
            "const asks = window.fetch; window.fetch = (address, how) => \
            String(address).includes('part=check') ? new Promise(() => {}) : asks(address, how)",
        )
        .await;
    browser.client.refresh().await.unwrap();
    browser.becomes(TEXT, "Shall I").await;
    browser.types("#text", "?").await;
    let kept = format!("new URLSearchParams(localStorage.getItem('draft-{}')).toString()", tomas.public());
    browser.becomes(&kept, "text=Shall+I%3F&quick=Yes").await;
    browser.click("#send").await;
    browser.becomes(TEXT, "").await;
    assert_eq!(texts(&world, tomas).await, [Some("Shall I?".to_owned())]);
    offers_yes(&world).await;
    browser.quit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_types_goes_on_typing_where_the_composer_is_drawn_anew() {
    let world = World::new().await;
    let (browser, tomas, _) = list(&world).await;
    opens(&browser, tomas, "Tomás Rivera").await;
    browser.click("#text").await;
    in_another_tab(&browser, tomas, "text=Shall+I&quick=Yes").await;
    browser.becomes("document.querySelector('#quick-0')?.value", "Yes").await;
    assert_eq!(browser.runs("return document.activeElement.id").await, "text");
    browser.runs("document.querySelector('#text').setSelectionRange(2, 5)").await;
    in_another_tab(&browser, tomas, "text=Shall+I&quick=No").await;
    browser.becomes("document.querySelector('#quick-0')?.value", "No").await;
    let at =
        "(({ id, selectionStart, selectionEnd }) => [id, selectionStart, selectionEnd].join())(document.activeElement)";
    assert_eq!(browser.runs(&format!("return {at}")).await, "text,2,5");
    browser.quit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_conversation_whose_message_was_not_sent_is_named_until_somebody_looks_at_it() {
    let world = World::new().await;
    let (browser, tomas, priya) = list(&world).await;
    opens(&browser, tomas, "Tomás Rivera").await;
    browser.runs(HELD).await;
    sends_and_leaves(&browser, "It is, Tomás", (priya, "Priya Nair")).await;
    browser.runs("held.pop()[1]()").await;
    let of_tomas = "No answer came when you sent your message to Tomás Rivera.";
    browser.becomes(&format!("({TOLD}).startsWith({of_tomas:?})"), true).await;
    browser.types("#text", "Hello").await;
    browser.click("[name=sticker]").await;
    browser.becomes("held.length", 1).await;
    browser.click("a.brand, .rail a[href='/inbox']").await;
    browser.says("Choose a conversation").await;
    browser.runs("held.pop()[1]()").await;
    let of_priya = "No answer came when you sent your message to Priya Nair.";
    browser.becomes(&format!("({TOLD}).includes({of_tomas:?}) && ({TOLD}).includes({of_priya:?})"), true).await;
    browser.pictured("not-sent-in-two").await;
    opens(&browser, tomas, "Tomás Rivera").await;
    browser.becomes(&format!("({TOLD}).startsWith({of_priya:?})"), true).await;
    browser.quit().await;
}

/// A browser in which a note is written and sent, and its answer held.
pub(crate) async fn a_note_on_its_way(world: &World, text: &str) -> (Browser, ConversationId) {
    team::person(world, "Nora Whitfield").await;
    let (browser, conversation) = team::opened(world).await;
    browser.click("#note").await;
    browser.becomes(IS_NOTE, true).await;
    browser.runs(&HELD.replace("part=composer", "/notes")).await;
    browser.types("#text", text).await;
    browser.click("#send").await;
    browser.becomes("held.length", 1).await;
    (browser, conversation)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_note_whose_answer_was_lost_is_added_once() {
    let world = World::new().await;
    let (browser, conversation) = a_note_on_its_way(&world, "He ordered twice before.").await;
    browser.runs("held.pop()[1]()").await;
    browser.says("No answer came").await;
    browser.client.refresh().await.unwrap();
    browser.becomes(TEXT, "He ordered twice before.").await;
    browser.click("#send").await;
    browser.becomes(IS_NOTE, false).await;
    let notes = async || world.host.inbox().notes_before(conversation, None, 9).await.unwrap().entries.len();
    assert_eq!(notes().await, 1);
    // The same words again are another one.
    browser.click("#note").await;
    browser.becomes(IS_NOTE, true).await;
    browser.types("#text", "He ordered twice before.").await;
    browser.click("#send").await;
    browser.becomes("document.querySelectorAll('#log .item[data-from=note]').length", 2).await;
    assert_eq!(notes().await, 2);
    browser.quit().await;
}
