//! Owns: work that has more than one lasting effect: it runs to its end although whoever asked has gone.
//! Does not own: the work.

use std::sync::Arc;

use tokio::sync::RwLock;
use tracing::Instrument as _;

use crate::error::Interrupted;

/// Work under way that is not to be cut off. Each holds a share; whoever has all of it knows that none is left.
#[derive(Clone, Debug, Default)]
pub(crate) struct Begun(Arc<RwLock<()>>);

impl Begun {
    /// Runs work to its end, also when the one who waits for it here is dropped.
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

    /// Returns when nothing is under way.
    pub(crate) async fn ended(&self) {
        drop(self.0.write().await);
    }
}
