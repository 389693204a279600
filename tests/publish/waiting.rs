//! Newer versions that wait in a registry, on the page of plugins. Not here: taking them (`publish`).

use std::{fs, process::Stdio};

use channel_tests::{eventually, process::Process, registry::DockerRegistry, web_chat};
use simulator::{Config, Simulator};

use super::machine::{Machine, configure, operator_of, package, wanting_more};

/// The page of a channel, for somebody who runs the host.
async fn page(operator: &Machine, served: &Process) -> String {
    let browser = operator_of(operator, served).await;
    let shown = eventually("a look at the registry", async || {
        let answer = browser.send("GET", "/plugins/web-chat", &[], Vec::new()).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        answer.body.contains("were looked for").then_some(answer.body)
    });
    shown.await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_newer_version_in_the_registry_waits_on_the_page_with_what_it_asks_for_more() {
    let (sim, registry) = (Simulator::start(Config::demo()).await.unwrap(), DockerRegistry::open().await);
    let (publisher, operator) = (Machine::new(), Machine::new());
    publisher.done(&["key", "create", "acme"]);
    fs::write(operator.path("acme.pub"), publisher.done(&["key", "show", "acme"])).unwrap();
    let chat = format!("{}/acme/web-chat", registry.authority);
    let publish = async |version: &str, bytes: &[u8]| {
        package(&publisher.path(version), "web-chat", version, "acme", bytes).await;
        publisher.done(&["sign", version]);
        publisher.done(&["publish", version, &chat, "--plain-http"]);
    };
    publish("0.1.0", &web_chat().1).await;
    let config = configure(&operator, &registry.authority, &sim);
    assert!(operator.typed(&["install", &chat, "--config", &config], "y").0);
    let serve = || Process::start(operator.command(&["serve", "--config", &config]).stderr(Stdio::null()));
    let note = operator.path("data/channels/updates.json");

    // There is nothing newer.
    let served = serve();
    let shown = page(&operator, &served).await;
    assert!(!shown.contains("waits where this one came from") && !shown.contains("is not known"), "{shown}");
    drop(served);

    // There is; and it wants more.
    publish("0.2.0", &wanting_more("0.2.0")).await;
    fs::remove_file(&note).unwrap();
    let served = serve();
    let waits = |shown: &str| {
        for wanted in
            ["Version 0.2.0 waits where this one came from", "GET https://more.example.com/spy", "update web-chat"]
        {
            assert!(shown.contains(wanted), "{wanted:?} is missing in {shown}");
        }
    };
    waits(&page(&operator, &served).await);
    assert!(operator.done(&["list", "--config", &config]).contains("web-chat 0.1.0"), "nothing is taken by itself");
    drop(served);

    // What was found is kept, so the registry is not asked again, which is gone.
    drop(registry);
    let served = serve();
    waits(&page(&operator, &served).await);
    drop(served);
    fs::remove_file(&note).unwrap();
    let served = serve();
    let shown = page(&operator, &served).await;
    assert!(shown.contains("is not known") && shown.contains("Running"), "{shown}");
}
