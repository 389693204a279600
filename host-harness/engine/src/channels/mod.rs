//! Owns: the loaded channels: looking one up by id, replacing it while it runs, its circuit breakers, and the one
//! guarded call.
//! Does not own: which calls are made, and when.

mod call;
mod capabilities;
pub(crate) mod circuit_breaker;
pub(crate) mod earlier;
mod error;
pub(crate) mod loaded;
pub(crate) mod newer;
mod rollout;

use std::{
    collections::HashMap,
    sync::{Arc, PoisonError, RwLock},
};

use harness_contract::{AccountSettings, ChannelCapabilities, ConversationContext, Window, settings::merge_settings};
use harness_egress::credentials::Secrets;
use harness_inbox::{AccountId, ConversationId, ConversationSummary, Inbox, InboxError};
use harness_sandbox::Sandbox;

pub(crate) use self::call::{CallProblem, blamed};
pub(crate) use self::error::ChannelsError;
pub use self::error::{AnotherChannel, NoChannel, UnknownSlot, WrongSettings};
use self::{circuit_breaker::CircuitBreakers, loaded::LoadedChannel, rollout::Rollouts};
use crate::base::{clock::Clock, public_url::PublicUrl, tasks::Tasks, wake::Wake};

/// The loaded channels. Cloning shares them.
#[derive(Clone)]
pub(crate) struct Channels {
    pub(crate) breakers: CircuitBreakers,
    inbox: Inbox,
    clock: Clock,
    tasks: Arc<Tasks>,
    wake: Arc<Wake>,
    sandbox: Sandbox,
    secrets: Secrets,
    public_url: PublicUrl,
    loaded: Arc<RwLock<HashMap<String, Arc<LoadedChannel>>>>,
    generations: Arc<Rollouts>,
    earlier: Arc<earlier::Place>,
}

impl Channels {
    /// No channel is loaded yet.
    pub(crate) fn new(
        (inbox, clock, tasks, wake): (Inbox, Clock, Arc<Tasks>, Arc<Wake>),
        sandbox: Sandbox,
        secrets: Secrets,
        public_url: PublicUrl,
    ) -> Self {
        let (loaded, generations, earlier) = (Arc::default(), Arc::default(), Arc::default());
        let breakers = CircuitBreakers::new(Arc::clone(&wake));
        Self { breakers, inbox, clock, tasks, wake, sandbox, secrets, public_url, loaded, generations, earlier }
    }

    /// The channel with this id.
    pub(crate) fn get(&self, id: &str) -> Result<Arc<LoadedChannel>, NoChannel> {
        let loaded = self.loaded.read().unwrap_or_else(PoisonError::into_inner);
        loaded.get(id).cloned().ok_or_else(|| {
            let mut known: Vec<_> = loaded.keys().cloned().collect();
            known.sort();
            let loaded = if known.is_empty() { "none".into() } else { known.join(", ") };
            NoChannel { id: id.to_owned(), loaded }
        })
    }

    /// All channels, sorted by id.
    pub(crate) fn all(&self) -> Vec<Arc<LoadedChannel>> {
        let loaded = self.loaded.read().unwrap_or_else(PoisonError::into_inner);
        let mut all: Vec<_> = loaded.values().cloned().collect();
        all.sort_by(|a, b| a.channel.id().cmp(b.channel.id()));
        all
    }

    /// Adds what the inbox does not keep with an account: the channel's own settings, and where its webhooks come in.
    pub(crate) fn complete(&self, registered: &LoadedChannel, account: &mut AccountSettings) {
        merge_settings(&mut account.settings, &registered.settings);
        account.webhook_url = self.webhook_url(registered, &account.id);
    }

    /// Where an account's webhooks come in. `None` where the host has no public address, or the channel no webhooks.
    pub(crate) fn webhook_url(&self, registered: &LoadedChannel, account: &str) -> Option<String> {
        registered.webhook_url(&self.public_url, Some(account)).ok().flatten()
    }

    /// The capabilities of a channel for an account.
    pub(crate) async fn capabilities_of(
        &self,
        registered: &LoadedChannel,
        account: &AccountSettings,
    ) -> Arc<ChannelCapabilities> {
        registered.of_accounts.of(&registered.channel, account, &registered.capabilities).await
    }

    /// Everything in a conversation that a message depends on, including what is known of the comment that it answers.
    pub(crate) async fn context(
        &self,
        registered: &LoadedChannel,
        conversation: ConversationId,
        comment: Option<&str>,
    ) -> Result<ConversationContext, InboxError> {
        let (most, now) = (&registered.capabilities, self.clock.now());
        let mut context = self.inbox.context(conversation, &most.window, now).await?;
        self.complete(registered, &mut context.account);
        let capabilities = self.capabilities_of(registered, &context.account).await;
        if capabilities.window != most.window {
            context.window = self.inbox.context(conversation, &capabilities.window, now).await?.window;
        }
        if let Some(comment) = comment {
            context.comment = self.inbox.known_comment(conversation, comment).await?;
        }
        Ok(context)
    }

    /// The windows of conversations. Those of a channel that is not loaded have none.
    pub(crate) async fn windows(
        &self,
        conversations: &[ConversationSummary],
    ) -> Result<HashMap<ConversationId, Window>, InboxError> {
        let mut accounts: HashMap<AccountId, Vec<&ConversationSummary>> = HashMap::new();
        for conversation in conversations {
            accounts.entry(conversation.account_id).or_default().push(conversation);
        }
        let (mut windows, now) = (HashMap::new(), self.clock.now());
        for of_account in accounts.into_values() {
            let Some((first, registered)) =
                of_account.first().and_then(|first| Some((first.id, self.get(&first.channel).ok()?)))
            else {
                continue;
            };
            // Every conversation of an account has its policy.
            let account = self.context(&registered, first, None).await?.account;
            let policy = &self.capabilities_of(&registered, &account).await.window;
            let ids = of_account.into_iter().map(|conversation| conversation.id).collect();
            windows.extend(self.inbox.windows(ids, policy, now).await?);
        }
        Ok(windows)
    }
}
