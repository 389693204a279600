//! The simulator by the command line, for somebody who has the program and a component and nothing else.

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
    io::{BufRead as _, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
};

use channel_tests::{instagram, request};
use serde_json::Value;

/// A program that ends with the test.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The program in a folder that is no checkout, with nothing on its path.
fn harness(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_harness"));
    command.args(arguments).current_dir(folder).env_clear().stdin(Stdio::null()).stdout(Stdio::piped());
    command
}

#[tokio::test]
async fn the_simulator_takes_a_component_by_path_and_needs_neither_checkout_nor_compiler() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("instagram.wasm"), &instagram().1).unwrap();
    let arguments =
        ["sim", "--port", "0", "--component", "instagram.wasm", "--host-config", "host/harness.toml", "--json"];
    let mut child = Running(harness(folder.path(), &arguments).spawn().unwrap());
    let mut line = String::new();
    BufReader::new(child.0.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let said: Value = serde_json::from_str(&line).unwrap();
    let written = fs::read_to_string(folder.path().join("host/harness.toml")).unwrap();
    let config: toml::Table = written.parse().unwrap();
    let named = config["channels"]["instagram"]["component"].as_str().unwrap();
    assert_eq!(Path::new(named), folder.path().canonicalize().unwrap().join("instagram.wasm"));

    // What it says about its world is enough to speak to it.
    let world = &said["world"];
    let text = |name: &str| world[name].as_str().unwrap().to_owned();
    for (host, token) in
        [("graph_facebook", "page_token"), ("graph_facebook", "user_token"), ("graph_instagram", "instagram_token")]
    {
        let url = format!("{}/me?access_token={}", said[host].as_str().unwrap(), text(token));
        assert_eq!(request("GET", &url, &[], Vec::new()).await.status, 200, "{token}");
    }
    let app = format!("{}|{}", text("app_id"), text("app_secret"));
    let facebook = said["graph_facebook"].as_str().unwrap();
    let url =
        format!("{facebook}/debug_token?input_token={}&access_token={app}", text("page_token")).replace('|', "%7C");
    assert_eq!(request("GET", &url, &[], Vec::new()).await.status, 200);
}

#[test]
fn a_component_that_is_missing_is_named_and_so_is_the_way_to_name_one() {
    let folder = tempfile::tempdir().unwrap();
    for (arguments, words) in [
        (&["sim", "--port", "0", "--host-config", "a.toml"][..], "--component FILE"),
        (&["sim", "--port", "0", "--host-config", "a.toml", "--component", "gone.wasm"][..], "--component gone.wasm"),
    ] {
        let output = harness(folder.path(), arguments).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success() && said.contains(words), "{said}");
        assert!(!folder.path().join("a.toml").exists());
    }
}
