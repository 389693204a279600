//! Pages in a real browser.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    reason = "a test fails by panicking"
)]

#[path = "pages/accessible.rs"]
mod accessible;
#[path = "browser.rs"]
mod browser;
#[path = "pages/composer.rs"]
mod composer;
#[path = "connecting_page.rs"]
mod connecting_page;
#[path = "pages/hostile.rs"]
mod hostile;
#[path = "pages/inbox.rs"]
mod inbox;
#[path = "other_sites.rs"]
mod other_sites;
#[path = "pages/street.rs"]
mod street;
#[path = "pages/team.rs"]
mod team;
