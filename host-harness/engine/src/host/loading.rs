//! Owns: what a product does with channels.
//! Does not own: loading and replacing them (`channels`).

use super::{Host, HostError};
use crate::channels::{
    circuit_breaker::BreakerView,
    loaded::{ChannelOptions, LoadedChannel},
};

impl Host {
    /// Loads a component, or replaces the one of the same id.
    ///
    /// The new one is inspected, compiled and tried out beside the old one, which answers until both are exchanged
    /// in one step; calls that have begun end where they began. If anything fails, the old one stays. Without a
    /// grant of its own, an update has the old one's, and a channel that is new here may do nothing: what is asked for
    /// beyond that waits for the operator.
    pub async fn load_channel(&self, component: Vec<u8>, setup: ChannelOptions) -> Result<LoadedChannel, HostError> {
        Ok(self.rooms.channels.load_channel(component, setup).await?)
    }

    /// Replaces the channel of this id. Why an update was not taken stands in [`Host::update_problem`].
    pub async fn replace_channel(
        &self,
        id: &str,
        component: Vec<u8>,
        setup: ChannelOptions,
    ) -> Result<LoadedChannel, HostError> {
        Ok(self.rooms.channels.replace_channel(id, component, setup).await?)
    }

    /// How often this channel was loaded since the start, from 1 on.
    pub fn generation(&self, id: &str) -> u64 {
        self.rooms.channels.generation(id)
    }

    /// Why the newest component of this channel is not the one that runs.
    pub fn update_problem(&self, id: &str) -> Option<String> {
        self.rooms.channels.update_problem(id)
    }

    /// A loaded channel.
    pub fn channel(&self, id: &str) -> Result<LoadedChannel, HostError> {
        Ok(self.rooms.channels.get(id)?)
    }

    /// All loaded channels, by id.
    pub fn channels(&self) -> Vec<LoadedChannel> {
        self.rooms.channels.all()
    }

    /// How the parts of a channel do, the worst first.
    pub fn breakers(&self, id: &str) -> Vec<BreakerView> {
        self.rooms.channels.breakers.view(id, self.base().clock.now())
    }

    /// Uses a channel again at once that was left alone after repeated failures, and tries the deliveries again
    /// on which it failed. Returns how many those are.
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
