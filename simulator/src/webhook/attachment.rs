//! Attachments inside webhook messages: one constructor per type that was documented or captured.
//! What belongs here: `{type, payload}` shapes. Attachments of the Send API are in `graph::messages`.

use serde::Serialize;
use serde_json::{Map, Value, json};

/// One entry of `message.attachments`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Attachment {
    /// The type's name on the wire.
    #[serde(rename = "type")]
    pub kind: String,
    /// The payload; some types have none at all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub payload: Option<Value>,
    /// Keys beside `type` and `payload` (the fallback type has some).
    #[serde(flatten)]
    pub beside: Map<String, Value>,
}

impl Attachment {
    /// Any type with any payload, including types that do not exist yet.
    pub fn other(kind: impl Into<String>, payload: Option<Value>) -> Self {
        Self { kind: kind.into(), payload, beside: Map::new() }
    }

    fn with_url(kind: &str, url: &str) -> Self {
        Self::other(kind, Some(json!({ "url": url })))
    }

    /// A photo (also GIFs and stickers, according to one of Meta's two contradicting pages).
    pub fn image(url: &str) -> Self {
        Self::with_url("image", url)
    }

    /// A video.
    pub fn video(url: &str) -> Self {
        Self::with_url("video", url)
    }

    /// A voice message.
    pub fn audio(url: &str) -> Self {
        Self::with_url("audio", url)
    }

    /// A file.
    pub fn file(url: &str) -> Self {
        Self::with_url("file", url)
    }

    /// A shared post in the legacy form, `{url}` only; removed gradually since April 2026.
    pub fn share(url: &str) -> Self {
        Self::with_url("share", url)
    }

    /// A shared post in the form since November 2025, still under the legacy type.
    pub fn share_of_post(media_id: &str, title: &str, url: &str) -> Self {
        Self { kind: "share".to_owned(), ..Self::ig_post(media_id, title, url) }
    }

    /// A shared post.
    pub fn ig_post(media_id: &str, title: &str, url: &str) -> Self {
        Self::other("ig_post", Some(json!({"ig_post_media_id": media_id, "title": title, "url": url})))
    }

    /// A shared Instagram reel; the title is its caption.
    pub fn ig_reel(video_id: &str, title: &str, url: &str) -> Self {
        Self::other("ig_reel", Some(json!({"reel_video_id": video_id, "title": title, "url": url})))
    }

    /// A shared Facebook reel.
    pub fn reel(video_id: &str, title: &str, url: &str) -> Self {
        Self { kind: "reel".to_owned(), ..Self::ig_reel(video_id, title, url) }
    }

    /// The customer's story mentioned the account.
    pub fn story_mention(url: &str) -> Self {
        Self::with_url("story_mention", url)
    }

    /// A shared story; note that the key is `story_media_url`, there is no `url`.
    pub fn ig_story(media_id: &str, url: &str) -> Self {
        Self::other("ig_story", Some(json!({"story_media_id": media_id, "story_media_url": url})))
    }

    /// A view-once photo or video: only the type is sent.
    pub fn ephemeral() -> Self {
        Self::other("ephemeral", None)
    }

    /// The heart sticker, without payload.
    pub fn like_heart() -> Self {
        Self::other("like_heart", None)
    }

    /// A product card.
    pub fn product(id: &str, title: &str, image_url: &str) -> Self {
        let element = json!({
            "id": id, "retailer_id": format!("sku-{id}"), "image_url": image_url,
            "title": title, "subtitle": "",
        });
        Self::other("template", Some(json!({"product": {"elements": [element]}})))
    }

    /// A generic template, as in echoes of the app's own messages.
    pub fn generic(elements: Value) -> Self {
        Self::other("template", Some(json!({"generic": {"elements": elements}})))
    }

    /// Content without a richer form: title and url stand beside the type.
    pub fn fallback(title: &str, url: &str) -> Self {
        let mut beside = Map::new();
        beside.insert("title".to_owned(), json!(title));
        beside.insert("url".to_owned(), json!(url));
        Self { beside, ..Self::other("fallback", Some(json!(title))) }
    }

    /// Content that the API cannot express, with a url (captured 2022).
    pub fn unsupported_type(url: &str) -> Self {
        Self::with_url("unsupported_type", url)
    }

    /// A sticker in Messenger's form; not documented for Instagram.
    pub fn sticker(sticker_id: &str, url: &str) -> Self {
        Self::other("sticker", Some(json!({"sticker_id": sticker_id, "url": url})))
    }
}
