//! An answer of a platform as it comes in: counted piece by piece, never believed. Belongs here: reading it. What of it
//! a channel sees: `capture`, `conceal`.

use harness_contract::{Header, HttpResponse};

use crate::{
    egress::{EgressError, IDLE},
    memory::{FIRST, Held},
};

/// Lines of an answer's header.
const MAX_ANSWER_HEADERS: usize = 256;

/// Reads an answer of at most `max` bytes. `memory` grows as it comes: what is announced takes none.
pub(crate) async fn read(
    mut response: reqwest::Response,
    max: u64,
    memory: &mut Held,
) -> Result<HttpResponse, EgressError> {
    let status = response.status().as_u16();
    // The coding is not named: a server may have put there what it was told.
    let codings = response.headers().get_all(http::header::CONTENT_ENCODING);
    if codings.iter().any(|coding| !coding.as_bytes().eq_ignore_ascii_case(b"identity")) {
        return Err(EgressError::Encoded);
    }
    if response.headers().len() > MAX_ANSWER_HEADERS {
        return Err(EgressError::NoAnswer("the answer has too many headers".into()));
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
        .map_err(|error| EgressError::NoAnswer(error.without_url().to_string()))?
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
