//! Owns: which request of a channel is sent, with which credential, and what the channel sees of the response;
//! credentials in memory and at rest.
//! Does not own: when a request is sent, and how its response is used.
//!
//! The types enforce the order. A channel's `HttpRequest` becomes `Admitted` by the [`policy`], which knows the grant;
//! `Injected` once credentials are in it; [`Shown`] once its response was captured from and redacted. Only an injected
//! request can be sent, and only a shown response reaches a channel. The host's own calls go another way ([`DirectClient`]).

mod body;
mod capture;
mod client;
pub mod credentials;
mod direct;
mod download;
mod error;
#[cfg(fuzzing)]
#[doc(hidden)]
pub mod fuzzing;
mod inject;
mod known;
mod memory;
mod offload;
mod policy;
mod redact;
mod resolver;
mod response;
mod send;
mod sizes;

pub use body::{File, Files, base64_bytes};
pub use capture::Captured;
pub use client::{Endpoints, Timer, client_builder};
pub use direct::{DirectAnswer, DirectCall, DirectClient, DirectError, DirectLimits, DirectStream};
pub use download::{DownloadError, Downloaded, FileSink, is_media_host};
pub use error::{EgressError, SetupError, transport_error};
pub use inject::FindSecret;
pub use known::Known;
pub use memory::{FIRST, Held, Memory, MemoryUse, TooMuch};
pub use policy::bounds::{check as check_request, check_files, memory_of};
pub use redact::REDACTED;
pub use response::read_at_most;
pub use send::{Caller, Egress, Shown};
pub use sizes::{MIB, Sizes};
