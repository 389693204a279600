//! The way out: a channel's request is checked against what was granted, searched for secrets that it
//! should not know, filled, and sent. Redirects are not followed. Belongs here: that order.

use std::{
    collections::{BTreeMap, VecDeque},
    error::Error as _,
    time::Duration,
};

use harness_contract::{
    Capture, FieldValue, FormField, Header, HttpBody, HttpMethod, HttpRequest, HttpResponse,
    egress::{EgressDenied, admit},
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
    answer, bounds,
    capture::{self, Captured, capture},
    clock::Clock,
    conceal::{Spellings, conceal},
    fill::{Filled, Sources, fill},
    memory::Held,
    resolve::PublicOnly,
    secrets::Secret,
    sizes::Sizes,
    stored::FileContent,
};

/// Time to connect.
const CONNECT: Duration = Duration::from_secs(5);
/// How long an answer may pause in the middle: what has begun and does not go on holds a place for nothing.
pub(crate) const IDLE: Duration = Duration::from_secs(20);
/// The shortest secret that the search for leaks looks for; shorter ones would be found by chance.
const LEAK_LENGTH: usize = 12;
/// Headers that belong to the connection and are never a channel's to set; and those with which it could ask
/// for an answer in which credentials cannot be found again: a compressed one, or a part of one.
pub(crate) const RESERVED: [&str; 15] = [
    "accept-encoding",
    "range",
    "if-range",
    "expect",
    "keep-alive",
    "proxy-connection",
    "host",
    "content-length",
    "transfer-encoding",
    "connection",
    "upgrade",
    "te",
    "trailer",
    "proxy-authorization",
    "authorization",
];

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
    /// Nothing was sent: what is in flight of the channel takes all the memory that it may have.
    #[error("the channel has so much in flight that there is no memory for this now")]
    NoMemory,
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
            Self::NoMemory => "no_memory",
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
    sizes: Sizes,
    /// The longest exchange, and what measures it.
    exchange: Duration,
    clock: Clock,
}

/// The files that a request carries, in the order of its fields.
#[derive(Debug, Default)]
pub(crate) struct Files(VecDeque<FileContent>);

impl Files {
    /// The next one.
    pub(crate) fn push(&mut self, file: FileContent) {
        self.0.push_back(file);
    }

    fn bytes(&self) -> u64 {
        self.0.iter().map(FileContent::size).fold(0, u64::saturating_add)
    }
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
}

impl Egress {
    /// Sets up the clients: no exchange takes longer than `exchange`, which passes by `clock`, and nothing that leaves or
    /// comes back is larger than `sizes`. `endpoints` must be empty outside development.
    pub fn new(endpoints: Endpoints, exchange: Duration, clock: Clock, sizes: Sizes) -> Result<Self, SetupError> {
        Ok(Self {
            public: client_builder()?.https_only(true).dns_resolver(PublicOnly).build().map_err(SetupError::of)?,
            development: client_builder()?.build().map_err(SetupError::of)?,
            endpoints,
            sizes,
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

    /// Checks, fills and sends a request. `memory` is what was set aside for it, and grows with what it takes.
    pub(crate) async fn send(
        &self,
        caller: &Caller<'_>,
        mut request: HttpRequest,
        files: Files,
        memory: &mut Held,
        captured: &mut Captured,
    ) -> Result<HttpResponse, EgressError> {
        bounds::check(&request, &self.sizes)?;
        let method = method(request.method);
        let mut url = Url::parse(&request.url)
            .map_err(|_| EgressDenied::NotAUrl { url: request.url.split('?').next().unwrap_or_default().to_owned() })?;
        let rule = admit(
            caller.rules,
            method.as_str(),
            &url,
            bounds::body_bytes(&request.body).saturating_add(files.bytes()),
        )?;
        let mut headers = header_map(&request.headers, &rule.headers)?;
        bounds::refuse_override(&url, &request.body)?;
        refuse_leaks(caller.known_secrets, &request)?;
        let captures = std::mem::take(&mut request.captures);
        capture::check(&captures, caller.slots, captured)?;
        let sources = Sources { host: &rule.host, slots: caller.slots, secret: caller.secret, captured };
        let before = bounds::memory_of(&request);
        let filled = fill(&mut request, &mut url, &mut headers, &sources)?;
        bounds::check_filled(&request, &url, &headers, &self.sizes)?;
        // What was filled into the path must not have made another address of it, and no longer body than was granted.
        let length = bounds::body_bytes(&request.body).saturating_add(files.bytes());
        admit(std::slice::from_ref(rule), method.as_str(), &url, length)?;
        if !memory.try_grow(bounds::memory_of(&request).saturating_sub(before)) {
            return Err(EgressError::NoMemory);
        }

        let (client, url) = self.route(url);
        let mut outgoing = client.request(method, url).headers(headers);
        outgoing = match request.body {
            HttpBody::Empty => outgoing,
            HttpBody::Bytes(bytes) => outgoing.body(bytes),
            HttpBody::Multipart(fields) => outgoing.multipart(form(fields, files)?),
        };
        let max = rule.max_response_bytes.min(self.sizes.answer);
        let exchange = async { answer::read(outgoing.send().await.map_err(transport_error)?, max, memory).await };
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

/// A form of several fields; the bytes of its files come from the host's disk, never from the channel.
fn form(fields: Vec<FormField>, mut files: Files) -> Result<Form, EgressError> {
    let mut form = Form::new();
    for FormField { name, value, file_name, content_type } in fields {
        let mut part = match value {
            FieldValue::Text(text) => Part::text(text),
            FieldValue::File(_) => {
                let missing = || EgressError::Invalid("it names a file that this host does not hold".into());
                let content = files.0.pop_front().ok_or_else(missing)?;
                let length = content.size();
                Part::stream_with_length(reqwest::Body::wrap(content), length)
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
        if RESERVED.contains(&name.as_str()) || !(usual || granted.iter().any(|granted| granted == name.as_str())) {
            return Err(invalid());
        }
        map.append(name.clone(), HeaderValue::from_str(value).map_err(|_| invalid())?);
    }
    Ok(map)
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
