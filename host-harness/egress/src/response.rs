//! Owns: reading a response within its limits, and the part that a channel may see. Errors quote no response.
//! Does not own: finding credentials (`redact`), captures (`capture`).

use std::time::Duration;

use harness_contract::{Capture, Header, HttpResponse};

use crate::{
    capture::{Captured, capture},
    error::{EgressError, transport_error},
    inject::InjectedCredentials,
    known::Known,
    memory::{FIRST, Held},
    offload::GivenUp,
    redact::{Spellings, redact},
};

/// The longest pause within a response. A stalled one would hold memory for nothing.
pub(crate) const IDLE: Duration = Duration::from_secs(20);
/// Maximum number of header lines in a response.
const MAX_ANSWER_HEADERS: usize = 256;

/// Reads a response of at most `max` bytes. `memory` grows with the bytes that arrive; an announced size reserves
/// nothing.
pub(crate) async fn read(
    mut response: reqwest::Response,
    max: u64,
    memory: &mut Held,
) -> Result<HttpResponse, EgressError> {
    let status = response.status().as_u16();
    // The encoding is not quoted: a server may have put a credential there.
    let codings = response.headers().get_all(http::header::CONTENT_ENCODING);
    if codings.iter().any(|coding| !coding.as_bytes().eq_ignore_ascii_case(b"identity")) {
        return Err(EgressError::Encoded);
    }
    if response.headers().len() > MAX_ANSWER_HEADERS {
        return Err(EgressError::NoAnswer("it has too many headers".into()));
    }
    let headers = response
        .headers()
        .iter()
        .filter(|(name, _)| *name != http::header::SET_COOKIE)
        .filter_map(|(name, value)| {
            Some(Header { name: name.as_str().to_owned(), value: value.to_str().ok()?.to_owned() })
        })
        .collect();
    let (mut body, mut room) = (Vec::new(), FIRST);
    while let Some(chunk) = tokio::time::timeout(IDLE, response.chunk())
        .await
        .map_err(|_| EgressError::NoAnswer(format!("it paused for {IDLE:?} in the middle")))?
        .map_err(transport_error)?
    {
        let length = (body.len() + chunk.len()) as u64;
        if length > max {
            return Err(EgressError::TooLarge(max));
        }
        if length > room {
            let more = (2 * room).clamp(length, max) - room;
            tokio::time::timeout(IDLE, memory.grow(more))
                .await
                .map_err(|_| EgressError::NoAnswer(format!("there was no memory to read it for {IDLE:?}")))?;
            room += more;
            body.reserve_exact(usize::try_from(room).unwrap_or(usize::MAX).saturating_sub(body.len()));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(HttpResponse { status, headers, body })
}

/// The part of a response that a channel may see: injected and known credentials are redacted, then captures are taken,
/// then the new names are checked again. `shows` limits responses that hand out credentials to the listed places.
pub(crate) fn redacted(
    mut response: HttpResponse,
    injected: &InjectedCredentials,
    known: &Known,
    captures: &[Capture],
    shows: Option<&[String]>,
    mut captured: Captured,
    given_up: &GivenUp,
) -> (Result<HttpResponse, EgressError>, Captured) {
    let injected = Spellings::of(injected.iter().map(|value| value.as_bytes()));
    redact(&[&injected], &mut response, given_up);
    let before = captured.values.clone();
    // A known credential is captured like any other, and redacted afterwards.
    if let Err(error) = capture(captures, shows, &mut response, &mut captured, given_up) {
        return (Err(error), captured);
    }
    let ended = known.search(|known| {
        let is_known = |text: &str| known.iter().any(|known| known.stand_in(text.as_bytes(), given_up));
        let count = captured.values.len();
        captured.values.retain(|name, value| before.get(name) == Some(value) || !is_known(value));
        if captured.values.len() < count {
            // A plain value may be injected anywhere, even where a person reads it.
            return Err(EgressError::CaptureFailed("value that is no credential".into()));
        }
        let all: Vec<&Spellings> = known.iter().copied().chain([&injected]).collect();
        redact(&all, &mut response, given_up);
        Ok(())
    });
    (ended.map(|()| response), captured)
}

/// Reads a response of at most this many bytes, from a host of the operator's choice. The error does not contain the
/// address.
pub async fn read_at_most(mut response: reqwest::Response, max: usize) -> Result<Vec<u8>, String> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| transport_error(error).to_string())? {
        if body.len() + chunk.len() > max {
            return Err(format!("the answer is longer than {max} bytes"));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}
