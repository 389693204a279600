//! Plays Meta on loopback: the Graph API of both hosts, the webhook sender, and faults on demand.
//!
//! Written from the platform's documentation and captured payloads, and sharing no code with any
//! channel: what it refuses, Meta refuses, with Meta's own codes. Tests hold a [`Simulator`], act
//! as a [`Customer`], and read what a channel sent; other programs use the JSON surface below
//! `{base}/sim`, which the crate's README describes.
//!
//! ```
//! # tokio::runtime::Runtime::new()?.block_on(async {
//! use simulator::{Config, Fault, Simulator};
//!
//! let sim = Simulator::start(Config::demo()).await?;
//! sim.set_webhook_url("http://127.0.0.1:9/webhook"); // nobody listens there
//!
//! let ana = sim.customer(Config::DEMO_CUSTOMER);
//! let sent = ana.text("Do you have this in blue?").await;
//! assert_eq!(sent.status(), None);
//!
//! sim.inject(Fault::graph_error(10, 2534022)); // the next message meets a closed window
//! assert!(ana.last_reply().is_none());
//! # Ok::<(), simulator::SimulatorError>(())
//! # })?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! One webhook, by the files it passes: `customer` → `webhook::item` → `webhook::hold` →
//! `webhook::envelope` → `wire` → `webhook::sender`. One reply: `server` → `graph` →
//! `graph::messages` → `graph::answer`, and from there the echo takes the way of a webhook.

mod cdn;
mod clock;
mod config;
mod control;
mod core;
mod customer;
mod error;
mod faults;
mod graph;
mod http_client;
mod ids;
mod secret;
mod server;
mod signature;
mod simulator;
mod state;
pub mod webhook;
mod wire;

pub use cdn::CdnFile;
pub use clock::Clock;
pub use config::{AccountConfig, Config, EchoTiming, Locale, Login, MediaPolicy, PageConfig, Redelivery};
pub use customer::{Customer, Sent};
pub use error::SimulatorError;
pub use faults::{Fault, FaultKind, Scope};
pub use ids::{MessageId, conversation_id};
pub use secret::Secret;
pub use signature::{appsecret_proof, sha1_header, sha256_header};
pub use simulator::{RawWebhook, Simulator};
pub use state::log::{RequestRecord, TokenPlace, Verdict};
pub use state::thread::{Author, CustomerProfile, StandingReaction, ThreadMessage};
pub use webhook::hold::Release;
pub use webhook::sender::{Attempt, Delivery, Signing};
pub use webhook::verify::ChallengeAnswer;
pub use wire::to_wire;
