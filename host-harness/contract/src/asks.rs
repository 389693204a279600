//! Owns: what a manifest asks for, line by line, and what a newer one asks for beyond an older.
//! Does not own: what each thing means (`manifest`).

use std::{collections::BTreeSet, fmt};

use crate::{
    manifest::{
        Callback, Challenge, FixedAnswer, Manifest, Signature, SignatureEncoding, SignedTime, SlotPlace, SlotScope,
        Verification, Webhook,
    },
    setting_host::SettingHost,
    text::shown,
};

/// How far an ask reaches: to which hosts a credential may go, and what of a request's answers is shown.
#[derive(Clone, Debug, Eq, PartialEq)]
enum To {
    /// It is neither.
    Nowhere,
    Every,
    Host(String),
    /// All of the answers, or these places alone.
    Answers(Option<Vec<String>>),
}

impl To {
    fn covers(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Answers(Some(ours)), Self::Answers(Some(theirs))) => theirs.iter().all(|place| ours.contains(place)),
            (Self::Every, _) | (Self::Answers(None), Self::Answers(_)) => true,
            _ => self == other,
        }
    }
}

/// A size in the largest unit that gives it exactly.
fn size(bytes: u64) -> String {
    for (unit, name) in [(1 << 20, "MiB"), (1 << 10, "KiB")] {
        if bytes >= unit && bytes.is_multiple_of(unit) {
            return format!("{} {name}", bytes / unit);
        }
    }
    format!("{bytes} bytes")
}

/// What an ask is about, in the order in which [`asks`] lists them.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Topic {
    /// Requests that it may send, and to whom.
    Requests,
    /// Files that are downloaded for it.
    Files,
    /// Credentials, and where each may go.
    Credentials,
    /// What comes in, and what proves it.
    Incoming,
    /// What people who connect an account are asked.
    Connecting,
    /// How much it may use.
    Limits,
}

impl Topic {
    /// A heading for people.
    pub fn title(self) -> &'static str {
        match self {
            Self::Requests => "requests that it may send",
            Self::Files => "files that are downloaded for it",
            Self::Credentials => "credentials, and where each may go",
            Self::Incoming => "what comes in, and what proves it",
            Self::Connecting => "what people who connect are asked",
            Self::Limits => "how much it may use",
        }
    }
}

/// One thing that a manifest asks for.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Ask {
    topic: Topic,
    what: String,
    to: To,
    /// How much of it, each with its words.
    bounds: Vec<(&'static str, u64)>,
}

impl fmt::Display for Ask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&shown(&self.what))?;
        match &self.to {
            To::Nowhere | To::Answers(None) => {}
            To::Answers(Some(places)) if places.is_empty() => f.write_str(", of whose answers nothing is shown")?,
            To::Answers(Some(places)) => write!(f, ", of whose answers are shown {}", shown(&places.join(", ")))?,
            To::Every => f.write_str(" to every granted host")?,
            To::Host(host) => write!(f, " to {}", shown(host))?,
        }
        for (at, (words, bound)) in self.bounds.iter().enumerate() {
            write!(f, "{} {words} {}", if at == 0 { ":" } else { "," }, size(*bound))?;
        }
        Ok(())
    }
}

impl Ask {
    fn plain(topic: Topic, what: String) -> Self {
        Self { topic, what, to: To::Nowhere, bounds: Vec::new() }
    }

    /// What it is about.
    pub fn topic(&self) -> Topic {
        self.topic
    }

    /// Whether whoever was granted this has what the other one asks for.
    fn covers(&self, other: &Self) -> bool {
        self.what == other.what
            && self.to.covers(&other.to)
            && self.bounds.len() == other.bounds.len()
            && self.bounds.iter().zip(&other.bounds).all(|(ours, theirs)| ours.1 >= theirs.1)
    }
}

/// All that a manifest asks for: requests, files, credentials and where they may go, what comes in, where people are
/// sent, and sizes.
pub fn asks(manifest: &Manifest) -> Vec<Ask> {
    let mut asks = Vec::new();
    let named: BTreeSet<_> = manifest.egress.iter().map(|rule| &rule.host).collect();
    for host in named {
        if let Some(SettingHost { key, .. }) = SettingHost::read(host) {
            let whose =
                format!("{host} is whatever public host an account's setting {key} names, for that account's requests");
            asks.push(Ask::plain(Topic::Requests, whose));
        }
    }
    for rule in &manifest.egress {
        let bounds = vec![("bodies up to", rule.max_request_bytes), ("answers up to", rule.max_response_bytes)];
        for (method, path) in rule.methods.iter().flat_map(|method| rule.paths.iter().map(move |path| (method, path))) {
            let what = format!("requests {method} https://{}{path}", rule.host);
            asks.push(Ask {
                topic: Topic::Requests,
                what,
                to: To::Answers(rule.shown.clone()),
                bounds: bounds.clone(),
            });
            for header in &rule.headers {
                let what = format!("the header {header} in {method} https://{}{path}", rule.host);
                asks.push(Ask::plain(Topic::Requests, what));
            }
        }
    }
    asks.extend(
        manifest.media.hosts.iter().map(|host| Ask::plain(Topic::Files, format!("files and pictures from {host}"))),
    );
    for (name, slot) in &manifest.slots {
        let whose = match slot.scope {
            SlotScope::App => "of the channel",
            SlotScope::Account => "of each account",
            SlotScope::Connect => "of each connecting",
        };
        let made = if slot.generated { ", which the host makes" } else { "" };
        asks.push(Ask::plain(Topic::Credentials, format!("the credential {name} {whose}{made}")));
        let hosts: Vec<To> =
            if slot.hosts.is_empty() { vec![To::Every] } else { slot.hosts.iter().cloned().map(To::Host).collect() };
        let kinds = [("the credential", &slot.allowed_in), ("a value derived from the credential", &slot.derived)];
        for (kind, place) in kinds.into_iter().flat_map(|(kind, places)| places.iter().map(move |place| (kind, place)))
        {
            let what = format!("{kind} {name} {}", place_words(place));
            let to =
                |to: &To| Ask { topic: Topic::Credentials, what: what.clone(), to: to.clone(), bounds: Vec::new() };
            asks.extend(hosts.iter().map(to));
        }
        let captured = slot.captured_from.iter();
        asks.extend(captured.map(|pointer| {
            Ask::plain(Topic::Credentials, format!("the credential {name} taken from answers at {pointer}"))
        }));
    }
    incoming(manifest, &mut asks);
    for (name, login) in &manifest.logins {
        if let Some(place) = &login.authorization_url {
            asks.push(Ask::plain(Topic::Connecting, format!("people who connect by {name} are sent to {place}")));
        }
        let scopes = login.scopes.iter();
        asks.extend(scopes.map(|scope| {
            Ask::plain(Topic::Connecting, format!("people who connect by {name} are asked to permit {scope}"))
        }));
        for (parameter, slot) in &login.secret_parameters {
            let what = format!("the parameter {parameter} of the way back by {name} fills {slot}");
            asks.push(Ask::plain(Topic::Connecting, what));
        }
    }
    if let Some(memory) = manifest.limits.memory_bytes {
        let (topic, what) = (Topic::Limits, "memory of a call".into());
        asks.push(Ask { topic, what, to: To::Nowhere, bounds: vec![("up to", memory)] });
    }
    if let Some(deadline) = manifest.limits.deadline_ms {
        asks.push(Ask::plain(Topic::Limits, format!("time of a call: {deadline} ms")));
    }
    asks
}

/// The asks of a manifest in lines, under a heading for each topic.
pub fn listed(asks: &[Ask]) -> Vec<String> {
    let mut lines = Vec::new();
    let mut topic = None;
    for ask in asks {
        if topic.replace(ask.topic) != Some(ask.topic) {
            lines.push(format!("{}:", ask.topic.title()));
        }
        lines.push(format!("  {ask}"));
    }
    lines
}

/// What comes in as a webhook, and what proves it.
fn webhooks(webhook: &Webhook, asks: &mut Vec<Ask>) {
    let size = u64::try_from(webhook.max_body_bytes).unwrap_or(u64::MAX);
    asks.push(Ask { topic: Topic::Incoming, what: "webhooks".into(), to: To::Nowhere, bounds: vec![("up to", size)] });
    let (how, header) = (proof_words(&webhook.verification), webhook.verification.header());
    for slot in webhook.verification.secrets() {
        asks.push(Ask::plain(
            Topic::Incoming,
            format!("webhooks are proved by {how} in the header {header} with {slot}"),
        ));
    }
    asks.extend(
        webhook.headers.iter().map(|header| Ask::plain(Topic::Incoming, format!("the header {header} of webhooks"))),
    );
    match &webhook.challenge {
        Some(Challenge::QueryEcho { token, answer, secret, .. }) => {
            asks.push(Ask::plain(Topic::Incoming, format!("whoever knows {secret} (in {token}) is answered {answer}")));
        }
        Some(Challenge::JsonEcho { when, answer }) => {
            let when: Vec<_> = when.iter().map(|(pointer, text)| format!("{pointer} is `{text}`")).collect();
            let when = when.join(" and ");
            asks.push(Ask::plain(
                Topic::Incoming,
                format!("webhooks in which {when} are answered their {answer}, and not kept"),
            ));
        }
        None => {}
    }
    if let Some(FixedAnswer { status, content_type, body }) = &webhook.answer {
        asks.push(Ask::plain(Topic::Incoming, format!("webhooks are answered {status}, {content_type}, `{body}`")));
    }
}

/// What comes in, and what proves it.
fn incoming(manifest: &Manifest, asks: &mut Vec<Ask>) {
    manifest.webhook.iter().for_each(|webhook| webhooks(webhook, asks));
    for (name, Callback::SignedRequest { secrets, issued_at, .. }) in &manifest.callbacks {
        let age = if issued_at.is_some() { "while they are new" } else { "of any age" };
        let of = |slot: &String| Ask::plain(Topic::Incoming, format!("callbacks {name}, {age}, signed with {slot}"));
        asks.extend(secrets.iter().map(of));
    }
}

/// What proves a webhook, in words.
fn proof_words(verification: &Verification) -> String {
    let Some(Signature { prefix, encoding, timestamp, .. }) = verification.signature() else {
        return verification.to_string();
    };
    let age = match timestamp {
        Some(SignedTime { header, tolerance }) => format!("at most {tolerance} s old by {header}"),
        None => "of any age".to_owned(),
    };
    let encoding = match encoding {
        SignatureEncoding::Hex => "hex",
        SignatureEncoding::Base64 => "base64",
    };
    format!("{verification} ({encoding}, after `{prefix}`, {age})")
}

/// What the newer manifest asks for and the older one did not, or not as widely.
pub fn beyond(older: &Manifest, newer: &Manifest) -> Vec<String> {
    let before = asks(older);
    let new = asks(newer).into_iter().filter(|ask| !before.iter().any(|known| known.covers(ask)));
    new.map(|ask| ask.to_string()).collect()
}

fn place_words(place: &SlotPlace) -> String {
    match place {
        SlotPlace::Authorization(scheme) => format!("as {scheme}").to_lowercase(),
        SlotPlace::Basic => "as the password of basic".into(),
        SlotPlace::Header(name) => format!("in the header {name}"),
        SlotPlace::Query(name) => format!("in the query as {name}"),
        SlotPlace::Path(name) => format!("in the path as {name}"),
        SlotPlace::FormField(name) => format!("in the form as {name}"),
        SlotPlace::Json(pointer) => format!("in the body at {pointer}"),
        SlotPlace::HmacKey => "as the key of a derived value".into(),
        SlotPlace::HmacMessage => "as the message of a derived value".into(),
        SlotPlace::JwtHs256Key => "as the key of a token (HS256)".into(),
        SlotPlace::JwtRs256Key => "as the key of a token (RS256)".into(),
        SlotPlace::AwsAccessKeyId => "as the access key's id of a signed request".into(),
        SlotPlace::AwsSecretKey => "as the key of a signed request".into(),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    const OLD: &str = r#"
        [channel]
        id = "x"
        name = "X"
        version = "1"
        contract = "0.2.0"
        [webhook]
        max-body-bytes = 1000
        [webhook.verification]
        scheme = "hmac"
        header = "x-signature"
        secrets = ["key"]
        [callbacks.gone]
        scheme = "signed-request"
        field = "f"
        secrets = ["key"]
        issued-at = "issued_at"
        description = "x"
        [slots.key]
        scope = "app"
        allowed-in = ["hmac-key"]
        derived = [{ query = "proof" }]
        hosts = [ "a.example" ]
        [slots.token]
        scope = "account"
        allowed-in = ["hmac-message", { authorization = "Bearer" }]
        captured-from = ["/token"]
        hosts = ["a.example"]
        [[egress]]
        host = "a.example"
        methods = ["GET"]
        paths = ["/v1/*"]
        max-request-bytes = 10
        max-response-bytes = 10
        [[egress]]
        host = "b.example"
        methods = [ "GET" ]
        paths = [ "/v2" ]
        max-request-bytes = 1
        max-response-bytes = 1
        [media]
        hosts = ["cdn.example"]
        [logins.web]
        name = "Web"
        authorization-url = "https://a.example/dialog"
        scopes = ["read"]
        [settings.server]
        type = "text"
    "#;

    #[test]
    fn an_update_that_asks_for_anything_wider_says_so_and_one_that_asks_for_less_does_not() {
        let parse = |text: &str| Manifest::parse(text, "test").unwrap();
        let old = parse(OLD);
        assert_eq!(beyond(&old, &old), Vec::<String>::new());
        for (from, to, words) in [
            (
                r#"derived = [{ query = "proof" }]"#,
                r#"derived = [{ query = "text" }]"#,
                "derived from the credential key in the query as text to a.example",
            ),
            (
                r#"allowed-in = ["hmac-key"]"#,
                r#"allowed-in = ["hmac-key", { authorization = "Bearer" }]"#,
                "the credential key as bearer to a.example",
            ),
            (r#"["/token"]"#, r#"["/text"]"#, "taken from answers at /text"),
            (r#"hosts = ["a.example"]"#, r#"hosts = ["b.example"]"#, "to b.example"),
            (r#"hosts = ["a.example"]"#, "hosts = []", "every granted host"),
            (r#"methods = ["GET"]"#, r#"methods = ["GET", "POST"]"#, "requests POST https://a.example/v1/*"),
            (r#"paths = ["/v1/*"]"#, r#"paths = ["/**"]"#, "https://a.example/**"),
            ("max-response-bytes = 10", "max-response-bytes = 11", "answers up to 11 bytes"),
            ("max-request-bytes = 10", "max-request-bytes = 10\nheaders = [\"x-a\"]", "the header x-a in GET"),
            (r#"["cdn.example"]"#, r#"["*.example"]"#, "files and pictures from *.example"),
            ("https://a.example/dialog", "https://b.example/dialog", "are sent to https://b.example/dialog"),
            (r#"scopes = ["read"]"#, r#"scopes = ["read", "write"]"#, "asked to permit write"),
            ("max-body-bytes = 1000", "max-body-bytes = 1001", "webhooks: up to 1001 bytes"),
            (
                "host = \"b.example\"",
                "host = \"{setting:server}\"",
                "{setting:server} is whatever public host an account's setting server names, for that account's requests",
            ),
            (
                "[slots.key]\n",
                "[slots.key]\n        generated = true\n",
                "the credential key of the channel, which the host makes",
            ),
            ("header = \"x-signature\"", "header = \"x-other\"", "in the header x-other"),
            (
                "header = \"x-signature\"",
                "header = \"x-signature\"\nalgorithm = \"sha1\"",
                "proved by HMAC-SHA1 of `{body}`",
            ),
            ("issued-at = \"issued_at\"\n", "", "callbacks gone, of any age"),
            (r#"scope = "app""#, r#"scope = "account""#, "the credential key of each account"),
        ] {
            assert!(OLD.contains(from), "{from}");
            let wider = beyond(&old, &parse(&OLD.replace(from, to)));
            assert!(wider.iter().any(|line| line.contains(words)), "{to}: {wider:?}");
        }
        let with =
            |shown: &str| parse(&OLD.replace("max-request-bytes = 10", &format!("max-request-bytes = 10\n{shown}")));
        assert_eq!(beyond(&old, &with("shown = ['/a']")), Vec::<String>::new());
        assert_eq!(beyond(&with("shown = ['/a', '/b']"), &with("shown = ['/b']")), Vec::<String>::new());
        let wider = beyond(&with("shown = []"), &with("shown = ['/a']"));
        assert!(wider.iter().any(|line| line.contains("of whose answers are shown /a")), "{wider:?}");
        assert_eq!(beyond(&with("shown = []"), &old).len(), 1);
        for (from, to) in [
            ("max-response-bytes = 10", "max-response-bytes = 9"),
            ("max-body-bytes = 1000", "max-body-bytes = 10"),
            (r#"["hmac-message", { authorization = "Bearer" }]"#, r#"["hmac-message"]"#),
            (r#"["cdn.example"]"#, "[]"),
        ] {
            assert_eq!(beyond(&old, &parse(&OLD.replace(from, to))), Vec::<String>::new(), "{to}");
        }
        let everywhere = parse(&OLD.replace(r#"hosts = ["a.example"]"#, "hosts = []"));
        assert_eq!(beyond(&everywhere, &old), Vec::<String>::new());
    }
}
