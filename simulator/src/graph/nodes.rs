//! The fields of a page and of an Instagram account on graph.facebook.com.
//! What belongs here: whole nodes; `select` picks their fields.

use serde_json::{Value, json};

use crate::config::{AccountConfig, PageConfig};

/// A page. `connected_instagram_account` may be a personal account. `instagram_business_account` is null, and so
/// omitted, if no professional account is linked or the token may not see it.
pub(crate) fn page(
    page: &PageConfig,
    account: Option<&AccountConfig>,
    sees_instagram: bool,
    access_token: Option<String>,
) -> Value {
    let linked = account.filter(|account| sees_instagram && account.is_professional());
    json!({
        "id": page.id,
        "name": page.name,
        "username": account.map(|account| account.username.as_str()),
        "category": "Shopping & retail",
        "tasks": page.tasks,
        "access_token": access_token,
        "picture": {"data": {
            "height": 50, "is_silhouette": false, "width": 50,
            "url": format!("https://scontent.xx.fbcdn.net/page/{}.jpg", page.id),
        }},
        "instagram_business_account": linked.map(instagram),
        "connected_instagram_account": account.filter(|_| sees_instagram).map(instagram),
    })
}

/// An Instagram account as graph.facebook.com shows it.
pub(crate) fn instagram(account: &AccountConfig) -> Value {
    json!({
        "id": account.ig_id,
        "username": account.username,
        "name": account.name,
        "profile_picture_url": profile_picture(account),
        "followers_count": 1000,
        "media_count": account.own_posts.len(),
    })
}

pub(crate) fn profile_picture(account: &AccountConfig) -> String {
    format!("https://scontent.cdninstagram.com/profile/{}.jpg", account.ig_id)
}
