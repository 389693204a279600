//! `POST /{comment}/replies`: the public answer to a comment.
//! What belongs here: comments over the Graph API. Private replies go through `messages`.

use serde_json::json;

use crate::config::AccountConfig;
use crate::core::Core;
use crate::graph::error::GraphError;
use crate::graph::request::GraphRequest;
use crate::graph::{Done, Outcome};
use crate::webhook::change::{Change, Comment};
use crate::webhook::hold::{Outgoing, Part};

/// Answers `{"id"}`; the own answer comes back as a comment webhook, as on the real platform.
pub(crate) fn reply(core: &Core, request: &GraphRequest, account: &AccountConfig, comment_id: &str) -> Outcome {
    let text = request
        .text("message")
        .filter(|text| !text.is_empty())
        .ok_or_else(|| GraphError::parameter("The parameter message is required."))?;
    let comment = core
        .world()
        .comments
        .get(comment_id)
        .filter(|comment| comment.ig_id == account.ig_id)
        .cloned()
        .ok_or_else(|| GraphError::unknown_object("post", comment_id))?;
    let own = Comment {
        id: core.ids.media(),
        from_id: account.ig_id.clone(),
        from_username: account.username.clone(),
        self_id: None,
        text,
        media_id: comment.media_id,
        media_product_type: "FEED".to_owned(),
        parent_id: Some(comment_id.to_owned()),
        ad: None,
    };
    Ok(Done {
        webhooks: vec![Outgoing {
            ig_id: account.ig_id.clone(),
            login: core.webhook_login(&account.ig_id),
            part: Part::Change(Change::comment(&own)),
        }],
        ..Done::answering(json!({ "id": own.id }))
    })
}
