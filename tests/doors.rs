//! Slow, oversized and forging clients, over raw sockets: each meets its bound, and none of them costs a delivery.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    reason = "a test fails by panicking"
)]

use std::time::Duration;

use channel_tests::{PATIENCE, World, eventually, request, signature};
use harness_engine::{Clock, HostOptions};
use harness_server::{Authenticator, Limits};
use simulator::{Config, Login};
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    sync::oneshot,
};

const SECOND: Duration = Duration::from_secs(1);

/// A host with bounds of its own.
struct Door {
    world: World,
    /// Host and port.
    address: String,
    stop: Option<oneshot::Sender<()>>,
    served: tokio::task::JoinHandle<()>,
}

impl Door {
    async fn with(limits: Limits) -> Self {
        let stopped = |options| HostOptions { clock: Clock::stopped(), ..options };
        let world = World::with_options(Config::demo(), Login::Facebook, stopped).await;
        let listener = harness_server::bind(([127, 0, 0, 1], 0).into()).await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let router = harness_server::router_with(world.host.clone(), Authenticator::default(), &limits);
        let (stop, stopped) = oneshot::channel();
        let served = tokio::spawn(async move {
            let stopped = async {
                let _ = stopped.await;
            };
            harness_server::serve_with(listener, router, &limits, stopped).await.unwrap();
        });
        Self { world, address, stop: Some(stop), served }
    }

    async fn connect(&self) -> TcpStream {
        TcpStream::connect(&self.address).await.unwrap()
    }

    /// A connection that has been of use once. On a slow machine the time of the first ones may be over before.
    async fn used(&self) -> TcpStream {
        eventually("a connection that is answered", async || {
            let mut stream = self.connect().await;
            stream.write_all(b"GET /health/live HTTP/1.1\r\nhost: x\r\n\r\n").await.ok()?;
            let mut answer = [0; 15];
            stream.read_exact(&mut answer).await.ok()?;
            assert_eq!(&answer, b"HTTP/1.1 200 OK");
            Some(stream)
        })
        .await
    }

    /// A webhook that is signed with this secret.
    async fn deliver(&self, mid: &str, secret: &str) -> (u16, http::HeaderMap) {
        let body = format!(
            r#"{{"object":"instagram","entry":[{{"id":"17841400000000001","messaging":[{{"sender":{{"id":"5551230000000001"}},"recipient":{{"id":"17841400000000001"}},"timestamp":1795000000123,"message":{{"mid":"{mid}","text":"hello"}}}}]}}]}}"#
        );
        let proof = signature(secret, body.as_bytes());
        let url = format!("http://{}/webhooks/instagram", self.address);
        let answer = request("POST", &url, &[("x-hub-signature-256", &proof)], body.into_bytes()).await;
        (answer.status, answer.headers)
    }

    async fn genuine(&self, mid: &str) -> u16 {
        self.deliver(mid, "demo-meta-app-secret").await.0
    }
}

/// What comes until the connection ends; a reset is an end too.
async fn rest(stream: &mut (impl AsyncRead + Unpin)) -> String {
    let mut answer = Vec::new();
    let mut chunk = [0; 4096];
    let to_its_end = async {
        while let Ok(count @ 1..) = stream.read(&mut chunk).await {
            answer.extend_from_slice(&chunk[..count]);
        }
    };
    tokio::time::timeout(PATIENCE, to_its_end).await.expect("the connection ends");
    String::from_utf8_lossy(&answer).into_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_header_that_comes_byte_by_byte_ends_within_its_time() {
    let door = Door::with(Limits { header_time: SECOND, ..Limits::default() }).await;
    for stream in [door.connect().await, door.used().await] {
        let (mut reading, mut writing) = stream.into_split();
        let sending = tokio::spawn(async move {
            for byte in b"GET /health/live HTTP/1.1\r\nx-padding: ".iter().chain(std::iter::repeat(&b'x')) {
                if writing.write_all(&[*byte]).await.is_err() {
                    return;
                }
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        });
        // Although more and more of it comes.
        rest(&mut reading).await;
        sending.abort();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_header_of_a_megabyte_and_one_of_many_lines_are_answered_431() {
    let door = Door::with(Limits::default()).await;
    let long = format!("GET /health/live HTTP/1.1\r\nhost: x\r\nx-long: {}\r\n\r\n", "x".repeat(1 << 20));
    let many = format!("GET /health/live HTTP/1.1\r\nhost: x\r\n{}\r\n", "a: b\r\n".repeat(500));
    for head in [long, many] {
        let mut stream = door.connect().await;
        // Nobody reads while it is being written, as most clients do.
        let _ = stream.write_all(head.as_bytes()).await;
        let answer = rest(&mut stream).await;
        assert!(answer.starts_with("HTTP/1.1 431 "), "{answer:?}");
    }
    assert_eq!(door.genuine("after").await, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn idle_connections_make_room_for_a_delivery_and_end_within_their_time() {
    let forever = Duration::from_secs(3600);
    let limits = Limits { max_connections: 20, idle_time: forever, header_time: forever, ..Limits::default() };
    let door = Door::with(limits).await;
    let mut idle = Vec::new();
    for index in 0..100 {
        let mut stream = door.connect().await;
        let some = ["", "GET /hea", "GET /health/live HTTP/1.1\r\nhost: x\r\n\r\n"][index % 3];
        // One that was closed meanwhile cannot be written to.
        let _ = stream.write_all(some.as_bytes()).await;
        idle.push(stream);
    }
    for index in 0..30 {
        assert_eq!(door.genuine(&format!("m-{index}")).await, 200, "{index}");
    }
    let door = Door::with(Limits { idle_time: SECOND, ..Limits::default() }).await;
    rest(&mut door.used().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_does_not_come_ends_within_its_time() {
    let door = Door::with(Limits { body_time: SECOND, ..Limits::default() }).await;
    let begun = async |path: &str, more: &str| {
        let mut stream = door.connect().await;
        let head = format!("POST {path} HTTP/1.1\r\nhost: {}\r\ncontent-length: 100\r\n{more}\r\n\r\n{{", door.address);
        stream.write_all(head.as_bytes()).await.unwrap();
        rest(&mut stream).await
    };
    let form = "content-type: application/x-www-form-urlencoded";
    assert!(begun("/webhooks/instagram", "x-hub-signature-256: sha256=00").await.starts_with("HTTP/1.1 408"));
    for (path, more) in [("/connect/none", form), ("/callbacks/instagram/deauthorize", form)] {
        assert!(begun(path, more).await.starts_with("HTTP/1.1 4"), "{path}");
    }
    let json = "content-type: application/json\r\nidempotency-key: 1";
    assert!(begun("/api/v1/conversations/cnv_1/replies", json).await.starts_with("HTTP/1.1 4"));
}

#[tokio::test(flavor = "multi_thread")]
async fn bodies_that_are_announced_and_do_not_come_keep_no_delivery_out_and_take_no_memory() {
    let forever = Duration::from_secs(3600);
    let limits =
        Limits { max_connections: 40, max_connections_per_address: 40, body_time: forever, ..Limits::default() };
    let door = Door::with(limits).await;
    let mut waiting = Vec::new();
    // All of them together announce more than there is memory for bodies.
    for (index, path) in
        ["/webhooks/instagram", "/callbacks/instagram/data-deletion"].into_iter().cycle().take(120).enumerate()
    {
        let mut stream = door.connect().await;
        let length = if index % 2 == 0 { 8 << 20 } else { 60_000 };
        let head = format!(
            "POST {path} HTTP/1.1\r\nhost: x\r\nx-hub-signature-256: sha256=00\r\ncontent-length: {length}\r\n\r\n{{"
        );
        stream.write_all(head.as_bytes()).await.unwrap();
        waiting.push(stream);
    }
    for index in 0..60 {
        assert_eq!(door.genuine(&format!("m-{index}")).await, 200, "{index}");
    }
    drop(waiting);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_has_a_bound_of_its_own_and_its_longest_waiting_connection_gives_way() {
    let forever = Duration::from_secs(3600);
    let limits = Limits {
        max_connections: 100,
        max_connections_per_address: 3,
        header_time: forever,
        idle_time: forever,
        ..Limits::default()
    };
    let door = Door::with(limits).await;
    let mut first = door.connect().await;
    first.write_all(b"GET /health/li").await.unwrap();
    let mut others = Vec::new();
    for _ in 0..3 {
        others.push(door.connect().await);
    }
    // It ends although the host has room for many more.
    assert_eq!(rest(&mut first).await, "");
    assert_eq!(door.genuine("m").await, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn forgeries_beyond_the_bound_get_one_answer_and_genuine_deliveries_go_on() {
    let door = Door::with(Limits { refused_webhooks_per_minute: 5, ..Limits::default() }).await;
    let mut statuses = Vec::new();
    for index in 0..12 {
        let (status, headers) = door.deliver("forged", "not-the-secret").await;
        assert_eq!(headers.contains_key("retry-after"), status == 429);
        statuses.push(status);
        assert_eq!(door.genuine(&format!("m-{index}")).await, 200, "{statuses:?}");
    }
    assert_eq!(statuses[..5], [403; 5]);
    assert_eq!(statuses[5..], [429; 7]);
    let url = format!("http://{}/webhooks", door.address);
    for (method, path) in [("POST", "instagram"), ("POST", "nobody"), ("GET", "instagram?hub.verify_token=guess")] {
        let answer = request(method, &format!("{url}/{path}"), &[], b"{}".to_vec()).await;
        assert_eq!((answer.status, answer.body.as_str()), (429, "too many\n"), "{method} {path}");
    }
    let challenge = "instagram?hub.mode=subscribe&hub.verify_token=demo-verify-token&hub.challenge=7";
    assert_eq!(request("GET", &format!("{url}/{challenge}"), &[], Vec::new()).await.body, "7");
    door.world.settled().await;
    assert_eq!(door.world.timeline("5551230000000001").await.len(), 12);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_that_stops_finishes_what_is_under_way_and_waits_for_nobody_else() {
    let mut door = Door::with(Limits::default()).await;
    let body = br#"{"object":"instagram","entry":[]}"#;
    let proof = signature("demo-meta-app-secret", body);
    let head = format!(
        "POST /webhooks/instagram HTTP/1.1\r\nhost: x\r\nx-hub-signature-256: {proof}\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    let mut under_way = door.connect().await;
    under_way.write_all(head.as_bytes()).await.unwrap();
    let mut idle = door.connect().await;
    idle.write_all(b"GET /health/live HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    let mut first = [0; 15];
    idle.read_exact(&mut first).await.unwrap();
    let silent = door.connect().await;
    door.stop.take().unwrap().send(()).unwrap();
    eventually("a closed door", async || TcpStream::connect(&door.address).await.is_err().then_some(())).await;
    under_way.write_all(body).await.unwrap();
    assert!(rest(&mut under_way).await.starts_with("HTTP/1.1 200 "));
    tokio::time::timeout(PATIENCE, &mut door.served).await.expect("it ends").unwrap();
    drop(silent);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_line_of_a_head_ends_with_both_and_what_could_be_read_in_two_ways_is_refused() {
    let door = Door::with(Limits::default()).await;
    let asked = async |bytes: &str| {
        let mut stream = door.connect().await;
        stream.write_all(bytes.as_bytes()).await.unwrap();
        rest(&mut stream).await
    };
    let sound = "GET /health/live HTTP/1.1\r\nhost: x\r\n\r\n";
    let last = "GET /health/live HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
    assert_eq!(asked(&format!("{sound}{last}")).await.matches("HTTP/1.1 200 ").count(), 2);
    for odd in [
        "GET /health/live HTTP/1.1\nhost: x\n\n",
        "GET /health/live HTTP/1.1\r\nhost: x\nx: y\r\n\r\n",
        "GET /health/live HTTP/1.1\r\nhost: x\r\n\n",
        "\nGET /health/live HTTP/1.1\r\nhost: x\r\n\r\n",
        "GET /health/live HTTP/1.1\r\nhost: x\r\n folded: y\r\n\r\n",
        "GET /health/live HTTP/1.1\r\nhost : x\r\n\r\n",
        "POST /webhooks/instagram HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nx",
        "POST /webhooks/instagram HTTP/1.1\r\nhost: x\r\ncontent-length: +1\r\n\r\nx",
        "POST /webhooks/instagram HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked, x\r\n\r\n0\r\n\r\n",
    ] {
        let answer = asked(odd).await;
        assert!(answer.starts_with("HTTP/1.1 400 "), "{odd:?}: {answer:?}");
    }
    // Also behind a request that was sound, and behind a body in which a bare one is data.
    let behind = format!("{sound}GET /health/live HTTP/1.1\nhost: x\r\n\r\n");
    let answer = asked(&behind).await;
    assert!(answer.starts_with("HTTP/1.1 200 ") && answer.contains("HTTP/1.1 400 "), "{answer:?}");
    let body = "POST /webhooks/instagram HTTP/1.1\r\nhost: x\r\ncontent-length: 3\r\n\r\na\nb";
    let answer = asked(&format!("{body}{last}")).await;
    assert!(answer.starts_with("HTTP/1.1 403 ") && answer.contains("HTTP/1.1 200 "), "{answer:?}");
    let body =
        "POST /webhooks/instagram HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n3;x=y\r\na\nb\r\n0\r\n\r\n";
    let answer = asked(&format!("{body}{last}")).await;
    assert!(answer.starts_with("HTTP/1.1 403 ") && answer.contains("HTTP/1.1 200 "), "{answer:?}");
    let answer = asked(&format!("{body}GET /health/live HTTP/1.1\nhost: x\r\n\r\n")).await;
    assert!(answer.starts_with("HTTP/1.1 403 ") && answer.contains("HTTP/1.1 400 "), "{answer:?}");
    assert_eq!(door.genuine("after").await, 200);
}
