//! A gate between host and platform: what the platform answers is held until the test lets it through. Belongs here:
//! holding and passing on; what is sent through it is the host's, what is answered the simulator's.

use std::sync::{Arc, Mutex};

use axum::{Router, body::Body, extract::State, response::IntoResponse as _};
use harness_engine::HostOptions;
use http::{Request, StatusCode};
use hyper_util::{client::legacy::Client, rt::TokioExecutor};
use simulator::Simulator;
use tokio::sync::watch;

use crate::eventually;

/// The gate. Cloning shares it.
#[derive(Clone)]
pub struct Gate {
    platform: String,
    /// The part of an address whose answers are held.
    held: watch::Sender<Option<String>>,
    waiting: Arc<Mutex<usize>>,
}

impl Gate {
    /// A gate before the simulator, open; returns the host's options that lead through it.
    pub async fn before(sim: &Simulator, options: HostOptions) -> (Self, HostOptions) {
        let gate = Self { platform: sim.base_url().to_owned(), held: watch::channel(None).0, waiting: Arc::default() };
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let router = Router::new().fallback(pass).with_state(gate.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        let mut endpoints = options.endpoints.clone();
        for (origin, place) in &mut endpoints {
            // Dialogs are for browsers.
            if !origin.starts_with("https://www.") {
                *place = place.as_str().replace(sim.base_url(), &address).parse().unwrap();
            }
        }
        (gate, HostOptions { endpoints, ..options })
    }

    /// Holds every answer from now on whose address has this in it.
    pub fn hold(&self, part: &str) {
        self.held.send_replace(Some(part.to_owned()));
    }

    /// Waits until an answer is held: the platform has done by then what it was asked.
    pub async fn holds(&self) {
        eventually("a held answer", async || (*self.waiting.lock().unwrap() > 0).then_some(())).await;
    }

    /// Lets everything through.
    pub fn open(&self) {
        self.held.send_replace(None);
    }
}

async fn pass(State(gate): State<Gate>, mut request: Request<Body>) -> axum::response::Response {
    let target = request.uri().path_and_query().map_or("/", |target| target.as_str()).to_owned();
    *request.uri_mut() = format!("{}{target}", gate.platform).parse().unwrap();
    request.headers_mut().remove(http::header::HOST);
    let client = Client::builder(TokioExecutor::new()).build_http::<Body>();
    let answer = match client.request(request).await {
        Ok(answer) => answer.map(Body::new),
        Err(error) => return (StatusCode::BAD_GATEWAY, error.to_string()).into_response(),
    };
    let mut held = gate.held.subscribe();
    let holds = |held: &Option<String>| held.as_ref().is_some_and(|part| target.contains(part.as_str()));
    if holds(&held.borrow()) {
        *gate.waiting.lock().unwrap() += 1;
        let _ = held.wait_for(|held| !holds(held)).await;
        *gate.waiting.lock().unwrap() -= 1;
    }
    answer
}
