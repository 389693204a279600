//! Owns: loading a component beside the one that runs, exchanging both in one step, and going back when the new one fails.
//! Does not own: counting failures (`circuit_breaker`).

use std::{
    collections::{HashMap, HashSet, VecDeque},
    sync::{Arc, Mutex, PoisonError},
};

use harness_contract::{
    asks::beyond,
    manifest::{Manifest, SlotScope},
    settings::{SettingScope, resolve_settings},
};
use harness_sandbox::{CallError, LoadError};
use sha2::{Digest as _, Sha256};

use super::{
    Channels,
    capabilities::OfAccounts,
    circuit_breaker::Permit,
    error::{AnotherChannel, ChannelsError, WrongSettings},
    loaded::{ChannelOptions, LoadedChannel, check_slots},
};

/// Crashes after which a new generation gives its place back.
const CRASHES: usize = 5;
/// The time within which they count, in milliseconds.
const WITHIN_MS: u64 = 60_000;
/// How long a generation is new, in milliseconds.
const TRIAL_MS: u64 = 10 * 60_000;

/// What the host remembers of a channel's generations.
#[derive(Default)]
pub(crate) struct Rollouts {
    channels: Mutex<HashMap<String, History>>,
}

#[derive(Default)]
struct History {
    count: u64,
    /// The generation before, until the new one has proved itself.
    previous: Option<LoadedChannel>,
    replaced_at: u64,
    crashes: VecDeque<u64>,
    problem: Option<String>,
}

impl Rollouts {
    fn note<T>(&self, channel: &str, note: impl FnOnce(&mut History) -> T) -> T {
        let mut channels = self.channels.lock().unwrap_or_else(PoisonError::into_inner);
        note(channels.entry(channel.to_owned()).or_default())
    }
}

impl Channels {
    /// Loads a component, or replaces the one of the same id.
    pub(crate) async fn load_channel(
        &self,
        component: Vec<u8>,
        setup: ChannelOptions,
    ) -> Result<LoadedChannel, ChannelsError> {
        self.load(component, setup, None).await
    }

    /// Replaces the channel of this id. Why an update was not taken stands in [`Self::update_problem`].
    pub(crate) async fn replace_channel(
        &self,
        id: &str,
        component: Vec<u8>,
        setup: ChannelOptions,
    ) -> Result<LoadedChannel, ChannelsError> {
        let replaced = self.load(component, setup, Some(id)).await;
        let problem = replaced.as_ref().err().map(ToString::to_string);
        if let Some(problem) = &problem {
            tracing::error!(channel = id, problem, "an update was not taken; the channel that runs stays");
        }
        self.generations.note(id, |history| history.problem = problem);
        replaced
    }

    /// How often this channel was loaded since the start, from 1 on.
    pub(crate) fn generation(&self, id: &str) -> u64 {
        self.generations.note(id, |history| history.count)
    }

    /// Why the newest component of this channel is not the one that runs.
    pub(crate) fn update_problem(&self, id: &str) -> Option<String> {
        self.generations.note(id, |history| history.problem.clone())
    }

    async fn load(
        &self,
        component: Vec<u8>,
        setup: ChannelOptions,
        expected: Option<&str>,
    ) -> Result<LoadedChannel, ChannelsError> {
        let sandbox = self.sandbox.clone();
        // Compiling takes a tenth of a second, which no task may block for; the first call is the self-test.
        let (channel, capabilities) = tokio::task::spawn_blocking(move || {
            let channel = sandbox.load(&component)?;
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
        let json = serde_json::to_vec(&capabilities).unwrap_or_default();
        let (egress, not): (Vec<_>, Vec<_>) =
            manifest.egress.iter().cloned().partition(|rule| grant.egress.contains(&rule.host));
        let (media_hosts, no_media): (Vec<_>, Vec<_>) =
            manifest.media.hosts.iter().cloned().partition(|host| grant.media.contains(host));
        let mut not_granted: Vec<String> = not.into_iter().map(|rule| rule.host).chain(no_media).collect();
        // A host may stand in several rules.
        let mut known = HashSet::new();
        not_granted.retain(|host| known.insert(host.clone()));
        if !not_granted.is_empty() {
            let hosts = not_granted.join(", ");
            tracing::warn!(channel = id, hosts, "the channel asks for hosts that are not granted");
        }
        let asks_more = running.as_ref().map(|old| beyond(old.channel.manifest(), manifest)).unwrap_or_default();
        if !asks_more.is_empty() {
            tracing::warn!(channel = id, asks = asks_more.join("; "), "the update asks for more than the one before");
        }
        let registered = LoadedChannel {
            capabilities: Arc::new(capabilities),
            of_accounts: OfAccounts::default(),
            capabilities_hash: hex::encode(Sha256::digest(json)),
            egress: egress.into(),
            media_hosts: media_hosts.into(),
            settings: settings.into(),
            not_granted,
            asks_more,
            grant,
            channel,
        };
        // What this setup does not name any more ends here.
        self.secrets.set_configured(&id, None, setup.secrets);
        self.secrets.set_previous(&id, setup.previous_secrets);
        let now = self.clock.now();
        let old = self.exchange(&registered);
        self.generations.note(&id, |history| {
            history.count += 1;
            // The same component again, such as for a new secret, is no new generation to be tried.
            let digest = &registered.channel.inspection().digest;
            if let Some(old) = old.filter(|old| old.channel.inspection().digest != *digest) {
                *history =
                    History { count: history.count, previous: Some(old), replaced_at: now, ..History::default() };
            }
        });
        self.inbox.requeue(&id, &registered.channel.inspection().digest).await?;
        self.wake.usable();
        Ok(registered)
    }

    fn warn_of_missing_proof(&self, manifest: &Manifest, setup: &ChannelOptions) {
        let proof = manifest.webhook.verification.secrets();
        let filled = |slot: &String| {
            setup.secrets.contains_key(slot)
                || setup.previous_secrets.iter().any(|(previous, _, _)| previous == slot)
                || manifest.slots.get(slot).is_some_and(|s| s.scope == SlotScope::Account)
        };
        if !proof.iter().any(filled) {
            let slots = proof.join(", ");
            let channel = &manifest.channel.id;
            tracing::warn!(channel, slots, "no secret for verifying webhooks is filled: every webhook is refused");
        }
    }
}

impl Channels {
    /// From here on this component answers for its channel's id. Returns the one before.
    fn exchange(&self, registered: &LoadedChannel) -> Option<LoadedChannel> {
        let id = registered.channel.id().to_owned();
        let before = self.loaded.write().unwrap_or_else(PoisonError::into_inner).insert(id.clone(), registered.clone());
        // Other code may not fail.
        self.breakers.reset(&id);
        before
    }

    /// A call of a component of this digest failed, with an input that `counts`. A new component that fails again
    /// and again gives its place back; where there is none before it, the channel is left alone.
    pub(crate) fn failed(&self, permit: Permit, digest: &str, error: &CallError, counts: bool) {
        let channel = error.channel.as_str();
        if !self.get(channel).is_ok_and(|running| running.channel.inspection().digest == digest) {
            // It is gone already.
            return;
        }
        let crashed = counts && error.failure.is_crash();
        let too_often = permit.would_open(error, counts);
        if !self.give_back(channel, digest, crashed, too_often) {
            permit.failed(error, counts, self.clock.now());
        }
    }

    /// Counts a crash, and puts the generation before in the place of a new one that crashed or failed too often.
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
                // What the new one could not read, the old one may.
                if let Err(error) = inbox.requeue(&channel, &back_to).await {
                    tracing::error!(%error, channel, "deliveries that failed could not be taken up again");
                }
                wake.usable();
            });
        }
        true
    }
}
