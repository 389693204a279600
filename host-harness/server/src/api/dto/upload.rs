//! Owns: uploaded files in the API's JSON, and their ids.
//! Does not own: storing them.

use std::borrow::Cow;

use harness_contract::FileRef;
use harness_inbox::Upload as Row;
use serde::Serialize;
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{
        RefOr,
        schema::{ObjectBuilder, Schema, Type},
    },
};

use super::UploadTag;

const PREFIX: &str = "upl_";

/// The id of an uploaded file. It cannot be guessed.
pub(crate) fn public(handle: &str) -> String {
    format!("{PREFIX}{handle}")
}

/// The handle behind an id.
pub(crate) fn handle(id: &str) -> Option<&str> {
    id.strip_prefix(PREFIX)
}

/// Stands for the id of an uploaded file in the API's description.
pub(crate) struct UploadId;

impl PartialSchema for UploadId {
    fn schema() -> RefOr<Schema> {
        let text = ObjectBuilder::new()
            .schema_type(Type::String)
            .description(Some("The id of an uploaded file."))
            .pattern(Some("^upl_[0-9A-Za-z_-]{22}$"));
        RefOr::T(text.build().into())
    }
}

impl ToSchema for UploadId {
    fn name() -> Cow<'static, str> {
        "Id_upl".into()
    }
}

/// An uploaded file, with the reference for messages.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Upload {
    object: UploadTag,
    #[schema(value_type = UploadId)]
    id: String,
    /// Used unchanged as the `source` of a message's media.
    source: Source,
    name: Option<String>,
    /// The media type of its content, if it was recognised.
    mime: Option<String>,
    /// In bytes.
    size: u64,
    /// In hex.
    sha256: String,
}

/// Names the file in a message.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = UploadSource)]
struct Source {
    #[schema(value_type = Object)]
    file: FileRef,
}

impl From<Row> for Upload {
    fn from(row: Row) -> Self {
        let Row { handle, name, mime, size, sha256, .. } = row;
        let id = public(&handle);
        Self { object: UploadTag::Tag, id, source: Source { file: FileRef { handle, size } }, name, mime, size, sha256 }
    }
}
