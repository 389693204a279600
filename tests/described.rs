//! Whoever asks: the API answers as its description says. Somebody else's tool asks everything that the description
//! allows, and some things that it does not, as everybody who may ask.
//! Not here: what the answers mean.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    reason = "a test fails by panicking"
)]

use std::process::{Command, Output};

use channel_tests::{API_TOKEN, World, message, request, root, team::Team, text};
use harness_inbox::PublicId as _;
use harness_server::Scope;
use serde_json::{Value, json};
use simulator::{CdnFile, Config};

const CUSTOMER: &str = Config::DEMO_CUSTOMER;

/// The tool's phases: what the description gives as examples, every boundary, random requests, and sequences of them.
const ALL: &str = "examples,coverage,fuzzing,stateful";
/// The random ones alone, in a fifth of the time: for those who may do a part of what others may who are asked everything.
const SOME: &str = "examples,fuzzing";

/// Somebody who asks.
struct Sender {
    who: String,
    /// What they show.
    headers: Vec<(String, String)>,
    /// What they are not asked to do: it would end what they show.
    without: Option<&'static str>,
}

impl Sender {
    fn token(who: &str, token: &str) -> Self {
        let headers = vec![("Authorization".to_owned(), format!("Bearer {token}"))];
        Self { who: who.to_owned(), headers, without: None }
    }

    /// Somebody who has signed in, on a page of the host.
    async fn session(team: &Team, role: &str) -> Self {
        let browser = team.join(&format!("{role}@shop.example"), role).await;
        let cookie = format!("session={}", browser.cookies()["session"]);
        let headers = [("Cookie", cookie), ("Sec-Fetch-Site", "same-origin".to_owned())];
        Self {
            who: format!("a session, {role}"),
            headers: headers.map(|(name, value)| (name.to_owned(), value)).to_vec(),
            without: Some("^/(session|sessions)$"),
        }
    }

    async fn status(&self, team: &Team) -> u16 {
        let headers: Vec<_> = self.headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        request("GET", &format!("{}/api/v1/session", team.address), &headers, Vec::new()).await.status
    }

    /// Runs the tool with this sender. By hand for longer, with random seeds: SCHEMATHESIS_MINUTES=10, for each sender.
    async fn ask(&self, team: &Team, phases: &str, examples: u32) -> Output {
        let checks = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance";
        let mut tool = Command::new(root().join("target/api/python/bin/schemathesis"));
        tool.arg("run").arg(format!("{}/api/v1/openapi.json", team.address));
        tool.args(["--no-color", "--generation-database", "none"]);
        match std::env::var("SCHEMATHESIS_MINUTES") {
            Err(_) => tool.args(["--phases", phases, "--max-examples", &examples.to_string(), "--seed", "1"]),
            Ok(minutes) => {
                let minutes: u64 = minutes.parse().expect("SCHEMATHESIS_MINUTES is a number");
                tool.args(["--phases", ALL, "--max-time", &(minutes * 60).to_string()])
            }
        };
        // A stream has no end.
        tool.args(["--exclude-path-regex", "/events$", "--request-timeout", "60", "--checks", checks]);
        tool.args(self.without.iter().flat_map(|paths| ["--exclude-path-regex", paths]));
        for (name, value) in &self.headers {
            tool.args(["--header", &format!("{name}: {value}")]);
        }
        // It writes down what it found, beside where it runs.
        let folder = tempfile::tempdir().unwrap();
        tool.current_dir(folder.path());
        tokio::task::spawn_blocking(move || {
            let _folder = folder;
            tool.output().expect("schemathesis: .ci/setup installs it")
        })
        .await
        .unwrap()
    }
}

/// A host with a bit of everything in it.
async fn stage() -> (World, Team) {
    let world = World::new().await;
    let customer = world.sim.customer(CUSTOMER);
    customer.text("hello").await;
    customer.photo(&world.sim.host_file(CdnFile::demo_photo())).await;
    let id = world.conversation(CUSTOMER).await;
    world.reply(id, "one", message(vec![text("hi")])).await;
    world.settled().await;
    let team = Team::of(world.host.clone(), world.clock.clone(), tempfile::tempdir().unwrap()).await;
    let note = format!("/api/v1/conversations/{}/notes", id.public());
    for (path, body) in [
        ("/api/v1/labels", json!({ "name": "urgent", "color": "red" })),
        ("/api/v1/collections", json!({ "name": "Orders" })),
        (&note, json!({ "text": "a regular customer" })),
    ] {
        let answer = team.operator("POST", path, &body).await;
        assert_eq!(answer.status, 201, "{path}: {}", answer.body);
    }
    (world, team)
}

async fn hold(team: &Team, senders: Vec<Sender>, phases: &str, examples: u32) {
    for sender in senders {
        let output = sender.ask(team, phases, examples).await;
        let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(output.status.success(), "{}: {said}", sender.who);
        assert_eq!(sender.status(team).await, 200, "{} was not let in until the end", sender.who);
    }
    assert_eq!(team.operator("GET", "/api/v1/session", &Value::Null).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn other_peoples_tool_finds_no_answer_that_the_description_does_not_have() {
    let (_world, team) = stage().await;
    hold(&team, vec![Sender::token("the operator", API_TOKEN)], ALL, 8).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nor_does_it_as_a_person_who_has_signed_in() {
    let (_world, team) = stage().await;
    let senders = vec![Sender::session(&team, "admin").await, Sender::session(&team, "agent").await];
    hold(&team, senders, ALL, 3).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nor_does_it_with_a_token_of_any_scope() {
    let (world, team) = stage().await;
    for scope in Scope::ALL {
        // Made when its turn comes: an admin before it may have revoked every token that there was.
        let token = team.tokens.create(scope.name(), &[scope], None, world.clock.now()).unwrap();
        let without = (scope == Scope::Admin).then_some("^/tokens/");
        hold(&team, vec![Sender { without, ..Sender::token(scope.name(), &token) }], SOME, 5).await;
    }
}
