//! Where the bytes of files lie: a folder, or whatever else speaks the interface of `object_store`.
//! Belongs here: writing, reading and removing by key. Which files there are is the inbox's to know.

use std::{path::Path, sync::Arc};

use bytes::Bytes;
use object_store::{ObjectStore, ObjectStoreExt as _, local::LocalFileSystem, path::Path as Key};

/// Where the files of messages lie.
const INBOUND: &str = "inbound";
/// Where the files lie that were given to be sent.
const OUTBOUND: &str = "outbound";

/// Keeps the bytes of media. Cloning shares it.
#[derive(Clone, Debug)]
pub struct MediaStore {
    objects: Arc<dyn ObjectStore>,
}

/// The media store did not do what was asked.
#[derive(Debug, thiserror::Error)]
#[error("the media store: {0}")]
pub struct StoreError(String);

impl StoreError {
    fn from_display(error: impl std::fmt::Display) -> Self {
        Self(error.to_string())
    }
}

impl MediaStore {
    /// A store that keeps everything under a prefix of its own, such as a bucket.
    pub fn new(objects: Arc<dyn ObjectStore>) -> Self {
        Self { objects }
    }

    /// A folder, made where it is missing, for this user alone.
    pub fn in_folder(folder: &Path) -> Result<Self, StoreError> {
        let mut builder = std::fs::DirBuilder::new();
        builder.recursive(true);
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.create(folder).map_err(StoreError::from_display)?;
        let objects = LocalFileSystem::new_with_prefix(folder).map_err(StoreError::from_display)?;
        // A row that says "stored" survives a power cut; so must the file.
        Ok(Self::new(Arc::new(objects.with_automatic_cleanup(true).with_fsync(true))))
    }

    pub(crate) async fn put(&self, key: &str, bytes: Bytes) -> Result<(), StoreError> {
        self.objects.put(&Key::from(key), bytes.into()).await.map(drop).map_err(StoreError::from_display)
    }

    pub(crate) async fn get(&self, key: &str) -> Result<Bytes, StoreError> {
        let found = self.objects.get(&Key::from(key)).await.map_err(StoreError::from_display)?;
        found.bytes().await.map_err(StoreError::from_display)
    }

    /// What is there; nothing where it was removed.
    pub(crate) async fn find(&self, key: &str) -> Result<Option<Bytes>, StoreError> {
        match self.objects.get(&Key::from(key)).await {
            Ok(found) => found.bytes().await.map(Some).map_err(StoreError::from_display),
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(StoreError::from_display(error)),
        }
    }

    /// The keys of what was written before this time, in milliseconds since 1970.
    pub(crate) async fn keys_before(&self, before: u64) -> Result<Vec<String>, StoreError> {
        let before = i64::try_from(before).unwrap_or(i64::MAX);
        let mut keys = Vec::new();
        for prefix in [INBOUND, OUTBOUND] {
            let found = self.objects.list_with_delimiter(Some(&Key::from(prefix))).await;
            let found = found.map_err(StoreError::from_display)?.objects;
            let old = found.into_iter().filter(|object| object.last_modified.timestamp_millis() < before);
            keys.extend(old.map(|object| object.location.to_string()));
        }
        Ok(keys)
    }

    /// Whether nothing is there.
    pub(crate) async fn is_empty(&self) -> Result<bool, StoreError> {
        let found = self.objects.list_with_delimiter(None).await.map_err(StoreError::from_display)?;
        Ok(found.objects.is_empty() && found.common_prefixes.is_empty())
    }

    /// Removes what is there; what is not there is removed already.
    pub(crate) async fn delete(&self, key: &str) -> Result<(), StoreError> {
        match self.objects.delete(&Key::from(key)).await {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(StoreError::from_display(error)),
        }
    }
}
