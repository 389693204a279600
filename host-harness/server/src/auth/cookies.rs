//! Owns: the cookies of people who sign in: their names and attributes.
//! Does not own: what their values open (`sign_in`).

use axum::http::{HeaderMap, HeaderValue, header};
use harness_engine::Host;

use super::providers::FLOW;

/// How long a browser sends a session, in seconds. By then the session itself has ended.
const SESSION_AGE: u64 = 30 * 24 * 3600;
/// How long a browser that somebody has signed in with is remembered, in seconds.
const DEVICE_AGE: u64 = 365 * 24 * 3600;

/// A cookie of this host.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Cookie {
    /// The session.
    Session,
    /// The browser, after somebody has signed in with it.
    Device,
    /// What a browser keeps while somebody signs in at a provider.
    SignIn,
}

impl Cookie {
    /// Over TLS the prefix makes browsers refuse the cookie from anybody but this very host.
    fn name(self, secure: bool) -> &'static str {
        match (self, secure) {
            (Self::Session, true) => "__Host-session",
            (Self::Session, false) => "session",
            (Self::Device, true) => "__Host-device",
            (Self::Device, false) => "device",
            (Self::SignIn, true) => "__Host-sign-in",
            (Self::SignIn, false) => "sign-in",
        }
    }

    /// Its value in a request. A value given twice is none: another site of the domain may have put one there.
    pub(crate) fn of<'h>(self, host: &Host, headers: &'h HeaderMap) -> Option<&'h str> {
        let name = self.name(host.is_public_over_tls());
        let all = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
        let pairs = all.flat_map(|value| value.split(';')).filter_map(|pair| pair.trim().split_once('='));
        let mut found = pairs.filter(|(known, _)| *known == name).map(|(_, value)| value);
        let value = found.next()?;
        (found.next().is_none() && !value.is_empty()).then_some(value)
    }

    /// The header that sets it. No script can read it, and forms and requests of other sites go without it.
    pub(crate) fn set(self, host: &Host, value: &str) -> Option<HeaderValue> {
        let age = match self {
            Self::Session => format!("; Max-Age={SESSION_AGE}"),
            Self::Device => format!("; Max-Age={DEVICE_AGE}"),
            Self::SignIn => format!("; Max-Age={}", FLOW.as_secs()),
        };
        self.header(host, value, &age)
    }

    /// The header that removes it.
    pub(crate) fn removed(self, host: &Host) -> Option<HeaderValue> {
        self.header(host, "", "; Max-Age=0")
    }

    fn header(self, host: &Host, value: &str, age: &str) -> Option<HeaderValue> {
        let secure = host.is_public_over_tls();
        let name = self.name(secure);
        let secure = if secure { "; Secure" } else { "" };
        HeaderValue::from_str(&format!("{name}={value}; Path=/; HttpOnly; SameSite=Lax{age}{secure}")).ok()
    }
}
