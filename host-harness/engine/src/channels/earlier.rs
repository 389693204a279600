//! Owns: versions of a channel that ran before: which are at hand, loading one to see what it makes of a delivery.
//! Does not own: keeping and checking them (whoever runs the host), running one again (`rollout`).

use std::sync::{Arc, PoisonError, RwLock};

use harness_contract::settings::settings_known_to;
use harness_sandbox::Inspected;

use super::{
    Channels,
    loaded::{ComponentVersion, Grant, LoadedChannel},
};

/// Where versions that ran before are kept. Both are called where blocking is allowed, and fail with a sentence for people.
pub trait EarlierVersions: Send + Sync {
    /// Those of a channel, the newest first.
    fn list(&self, channel: &str) -> Result<Vec<ComponentVersion>, String>;

    /// The component with this digest, checked as before a start.
    fn component(&self, channel: &str, digest: &str) -> Result<Inspected, String>;
}

/// The place that whoever runs the host has named, if they did.
#[derive(Default)]
pub(super) struct Place {
    kept: RwLock<Option<Arc<dyn EarlierVersions>>>,
    /// One is loaded at a time: each is as large as one that runs.
    loads: Arc<tokio::sync::Mutex<()>>,
}

impl Place {
    fn get(&self) -> Option<Arc<dyn EarlierVersions>> {
        self.kept.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Channels {
    /// Names the place where versions are kept.
    pub(crate) fn keep_earlier(&self, place: Arc<dyn EarlierVersions>) {
        *self.earlier.kept.write().unwrap_or_else(PoisonError::into_inner) = Some(place);
    }

    /// The versions at hand besides the one that runs, the newest first: the one before it, while it is loaded, and those
    /// that are kept.
    pub(crate) async fn earlier(&self, running: &LoadedChannel) -> Vec<ComponentVersion> {
        let id = running.channel.id().to_owned();
        let mut all: Vec<_> = self.before(&id).iter().map(|before| before.version()).collect();
        if let Some(place) = self.earlier.get() {
            let channel = id.clone();
            match tokio::task::spawn_blocking(move || place.list(&channel)).await {
                Ok(Ok(kept)) => all.extend(kept),
                Ok(Err(problem)) => tracing::warn!(channel = id, problem, "the versions that ran before are not known"),
                // The host ends.
                Err(_) => {}
            }
        }
        let mut known = vec![running.version().digest];
        all.retain(|one| {
            let is_new = !known.contains(&one.digest);
            known.push(one.digest.clone());
            is_new
        });
        all
    }

    /// One of the versions at hand. It has no grant: nothing is asked of it but what it makes of a delivery. Fails with a
    /// sentence for people.
    pub(crate) async fn load_earlier(
        &self,
        running: &LoadedChannel,
        digest: &str,
    ) -> Result<Arc<LoadedChannel>, String> {
        let id = running.channel.id().to_owned();
        if let Some(before) = self.before(&id).filter(|before| before.version().digest == digest) {
            return Ok(before);
        }
        let place = self.earlier.get().ok_or("it is not kept any more")?;
        let (sandbox, settings, digest) = (self.sandbox.clone(), Arc::clone(&running.settings), digest.to_owned());
        // Held until it is loaded, even if the caller is gone.
        let turn = Arc::clone(&self.earlier.loads).lock_owned().await;
        let load = move || {
            let _turn = turn;
            let channel = sandbox.load_inspected(place.component(&id, &digest)?).map_err(|error| error.to_string())?;
            let (found, of) = (&channel.inspection().digest, channel.id());
            if *found != digest || of != id {
                return Err(format!("what is kept as {digest} of `{id}` is {found} of `{of}`"));
            }
            let capabilities = channel.capabilities(None).map_err(|error| error.to_string())?;
            let own = settings_known_to(&channel.manifest().settings, &settings);
            Ok(Arc::new(LoadedChannel::new(channel, capabilities, own, Grant::default())))
        };
        tokio::task::spawn_blocking(load).await.map_err(|_| "the host ends".to_owned())?
    }
}
