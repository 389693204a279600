//! `{field, value}` changes: comments, mentions, story insights, and the dashboard's message test.
//! What belongs here: builders for one change. `envelope` chooses between shapes C and D.

use serde::Serialize;
use serde_json::{Map, Value, json};

/// One change, for `changes[]` or for the flat form.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Change {
    /// The subscribed field.
    pub field: String,
    /// What changed.
    pub value: Value,
}

impl Change {
    /// Any field with any value.
    pub fn other(field: impl Into<String>, value: Value) -> Self {
        Self { field: field.into(), value }
    }

    /// A comment under a post or reel.
    pub fn comment(comment: &Comment) -> Self {
        Self::other("comments", comment.value("id"))
    }

    /// A comment in a running live broadcast.
    pub fn live_comment(comment: &Comment) -> Self {
        Self::other("live_comments", comment.value("id"))
    }

    /// A comment as one documentation sample prints it, with `comment_id` for `id`.
    pub fn comment_with_comment_id(comment: &Comment) -> Self {
        Self::other("comments", comment.value("comment_id"))
    }

    /// A mention in somebody's post, or in a comment there: ids only.
    pub fn mention(media_id: &str, comment_id: Option<&str>) -> Self {
        let mut value = json!({ "media_id": media_id });
        if let (Some(comment_id), Some(value)) = (comment_id, value.as_object_mut()) {
            value.insert("comment_id".to_owned(), json!(comment_id));
        }
        Self::other("mentions", value)
    }

    /// The figures of an expired story (Facebook login only).
    pub fn story_insights(media_id: &str) -> Self {
        Self::other(
            "story_insights",
            json!({
                "media_id": media_id, "impressions": 120, "reach": 100, "taps_forward": 40,
                "taps_back": 3, "exits": 12, "replies": 1,
            }),
        )
    }
}

/// A comment, as its webhook reports it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Comment {
    /// The comment's id.
    pub id: String,
    /// Who wrote it.
    pub from_id: String,
    /// Their handle.
    pub from_username: String,
    /// Set when the account comments on its own post (`self_ig_scoped_id`).
    pub self_id: Option<String>,
    /// The text.
    pub text: String,
    /// The post, reel, story or ad.
    pub media_id: String,
    /// FEED, REELS, STORY or AD.
    pub media_product_type: String,
    /// The comment that it replies to.
    pub parent_id: Option<String>,
    /// The ad that boosted the post, with its title.
    pub ad: Option<(String, String)>,
}

impl Comment {
    fn value(&self, id_key: &str) -> Value {
        let mut media = Map::new();
        media.insert("id".to_owned(), json!(self.media_id));
        media.insert("media_product_type".to_owned(), json!(self.media_product_type));
        if let Some((ad_id, ad_title)) = &self.ad {
            media.insert("ad_id".to_owned(), json!(ad_id));
            media.insert("ad_title".to_owned(), json!(ad_title));
        }
        let mut value = Map::new();
        value.insert(id_key.to_owned(), json!(self.id));
        let mut from = Map::new();
        from.insert("id".to_owned(), json!(self.from_id));
        from.insert("username".to_owned(), json!(self.from_username));
        if let Some(self_id) = &self.self_id {
            from.insert("self_ig_scoped_id".to_owned(), json!(self_id));
        }
        value.insert("from".to_owned(), Value::Object(from));
        value.insert("text".to_owned(), json!(self.text));
        value.insert("media".to_owned(), Value::Object(media));
        if let Some(parent) = &self.parent_id {
            value.insert("parent_id".to_owned(), json!(parent));
        }
        Value::Object(value)
    }
}
