//! Owns: the rows that an address names: of the reader's workspace, or not there.
//! Does not own: what is shown of them.

use axum::{
    extract::{FromRequestParts, Path},
    http::request::Parts,
    response::Response,
};
use harness_inbox::{ConversationSummary, PublicId, Row};

use super::Desk;
use crate::pages::{error, reader::Reader};

/// The conversation that an address names. One of another workspace is not there, as one that does not exist.
pub(super) struct Here(pub(super) ConversationSummary);

impl FromRequestParts<Desk> for Here {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, desk: &Desk) -> Result<Self, Response> {
        let Ok(reader) = Reader::from_request_parts(parts, desk).await;
        let path = Path::<String>::from_request_parts(parts, desk).await;
        let id = path.ok().and_then(|Path(id)| PublicId::from_public(&id).ok());
        let Some(id) = id else { return Err(error::no_conversation(&reader)) };
        match desk.host.inbox().conversation(id).await {
            Ok(summary) if summary.workspace == reader.workspace => Ok(Self(summary)),
            Ok(_) => Err(error::no_conversation(&reader)),
            Err(failed) => Err(error::failed(&reader, &failed.into())),
        }
    }
}

/// Whether a row is of the reader's workspace.
pub(super) async fn is_here(desk: &Desk, row: impl Into<Row>, reader: &Reader) -> bool {
    reader.owns(&desk.host, row).await.unwrap_or(false)
}
