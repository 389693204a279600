//! Owns: compiled components on disk. They are native code that runs outside the sandbox, so every file carries a MAC
//! under a key of this cache; a file that does not verify is compiled again.
//! Does not own: compiling.

use std::{
    fs,
    hash::{DefaultHasher, Hash as _, Hasher as _},
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use wasmtime::{Engine, component::Component};

/// Whether a component was compiled or loaded from the cache.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Origin {
    /// Compiled now.
    Compiled,
    /// Loaded from the cache.
    Cached,
}

/// Why the cache cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum CacheError {
    /// A file or folder cannot be read or written.
    #[error("the artifact cache cannot use {path}: {source}")]
    Io {
        /// Its path.
        path: PathBuf,
        /// The reason.
        #[source]
        source: io::Error,
    },
    /// Other users can read or change the folder or the key, so a MAC proves nothing.
    #[error(
        "the artifact cache's {path} belongs to another user or is open to others (mode {mode:o}); delete the folder and start again"
    )]
    Foreign {
        /// The path of the folder or the key.
        path: PathBuf,
        /// Its permissions.
        mode: u32,
    },
    /// The operating system returned no random bytes.
    #[error("the artifact cache cannot make a key: the system's random source answered {0}")]
    Random(String),
}

const KEY_BYTES: usize = 32;
const TAG_BYTES: usize = 32;

/// A folder of compiled components, named by the component's digest and the engine's hash.
pub struct ArtifactCache {
    dir: PathBuf,
    key: [u8; KEY_BYTES],
    engine_hash: u64,
}

impl ArtifactCache {
    /// Opens the folder, or creates it with a new key, both private to this user.
    pub fn open(dir: &Path, engine: &Engine) -> Result<Self, CacheError> {
        create_private_dir(dir).map_err(io_error(dir))?;
        refuse_foreign(dir)?;
        let mut hasher = DefaultHasher::new();
        engine.precompile_compatibility_hash().hash(&mut hasher);
        Ok(Self { dir: dir.to_owned(), key: load_key(&dir.join("key"))?, engine_hash: hasher.finish() })
    }

    pub(crate) fn get_or_compile<E: From<CacheError> + From<Unloadable>>(
        &self,
        digest: &str,
        engine: &Engine,
        compile: impl FnOnce() -> Result<Vec<u8>, E>,
    ) -> Result<(Component, Origin), E> {
        let path = self.dir.join(format!("{digest}-{:016x}.artifact", self.engine_hash));
        match fs::read(&path) {
            Ok(file) => {
                if let Some(component) = self.verified(digest, &file).and_then(|code| deserialize(engine, code)) {
                    return Ok((component, Origin::Cached));
                }
                tracing::warn!(path = %path.display(), "a cached artifact did not verify and is compiled again");
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(io_error(&path)(error).into()),
        }
        let code = compile()?;
        let component = load_compiled(engine, &code)?;
        // A full disk makes the next start slower, not impossible.
        if let Err(error) = self.store(&path, digest, &code) {
            tracing::warn!(%error, "the compiled component is not cached");
        }
        Ok((component, Origin::Compiled))
    }

    /// The code of a file whose MAC is valid.
    fn verified<'a>(&self, digest: &str, file: &'a [u8]) -> Option<&'a [u8]> {
        let (code, tag) = file.split_at_checked(file.len().checked_sub(TAG_BYTES)?)?;
        let tag: [u8; TAG_BYTES] = tag.try_into().ok()?;
        // blake3 compares hashes in constant time.
        (self.mac(digest, code) == tag).then_some(code)
    }

    /// The MAC binds the code to its component and engine. Keyed BLAKE3 is fast: half a megabyte is hashed before a
    /// cached component starts.
    fn mac(&self, digest: &str, code: &[u8]) -> blake3::Hash {
        let mut mac = blake3::Hasher::new_keyed(&self.key);
        mac.update(digest.as_bytes());
        mac.update(&self.engine_hash.to_be_bytes());
        mac.update(code);
        mac.finalize()
    }

    /// Writes a temporary file and renames it, so that other processes never see half a file.
    fn store(&self, path: &Path, digest: &str, code: &[u8]) -> Result<(), CacheError> {
        let mac = self.mac(digest, code);
        let beside = path.with_extension(format!("{}.new", std::process::id()));
        let write = || -> io::Result<()> {
            let mut file = private_file(&beside, false)?;
            file.write_all(code)?;
            file.write_all(mac.as_bytes())?;
            fs::rename(&beside, path)
        };
        write().map_err(io_error(path))
    }
}

/// The engine refused the code.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Unloadable(pub(crate) String);

/// Loads verified code.
fn deserialize(engine: &Engine, code: &[u8]) -> Option<Component> {
    load_compiled(engine, code).inspect_err(|error| tracing::warn!("a cached artifact cannot be loaded: {error}")).ok()
}

/// Loads code that this user's compiler produced, either now or earlier under this cache's MAC.
pub(crate) fn load_compiled(engine: &Engine, code: &[u8]) -> Result<Component, Unloadable> {
    // SAFETY: `deserialize` requires unmodified output of wasmtime's compiler. These bytes come from
    // `Engine::precompile_component`, in this process or over a pipe from a child that runs this user's program and
    // does nothing else; or from the cache, where the MAC over exactly these bytes (already in memory, so they cannot
    // change any more) was made with a key that only this user can read. wasmtime itself refuses another engine
    // version.
    #[allow(unsafe_code, reason = "loading compiled code is unsafe by nature; the proof stands above")]
    let component = unsafe { Component::deserialize(engine, code) };
    component.map_err(|error| Unloadable(format!("{error:#}")))
}

fn load_key(path: &Path) -> Result<[u8; KEY_BYTES], CacheError> {
    match private_file(path, true) {
        Ok(mut file) => {
            let key = new_key()?;
            file.write_all(&key).and_then(|()| file.sync_all()).map_err(io_error(path))?;
            Ok(key)
        }
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            refuse_foreign(path)?;
            // Another process may have created the file without having written it yet.
            for _ in 0..50 {
                let bytes = fs::read(path).map_err(io_error(path))?;
                if let Ok(key) = bytes.try_into() {
                    return Ok(key);
                }
                std::thread::sleep(std::time::Duration::from_millis(2));
            }
            replace_key(path)
        }
        Err(error) => Err(io_error(path)(error)),
    }
}

fn new_key() -> Result<[u8; KEY_BYTES], CacheError> {
    let mut key = [0; KEY_BYTES];
    getrandom::fill(&mut key).map_err(|error| CacheError::Random(error.to_string()))?;
    Ok(key)
}

/// Replaces a damaged key. Artifacts under the old key are worthless and are deleted, so that this is reported once and
/// not for each file. Written to a temporary file and renamed, so that other processes never see half a key.
fn replace_key(path: &Path) -> Result<[u8; KEY_BYTES], CacheError> {
    tracing::warn!(
        path = %path.display(),
        "the key of the artifact cache is damaged; it was replaced, and components are compiled again"
    );
    let key = new_key()?;
    let beside = path.with_extension(format!("{}.new", std::process::id()));
    let write = || -> io::Result<()> {
        let mut file = private_file(&beside, false)?;
        file.write_all(&key).and_then(|()| file.sync_all())?;
        for entry in fs::read_dir(path.parent().unwrap_or(Path::new(".")))? {
            let artifact = entry?.path();
            if artifact.extension().is_some_and(|extension| extension == "artifact") {
                // Another process may have deleted it.
                let _ = fs::remove_file(artifact);
            }
        }
        fs::rename(&beside, path)
    };
    write().map_err(io_error(path))?;
    Ok(key)
}

/// Refuses files that another user owns or can change: their content proves nothing.
#[cfg(unix)]
fn refuse_foreign(path: &Path) -> Result<(), CacheError> {
    use std::os::unix::fs::MetadataExt as _;
    let found = fs::symlink_metadata(path).map_err(io_error(path))?;
    let mode = found.mode() & 0o777;
    let own = found.uid() == rustix::process::geteuid().as_raw() && !found.is_symlink();
    if own && mode & 0o077 == 0 { Ok(()) } else { Err(CacheError::Foreign { path: path.to_owned(), mode }) }
}

#[cfg(not(unix))]
fn refuse_foreign(_path: &Path) -> Result<(), CacheError> {
    Ok(())
}

fn private_file(path: &Path, fresh: bool) -> io::Result<fs::File> {
    let mut options = fs::OpenOptions::new();
    options.write(true);
    if fresh {
        options.create_new(true)
    } else {
        options.create(true).truncate(true)
    };
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

fn create_private_dir(dir: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(dir)
}

fn io_error(path: &Path) -> impl Fn(io::Error) -> CacheError {
    let path = path.to_owned();
    move |source| CacheError::Io { path: path.clone(), source }
}
