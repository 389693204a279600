//! The account's settings: login, node, API version, and what Meta granted.
//! What belongs here is parsing and checking them; the manifest declares the same keys.

use channel_sdk::names::violation_code;
use channel_sdk::report::Report;

use crate::limits::{API_VERSION, HUMAN_SETTING};
use crate::types::{
    AccountSettings, Derivation, Fill, FillPlace, FillSource, Header, HttpBody, HttpMethod, HttpRequest, SettingValue,
};

/// The Meta product through which the account is connected.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Login {
    /// Messenger API for Instagram, through the linked Facebook page.
    Facebook,
    /// Instagram API with Instagram Login.
    Instagram,
}

/// The checked settings, with defaults in place of refused ones.
pub(crate) struct Settings<'m> {
    pub(crate) login: Login,
    pub(crate) version: &'m str,
    /// The page or account id, as used in request paths.
    pub(crate) node: String,
    pub(crate) human_agent: bool,
    proof: bool,
}

impl Settings<'_> {
    /// The URL of an edge of the account's node.
    pub(crate) fn url(&self, edge: &str) -> String {
        [self.host(), self.version, "/", &self.node, "/", edge].concat()
    }

    /// The host of the account's requests.
    pub(crate) fn host(&self) -> &'static str {
        match self.login {
            Login::Facebook => "https://graph.facebook.com/",
            Login::Instagram => "https://graph.instagram.com/",
        }
    }

    /// The slot of the account's own token.
    pub(crate) fn slot(&self) -> &'static str {
        match self.login {
            Login::Facebook => "page-token",
            Login::Instagram => "instagram-token",
        }
    }

    /// A request with a JSON body and the account's credentials.
    pub(crate) fn request(&self, method: HttpMethod, edge: &str, body: String) -> HttpRequest {
        let header = Header { name: "content-type".to_owned(), value: "application/json".to_owned() };
        HttpRequest {
            method,
            url: self.url(edge),
            headers: vec![header],
            body: HttpBody::Bytes(body.into_bytes()),
            fills: self.credentials(),
            captures: Vec::new(),
        }
    }

    /// The credentials of a request.
    pub(crate) fn credentials(&self) -> Vec<Fill> {
        self.bearer(self.slot())
    }

    /// A token, with its proof if one is required. Both hosts accept it as bearer, so no token is part of a URL.
    pub(crate) fn bearer(&self, slot: &str) -> Vec<Fill> {
        let token = FillSource::Slot(slot.to_owned());
        let mut fills = vec![Fill { source: token, place: FillPlace::Authorization("Bearer".to_owned()) }];
        if self.proof && self.login == Login::Facebook {
            fills.push(Fill {
                source: FillSource::Derived(Derivation {
                    scheme: "hmac-sha256-hex".to_owned(),
                    slots: vec!["app-secret".to_owned(), slot.to_owned()],
                    parameters: Vec::new(),
                }),
                place: FillPlace::Query("appsecret_proof".to_owned()),
            });
        }
        fills
    }
}

/// Parses the settings and reports invalid ones.
pub(crate) fn read<'m>(report: &mut Report, account: &'m AccountSettings) -> Settings<'m> {
    let value =
        |key: &str| account.settings.iter().rev().find(|setting| setting.key == key).map(|setting| &setting.value);
    let login = match value("login") {
        Some(SettingValue::Text(login)) if login == "facebook" => Login::Facebook,
        Some(SettingValue::Text(login)) if login == "instagram" => Login::Instagram,
        _ => {
            refuse(report, "login", &["facebook", "instagram"]);
            Login::Facebook
        }
    };
    let version = match value("api-version") {
        None => API_VERSION,
        Some(SettingValue::Text(version)) if is_version(version) => version,
        Some(_) => {
            refuse(report, "api-version", &["v25.0", "v26.0"]);
            API_VERSION
        }
    };
    let me = || "me".to_owned();
    let node = match (login, value("page-id")) {
        (Login::Instagram, _) if account.id.is_empty() => me(),
        (Login::Instagram, _) if is_id(&account.id) => account.id.clone(),
        (Login::Instagram, _) => {
            let sentence = "The account's id is not one of Instagram's. Connect the account again.";
            report.error(violation_code::INVALID_SETTINGS, "context.account.id", sentence);
            me()
        }
        (Login::Facebook, None) => me(),
        (Login::Facebook, Some(SettingValue::Text(page))) if is_id(page) => page.clone(),
        (Login::Facebook, Some(SettingValue::Number(page))) if *page > 0 => page.to_string(),
        (Login::Facebook, Some(_)) => {
            refuse(report, "page-id", &["the digits of the Facebook page's id"]);
            me()
        }
    };
    let mut flag = |key: &str| match value(key) {
        None => false,
        Some(SettingValue::Flag(flag)) => *flag,
        Some(_) => {
            refuse(report, key, &["true", "false"]);
            false
        }
    };
    let (human_agent, proof) = (flag(HUMAN_SETTING), flag("appsecret-proof"));
    Settings { login, version, node, human_agent, proof }
}

fn refuse(report: &mut Report, key: &str, accepted: &[&str]) {
    let path = format!("context.account.settings.{key}");
    let values = accepted.join(", ");
    let sentence =
        format!("The account's setting `{key}` must be one of: {values}. Ask an administrator to correct it.");
    report.not_accepted(violation_code::INVALID_SETTINGS, &path, &sentence, accepted);
}

pub(crate) fn is_id(text: &str) -> bool {
    !text.is_empty() && text.len() <= 32 && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Whether a text is a version, such as `v25.0`. It becomes part of the URL.
fn is_version(text: &str) -> bool {
    let is_number = |number: &str| number.len() <= 3 && is_id(number);
    let numbers = text.strip_prefix('v').and_then(|numbers| numbers.split_once('.'));
    numbers.is_some_and(|(major, minor)| is_number(major) && is_number(minor))
}
