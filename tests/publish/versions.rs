//! Several versions in one folder, signatures that other tools made, and signatures that others put beside a package.
//! Does not own: what is read of them (`packages/found.rs`).

use std::fs;

use channel_tests::{
    keyless::{Signing, World},
    registry::DockerRegistry,
    web_chat,
};
use harness_package::{
    layout::Layout,
    oci::{BUNDLE, Descriptor, Manifest},
    signature::{Bundle, SigningKey, Statement},
    source::{Source as _, Target as _},
};
use simulator::{Config, Simulator};

use super::machine::{Machine, configure, package, trusting, wanting_more};

#[tokio::test(flavor = "multi_thread")]
async fn versions_in_one_folder_have_each_its_own_statement_signature_and_tag() {
    let (sim, registry) = (Simulator::start(Config::demo()).await.unwrap(), DockerRegistry::open().await);
    let (publisher, operator) = (Machine::new(), Machine::new());
    publisher.done(&["key", "create", "acme"]);
    fs::write(operator.path("acme.pub"), publisher.done(&["key", "show", "acme"])).unwrap();
    for (version, bytes) in
        [("0.1.0", &web_chat().1), ("0.10.0", &wanting_more("0.10.0")), ("0.9.0", &wanting_more("0.9.0"))]
    {
        package(&publisher.path("all"), "web-chat", version, "acme", bytes).await;
    }
    let chat = format!("{}/acme/web-chat", registry.authority);
    let publish = |to: &str| publisher.run(&["publish", "all", to, "--plain-http"]);
    assert!(publisher.done(&["sign", "all", "--version", "0.1.0"]).contains("signed web-chat 0.1.0 as acme"));
    let (done, said) = publish(&chat);
    assert!(!done && said.contains("is not signed"), "the newest: {said}");
    assert!(publish(&format!("{chat}:0.1.0")).0);
    let (done, said) = publish(&format!("{chat}:0.2.0"));
    assert!(!done && said.contains("statement-0.2.0.json"), "{said}");
    let config = configure(&operator, &registry.authority, &sim);
    assert!(operator.typed(&["install", &chat, "--config", &config], "y").1.contains("installed web-chat 0.1.0"));
    // The newest is not the one that was written last.
    assert!(publisher.done(&["sign", "all"]).contains("signed web-chat 0.10.0"));
    assert!(publish(&chat).1.contains("published web-chat 0.10.0"));
    assert!(operator.done(&["outdated", "--config", &config]).contains("web-chat 0.1.0 → 0.10.0"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signature_that_another_tool_made_is_put_beside_the_package_where_it_is_about_it() {
    let (publisher, world) = (Machine::new(), World::new());
    package(&publisher.path("chat"), "web-chat", "0.1.0", "acme", &web_chat().1).await;
    let statement = fs::read(publisher.path("chat/statement-0.1.0.json")).unwrap();
    fs::write(publisher.path("bundle.json"), world.sign(&statement, &Signing::default()).to_string()).unwrap();
    let said = publisher.done(&["sign", "chat", "--bundle", "bundle.json", "--file", "chat.wasm"]);
    assert!(said.contains("signed web-chat 0.1.0 as acme, as it was made elsewhere"), "{said}");
    assert_eq!(
        fs::read(publisher.path("bundle.json")).unwrap(),
        fs::read(publisher.path("chat.wasm.sigstore.json")).unwrap()
    );
    let layout = Layout::open(&publisher.path("chat")).await.unwrap();
    let subject = layout.resolve("0.1.0").await.unwrap();
    assert_eq!(layout.referrers(&subject.digest).await.unwrap().manifests.len(), 1);
    package(&publisher.path("other"), "web-chat", "0.2.0", "acme", &wanting_more("0.2.0")).await;
    let (done, said) = publisher.run(&["sign", "other", "--bundle", "bundle.json"]);
    assert!(!done && said.contains("signs another statement than that of this package"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_write_beside_a_package_cannot_hide_that_there_are_more_signatures_than_are_looked_at() {
    let (publisher, operator, config) = trusting().await;
    let folder = publisher.path("chat");
    package(&folder, "web-chat", "0.1.0", "acme", &web_chat().1).await;
    let statement = Statement::read(&fs::read(folder.join("statement-0.1.0.json")).unwrap()).unwrap();
    let (stranger, layout) = (SigningKey::generate().unwrap(), Layout::open(&folder).await.unwrap());
    let subject = layout.resolve("0.1.0").await.unwrap();
    for _ in 0..32 {
        let bundle = Bundle::sign(&stranger, &statement).unwrap().to_bytes().unwrap();
        let layer = Descriptor::of(BUNDLE, &bundle);
        layout.put_blob(&layer, &bundle).await.unwrap();
        let manifest = Manifest::of_referrer(BUNDLE, layer, &subject);
        layout.put_blob(&manifest.config, b"{}").await.unwrap();
        let put = layout.put_manifest(&manifest.to_bytes().unwrap(), None).await.unwrap();
        layout.put_referrer(&subject, Descriptor { artifact_type: manifest.artifact_type, ..put }).await.unwrap();
    }
    publisher.done(&["sign", "chat"]);
    for command in ["install", "verify"] {
        let (done, said) = operator.run(&[command, folder.to_str().unwrap(), "--config", &config]);
        assert!(!done && said.contains("is none of its keys"), "{said}");
        assert!(said.contains("33 signatures are there, the first 32 were looked at"), "{said}");
    }
}
