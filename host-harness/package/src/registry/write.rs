//! Owns: writing blobs and manifests into a registry.
//! Does not own: their order (`copy`), the list of referrers.
//!
//! A small blob is sent at once, a larger one in chunks. Where that breaks off, the registry is asked how far it came; one
//! that cannot say is sent the blob again.

use bytes::Bytes;
use harness_contract::text::shown;
use http::{HeaderValue, Method, StatusCode, header};
use reqwest::Response;
use url::Url;

use super::{
    Registry,
    client::{Access, Call, status_error},
};
use crate::{
    Digest,
    oci::{Descriptor, MANIFEST, Manifest},
    reference::is_tag,
    source::SourceError,
};

/// How much is sent at once, in bytes.
const CHUNK: usize = 4 << 20;
/// How often the sending of a blob is gone on with, and how often it is begun.
const MAX_INTERRUPTIONS: usize = 5;
const MAX_BEGINNINGS: usize = 3;
const BYTES: &str = "application/octet-stream";
/// All that may lie under a tag, each by its name: some registries say that a tag is free where its kind is not named.
const ANYTHING: &str = "application/vnd.oci.image.manifest.v1+json, application/vnd.oci.image.index.v1+json, \
                        application/vnd.docker.distribution.manifest.v2+json, \
                        application/vnd.docker.distribution.manifest.list.v2+json, */*";

/// How the sending of chunks ended.
enum Sent {
    /// All are there; the blob is finished at this address.
    Whole(Url),
    /// It broke off, and the registry does not say where.
    Lost(SourceError),
}

impl Registry {
    /// Puts a blob, where it is not there.
    pub(super) async fn upload(&self, digest: &Digest, bytes: Bytes) -> Result<(), SourceError> {
        let mut last = None;
        for _ in 0..MAX_BEGINNINGS {
            if self.has_blob(digest).await? {
                return Ok(());
            }
            let address = self.begin().await?;
            let (address, rest) = if bytes.len() <= CHUNK {
                (address, bytes.clone())
            } else {
                match self.send_chunks(address, &bytes).await? {
                    Sent::Whole(address) => (address, Bytes::new()),
                    Sent::Lost(error) => {
                        last = Some(error);
                        continue;
                    }
                }
            };
            match self.finish(address, digest, rest).await {
                Ok(response) if response.status() == StatusCode::CREATED => return Ok(()),
                Ok(response) if !response.status().is_server_error() => {
                    return Err(status_error(self.place(), "end of an upload", response.status()));
                }
                Ok(response) => last = Some(status_error(self.place(), "end of an upload", response.status())),
                Err(error @ SourceError::Failed { .. }) => last = Some(error),
                Err(error) => return Err(error),
            }
        }
        Err(last.unwrap_or_else(|| SourceError::failed(self.place(), "the upload did not end")))
    }

    async fn has_blob(&self, digest: &Digest) -> Result<bool, SourceError> {
        let call = Call::new(Method::HEAD, self.repository.below(&["blobs", &digest.to_string()])?);
        let response = self.call(Access::Push, call).await?;
        match response.status() {
            StatusCode::NOT_FOUND => Ok(false),
            // Where it lies does not matter.
            status if status == StatusCode::OK || status.is_redirection() => Ok(true),
            status => Err(status_error(self.place(), &format!("blob {digest}"), status)),
        }
    }

    async fn begin(&self) -> Result<Url, SourceError> {
        // `blobs/uploads/`: an empty last part gives the slash.
        let url = self.repository.below(&["blobs", "uploads", ""])?;
        let response = self.call(Access::Push, Call::new(Method::POST, url.clone())).await?;
        match response.status() {
            StatusCode::ACCEPTED => self.next_address(&url, &response),
            status => Err(status_error(self.place(), "upload", status)),
        }
    }

    /// Where the upload goes on: on the same registry, since the login goes there too.
    fn next_address(&self, from: &Url, response: &Response) -> Result<Url, SourceError> {
        let location = response.headers().get(header::LOCATION).and_then(|location| location.to_str().ok());
        let next = location.and_then(|location| from.join(location).ok());
        next.filter(|next| self.repository.is_home_of(next)).ok_or_else(|| {
            SourceError::failed(self.place(), "it wants an upload to go on at another address, or names none")
        })
    }

    async fn send_chunks(&self, mut address: Url, bytes: &Bytes) -> Result<Sent, SourceError> {
        let mut sent = 0;
        let mut interruptions = 0;
        while sent < bytes.len() {
            let chunk = bytes.slice(sent..bytes.len().min(sent + CHUNK));
            let end = sent + chunk.len();
            let range =
                HeaderValue::from_str(&format!("{sent}-{}", end - 1)).map_err(|error| self.impossible(&error))?;
            let call =
                Call::new(Method::PATCH, address.clone()).body(BYTES, chunk).header(header::CONTENT_RANGE, range);
            let error = match self.call(Access::Push, call).await {
                Ok(response) if response.status() == StatusCode::ACCEPTED => {
                    address = self.next_address(&address, &response)?;
                    sent = end;
                    continue;
                }
                Ok(response) if response.status() == StatusCode::TOO_MANY_REQUESTS => {
                    return Err(status_error(self.place(), "upload", response.status()));
                }
                Ok(response) => status_error(self.place(), "upload", response.status()),
                Err(error @ SourceError::Failed { .. }) => error,
                Err(error) => return Err(error),
            };
            interruptions += 1;
            if interruptions > MAX_INTERRUPTIONS {
                return Err(error);
            }
            match self.how_far(&address, bytes.len()).await {
                Some((next, there)) => (address, sent) = (next, there),
                None => return Ok(Sent::Lost(error)),
            }
        }
        Ok(Sent::Whole(address))
    }

    /// Where an upload goes on, and how many bytes are there already. None where the registry does not say.
    async fn how_far(&self, address: &Url, of: usize) -> Option<(Url, usize)> {
        let response = self.call(Access::Push, Call::get(address.clone())).await.ok()?;
        if response.status() != StatusCode::NO_CONTENT {
            return None;
        }
        let range = response.headers().get(header::RANGE)?.to_str().ok()?;
        let last: usize = range.trim_start_matches("bytes=").strip_prefix("0-")?.parse().ok()?;
        // `0-0` means one byte, or none: who knows.
        let there = last.checked_add(1).filter(|there| last > 0 && *there <= of)?;
        let next = if response.headers().contains_key(header::LOCATION) {
            self.next_address(address, &response).ok()?
        } else {
            address.clone()
        };
        Some((next, there))
    }

    async fn finish(&self, mut address: Url, digest: &Digest, rest: Bytes) -> Result<Response, SourceError> {
        address.query_pairs_mut().append_pair("digest", &digest.to_string());
        self.call(Access::Push, Call::new(Method::PUT, address).body(BYTES, rest)).await
    }

    pub(super) async fn write_manifest(&self, bytes: &[u8], tag: Option<&str>) -> Result<Descriptor, SourceError> {
        Manifest::read(bytes).map_err(|error| SourceError::failed(self.place(), shown(&error.to_string())))?;
        let described = Descriptor::of(MANIFEST, bytes);
        let Some(tag) = tag else {
            self.put_by_name(&described.digest.to_string(), MANIFEST, Bytes::copy_from_slice(bytes)).await?;
            return Ok(described);
        };
        if !is_tag(tag) {
            return Err(SourceError::failed(self.place(), format!("{} cannot be a tag", shown(tag))));
        }
        if self.is_free(tag, &described.digest).await? {
            self.put_by_name(tag, MANIFEST, Bytes::copy_from_slice(bytes)).await?;
            // Somebody else may have taken it meanwhile.
            if self.is_free(tag, &described.digest).await? {
                return Err(SourceError::failed(self.place(), format!("it took {tag} and does not have it")));
            }
        }
        Ok(described)
    }

    /// Whether a tag names nothing; an error where it names something else.
    async fn is_free(&self, tag: &str, digest: &Digest) -> Result<bool, SourceError> {
        let Some(bytes) = self.get_manifest(tag, ANYTHING).await? else { return Ok(true) };
        let found = Digest::of(&bytes);
        if found == *digest {
            return Ok(false);
        }
        let problem = format!("{tag} is {found} already; versions do not change: publish a new one");
        Err(SourceError::failed(self.place(), problem))
    }

    /// Puts a manifest or an index under a tag or its digest.
    pub(super) async fn put_by_name(
        &self,
        name: &str,
        media_type: &'static str,
        bytes: Bytes,
    ) -> Result<(), SourceError> {
        let call = Call::new(Method::PUT, self.repository.below(&["manifests", name])?).body(media_type, bytes);
        let response = self.call(Access::Push, call).await?;
        match response.status() {
            StatusCode::CREATED | StatusCode::OK | StatusCode::ACCEPTED => Ok(()),
            status => Err(status_error(self.place(), &format!("manifest {name} to be put"), status)),
        }
    }
}
