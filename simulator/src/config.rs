//! The simulated Meta app, its business accounts, and behaviour that tests choose.
//! What belongs here: plain data with defaults. State that changes at run time is in `state`.

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

/// The kind of Instagram account, as in `account_type`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum AccountType {
    /// A professional account of a business.
    #[default]
    Business,
    /// A professional account of a creator.
    MediaCreator,
    /// Not professional: no page has it as its `instagram_business_account`, and Instagram's login dialog does not
    /// offer it.
    Personal,
}

/// When the echo webhook of an accepted message is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EchoTiming {
    /// This long after the answer, on the simulator's clock (milliseconds in JSON).
    After(#[serde(with = "millis")] Duration),
    /// Delivered, and answered by the receiver, before the Send API answers. This happens on the real platform and is
    /// why inboxes duplicate messages.
    BeforeResponse,
    /// Lost.
    Never,
}

/// Redelivery of webhooks that were not answered with 2xx.
///
/// Meta's documentation: immediately, then less and less often for 36 hours. Here each entry is the pause before one
/// more attempt, on the simulator's clock; by default there is none.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Redelivery {
    /// Pauses before the second, third, … attempt.
    pub pauses: Vec<Duration>,
}

impl Redelivery {
    /// `times` redeliveries with the same pause.
    pub fn times(times: usize, pause: Duration) -> Self {
        Self { pauses: vec![pause; times] }
    }
}

/// Media URLs that the Send API accepts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum MediaPolicy {
    /// Public `https` only, checked by the URL without fetching. The platform's rule.
    #[default]
    PublicHttps,
    /// Also `http` on loopback; such a URL is fetched and its type and size are checked. For end-to-end tests that
    /// serve media on loopback.
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
    /// The person's tasks on the page. Without `MESSAGING` sends get 200, without `MODERATE` `subscribed_apps` does;
    /// without any task everything gets 190/492.
    pub tasks: Vec<String>,
    /// Whether it is preselected in the login dialog.
    pub preselected: bool,
}

/// One Instagram professional account.
#[derive(Debug, Clone)]
pub struct AccountConfig {
    /// The account's id in webhooks: `17841…`, 17 digits.
    pub ig_id: String,
    /// The account's handle.
    pub username: String,
    /// The account's display name.
    pub name: String,
    /// The linked page. Without one, `graph.facebook.com` does not serve the account.
    pub page: Option<PageConfig>,
    /// The Instagram user token, `IGAA…`. Without one, `graph.instagram.com` does not serve the account.
    pub instagram_token: Option<Secret>,
    /// The product whose secret signs the account's webhooks.
    pub webhook_login: Login,
    /// Whether the app has the Human Agent feature: people may answer for 7 days.
    pub human_agent: bool,
    /// The window of a thread that an ad opened (policy of September 2026: "up to 7 days").
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
    /// Whether webhooks require a subscription over the login in `webhook_login`. Required on the real platform; off by
    /// default, so that webhook tests need no subscription.
    pub requires_subscription: bool,
}

/// The simulator's configuration.
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
    /// The app's dashboard settings, which can change at run time.
    pub app: AppSettings,
    /// The person who logs in.
    pub person: PersonConfig,
    /// The accounts, at least one. The first is the default.
    pub accounts: Vec<AccountConfig>,
    /// The webhook target; can be set later.
    pub webhook_url: Option<String>,
    /// The receiver's timeout. Not documented for Instagram; 20 s is Messenger's older figure.
    pub webhook_timeout: Duration,
    /// When echoes are sent.
    pub echo: EchoTiming,
    /// How failed webhooks are repeated.
    pub redelivery: Redelivery,
    /// Which media addresses are taken.
    pub media: MediaPolicy,
    /// Whether MP3 is accepted as audio. Meta's pages do not list it, no capture shows it refused, and products promise
    /// it, so it is accepted unless a test wants Meta's list to the letter.
    pub takes_mp3: bool,
    /// The port on 127.0.0.1; 0 takes a free one.
    pub port: u16,
    /// Makes the random parts of ids repeatable; `None` uses the system's randomness.
    pub seed: Option<u64>,
}

impl Config {
    /// A customer id that fits the demo: 16 digits.
    pub const DEMO_CUSTOMER: &'static str = "5551230000000001";

    /// One app with one account, both logins, fixed ids and tokens, and no webhook target.
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

    /// The token of this login.
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
