//! Ice breakers and the persistent menu: Meta's "messenger profile" of the account.
//! What belongs here is checking them and building the requests; `account` sends them.

use channel_sdk::json::Writer;
use channel_sdk::names::violation_code;
use channel_sdk::report::Report;

use super::call::refuse;
use super::{AccountSettings, EntryPoints, Outcome};
use crate::limits::{BUTTON_PAYLOAD, ICE_BREAKER, ICE_BREAKERS, INSTAGRAM, MENU_ITEMS};
use crate::outbound::{Login, Settings, button, element, read_settings};
use crate::types::{Button, ButtonAction, FallbackPolicy, HttpMethod, HttpRequest};

/// The requests that set the account's entry points to `wanted`.
///
/// # Errors
/// A sentence for each problem.
pub(super) fn requests(account: &AccountSettings, wanted: &EntryPoints) -> Outcome<Vec<HttpRequest>> {
    let mut report = Report::new(INSTAGRAM, FallbackPolicy::Strict);
    let settings = read_settings(&mut report, account);
    check_ice_breakers(&mut report, wanted.ice_breakers.as_deref().unwrap_or_default());
    check_menu(&mut report, wanted.menu.as_deref().unwrap_or_default());
    refuse(report)?;
    let mut requests = Vec::new();
    if let Some(questions) = &wanted.ice_breakers {
        requests.push(request(&settings, "ice_breakers", questions, |writer, question| {
            writer.text("question", &question.title);
            if let ButtonAction::Postback(payload) = &question.action {
                writer.text("payload", payload);
            }
        }));
    }
    if let Some(entries) = &wanted.menu {
        requests.push(request(&settings, "persistent_menu", entries, button));
    }
    Ok(requests)
}

fn check_ice_breakers(report: &mut Report, questions: &[Button]) {
    if questions.is_empty() {
        return;
    }
    report.count("ice-breakers", "ice breakers", questions.len(), ICE_BREAKERS);
    for (at, question) in questions.iter().enumerate() {
        let title = element("ice-breakers", at, "title");
        report.field(violation_code::TITLE_TOO_LONG, &title, "The question", &question.title, ICE_BREAKER);
        let action = element("ice-breakers", at, "action");
        match &question.action {
            ButtonAction::Postback(payload) => {
                report.field(
                    violation_code::PAYLOAD_TOO_LONG,
                    &action,
                    "The question's payload",
                    payload,
                    BUTTON_PAYLOAD,
                );
            }
            _ => {
                let sentence = "An ice breaker sends its payload back and does nothing else. Give it a postback.";
                report.error(violation_code::INVALID_FIELD, &action, sentence);
            }
        }
    }
}

fn check_menu(report: &mut Report, entries: &[Button]) {
    if entries.is_empty() {
        return;
    }
    report.count("menu", "menu entries", entries.len(), MENU_ITEMS);
    for (at, entry) in entries.iter().enumerate() {
        report.present(&element("menu", at, "title"), "The menu entry's title", &entry.title);
        let action = element("menu", at, "action");
        match &entry.action {
            ButtonAction::Postback(payload) => {
                report.field(violation_code::PAYLOAD_TOO_LONG, &action, "The entry's payload", payload, BUTTON_PAYLOAD);
            }
            ButtonAction::Url(url) => report.address(&action, "The entry's address", url, &["https", "http"]),
            _ => {
                let sentence = "A menu entry opens an address or sends a payload back. Choose one of the two.";
                report.error(violation_code::INVALID_FIELD, &action, sentence);
            }
        }
    }
}

/// Sets one property, or deletes it if nothing is wanted.
fn request(
    settings: &Settings<'_>,
    property: &str,
    entries: &[Button],
    each: impl Fn(&mut Writer, &Button),
) -> HttpRequest {
    let removes = entries.is_empty();
    let over_page = settings.login == Login::Facebook;
    let mut writer = Writer::new();
    writer.object(|writer| {
        // Through a page, the profile is Messenger's unless the platform is named.
        if over_page {
            writer.text("platform", "instagram");
        }
        if !removes {
            writer.name(property).list(&[()], |writer, ()| {
                writer.object(|writer| {
                    // Meta refuses a profile without an entry for this locale.
                    writer.text("locale", "default");
                    writer
                        .name("call_to_actions")
                        .list(entries, |writer, entry| writer.object(|writer| each(writer, entry)));
                });
            });
        } else if over_page {
            writer.name("fields").list(&[property], |writer, property| writer.value(property));
        }
    });
    let (method, edge) = match removes {
        false => (HttpMethod::Post, "messenger_profile".to_owned()),
        // One host expects the property to delete in the body, the other in the query.
        true if over_page => (HttpMethod::Delete, "messenger_profile".to_owned()),
        true => (HttpMethod::Delete, format!("messenger_profile?fields={property}")),
    };
    settings.request(method, &edge, writer.finish())
}
