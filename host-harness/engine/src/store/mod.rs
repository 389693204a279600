//! Owns: where the bytes of files lie: a folder, or whatever else speaks the interface of `object_store`; naming, reading
//! and removing them by key.
//! Does not own: which files there are (the inbox).

pub(crate) mod incoming;
pub(crate) mod stored;

use std::{
    fs::{self, DirBuilder, File},
    io::{self, Read as _, Seek as _},
    path::Path,
    sync::Arc,
};

use object_store::{ObjectStore, ObjectStoreExt as _, local::LocalFileSystem, path::Path as Key};

use self::{
    incoming::{Place, Whole},
    stored::FileContent,
};

/// Where the files of messages lie.
const INBOUND: &str = "inbound";
/// Where the files lie that were given to be sent.
const OUTBOUND: &str = "outbound";
/// How files begin in a folder that are not whole yet.
const UNFINISHED: &str = ".incoming-";
/// What goes to a store that is no folder in one piece, in bytes: less is refused by some.
const PART: u64 = 5 << 20;

/// Keeps the bytes of media. Cloning shares it.
#[derive(Clone, Debug)]
pub struct MediaStore {
    objects: Arc<dyn ObjectStore>,
    /// Where it is a folder of this machine.
    folder: Option<Arc<Path>>,
}

/// The media store did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// A file of this machine.
    #[error("the media store: {0}")]
    File(#[from] io::Error),
    /// Whatever keeps the bytes.
    #[error("the media store: {0}")]
    Objects(#[from] object_store::Error),
    /// A thread that wrote or read ended in the middle.
    #[error("the media store: {0}")]
    Interrupted(#[from] tokio::task::JoinError),
    /// What was written before could not be written, so this is no whole file.
    #[error("the media store: an earlier write failed")]
    Broken,
    /// Fewer bytes came than the file has.
    #[error("the media store: a file ended before its end")]
    CutShort,
}

impl MediaStore {
    /// A store that keeps everything under a prefix of its own, such as a bucket.
    pub fn new(objects: Arc<dyn ObjectStore>) -> Self {
        Self { objects, folder: None }
    }

    /// A folder, made where it is missing, for this user alone.
    pub fn in_folder(folder: &Path) -> Result<Self, StoreError> {
        private_folder(folder)?;
        let objects = LocalFileSystem::new_with_prefix(folder)?;
        // A row that says "stored" survives a power cut; so must the file.
        let objects = objects.with_automatic_cleanup(true).with_fsync(true);
        Ok(Self { objects: Arc::new(objects), folder: Some(folder.into()) })
    }

    /// Where a file is written that is not whole yet.
    pub(crate) async fn place(&self) -> Result<Place, StoreError> {
        let folder = self.folder.clone();
        let make = move || match folder {
            // For this user alone.
            Some(folder) => tempfile::Builder::new().prefix(UNFINISHED).tempfile_in(folder).map(Place::Beside),
            None => tempfile::tempfile().map(Place::Nameless),
        };
        blocking(make).await
    }

    /// Gives a whole file its name. When this returns, it survives a power cut.
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

    /// Sends a file to a store that is no folder, a part at a time.
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

    /// What is there; nothing where it was removed.
    pub(crate) async fn find(&self, key: &str) -> Result<Option<FileContent>, StoreError> {
        match self.objects.get(&Key::from(key)).await {
            Ok(found) => Ok(Some(FileContent::of(found))),
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// What must be there.
    pub(crate) async fn get(&self, key: &str) -> Result<FileContent, StoreError> {
        let found = self.objects.get(&Key::from(key)).await?;
        Ok(FileContent::of(found))
    }

    /// Removes what was not whole when the last run ended. Returns how many files that were. Only for whoever has the
    /// store alone: those of a running host are of this kind too.
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

    /// The keys of what was written before this time, in milliseconds since 1970.
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

    /// Whether nothing is there.
    pub(crate) async fn is_empty(&self) -> Result<bool, StoreError> {
        let found = self.objects.list_with_delimiter(None).await?;
        Ok(found.objects.is_empty() && found.common_prefixes.is_empty())
    }

    /// Removes what is there; what is not there is removed already.
    pub(crate) async fn delete(&self, key: &str) -> Result<(), StoreError> {
        match self.objects.delete(&Key::from(key)).await {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }
}

/// A file of ours that is not whole.
fn is_unfinished(name: &str) -> bool {
    name.starts_with(UNFINISHED)
}

/// A file of `object_store` that is not whole: the name that it will get, and a number.
fn is_staged(name: &str) -> bool {
    name.rsplit_once('#')
        .is_some_and(|(_, number)| !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()))
}

/// Work that may block.
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

/// How often a folder is made anew that was removed because its last file was.
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

/// Makes the names in a folder survive a power cut.
fn sync_folder(folder: &Path) -> io::Result<()> {
    if cfg!(unix) { File::open(folder)?.sync_all() } else { Ok(()) }
}

/// The next part of a file, with the file.
fn part(mut file: File, length: u64) -> io::Result<(File, Vec<u8>)> {
    let mut part = Vec::new();
    (&mut file).take(length).read_to_end(&mut part)?;
    if part.len() as u64 == length { Ok((file, part)) } else { Err(io::ErrorKind::UnexpectedEof.into()) }
}
