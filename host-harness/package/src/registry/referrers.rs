//! Owns: what refers to a package in a registry: by the referrers API, or by the tag that stands in for it.
//! Does not own: what a referrer says (signatures, attachments).
//!
//! A registry without the API keeps an image index under the tag `sha256-HEX`, which its clients write.

use http::StatusCode;

use super::{
    Registry,
    client::{Access, Call, status_error},
    next_page,
};
use crate::{
    Digest,
    oci::{Descriptor, INDEX, Index, MANIFEST, MAX_MANIFEST, OciError},
    source::SourceError,
};

/// The most referrers that are returned.
const MAX_REFERRERS: usize = 100;
/// The most entries of a list that are looked at.
const MAX_LISTED: usize = 1000;
/// The most pages that are asked for.
const MAX_PAGES: usize = 20;
/// How often an index is written again because somebody else wrote it meanwhile.
const MAX_WRITES: usize = 5;

impl Registry {
    pub(super) async fn list_referrers(&self, subject: &Digest) -> Result<Index, SourceError> {
        let found = match self.referrers_by_api(subject).await? {
            Some(found) => found,
            None => match self.listed_by_tag(subject).await? {
                Some(bytes) => self.read_index(&bytes)?.manifests,
                None => Vec::new(),
            },
        };
        let manifests = found.into_iter().take(MAX_LISTED).filter(|entry| entry.media_type == MANIFEST).collect();
        Ok(Index::of_referrers(manifests, MAX_REFERRERS))
    }

    /// None where the registry has no such API.
    async fn referrers_by_api(&self, subject: &Digest) -> Result<Option<Vec<Descriptor>>, SourceError> {
        let mut found: Vec<Descriptor> = Vec::new();
        let mut query = None;
        for _ in 0..MAX_PAGES {
            let mut url = self.repository.below(&["referrers", &subject.to_string()])?;
            url.set_query(query.as_deref());
            let response = self.call(Access::Pull, Call::get(url).accept(INDEX)).await?;
            match response.status() {
                StatusCode::OK => {}
                status if query.is_none() && knows_no_referrers(status) => return Ok(None),
                status => return Err(status_error(self.place(), "list of referrers", status)),
            }
            query = next_page(response.headers());
            let bytes = self.client.read(&self.repository, "list of referrers", response, MAX_MANIFEST).await?;
            found.extend(self.read_index(&bytes)?.manifests);
            if query.is_none() || found.len() >= MAX_LISTED {
                break;
            }
        }
        Ok(Some(found))
    }

    /// The index under the fallback tag. Where a registry takes the tag for the digest, and gives the subject itself, there
    /// is none.
    async fn listed_by_tag(&self, subject: &Digest) -> Result<Option<Vec<u8>>, SourceError> {
        let found = self.get_manifest(&fallback_tag(subject), INDEX).await?;
        Ok(found.filter(|bytes| Digest::of(bytes) != *subject))
    }

    fn read_index(&self, bytes: &[u8]) -> Result<Index, SourceError> {
        Index::read(bytes).map_err(|error| self.no_index(&error))
    }

    fn no_index(&self, error: &OciError) -> SourceError {
        let error = harness_contract::text::shown(&error.to_string());
        SourceError::failed(self.place(), format!("its list of referrers cannot be read: {error}"))
    }

    /// Writes a referrer into the index under the fallback tag, where the registry has no API. There is no lock: after
    /// writing, the index is read again, and written again where somebody else's went over it.
    pub(super) async fn write_referrer(&self, subject: &Digest, referrer: &Descriptor) -> Result<(), SourceError> {
        if self.referrers_by_api(subject).await?.is_some() {
            return Ok(());
        }
        let tag = fallback_tag(subject);
        for _ in 0..MAX_WRITES {
            let before = match self.listed_by_tag(subject).await? {
                Some(bytes) => bytes,
                None => serde_json::to_vec(&Index::default()).map_err(|error| self.no_index(&error.into()))?,
            };
            let Some(after) = Index::with_entry(&before, referrer).map_err(|error| self.no_index(&error))? else {
                return Ok(());
            };
            if after.len() as u64 > MAX_MANIFEST {
                return Err(SourceError::too_large(self.place(), "list of referrers", MAX_MANIFEST));
            }
            self.put_by_name(&tag, INDEX, after.into()).await?;
        }
        // The last of them was not read again.
        match self.listed_by_tag(subject).await? {
            Some(bytes) if self.read_index(&bytes)?.manifests.iter().any(|entry| entry.digest == referrer.digest) => {
                Ok(())
            }
            _ => {
                let problem = format!("its list of referrers lost the entry {MAX_WRITES} times: try again");
                Err(SourceError::failed(self.place(), problem))
            }
        }
    }
}

/// Whether an answer means that there is no referrers API. The specification has 404 alone; large registries answer with
/// the others, one of them with a redirect to its own pages.
fn knows_no_referrers(status: StatusCode) -> bool {
    let others = [
        StatusCode::NOT_FOUND,
        StatusCode::BAD_REQUEST,
        StatusCode::METHOD_NOT_ALLOWED,
        StatusCode::NOT_ACCEPTABLE,
        StatusCode::NOT_IMPLEMENTED,
    ];
    others.contains(&status) || status.is_redirection()
}

fn fallback_tag(subject: &Digest) -> String {
    format!("sha256-{}", subject.hex())
}
