//! Opening one conversation after another beside the list, which stays: what belongs to one of them ends with it.

use channel_tests::{World, browser::Browser};
use fantoccini::{Locator, key::Key};
use harness_inbox::{ConversationId, PublicId as _};

use crate::{
    street, team,
    together::{CUT, joined},
};

const TOMAS: &str = "551982014663711";
const PRIYA: &str = "551982014663713";

/// The list, in a document that is marked, and two conversations in it.
pub(crate) async fn list(world: &World) -> (Browser, ConversationId, ConversationId) {
    list_in(world, Browser::start().await).await
}

/// The same in a browser that was set up.
async fn list_in(world: &World, browser: Browser) -> (Browser, ConversationId, ConversationId) {
    street::others(world).await;
    world.settled().await;
    browser.sized(1440, 900).await;
    browser.open(&format!("{}/inbox", world.address)).await;
    browser.runs("window.document0 = document").await;
    (browser, world.conversation(TOMAS).await, world.conversation(PRIYA).await)
}

fn row(one: ConversationId) -> String {
    format!("#c-{} > a", one.public())
}

/// That a conversation is open, and everything on the page says so.
pub(crate) async fn is_open(browser: &Browser, one: ConversationId, name: &str) {
    browser.becomes("document.querySelector('#head h1')?.innerText", name).await;
    browser.becomes("location.pathname", format!("/inbox/{}", one.public())).await;
    browser.becomes("document.title.replace(/^\\(\\d+\\) /, '').split(' · ')[0]", name).await;
    browser.becomes("document.querySelector('.inbox').dataset.live", one.public()).await;
    browser.becomes("document.querySelector('#contact h2').innerText.length > 0", true).await;
    let current = "[...document.querySelectorAll('.row > a[aria-current]')].map(one => one.parentElement.id).join()";
    browser.becomes(current, format!("c-{}", one.public())).await;
}

/// Opens a conversation by its row.
pub(crate) async fn opens(browser: &Browser, one: ConversationId, name: &str) {
    browser.click(&row(one)).await;
    is_open(browser, one, name).await;
}

/// Whether it is the document that was marked.
pub(crate) async fn stayed(browser: &Browser) -> bool {
    browser.runs("return window.document0 === document").await == true
}

#[tokio::test(flavor = "multi_thread")]
async fn the_list_stays_as_it_is_while_conversations_are_opened_and_left() {
    let world = World::new().await;
    let (browser, tomas, priya) = list(&world).await;
    browser.runs(&format!("document.querySelector('#c-{} .pick').click()", priya.public())).await;
    opens(&browser, tomas, "Tomás Rivera").await;
    opens(&browser, priya, "Priya Nair").await;
    browser.becomes("document.activeElement.id", "log-scroll").await;
    browser.client.back().await.unwrap();
    is_open(&browser, tomas, "Tomás Rivera").await;
    browser.client.back().await.unwrap();
    browser.says("Choose a conversation").await;
    browser.becomes("document.body.dataset.pane + document.querySelectorAll('#contact').length", "list0").await;
    browser.client.forward().await.unwrap();
    is_open(&browser, tomas, "Tomás Rivera").await;
    assert!(stayed(&browser).await);
    browser.becomes("document.querySelectorAll('.pick:checked').length", 1).await;
    browser.client.refresh().await.unwrap();
    is_open(&browser, tomas, "Tomás Rivera").await;
    browser.quit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn on_a_slow_line_the_list_shows_at_once_what_is_being_opened_and_the_last_choice_counts() {
    let world = World::new().await;
    let (browser, tomas, priya) = list(&world).await;
    opens(&browser, tomas, "Tomás Rivera").await;
    browser
        .runs(
            "window.real = fetch; window.held = []; \
            window.fetch = (...asked) => String(asked[0]).includes('part=open') \
                ? new Promise((done, fail) => held.push(() => real(...asked).then(done, fail))) : real(...asked)",
        )
        .await;
    let ben = world.conversation("551982014663714").await;
    // In one script: the driver waits for what is being opened before it does anything else.
    let chosen = format!(
        "(async () => {{ \
            const at = (path) => document.querySelector(path); \
            at('{}').click(); \
            while (held.length < 1) await new Promise(requestAnimationFrame); \
            const shown = [at('.row > a[aria-current]').parentElement.id, at('#main').ariaBusy, at('#head h1').innerText]; \
            at('{}').click(); \
            while (held.length < 2) await new Promise(requestAnimationFrame); \
            held.reverse().forEach(one => one()); \
            return shown; \
        }})()",
        row(priya),
        row(ben)
    );
    let shown = browser.waits(&chosen).await;
    assert_eq!(shown, serde_json::json!([format!("c-{}", priya.public()), "true", "Tomás Rivera"]));
    // The answers came in the other order.
    is_open(&browser, ben, "Ben Okafor").await;
    browser.becomes("document.querySelector('#main').ariaBusy", serde_json::Value::Null).await;
    browser.quit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn n_leads_into_the_field_for_a_note_and_the_answer_that_was_begun_waits() {
    let world = World::new().await;
    let (browser, tomas, _) = list(&world).await;
    opens(&browser, tomas, "Tomás Rivera").await;
    browser.types("#text", "It is").await;
    browser.runs("document.activeElement.blur()").await;
    browser.types("body", "n").await;
    browser.becomes("document.activeElement.matches('[data-note] #text')", true).await;
    browser.runs("document.querySelector('[data-note] .modes a').click()").await;
    browser.becomes("document.activeElement.matches('.composer:not([data-note]) #text')", true).await;
    browser.becomes("document.querySelector('#text').value", "It is").await;
    assert!(stayed(&browser).await);
    browser.quit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_comes_in_is_shown_in_the_conversation_that_is_open() {
    let world = World::new().await;
    let (browser, tomas, priya) = list(&world).await;
    opens(&browser, tomas, "Tomás Rivera").await;
    // A part of the first conversation's page is still on its way when the second one is opened.
    browser
        .runs(
            "window.real = fetch; window.held = []; \
            window.fetch = (...asked) => String(asked[0]).includes('/log') \
                ? new Promise(done => held.push(() => done(real(...asked)))) : real(...asked)",
        )
        .await;
    world.sim.customer(TOMAS).text("Hello?").await;
    browser.becomes("held.length", 1).await;
    opens(&browser, priya, "Priya Nair").await;
    browser
        .runs(
            "window.mixed = false; const looks = () => mixed ||= document.querySelector('#log').innerText.includes('Hello?'); \
            new MutationObserver(looks).observe(document.querySelector('.inbox'), { subtree: true, childList: true }); \
            window.fetch = real; held.forEach(one => one())",
        )
        .await;
    world.sim.customer(PRIYA).text("And in green?").await;
    browser.becomes("document.querySelector('#log').innerText.includes('And in green?')", true).await;
    assert_eq!(browser.runs("return mixed").await, false, "a message of the other customer was shown");
    is_open(&browser, priya, "Priya Nair").await;
    assert!(stayed(&browser).await);
    browser.quit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_written_stays_with_its_conversation() {
    let world = World::new().await;
    let (browser, tomas, priya) = list(&world).await;
    let text = "document.querySelector('#text').value";
    opens(&browser, tomas, "Tomás Rivera").await;
    browser.types("#text", "It is, Tomás").await;
    opens(&browser, priya, "Priya Nair").await;
    assert_eq!(browser.runs(&format!("return {text}")).await, "");
    browser.types("#text", "40 euros").await;
    browser
        .client
        .find(Locator::Css("#text"))
        .await
        .unwrap()
        .send_keys(&format!("{}{}", Key::Control, Key::Enter))
        .await
        .unwrap();
    browser.says("Sent").await;
    opens(&browser, tomas, "Tomás Rivera").await;
    browser.becomes(text, "It is, Tomás").await;
    browser.click("#send").await;
    browser.says("Sent").await;
    world.settled().await;
    for (one, said) in [(tomas, "It is, Tomás"), (priya, "40 euros")] {
        let all = world.host.inbox().timeline(one, 10).await.unwrap();
        let sent: Vec<_> =
            all.iter().filter(|one| one.direction == "outbound").map(|one| one.text.as_deref()).collect();
        assert_eq!(sent, [Some(said)]);
    }
    assert!(stayed(&browser).await);
    browser.quit().await;
}

/// Drops a PDF on the conversation.
pub(crate) const DROPS: &str = "const data = new DataTransfer(); \
    data.items.add(new File(['%PDF-1.4\\n%%EOF\\n'], 'care.pdf', { type: 'application/pdf' })); \
    document.querySelector('.thread').dispatchEvent(new DragEvent('drop', { dataTransfer: data, bubbles: true }))";

/// The same, and its upload begins when `uploads` are called.
pub(crate) async fn drops_a_file(browser: &Browser) {
    let waits = "window.uploads = []; const send = XMLHttpRequest.prototype.send; \
        XMLHttpRequest.prototype.send = function (body) { uploads.push(() => send.call(this, body)); }";
    browser.runs(&format!("{waits}; {DROPS}")).await;
    browser.becomes("uploads.length", 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_is_uploaded_while_another_conversation_is_opened_is_in_its_own_draft() {
    let world = World::new().await;
    let (browser, tomas, priya) = list(&world).await;
    opens(&browser, tomas, "Tomás Rivera").await;
    drops_a_file(&browser).await;
    opens(&browser, priya, "Priya Nair").await;
    browser.runs("uploads.forEach(one => one())").await;
    browser.becomes(&format!("(localStorage.getItem('draft-{}') ?? '').includes('file=')", tomas.public()), true).await;
    assert_eq!(browser.runs("return document.querySelectorAll('#files li').length").await, 0);
    opens(&browser, tomas, "Tomás Rivera").await;
    browser.becomes("document.querySelector('#files li')?.innerText.includes('care.pdf')", true).await;
    browser.quit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_leaves_a_conversation_for_another_is_not_shown_in_it_any_more() {
    let world = World::new().await;
    team::person(&world, "Nora Whitfield").await;
    let (browser, tomas, priya) = list(&world).await;
    let dev = joined(&world, "Dev Patel").await;
    dev.open(&format!("{}/inbox/{}", world.address, tomas.public())).await;
    browser.click(&row(tomas)).await;
    dev.says("Nora Whitfield is here too").await;
    opens(&browser, priya, "Priya Nair").await;
    dev.becomes("document.querySelector('#presence').innerText", "").await;
    dev.quit().await;
    browser.quit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_connection_the_open_conversation_stays_and_the_page_says_so() {
    let world = World::new().await;
    let (browser, tomas, priya) = list(&world).await;
    browser.runs(CUT).await;
    browser.click(&row(tomas)).await;
    browser.says("No connection").await;
    browser.becomes("location.pathname", "/inbox").await;
    browser.runs("window.fetch = real").await;
    opens(&browser, tomas, "Tomás Rivera").await;
    browser.runs(CUT).await;
    browser.click(&row(priya)).await;
    browser.says("No connection").await;
    is_open(&browser, tomas, "Tomás Rivera").await;
    browser.runs("window.fetch = real").await;
    // By script: the bar may be gone by itself, as soon as anything is loaded.
    browser.runs("document.querySelector('#offline [data-retry]').click()").await;
    opens(&browser, priya, "Priya Nair").await;
    browser.quit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_browser_that_cannot_open_beside_the_list_loads_the_page() {
    let world = World::new().await;
    let browser = Browser::start().await;
    browser.in_every_page("delete window.navigation").await;
    let (browser, tomas, _) = list_in(&world, browser).await;
    opens(&browser, tomas, "Tomás Rivera").await;
    assert!(!stayed(&browser).await);
    browser.quit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_conversation_that_cannot_be_shown_leads_to_the_page_that_says_why() {
    let world = World::new().await;
    let (browser, tomas, _) = list(&world).await;
    // It is gone while the list still has it. In one script: the list is drawn anew as it is.
    let gone =
        format!("const link = document.querySelector('{}'); link.pathname = '/inbox/cnv_0'; link.click()", row(tomas));
    browser.runs(&gone).await;
    browser.says("not here").await;
    assert!(!stayed(&browser).await);
    browser.quit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_list_goes_on_where_it_is_scrolled_and_keeps_what_was_loaded() {
    let world = World::new().await;
    for n in 10..60 {
        world.sim.customer(&format!("5519820147000{n}")).text("Hello").await;
    }
    world.settled().await;
    let all = world.host.inbox().conversations(99).await.unwrap();
    let browser = Browser::start().await;
    browser.sized(1440, 700).await;
    let rows = "[...document.querySelectorAll('#rows .row')].map(one => one.id).join()";
    let ids =
        |count: usize| all.iter().take(count).map(|one| format!("c-{}", one.id.public())).collect::<Vec<_>>().join(",");
    browser.open(&format!("{}/inbox/{}", world.address, all[1].id.public())).await;
    browser.becomes(rows, ids(40)).await;
    browser.runs("document.querySelector('#more').scrollIntoView()").await;
    browser.becomes(rows, ids(all.len())).await;
    // The list is renewed, and what was loaded is still there.
    let last = all.last().unwrap();
    world.sim.customer(last.contact.as_deref().unwrap()).text("Hello again").await;
    browser.becomes("document.querySelector('#rows .row').id", format!("c-{}", last.id.public())).await;
    browser.becomes("new Set([...document.querySelectorAll('#rows .row')].map(one => one.id)).size", all.len()).await;
    browser.becomes("document.querySelectorAll('#rows .row').length", all.len()).await;
    browser.quit().await;
}
