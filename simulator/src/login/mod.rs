//! The logins as a person sees them: dialogs, and the codes they issue.
//! What belongs here: `www.facebook.com`, `www.instagram.com`, `api.instagram.com`.

pub(crate) mod codes;
mod dialog;
mod exchange;
mod html;

use std::sync::Arc;

use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use http::StatusCode;

use crate::config::Login;
use crate::core::Core;

/// Permissions of the Facebook dialog and of configured tokens.
pub(crate) const FACEBOOK_SCOPES: &[&str] = &[
    "public_profile",
    "email",
    "business_management",
    "instagram_basic",
    "instagram_content_publish",
    "instagram_manage_comments",
    "instagram_manage_insights",
    "instagram_manage_messages",
    "pages_manage_engagement",
    "pages_manage_metadata",
    "pages_manage_posts",
    "pages_messaging",
    "pages_read_engagement",
    "pages_read_user_content",
    "pages_show_list",
];

/// Permissions of the Instagram dialog; the older names ended in January 2025 (Meta's business login page).
pub(crate) const INSTAGRAM_SCOPES: &[&str] = &[
    "instagram_business_basic",
    "instagram_business_content_publish",
    "instagram_business_manage_comments",
    "instagram_business_manage_insights",
    "instagram_business_manage_messages",
];

/// A host of the logins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Host {
    Facebook,
    Instagram,
    InstagramApi,
}

impl Host {
    pub(crate) fn named(name: &str) -> Option<Self> {
        match name {
            "www.facebook.com" => Some(Self::Facebook),
            "www.instagram.com" => Some(Self::Instagram),
            "api.instagram.com" => Some(Self::InstagramApi),
            _ => None,
        }
    }
}

pub(crate) async fn serve(core: Arc<Core>, host: Host, path: &str, request: Request) -> Response {
    let segments: Vec<&str> = path.split('/').filter(|segment| !segment.is_empty()).collect();
    match (host, segments.as_slice()) {
        (Host::Facebook, ["dialog", "oauth"] | [_, "dialog", "oauth"]) => {
            dialog::serve(&core, Login::Facebook, request).await
        }
        // Clients still use the dialog's older URL on the other host.
        (Host::Instagram, ["oauth", "authorize"]) => dialog::serve(&core, Login::Instagram, request).await,
        (Host::InstagramApi, ["oauth", "authorize"]) => dialog::serve(&core, Login::Instagram, request).await,
        (Host::InstagramApi, ["oauth", "access_token"]) => exchange::serve(&core, request).await,
        _ => (StatusCode::NOT_FOUND, "the simulator plays only the login of this host\n").into_response(),
    }
}
