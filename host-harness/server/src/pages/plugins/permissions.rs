//! Owns: what a channel asks for and what the operator allows, side by side.
//! Does not own: the asks (the contract), granting (the operator).

use std::collections::BTreeMap;

use harness_contract::asks::{Ask, Topic, asks};
use harness_engine::LoadedChannel;
use maud::{Markup, html};

use crate::pages::{parts::icon, reader::Reader, words::fill};

/// The permissions as a table: hosts, which are allowed one by one, and what comes with the channel as a whole.
pub(super) fn table(loaded: &LoadedChannel, reader: &Reader) -> Markup {
    let words = &reader.words.plugins;
    let manifest = loaded.channel.manifest();
    let mut hosts: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for rule in &manifest.egress {
        let what = rule.paths.iter().map(|path| format!("{} {path}", rule.methods.join(", ")));
        hosts.entry(&rule.host).or_default().extend(what);
    }
    let rest: Vec<Ask> =
        asks(manifest).into_iter().filter(|ask| !matches!(ask.topic(), Topic::Requests | Topic::Files)).collect();
    html! {
        section.panel.flush aria-labelledby="permissions" {
            header { h3 id="permissions" { (words.permissions) } p.small.muted.push { (words.refused_otherwise) } }
            div.scroll-x tabindex="0" role="group" aria-labelledby="permissions" {
                table.table {
                    thead { tr { th scope="col" { (words.permission) } th scope="col" { (words.what_for) } th scope="col" { (words.asked) } th scope="col" { (words.allowed) } } }
                    tbody {
                        @for (host, what) in &hosts {
                            (row(&fill(&words.send_to, &[("host", host)]), what, loaded.grant.egress.iter().any(|one| one == host), reader))
                        }
                        @for host in &manifest.media.hosts {
                            (row(&fill(&words.load_from, &[("host", host)]), &[], loaded.grant.media.contains(host), reader))
                        }
                    }
                }
            }
            @for topic in [Topic::Credentials, Topic::Incoming, Topic::Connecting, Topic::Limits] {
                @let of_topic = rest.iter().filter(|ask| ask.topic() == topic).collect::<Vec<_>>();
                @if !of_topic.is_empty() {
                    details.padded {
                        summary.small { (title(topic, reader)) " (" (of_topic.len()) ")" }
                        ul.bullets.small { @for ask in of_topic { li { (ask) } } }
                    }
                }
            }
        }
    }
}

fn title(topic: Topic, reader: &Reader) -> &str {
    let words = &reader.words.plugins;
    match topic {
        Topic::Credentials => &words.topic_credentials,
        Topic::Incoming => &words.topic_incoming,
        Topic::Connecting => &words.topic_connecting,
        Topic::Limits => &words.topic_limits,
        Topic::Requests | Topic::Files => "",
    }
}

fn row(what: &str, rules: &[String], allowed: bool, reader: &Reader) -> Markup {
    let words = &reader.words.plugins;
    html! {
        tr {
            th scope="row" { (what) }
            td {
                @if rules.is_empty() { (words.files_of_messages) }
                @else if rules.len() > 2 {
                    details { summary { (fill(&words.kinds_of_requests, &[("n", &rules.len().to_string())])) } ul { @for rule in rules { li { code { (rule) } } } } }
                } @else { ul { @for rule in rules { li { code { (rule) } } } } }
            }
            td { (words.yes) }
            td {
                @if allowed { span.chip data-tone="open" { (icon("check")) (words.yes) } }
                @else { span.chip data-tone="warn" { (icon("x")) (words.no) } }
            }
        }
    }
}
