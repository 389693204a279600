//! From publisher to operator, by the commands: a package is signed, published to a real registry, installed with what it
//! may do shown, answers a message, is updated, refused, accepted and taken back, and starts without the registry.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    reason = "a test fails by panicking"
)]

#[path = "publish/documents.rs"]
mod documents;
#[path = "publish/earlier.rs"]
mod earlier;
#[path = "publish/keyless.rs"]
mod keyless;
#[path = "publish/machine.rs"]
mod machine;
#[path = "publish/versions.rs"]
mod versions;
#[path = "publish/waiting.rs"]
mod waiting;

use std::{fs, os::unix::fs::PermissionsExt as _};

use channel_tests::{
    eventually, instagram,
    manifest::with_manifest,
    process::Process,
    registry::{DockerRegistry, USER, login},
    web_chat,
};
use harness_inbox::{ConversationId, PublicId as _};
use serde_json::json;
use simulator::{Config, Simulator};

use self::machine::{Machine, api, configure, hex, package, runs, trusting, wanting_more};

#[tokio::test(flavor = "multi_thread")]
async fn a_channel_goes_from_its_publisher_to_an_operator_and_back_a_step() {
    let (sim, registry) = (Simulator::start(Config::demo()).await.unwrap(), DockerRegistry::open().await);
    let (publisher, operator) = (Machine::new(), Machine::new());
    // The publisher makes a key, signs two packages and publishes them.
    let key = publisher.done(&["key", "create", "acme"]);
    assert!(key.contains("BEGIN PUBLIC KEY") && !key.contains("PRIVATE"), "{key}");
    fs::write(operator.path("acme.pub"), publisher.done(&["key", "show", "acme"])).unwrap();
    for (channel, source) in [("instagram", "plugin"), ("web-chat", "tests/channels/web-chat")] {
        publisher.package(source, channel);
        let to = format!("{}/acme/{channel}", registry.authority);
        let (done, refused) = publisher.run(&["publish", channel, &to, "--plain-http"]);
        assert!(!done && refused.contains("is not signed"), "{refused}");
        publisher.done(&["sign", channel]);
        publisher.done(&["publish", channel, &to, "--plain-http"]);
    }
    // The operator sees whose it is and what it may do, and has to agree.
    let config = configure(&operator, &registry.authority, &sim);
    let from = format!("{}/acme/instagram", registry.authority);
    let (done, asked) = operator.typed(&["install", &from, "--config", &config], "n");
    assert!(!done && asked.contains("acme, verified with its key"), "{asked}");
    assert!(asked.contains("requests POST https://graph.facebook.com/*/*/messages"), "{asked}");
    assert!(asked.contains("people who connect by facebook are asked to permit instagram_manage_messages"), "{asked}");
    assert!(operator.done(&["list", "--config", &config]).contains("no channel is installed"));
    let (done, nobody) = operator.run(&["install", &from, "--config", &config]);
    assert!(!done && nobody.contains("nobody can be asked here"), "{nobody}");
    let (done, installed) = operator.typed(&["install", &from, "--config", &config], "y");
    assert!(done && installed.contains("installed instagram 0.1.0"), "{installed}");
    // It runs, takes a message and answers it.
    let mut served =
        Process::start(operator.command(&["serve", "--config", &config]).stderr(std::process::Stdio::null()));
    let (digest, provenance) = runs(&operator, &served, "instagram").await.unwrap();
    assert_eq!((digest, &provenance["kind"]), (hex(&instagram().1), &json!("package")));
    assert_eq!((&provenance["publisher"], &provenance["source"]), (&json!("acme"), &json!(from)));
    sim.set_webhook_url(format!("{}/webhooks/instagram", served.address));
    sim.customer(Config::DEMO_CUSTOMER).text("is it signed?").await;
    eventually("the message", async || {
        let found = api(&operator, &served, "GET", "conversations", None).await;
        (found.as_array()?.first()?["preview"] == "is it signed?").then_some(())
    })
    .await;
    let reply = json!({"sender": {"kind": "human", "id": "kim"}, "parts": [{"text": {"text": "It is."}}]});
    let replies = format!("conversations/{}/replies?wait=20000", ConversationId::new(1).public());
    let sent = api(&operator, &served, "POST", &replies, Some(reply)).await;
    assert_eq!(sent["state"], "sent", "{sent}");
    // A second channel is taken by the running host, with what was agreed to on another one.
    let chat = format!("{}/acme/web-chat", registry.authority);
    let other = Machine::new();
    fs::copy(operator.path("acme.pub"), other.path("acme.pub")).unwrap();
    let elsewhere = configure(&other, &registry.authority, &sim);
    assert!(other.typed(&["install", &chat, "--config", &elsewhere], "yes").0);
    fs::copy(other.path("data/channels/grants.toml"), operator.path("grants.toml")).unwrap();
    operator.done(&["install", &chat, "--config", &config, "--yes", "--grant", "grants.toml"]);
    let took = async |bytes: &[u8]| {
        let wanted = hex(bytes);
        eventually("the component", async || (runs(&operator, &served, "web-chat").await?.0 == wanted).then_some(()))
            .await
    };
    took(&web_chat().1).await;
    // An update that asks for one host more shows it, is refused, and then accepted.
    let newer = wanting_more("0.2.0");
    package(&publisher.path("newer"), "web-chat", "0.2.0", "acme", &newer).await;
    publisher.done(&["sign", "newer"]);
    publisher.done(&["publish", "newer", &chat, "--plain-http"]);
    assert!(operator.done(&["outdated", "--config", &config]).contains("web-chat 0.1.0 → 0.2.0"));
    let (done, asked) = operator.typed(&["update", "web-chat", "--config", &config], "n");
    assert!(!done && asked.contains("+ requests GET https://more.example.com/spy"), "{asked}");
    let (done, refused) = operator.run(&["update", "web-chat", "--config", &config, "--yes", "--grant", "grants.toml"]);
    assert!(!done && refused.contains("a grant is for one component"), "{refused}");
    took(&web_chat().1).await;
    assert!(operator.typed(&["update", "web-chat", "--config", &config], "y").0);
    took(&newer).await;
    // And back.
    let back = operator.done(&["rollback", "web-chat", "--config", &config]);
    assert!(back.contains("web-chat is 0.1.0 again"), "{back}");
    took(&web_chat().1).await;
    // Without the registry everything that is installed starts.
    let (done, pulled) = operator.run(&["pull", &chat, "--out", "pulled", "--config", &config]);
    assert!(done, "{pulled}");
    drop(registry);
    drop(served);
    served = Process::start(operator.command(&["serve", "--config", &config]).stderr(std::process::Stdio::null()));
    assert_eq!(runs(&operator, &served, "instagram").await.unwrap().0, hex(&instagram().1));
    assert_eq!(runs(&operator, &served, "web-chat").await.unwrap().0, hex(&web_chat().1));
    // What was copied before is installed without it, as what asks for no more than that is what was shown.
    let (done, installed) = operator.typed(&["install", "pulled", "--config", &config], "y");
    assert!(done && installed.contains("installed web-chat 0.2.0"), "{installed}");
    operator.done(&["verify", "--config", &config]);
    // A backup holds it, and where it is put back, it runs.
    operator.done(&["backup", "--config", &config, "--with-key", "saved"]);
    let restored = Machine::new();
    fs::copy(operator.path("acme.pub"), restored.path("acme.pub")).unwrap();
    let elsewhere = configure(&restored, "127.0.0.1:1", &sim);
    restored.done(&["restore", "--config", &elsewhere, operator.path("saved").to_str().unwrap()]);
    let verified = restored.done(&["verify", "--config", &elsewhere]);
    assert!(verified.contains("instagram 0.1.0: acme") && verified.contains("web-chat 0.2.0: acme"), "{verified}");
    // What is removed is taken out of the running host.
    operator.done(&["remove", "web-chat", "--config", &config]);
    eventually("its end", async || runs(&operator, &served, "web-chat").await.is_none().then_some(())).await;
    assert!(runs(&operator, &served, "instagram").await.is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn publisher_and_operator_are_logged_in_as_their_container_tools_are() {
    let (sim, registry) = (Simulator::start(Config::demo()).await.unwrap(), DockerRegistry::with_login().await);
    let (publisher, operator) = (Machine::new(), Machine::new());
    publisher.done(&["key", "create", "acme"]);
    fs::write(operator.path("acme.pub"), publisher.done(&["key", "show", "acme"])).unwrap();
    package(&publisher.path("chat"), "web-chat", "0.1.0", "acme", &web_chat().1).await;
    publisher.done(&["sign", "chat"]);
    let chat = format!("{}/acme/web-chat", registry.authority);
    let publish = ["publish", "chat", &chat, "--plain-http"];
    let (done, refused) = publisher.run(&publish);
    assert!(!done && refused.contains("log in with the tools of your registry"), "{refused}");
    fs::create_dir(publisher.path(".docker")).unwrap();
    login(&publisher.path(".docker"), &registry.authority, USER);
    publisher.done(&publish);
    let config = configure(&operator, &registry.authority, &sim);
    let install = ["install", &chat, "--config", &config];
    let (done, refused) = operator.typed(&install, "y");
    assert!(!done && refused.contains("log in with the tools of your registry"), "{refused}");
    // The operator's login is kept by a program that the file names.
    let helper = operator.path("docker-credential-drawer");
    let answer = json!({"ServerURL": registry.authority, "Username": USER.0, "Secret": USER.1});
    fs::write(&helper, format!("#!/bin/sh\n[ \"$1 $(cat)\" = 'get {}' ] && echo '{answer}'\n", registry.authority))
        .unwrap();
    fs::set_permissions(&helper, fs::Permissions::from_mode(0o700)).unwrap();
    fs::create_dir(operator.path(".docker")).unwrap();
    let helpers = json!({"credHelpers": {&registry.authority: "drawer"}});
    fs::write(operator.path(".docker/config.json"), helpers.to_string()).unwrap();
    let (done, said) = operator.typed(&install, "y");
    assert!(done && !said.contains(USER.1), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_trusted_is_refused_with_its_sentence_and_nothing_is_installed() {
    let (publisher, operator, config) = trusting().await;
    let file = publisher.path("chat.wasm");
    let refused = |words: &str| {
        let (done, said) = operator.typed(&["install", file.to_str().unwrap(), "--config", &config], "y");
        assert!(!done && said.contains(words), "{words}: {said}");
        assert!(operator.done(&["list", "--config", &config]).contains("no channel is installed"));
        assert!(
            !operator.path("data/channels/components").is_dir()
                || fs::read_dir(operator.path("data/channels/components")).unwrap().next().is_none()
        );
    };
    // Nobody signed it.
    fs::write(&file, &web_chat().1).unwrap();
    refused("is not signed");
    // Signed, and then changed; signed for another channel; by somebody else.
    let sign = async |machine: &Machine, channel: &str, publisher: &str, bytes: &[u8]| {
        let folder = machine.path("package");
        let _ = fs::remove_dir_all(&folder);
        package(&folder, channel, "0.1.0", publisher, bytes).await;
        machine.done(&["sign", "package", "--file", "chat.wasm"]);
        machine.path("chat.wasm")
    };
    sign(&publisher, "web-chat", "acme", &web_chat().1).await;
    fs::write(&file, wanting_more("0.1.0")).unwrap();
    refused("it was changed or mixed up");
    sign(&publisher, "scripted", "acme", &web_chat().1).await;
    refused("may not publish the channel `scripted`");
    sign(&publisher, "web-shop", "acme", &web_chat().1).await;
    refused("it was not built from what was signed");
    let stranger = Machine::new();
    stranger.done(&["key", "create", "acme"]);
    let theirs = sign(&stranger, "web-chat", "acme", &web_chat().1).await;
    for end in ["", ".sigstore.json"] {
        let name = format!("{}{end}", theirs.display());
        fs::copy(&name, format!("{}{end}", file.display())).unwrap();
    }
    refused("is none of its keys");
    stranger.done(&["key", "create", "acrne"]);
    let theirs = sign(&stranger, "web-chat", "acrne", &web_chat().1).await;
    for end in ["", ".sigstore.json"] {
        fs::copy(format!("{}{end}", theirs.display()), format!("{}{end}", file.display())).unwrap();
    }
    refused("its name looks like that of `acme`");
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_that_a_package_says_of_itself_moves_a_cursor_or_turns_a_line() {
    let (publisher, operator, config) = trusting().await;
    let toml = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/channels/web-chat/channel.toml"));
    let toml = toml.unwrap();
    for (nth, evil) in
        [r"\u001b[2J", r"\u202eevil", r"\u2066\u2069", r"\u0007", r"\n  publisher  acme"].iter().enumerate()
    {
        let text = toml.replace("name = \"Web chat\"", &format!("name = \"Web{evil}\""));
        let text = text.replace("description = \"A chat", &format!("description = \"{evil}A chat"));
        let folder = publisher.path(&format!("evil-{nth}"));
        package(&folder, "web-chat", "0.1.0", "acme", &with_manifest(&web_chat().1, &text)).await;
        let folder = folder.to_str().unwrap();
        publisher.done(&["sign", folder]);
        for command in ["install", "verify"] {
            let (_, said) = operator.run(&[command, folder, "--config", &config]);
            let moves = |c: char| harness_contract::text::misleads(c) && c != '\n';
            assert!(said.contains("web-chat") || said.contains("control characters"), "{said:?}");
            assert!(!said.chars().any(moves) && !said.contains("\n  publisher  acme\n"), "{said:?}");
        }
        assert!(operator.done(&["list", "--config", &config]).contains("no channel is installed"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_changed_or_revoked_since_does_not_start_and_the_others_do() {
    let (publisher, operator, config) = trusting().await;
    for (channel, bytes) in [("instagram", &instagram().1), ("web-chat", &web_chat().1)] {
        package(&publisher.path(channel), channel, "0.1.0", "acme", bytes).await;
        publisher.done(&["sign", channel]);
        let folder = publisher.path(channel);
        assert!(operator.typed(&["install", folder.to_str().unwrap(), "--config", &config], "y").0);
    }
    // Its file was exchanged on the disk.
    let component = operator.path("data/channels/components").join(format!("{}.wasm", hex(&web_chat().1)));
    fs::write(&component, wanting_more("0.1.0")).unwrap();
    let (good, said) = operator.run(&["verify", "--config", &config]);
    assert!(!good && said.contains("instagram 0.1.0: acme") && said.contains("web-chat 0.1.0"), "{said}");
    let served = Process::start(operator.command(&["serve", "--config", &config]).stderr(std::process::Stdio::null()));
    assert!(runs(&operator, &served, "instagram").await.is_some());
    assert!(runs(&operator, &served, "web-chat").await.is_none());
    drop(served);
    // Put back, and revoked.
    fs::write(&component, &web_chat().1).unwrap();
    assert!(operator.run(&["verify", "--config", &config]).0);
    let text = fs::read_to_string(&config).unwrap();
    let revoked =
        format!("[packages.revoked]\ncomponents = [\"sha256:{}\"]\n[packages.publishers.acme]", hex(&web_chat().1));
    fs::write(&config, text.replace("[packages.publishers.acme]", &revoked)).unwrap();
    let (good, said) = operator.run(&["verify", "web-chat", "--config", &config]);
    assert!(!good && said.contains("is revoked by the trust policy"), "{said}");
    // A lock file that was edited is trusted in nothing.
    let lock = operator.path("data/channels/channels.lock");
    let text = fs::read_to_string(&lock).unwrap();
    fs::write(&lock, text.replace("0.1.0", "0.0.9")).unwrap();
    let (good, said) = operator.run(&["serve", "--config", &config]);
    assert!(!good && said.contains("it was changed by hand"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_the_old_one_vouches_for_is_followed_from_then_on() {
    let (publisher, operator, config) = trusting().await;
    let install = async |name: &str, version: &str, bytes: &[u8]| {
        package(&publisher.path(name), "web-chat", version, "acme", bytes).await;
        publisher.done(&["sign", name]);
        let folder = publisher.path(name);
        operator.typed(&["install", folder.to_str().unwrap(), "--config", &config], "y")
    };
    assert!(install("one", "0.1.0", &web_chat().1).await.0);
    let old = publisher.done(&["key", "show", "acme"]);
    publisher.done(&["key", "rotate", "acme"]);
    assert_ne!(publisher.done(&["key", "show", "acme"]), old);
    let (done, said) = install("two", "0.2.0", &wanting_more("0.2.0")).await;
    assert!(done, "{said}");
    // What the host has learned holds for a package that does not carry the old key's word.
    fs::remove_file(publisher.path(".config/inbox-harness/keys/acme.rotations.json")).unwrap();
    let (done, said) = install("three", "0.3.0", &wanting_more("0.3.0")).await;
    assert!(done, "{said}");
    assert!(operator.run(&["verify", "--config", &config]).0);
}
