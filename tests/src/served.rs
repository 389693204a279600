//! `harness serve` in a process of its own, with a channel that does what scripts tell it and one that works beside it.
//! Belongs here: setting that up, and what is asked of it over HTTP. Not here: the scripts, and what their platform
//! answers.

use std::{
    fs::{self, File},
    io::{Read as _, Seek as _, SeekFrom},
    path::{Path, PathBuf},
    process::Command,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use axum::Router;
use serde_json::{Value, json};

use crate::{
    API_TOKEN, Answer, api, entries, eventually, listen, neighbours::chat_server, process::Process, request, scripted,
    web_chat, write_secret,
};

/// What the working channel's account is proved by.
const SHOP_SECRET: &str = "secret-of-the-shop";
/// How much of a file is searched at once, and how far two pieces overlap, in bytes.
const PIECE: usize = 1 << 20;
const OVERLAP: usize = 4 << 10;

/// The process, and where it is reached.
pub struct Served {
    process: Process,
    /// `http://127.0.0.1:…`
    pub address: String,
    /// Its configuration and everything that it keeps.
    pub folder: tempfile::TempDir,
    /// Messages that the working channel's platform was sent.
    sent: Arc<AtomicUsize>,
}

/// One account of the scripted channel.
pub struct ScriptedAccount<'a> {
    /// The platform's id.
    pub id: &'a str,
    /// Its credential.
    pub token: &'a str,
    /// The setting `script`.
    pub script: Value,
}

impl Served {
    /// Starts the program; requests of the scripted channel arrive at `platform`.
    pub async fn start(program: &str, platform: Router, accounts: &[ScriptedAccount<'_>]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let sent = Arc::new(AtomicUsize::new(0));
        let chat = chat_server(&sent);
        let config = config(folder.path(), &listen(platform).await, &listen(chat).await, accounts);
        let log = File::create(folder.path().join("log")).unwrap();
        let mut command = Command::new(program);
        let process = Process::start(command.args(["serve", "--config"]).arg(config).stderr(log));
        Self { address: process.address.clone(), process, folder, sent }
    }

    /// A delivery of the scripted channel: it may be taken, or put off.
    pub async fn deliver(&self, script: &Value) -> u16 {
        let url = format!("{}/webhooks/scripted", self.address);
        request("POST", &url, &[("x-secret", "the-webhook-secret")], script.to_string().into_bytes()).await.status
    }

    /// A conversation, as soon as there is one of this channel and contact.
    pub async fn conversation(&self, channel: &str, contact: &str) -> String {
        eventually("the conversation", async || {
            let all = self.read("conversations?limit=50").await;
            let is_it = |one: &&Value| one["channel"] == channel && is_known_by(one, contact);
            let found = all.as_array()?.iter().find(is_it)?["id"].as_str()?.to_owned();
            Some(found)
        })
        .await
    }

    /// Asks for a reply; the host may refuse it.
    pub async fn reply(&self, conversation: &str, key: &str, text: &str) -> Answer {
        let url = format!("{}/api/v1/conversations/{conversation}/replies", self.address);
        let body = json!({ "sender": { "kind": "human", "id": "agent-1" }, "parts": [{ "text": { "text": text } }] })
            .to_string();
        api("POST", &url, &[("content-type", "application/json"), ("idempotency-key", key)], body).await
    }

    /// Something of the API, below `/api/v1/`; of a list its entries.
    pub async fn read(&self, path: &str) -> Value {
        entries(serde_json::from_str(&self.shown(path).await).unwrap_or_default())
    }

    /// The same as it is shown, also where it is an error.
    pub async fn shown(&self, path: &str) -> String {
        api("GET", &format!("{}/api/v1/{path}", self.address), &[], Vec::new()).await.body
    }

    /// The neighbour's webhook is taken, its message is there, and its reply leaves. Returns how long webhook and reply
    /// took.
    pub async fn visit(&self, number: usize) -> (Duration, Duration) {
        let url = format!("{}/webhooks/web-chat", self.address);
        let visitor = format!("v-{number}");
        // The newest conversation stands first.
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis();
        let now = u64::try_from(now).unwrap();
        let message =
            json!({ "id": format!("in-{number}"), "visitor": visitor, "name": "Kim", "text": "hello", "at": now });
        let body = json!({ "messages": [message] }).to_string();
        let began = Instant::now();
        let answer = request("POST", &url, &[("x-webchat-secret", SHOP_SECRET)], body.into_bytes()).await;
        let taken = began.elapsed();
        assert_eq!(answer.status, 200, "the neighbour's webhook: {}", answer.body);
        let conversation = self.conversation("web-chat", &visitor).await;
        let began = Instant::now();
        let before = self.sent.load(Ordering::Relaxed);
        let answer = self.reply(&conversation, &format!("n-{number}"), "hi").await;
        assert_eq!(answer.status, 201, "the neighbour's reply: {}", answer.body);
        eventually("the neighbour's reply", async || (self.sent.load(Ordering::Relaxed) > before).then_some(())).await;
        (taken, began.elapsed())
    }

    /// Whether the process still runs.
    pub fn runs(&mut self) -> bool {
        self.process.runs()
    }

    /// The most memory that the process ever had, in bytes.
    pub fn peak_memory(&self) -> u64 {
        self.memory("VmHWM:")
    }

    /// What it has now, in bytes.
    pub fn present_memory(&self) -> u64 {
        self.memory("VmRSS:")
    }

    fn memory(&self, name: &str) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.process.id())).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix(name));
        line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<u64>().ok()).unwrap_or(0) << 10
    }

    /// What it logged.
    pub fn log(&self) -> PathBuf {
        self.folder.path().join("log")
    }

    /// The inbox file and what lies beside it.
    pub fn inbox_files(&self) -> Vec<PathBuf> {
        let entries = fs::read_dir(self.folder.path().join("data")).unwrap();
        let paths = entries.map(|entry| entry.unwrap().path());
        paths
            .filter(|path| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("inbox.sqlite")))
            .collect()
    }
}

fn config(folder: &Path, platform: &url::Url, chat: &url::Url, accounts: &[ScriptedAccount<'_>]) -> PathBuf {
    let secret = |name: &str, text: &str| {
        write_secret(&folder.join(name), text);
        format!("{{ file = \"{name}\" }}")
    };
    let mut text = format!(
        "listen = \"127.0.0.1:0\"\ndata-dir = \"data\"\n[api]\ntoken = {}\n\
         [development]\nunsigned-channels = true\n[development.endpoints]\n\"https://scripted.example.com\" = \"{platform}\"\n\"https://chat.example.com\" = \"{chat}\"\n\
         [channels.web-chat]\ncomponent = '{}'\ngrant = {{ egress = [\"chat.example.com\"] }}\n\
         [[channels.web-chat.accounts]]\nid = \"shop\"\nsecrets = {{ site-secret = {}, api-key = {} }}\n\
         [channels.scripted]\ncomponent = '{}'\ngrant = {{ egress = [\"scripted.example.com\"] }}\nsecrets = {{ secret = {} }}\n",
        secret("api-token", API_TOKEN),
        web_chat().0.display(),
        secret("site-secret", SHOP_SECRET),
        secret("api-key", "key-of-the-shop-0123456789"),
        scripted().0.display(),
        secret("webhook-secret", "the-webhook-secret"),
    );
    for ScriptedAccount { id, token, script } in accounts {
        let token = secret(&format!("token-of-{id}"), token);
        text += &format!(
            "[[channels.scripted.accounts]]\nid = \"{id}\"\nsettings = {{ script = '{script}' }}\nsecrets = {{ token = {token} }}\n"
        );
    }
    let path = folder.join("harness.toml");
    fs::write(&path, text).unwrap();
    path
}

/// Whether the contact of a conversation of the API has this id at the platform.
pub fn is_known_by(conversation: &Value, id: &str) -> bool {
    let known = conversation["contact"]["identifiers"].as_object();
    known.is_some_and(|known| known.values().any(|one| one == id))
}

/// A file that grows, read piece by piece.
#[derive(Default)]
pub struct Reader {
    at: u64,
}

impl Reader {
    /// Reads what is new, and looks at it in pieces which overlap; the first finding ends it.
    pub fn find<T>(&mut self, path: &Path, look: impl Fn(&str) -> Option<T>) -> Option<T> {
        let mut file = File::open(path).unwrap();
        file.seek(SeekFrom::Start(self.at)).unwrap();
        let mut piece = Vec::new();
        loop {
            let kept = piece.len();
            file.by_ref().take(PIECE as u64).read_to_end(&mut piece).unwrap();
            if piece.len() == kept {
                return None;
            }
            if let Some(found) = look(&String::from_utf8_lossy(&piece)) {
                return Some(found);
            }
            self.at = file.stream_position().unwrap().saturating_sub(OVERLAP as u64);
            piece.drain(..piece.len().saturating_sub(OVERLAP));
        }
    }
}
