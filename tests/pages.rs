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
#[path = "pages/bot.rs"]
mod bot;
#[path = "browser.rs"]
mod browser;
#[path = "pages/buttons.rs"]
mod buttons;
#[path = "pages/composer.rs"]
mod composer;
#[path = "pages/connecting.rs"]
mod connecting;
#[path = "connecting_page.rs"]
mod connecting_page;
#[path = "pages/converted.rs"]
mod converted;
#[path = "pages/find.rs"]
mod find;
#[path = "pages/following.rs"]
mod following;
#[path = "pages/hostile.rs"]
mod hostile;
#[path = "pages/inbox.rs"]
mod inbox;
#[path = "pages/inspector.rs"]
mod inspector;
#[path = "pages/looks.rs"]
mod looks;
#[path = "pages/meanwhile.rs"]
mod meanwhile;
#[path = "pages/opening.rs"]
mod opening;
#[path = "other_sites.rs"]
mod other_sites;
#[path = "pages/outcomes.rs"]
mod outcomes;
#[path = "pages/phone.rs"]
mod phone;
#[path = "pages/photos.rs"]
mod photos;
#[path = "pages/plugins.rs"]
mod plugins;
#[path = "pages/sent.rs"]
mod sent;
#[path = "pages/settings.rs"]
mod settings;
#[path = "pages/signals.rs"]
mod signals;
#[path = "pages/speed.rs"]
mod speed;
#[path = "pages/stage.rs"]
mod stage;
#[path = "pages/street.rs"]
mod street;
#[path = "pages/team.rs"]
mod team;
#[path = "pages/together.rs"]
mod together;
#[path = "pages/tour.rs"]
mod tour;
#[path = "pages/weight.rs"]
mod weight;
