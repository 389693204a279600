//! Owns: the panel beside the thread: who the customer is, how long there is to reply, identifiers, files.
//! Does not own: the thread.

use harness_inbox::{AccountRow, MediaView, PublicId as _};
use maud::{Markup, html};

use super::{load::Opened, team, window};
use crate::pages::{
    parts::{avatar, icon, mark},
    reader::Reader,
    times,
    words::fill,
};

/// The panel.
pub(super) fn panel(opened: &Opened, pictures: &[&MediaView], query: &str, now: i64, reader: &Reader) -> Markup {
    let words = reader.words;
    let summary = &opened.summary;
    let contact = summary.contact.as_deref().unwrap_or_default();
    let field = opened.capabilities.as_ref().map(|all| all.identity.field.as_str()).filter(|field| !field.is_empty());
    let AccountRow { name: account, username, .. } = &opened.account;
    html! {
        aside.pane.contact id="contact" tabindex="-1" aria-label=(fill(&words.about, &[("name", &opened.name)])) {
            header {
                h2 { (words.contact) }
                a.btn.icon.small.quiet.push.if-no-contact href="#main" aria-label=(words.close_panel) { (icon("x")) }
            }
            div.scroll.stack.wide {
                div.line {
                    (avatar(&opened.name, contact, "l", Some(&summary.channel)))
                    div.cut { strong { bdi { (opened.name) } } p.small.muted { @if let Some(username) = &summary.username { bdi { "@" (username) } br; } (opened.channel_name) } }
                }
                @if let Some(context) = opened.context.as_ref().filter(|_| opened.goes_on_in.is_none()) { (window::explained(&context.window, now, reader, &opened.channel_name)) }
                (team::section(summary, &opened.team, query, reader))
                section.stack {
                    h3 { (words.identifiers) }
                    dl.facts {
                        @if let (Some(field), Some(id)) = (field, &summary.contact) { dt { (field) } dd { code { bdi { (id) } } } }
                        dt { (words.account) }
                        dd { bdi { (account) } @if let Some(username) = username { " " span.muted { bdi { "@" (username) } } } }
                    }
                }
                @if !opened.others.is_empty() {
                    section.stack {
                        h3 { (words.other_conversations) }
                        ul.stack.small {
                            @for other in &opened.others {
                                li.line { (mark(&other.channel)) a.cut href={ "/inbox/" (other.id.public()) } { bdi { (other.preview.as_deref().unwrap_or(&opened.name)) } } span.push.muted { (times::relative(other.last_at, now, reader)) } }
                            }
                        }
                    }
                }
                @if !pictures.is_empty() {
                    section.stack {
                        h3 { (words.photos_and_files) }
                        div.line.wrap {
                            @for media in pictures {
                                a.thumb href={ "/inbox/media/" (media.id.public()) } data-viewer aria-label=(words.open_photo) {
                                    img src={ "/inbox/media/" (media.id.public()) } alt="" loading="lazy";
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}
