//! Owns: when a failed attempt is made again, and when an address is given up.
//! Does not own: attempts.

use harness_egress::credentials::random;
use harness_inbox::{WebhookFailure, WebhookView};

const SECOND: u64 = 1000;
const MINUTE: u64 = 60 * SECOND;
const HOUR: u64 = 60 * MINUTE;
/// The pauses between attempts, in milliseconds; the last one repeats.
const PAUSES: [u64; 9] =
    [5 * SECOND, 30 * SECOND, 5 * MINUTE, 30 * MINUTE, 2 * HOUR, 5 * HOUR, 10 * HOUR, 14 * HOUR, 20 * HOUR];
/// How long an address may fail without a break, in milliseconds.
const PATIENCE: u64 = 72 * HOUR;
/// The longest pause that the address itself may ask for, in milliseconds.
const LONGEST: u64 = 24 * HOUR;

/// What follows from an attempt that failed at `now`. `asked` is the pause that the answer asks for, in milliseconds.
pub(super) fn after_failure(webhook: &WebhookView, now: u64, asked: Option<u64>) -> WebhookFailure {
    let since = webhook.failing_since.unwrap_or(now);
    if now.saturating_sub(since) >= PATIENCE {
        let reason = "It failed for three days. Mend it, then resume it: nothing that it was not told yet is lost, as \
                      long as the change feed is kept.";
        return WebhookFailure::End(reason.to_owned());
    }
    let pause = usize::try_from(webhook.attempts).ok().and_then(|made| PAUSES.get(made)).or(PAUSES.last());
    let pause = spread(pause.copied().unwrap_or(HOUR)).max(asked.unwrap_or(0).min(LONGEST));
    // The last attempt is made when the patience ends.
    WebhookFailure::Later(now.saturating_add(pause).min(since.saturating_add(PATIENCE).max(now.saturating_add(SECOND))))
}

/// A pause made longer or shorter by up to a fifth, so that addresses that failed together are not called together.
fn spread(pause: u64) -> u64 {
    let chance = random::<2>().map(u16::from_le_bytes).unwrap_or(u16::MAX / 2);
    let fifth = pause / 5;
    pause - fifth + (2 * fifth).saturating_mul(u64::from(chance)) / u64::from(u16::MAX)
}
