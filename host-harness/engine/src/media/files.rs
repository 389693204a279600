//! What the host does with files for whoever embeds it: taking those that are to be sent, and giving out those of
//! messages. Belongs here: those functions. What becomes of files otherwise: `media`.

use bytes::Bytes;
use harness_inbox::{HeldFile, MediaState, MediaView};

use crate::{
    error::HostError,
    host::Host,
    media::{
        incoming::{Incoming, IncomingError},
        stored::FileContent,
        worker,
    },
};
use harness_egress::Held;

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
    Host(#[from] HostError),
}

impl From<IncomingError> for TakeError {
    fn from(error: IncomingError) -> Self {
        match error {
            IncomingError::TooLarge(max) => Self::TooLarge(max),
            IncomingError::Store(error) => Self::Host(error.into()),
        }
    }
}

/// A file that is being handed in. Dropping it leaves nothing behind.
pub struct Taking {
    host: Host,
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
    pub async fn finish(self, name: Option<String>, claimed: Option<&str>) -> Result<HeldFile, TakeError> {
        let Self { host, incoming, _memory } = self;
        let whole = incoming.finish().await.map_err(HostError::from)?;
        let (shared, claimed) = (std::sync::Arc::clone(&host.shared), claimed.map(str::to_owned));
        let hold = async move { worker::hold(&shared, whole, name, claimed.as_deref()).await };
        Ok(host.shared.begun.whole(hold).await?)
    }
}

impl Host {
    /// Begins to take a file that is to be sent.
    pub async fn take_file(&self) -> Result<Taking, TakeError> {
        let memory = self.shared.memory.try_take(OF_THE_API, worker::IN_MEMORY).ok().flatten();
        let memory = memory.ok_or(TakeError::NoMemory)?;
        let incoming = Incoming::begin(&self.shared.media, self.shared.sizes.file).await.map_err(HostError::from)?;
        Ok(Taking { host: self.clone(), incoming, _memory: memory })
    }

    /// The same for a file that is in memory already.
    pub async fn hold_file(
        &self,
        content: Bytes,
        name: Option<String>,
        claimed: Option<&str>,
    ) -> Result<HeldFile, TakeError> {
        let mut taking = self.take_file().await?;
        taking.write(&content).await?;
        taking.finish(name, claimed).await
    }

    /// The largest file that is taken, in bytes.
    pub fn largest_file(&self) -> u64 {
        self.shared.sizes.file
    }

    /// A file that was given to be sent, and its bytes.
    pub async fn held_file(&self, handle: &str) -> Result<(HeldFile, FileContent), HostError> {
        let file = self.shared.inbox.held_file(handle).await?;
        let content = self.shared.media.get(&file.stored_as).await?;
        Ok((file, content))
    }

    /// The bytes of a stored file of a message.
    pub async fn media(&self, media: &MediaView) -> Result<Option<FileContent>, HostError> {
        match &media.stored_as {
            Some(key) if media.state == MediaState::Stored => Ok(Some(self.shared.media.get(key).await?)),
            _ => Ok(None),
        }
    }
}
