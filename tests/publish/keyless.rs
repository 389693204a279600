//! A package that was signed as an identity, from the file to the running channel, by the commands.
//! Does not own: what proves a signature (`packages/keyless.rs`).

use std::fs;

use channel_tests::{
    keyless::{self, Signing, World},
    process::Process,
    web_chat,
};
use serde_json::json;

use super::machine::{package, runs, trusting, wanting_more};

#[tokio::test(flavor = "multi_thread")]
async fn who_signs_as_an_identity_is_shown_installed_and_judged_again_at_each_start() {
    let (publisher, operator, config) = trusting().await;
    let world = World::new();
    fs::write(operator.path("trusted_root.json"), world.trusted_root().to_string()).unwrap();
    let trusts = |identities: &str, more: &str| {
        let text = fs::read_to_string(&config).unwrap();
        let (head, rest) = text.split_once("[packages]\n").unwrap();
        let rest = rest.split_once("plain-http").unwrap().1.replace("keys = [\"acme.pub\"]\n", identities);
        fs::write(&config, format!("{head}[packages]\n{more}plain-http{rest}")).unwrap();
    };
    let both = format!(
        "keys = [\"acme.pub\"]\nidentities = [{{ issuer = {:?}, subject = {:?} }}]\n",
        keyless::ISSUER,
        keyless::SUBJECT
    );
    let file = publisher.path("chat.wasm");
    let made = async |version: &str, bytes: &[u8], signing: &Signing<'_>| {
        let _ = fs::remove_dir_all(publisher.path("package"));
        package(&publisher.path("package"), "web-chat", version, "acme", bytes).await;
        let statement = fs::read(publisher.path(&format!("package/statement-{version}.json"))).unwrap();
        fs::write(&file, bytes).unwrap();
        fs::write(publisher.path("chat.wasm.sigstore.json"), world.sign(&statement, signing).to_string()).unwrap();
    };
    let install = || operator.typed(&["install", file.to_str().unwrap(), "--config", &config], "y");
    made("0.1.0", &web_chat().1, &Signing::default()).await;
    let (done, said) = install();
    assert!(!done && said.contains("has no trusted root for such signatures"), "{said}");
    trusts("keys = [\"acme.pub\"]\n", "trusted-root = \"trusted_root.json\"\n");
    let (done, said) = install();
    assert!(!done && said.contains("is none of its identities") && said.contains(keyless::SUBJECT), "{said}");
    trusts(&both, "");
    let (done, said) = install();
    assert!(!done && said.contains("no trusted root says whose certificates count"), "{said}");
    trusts("keys = [\"acme.pub\"]\n", "trusted-root = \"trusted_root.json\"\n");
    let named = format!("{} (vouched for by {})", keyless::SUBJECT, keyless::ISSUER);
    let (done, said) = install();
    assert!(done && said.contains(&format!("acme, verified as its identity {named}")), "{said}");
    let list = operator.done(&["list", "--config", &config]);
    assert!(list.contains(&format!("signed by the identity {named}")), "{list}");
    let verified = operator.done(&["verify", file.to_str().unwrap(), "--config", &config]);
    assert!(
        verified.contains(&named) && verified.contains("2024-01-01T12:00:00Z, as the transparency log"),
        "{verified}"
    );
    assert!(operator.done(&["verify", "--config", &config]).contains(&named));
    let served = Process::start(operator.command(&["serve", "--config", &config]).stderr(std::process::Stdio::null()));
    let (_, provenance) = runs(&operator, &served, "web-chat").await.unwrap();
    assert_eq!(provenance["identity"], json!({"issuer": keyless::ISSUER, "subject": keyless::SUBJECT}));
    assert_eq!(provenance.get("key"), None);
    // The next version is signed with the key, and the one after without it again: it is the same publisher.
    package(&publisher.path("two"), "web-chat", "0.2.0", "acme", &wanting_more("0.2.0")).await;
    publisher.done(&["sign", "two", "--file", file.to_str().unwrap()]);
    let (done, said) = operator.typed(&["update", "web-chat", "--config", &config], "y");
    assert!(done && said.contains("acme, verified with its key"), "{said}");
    made("0.3.0", &wanting_more("0.3.0"), &Signing::default()).await;
    let (done, said) = operator.typed(&["update", "web-chat", "--config", &config], "y");
    assert!(done && said.contains("acme, verified as its identity"), "{said}");
    // An older one is not taken, and who is not trusted any more does not start again.
    made("0.2.5", &wanting_more("0.2.5"), &Signing::default()).await;
    let (done, said) = install();
    assert!(!done && said.contains("is older than 0.3.0"), "{said}");
    let revoked = format!(
        "[packages.revoked]\nidentities = [{{ issuer = {:?}, subject = {:?} }}]\n[development.endpoints]",
        keyless::ISSUER,
        keyless::SUBJECT
    );
    fs::write(&config, fs::read_to_string(&config).unwrap().replace("[development.endpoints]", &revoked)).unwrap();
    let (good, said) = operator.run(&["verify", "--config", &config]);
    assert!(!good && said.contains("which the trust policy revokes"), "{said}");
}
