//! The person who logs in: a Facebook user with pages, who also owns the Instagram accounts.
//! What belongs here: plain data. The pages of the configured accounts are the person's by default.

use crate::config::{AccountConfig, AccountType, Config, PageConfig};
use crate::secret::Secret;
use crate::settings::AppSettings;

/// Every task of a page (Meta's documentation, pages: what a person may do on a page).
pub const ALL_TASKS: &[&str] = &["ADVERTISE", "ANALYZE", "CREATE_CONTENT", "MESSAGING", "MODERATE", "MANAGE"];

/// The person in front of the login dialogs.
#[derive(Debug, Clone)]
pub struct PersonConfig {
    /// The app-scoped Facebook user id.
    pub id: String,
    /// The display name.
    pub name: String,
    /// A long-lived user token that never expires and has every permission, for tests without a dialog.
    pub token: Secret,
    /// Pages without a professional Instagram account, in addition to those of the configured accounts.
    pub more_pages: Vec<PageConfig>,
}

impl PersonConfig {
    /// The person of the demo world, with no page besides those of the accounts.
    pub fn demo() -> Self {
        Self {
            id: "1020000000000001".to_owned(),
            name: "Dana Demo".to_owned(),
            token: "EAADemoPersonToken01ZBv8KqXn2WtLp4RsYc".into(),
            more_pages: Vec::new(),
        }
    }
}

impl Config {
    /// The demo world with a page for every connection problem, in this order: the demo account; a personal account
    /// (2); a person without `MESSAGING` (3) and without `MODERATE` (4); a page that is not preselected (5); two pages
    /// without Instagram. Three pages per answer.
    pub fn crowded() -> Self {
        let without = |n, task: &str| {
            let mut account = AccountConfig::demo(n);
            if let Some(page) = &mut account.page {
                page.tasks.retain(|own| own != task);
            }
            account
        };
        let mut unticked = AccountConfig::demo(5);
        if let Some(page) = &mut unticked.page {
            page.preselected = false;
        }
        let person = PersonConfig {
            more_pages: vec![PageConfig::without_instagram(1), PageConfig::without_instagram(2)],
            ..PersonConfig::demo()
        };
        Self {
            accounts: vec![
                AccountConfig::demo(1),
                AccountConfig { account_type: AccountType::Personal, ..AccountConfig::demo(2) },
                without(3, "MESSAGING"),
                without(4, "MODERATE"),
                unticked,
            ],
            person,
            app: AppSettings { page_size: 3, ..AppSettings::default() },
            ..Self::demo()
        }
    }
}

impl PageConfig {
    /// The `n`-th page (1–99) without a linked Instagram account.
    pub fn without_instagram(n: u8) -> Self {
        Self {
            id: format!("1058880000{n:05}"),
            name: format!("Plain Page {n}"),
            token: Secret::new(format!("EAADemoPlainPageToken{n:02}ZBm3TfWq8Jd5Hx")),
            tasks: all_tasks(),
            preselected: true,
        }
    }

    /// Whether the person has this task on the page.
    pub(crate) fn allows(&self, task: &str) -> bool {
        self.tasks.iter().any(|own| own == task)
    }
}

pub(crate) fn all_tasks() -> Vec<String> {
    ALL_TASKS.iter().map(|task| (*task).to_owned()).collect()
}
