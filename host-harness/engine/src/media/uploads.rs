//! Owns: uploaded files that are to be sent, and serving the bytes of files.
//! Does not own: downloading what messages name (`worker`), where bytes are stored (`store`).

use std::{ops::Range, sync::Arc};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use harness_contract::{
    FieldValue, FileRef, FillSource, HttpBody, HttpRequest, MediaSource, OutboundMedia, OutboundMessage, OutboundPart,
    TemplateValue,
};
use harness_egress::{EgressError, File, Files, Held, base64_bytes, check_files, check_request, credentials::random};
use harness_inbox::{ConversationId, InboxError, MediaState, MediaView, Row, Upload, WorkspaceId};

use super::{IN_MEMORY, Media, MediaError, sniff};
use crate::store::{
    StoreError,
    incoming::{Incoming, IncomingError, Whole},
    stored::FileContent,
};

/// The owner of the memory for files uploaded through the API. No channel has this id.
const OF_THE_API: &str = "";

/// Why an upload was not accepted.
#[derive(Debug, thiserror::Error)]
pub enum TakeError {
    /// The file exceeds this many bytes.
    #[error("it is larger than the {0} bytes that this host takes")]
    TooLarge(u64),
    /// Other uploads take all the memory reserved for them.
    #[error("too many files are on their way in; try again")]
    NoMemory,
    /// The file could not be stored.
    #[error(transparent)]
    Failed(#[from] MediaError),
}

impl From<IncomingError> for TakeError {
    fn from(error: IncomingError) -> Self {
        match error {
            IncomingError::TooLarge(max) => Self::TooLarge(max),
            IncomingError::Store(error) => Self::Failed(error.into()),
        }
    }
}

/// An upload in progress. Dropping it discards it.
pub struct Taking {
    room: Arc<Media>,
    workspace: WorkspaceId,
    incoming: Incoming,
    _memory: Held,
}

impl Taking {
    /// Writes the next bytes to the disk.
    pub async fn write(&mut self, bytes: &[u8]) -> Result<(), TakeError> {
        Ok(self.incoming.take(bytes).await?)
    }

    /// Completes the upload. Messages refer to the file by its handle, with the source `file`. Its type is detected
    /// from the content; `claimed` is a MIME type for content that is not recognised.
    pub async fn finish(self, name: Option<String>, claimed: Option<&str>) -> Result<Upload, TakeError> {
        let Self { room, workspace, incoming, _memory } = self;
        let whole = incoming.finish().await.map_err(MediaError::from)?;
        let (base, claimed) = (room.base.clone(), claimed.map(str::to_owned));
        let hold = async move { hold(&room, workspace, whole, name, claimed.as_deref()).await };
        Ok(base.begun.whole(hold).await?)
    }
}

impl Media {
    /// Starts an upload for replies of this workspace.
    pub(crate) async fn take_file(self: &Arc<Self>, workspace: WorkspaceId) -> Result<Taking, TakeError> {
        let memory = self.network.memory.try_take(OF_THE_API, IN_MEMORY).ok().flatten();
        let memory = memory.ok_or(TakeError::NoMemory)?;
        let incoming = Incoming::begin(&self.store, self.network.sizes.file).await.map_err(MediaError::from)?;
        Ok(Taking { room: Arc::clone(self), workspace, incoming, _memory: memory })
    }

    /// The largest accepted file, in bytes.
    pub(crate) fn largest_file(&self) -> u64 {
        self.network.sizes.file
    }

    /// An uploaded file and its bytes.
    pub(crate) async fn upload(&self, handle: &str) -> Result<(Upload, FileContent), MediaError> {
        let file = self.base.inbox.upload(handle).await?;
        let content = self.store.get(&file.stored_as).await?;
        Ok((file, content))
    }

    /// The bytes of a message's file, if it is stored.
    pub(crate) async fn content(&self, media: &MediaView) -> Result<Option<FileContent>, MediaError> {
        match &media.stored_as {
            Some(key) if media.state == MediaState::Stored => Ok(Some(self.store.get(key).await?)),
            _ => Ok(None),
        }
    }

    /// These bytes of a message's file, if it is stored. They have to be within its size.
    pub(crate) async fn part(&self, media: &MediaView, part: Range<u64>) -> Result<Option<FileContent>, MediaError> {
        match &media.stored_as {
            Some(key) if media.state == MediaState::Stored => Ok(Some(self.store.get_part(key, part).await?)),
            _ => Ok(None),
        }
    }
}

/// Names and stores a complete upload.
async fn hold(
    room: &Media,
    workspace: WorkspaceId,
    whole: Whole,
    name: Option<String>,
    claimed: Option<&str>,
) -> Result<Upload, MediaError> {
    let handle = URL_SAFE_NO_PAD.encode(random::<16>()?);
    let file = Upload {
        stored_as: format!("outbound/{handle}"),
        handle,
        name,
        mime: sniff::type_of(&whole.head, claimed),
        size: whole.size,
        sha256: whole.sha256.clone(),
    };
    room.store.keep(&file.stored_as, whole).await?;
    room.base.inbox.store_upload(file.clone(), workspace, room.base.clock.now()).await?;
    Ok(file)
}

impl Media {
    /// Fills in what the host knows of a message's files: size, detected type, name. Files of another workspace than
    /// the conversation's do not exist for it.
    pub(crate) async fn describe(
        &self,
        conversation: ConversationId,
        message: &mut OutboundMessage,
    ) -> Result<(), MediaError> {
        for media in media_of(message) {
            if let Some(MediaSource::File(preview)) = &mut media.preview {
                preview.size = self.upload_for(conversation, &preview.handle).await?.size;
            }
            let MediaSource::File(reference) = &mut media.source else { continue };
            let file = self.upload_for(conversation, &reference.handle).await?;
            reference.size = file.size;
            media.size = Some(file.size);
            media.mime = file.mime.or_else(|| media.mime.take());
            media.name = media.name.take().or(file.name);
        }
        Ok(())
    }
}

impl Media {
    async fn upload_for(&self, conversation: ConversationId, handle: &str) -> Result<Upload, MediaError> {
        let inbox = &self.base.inbox;
        let of_file = inbox.workspace_of(Row::Upload(handle.to_owned())).await?;
        if of_file != inbox.workspace_of(conversation.into()).await? {
            return Err(InboxError::NotFound { what: "file", id: handle.to_owned() }.into());
        }
        Ok(inbox.upload(handle).await?)
    }
}

pub(super) fn media_of(message: &mut OutboundMessage) -> Vec<&mut OutboundMedia> {
    let mut found = Vec::new();
    for part in &mut message.parts {
        match part {
            OutboundPart::Media(files) => found.extend(files),
            OutboundPart::Buttons(buttons) => found.extend(&mut buttons.header),
            OutboundPart::Template(template) => {
                found.extend(template.parameters.iter_mut().filter_map(|parameter| match &mut parameter.value {
                    TemplateValue::Media(media) => Some(media),
                    _ => None,
                }));
            }
            _ => {}
        }
    }
    found
}

/// Why the files of a request could not be opened.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FilesError {
    #[error(transparent)]
    Inbox(#[from] InboxError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Request(#[from] EgressError),
}

impl Media {
    /// Opens the files that a request carries, without reading them: those of its body in the order of its fields, then those
    /// of its fills. Sizes are checked first, from the inbox.
    pub(crate) async fn files_of(&self, request: &HttpRequest) -> Result<Files, FilesError> {
        let mut files = Files::default();
        let named = files_named(request);
        if named.is_empty() {
            return Ok(files);
        }
        check_request(request, &self.network.sizes)?;
        let (mut held, mut sizes) = (Vec::new(), Vec::new());
        for (file, encoded) in named {
            let file = self.base.inbox.upload(&file.handle).await?;
            sizes.push(if encoded { base64_bytes(file.size) } else { file.size });
            held.push(file);
        }
        check_files(sizes.into_iter(), &self.network.sizes)?;
        for file in held {
            let content = self.store.get(&file.stored_as).await?;
            files.push(File { size: content.size(), body: reqwest::Body::wrap(content) });
        }
        Ok(files)
    }
}

/// The files of a request, and whether each stands in it in base64.
fn files_named(request: &HttpRequest) -> Vec<(&FileRef, bool)> {
    let mut named: Vec<(&FileRef, bool)> = match &request.body {
        HttpBody::Multipart(fields) => fields
            .iter()
            .filter_map(|field| if let FieldValue::File(file) = &field.value { Some((file, false)) } else { None })
            .collect(),
        HttpBody::File(file) => vec![(file, false)],
        _ => Vec::new(),
    };
    named.extend(request.fills.iter().filter_map(|fill| match &fill.source {
        FillSource::FileBase64(file) => Some((file, true)),
        _ => None,
    }));
    named
}
