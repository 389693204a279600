//! The demo's tour: every step does what it says when a visitor follows it in a browser.

use crate::stage::Visit;

#[tokio::test(flavor = "multi_thread")]
async fn step_1_what_is_written_on_the_phone_arrives_in_the_inbox() {
    let visit = Visit::at(1, None).await;
    visit.browser.says("No conversations yet").await;
    visit.customer_writes("Is the tall vase still there?").await;
    visit.inbox_says("Is the tall vase still there?").await;
    visit.browser.says("Tour, step 1 of 11").await;
    visit.browser.pictured("tour-1").await;
    visit.browser.click("#tour a.primary").await;
    visit.browser.says("Tour, step 2 of 11").await;
    visit.inbox_says("Is the tall vase still there?").await;
    visit.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn step_2_an_answer_from_the_inbox_is_on_the_phone() {
    let visit = Visit::at(2, Some("Is the tall vase still there?")).await;
    visit.shop_writes("It is, and one more.").await;
    visit.phone_says("It is, and one more.").await;
    let log = visit.inbox_says("Sent").await;
    assert!(log.contains("It is, and one more."), "{log}");
    visit.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn step_3_what_the_customer_has_read_is_marked() {
    let visit = Visit::at(3, Some("Is the tall vase still there?")).await;
    visit.shop_writes("It is.").await;
    visit.phone_says("It is.").await;
    visit.inbox_says("Sent").await;
    visit.presses("read").await;
    let log = visit.inbox_says("Read").await;
    assert!(!log.contains("Sent"), "{log}");
    visit.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn step_4_photo_voice_and_heart_are_shown_as_what_they_are() {
    let visit = Visit::at(4, Some("Look:")).await;
    visit.presses("photo").await;
    visit.has("#log figure.media img", 1).await;
    visit.presses("voice").await;
    visit.has("#log audio", 1).await;
    visit.presses("heart").await;
    visit.has("#log svg.heart", 1).await;
    visit.has("#phone figure.media img", 1).await;
    visit.has("#phone audio", 1).await;
    visit.has("#phone svg.heart", 1).await;
    let loaded = "return new Promise(done => { const all = [...document.querySelectorAll('figure.media img')];
        Promise.all(all.map(one => one.decode())).then(() => done(all.map(one => one.naturalWidth)), () => done([])) })";
    assert_eq!(visit.browser.runs(loaded).await, serde_json::json!([480, 480]), "both sides show the photo");
    visit.browser.pictured("tour-4").await;
    visit.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn step_5_a_shared_post_and_an_answered_story_arrive_with_what_they_are_about() {
    let visit = Visit::at(5, Some("Look:")).await;
    visit.presses("post").await;
    visit.inbox_says("Tall vase, river green").await;
    visit.inbox_says("Shared a post").await;
    visit.presses("story").await;
    let log = visit.inbox_says("Replied to your story").await;
    assert!(log.contains("How much is this one?"), "{log}");
    visit.phone_says("You replied to a story").await;
    visit.has("#phone article.share", 1).await;
    visit.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn step_6_quick_replies_are_tapped_on_the_phone_and_not_shown_on_the_web() {
    let visit = Visit::at(6, Some("Can I order one?")).await;
    visit.browser.click("#tool-quick").await;
    visit.browser.types("#quick-0", "Pick it up").await;
    visit.browser.click("#add-quick").await;
    visit.browser.types("#quick-1", "Ship it").await;
    visit.shop_writes("Of course. How do you want it?").await;
    visit.phone_says("Pick it up").await;
    visit.has("#phone .answers button", 2).await;
    visit.switches("web").await;
    let phone = visit.phone_says("which the web client does not show").await;
    assert!(!phone.contains("Pick it up"), "{phone}");
    visit.switches("web").await;
    visit.browser.click("#phone .answers li:first-child button").await;
    let log = visit.inbox_says("picked a quick reply").await;
    assert!(log.contains("Pick it up"), "{log}");
    visit.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn step_7_edited_and_unsent_messages_follow() {
    let visit = Visit::at(7, Some("Do you have it in blu?")).await;
    visit.presses("edit").await;
    visit.inbox_says("Do you have it in blu? (edited)").await;
    visit.phone_says("edited").await;
    visit.presses("unsend").await;
    let log = visit.inbox_says("unsent this message").await;
    assert!(!log.contains("blu"), "what was unsent is erased: {log}");
    visit.phone_says("Unsent").await;
    visit.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn step_8_a_comment_is_answered_in_private() {
    let visit = Visit::at(8, Some("Hello!")).await;
    visit.presses("comment").await;
    visit.inbox_says("Will you be at the winter market?").await;
    visit.phone_says("Your public comment").await;
    visit.browser.click("#log [data-comment]").await;
    visit.shop_writes("We will, at stand twelve.").await;
    let phone = visit.phone_says("About your comment").await;
    assert!(phone.contains("We will, at stand twelve."), "{phone}");
    visit.inbox_says("Sent").await;
    visit.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn step_9_a_refused_message_says_why_and_is_tried_again() {
    let visit = Visit::at(9, Some("Hello!")).await;
    visit.switches("refuses").await;
    visit.shop_writes("Welcome to the shop.").await;
    visit.inbox_says("Not sent:").await;
    visit.inbox_says("Try again").await;
    visit.browser.pictured("tour-9").await;
    visit.switches("refuses").await;
    visit.browser.click("#log form[action$='/again'] button").await;
    visit.phone_says("Welcome to the shop.").await;
    visit.inbox_says("Sent").await;
    visit.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn step_10_what_may_have_been_delivered_is_decided_by_a_person() {
    let visit = Visit::at(10, Some("Hello!")).await;
    visit.switches("silent").await;
    visit.shop_writes("Your order is on its way.").await;
    visit.inbox_says("May have been delivered").await;
    visit.phone_says("Your order is on its way.").await;
    visit.switches("silent").await;
    visit.browser.click("#log button[value=arrived]").await;
    let log = visit.inbox_says("Sent").await;
    assert!(!log.contains("May have been"), "{log}");
    visit.has("#phone .item[data-from=customer]", 1).await;
    visit.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn step_11_the_window_closes_with_the_clock() {
    let visit = Visit::at(11, Some("Hello!")).await;
    visit.browser.click("#clock button[value='23']").await;
    visit.browser.says("left to reply").await;
    visit.is_ahead(23).await;
    visit.browser.click("#clock button[value='6']").await;
    visit.is_ahead(29).await;
    visit.composer_says("Automatic messages are no longer allowed").await;
    visit.shop_writes("Sorry for the wait.").await;
    visit.phone_says("Sorry for the wait.").await;
    visit.browser.click("#clock button[value='168']").await;
    visit.composer_says("The time to reply is over").await;
    visit.browser.pictured("tour-11").await;
    visit.end().await;
}
