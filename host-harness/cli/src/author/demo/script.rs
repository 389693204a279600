//! Owns: the scripted conversation: each step is played, verified and reported. A failed step makes the command fail.
//! Does not own: the setup (`stage`).

use std::{process::ExitCode, time::Duration};

use anyhow::{Result, ensure};
use harness_contract::{
    ButtonAction, MediaKind, MediaSource, OutboundMedia, OutboundPart, QuickReply, names::violation_code, text::shown,
};
use harness_inbox::{ReplyState, ReplyView, StepState, TimelineEntry};

use harness_cli::demo::{Stage, reply, text_part};

use super::transcript;

const PHOTO: &str = "https://lookaside.fbsbx.com/ig_messaging_cdn/?asset_id=1&signature=demo";
const ANSWER: &str = "Yes! 3 left. Shall we put one aside for you?";

pub(crate) async fn play(stage: &Stage) -> Result<ExitCode> {
    let mut report = Report::default();
    let first = stage.customer.text("Hi! Is the blue mug in stock? 😀").await;
    report.step(
        "text in",
        seen(stage, |entry| entry.platform_id.as_deref() == Some(first.mid()) && entry.text.is_some()).await,
    );

    stage.customer.photo(PHOTO).await;
    report.step(
        "photo in",
        seen(stage, |entry| entry.body.as_ref().is_some_and(|body| body.get().contains("lookaside.fbsbx.com"))).await,
    );

    let offer = offer_quick_replies(stage).await;
    report.step("reply out with quick replies", offer.as_ref().map(drop).map_err(|error| anyhow::anyhow!("{error:#}")));

    let tap = stage.customer.quick_reply("Yes, please", "RESERVE").await;
    report.step(
        "quick reply in",
        seen(stage, |entry| {
            entry.platform_id.as_deref() == Some(tap.mid())
                && entry.body.as_ref().is_some_and(|body| body.get().contains("RESERVE"))
        })
        .await,
    );

    let target = stage.customer.last_reply().map(|message| message.mid).unwrap_or_default();
    stage.customer.react(&target, "❤️").await;
    report.step(
        "reaction in",
        seen(stage, |entry| entry.platform_id.as_ref() == Some(&target) && !entry.reactions.is_empty()).await,
    );

    report.step("photo out", photo_out(stage).await);
    report.step("echoes matched, nothing doubled", no_doubles(stage).await);
    report.step("over-long reply refused", refused(stage, &"ä".repeat(501), violation_code::TEXT_TOO_LONG).await);

    stage.advance(Duration::from_secs(8 * 24 * 3600));
    report.step(
        "reply after the window refused",
        refused(stage, "Is the mug still wanted?", violation_code::WINDOW_CLOSED).await,
    );

    println!("\nthe conversation, as the inbox shows it:");
    for entry in stage.host.inbox().timeline(stage.conversation().await?, 100).await? {
        println!("{}", transcript::line(&entry));
    }
    let counts = stage.host.inbox().delivery_counts().await?;
    println!("\n{} deliveries applied, {} kept as not translatable", counts.applied, counts.failed);
    Ok(report.verdict())
}

#[derive(Default)]
struct Report {
    failed: usize,
    played: usize,
}

impl Report {
    fn step(&mut self, name: &str, result: Result<()>) {
        self.played += 1;
        match result {
            Ok(()) => println!("ok      {name}"),
            Err(error) => {
                self.failed += 1;
                println!("FAILED  {name}: {}", shown(&format!("{error:#}")));
            }
        }
    }

    fn verdict(&self) -> ExitCode {
        println!("{} of {} steps happened", self.played - self.failed, self.played);
        if self.failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
    }
}

/// Waits until the inbox shows an entry.
async fn seen(stage: &Stage, wanted: impl Fn(&TimelineEntry) -> bool) -> Result<()> {
    for _ in 0..250 {
        if let Ok(conversation) = stage.conversation().await
            && stage.host.inbox().timeline(conversation, 100).await?.iter().any(&wanted)
        {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    anyhow::bail!("the inbox did not show it within five seconds")
}

fn all_sent(view: &ReplyView) -> Result<()> {
    let sent = !view.steps.is_empty() && view.steps.iter().all(|step| step.state == StepState::Sent);
    ensure!(sent, "the reply ended as {}", serde_json::to_string(view)?);
    Ok(())
}

async fn offer_quick_replies(stage: &Stage) -> Result<()> {
    let offer = |title: &str, payload: &str| QuickReply {
        title: title.into(),
        action: ButtonAction::Postback(payload.into()),
        image_url: None,
    };
    let mut message = reply(vec![text_part(ANSWER)]);
    message.quick_replies = vec![offer("Yes, please", "RESERVE"), offer("No, thanks", "NO")];
    all_sent(&stage.send(message).await?)?;
    let shown = stage.customer.last_reply();
    ensure!(
        shown.is_some_and(|m| m.text.as_deref() == Some(ANSWER) && m.quick_replies.len() == 2),
        "not at the customer's"
    );
    Ok(())
}

async fn photo_out(stage: &Stage) -> Result<()> {
    let photo = OutboundMedia {
        kind: MediaKind::Image,
        source: MediaSource::Url("https://shop.example.com/blue-mug.jpg".into()),
        mime: Some("image/jpeg".into()),
        size: Some(120_000),
        name: None,
        caption: None,
        duration: None,
        preview: None,
        description: None,
    };
    all_sent(&stage.send(reply(vec![OutboundPart::Media(vec![photo])])).await?)?;
    ensure!(stage.customer.last_reply().is_some_and(|m| !m.attachments.is_empty()), "not at the customer's");
    Ok(())
}

/// Once every echo has arrived, each message is there exactly once.
async fn no_doubles(stage: &Stage) -> Result<()> {
    let expected = stage.customer.transcript().len();
    let conversation = stage.conversation().await?;
    let mut found = 0;
    for _ in 0..100 {
        let timeline = stage.host.inbox().timeline(conversation, 100).await?;
        found = timeline.len();
        let echoes = stage.sim.deliveries().iter().filter(|delivery| delivery.accepted()).count();
        if found == expected && echoes >= 6 && timeline.iter().all(|entry| entry.platform_id.is_some()) {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    anyhow::bail!("the customer sees {expected} messages, the inbox {found}")
}

async fn refused(stage: &Stage, text: &str, code: &str) -> Result<()> {
    // Counts only message requests: the host may fetch profiles at any time.
    let sends = || stage.sim.requests().iter().filter(|request| request.path.ends_with("/messages")).count();
    let before = sends();
    let view = stage.send(reply(vec![text_part(text)])).await?;
    ensure!(view.state == ReplyState::Refused, "it was not refused");
    let violation = view.violations.iter().find(|violation| violation.code == code);
    let Some(violation) = violation else { anyhow::bail!("refused as {:?}", view.violations) };
    println!("        \"{}\"", shown(&violation.message));
    ensure!(sends() == before, "a request went out all the same");
    Ok(())
}
