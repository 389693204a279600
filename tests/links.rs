//! Links for connecting an account: who uses one up and who does not, two of them in one browser, what a restart and
//! a client that hangs up leave of them.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    reason = "a test fails by panicking"
)]

use channel_tests::{
    Answer, World, dialog::Person, eventually, gate::Gate, hosts::load_granted, message, request, scripted, secrets,
    text,
};
use harness_engine::{ConnectError, ConnectStage, HostError};
use harness_inbox::{AccountState, PublicId as _, StepState};
use simulator::Config;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

const CUSTOMER: &str = Config::DEMO_CUSTOMER;
const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");

/// A browser that keeps cookies and follows nothing by itself.
struct Browser<'w> {
    world: &'w World,
    cookies: Vec<(String, String)>,
}

impl<'w> Browser<'w> {
    fn new(world: &'w World) -> Self {
        Self { world, cookies: Vec::new() }
    }

    fn jar(&self) -> String {
        self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("; ")
    }

    fn keep(&mut self, answer: Answer) -> Answer {
        for value in answer.headers.get_all("set-cookie") {
            let (pair, _) = value.to_str().unwrap().split_once(';').unwrap();
            let (name, value) = pair.split_once('=').unwrap();
            self.cookies.retain(|(known, _)| known != name);
            self.cookies.push((name.to_owned(), value.to_owned()));
        }
        answer
    }

    async fn get(&mut self, url: &str) -> Answer {
        let answer = request("GET", url, &[("cookie", &self.jar())], Vec::new()).await;
        self.keep(answer)
    }

    async fn post(&mut self, url: &str, form: &str) -> Answer {
        let jar = self.jar();
        let headers = [FORM, ("cookie", &jar), ("origin", &self.world.address)];
        let answer = request("POST", url, &headers, form.into()).await;
        self.keep(answer)
    }
}

fn address(world: &World, ticket: &str) -> String {
    format!("{}/connect/{ticket}", world.address)
}

fn callback(world: &World, query: &str) -> String {
    format!("{}/oauth/instagram/callback?{query}", world.address)
}

fn location(answer: &Answer) -> String {
    answer.headers.get("location").unwrap_or_else(|| panic!("no redirect: {}", answer.body)).to_str().unwrap().into()
}

fn exchanges(world: &World) -> usize {
    let codes = |record: &&simulator::RequestRecord| {
        record.path.ends_with("/oauth/access_token") && record.body.get("code").is_some()
    };
    world.sim.requests().iter().filter(codes).count()
}

async fn unconnected() -> World {
    World::unconnected(Config::demo()).await
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_looks_at_a_link_ahead_of_time_uses_nothing_up() {
    let world = unconnected().await;
    let ticket = world.host.begin_connecting("instagram", None).await.unwrap();
    let url = address(&world, &ticket);
    for (method, headers) in [
        ("HEAD", vec![]),
        ("GET", vec![("user-agent", "a messenger's preview")]),
        ("GET", vec![("sec-purpose", "prefetch;prerender")]),
        ("GET", vec![("purpose", "prefetch")]),
    ] {
        assert_eq!(request(method, &url, &headers, Vec::new()).await.status, 200, "{method} {headers:?}");
    }
    let mut browser = Browser::new(&world);
    assert_eq!(browser.get(&url).await.status, 200);
    let dialog = location(&browser.post(&url, "login=instagram").await);

    // The platform's answer, fetched before the person goes there and by somebody else.
    let person = Person { world: &world, ticket: ticket.clone(), cookie: String::new() };
    let query = person.permits(&dialog.parse().unwrap(), &[]).await;
    let back = callback(&world, &query);
    let jar = browser.jar();
    for (method, headers) in [
        ("GET", vec![("cookie", jar.as_str()), ("sec-purpose", "prefetch")]),
        ("GET", vec![("cookie", jar.as_str()), ("purpose", "prefetch")]),
        ("HEAD", vec![("cookie", jar.as_str())]),
        ("GET", vec![]),
        ("GET", vec![("cookie", "harness-connect=of-another-browser")]),
    ] {
        let answer = request(method, &back, &headers, Vec::new()).await;
        assert!([400, 503].contains(&answer.status), "{method} {headers:?}: {}", answer.status);
        assert_eq!(exchanges(&world), 0, "{method} {headers:?}");
    }
    assert!(matches!(person.stage(), ConnectStage::Visiting));
    for _ in 0..2 {
        assert!(location(&browser.get(&back).await).ends_with(&format!("/connect/{ticket}")));
    }
    assert!(matches!(person.stage(), ConnectStage::Connected { .. }));
    assert_eq!(exchanges(&world), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_links_in_one_browser_do_not_take_each_others_cookie() {
    let world = unconnected().await;
    let mut browser = Browser::new(&world);
    let mut links = Vec::new();
    for login in ["facebook", "instagram"] {
        let ticket = world.host.begin_connecting("instagram", None).await.unwrap();
        let url = address(&world, &ticket);
        assert_eq!(browser.get(&url).await.status, 200);
        links.push((login, ticket, url));
    }
    let mut backs = Vec::new();
    for (login, ticket, url) in &links {
        let dialog = location(&browser.post(url, &format!("login={login}")).await);
        let person = Person { world: &world, ticket: ticket.clone(), cookie: String::new() };
        backs.push(callback(&world, &person.permits(&dialog.parse().unwrap(), &[]).await));
    }
    assert_eq!(browser.cookies.len(), 2, "{:?}", browser.jar());
    for ((_, ticket, url), back) in links.iter().zip(&backs) {
        assert!(location(&browser.get(back).await).ends_with(ticket));
        assert_eq!(browser.get(url).await.status, 200);
    }
    assert!(browser.get(&links[0].2).await.body.contains("Choose the account to connect"));
    assert!(browser.get(&links[1].2).await.body.contains("Connected"));
    let mut other = Browser::new(&world);
    assert!(other.get(&links[0].2).await.body.contains("another browser"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_for_one_login_takes_no_other() {
    let world = unconnected().await;
    let ticket = world.host.begin_connecting("instagram", Some("instagram")).await.unwrap();
    let url = address(&world, &ticket);
    let mut browser = Browser::new(&world);
    let page = browser.get(&url).await.body;
    assert!(page.contains("value=\"instagram\"") && !page.contains("value=\"facebook\""), "{page}");
    let answer = browser.post(&url, "login=facebook").await;
    assert!(answer.status == 400 && answer.body.contains("another way of connecting"), "{}", answer.body);
    assert!(matches!(world.host.connecting(&ticket).unwrap().stage, ConnectStage::Waiting));
    // Also after it failed once, and without a word of a library where nothing was chosen at all.
    let answer = browser.post(&url, "nothing=1").await;
    assert!(answer.body.contains("No way of connecting was chosen") && !answer.body.contains("eserialize"));
    let dialog = location(&browser.post(&url, "login=instagram").await);
    let person = Person { world: &world, ticket, cookie: String::new() };
    let query = person.cancels(&dialog.parse().unwrap()).await;
    browser.get(&callback(&world, &query)).await;
    let page = browser.get(&url).await.body;
    assert!(page.contains("not permitted") && !page.contains("value=\"facebook\""), "{page}");
    assert_eq!(browser.post(&url, "login=facebook").await.status, 400);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_start_that_fails_is_said_on_the_link_and_leaves_it_usable() {
    let sim = simulator::Simulator::start(Config::demo()).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let host = channel_tests::open_host(folder.path(), &sim, harness_engine::Clock::default()).await;
    // No `app-id` is set.
    let setup = harness_engine::ChannelOptions::default();
    host.load_channel(channel_tests::instagram().1.clone(), setup).await.unwrap();
    let (address, _) = channel_tests::serve(&host).await;
    let ticket = host.begin_connecting("instagram", None).await.unwrap();
    let cookie = host.open_link(&ticket, None).await.unwrap().unwrap();
    let started = host.start_connecting(&ticket, "facebook", &cookie).await;
    assert!(matches!(started, Err(HostError::Account(_))), "{started:?}");
    let ConnectStage::Failed { sentence } = host.connecting(&ticket).unwrap().stage else { panic!() };
    assert!(sentence.contains("app-id"), "{sentence}");
    let unknown = host.start_connecting(&ticket, "another", &cookie).await;
    assert!(matches!(unknown, Err(HostError::Connect(ConnectError::NoLogin))), "{unknown:?}");
    assert!(matches!(host.connecting(&ticket).unwrap().stage, ConnectStage::Failed { .. }));
    let headers = [("cookie", format!("harness-connect={cookie}"))];
    let headers: Vec<_> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let page = request("GET", &format!("{address}/connect/{ticket}"), &headers, Vec::new()).await.body;
    assert!(page.contains("app-id") && page.contains("Connect with Facebook"), "{page}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_survives_a_restart_at_every_step_and_its_secrets_rest_sealed() {
    let world = unconnected().await;
    let fresh = world.host.begin_connecting("instagram", None).await.unwrap();
    let visiting = Person::new(&world).await;
    let dialog = visiting.visits("instagram").await;
    let query = visiting.permits(&dialog, &[]).await;
    let choosing = Person::new(&world).await;
    let dialog = choosing.visits("facebook").await;
    let back = choosing.permits(&dialog, &[]).await;
    let ConnectStage::Choosing { candidates } = choosing.returns(&back).await.unwrap() else { panic!() };
    let done = Person::new(&world).await;
    done.connects("instagram").await;
    let tickets = [&visiting, &choosing, &done].map(|person| (person.ticket.clone(), person.cookie.clone()));
    let (sim, clock, folder) = world.stop().await;

    let kept: Vec<u8> = ["inbox.sqlite", "inbox.sqlite-wal"]
        .iter()
        .flat_map(|name| std::fs::read(folder.path().join(name)).unwrap_or_default())
        .collect();
    let holds = |secret: &str| kept.windows(secret.len()).any(|window| window == secret.as_bytes());
    let captured: Vec<_> = sim.secrets().iter().map(|secret| secret.expose().to_owned()).collect();
    assert!(captured.len() > 3 && !captured.iter().any(|secret| holds(secret)), "a token lies open in the file");
    for (ticket, cookie) in &tickets {
        assert!(!holds(ticket) && !holds(cookie), "whoever reads the file could go on with the link");
    }

    let host = channel_tests::open_host(folder.path(), &sim, clock).await;
    channel_tests::load(&host, &sim).await;
    let (address, _server) = channel_tests::serve(&host).await;
    assert!(matches!(host.connecting(&fresh).unwrap().stage, ConnectStage::Waiting));
    let [visiting, choosing, done] = tickets;
    assert!(matches!(host.connecting(&done.0).unwrap().stage, ConnectStage::Connected { .. }));
    // The address that the platform was told belonged to the host before; what counts is that the way goes on.
    let other = host.connect_callback("instagram", &query, &["another"]).await;
    assert!(matches!(other, Err(HostError::Connect(ConnectError::OtherBrowser))), "{other:?}");
    host.connect_callback("instagram", &query, &[&visiting.1]).await.unwrap();
    assert!(!matches!(host.connecting(&visiting.0).unwrap().stage, ConnectStage::Visiting));
    host.connect_select(&choosing.0, &candidates[0].id, Some(&[&choosing.1])).await.unwrap();
    let stage = host.connecting(&choosing.0).unwrap().stage;
    assert!(matches!(stage, ConnectStage::Connected { .. }), "{address}: {stage:?}");
}

mod hanging_up {
    //! A client that goes away in the middle of a step, with a platform that takes its time.

    use super::*;

    /// Sends a request, waits until the platform's answer is held, and hangs up.
    async fn cut_off(world: &World, gate: &Gate, held: &str, method: &str, path: &str, cookie: &str, body: &str) {
        gate.hold(held);
        let authority = world.address.strip_prefix("http://").unwrap();
        let mut stream = TcpStream::connect(authority).await.unwrap();
        let kind = if path.starts_with("/api/") { "application/json" } else { FORM.1 };
        let head = format!(
            "{method} {path} HTTP/1.1\r\nhost: {authority}\r\ncookie: harness-connect={cookie}\r\n\
             authorization: Bearer {}\r\ncontent-type: {kind}\r\ncontent-length: {}\r\n\r\n{body}",
            world.token,
            body.len()
        );
        stream.write_all(head.as_bytes()).await.unwrap();
        gate.holds().await;
        stream.shutdown().await.unwrap();
        // The host closes its side when it has seen that, and whatever the connection held is gone by then.
        let _ = stream.read_to_end(&mut Vec::new()).await;
        gate.open();
    }

    async fn ended(person: &Person<'_>) -> ConnectStage {
        eventually("the end of the step", async || {
            let stage = person.stage();
            (!matches!(stage, ConnectStage::Working)).then_some(stage)
        })
        .await
    }

    /// File and memory agree: what the file has is what works.
    async fn works(world: &World) {
        world.sim.customer(CUSTOMER).text("hello").await;
        let conversation = world.conversation(CUSTOMER).await;
        let reply = world.reply(conversation, "1", message(vec![text("hi")])).await;
        assert_eq!(reply.steps[0].state, StepState::Sent, "{reply:?}");
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn loses_no_code_at_any_request_of_the_exchange() {
        for held in ["/oauth/access_token", "ig_exchange_token", "/me?", "/subscribed_apps"] {
            let (world, gate) = World::gated(Config::demo()).await;
            let person = Person::new(&world).await;
            let dialog = person.visits("instagram").await;
            let query = person.permits(&dialog, &[]).await;
            let path = format!("/oauth/instagram/callback?{query}");
            cut_off(&world, &gate, held, "GET", &path, &person.cookie, "").await;
            let stage = ended(&person).await;
            assert!(matches!(stage, ConnectStage::Connected { .. }), "{held}: {stage:?}");
            works(&world).await;
        }
        for held in ["/oauth/access_token", "/me/permissions", "/me/accounts"] {
            let (world, gate) = World::gated(Config::demo()).await;
            let person = Person::new(&world).await;
            let dialog = person.visits("facebook").await;
            let query = person.permits(&dialog, &[]).await;
            let path = format!("/oauth/instagram/callback?{query}");
            cut_off(&world, &gate, held, "GET", &path, &person.cookie, "").await;
            let stage = ended(&person).await;
            assert!(matches!(stage, ConnectStage::Choosing { .. }), "{held}: {stage:?}");
        }
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn ends_no_choice_half_way() {
        for held in ["/me/accounts", "fields=access_token", "/debug_token", "/subscribed_apps"] {
            let (world, gate) = World::gated(Config::demo()).await;
            let person = Person::new(&world).await;
            let dialog = person.visits("facebook").await;
            let query = person.permits(&dialog, &[]).await;
            let ConnectStage::Choosing { candidates } = person.returns(&query).await.unwrap() else { panic!() };
            let path = format!("/connect/{}/select", person.ticket);
            let body = format!("candidate={}", candidates[0].id);
            cut_off(&world, &gate, held, "POST", &path, &person.cookie, &body).await;
            let stage = ended(&person).await;
            assert!(matches!(stage, ConnectStage::Connected { .. }), "{held}: {stage:?}");
            works(&world).await;
        }
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn ends_no_disconnecting_half_way() {
        let (world, gate) = World::gated(Config::demo()).await;
        let account = Person::new(&world).await.connects("facebook").await;
        let path = format!("/api/v1/accounts/{}", account.public());
        cut_off(&world, &gate, "/subscribed_apps", "DELETE", &path, "", "").await;
        eventually("the end of the account", async || {
            let row = world.host.inbox().account_row(account).await.unwrap();
            (row.state == AccountState::Disconnected).then_some(())
        })
        .await;
        assert!(world.host.whole_inbox().credentials().await.unwrap().is_empty());
        // In memory neither: with the file's settings a call would find what was left there.
        let again = Person::new(&world).await.connects("instagram").await;
        assert_eq!(again, account);
        works(&world).await;
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn ends_no_entry_points_half_way() {
        let (world, gate) = World::gated(Config::demo()).await;
        let account = Person::new(&world).await.connects("facebook").await;
        let path = format!("/api/v1/accounts/{}/entry-points", account.public());
        let body = r#"{"ice_breakers":[{"title":"Hours?","action":{"postback":"HOURS"}}],"menu":null}"#;
        let set = || {
            let requests = world.sim.requests().into_iter();
            requests.filter(|record| record.path.ends_with("/messenger_profile")).count()
        };
        cut_off(&world, &gate, "/messenger_profile", "PUT", &path, "", body).await;
        eventually("the entry points", async || (set() > 0).then_some(())).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_channel_without_logins_gets_no_link_without_a_button() {
    let world = World::new().await;
    load_granted(&world.host, &scripted().1, secrets([("secret", "the-webhook-secret")])).await;
    let json = [("content-type", "application/json")];
    let answer = world.api("POST", "/api/v1/connect", &json, r#"{"channel":"scripted"}"#).await;
    assert_eq!(answer.status, 409, "{}", answer.body);
    assert!(answer.body.contains("[[channels.ID.accounts]]"), "{}", answer.body);
}
