//! Owns: the bytes that a webhook's signature covers: the manifest's template, filled in from the request.
//! Does not own: checking the signature (`verify`).

use std::borrow::Cow;

use harness_contract::manifest::{SignedPiece, SignedText, SignedTime};
use http::{HeaderMap, HeaderValue, header::CONTENT_TYPE};

use super::verify::Addressed;
use crate::{base::public_url::PublicUrl, error::Refusal};

/// Maximum number of form fields that are sorted for an unverified sender.
const MAX_FIELDS: usize = 1000;
const FORM: &[u8] = b"application/x-www-form-urlencoded";

/// A webhook as received.
#[derive(Clone, Copy)]
pub(super) struct Incoming<'a> {
    pub(super) to: Addressed<'a>,
    pub(super) headers: &'a HeaderMap,
    pub(super) body: &'a [u8],
    pub(super) public_url: &'a PublicUrl,
}

impl<'a> Incoming<'a> {
    /// The value of a header that occurs exactly once. A proxy in front of this host could read duplicates differently.
    pub(super) fn header(&self, name: &str) -> Result<&'a HeaderValue, Refusal> {
        let mut values = self.headers.get_all(name).iter();
        match (values.next(), values.next()) {
            (Some(value), None) => Ok(value),
            _ => Err(Refusal::NoProof),
        }
    }

    /// The bytes that a signature covers, in pieces.
    pub(super) fn signed(&self, text: &'a SignedText) -> Result<Vec<Cow<'a, [u8]>>, Refusal> {
        let piece = |piece: &'a SignedPiece| {
            Ok(match piece {
                SignedPiece::Text(text) => Cow::Borrowed(text.as_bytes()),
                SignedPiece::Body => Cow::Borrowed(self.body),
                SignedPiece::Form => Cow::Owned(self.form()?),
                SignedPiece::Header(name) => Cow::Borrowed(self.header(name)?.as_bytes()),
                SignedPiece::Url => Cow::Owned(self.url()?),
            })
        };
        text.pieces().iter().map(piece).collect()
    }

    /// Whether the request was signed within the tolerance around `now`, which is in milliseconds.
    pub(super) fn is_of_now(&self, time: &SignedTime, now: u64) -> Result<bool, Refusal> {
        let seconds = self.header(&time.header)?.to_str().ok().and_then(|text| text.parse::<u64>().ok());
        let at = seconds.and_then(|seconds| seconds.checked_mul(1000)).ok_or(Refusal::NoProof)?;
        Ok(at.abs_diff(now) <= time.tolerance.saturating_mul(1000))
    }

    fn form(&self) -> Result<Vec<u8>, Refusal> {
        if self.body.is_empty() {
            return Ok(Vec::new());
        }
        // The channel relies on this header, too. Bytes that it reads as another type are not what was signed.
        let media_type = self.header(CONTENT_TYPE.as_str())?.as_bytes().split(|byte| *byte == b';').next();
        if !media_type.is_some_and(|found| found.trim_ascii().eq_ignore_ascii_case(FORM)) {
            return Err(Refusal::NoProof);
        }
        if self.body.iter().filter(|byte| **byte == b'&').count() >= MAX_FIELDS {
            return Err(Refusal::NoProof);
        }
        let mut fields: Vec<_> = url::form_urlencoded::parse(self.body).collect();
        fields.sort();
        fields.dedup();
        Ok(fields.iter().flat_map(|(name, value)| [name.as_bytes(), value.as_bytes()]).flatten().copied().collect())
    }

    fn url(&self) -> Result<Vec<u8>, Refusal> {
        let segments: Vec<&str> = ["webhooks", self.to.channel].into_iter().chain(self.to.account).collect();
        let mut url = self.public_url.address(&segments).map_err(|_| Refusal::NoPublicUrl)?.to_string();
        if !self.to.query.is_empty() {
            url.push('?');
            url.push_str(self.to.query);
        }
        Ok(url.into_bytes())
    }
}
