//! Owns: the host's public address, and URLs below it.
//! Does not own: what is served there.

use std::sync::{Arc, PoisonError, RwLock};

use url::Url;

use crate::error::ConnectError;

/// The host's public address, once it is configured. Cloning shares it.
#[derive(Clone, Debug, Default)]
pub(crate) struct PublicUrl(Arc<RwLock<Option<Url>>>);

impl PublicUrl {
    /// Sets the address.
    pub(crate) fn set(&self, url: Url) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Some(url);
    }

    /// The address, if it is set.
    pub(crate) fn get(&self) -> Option<Url> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// A public URL of this host, with these path segments.
    pub(crate) fn address(&self, segments: &[&str]) -> Result<Url, ConnectError> {
        let mut url = self.get().ok_or(ConnectError::NoPublicUrl)?;
        url.path_segments_mut().map_err(|()| ConnectError::NoPublicUrl)?.pop_if_empty().extend(segments);
        Ok(url)
    }
}
