//! A team's work on conversations in a browser: closing, assigning, labels, notes, saved replies, keys.

use channel_tests::{World, browser::Browser, eventually, request};
use fantoccini::{Locator, key::Key};
use harness_inbox::{
    Accepted, CannedAnswerText, ConversationChange, ConversationState, NewUser, PublicId as _, Role, UserId,
    WhenClosed, WorkspaceId,
};

use crate::{street, together::CUT};

/// Somebody of the team.
pub(crate) async fn person(world: &World, name: &str) -> UserId {
    let email = format!("{}@example.com", name.len());
    let new = NewUser {
        workspace: WorkspaceId::FIRST,
        email,
        name: name.to_owned(),
        role: Role::Admin,
        accepted: Accepted::Password("$argon2id$nobody".into()),
    };
    world.host.users().create_user(new, world.clock.now()).await.unwrap()
}

pub(crate) async fn opened(world: &World) -> (Browser, harness_inbox::ConversationId) {
    let tomas = street::customer(world, "551982014663711", "Tomás Rivera");
    tomas.text("Is the mug dishwasher safe?").await;
    let conversation = world.conversation(tomas.igsid()).await;
    world.settled().await;
    let browser = Browser::start().await;
    browser.sized(1440, 900).await;
    browser.open(&format!("{}/inbox/{}", world.address, conversation.public())).await;
    browser.says("Is the mug dishwasher safe?").await;
    (browser, conversation)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_conversation_is_assigned_labelled_and_closed_without_leaving_the_page() {
    let world = World::new().await;
    let nora = person(&world, "Nora Whitfield").await;
    let dev = person(&world, "Dev Patel").await;
    let (browser, conversation) = opened(&world).await;
    let now = async || world.host.inbox().conversation(conversation).await.unwrap();
    let select = browser.client.find(Locator::Css("#assignee")).await.unwrap();
    select.select_by_value(&dev.public()).await.unwrap();
    eventually("the assignee", async || (now().await.assignee == Some(dev)).then_some(())).await;
    browser.types("#label", "gift\n").await;
    eventually("the label", async || (now().await.labels.len() == 1).then_some(())).await;
    browser.says("gift").await;
    browser.click("#close").await;
    eventually("the end", async || (now().await.state == ConversationState::Closed).then_some(())).await;
    browser.says("Reopen").await;
    let _ = nora;
    browser.quit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_closed_conversation_that_was_begun_anew_leads_to_the_one_that_goes_on() {
    let world = World::new().await;
    let dev = person(&world, "Dev Patel").await;
    let account = world.host.inbox().accounts().await.unwrap()[0].id;
    let (browser, old) = opened(&world).await;
    let mine = ConversationChange { assignee: Some(Some(dev)), ..ConversationChange::default() };
    world.host.change_conversation(old, mine).await.unwrap();
    // The choice is made on the account's page.
    let chosen = async || world.host.inbox().account_row(account).await.unwrap().when_closed;
    browser.open(&format!("{}/channels/{}", world.address, account.public())).await;
    let select = browser.client.find(Locator::Css("#when-closed")).await.unwrap();
    select.select_by_value("new").await.unwrap();
    browser.click("button[value=when-closed]").await;
    eventually("the choice", async || (chosen().await == WhenClosed::New).then_some(())).await;

    browser.open(&format!("{}/inbox/{}", world.address, old.public())).await;
    browser.click("#close").await;
    browser.says("Reopen").await;
    browser.types("#text", "You are welcome!").await;
    world.advance(std::time::Duration::from_secs(1));
    street::customer(&world, "551982014663711", "Tomás Rivera").text("One more question").await;
    // The page that is open shows it at once: the way there, what was written, and nothing that could be sent.
    browser.says("Tomás Rivera wrote again, in a new conversation").await;
    browser.says("This conversation stays closed, and a new one goes on.").await;
    assert_eq!(browser.runs("return document.querySelector('#text').value").await, "You are welcome!");
    browser.says("What you wrote here was not sent").await;
    browser.pictured("continued-closed").await;
    for gone in ["#send", "#head [name=state]", "#log .acts"] {
        assert_eq!(browser.runs(&format!("return document.querySelectorAll('{gone}').length")).await, 0, "{gone}");
    }
    // Without the script, too.
    let form = [("content-type", "application/x-www-form-urlencoded")];
    let address = format!("{}/inbox/{}/reply", world.address, old.public());
    let answer = request("POST", &address, &form, "key=k&text=You+are+welcome".as_bytes().to_vec()).await;
    assert!(answer.status == 409 && answer.body.contains("Go to the new conversation"), "{}", answer.body);
    assert!(answer.body.contains("You are welcome"), "what was written is not lost");
    // Beside the signal that somebody was writing.
    let sent = || world.sends().iter().filter(|send| send.body["message"]["text"].is_string()).count();
    assert_eq!(sent(), 0);

    browser.click("#continued a.primary").await;
    browser.says("Goes on from an earlier conversation").await;
    browser.says("One more question").await;
    assert_eq!(browser.runs("return document.querySelectorAll('#close').length").await, 1);
    let assignee = browser.runs("return document.querySelector('#assignee').value").await;
    assert_eq!(assignee, dev.public());
    browser.pictured("continued-new").await;
    browser.types("#text", "Of course.").await;
    browser.click("#send").await;
    eventually("the reply", async || (sent() == 1).then_some(())).await;
    browser.click("#continues a").await;
    browser.says("Is the mug dishwasher safe?").await;
    browser.quit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_who_take_a_conversation_the_second_learns_who_was_first() {
    let world = World::new().await;
    let (nora, dev) = (person(&world, "Nora Whitfield").await, person(&world, "Dev").await);
    let (browser, conversation) = opened(&world).await;
    let change = ConversationChange { assignee: Some(Some(dev)), ..ConversationChange::default() };
    world.host.change_conversation(conversation, change).await.unwrap();
    browser.quit().await;
    let address = format!("{}/inbox/{}/organise", world.address, conversation.public());
    let form = [("content-type", "application/x-www-form-urlencoded")];
    let body = format!("if_assignee=&assignee={}", nora.public());
    let answer = request("POST", &address, &form, body.into_bytes()).await;
    assert!(answer.status == 409 && answer.body.contains("Dev was first"), "{}", answer.body);
    assert_eq!(world.host.inbox().conversation(conversation).await.unwrap().assignee, Some(dev));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_private_note_is_in_the_thread_and_never_at_the_customer_s() {
    let world = World::new().await;
    person(&world, "Nora Whitfield").await;
    let (browser, _) = opened(&world).await;
    browser.click("#note").await;
    browser.click("form.composer.note textarea").await;
    browser.types("#text", "He ordered twice before.").await;
    browser.click("#send").await;
    let page = browser.says("He ordered twice before.").await;
    assert!(page.contains("private note. Only your team sees it."), "{page}");
    assert_eq!(world.sends().len(), 0);
    browser.click("#log .item[data-from=note] button").await;
    eventually("the note's end", async || (!browser.text().await.contains("He ordered twice")).then_some(())).await;
    browser.quit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_note_is_a_draft_until_it_is_in_the_log() {
    let world = World::new().await;
    person(&world, "Nora Whitfield").await;
    let (browser, _) = opened(&world).await;
    let (is_note, text) =
        ("document.querySelector('#composer').matches('.note')", "document.querySelector('#text').value");
    browser.click("#note").await;
    browser.becomes(is_note, true).await;
    browser.types("#text", "He ordered twice before.").await;
    browser.runs(CUT).await;
    browser.click("#send").await;
    browser.says("No connection").await;
    browser.becomes(text, "He ordered twice before.").await;
    browser.client.refresh().await.unwrap();
    browser.becomes(text, "He ordered twice before.").await;
    browser.click("#send").await;
    browser.becomes("document.querySelectorAll('#log .item[data-from=note]').length", 1).await;
    browser.becomes(is_note, false).await;
    browser.click("#note").await;
    browser.becomes(is_note, true).await;
    browser.becomes(text, "").await;
    browser.quit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_saved_reply_comes_after_a_slash_with_the_customer_s_name() {
    let world = World::new().await;
    person(&world, "Nora Whitfield").await;
    let answer = CannedAnswerText {
        shortcut: "hours".into(),
        title: "Opening hours".into(),
        text: "Hello {{contact.name}}, we are open from ten to six.".into(),
    };
    world.host.add_canned_answer(WorkspaceId::FIRST, &answer).await.unwrap();
    let (browser, _) = opened(&world).await;
    browser.types("#text", "/ho").await;
    browser.says("Opening hours").await;
    browser.types("#text", &String::from(char::from(Key::Enter))).await;
    eventually("the reply", async || {
        let text = browser.runs("return document.querySelector('#text').value").await;
        (text == "Hello Tomás Rivera, we are open from ten to six.").then_some(())
    })
    .await;
    browser.quit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_list_is_worked_with_keys_alone() {
    let world = World::new().await;
    person(&world, "Nora Whitfield").await;
    street::others(&world).await;
    world.settled().await;
    let browser = Browser::start().await;
    browser.open(&format!("{}/inbox", world.address)).await;
    browser.says("Tomás Rivera").await;
    let keys = async |keys: &str| {
        let focused = browser.client.active_element().await.unwrap();
        focused.send_keys(keys).await.unwrap();
    };
    keys("j").await;
    keys("j").await;
    let name = browser.runs("return document.activeElement.querySelector('.name bdi').textContent").await;
    keys(&String::from(char::from(Key::Enter))).await;
    eventually("the conversation", async || {
        let title = browser.runs("return document.querySelector('#head h1')?.innerText ?? null").await;
        (title == name).then_some(())
    })
    .await;
    keys("r").await;
    assert_eq!(browser.runs("return document.activeElement.id").await, "text");
    keys(&String::from(char::from(Key::Escape))).await;
    keys("?").await;
    browser.says("Keyboard").await;
    // `G` and a letter lead to each place of the navigation.
    for (letter, place) in [("c", "/channels"), ("b", "/bot"), ("p", "/plugins"), ("s", "/settings"), ("i", "/inbox")] {
        keys("g").await;
        keys(letter).await;
        eventually(place, async || {
            let path = browser.runs("return location.pathname").await;
            let is_there = path.as_str().is_some_and(|path| path.starts_with(place));
            // The page's own script listens when it is there.
            (is_there && browser.runs("return document.body.classList.contains('has-script')").await == true)
                .then_some(())
        })
        .await;
    }
    browser.quit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_note_that_mentions_the_reader_is_counted_until_they_look() {
    let world = World::new().await;
    let nora = person(&world, "Nora Whitfield").await;
    let dev = person(&world, "Dev").await;
    street::others(&world).await;
    world.settled().await;
    let conversation = world.conversation("551982014663713").await;
    let browser = Browser::start().await;
    browser.sized(1440, 900).await;
    browser.open(&format!("{}/inbox", world.address)).await;
    let badge = async |wanted: &str| {
        eventually("the count", async || {
            let shown = browser.runs("return document.querySelector('#mentions-unseen').textContent.trim()").await;
            (shown == wanted).then_some(())
        })
        .await;
    };
    badge("").await;
    // It comes while the page is open.
    world.host.add_note(conversation, Some(dev), "Dev", "@Nora Whitfield, what do you think?", None).await.unwrap();
    badge("1 note mentions you").await;
    browser.says("Mentions you").await;
    browser.open(&format!("{}/inbox?view=mentions", world.address)).await;
    browser.pictured("mentions").await;
    assert_eq!(browser.runs("return document.querySelectorAll('#rows .row').length").await, 1);
    browser.click("#rows .row a").await;
    browser.says("what do you think?").await;
    assert!(world.host.inbox().unseen_mentions(nora).await.unwrap().is_empty());
    badge("").await;
    // What comes into the conversation that somebody looks at is seen.
    world.host.add_note(conversation, Some(dev), "Dev", "@Nora Whitfield, and this?", None).await.unwrap();
    browser.says("and this?").await;
    eventually("what is seen", async || {
        world.host.inbox().unseen_mentions(nora).await.unwrap().is_empty().then_some(())
    })
    .await;
    browser.quit().await;
}
