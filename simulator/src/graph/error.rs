//! A refusal of the Graph API, and the envelope in which each host writes it.
//! What belongs here: code, subcode, status, headers. The sentences are in `catalogue`.

use http::StatusCode;
use serde_json::{Map, Value, json};

use crate::config::Locale;
use crate::graph::Host;
use crate::graph::catalogue;

/// The `type` of the simulator's own errors.
const NOT_PLAYED: &str = "SimulatorNotPlayed";

/// A Graph error, not yet written for a host.
#[derive(Debug, Clone)]
pub(crate) struct GraphError {
    pub(crate) code: u32,
    pub(crate) subcode: Option<u32>,
    /// A `type` that is the same on both hosts.
    kind: Option<&'static str>,
    pub(crate) status: Option<u16>,
    /// An English sentence that replaces the catalogue's.
    detail: Option<String>,
    pub(crate) locale: Option<Locale>,
    pub(crate) transient: Option<bool>,
}

impl GraphError {
    pub(crate) fn new(code: u32, subcode: Option<u32>) -> Self {
        Self { code, subcode, kind: None, status: None, detail: None, locale: None, transient: None }
    }

    pub(crate) fn saying(self, detail: impl Into<String>) -> Self {
        Self { detail: Some(detail.into()), ..self }
    }

    /// 100 without subcode: a parameter is missing, unknown or malformed.
    pub(crate) fn parameter(detail: impl AsRef<str>) -> Self {
        Self::new(100, None).saying(format!("(#100) {}", detail.as_ref()))
    }

    /// 100/2534015 "invalid message data": well-formed, but beyond what a message may hold.
    pub(crate) fn message_data(detail: impl AsRef<str>) -> Self {
        Self::new(100, Some(2_534_015)).saying(format!("(#100) Invalid message data: {}", detail.as_ref()))
    }

    /// 100/33: the object does not exist, or this token may not see it.
    pub(crate) fn unknown_object(method: &str, id: &str) -> Self {
        Self {
            kind: Some("GraphMethodException"),
            ..Self::new(100, Some(33)).saying(format!(
                "Unsupported {} request. Object with ID '{id}' does not exist, cannot be loaded due to \
                 missing permissions, or does not support this operation",
                method.to_ascii_lowercase()
            ))
        }
    }

    pub(crate) fn unsupported_method(method: &str) -> Self {
        Self {
            kind: Some("GraphMethodException"),
            ..Self::new(100, None).saying(format!("Unsupported request - method type: {}", method.to_ascii_lowercase()))
        }
    }

    pub(crate) fn unknown_path(edge: &str) -> Self {
        Self::new(2500, None).saying(format!("Unknown path components: /{edge}"))
    }

    /// Something that Meta has and the simulator does not. Meta never returns this error, so it cannot be mistaken for
    /// the platform's refusal.
    pub(crate) fn not_played(what: &str) -> Self {
        Self {
            kind: Some(NOT_PLAYED),
            status: Some(501),
            transient: Some(false),
            ..Self::new(0, None).saying(format!("The simulator does not play {what}; Meta has it."))
        }
    }

    pub(crate) fn is_of_the_simulator(&self) -> bool {
        self.kind == Some(NOT_PLAYED)
    }

    pub(crate) fn unparsable_token() -> Self {
        Self::new(190, None).saying("Invalid OAuth access token - Cannot parse access token")
    }

    /// 1 with status 400: the token endpoints do not accept the app's secret (captured answers). Not transient, unlike
    /// every other 1.
    pub(crate) fn client_secret(detail: &str) -> Self {
        Self { status: Some(400), transient: Some(false), ..Self::new(1, None).saying(detail) }
    }

    pub(crate) fn invalid_proof() -> Self {
        Self {
            kind: Some("GraphMethodException"),
            ..Self::new(100, None).saying("Invalid appsecret_proof provided in the API argument")
        }
    }

    /// The host's status for the error.
    pub(crate) fn http_status(&self, host: Host) -> StatusCode {
        let status = self.status.unwrap_or(match (self.code, self.subcode, host) {
            (1 | 2, _, _) => 500,
            // Captured on graph.instagram.com; graph.facebook.com is known to use both 400 and 403.
            (10, _, Host::Instagram) => 403,
            (10, Some(_), Host::Facebook) => 400,
            (10, None, Host::Facebook) | (200..=299, _, _) | (4, _, _) => 403,
            (190, _, Host::Facebook) => 401,
            _ => 400,
        });
        StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_REQUEST)
    }

    pub(crate) fn message(&self, host: Host, account_locale: Locale) -> String {
        // graph.facebook.com answers in English; graph.instagram.com in the account's language.
        let locale = self.locale.unwrap_or(match host {
            Host::Facebook => Locale::English,
            Host::Instagram => account_locale,
        });
        match (&self.detail, locale) {
            (Some(detail), _) if self.is_of_the_simulator() => detail.clone(),
            (Some(detail), Locale::English) => detail.clone(),
            _ => catalogue::message(self.code, self.subcode, locale),
        }
    }

    /// The document, with the host's `type`.
    pub(crate) fn body(&self, host: Host, account_locale: Locale, trace: &str) -> Value {
        let mut error = Map::new();
        error.insert("message".to_owned(), json!(self.message(host, account_locale)));
        let kind = self.kind.unwrap_or(match host {
            Host::Facebook => "OAuthException",
            Host::Instagram => "IGApiException",
        });
        error.insert("type".to_owned(), json!(kind));
        error.insert("code".to_owned(), json!(self.code));
        if let Some(subcode) = self.subcode {
            error.insert("error_subcode".to_owned(), json!(subcode));
        }
        let transient = self.transient.or(matches!(self.code, 1 | 2).then_some(true));
        if let Some(transient) = transient {
            error.insert("is_transient".to_owned(), json!(transient));
        }
        if let Some((title, text)) = catalogue::user_message(self.subcode) {
            error.insert("error_user_title".to_owned(), json!(title));
            error.insert("error_user_msg".to_owned(), json!(text));
        }
        error.insert("fbtrace_id".to_owned(), json!(trace));
        json!({ "error": error })
    }

    /// `www-authenticate`, which both hosts send with 190 and graph.instagram.com with every 4xx.
    pub(crate) fn www_authenticate(&self, host: Host, message: &str) -> Option<String> {
        let reason = match (self.code, host) {
            (190 | 102 | 104 | 2500, _) => "invalid_token",
            (_, Host::Instagram) => "invalid_request",
            (_, Host::Facebook) => return None,
        };
        // A header holds visible ASCII; other characters of localised messages are dropped.
        let message: String = message.chars().filter(|symbol| matches!(symbol, ' '..='~') && *symbol != '"').collect();
        Some(format!("OAuth \"Facebook Platform\" \"{reason}\" \"{message}\""))
    }
}
