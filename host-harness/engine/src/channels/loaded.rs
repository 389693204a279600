//! Owns: a channel with what the operator gives it: grant, settings, credentials.
//! Does not own: loading one (`rollout`).

use std::{collections::HashMap, sync::Arc};

use harness_contract::{
    ChannelCapabilities, Setting,
    manifest::{EgressRule, Manifest, SlotScope},
    settings::RawSetting,
};
use harness_egress::credentials::Secret;
use harness_sandbox::Channel;

use super::{capabilities::OfAccounts, error::UnknownSlot};

/// What the operator allows a channel: nothing that is not named.
#[derive(Clone, Debug, Default)]
pub struct Grant {
    /// Hosts of the manifest's egress rules.
    pub egress: Vec<String>,
    /// Hosts of the manifest's `[media]`, from which files are downloaded.
    pub media: Vec<String>,
}

impl Grant {
    /// Everything that a manifest asks for, after somebody read it.
    pub fn all_of(manifest: &Manifest) -> Self {
        Self {
            egress: manifest.egress.iter().map(|rule| rule.host.clone()).collect(),
            media: manifest.media.hosts.clone(),
        }
    }
}

/// A channel with what the operator gives it.
#[derive(Clone, Debug, Default)]
pub struct ChannelOptions {
    /// What it may do. `None`: what the running channel of the same id may do, and nothing where none runs.
    pub grant: Option<Grant>,
    /// Values for the manifest's settings of the scopes `channel` and `both`.
    pub settings: std::collections::BTreeMap<String, RawSetting>,
    /// Its own credentials, by slot: all of them. One that an earlier setup named and this one does not ends.
    pub secrets: HashMap<String, Secret>,
    /// Replaced ones that still prove where webhooks come from: slot, secret, until when in milliseconds since
    /// 1970.
    pub previous_secrets: Vec<(String, Secret, u64)>,
}

/// A loaded channel as the host knows it.
#[derive(Clone)]
pub struct LoadedChannel {
    /// The component.
    pub channel: Channel,
    /// What it can say and hear at most.
    pub capabilities: Arc<ChannelCapabilities>,
    /// The same for an account.
    pub(crate) of_accounts: OfAccounts,
    /// SHA-256 of the capabilities' JSON form, in hex: changes whenever they do.
    pub capabilities_hash: String,
    /// The egress rules that were granted.
    pub egress: Arc<[EgressRule]>,
    /// The media hosts that were granted.
    pub media_hosts: Arc<[String]>,
    /// The channel's settings, which hold for every account that has no other.
    pub settings: Arc<[Setting]>,
    /// Hosts that the manifest asks for and the operator did not grant.
    pub not_granted: Vec<String>,
    /// What its manifest asks for and that of the one before did not, or not as widely, a line each.
    pub asks_more: Vec<String>,
    /// What the operator granted.
    pub grant: Grant,
}

impl LoadedChannel {
    /// Whether each account has a secret of its own for its webhooks. Then it has an address of its own too, at which
    /// no other account's secret is tried.
    pub(crate) fn has_account_secrets(&self) -> bool {
        let manifest = self.channel.manifest();
        let of_account = |slot: &String| manifest.slots.get(slot).is_some_and(|slot| slot.scope == SlotScope::Account);
        manifest.webhook.verification.secrets().iter().any(of_account)
    }
}

/// Credentials may fill the slots that the manifest declares, where it declares them.
pub(crate) fn check_slots(
    manifest: &Manifest,
    given: &HashMap<String, Secret>,
    scope: SlotScope,
) -> Result<(), UnknownSlot> {
    let fits = |slot: &String| manifest.slots.get(slot).is_some_and(|declared| declared.scope == scope);
    let Some(slot) = given.keys().find(|slot| !fits(slot)) else { return Ok(()) };
    let known = manifest.slots.iter().filter(|(_, declared)| declared.scope == scope).map(|(name, _)| name.as_str());
    Err(UnknownSlot {
        channel: manifest.channel.id.clone(),
        slot: slot.clone(),
        scope: match scope {
            SlotScope::App => "the channel itself",
            SlotScope::Account => "an account",
            SlotScope::Connect => "the connecting of an account",
        },
        known: known.collect::<Vec<_>>().join(", "),
    })
}
