//! Owns: reading a blob: bounded by its size, gone on with where a connection broke.
//! Does not own: comparing it with its digest (`Registry::blob`), the deadline.

use std::fmt::Display;

use http::{HeaderValue, StatusCode, header};
use reqwest::Response;

use super::{
    Registry,
    client::{Call, status_error, transport_error},
};
use crate::{oci::Descriptor, source::SourceError};

/// How often a blob is gone on with before it is given up.
const MAX_INTERRUPTIONS: usize = 5;

impl Registry {
    /// The bytes under a digest: not more than the descriptor says, perhaps fewer, perhaps others.
    pub(super) async fn get_blob(&self, of: &Descriptor) -> Result<Vec<u8>, SourceError> {
        let what = format!("blob {}", of.digest);
        let mut bytes = Vec::new();
        for interruptions in 0.. {
            let response = match self.ask_for_rest(of, bytes.len()).await {
                Err(SourceError::Failed { .. }) if (1..MAX_INTERRUPTIONS).contains(&interruptions) => continue,
                response => response?,
            };
            match response.status() {
                StatusCode::OK => bytes.clear(),
                StatusCode::PARTIAL_CONTENT if goes_on(&response, bytes.len(), of.size) => {}
                StatusCode::PARTIAL_CONTENT => {
                    return Err(SourceError::failed(
                        self.place(),
                        format!("it gave another part of {what} than asked"),
                    ));
                }
                status => return Err(status_error(self.place(), &what, status)),
            }
            match self.take(of, &what, response, &mut bytes).await? {
                None => return Ok(bytes),
                Some(_) if interruptions < MAX_INTERRUPTIONS => {}
                Some(problem) => return Err(SourceError::failed(self.place(), problem)),
            }
        }
        Ok(bytes)
    }

    async fn ask_for_rest(&self, of: &Descriptor, from: usize) -> Result<Response, SourceError> {
        let mut call = Call::get(self.repository.below(&["blobs", &of.digest.to_string()])?);
        if from > 0 {
            let range = HeaderValue::from_str(&format!("bytes={from}-"));
            call = call.header(header::RANGE, range.map_err(|error| self.impossible(&error))?);
        }
        self.client.follow(&self.repository, call).await
    }

    pub(super) fn impossible(&self, error: &dyn Display) -> SourceError {
        SourceError::failed(self.place(), format!("a request could not be made: {error}"))
    }

    /// Appends what comes. Says why where the connection broke before all was there.
    async fn take(
        &self,
        of: &Descriptor,
        what: &str,
        mut response: Response,
        bytes: &mut Vec<u8>,
    ) -> Result<Option<String>, SourceError> {
        let so_far = bytes.len() as u64;
        let more = || SourceError::too_large(self.place(), what, of.size);
        if response.content_length().is_some_and(|length| so_far.saturating_add(length) > of.size) {
            return Err(more());
        }
        loop {
            match response.chunk().await {
                Ok(Some(piece)) if (bytes.len() + piece.len()) as u64 > of.size => return Err(more()),
                Ok(Some(piece)) => bytes.extend_from_slice(&piece),
                Ok(None) => return Ok(None),
                Err(_) if bytes.len() as u64 == of.size => return Ok(None),
                Err(error) => return Ok(Some(transport_error(error))),
            }
        }
    }
}

/// Whether an answer says that it begins where the last one broke, and is about as many bytes.
fn goes_on(response: &Response, from: usize, size: u64) -> bool {
    let range = response.headers().get(header::CONTENT_RANGE).and_then(|range| range.to_str().ok());
    let Some((part, whole)) = range.and_then(|range| range.strip_prefix("bytes ")?.split_once('/')) else {
        return false;
    };
    let first = part.split_once('-').and_then(|(first, _)| first.parse::<u64>().ok());
    first == Some(from as u64) && (whole == "*" || whole.parse() == Ok(size))
}
