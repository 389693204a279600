//! Owns: loading a component beside the running one, swapping them in one step, and rolling back if the new one fails.
//! Does not own: counting failures (`circuit_breaker`).

use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex, PoisonError},
};

use harness_contract::{
    asks::beyond,
    manifest::{Manifest, SlotScope},
    settings::{SettingScope, resolve_settings},
};
use harness_sandbox::{CallError, LoadError};

use super::{
    Channels,
    circuit_breaker::Permit,
    error::{AnotherChannel, ChannelsError, WrongSettings},
    loaded::{ChannelOptions, ComponentVersion, Loadable, LoadedChannel, check_slots},
    newer::Looked,
};

/// Crashes after which a new component is rolled back.
const CRASHES: usize = 5;
/// The period in which crashes are counted, in milliseconds.
const WITHIN_MS: u64 = 60_000;
/// How long a replaced component can be rolled back to, in milliseconds.
const TRIAL_MS: u64 = 10 * 60_000;

/// The rollout history of each channel.
#[derive(Default)]
pub(crate) struct Rollouts {
    channels: Mutex<HashMap<String, History>>,
}

#[derive(Default)]
pub(super) struct History {
    count: u64,
    /// The component before, while the new one is on trial.
    previous: Option<Arc<LoadedChannel>>,
    replaced_at: u64,
    crashes: VecDeque<u64>,
    problem: Option<String>,
    /// What came of looking for a newer version than the component with this digest.
    pub(super) looked: Option<(String, Looked)>,
}

impl Rollouts {
    pub(super) fn note<T>(&self, channel: &str, note: impl FnOnce(&mut History) -> T) -> T {
        let mut channels = self.channels.lock().unwrap_or_else(PoisonError::into_inner);
        note(channels.entry(channel.to_owned()).or_default())
    }
}

impl Channels {
    /// Loads a component, or replaces the one with the same id.
    pub(crate) async fn load_channel(
        &self,
        component: Loadable,
        setup: ChannelOptions,
    ) -> Result<Arc<LoadedChannel>, ChannelsError> {
        self.load(component, setup, None).await
    }

    /// Replaces the channel with this id. A failure is kept for [`Self::update_problem`].
    pub(crate) async fn replace_channel(
        &self,
        id: &str,
        component: Loadable,
        setup: ChannelOptions,
    ) -> Result<Arc<LoadedChannel>, ChannelsError> {
        let replaced = self.load(component, setup, Some(id)).await;
        let problem = replaced.as_ref().err().map(ToString::to_string);
        if let Some(problem) = &problem {
            tracing::error!(channel = id, problem, "an update was not taken; the channel that runs stays");
        }
        self.generations.note(id, |history| history.problem = problem);
        replaced
    }

    /// Takes a channel out. Calls in progress end; what comes in for it later is refused, and what is in the journal waits
    /// until it is loaded again. Whether it was loaded.
    pub(crate) fn unload_channel(&self, id: &str) -> bool {
        let before = self.loaded.write().unwrap_or_else(PoisonError::into_inner).remove(id);
        self.secrets.set_configured(id, None, HashMap::new());
        self.secrets.set_previous(id, Vec::new());
        before.is_some()
    }

    /// How often this channel was loaded or rolled back since the start. The first load is 1.
    pub(crate) fn generation(&self, id: &str) -> u64 {
        self.generations.note(id, |history| history.count)
    }

    /// The component before the one that runs, for as long as it is at hand.
    pub(crate) fn before(&self, id: &str) -> Option<Arc<LoadedChannel>> {
        self.generations.note(id, |history| history.previous.clone())
    }

    /// Why the newest component of this channel is not the running one.
    pub(crate) fn update_problem(&self, id: &str) -> Option<String> {
        self.generations.note(id, |history| history.problem.clone())
    }

    async fn load(
        &self,
        component: Loadable,
        setup: ChannelOptions,
        expected: Option<&str>,
    ) -> Result<Arc<LoadedChannel>, ChannelsError> {
        let sandbox = self.sandbox.clone();
        // Compiling takes a tenth of a second, too long for an async task. The first call is the self-test.
        let (channel, capabilities) = tokio::task::spawn_blocking(move || {
            let channel = match component {
                Loadable::Bytes(bytes) => sandbox.load(&bytes)?,
                Loadable::Inspected(inspected) => sandbox.load_inspected(*inspected)?,
            };
            let capabilities = channel.capabilities(None)?;
            Ok::<_, ChannelsError>((channel, capabilities))
        })
        .await
        .map_err(|error| LoadError::Engine(error.to_string()))??;
        let manifest = channel.manifest();
        let id = manifest.channel.id.clone();
        if let Some(expected) = expected.filter(|expected| *expected != id) {
            return Err(AnotherChannel { expected: expected.to_owned(), found: id }.into());
        }
        let running = self.get(&id).ok();
        check_slots(manifest, &setup.secrets, SlotScope::App)?;
        self.warn_of_missing_proof(manifest, &setup);
        let kept = running.as_ref().map(|running| running.grant.clone());
        let grant = setup.grant.clone().or(kept).unwrap_or_default();
        let settings = resolve_settings(&manifest.settings, SettingScope::Channel, &setup.settings)
            .map_err(|source| WrongSettings::OfChannel { channel: id.clone(), source })?;
        let asks_more = running.as_ref().map(|old| beyond(old.channel.manifest(), manifest)).unwrap_or_default();
        if !asks_more.is_empty() {
            tracing::warn!(channel = id, asks = asks_more.join("; "), "the update asks for more than the one before");
        }
        let new = LoadedChannel::new(channel, capabilities, settings, grant);
        if !new.not_granted.is_empty() {
            let hosts = new.not_granted.join(", ");
            tracing::warn!(channel = id, hosts, "the channel asks for hosts that are not granted");
        }
        let registered = Arc::new(LoadedChannel { asks_more, provenance: setup.provenance, ..new });
        // Credentials that these options no longer name are removed.
        self.secrets.set_configured(&id, None, setup.secrets);
        self.secrets.set_previous(&id, setup.previous_secrets);
        let now = self.clock.now();
        let old = self.exchange(&registered);
        self.generations.note(&id, |history| {
            history.count += 1;
            // Loading the same component again, e.g. with a new secret, starts no trial.
            if let Some(old) = old.filter(|old| old.version() != registered.version()) {
                *history =
                    History { count: history.count, previous: Some(old), replaced_at: now, ..History::default() };
            }
        });
        let ComponentVersion { digest, version } = registered.version();
        self.inbox.note_component(&id, &digest, &version).await?;
        self.inbox.requeue(&id, &digest).await?;
        self.wake.usable();
        Ok(registered)
    }

    fn warn_of_missing_proof(&self, manifest: &Manifest, setup: &ChannelOptions) {
        let Some(webhook) = &manifest.webhook else { return };
        let proof = webhook.verification.secrets();
        let filled = |slot: &String| {
            setup.secrets.contains_key(slot)
                || setup.previous_secrets.iter().any(|(previous, _, _)| previous == slot)
                || manifest.slots.get(slot).is_some_and(|slot| slot.generated || slot.scope == SlotScope::Account)
        };
        if !proof.iter().any(filled) {
            let slots = proof.join(", ");
            let channel = &manifest.channel.id;
            tracing::warn!(channel, slots, "no secret for verifying webhooks is filled: every webhook is refused");
        }
    }
}

impl Channels {
    /// Makes this component the one that runs. Returns the one before.
    fn exchange(&self, registered: &Arc<LoadedChannel>) -> Option<Arc<LoadedChannel>> {
        let id = registered.channel.id().to_owned();
        let before =
            self.loaded.write().unwrap_or_else(PoisonError::into_inner).insert(id.clone(), Arc::clone(registered));
        // The new code starts with closed circuits.
        self.breakers.reset(&id);
        before
    }

    /// Handles a failed call of the component with this digest. `counts`: whether the input is new, so that the failure
    /// counts. A new component that keeps failing is rolled back; if there is none to roll back to, the circuit opens.
    pub(crate) fn failed(&self, permit: Permit, digest: &str, error: &CallError, counts: bool) {
        let channel = error.channel.as_str();
        if !self.get(channel).is_ok_and(|running| running.channel.inspection().digest == digest) {
            // This component no longer runs.
            return;
        }
        let crashed = counts && error.failure.is_crash();
        let too_often = permit.would_open(error, counts);
        if !self.give_back(channel, digest, crashed, too_often) {
            permit.failed(error, counts, self.clock.now());
        }
    }

    /// Counts a crash, and rolls back a new component that crashed or failed too often. Returns whether it did.
    fn give_back(&self, channel: &str, digest: &str, crashed: bool, too_often: bool) -> bool {
        let now = self.clock.now();
        let previous = self.generations.note(channel, |history| {
            if crashed {
                history.crashes.push_back(now);
            }
            while history.crashes.front().is_some_and(|at| at.saturating_add(WITHIN_MS) < now) {
                history.crashes.pop_front();
            }
            if now.saturating_sub(history.replaced_at) > TRIAL_MS {
                history.previous = None;
            }
            if history.crashes.len() < CRASHES && !too_often {
                return None;
            }
            history.crashes.clear();
            let previous = history.previous.take()?;
            history.count += 1;
            history.problem = Some(format!("the component {digest} failed again and again and was taken back"));
            Some(previous)
        });
        let Some(previous) = previous else { return false };
        self.exchange(&previous);
        let back_to = previous.channel.inspection().digest.clone();
        tracing::error!(channel, digest, back_to, "a new component failed again and again; the one before is back");
        let (inbox, wake, channel) = (self.inbox.clone(), Arc::clone(&self.wake), channel.to_owned());
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(async move {
                // The previous component may be able to translate what the new one could not.
                if let Err(error) = inbox.requeue(&channel, &back_to).await {
                    tracing::error!(%error, channel, "deliveries that failed could not be taken up again");
                }
                wake.usable();
            });
        }
        true
    }
}
