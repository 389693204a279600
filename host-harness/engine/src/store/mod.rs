//! Owns: storage of files: a folder, or any implementation of `object_store`; naming, reading and removing files by
//! key.
//! Does not own: which files exist (the inbox).

pub(crate) mod incoming;
pub(crate) mod stored;

use std::{
    fs::{self, DirBuilder, File},
    io::{self, Read as _, Seek as _},
    ops::Range,
    path::Path,
    sync::Arc,
};

use object_store::{GetOptions, GetRange, ObjectStore, ObjectStoreExt as _, local::LocalFileSystem, path::Path as Key};

use self::{
    incoming::{Place, Whole},
    stored::FileContent,
};

/// Folder of the files of received messages.
const INBOUND: &str = "inbound";
/// Folder of uploaded files that are to be sent.
const OUTBOUND: &str = "outbound";
/// Name prefix of incomplete files in a folder.
const UNFINISHED: &str = ".incoming-";
/// Part size for stores that are not folders, in bytes. Some reject smaller parts.
const PART: u64 = 5 << 20;

/// The store of media files. Cloning shares it.
#[derive(Clone, Debug)]
pub struct MediaStore {
    objects: Arc<dyn ObjectStore>,
    /// The path, if the store is a local folder.
    folder: Option<Arc<Path>>,
}

/// The media store failed.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// A local file failed.
    #[error("the media store: {0}")]
    File(#[from] io::Error),
    /// The object store failed.
    #[error("the media store: {0}")]
    Objects(#[from] object_store::Error),
    /// A reading or writing thread was interrupted.
    #[error("the media store: {0}")]
    Interrupted(#[from] tokio::task::JoinError),
    /// An earlier write failed, so the file is incomplete.
    #[error("the media store: an earlier write failed")]
    Broken,
    /// A file had fewer bytes than expected.
    #[error("the media store: a file ended before its end")]
    CutShort,
}

impl MediaStore {
    /// A store in its own bucket or prefix, which nothing else may use.
    pub fn new(objects: Arc<dyn ObjectStore>) -> Self {
        Self { objects, folder: None }
    }

    /// A folder, created for this user alone if it is missing.
    pub fn in_folder(folder: &Path) -> Result<Self, StoreError> {
        private_folder(folder)?;
        let objects = LocalFileSystem::new_with_prefix(folder)?;
        // A row that says "stored" survives a power cut, so the file must too.
        let objects = objects.with_automatic_cleanup(true).with_fsync(true);
        Ok(Self { objects: Arc::new(objects), folder: Some(folder.into()) })
    }

    /// Creates a temporary place for an incomplete file.
    pub(crate) async fn place(&self) -> Result<Place, StoreError> {
        let folder = self.folder.clone();
        let make = move || match folder {
            // For this user alone.
            Some(folder) => tempfile::Builder::new().prefix(UNFINISHED).tempfile_in(folder).map(Place::Beside),
            None => tempfile::tempfile().map(Place::Nameless),
        };
        blocking(make).await
    }

    /// Stores a complete file under a key. Once this returns, the file survives a power cut.
    pub(crate) async fn keep(&self, key: &str, whole: Whole) -> Result<(), StoreError> {
        match (whole.place, &self.folder) {
            (Place::Beside(file), Some(folder)) => {
                let path = folder.join(key);
                blocking(move || name(file, &path)).await
            }
            (Place::Beside(file), None) => self.pass_on(key, file.into_file(), whole.size).await,
            (Place::Nameless(file), _) => self.pass_on(key, file, whole.size).await,
        }
    }

    /// Uploads a file in parts to a store that is not a folder.
    async fn pass_on(&self, key: &str, mut file: File, size: u64) -> Result<(), StoreError> {
        let mut upload = self.objects.put_multipart(&Key::from(key)).await?;
        file.rewind()?;
        let mut left = size;
        while left > 0 {
            let length = left.min(PART);
            let bytes;
            (file, bytes) = blocking(move || part(file, length)).await?;
            upload.put_part(bytes.into()).await?;
            left -= length;
        }
        upload.complete().await?;
        Ok(())
    }

    /// The file under this key; `None` if it was removed.
    pub(crate) async fn find(&self, key: &str) -> Result<Option<FileContent>, StoreError> {
        match self.objects.get(&Key::from(key)).await {
            Ok(found) => Ok(Some(FileContent::of(found))),
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// The file under this key, which must exist.
    pub(crate) async fn get(&self, key: &str) -> Result<FileContent, StoreError> {
        let found = self.objects.get(&Key::from(key)).await?;
        Ok(FileContent::of(found))
    }

    /// These bytes of the file under this key, which must exist.
    pub(crate) async fn get_part(&self, key: &str, part: Range<u64>) -> Result<FileContent, StoreError> {
        let options = GetOptions { range: Some(GetRange::Bounded(part)), ..GetOptions::default() };
        Ok(FileContent::of(self.objects.get_opts(&Key::from(key), options).await?))
    }

    /// Removes incomplete files of the last run, and returns how many. Needs exclusive use of the store: the files that
    /// a running host is receiving look the same.
    pub(crate) async fn remove_unfinished(&self) -> Result<usize, StoreError> {
        let Some(folder) = self.folder.clone() else { return Ok(0) };
        blocking(move || {
            let mut removed = 0;
            for (below, is_left_over) in
                [("", is_unfinished as fn(&str) -> bool), (INBOUND, is_staged), (OUTBOUND, is_staged)]
            {
                let entries = match fs::read_dir(folder.join(below)) {
                    Ok(entries) => entries,
                    Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                    Err(error) => return Err(error),
                };
                for entry in entries {
                    let entry = entry?;
                    if entry.file_type()?.is_file() && entry.file_name().to_str().is_some_and(is_left_over) {
                        fs::remove_file(entry.path())?;
                        removed += 1;
                    }
                }
            }
            Ok(removed)
        })
        .await
    }

    /// The keys of files written before this time, in milliseconds since 1970.
    pub(crate) async fn keys_before(&self, before: u64) -> Result<Vec<String>, StoreError> {
        let before = i64::try_from(before).unwrap_or(i64::MAX);
        let mut keys = Vec::new();
        for prefix in [INBOUND, OUTBOUND] {
            let found = self.objects.list_with_delimiter(Some(&Key::from(prefix))).await;
            let found = found?.objects;
            let old = found.into_iter().filter(|object| object.last_modified.timestamp_millis() < before);
            keys.extend(old.map(|object| object.location.to_string()));
        }
        Ok(keys)
    }

    /// Whether the store is empty.
    pub(crate) async fn is_empty(&self) -> Result<bool, StoreError> {
        let found = self.objects.list_with_delimiter(None).await?;
        Ok(found.objects.is_empty() && found.common_prefixes.is_empty())
    }

    /// Removes a file. A missing file is not an error.
    pub(crate) async fn delete(&self, key: &str) -> Result<(), StoreError> {
        match self.objects.delete(&Key::from(key)).await {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }
}

/// A temporary file of this store.
fn is_unfinished(name: &str) -> bool {
    name.starts_with(UNFINISHED)
}

/// A temporary file of `object_store`: the final name and a number.
fn is_staged(name: &str) -> bool {
    name.rsplit_once('#')
        .is_some_and(|(_, number)| !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()))
}

/// Runs blocking work on its own thread.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> io::Result<T> + Send + 'static) -> Result<T, StoreError> {
    Ok(tokio::task::spawn_blocking(work).await??)
}

fn private_folder(folder: &Path) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

/// How often a folder is created again when it disappears with its last file.
const ATTEMPTS: u32 = 8;

/// Gives a file its name, so that both survive a power cut.
fn name(mut file: tempfile::NamedTempFile, path: &Path) -> io::Result<()> {
    file.as_file().sync_all()?;
    let folder = path.parent().unwrap_or(path);
    let mut attempt = 0;
    loop {
        attempt += 1;
        private_folder(folder)?;
        match file.persist(path) {
            Ok(_) => break,
            Err(failed) if failed.error.kind() == io::ErrorKind::NotFound && attempt < ATTEMPTS => file = failed.file,
            Err(failed) => return Err(failed.error),
        }
    }
    sync_folder(folder)?;
    folder.parent().map_or(Ok(()), sync_folder)
}

/// Makes a folder's entries survive a power cut.
fn sync_folder(folder: &Path) -> io::Result<()> {
    if cfg!(unix) { File::open(folder)?.sync_all() } else { Ok(()) }
}

/// Reads the next part of a file, and hands the file back.
fn part(mut file: File, length: u64) -> io::Result<(File, Vec<u8>)> {
    let mut part = Vec::new();
    (&mut file).take(length).read_to_end(&mut part)?;
    if part.len() as u64 == length { Ok((file, part)) } else { Err(io::ErrorKind::UnexpectedEof.into()) }
}
