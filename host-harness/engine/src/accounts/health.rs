//! Owns: whether an account is healthy, and what is to be done if not: the lines that the host itself can say.
//! Does not own: the platform's side, which is the channel's to check.

use std::{sync::Arc, time::Duration};

use harness_contract::{
    AccountError, CheckLevel, CheckResult,
    manifest::{Challenge, Webhook},
};
use harness_inbox::{AccountId, AccountRow, AccountState, InboxError};
use serde::Serialize;

use super::{Accounts, AccountsError, compare::own_address};
use crate::{
    base::{exposed::exposed, signals::Last},
    channels::loaded::{LoadedChannel, Provenance},
    error::Refusal,
};
use harness_egress::credentials::random;

/// A clock that is further off than this makes signatures and tokens fail, in milliseconds.
const SKEW: u64 = 60_000;
/// How long the test of the callback may take.
const PROBE_TIME: Duration = Duration::from_secs(10);

/// What a health check found.
#[derive(Clone, Debug, Serialize)]
pub struct AccountHealth {
    /// The account.
    pub account: AccountRow,
    /// Line by line: first the host's, then the channel's.
    pub checks: Vec<CheckResult>,
}

fn line(name: &str, level: CheckLevel, finding: impl Into<String>, fix: Option<&str>) -> CheckResult {
    CheckResult { name: name.to_owned(), level, finding: finding.into(), fix: fix.map(str::to_owned) }
}

fn passed(name: &str, finding: impl Into<String>) -> CheckResult {
    line(name, CheckLevel::Passed, finding, None)
}

fn warning(name: &str, finding: impl Into<String>, fix: &str) -> CheckResult {
    line(name, CheckLevel::Warning, finding, Some(fix))
}

fn failed(name: &str, finding: impl Into<String>, fix: &str) -> CheckResult {
    line(name, CheckLevel::Failed, finding, Some(fix))
}

impl Accounts {
    /// Checks an account: the way in, the way out, its credentials, and what the platform says.
    pub(crate) async fn check(self: &Arc<Self>, account: AccountId) -> Result<AccountHealth, AccountsError> {
        let row = self.base.inbox.account_row(account).await?;
        let mut checks = vec![state(&row)];
        match self.channels.get(&row.channel) {
            Err(error) => {
                checks.push(failed("channel-loaded", error.to_string(), "Load the channel in the configuration."));
            }
            Ok(registered) => {
                checks.push(granted(&registered));
                checks.extend(signed(&registered));
                checks.extend(self.exposed_line());
                checks.extend(self.webhook_lines(&registered).await);
                checks.extend(self.waiting_lines(&row.channel).await?);
                checks.extend(self.traffic(&row).await?);
                if row.state != AccountState::Disconnected {
                    match self.channel_lines(&registered, account).await {
                        Ok(lines) => checks.extend(lines),
                        Err(AccountsError::Account(error)) if matches!(*error, AccountError::Unsupported) => {
                            let finding = "This channel has no check of its own.";
                            checks.push(line("platform", CheckLevel::Skipped, finding, None));
                        }
                        Err(error) => checks.push(failed("platform", error.to_string(), "See the lines above.")),
                    }
                    checks.push(self.arrivals(&row, &registered).await);
                }
                checks.push(clock(&self.network.signals.last(&row.channel)));
            }
        }
        // What the check found out about the credentials is in the row by now.
        Ok(AccountHealth { account: self.base.inbox.account_row(account).await?, checks })
    }
}

fn state(row: &AccountRow) -> CheckResult {
    const NAME: &str = "connected";
    match (row.state, &row.problem) {
        (AccountState::Connected, None) => passed(NAME, format!("{} is connected.", row.name)),
        (AccountState::Connected, Some(problem)) => warning(NAME, problem, "Connect the account again."),
        (AccountState::NeedsReconnect, problem) => {
            let problem = problem.as_deref().unwrap_or("The platform does not accept the credentials any more.");
            failed(NAME, problem, "Connect the account again. Replies wait until then, and messages still come in.")
        }
        (AccountState::Disconnected, _) => {
            failed(NAME, format!("{} is disconnected.", row.name), "Connect the account.")
        }
    }
}

fn granted(registered: &LoadedChannel) -> CheckResult {
    const NAME: &str = "granted";
    if registered.not_granted.is_empty() {
        return passed(NAME, "Everything that the channel asks for is granted.");
    }
    let hosts = registered.not_granted.join(", ");
    warning(
        NAME,
        format!("The channel asks for hosts that are not granted: {hosts}."),
        "Add them to `grant` in the configuration if the channel may reach them.",
    )
}

/// Who answers for the component; `None` where the program that embeds the host does.
fn signed(registered: &LoadedChannel) -> Option<CheckResult> {
    const NAME: &str = "signed";
    match &registered.provenance {
        Provenance::Embedded => None,
        Provenance::Package { publisher, .. } => {
            Some(passed(NAME, format!("The channel was signed by {publisher}, whom this host trusts.")))
        }
        Provenance::Unsigned => Some(failed(
            NAME,
            "The channel is a file that nobody signed: whoever can write it decides what runs here.",
            "Install a signed package, and take `unsigned-channels` out of `[development]` in the configuration.",
        )),
    }
}

impl Accounts {
    /// Whether webhooks come in, and are genuine.
    async fn webhook_lines(&self, registered: &LoadedChannel) -> Vec<CheckResult> {
        let channel = registered.channel.id();
        let Some(webhook) = &registered.channel.manifest().webhook else {
            let finding = "This channel has no webhooks: nothing comes in at an address of this host.";
            return vec![line("callback-reachable", CheckLevel::Skipped, finding, None)];
        };
        let last = self.network.signals.last(channel);
        let mut lines = vec![callback(self, channel, webhook).await];
        // The host's own call is not what the platform did last.
        self.network.signals.note(channel, |now| now.challenge.clone_from(&last.challenge));
        lines.extend(verify_token(webhook, &last));
        lines.push(webhook_secret(&last));
        lines.extend(webhook_size(webhook, &last, self.base.clock.now()));
        lines
    }
}

/// Calls the host's own webhook address as the platform does.
async fn callback(room: &Accounts, channel: &str, webhook: &Webhook) -> CheckResult {
    const NAME: &str = "callback-reachable";
    let Ok(mut url) = room.public_url.address(&["webhooks", channel]) else {
        return failed(
            NAME,
            "This host does not know under which address it is reached.",
            "Set `public-url` in the configuration to the address that the platform was given.",
        );
    };
    let address = url.to_string();
    let outside = url.scheme() == "https";
    let Some(Challenge::QueryEcho { require, token, answer, secret }) = &webhook.challenge else {
        return line(NAME, CheckLevel::Skipped, "The platform of this channel sends no challenge to try.", None);
    };
    let Some(secret) = room.network.secrets.of_app(channel, secret) else {
        return failed(NAME, format!("The secret `{secret}` is not set."), "Fill it in the configuration.");
    };
    let expected = random::<8>().map(hex::encode).unwrap_or_default();
    {
        let mut query = url.query_pairs_mut();
        for (name, value) in require {
            query.append_pair(name, value);
        }
        query.append_pair(token, &String::from_utf8_lossy(secret.expose())).append_pair(answer, &expected);
    }
    match own_address(&room.network.egress, url, PROBE_TIME).await {
        Ok((200, body)) if body == expected && outside => passed(NAME, format!("{address} answers the challenge.")),
        Ok((200, body)) if body == expected => warning(
            NAME,
            format!("{address} answers the challenge, but no platform can reach it: platforms call https addresses."),
            "Put a reverse proxy with a certificate in front, and set `public-url` to its address.",
        ),
        Ok((status, _)) => failed(
            NAME,
            format!("{address} answered {status} and not with the challenge."),
            "Look where this address leads: a proxy must pass /webhooks/ on to this host unchanged.",
        ),
        Err(reason) => failed(
            NAME,
            format!("{address} could not be reached: {reason}."),
            "Check DNS, certificate and proxy of this address.",
        ),
    }
}

fn verify_token(webhook: &Webhook, last: &Last) -> Option<CheckResult> {
    const NAME: &str = "verify-token";
    let Some(Challenge::QueryEcho { .. }) = &webhook.challenge else { return None };
    Some(match last.challenge {
        Some((Ok(()), _)) => passed(NAME, "The last challenge came with the right verify token."),
        Some((Err(Refusal::WrongProof), _)) => failed(
            NAME,
            "The last challenge came with another verify token.",
            "Type the same word into the platform's webhook settings as stands in the configuration.",
        ),
        Some((Err(refusal), _)) => {
            failed(NAME, format!("The last challenge was refused: {refusal}."), "Verify the webhook again.")
        }
        None => line(
            NAME,
            CheckLevel::Skipped,
            "No challenge came since this host was started.",
            Some("Press \"Verify\" in the platform's webhook settings."),
        ),
    })
}

fn webhook_secret(last: &Last) -> CheckResult {
    const NAME: &str = "webhook-secret";
    match (&last.accepted, last.refused) {
        (Some((slot, at)), refused) if refused.is_none_or(|(_, refused)| refused <= *at) => {
            passed(NAME, format!("The last webhook was signed with `{slot}`."))
        }
        (_, Some((Refusal::WrongProof, _))) => failed(
            NAME,
            "The last webhook was signed with a secret that is not configured.",
            "Compare the app secrets in the configuration with those of the platform's app settings.",
        ),
        (_, Some((refusal, _))) => {
            warning(NAME, format!("The last webhook was refused: {refusal}."), "Look into the log for who sends it.")
        }
        (_, None) => line(NAME, CheckLevel::Skipped, "No webhook came since this host was started.", None),
    }
}

/// Only where there is something to say.
fn webhook_size(webhook: &Webhook, last: &Last, now: u64) -> Option<CheckResult> {
    let (count, at) = last.too_large?;
    let bound = webhook.max_body_bytes;
    let webhooks = if count == 1 { "1 webhook was".to_owned() } else { format!("{count} webhooks were") };
    Some(warning(
        "webhook-size",
        format!(
            "{webhooks} refused for being larger than {bound} bytes, the last one {} ago.",
            span(now.saturating_sub(at))
        ),
        "If the platform sent them, ask the channel's author for a larger `max-body-bytes`; what was refused is sent \
         again for a time.",
    ))
}

fn clock(last: &Last) -> CheckResult {
    const NAME: &str = "clock";
    match last.ahead {
        Some(ahead) if ahead.unsigned_abs() > SKEW => failed(
            NAME,
            format!("This machine's clock is {} s off from the platform's.", ahead.unsigned_abs() / 1000),
            "Let the machine set its clock by NTP.",
        ),
        Some(_) => passed(NAME, "This machine's clock agrees with the platform's."),
        None => line(NAME, CheckLevel::Skipped, "The platform has not been asked anything yet.", None),
    }
}

impl Accounts {
    /// What others on this machine can read; nothing where there is nothing to say.
    fn exposed_line(&self) -> Option<CheckResult> {
        let found = exposed(&self.places);
        let fix = "Run `chmod 700` on the data folder: conversations lie there in the clear.";
        (!found.is_empty()).then(|| warning("private", format!("{}.", found.join("; ")), fix))
    }

    /// What waits of a channel, where it is more than a moment's: what is parked, could not be read, or is full.
    async fn waiting_lines(&self, channel: &str) -> Result<Vec<CheckResult>, InboxError> {
        let waiting = self.base.inbox.waiting().await?;
        let count = |state: &str| {
            let of = |(of, in_state, _): &&(String, String, u64)| of == channel && in_state == state;
            waiting.deliveries.iter().find(of).map_or(0, |(_, _, count)| *count)
        };
        let mut lines = Vec::new();
        if let Some(full) = self.backlog.full(channel) {
            lines.push(failed(
                "backlog",
                format!("Webhooks of this channel are put off: {full}."),
                "See why its deliveries are not read; then they are taken again by themselves.",
            ));
        }
        let (parked, unread) = (count("unrouted"), count("failed"));
        if parked > 0 {
            let budget = &self.backlog.budget;
            lines.push(warning(
                "parked",
                format!(
                    "Deliveries that wait for accounts which are not connected here: {parked}, of at most {} for one \
                     account and {} for the channel.",
                    budget.parked_per_account, budget.parked_per_channel
                ),
                "Connect the account, or remove this address at the platform for it. The oldest are dropped.",
            ));
        }
        if unread > 0 {
            lines.push(warning(
                "not-taken",
                format!("Deliveries that could not be read, or speak for an account that is not theirs: {unread}."),
                "Look at `problems` of the API's health, and try them again with another component.",
            ));
        }
        Ok(lines)
    }
}

impl Accounts {
    /// What came in and what went out last.
    async fn traffic(&self, row: &AccountRow) -> Result<Vec<CheckResult>, InboxError> {
        let now = self.base.clock.now();
        let traffic = self.base.inbox.traffic(row.id).await?;
        let ago = |at: u64| format!("{} ago", span(now.saturating_sub(at)));
        let events = if traffic.events.is_empty() {
            warning(
                "last-event",
                "Nothing has come in for this account yet.",
                "Send it a message from another account. If nothing arrives, see the lines about webhooks, and whether \
                 the app is live at the platform: an app in development gets webhooks of its own people only.",
            )
        } else {
            let kinds = traffic.events.iter().map(|(kind, at)| format!("{kind} {}", ago(*at)));
            passed("last-event", format!("Last events: {}.", kinds.collect::<Vec<_>>().join(", ")))
        };
        let sent = match traffic.last_send {
            None => line("last-send", CheckLevel::Skipped, "Nothing has been sent from this account yet.", None),
            Some((state, at, _)) if state == "sent" => {
                passed("last-send", format!("The last message went out {}.", ago(at)))
            }
            Some((state, at, failure)) => {
                let failure = failure.map(|failure| {
                    let fix = failure.fix.unwrap_or_else(|| "Look at the reply in its conversation.".into());
                    (failure.message, fix)
                });
                let (sentence, fix) = failure.unwrap_or_else(|| {
                    ("How it ended is not known.".into(), "Look whether it arrived before sending it again.".into())
                });
                failed("last-send", format!("The last message ended as {state}, {}: {sentence}", ago(at)), &fix)
            }
        };
        let waiting = match traffic.waiting {
            0 => passed("outbox", "No reply is waiting."),
            count => warning(
                "outbox",
                format!("{count} replies are waiting to be sent."),
                "They go out as soon as the account can be used.",
            ),
        };
        Ok(vec![events, sent, waiting])
    }

    /// Whether what stands in the platform's archive has come in by webhook.
    async fn arrivals(self: &Arc<Self>, row: &AccountRow, registered: &LoadedChannel) -> CheckResult {
        const NAME: &str = "webhooks-arrive";
        let since = row.connected_at;
        match self.missing_messages(row, registered, since).await {
            Ok(None) => line(NAME, CheckLevel::Skipped, "The platform has no archive to compare with.", None),
            Ok(Some((0, 0))) => line(
                NAME,
                CheckLevel::Skipped,
                "Nothing that came since connecting is old enough yet to be compared with the platform's archive.",
                None,
            ),
            Ok(Some((0, known))) => {
                passed(NAME, format!("All {known} recent messages of the platform's archive are in the inbox."))
            }
            Ok(Some((missing, _))) => failed(
                NAME,
                format!("{missing} messages since connecting are in the platform's archive and came by no webhook."),
                "Make sure that the app is live at the platform (in development it gets webhooks of its own people \
                 only), that its webhook address is this host's, and that the account is subscribed.",
            ),
            Err(error) => {
                line(NAME, CheckLevel::Skipped, format!("The platform's archive could not be read: {error}"), None)
            }
        }
    }
}

/// A time for people.
fn span(ms: u64) -> String {
    match ms / 1000 {
        seconds @ 0..120 => format!("{seconds} s"),
        seconds @ 120..7200 => format!("{} min", seconds / 60),
        seconds @ 7200..172_800 => format!("{} h", seconds / 3600),
        seconds => format!("{} days", seconds / 86_400),
    }
}
