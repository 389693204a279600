//! What a host is told that shall take this simulator for the platform: addresses, the app's secrets and an account in the
//! channel's own words, a whole configuration.
//! What belongs here: words of the channel and of a host's configuration. Who writes files, and where, does not.

use crate::config::{AccountConfig, Config, Login};
use crate::secret::Secret;
use crate::signature::sha256_header;
use crate::simulator::Simulator;

/// The name of the platform that is played.
pub const PLATFORM: &str = "Meta";
/// The id of the channel that speaks with it.
pub const CHANNEL: &str = "instagram";

/// The hosts that the channel calls.
pub const EGRESS: [&str; 3] = ["graph.facebook.com", "graph.instagram.com", "api.instagram.com"];

/// A line of the table of what is played.
#[derive(Debug, Clone)]
pub struct WorldEntry {
    /// Its name for programs.
    pub key: &'static str,
    /// What it is.
    pub title: &'static str,
    /// What it is worth.
    pub value: String,
}

/// An account as a host connects it.
#[derive(Debug, Clone)]
pub struct HostAccount {
    /// The account's id at the platform.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its settings, by the channel's keys.
    pub settings: Vec<(&'static str, String)>,
    /// Its credentials, by the channel's slots.
    pub secrets: Vec<(&'static str, Secret)>,
}

impl HostAccount {
    /// An account over the Facebook login; none where no page is linked.
    pub fn of(account: &AccountConfig) -> Option<Self> {
        let page = account.page.as_ref()?;
        Some(Self {
            id: account.ig_id.clone(),
            name: account.name.clone(),
            settings: vec![("login", "facebook".to_owned()), ("page-id", page.id.clone())],
            secrets: vec![("page-token", account.token(Login::Facebook)?.clone())],
        })
    }
}

impl Config {
    /// The app's secrets, by the channel's slots.
    pub fn app_secrets(&self) -> [(&'static str, &Secret); 3] {
        [
            ("app-secret", &self.app_secret),
            ("instagram-app-secret", &self.instagram_app_secret),
            ("verify-token", &self.verify_token),
        ]
    }

    /// The ids of the app, by the channel's settings for them.
    pub fn app_ids(&self) -> [(&'static str, &str); 2] {
        [("app-id", &self.app_id), ("instagram-app-id", &self.instagram_app_id)]
    }
}

impl Simulator {
    /// Where the two Graph APIs are played, by the name of each for programs.
    pub fn graph_addresses(&self) -> [(&'static str, String); 2] {
        [("graph_facebook", self.graph_facebook_url()), ("graph_instagram", self.graph_instagram_url())]
    }

    /// The platform's origins, each with the address that stands in for it.
    pub fn origins(&self) -> [(&'static str, String); 6] {
        [
            ("https://graph.facebook.com", self.graph_facebook_url()),
            ("https://graph.instagram.com", self.graph_instagram_url()),
            ("https://api.instagram.com", self.api_instagram_url()),
            ("https://www.facebook.com", self.www_facebook_url()),
            ("https://www.instagram.com", self.www_instagram_url()),
            ("https://lookaside.fbsbx.com", format!("{}/lookaside.fbsbx.com", self.base_url())),
        ]
    }

    /// Tells the app where a host listens: its two callbacks go there. `host` is such as `http://127.0.0.1:8080`.
    pub fn set_callbacks(&self, host: &str) {
        let callback = |name: &str| Some(format!("{}/callbacks/{CHANNEL}/{name}", host.trim_end_matches('/')));
        self.update_app(|app| {
            app.deauthorize_url = callback("deauthorize");
            app.data_deletion_url = callback("data-deletion");
        });
    }

    /// The ids, secrets and tokens of what is played: none of it works anywhere else.
    pub fn world(&self) -> Vec<WorldEntry> {
        let config = self.config();
        let mut table = Vec::new();
        let mut add = |key, title, value: &str| table.push(WorldEntry { key, title, value: value.to_owned() });
        add("app_id", "Meta app", &config.app_id);
        add("app_secret", "its secret", config.app_secret.expose());
        add("instagram_app_id", "Instagram app", &config.instagram_app_id);
        add("instagram_app_secret", "its secret", config.instagram_app_secret.expose());
        add("verify_token", "verify token of the webhook", config.verify_token.expose());
        let person = self.person();
        add("person_id", "person", &person.id);
        add("user_token", "user token", person.token.expose());
        if let Some(account) = self.accounts().first() {
            if let Some(page) = &account.page {
                add("page_id", "page", &page.id);
                add("page_token", "page token", page.token.expose());
            }
            add("account_id", "Instagram account", &account.ig_id);
            if let Some(token) = &account.instagram_token {
                add("instagram_token", "its token", token.expose());
            }
        }
        add("customer_id", "a customer", Config::DEMO_CUSTOMER);
        table
    }

    /// The part of a host's configuration that is about the channel and its platform: everything granted, the app's
    /// secrets in files of the folder `secrets`, which are named as their slots.
    pub fn host_config(&self, component: &str, secrets: &str) -> String {
        let config = self.config();
        let files: String = config
            .app_secrets()
            .iter()
            .map(|(slot, _)| format!("{slot} = {{ file = {:?} }}\n", format!("{secrets}/{slot}")))
            .collect();
        let endpoints: String =
            self.origins().iter().map(|(origin, stand_in)| format!("{origin:?} = {stand_in:?}\n")).collect();
        format!(
            r#"[channels.{CHANNEL}]
component = {component:?}
settings = {{ app-id = {app:?}, instagram-app-id = {instagram_app:?} }}

[channels.{CHANNEL}.grant]
egress = {EGRESS:?}
media = ["lookaside.fbsbx.com", "*.fbcdn.net", "*.cdninstagram.com"]

[channels.{CHANNEL}.secrets]
{files}
[development]
unsigned-channels = true
[development.endpoints]
{endpoints}"#,
            app = config.app_id,
            instagram_app = config.instagram_app_id,
        )
    }
}

/// What a webhook with one text holds, for whoever sends many without playing the rest: of about 380 bytes, with ids as long
/// as Meta's, and different for each number.
pub fn text_webhook(account: &str, number: usize, customers: usize) -> String {
    let customer = 5_551_230_000_000_000 + number % customers.max(1);
    let at = 1_795_000_000_000 + number;
    // Their order has nothing to do with time, as with Meta's.
    let scattered = (number as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    format!(
        r#"{{"object":"instagram","entry":[{{"id":"{account}","time":{at},"messaging":[{{"sender":{{"id":"{customer}"}},"recipient":{{"id":"{account}"}},"timestamp":{at},"message":{{"mid":"aWdfZAG1faXRlbToxOklHTWVzc2FnZAUlEOjE3ODQxNDAwMDAwMDAwMDAxOjM0MDI4MjM2Njg0MTcxMDMwMTI0{scattered:020}","text":"Hello, is number {number} still there, and in blue?"}}}}]}}]}}"#
    )
}

/// The headers with which the platform sends such a webhook.
pub fn webhook_headers(app_secret: &Secret, body: &[u8]) -> [(&'static str, String); 4] {
    [
        ("user-agent", "facebookexternalua".to_owned()),
        ("accept", "*/*".to_owned()),
        ("content-type", "application/json".to_owned()),
        (SIGNATURE_HEADER, sha256_header(app_secret, body)),
    ]
}

/// The header with the webhook's signature.
pub const SIGNATURE_HEADER: &str = "x-hub-signature-256";
