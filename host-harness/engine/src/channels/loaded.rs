//! Owns: a loaded channel with its grant, settings and credentials.
//! Does not own: loading it (`rollout`).

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use harness_contract::{
    ChannelCapabilities, Setting,
    manifest::{EgressRule, Manifest, SlotScope},
    settings::RawSetting,
};
use harness_egress::credentials::Secret;
use harness_sandbox::{Channel, Inspected};
use serde::Serialize;
use sha2::{Digest as _, Sha256};

use super::{capabilities::OfAccounts, error::UnknownSlot};
use crate::{base::public_url::PublicUrl, error::ConnectError};

/// A component that is to be loaded.
#[derive(Debug)]
pub enum Loadable {
    /// Its bytes.
    Bytes(Vec<u8>),
    /// One that was inspected already.
    Inspected(Box<Inspected>),
}

impl From<Vec<u8>> for Loadable {
    fn from(bytes: Vec<u8>) -> Self {
        Self::Bytes(bytes)
    }
}

impl From<Inspected> for Loadable {
    fn from(inspected: Inspected) -> Self {
        Self::Inspected(Box::new(inspected))
    }
}

/// What the operator allows a channel. Everything not listed is denied.
#[derive(Clone, Debug, Default)]
pub struct Grant {
    /// Hosts of the manifest's egress rules.
    pub egress: Vec<String>,
    /// Hosts of the manifest's `[media]`, from which files may be downloaded.
    pub media: Vec<String>,
}

impl Grant {
    /// Grants everything that a manifest asks for. Only after somebody has read it.
    pub fn all_of(manifest: &Manifest) -> Self {
        Self {
            egress: manifest.egress.iter().map(|rule| rule.host.clone()).collect(),
            media: manifest.media.hosts.clone(),
        }
    }
}

/// Where a component came from, as far as whoever loads it knows. The host shows it and decides nothing by it.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Provenance {
    /// The program that embeds the host handed it in.
    #[default]
    Embedded,
    /// A file that nobody signed, which the operator allows for development.
    Unsigned,
    /// An installed package whose signature was verified.
    Package {
        /// Whose it is.
        publisher: String,
        /// The hint of the key that signed it: hex SHA-256 of the public key.
        #[serde(skip_serializing_if = "Option::is_none")]
        key: Option<String>,
        /// The identity that signed it, where no key did.
        #[serde(skip_serializing_if = "Option::is_none")]
        identity: Option<SigningIdentity>,
        /// Where it was installed from.
        source: String,
    },
}

/// Who signed without a key.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct SigningIdentity {
    /// Who vouched for it: an https address.
    pub issuer: String,
    /// A mail address, or the address of a build.
    pub subject: String,
}

/// What the operator configures for a channel.
#[derive(Clone, Debug, Default)]
pub struct ChannelOptions {
    /// Its grant. `None`: the grant of the running channel with the same id; if none runs, nothing is granted.
    pub grant: Option<Grant>,
    /// Values for the manifest's settings of the scopes `channel` and `both`.
    pub settings: std::collections::BTreeMap<String, RawSetting>,
    /// The channel's credentials by slot. The list is complete: slots missing here are removed.
    pub secrets: HashMap<String, Secret>,
    /// Replaced credentials that still verify webhooks: slot, secret, and expiry in milliseconds since 1970.
    pub previous_secrets: Vec<(String, Secret, u64)>,
    /// Where the component came from.
    pub provenance: Provenance,
}

/// A loaded channel as the host knows it.
#[derive(Clone)]
pub struct LoadedChannel {
    /// The component.
    pub channel: Channel,
    /// The most that it supports for any account.
    pub capabilities: Arc<ChannelCapabilities>,
    /// The capabilities for each account.
    pub(crate) of_accounts: OfAccounts,
    /// SHA-256 of the capabilities' JSON form, in hex. Changes with the capabilities.
    pub capabilities_hash: String,
    /// The egress rules that were granted.
    pub egress: Arc<[EgressRule]>,
    /// The media hosts that were granted.
    pub media_hosts: Arc<[String]>,
    /// The channel's settings; defaults for the accounts' settings.
    pub settings: Arc<[Setting]>,
    /// Hosts that the manifest asks for and the operator did not grant.
    pub not_granted: Vec<String>,
    /// What its manifest asks for beyond that of the component before, one line each.
    pub asks_more: Vec<String>,
    /// What the operator granted.
    pub grant: Grant,
    /// Where the component came from.
    pub provenance: Provenance,
}

/// Which version of a channel it is.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ComponentVersion {
    /// SHA-256 of the component, in hex.
    pub digest: String,
    /// The version in its manifest.
    pub version: String,
}

impl LoadedChannel {
    /// A channel under a grant. What it asks for beyond it is not granted.
    pub(super) fn new(
        channel: Channel,
        capabilities: ChannelCapabilities,
        settings: Vec<Setting>,
        grant: Grant,
    ) -> Self {
        let manifest = channel.manifest();
        let (egress, not): (Vec<_>, Vec<_>) =
            manifest.egress.iter().cloned().partition(|rule| grant.egress.contains(&rule.host));
        let (media_hosts, no_media): (Vec<_>, Vec<_>) =
            manifest.media.hosts.iter().cloned().partition(|host| grant.media.contains(host));
        let mut not_granted: Vec<String> = not.into_iter().map(|rule| rule.host).chain(no_media).collect();
        // Several rules may name the same host.
        let mut known = HashSet::new();
        not_granted.retain(|host| known.insert(host.clone()));
        let json = serde_json::to_vec(&capabilities).unwrap_or_default();
        Self {
            capabilities: Arc::new(capabilities),
            of_accounts: OfAccounts::default(),
            capabilities_hash: hex::encode(Sha256::digest(json)),
            egress: egress.into(),
            media_hosts: media_hosts.into(),
            settings: settings.into(),
            not_granted,
            asks_more: Vec::new(),
            grant,
            provenance: Provenance::default(),
            channel,
        }
    }

    /// Which version it is.
    pub fn version(&self) -> ComponentVersion {
        let (digest, version) = (&self.channel.inspection().digest, &self.channel.manifest().channel.version);
        ComponentVersion { digest: digest.clone(), version: version.clone() }
    }

    /// Whether each account has its own webhook secret. If so, each account also has its own webhook address, where no
    /// other account's secret is tried.
    pub(crate) fn has_account_secrets(&self) -> bool {
        let manifest = self.channel.manifest();
        let of_account = |slot: &String| manifest.slots.get(slot).is_some_and(|slot| slot.scope == SlotScope::Account);
        manifest.webhook.iter().any(|webhook| webhook.verification.secrets().iter().any(of_account))
    }

    /// Where the webhooks of an account come in, or those of one of which nothing is known yet. `None` where the channel has
    /// no webhooks.
    pub(crate) fn webhook_url(
        &self,
        public_url: &PublicUrl,
        account: Option<&str>,
    ) -> Result<Option<String>, ConnectError> {
        if self.channel.manifest().webhook.is_none() {
            return Ok(None);
        }
        let own = account.filter(|_| self.has_account_secrets());
        let segments: Vec<&str> = ["webhooks", self.channel.id()].into_iter().chain(own).collect();
        Ok(Some(public_url.address(&segments)?.into()))
    }
}

/// Checks that credentials are given only for slots that the manifest declares in this scope.
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
