//! People by the command line: a password is typed without being seen, or comes from a script, and opens the door.
//! Not here: what people may do, and how they sign in.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    reason = "a test fails by panicking"
)]

use std::{
    fs,
    io::Write as _,
    net::TcpListener,
    process::{Child, Command, Output, Stdio},
};

use channel_tests::{eventually, root, team::Browser, try_request};
use serde_json::Value;

const HARNESS: &str = env!("CARGO_BIN_EXE_harness");
const PASSWORD: &str = "several words that do not belong together";

/// A host that ends with the test.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn with_input(arguments: &[&str], input: &str) -> Output {
    let mut command = Command::new(HARNESS);
    command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    child.wait_with_output().unwrap()
}

fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_password_is_typed_unseen_or_read_from_a_script_and_opens_the_door() {
    let folder = tempfile::tempdir().unwrap();
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let (config, address) = (folder.path().join("harness.toml"), format!("http://127.0.0.1:{port}"));
    fs::write(&config, format!("listen = \"127.0.0.1:{port}\"\n")).unwrap();
    let config = config.to_str().unwrap();
    let mut host = Command::new(HARNESS);
    let _host = Running(host.args(["serve", "--config", config]).stdout(Stdio::null()).spawn().unwrap());
    eventually("the host", async || {
        try_request("GET", &format!("{address}/health/live"), &[], Vec::new()).await.ok().map(drop)
    })
    .await;

    let from_script = with_input(&["user", "create", "Kim@shop.example", "--admin", "--config", config], PASSWORD);
    assert!(from_script.status.success(), "{}", said(&from_script));
    assert!(said(&from_script).contains("kim@shop.example") && !said(&from_script).contains(PASSWORD));
    let kim = Browser::at(&address);
    let session = kim.sign_in("kim@shop.example", PASSWORD).await;
    assert_eq!((session.status, &session.json()["user"]["role"]), (201, &"admin".into()), "{}", session.body);

    let typed = |first: &str, second: &str, email: &str| {
        let mut python = Command::new("python3");
        python.arg(root().join("tests/terminal/types.py"));
        python.arg(format!("Password={first}")).arg(format!("again={second}")).arg("--");
        python.args([HARNESS, "user", "create", email, "--name", "Lee", "--config", config]).output().unwrap()
    };
    let lee = typed(PASSWORD, PASSWORD, "lee@shop.example");
    assert!(lee.status.success(), "{}", said(&lee));
    assert!(said(&lee).contains("Lee") && !said(&lee).contains(PASSWORD), "{}", said(&lee));
    assert_eq!(Browser::at(&address).sign_in("lee@shop.example", PASSWORD).await.status, 201);
    let differs = typed(PASSWORD, "another set of words", "sam@shop.example");
    assert!(!differs.status.success() && said(&differs).contains("not the same"), "{}", said(&differs));

    // What is not accepted leaves nothing behind, and what is there already gets the new one.
    for (input, sentence) in [("short\n", "at least 10 characters"), ("", "no password"), ("\n\n", "no password")] {
        let refused = with_input(&["user", "create", "pat@shop.example", "--config", config], input);
        assert!(!refused.status.success() && said(&refused).contains(sentence), "{input:?}: {}", said(&refused));
    }
    assert_eq!(kim.ask("GET", "/api/v1/invitations", &Value::Null).await.json()["data"], Value::Array(Vec::new()));
    let again = with_input(&["user", "create", "lee@shop.example", "--config", config], "another set of words\n");
    assert!(again.status.success(), "{}", said(&again));
    assert_eq!(Browser::at(&address).sign_in("lee@shop.example", "another set of words").await.status, 201);
    let link = with_input(&["user", "invite", "pat@shop.example", "--config", config], "");
    assert!(said(&link).contains(&format!("{address}/invitations/")), "{}", said(&link));
}
