//! `POST /sim/customers/{igsid}/{action}`: a customer acts.
//! What belongs here: the names of actions and their parameters.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use serde_json::Value;

use crate::control::ControlError;
use crate::control::extract::{Body, Path};
use crate::core::Core;
use crate::customer::{Customer, Sent};

/// The parameters of all actions together; each takes what it needs.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Parameters {
    /// The account's Instagram id; the first account without it.
    account: Option<String>,
    text: Option<String>,
    url: Option<String>,
    urls: Vec<String>,
    title: Option<String>,
    payload: Option<String>,
    mid: Option<String>,
    emoji: Option<String>,
    media_id: Option<String>,
    comment_id: Option<String>,
    #[serde(rename = "ref")]
    reference: Option<String>,
    ad_id: Option<String>,
    app_id: Option<String>,
    name: Option<String>,
    username: Option<String>,
}

fn need<'a>(value: &'a Option<String>, name: &str) -> Result<&'a str, ControlError> {
    value.as_deref().ok_or_else(|| ControlError::Bad(format!("the parameter {name:?} is needed")))
}

pub(crate) async fn act(
    State(core): State<Arc<Core>>,
    Path((igsid, action)): Path<(String, String)>,
    Body(with): Body<Parameters>,
) -> Result<Json<Value>, ControlError> {
    let account = core.account_or_first(with.account.as_deref())?;
    let customer = Customer::new(core, account, igsid);
    let done = match set(&customer, &action, &with)? {
        true => Value::Null,
        false => {
            let sent = match write(&customer, &action, &with).await? {
                Some(sent) => sent,
                None => other(&customer, &action, &with).await?,
            };
            serde_json::to_value(sent).unwrap_or_default()
        }
    };
    Ok(Json(done))
}

/// Changes that cause no webhook.
fn set(customer: &Customer, action: &str, with: &Parameters) -> Result<bool, ControlError> {
    match action {
        "block" => customer.block(),
        "unblock" => customer.unblock(),
        "profile" => customer.set_profile(|profile| {
            profile.name.clone_from(&with.name);
            if let Some(username) = &with.username {
                profile.username.clone_from(username);
            }
        }),
        "owner" => customer.set_thread_owner(with.app_id.as_deref()),
        _ => return Ok(false),
    }
    Ok(true)
}

/// Actions that put a message into the thread.
async fn write(customer: &Customer, action: &str, with: &Parameters) -> Result<Option<Sent>, ControlError> {
    let Parameters { text, url, title, payload, mid, media_id, .. } = with;
    let caption = title.as_deref().unwrap_or("");
    Ok(Some(match action {
        "text" => customer.text(need(text, "text")?).await,
        "reply" => customer.reply(need(mid, "mid")?, need(text, "text")?).await,
        "photo" => customer.photo(need(url, "url")?).await,
        "photos" => customer.photos(&with.urls.iter().map(String::as_str).collect::<Vec<_>>()).await,
        "video" => customer.video(need(url, "url")?).await,
        "voice" => customer.voice(need(url, "url")?).await,
        "file" => customer.file(need(url, "url")?).await,
        "like_heart" => customer.like_heart().await,
        "view_once" => customer.view_once().await,
        "unsupported" => customer.unsupported().await,
        "quick_reply" => customer.quick_reply(need(title, "title")?, need(payload, "payload")?).await,
        "postback" => customer.postback(need(title, "title")?, need(payload, "payload")?).await,
        "share_post" => customer.share_post(need(media_id, "media_id")?, caption, need(url, "url")?).await,
        "share_reel" => customer.share_reel(need(media_id, "media_id")?, caption, need(url, "url")?).await,
        "share_story" => customer.share_story(need(media_id, "media_id")?, need(url, "url")?).await,
        "story_mention" => customer.story_mention(need(url, "url")?).await,
        "story_reply" => {
            customer.story_reply(need(media_id, "media_id")?, need(url, "url")?, need(text, "text")?).await
        }
        "text_from_ad" => {
            let (reference, ad_id) = (with.reference.as_deref().unwrap_or(""), need(&with.ad_id, "ad_id")?);
            customer.text_from_ad(need(text, "text")?, reference, ad_id, caption).await
        }
        "text_from_link" => customer.text_from_link(need(text, "text")?, need(&with.reference, "ref")?).await,
        "business_writes_in_app" => customer.business_writes_in_app(need(text, "text")?).await,
        _ => return Ok(None),
    }))
}

/// Events around messages, comments, and thread control.
async fn other(customer: &Customer, action: &str, with: &Parameters) -> Result<Sent, ControlError> {
    let Parameters { text, mid, media_id, app_id, .. } = with;
    Ok(match action {
        "react" => customer.react(need(mid, "mid")?, with.emoji.as_deref().unwrap_or("❤️")).await,
        "unreact" => customer.unreact(need(mid, "mid")?).await,
        "seen" => customer.seen(need(mid, "mid")?).await,
        "unsend" => customer.unsend(need(mid, "mid")?).await,
        "edit" => customer.edit(need(mid, "mid")?, need(text, "text")?).await,
        "follow_link" => customer.follow_link(need(&with.reference, "ref")?).await,
        "comment" => customer.comment(need(media_id, "media_id")?, need(text, "text")?).await,
        "live_comment" => customer.live_comment(need(media_id, "media_id")?, need(text, "text")?).await,
        "mention" => customer.mention(need(media_id, "media_id")?, with.comment_id.as_deref()).await,
        "thread_passed_here" => customer.thread_passed_here(need(app_id, "app_id")?, "").await,
        "thread_taken_by" => customer.thread_taken_by(need(app_id, "app_id")?, "").await,
        "thread_requested_by" => customer.thread_requested_by(need(app_id, "app_id")?, "").await,
        unknown => return Err(ControlError::Bad(format!("customers have no action {unknown:?}"))),
    })
}
