//! The promises on a host in this process, a file for each kind.

#[path = "agreement.rs"]
mod agreement;
#[path = "ambiguous.rs"]
mod ambiguous;
#[path = "api.rs"]
mod api;
#[path = "arrivals.rs"]
mod arrivals;
#[path = "automation/assistant.rs"]
mod automation_assistant;
#[path = "automation/hostile.rs"]
mod automation_hostile;
#[path = "automation/routing.rs"]
mod automation_routing;
#[path = "automation/stage.rs"]
mod automation_stage;
#[path = "automation/tried.rs"]
mod automation_tried;
#[path = "automation/welcome.rs"]
mod automation_welcome;
#[path = "bad_input.rs"]
mod bad_input;
#[path = "breaker.rs"]
mod breaker;
#[path = "clock.rs"]
mod clock;
#[path = "comments.rs"]
mod comments;
#[path = "connect.rs"]
mod connect;
#[path = "connection.rs"]
mod connection;
#[path = "contacts.rs"]
mod contacts;
#[path = "contention.rs"]
mod contention;
#[path = "damage.rs"]
mod damage;
#[path = "deliveries.rs"]
mod deliveries;
#[path = "delivery.rs"]
mod delivery;
#[path = "dependencies.rs"]
mod dependencies;
#[path = "described.rs"]
mod described;
#[path = "direct.rs"]
mod direct;
#[path = "doors.rs"]
mod doors;
#[path = "echoes.rs"]
mod echoes;
#[path = "egress.rs"]
mod egress;
#[path = "events.rs"]
mod events;
#[path = "fuel.rs"]
mod fuel;
#[path = "generations.rs"]
mod generations;
#[path = "gone.rs"]
mod gone;
#[path = "handmade.rs"]
mod handmade;
#[path = "held.rs"]
mod held;
#[path = "hostile.rs"]
mod hostile;
#[path = "ingress.rs"]
mod ingress;
#[path = "judge.rs"]
mod judge;
#[path = "languages.rs"]
mod languages;
#[path = "line.rs"]
mod line;
#[path = "links.rs"]
mod links;
#[path = "media.rs"]
mod media;
#[path = "migrations.rs"]
mod migrations;
#[path = "operations.rs"]
mod operations;
#[path = "oracle.rs"]
mod oracle;
#[path = "pace.rs"]
mod pace;
#[path = "places.rs"]
mod places;
#[path = "power_cut.rs"]
mod power_cut;
#[path = "problems.rs"]
mod problems;
#[path = "proof_pages.rs"]
mod proof_pages;
#[path = "proofs.rs"]
mod proofs;
#[path = "providers.rs"]
mod providers;
#[path = "proxies.rs"]
mod proxies;
#[path = "reading.rs"]
mod reading;
#[path = "restore.rs"]
mod restore;
#[path = "retention.rs"]
mod retention;
#[path = "rooms.rs"]
mod rooms;
#[path = "round_trip.rs"]
mod round_trip;
#[path = "sandbox.rs"]
mod sandbox;
#[path = "second_channel.rs"]
mod second_channel;
#[path = "settings.rs"]
mod settings;
#[path = "shares.rs"]
mod shares;
#[path = "signatures.rs"]
mod signatures;
#[path = "sizes.rs"]
mod sizes;
#[path = "slack.rs"]
mod slack;
#[path = "slow_platform.rs"]
mod slow_platform;
#[path = "steps.rs"]
mod steps;
#[path = "team.rs"]
mod team;
#[path = "tokens.rs"]
mod tokens;
#[path = "users.rs"]
mod users;
#[path = "versions.rs"]
mod versions;
#[path = "window.rs"]
mod window;
#[path = "workspaces.rs"]
mod workspaces;
