//! Pages in a real browser.

#[path = "browser.rs"]
mod browser;
#[path = "connecting_page.rs"]
mod connecting_page;
#[path = "other_sites.rs"]
mod other_sites;
