//! The rules of `wit/VERSIONING.md`, each tried on a component that was built against another contract than the host's.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    reason = "a test fails by panicking"
)]

use channel_tests::{handmade::Handmade, instagram, manifest::replaced};
use harness_contract::{Delivery, DeliverySource, is_compatible};
use harness_sandbox::{Channel, LoadError, Optional, Sandbox, SandboxConfig};
use wasm_encoder::Instruction as I;

const OPTIONAL: [Optional; 7] = [
    Optional::Account,
    Optional::Profiles,
    Optional::History,
    Optional::Files,
    Optional::EntryPoints,
    Optional::Templates,
    Optional::WebhookAnswer,
];

/// A component of a world, in which `parse-webhook` finds nothing to say, built against a changed contract.
fn built(world: &'static str, contract: &[(&'static str, &'static str)]) -> Result<Channel, LoadError> {
    const RESULT: i32 = 1024;
    let component = Handmade {
        world,
        contract: contract.to_vec(),
        parse_webhook: vec![I::I32Const(RESULT)],
        data: vec![(RESULT, vec![0; 16])],
        ..Handmade::default()
    };
    Sandbox::new(SandboxConfig::default()).unwrap().load(&component.component())
}

fn works(channel: &Channel) {
    let delivery = Delivery {
        source: DeliverySource::Webhook,
        body: b"x".to_vec(),
        headers: Vec::new(),
        query: String::new(),
        received_at: 0,
        account: None,
    };
    assert_eq!(channel.parse_webhook(&delivery).unwrap().unwrap().len(), 0);
}

fn refused(world: &'static str, contract: &[(&'static str, &'static str)]) -> String {
    built(world, contract).err().expect("refused").to_string()
}

#[test]
fn an_interface_that_is_left_out_is_not_offered_and_the_channel_runs() {
    let offered = |world| {
        let channel = built(world, &[]).unwrap();
        works(&channel);
        OPTIONAL.into_iter().filter(|interface| channel.offers(*interface)).collect::<Vec<_>>()
    };
    assert_eq!(offered("translator"), []);
    assert_eq!(offered("channel"), [Optional::Account]);
    assert_eq!(offered("complete"), OPTIONAL);
}

#[test]
fn an_interface_that_the_host_does_not_know_is_ignored_and_the_channel_runs() {
    // A channel of a later minor version, for a host that reads drafts.
    let later = [(
        "world translator {\n    export messaging-channel;",
        "interface drafts { draft: func(text: string) -> result<_, string>; }\n\
         world translator { export drafts; export messaging-channel;",
    )];
    let channel = built("translator", &later).unwrap();
    works(&channel);
    assert!(channel.inspection().exports.contains(&"inbox:channel/drafts@0.2.0".to_owned()));
    assert!(OPTIONAL.into_iter().all(|interface| !channel.offers(interface)));
}

#[test]
fn a_function_more_in_an_optional_interface_is_ignored_and_one_less_is_refused_by_name() {
    // What a host of the later contract would meet: that is why an interface never changes, not even by a function.
    let profile = "    profile: func(account: account-settings, contact-id: string, thread: option<string>) \
                   -> result<contact-profile, account-error>;";
    let picture = "    profile: func(account: account-settings, contact-id: string, thread: option<string>) \
                   -> result<contact-profile, account-error>;\n    picture: func(contact-id: string) -> string;";
    let channel = built("complete", &[(profile, picture)]).unwrap();
    works(&channel);
    assert!(channel.offers(Optional::Profiles));
    let other = "    picture: func(contact-id: string) -> string;";
    let error = refused("complete", &[(profile, other)]);
    assert!(error.contains("does not export `profile`"), "{error}");
}

#[test]
fn a_record_with_a_field_more_is_another_type_and_refused_with_the_function_that_it_stands_in() {
    let error = refused("translator", &[("    record header {", "    record header {\n        sensitive: bool,")]);
    assert!(error.contains("`messaging-channel.parse-webhook`"), "{error}");
    let error = refused("translator", &[("    enum severity {", "    enum severity {\n        hint,")]);
    assert!(error.contains("`messaging-channel.validate-outbound`"), "{error}");
}

#[test]
fn another_patch_of_the_contract_runs_with_what_it_imports() {
    works(&built("complete", &[("@0.2.0", "@0.2.7")]).unwrap());
    let patched = replaced(&instagram().1, "@0.2.0", "@0.2.7");
    let channel = Sandbox::new(SandboxConfig::default()).unwrap().load(&patched).unwrap();
    assert_eq!(channel.inspection().contract, "0.2.7");
    assert!(channel.inspection().imports.contains(&"inbox:channel/http@0.2.7".to_owned()));
    assert!(channel.offers(Optional::Account));
}

#[test]
fn an_import_that_the_host_does_not_have_is_refused_by_name() {
    let later = replaced(&instagram().1, "inbox:channel/storage@", "inbox:channel/streams@");
    let error = Sandbox::new(SandboxConfig::default()).unwrap().load(&later).err().unwrap().to_string();
    assert!(error.contains("imports `inbox:channel/streams@0.2.0`"), "{error}");
}

#[test]
fn a_component_that_speaks_two_versions_is_refused() {
    let two = replaced(&instagram().1, "/storage@0.2.0", "/storage@0.2.7");
    let error = Sandbox::new(SandboxConfig::default()).unwrap().load(&two).err().unwrap().to_string();
    assert!(error.contains("0.2.0 and 0.2.7 at once") || error.contains("0.2.7 and 0.2.0 at once"), "{error}");
}

#[test]
fn a_host_takes_every_patch_of_a_draft_and_every_version_of_one_frozen_contract() {
    for (component, host, runs) in [
        ("0.2.0", "0.2.0", true),
        ("0.2.7", "0.2.0", true),
        ("0.2.0", "0.2.7", true),
        ("0.1.0", "0.2.0", false),
        ("0.3.0", "0.2.0", false),
        ("0.9.0", "1.0.0", false),
        ("1.0.0", "1.4.2", true),
        ("1.4.2", "1.0.0", true),
        ("2.0.0", "1.4.2", false),
    ] {
        assert_eq!(is_compatible(component, host), runs, "{component} in {host}");
    }
}
