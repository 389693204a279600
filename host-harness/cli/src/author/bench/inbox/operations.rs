//! Owns: what is measured: the requests of an inbox product and of a person's browser, each with its own connection.
//! Does not own: the load beside them, the table.

use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::{Context as _, Result};
use serde_json::{Value, json};

use super::{
    client::{Client, api, ids_of, page},
    people,
};

/// Conversations among which a thread is chosen: the newest.
const THREADS: usize = 2000;
const PAGE: usize = 200;
/// Places in the longest thread, as far apart as a page is long.
const PLACES: usize = 400;

/// One kind of request.
pub(super) struct Operation {
    pub(super) name: &'static str,
    /// The requests, used in turn.
    requests: Vec<Vec<u8>>,
    next: AtomicU64,
}

impl Operation {
    fn new(name: &'static str, requests: Vec<Vec<u8>>) -> Self {
        Self { name, requests, next: AtomicU64::new(0) }
    }

    fn get(name: &'static str, paths: impl IntoIterator<Item = String>) -> Self {
        Self::new(name, paths.into_iter().map(|path| api("GET", &path, None)).collect())
    }

    fn pages(name: &'static str, cookie: &str, paths: impl IntoIterator<Item = String>) -> Self {
        Self::new(name, paths.into_iter().map(|path| page(&path, cookie)).collect())
    }

    /// The next request; `None` if there is none of this kind.
    pub(super) fn request(&self) -> Option<&[u8]> {
        let count = u64::try_from(self.requests.len()).ok()?.max(1);
        let at = self.next.fetch_add(1, Ordering::Relaxed) % count;
        self.requests.get(usize::try_from(at).ok()?).map(Vec::as_slice)
    }
}

/// The conversations with these customers who have just written.
pub(super) async fn of_customers(client: &mut Client, customers: &[String]) -> Result<Vec<String>> {
    let newest = client.get(&format!("/conversations?limit={PAGE}")).await?;
    let all = newest.get("data").and_then(Value::as_array).context("a list")?;
    let is_one = |one: &&Value| {
        let known = one.pointer("/contact/identifiers").map(Value::to_string).unwrap_or_default();
        customers.iter().any(|customer| known.contains(&**customer))
    };
    Ok(all.iter().filter(is_one).filter_map(|one| Some(one.get("id")?.as_str()?.to_owned())).collect())
}

/// The newest conversations, and the cursors of pages in the longest of them.
struct Threads {
    newest: Vec<String>,
    longest: String,
    places: Vec<String>,
}

async fn threads(client: &mut Client) -> Result<Threads> {
    let (mut newest, mut at) = (Vec::new(), String::new());
    while newest.len() < THREADS {
        let page = client.get(&format!("/conversations?limit={PAGE}{at}")).await?;
        newest.extend(ids_of(&page)?);
        match page.get("cursor").and_then(Value::as_str) {
            Some(cursor) => at = format!("&cursor={cursor}"),
            None => break,
        }
    }
    // Zipf's first customer has written the most.
    let first = people::igsid(0);
    let longest = longest(client, &first).await?;
    let (mut places, mut at) = (Vec::new(), String::new());
    while places.len() < PLACES {
        let page = client.get(&format!("/conversations/{longest}/timeline?limit={PAGE}{at}")).await?;
        let Some(cursor) = page.get("cursor").and_then(Value::as_str) else { break };
        at = format!("&cursor={cursor}");
        places.push(cursor.to_owned());
    }
    Ok(Threads { newest, longest, places })
}

async fn longest(client: &mut Client, igsid: &str) -> Result<String> {
    let mut at = String::new();
    loop {
        let page = client.get(&format!("/conversations?limit={PAGE}{at}")).await?;
        for one in page.get("data").and_then(Value::as_array).into_iter().flatten() {
            if one.pointer("/contact/identifiers").is_some_and(|known| known.to_string().contains(igsid)) {
                return Ok(one.get("id").and_then(Value::as_str).context("an id")?.to_owned());
            }
        }
        let cursor = page.get("cursor").and_then(Value::as_str).context("the first customer has no conversation")?;
        at = format!("&cursor={cursor}");
    }
}

/// Everything that is measured, for an inbox of this many messages. `open` are conversations that may be answered,
/// `cookie` is a person's session.
pub(super) async fn all(
    client: &mut Client,
    messages: u64,
    open: &[String],
    cookie: &str,
    replies: usize,
) -> Result<Vec<Operation>> {
    let Threads { newest, longest, places } = threads(client).await?;
    let users = ids_of(&client.get("/users").await?)?;
    let labels = ids_of(&client.get("/labels").await?)?;
    let position = client.get("/changes").await?;
    let position: u64 = position.get("position").and_then(Value::as_str).context("a position")?.parse()?;
    let orders: Vec<String> = (0..50).map(|number| people::order(number * messages / 50)).collect();
    let every_day = ["order", "Bestellung", "pedido", "shipping", "花瓶", "Thank you", "blue"];
    let sentences = every_day.map(|word| url::form_urlencoded::byte_serialize(word.as_bytes()).collect::<String>());
    let text = json!({ "parts": [{ "text": { "text": "Yes, we have it in blue. Shall we keep one for you?" } }] });
    let filtered = ["state=open,pending", "state=closed", "unread=true", "assignee_id=none&state=open"]
        .map(str::to_owned)
        .into_iter()
        .chain(users.iter().map(|user| format!("assignee_id={user}&state=open")))
        .chain(labels.iter().map(|label| format!("label_id={label}")));
    let reply = |number: usize| {
        let conversation = open.get(number % open.len().max(1))?;
        let key = format!("idempotency-key: bench-{position}-{number}\r\n");
        Some(with_header(&api("POST", &format!("/conversations/{conversation}/replies"), Some(&signed(&text))), &key))
    };
    Ok(vec![
        Operation::get("list", ["/conversations?limit=50".to_owned()]),
        Operation::get("filtered list", filtered.map(|filter| format!("/conversations?limit=50&{filter}"))),
        Operation::get("list by a rare word", orders.iter().map(|order| format!("/conversations?q={order}"))),
        Operation::get("list by an everyday word", sentences.iter().map(|word| format!("/conversations?q={word}"))),
        Operation::get("conversation", newest.iter().map(|id| format!("/conversations/{id}"))),
        Operation::get("thread", newest.iter().map(|id| format!("/conversations/{id}/timeline?limit=50"))),
        Operation::get(
            "page deep in a thread",
            places.iter().map(|place| format!("/conversations/{longest}/timeline?limit=50&cursor={place}")),
        ),
        Operation::get("search, a rare word", orders.iter().map(|order| format!("/search?q={order}"))),
        Operation::get("search, an everyday word", sentences.iter().map(|word| format!("/search?q={word}"))),
        Operation::new(
            "validate",
            open.iter().map(|id| api("POST", &format!("/conversations/{id}/validate"), Some(&signed(&text)))).collect(),
        ),
        Operation::new("reply", (0..replies).filter_map(reply).collect()),
        Operation::get(
            "changes",
            (0..50).map(|page| format!("/changes?after={}", position.saturating_sub(page * 100))),
        ),
        Operation::pages("page: inbox", cookie, ["/inbox".to_owned(), "/inbox?view=mine".to_owned()]),
        Operation::pages("page: list, as it is renewed", cookie, ["/inbox/list".to_owned()]),
        Operation::pages("page: thread", cookie, newest.iter().map(|id| format!("/inbox/{id}"))),
        Operation::pages(
            "page: search",
            cookie,
            orders.iter().chain(&sentences).map(|word| format!("/inbox?q={word}")),
        ),
    ])
}

fn signed(message: &Value) -> Value {
    let mut message = message.clone();
    if let Some(message) = message.as_object_mut() {
        message.insert("sender".to_owned(), json!({ "kind": "human", "id": "kim" }));
    }
    message
}

fn with_header(request: &[u8], header: &str) -> Vec<u8> {
    let at = request.windows(2).position(|two| two == b"\r\n").map_or(0, |at| at + 2);
    let (first, rest) = request.split_at(at);
    [first, header.as_bytes(), rest].concat()
}
