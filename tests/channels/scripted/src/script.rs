//! What a script may ask for. Belongs here: its form in JSON, and what comes of each field.

use channel_sdk::{
    blank,
    history::{Archived, HistoryPage},
    http, storage,
    types::*,
};
use serde::Deserialize;

/// One script. Everything is optional; numbers say how often.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Script {
    /// `trap`, `loop` or `grow`.
    end: String,
    /// Events of a delivery.
    events: usize,
    /// Whether they all have one id.
    same: bool,
    /// Of how many people they are; of one where it is 0.
    contacts: usize,
    /// Bytes of each long text.
    size: usize,
    /// For whom events say they are.
    account: String,
    /// Requests of a reply or a check.
    requests: Vec<Asked>,
    /// Items of a page of the archive, and whether there is always another page.
    items: usize,
    endless: bool,
    /// Values that are stored.
    values: usize,
    /// Where calls of an account are to ask for the script that they carry out, which comes as hex: what the host looks
    /// for in answers is not in it.
    script_from: String,
}

/// One request, or many like it.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Asked {
    times: usize,
    url: String,
    headers: Vec<(String, String)>,
    /// How often the headers are repeated, each under a name of its own.
    header_times: usize,
    body: String,
    body_bytes: usize,
    multipart: Vec<(String, String)>,
    multipart_times: usize,
    /// Places of the slot `token`, or of another source before `>`, such as `hmac:KEY,MESSAGE>`, `jwt:SCHEME,KEY>`, `aws:ID,KEY>`,
    /// `base64:FILE>` or `captured:NAME>`: `bearer`, `authorization:SCHEME`, or `query:NAME`, `form:NAME`, `json:POINTER`, `header:NAME`, `path:NAME`.
    fills: Vec<String>,
    fill_times: usize,
    /// Pointer, and the slot or value it goes to, such as `slot:token` or `value:v`.
    captures: Vec<(String, String)>,
    capture_times: usize,
}

impl Script {
    pub(crate) fn read(text: &[u8]) -> Result<Self, String> {
        serde_json::from_slice(text).map_err(|error| error.to_string())
    }

    /// This script, or the one that it names.
    pub(crate) fn resolved(self) -> Result<Self, String> {
        if self.script_from.is_empty() {
            return Ok(self);
        }
        let asked = Asked { url: self.script_from, ..Asked::default() };
        let answer = http::send(&asked.request()).map_err(|error| format!("{error:?}"))?;
        let digit = |digit: u8| char::from(digit).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
        let byte = |pair: &[u8]| Some(digit(*pair.first()?)? << 4 | digit(*pair.get(1)?)?);
        let text: Option<Vec<u8>> = answer.body.chunks(2).map(byte).collect();
        Self::read(&text.ok_or("the script is no hex")?)
    }

    /// Does not return where the script says so.
    pub(crate) fn misbehave(&self) {
        match self.end.as_str() {
            "trap" => std::process::abort(),
            "loop" => loop {
                std::hint::black_box(0);
            },
            "grow" => {
                let mut kept: Vec<Vec<u8>> = Vec::new();
                loop {
                    kept.push(vec![1; 1 << 20]);
                    std::hint::black_box(&kept);
                }
            }
            _ => {}
        }
    }

    pub(crate) fn size(&self) -> usize {
        self.size
    }

    pub(crate) fn events(&self) -> Vec<Event> {
        let event = |number: usize| {
            let id = if self.same { "same".to_owned() } else { format!("event-{number}-{}", self.size) };
            let id_of_contact = match self.contacts {
                0 => "victim".to_owned(),
                contacts => format!("victim-{}", number % contacts),
            };
            let account = if self.account.is_empty() { "account".into() } else { self.account.clone() };
            let body = EventBody::Unknown(UnknownItem { reason: "scripted".into(), kind: None });
            Event {
                contact: Some(blank::person(id_of_contact)),
                reply_context: (self.size > 0).then(|| vec![7; self.size]),
                native: (self.size > 0).then(|| "x".repeat(self.size)),
                ..blank::event(id, account, body)
            }
        };
        (0..self.events).map(event).collect()
    }

    pub(crate) fn requests(&self) -> Vec<HttpRequest> {
        self.requests.iter().flat_map(|asked| (0..asked.times.max(1)).map(|_| asked.request())).collect()
    }

    pub(crate) fn send(&self) -> Vec<Result<HttpResponse, HttpError>> {
        self.requests().iter().map(http::send).collect()
    }

    pub(crate) fn store(&self) {
        for number in 0..self.values {
            let _ = storage::set(&format!("key-{number}"), &vec![1; self.size]);
        }
    }

    pub(crate) fn page(&self) -> HistoryPage {
        let body = format!(r#"{{"events":1,"size":{},"account":"{}"}}"#, self.size, self.account).into_bytes();
        let items = (0..self.items).map(|_| Archived { body: body.clone() }).collect();
        HistoryPage { items, next_cursor: self.endless.then(|| "again".to_owned()) }
    }
}

/// `KIND:REST` in its two halves.
fn halves(text: &str) -> (&str, String) {
    let (kind, rest) = text.split_once(':').unwrap_or((text, ""));
    (kind, rest.to_owned())
}

impl Asked {
    fn request(&self) -> HttpRequest {
        let headers = (0..self.header_times.max(1)).flat_map(|turn| {
            self.headers.iter().map(move |(name, value)| Header {
                name: if turn == 0 { name.clone() } else { format!("{name}-{turn}") },
                value: value.clone(),
            })
        });
        let fills = (0..self.fill_times.max(1)).flat_map(|_| self.fills.iter().map(|place| fill(place)));
        let captures = (0..self.capture_times.max(1)).flat_map(|_| {
            self.captures.iter().map(|(pointer, target)| {
                let (kind, name) = halves(target);
                let target = if kind == "slot" { CaptureTarget::Slot(name) } else { CaptureTarget::Value(name) };
                Capture { pointer: pointer.clone(), target, key: None }
            })
        });
        HttpRequest {
            method: if self.is_post() { HttpMethod::Post } else { HttpMethod::Get },
            url: self.url.clone(),
            headers: headers.collect(),
            body: self.content(),
            fills: fills.collect(),
            captures: captures.collect(),
        }
    }

    fn is_post(&self) -> bool {
        !self.body.is_empty() || self.body_bytes > 0 || !self.multipart.is_empty()
    }

    fn content(&self) -> HttpBody {
        if !self.multipart.is_empty() {
            let fields = (0..self.multipart_times.max(1)).flat_map(|_| {
                self.multipart.iter().map(|(name, value)| FormField {
                    name: name.clone(),
                    value: FieldValue::Text(value.clone()),
                    file_name: None,
                    content_type: None,
                })
            });
            return HttpBody::Multipart(fields.collect());
        }
        if !self.is_post() {
            return HttpBody::Empty;
        }
        let mut body = self.body.clone().into_bytes();
        body.resize(body.len().max(self.body_bytes), b' ');
        HttpBody::Bytes(body)
    }
}

fn fill(spec: &str) -> Fill {
    let (source, place) = spec.split_once('>').unwrap_or(("slot:token", spec));
    let (kind, name) = halves(source);
    let source = match kind {
        "hmac" => derived("hmac-sha256-hex", name.split(','), &[]),
        "jwt" => {
            let (scheme, key) = name.split_once(',').unwrap_or_default();
            let life = ("expires-in", SettingValue::Number(60));
            derived(scheme, [key], &[("iss", SettingValue::Text("scripted".to_owned())), life])
        }
        "aws" => {
            let text = |text: &str| SettingValue::Text(text.to_owned());
            derived("aws-sigv4", name.split(','), &[("region", text("eu-central-1")), ("service", text("ses"))])
        }
        "base64" => FillSource::FileBase64(FileRef { handle: name, size: 0 }),
        "captured" => FillSource::Captured(name),
        _ => FillSource::Slot(name),
    };
    let (kind, name) = halves(place);
    let place = match kind {
        "query" => FillPlace::Query(name),
        "form" => FillPlace::FormField(name),
        "json" => FillPlace::Json(name),
        "header" => FillPlace::Header(name),
        "path" => FillPlace::Path(name),
        "authorization" => FillPlace::Authorization(name),
        _ => FillPlace::Authorization("Bearer".to_owned()),
    };
    Fill { source, place }
}

fn derived<'s>(
    scheme: &str,
    slots: impl IntoIterator<Item = &'s str>,
    parameters: &[(&str, SettingValue)],
) -> FillSource {
    let setting = |(key, value): &(&str, SettingValue)| Setting { key: (*key).to_owned(), value: value.clone() };
    FillSource::Derived(Derivation {
        scheme: scheme.to_owned(),
        slots: slots.into_iter().map(str::to_owned).collect(),
        parameters: parameters.iter().map(setting).collect(),
    })
}
