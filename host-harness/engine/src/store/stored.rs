//! Owns: a stored file on its way out: read from the disk in small pieces, as fast as whoever takes it.
//! Does not own: where it goes.

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

/// The bytes of a file. Those that nobody takes are not read.
#[derive(Debug)]
pub struct FileContent {
    size: u64,
    left: u64,
    pieces: mpsc::Receiver<Result<Bytes, StoreError>>,
}

impl FileContent {
    pub(crate) fn of(found: GetResult) -> Self {
        let size = found.range.end.saturating_sub(found.range.start);
        // One piece waits while another is read.
        let (sender, pieces) = mpsc::channel(1);
        tokio::spawn(async move {
            let mut content = found.into_stream();
            while let Some(piece) = content.next().await {
                let piece = piece.map_err(StoreError::from);
                // Whoever took it has gone.
                if sender.send(piece).await.is_err() {
                    return;
                }
            }
        });
        Self { size, left: size, pieces }
    }

    /// How many bytes the whole file has.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The next piece; none at its end.
    pub async fn piece(&mut self) -> Result<Option<Bytes>, StoreError> {
        self.pieces.recv().await.transpose()
    }

    /// All of it, in memory.
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
            // A length was announced that did not come: whoever takes it must not believe that this is all.
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
