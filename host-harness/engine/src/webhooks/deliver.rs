//! Owns: one address's turn: the changes after its position, one call each, and what follows from its answer.
//! Does not own: whose turn it is (`webhooks`), pauses (`pace`).

use std::time::Duration;

use harness_egress::{DirectCall, DirectError, DirectLimits, credentials::Secret};
use harness_inbox::{PublicId as _, WebhookAttempt, WebhookFailure, WebhookView};
use http::{HeaderMap, Method, StatusCode, header};
use url::Url;

use super::{
    Event, WebhookError, Webhooks,
    event::{MISSED, TEST},
    pace::after_failure,
    sign,
};

/// Changes read at once. After as many the turn ends, so that the settings are read again.
const CHANGES: usize = 100;
/// How long a turn may take, besides the call that is under way when it ends: what was told is then written down, and
/// whoever paused or moved the address is heeded.
const TURN: Duration = Duration::from_secs(1);
/// The limits of one call. Of the answer only the status counts.
const LIMITS: DirectLimits =
    DirectLimits { answer: 64 << 10, total: Duration::from_secs(15), idle: Duration::from_secs(15) };

/// How an attempt ended.
pub(super) struct Ended {
    pub(super) attempt: WebhookAttempt,
    /// Whether the address says that it is gone for good.
    gone: bool,
    /// The pause that it asks for, in milliseconds.
    pause: Option<u64>,
}

/// One address's turn: where it is, and what was told since that was written down. A crash repeats that much.
struct Turn {
    webhook: WebhookView,
    secret: Secret,
    position: u64,
    told: Vec<WebhookAttempt>,
}

impl Webhooks {
    /// Tells an address what it asks for, until it knows everything, fails, or has had its turn.
    pub(super) async fn tell(&self, webhook: WebhookView) -> Result<(), WebhookError> {
        let found = self.base.inbox.changes_after(webhook.position, Some(webhook.workspace), CHANGES).await?;
        let (secret, position) = (self.secret(webhook.id).await?, webhook.position);
        let ends = self.base.clock.steady() + TURN;
        let mut turn = Turn { webhook, secret, position, told: Vec::new() };
        if found.missed {
            let before = found.changes.first().map_or(found.position, |change| change.seq.saturating_sub(1));
            if !self.tell_one(&mut turn, before, &Event::missed(before, self.base.clock.now())).await? {
                return Ok(());
            }
        }
        for change in &found.changes {
            if self.base.clock.steady() >= ends {
                return self.write_down(&mut turn).await;
            }
            if turn.webhook.kinds.matches(change.kind) {
                if !self.tell_one(&mut turn, change.seq, &Event::of(change)).await? {
                    return Ok(());
                }
            } else {
                turn.position = change.seq;
            }
        }
        turn.position = found.position;
        self.write_down(&mut turn).await
    }

    async fn write_down(&self, turn: &mut Turn) -> Result<(), WebhookError> {
        if turn.position != turn.webhook.position {
            let told = std::mem::take(&mut turn.told);
            let (id, from) = (turn.webhook.id, turn.webhook.position);
            self.base.inbox.note_told(id, from, turn.position, told).await?;
            turn.webhook.position = turn.position;
            (turn.webhook.attempts, turn.webhook.failing_since) = (0, None);
        }
        Ok(())
    }

    /// Tells one event, after which the address is at `position`. Returns whether to go on.
    async fn tell_one(&self, turn: &mut Turn, position: u64, event: &Event) -> Result<bool, WebhookError> {
        let Ended { attempt, gone, pause } = self.attempt(&turn.webhook, &turn.secret, position, event).await;
        if attempt.problem.is_none() {
            turn.position = position;
            turn.told.push(attempt);
            return Ok(true);
        }
        self.write_down(turn).await?;
        let then = if gone {
            WebhookFailure::End("The address answered 410: it is gone. Resume it if that was a mistake.".to_owned())
        } else {
            after_failure(&turn.webhook, attempt.at, pause)
        };
        self.base.inbox.note_not_told(turn.webhook.id, turn.webhook.position, attempt, then).await?;
        Ok(false)
    }

    /// Makes one call.
    pub(super) async fn attempt(&self, webhook: &WebhookView, secret: &Secret, seq: u64, event: &Event) -> Ended {
        let at = self.base.clock.now();
        let failed = |problem: String| Ended {
            attempt: WebhookAttempt { seq, at, status: None, problem: Some(problem) },
            gone: false,
            pause: None,
        };
        // The same for every attempt at this event, and another one for every address.
        let which = match event.r#type {
            MISSED => format!("missed-{}", event.id),
            TEST => format!("test-{at}"),
            _ => event.id.clone(),
        };
        let id = format!("{}-{which}", webhook.id.public());
        let Ok(body) = serde_json::to_vec(event) else { return failed("the event has no JSON form".into()) };
        let (Ok(url), Some(headers)) = (Url::parse(&webhook.url), sign::headers(secret, &id, at / 1000, &body)) else {
            return failed("its address or its secret cannot be used; delete it and make another".into());
        };
        let call = DirectCall { method: Method::POST, url, headers, body: body.into() };
        match self.direct.stream(call, LIMITS).await {
            Ok(mut answer) => {
                let (status, pause) = (answer.status, pause_of(&answer.headers));
                // Read to its end, so that the connection can be used again. What it says does not count.
                while let Ok(Some(_)) = answer.next().await {}
                let problem = (!status.is_success()).then(|| problem_of(status));
                let attempt = WebhookAttempt { seq, at, status: Some(status.as_u16()), problem };
                Ended { attempt, gone: status == StatusCode::GONE, pause }
            }
            Err(error) => failed(sentence(&error)),
        }
    }
}

fn problem_of(status: StatusCode) -> String {
    let more = if status.is_redirection() { "; redirects are not followed: set the address that is meant" } else { "" };
    format!("It answered {}, where a status from 200 to 299 says that the event was taken{more}.", status.as_u16())
}

fn sentence(error: &DirectError) -> String {
    let mut words = error.to_string();
    if let Some(first) = words.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    words.push('.');
    words
}

/// `Retry-After` in seconds, as milliseconds.
fn pause_of(headers: &HeaderMap) -> Option<u64> {
    let seconds: u64 = headers.get(header::RETRY_AFTER)?.to_str().ok()?.trim().parse().ok()?;
    seconds.checked_mul(1000)
}
