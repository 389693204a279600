//! Owns: where this host is reached from outside, and its addresses there.
//! Does not own: what stands at an address.

use std::sync::{Arc, PoisonError, RwLock};

use url::Url;

use crate::error::ConnectError;

/// The host's address, once somebody has said it. Cloning shares it.
#[derive(Clone, Debug, Default)]
pub(crate) struct PublicUrl(Arc<RwLock<Option<Url>>>);

impl PublicUrl {
    /// Says it.
    pub(crate) fn set(&self, url: Url) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Some(url);
    }

    /// As it was said.
    pub(crate) fn get(&self) -> Option<Url> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// An address of this host, as it is reached from outside.
    pub(crate) fn address(&self, segments: &[&str]) -> Result<Url, ConnectError> {
        let mut url = self.get().ok_or(ConnectError::NoPublicUrl)?;
        url.path_segments_mut().map_err(|()| ConnectError::NoPublicUrl)?.pop_if_empty().extend(segments);
        Ok(url)
    }
}
