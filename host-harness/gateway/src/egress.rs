//! The way out: a channel's request is checked against what was granted, searched for secrets that it
//! should not know, filled, and sent. Redirects are not followed. Belongs here: that order.

use std::{
    collections::{BTreeMap, HashMap},
    error::Error as _,
    time::Duration,
};

use bytes::Bytes;
use harness_contract::{
    Capture, FieldValue, FormField, Header, HttpBody, HttpMethod, HttpRequest, HttpResponse,
    egress::{EgressDenied, admit, may_be_set},
    manifest::{EgressRule, Slot},
};
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use reqwest::{
    Client,
    multipart::{Form, Part},
    redirect,
};
use url::Url;

use crate::{
    bounds,
    capture::{self, Captured, capture},
    clock::Clock,
    conceal::{Spellings, conceal},
    fill::{Filled, Sources, fill},
    overrides,
    resolve::PublicOnly,
    secrets::Secret,
};

/// Time to connect.
const CONNECT: Duration = Duration::from_secs(5);
/// How long an answer may pause in the middle: what has begun and does not go on holds a place for nothing.
pub(crate) const IDLE: Duration = Duration::from_secs(20);
/// The shortest secret that the search for leaks looks for; shorter ones would be found by chance.
const LEAK_LENGTH: usize = 12;
/// The longest answer that is read, whatever a manifest asks for, in bytes.
const MAX_ANSWER: u64 = 4 << 20;
/// Lines of an answer's header.
const MAX_ANSWER_HEADERS: usize = 256;
/// Why a request has no response.
#[derive(Debug, thiserror::Error)]
pub enum EgressError {
    /// It is outside what was granted.
    #[error(transparent)]
    Denied(#[from] EgressDenied),
    /// It contains a credential in the clear, which no channel can know.
    #[error("the request contains a credential of this host and was not sent")]
    Leak,
    /// A slot is empty, or not the channel's.
    #[error("the credential `{0}` is not there; fill it in the configuration")]
    MissingSlot(String),
    /// The manifest does not let the credential go there.
    #[error("the manifest does not let the credential `{slot}` go to {place} of `{host}`")]
    SlotNotAllowed {
        /// The slot.
        slot: String,
        /// Where the request wanted it.
        place: &'static str,
        /// Where the request was going.
        host: String,
    },
    /// It cannot be made into a request.
    #[error("the request is malformed: {0}")]
    Invalid(String),
    /// Nothing was sent.
    #[error("no connection could be made: {0}")]
    Unreachable(String),
    /// It was sent, and what became of it is not known.
    #[error("no answer came: {0}")]
    NoAnswer(String),
    /// The answer was longer than granted, and was not read to its end.
    #[error("the answer is longer than the {0} bytes that were granted")]
    TooLarge(u64),
    /// The answer is compressed, which nobody asked for: what was filled in could not be found in it.
    #[error("the answer is encoded, which was not asked for")]
    Encoded,
    /// The answer lacks a value that a later step needs.
    #[error("the answer has no `{0}`")]
    CaptureFailed(String),
}

impl EgressError {
    /// A word for counters.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::Denied(_) => "denied",
            Self::Leak => "leak",
            Self::SlotNotAllowed { .. } => "slot_not_allowed",
            Self::MissingSlot(_) => "missing_slot",
            Self::Invalid(_) => "invalid",
            Self::Unreachable(_) => "unreachable",
            Self::NoAnswer(_) => "no_answer",
            Self::TooLarge(_) => "too_large",
            Self::CaptureFailed(_) => "capture_failed",
            Self::Encoded => "encoded",
        }
    }

    /// Whether the platform may have acted on the request.
    pub fn may_have_arrived(&self) -> bool {
        matches!(self, Self::NoAnswer(_) | Self::TooLarge(_) | Self::Encoded | Self::CaptureFailed(_))
    }
}

/// Where requests really go, for development: an origin, such as `https://graph.facebook.com`, and the
/// address that stands in for it.
pub type Endpoints = BTreeMap<String, Url>;

/// Sends requests.
pub struct Egress {
    public: Client,
    development: Client,
    endpoints: Endpoints,
    /// The longest exchange, and what measures it.
    exchange: Duration,
    clock: Clock,
}

/// The egress could not be set up.
#[derive(Debug, thiserror::Error)]
#[error("the HTTP client cannot be set up: {0}")]
pub struct SetupError(String);

impl SetupError {
    pub(crate) fn of(error: impl std::fmt::Display) -> Self {
        Self(error.to_string())
    }
}

/// What all clients of this host share.
pub(crate) fn client_builder() -> Result<reqwest::ClientBuilder, SetupError> {
    let roots = rustls::RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    let provider = std::sync::Arc::new(rustls::crypto::ring::default_provider());
    let tls = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(SetupError::of)?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(Client::builder()
        .tls_backend_preconfigured(tls)
        .redirect(redirect::Policy::none())
        .no_proxy()
        .connect_timeout(CONNECT)
        .user_agent(concat!("inbox-harness/", env!("CARGO_PKG_VERSION"))))
}

/// Finds the credential in a slot.
pub type FindSecret<'a> = dyn Fn(&str) -> Option<Secret> + Sync + 'a;

/// On whose behalf a request leaves.
pub struct Caller<'a> {
    /// What the operator granted.
    pub rules: &'a [EgressRule],
    /// Where the manifest lets each slot go.
    pub slots: &'a BTreeMap<String, Slot>,
    /// Finds a credential of the account, or of the channel.
    pub secret: &'a FindSecret<'a>,
    /// Every credential of the channel: none may stand in the request before it is filled.
    pub known_secrets: &'a [Secret],
    /// The files that the request may carry, by handle.
    pub files: &'a HashMap<String, Bytes>,
}

impl Egress {
    /// Sets up the clients: no exchange takes longer than `exchange`, which passes by `clock`. `endpoints` must be
    /// empty outside development.
    pub fn new(endpoints: Endpoints, exchange: Duration, clock: Clock) -> Result<Self, SetupError> {
        Ok(Self {
            public: client_builder()?.https_only(true).dns_resolver(PublicOnly).build().map_err(SetupError::of)?,
            development: client_builder()?.build().map_err(SetupError::of)?,
            endpoints,
            exchange,
            clock,
        })
    }

    /// One exchange from its beginning to the last byte of the answer, or the sentence that it took too long.
    pub(crate) async fn in_time<T>(&self, exchange: impl Future<Output = T>) -> Result<T, String> {
        // The time begins before the exchange does.
        tokio::select! {
            biased;
            () = self.clock.wait(self.exchange) => Err(format!("the answer was not there after {:?}", self.exchange)),
            ended = exchange => Ok(ended),
        }
    }

    /// Checks, fills and sends a request.
    pub(crate) async fn send(
        &self,
        caller: &Caller<'_>,
        mut request: HttpRequest,
        captured: &mut Captured,
    ) -> Result<HttpResponse, EgressError> {
        bounds::check(&request)?;
        let method = method(request.method);
        let mut url = Url::parse(&request.url)
            .map_err(|_| EgressDenied::NotAUrl { url: request.url.split('?').next().unwrap_or_default().to_owned() })?;
        let rule = admit(caller.rules, method.as_str(), &url, body_length(&request.body, caller.files)?)?;
        let mut headers = header_map(&request.headers, &rule.headers)?;
        overrides::refuse(&url, &request)?;
        refuse_leaks(caller.known_secrets, &request)?;
        let captures = std::mem::take(&mut request.captures);
        capture::check(&captures, caller.slots, captured)?;
        let sources = Sources { rule, slots: caller.slots, secret: caller.secret, captured };
        let filled = fill(&mut request, &mut url, &mut headers, &sources)?;
        // What was filled into the path must not have made another address of it.
        admit(std::slice::from_ref(rule), method.as_str(), &url, 0)?;

        let (client, url) = self.route(url);
        let mut outgoing = client.request(method, url).headers(headers);
        outgoing = match request.body {
            HttpBody::Empty => outgoing,
            HttpBody::Bytes(bytes) => outgoing.body(bytes),
            HttpBody::Multipart(fields) => outgoing.multipart(form(fields, caller.files)?),
        };
        let max = rule.max_response_bytes.min(MAX_ANSWER);
        let exchange = async { read(outgoing.send().await.map_err(transport_error)?, max).await };
        let response = self.in_time(exchange).await.map_err(EgressError::NoAnswer)??;
        let known = caller.known_secrets.iter().filter(|secret| secret.expose().len() >= LEAK_LENGTH);
        let known: Vec<Secret> = known.cloned().collect();
        let so_far = std::mem::take(captured);
        // Searching and taking apart is work: no task that others wait for does it, and the caller's deadline holds.
        let (ended, taken) = tokio::task::spawn_blocking(move || shown(response, &filled, &known, &captures, so_far))
            .await
            .map_err(|_| EgressError::NoAnswer("the answer could not be searched".into()))?;
        *captured = taken;
        ended
    }

    /// In development an origin is replaced by the address that stands in for it.
    pub(crate) fn route(&self, url: Url) -> (&Client, Url) {
        let origin = url.origin().ascii_serialization();
        let Some(replacement) = self.endpoints.get(&origin) else { return (&self.public, url) };
        let mut target = replacement.clone();
        target.set_path(&format!("{}{}", replacement.path().trim_end_matches('/'), url.path()));
        target.set_query(url.query());
        (&self.development, target)
    }
}

impl Egress {
    /// The client for this host's own addresses.
    pub(crate) fn own(&self) -> &Client {
        &self.development
    }

    /// In development, an address of a stand-in as the platform would write it; others stay as they are.
    pub(crate) fn as_platform(&self, url: Url) -> Url {
        for (origin, stand_in) in &self.endpoints {
            let below = url.path().strip_prefix(stand_in.path().trim_end_matches('/'));
            if let Some(path) = below.filter(|path| url.origin() == stand_in.origin() && path.starts_with('/'))
                && let Ok(mut platform) = Url::parse(origin)
            {
                platform.set_path(path);
                platform.set_query(url.query());
                return platform;
            }
        }
        url
    }
}

/// What of an answer a channel may see: without everything that was filled in, and that the host knows for the
/// channel; afterwards without what it captures; and once more, for the names that were put in.
fn shown(
    mut response: HttpResponse,
    filled: &Filled,
    known: &[Secret],
    captures: &[Capture],
    mut captured: Captured,
) -> (Result<HttpResponse, EgressError>, Captured) {
    let filled = || filled.iter().map(|value| value.as_bytes());
    conceal(filled(), &mut response);
    // A new copy of a credential that is known already is captured as any other, and concealed afterwards.
    if let Err(error) = capture(captures, &mut response, &mut captured) {
        return (Err(error), captured);
    }
    conceal(filled().chain(known.iter().map(Secret::expose)), &mut response);
    (Ok(response), captured)
}

fn method(method: HttpMethod) -> Method {
    match method {
        HttpMethod::Get => Method::GET,
        HttpMethod::Head => Method::HEAD,
        HttpMethod::Post => Method::POST,
        HttpMethod::Put => Method::PUT,
        HttpMethod::Patch => Method::PATCH,
        HttpMethod::Delete => Method::DELETE,
    }
}

/// The length of a body, without the lines between the fields of a form.
fn body_length(body: &HttpBody, files: &HashMap<String, Bytes>) -> Result<u64, EgressError> {
    let HttpBody::Multipart(fields) = body else {
        return Ok(if let HttpBody::Bytes(bytes) = body { bytes.len() as u64 } else { 0 });
    };
    fields.iter().try_fold(0, |length, field| {
        let field = match &field.value {
            FieldValue::Text(text) => text.len(),
            FieldValue::File(file) => held(files, &file.handle)?.len(),
        };
        Ok(length + field as u64)
    })
}

fn held<'f>(files: &'f HashMap<String, Bytes>, handle: &str) -> Result<&'f Bytes, EgressError> {
    files.get(handle).ok_or_else(|| EgressError::Invalid("it names a file that this host does not hold".into()))
}

/// A form of several fields; the bytes of its files come from the host, never from the channel.
fn form(fields: Vec<FormField>, files: &HashMap<String, Bytes>) -> Result<Form, EgressError> {
    let mut form = Form::new();
    for FormField { name, value, file_name, content_type } in fields {
        let mut part = match value {
            FieldValue::Text(text) => Part::text(text),
            FieldValue::File(file) => {
                let bytes = held(files, &file.handle)?.clone();
                let length = bytes.len() as u64;
                Part::stream_with_length(bytes, length)
            }
        };
        if let Some(file_name) = file_name {
            part = part.file_name(file_name);
        }
        if let Some(content_type) = content_type {
            part = part
                .mime_str(&content_type)
                .map_err(|_| EgressError::Invalid(format!("`{content_type}` is no content type")))?;
        }
        form = form.part(name, part);
    }
    Ok(form)
}

fn header_map(headers: &[Header], granted: &[String]) -> Result<HeaderMap, EgressError> {
    let mut map = HeaderMap::with_capacity(headers.len());
    for Header { name, value } in headers {
        let invalid = || EgressError::Invalid(format!("`{name}` is not a header that a channel may set"));
        let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| invalid())?;
        // What is not listed could reroute a request, or change what it does.
        let usual = ["accept", "content-type"].contains(&name.as_str());
        if !(usual || is_granted(&name, granted)) {
            return Err(invalid());
        }
        map.append(name.clone(), HeaderValue::from_str(value).map_err(|_| invalid())?);
    }
    Ok(map)
}

/// Whether the rule lists a header beside those that every request may have.
pub(crate) fn is_granted(name: &HeaderName, granted: &[String]) -> bool {
    may_be_set(name.as_str()) && granted.iter().any(|granted| granted == name.as_str())
}

/// A channel never sees a credential, so one that stands in its request came from outside, or by a trick.
fn refuse_leaks(secrets: &[Secret], request: &HttpRequest) -> Result<(), EgressError> {
    let secrets = secrets.iter().map(Secret::expose).filter(|secret| secret.len() >= LEAK_LENGTH);
    let spellings = Spellings::of(secrets);
    let contains = |haystack: &[u8]| spellings.stand_in(haystack);
    let in_body = match &request.body {
        HttpBody::Bytes(bytes) => contains(bytes),
        HttpBody::Multipart(fields) => fields.iter().any(|field| {
            let names = [Some(&field.name), field.file_name.as_ref(), field.content_type.as_ref()];
            let in_value = match &field.value {
                FieldValue::Text(text) => contains(text.as_bytes()),
                FieldValue::File(_) => false,
            };
            in_value || names.into_iter().flatten().any(|name| contains(name.as_bytes()))
        }),
        HttpBody::Empty => false,
    };
    let in_headers = request.headers.iter().any(|header| contains(header.value.as_bytes()));
    if in_body || in_headers || contains(request.url.as_bytes()) { Err(EgressError::Leak) } else { Ok(()) }
}

/// Only a failure to connect proves that nothing was sent. The URL is left out: it may hold a credential.
pub(crate) fn transport_error(error: reqwest::Error) -> EgressError {
    let connecting = error.is_connect() || error.is_builder();
    let error = error.without_url();
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        text.push_str(": ");
        text.push_str(&inner.to_string());
        cause = inner.source();
    }
    if connecting { EgressError::Unreachable(text) } else { EgressError::NoAnswer(text) }
}

async fn read(mut response: reqwest::Response, max: u64) -> Result<HttpResponse, EgressError> {
    let status = response.status().as_u16();
    // The coding is not named: a server may have put there what it was told.
    let codings = response.headers().get_all(http::header::CONTENT_ENCODING);
    if codings.iter().any(|coding| !coding.as_bytes().eq_ignore_ascii_case(b"identity")) {
        return Err(EgressError::Encoded);
    }
    if response.headers().len() > MAX_ANSWER_HEADERS {
        return Err(EgressError::NoAnswer("the answer has too many headers".into()));
    }
    let headers = response
        .headers()
        .iter()
        .filter(|(name, _)| *name != http::header::SET_COOKIE)
        .filter_map(|(name, value)| {
            Some(Header { name: name.as_str().to_owned(), value: value.to_str().ok()?.to_owned() })
        })
        .collect();
    let mut body = Vec::new();
    while let Some(chunk) = tokio::time::timeout(IDLE, response.chunk())
        .await
        .map_err(|_| EgressError::NoAnswer(format!("it paused for {IDLE:?} in the middle")))?
        .map_err(|error| EgressError::NoAnswer(error.without_url().to_string()))?
    {
        if (body.len() + chunk.len()) as u64 > max {
            return Err(EgressError::TooLarge(max));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(HttpResponse { status, headers, body })
}
