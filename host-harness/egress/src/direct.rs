//! Owns: the host's own HTTP calls, to addresses that a person configured: products' webhooks, a language model.
//! Does not own: requests of channels (`send`), what is called and when.

use std::{net::IpAddr, pin::Pin, sync::Arc, time::Duration};

use bytes::Bytes;
use http::{HeaderMap, Method, StatusCode};
use reqwest::Client;
use url::{Host, Url};

use crate::{
    client::{Timer, client_builder},
    error::{EgressError, SetupError, transport_error},
    resolver::{PublicOnly, is_public},
};

/// The longest address that is accepted, in bytes.
const MAX_URL: usize = 2048;
/// The most bytes that a call may send.
const MAX_BODY: usize = 16 << 20;

/// Why a call of the host has no answer. It quotes no header, no body and of the address only the host.
#[derive(Clone, Debug, thiserror::Error)]
pub enum DirectError {
    /// The address is not usable. Nothing was sent.
    #[error("the address cannot be called: {0}")]
    Address(&'static str),
    /// The address lies in a private network and the operator did not list it. Nothing was sent.
    #[error(
        "`{0}` lies in a private network; to call it, the operator lists it in `private-hosts` of the configuration"
    )]
    Private(String),
    /// The body is larger than these bytes. Nothing was sent.
    #[error("the request is larger than {0} bytes and was not sent")]
    RequestTooLarge(usize),
    /// No connection. Nothing was sent.
    #[error("no connection could be made: {0}")]
    Unreachable(String),
    /// It may have arrived.
    #[error("no answer came: {0}")]
    NoAnswer(String),
    /// The answer is longer than these bytes.
    #[error("the answer is longer than {0} bytes")]
    AnswerTooLarge(usize),
}

impl DirectError {
    /// Whether the other side may have acted on the request.
    pub fn may_have_arrived(&self) -> bool {
        matches!(self, Self::NoAnswer(_) | Self::AnswerTooLarge(_))
    }
}

/// A call to make.
#[derive(Clone, Debug)]
pub struct DirectCall {
    /// GET, POST …
    pub method: Method,
    /// `https`, or `http` for the operator's private hosts.
    pub url: Url,
    /// Mark the value of a credential as sensitive: it is never shown.
    pub headers: HeaderMap,
    /// The body; empty for none.
    pub body: Bytes,
}

/// The limits of one call.
#[derive(Clone, Copy, Debug)]
pub struct DirectLimits {
    /// The longest answer, in bytes.
    pub answer: usize,
    /// From connecting to the last byte of the answer.
    pub total: Duration,
    /// The longest pause within the answer.
    pub idle: Duration,
}

/// A whole answer.
#[derive(Clone, Debug)]
pub struct DirectAnswer {
    /// The HTTP status. Redirects are not followed.
    pub status: StatusCode,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body.
    pub body: Bytes,
}

/// Makes the host's own calls. No proxy, no redirects, no cookies; by default only to public addresses over TLS.
pub struct DirectClient {
    public: Client,
    private: Client,
    private_hosts: Vec<String>,
    timer: Arc<dyn Timer>,
}

impl DirectClient {
    /// A client that may also call these private hosts, in plain `http` too: `name`, `name:port` or an IP address with
    /// or without a port. Limits are measured by `timer`.
    pub fn new(private_hosts: Vec<String>, timer: Arc<dyn Timer>) -> Result<Self, SetupError> {
        Ok(Self {
            public: client_builder()?.https_only(true).dns_resolver(PublicOnly).build().map_err(SetupError::of)?,
            private: client_builder()?.build().map_err(SetupError::of)?,
            private_hosts: private_hosts.into_iter().map(|host| host.to_ascii_lowercase()).collect(),
            timer,
        })
    }

    /// Parses an address and checks it as far as that is possible without resolving its name: for settings, before they
    /// are stored. The same holds again for every call.
    pub fn check(&self, url: &str) -> Result<Url, DirectError> {
        if url.len() > MAX_URL {
            return Err(DirectError::Address("it is longer than 2,048 bytes"));
        }
        let url =
            Url::parse(url).map_err(|_| DirectError::Address("it is not a URL such as `https://example.com/`"))?;
        self.client_for(&url)?;
        Ok(url)
    }

    /// The client that may call this address.
    fn client_for(&self, url: &Url) -> Result<&Client, DirectError> {
        let host = url.host().ok_or(DirectError::Address("it names no host"))?;
        if !url.username().is_empty() || url.password().is_some() {
            return Err(DirectError::Address("it contains a user name or a password"));
        }
        if !matches!(url.scheme(), "https" | "http") {
            return Err(DirectError::Address("it does not begin with `https://`"));
        }
        if self.is_private_host(url) {
            return Ok(&self.private);
        }
        // A literal address never reaches the resolver, which checks those of names.
        let literal = match host {
            Host::Domain(_) => None,
            Host::Ipv4(v4) => Some(IpAddr::V4(v4)),
            Host::Ipv6(v6) => Some(IpAddr::V6(v6)),
        };
        if literal.is_some_and(|address| !is_public(address)) {
            return Err(DirectError::Private(host.to_string()));
        }
        if url.scheme() != "https" {
            return Err(DirectError::Address("it does not begin with `https://`"));
        }
        Ok(&self.public)
    }

    fn is_private_host(&self, url: &Url) -> bool {
        let Some(host) = url.host_str() else { return false };
        let with_port = url.port_or_known_default().map(|port| format!("{host}:{port}"));
        self.private_hosts.iter().any(|listed| listed == host || Some(listed) == with_port.as_ref())
    }

    /// Makes a call and reads its whole answer.
    pub async fn call(&self, call: DirectCall, limits: DirectLimits) -> Result<DirectAnswer, DirectError> {
        let mut stream = self.stream(call, limits).await?;
        let mut body = Vec::new();
        while let Some(piece) = stream.next().await? {
            body.extend_from_slice(&piece);
        }
        Ok(DirectAnswer { status: stream.status, headers: stream.headers, body: body.into() })
    }

    /// Makes a call and returns once the headers of the answer are there; its body is read piece by piece.
    pub async fn stream(&self, call: DirectCall, limits: DirectLimits) -> Result<DirectStream, DirectError> {
        let client = self.client_for(&call.url)?;
        if call.body.len() > MAX_BODY {
            return Err(DirectError::RequestTooLarge(MAX_BODY));
        }
        let mut request = client.request(call.method, call.url).headers(call.headers);
        if !call.body.is_empty() {
            request = request.body(call.body);
        }
        let timer = Arc::clone(&self.timer);
        let mut end: End = Box::pin(async move { timer.wait(limits.total).await });
        let response = tokio::select! {
            biased;
            () = &mut end => return Err(too_late(limits.total)),
            response = request.send() => response.map_err(of_transport)?,
        };
        Ok(DirectStream {
            status: response.status(),
            headers: response.headers().clone(),
            response,
            read: 0,
            limits,
            end,
            timer: Arc::clone(&self.timer),
        })
    }
}

type End = Pin<Box<dyn Future<Output = ()> + Send>>;

/// An answer whose body is still coming. Dropping it ends the connection.
pub struct DirectStream {
    /// The HTTP status.
    pub status: StatusCode,
    /// Its headers.
    pub headers: HeaderMap,
    response: reqwest::Response,
    read: usize,
    limits: DirectLimits,
    end: End,
    timer: Arc<dyn Timer>,
}

impl DirectStream {
    /// The next piece of the body; `None` at its end. After an error the stream is of no more use.
    pub async fn next(&mut self) -> Result<Option<Bytes>, DirectError> {
        let piece = tokio::select! {
            biased;
            () = &mut self.end => return Err(too_late(self.limits.total)),
            () = self.timer.wait(self.limits.idle) => {
                return Err(DirectError::NoAnswer(format!("it paused for {:?} in the middle", self.limits.idle)));
            }
            piece = self.response.chunk() => piece.map_err(of_transport)?,
        };
        let Some(piece) = piece else { return Ok(None) };
        self.read = self.read.saturating_add(piece.len());
        if self.read > self.limits.answer {
            return Err(DirectError::AnswerTooLarge(self.limits.answer));
        }
        Ok(Some(piece))
    }
}

fn too_late(total: Duration) -> DirectError {
    DirectError::NoAnswer(format!("it was not there after {total:?}"))
}

fn of_transport(error: reqwest::Error) -> DirectError {
    match transport_error(error) {
        EgressError::Unreachable(reason) => DirectError::Unreachable(reason),
        EgressError::NoAnswer(reason) => DirectError::NoAnswer(reason),
        other => DirectError::NoAnswer(other.to_string()),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    /// Time that never passes.
    struct Still;

    impl Timer for Still {
        fn now(&self) -> u64 {
            0
        }

        fn wait(&self, _: Duration) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
            Box::pin(std::future::pending())
        }
    }

    fn client(private_hosts: &[&str]) -> DirectClient {
        DirectClient::new(private_hosts.iter().map(ToString::to_string).collect(), Arc::new(Still)).unwrap()
    }

    #[test]
    fn an_address_inside_the_network_is_refused_in_any_spelling_unless_the_operator_listed_it() {
        let by_default = client(&[]);
        for inside in [
            "https://127.0.0.1/",
            "https://2130706433/",
            "https://0x7f.1/",
            "https://[::1]/",
            "https://[::ffff:10.0.0.1]/",
            "https://169.254.169.254/latest/meta-data/",
            "http://192.168.0.1:8080/",
        ] {
            assert!(matches!(by_default.check(inside), Err(DirectError::Private(_))), "{inside}");
        }
        let listed = client(&["127.0.0.1:8080", "Model.Internal"]);
        assert!(listed.check("http://127.0.0.1:8080/v1").is_ok() && listed.check("http://model.internal:9/v1").is_ok());
        assert!(listed.check("http://127.0.0.1:8081/").is_err() && listed.check("http://x.model.internal/").is_err());
    }

    #[test]
    fn an_address_that_is_no_plain_https_is_refused() {
        let client = client(&[]);
        for wrong in [
            "http://example.com/",
            "ftp://example.com/",
            "file:///etc/passwd",
            "https://user@example.com/",
            "https://user:password@example.com/",
            "example.com",
            "data:text/plain,x",
        ] {
            assert!(matches!(client.check(wrong), Err(DirectError::Address(_))), "{wrong}");
        }
        assert!(client.check(&format!("https://example.com/{}", "a".repeat(MAX_URL))).is_err());
        assert!(client.check("https://example.com:8443/v1?x=y").is_ok());
    }
}
