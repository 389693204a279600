//! Owns: a world with automation at work, and waiting for what it decides.
//! Does not own: what is expected of it.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

use channel_tests::{World, eventually, model::Model, secret};
use harness_automation::{Assistant, Automation, Consumer, Decision, Disclose, Outcome, Reason, Settings, configure};
use harness_engine::HostOptions;
use harness_inbox::{AccountId, ConversationId, DecisionView};
use simulator::{Config, Login, RequestRecord};

pub(crate) const CUSTOMER: &str = Config::DEMO_CUSTOMER;
/// The model's key; nobody else may see it.
pub(crate) const KEY: &str = "sk-the-key-of-the-model";

pub(crate) struct Stage {
    pub(crate) world: World,
    pub(crate) automation: Option<Automation>,
    pub(crate) account: AccountId,
}

impl Stage {
    /// A world whose automation does this.
    pub(crate) async fn new(settings: &Settings) -> Self {
        Self::with(settings, |options| options).await
    }

    pub(crate) async fn with(settings: &Settings, change: impl FnOnce(HostOptions) -> HostOptions) -> Self {
        let mut stage = Self::idle(change).await;
        stage.told(settings).await;
        stage.start();
        stage
    }

    /// A world whose automation does not run yet.
    pub(crate) async fn idle(change: impl FnOnce(HostOptions) -> HostOptions) -> Self {
        let world = World::with_options(Config::demo(), Login::Facebook, change).await;
        let account = world.host.inbox().accounts().await.unwrap()[0].id;
        Self { world, automation: None, account }
    }

    /// A world whose assistant asks this model.
    pub(crate) async fn assisted(model: &Model, change: impl FnOnce(&mut Assistant)) -> Self {
        let settings = assisting(model, change);
        let host = model.host.clone();
        let stage = Self::with(&settings, |options| HostOptions { private_hosts: vec![host], ..options }).await;
        harness_automation::set_model_key(&stage.world.host, stage.account, Some(secret(KEY))).await.unwrap();
        stage
    }

    pub(crate) fn start(&mut self) {
        self.automation = Some(Automation::start(&self.world.host));
    }

    pub(crate) async fn told(&self, settings: &Settings) {
        configure(&self.world.host, self.account, settings).await.unwrap();
    }

    /// All decisions, oldest first.
    pub(crate) async fn log(&self) -> Vec<DecisionView> {
        let store = self.world.host.automations();
        let mut all = store.decisions_before(self.account, None, None, 1_000).await.unwrap().entries;
        all.reverse();
        all
    }

    /// The decisions of a part, oldest first.
    pub(crate) async fn decisions(&self, consumer: Consumer) -> Vec<Decision> {
        let log = self.log().await;
        let own = log.iter().filter(|row| row.consumer == consumer.name());
        own.map(|row| serde_json::from_str(&row.decision).unwrap()).collect()
    }

    /// Waits for the part's decision with this number, counted from 1.
    pub(crate) async fn decided(&self, consumer: Consumer, number: usize) -> Decision {
        eventually("the decision", async || self.decisions(consumer).await.into_iter().nth(number - 1)).await
    }

    /// Waits until the part has handed over for this reason.
    pub(crate) async fn handed_over(&self, number: usize, reason: Reason) -> Decision {
        let decision = self.decided(Consumer::Assistant, number).await;
        assert_eq!((decision.outcome, decision.reason), (Outcome::HandedOver, Some(reason)), "{decision:?}");
        decision
    }

    /// Waits until the automation has looked at everything that has happened. It stores its position when it stops, so it
    /// is stopped and started until that is far enough.
    pub(crate) async fn caught_up(&mut self) {
        self.world.settled().await;
        let newest = *self.world.host.inbox().newest_change().borrow();
        loop {
            self.automation.take().unwrap().stop().await;
            let position = self.world.host.automations().automation_position("automation").await.unwrap();
            self.start();
            if position.is_some_and(|position| position >= newest) {
                return;
            }
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    }

    /// The texts that the platform got, oldest first, without signals.
    pub(crate) fn said(&self) -> Vec<String> {
        let text = |record: &RequestRecord| record.body["message"]["text"].as_str().map(str::to_owned);
        self.world.sends().iter().filter_map(text).collect()
    }

    /// Waits until the platform got so many texts.
    pub(crate) async fn has_said(&self, count: usize) -> Vec<String> {
        eventually("the texts", async || Some(self.said()).filter(|said| said.len() >= count)).await
    }

    pub(crate) async fn unread(&self, conversation: ConversationId) -> i64 {
        self.world.host.inbox().conversation(conversation).await.unwrap().unread
    }

    pub(crate) async fn notes(&self, conversation: ConversationId) -> Vec<String> {
        let page = self.world.host.inbox().notes_before(conversation, None, 100).await.unwrap();
        page.entries.into_iter().map(|note| note.text).collect()
    }
}

/// Settings of an assistant that answers at once.
pub(crate) fn assisting(model: &Model, change: impl FnOnce(&mut Assistant)) -> Settings {
    let mut assistant = Assistant {
        on: true,
        base_url: model.base_url(),
        model: "test-model".into(),
        instructions: "We sell candles. Shipping takes two days.".into(),
        pause_seconds: 0,
        disclose: Disclose::Never,
        ..Assistant::default()
    };
    change(&mut assistant);
    Settings { on: true, assistant, ..Settings::default() }
}
