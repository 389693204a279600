//! The handle for tests and the command line: start, script, act, observe, stop.
//! What belongs here: the public API. The work is in the modules that it calls.

use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::net::TcpListener;
use tokio::sync::watch;
use url::Url;

use crate::cdn::CdnFile;
use crate::clock::Clock;
use crate::config::{AccountConfig, Config, EchoTiming, Login, PageConfig, Redelivery};
use crate::core::Core;
use crate::customer::Customer;
use crate::error::SimulatorError;
use crate::faults::Fault;
use crate::mint::Mint;
use crate::server;
use crate::state::log::RequestRecord;
use crate::state::thread::ThreadMessage;
use crate::webhook::hold::Release;
use crate::webhook::sender::{Delivery, Signing};
use crate::webhook::verify::ChallengeAnswer;
use crate::wire::to_wire;

/// A running simulator. Clones share it; it stops when the last one is dropped.
#[derive(Clone)]
pub struct Simulator {
    running: Arc<Running>,
}

struct Running {
    core: Arc<Core>,
    /// Stops the listener when it changes or is dropped with the last handle.
    stop: watch::Sender<bool>,
}

/// A body that is sent unchanged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RawWebhook {
    /// The login whose secret signs it.
    pub login: Login,
    /// How to sign it.
    #[serde(default)]
    pub signing: Signing,
    /// The exact body.
    pub body: String,
}

impl Simulator {
    /// Opens the listener on 127.0.0.1 and serves the configured app.
    ///
    /// # Errors
    /// When the configuration is invalid or the port cannot be opened.
    pub async fn start(config: Config) -> Result<Self, SimulatorError> {
        check(&config)?;
        let port = config.port;
        let listen = |source| SimulatorError::Listen { port, source };
        let listener = TcpListener::bind(("127.0.0.1", port)).await.map_err(listen)?;
        let address = listener.local_addr().map_err(listen)?;
        let seed = match config.seed {
            Some(seed) => seed,
            None => getrandom::u64().map_err(SimulatorError::Randomness)?,
        };
        let mint = Mint::new().map_err(SimulatorError::Randomness)?;
        let core = Arc::new(Core::new(config, format!("http://{address}"), seed, mint));
        let (stop, stopped) = watch::channel(false);
        tokio::spawn(server::run(listener, server::router(Arc::clone(&core)), stopped));
        Ok(Self { running: Arc::new(Running { core, stop }) })
    }

    /// Closes the listener and all connections. Records remain readable.
    pub fn shutdown(&self) {
        self.running.stop.send_replace(true);
    }

    /// `http://127.0.0.1:{port}`, without a trailing slash.
    pub fn base_url(&self) -> &str {
        &self.core().base_url
    }

    /// Replaces `https://graph.facebook.com`.
    pub fn graph_facebook_url(&self) -> String {
        format!("{}/graph.facebook.com", self.base_url())
    }

    /// Replaces `https://graph.instagram.com`.
    pub fn graph_instagram_url(&self) -> String {
        format!("{}/graph.instagram.com", self.base_url())
    }

    /// Replaces `https://www.facebook.com`: the Facebook login's dialog.
    pub fn www_facebook_url(&self) -> String {
        format!("{}/www.facebook.com", self.base_url())
    }

    /// Replaces `https://www.instagram.com`: the Instagram login's dialog.
    pub fn www_instagram_url(&self) -> String {
        format!("{}/www.instagram.com", self.base_url())
    }

    /// Replaces `https://api.instagram.com`: exchanges the Instagram login's codes for tokens.
    pub fn api_instagram_url(&self) -> String {
        format!("{}/api.instagram.com", self.base_url())
    }

    /// The configuration at start.
    pub fn config(&self) -> &Config {
        &self.core().config
    }

    /// The platform's clock.
    pub fn clock(&self) -> &Clock {
        &self.core().clock
    }

    /// The app's webhook target, and the fields that were set over the API.
    pub fn app_webhook(&self) -> (Option<String>, Option<Vec<String>>) {
        let world = self.core().world();
        (world.webhook_url.clone(), world.webhook_fields.clone())
    }

    /// Removes the webhook target, as in a new app.
    pub fn unset_webhook_url(&self) {
        let mut world = self.core().world();
        world.webhook_url = None;
        world.webhook_fields = None;
    }

    /// Sets the webhook target.
    pub fn set_webhook_url(&self, url: impl Into<String>) {
        let mut world = self.core().world();
        world.webhook_url = Some(url.into());
        world.webhook_fields = None;
    }

    /// Sets when echoes are sent.
    pub fn set_echo(&self, timing: EchoTiming) {
        self.core().world().echo = timing;
    }

    /// Sets the redelivery of failed webhooks.
    pub fn set_redelivery(&self, redelivery: Redelivery) {
        self.core().world().redelivery = redelivery;
    }

    /// The accounts in their current state.
    pub fn accounts(&self) -> Vec<AccountConfig> {
        self.core().world().accounts.clone()
    }

    /// Changes an account: its language, features, tokens, webhook login.
    ///
    /// # Errors
    /// When no such account is configured.
    pub fn update_account(&self, ig_id: &str, change: impl FnOnce(&mut AccountConfig)) -> Result<(), SimulatorError> {
        let mut world = self.core().world();
        let account = world.accounts.iter_mut().find(|account| account.ig_id == ig_id);
        change(account.ok_or_else(|| SimulatorError::UnknownAccount(ig_id.to_owned()))?);
        Ok(())
    }

    /// Invalidates an account's tokens with a subcode of 190 (463 expired, 460 password changed), or restores them with
    /// `None`. Tokens of later logins work. Webhooks continue, as on the real platform.
    pub fn set_token_dead(&self, ig_id: &str, login: Login, subcode: Option<u32>) {
        let mut world = self.core().world();
        match subcode {
            Some(subcode) => world.kill_account(ig_id, login, subcode),
            None => {
                world.dead_accounts.remove(&(ig_id.to_owned(), login));
            }
        }
    }

    /// A customer of the first account, who exists from now on but has not written yet.
    pub fn customer(&self, igsid: &str) -> Customer {
        let first = self.core().config.accounts.first().map(|account| account.ig_id.clone());
        Customer::new(Arc::clone(&self.running.core), first.unwrap_or_default(), igsid.to_owned())
    }

    /// A customer of this account.
    ///
    /// # Errors
    /// When no such account is configured.
    pub fn customer_of(&self, ig_id: &str, igsid: &str) -> Result<Customer, SimulatorError> {
        if self.core().world().account(ig_id).is_none() {
            return Err(SimulatorError::UnknownAccount(ig_id.to_owned()));
        }
        Ok(Customer::new(Arc::clone(&self.running.core), ig_id.to_owned(), igsid.to_owned()))
    }

    /// Ends a live broadcast: its comments can no longer be answered privately.
    pub fn end_broadcast(&self, media_id: &str) {
        self.core().world().ended_broadcasts.insert(media_id.to_owned());
    }

    /// Checks the callback URL as Meta does: the answer to the GET challenge must be the challenge, with status 200.
    ///
    /// # Errors
    /// When there is no URL or no answer, or the answer is not the challenge.
    pub async fn verify_webhook(&self) -> Result<ChallengeAnswer, SimulatorError> {
        let token = self.core().config.verify_token.clone();
        let answer = self.core().challenge(token.expose()).await?;
        if answer.accepted() {
            return Ok(answer);
        }
        Err(SimulatorError::ChallengeRefused { status: answer.status, body: answer.body, challenge: answer.challenge })
    }

    /// Sends the challenge with any token and returns the answer unchecked.
    ///
    /// # Errors
    /// When there is no URL or no answer.
    pub async fn challenge_with(&self, verify_token: &str) -> Result<ChallengeAnswer, SimulatorError> {
        self.core().challenge(verify_token).await
    }

    /// Sends an envelope or any other document, serialized as Meta does and signed for a login.
    pub async fn deliver(&self, login: Login, document: &(impl Serialize + Sync)) -> Delivery {
        self.core().deliver(login, to_wire(document), Signing::Valid).await
    }

    /// Sends a body unchanged.
    pub async fn deliver_raw(&self, raw: RawWebhook) -> Delivery {
        self.core().deliver(raw.login, raw.body.into_bytes(), raw.signing).await
    }

    /// Sends the same bytes again, once.
    pub async fn redeliver(&self, delivery: &Delivery) -> Delivery {
        self.core().deliver(delivery.login, delivery.body.clone(), delivery.signing).await
    }

    /// Sends the same bytes again, `copies` times simultaneously.
    pub async fn redeliver_concurrently(&self, delivery: &Delivery, copies: usize) -> Vec<Delivery> {
        self.running.core.deliver_copies(delivery, copies).await
    }

    /// Holds webhooks until `release_webhooks`: actions return immediately, without a delivery.
    pub fn hold_webhooks(&self) {
        self.core().world().held.get_or_insert_default();
    }

    /// Releases the held webhooks and stops holding.
    pub async fn release_webhooks(&self, how: Release) -> Vec<Delivery> {
        self.running.core.release(how).await
    }

    /// Stores a file on the CDN and returns its URL, for `Customer::photo` and others.
    pub fn host_file(&self, file: CdnFile) -> String {
        self.core().host_file(file)
    }

    /// Queues a fault.
    pub fn inject(&self, fault: Fault) {
        self.core().world().faults.push_back(fault);
    }

    /// The faults that are still queued.
    pub fn pending_faults(&self) -> Vec<Fault> {
        self.core().world().faults.iter().cloned().collect()
    }

    /// Releases every held answer and returns their number.
    pub fn release_answers(&self) -> usize {
        self.core().held_answers.release()
    }

    /// Waits until at least `count` answers are held simultaneously.
    ///
    /// # Errors
    /// When it times out.
    pub async fn wait_for_held_answers(&self, count: usize, timeout: Duration) -> Result<(), SimulatorError> {
        wait(self.core().held_answers.waiting(), "held answers", count, timeout).await
    }

    /// Removes all queued faults.
    pub fn clear_faults(&self) {
        self.core().world().faults.clear();
    }

    /// Every Graph request so far, oldest first.
    pub fn requests(&self) -> Vec<RequestRecord> {
        self.core().world().requests.clone()
    }

    /// Waits for at least `count` Graph requests in total, and returns all.
    ///
    /// # Errors
    /// When it times out.
    pub async fn wait_for_requests(
        &self,
        count: usize,
        timeout: Duration,
    ) -> Result<Vec<RequestRecord>, SimulatorError> {
        wait(&self.core().requests_seen, "Graph requests", count, timeout).await?;
        Ok(self.requests())
    }

    /// Every webhook sent, echoes included, oldest first.
    pub fn deliveries(&self) -> Vec<Delivery> {
        self.core().world().deliveries.clone()
    }

    /// The number of webhooks that were answered or given up.
    pub fn delivery_count(&self) -> usize {
        *self.core().deliveries_seen.borrow()
    }

    /// Waits for at least `count` answered webhooks in total, and returns all.
    ///
    /// # Errors
    /// When it times out.
    pub async fn wait_for_deliveries(&self, count: usize, timeout: Duration) -> Result<Vec<Delivery>, SimulatorError> {
        wait(&self.core().deliveries_seen, "webhook deliveries", count, timeout).await?;
        Ok(self.deliveries())
    }

    /// The thread between an account and a customer; empty if there is none.
    pub fn transcript(&self, ig_id: &str, igsid: &str) -> Vec<ThreadMessage> {
        self.core().world().thread(ig_id, igsid).map(|thread| thread.messages.clone()).unwrap_or_default()
    }

    /// Subscribes the account's webhooks to every field, as a person does in the app's dashboard.
    pub fn subscribe(&self, ig_id: &str) {
        let mut world = self.core().world();
        let Some(login) = world.account(ig_id).map(|account| account.webhook_login) else { return };
        let fields = crate::graph::subscriptions::INSTAGRAM_FIELDS.iter().map(|field| (*field).to_owned()).collect();
        world.subscriptions.insert((ig_id.to_owned(), login), fields);
    }

    /// The account's subscribed fields, set with `POST …/subscribed_apps`.
    pub fn subscribed_fields(&self, ig_id: &str, login: Login) -> Vec<String> {
        let key = (ig_id.to_owned(), login);
        self.core().world().subscriptions.get(&key).cloned().unwrap_or_default()
    }

    pub(crate) fn core(&self) -> &Core {
        &self.running.core
    }
}

async fn wait(
    seen: &watch::Sender<usize>,
    what: &'static str,
    wanted: usize,
    timeout: Duration,
) -> Result<(), SimulatorError> {
    let mut seen = seen.subscribe();
    let reached = async { seen.wait_for(|count| *count >= wanted).await.is_ok() };
    if tokio::time::timeout(timeout, reached).await == Ok(true) {
        return Ok(());
    }
    let seen = *seen.borrow();
    Err(SimulatorError::Timeout { what, wanted, seen, waited_ms: timeout.as_millis() })
}

fn check(config: &Config) -> Result<(), SimulatorError> {
    let wrong = |text: String| Err(SimulatorError::Config(text));
    if config.accounts.is_empty() {
        return wrong("at least one account is needed".to_owned());
    }
    for (at, account) in config.accounts.iter().enumerate() {
        if account.ig_id.is_empty() || !account.ig_id.bytes().all(|byte| byte.is_ascii_digit()) {
            return wrong(format!("the Instagram id {:?} is not a number", account.ig_id));
        }
        if config.accounts.iter().skip(at + 1).any(|other| other.ig_id == account.ig_id) {
            return wrong(format!("the Instagram id {} stands twice", account.ig_id));
        }
    }
    let pages = config.accounts.iter().filter_map(|account| account.page.as_ref());
    let pages: Vec<&PageConfig> = pages.chain(&config.person.more_pages).collect();
    for (at, page) in pages.iter().enumerate() {
        if pages.iter().skip(at + 1).any(|other| other.id == page.id) {
            return wrong(format!("the page id {} stands twice", page.id));
        }
    }
    for url in [&config.webhook_url, &config.app.deauthorize_url, &config.app.data_deletion_url].into_iter().flatten() {
        if Url::parse(url).is_err() {
            return wrong(format!("the address {url:?} is not a URL"));
        }
    }
    Ok(())
}
