//! Owns: a registry's repository as a place where packages lie, and the bounds of speaking to one.
//! Does not own: what may be trusted of it.
//!
//! A registry is a stranger: every answer has a bound, every operation a deadline, every byte is compared with the digest
//! by which it was asked for, and no address that it names is followed, but for the redirect of a blob, without
//! credentials. The protocol is the OCI distribution specification 1.1.

mod auth;
mod blobs;
mod client;
mod logins;
mod referrers;
mod write;

use std::{collections::BTreeSet, time::Duration};

use async_trait::async_trait;
use harness_contract::text::shown;
use http::{HeaderMap, StatusCode, header};
use reqwest::Response;

pub use client::{Client, ClientError};
pub use logins::{Login, Logins};

use crate::{
    Digest,
    oci::{Descriptor, Index, MANIFEST, MAX_ATTACHMENT, MAX_MANIFEST, Manifest},
    reference::{Reference, is_tag},
    registry::client::{Access, Call, Repository, status_error},
    source::{Source, SourceError, Target, checked, described},
};

/// The most tags of a repository.
const MAX_TAGS: usize = 10_000;
/// How many tags are asked for at a time.
const TAGS_OF_A_PAGE: usize = 1000;
/// The longest address of a next page that is looked at, in bytes.
const MAX_LINK: usize = 2048;

/// How registries are spoken to.
#[derive(Clone, Debug)]
pub struct Options {
    /// The longest duration of an operation: reading or writing a manifest, listing tags or referrers.
    pub answer: Duration,
    /// The longest duration of reading or writing a blob, with all its interruptions.
    pub transfer: Duration,
    /// Registries that are spoken to without TLS, each as a reference names it: `HOST` or `HOST:PORT`.
    pub plain_http: BTreeSet<String>,
    /// Where to look for logins.
    pub logins: Logins,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            answer: Duration::from_secs(60),
            transfer: Duration::from_secs(600),
            plain_http: BTreeSet::new(),
            logins: Logins::default(),
        }
    }
}

/// A repository of a registry.
#[derive(Clone, Debug)]
pub struct Registry {
    client: Client,
    repository: Repository,
}

impl Registry {
    /// The repository of a reference; its version and its digest say nothing here.
    ///
    /// # Errors
    ///
    /// [`SourceError::Failed`] where no address can be made of it.
    pub fn new(client: &Client, reference: &Reference) -> Result<Self, SourceError> {
        Ok(Self { client: client.clone(), repository: client.repository(reference)? })
    }

    fn place(&self) -> &str {
        &self.repository.place
    }

    /// Ends an operation at its deadline.
    async fn within<T>(
        &self,
        longest: Duration,
        operation: impl Future<Output = Result<T, SourceError>>,
    ) -> Result<T, SourceError> {
        tokio::time::timeout(longest, operation).await.unwrap_or_else(|_| {
            Err(SourceError::failed(self.place(), format!("it did not answer in full within {longest:?}")))
        })
    }

    async fn call(&self, access: Access, call: Call) -> Result<Response, SourceError> {
        self.client.call(&self.repository, access, call).await
    }

    /// The bytes of a manifest or an index by its tag or digest. None where there is none.
    async fn get_manifest(&self, name: &str, accept: &'static str) -> Result<Option<Vec<u8>>, SourceError> {
        let what = format!("manifest {}", shown(name));
        let call = Call::get(self.repository.below(&["manifests", name])?).accept(accept);
        let response = self.call(Access::Pull, call).await?;
        match response.status() {
            StatusCode::OK => self.client.read(&self.repository, &what, response, MAX_MANIFEST).await.map(Some),
            StatusCode::NOT_FOUND => Ok(None),
            status => Err(status_error(self.place(), &what, status)),
        }
    }

    /// What lies under a tag.
    async fn under(&self, tag: &str) -> Result<Option<Descriptor>, SourceError> {
        if !is_tag(tag) {
            return Ok(None);
        }
        let Some(bytes) = self.get_manifest(tag, MANIFEST).await? else { return Ok(None) };
        if let Err(error) = Manifest::read(&bytes) {
            let problem = format!("under {tag} lies no package: {}", shown(&error.to_string()));
            return Err(SourceError::failed(self.place(), problem));
        }
        Ok(Some(Descriptor::of(MANIFEST, &bytes)))
    }

    async fn list_tags(&self) -> Result<Vec<String>, SourceError> {
        #[derive(serde::Deserialize)]
        struct Page {
            // Null where all tags were deleted.
            tags: Option<Vec<String>>,
        }
        let mut found = BTreeSet::new();
        let mut query = format!("n={TAGS_OF_A_PAGE}");
        loop {
            let mut url = self.repository.below(&["tags", "list"])?;
            url.set_query(Some(&query));
            let response = self.call(Access::Pull, Call::get(url)).await?;
            match response.status() {
                StatusCode::OK => {}
                status => return Err(status_error(self.place(), "list of tags", status)),
            }
            let next = next_page(response.headers());
            let bytes = self.client.read(&self.repository, "page of tags", response, MAX_ATTACHMENT).await?;
            let page: Page = serde_json::from_slice(&bytes)
                .map_err(|_| SourceError::failed(self.place(), "its list of tags cannot be read"))?;
            let before = found.len();
            found.extend(page.tags.unwrap_or_default().into_iter().filter(|tag| is_tag(tag)));
            if found.len() > MAX_TAGS {
                return Err(SourceError::failed(self.place(), format!("it has more than {MAX_TAGS} tags")));
            }
            match next {
                // A page with nothing new is the end, whatever it says about a next one.
                Some(next) if found.len() > before => query = next,
                _ => return Ok(found.into_iter().collect()),
            }
        }
    }
}

/// How the next page is asked for: of the address that the registry names, the query alone is used.
fn next_page(headers: &HeaderMap) -> Option<String> {
    let links = headers.get_all(header::LINK).iter().filter_map(|link| link.to_str().ok());
    let next = links.filter(|link| link.len() <= MAX_LINK).find_map(|link| {
        let (address, parameters) = link.trim().strip_prefix('<')?.split_once('>')?;
        let parameters = parameters.replace([' ', '"'], "");
        parameters.split(';').any(|parameter| parameter == "rel=next").then_some(address)
    })?;
    let (_, query) = next.split_once('?')?;
    Some(query.split('#').next().unwrap_or_default().to_owned())
}

#[async_trait]
impl Source for Registry {
    fn place(&self) -> String {
        self.repository.place.clone()
    }

    async fn resolve(&self, tag: &str) -> Result<Descriptor, SourceError> {
        let found = self.within(self.client.options().answer, self.under(tag)).await?;
        found.ok_or_else(|| SourceError::missing(self.place(), format!("package under {}", shown(tag))))
    }

    async fn tags(&self) -> Result<Vec<String>, SourceError> {
        self.within(self.client.options().answer, self.list_tags()).await
    }

    async fn manifest(&self, digest: &Digest) -> Result<Vec<u8>, SourceError> {
        let name = digest.to_string();
        let bytes = self.within(self.client.options().answer, self.get_manifest(&name, MANIFEST)).await?;
        let bytes = bytes.ok_or_else(|| SourceError::missing(self.place(), format!("manifest {name}")))?;
        checked(self.place(), digest, bytes)
    }

    async fn blob(&self, of: &Descriptor, max: u64) -> Result<Vec<u8>, SourceError> {
        if of.size > max {
            return Err(SourceError::too_large(self.place(), format!("blob {}", of.digest), max));
        }
        let bytes = self.within(self.client.options().transfer, self.get_blob(of)).await?;
        described(self.place(), of, bytes)
    }

    async fn referrers(&self, subject: &Digest) -> Result<Index, SourceError> {
        self.within(self.client.options().answer, self.list_referrers(subject)).await
    }
}

#[async_trait]
impl Target for Registry {
    async fn put_blob(&self, of: &Descriptor, bytes: &[u8]) -> Result<(), SourceError> {
        let bytes = described(self.place(), of, bytes.to_vec())?;
        self.within(self.client.options().transfer, self.upload(&of.digest, bytes.into())).await
    }

    async fn put_manifest(&self, bytes: &[u8], tag: Option<&str>) -> Result<Descriptor, SourceError> {
        self.within(self.client.options().answer, self.write_manifest(bytes, tag)).await
    }

    async fn put_referrer(&self, subject: &Descriptor, referrer: Descriptor) -> Result<(), SourceError> {
        self.within(self.client.options().answer, self.write_referrer(&subject.digest, &referrer)).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_the_address_of_a_next_page_the_query_alone_is_used() {
        let next = |link: &str| {
            let value = http::HeaderValue::from_str(link).unwrap_or(http::HeaderValue::from_static(""));
            next_page(&HeaderMap::from_iter([(header::LINK, value)]))
        };
        assert_eq!(next(r#"</v2/a/b/tags/list?n=2&last=1.0.0>; rel="next""#).as_deref(), Some("n=2&last=1.0.0"));
        assert_eq!(next(r#"<http://169.254.1.1/x?last=a#b>;rel=next"#).as_deref(), Some("last=a"));
        for none in [r#"</v2/x?last=a>; rel="prev""#, "</v2/x>; rel=next", "last=a", "", "<", "<x?y"] {
            assert_eq!(next(none), None, "{none}");
        }
        assert_eq!(next(&format!("</v2/x?last={}>; rel=next", "a".repeat(3000))), None);
    }
}
