//! Owns: the HTTP clients, where a request really goes, and how long an exchange may take.
//! Does not own: what may leave. It takes only what is [`Injected`].

use std::{
    collections::{BTreeMap, VecDeque},
    pin::Pin,
    sync::Arc,
    time::Duration,
};

use harness_contract::{FieldValue, FormField, HttpBody, HttpResponse};
use reqwest::{
    Client,
    multipart::{Form, Part},
    redirect,
};
use url::Url;

use crate::{
    error::{EgressError, SetupError, transport_error},
    inject::Injected,
    memory::Held,
    resolver::PublicOnly,
    response::read,
};

/// Time to connect.
const CONNECT: Duration = Duration::from_secs(5);

/// Where requests really go, for development: an origin, such as `https://api.example.com`, and the
/// address that stands in for it.
pub type Endpoints = BTreeMap<String, Url>;

/// What measures the longest exchange.
pub trait Timer: Send + Sync + 'static {
    /// Resolves once this much time has passed.
    fn wait(&self, duration: Duration) -> Pin<Box<dyn Future<Output = ()> + Send + '_>>;
}

/// A file that a request carries: its bytes come from the host, never from the channel.
#[derive(Debug)]
pub struct File {
    /// In bytes.
    pub size: u64,
    /// Exactly so many.
    pub body: reqwest::Body,
}

/// The files that a request carries, in the order of its fields.
#[derive(Debug, Default)]
pub struct Files(VecDeque<File>);

impl Files {
    /// The next one.
    pub fn push(&mut self, file: File) {
        self.0.push_back(file);
    }

    /// Of all of them.
    pub(crate) fn bytes(&self) -> u64 {
        self.0.iter().map(|file| file.size).fold(0, u64::saturating_add)
    }
}

/// What all clients of this host share: own roots, no proxy, no redirects.
pub fn client_builder() -> Result<reqwest::ClientBuilder, SetupError> {
    let roots = rustls::RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    let provider = Arc::new(rustls::crypto::ring::default_provider());
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

/// The clients: one that reaches public addresses alone, and one for stand-ins and the host's own addresses.
pub(crate) struct Clients {
    public: Client,
    development: Client,
    endpoints: Endpoints,
    longest: Duration,
    timer: Arc<dyn Timer>,
}

impl Clients {
    /// No exchange takes longer than `longest`. `endpoints` must be empty outside development.
    pub(crate) fn new(endpoints: Endpoints, longest: Duration, timer: Arc<dyn Timer>) -> Result<Self, SetupError> {
        Ok(Self {
            public: client_builder()?.https_only(true).dns_resolver(PublicOnly).build().map_err(SetupError::of)?,
            development: client_builder()?.build().map_err(SetupError::of)?,
            endpoints,
            longest,
            timer,
        })
    }

    /// Sends a request and reads an answer of at most `max` bytes.
    pub(crate) async fn exchange(
        &self,
        request: Injected,
        files: Files,
        max: u64,
        memory: &mut Held,
    ) -> Result<HttpResponse, EgressError> {
        let (client, url) = self.route(request.url);
        let mut outgoing = client.request(request.method, url).headers(request.headers);
        outgoing = match request.body {
            HttpBody::Empty => outgoing,
            HttpBody::Bytes(bytes) => outgoing.body(bytes),
            HttpBody::Multipart(fields) => outgoing.multipart(form(fields, files)?),
        };
        let exchange = async { read(outgoing.send().await.map_err(transport_error)?, max, memory).await };
        self.in_time(exchange).await.map_err(EgressError::NoAnswer)?
    }

    /// One exchange from its beginning to the last byte of the answer, or the sentence that it took too long.
    pub(crate) async fn in_time<T>(&self, exchange: impl Future<Output = T>) -> Result<T, String> {
        // The time begins before the exchange does.
        tokio::select! {
            biased;
            () = self.timer.wait(self.longest) => Err(format!("the answer was not there after {:?}", self.longest)),
            ended = exchange => Ok(ended),
        }
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

fn form(fields: Vec<FormField>, mut files: Files) -> Result<Form, EgressError> {
    let mut form = Form::new();
    for FormField { name, value, file_name, content_type } in fields {
        let mut part = match value {
            FieldValue::Text(text) => Part::text(text),
            FieldValue::File(_) => {
                let missing = || EgressError::Invalid("it names a file that this host does not hold".into());
                let File { size, body } = files.0.pop_front().ok_or_else(missing)?;
                Part::stream_with_length(body, size)
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
