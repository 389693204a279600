//! Owns: the jobs that keep accounts healthy: refreshing credentials before they expire, profiles, reading the history.
//! Does not own: what the platform is asked (the channel).

use std::{sync::Arc, time::Duration};

use harness_contract::{
    AccountError, AccountSettings, Delivery, DeliverySource, FailureCategory, HistoryPage, HistoryRequest, HttpError,
    Refreshed,
};
use harness_inbox::{AccountId, AccountState, ContactId, DueHistory, DueProfile, HistoryMark, NewDelivery, Proof};
use tokio::task::JoinSet;

use super::{Accounts, AccountsError, alone::Kind};
use crate::{
    base::{
        places::{Owner, Place, Places},
        rate_limit::CONVERSATIONS,
        tasks::{REST, Worker},
    },
    channels::circuit_breaker::Part,
    error::sentence,
};
use harness_egress::credentials::random;

const SECOND: u64 = 1000;
const MINUTE: u64 = 60 * SECOND;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;

/// A failed refresh of credentials that expire within this time is shown to people. In milliseconds.
const WARN_BEFORE: u64 = 10 * DAY;
/// How long what becomes due is collected, in real time: deliveries wake this at every turn, and few bring a new contact.
const TOGETHER: Duration = Duration::from_millis(25);
/// Concurrent calls of one kind. One channel gets at most half of them.
const AT_ONCE: usize = 8;
/// Concurrent calls of one kind for one account.
const OF_ONE_ACCOUNT: usize = 2;
/// Number of due profiles that are considered per round.
const PROFILES: usize = 64;
/// The age at which a profile is fetched again, in milliseconds.
const PROFILE_AGE: u64 = 7 * DAY;
/// Number of history messages requested per call.
const PAGE: u32 = 50;
/// The pause between two history calls, in milliseconds: platforms allow few of them.
const PAGE_PAUSE: u64 = 600;
/// Maximum size of one history page, in bytes.
const PAGE_BYTES: usize = 8 << 20;
/// How often the history is compared with the journal, in milliseconds.
const RECONCILE: u64 = 6 * HOUR;
/// How far a comparison overlaps the previous one, in milliseconds.
const OVERLAP: u64 = HOUR;

/// What a job works on. No two jobs of one kind run for it at the same time.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
enum Subject {
    Account(AccountId),
    Contact(ContactId),
}

#[derive(Clone, Copy)]
enum Duty {
    Credentials,
    Archive,
    Profiles,
}

/// Runs the jobs until the host stops. The kinds run independently, so that a platform that is slow with one of them
/// does not delay the others.
pub(crate) async fn run(room: Arc<Accounts>) {
    tokio::join!(
        look_after(&room, Duty::Credentials),
        look_after(&room, Duty::Archive),
        look_after(&room, Duty::Profiles)
    );
}

async fn look_after(room: &Arc<Accounts>, duty: Duty) {
    let places = Places::new(AT_ONCE, OF_ONE_ACCOUNT);
    let mut under_way = JoinSet::new();
    loop {
        let mut due = std::pin::pin!(room.base.wake.accounts_due.notified());
        // Registered before the query, so that no wake-up is missed during it.
        due.as_mut().enable();
        let next = round(room, duty, &places, &mut under_way).await.unwrap_or_else(|error| {
            tracing::error!(%error, "looking after the accounts pauses");
            Some(room.base.clock.after(REST))
        });
        tokio::select! {
            () = due => tokio::time::sleep(TOGETHER).await,
            Some(_) = under_way.join_next() => {}
            () = room.base.clock.sleep_until(next) => {}
        }
    }
}

/// Starts the due jobs that get a place. Places are limited per account, so a hanging platform does not block other
/// accounts. Returns when something is next due.
async fn round(
    room: &Arc<Accounts>,
    duty: Duty,
    places: &Places<Subject>,
    under_way: &mut JoinSet<()>,
) -> Result<Option<u64>, AccountsError> {
    let (now, inbox) = (room.base.clock.now(), &room.base.inbox);
    Ok(match duty {
        Duty::Credentials => {
            room.sweep_links().await?;
            for account in inbox.due_refreshes(now).await? {
                let channel = inbox.account_row(account).await?.channel;
                let Some(place) = place(places, (&channel, account), Subject::Account(account)) else { continue };
                under_way.spawn(begin(Arc::clone(room), place, async move |room| {
                    refresh_due(room, account).await.map(|()| Left::Done)
                }));
            }
            inbox.next_refresh(now).await?.into_iter().chain(room.links.next_over()).min()
        }
        Duty::Archive => {
            for due in inbox.due_history(now).await? {
                let of = Subject::Account(due.account);
                let Some(place) = place(places, (&due.channel, due.account), of) else { continue };
                under_way.spawn(begin(Arc::clone(room), place, async move |room| history(room, due).await));
            }
            inbox.next_history(now).await?
        }
        Duty::Profiles => {
            for due in inbox.due_profiles(now, PROFILES).await? {
                let of = Subject::Contact(due.contact);
                let Some(place) = place(places, (&due.channel, due.account), of) else { continue };
                under_way.spawn(begin(Arc::clone(room), place, async move |room| {
                    profile(room, due).await.map(|()| Left::Done)
                }));
            }
            inbox.next_profile(now).await?
        }
    })
}

/// How a job ended.
#[derive(Clone, Copy, Eq, PartialEq)]
enum Left {
    /// Finished or rescheduled.
    Done,
    /// Waiting for something else to finish.
    StillDue,
}

fn place(places: &Places<Subject>, (channel, account): (&str, AccountId), of: Subject) -> Option<Place<Subject>> {
    places.take(Owner { channel, account, conversation: None }, of)
}

async fn begin<W>(room: Arc<Accounts>, place: Place<Subject>, work: W)
where
    W: AsyncFnOnce(&Arc<Accounts>) -> Result<Left, AccountsError>,
{
    let _place = place;
    let done = room.base.tasks.guarded(Worker::Keeper, work(&room)).await;
    if let Ok(Err(error)) = &done {
        tracing::error!(%error, "looking after an account pauses");
    }
    if !matches!(done, Ok(Ok(Left::Done))) {
        // The job is still due: do not retry at once.
        room.base.clock.wait(REST).await;
    }
}

/// When to refresh credentials that expire at `ends`: after two thirds of the remaining time, minus a random share, so
/// that accounts connected together are not refreshed together. Credentials without an expiry are checked once a week,
/// so that a revoked one is noticed even if nobody writes.
pub(crate) fn next_refresh(ends: Option<u64>, now: u64) -> u64 {
    let chance = random::<2>().map_or(0, u16::from_le_bytes);
    let share = |of: u64| of / 10 * u64::from(chance) / u64::from(u16::MAX);
    let wait = match ends {
        Some(ends) => {
            let left = ends.saturating_sub(now);
            (left / 3 * 2).saturating_sub(share(left))
        }
        None => (7 * DAY).saturating_sub(share(7 * DAY)),
    };
    now.saturating_add(wait.max(MINUTE))
}

/// Refreshes an account's credentials, unless somebody asked for it meanwhile.
async fn refresh_due(room: &Arc<Accounts>, account: AccountId) -> Result<(), AccountsError> {
    let _alone = room.under_way.alone(Kind::Credentials, account).await;
    let at = room.base.inbox.account_row(account).await?.refresh_at;
    if at.is_some_and(|at| at <= room.base.clock.now()) {
        // What failed is in the account's row, or is tried again.
        let _ = refresh(room, account).await?;
    }
    Ok(())
}

/// Refreshes an account's credentials now, and records what came of it. Returns what the channel said. Only one at a time
/// for an account.
pub(super) async fn refresh(
    room: &Arc<Accounts>,
    account: AccountId,
) -> Result<Result<Refreshed, AccountsError>, AccountsError> {
    let now = room.base.clock.now();
    // Read before the call: the result does not apply to a later connection.
    let connection = room.base.inbox.account_row(account).await?.connection;
    let renewed = room.call(account, |channel, effects, account| channel.refresh(effects, account)).await;
    let row = room.base.inbox.account_row(account).await?;
    // What was asked for ahead of its time and failed is not due any sooner.
    let again = |wait: u64| Some(row.refresh_at.filter(|at| *at > now).unwrap_or_else(|| now.saturating_add(wait)));
    match &renewed {
        Ok(Refreshed { before: ends, settings }) => {
            if !settings.is_empty() {
                room.base.inbox.note_settings(account, connection, settings.clone(), now).await?;
            }
            room.base.inbox.note_refresh(account, connection, *ends, Some(next_refresh(*ends, now))).await?;
            // The credentials work again, so nobody has to act.
            if row.state == AccountState::NeedsReconnect || row.problem.is_some() {
                room.base.inbox.mark_account(account, connection, AccountState::Connected, None, now).await?;
                room.base.wake.usable();
            }
        }
        // There is nothing to renew.
        Err(AccountsError::Account(error)) if matches!(**error, AccountError::Unsupported) => {
            room.base.inbox.note_refresh(account, connection, row.refresh_before, None).await?;
        }
        // The account needs a person, but is retried now and then.
        Err(AccountsError::Account(error)) => {
            let wait = if row.state == AccountState::NeedsReconnect { DAY } else { HOUR };
            let ends = row.refresh_before;
            if row.state == AccountState::Connected && ends.is_some_and(|ends| ends < now.saturating_add(WARN_BEFORE)) {
                let days = ends.unwrap_or(now).saturating_sub(now) / DAY;
                let problem = format!(
                    "The account's credentials end in {days} days, and renewing them failed: {} Connect it again in time.",
                    sentence(error)
                );
                let state = AccountState::Connected;
                room.base.inbox.mark_account(account, connection, state, Some(problem), now).await?;
            }
            room.base.inbox.note_refresh(account, connection, ends, again(wait)).await?;
        }
        Err(AccountsError::Disconnected(_)) => {}
        // The channel is not loaded yet, or no sandbox is free.
        Err(_) => {
            room.base.inbox.note_refresh(account, connection, row.refresh_before, again(MINUTE)).await?;
        }
    }
    Ok(renewed)
}

/// Fetches a contact's profile. Without one, people see a placeholder, never an error.
async fn profile(room: &Arc<Accounts>, due: DueProfile) -> Result<(), AccountsError> {
    let (id, thread) = (due.platform_id.clone(), due.thread.clone());
    let asked = room
        .call(due.account, move |channel, effects, account| channel.profile(effects, account, &id, thread.as_deref()))
        .await;
    let now = room.base.clock.now();
    let (problem, wait) = match asked {
        Ok(profile) => {
            return Ok(room
                .base
                .inbox
                .note_profile(due.contact, &profile, now, now.saturating_add(PROFILE_AGE))
                .await?);
        }
        Err(AccountsError::Account(error)) => {
            let wait = match &*error {
                AccountError::Unsupported => u64::MAX / 4,
                AccountError::Platform(failure) => match failure.category {
                    FailureCategory::RateLimited | FailureCategory::PlatformTransient => {
                        failure.retry_after.unwrap_or(0).max(5 * MINUTE)
                    }
                    // Consent is missing, or the platform does not know the person. Both may change.
                    _ => DAY,
                },
                AccountError::Http(HttpError::Unreachable(_) | HttpError::TimedOut) => 5 * MINUTE,
                _ => DAY,
            };
            (sentence(&error), wait)
        }
        Err(error) => (error.to_string(), MINUTE),
    };
    Ok(room.base.inbox.note_no_profile(due.contact, problem, now.saturating_add(wait)).await?)
}

/// Reads one page of an account's history into the journal. Waits while the channel cannot translate, while the
/// previous page is queued, and while the history's share of the backlog is used up: webhooks go first.
async fn history(room: &Arc<Accounts>, due: DueHistory) -> Result<Left, AccountsError> {
    let _alone = room.under_way.alone(Kind::Archive, due.account).await;
    let now = room.base.clock.now();
    // Somebody may have asked for earlier messages meanwhile.
    let still_due = room.base.inbox.due_history(now).await?.into_iter().find(|now_due| now_due.account == due.account);
    let Some(due) = still_due else { return Ok(Left::Done) };
    let channel = room.base.inbox.account_row(due.account).await?.channel;
    if room.channels.breakers.is_open(&channel, Part::Incoming)
        || room.base.inbox.is_queued(&channel, &due.platform_id).await?
    {
        return Ok(Left::StillDue);
    }
    if let Some(until) = room.backlog.archive_waits(&channel, due.account, now) {
        if until > now {
            let mark = HistoryMark { cursor: due.cursor, from: due.from, next: Some(until) };
            room.base.inbox.note_history(due.account, due.connection, Vec::new(), mark).await?;
            return Ok(Left::Done);
        }
        return Ok(Left::StillDue);
    }
    let request =
        HistoryRequest { contact: None, thread: None, since: Some(due.from), cursor: due.cursor.clone(), limit: PAGE };
    let read = room
        .call_in_class(due.account, Some(CONVERSATIONS), move |channel, effects, account| {
            channel.history(effects, account, &request)
        })
        .await;
    let again =
        |wait: u64| HistoryMark { cursor: due.cursor.clone(), from: due.from, next: Some(now.saturating_add(wait)) };
    let (items, mark) = match read {
        // Nothing is stored, so nothing is lost: the page is requested again.
        Ok(page) if page.items.len() > PAGE as usize || page_bytes(&page) > PAGE_BYTES => {
            let (items, bytes) = (page.items.len(), page_bytes(&page));
            tracing::warn!(
                account = due.account.get(),
                items,
                bytes,
                asked = PAGE,
                "the archive gave more than it was asked for"
            );
            (Vec::new(), again(10 * MINUTE))
        }
        Ok(page) => {
            room.backlog.add_archived(due.account, page.items.len(), page_bytes(&page), now);
            let end = page.next_cursor.is_none();
            let items = page.items.into_iter().map(|item| NewDelivery {
                channel: channel.clone(),
                delivery: Delivery {
                    source: DeliverySource::History,
                    body: item.body,
                    headers: Vec::new(),
                    received_at: now,
                    query: String::new(),
                    account: Some(AccountSettings {
                        id: due.platform_id.clone(),
                        settings: Vec::new(),
                        webhook_url: None,
                    }),
                },
                proof: Proof::Archive { account: due.platform_id.clone() },
            });
            let mark = if end {
                // From now on it is compared periodically, to find messages that never arrived.
                let from = now.saturating_sub(OVERLAP).max(due.from);
                HistoryMark { cursor: None, from, next: Some(now.saturating_add(RECONCILE)) }
            } else {
                HistoryMark { cursor: page.next_cursor, from: due.from, next: Some(now.saturating_add(PAGE_PAUSE)) }
            };
            (items.collect::<Vec<_>>(), mark)
        }
        Err(AccountsError::Account(error)) if matches!(*error, AccountError::Unsupported) => {
            (Vec::new(), HistoryMark { cursor: None, from: due.from, next: None })
        }
        Err(AccountsError::Account(error)) => {
            tracing::warn!(account = due.account.get(), reason = sentence(&error), "the archive could not be read");
            let wait = match &*error {
                AccountError::Platform(failure) => failure.retry_after.unwrap_or(0).max(10 * MINUTE),
                _ => 10 * MINUTE,
            };
            (Vec::new(), again(wait))
        }
        Err(_) => (Vec::new(), again(MINUTE)),
    };
    let sizes: Vec<usize> = items.iter().map(|item| item.delivery.body.len()).collect();
    room.base.inbox.note_history(due.account, due.connection, items, mark).await?;
    sizes.into_iter().for_each(|bytes| room.backlog.add(&channel, Some(&due.platform_id), bytes));
    room.base.wake.delivered.notify_one();
    Ok(Left::Done)
}

fn page_bytes(page: &HistoryPage) -> usize {
    page.items.iter().map(|item| item.body.len()).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_are_renewed_well_before_they_end_and_not_all_at_once() {
        let (now, ends) = (1_000 * DAY, 1_060 * DAY);
        let times: std::collections::BTreeSet<u64> = (0..50).map(|_| next_refresh(Some(ends), now)).collect();
        assert!(times.len() > 10, "{times:?}");
        assert!(times.iter().all(|at| *at >= now + 30 * DAY && *at <= ends - 15 * DAY), "{times:?}");
        assert!(next_refresh(Some(now), now) > now);
        assert!(next_refresh(None, now) <= now + 7 * DAY);
    }
}
