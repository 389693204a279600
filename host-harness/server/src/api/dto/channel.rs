//! Owns: channels in the API's JSON.
//! Does not own: loading them.

use harness_contract::{ChannelCapabilities, manifest::Manifest};
use harness_engine::{Host, LoadedChannel, Looked, Provenance};
use serde::Serialize;
use utoipa::ToSchema;

use super::{ChannelTag, contract};
use crate::api::time::Time;

/// A channel: what it can do, what it may do, where it came from.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Channel {
    object: ChannelTag,
    /// A name, such as `web-chat`.
    id: String,
    /// SHA-256 of the component, in hex.
    digest: String,
    /// Counts the components that were loaded for it since the host started.
    generation: u64,
    /// Why the last update was not taken.
    update_problem: Option<String>,
    /// What its manifest asks for beyond that of the component before, one line each.
    asks_more: Vec<String>,
    /// The last look for a newer version where it was installed from. `null` if there was none.
    looked_for: Option<LookedFor>,
    /// Who it is, its logins, settings and callbacks, and which permissions it asks for.
    #[schema(value_type = Object)]
    manifest: Manifest,
    /// Who answers for the component.
    #[schema(value_type = Object)]
    provenance: Provenance,
    /// Hosts that the manifest asks for and the operator did not grant.
    not_granted: Vec<String>,
    /// The most that it supports for any account: drives a composer.
    #[schema(value_type = contract::ChannelCapabilities)]
    capabilities: ChannelCapabilities,
    /// Changes with the capabilities.
    capabilities_hash: String,
}

/// What came of looking for a newer version.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct LookedFor {
    at: Time,
    /// `null` if there is none, or if it is not known.
    newer: Option<NewerVersion>,
    /// Why it is not known, for people.
    problem: Option<String>,
}

impl From<Looked> for LookedFor {
    fn from(Looked { at, found }: Looked) -> Self {
        let (newer, problem) = match found {
            Ok(newer) => (newer.map(NewerVersion::from), None),
            Err(problem) => (None, Some(problem)),
        };
        Self { at: at.into(), newer, problem }
    }
}

/// A version that waits to be taken, which an operator does.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct NewerVersion {
    version: String,
    /// Its publisher. `null` if nobody signed it.
    publisher: Option<String>,
    /// What it asks for that the one that runs does not, one line each.
    asks_more: Vec<String>,
    /// What it does not ask for any more.
    asks_less: Vec<String>,
}

impl From<harness_engine::NewerVersion> for NewerVersion {
    fn from(found: harness_engine::NewerVersion) -> Self {
        let harness_engine::NewerVersion { version, publisher, more, less } = found;
        Self { version, publisher, asks_more: more, asks_less: less }
    }
}

impl Channel {
    pub(crate) fn of(host: &Host, loaded: &LoadedChannel) -> Self {
        let id = loaded.channel.id();
        Self {
            object: ChannelTag::Tag,
            id: id.to_owned(),
            digest: loaded.channel.inspection().digest.clone(),
            generation: host.generation(id),
            update_problem: host.update_problem(id),
            asks_more: loaded.asks_more.clone(),
            looked_for: host.looked(id).map(LookedFor::from),
            manifest: loaded.channel.manifest().clone(),
            provenance: loaded.provenance.clone(),
            not_granted: loaded.not_granted.clone(),
            capabilities: (*loaded.capabilities).clone(),
            capabilities_hash: loaded.capabilities_hash.clone(),
        }
    }
}
