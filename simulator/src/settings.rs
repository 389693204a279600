//! The Meta app's settings, as its dashboard holds them: mode, roles, addresses, forms of answers.
//! What belongs here: plain data that may change while the app is played. Rules are in `graph`.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

/// Whether the app is published.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AppMode {
    /// Published: everybody is served.
    #[default]
    Live,
    /// Only people with a role cause webhooks and can be written to (Meta's documentation,
    /// webhooks); a send to anybody else gets 200/2018028.
    Development,
}

/// The two forms in which `api.instagram.com` and `/me` of `graph.instagram.com` answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AnswerForm {
    /// The fields at the top, as clients read them.
    #[default]
    Flat,
    /// `{"data": [{…}]}`, as Meta's pages print it.
    Wrapped,
}

/// Which of an Instagram account's two ids stands in `user_id` of a token answer and of callbacks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UserIdForm {
    /// The app-scoped id, which webhooks do not use: a client has to ask `/me`.
    #[default]
    AppScoped,
    /// The id of webhooks.
    Account,
}

/// What the app's dashboard says. All of it can change at run time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AppSettings {
    /// The name that login dialogs show.
    pub name: String,
    /// Published or not.
    pub app_mode: AppMode,
    /// The customers (IGSIDs) who have a role; matters in development only.
    pub role_holders: BTreeSet<String>,
    /// When not empty, login dialogs refuse any other `redirect_uri`.
    pub allowed_redirect_uris: Vec<String>,
    /// Where a removal of the app is told.
    pub deauthorize_url: Option<String>,
    /// Where a request to delete data is told.
    pub data_deletion_url: Option<String>,
    /// The most entries in one answer of `/me/accounts`, `/conversations` and `messages`.
    pub page_size: usize,
    /// How `POST api.instagram.com/oauth/access_token` answers.
    pub instagram_token_answer: AnswerForm,
    /// How `GET /me` of `graph.instagram.com` answers.
    pub instagram_me_answer: AnswerForm,
    /// Which id the Instagram login calls `user_id` outside of `/me`.
    pub instagram_user_id: UserIdForm,
    /// Whether the Conversations API takes only two calls per second and account.
    pub conversations_rate_limit: bool,
    /// Whether echoes leave out `app_id` and `metadata`, as those of messages from elsewhere do.
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
