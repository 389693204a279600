//! Owns: the HTTP clients, endpoint overrides, and the time limit of an exchange.
//! Does not own: what may be sent. It accepts only [`Injected`].

use std::{collections::BTreeMap, pin::Pin, sync::Arc, time::Duration};

use harness_contract::HttpResponse;
use reqwest::{Client, redirect};
use url::Url;

use crate::{
    body::{Content, File},
    error::{EgressError, SetupError, transport_error},
    inject::Injected,
    memory::Held,
    resolver::PublicOnly,
    response::read,
};

/// Connection timeout.
const CONNECT: Duration = Duration::from_secs(5);

/// Endpoint overrides for development: an origin, such as `https://api.example.com`, and the address that replaces
/// it.
pub type Endpoints = BTreeMap<String, Url>;

/// The host's clock, which measures the time limit of an exchange.
pub trait Timer: Send + Sync + 'static {
    /// The current time, in milliseconds since 1970, for values that expire.
    fn now(&self) -> u64;

    /// Resolves after this duration.
    fn wait(&self, duration: Duration) -> Pin<Box<dyn Future<Output = ()> + Send + '_>>;
}

/// Settings of all clients: own root certificates, no proxy, no redirects.
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

/// Two clients: one for public addresses only, one for overrides and the host's own addresses.
pub(crate) struct Clients {
    public: Client,
    development: Client,
    endpoints: Endpoints,
    longest: Duration,
    timer: Arc<dyn Timer>,
}

impl Clients {
    /// Limits every exchange to `longest`. `endpoints` must be empty outside development.
    pub(crate) fn new(endpoints: Endpoints, longest: Duration, timer: Arc<dyn Timer>) -> Result<Self, SetupError> {
        Ok(Self {
            public: client_builder()?.https_only(true).dns_resolver(PublicOnly).build().map_err(SetupError::of)?,
            development: client_builder()?.build().map_err(SetupError::of)?,
            endpoints,
            longest,
            timer,
        })
    }

    /// Sends a request and reads a response of at most `max` bytes.
    pub(crate) async fn exchange(
        &self,
        request: Injected,
        max: u64,
        memory: &mut Held,
    ) -> Result<HttpResponse, EgressError> {
        let (client, url) = self.route(request.url);
        let mut outgoing = client.request(request.method, url).headers(request.headers);
        outgoing = match request.body {
            Content::Empty => outgoing,
            Content::Bytes(bytes) => outgoing.body(bytes),
            Content::Form(form) => outgoing.multipart(form),
            Content::Stream(File { size, body }) => outgoing.header(http::header::CONTENT_LENGTH, size).body(body),
        };
        let exchange = async { read(outgoing.send().await.map_err(transport_error)?, max, memory).await };
        self.in_time(exchange).await.map_err(EgressError::NoAnswer)?
    }

    /// Runs an exchange until the last byte of the response, or fails with a timeout.
    pub(crate) async fn in_time<T>(&self, exchange: impl Future<Output = T>) -> Result<T, String> {
        // Start the timer before the exchange.
        tokio::select! {
            biased;
            () = self.timer.wait(self.longest) => Err(format!("the answer was not there after {:?}", self.longest)),
            ended = exchange => Ok(ended),
        }
    }

    /// The host's clock.
    pub(crate) fn now(&self) -> u64 {
        self.timer.now()
    }

    /// Applies the endpoint overrides.
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

    /// Maps an override's address back to the platform's; other addresses stay unchanged.
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
