//! Fetching a file that a message names: only from the hosts that were granted, redirects included, and
//! within bounds. Belongs here: that one exchange. When and why: `media`.

use http::{StatusCode, header};
use tokio::time::timeout;
use url::Url;

use crate::{
    answer::transport_error,
    egress::{Egress, EgressError, IDLE},
    incoming::{Incoming, IncomingError, Whole},
    store::{MediaStore, StoreError},
};

/// Redirects that are followed, each to a host that was granted.
const REDIRECTS: u32 = 3;

/// A file as it came: on the disk, and without a name there.
#[derive(Debug)]
pub(crate) struct Download {
    pub(crate) whole: Whole,
    /// What the server says that it is.
    pub(crate) claimed: Option<String>,
}

/// Why there is no file.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DownloadError {
    #[error("its address lies outside of the media hosts that were granted: {0}")]
    NotGranted(String),
    #[error("its address gives it no longer (HTTP {0})")]
    Gone(u16),
    #[error("it is larger than the {0} bytes that this host takes")]
    TooLarge(u64),
    #[error("it could not be fetched: {0}")]
    Passing(String),
    #[error("it could not be stored here")]
    Store(#[from] StoreError),
}

impl From<IncomingError> for DownloadError {
    fn from(error: IncomingError) -> Self {
        match error {
            IncomingError::TooLarge(max) => Self::TooLarge(max),
            IncomingError::Store(error) => Self::Store(error),
        }
    }
}

impl Egress {
    /// Downloads a file of at most `max` bytes. `hosts` are exact names, or `*.` and a name for every name below it.
    pub(crate) async fn download(
        &self,
        store: &MediaStore,
        hosts: &[String],
        url: &str,
        max: u64,
    ) -> Result<Download, DownloadError> {
        self.in_time(self.follow(store, hosts, url, max)).await.map_err(DownloadError::Passing)?
    }

    async fn follow(
        &self,
        store: &MediaStore,
        hosts: &[String],
        url: &str,
        max: u64,
    ) -> Result<Download, DownloadError> {
        let mut next = Url::parse(url).map_err(|_| DownloadError::NotGranted("it is no address".into()))?;
        for _ in 0..=REDIRECTS {
            let url = self.as_platform(next);
            if !is_granted(hosts, &url) {
                let place = format!("{}://{}", url.scheme(), url.host_str().unwrap_or_default());
                return Err(DownloadError::NotGranted(place));
            }
            let (client, target) = self.route(url.clone());
            let passing = |error: reqwest::Error| match transport_error(error) {
                EgressError::Unreachable(reason) | EgressError::NoAnswer(reason) => DownloadError::Passing(reason),
                other => DownloadError::Passing(other.to_string()),
            };
            let idle = |_| DownloadError::Passing(format!("nothing came for {IDLE:?}"));
            let response = timeout(IDLE, client.get(target).send()).await.map_err(idle)?.map_err(passing)?;
            let status = response.status();
            let text = |name| response.headers().get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
            if status.is_redirection() {
                let target = text(header::LOCATION).and_then(|location| url.join(&location).ok());
                next = target.ok_or_else(|| DownloadError::Passing("a redirect without an address".into()))?;
                continue;
            }
            return match status {
                StatusCode::OK => {
                    let claimed = text(header::CONTENT_TYPE);
                    let incoming = Incoming::begin(store, max).await?;
                    Ok(Download { whole: read(response, incoming, max, passing).await?, claimed })
                }
                StatusCode::FORBIDDEN | StatusCode::NOT_FOUND | StatusCode::GONE => {
                    Err(DownloadError::Gone(status.as_u16()))
                }
                other => Err(DownloadError::Passing(format!("HTTP {}", other.as_u16()))),
            };
        }
        Err(DownloadError::Passing("too many redirects".into()))
    }
}

/// Whether an address lies on a host that was granted for files.
pub(crate) fn is_granted(hosts: &[String], url: &Url) -> bool {
    // A resolver never sees an address in place of a name, so it is refused here.
    let Some(url::Host::Domain(host)) = url.host() else { return false };
    let bare = url.username().is_empty() && url.password().is_none();
    url.scheme() == "https" && url.port().is_none() && bare && hosts.iter().any(|granted| covers(granted, host))
}

async fn read(
    mut response: reqwest::Response,
    mut incoming: Incoming,
    max: u64,
    passing: impl Fn(reqwest::Error) -> DownloadError,
) -> Result<Whole, DownloadError> {
    if response.content_length().is_some_and(|length| length > max) {
        return Err(DownloadError::TooLarge(max));
    }
    let idle = |_| DownloadError::Passing(format!("nothing more came for {IDLE:?}"));
    while let Some(chunk) = timeout(IDLE, response.chunk()).await.map_err(idle)?.map_err(&passing)? {
        incoming.write(&chunk).await?;
    }
    Ok(incoming.finish().await?)
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
