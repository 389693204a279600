//! Owns: the id of a request, and its span.
//! Does not own: what is logged.

use std::sync::{
    LazyLock,
    atomic::{AtomicU64, Ordering},
};

use axum::{
    extract::{MatchedPath, Request},
    http::{HeaderMap, HeaderName, HeaderValue},
    middleware::Next,
    response::Response,
};
use tracing::Instrument as _;

use harness_engine::random;

const NAME: HeaderName = HeaderName::from_static("x-request-id");
/// The longest id accepted from a sender, in bytes.
const LONGEST: usize = 64;

tokio::task_local! {
    /// The id of the request that this task answers.
    static CURRENT: RequestId;
}

/// The id of the current request; `None` outside of one.
pub(crate) fn current() -> Option<String> {
    CURRENT.try_with(|id| id.0.clone()).ok()
}

/// The id of a request: the sender's own, or one made by this process.
#[derive(Clone, Debug)]
pub(crate) struct RequestId(String);

impl RequestId {
    /// Takes the id from the request's header if it is safe to log; otherwise makes a new one.
    pub(crate) fn of(headers: &HeaderMap) -> Self {
        let given = headers.get(NAME).and_then(|value| value.to_str().ok());
        let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
        match given.filter(|id| (1..=LONGEST).contains(&id.len()) && id.bytes().all(fits)) {
            Some(id) => Self(id.to_owned()),
            None => Self::next(),
        }
    }

    /// A new id.
    pub(crate) fn next() -> Self {
        static NUMBER: AtomicU64 = AtomicU64::new(1);
        // Distinguishes the runs of a host. It need not be secret.
        static RUN: LazyLock<u64> =
            LazyLock::new(|| random::<8>().map_or_else(|_| u64::from(std::process::id()), u64::from_le_bytes));
        Self(format!("{:016x}-{}", *RUN, NUMBER.fetch_add(1, Ordering::Relaxed)))
    }

    /// The id, for spans and log lines.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// Adds the id to the answer's headers.
    pub(crate) fn put_into(self, answer: &mut Response) {
        if let Ok(value) = HeaderValue::try_from(self.0) {
            answer.headers_mut().insert(NAME, value);
        }
    }
}

/// Gives a request its id and its span. The span has the route's pattern, because the actual path may hold a
/// credential.
pub(crate) async fn trace(request: Request, next: Next) -> Response {
    answered(request, next, true).await
}

/// Like [`trace`], without a log line per request: these routes log refusals themselves, up to a limit.
pub(crate) async fn trace_quietly(request: Request, next: Next) -> Response {
    answered(request, next, false).await
}

async fn answered(request: Request, next: Next, line: bool) -> Response {
    let id = RequestId::of(request.headers());
    let route = request.extensions().get::<MatchedPath>().map_or("none", MatchedPath::as_str);
    // At the highest level, so that warnings carry it too.
    let token = tracing::field::Empty;
    let span = tracing::error_span!("http", request = id.as_str(), method = %request.method(), route, token);
    let answer = async {
        let answer = next.run(request).await;
        if line {
            tracing::info!(status = answer.status().as_u16(), "a request was answered");
        }
        answer
    };
    let mut answer = CURRENT.scope(id.clone(), answer.instrument(span)).await;
    id.put_into(&mut answer);
    answer
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    #[test]
    fn a_sane_number_is_taken_and_any_other_replaced() {
        let of = |value: &str| {
            let headers = HeaderMap::from_iter([(NAME, HeaderValue::from_str(value).unwrap())]);
            RequestId::of(&headers).0
        };
        assert_eq!(of("3f2a-B_7.x"), "3f2a-B_7.x");
        for odd in ["", "two words", "a=b", "<b>", &"x".repeat(65)] {
            assert_ne!(of(odd), odd);
        }
        assert_ne!(RequestId::of(&HeaderMap::new()).0, RequestId::of(&HeaderMap::new()).0);
    }
}
