//! Owns: reading a stored file in small pieces, at the reader's pace.
//! Does not own: where the bytes go.

use std::{
    pin::Pin,
    task::{Context, Poll},
};

use bytes::Bytes;
use futures_util::StreamExt as _;
use http_body::{Body as HttpBody, Frame, SizeHint};
use object_store::GetResult;
use tokio::sync::mpsc;

use super::StoreError;

/// The bytes of a file, read from the disk on demand.
#[derive(Debug)]
pub struct FileContent {
    size: u64,
    left: u64,
    pieces: mpsc::Receiver<Result<Bytes, StoreError>>,
}

impl FileContent {
    pub(crate) fn of(found: GetResult) -> Self {
        let size = found.range.end.saturating_sub(found.range.start);
        // One piece is buffered while the next is read.
        let (sender, pieces) = mpsc::channel(1);
        tokio::spawn(async move {
            let mut content = found.into_stream();
            while let Some(piece) = content.next().await {
                let piece = piece.map_err(StoreError::from);
                // The reader has gone.
                if sender.send(piece).await.is_err() {
                    return;
                }
            }
        });
        Self { size, left: size, pieces }
    }

    /// The size of the file, or of the part that was asked for, in bytes.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The next piece; `None` at the end.
    pub async fn piece(&mut self) -> Result<Option<Bytes>, StoreError> {
        self.pieces.recv().await.transpose()
    }

    /// The remaining bytes, in memory.
    pub async fn bytes(mut self) -> Result<Bytes, StoreError> {
        let mut all = Vec::new();
        while let Some(piece) = self.piece().await? {
            all.extend_from_slice(&piece);
        }
        Ok(all.into())
    }
}

impl HttpBody for FileContent {
    type Data = Bytes;
    type Error = StoreError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
        self.pieces.poll_recv(cx).map(|piece| match piece {
            Some(Ok(bytes)) => {
                self.left = self.left.saturating_sub(bytes.len() as u64);
                Some(Ok(Frame::data(bytes)))
            }
            Some(Err(error)) => Some(Err(error)),
            // The announced length did not arrive: the reader must not take the file for complete.
            None if self.left > 0 => {
                self.left = 0;
                Some(Err(StoreError::CutShort))
            }
            None => None,
        })
    }

    fn is_end_stream(&self) -> bool {
        self.left == 0
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left)
    }
}
