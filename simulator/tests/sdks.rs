//! Other people's clients against the simulator: Meta's SDKs for Python and Node, and four more libraries.
//! What belongs here: running their scripts in `sdks/` and looking at what came of it. They are installed by
//! `.ci/setup` into the target folder; none of their code is in this project.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    reason = "test code: a failed unwrap is a failed test"
)]

mod common;

use std::path::{Path, PathBuf};
use std::process::Output;

use common::{ANA, IG, PAGE};
use simulator::{Author, Config, Login, Simulator};

/// Where `.ci/setup` puts them: `sdks` in the target folder.
fn installed() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap().join("sdks")
}

/// A simulator whose page has two conversations.
async fn sim() -> Simulator {
    let sim = Simulator::start(Config::demo()).await.unwrap();
    sim.customer("5551230000000002").text("hello").await;
    sim.customer(ANA).text("hi").await;
    sim
}

async fn run(sim: &Simulator, program: PathBuf, script: &str) {
    assert!(
        program.exists(),
        "{} is missing: .ci/setup installs it (it needs node, npm and python3 with venv, and the network once)",
        program.display()
    );
    let account = sim.accounts().remove(0);
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/sdks").join(script);
    let interpreter = if program.is_dir() { PathBuf::from("node") } else { program.clone() };
    let output: Output = tokio::process::Command::new(&interpreter)
        .arg(&script)
        .env("NODE_PATH", &program)
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .env("GRAPH_FACEBOOK", sim.graph_facebook_url())
        .env("GRAPH_INSTAGRAM", sim.graph_instagram_url())
        .env("WWW_FACEBOOK", sim.www_facebook_url())
        .env("APP_ID", &sim.config().app_id)
        .env("APP_SECRET", sim.config().app_secret.expose())
        .env("USER_TOKEN", sim.person().token.expose())
        .env("PAGE_TOKEN", account.page.unwrap().token.expose())
        .env("PAGE", PAGE)
        .env("CUSTOMER", ANA)
        .kill_on_drop(true)
        .output()
        .await
        .unwrap_or_else(|error| panic!("{} cannot be started ({error}); .ci/setup installs it", interpreter.display()));
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let refused: Vec<_> = sim.requests().into_iter().filter(|request| !request.verdict.accepted).collect();
    assert!(output.status.success(), "{}: {said}\n{refused:#?}", script.display());
}

fn python() -> PathBuf {
    installed().join("python/bin/python")
}

fn node(package: &str) -> PathBuf {
    let modules = installed().join("node/node_modules");
    if modules.join(package).is_dir() { modules } else { modules.join(package) }
}

/// What the customer was sent.
fn texts(sim: &Simulator) -> Vec<String> {
    let thread = sim.transcript(IG, ANA);
    thread.into_iter().filter(|message| message.from == Author::Business).filter_map(|message| message.text).collect()
}

#[tokio::test]
async fn metas_sdk_for_python_connects_sends_pages_and_batches() {
    let sim = sim().await;
    run(&sim, python(), "meta_python.py").await;
    assert_eq!(texts(&sim), ["from Meta's SDK for Python: é 🙂", "one of a batch", "two of a batch"]);
    assert_eq!(sim.subscribed_fields(IG, Login::Facebook), ["messages"]);
}

#[tokio::test]
async fn metas_sdk_for_node_connects_sends_and_pages() {
    let sim = sim().await;
    run(&sim, node("facebook-nodejs-business-sdk"), "meta_node.js").await;
    assert_eq!(texts(&sim), ["from Meta's SDK for Node: é 🙂"]);
    assert!(sim.customer(ANA).sees_typing());
    assert_eq!(sim.subscribed_fields(IG, Login::Facebook), ["messages"]);
}

#[tokio::test]
async fn three_python_clients_by_other_people_send_and_read() {
    let sim = sim().await;
    run(&sim, python(), "others_python.py").await;
    assert_eq!(texts(&sim), ["from fbmessenger", "from pymessenger", "from python-facebook-api"]);
    assert_eq!(sim.transcript(IG, ANA).len(), 1 + 3 + 3);
}

#[tokio::test]
async fn a_node_client_by_other_people_sends_reads_and_batches() {
    let sim = sim().await;
    run(&sim, node("messaging-api-messenger"), "others_node.js").await;
    assert_eq!(texts(&sim), ["from messaging-api-messenger", "choose", "one of a batch", "two of a batch"]);
}
