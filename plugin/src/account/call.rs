//! One request of an account call: described as data, sent, and its answer read.
//! What belongs here is the network as the other files see it; what is asked is theirs.

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
    /// Sends a request, fills and captures included.
    ///
    /// # Errors
    /// Where the host returns no response.
    fn send(&self, request: &HttpRequest) -> Result<HttpResponse, HttpError>;

    /// Keeps a text for later calls of the account.
    fn remember(&self, _key: &str, _value: &str) {}

    /// A text that an earlier call kept.
    fn recall(&self, _key: &str) -> Option<String> {
        None
    }
}

/// The slots of the manifest that only account calls use.
pub(super) const USER_TOKEN: &str = "user-token";
pub(super) const APP_TOKEN: &str = "app-token";

/// A request. Credentials are named by their slots.
pub(super) struct Call<'c> {
    pub(super) method: HttpMethod,
    /// The address in pieces, without a query.
    pub(super) url: &'c [&'c str],
    pub(super) parameters: &'c [(&'c str, &'c str)],
    /// The parameters are a form instead of a query.
    pub(super) form: bool,
    /// The token that goes along as the bearer.
    pub(super) token: Option<&'c str>,
    /// More parameters: each name with the slot that fills it.
    pub(super) secrets: &'c [(&'c str, &'c str)],
    /// The slot that takes the token out of the answer.
    pub(super) keeps: Option<&'c str>,
}

/// A `get` without anything.
pub(super) const GET: Call<'static> =
    Call { method: HttpMethod::Get, url: &[], parameters: &[], form: false, token: None, secrets: &[], keeps: None };

/// An answer without an error.
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

    /// The present, as Meta's server says it.
    pub(super) fn now(&self) -> Option<u64> {
        time::of_header(self.header("date")?)
    }

    /// When the token that was taken out of the answer expires.
    pub(super) fn expiry(&self) -> Option<u64> {
        let lasts = record(&self.json()).get("expires_in").and_then(Json::whole)?;
        Some(self.now()?.saturating_add(lasts.saturating_mul(1000)))
    }
}

/// The object in an answer: Meta documents some of them in a list named `data` and sends them flat, or
/// the other way round; `debug_token` has it as `data` itself.
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

/// The elements of a list.
pub(super) fn list<'j, 'a>(value: &'j Json<'a>, name: &str) -> &'j [Json<'a>] {
    match value.get(name) {
        Some(Json::List(list)) => list,
        _ => &[],
    }
}

/// A text or an id of an object.
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

/// Where the next page of a list begins.
pub(super) fn next_page(body: &Json<'_>) -> Option<String> {
    let paging = body.get("paging")?;
    // The last page has a cursor too, and no address of a next one.
    paging.get("next")?;
    text(paging.get("cursors")?, "after")
}

/// Who asks: the account, or the connecting of one.
pub(super) struct Client<'c> {
    http: &'c dyn Http,
    pub(super) settings: Settings<'c>,
    /// The account's id; empty while connecting.
    pub(super) account: &'c str,
    /// The app's id under the account's login.
    app: Option<String>,
    /// The Meta app's id, whatever the login.
    meta_app: Option<String>,
    /// People have their pages through a business.
    businesses: bool,
}

impl<'c> Client<'c> {
    /// Reads the settings.
    ///
    /// # Errors
    /// A sentence for everything that is wrong with them.
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

    /// The Meta app's id, where the operator set it.
    pub(super) fn meta_app(&self) -> Option<&str> {
        self.meta_app.as_deref()
    }

    /// Whether the permission for pages of businesses is asked for.
    pub(super) fn asks_for_businesses(&self) -> bool {
        self.businesses
    }

    /// Keeps a text for later calls of the account.
    pub(super) fn remember(&self, key: &str, value: &str) {
        self.http.remember(key, value);
    }

    /// A text that an earlier call kept.
    pub(super) fn recall(&self, key: &str) -> Option<String> {
        self.http.recall(key)
    }

    /// The app's id, where the operator set it.
    pub(super) fn known_app(&self) -> Option<&str> {
        self.app.as_deref()
    }

    /// The app's id.
    ///
    /// # Errors
    /// Without it nothing can be connected.
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
    /// What the host or Meta says against it.
    pub(super) fn send(&self, call: &Call<'_>) -> Outcome<Answer> {
        done(self.http, &self.request(call))
    }

    /// Reads fields of a node with a token.
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
        // The two forms in which Meta answers with a token; the host takes the one that is there.
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

/// Sends a request, and hands its answer on where that is no error.
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

/// Writes parameters behind one another.
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

/// Everything that a report holds against the input, in one sentence after another.
pub(super) fn refuse(report: Report) -> Outcome<()> {
    if !report.has_errors() {
        return Ok(());
    }
    let violations = report.into_validation().violations;
    let sentences: Vec<String> = violations.into_iter().map(|violation| violation.message).collect();
    Err(invalid(&sentences.join(" ")))
}

/// Whether Meta refused for a reason of one of these categories.
pub(super) fn is_about(error: &AccountError, categories: &[FailureCategory]) -> bool {
    matches!(error, AccountError::Platform(failure) if categories.contains(&failure.category))
}

/// Whether Meta found that too much was asked for at once: its code 1, which also stands for a passing fault.
pub(super) fn is_too_much(error: &AccountError) -> bool {
    matches!(error, AccountError::Platform(failure) if failure.code.as_deref() == Some("1"))
}

/// A sentence against what was passed.
pub(super) fn invalid(sentence: &str) -> Trouble {
    Box::new(AccountError::InvalidInput(sentence.to_owned()))
}

/// An id, which may have been written as a number.
fn id_of(setting: &Setting) -> Option<String> {
    match &setting.value {
        SettingValue::Text(text) if !text.is_empty() => Some(text.clone()),
        SettingValue::Number(number) if *number > 0 => Some(number.to_string()),
        _ => None,
    }
}
