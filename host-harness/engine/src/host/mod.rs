//! Owns: the host's facade: opening the rooms, starting their workers, the product's interface.
//! Does not own: what the rooms do.

mod automation;
mod connections;
mod deliveries;
mod error;
mod events_out;
mod loading;
mod messages;
mod operations;
mod probe;
mod team;
mod users;

use std::sync::Arc;

pub use self::error::HostError;
use harness_egress::{
    DirectClient, Egress, Memory, Timer,
    credentials::{Secrets, Vault, VaultKey},
};
use harness_inbox::{Inbox, InboxView};
use harness_sandbox::Sandbox;
use tokio::{
    sync::{Mutex, watch},
    task::JoinHandle,
};

use crate::{
    accounts::{self, Accounts},
    base::{
        Base,
        backlog::Backlog,
        clock::Clock,
        exposed,
        metrics::Metrics,
        public_url::PublicUrl,
        rate_limit::RateLimits,
        signals::Signals,
        tasks::{Tasks, Worker, supervise},
        wake::Wake,
        whole::Begun,
    },
    channels::Channels,
    ingest::{self, Ingest},
    maintenance::{self, Maintenance},
    media::{self, FileLinks, Media},
    network::{Network, credentials::AccountCredentials},
    observe::{history::History, readiness::Readiness, recorder::Recorder},
    options::HostOptions,
    organisation::{self, Organisation},
    outbound::{self, Outbound},
    store::MediaStore,
    webhooks::{self, Webhooks},
};

/// The host. Cloning shares it; its workers end when the last clone is dropped.
#[derive(Clone)]
pub struct Host {
    rooms: Rooms,
    workers: Arc<Workers>,
}

/// The rooms, wired together.
#[derive(Clone)]
struct Rooms {
    channels: Channels,
    ingest: Arc<Ingest>,
    outbound: Arc<Outbound>,
    accounts: Arc<Accounts>,
    media: Arc<Media>,
    maintenance: Arc<Maintenance>,
    organisation: Arc<Organisation>,
    webhooks: Arc<Webhooks>,
    readiness: Arc<Readiness>,
    history: Arc<History>,
}

/// The workers. Dropped without a shutdown, they stop where they are: requests in flight are ambiguous at the next
/// start.
struct Workers {
    stop: watch::Sender<bool>,
    translate: JoinHandle<()>,
    media: JoinHandle<()>,
    keeper: JoinHandle<()>,
    waits: JoinHandle<()>,
    doubts: JoinHandle<()>,
    upkeep: JoinHandle<()>,
    snoozes: JoinHandle<()>,
    webhooks: JoinHandle<()>,
    index: JoinHandle<()>,
    outbox: Mutex<JoinHandle<()>>,
}

impl Drop for Workers {
    fn drop(&mut self) {
        self.translate.abort();
        self.media.abort();
        self.keeper.abort();
        self.waits.abort();
        self.doubts.abort();
        self.upkeep.abort();
        self.snoozes.abort();
        self.webhooks.abort();
        self.index.abort();
        self.outbox.get_mut().abort();
    }
}

impl Rooms {
    fn open(options: HostOptions) -> Result<Self, HostError> {
        let store = match options.media {
            Some(store) => store,
            None => MediaStore::in_folder(&options.inbox.with_file_name("media"))?,
        };
        let vault_key = options.vault_key.unwrap_or_else(|| VaultKey::File(options.inbox.with_file_name("vault.key")));
        let (clock, metrics) = (options.clock, Arc::new(Metrics::new()));
        let history = Arc::new(History::default());
        let recorder =
            Recorder::new(Arc::clone(&metrics), clock.clone(), Arc::clone(&history), options.record.as_deref());
        let recorder = Arc::new(recorder.map_err(HostError::Record)?);
        let base = Base {
            inbox: Inbox::open(&options.inbox)?,
            clock: clock.clone(),
            metrics: Arc::clone(&metrics),
            exchanges: Arc::default(),
            tasks: Arc::new(Tasks::new(options.at_task, clock.clone())),
            wake: Arc::new(Wake::default()),
            begun: Begun::default(),
        };
        let (secrets, sizes, endpoints) = (Secrets::default(), options.sizes, options.endpoints);
        let sandbox = Sandbox::observed(options.sandbox, Some(recorder as _))?;
        let timer: Arc<dyn Timer> = Arc::new(options.exchange_clock);
        let network = Network {
            direct: Arc::new(DirectClient::new(options.private_hosts, Arc::clone(&timer))?),
            egress: Arc::new(Egress::new(endpoints, options.exchange, timer, sizes)?),
            secrets: secrets.clone(),
            memory: Memory::new(sizes.memory),
            sizes,
            signals: Arc::new(Signals::default()),
            metrics,
            clock: clock.clone(),
        };
        let credentials = AccountCredentials {
            inbox: base.inbox.clone(),
            secrets: secrets.clone(),
            vault: Arc::new(Vault::open(&vault_key)?),
            unchanged: Arc::default(),
        };
        let (tasks, wake) = (Arc::clone(&base.tasks), Arc::clone(&base.wake));
        let (public_url, parts) = (PublicUrl::default(), (base.inbox.clone(), clock.clone(), tasks, wake));
        let channels = Channels::new(parts, sandbox, secrets.clone(), public_url.clone());
        let rate_limits = Arc::new(RateLimits::new(clock));
        let backlog = Arc::new(Backlog::new(options.budget));
        let accounts = Arc::new(Accounts {
            base: base.clone(),
            channels: channels.clone(),
            network: network.clone(),
            credentials: credentials.clone(),
            rate_limits: Arc::clone(&rate_limits),
            backlog: Arc::clone(&backlog),
            public_url: public_url.clone(),
            places: exposed::places_of(&options.inbox).into(),
            links: accounts::Links::default(),
            under_way: accounts::UnderWay::default(),
        });
        let media = Arc::new(Media {
            base: base.clone(),
            channels: channels.clone(),
            network: network.clone(),
            store: store.clone(),
            links: FileLinks {
                vault: Arc::clone(&credentials.vault),
                public_url: public_url.clone(),
                clock: base.clock.clone(),
            },
            locate: Arc::new(accounts::Locator(Arc::clone(&accounts))),
        });
        let webhooks = Arc::new(Webhooks {
            base: base.clone(),
            vault: Arc::clone(&credentials.vault),
            direct: Arc::clone(&network.direct),
        });
        Ok(Self {
            ingest: Arc::new(Ingest {
                base: base.clone(),
                channels: channels.clone(),
                secrets,
                credentials: credentials.clone(),
                backlog: Arc::clone(&backlog),
                signals: Arc::clone(&network.signals),
                memory: network.memory.clone(),
                public_url,
            }),
            outbound: Arc::new(Outbound {
                base: base.clone(),
                channels: channels.clone(),
                network,
                credentials,
                rate_limits,
                media: Arc::clone(&media),
            }),
            accounts,
            webhooks,
            organisation: Arc::new(Organisation { base: base.clone() }),
            maintenance: Arc::new(Maintenance {
                base,
                channels: channels.clone(),
                backlog,
                store,
                retention: options.retention,
            }),
            media,
            readiness: Arc::new(Readiness::default()),
            history,
            channels,
        })
    }

    /// Settles what earlier runs left, before any worker starts.
    async fn recover(&self) -> Result<(), HostError> {
        let base = &self.ingest.base;
        // This host holds the inbox alone, so no other host is writing these files.
        self.media.remove_unfinished().await?;
        exposed::warn(&self.accounts.places);
        self.ingest.backlog.count_anew(&base.inbox, true).await?;
        self.accounts.credentials.open(base.clock.now()).await?;
        self.accounts.open_links().await?;
        base.inbox.bound_waits(base.clock.now()).await?;
        let interrupted = base.inbox.settle_interrupted(base.clock.now()).await?;
        if interrupted > 0 {
            tracing::warn!(interrupted, "requests were on their way when the last run ended: their outcome is unknown");
        }
        Ok(())
    }

    /// Starts the workers.
    fn work(&self) -> Workers {
        let (stop, stopped) = watch::channel(false);
        let tasks = &self.ingest.base.tasks;
        fn spawn<R: Send + Sync + 'static, F: Future<Output = ()> + Send + 'static>(
            tasks: &Arc<Tasks>,
            worker: Worker,
            room: &Arc<R>,
            run: impl Fn(Arc<R>) -> F + Send + Sync + 'static,
        ) -> JoinHandle<()> {
            let room = Arc::clone(room);
            tokio::spawn(supervise(Arc::clone(tasks), worker, move || run(Arc::clone(&room))))
        }
        let outbox = spawn(tasks, Worker::Outbox, &self.outbound, move |room| outbound::run(room, stopped.clone()));
        Workers {
            stop,
            translate: spawn(tasks, Worker::Translate, &self.ingest, ingest::run),
            media: spawn(tasks, Worker::Media, &self.media, media::run),
            keeper: spawn(tasks, Worker::Keeper, &self.accounts, accounts::run_jobs),
            waits: spawn(tasks, Worker::Keeper, &self.accounts, accounts::run_waits),
            doubts: spawn(tasks, Worker::Doubts, &self.accounts, accounts::run_doubts),
            upkeep: spawn(tasks, Worker::Upkeep, &self.maintenance, maintenance::run),
            webhooks: spawn(tasks, Worker::Webhooks, &self.webhooks, webhooks::run),
            snoozes: spawn(tasks, Worker::Snoozes, &self.organisation, organisation::run_snoozes),
            index: spawn(tasks, Worker::Index, &self.organisation, organisation::run_index),
            outbox: Mutex::new(outbox),
        }
    }
}

impl Host {
    /// Opens the inbox, settles what a crash interrupted, and starts the workers. Needs a Tokio runtime.
    pub async fn open(options: HostOptions) -> Result<Self, HostError> {
        let rooms = Rooms::open(options)?;
        rooms.recover().await?;
        let workers = Arc::new(rooms.work());
        Ok(Self { rooms, workers })
    }

    /// Starts no further reply, and waits until all requests in flight and all other started work have ended.
    pub async fn shutdown(&self) {
        let _ = self.workers.stop.send(true);
        self.base().begun.ended().await;
        let mut outbox = self.workers.outbox.lock().await;
        if !outbox.is_finished() {
            // A worker that panicked leaves nothing to wait for.
            let _ = (&mut *outbox).await;
        }
    }

    /// The inbox, for reading and for marking conversations as read. Holding it keeps the file open.
    pub fn inbox(&self) -> InboxView {
        self.base().inbox.view()
    }

    /// The whole inbox, for this project's tests. Writing through it wakes no worker; moving the clock does.
    #[cfg(feature = "whole-inbox")]
    pub fn whole_inbox(&self) -> &Inbox {
        &self.base().inbox
    }

    /// The host's clock.
    pub fn clock(&self) -> &Clock {
        &self.base().clock
    }

    /// The client for this host's own calls, to addresses that a person configured.
    pub fn direct(&self) -> Arc<DirectClient> {
        Arc::clone(&self.rooms.outbound.network.direct)
    }

    fn base(&self) -> &Base {
        &self.rooms.ingest.base
    }
}
