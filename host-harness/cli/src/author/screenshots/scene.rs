//! Owns: the conversations that the pictures show.
//! Does not own: the pictures.

use std::time::Duration;

use anyhow::{Context as _, Result};
use harness_cli::demo::{MUG, Stage, VASE, reply, text_part};
use harness_contract::{ButtonAction, OutboundMessage, QuickReply};
use harness_inbox::{DeliveryFilter, PublicId as _};
use simulator::{CdnFile, Customer};

/// What the customer of the pictures wrote last.
pub(super) const LAST: &str = "Both, please!";

const MINUTE: Duration = Duration::from_secs(60);
/// How often the inbox is looked at for what was written, 20 ms apart.
const LOOKS: u32 = 500;

/// Lets customers write and the shop answer, a while between them.
pub(super) async fn play(stage: &Stage) -> Result<()> {
    for (id, name, text, minutes) in [
        ("551982014663711", "Tomás Rivera", "Is the mug dishwasher safe?", 95),
        ("551982014663712", "ليلى حداد", "شكراً! متى تبدأ ورشة العمل القادمة؟", 41),
        ("551982014663713", "Priya Nair", "How much is it?", 18),
        ("551982014663714", "Ben Okafor", "Thank you, it arrived in one piece 😊", 9),
    ] {
        customer(stage, id, name).text(text).await;
        stage.advance(MINUTE * minutes);
    }
    let (vase, mug) = (file(stage, VASE), file(stage, MUG));
    let sam = &stage.customer;
    sam.text_from_ad("Hi! Do you ship to Norway?", "autumn", "120330000012345", "Autumn glazes, made slowly").await;
    arrives(stage, "Norway").await?;
    stage.advance(MINUTE * 2);
    stage.send(written("We do, every Thursday. It takes four to six days.")).await?;
    stage.advance(MINUTE * 3);
    sam.share_post("17900000000000001", "Tall vase, river green", &vase).await;
    sam.text("Is this one still there?").await;
    arrives(stage, "still there").await?;
    stage.advance(MINUTE);
    let mut offer = written("It is, and one more in blue. Shall we put one aside for you?");
    offer.quick_replies = ["Yes, please", "Show me the blue one"].map(quick_reply).into();
    stage.send(offer).await?;
    if let Some(offered) = sam.last_reply() {
        sam.seen(&offered.mid).await;
        sam.react(&offered.mid, "❤️").await;
    }
    stage.advance(MINUTE * 4);
    sam.story_reply("17900000000000003", &mug, "And how much is this mug?").await;
    arrives(stage, "this mug").await?;
    stage.advance(MINUTE);
    stage.send(written("28 euros, and it is dishwasher safe.")).await?;
    stage.advance(MINUTE);
    sam.text(LAST).await;
    arrives(stage, LAST).await
}

/// The conversation of the pictures, as the address of its page has it.
pub(super) async fn conversation(stage: &Stage) -> Result<String> {
    Ok(stage.conversation().await?.public())
}

/// The newest delivery, as the address of its page has it.
pub(super) async fn delivery(stage: &Stage) -> Result<String> {
    let page = stage.host.inbox().deliveries_before(DeliveryFilter::default(), None, 1).await?;
    Ok(page.entries.first().context("there is no delivery")?.id.public())
}

fn customer(stage: &Stage, id: &str, name: &str) -> Customer {
    let customer = stage.sim.customer(id);
    customer.set_profile(|profile| {
        profile.name = Some(name.to_owned());
        profile.username = name.to_lowercase().replace(' ', ".");
    });
    customer
}

fn file(stage: &Stage, content: &[u8]) -> String {
    stage.sim.host_file(CdnFile::new("image/png", content))
}

/// A text of one of the team.
fn written(text: &str) -> OutboundMessage {
    let mut message = reply(vec![text_part(text)]);
    message.sender.name = Some("Nora Whitfield".to_owned());
    message
}

fn quick_reply(title: &str) -> QuickReply {
    QuickReply { title: title.to_owned(), action: ButtonAction::Postback(title.to_owned()), image_url: None }
}

/// Waits until the inbox has what the customer wrote.
async fn arrives(stage: &Stage, words: &str) -> Result<()> {
    for _ in 0..LOOKS {
        if let Ok(conversation) = stage.conversation().await {
            let timeline = stage.host.inbox().timeline(conversation, 50).await?;
            if timeline.iter().any(|entry| entry.text.as_deref().is_some_and(|text| text.contains(words))) {
                return Ok(());
            }
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    anyhow::bail!("{words:?} did not arrive in the inbox")
}
