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

impl Webhooks {
    /// Tells an address what it asks for, until it knows everything, fails, or has had its turn.
    pub(super) async fn tell(&self, mut webhook: WebhookView) -> Result<(), WebhookError> {
        let found = self.base.inbox.changes_after(webhook.position, Some(webhook.workspace), CHANGES).await?;
        let secret = self.secret(webhook.id).await?;
        if found.missed {
            // Told once: it comes with a position that is not missed.
            let oldest = found.changes.first().map_or(found.position, |change| change.seq.saturating_sub(1));
            let event = Event::missed(oldest, self.base.clock.now());
            if !self.tell_one(&mut webhook, &secret, oldest, &event).await? {
                return Ok(());
            }
        }
        for change in &found.changes {
            if webhook.kinds.matches(change.kind)
                && !self.tell_one(&mut webhook, &secret, change.seq, &Event::of(change)).await?
            {
                return Ok(());
            }
        }
        if webhook.position != found.position {
            // What it does not ask for.
            self.base.inbox.note_told(webhook.id, webhook.position, found.position, None).await?;
        }
        Ok(())
    }

    /// Tells one event, after which the address is at `position`. Returns whether to go on.
    async fn tell_one(
        &self,
        webhook: &mut WebhookView,
        secret: &Secret,
        position: u64,
        event: &Event,
    ) -> Result<bool, WebhookError> {
        let Ended { attempt, gone, pause } = self.attempt(webhook, secret, position, event).await;
        if attempt.problem.is_none() {
            let moved = self.base.inbox.note_told(webhook.id, webhook.position, position, Some(attempt)).await?;
            webhook.position = position;
            return Ok(moved);
        }
        let then = if gone {
            WebhookFailure::End("The address answered 410: it is gone. Resume it if that was a mistake.".to_owned())
        } else {
            after_failure(webhook, attempt.at, pause)
        };
        self.base.inbox.note_not_told(webhook.id, webhook.position, attempt, then).await?;
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
