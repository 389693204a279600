//! Owns: the JSON documents of the package commands, which scripts and marketplaces read: members are added, and none is
//! renamed, taken away or given another meaning.
//! Does not own: what stands in them.

use anyhow::Result;
use harness_contract::text::shown_json;
use harness_package::{
    Digest, Publisher, Version,
    installed::Entry,
    signature::{self, Build, Identity, SourceTree},
};
use serde::Serialize;

/// Prints a document, with what could mislead a terminal escaped.
pub(super) fn print(document: &impl Serialize) -> Result<()> {
    println!("{}", shown_json(&serde_json::to_string_pretty(document)?));
    Ok(())
}

/// Of `list`.
#[derive(Serialize)]
pub(super) struct List {
    pub(super) channels: Vec<Listed>,
}

/// Of `outdated`: channels of which there is something newer, and those that could not be asked about.
#[derive(Serialize)]
pub(super) struct Outdated {
    pub(super) channels: Vec<Newer>,
    pub(super) problems: Vec<Problem>,
}

/// Of `verify`.
#[derive(Serialize)]
pub(super) struct Verified {
    pub(super) packages: Vec<Verdict>,
}

/// Of `update --dry-run`: what would change, and what could not be looked at or would be refused.
#[derive(Serialize)]
pub(super) struct Updates {
    pub(super) channels: Vec<Update>,
    pub(super) problems: Vec<Problem>,
}

/// A package of a channel.
#[derive(Serialize)]
pub(super) struct Listed {
    pub(super) channel: String,
    pub(super) version: Version,
    /// `null`: it is not signed.
    publisher: Option<Publisher>,
    /// The hint of the key that signed it, or `null`.
    key: Option<String>,
    /// The identity that signed it, or `null`.
    identity: Option<Identity>,
    component: Digest,
    /// `null`: it came as a file.
    manifest: Option<Digest>,
    source: String,
    /// RFC 3339. `null`: it is not installed.
    installed_at: Option<String>,
    /// What ran before, the newest first.
    previous: Vec<Before>,
}

#[derive(Serialize)]
struct Before {
    version: Version,
    component: Digest,
}

impl Listed {
    /// One that is installed.
    pub(super) fn of(channel: &str, entry: &Entry, previous: &[Entry]) -> Self {
        let before = |entry: &Entry| Before { version: entry.version.clone(), component: entry.component };
        Self {
            channel: channel.to_owned(),
            version: entry.version.clone(),
            publisher: entry.publisher.clone(),
            key: entry.key.clone(),
            identity: entry.identity.clone(),
            component: entry.component,
            manifest: entry.manifest,
            source: entry.source.clone(),
            installed_at: Some(time(entry.installed_at)),
            previous: previous.iter().map(before).collect(),
        }
    }

    /// One that was only looked at.
    pub(super) fn found(channel: &str, entry: &Entry) -> Self {
        Self { installed_at: None, ..Self::of(channel, entry, &[]) }
    }
}

/// A time in milliseconds since 1970, as RFC 3339.
fn time(millis: u64) -> String {
    let time = i64::try_from(millis).ok().and_then(|millis| jiff::Timestamp::from_millisecond(millis).ok());
    time.unwrap_or_default().to_string()
}

#[derive(Serialize)]
pub(super) struct Newer {
    pub(super) channel: String,
    pub(super) version: Version,
    pub(super) newest: Version,
}

#[derive(Serialize)]
pub(super) struct Problem {
    pub(super) channel: String,
    /// Sentences, one cause a line.
    pub(super) problem: String,
}

impl Problem {
    pub(super) fn of(channel: &str, error: &anyhow::Error) -> Self {
        Self { channel: channel.to_owned(), problem: crate::log::told(error) }
    }
}

/// Whether this host would run a package.
#[derive(Serialize)]
pub(super) struct Verdict {
    #[serde(flatten)]
    pub(super) of: Listed,
    /// `null`: it would.
    pub(super) problem: Option<String>,
    /// What the publisher says about it; only of a package that is not installed.
    #[serde(flatten)]
    pub(super) said: Option<Said>,
}

/// What a publisher says.
#[derive(Serialize)]
pub(super) struct Said {
    predecessor: Option<Digest>,
    /// RFC 3339, where a log proves it.
    pub(super) signed_at: Option<String>,
    pub(super) source_tree: SourceTree,
    pub(super) build: Build,
}

impl Said {
    pub(super) fn of(verified: &signature::Verified) -> Self {
        Self {
            predecessor: verified.predecessor().copied(),
            signed_at: verified.signed_at().map(time),
            source_tree: verified.source().clone(),
            build: verified.build().clone(),
        }
    }
}

/// What an update would be.
#[derive(Serialize)]
pub(super) struct Update {
    /// The version that would run then.
    pub(super) to: Listed,
    /// What runs.
    pub(super) from: Version,
    /// What it may do that it could not, in sentences; somebody has to agree where there is any.
    pub(super) more: Vec<String>,
    /// What it would not do any more.
    pub(super) less: Vec<String>,
    /// Whether somebody has to agree.
    pub(super) asks: bool,
}
