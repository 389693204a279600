//! Owns: files that are handed in to be sent, and giving out the bytes of files.
//! Does not own: fetching what messages name (`worker`), where bytes lie (`store`).

use std::sync::Arc;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use harness_contract::{
    FieldValue, FileRef, FillSource, HttpBody, HttpRequest, MediaSource, OutboundMedia, OutboundMessage, OutboundPart,
    TemplateValue,
};
use harness_egress::{EgressError, File, Files, Held, base64_bytes, check_files, check_request, credentials::random};
use harness_inbox::{InboxError, MediaState, MediaView, Upload};

use super::{IN_MEMORY, Media, MediaError, sniff};
use crate::store::{
    StoreError,
    incoming::{Incoming, IncomingError, Whole},
    stored::FileContent,
};

/// The name under which the API's own files take memory: no channel has it.
const OF_THE_API: &str = "";

/// Why a file that was handed in was not taken.
#[derive(Debug, thiserror::Error)]
pub enum TakeError {
    /// It is larger than this many bytes.
    #[error("it is larger than the {0} bytes that this host takes")]
    TooLarge(u64),
    /// Others that are on their way in take all the memory that there is for them.
    #[error("too many files are on their way in; try again")]
    NoMemory,
    /// The host could not store it.
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

/// A file that is being handed in. Dropping it leaves nothing behind.
pub struct Taking {
    room: Arc<Media>,
    incoming: Incoming,
    _memory: Held,
}

impl Taking {
    /// The next bytes: they go to the disk.
    pub async fn write(&mut self, bytes: &[u8]) -> Result<(), TakeError> {
        Ok(self.incoming.take(bytes).await?)
    }

    /// It is whole. A message names it by its handle, with the source `file`. What it is is told from its content;
    /// `claimed` is a MIME type that counts where the content is silent.
    pub async fn finish(self, name: Option<String>, claimed: Option<&str>) -> Result<Upload, TakeError> {
        let Self { room, incoming, _memory } = self;
        let whole = incoming.finish().await.map_err(MediaError::from)?;
        let (base, claimed) = (room.base.clone(), claimed.map(str::to_owned));
        let hold = async move { hold(&room, whole, name, claimed.as_deref()).await };
        Ok(base.begun.whole(hold).await?)
    }
}

impl Media {
    /// Begins to take a file that is to be sent.
    pub(crate) async fn take_file(self: &Arc<Self>) -> Result<Taking, TakeError> {
        let memory = self.network.memory.try_take(OF_THE_API, IN_MEMORY).ok().flatten();
        let memory = memory.ok_or(TakeError::NoMemory)?;
        let incoming = Incoming::begin(&self.store, self.network.sizes.file).await.map_err(MediaError::from)?;
        Ok(Taking { room: Arc::clone(self), incoming, _memory: memory })
    }

    /// The largest file that is taken, in bytes.
    pub(crate) fn largest_file(&self) -> u64 {
        self.network.sizes.file
    }

    /// A file that was given to be sent, and its bytes.
    pub(crate) async fn upload(&self, handle: &str) -> Result<(Upload, FileContent), MediaError> {
        let file = self.base.inbox.upload(handle).await?;
        let content = self.store.get(&file.stored_as).await?;
        Ok((file, content))
    }

    /// The bytes of a stored file of a message.
    pub(crate) async fn content(&self, media: &MediaView) -> Result<Option<FileContent>, MediaError> {
        match &media.stored_as {
            Some(key) if media.state == MediaState::Stored => Ok(Some(self.store.get(key).await?)),
            _ => Ok(None),
        }
    }
}

/// Takes a file that is to be sent.
async fn hold(room: &Media, whole: Whole, name: Option<String>, claimed: Option<&str>) -> Result<Upload, MediaError> {
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
    room.base.inbox.store_upload(file.clone(), room.base.clock.now()).await?;
    Ok(file)
}

impl Media {
    /// Puts what the host knows of its files into a message: their sizes, what their content is, their names.
    pub(crate) async fn describe(&self, message: &mut OutboundMessage) -> Result<(), MediaError> {
        for media in media_of(message) {
            if let Some(MediaSource::File(preview)) = &mut media.preview {
                preview.size = self.base.inbox.upload(&preview.handle).await?.size;
            }
            let MediaSource::File(reference) = &mut media.source else { continue };
            let file = self.base.inbox.upload(&reference.handle).await?;
            reference.size = file.size;
            media.size = Some(file.size);
            media.mime = file.mime.or_else(|| media.mime.take());
            media.name = media.name.take().or(file.name);
        }
        Ok(())
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

/// Why the files of a request are not at hand.
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
    /// The files that a request carries: those of its body in the order of its fields, then those of its fills. Opened and
    /// not read, and counted first, by what the host knows of them.
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
