//! Owns: the product's interface to channels.
//! Does not own: loading and replacing them (`channels`).

use std::sync::Arc;

use super::{Host, HostError};
use crate::channels::{
    circuit_breaker::BreakerView,
    earlier::EarlierVersions,
    loaded::{ChannelOptions, Loadable, LoadedChannel},
    newer::Looked,
};

impl Host {
    /// Loads a component, or replaces the one with the same id.
    ///
    /// The new component is inspected, compiled and tested beside the old one, which serves until they are swapped in
    /// one step. Calls in progress end on the component where they started. If anything fails, the old one stays.
    /// Without its own grant, an update keeps the old grant, and a new channel gets none: what it asks for beyond that
    /// waits for the operator.
    pub async fn load_channel(
        &self,
        component: impl Into<Loadable>,
        setup: ChannelOptions,
    ) -> Result<Arc<LoadedChannel>, HostError> {
        let loaded = self.rooms.channels.load_channel(component.into(), setup).await?;
        self.rooms.accounts.credentials.generate_of_channel(loaded.channel.manifest()).await?;
        Ok(loaded)
    }

    /// Replaces the channel with this id. A failure is kept for [`Host::update_problem`].
    pub async fn replace_channel(
        &self,
        id: &str,
        component: impl Into<Loadable>,
        setup: ChannelOptions,
    ) -> Result<Arc<LoadedChannel>, HostError> {
        let loaded = self.rooms.channels.replace_channel(id, component.into(), setup).await?;
        self.rooms.accounts.credentials.generate_of_channel(loaded.channel.manifest()).await?;
        Ok(loaded)
    }

    /// Takes a channel out. Calls in progress end; its webhooks are refused from now on, and what is in the journal waits
    /// until it is loaded again. Its accounts and conversations stay. Whether it was loaded.
    pub fn unload_channel(&self, id: &str) -> bool {
        self.rooms.channels.unload_channel(id)
    }

    /// How often this channel was loaded or rolled back since the start. The first load is 1.
    pub fn generation(&self, id: &str) -> u64 {
        self.rooms.channels.generation(id)
    }

    /// Why the newest component of this channel is not the running one.
    pub fn update_problem(&self, id: &str) -> Option<String> {
        self.rooms.channels.update_problem(id)
    }

    /// Notes what came of looking for a newer version than the component with this digest, in hex, where it came from.
    /// Of one that does not run, nothing is noted.
    pub fn note_looked(&self, id: &str, digest: &str, looked: Looked) {
        self.rooms.channels.note_looked(id, digest, looked);
    }

    /// What came of looking for a newer version than the one that runs; none where nobody looked.
    pub fn looked(&self, id: &str) -> Option<Looked> {
        self.rooms.channels.looked(id)
    }

    /// Names the place where versions that ran before are kept. Without one, the version before an update is at hand while
    /// it stays loaded.
    pub fn keep_earlier(&self, place: Arc<dyn EarlierVersions>) {
        self.rooms.channels.keep_earlier(place);
    }

    /// A loaded channel.
    pub fn channel(&self, id: &str) -> Result<Arc<LoadedChannel>, HostError> {
        Ok(self.rooms.channels.get(id)?)
    }

    /// All loaded channels, sorted by id.
    pub fn channels(&self) -> Vec<Arc<LoadedChannel>> {
        self.rooms.channels.all()
    }

    /// The state of each part of a channel, the worst first.
    pub fn breakers(&self, id: &str) -> Vec<BreakerView> {
        self.rooms.channels.breakers.view(id, self.base().clock.now())
    }

    /// Closes all circuits of a channel and retries the deliveries on which it failed. Returns how many those are.
    pub async fn reset_channel(&self, id: &str) -> Result<usize, HostError> {
        self.channel(id)?;
        let (base, channels, id) = (self.base().clone(), self.rooms.channels.clone(), id.to_owned());
        let reset = async move {
            channels.breakers.reset(&id);
            let again = base.inbox.retry_failed(Some(id)).await?;
            base.wake.usable();
            Ok(again)
        };
        self.base().begun.whole(reset).await
    }
}
