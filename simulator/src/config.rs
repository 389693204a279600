//! What is played: the Meta app, its business accounts, and the behaviour that tests choose.
//! What belongs here: plain data with defaults. What changes while running is in `state`.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::person::{PersonConfig, all_tasks};
use crate::secret::Secret;
use crate::settings::AppSettings;

/// Which of Meta's two products an account is connected through.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Login {
    /// Messenger API for Instagram: `graph.facebook.com`, page token, webhooks signed with the
    /// Meta app secret.
    Facebook,
    /// Instagram API with Instagram login: `graph.instagram.com`, Instagram user token, webhooks
    /// signed with the Instagram app secret.
    Instagram,
}

/// The language of error messages on `graph.instagram.com`, which answers in the account's own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Locale {
    /// English.
    #[default]
    English,
    /// Brazilian Portuguese, the language of the captured window refusal.
    Portuguese,
    /// German.
    German,
}

/// What kind of Instagram account it is, as `account_type` tells it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum AccountType {
    /// A professional account of a business.
    #[default]
    Business,
    /// A professional account of a creator.
    MediaCreator,
    /// Not professional: no page shows it as its `instagram_business_account`, and the login dialog
    /// of Instagram does not offer it.
    Personal,
}

/// When the echo webhook of an accepted message is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EchoTiming {
    /// That long after the answer left, by the simulator's clock (milliseconds on the JSON surface).
    After(#[serde(with = "millis")] Duration),
    /// Delivered, and answered by the receiver, before the Send API answers: real, and the reason
    /// why inboxes double messages.
    BeforeResponse,
    /// Lost.
    Never,
}

/// How a webhook that was not answered with 2xx is repeated.
///
/// Meta's documentation: at once, then less and less often over 36 hours. Here each entry is the
/// pause before one more attempt, by the simulator's clock; the default is no repetition.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Redelivery {
    /// Pauses before the second, third, … attempt.
    pub pauses: Vec<Duration>,
}

impl Redelivery {
    /// `times` more attempts with the same pause.
    pub fn times(times: usize, pause: Duration) -> Self {
        Self { pauses: vec![pause; times] }
    }
}

/// Which media addresses the Send API takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum MediaPolicy {
    /// Public `https` only, judged by the address; nothing is fetched. The platform's rule.
    #[default]
    PublicHttps,
    /// Also `http` on this machine, and such an address is fetched and its type and size checked:
    /// for end-to-end tests whose media are served on loopback.
    FetchLoopback,
}

/// A Facebook page that an Instagram account is linked to.
#[derive(Debug, Clone)]
pub struct PageConfig {
    /// The page's id, 15–16 digits.
    pub id: String,
    /// The page's name.
    pub name: String,
    /// The page access token, `EAA…`.
    pub token: Secret,
    /// What the person may do on it. Without `MESSAGING` sends get 200, without `MODERATE`
    /// `subscribed_apps` does; without any task everything gets 190/492.
    pub tasks: Vec<String>,
    /// Whether its box is ticked when the login dialog opens.
    pub preselected: bool,
}

/// One Instagram professional account.
#[derive(Debug, Clone)]
pub struct AccountConfig {
    /// The account's id as webhooks name it: `17841…`, 17 digits.
    pub ig_id: String,
    /// The account's handle.
    pub username: String,
    /// The account's display name.
    pub name: String,
    /// The linked page; without one `graph.facebook.com` cannot serve the account.
    pub page: Option<PageConfig>,
    /// The Instagram user token, `IGAA…`; without one `graph.instagram.com` cannot.
    pub instagram_token: Option<Secret>,
    /// Which product's secret signs the account's webhooks.
    pub webhook_login: Login,
    /// Whether the app has the Human Agent feature: answers by people up to 7 days.
    pub human_agent: bool,
    /// How long a thread that an ad opened may be answered (policy of September 2026: "up to 7 days").
    pub ad_window: Duration,
    /// Media ids of the account's own posts, the only ones that `MEDIA_SHARE` accepts.
    pub own_posts: Vec<String>,
    /// The language of refusals on `graph.instagram.com`.
    pub locale: Locale,
    /// Business, creator or personal.
    pub account_type: AccountType,
    /// The owner's switch "Allow access to messages". Off: no message webhooks, and sends and
    /// conversations get 200/2534041.
    pub message_access: bool,
    /// Whether webhooks go out only while the account is subscribed over the login that
    /// `webhook_login` names. Real; off by default, so that tests of webhooks need no subscription.
    pub requires_subscription: bool,
}

/// Everything the simulator needs to know at start.
#[derive(Debug, Clone)]
pub struct Config {
    /// The Meta app's id, 15–16 digits.
    pub app_id: String,
    /// The Meta app's secret: signs webhooks of the Facebook login and `appsecret_proof` there.
    pub app_secret: Secret,
    /// The Instagram app's id (a different app id of the same app).
    pub instagram_app_id: String,
    /// The Instagram app's secret: the same for the Instagram login.
    pub instagram_app_secret: Secret,
    /// The token of the GET challenge.
    pub verify_token: Secret,
    /// What the app's dashboard says; can change while running.
    pub app: AppSettings,
    /// The person in front of the login dialogs.
    pub person: PersonConfig,
    /// The accounts; at least one. The first is the default of every short call.
    pub accounts: Vec<AccountConfig>,
    /// Where webhooks go; can be set later.
    pub webhook_url: Option<String>,
    /// How long a receiver may take. Not stated for Instagram; 20 s is Messenger's older figure.
    pub webhook_timeout: Duration,
    /// When echoes are sent.
    pub echo: EchoTiming,
    /// How failed webhooks are repeated.
    pub redelivery: Redelivery,
    /// Which media addresses are taken.
    pub media: MediaPolicy,
    /// Whether MP3 is taken as audio. Meta's pages do not list it and no capture shows it refused, while
    /// products promise it, so it is taken unless a test wants Meta's list to the letter.
    pub takes_mp3: bool,
    /// The port on 127.0.0.1; 0 takes a free one.
    pub port: u16,
    /// Makes random parts of ids repeatable; `None` takes randomness from the system.
    pub seed: Option<u64>,
}

impl Config {
    /// A customer id that fits the demo: 16 digits.
    pub const DEMO_CUSTOMER: &'static str = "5551230000000001";

    /// One app with one account that has both logins, fixed ids and tokens, no webhook target.
    pub fn demo() -> Self {
        Self {
            app_id: "987650000000001".to_owned(),
            app_secret: "demo-meta-app-secret".into(),
            instagram_app_id: "876540000000001".to_owned(),
            instagram_app_secret: "demo-instagram-app-secret".into(),
            verify_token: "demo-verify-token".into(),
            app: AppSettings::default(),
            person: PersonConfig::demo(),
            accounts: vec![AccountConfig::demo(1)],
            webhook_url: None,
            webhook_timeout: Duration::from_secs(20),
            echo: EchoTiming::After(Duration::from_millis(30)),
            redelivery: Redelivery::default(),
            media: MediaPolicy::default(),
            takes_mp3: true,
            port: 0,
            seed: None,
        }
    }
}

impl AccountConfig {
    /// The `n`-th account of the demo world (1–99), with both logins and the Human Agent feature.
    pub fn demo(n: u8) -> Self {
        Self {
            ig_id: format!("178414000000{n:05}"),
            username: format!("demo.shop.{n}"),
            name: format!("Demo Shop {n}"),
            page: Some(PageConfig {
                id: format!("1048570000{n:05}"),
                name: format!("Demo Page {n}"),
                token: Secret::new(format!("EAADemoPageToken{n:02}ZBxQ7pWk3Rr9LmVt5Ys")),
                tasks: all_tasks(),
                preselected: true,
            }),
            instagram_token: Some(Secret::new(format!("IGAADemoUserToken{n:02}ZBhV2cNf8Jd4GsTq6"))),
            webhook_login: Login::Facebook,
            human_agent: true,
            ad_window: Duration::from_secs(7 * 24 * 3600),
            own_posts: vec![format!("180000000000{n:05}")],
            locale: Locale::default(),
            account_type: AccountType::default(),
            message_access: true,
            requires_subscription: false,
        }
    }

    /// The token that a client of this login would use.
    pub fn token(&self, login: Login) -> Option<&Secret> {
        match login {
            Login::Facebook => self.page.as_ref().map(|page| &page.token),
            Login::Instagram => self.instagram_token.as_ref(),
        }
    }
}

mod millis {
    //! A duration as whole milliseconds in JSON.
    use std::time::Duration;

    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(value: &Duration, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_u64(u64::try_from(value.as_millis()).unwrap_or(u64::MAX))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Duration, D::Error> {
        u64::deserialize(from).map(Duration::from_millis)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_output_of_a_configuration_shows_no_secret() {
        let config = Config::demo();
        let printed = format!("{config:?}");
        for secret in ["demo-meta", "demo-instagram", "demo-verify", "EAADemo", "IGAADemo"] {
            assert!(!printed.contains(secret), "{secret} in {printed}");
        }
    }

    #[test]
    fn demo_ids_have_the_platform_s_lengths() {
        for n in [1, 2, 99] {
            let account = AccountConfig::demo(n);
            assert_eq!(account.ig_id.len(), 17);
            assert_eq!(account.own_posts.iter().map(String::len).collect::<Vec<_>>(), [17]);
            assert_eq!(account.page.map(|page| page.id.len()), Some(15));
        }
    }
}
