//! Accounts by the command line, as a new user meets it: the simulator, a host that `sim` configures, a link
//! opened in a real browser, the doctor, and the end of it.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    reason = "a test fails by panicking"
)]

use std::{
    io::BufReader,
    net::TcpListener,
    path::Path,
    process::{Child, ChildStdout, Command, Output, Stdio},
};

use channel_tests::{browser::Browser, eventually, request};
use serde_json::{Value, json};

/// A program that ends with the test.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_harness"));
    command
        .args(arguments)
        .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")))
        .env("XDG_CACHE_HOME", env!("CARGO_TARGET_TMPDIR"))
        .stdin(Stdio::null());
    command
}

fn start(arguments: &[&str]) -> (Running, BufReader<ChildStdout>) {
    let mut child = command(arguments).stdout(Stdio::piped()).spawn().unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap());
    (Running(child), lines)
}

fn line_with(lines: &mut impl std::io::BufRead, words: &str) -> String {
    let mut line = String::new();
    loop {
        line.clear();
        assert!(lines.read_line(&mut line).unwrap() > 0, "the program ended before it said {words:?}");
        if line.contains(words) {
            return line;
        }
    }
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

fn finished(arguments: &[&str]) -> Output {
    command(arguments).output().unwrap()
}

async fn post(url: &str, body: Value) {
    let headers = [("content-type", "application/json")];
    let answer = request("POST", url, &headers, body.to_string().into_bytes()).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_user_connects_asks_the_doctor_and_disconnects_with_the_commands_of_the_readme() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("harness.toml");
    let config = config.to_str().unwrap();
    let webhook = format!("http://127.0.0.1:{}/webhooks/instagram", free_port());
    let (_sim, mut said) = start(&["sim", "--port", "0", "--webhook", &webhook, "--host-config", config, "--json"]);
    let sim: Value = serde_json::from_str(&line_with(&mut said, "base_url")).unwrap();
    let sim = sim["base_url"].as_str().unwrap().to_owned();
    let (_host, mut said) = start(&["serve", "--config", config]);
    line_with(&mut said, "inbox file");

    let (mut connect, mut said) = start(&["connect", "instagram", "--login", "facebook", "--json", "--config", config]);
    let link: Value = serde_json::from_str(&line_with(&mut said, "ticket")).unwrap();
    let browser = Browser::start().await;
    browser.open(link["link"].as_str().unwrap()).await;
    browser.click("button[value=facebook]").await;
    browser.click("#continue").await;
    browser.click("input[name=candidate]").await;
    browser.click("button").await;
    browser.says("Send a test message").await;
    line_with(&mut said, "connected");
    post(&format!("{sim}/sim/customers/5551230000000001/text"), json!({"text": "Is this on?"})).await;
    browser.says("Received").await;
    browser.quit().await;
    let done = tokio::task::spawn_blocking(move || connect.0.wait().unwrap()).await.unwrap();
    assert!(done.success());

    let healthy = finished(&["doctor", "--probe", "--config", config]);
    let words = String::from_utf8_lossy(&healthy.stdout).into_owned();
    // What is wrong is what the developer's own component is: signed by nobody.
    let wrong: Vec<_> = words.lines().filter(|line| line.contains("FAIL ")).collect();
    assert!(
        matches!(wrong.as_slice(), [only] if only.contains("signed")),
        "{words}{}",
        String::from_utf8_lossy(&healthy.stderr)
    );
    assert!(words.contains("ok   token-valid") && words.contains("ok   send-probe"), "{words}");

    let accounts = request("GET", &format!("{sim}/sim/accounts"), &[], Vec::new()).await;
    let accounts: Value = serde_json::from_str(&accounts.body).unwrap();
    let ig_id = accounts[0]["ig_id"].as_str().unwrap().to_owned();
    let headers = [("content-type", "application/json")];
    let switched_off = json!({"message_access": false}).to_string().into_bytes();
    let answer = request("PATCH", &format!("{sim}/sim/accounts/{ig_id}"), &headers, switched_off).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    let ill = finished(&["doctor", &ig_id, "--json", "--config", config]);
    assert_eq!(ill.status.code(), Some(1));
    let report: Value = serde_json::from_slice(&ill.stdout).unwrap();
    let checks = report[0]["checks"].as_array().unwrap();
    let line = checks.iter().find(|check| check["name"] == "message-access").unwrap();
    assert!(line["level"] == "failed" && line["fix"].as_str().unwrap().contains("Instagram app"), "{line}");

    let gone = finished(&["disconnect", &ig_id, "--delete-conversations", "--config", config]);
    assert!(gone.status.success(), "{gone:?}");
    let address = webhook.replace("/webhooks/instagram", "/api/v1/conversations");
    // As the simulator's command says it.
    let token = std::fs::read_to_string(folder.path().join("simulated-secrets/api-token")).unwrap();
    let shown = format!("Bearer {token}");
    let ask = async || request("GET", &address, &[("authorization", &shown)], Vec::new()).await.body;
    eventually("an empty inbox", async || (ask().await.contains("\"data\":[]")).then_some(())).await;
    assert_eq!(request("GET", &address, &[], Vec::new()).await.status, 401);
    let unknown = finished(&["doctor", "nobody", "--config", config]);
    assert!(String::from_utf8_lossy(&unknown.stderr).contains("there is no account `nobody`"), "{unknown:?}");
}
