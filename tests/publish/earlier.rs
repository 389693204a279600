//! Versions that were installed before: what each makes of a delivery, over restarts. Not here: which versions are at hand
//! while a host runs (`deliveries`), running one again (`publish`).

use std::{fs, process::Stdio};

use channel_tests::{eventually, process::Process, request, web_chat, write_secret};
use serde_json::{Value, json};

use super::machine::{api, hex, operator_of, package, trusting, wanting_more};

/// An account of the web chat, in the configuration.
const ACCOUNT: &str = r#"
[[channels.web-chat.accounts]]
id = "shop"
secrets = { site-secret = { file = "site-secret" }, api-key = { file = "api-key" } }
"#;

#[tokio::test(flavor = "multi_thread")]
async fn over_restarts_a_delivery_is_compared_with_each_version_that_ran_before_and_is_still_trusted() {
    let (publisher, operator, config) = trusting().await;
    for (name, value) in [("site-secret", "secret-of-the-shop"), ("api-key", "key-of-the-shop-0123456789")] {
        write_secret(&operator.path(name), value);
    }
    fs::write(&config, fs::read_to_string(&config).unwrap() + ACCOUNT).unwrap();
    let install = async |version: &str, bytes: &[u8]| {
        package(&publisher.path(version), "web-chat", version, "acme", bytes).await;
        publisher.done(&["sign", version]);
        let (done, said) =
            operator.typed(&["install", publisher.path(version).to_str().unwrap(), "--config", &config], "y");
        assert!(done, "{said}");
    };
    let serve = || Process::start(operator.command(&["serve", "--config", &config]).stderr(Stdio::null()));
    let (first, second) = (web_chat().1.clone(), wanting_more("0.2.0"));

    install("0.1.0", &first).await;
    let served = serve();
    let body = r#"{"messages":[{"id":"in-1","visitor":"v-1","name":"Kim","text":"hello","at":1795000000000}]}"#;
    let url = format!("{}/webhooks/web-chat/shop", served.address);
    let answer = request("POST", &url, &[("x-webchat-secret", "secret-of-the-shop")], body.into()).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    let id = eventually("the translation", async || {
        let newest = api(&operator, &served, "GET", "deliveries?limit=1", None).await[0].clone();
        (newest["state"] == "applied").then(|| newest["id"].as_str().unwrap().to_owned())
    })
    .await;
    drop(served);
    install("0.2.0", &second).await;
    install("0.3.0", &wanting_more("0.3.0")).await;

    let served = serve();
    let replay = async |served: &Process, digest: Value| {
        api(&operator, served, "POST", &format!("deliveries/{id}/replay"), Some(json!({ "digest": digest }))).await
    };
    let dry = replay(&served, Value::Null).await;
    assert_eq!(dry["object"], "delivery_replay", "{dry}");
    assert_eq!(
        dry["earlier"],
        json!([
            { "digest": hex(&second), "version": "0.2.0" },
            { "digest": hex(&first), "version": "0.1.0" },
        ])
    );
    let of = |one: &Value| (one["version"].clone(), one["running"].clone(), one["events"].as_array().unwrap().len());
    let [running, newest] = [0, 1].map(|at| of(&dry["translations"][at]));
    assert_eq!((running, newest), ((json!("0.3.0"), json!(true), 1), (json!("0.2.0"), json!(false), 1)));
    let oldest = replay(&served, json!(hex(&first))).await;
    assert_eq!(of(&oldest["translations"][0]), (json!("0.1.0"), json!(false), 1), "{oldest}");
    let browser = operator_of(&operator, &served).await;
    let shown = async |with: &str| browser.send("GET", &format!("/inspector/{id}{with}"), &[], Vec::new()).await;
    let page = shown("").await.body;
    assert!(page.contains("The same with 0.2.0") && page.contains("Compare with"), "{page}");
    let page = shown(&format!("?with={}", hex(&first))).await.body;
    assert!(page.contains("The same with 0.1.0") && page.contains("0 differences"), "{page}");
    assert_eq!(shown("?with=0").await.status, 404);
    drop(served);

    // One that was revoked since, and one whose bytes were changed, are named, and not run.
    let text = fs::read_to_string(&config).unwrap();
    let revoked = format!("[packages.revoked]\ncomponents = [\"sha256:{}\"]\n[packages.publishers.acme]", hex(&second));
    fs::write(&config, text.replace("[packages.publishers.acme]", &revoked)).unwrap();
    let stored = operator.path(&format!("data/channels/components/{}.wasm", hex(&first)));
    fs::write(&stored, wanting_more("0.1.1")).unwrap();
    let served = serve();
    for (component, problem) in [(&second, "is revoked by the trust policy"), (&first, "the bytes have the digest")] {
        let asked = replay(&served, json!(hex(component))).await;
        let (chosen, running) = (&asked["translations"][0], &asked["translations"][1]);
        assert!(chosen["problem"].as_str().unwrap().contains(problem), "{asked}");
        assert_eq!((&chosen["events"], of(running).2), (&json!([]), 1), "{asked}");
    }
}
