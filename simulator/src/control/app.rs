//! The app over JSON: its settings, callbacks, and conversations of the past.
//! What belongs here: `/sim/app`, `/sim/deauthorize`, `/sim/data-deletion`, `/sim/callbacks`, history.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::callbacks::{CallbackAnswer, CallbackRecord, Subject};
use crate::config::Login;
use crate::control::ControlError;
use crate::control::extract::{Body, Path};
use crate::core::Core;
use crate::history::PastMessage;
use crate::settings::AppSettings;
use crate::state::thread::Author;
use crate::webhook::attachment::Attachment;

pub(crate) async fn settings(State(core): State<Arc<Core>>) -> Json<AppSettings> {
    Json(core.world().app.clone())
}

/// Takes any part of the settings; the rest stays.
pub(crate) async fn change(
    State(core): State<Arc<Core>>,
    Body(changes): Body<Map<String, Value>>,
) -> Result<Json<AppSettings>, ControlError> {
    let mut world = core.world();
    let mut document = serde_json::to_value(&world.app).unwrap_or_default();
    if let Some(document) = document.as_object_mut() {
        document.extend(changes);
    }
    let changed: AppSettings =
        serde_json::from_value(document).map_err(|error| ControlError::Bad(error.to_string()))?;
    for url in [&changed.deauthorize_url, &changed.data_deletion_url].into_iter().flatten() {
        if url::Url::parse(url).is_err() {
            return Err(ControlError::Bad(format!("{url:?} is not a URL")));
        }
    }
    world.app = changed.clone();
    Ok(Json(changed))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Leaving {
    login: Login,
    /// The Instagram account; the first one without it.
    account: Option<String>,
}

impl Leaving {
    fn subject(&self, core: &Core) -> Result<Subject, ControlError> {
        match self.login {
            Login::Facebook => Ok(Subject::Person),
            Login::Instagram => Ok(Subject::Account(core.account_or_first(self.account.as_deref())?)),
        }
    }
}

pub(crate) async fn deauthorize(
    State(core): State<Arc<Core>>,
    Body(leaving): Body<Leaving>,
) -> Result<Json<CallbackAnswer>, ControlError> {
    let subject = leaving.subject(&core)?;
    Ok(Json(core.deauthorize(&subject).await?))
}

pub(crate) async fn request_deletion(
    State(core): State<Arc<Core>>,
    Body(leaving): Body<Leaving>,
) -> Result<Json<CallbackAnswer>, ControlError> {
    let subject = leaving.subject(&core)?;
    Ok(Json(core.request_deletion(&subject).await?))
}

pub(crate) async fn callbacks(State(core): State<Arc<Core>>) -> Json<Vec<CallbackRecord>> {
    Json(core.world().callbacks.clone())
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct History {
    account: Option<String>,
    messages: Vec<Past>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Past {
    from: Author,
    ago_seconds: u64,
    text: Option<String>,
    /// The address of a photo.
    photo: Option<String>,
}

pub(crate) async fn history(
    State(core): State<Arc<Core>>,
    Path(igsid): Path<String>,
    Body(history): Body<History>,
) -> Result<Json<Value>, ControlError> {
    let account = core.account_or_first(history.account.as_deref())?;
    let past: Vec<PastMessage> = history
        .messages
        .into_iter()
        .map(|message| PastMessage {
            from: message.from,
            ago: Duration::from_secs(message.ago_seconds),
            text: message.text,
            attachments: message.photo.iter().map(|url| Attachment::image(url)).collect(),
        })
        .collect();
    Ok(Json(json!({ "mids": core.seed(&account, &igsid, &past) })))
}
