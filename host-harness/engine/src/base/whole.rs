//! Owns: running work with several durable effects to its end, even if the caller has gone.
//! Does not own: the work.

use std::sync::Arc;

use tokio::sync::RwLock;
use tracing::Instrument as _;

use crate::error::Interrupted;

/// Work that must not be cut off. Each piece holds a read lock; the write lock is free once all have ended.
#[derive(Clone, Debug, Default)]
pub(crate) struct Begun(Arc<RwLock<()>>);

impl Begun {
    /// Runs work to its end, even if the returned future is dropped.
    pub(crate) async fn whole<T: Send + 'static, E: From<Interrupted> + Send + 'static>(
        &self,
        work: impl Future<Output = Result<T, E>> + Send + 'static,
    ) -> Result<T, E> {
        let share = Arc::clone(&self.0).read_owned().await;
        let work = async move {
            let ended = work.await;
            drop(share);
            ended
        };
        let span = tracing::Span::current();
        tokio::spawn(work.instrument(span)).await.unwrap_or_else(|_| Err(Interrupted.into()))
    }

    /// Returns once no such work is running.
    pub(crate) async fn ended(&self) {
        drop(self.0.write().await);
    }
}
