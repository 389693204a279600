//! `harness bench inbox` in small: that it fills, sorts, asks and counts. Not here: figures.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    reason = "a test fails by panicking"
)]

use std::process::{Command, Stdio};

use channel_tests::{instagram, root};
use serde_json::Value;

#[test]
fn the_benchmark_of_the_inbox_asks_everything_and_nothing_is_lost() {
    instagram();
    let folder = tempfile::tempdir().unwrap();
    let run = |messages: &str| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_harness"));
        command.args(["bench", "inbox", "--json", "--seconds", "1", "--rate", "40", "--messages", messages]);
        let answer =
            command.arg("--folder").arg(folder.path()).current_dir(root()).stdin(Stdio::null()).output().unwrap();
        let said = String::from_utf8_lossy(&answer.stderr).into_owned();
        assert!(answer.status.success(), "{}\n{said}", String::from_utf8_lossy(&answer.stdout));
        serde_json::from_slice::<Value>(&answer.stdout).unwrap()
    };
    let report = run("2000");
    assert_eq!((&report["lost"], &report["doubled"]), (&0.into(), &0.into()), "{report:#}");
    assert!(report["messages"].as_u64().unwrap() >= 2000, "{report:#}");
    assert!(report["conversations"].as_u64().unwrap() >= 20, "{report:#}");
    let operations = report["operations"].as_array().unwrap();
    assert!(operations.len() >= 16 && operations.iter().all(|one| one["failed"] == 0), "{report:#}");
    // What is filled is not filled again.
    let again = run("2000");
    assert_eq!((&again["lost"], &again["filled_per_second"]), (&0.into(), &0.0.into()), "{again:#}");
}
