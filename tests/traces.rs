//! What the log says of a webhook and of a reply: numbers by which the lines belong together, and nothing of what
//! people write.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    reason = "a test fails by panicking"
)]

use channel_tests::{World, dialog::Person, log::Captured, message, request, signature, text};
use simulator::Config;
use tracing_subscriber::fmt::format::FmtSpan;

#[tokio::test(flavor = "multi_thread")]
async fn lines_belong_together_by_numbers_and_hold_nothing_that_people_write() {
    let log = Captured::default();
    // For all threads; a line for every span that ends, with all that it carries.
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::INFO)
        .with_span_events(FmtSpan::CLOSE)
        .with_writer(log.clone())
        .with_ansi(false)
        .finish();
    tracing::subscriber::set_global_default(subscriber).unwrap();

    let world = World::unconnected(Config::demo()).await;
    let person = Person::new(&world).await;
    person.connects("facebook").await;
    let link = format!("{}/connect/{}", world.address, person.ticket);
    request("GET", &link, &[("cookie", &format!("harness-connect={}", person.cookie))], Vec::new()).await;
    let body = format!(
        r#"{{"object":"instagram","entry":[{{"id":"{}","messaging":[{{"sender":{{"id":"{}"}},"recipient":{{"id":"{}"}},"timestamp":{},"message":{{"mid":"by-hand","text":"canary-of-a-customer"}}}}]}}]}}"#,
        world.sim.accounts()[0].ig_id,
        Config::DEMO_CUSTOMER,
        world.sim.accounts()[0].ig_id,
        world.clock.now(),
    );
    let url = format!("{}/webhooks/instagram", world.address);
    let proof = signature("demo-meta-app-secret", body.as_bytes());
    let headers = [("x-hub-signature-256", proof.as_str()), ("x-request-id", "number-of-the-proxy")];
    let answer = request("POST", &url, &headers, body.into_bytes()).await;
    assert_eq!((answer.status, &answer.headers["x-request-id"]), (200, &"number-of-the-proxy".parse().unwrap()));
    world.settled().await;
    let conversation = world.conversation(Config::DEMO_CUSTOMER).await;
    let reply = world.reply(conversation, "1", message(vec![text("canary-of-an-agent")])).await;
    let url = format!("{}/api/v1/conversations", world.address);
    let answer = channel_tests::api("GET", &url, &[("x-request-id", "not sane")], vec![]).await;
    let made = answer.headers["x-request-id"].to_str().unwrap().to_owned();
    assert_ne!(made, "not sane");

    let log = log.text();
    let lines = |words: &[&str]| log.lines().filter(|line| words.iter().all(|word| line.contains(word))).count();
    let webhook = log.lines().find(|line| line.contains("number-of-the-proxy") && line.contains("delivery=")).unwrap();
    let (_, delivery) = webhook.split_once("delivery=").unwrap();
    let delivery = format!("delivery={}", delivery.split(['}', ' ']).next().unwrap());
    assert!(lines(&["translate{", &delivery, "guest{", "parse-webhook"]) > 0, "{log}");
    let reply = format!("reply{{reply={}", reply.id);
    for inner in [&["request{"][..], &["guest{", "parse-send-response"]] {
        assert!(lines(&[&[reply.as_str(), "part{part=0}"], inner].concat()) > 0, "{inner:?}\n{log}");
    }
    assert!(lines(&[&made, "/api/v1/conversations", "status=200"]) > 0, "{log}");
    assert!(lines(&["http{", "/connect/{ticket}"]) > 0, "{log}");
    let secrets: Vec<_> = world.sim.secrets().iter().map(|secret| secret.expose().to_owned()).collect();
    let unwanted = ["canary-of", Config::DEMO_CUSTOMER, &person.ticket, &person.cookie];
    for word in unwanted.into_iter().chain(secrets.iter().map(String::as_str)) {
        assert_eq!(lines(&[word]), 0, "{word} is in\n{log}");
    }
}
