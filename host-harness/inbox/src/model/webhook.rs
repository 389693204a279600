//! Owns: products' addresses that are told what changes, and which changes each of them asks for.
//! Does not own: telling them (the engine), the form of an event.

use std::fmt;

use super::{
    change::ChangeKind,
    ids::{WebhookId, WorkspaceId},
};

/// Which kinds of change a reader asks for: by name, or all that begin alike (`message.*`). Empty: every kind.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct KindFilter(Vec<String>);

/// A name that is no kind of change and no beginning of one.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct UnknownKind;

impl fmt::Display for UnknownKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kinds: Vec<_> = ChangeKind::ALL.iter().map(|kind| format!("`{}`", kind.name())).collect();
        write!(
            f,
            "a kind is the name of one, or the beginning of several with `.*`, such as `message.*`; there are {}",
            kinds.join(", ")
        )
    }
}

impl std::error::Error for UnknownKind {}

/// Whether a name or a pattern covers a kind.
fn covers(pattern: &str, kind: ChangeKind) -> bool {
    match pattern.strip_suffix('*') {
        Some(beginning) => beginning.ends_with('.') && kind.name().starts_with(beginning),
        None => kind.name() == pattern,
    }
}

impl KindFilter {
    /// The filter of these names.
    ///
    /// # Errors
    /// One of them covers no kind.
    pub fn new<S: Into<String>>(names: impl IntoIterator<Item = S>) -> Result<Self, UnknownKind> {
        let mut names: Vec<String> = names.into_iter().map(Into::into).collect();
        names.sort();
        names.dedup();
        let known = |name: &String| ChangeKind::ALL.iter().any(|kind| covers(name, *kind));
        if names.iter().all(known) { Ok(Self(names)) } else { Err(UnknownKind) }
    }

    /// The filter as it was stored. A name that this version does not know covers nothing.
    pub(crate) fn stored(names: Vec<String>) -> Self {
        Self(names)
    }

    /// Whether it asks for this kind.
    pub fn matches(&self, kind: ChangeKind) -> bool {
        self.0.is_empty() || self.0.iter().any(|name| covers(name, kind))
    }

    /// The names, in order.
    pub fn names(&self) -> &[String] {
        &self.0
    }
}

/// Whether an address is told of changes.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum WebhookState {
    /// It is told.
    Active,
    /// A person paused it. Its position stays.
    Paused,
    /// It failed for too long, or said that it is gone. A person resumes it.
    Failed,
}

impl WebhookState {
    /// The name in SQL and in the API.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Paused => "paused",
            Self::Failed => "failed",
        }
    }

    /// The state with this name.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Active, Self::Paused, Self::Failed].into_iter().find(|state| state.name() == name)
    }
}

/// A product's address.
#[derive(Clone, Debug, PartialEq)]
pub struct WebhookView {
    /// Its row id.
    pub id: WebhookId,
    /// Whose changes it is told.
    pub workspace: WorkspaceId,
    /// Where it is.
    pub url: String,
    /// Which changes it asks for.
    pub kinds: KindFilter,
    /// The number of the last change that it was told, or that it does not ask for.
    pub position: u64,
    /// Whether it is told.
    pub state: WebhookState,
    /// Why the last attempt failed, or why it is not told, as a sentence.
    pub problem: Option<String>,
    /// Since when attempts fail.
    pub failing_since: Option<u64>,
    /// Failed attempts since then.
    pub attempts: u32,
    /// Not before this time.
    pub next_attempt_at: u64,
    /// When it was made.
    pub created_at: u64,
}

/// An address to be told from now on.
#[derive(Clone, Debug)]
pub struct NewWebhook {
    /// Whose changes.
    pub workspace: WorkspaceId,
    /// Where.
    pub url: String,
    /// Which changes.
    pub kinds: KindFilter,
    /// The secret that signs them, sealed.
    pub secret: Vec<u8>,
    /// At most so many in one workspace.
    pub most: usize,
    /// The current time.
    pub now: u64,
}

/// What to change; `None` leaves it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct WebhookChange {
    /// Where it is.
    pub url: Option<String>,
    /// Which changes it asks for.
    pub kinds: Option<KindFilter>,
    /// Pause it, or resume it, also after it failed.
    pub paused: Option<bool>,
    /// Tell everything after this change, again or from there on.
    pub position: Option<u64>,
}

/// How an attempt ended.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct WebhookAttempt {
    /// The change that it was about; 0 for a test.
    pub seq: u64,
    /// When.
    pub at: u64,
    /// The answer's status; none if there was no answer.
    pub status: Option<u16>,
    /// Why it failed, as a sentence; none if it was taken.
    pub problem: Option<String>,
}

/// What follows from a failed attempt.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum WebhookFailure {
    /// It is tried again at this time.
    Later(u64),
    /// It is no longer told, with the reason as a sentence.
    End(String),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_takes_names_and_beginnings_and_nothing_else() {
        let filter = |names: &[&str]| KindFilter::new(names.iter().copied());
        assert!(filter(&[]).is_ok_and(|all| ChangeKind::ALL.iter().all(|kind| all.matches(*kind))));
        let some = filter(&["message.*", "reply.queued"]).unwrap_or_default();
        let matched: Vec<_> =
            ChangeKind::ALL.iter().filter(|kind| some.matches(**kind)).map(|kind| kind.name()).collect();
        let expected = [
            "message.created",
            "message.edited",
            "message.deleted",
            "message.reacted",
            "message.media",
            "reply.queued",
        ];
        assert_eq!(matched, expected);
        for wrong in ["", "*", ".*", "mess*", "message", "message.", "message.*.*", "nothing.*", "Message.created"] {
            assert_eq!(filter(&[wrong]), Err(UnknownKind), "{wrong}");
        }
    }
}
