//! Faults that tests script for the next requests of a kind.
//! What belongs here: the description of a fault. Applying it is `graph::answer`.

use std::time::Duration;

use serde::de::{DeserializeOwned, Error};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};

use crate::config::Locale;

/// Which requests a fault applies to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// `POST /{id}/messages` with a message. The default.
    #[default]
    Messages,
    /// `POST /{id}/messages` with a sender action.
    Actions,
    /// `POST /{id}/message_attachments`.
    Uploads,
    /// `GET /{IGSID}`.
    Profiles,
    /// The token endpoints of all three hosts: codes, exchanges, refreshes.
    Login,
    /// `GET /me/accounts`.
    Accounts,
    /// `/{id}/subscribed_apps`.
    Subscriptions,
    /// `/{app-id}/subscriptions`.
    AppSubscriptions,
    /// `GET /{id}/conversations`, conversations and their messages.
    Conversations,
    /// Everything else on the Graph hosts.
    Other,
    /// Every request.
    Everything,
}

impl Scope {
    pub(crate) fn covers(self, request: Scope) -> bool {
        self == Self::Everything || self == request
    }
}

/// The effect of a fault.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum FaultKind {
    /// Answers with a Graph error.
    GraphError {
        /// The code of Meta's error table.
        #[serde(default = "try_again")]
        code: u32,
        /// The subcode.
        #[serde(default)]
        subcode: Option<u32>,
        /// The HTTP status; `None` uses the host's for the code. 200 is possible.
        #[serde(default)]
        status: Option<u16>,
        /// The language of the message; `None` uses the account's.
        #[serde(default)]
        locale: Option<Locale>,
        /// `is_transient`, if present.
        #[serde(default)]
        transient: Option<bool>,
    },
    /// Answers with a rate limit and full usage headers.
    RateLimited {
        /// `estimated_time_to_regain_access`.
        #[serde(default = "five")]
        minutes: u32,
    },
    /// Invalidates the account's token from now on, for every request.
    TokenDead {
        /// 463 expired, 460 password changed, 458 app removed, …
        #[serde(default = "expired")]
        subcode: u32,
    },
    /// Answers with an HTML page, like Meta's edge when a service is down.
    Html {
        /// The HTTP status.
        #[serde(default = "bad_gateway")]
        status: u16,
    },
    /// Answers without a body.
    EmptyBody {
        /// The HTTP status.
        #[serde(default = "bad_gateway")]
        status: u16,
    },
    /// Answers with a truncated body, which is not JSON.
    NotJson {
        /// The HTTP status.
        #[serde(default = "ok")]
        status: u16,
    },
    /// Closes the connection without an answer.
    HangUp,
    /// Answers normally (useful with a delay).
    Truth,
    /// Answers normally, but closes the connection halfway through the body.
    CutOff,
}

/// A scripted fault, created by the constructors and refined by the chained methods.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Fault {
    /// The effect.
    #[serde(flatten)]
    pub what: FaultKind,
    /// The requests it applies to.
    pub scope: Scope,
    /// The number of requests, at least one.
    pub times: u32,
    /// Whether the request takes effect in spite of the fault: the ambiguous case.
    pub takes_effect: bool,
    /// The delay of the answer, on the simulator's clock.
    pub delay_ms: u64,
    /// Whether the answer is held until answers are released.
    pub hold: bool,
}

/// The JSON form: the kind with its own keys, and the keys of every fault. Unknown keys are refused.
impl<'de> Deserialize<'de> for Fault {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        struct Shared {
            #[serde(default)]
            scope: Scope,
            #[serde(default = "once")]
            times: u32,
            #[serde(default)]
            takes_effect: bool,
            #[serde(default)]
            delay_ms: u64,
            #[serde(default)]
            hold: bool,
        }
        let document = Map::<String, Value>::deserialize(from)?;
        let what: FaultKind = parsed(&document)?;
        let own = what.keys();
        if let Some(unknown) =
            document.keys().find(|key| !own.contains(&key.as_str()) && !SHARED.contains(&key.as_str()))
        {
            let known = own.iter().chain(SHARED).copied().collect::<Vec<_>>().join(", ");
            return Err(D::Error::custom(format!("a fault {} has no key {unknown:?}; it has: {known}", what.kind())));
        }
        let Shared { scope, times, takes_effect, delay_ms, hold } = parsed(&document)?;
        if times == 0 {
            return Err(D::Error::custom("a fault happens at least once: times cannot be 0"));
        }
        Ok(Self { what, scope, times, takes_effect, delay_ms, hold })
    }
}

/// The keys of every fault.
const SHARED: &[&str] = &["kind", "scope", "times", "takes_effect", "delay_ms", "hold"];

fn parsed<T: DeserializeOwned, E: Error>(document: &Map<String, Value>) -> Result<T, E> {
    serde_json::from_value(Value::Object(document.clone())).map_err(E::custom)
}

fn once() -> u32 {
    1
}

fn try_again() -> u32 {
    2
}

fn five() -> u32 {
    5
}

fn expired() -> u32 {
    463
}

fn bad_gateway() -> u16 {
    502
}

fn ok() -> u16 {
    200
}

impl FaultKind {
    /// Its name in the JSON form.
    fn kind(&self) -> &'static str {
        match self {
            Self::GraphError { .. } => "graph_error",
            Self::RateLimited { .. } => "rate_limited",
            Self::TokenDead { .. } => "token_dead",
            Self::Html { .. } => "html",
            Self::EmptyBody { .. } => "empty_body",
            Self::NotJson { .. } => "not_json",
            Self::HangUp => "hang_up",
            Self::Truth => "truth",
            Self::CutOff => "cut_off",
        }
    }

    /// Its own keys in the JSON form.
    fn keys(&self) -> &'static [&'static str] {
        match self {
            Self::GraphError { .. } => &["code", "subcode", "status", "locale", "transient"],
            Self::RateLimited { .. } => &["minutes"],
            Self::TokenDead { .. } => &["subcode"],
            Self::Html { .. } | Self::EmptyBody { .. } | Self::NotJson { .. } => &["status"],
            Self::HangUp | Self::Truth | Self::CutOff => &[],
        }
    }
}

impl Fault {
    fn of(what: FaultKind) -> Self {
        Self { what, scope: Scope::default(), times: 1, takes_effect: false, delay_ms: 0, hold: false }
    }

    /// A Graph error with this code, Meta's message, and the host's status and type.
    pub fn graph_error(code: u32, subcode: impl Into<Option<u32>>) -> Self {
        Self::of(FaultKind::GraphError { code, subcode: subcode.into(), status: None, locale: None, transient: None })
    }

    /// A Graph error inside an answer with status 200: seen in clients' tests.
    pub fn error_in_200(code: u32, subcode: impl Into<Option<u32>>) -> Self {
        Self::graph_error(code, subcode).with_status(200)
    }

    /// The messaging rate limit 613/2534040 with usage headers at 100 %.
    pub fn rate_limited(minutes: u32) -> Self {
        Self::of(FaultKind::RateLimited { minutes })
    }

    /// Invalidates the caller's token (190/463 "expired").
    pub fn token_dead() -> Self {
        Self::of(FaultKind::TokenDead { subcode: 463 })
    }

    /// An HTML page with this status, for example 502.
    pub fn html(status: u16) -> Self {
        Self::of(FaultKind::Html { status })
    }

    /// An empty body with this status.
    pub fn empty_body(status: u16) -> Self {
        Self::of(FaultKind::EmptyBody { status })
    }

    /// A body that is not JSON, with status 200.
    pub fn not_json() -> Self {
        Self::of(FaultKind::NotJson { status: 200 })
    }

    /// The connection is closed before the request takes effect.
    pub fn drop_before_accepting() -> Self {
        Self::of(FaultKind::HangUp)
    }

    /// The message is accepted and echoed, then the connection is closed without an answer.
    pub fn drop_after_accepting() -> Self {
        Self::of(FaultKind::HangUp).taking_effect()
    }

    /// A normal answer, held until [`crate::Simulator::release_answers`].
    pub fn held() -> Self {
        Self::of(FaultKind::Truth).holding()
    }

    /// A normal answer, delayed on the simulator's clock.
    pub fn delay(by: Duration) -> Self {
        Self::of(FaultKind::Truth).after(by)
    }

    /// A normal answer, cut off after its first half.
    pub fn cut_off() -> Self {
        Self::of(FaultKind::CutOff)
    }

    /// Applies to the next `times` matching requests.
    #[must_use]
    pub fn times(self, times: u32) -> Self {
        Self { times, ..self }
    }

    /// Applies to other requests than messages.
    #[must_use]
    pub fn on(self, scope: Scope) -> Self {
        Self { scope, ..self }
    }

    /// Delays the answer.
    #[must_use]
    pub fn after(self, delay: Duration) -> Self {
        Self { delay_ms: u64::try_from(delay.as_millis()).unwrap_or(u64::MAX), ..self }
    }

    /// Holds the answer until [`crate::Simulator::release_answers`].
    #[must_use]
    pub fn holding(self) -> Self {
        Self { hold: true, ..self }
    }

    /// Lets the request take effect: accepted, stored, echoed.
    #[must_use]
    pub fn taking_effect(self) -> Self {
        Self { takes_effect: true, ..self }
    }

    /// Sets another HTTP status.
    #[must_use]
    pub fn with_status(mut self, new: u16) -> Self {
        if let FaultKind::GraphError { status, .. } = &mut self.what {
            *status = Some(new);
        }
        self
    }

    /// Sets another language.
    #[must_use]
    pub fn localised(mut self, new: Locale) -> Self {
        if let FaultKind::GraphError { locale, .. } = &mut self.what {
            *locale = Some(new);
        }
        self
    }

    /// Sets `is_transient`.
    #[must_use]
    pub fn transient(mut self, new: bool) -> Self {
        if let FaultKind::GraphError { transient, .. } = &mut self.what {
            *transient = Some(new);
        }
        self
    }

    /// Whether the request is executed.
    pub(crate) fn lets_run(&self) -> bool {
        self.takes_effect || matches!(self.what, FaultKind::Truth | FaultKind::CutOff | FaultKind::TokenDead { .. })
    }

    /// The fault's name in request records.
    pub(crate) fn name(&self) -> &'static str {
        match &self.what {
            FaultKind::Truth => "delay",
            what => what.kind(),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]
    use super::*;

    #[test]
    fn the_json_form_of_the_command_line_needs_only_the_kind() {
        let fault: Fault = serde_json::from_str(r#"{"kind":"graph_error","code":10,"subcode":2534022}"#).unwrap();
        assert_eq!(fault, Fault::graph_error(10, 2_534_022));
        let fault: Fault =
            serde_json::from_str(r#"{"kind":"hang_up","takes_effect":true,"times":2,"scope":"uploads"}"#).unwrap();
        assert_eq!(fault, Fault::drop_after_accepting().times(2).on(Scope::Uploads));
    }

    #[test]
    fn every_kind_of_fault_needs_nothing_but_its_name_and_takes_no_other_key() {
        for (kind, fault) in [
            ("graph_error", Fault::graph_error(2, None)),
            ("rate_limited", Fault::rate_limited(5)),
            ("token_dead", Fault::token_dead()),
            ("html", Fault::html(502)),
            ("empty_body", Fault::empty_body(502)),
            ("not_json", Fault::not_json()),
            ("hang_up", Fault::drop_before_accepting()),
            ("truth", Fault::delay(Duration::ZERO)),
            ("cut_off", Fault::cut_off()),
        ] {
            let document = serde_json::json!({ "kind": kind });
            assert_eq!(serde_json::from_value::<Fault>(document).unwrap(), fault, "{kind}");
            let shown = serde_json::to_value(&fault).unwrap();
            assert_eq!(serde_json::from_value::<Fault>(shown).unwrap(), fault, "{kind}");
            let wrong = serde_json::json!({"kind": kind, "delay": 3});
            let error = serde_json::from_value::<Fault>(wrong).unwrap_err().to_string();
            assert!(error.contains("\"delay\"") && error.contains("delay_ms"), "{error}");
        }
        let elsewhere = serde_json::json!({"kind": "html", "minutes": 3});
        assert!(serde_json::from_value::<Fault>(elsewhere).is_err());
        assert!(serde_json::from_value::<Fault>(serde_json::json!({"kind": "html", "times": 0})).is_err());
    }
}
