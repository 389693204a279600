//! The host as a library: what an inbox product embeds. Belongs here: loading channels, connecting
//! accounts, taking deliveries, queueing replies. The workers stand in `translate`, `outbox` and `media`.

use std::{
    collections::HashMap,
    sync::{Arc, PoisonError, RwLock},
};

use harness_contract::{
    ConversationContext, EntryPoints, HttpRequest, HttpResponse, OutboundMessage,
    manifest::SlotScope,
    settings::{RawSetting, SettingScope, merge_settings, resolve_settings},
};
use harness_inbox::{Inbox, NewAccount, NewReply, Queued, Remarks, Settlement};
use harness_sandbox::Sandbox;
use http::HeaderMap;
use tokio::{
    sync::{Mutex, Notify, watch},
    task::JoinHandle,
};

use crate::{
    accounts::{
        call::{self, CallScope},
        health::Seen,
        jobs,
        links::Links,
    },
    channels::{
        circuit_breaker::{BreakerView, Breakers},
        rollout::Generations,
    },
    clock::Clock,
    error::HostError,
    ingest::{
        backlog::Backlog,
        translate,
        verify::{self, Addressed, Refusal, Verified},
    },
    maintenance::{
        exposed,
        retention::{self, Retention},
    },
    media::{store::MediaStore, worker},
    observe::{
        metrics::Metrics,
        recorder::{Calls, Writable},
    },
    options::{HostOptions, Registered, check_slots},
    outbound::{attempt, dispatcher, doubts},
    rate_limit::Paces,
    tasks::{Tasks, Worker, supervise},
    whole::Begun,
};
use harness_egress::{
    Caller, Captured, Egress, EgressError, Files, Held, Memory, Sizes,
    credentials::{Secret, Secrets, Vault, VaultKey},
};
use tracing::Instrument as _;
use url::Url;

type RwBindings = tokio::sync::RwLock<()>;

/// The host. Cloning shares it; its workers end when the last clone is dropped.
#[derive(Clone)]
pub struct Host {
    pub(crate) shared: Arc<Shared>,
    workers: Arc<Workers>,
}

pub(crate) struct Shared {
    pub(crate) inbox: Inbox,
    pub(crate) sandbox: Sandbox,
    pub(crate) egress: Egress,
    pub(crate) paces: Paces,
    pub(crate) secrets: Secrets,
    pub(crate) vault: Vault,
    pub(crate) links: Links,
    /// Taken alone by whatever changes an account's connection, in the file and in memory; shared by whoever relies on
    /// both saying the same.
    pub(crate) bindings: RwBindings,
    pub(crate) begun: Begun,
    pub(crate) seen: Seen,
    pub(crate) breakers: Breakers,
    pub(crate) calls: Arc<Calls>,
    pub(crate) backlog: Backlog,
    pub(crate) writable: Writable,
    pub(crate) generations: Generations,
    pub(crate) tasks: Tasks,
    pub(crate) public_url: RwLock<Option<Url>>,
    pub(crate) media: MediaStore,
    /// Where conversations lie in files.
    pub(crate) places: Vec<std::path::PathBuf>,
    pub(crate) clock: Clock,
    pub(crate) retention: Retention,
    pub(crate) channels: RwLock<HashMap<String, Registered>>,
    pub(crate) sizes: Sizes,
    pub(crate) memory: Memory,
    pub(crate) delivered: Notify,
    pub(crate) queued: Notify,
    pub(crate) media_due: Notify,
    pub(crate) accounts_due: Notify,
}

/// The workers. Dropped without a shutdown, they end where they are: what is on its way then is
/// unknown at the next start.
struct Workers {
    stop: watch::Sender<bool>,
    translate: JoinHandle<()>,
    media: JoinHandle<()>,
    keeper: JoinHandle<()>,
    doubts: JoinHandle<()>,
    upkeep: JoinHandle<()>,
    outbox: Mutex<JoinHandle<()>>,
}

impl Drop for Workers {
    fn drop(&mut self) {
        self.translate.abort();
        self.media.abort();
        self.keeper.abort();
        self.doubts.abort();
        self.upkeep.abort();
        self.outbox.get_mut().abort();
    }
}

impl Host {
    /// Opens the inbox, settles what a crash interrupted, and starts the workers. Needs a Tokio runtime.
    pub async fn open(options: HostOptions) -> Result<Self, HostError> {
        let media = match options.media {
            Some(store) => store,
            None => MediaStore::in_folder(&options.inbox.with_file_name("media"))?,
        };
        let vault_key = options.vault_key.unwrap_or_else(|| VaultKey::File(options.inbox.with_file_name("vault.key")));
        let calls = Calls::new(Arc::new(Metrics::new()), options.clock.clone(), options.record.as_deref());
        let calls = Arc::new(calls.map_err(HostError::Record)?);
        let shared = Arc::new(Shared {
            places: exposed::places_of(&options.inbox),
            inbox: Inbox::open(&options.inbox)?,
            sandbox: Sandbox::observed(options.sandbox, Some(Arc::clone(&calls) as _))?,
            egress: Egress::new(options.endpoints, options.exchange, Arc::new(options.exchange_clock), options.sizes)?,
            paces: Paces::new(options.clock.clone()),
            secrets: Secrets::default(),
            vault: Vault::open(&vault_key)?,
            links: Links::default(),
            bindings: RwBindings::default(),
            begun: Begun::default(),
            seen: Seen::default(),
            breakers: Breakers::default(),
            calls,
            backlog: Backlog::new(options.budget),
            writable: Writable::default(),
            generations: Generations::default(),
            tasks: Tasks::new(options.at_task),
            public_url: RwLock::default(),
            media,
            clock: options.clock,
            retention: options.retention,
            channels: RwLock::default(),
            sizes: options.sizes,
            memory: Memory::new(options.sizes.memory),
            delivered: Notify::new(),
            queued: Notify::new(),
            media_due: Notify::new(),
            accounts_due: Notify::new(),
        });
        // This host has the inbox alone, and so its files.
        worker::remove_unfinished(&shared).await?;
        shared.warn_of_exposed();
        shared.count_backlog(true).await?;
        shared.open_credentials().await?;
        shared.open_links().await?;
        shared.inbox.bound_waits(shared.clock.now()).await?;
        let interrupted = shared.inbox.settle_interrupted(shared.clock.now()).await?;
        if interrupted > 0 {
            tracing::warn!(interrupted, "requests were on their way when the last run ended: their outcome is unknown");
        }
        let (stop, stopped) = watch::channel(false);
        fn spawn<F: Future<Output = ()> + Send + 'static>(
            shared: &Arc<Shared>,
            worker: Worker,
            run: impl Fn(Arc<Shared>) -> F + Send + Sync + 'static,
        ) -> JoinHandle<()> {
            tokio::spawn(supervise(Arc::clone(shared), worker, run))
        }
        let workers = Workers {
            stop,
            translate: spawn(&shared, Worker::Translate, translate::run),
            media: spawn(&shared, Worker::Media, worker::run),
            keeper: spawn(&shared, Worker::Keeper, jobs::run),
            doubts: spawn(&shared, Worker::Doubts, doubts::run),
            upkeep: spawn(&shared, Worker::Upkeep, retention::run),
            outbox: Mutex::new(spawn(&shared, Worker::Outbox, move |shared| dispatcher::run(shared, stopped.clone()))),
        };
        Ok(Self { shared, workers: Arc::new(workers) })
    }

    /// Takes up no further reply and waits until every request under way has its end, and whatever else was begun.
    pub async fn shutdown(&self) {
        let _ = self.workers.stop.send(true);
        self.shared.begun.ended().await;
        let mut outbox = self.workers.outbox.lock().await;
        if !outbox.is_finished() {
            // A worker that panicked has nothing left to wait for.
            let _ = (&mut *outbox).await;
        }
    }

    /// Connects an account scope credentials are at hand. Returns its row in the inbox.
    pub async fn connect_account(
        &self,
        channel: &str,
        account: &str,
        name: &str,
        settings: &std::collections::BTreeMap<String, RawSetting>,
        secrets: HashMap<String, Secret>,
    ) -> Result<i64, HostError> {
        let registered = self.channel(channel)?;
        let manifest = registered.channel.manifest();
        let settings = resolve_settings(&manifest.settings, SettingScope::Account, settings).map_err(|source| {
            HostError::Settings { channel: channel.to_owned(), account: account.to_owned(), source }
        })?;
        check_slots(manifest, &secrets, SlotScope::Account)?;
        let new = NewAccount {
            channel: channel.to_owned(),
            platform_id: account.to_owned(),
            name: name.to_owned(),
            settings,
            dialog: None,
            now: self.shared.clock.now(),
        };
        let (shared, channel, account) = (Arc::clone(&self.shared), channel.to_owned(), account.to_owned());
        let connect = async move {
            let _alone = shared.bindings.write().await;
            // First, so that no worker meets the account without them.
            shared.secrets.set_configured(&channel, Some(&account), secrets);
            let row = shared.inbox.connect_account(new).await?;
            shared.connected();
            Ok(row)
        };
        self.shared.begun.whole(connect).await
    }

    /// Says where this host is reached from outside, such as `https://inbox.example`: for the addresses that
    /// platforms and browsers are given.
    pub fn set_public_url(&self, url: Url) {
        *self.shared.public_url.write().unwrap_or_else(PoisonError::into_inner) = Some(url);
    }

    /// Asks the platform to stop, and forgets the account's credentials. Its conversations stay, or go.
    ///
    /// A platform that does not answer does not keep anybody: then the second value says what it did not do.
    pub async fn disconnect(&self, account: i64, delete_conversations: bool) -> Result<Option<String>, HostError> {
        let shared = Arc::clone(&self.shared);
        let disconnect = async move { jobs::disconnect(&shared, account, delete_conversations).await };
        self.shared.begun.whole(disconnect).await
    }

    /// Writes an account's ice breakers and its menu on its platform.
    pub async fn configure(&self, account: i64, wanted: EntryPoints) -> Result<(), HostError> {
        let shared = Arc::clone(&self.shared);
        self.shared.begun.whole(async move { call::configure(&shared, account, wanted).await }).await
    }

    /// Nothing yet of the memory for the body of a webhook of this channel: it grows as the body comes.
    pub fn webhook_memory(&self, channel: &str) -> Held {
        self.shared.memory.webhook(channel)
    }

    /// Whether a channel declares a callback of this name.
    pub fn has_callback(&self, channel: &str, name: &str) -> bool {
        self.channel(channel).is_ok_and(|registered| registered.channel.manifest().callbacks.contains_key(name))
    }

    /// A webhook or a callback was refused for its size.
    pub fn note_too_large(&self, channel: &str) {
        if self.channel(channel).is_ok() {
            self.shared.seen.webhook(channel, Err(Refusal::TooLarge), self.shared.clock.now());
        }
    }

    /// What a webhook must have before its body is read: a channel, the header with the proof, a length
    /// within the bound. Returns the bound, in bytes.
    pub fn expect(&self, channel: &str, headers: &HeaderMap, announced: Option<u64>) -> Result<usize, Refusal> {
        let registered = self.channel(channel).map_err(|_| Refusal::UnknownChannel)?;
        let webhook = &registered.channel.manifest().webhook;
        if !headers.contains_key(webhook.verification.header()) {
            return Err(Refusal::NoProof);
        }
        match announced {
            Some(length) if length > webhook.max_body_bytes as u64 => {
                self.note_too_large(channel);
                Err(Refusal::TooLarge)
            }
            _ => Ok(webhook.max_body_bytes),
        }
    }

    /// Takes a webhook of a channel's address: verifies it and makes it durable. When this returns, the platform may
    /// be told 200.
    pub async fn deliver(&self, channel: &str, headers: &HeaderMap, body: Vec<u8>) -> Result<i64, HostError> {
        self.deliver_to(Addressed { channel, account: None }, headers, body).await
    }

    /// The same at an address that may name the account: then one secret is tried, and the channel's own.
    pub async fn deliver_to(&self, to: Addressed<'_>, headers: &HeaderMap, body: Vec<u8>) -> Result<i64, HostError> {
        let registered = self.channel(to.channel).map_err(|_| Refusal::UnknownChannel)?;
        let webhook = &registered.channel.manifest().webhook;
        let now = self.shared.clock.now();
        let verified = verify::verify(to, webhook, &self.shared.secrets, headers, body, now);
        let slot = verified.as_ref().map(|verified| verified.proof().slot().unwrap_or_default());
        self.shared.seen.webhook(to.channel, slot.map_err(|refusal| *refusal), now);
        self.record(verified?).await
    }

    /// Makes a delivery durable, if its channel and its account may have one more waiting.
    async fn record(&self, verified: Verified) -> Result<i64, HostError> {
        let new = verified.into_new();
        let (channel, account, bytes) = (new.channel.clone(), new.delivery.account.clone(), new.delivery.body.len());
        self.shared.backlog.admit(&channel, account.as_deref())?;
        let row = self.shared.inbox.record(new).await?;
        self.shared.backlog.add(&channel, account.as_deref(), bytes);
        Ok(row)
    }

    /// Whether another delivery of this channel may wait to be translated.
    pub fn admit(&self, channel: &str) -> Result<(), HostError> {
        Ok(self.shared.backlog.admit(channel, None)?)
    }

    /// How many MACs were made so far to verify webhooks.
    pub fn webhook_macs(&self) -> u64 {
        self.shared.secrets.macs()
    }

    /// Puts deliveries that could not be translated back into the queue, of one channel or of all. Returns how many.
    pub async fn retry_failed(&self, channel: Option<String>) -> Result<usize, HostError> {
        let shared = Arc::clone(&self.shared);
        let retry = async move {
            let put_back = shared.inbox.retry_failed(channel).await?;
            shared.delivered.notify_one();
            Ok(put_back)
        };
        self.shared.begun.whole(retry).await
    }

    /// Answers a platform's challenge with the text to echo.
    pub fn challenge(&self, to: Addressed<'_>, query: &str) -> Result<String, Refusal> {
        let channel = to.channel;
        let registered = self.channel(channel).map_err(|_| Refusal::UnknownChannel)?;
        let (webhook, now) = (&registered.channel.manifest().webhook, self.shared.clock.now());
        let answer = verify::challenge(to, webhook, &self.shared.secrets, query, now);
        self.shared.seen.challenge(channel, answer.as_ref().map(|_| ()).map_err(|refusal| *refusal), now);
        answer
    }

    /// Puts a reply into the outbox, once for every key. How it ends is read with [`Inbox::reply`].
    ///
    /// What the host knows of the files that the message names (size, type by content, name) is put into it.
    pub async fn reply(&self, conversation: i64, key: &str, mut message: OutboundMessage) -> Result<Queued, HostError> {
        worker::describe(&self.shared, &mut message).await?;
        self.queue(conversation, key, message, Remarks::default()).await
    }

    async fn queue(
        &self,
        conversation: i64,
        key: &str,
        message: OutboundMessage,
        remarks: Remarks,
    ) -> Result<Queued, HostError> {
        let (key, now) = (key.to_owned(), self.shared.clock.now());
        let new = NewReply { conversation, key, message, remarks, now };
        let shared = Arc::clone(&self.shared);
        let queue = async move {
            let queued = shared.inbox.queue_reply(new).await?;
            shared.queued.notify_one();
            Ok(queued)
        };
        self.shared.begun.whole(queue).await
    }

    /// The same, after the channel's verdict: a message that it refuses is not queued and uses no key up. What it
    /// remarks is kept with the reply. A channel that cannot be asked now is asked when the reply's turn comes.
    ///
    /// # Errors
    /// [`HostError::NotSendable`] with everything that stands in the way.
    pub async fn reply_if_sendable(
        &self,
        conversation: i64,
        key: &str,
        mut message: OutboundMessage,
    ) -> Result<Queued, HostError> {
        worker::describe(&self.shared, &mut message).await?;
        // Asking twice is one reply, although the message could not be sent any more.
        if self.shared.inbox.has_reply(conversation, key).await? {
            return self.queue(conversation, key, message, Remarks::default()).await;
        }
        let remarks = attempt::validate(&self.shared, conversation, &message).await?;
        self.queue(conversation, key, message, remarks).await
    }

    /// Somebody decides about the part of a reply of which it is not known whether it was delivered: it arrived, it
    /// did not, or it is to be sent again.
    pub async fn settle(&self, reply: i64, settlement: Settlement) -> Result<(), HostError> {
        self.shared.inbox.settle(reply, settlement, self.shared.clock.now()).await?;
        self.shared.queued.notify_one();
        Ok(())
    }

    /// Everything about a conversation that a message depends on, the window among it.
    pub async fn context(&self, conversation: i64) -> Result<ConversationContext, HostError> {
        let registered = self.channel(&self.shared.inbox.channel_of(conversation).await?)?;
        self.shared.context(&registered, conversation, None).await
    }

    /// The inbox, for reading.
    pub fn inbox(&self) -> &Inbox {
        &self.shared.inbox
    }

    /// The clock.
    pub fn clock(&self) -> &Clock {
        &self.shared.clock
    }

    /// A loaded channel.
    pub fn channel(&self, id: &str) -> Result<Registered, HostError> {
        self.shared.channel(id)
    }

    /// Uses a channel again at once that was left alone after repeated failures, and tries the deliveries again
    /// on which it failed. Returns how many those are.
    pub async fn reset_channel(&self, id: &str) -> Result<usize, HostError> {
        self.channel(id)?;
        let (shared, id) = (Arc::clone(&self.shared), id.to_owned());
        let reset = async move {
            shared.breakers.reset(&id);
            let again = shared.inbox.retry_failed(Some(id)).await?;
            shared.connected();
            Ok(again)
        };
        self.shared.begun.whole(reset).await
    }

    /// How the parts of a channel do, the worst first.
    pub fn breakers(&self, id: &str) -> Vec<BreakerView> {
        self.shared.breakers.view(id, self.shared.clock.now())
    }

    /// All loaded channels, by id.
    pub fn channels(&self) -> Vec<Registered> {
        let channels = self.shared.channels.read().unwrap_or_else(PoisonError::into_inner);
        let mut all: Vec<_> = channels.values().cloned().collect();
        all.sort_by(|a, b| a.channel.id().cmp(b.channel.id()));
        all
    }
}

impl Shared {
    /// Everything about a conversation that a message depends on, and what is known of the comment that it answers.
    pub(crate) async fn context(
        &self,
        registered: &Registered,
        conversation: i64,
        comment: Option<&str>,
    ) -> Result<ConversationContext, HostError> {
        let (policy, now) = (&registered.capabilities.window, self.clock.now());
        let mut context = self.inbox.context(conversation, policy, now).await?;
        merge_settings(&mut context.account.settings, &registered.settings);
        if let Some(comment) = comment {
            context.comment = self.inbox.known_comment(conversation, comment).await?;
        }
        Ok(context)
    }

    /// What waited for an account goes on.
    pub(crate) fn connected(&self) {
        self.delivered.notify_one();
        self.queued.notify_one();
        self.accounts_due.notify_waiters();
    }

    /// Where this host is reached from outside.
    pub(crate) fn public_url(&self) -> Option<Url> {
        self.public_url.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Sends a channel's request in somebody's name, with what was granted and with their credentials.
    pub(crate) async fn send(
        &self,
        registered: &Registered,
        scope: &CallScope,
        request: HttpRequest,
        files: Files,
        memory: &mut Held,
        captured: &mut Captured,
    ) -> Result<HttpResponse, EgressError> {
        let channel = registered.channel.id();
        let known = self.known(channel, scope);
        let secret = |slot: &str| match scope {
            CallScope::Account { id, .. } => self.secrets.find(channel, id, slot),
            CallScope::Connecting(pending) => {
                pending.credentials.find(slot).or_else(|| self.secrets.of_app(channel, slot))
            }
        };
        let slots = &registered.channel.manifest().slots;
        let caller = Caller { rules: &registered.egress, slots, secret: &secret, known };
        let started = std::time::Instant::now();
        let span = tracing::info_span!("request", channel, method = ?request.method);
        let answered = self.egress.send(&caller, request, files, memory, captured).instrument(span).await;
        let outcome = answered.as_ref().map_or_else(|error| error.kind(), |shown| class_of(shown.response().status));
        self.calls.metrics.request(channel, outcome, started.elapsed());
        let shown = answered?;
        self.seen.answered(channel, shown.response(), self.clock.now());
        Ok(shown.into_response())
    }

    pub(crate) fn channel(&self, id: &str) -> Result<Registered, HostError> {
        let channels = self.channels.read().unwrap_or_else(PoisonError::into_inner);
        channels.get(id).cloned().ok_or_else(|| {
            let mut known: Vec<_> = channels.keys().cloned().collect();
            known.sort();
            HostError::NoChannel(id.to_owned(), if known.is_empty() { "none".into() } else { known.join(", ") })
        })
    }
}

/// The class of a status, for counters.
fn class_of(status: u16) -> &'static str {
    match status {
        200..300 => "2xx",
        300..400 => "3xx",
        400..500 => "4xx",
        500..600 => "5xx",
        _ => "other",
    }
}
