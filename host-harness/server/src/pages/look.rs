//! Owns: how a reader wants the pages to look and behave in their browser: the cookies, and the attributes of the document
//! that style sheet and scripts read.
//! Does not own: the page on which they choose (`settings`), language and time zone (`reader`).

use axum::http::HeaderValue;

/// The names of the preferences: of the cookies, and of the fields of the form. They hold no secret and identify nobody,
/// and scripts may read them.
pub(super) const PREFERENCES: [&str; 6] = ["theme", "density", "enter", "title", "notify", "keys"];
/// How long a browser keeps them, in seconds.
const AGE: u64 = 365 * 24 * 3600;

/// A reader's preferences. The default is what nobody has to choose.
#[derive(Clone, Copy, Default)]
pub(super) struct Look {
    /// `light` or `dark`, if they do not want the system's.
    pub(super) theme: Option<&'static str>,
    /// Less space between lines.
    pub(super) is_compact: bool,
    /// Enter sends a message; a new line is Shift Enter.
    pub(super) enter_sends: bool,
    /// No number of unread messages in the window's title.
    pub(super) has_plain_title: bool,
    /// The browser shows a notification of new messages.
    pub(super) notifies: bool,
    /// Single letters do nothing.
    pub(super) has_no_keys: bool,
}

impl Look {
    /// The preferences in these cookies. A value that does not exist is none.
    pub(super) fn of<'h>(cookie: impl Fn(&str) -> Option<&'h str>) -> Self {
        let theme = match cookie("theme") {
            Some("light") => Some("light"),
            Some("dark") => Some("dark"),
            _ => None,
        };
        Self {
            theme,
            is_compact: cookie("density") == Some("compact"),
            enter_sends: cookie("enter") == Some("sends"),
            has_plain_title: cookie("title") == Some("plain"),
            notifies: cookie("notify") == Some("on"),
            has_no_keys: cookie("keys") == Some("off"),
        }
    }

    /// The header that keeps a preference; an empty value forgets it. `None` for a value that does not exist.
    pub(super) fn cookie(name: &str, value: &str) -> Option<HeaderValue> {
        let exists = match name {
            "theme" => ["", "light", "dark"].contains(&value),
            "density" => ["", "compact"].contains(&value),
            "enter" => ["", "sends"].contains(&value),
            "title" => ["", "plain"].contains(&value),
            "notify" => ["", "on"].contains(&value),
            "keys" => ["", "off"].contains(&value),
            _ => false,
        };
        let age = if value.is_empty() { 0 } else { AGE };
        let cookie = format!("{name}={value}; Path=/; SameSite=Lax; Max-Age={age}");
        exists.then(|| HeaderValue::from_str(&cookie).ok()).flatten()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_is_read_back_and_nothing_else_is_kept() {
        for (name, value) in [
            ("theme", "dark"),
            ("density", "compact"),
            ("enter", "sends"),
            ("title", "plain"),
            ("notify", "on"),
            ("keys", "off"),
        ] {
            let kept = Look::cookie(name, value).unwrap();
            assert!(kept.to_str().unwrap().starts_with(&format!("{name}={value};")));
            assert!(Look::cookie(name, "x; Domain=evil.example").is_none());
            let look = Look::of(|asked| (asked == name).then_some(value));
            let Look { theme, is_compact, enter_sends, has_plain_title, notifies, has_no_keys } = look;
            let chosen = [theme.is_some(), is_compact, enter_sends, has_plain_title, notifies, has_no_keys];
            assert_eq!(chosen.into_iter().filter(|chosen| *chosen).count(), 1, "{name}");
        }
        assert!(Look::cookie("session", "").is_none());
    }
}
