//! Owns: the newest requests of replies with their answers, in memory, for a person who looks for a fault.
//! Does not own: sending them (`outbound`), what of an answer may be seen (egress).

use std::{
    collections::VecDeque,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use harness_contract::{Fill, FillPlace, FillSource, HttpBody, HttpMethod, HttpRequest, HttpResponse};
use harness_inbox::ReplyId;

/// The most exchanges that are kept.
const EXCHANGES: usize = 300;
/// The most of a body that is kept, in bytes.
const BODY: usize = 8 << 10;
/// The most of an address that is kept, in bytes.
const ADDRESS: usize = 2 << 10;
/// The most fills that are kept of one request.
const FILLS: usize = 16;

/// A request of a reply, as the channel wrote it: where the host fills in a secret, the slot's name stands.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Exchange {
    /// The reply.
    pub reply: ReplyId,
    /// The number of its step, counted from 0.
    pub step: usize,
    /// When it was sent, in milliseconds since 1970.
    pub at: u64,
    /// How long it took.
    pub took: Duration,
    /// The method.
    pub method: &'static str,
    /// The address.
    pub url: String,
    /// What the host filled in: a slot or a captured value, and where.
    pub fills: Vec<(String, String)>,
    /// The body, if it is text; its beginning if it is long.
    pub body: String,
    /// The status and the body of the answer, without what was captured; or why there was none.
    pub answer: Result<(u16, String), String>,
}

/// A request before it is sent.
pub(crate) struct Sent {
    method: &'static str,
    url: String,
    fills: Vec<(String, String)>,
    body: String,
}

fn clipped(text: &str, most: usize) -> String {
    match text.get(..text.floor_char_boundary(most)) {
        Some(start) if start.len() < text.len() => format!("{start}…"),
        _ => text.to_owned(),
    }
}

/// A body as text. What is no text is only counted.
fn text(bytes: &[u8]) -> String {
    match std::str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        Err(_) => format!("({} bytes)", bytes.len()),
    }
}

fn fill(fill: &Fill) -> (String, String) {
    let source = match &fill.source {
        FillSource::Slot(slot) => slot.clone(),
        FillSource::Captured(name) => format!("captured {name}"),
        FillSource::Derived(derived) => format!("{} of {}", derived.scheme, derived.slots.join(", ")),
        FillSource::FileBase64(_) => "file".to_owned(),
        FillSource::Other(other) => other.clone(),
    };
    let place = match &fill.place {
        FillPlace::Authorization(scheme) => format!("authorization: {scheme}"),
        FillPlace::Basic(name) => format!("authorization: Basic {name}:"),
        FillPlace::Header(name) => format!("{name}:"),
        FillPlace::Query(name) => format!("?{name}="),
        FillPlace::FormField(name) => format!("{name}="),
        FillPlace::Json(pointer) => pointer.clone(),
        FillPlace::Path(name) => format!("{{{name}}}"),
        FillPlace::Url => "url".to_owned(),
        FillPlace::Other(other) => other.clone(),
    };
    (clipped(&source, 200), clipped(&place, 200))
}

impl Sent {
    /// `redact` takes credentials out of a text: a request that carries one is refused, and kept without it.
    pub(crate) fn of(request: &HttpRequest, redact: impl Fn(&mut String)) -> Self {
        let method = match request.method {
            HttpMethod::Get => "GET",
            HttpMethod::Head => "HEAD",
            HttpMethod::Post => "POST",
            HttpMethod::Put => "PUT",
            HttpMethod::Patch => "PATCH",
            HttpMethod::Delete => "DELETE",
        };
        let body = match &request.body {
            HttpBody::Empty => String::new(),
            HttpBody::Bytes(bytes) => text(bytes),
            HttpBody::Multipart(fields) => {
                let names: Vec<&str> = fields.iter().take(FILLS).map(|field| field.name.as_str()).collect();
                format!("multipart: {}", names.join(", "))
            }
            HttpBody::File(_) => "(file)".to_owned(),
            HttpBody::Other(other) => other.clone(),
        };
        let fills = request.fills.iter().take(FILLS).map(fill).collect();
        let (mut url, mut body) = (request.url.clone(), body);
        redact(&mut url);
        redact(&mut body);
        Self { method, url: clipped(&url, ADDRESS), fills, body: clipped(&body, BODY) }
    }
}

/// The newest exchanges of all replies.
#[derive(Default)]
pub(crate) struct Exchanges(Mutex<VecDeque<Exchange>>);

impl Exchanges {
    /// Keeps an exchange; the oldest gives way.
    pub(crate) fn note(
        &self,
        (reply, step): (ReplyId, usize),
        (at, took): (u64, Duration),
        sent: Sent,
        answer: Result<&HttpResponse, String>,
    ) {
        let Sent { method, url, fills, body } = sent;
        let answer = answer.map(|response| (response.status, clipped(&text(&response.body), BODY)));
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() >= EXCHANGES {
            all.pop_front();
        }
        all.push_back(Exchange { reply, step, at, took, method, url, fills, body, answer });
    }

    /// What is kept of a reply, oldest first.
    pub(crate) fn of(&self, reply: ReplyId) -> Vec<Exchange> {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.iter().filter(|one| one.reply == reply).cloned().collect()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    fn request(body: Vec<u8>) -> HttpRequest {
        HttpRequest {
            method: HttpMethod::Post,
            url: "https://a.example/send".into(),
            headers: Vec::new(),
            body: HttpBody::Bytes(body),
            fills: vec![Fill {
                source: FillSource::Slot("page-token".into()),
                place: FillPlace::Authorization("Bearer".into()),
            }],
            captures: Vec::new(),
        }
    }

    #[test]
    fn a_slot_stands_where_the_secret_goes_and_long_bodies_are_cut() {
        let exchanges = Exchanges::default();
        let long = "é".repeat(BODY).into_bytes();
        let response = HttpResponse { status: 400, headers: Vec::new(), body: vec![0xff, 0xfe] };
        let place = (ReplyId::new(7), 0);
        exchanges.note(place, (5, Duration::from_millis(3)), Sent::of(&request(long), |_| {}), Ok(&response));
        let kept = &exchanges.of(ReplyId::new(7))[0];
        assert_eq!(kept.fills, [("page-token".to_owned(), "authorization: Bearer".to_owned())]);
        assert!(kept.body.len() <= BODY + 3 && kept.body.ends_with('…'));
        assert_eq!(kept.answer, Ok((400, "(2 bytes)".to_owned())));
    }

    #[test]
    fn a_credential_in_a_request_is_not_kept() {
        let leaking = request(b"token=top-secret".to_vec());
        let sent = Sent::of(&leaking, |text| *text = text.replace("top-secret", "[redacted]"));
        assert_eq!(sent.body, "token=[redacted]");
    }

    #[test]
    fn the_oldest_gives_way() {
        let exchanges = Exchanges::default();
        for reply in 0..400_i64 {
            let sent = Sent::of(&request(Vec::new()), |_| {});
            exchanges.note((ReplyId::new(reply), 0), (0, Duration::ZERO), sent, Err("no answer".into()));
        }
        assert_eq!(exchanges.0.lock().unwrap().len(), EXCHANGES);
        assert!(exchanges.of(ReplyId::new(0)).is_empty() && exchanges.of(ReplyId::new(399)).len() == 1);
    }
}
