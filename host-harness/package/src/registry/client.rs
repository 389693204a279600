//! Owns: HTTP to a registry: addresses, authorization, redirects, bounds of answers, and what an error may say.
//! Does not own: which requests there are, how long an operation may last (`Registry`).

use std::{collections::BTreeMap, fmt, sync::Arc};

use bytes::Bytes;
use harness_contract::text::shown;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use reqwest::{Response, redirect};
use tokio::sync::Mutex;
use url::{Host, Url};

use super::{Options, auth};
use crate::{reference::Reference, source::SourceError};

/// The most redirects of a blob.
const MAX_REDIRECTS: usize = 3;

/// Why no client could be made.
#[derive(Debug, thiserror::Error)]
#[error("the client for registries could not be set up: {0}")]
pub struct ClientError(#[source] reqwest::Error);

/// Speaks to registries. Clones share connections and tokens.
#[derive(Clone)]
pub struct Client(Arc<Inner>);

struct Inner {
    http: reqwest::Client,
    options: Options,
    /// What the registry last accepted, by what it was for. Ends with the process.
    authorizations: Mutex<BTreeMap<(String, Access), HeaderValue>>,
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("options", &self.0.options).finish_non_exhaustive()
    }
}

/// What a request does with a repository.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) enum Access {
    /// Reads.
    Pull,
    /// Writes too.
    Push,
}

/// A repository, and where it is.
#[derive(Clone, Debug)]
pub(super) struct Repository {
    /// In words: the reference without version and digest.
    pub(super) place: String,
    /// `NAMESPACE/NAME`.
    pub(super) name: String,
    /// `HOST` or `HOST:PORT`, as the reference has it.
    pub(super) authority: String,
    /// `SCHEME://AUTHORITY/v2/NAMESPACE/NAME`.
    base: Url,
}

impl Repository {
    /// An address below the repository's.
    pub(super) fn below(&self, parts: &[&str]) -> Result<Url, SourceError> {
        let mut url = self.base.clone();
        let mut path = url.path_segments_mut().map_err(|()| SourceError::failed(&self.place, "it has no address"))?;
        path.extend(parts);
        drop(path);
        Ok(url)
    }

    /// Whether an address is of the same registry: scheme, host and port.
    pub(super) fn is_home_of(&self, url: &Url) -> bool {
        url.origin() == self.base.origin() && is_bare(url)
    }

    pub(super) fn is_tls(&self) -> bool {
        self.base.scheme() == "https"
    }

    fn failed(&self, problem: impl Into<String>) -> SourceError {
        SourceError::failed(&self.place, problem)
    }
}

/// A request that can be sent again.
#[derive(Clone)]
pub(super) struct Call {
    method: Method,
    url: Url,
    headers: HeaderMap,
    body: Bytes,
}

impl Call {
    pub(super) fn new(method: Method, url: Url) -> Self {
        Self { method, url, headers: HeaderMap::new(), body: Bytes::new() }
    }

    pub(super) fn get(url: Url) -> Self {
        Self::new(Method::GET, url)
    }

    pub(super) fn accept(self, media_type: &'static str) -> Self {
        self.header(header::ACCEPT, HeaderValue::from_static(media_type))
    }

    pub(super) fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.insert(name, value);
        self
    }

    pub(super) fn body(mut self, media_type: &'static str, body: Bytes) -> Self {
        self.body = body;
        self.header(header::CONTENT_TYPE, HeaderValue::from_static(media_type))
    }
}

impl Client {
    /// Finishes a client that has its TLS and its proxy. It follows no redirect and decodes no content, whatever was set.
    ///
    /// # Errors
    ///
    /// [`ClientError`] where TLS cannot be set up.
    pub fn new(builder: reqwest::ClientBuilder, options: Options) -> Result<Self, ClientError> {
        let http = builder
            .redirect(redirect::Policy::none())
            .referer(false)
            .no_gzip()
            .no_brotli()
            .no_zstd()
            .no_deflate()
            .build()
            .map_err(ClientError)?;
        Ok(Self(Arc::new(Inner { http, options, authorizations: Mutex::default() })))
    }

    pub(super) fn options(&self) -> &Options {
        &self.0.options
    }

    pub(super) fn repository(&self, reference: &Reference) -> Result<Repository, SourceError> {
        let (authority, name) = (reference.authority(), reference.repository());
        let scheme = if self.0.options.plain_http.contains(authority) { "http" } else { "https" };
        let place = reference.bare().to_string();
        let base = Url::parse(&format!("{scheme}://{authority}/v2/{name}"))
            .map_err(|_| SourceError::failed(&place, "no address can be made of it"))?;
        Ok(Repository { place, name: name.to_owned(), authority: authority.to_owned(), base })
    }

    /// Sends a request with what the registry asks for, and returns its answer: any status but those of a missing login.
    pub(super) async fn call(
        &self,
        repository: &Repository,
        access: Access,
        call: Call,
    ) -> Result<Response, SourceError> {
        let key = (repository.place.clone(), access);
        let known = self.0.authorizations.lock().await.get(&key).cloned();
        let mut response = self.send(repository, call.clone(), known).await?;
        if response.status() == StatusCode::UNAUTHORIZED {
            let authorization = auth::answer(self, repository, access, response.headers()).await?;
            response = self.send(repository, call, Some(authorization.clone())).await?;
            if response.status() != StatusCode::UNAUTHORIZED {
                self.0.authorizations.lock().await.insert(key, authorization);
            }
        }
        match response.status() {
            status @ (StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN) => {
                Err(SourceError::Unauthorized { place: repository.place.clone(), status: status.as_u16() })
            }
            _ => Ok(response),
        }
    }

    /// The same, following where a registry says that a blob lies: without credentials, in the same scheme.
    pub(super) async fn follow(&self, repository: &Repository, call: Call) -> Result<Response, SourceError> {
        let mut from = call.url.clone();
        let mut response = self.call(repository, Access::Pull, call.clone()).await?;
        for _ in 0..MAX_REDIRECTS {
            if !response.status().is_redirection() {
                return Ok(response);
            }
            let location = response.headers().get(header::LOCATION);
            from = redirected(&from, location, &self.0.options)
                .map_err(|problem| repository.failed(format!("a blob is redirected {problem}")))?;
            response = self.send(repository, Call { url: from.clone(), ..call.clone() }, None).await?;
        }
        if response.status().is_redirection() {
            return Err(repository.failed(format!("a blob is redirected more than {MAX_REDIRECTS} times")));
        }
        Ok(response)
    }

    /// Sends one request, and waits for the head of its answer.
    pub(super) async fn send(
        &self,
        repository: &Repository,
        call: Call,
        authorization: Option<HeaderValue>,
    ) -> Result<Response, SourceError> {
        let mut request = self.0.http.request(call.method.clone(), call.url).headers(call.headers);
        if let Some(authorization) = authorization {
            request = request.header(header::AUTHORIZATION, authorization);
        }
        if call.method != Method::GET && call.method != Method::HEAD {
            request = request.body(call.body);
        }
        let response = request.send().await.map_err(|error| repository.failed(transport_error(error)))?;
        let encoding = response.headers().get(header::CONTENT_ENCODING);
        if encoding.is_some_and(|encoding| encoding != "identity") {
            return Err(repository.failed("its answer is compressed, which was not asked for"));
        }
        Ok(response)
    }

    /// Reads the rest of an answer, at most `max` bytes.
    pub(super) async fn read(
        &self,
        repository: &Repository,
        what: &str,
        mut response: Response,
        max: u64,
    ) -> Result<Vec<u8>, SourceError> {
        let too_large = || SourceError::too_large(&repository.place, what, max);
        if response.content_length().is_some_and(|length| length > max) {
            return Err(too_large());
        }
        let mut bytes = Vec::new();
        while let Some(piece) = response.chunk().await.map_err(|error| repository.failed(transport_error(error)))? {
            if (bytes.len() + piece.len()) as u64 > max {
                return Err(too_large());
            }
            bytes.extend_from_slice(&piece);
        }
        Ok(bytes)
    }
}

/// Where a redirect leads, or why it is not followed.
fn redirected(from: &Url, location: Option<&HeaderValue>, options: &Options) -> Result<Url, &'static str> {
    let location = location.and_then(|location| location.to_str().ok()).ok_or("without an address")?;
    let target = from.join(location).map_err(|_| "to something that is no address")?;
    if target.scheme() != from.scheme() {
        return Err("to another scheme, which is not followed");
    }
    if !is_bare(&target) {
        return Err("to an address with a login in it, which is not followed");
    }
    if target.origin() == from.origin() {
        return Ok(target);
    }
    if target.scheme() == "http" {
        let listed = options.plain_http.contains(target.authority());
        return if listed { Ok(target) } else { Err("to a host without TLS that is not listed as such") };
    }
    if is_loopback(&target) { Err("into this machine, which is not followed") } else { Ok(target) }
}

/// Whether an address has no user and no password in it.
pub(super) fn is_bare(url: &Url) -> bool {
    url.username().is_empty() && url.password().is_none()
}

/// Whether an address names this machine, or what answers for its network alone.
pub(super) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(address)) => address.is_loopback() || address.is_unspecified() || address.is_link_local(),
        Some(Host::Ipv6(address)) => {
            let mapped = address.to_ipv4_mapped();
            let inner = mapped.is_some_and(|address| address.is_loopback() || address.is_unspecified());
            inner || address.is_loopback() || address.is_unspecified() || address.is_unicast_link_local()
        }
        None => true,
    }
}

/// What a status other than the expected one means.
pub(super) fn status_error(place: &str, what: &str, status: StatusCode) -> SourceError {
    let problem = match status {
        StatusCode::NOT_FOUND => return SourceError::missing(place, what),
        StatusCode::TOO_MANY_REQUESTS => "it refuses more requests for now (HTTP 429): try again later".to_owned(),
        status if status.is_server_error() => {
            format!("it failed with HTTP {} when asked for {what}: try again later", status.as_u16())
        }
        status => format!("it answered HTTP {} when asked for {what}", status.as_u16()),
    };
    SourceError::failed(place, problem)
}

/// Why there is no whole answer. Certificates are the other side's words, so they are escaped.
pub(super) fn transport_error(error: reqwest::Error) -> String {
    if !error.is_connect() && !error.is_builder() {
        let kind = if error.is_request() {
            "the connection ended before an answer, or what came is no HTTP"
        } else {
            "the connection broke in the middle of an answer"
        };
        return kind.to_owned();
    }
    let error = error.without_url();
    let mut innermost: &dyn std::error::Error = &error;
    while let Some(inner) = innermost.source() {
        innermost = inner;
    }
    let reason: String = innermost.to_string().chars().take(200).collect();
    format!("no connection: {}", shown(&reason))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    #[test]
    fn a_redirect_leads_to_another_public_host_of_the_same_scheme_or_nowhere() {
        let options = Options { plain_http: ["127.0.0.1:5000".to_owned()].into(), ..Options::default() };
        let lead = |from: &str, to: &str| {
            redirected(&from.parse().unwrap(), Some(&HeaderValue::from_str(to).unwrap()), &options).map(String::from)
        };
        let home = "https://registry.example.com/v2/a/b/blobs/sha256:00";
        assert_eq!(lead(home, "https://storage.example.com/x?y=z").unwrap(), "https://storage.example.com/x?y=z");
        assert_eq!(lead(home, "/elsewhere").unwrap(), "https://registry.example.com/elsewhere");
        for refused in [
            "http://storage.example.com/x",
            "http://registry.example.com/x",
            "http://127.0.0.1:5000/x",
            "https://127.0.0.1/x",
            "https://127.1.2.3:8443/x",
            "https://0x7f000001/x",
            "https://[::1]/x",
            "https://[::ffff:127.0.0.1]/x",
            "https://0.0.0.0/x",
            "https://169.254.169.254/latest",
            "https://localhost/x",
            "https://a.localhost/x",
            "https://user:password@storage.example.com/x",
            "//localhost/x",
            "file:///etc/passwd",
            "data:,x",
            "https://",
        ] {
            assert!(lead(home, refused).is_err(), "{refused}");
        }
        let plain = "http://127.0.0.1:5001/v2/a/b/blobs/sha256:00";
        assert!(lead(plain, "http://127.0.0.1:5000/x").is_ok(), "the operator listed it");
        assert!(lead(plain, "/x").is_ok());
        assert!(lead(plain, "http://127.0.0.1:5002/x").is_err());
        assert!(lead(plain, "https://storage.example.com/x").is_err());
        assert!(redirected(&home.parse().unwrap(), None, &options).is_err());
    }
}
