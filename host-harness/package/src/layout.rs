//! Owns: packages in a folder, as the OCI image layout has them: `oci-layout`, `index.json`, `blobs/sha256/HEX`.
//! Does not own: what a manifest means (`oci`), copying between places (`copy`).
//!
//! The folder may come from anybody. Every file is opened from the folder down without following a link, must be a
//! regular file, and is read up to a bound. Files appear whole, under a lock, and on the disk before they are named.

use std::{
    collections::BTreeMap,
    io::{Read as _, Write as _},
    os::fd::OwnedFd,
    path::Path,
    sync::Arc,
};

use async_trait::async_trait;
use harness_contract::text::shown;
use rustix::{
    fs::{self, AtFlags, FileType, FlockOperation, Mode, OFlags},
    io::Errno,
};

use crate::{
    Digest,
    oci::{Descriptor, Index, MANIFEST, MAX_MANIFEST, Manifest, OciError, REF_NAME},
    reference::is_tag,
    source::{Source, SourceError, Target, checked, described},
};

/// The content of `oci-layout`.
const LAYOUT: &str = r#"{"imageLayoutVersion":"1.0.0"}"#;
/// The longest `oci-layout` that is read, in bytes.
const MAX_LAYOUT: u64 = 4096;
/// The most entries that are looked at for what refers to a package.
const MAX_SEARCHED: usize = 1000;
/// The most referrers that are returned.
const MAX_REFERRERS: usize = 100;
/// A file that is being written. There is one at a time, under the lock, so that no more than one is left by a crash.
const INCOMING: &str = ".incoming";
/// How a folder is opened: not through a link.
const FOLDER: OFlags = OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);

/// A folder with packages.
#[derive(Clone, Debug)]
pub struct Layout {
    folder: Folder,
}

impl Layout {
    /// Opens a folder that is an image layout.
    ///
    /// # Errors
    ///
    /// [`SourceError::Failed`] where it is none.
    pub async fn open(path: &Path) -> Result<Self, SourceError> {
        let folder = Folder::open(path)?;
        folder.run(Folder::is_layout).await?;
        Ok(Self { folder })
    }

    /// Opens a folder, and makes it an image layout where it is empty or not there.
    ///
    /// # Errors
    ///
    /// [`SourceError::Failed`] where it is something else, or cannot be written.
    pub async fn create(path: &Path) -> Result<Self, SourceError> {
        let place = shown(&path.display().to_string());
        let made = path.to_owned();
        tokio::task::spawn_blocking(move || std::fs::create_dir_all(made))
            .await
            .unwrap_or_else(|error| Err(std::io::Error::other(error)))
            .map_err(|error| SourceError::failed(&place, format!("the folder could not be made: {error}")))?;
        let folder = Folder::open(path)?;
        folder.run(Folder::make_layout).await?;
        Ok(Self { folder })
    }
}

/// The opened folder, and what it is called.
#[derive(Clone, Debug)]
struct Folder {
    root: Arc<OwnedFd>,
    place: String,
}

/// Held while files are written. Dropping it lets the next one write.
struct Lock(#[expect(dead_code, reason = "the lock ends when it is closed")] OwnedFd);

impl Folder {
    fn open(path: &Path) -> Result<Self, SourceError> {
        let place = shown(&path.display().to_string());
        let root = fs::open(path, OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())
            .map_err(|error| SourceError::failed(&place, format!("the folder could not be opened: {error}")))?;
        Ok(Self { root: Arc::new(root), place })
    }

    /// Works with files where that holds nobody up.
    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Self) -> Result<T, SourceError> + Send + 'static,
    ) -> Result<T, SourceError> {
        let folder = self.clone();
        let ended = tokio::task::spawn_blocking(move || work(&folder)).await;
        ended.map_err(|_| self.failed("reading or writing was interrupted"))?
    }

    fn failed(&self, problem: impl Into<String>) -> SourceError {
        SourceError::failed(&self.place, problem)
    }

    fn not_read(&self, name: &str, error: &OciError) -> SourceError {
        self.failed(format!("{name}: {}", shown(&error.to_string())))
    }

    fn not_written(&self, name: &str) -> impl Fn(Errno) -> SourceError {
        move |error| self.failed(format!("{name} could not be written: {error}"))
    }

    fn lock(&self) -> Result<Lock, SourceError> {
        // Opened again: threads that share one opened folder would share its lock.
        let locked = self.below(&[]).and_then(|folder| {
            fs::flock(&folder, FlockOperation::LockExclusive)?;
            Ok(Lock(folder))
        });
        locked.map_err(|error| self.failed(format!("the folder could not be locked: {error}")))
    }

    /// A folder below the root, one name after the other, none of which may be a link.
    fn below(&self, folders: &[&str]) -> Result<OwnedFd, Errno> {
        let mut folder = fs::openat(&self.root, ".", FOLDER, Mode::empty())?;
        for name in folders {
            folder = fs::openat(&folder, *name, FOLDER, Mode::empty())?;
        }
        Ok(folder)
    }

    /// The same, making those that are not there.
    fn made_below(&self, folders: &[&str]) -> Result<OwnedFd, Errno> {
        let mut folder = self.below(&[])?;
        for name in folders {
            match fs::mkdirat(&folder, *name, Mode::from_raw_mode(0o755)) {
                Ok(()) => fs::fsync(&folder)?,
                Err(Errno::EXIST) => {}
                Err(error) => return Err(error),
            }
            folder = fs::openat(&folder, *name, FOLDER, Mode::empty())?;
        }
        Ok(folder)
    }

    /// The bytes of a regular file.
    fn read(&self, folders: &[&str], name: &str, max: u64) -> Result<Vec<u8>, SourceError> {
        // A pipe would hold the opening up until somebody writes.
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let opened = self.below(folders).and_then(|folder| fs::openat(&folder, name, flags, Mode::empty()));
        let opened = opened.and_then(|file| Ok((fs::fstat(&file)?, file)));
        let (stat, file) = opened.map_err(|error| match error {
            Errno::NOENT => SourceError::missing(&self.place, name),
            Errno::LOOP | Errno::NOTDIR => self.failed(format!("{name} is behind a link: links are not followed")),
            error => self.failed(format!("{name} could not be opened: {error}")),
        })?;
        if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile {
            return Err(self.failed(format!("{name} is no regular file")));
        }
        let mut bytes = Vec::new();
        std::fs::File::from(file)
            .take(max.saturating_add(1))
            .read_to_end(&mut bytes)
            .map_err(|error| self.failed(format!("{name} could not be read: {error}")))?;
        if bytes.len() as u64 > max {
            return Err(SourceError::too_large(&self.place, name, max));
        }
        Ok(bytes)
    }

    /// Writes a file that is there whole or not at all.
    fn write(&self, _lock: &Lock, folders: &[&str], name: &str, bytes: &[u8]) -> Result<(), SourceError> {
        let not_written = self.not_written(name);
        let into = self.made_below(folders).map_err(&not_written)?;
        match fs::unlinkat(&self.root, INCOMING, AtFlags::empty()) {
            Ok(()) | Err(Errno::NOENT) => {}
            Err(error) => return Err(not_written(error)),
        }
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let file = fs::openat(&self.root, INCOMING, flags, Mode::from_raw_mode(0o644)).map_err(&not_written)?;
        let mut file = std::fs::File::from(file);
        file.write_all(bytes)
            .and_then(|()| file.sync_all())
            .map_err(|error| self.failed(format!("{name} could not be written: {error}")))?;
        fs::renameat(&self.root, INCOMING, &into, name).map_err(&not_written)?;
        fs::fsync(&into).map_err(&not_written)
    }

    fn is_layout(&self) -> Result<(), SourceError> {
        let none = |_| self.failed("it is no OCI image layout: it has no file `oci-layout` of version 1.0.0");
        let bytes = self.read(&[], "oci-layout", MAX_LAYOUT)?;
        let layout: serde_json::Value = serde_json::from_slice(&bytes).map_err(none)?;
        let known = layout.get("imageLayoutVersion").and_then(serde_json::Value::as_str) == Some("1.0.0");
        if known { Ok(()) } else { Err(self.failed("it is an OCI image layout of an unknown version: expected 1.0.0")) }
    }

    fn make_layout(&self) -> Result<(), SourceError> {
        let lock = self.lock()?;
        match self.is_layout() {
            Err(SourceError::Missing { .. }) => {}
            other => return other,
        }
        // What a creation that was interrupted left may be there.
        let own = |name: &[u8]| [&b"."[..], b"..", b"index.json", INCOMING.as_bytes()].contains(&name);
        let listed = fs::Dir::read_from(&self.root)
            .and_then(|entries| entries.collect::<Result<Vec<_>, _>>())
            .map_err(|error| self.failed(format!("the folder could not be read: {error}")))?;
        if listed.iter().any(|entry| !own(entry.file_name().to_bytes())) {
            return Err(self.failed("the folder is neither empty nor an OCI image layout"));
        }
        let empty =
            serde_json::to_vec(&Index::default()).map_err(|error| self.not_read("index.json", &error.into()))?;
        self.write(&lock, &[], "index.json", &empty)?;
        self.write(&lock, &[], "oci-layout", LAYOUT.as_bytes())
    }

    fn index(&self) -> Result<Index, SourceError> {
        let bytes = self.read(&[], "index.json", MAX_MANIFEST)?;
        Index::read(&bytes).map_err(|error| self.not_read("index.json", &error))
    }

    fn entry(&self, tag: &str) -> Result<Option<Descriptor>, SourceError> {
        let index = self.index()?;
        let mut entries = index.manifests.into_iter().filter(|entry| tag_of(entry) == Some(tag));
        let Some(first) = entries.next() else { return Ok(None) };
        if entries.any(|other| other.digest != first.digest) {
            return Err(self.failed(format!("index.json has two packages under {}", shown(tag))));
        }
        if first.media_type != MANIFEST {
            let found = shown(&first.media_type);
            return Err(self.failed(format!("under {} lies {found}, expected {MANIFEST}", shown(tag))));
        }
        Ok(Some(Descriptor { artifact_type: None, annotations: BTreeMap::new(), ..first }))
    }

    fn blob(&self, digest: &Digest, max: u64) -> Result<Vec<u8>, SourceError> {
        self.read(&["blobs", "sha256"], &digest.hex(), max)
    }

    fn manifest(&self, digest: &Digest) -> Result<Vec<u8>, SourceError> {
        checked(&self.place, digest, self.blob(digest, MAX_MANIFEST)?)
    }

    /// What an entry refers to, by its manifest. A manifest that cannot be read says nothing.
    fn refers_to(&self, entry: &Descriptor, subject: &Digest) -> bool {
        let manifest = self.manifest(&entry.digest).ok().and_then(|bytes| Manifest::read(&bytes).ok());
        manifest.and_then(|manifest| manifest.subject).is_some_and(|found| found.digest == *subject)
    }

    fn put_blob(&self, lock: &Lock, of: &Descriptor, bytes: &[u8]) -> Result<(), SourceError> {
        if self.blob(&of.digest, of.size).is_ok_and(|found| found == bytes) {
            return Ok(());
        }
        self.write(lock, &["blobs", "sha256"], &of.digest.hex(), bytes)
    }

    fn put_entry(&self, lock: &Lock, entry: &Descriptor) -> Result<(), SourceError> {
        let index = self.read(&[], "index.json", MAX_MANIFEST)?;
        let written = Index::with_entry(&index, entry).map_err(|error| self.not_read("index.json", &error))?;
        let Some(written) = written else { return Ok(()) };
        if written.len() as u64 > MAX_MANIFEST {
            return Err(SourceError::too_large(&self.place, "index.json", MAX_MANIFEST));
        }
        self.write(lock, &[], "index.json", &written)
    }
}

fn tag_of(entry: &Descriptor) -> Option<&str> {
    entry.annotations.get(REF_NAME).map(String::as_str)
}

#[async_trait]
impl Source for Layout {
    fn place(&self) -> String {
        self.folder.place.clone()
    }

    async fn resolve(&self, tag: &str) -> Result<Descriptor, SourceError> {
        let wanted = tag.to_owned();
        let found = self.folder.run(move |folder| folder.entry(&wanted)).await?;
        found.ok_or_else(|| SourceError::missing(&self.folder.place, format!("package under {}", shown(tag))))
    }

    async fn tags(&self) -> Result<Vec<String>, SourceError> {
        let index = self.folder.run(Folder::index).await?;
        Ok(index.manifests.iter().filter_map(tag_of).filter(|tag| is_tag(tag)).map(str::to_owned).collect())
    }

    async fn manifest(&self, digest: &Digest) -> Result<Vec<u8>, SourceError> {
        let digest = *digest;
        self.folder.run(move |folder| folder.manifest(&digest)).await
    }

    async fn blob(&self, of: &Descriptor, max: u64) -> Result<Vec<u8>, SourceError> {
        if of.size > max {
            return Err(SourceError::too_large(&self.folder.place, of.digest.to_string(), max));
        }
        let of = of.clone();
        self.folder.run(move |folder| described(&folder.place, &of, folder.blob(&of.digest, of.size)?)).await
    }

    async fn referrers(&self, subject: &Digest) -> Result<Index, SourceError> {
        let subject = *subject;
        let search = move |folder: &Folder| {
            let candidates = folder.index()?.manifests.into_iter().filter(|entry| {
                entry.media_type == MANIFEST && entry.artifact_type.is_some() && tag_of(entry).is_none()
            });
            let found = candidates.take(MAX_SEARCHED).filter(|entry| folder.refers_to(entry, &subject));
            Ok(Index::of_referrers(found.collect(), MAX_REFERRERS))
        };
        self.folder.run(search).await
    }
}

#[async_trait]
impl Target for Layout {
    async fn put_blob(&self, of: &Descriptor, bytes: &[u8]) -> Result<(), SourceError> {
        let bytes = described(&self.folder.place, of, bytes.to_vec())?;
        let of = of.clone();
        self.folder.run(move |folder| folder.put_blob(&folder.lock()?, &of, &bytes)).await
    }

    async fn put_manifest(&self, bytes: &[u8], tag: Option<&str>) -> Result<Descriptor, SourceError> {
        let folder = &self.folder;
        if let Some(tag) = tag.filter(|tag| !is_tag(tag)) {
            return Err(folder.failed(format!("{} cannot be a tag", shown(tag))));
        }
        let manifest = Manifest::read(bytes).map_err(|error| folder.not_read("the manifest", &error))?;
        let (bytes, tag) = (bytes.to_vec(), tag.map(str::to_owned));
        let put = move |folder: &Folder| {
            let lock = folder.lock()?;
            let described = Descriptor::of(MANIFEST, &bytes);
            if let Some(tag) = &tag
                && let Some(other) = folder.entry(tag)?
                && other.digest != described.digest
            {
                let problem = format!("{tag} is {} already; versions do not change: publish a new one", other.digest);
                return Err(folder.failed(problem));
            }
            folder.put_blob(&lock, &described, &bytes)?;
            // A referrer's entry comes by `put_referrer`.
            match tag {
                Some(tag) => folder.put_entry(&lock, &described.clone().annotated(REF_NAME, tag))?,
                None if manifest.subject.is_none() => folder.put_entry(&lock, &described)?,
                None => {}
            }
            Ok(described)
        };
        folder.run(put).await
    }

    async fn put_referrer(&self, _subject: &Descriptor, referrer: Descriptor) -> Result<(), SourceError> {
        self.folder.run(move |folder| folder.put_entry(&folder.lock()?, &referrer)).await
    }
}
