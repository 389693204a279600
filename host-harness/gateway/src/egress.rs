//! The way out: a channel's request is checked against what was granted, searched for secrets that it
//! should not know, filled, and sent. Redirects are not followed. Belongs here: that order.

use std::{
    collections::{BTreeMap, VecDeque},
    time::Duration,
};

use harness_contract::{
    FieldValue, FormField, Header, HttpBody, HttpMethod, HttpRequest, HttpResponse,
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
    answer::{read, shown, transport_error},
    bounds,
    capture::{self, Captured},
    clock::Clock,
    fill::{Put, Sources, put},
    known::Known,
    leaks::{refuse_leaks, texts_of},
    memory::Held,
    overrides,
    resolve::PublicOnly,
    secrets::Secret,
    sizes::Sizes,
    stored::FileContent,
    work,
};

/// Time to connect.
const CONNECT: Duration = Duration::from_secs(5);
/// How long an answer may pause in the middle: what has begun and does not go on holds a place for nothing.
pub(crate) const IDLE: Duration = Duration::from_secs(20);
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

    /// The same, without what the host knows: what a channel or a server wrote may stand in it.
    fn concealed(mut self, known: &Known) -> Self {
        match &mut self {
            Self::Invalid(text)
            | Self::Unreachable(text)
            | Self::NoAnswer(text)
            | Self::CaptureFailed(text)
            | Self::MissingSlot(text) => known.conceal_in(text),
            Self::SlotNotAllowed { slot, .. } => known.conceal_in(slot),
            Self::Denied(denied) => {
                let mut text = denied.to_string();
                known.conceal_in(&mut text);
                if text != denied.to_string() {
                    return Self::Leak;
                }
            }
            Self::Leak | Self::NoMemory | Self::TooLarge(_) | Self::Encoded => {}
        }
        self
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
    /// Every credential that is known for the channel: none may stand in the request before it is filled, and none in
    /// the answer.
    pub(crate) known: Known,
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

    /// Checks, fills and sends a request. `memory` is what was set aside for it, and grows with what it takes. No error
    /// says anything that the host knows for the channel.
    pub(crate) async fn send(
        &self,
        caller: &Caller<'_>,
        request: HttpRequest,
        files: Files,
        memory: &mut Held,
        captured: &mut Captured,
    ) -> Result<HttpResponse, EgressError> {
        let error = match self.exchange(caller, request, files, memory, captured).await {
            Ok(response) => return Ok(response),
            Err(error) => error,
        };
        let arrived = error.may_have_arrived();
        let known = caller.known.clone();
        let concealed = work::done(known.effort(0), move |_| error.concealed(&known)).await;
        Err(concealed.unwrap_or_else(|_| if arrived { unsearched() } else { EgressError::Leak }))
    }

    async fn exchange(
        &self,
        caller: &Caller<'_>,
        request: HttpRequest,
        files: Files,
        memory: &mut Held,
        captured: &mut Captured,
    ) -> Result<HttpResponse, EgressError> {
        bounds::check(&request, &self.sizes)?;
        let method = method(request.method);
        let url = Url::parse(&request.url)
            .map_err(|_| EgressDenied::NotAUrl { url: request.url.split('?').next().unwrap_or_default().to_owned() })?;
        let in_files = files.bytes();
        let length = bounds::body_bytes(&request.body).saturating_add(in_files);
        let rule = admit(caller.rules, method.as_str(), &url, length)?;
        let headers = header_map(&request.headers, &rule.headers)?;
        // Looking through and taking apart is work: no task that others wait for does it, and the caller's deadline
        // holds.
        let (bytes, known) = (texts_of(&request), caller.known.clone());
        let looked_through = work::done(known.effort(bytes), move |given_up| {
            overrides::refuse(&url, &request)?;
            refuse_leaks(&known, &request, given_up)?;
            Ok((request, url))
        });
        let (mut request, url) = looked_through.await.unwrap_or_else(|_| Err(unprepared()))?;
        let captures = std::mem::take(&mut request.captures);
        capture::check(&captures, caller.slots, captured)?;
        let sources = Sources { rule, slots: caller.slots, secret: caller.secret, captured };
        let values = sources.values(std::mem::take(&mut request.fills))?;
        let bytes = if values.is_empty() { 0 } else { bytes };
        let before = bounds::memory_of(&request);
        let put = work::done(bytes, move |_| put(values, request, url, headers));
        let Put { request, url, headers, filled } = put.await.unwrap_or_else(|_| Err(unprepared()))?;
        bounds::check_filled(&request, &url, &headers, &self.sizes)?;
        // What was filled into the path must not have made another address of it, and no longer body than was granted.
        // The error would show it.
        let length = bounds::body_bytes(&request.body).saturating_add(in_files);
        if admit(std::slice::from_ref(rule), method.as_str(), &url, length).is_err() {
            let sentence = "with its credentials it has another path, or a longer body, than was granted";
            return Err(EgressError::Invalid(sentence.into()));
        }
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
        let exchange = async { read(outgoing.send().await.map_err(transport_error)?, max, memory).await };
        let response = self.in_time(exchange).await.map_err(EgressError::NoAnswer)??;
        let (known, shows, so_far) = (caller.known.clone(), rule.shown.clone(), std::mem::take(captured));
        let headers: usize = response.headers.iter().map(|header| header.value.len()).sum();
        let bytes = known.effort(response.body.len() + headers);
        let shown = work::done(bytes, move |given_up| {
            shown(response, &filled, &known, &captures, shows.as_deref(), so_far, given_up)
        });
        let (ended, taken) = shown.await.map_err(|_| unsearched())?;
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

fn unprepared() -> EgressError {
    EgressError::Invalid("the host failed while it prepared the request, which was not sent".into())
}

fn unsearched() -> EgressError {
    EgressError::NoAnswer("it could not be searched".into())
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
