//! The state that all parts of the simulator share: configuration, clock, ids, world, HTTP client.
//! What belongs here: holding it. The public API is `simulator`.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::watch;

use crate::clock::Clock;
use crate::config::{Config, Login};
use crate::faults::Fault;
use crate::gate::Gate;
use crate::http_client::HttpClient;
use crate::ids::Ids;
use crate::mint::Mint;
use crate::secret::Secret;
use crate::state::World;
use crate::state::thread::{CustomerProfile, Thread};

pub(crate) struct Core {
    pub(crate) config: Config,
    pub(crate) base_url: String,
    pub(crate) clock: Clock,
    pub(crate) ids: Ids,
    pub(crate) mint: Mint,
    /// The start, on the platform's clock: the configured tokens' time of creation.
    pub(crate) started_ms: i64,
    pub(crate) http: HttpClient,
    pub(crate) requests_seen: watch::Sender<usize>,
    pub(crate) deliveries_seen: watch::Sender<usize>,
    pub(crate) held_answers: Gate,
    world: Mutex<World>,
}

impl Core {
    pub(crate) fn new(config: Config, base_url: String, seed: u64, mint: Mint) -> Self {
        let world = World {
            app: config.app.clone(),
            person: config.person.clone(),
            accounts: config.accounts.clone(),
            tokens: Default::default(),
            webhook_url: config.webhook_url.clone(),
            webhook_fields: None,
            echo: config.echo,
            redelivery: config.redelivery.clone(),
            threads: Default::default(),
            uploads: Default::default(),
            comments: Default::default(),
            ended_broadcasts: Default::default(),
            subscriptions: Default::default(),
            messenger_profiles: Default::default(),
            dead_accounts: Default::default(),
            files: Default::default(),
            faults: Default::default(),
            held: None,
            requests: Vec::new(),
            deliveries: Vec::new(),
            callbacks: Vec::new(),
            conversation_calls: Default::default(),
        };
        let clock = Clock::default();
        Self {
            config,
            base_url,
            started_ms: clock.now_ms(),
            clock,
            ids: Ids::seeded(seed),
            mint,
            http: HttpClient::new(),
            requests_seen: watch::Sender::new(0),
            deliveries_seen: watch::Sender::new(0),
            held_answers: Gate::new(),
            world: Mutex::new(world),
        }
    }

    /// The state. The lock is never held across an await, and a panic elsewhere does not poison it.
    pub(crate) fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Delays or holds an answer as its fault demands.
    pub(crate) async fn hold_back(&self, fault: Option<&Fault>) {
        let Some(fault) = fault else { return };
        self.clock.wait(Duration::from_millis(fault.delay_ms)).await;
        if fault.hold {
            self.held_answers.wait().await;
        }
    }

    /// Runs `change` on a customer's thread, created on first use.
    pub(crate) fn with_thread<T>(&self, ig_id: &str, igsid: &str, change: impl FnOnce(&mut Thread) -> T) -> T {
        let mut world = self.world();
        let thread = world
            .threads
            .entry((ig_id.to_owned(), igsid.to_owned()))
            .or_insert_with(|| Thread::new(self.ids.thread(), CustomerProfile::invented(igsid)));
        change(thread)
    }

    /// The product whose secret signs an account's webhooks.
    pub(crate) fn webhook_login(&self, ig_id: &str) -> Login {
        self.world().account(ig_id).map_or(Login::Facebook, |account| account.webhook_login)
    }

    /// The secret of the app for a login: signs webhooks, callbacks and proofs.
    pub(crate) fn app_secret(&self, login: Login) -> &Secret {
        match login {
            Login::Facebook => &self.config.app_secret,
            Login::Instagram => &self.config.instagram_app_secret,
        }
    }

    /// The app id that echoes of our own sends carry: each product knows the app by its own.
    pub(crate) fn app_id(&self, login: Login) -> &str {
        match login {
            Login::Facebook => &self.config.app_id,
            Login::Instagram => &self.config.instagram_app_id,
        }
    }
}
