//! A request of an account call: described as data, sent, and its response parsed.
//! What belongs here is the network interface of the other files, which decide what to request.

use channel_sdk::json::{self, Json};
use channel_sdk::report::Report;
use channel_sdk::text::push_encoded;

use super::{AccountError, AccountSettings, HttpError, Outcome, Trouble};
use crate::limits::INSTAGRAM;
use crate::outbound::{Login, Settings, read_settings};
use crate::outcome;
use crate::time;
use crate::types::{
    Capture, CaptureTarget, FailureCategory, FallbackPolicy, Fill, FillPlace, FillSource, Header, HttpBody, HttpMethod,
    HttpRequest, HttpResponse, Setting, SettingValue,
};

/// The network: the host's in the component, a script in tests.
pub trait Http {
    /// Sends a request, including fills and captures.
    ///
    /// # Errors
    /// An error if the host returns no response.
    fn send(&self, request: &HttpRequest) -> Result<HttpResponse, HttpError>;

    /// Stores a text for later calls of the account.
    fn remember(&self, _key: &str, _value: &str) {}

    /// Returns a text stored by an earlier call.
    fn recall(&self, _key: &str) -> Option<String> {
        None
    }
}

/// Slots of the manifest that only account calls use.
pub(super) const USER_TOKEN: &str = "user-token";
pub(super) const APP_TOKEN: &str = "app-token";

/// A request. Credentials are referenced by slot.
pub(super) struct Call<'c> {
    pub(super) method: HttpMethod,
    /// The parts of the URL, without a query.
    pub(super) url: &'c [&'c str],
    pub(super) parameters: &'c [(&'c str, &'c str)],
    /// Send the parameters as a form instead of a query.
    pub(super) form: bool,
    /// The slot of the token to send as bearer.
    pub(super) token: Option<&'c str>,
    /// Additional parameters: each name with the slot that fills it.
    pub(super) secrets: &'c [(&'c str, &'c str)],
    /// The slot that captures the token from the response.
    pub(super) keeps: Option<&'c str>,
}

/// An empty GET request, as a base for others.
pub(super) const GET: Call<'static> =
    Call { method: HttpMethod::Get, url: &[], parameters: &[], form: false, token: None, secrets: &[], keeps: None };

/// A response without an error.
pub(super) struct Answer {
    text: String,
    headers: Vec<Header>,
}

impl Answer {
    pub(super) fn json(&self) -> Json<'_> {
        json::parse(&self.text).unwrap_or(Json::Null)
    }

    pub(super) fn text(&self) -> &str {
        &self.text
    }

    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|header| header.name == name).map(|header| header.value.as_str())
    }

    /// The current time, according to Meta's server.
    pub(super) fn now(&self) -> Option<u64> {
        time::of_header(self.header("date")?)
    }

    /// When the token captured from the response expires.
    pub(super) fn expiry(&self) -> Option<u64> {
        let lasts = record(&self.json()).get("expires_in").and_then(Json::whole)?;
        Some(self.now()?.saturating_add(lasts.saturating_mul(1000)))
    }
}

/// The object in a response. Meta documents some of them inside a list named `data` but sends them flat, or vice versa.
/// `debug_token` has the object itself as `data`.
pub(super) fn record<'j, 'a>(body: &'j Json<'a>) -> &'j Json<'a> {
    match body.get("data") {
        Some(Json::List(list)) => list.first().unwrap_or(body),
        Some(data @ Json::Object(_)) => data,
        _ => body,
    }
}

/// The elements of `data`.
pub(super) fn elements<'j, 'a>(body: &'j Json<'a>) -> &'j [Json<'a>] {
    list(body, "data")
}

/// The elements of the list named `name`; empty if there is no such list.
pub(super) fn list<'j, 'a>(value: &'j Json<'a>, name: &str) -> &'j [Json<'a>] {
    match value.get(name) {
        Some(Json::List(list)) => list,
        _ => &[],
    }
}

/// A text or id member of an object.
pub(super) fn text(value: &Json<'_>, name: &str) -> Option<String> {
    value.get(name).and_then(Json::id)
}

/// The earlier of two times.
pub(super) fn earlier(one: Option<u64>, other: Option<u64>) -> Option<u64> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (one, other) => one.or(other),
    }
}

/// The cursor of the next page of a list.
pub(super) fn next_page(body: &Json<'_>) -> Option<String> {
    let paging = body.get("paging")?;
    // The last page has a cursor too, but no URL of a next page.
    paging.get("next")?;
    text(paging.get("cursors")?, "after")
}

/// Makes the requests of an account, or of connecting one.
pub(super) struct Client<'c> {
    http: &'c dyn Http,
    pub(super) settings: Settings<'c>,
    /// The account's id; empty while connecting.
    pub(super) account: &'c str,
    /// The app's id for the account's login.
    app: Option<String>,
    /// The Meta app's id, whichever login is used.
    meta_app: Option<String>,
    /// Whether people manage their pages through a business.
    businesses: bool,
}

impl<'c> Client<'c> {
    /// Parses the settings.
    ///
    /// # Errors
    /// A sentence for each invalid setting.
    pub(super) fn new(http: &'c dyn Http, account: &'c AccountSettings) -> Outcome<Self> {
        let mut report = Report::new(INSTAGRAM, FallbackPolicy::Strict);
        let settings = read_settings(&mut report, account);
        refuse(report)?;
        let key = match settings.login {
            Login::Facebook => "app-id",
            Login::Instagram => "instagram-app-id",
        };
        let id = |key: &str| account.settings.iter().rev().find(|setting| setting.key == key).and_then(id_of);
        let businesses = account.settings.iter().rev().find(|setting| setting.key == "business-pages");
        let businesses = businesses.is_some_and(|setting| matches!(setting.value, SettingValue::Flag(true)));
        Ok(Self { http, settings, account: &account.id, app: id(key), meta_app: id("app-id"), businesses })
    }

    pub(super) fn is_facebook(&self) -> bool {
        self.settings.login == Login::Facebook
    }

    /// The Meta app's id, if the operator configured it.
    pub(super) fn meta_app(&self) -> Option<&str> {
        self.meta_app.as_deref()
    }

    /// Whether the dialog requests the permission for pages owned by businesses.
    pub(super) fn asks_for_businesses(&self) -> bool {
        self.businesses
    }

    /// Stores a text for later calls of the account.
    pub(super) fn remember(&self, key: &str, value: &str) {
        self.http.remember(key, value);
    }

    /// Returns a text stored by an earlier call.
    pub(super) fn recall(&self, key: &str) -> Option<String> {
        self.http.recall(key)
    }

    /// The app's id, if the operator configured it.
    pub(super) fn known_app(&self) -> Option<&str> {
        self.app.as_deref()
    }

    /// The app's id.
    ///
    /// # Errors
    /// An error if it is not configured, because nothing can be connected without it.
    pub(super) fn app(&self) -> Outcome<&str> {
        let (key, place) = match self.settings.login {
            Login::Facebook => ("app-id", "App settings, Basic"),
            Login::Instagram => ("instagram-app-id", "Instagram, API setup with Instagram login"),
        };
        self.known_app().ok_or_else(|| {
            invalid(&format!("Set the channel's setting `{key}`: it stands in the Meta app's dashboard under {place}."))
        })
    }

    /// Sends a request.
    ///
    /// # Errors
    /// The error reported by the host or by Meta.
    pub(super) fn send(&self, call: &Call<'_>) -> Outcome<Answer> {
        done(self.http, &self.request(call))
    }

    /// Reads fields of a node, using a token.
    pub(super) fn read(&self, node: &str, token: &str, fields: &str) -> Outcome<Answer> {
        self.send(&Call {
            url: &[self.settings.host(), self.settings.version, "/", node],
            parameters: &[("fields", fields)],
            token: Some(token),
            ..GET
        })
    }

    fn request(&self, call: &Call<'_>) -> HttpRequest {
        let mut url = call.url.concat();
        let mut fills = call.token.map(|slot| self.settings.bearer(slot)).unwrap_or_default();
        for (name, slot) in call.secrets {
            let (source, name) = (FillSource::Slot((*slot).to_owned()), (*name).to_owned());
            let place = if call.form { FillPlace::FormField(name) } else { FillPlace::Query(name) };
            fills.push(Fill { source, place });
        }
        let (mut headers, mut body) = (Vec::new(), HttpBody::Empty);
        if call.form {
            let (name, value) = ("content-type".to_owned(), "application/x-www-form-urlencoded".to_owned());
            headers.push(Header { name, value });
            let mut form = String::new();
            push_parameters(&mut form, call.parameters);
            body = HttpBody::Bytes(form.into_bytes());
        } else if !call.parameters.is_empty() {
            url.push('?');
            push_parameters(&mut url, call.parameters);
        }
        // The two places where Meta may return a token. The host captures whichever is present.
        let mut captures = Vec::new();
        if let Some(slot) = call.keeps {
            for pointer in ["/access_token", "/data/0/access_token"] {
                let target = CaptureTarget::Slot(slot.to_owned());
                captures.push(Capture { pointer: pointer.to_owned(), target, key: None });
            }
        }
        HttpRequest { method: call.method, url, headers, body, fills, captures }
    }
}

/// Sends a request, and returns the response if it is not an error.
pub(super) fn done(http: &dyn Http, request: &HttpRequest) -> Outcome<Answer> {
    let response = http.send(request).map_err(|error| Box::new(AccountError::Http(error)))?;
    match outcome::failure_of(&response) {
        Some(failure) => Err(Box::new(AccountError::Platform(failure))),
        None => {
            let text = String::from_utf8(response.body);
            let text = text.unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned());
            Ok(Answer { text, headers: response.headers })
        }
    }
}

/// Appends parameters, encoded and separated.
pub(super) fn push_parameters(out: &mut String, parameters: &[(&str, &str)]) {
    let mut separator = "";
    for (name, value) in parameters {
        out.push_str(separator);
        separator = "&";
        out.push_str(name);
        out.push('=');
        push_encoded(out, value);
    }
}

/// All errors of a report, joined as sentences.
pub(super) fn refuse(report: Report) -> Outcome<()> {
    if !report.has_errors() {
        return Ok(());
    }
    let violations = report.into_validation().violations;
    let sentences: Vec<String> = violations.into_iter().map(|violation| violation.message).collect();
    Err(invalid(&sentences.join(" ")))
}

/// Whether Meta refused for a reason in one of these categories.
pub(super) fn is_about(error: &AccountError, categories: &[FailureCategory]) -> bool {
    matches!(error, AccountError::Platform(failure) if categories.contains(&failure.category))
}

/// Whether Meta found the request too large: its code 1, which also stands for transient faults.
pub(super) fn is_too_much(error: &AccountError) -> bool {
    matches!(error, AccountError::Platform(failure) if failure.code.as_deref() == Some("1"))
}

/// An error about invalid input.
pub(super) fn invalid(sentence: &str) -> Trouble {
    Box::new(AccountError::InvalidInput(sentence.to_owned()))
}

/// An id, which may be configured as a number.
fn id_of(setting: &Setting) -> Option<String> {
    match &setting.value {
        SettingValue::Text(text) if !text.is_empty() => Some(text.clone()),
        SettingValue::Number(number) if *number > 0 => Some(number.to_string()),
        _ => None,
    }
}
