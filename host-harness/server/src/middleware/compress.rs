//! Owns: which answers are sent compressed: pages and what they are drawn with.
//! Does not own: compressing. Other answers, which hold a secret beside what a stranger chose, and whose length would tell
//! of it, or which go on for as long as their reader likes.

use axum::http::{Extensions, HeaderMap, StatusCode, Version, header};
use tower_http::{CompressionLevel, compression::CompressionLayer};

/// The media types that are worth it.
const TYPES: [&str; 4] = ["text/html", "text/css", "text/javascript", "image/svg+xml"];

/// What decides about an answer.
type Decides = fn(StatusCode, Version, &HeaderMap, &Extensions) -> bool;

/// Compresses the pages of the routes before it, for browsers that say that they take it.
pub(crate) fn pages() -> CompressionLayer<Decides> {
    CompressionLayer::new().quality(CompressionLevel::Fastest).compress_when(is_worth_it as Decides)
}

fn is_worth_it(_: StatusCode, _: Version, headers: &HeaderMap, _: &Extensions) -> bool {
    let given = headers.get(header::CONTENT_TYPE).and_then(|given| given.to_str().ok()).unwrap_or_default();
    // A file that somebody sent is not a page, whatever type it has.
    TYPES.iter().any(|known| given.starts_with(known)) && !headers.contains_key(header::CONTENT_DISPOSITION)
}
