//! Owns: downloading a file from a granted host, including redirects, within limits.
//! Does not own: when to download (the engine's `media`), where the bytes go ([`FileSink`]).

use harness_contract::HttpRequest;
use http::{StatusCode, header};
use tokio::time::timeout;
use url::Url;

use crate::{
    error::{EgressError, transport_error},
    memory::Held,
    response::IDLE,
    send::{Caller, Egress},
};

/// Maximum number of redirects. Each must lead to a granted host.
const REDIRECTS: u32 = 3;

/// Receives the bytes of a file.
pub trait FileSink: Send {
    /// Why writing failed.
    type Error: Send;
    /// Writes the next chunk.
    fn write(&mut self, piece: &[u8]) -> impl Future<Output = Result<(), Self::Error>> + Send;
}

/// A downloaded file.
#[derive(Debug)]
pub struct Downloaded<S> {
    /// The sink with all bytes.
    pub sink: S,
    /// The media type that the server claims.
    pub claimed: Option<String>,
}

/// Why a download failed.
#[derive(Debug, thiserror::Error)]
pub enum DownloadError<E> {
    /// The file, or a redirect, is on another host.
    #[error("its address lies outside of the media hosts that were granted: {0}")]
    NotGranted(String),
    /// The HTTP status.
    #[error("its address gives it no longer (HTTP {0})")]
    Gone(u16),
    /// The bound, in bytes.
    #[error("it is larger than the {0} bytes that this host takes")]
    TooLarge(u64),
    /// Retrying may help.
    #[error("it could not be fetched: {0}")]
    Passing(String),
    /// Writing failed.
    #[error("it could not be stored here")]
    Sink(#[source] E),
}

impl Egress {
    /// Downloads a file of at most `max` bytes into the sink that `begin` opens when the response arrives. `hosts` are
    /// exact names, or `*.` and a name for all its subdomains.
    pub async fn download<S: FileSink, B: Future<Output = Result<S, S::Error>> + Send>(
        &self,
        hosts: &[String],
        url: &str,
        max: u64,
        begin: impl FnOnce() -> B + Send,
    ) -> Result<Downloaded<S>, DownloadError<S::Error>> {
        let fetch = async {
            let (response, claimed) = self.follow(hosts, url).await?;
            let sink = begin().await.map_err(DownloadError::Sink)?;
            Ok(Downloaded { sink: read(response, sink, max).await?, claimed })
        };
        self.clients.in_time(fetch).await.map_err(DownloadError::Passing)?
    }

    /// Like [`Self::download`], for a request built by a channel, under its grant and with its credentials. Redirects
    /// are followed without the credentials, to hosts granted for files.
    pub async fn download_as<S: FileSink, B: Future<Output = Result<S, S::Error>> + Send>(
        &self,
        caller: &Caller<'_>,
        hosts: &[String],
        request: HttpRequest,
        max: u64,
        memory: &mut Held,
        begin: impl FnOnce() -> B + Send,
    ) -> Result<Downloaded<S>, DownloadError<S::Error>> {
        let fetch = async {
            let injected = self.injected(caller, request, memory).await.map_err(refused)?;
            let (client, target) = self.clients.route(injected.url);
            let response = begun(client.request(injected.method, target).headers(injected.headers)).await?;
            let (response, claimed) = match response.status() {
                StatusCode::OK => {
                    let claimed = text(&response, header::CONTENT_TYPE);
                    (response, claimed)
                }
                status if status.is_redirection() => {
                    let target = redirected(&response, response.url())?;
                    self.follow(hosts, target.as_str()).await?
                }
                StatusCode::NOT_FOUND | StatusCode::GONE => {
                    return Err(DownloadError::Gone(response.status().as_u16()));
                }
                other => return Err(DownloadError::Passing(format!("HTTP {}", other.as_u16()))),
            };
            let sink = begin().await.map_err(DownloadError::Sink)?;
            Ok(Downloaded { sink: read(response, sink, max).await?, claimed })
        };
        self.clients.in_time(fetch).await.map_err(DownloadError::Passing)?
    }

    /// Follows redirects and returns the response and its claimed media type.
    async fn follow<E>(
        &self,
        hosts: &[String],
        url: &str,
    ) -> Result<(reqwest::Response, Option<String>), DownloadError<E>> {
        let mut next = Url::parse(url).map_err(|_| DownloadError::NotGranted("it is no address".into()))?;
        for _ in 0..=REDIRECTS {
            let url = self.clients.as_platform(next);
            if !is_media_host(hosts, &url) {
                let place = format!("{}://{}", url.scheme(), url.host_str().unwrap_or_default());
                return Err(DownloadError::NotGranted(place));
            }
            let (client, target) = self.clients.route(url.clone());
            let response = begun(client.get(target)).await?;
            let status = response.status();
            if status.is_redirection() {
                next = redirected(&response, &url)?;
                continue;
            }
            let claimed = text(&response, header::CONTENT_TYPE);
            return match status {
                StatusCode::OK => Ok((response, claimed)),
                StatusCode::FORBIDDEN | StatusCode::NOT_FOUND | StatusCode::GONE => {
                    Err(DownloadError::Gone(status.as_u16()))
                }
                other => Err(DownloadError::Passing(format!("HTTP {}", other.as_u16()))),
            };
        }
        Err(DownloadError::Passing("too many redirects".into()))
    }
}

/// Sends a request and waits for the headers of the response.
async fn begun<E>(request: reqwest::RequestBuilder) -> Result<reqwest::Response, DownloadError<E>> {
    let idle = |_| DownloadError::Passing(format!("nothing came for {IDLE:?}"));
    timeout(IDLE, request.send()).await.map_err(idle)?.map_err(passing)
}

fn text(response: &reqwest::Response, name: header::HeaderName) -> Option<String> {
    response.headers().get(name).and_then(|value| value.to_str().ok()).map(str::to_owned)
}

/// The target of a redirect from this address.
fn redirected<E>(response: &reqwest::Response, from: &Url) -> Result<Url, DownloadError<E>> {
    let target = text(response, header::LOCATION).and_then(|location| from.join(&location).ok());
    target.ok_or_else(|| DownloadError::Passing("a redirect without an address".into()))
}

fn refused<E>(error: EgressError) -> DownloadError<E> {
    match error {
        EgressError::Unreachable(reason) | EgressError::NoAnswer(reason) => DownloadError::Passing(reason),
        other => DownloadError::NotGranted(other.to_string()),
    }
}

fn passing<E>(error: reqwest::Error) -> DownloadError<E> {
    match transport_error(error) {
        EgressError::Unreachable(reason) | EgressError::NoAnswer(reason) => DownloadError::Passing(reason),
        other => DownloadError::Passing(other.to_string()),
    }
}

async fn read<S: FileSink>(
    mut response: reqwest::Response,
    mut sink: S,
    max: u64,
) -> Result<S, DownloadError<S::Error>> {
    if response.content_length().is_some_and(|length| length > max) {
        return Err(DownloadError::TooLarge(max));
    }
    let idle = |_| DownloadError::Passing(format!("nothing more came for {IDLE:?}"));
    let mut size = 0_u64;
    while let Some(piece) = timeout(IDLE, response.chunk()).await.map_err(idle)?.map_err(passing)? {
        size = size.saturating_add(piece.len() as u64);
        if size > max {
            return Err(DownloadError::TooLarge(max));
        }
        sink.write(&piece).await.map_err(DownloadError::Sink)?;
    }
    Ok(sink)
}

/// Whether a URL is on a host that was granted for files.
pub fn is_media_host(hosts: &[String], url: &Url) -> bool {
    // An IP address never reaches the resolver, so it is refused here.
    let Some(url::Host::Domain(host)) = url.host() else { return false };
    let bare = url.username().is_empty() && url.password().is_none();
    url.scheme() == "https" && url.port().is_none() && bare && hosts.iter().any(|granted| covers(granted, host))
}

fn covers(granted: &str, host: &str) -> bool {
    match granted.strip_prefix("*.") {
        Some(parent) => host.strip_suffix(parent).is_some_and(|below| below.len() > 1 && below.ends_with('.')),
        None => granted == host,
    }
}

#[cfg(test)]
mod tests {
    use super::covers;

    #[test]
    fn a_star_covers_names_below_and_nothing_beside() {
        assert!(covers("*.fbcdn.net", "scontent.xx.fbcdn.net") && covers("cdn.example.com", "cdn.example.com"));
        for outside in ["fbcdn.net", ".fbcdn.net", "evilfbcdn.net", "fbcdn.net.example.com", ""] {
            assert!(!covers("*.fbcdn.net", outside), "{outside}");
        }
        assert!(!covers("cdn.example.com", "x.cdn.example.com"));
    }
}
