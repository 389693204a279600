//! A network of a script: what is asked is compared with what was expected, and answered.
//! What belongs here is the script and one line for each request.

use std::{
    cell::{Cell, RefCell},
    collections::VecDeque,
};

use instagram_channel::account::{AccountSettings, ConnectInput, ConnectRequest, Http, HttpError, Parameter};
use instagram_channel::types::*;

/// The script's present.
pub const NOW: u64 = 1_775_366_828_000;
pub const DAY: u64 = 86_400_000;
/// Where the host takes the channel's webhooks in.
pub const WEBHOOK: &str = "https://inbox.example/webhooks/instagram";
pub const PAGE: &str = "102030405060708";

type Scene = (String, Result<HttpResponse, HttpError>);

/// Answers in their order; each is for a request whose line begins with a text.
#[derive(Default)]
pub struct Script {
    scenes: RefCell<VecDeque<Scene>>,
    lines: RefCell<Vec<String>>,
    dated: Cell<bool>,
}

impl Script {
    pub fn new() -> Self {
        let script = Self::default();
        script.dated.set(true);
        script
    }

    /// A script whose answers have no `date`.
    pub fn undated() -> Self {
        Self::default()
    }

    pub fn answer(self, request: &str, body: &str) -> Self {
        self.status(request, 200, body)
    }

    pub fn status(self, request: &str, status: u16, body: &str) -> Self {
        let mut headers = vec![Header { name: "content-type".into(), value: "application/json".into() }];
        if self.dated.get() {
            headers.push(Header { name: "date".into(), value: "Sun, 05 Apr 2026 05:27:08 GMT".into() });
        }
        self.response(request, HttpResponse { status, headers, body: body.into() })
    }

    pub fn response(self, request: &str, response: HttpResponse) -> Self {
        self.scenes.borrow_mut().push_back((request.into(), Ok(response)));
        self
    }

    pub fn refused(self, request: &str, code: u32, subcode: u32) -> Self {
        let body = format!(
            r#"{{"error":{{"message":"Meta's own words","type":"OAuthException","code":{code},"error_subcode":{subcode},"fbtrace_id":"Atrace"}}}}"#
        );
        self.status(request, 400, &body)
    }

    pub fn fails(self, request: &str, error: HttpError) -> Self {
        self.scenes.borrow_mut().push_back((request.into(), Err(error)));
        self
    }

    /// The lines of all requests. Everything that was expected must have been asked.
    pub fn lines(self) -> Vec<String> {
        let left: Vec<String> = self.scenes.into_inner().into_iter().map(|(request, _)| request).collect();
        assert!(left.is_empty(), "never asked: {left:?}");
        self.lines.into_inner()
    }
}

impl Http for Script {
    fn send(&self, request: &HttpRequest) -> Result<HttpResponse, HttpError> {
        let line = line(request);
        let expected = self.scenes.borrow().front().is_some_and(|(expected, _)| line.starts_with(expected));
        if let Some(usual) = usual(&line).filter(|_| !expected) {
            let mut response = HttpResponse { status: 200, headers: Vec::new(), body: usual.into() };
            capture(request, &mut response)?;
            return Ok(response);
        }
        self.lines.borrow_mut().push(line.clone());
        let (expected, answer) =
            self.scenes.borrow_mut().pop_front().unwrap_or_else(|| panic!("nobody expected {line}"));
        assert!(line.starts_with(&expected), "expected {expected}\n   found {line}");
        let mut response = answer?;
        capture(request, &mut response)?;
        Ok(response)
    }
}

/// A network in which nobody may ask about the app.
pub struct WithoutApp(pub Script);

impl Http for WithoutApp {
    fn send(&self, request: &HttpRequest) -> Result<HttpResponse, HttpError> {
        assert!(!request.url.ends_with("/subscriptions"), "{}", request.url);
        self.0.send(request)
    }
}

/// What the app itself is answered where a script has nothing else for it: its token, that its webhook is set, and
/// that the person's token names no more pages than the list.
fn usual(line: &str) -> Option<&'static str> {
    if line.contains("grant_type=client_credentials") {
        return Some(r#"{"access_token":"SECRET-app"}"#);
    }
    if line.starts_with("GET graph.facebook.com/v25.0/1234567890/subscriptions") {
        return Some(
            r#"{"data":[{"object":"instagram","callback_url":"https://inbox.example/webhooks/instagram","active":true,
                "fields":[{"name":"messages"},{"name":"messaging_postbacks"},{"name":"message_reactions"},
                {"name":"messaging_seen"},{"name":"messaging_referral"}]}]}"#,
        );
    }
    line.starts_with("GET graph.facebook.com/v25.0/debug_token").then_some(r#"{"data":{"granular_scopes":[]}}"#)
}

/// As the host does it: a token is replaced by the name of the slot that takes it, and none may be left.
fn capture(request: &HttpRequest, response: &mut HttpResponse) -> Result<(), HttpError> {
    let Ok(mut body) = serde_json::from_slice::<serde_json::Value>(&response.body) else { return Ok(()) };
    let mut kept = request.captures.is_empty() || response.status != 200;
    for capture in &request.captures {
        let CaptureTarget::Slot(slot) = &capture.target else { panic!("{capture:?}") };
        if let Some(place) = body.pointer_mut(&capture.pointer) {
            *place = slot.as_str().into();
            kept = true;
        }
    }
    if !kept {
        return Err(HttpError::CaptureFailed(request.captures[0].pointer.clone()));
    }
    if !request.captures.is_empty() {
        response.body = body.to_string().into_bytes();
    }
    let text = String::from_utf8_lossy(&response.body);
    assert!(!text.contains("SECRET"), "a token reaches the channel: {text}");
    Ok(())
}

fn line(request: &HttpRequest) -> String {
    let method = format!("{:?}", request.method).rsplit("::").next().unwrap().to_uppercase();
    let method = method.strip_prefix("HTTPMETHOD").unwrap_or(&method).trim_matches(':').to_owned();
    let mut line = format!("{method} {}", request.url.strip_prefix("https://").expect("https only"));
    match &request.body {
        HttpBody::Empty => {}
        HttpBody::Bytes(bytes) => line += &format!(" {}", String::from_utf8_lossy(bytes)),
        other => panic!("no account call sends files: {other:?}"),
    }
    for fill in &request.fills {
        let source = match &fill.source {
            FillSource::Slot(slot) => slot.clone(),
            FillSource::Derived(value) if value.scheme == "hmac-sha256-hex" && value.parameters.is_empty() => {
                format!("hmac({})", value.slots.join(","))
            }
            other => panic!("{other:?}"),
        };
        let place = match &fill.place {
            FillPlace::Authorization(scheme) if scheme == "Bearer" => "bearer".to_owned(),
            FillPlace::Query(name) => format!("query {name}"),
            FillPlace::FormField(name) => format!("form {name}"),
            other => panic!("{other:?}"),
        };
        line += &format!(" [{place}: {source}]");
    }
    if !request.captures.is_empty() {
        let pointers: Vec<&str> = request.captures.iter().map(|capture| capture.pointer.as_str()).collect();
        assert_eq!(pointers, ["/access_token", "/data/0/access_token"]);
        let CaptureTarget::Slot(slot) = &request.captures[0].target else { panic!("{request:?}") };
        assert!(request.captures.iter().all(|capture| capture.target == request.captures[0].target));
        line += &format!(" -> {slot}");
    }
    line
}

fn text(key: &str, value: &str) -> Setting {
    Setting { key: key.into(), value: SettingValue::Text(value.into()) }
}

pub fn channel_settings() -> Vec<Setting> {
    vec![text("app-id", "1234567890"), text("instagram-app-id", "9876543210"), text("api-version", "v25.0")]
}

pub fn connecting(login: &str, input: ConnectInput) -> ConnectRequest {
    ConnectRequest {
        login: login.into(),
        redirect_uri: "https://inbox.example/connect/callback".into(),
        webhook_url: None,
        state: "st&te".into(),
        settings: channel_settings(),
        input,
    }
}

pub fn callback(parameters: &[(&str, &str)]) -> ConnectInput {
    let parameter = |(name, value): &(&str, &str)| Parameter { name: (*name).into(), value: (*value).into() };
    ConnectInput::Callback(parameters.iter().map(parameter).collect())
}

/// A connected account, as the host describes it in every later call.
pub fn connected(login: &str) -> AccountSettings {
    let mut settings = vec![text("login", login)];
    if login == "facebook" {
        settings.push(text("page-id", PAGE));
    }
    settings.extend(channel_settings());
    AccountSettings { webhook_url: Some(WEBHOOK.into()), ..super::account(settings) }
}
