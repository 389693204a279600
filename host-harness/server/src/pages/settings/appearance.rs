//! Owns: the page on which people choose how the inbox looks and behaves in this browser.
//! Does not own: the preferences themselves (`look`), what they change (the style sheet, the scripts).

use axum::{
    http::header,
    response::{AppendHeaders, IntoResponse as _, Response},
};
use maud::html;

use super::{Tab, done, shown};
use crate::pages::{
    forms::{Choice, Field, Sent, Wrong},
    look::{Look, PREFERENCES},
    parts::icon,
    reader::Reader,
};

/// `GET /settings/appearance`.
pub(super) async fn page(reader: Reader) -> Response {
    let (words, wrong) = (&reader.words.settings, Wrong::default());
    let look = reader.look;
    let option = |value, label, hint, chosen| Choice { value, label, hint, chosen };
    let themes = [
        option("", words.theme_system.as_ref(), None, look.theme.is_none()),
        option("light", &words.theme_light, None, look.theme == Some("light")),
        option("dark", &words.theme_dark, None, look.theme == Some("dark")),
    ];
    let densities = [
        option("", words.density_comfortable.as_ref(), None, !look.is_compact),
        option("compact", &words.density_compact, None, look.is_compact),
    ];
    let senders = [
        option("", words.send_ctrl_enter.as_ref(), Some(words.send_ctrl_enter_hint.as_ref()), !look.enter_sends),
        option("sends", &words.send_enter, Some(&words.send_enter_hint), look.enter_sends),
    ];
    let titles = [
        option("", words.title_counts.as_ref(), None, !look.has_plain_title),
        option("plain", &words.title_plain, None, look.has_plain_title),
    ];
    let notifications = [
        option("", words.notify_off.as_ref(), None, !look.notifies),
        option("on", &words.notify_on, Some(&words.notify_hint), look.notifies),
    ];
    let keys = [
        option("", words.keys_on.as_ref(), None, !look.has_no_keys),
        option("off", &words.keys_off, Some(&words.keys_off_hint), look.has_no_keys),
    ];
    let group =
        |id, label, options: &[Choice<'_>]| Field { id, label, hint: None, wrong: &wrong }.choices("radio", options);
    let content = html! {
        p.muted { (words.appearance_hint) }
        form.panel.stack.wide method="post" action="/settings/appearance" data-preferences {
            (group("theme", &words.theme, &themes))
            (group("density", &words.density, &densities))
            (group("enter", &words.send_key, &senders))
            (group("title", &words.title_of_window, &titles))
            (group("notify", &words.notifications, &notifications))
            p.violation id="notify-refused" role="status" hidden { (icon("stop")) (words.notify_refused) }
            (group("keys", &words.single_keys, &keys))
            p { button.btn.primary { (reader.words.save) } }
        }
    };
    shown(Tab::Appearance, &wrong, &reader, &content)
}

/// `POST /settings/appearance`.
pub(super) async fn save(sent: Sent) -> Response {
    let cookies = PREFERENCES.iter().filter_map(|name| Look::cookie(name, sent.one(name)));
    (AppendHeaders(cookies.map(|cookie| (header::SET_COOKIE, cookie))), done(Tab::Appearance)).into_response()
}
