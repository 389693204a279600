//! Owns: the writes that wait, and which of them runs next.
//! Does not own: running them (the thread).

use std::{
    collections::VecDeque,
    sync::mpsc::{Receiver, RecvTimeoutError},
    time::{Duration, Instant},
};

/// Who waits for a write.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Priority {
    /// A person, or a platform that waits for its answer.
    Interactive,
    /// A worker of the host. It may wait until others' writes share its commit.
    Background,
    /// The same with many rows. It is the first of its transaction: what SQLite keeps for undoing a later one grows with
    /// it, and is walked through with nearly every statement.
    Bulk,
}

/// How often transactions of background writes may begin while they keep coming. Every commit costs an fsync, and makes
/// each reader look again and forget what it had read of the file.
const EACH: Duration = Duration::from_millis(5);
/// How many may begin at once after a time without any, so that a lone delivery waits for nothing.
const BURST: u32 = 8;

/// Writes handed over through a channel, in the order in which they came, by priority.
pub(super) struct Waiting<J> {
    jobs: Receiver<(Priority, J)>,
    interactive: VecDeque<J>,
    /// Each with whether it is [`Priority::Bulk`].
    background: VecDeque<(bool, J)>,
    /// The most that this holds. What waits beyond it stays in the channel, which has a bound of its own.
    room: usize,
    pace: Pace,
    /// The last transaction left out background writes that were due, so the next begins with one.
    owed: bool,
}

/// What a transaction has run so far.
#[derive(Clone, Copy, Default)]
pub(super) struct Ran {
    interactive: bool,
    background: bool,
}

impl<J> Waiting<J> {
    pub(super) fn new(jobs: Receiver<(Priority, J)>, room: usize) -> Self {
        let (interactive, background) = (VecDeque::new(), VecDeque::new());
        Self { jobs, interactive, background, room, pace: Pace::default(), owed: false }
    }

    /// Waits until a transaction may begin, at most for `limit`. Returns whether one may.
    ///
    /// # Errors
    /// All handles are gone and everything was run.
    pub(super) fn wait(&mut self, limit: Option<Duration>) -> Result<bool, RecvTimeoutError> {
        self.take();
        let due = self.due_in(Instant::now());
        if due == Some(Duration::ZERO) {
            return Ok(true);
        }
        let next = match due.into_iter().chain(limit).min() {
            None => self.jobs.recv().map_err(|_| RecvTimeoutError::Disconnected),
            Some(wait) => self.jobs.recv_timeout(wait),
        };
        match next {
            Ok(job) => self.put(job),
            Err(RecvTimeoutError::Timeout) => {}
            // Nobody will come to share a commit.
            Err(RecvTimeoutError::Disconnected) if !self.background.is_empty() => return Ok(true),
            Err(RecvTimeoutError::Disconnected) => return Err(RecvTimeoutError::Disconnected),
        }
        Ok(self.due_in(Instant::now()) == Some(Duration::ZERO))
    }

    /// The time until a transaction may begin; `None` if nothing waits.
    fn due_in(&self, now: Instant) -> Option<Duration> {
        if !self.interactive.is_empty() {
            return Some(Duration::ZERO);
        }
        (!self.background.is_empty()).then(|| self.pace.due_in(now))
    }

    /// The next write of a transaction, or `None` if it should be committed. Interactive writes come first, and are not
    /// kept waiting for background ones. Of two transactions in a row one takes what is due in the background.
    pub(super) fn next(&mut self, ran: &mut Ran) -> Option<J> {
        self.take();
        if self.owed && !ran.background {
            self.owed = false;
            ran.background = true;
            return self.background.pop_front().map(|(_, job)| job);
        }
        if let Some(job) = self.interactive.pop_front() {
            ran.interactive = true;
            return Some(job);
        }
        let bulk = self.background.front().is_some_and(|(bulk, _)| *bulk);
        if ran.interactive || (bulk && ran.background) {
            return None;
        }
        ran.background = true;
        self.background.pop_front().map(|(_, job)| job)
    }

    /// Records that a transaction ended.
    pub(super) fn ended(&mut self, ran: Ran) {
        let now = Instant::now();
        if ran.background {
            self.pace.note(now);
        }
        self.owed = !ran.background && !self.background.is_empty() && self.pace.due_in(now).is_zero();
    }

    fn take(&mut self) {
        while self.interactive.len() + self.background.len() < self.room
            && let Ok(job) = self.jobs.try_recv()
        {
            self.put(job);
        }
    }

    fn put(&mut self, (priority, job): (Priority, J)) {
        match priority {
            Priority::Interactive => self.interactive.push_back(job),
            Priority::Background => self.background.push_back((false, job)),
            Priority::Bulk => self.background.push_back((true, job)),
        }
    }
}

/// When the next background transaction may begin: one for each [`EACH`], after at most [`BURST`] at once.
#[derive(Default)]
struct Pace {
    /// When all that began would have begun, had each waited for the one before.
    used_until: Option<Instant>,
}

impl Pace {
    fn due_in(&self, now: Instant) -> Duration {
        let ahead = self.used_until.map_or(Duration::ZERO, |until| until.saturating_duration_since(now));
        ahead.saturating_sub(EACH * (BURST - 1))
    }

    fn note(&mut self, now: Instant) {
        self.used_until = Some(self.used_until.map_or(now, |until| until.max(now)) + EACH);
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use std::sync::mpsc::{Sender, channel};

    use super::*;

    fn waiting(room: usize) -> (Sender<(Priority, &'static str)>, Waiting<&'static str>) {
        let (queue, jobs) = channel();
        (queue, Waiting::new(jobs, room))
    }

    /// What one transaction runs.
    fn transaction(waiting: &mut Waiting<&'static str>) -> Vec<&'static str> {
        let mut ran = Ran::default();
        let all = std::iter::from_fn(|| waiting.next(&mut ran)).collect();
        waiting.ended(ran);
        all
    }

    #[test]
    fn a_reply_does_not_wait_behind_the_workers_and_they_do_not_wait_for_ever() {
        let (queue, mut waiting) = waiting(100);
        for job in ["deliveries", "file", "position"] {
            queue.send((Priority::Background, job)).unwrap();
        }
        queue.send((Priority::Interactive, "reply")).unwrap();
        queue.send((Priority::Interactive, "label")).unwrap();
        assert_eq!(transaction(&mut waiting), ["reply", "label"]);
        queue.send((Priority::Interactive, "note")).unwrap();
        assert_eq!(transaction(&mut waiting), ["deliveries", "note"]);
        assert_eq!(transaction(&mut waiting), ["file", "position"]);
        assert!(transaction(&mut waiting).is_empty());
    }

    #[test]
    fn a_reply_that_comes_while_a_transaction_runs_is_in_it() {
        let (queue, mut waiting) = waiting(100);
        let mut ran = Ran::default();
        queue.send((Priority::Background, "deliveries")).unwrap();
        queue.send((Priority::Background, "file")).unwrap();
        assert_eq!(waiting.next(&mut ran), Some("deliveries"));
        queue.send((Priority::Interactive, "reply")).unwrap();
        assert_eq!(waiting.next(&mut ran), Some("reply"));
        assert_eq!(waiting.next(&mut ran), None);
    }

    #[test]
    fn what_writes_many_rows_begins_its_transaction() {
        let (queue, mut waiting) = waiting(100);
        for (priority, job) in
            [(Priority::Background, "file"), (Priority::Bulk, "rows"), (Priority::Background, "position")]
        {
            queue.send((priority, job)).unwrap();
        }
        queue.send((Priority::Bulk, "events")).unwrap();
        assert_eq!(transaction(&mut waiting), ["file"]);
        assert_eq!(transaction(&mut waiting), ["rows", "position"]);
        queue.send((Priority::Interactive, "reply")).unwrap();
        assert_eq!(transaction(&mut waiting), ["reply"]);
        assert_eq!(transaction(&mut waiting), ["events"]);
    }

    #[test]
    fn what_is_held_has_a_bound() {
        let (queue, mut waiting) = waiting(2);
        for job in ["one", "two", "three"] {
            queue.send((Priority::Background, job)).unwrap();
        }
        waiting.take();
        assert_eq!(waiting.background.len(), 2);
        assert_eq!(transaction(&mut waiting), ["one", "two", "three"]);
    }

    #[test]
    fn everything_is_run_after_the_last_handle_is_gone() {
        let (queue, mut waiting) = waiting(100);
        waiting.pace.used_until = Some(Instant::now() + Duration::from_hours(1));
        queue.send((Priority::Background, "deliveries")).unwrap();
        drop(queue);
        assert_eq!(waiting.wait(None), Ok(true));
        assert_eq!(transaction(&mut waiting), ["deliveries"]);
        assert_eq!(waiting.wait(None), Err(RecvTimeoutError::Disconnected));
    }

    #[test]
    fn background_transactions_begin_at_a_pace_and_a_lone_one_at_once() {
        let (mut pace, now) = (Pace::default(), Instant::now());
        for _ in 0..BURST {
            assert_eq!(pace.due_in(now), Duration::ZERO);
            pace.note(now);
        }
        assert_eq!(pace.due_in(now), EACH);
        assert_eq!(pace.due_in(now + EACH), Duration::ZERO);
        assert_eq!(pace.due_in(now + EACH * BURST), Duration::ZERO);
    }
}
