//! The Meta app's dashboard settings: mode, roles, URLs, answer formats.
//! What belongs here: plain data that may change at run time. Rules are in `graph`.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

/// Whether the app is published.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AppMode {
    /// Published: serves everyone.
    #[default]
    Live,
    /// Only people with a role cause webhooks and can be written to (Meta's documentation, webhooks); a send to anyone
    /// else gets 200/2018028.
    Development,
}

/// The answer formats of `api.instagram.com` and of `/me` on `graph.instagram.com`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AnswerForm {
    /// Top-level fields, which clients expect.
    #[default]
    Flat,
    /// `{"data": [{…}]}`, as on Meta's pages.
    Wrapped,
}

/// Which of an Instagram account's ids is the `user_id` in token answers and callbacks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UserIdForm {
    /// The app-scoped id, which webhooks do not use: clients have to call `/me`.
    #[default]
    AppScoped,
    /// The id of webhooks.
    Account,
}

/// The dashboard settings. All can change at run time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AppSettings {
    /// The name in login dialogs.
    pub name: String,
    /// Published or not.
    pub app_mode: AppMode,
    /// The customers (IGSIDs) with a role; used in development mode only.
    pub role_holders: BTreeSet<String>,
    /// If not empty, login dialogs refuse any other `redirect_uri`.
    pub allowed_redirect_uris: Vec<String>,
    /// The callback for removals of the app.
    pub deauthorize_url: Option<String>,
    /// The callback for data deletion requests.
    pub data_deletion_url: Option<String>,
    /// The most entries in one answer of `/me/accounts`, `/conversations` and `messages`.
    pub page_size: usize,
    /// The answer format of `POST api.instagram.com/oauth/access_token`.
    pub instagram_token_answer: AnswerForm,
    /// The answer format of `GET /me` on `graph.instagram.com`.
    pub instagram_me_answer: AnswerForm,
    /// The Instagram login's `user_id` outside of `/me`.
    pub instagram_user_id: UserIdForm,
    /// Whether the Conversations API allows only two calls per second and account.
    pub conversations_rate_limit: bool,
    /// Whether echoes omit `app_id` and `metadata`, as echoes of other apps do.
    #[serde(default)]
    pub bare_echoes: bool,
}

impl Default for AppSettings {
    fn default() -> Self {
        Self {
            name: "Demo Inbox".to_owned(),
            app_mode: AppMode::default(),
            role_holders: BTreeSet::new(),
            allowed_redirect_uris: Vec::new(),
            deauthorize_url: None,
            data_deletion_url: None,
            page_size: 100,
            instagram_token_answer: AnswerForm::default(),
            instagram_me_answer: AnswerForm::default(),
            instagram_user_id: UserIdForm::default(),
            conversations_rate_limit: false,
            bare_echoes: false,
        }
    }
}

impl AppSettings {
    /// Whether a customer is served: always when live, with a role in development.
    pub(crate) fn serves(&self, igsid: &str) -> bool {
        self.app_mode == AppMode::Live || self.role_holders.contains(igsid)
    }
}
