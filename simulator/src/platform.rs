//! Methods of the handle for the app: settings, person, callbacks, history, secrets.
//! What belongs here: the part of the public API beside `simulator`, which acts and observes.

use std::time::Duration;

use crate::callbacks::{CallbackAnswer, CallbackRecord, Subject};
use crate::config::PageConfig;
use crate::error::SimulatorError;
use crate::history::PastMessage;
use crate::person::PersonConfig;
use crate::secret::Secret;
use crate::settings::{AppMode, AppSettings};
use crate::simulator::Simulator;

impl Simulator {
    /// The app's current settings.
    pub fn app(&self) -> AppSettings {
        self.core().world().app.clone()
    }

    /// Changes the app's settings: callback URLs, page size, answer formats and others.
    pub fn update_app(&self, change: impl FnOnce(&mut AppSettings)) {
        change(&mut self.core().world().app);
    }

    /// Sets the app's mode, with these customers as role holders.
    pub fn set_app_mode(&self, mode: AppMode, role_holders: &[&str]) {
        self.update_app(|app| {
            app.app_mode = mode;
            app.role_holders = role_holders.iter().map(|igsid| (*igsid).to_owned()).collect();
        });
    }

    /// Turns the owner's switch "Allow access to messages".
    ///
    /// # Errors
    /// When no such account is configured.
    pub fn set_message_access(&self, ig_id: &str, allowed: bool) -> Result<(), SimulatorError> {
        self.update_account(ig_id, |account| account.message_access = allowed)
    }

    /// Sets whether an account's webhooks require its subscription, as on the real platform.
    ///
    /// # Errors
    /// When no such account is configured.
    pub fn set_requires_subscription(&self, ig_id: &str, required: bool) -> Result<(), SimulatorError> {
        self.update_account(ig_id, |account| account.requires_subscription = required)
    }

    /// Changes the person's tasks on an account's page; without any, the person has no role.
    ///
    /// # Errors
    /// When no such account is configured.
    pub fn set_page_tasks(&self, ig_id: &str, tasks: &[&str]) -> Result<(), SimulatorError> {
        self.update_account(ig_id, |account| {
            if let Some(page) = &mut account.page {
                page.tasks = tasks.iter().map(|task| (*task).to_owned()).collect();
            }
        })
    }

    /// The current person.
    pub fn person(&self) -> PersonConfig {
        self.core().world().person.clone()
    }

    /// Changes the person: name, and pages beside those of the accounts.
    pub fn update_person(&self, change: impl FnOnce(&mut PersonConfig)) {
        change(&mut self.core().world().person);
    }

    /// Every page of the person in the order in which `/me/accounts` lists them.
    pub fn pages(&self) -> Vec<PageConfig> {
        self.core().world().pages().cloned().collect()
    }

    /// The Instagram login's `user_id` of an account in token answers and callbacks.
    pub fn instagram_user_id(&self, ig_id: &str) -> String {
        self.core().instagram_user_id(ig_id)
    }

    /// Invalidates every token so far with a subcode of 190, for example 460 after a password change. Subscriptions
    /// stay, and later logins work.
    ///
    /// # Errors
    /// When no such account is configured.
    pub fn invalidate_tokens(&self, subject: &Subject, subcode: u32) -> Result<(), SimulatorError> {
        self.core().invalidate(subject, subcode)
    }

    /// The person or account removes the app without a callback: tokens get 190/458, subscriptions end. Later logins
    /// work.
    ///
    /// # Errors
    /// When no such account is configured.
    pub fn remove_app(&self, subject: &Subject) -> Result<(), SimulatorError> {
        self.core().revoke(subject)
    }

    /// The person or account removes the app, and Meta calls `deauthorize_url`.
    ///
    /// # Errors
    /// When no `deauthorize_url` is set, or no such account is configured.
    pub async fn deauthorize(&self, subject: &Subject) -> Result<CallbackAnswer, SimulatorError> {
        self.core().deauthorize(subject).await
    }

    /// The person or account asks for the deletion of their data, and Meta calls `data_deletion_url`.
    ///
    /// # Errors
    /// When no `data_deletion_url` is set, or no such account is configured.
    pub async fn request_deletion(&self, subject: &Subject) -> Result<CallbackAnswer, SimulatorError> {
        self.core().request_deletion(subject).await
    }

    /// Every answered callback, oldest first.
    pub fn callbacks(&self) -> Vec<CallbackRecord> {
        self.core().world().callbacks.clone()
    }

    /// Waits for at least `count` answered callbacks, and returns all.
    ///
    /// # Errors
    /// When it times out.
    pub async fn wait_for_callbacks(
        &self,
        count: usize,
        timeout: Duration,
    ) -> Result<Vec<CallbackRecord>, SimulatorError> {
        let deadline = tokio::time::Instant::now() + timeout;
        loop {
            let callbacks = self.callbacks();
            if callbacks.len() >= count {
                return Ok(callbacks);
            }
            if tokio::time::Instant::now() >= deadline {
                let (seen, waited_ms) = (callbacks.len(), timeout.as_millis());
                return Err(SimulatorError::Timeout { what: "callbacks", wanted: count, seen, waited_ms });
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// Adds a past conversation to a thread, without webhooks; returns the mids in the given order.
    ///
    /// # Errors
    /// When no such account is configured.
    pub fn seed_conversation(
        &self,
        ig_id: &str,
        igsid: &str,
        past: &[PastMessage],
    ) -> Result<Vec<String>, SimulatorError> {
        if self.core().world().account(ig_id).is_none() {
            return Err(SimulatorError::UnknownAccount(ig_id.to_owned()));
        }
        Ok(self.core().seed(ig_id, igsid, past))
    }

    /// Every secret in use: app secrets, the verify token, tokens, codes. For tests that search logs, files and answers
    /// for them. Not in the JSON API.
    pub fn secrets(&self) -> Vec<Secret> {
        let core = self.core();
        let config = &core.config;
        let mut secrets =
            vec![config.app_secret.clone(), config.instagram_app_secret.clone(), config.verify_token.clone()];
        let world = core.world();
        secrets.push(world.person.token.clone());
        secrets.extend(world.pages().map(|page| page.token.clone()));
        secrets.extend(world.accounts.iter().filter_map(|account| account.instagram_token.clone()));
        secrets.extend(world.tokens.values());
        secrets
    }
}
