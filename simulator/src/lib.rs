//! Simulates Meta on loopback: both logins, the Graph API of both hosts, the webhook sender, and faults on demand.
//!
//! Written from the platform's documentation and captured payloads, and sharing no code with any channel: what it
//! refuses, Meta refuses, with Meta's own codes. Tests hold a [`Simulator`], act as a [`Customer`], and read what a
//! channel sent; other programs use the JSON API below `{base}/sim`, which the crate's README describes.
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
//! `graph::messages` → `graph::answer`, and from there the echo takes the way of a webhook. One
//! account that is connected: `login::dialog` → `login::codes` → `graph::oauth` or
//! `login::exchange` → `graph::person` → `graph::subscriptions`.

mod callbacks;
mod cdn;
mod clock;
mod config;
mod control;
mod core;
mod customer;
mod error;
mod faults;
mod gate;
mod graph;
mod half;
mod history;
mod host;
mod http_client;
mod ids;
mod login;
mod mint;
mod person;
mod platform;
mod secret;
mod server;
mod settings;
mod signature;
mod simulator;
mod state;
pub mod webhook;
mod wire;

pub use callbacks::{CallbackAnswer, CallbackKind, CallbackRecord, Subject, signed_request};
pub use cdn::CdnFile;
pub use clock::Clock;
pub use config::{AccountConfig, AccountType, Config, EchoTiming, Locale, Login, MediaPolicy, PageConfig, Redelivery};
pub use customer::{Customer, Sent};
pub use error::SimulatorError;
pub use faults::{Fault, FaultKind, Scope};
pub use history::PastMessage;
pub use host::{CHANNEL, EGRESS, HostAccount, PLATFORM, SIGNATURE_HEADER, WorldEntry, text_webhook, webhook_headers};
pub use ids::{MessageId, conversation_id};
pub use person::{ALL_TASKS, PersonConfig};
pub use secret::Secret;
pub use settings::{AnswerForm, AppMode, AppSettings, UserIdForm};
pub use signature::{appsecret_proof, sha1_header, sha256_header};
pub use simulator::{RawWebhook, Simulator};
pub use state::log::{RequestRecord, TokenPlace, Verdict};
pub use state::thread::{Author, CustomerProfile, StandingReaction, ThreadMessage};
pub use webhook::hold::Release;
pub use webhook::sender::{Attempt, Delivery, Signing};
pub use webhook::verify::ChallengeAnswer;
pub use wire::to_wire;
