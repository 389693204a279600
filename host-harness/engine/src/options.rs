//! What an operator gives the host: its options, and for every channel a grant, settings and credentials.
//! Belongs here: those types and what they must fit. Not here: loading, which `generation` does.

use std::{collections::HashMap, path::PathBuf, sync::Arc, time::Duration};

use harness_contract::{
    ChannelCapabilities, Setting,
    manifest::{EgressRule, Manifest, SlotScope},
    settings::RawSetting,
};
use harness_sandbox::{Channel, SandboxConfig};

use crate::{
    clock::Clock, error::HostError, ingest::backlog::Budget, maintenance::retention::Retention,
    media::store::MediaStore, tasks::AtTask,
};
use harness_egress::{
    Endpoints, Sizes,
    credentials::{Secret, VaultKey},
};

/// How a host is set up.
#[derive(Clone, Debug)]
pub struct HostOptions {
    /// The inbox's file.
    pub inbox: PathBuf,
    /// The bounds of the sandbox, and where compiled components are kept.
    pub sandbox: SandboxConfig,
    /// Where the bytes of media lie. None: the folder `media` beside the inbox's file.
    pub media: Option<MediaStore>,
    /// Where the key is under which credentials rest. None: the file `vault.key` beside the inbox's file.
    pub vault_key: Option<VaultKey>,
    /// Development only: where requests really go.
    pub endpoints: Endpoints,
    /// How long one exchange with a platform may take, from the connection to the last byte of the answer.
    pub exchange: Duration,
    /// The clock by which `exchange` passes: one of its own, so that no exchange ends because the present is moved.
    pub exchange_clock: Clock,
    /// The clock.
    pub clock: Clock,
    /// What each channel and each account may keep waiting here.
    pub budget: Budget,
    /// How large what channels, platforms and clients hand in may be.
    pub sizes: Sizes,
    /// How long is kept what need not be kept.
    pub retention: Retention,
    /// Where every call of a channel is written down, with what people wrote. None: nowhere.
    pub record: Option<PathBuf>,
    /// For tests: what is called when a task of a worker begins.
    pub at_task: Option<AtTask>,
}

/// [`HostOptions::exchange`] unless set. Meta fetches media while the request waits, for up to 75 s.
const EXCHANGE: Duration = Duration::from_secs(90);

impl HostOptions {
    /// A host that keeps everything in one folder, which must exist.
    pub fn in_folder(folder: impl Into<PathBuf>) -> Self {
        let folder = folder.into();
        Self {
            inbox: folder.join("inbox.sqlite"),
            sandbox: SandboxConfig { cache_dir: Some(folder.join("artifacts")), ..SandboxConfig::default() },
            media: None,
            vault_key: None,
            endpoints: Endpoints::new(),
            exchange: EXCHANGE,
            exchange_clock: Clock::default(),
            clock: Clock::default(),
            budget: Budget::default(),
            sizes: Sizes::default(),
            retention: Retention::default(),
            record: None,
            at_task: None,
        }
    }
}

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
pub struct ChannelSetup {
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
pub struct Registered {
    /// The component.
    pub channel: Channel,
    /// What it can say and hear.
    pub capabilities: Arc<ChannelCapabilities>,
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

impl Registered {
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
) -> Result<(), HostError> {
    let fits = |slot: &String| manifest.slots.get(slot).is_some_and(|declared| declared.scope == scope);
    let Some(slot) = given.keys().find(|slot| !fits(slot)) else { return Ok(()) };
    let known = manifest.slots.iter().filter(|(_, declared)| declared.scope == scope).map(|(name, _)| name.as_str());
    Err(HostError::UnknownSlot {
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
