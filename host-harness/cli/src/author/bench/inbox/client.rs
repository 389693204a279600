//! Owns: one client of the host's API and pages, with a connection that stays open, a token and a person's session.
//! Does not own: what is asked.

use anyhow::{Context as _, Result, bail};
use serde_json::{Value, json};
use tokio::net::TcpStream;

use super::super::{
    load::{body, exchange, head, status},
    server::API_TOKEN,
};

/// The password of the people of a benchmark.
const PASSWORD: &str = "several words of the benchmark";

/// A request to the API.
pub(super) fn api(method: &str, path: &str, content: Option<&Value>) -> Vec<u8> {
    let content = content.map(Value::to_string).unwrap_or_default();
    let mut request =
        format!("{method} /api/v1{path} HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: Bearer {API_TOKEN}\r\n");
    if !content.is_empty() {
        request.push_str(&format!("content-type: application/json\r\ncontent-length: {}\r\n", content.len()));
    }
    format!("{request}\r\n{content}").into_bytes()
}

/// A request for a page, as a browser makes it.
pub(super) fn page(path: &str, cookie: &str) -> Vec<u8> {
    format!("GET {path} HTTP/1.1\r\nhost: 127.0.0.1\r\naccept-encoding: gzip\r\ncookie: {cookie}\r\n\r\n").into_bytes()
}

/// An answer's `id`.
pub(super) fn id_of(answer: &Value) -> Result<String> {
    Ok(answer.get("id").and_then(Value::as_str).with_context(|| format!("no id: {answer}"))?.to_owned())
}

/// The ids of a list.
pub(super) fn ids_of(answer: &Value) -> Result<Vec<String>> {
    answer
        .get("data")
        .and_then(Value::as_array)
        .with_context(|| format!("no list: {answer}"))?
        .iter()
        .map(id_of)
        .collect()
}

pub(super) struct Client {
    stream: TcpStream,
    answer: Vec<u8>,
}

impl Client {
    pub(super) async fn connect(address: &str) -> Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, answer: Vec::new() })
    }

    /// Whether the request succeeded.
    pub(super) async fn succeeds(&mut self, request: &[u8]) -> Result<bool> {
        exchange(&mut self.stream, request, &mut self.answer).await?;
        Ok(status(&self.answer).is_some_and(|status| (200..300).contains(&status)))
    }

    /// The bytes of the last answer.
    pub(super) fn answer(&self) -> &[u8] {
        &self.answer
    }

    pub(super) async fn get(&mut self, path: &str) -> Result<Value> {
        self.ask(&api("GET", path, None)).await
    }

    pub(super) async fn post(&mut self, path: &str, content: &Value) -> Result<Value> {
        self.ask(&api("POST", path, Some(content))).await
    }

    pub(super) async fn send(&mut self, method: &str, path: &str, content: &Value) -> Result<Value> {
        self.ask(&api(method, path, Some(content))).await
    }

    async fn ask(&mut self, request: &[u8]) -> Result<Value> {
        if !self.succeeds(request).await? {
            bail!("the host refused: {}", String::from_utf8_lossy(&self.answer));
        }
        Ok(serde_json::from_slice(body(&self.answer))?)
    }

    /// The cookie of somebody who joins the team.
    pub(super) async fn joins(&mut self, name: &str) -> Result<String> {
        let email = format!("{name}.{}@bench.example", jiff::Timestamp::now().as_millisecond());
        let invited = self.post("/invitations", &json!({ "email": email, "role": "agent" })).await?;
        let link = invited.get("link").and_then(Value::as_str).context("an invitation has a link")?;
        let secret = link.rsplit('/').next().unwrap_or_default();
        let content = json!({ "secret": secret, "name": name, "password": PASSWORD }).to_string();
        let request = format!(
            "POST /api/v1/invitations/accept HTTP/1.1\r\nhost: 127.0.0.1\r\nsec-fetch-site: same-origin\r\n\
             content-type: application/json\r\ncontent-length: {}\r\n\r\n{content}",
            content.len()
        );
        if !self.succeeds(request.as_bytes()).await? {
            bail!("an invitation was not accepted: {}", String::from_utf8_lossy(&self.answer));
        }
        let fields = head(&self.answer);
        let cookies = fields.lines().filter_map(|line| line.split_once(':')).filter_map(|(name, value)| {
            let is_it = name.eq_ignore_ascii_case("set-cookie");
            is_it.then(|| value.trim().split(';').next().unwrap_or_default().to_owned())
        });
        Ok(cookies.collect::<Vec<_>>().join("; "))
    }
}
