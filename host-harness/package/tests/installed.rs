//! The folder of installed channels: what is judged, what is kept, and that nothing in it can be changed unnoticed.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, missing_docs, reason = "a test fails by panicking")]

use std::{fs, path::Path, sync::Arc};

use harness_package::{
    Digest, Publisher, Version,
    installed::{Candidate, Entry, Grant, Installed, InstalledError, Seal, Step},
    signature::Identity,
};
use proptest::prelude::*;
use tempfile::TempDir;

/// A seal that depends on a key, as the vault's does.
struct Key(u8);

impl Seal for Key {
    fn sign(&self, purpose: &str, text: &str) -> [u8; 32] {
        *Digest::of(format!("{} {purpose} {text}", self.0).as_bytes()).as_bytes()
    }
}

struct Place(TempDir);

impl Place {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn open(&self) -> Installed {
        Installed::of_data(self.0.path(), Arc::new(Key(1)))
    }

    fn file(&self, name: &str) -> std::path::PathBuf {
        self.0.path().join("channels").join(name)
    }

    fn files(&self) -> Vec<String> {
        let mut names: Vec<_> = fs::read_dir(self.file("components"))
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    /// Installs a version of the channel `chat` with these bytes, and everything granted.
    fn install(&self, version: &str, bytes: &str) -> Result<(), InstalledError> {
        let candidate = candidate(version, bytes);
        let grant = grant_of(&candidate);
        self.open().change()?.install(&candidate, grant)
    }

    fn runs(&self) -> (String, Vec<u8>) {
        let place = self.open();
        let state = place.state().unwrap();
        let entry = state.entry("chat").unwrap();
        place.grants().unwrap().cover("chat", &entry.component, &["it asks".to_owned()]).unwrap();
        (entry.version.to_string(), place.component(&entry.component).unwrap())
    }
}

fn candidate(version: &str, bytes: &str) -> Candidate {
    let publisher: Publisher = "acme".parse().unwrap();
    Candidate {
        channel: "chat".into(),
        entry: Entry {
            version: version.parse().unwrap(),
            publisher: Some(publisher),
            key: Some("aa".into()),
            identity: None,
            component: Digest::of(bytes.as_bytes()),
            manifest: None,
            source: "registry.example/acme/chat".into(),
            installed_at: 1,
        },
        bytes: bytes.into(),
        bundles: vec![b"{}".to_vec()],
        asks: vec!["it asks".into()],
        rotations: Vec::new(),
    }
}

fn grant_of(candidate: &Candidate) -> Grant {
    Grant {
        channel: candidate.channel.clone(),
        version: candidate.entry.version.clone(),
        publisher: candidate.entry.publisher.clone(),
        digest: candidate.entry.component,
        agreed_at: "2026-01-01T00:00:00Z".into(),
        asks: candidate.asks.clone(),
    }
}

#[test]
fn what_was_installed_is_there_after_a_restart_and_the_one_before_is_one_step_away() {
    let place = Place::new();
    assert!(place.open().state().unwrap().installed().next().is_none());
    place.install("1.0.0", "one").unwrap();
    place.install("1.1.0", "two").unwrap();
    assert_eq!(place.runs(), ("1.1.0".into(), b"two".to_vec()));
    assert_eq!(place.open().bundles(&Digest::of(b"two")).unwrap(), [b"{}"]);
    let back = place.open().change().unwrap().rollback("chat").unwrap();
    assert_eq!(back.version, "1.0.0".parse::<Version>().unwrap());
    assert_eq!(place.runs(), ("1.0.0".into(), b"one".to_vec()));
    assert!(matches!(place.open().change().unwrap().rollback("chat"), Err(InstalledError::NothingBefore(_))));
    place.install("1.1.0", "two").unwrap();
    assert_eq!(place.runs().0, "1.1.0", "what was gone back from can be installed again");
}

#[test]
fn a_downgrade_a_moved_version_and_another_publisher_are_refused_and_change_nothing() {
    let place = Place::new();
    place.install("1.0.0", "one").unwrap();
    place.install("1.2.0", "two").unwrap();
    let before = (place.runs(), place.files());
    assert!(matches!(place.install("1.1.0", "older"), Err(InstalledError::Downgrade { .. })));
    assert!(matches!(place.install("1.2.0", "other"), Err(InstalledError::Moved(_))));
    assert!(matches!(place.install("1.0.0", "other"), Err(InstalledError::Moved(_))));
    let mut others = candidate("1.3.0", "three");
    others.entry.publisher = Some("globex".parse().unwrap());
    let refused = place.open().change().unwrap().install(&others, grant_of(&others));
    assert!(matches!(refused, Err(InstalledError::OtherPublisher { .. })));
    others.entry.publisher = None;
    let refused = place.open().change().unwrap().install(&others, grant_of(&others));
    assert!(matches!(refused, Err(InstalledError::OtherPublisher { .. })), "unsigned in place of signed");
    assert_eq!((place.runs(), place.files()), before);
    // Not by removing it first either: which versions were here is kept.
    place.open().change().unwrap().remove("chat").unwrap();
    assert!(place.files().is_empty() && place.open().state().unwrap().installed().next().is_none());
    assert!(matches!(place.install("1.1.0", "older"), Err(InstalledError::Downgrade { .. })));
    assert!(matches!(place.install("1.2.0", "other"), Err(InstalledError::Moved(_))));
    place.install("1.2.0", "two").unwrap();
}

#[test]
fn the_same_version_again_is_no_update_and_keeps_what_ran_before() {
    let place = Place::new();
    place.install("1.0.0", "one").unwrap();
    place.install("1.1.0", "two").unwrap();
    assert_eq!(place.open().change().unwrap().judge(&candidate("1.1.0", "two")).unwrap(), Step::Same);
    place.install("1.1.0", "two").unwrap();
    assert_eq!(place.open().state().unwrap().previous("chat").len(), 1);
    for version in 2..9 {
        place.install(&format!("1.{version}.0"), &format!("bytes {version}")).unwrap();
    }
    assert_eq!(place.open().state().unwrap().previous("chat").len(), 5);
    assert_eq!(place.files().len(), 12, "a component and its signatures for what runs and the five before");
}

#[test]
fn what_was_not_agreed_to_is_not_installed_and_a_grant_is_for_one_component() {
    let place = Place::new();
    place.install("1.0.0", "one").unwrap();
    let wanting = Candidate { asks: vec!["it asks".into(), "it asks for more".into()], ..candidate("1.1.0", "two") };
    let too_little = Grant { asks: vec!["it asks".into()], ..grant_of(&wanting) };
    let refused = place.open().change().unwrap().install(&wanting, too_little).unwrap_err();
    assert!(refused.to_string().contains("it asks for more"), "{refused}");
    let for_another = Grant { digest: Digest::of(b"another"), ..grant_of(&wanting) };
    let refused = place.open().change().unwrap().install(&wanting, for_another).unwrap_err();
    assert!(matches!(refused, InstalledError::NoGrant { .. }), "{refused}");
    assert_eq!((place.runs().0.as_str(), place.files().len()), ("1.0.0", 2));
    // Taking a sentence out of the file takes it from the channel.
    let grants = fs::read_to_string(place.file("grants.toml")).unwrap();
    fs::write(place.file("grants.toml"), grants.replace("\"it asks\"", "")).unwrap();
    let found = place.open().grants().unwrap();
    assert!(found.cover("chat", &Digest::of(b"one"), &["it asks".to_owned()]).is_err());
}

#[test]
fn a_component_that_was_changed_on_the_disk_is_not_handed_out() {
    let place = Place::new();
    place.install("1.0.0", "one").unwrap();
    let file = place.file("components").join(format!("{}.wasm", Digest::of(b"one").hex()));
    fs::write(file, "bad").unwrap();
    let refused = place.open().component(&Digest::of(b"one")).unwrap_err();
    assert!(matches!(refused, InstalledError::OtherBytes { .. }), "{refused}");
}

#[test]
fn one_at_a_time_changes_the_folder_and_another_host_changes_nothing() {
    let place = Place::new();
    place.install("1.0.0", "one").unwrap();
    let first = place.open().change().unwrap();
    assert!(matches!(place.open().change(), Err(InstalledError::Busy { .. })));
    drop(first);
    let other = Installed::of_data(place.0.path(), Arc::new(Key(2)));
    assert!(matches!(other.state(), Err(InstalledError::Edited { .. })));
    let text = fs::read_to_string(place.file("channels.lock")).unwrap();
    fs::write(place.file("channels.lock"), text.replace("\"format\": 1", "\"format\": 3")).unwrap();
    assert!(matches!(place.open().state(), Err(InstalledError::Newer { found: 3, .. })));
}

#[test]
fn an_install_that_was_cut_off_leaves_what_ran_and_its_rest_is_swept() {
    let place = Place::new();
    place.install("1.0.0", "one").unwrap();
    let lock = fs::read(place.file("channels.lock")).unwrap();
    let grants = fs::read(place.file("grants.toml")).unwrap();
    place.install("1.1.0", "two").unwrap();
    // As if the machine had stopped before the lock file: the new component and its grant are there, and nothing else.
    let late = fs::read(place.file("grants.toml")).unwrap();
    assert_ne!(grants, late);
    fs::write(place.file("channels.lock"), lock).unwrap();
    assert_eq!(place.runs(), ("1.0.0".into(), b"one".to_vec()));
    place.install("1.2.0", "three").unwrap();
    assert_eq!(place.files().len(), 4, "1.2.0 and 1.0.0: {:?}", place.files());
}

fn damaged(path: &Path, at: usize, with: u8) -> bool {
    let mut bytes = fs::read(path).unwrap();
    let at = at % bytes.len();
    let changed = bytes[at] != with;
    bytes[at] = with;
    fs::write(path, bytes).unwrap();
    changed
}

#[test]
fn who_signed_without_a_key_is_kept_in_a_form_that_versions_before_call_newer() {
    let place = Place::new();
    let format = || fs::read_to_string(place.file("channels.lock")).unwrap();
    place.install("1.0.0", "one").unwrap();
    assert!(format().contains("\"format\": 1,"));
    let identity = Identity::new("https://accounts.example.com", "kim@acme.example").unwrap();
    let mut signed = candidate("1.1.0", "two");
    (signed.entry.key, signed.entry.identity) = (None, Some(identity.clone()));
    let grant = grant_of(&signed);
    place.open().change().unwrap().install(&signed, grant).unwrap();
    assert!(format().contains("\"format\": 2,"));
    assert_eq!(place.open().state().unwrap().entry("chat").unwrap().identity, Some(identity));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn no_change_of_the_lock_file_goes_unnoticed(at in any::<usize>(), with in any::<u8>()) {
        let place = Place::new();
        place.install("1.0.0", "one").unwrap();
        let before = place.open().state().unwrap();
        let changed = damaged(&place.file("channels.lock"), at, with);
        // What is not part of a value, such as a blank, may change.
        match place.open().state() {
            Ok(state) => prop_assert_eq!(state, before),
            Err(_) => prop_assert!(changed),
        }
    }

    #[test]
    fn no_name_in_a_candidate_leads_out_of_the_folder(name in "\\PC{0,20}|\\.\\./[a-z]{1,5}|/[a-z]{1,5}") {
        let place = Place::new();
        let candidate = Candidate { channel: name, ..candidate("1.0.0", "one") };
        let grant = grant_of(&candidate);
        if harness_package::names::check_channel(&candidate.channel).is_err() {
            prop_assert!(place.open().change().unwrap().install(&candidate, grant).is_err());
            prop_assert!(place.files().is_empty());
        }
    }
}
