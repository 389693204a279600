//! The inbox of the harness in one SQLite file: journal, conversations, messages, windows, outbox.
//! No network, no sandbox: channels hand in typed events and outcomes, products read the result.
//!
//! The way of a webhook: [`Inbox::record`] (durable before it returns: `arrivals.rs`), then [`Inbox::apply`].
//! The way of a reply: [`Inbox::queue_reply`], [`Inbox::begin_steps`], [`Inbox::finish_step`].

mod accounts;
mod apply;
mod arrivals;
mod backup;
mod checkpoint;
mod contacts;
mod conversations;
mod credentials;
mod doubt;
mod error;
#[cfg(fuzzing)]
#[doc(hidden)]
pub mod fuzzing;
mod gone;
mod history;
mod integrity;
mod journal;
mod known;
mod links;
mod lists;
mod load;
mod media;
mod messages;
mod outbox;
mod parked;
mod pauses;
mod private;
mod proof;
mod queue;
mod read;
mod retention;
mod sent;
mod shape;
mod storage;
mod traffic;
mod turns;
mod unnamed;
mod verdict;
mod waits;
mod window;
mod writer;

use std::{path::Path, sync::Arc};

pub use accounts::{AccountRow, AccountState, FromDialog, NewAccount};
pub use apply::{Applied, EventCounts, TranslatedDelivery};
pub use backup::{Claim, Copied, copy_file, known_schema, note_missing, verify_copy};
pub use contacts::{DueProfile, ErasureView, TakenCallback};
pub use credentials::SealedCredential;
pub use doubt::{Doubt, Seen, SeenMessage, Settlement};
pub use error::InboxError;
pub use history::{DueHistory, HistoryMark};
pub use integrity::{NamedFile, beside, check_file, named_files};
pub use journal::{DeliveryOrigin, NewDelivery, PendingDelivery};
pub use links::StoredLink;
pub use lists::{ConversationSummary, NoPlace, NoticeView, Page, Place, ReactionView, TimelineEntry};
pub use load::{QueuedDeliveries, Waiting};
pub use media::{DueMedia, HeldFile, MediaEnd, MediaState, MediaView};
pub use outbox::{OpenReply, StepEnd, StepState, StoredStep};
pub use parked::{ParkedCounts, ParkingBounds};
pub use private::{open_to_others, private_options};
pub use proof::Proof;
pub use queue::{NewReply, Queued, Remarks};
pub use read::{DeliveryCounts, ReplyState, ReplyView, StepView};
pub use retention::UnusedFiles;
pub use storage::MAX_STORAGE_KEY;
pub use traffic::Traffic;
pub use turns::DueReply;
pub use verdict::ReplyVerdict;
pub use window::compute as compute_window;

use arrivals::Arrivals;
use tokio::sync::broadcast;
use writer::Writer;

/// Something in the inbox changed. Sent after the change is durable.
#[derive(Clone, Debug, PartialEq)]
pub enum Update {
    /// A conversation has something new: a message, a reaction, a deletion, a notice, a step's outcome.
    Conversation {
        /// The conversation's row.
        conversation: i64,
        /// What kind of thing, by the contract's name, or `outcome`.
        kind: &'static str,
    },
    /// An account was connected, disconnected, or is in another state.
    Account {
        /// The account's row.
        account: i64,
    },
    /// A delivery could not be translated; it is kept.
    Failed {
        /// The delivery's row.
        delivery: i64,
    },
}

/// The inbox. Cloning shares it.
#[derive(Clone)]
pub struct Inbox {
    // Goes first: what it has taken is still written.
    arrivals: Arc<Arrivals>,
    writer: Arc<Writer>,
    readers: Arc<read::Readers>,
    updates: broadcast::Sender<Update>,
}

impl Inbox {
    /// Opens the file, or makes it, and brings its schema up to date.
    pub fn open(path: &Path) -> Result<Self, InboxError> {
        let mut opened = writer::open(path)?;
        let (log, last_id) = arrivals::recover(&mut opened.connection, &beside(path, arrivals::FILE))?;
        let (writer, queue) = Writer::start(opened)?;
        let arrivals = Arrivals::start(log, last_id, queue)?;
        let readers = read::Readers::new(path);
        // A slow listener misses updates and reads the inbox again; the inbox never waits for it.
        let (updates, _) = broadcast::channel(1024);
        Ok(Self { arrivals: Arc::new(arrivals), writer: Arc::new(writer), readers: Arc::new(readers), updates })
    }

    /// Listens to changes.
    pub fn updates(&self) -> broadcast::Receiver<Update> {
        self.updates.subscribe()
    }

    fn announce(&self, updates: impl IntoIterator<Item = Update>) {
        for update in updates {
            // Nobody listening is no error.
            let _ = self.updates.send(update);
        }
    }
}
