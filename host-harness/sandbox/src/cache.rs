//! Owns: compiled components on disk. One is native code that runs outside the sandbox, so every file carries a MAC under a
//! key of this cache's own; what does not verify is compiled again.
//! Does not own: compiling.

use std::{
    fs,
    hash::{DefaultHasher, Hash as _, Hasher as _},
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use wasmtime::{Engine, component::Component};

/// Whether a component was compiled for this process.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Origin {
    /// The compiler ran.
    Compiled,
    /// It was taken from the cache.
    Cached,
}

/// Why the cache cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum CacheError {
    /// A file or folder cannot be read or written.
    #[error("the artifact cache cannot use {path}: {source}")]
    Io {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The folder or the key can be read or changed by others, so the files prove nothing.
    #[error(
        "the artifact cache's {path} belongs to another user or is open to others (mode {mode:o}); delete the folder and start again"
    )]
    Foreign {
        /// The folder or the key.
        path: PathBuf,
        /// Its permissions.
        mode: u32,
    },
    /// The machine gives no random numbers.
    #[error("the artifact cache cannot make a key: the system's random source answered {0}")]
    Random(String),
}

const KEY_BYTES: usize = 32;
const TAG_BYTES: usize = 32;

/// A folder of compiled components, each under the component's digest and the engine's hash.
pub struct ArtifactCache {
    dir: PathBuf,
    key: [u8; KEY_BYTES],
    engine_hash: u64,
}

impl ArtifactCache {
    /// Opens the folder, or makes it with a fresh key. Both are for this user alone.
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
        // A full disk makes the next start slower, not this one impossible.
        if let Err(error) = self.store(&path, digest, &code) {
            tracing::warn!(%error, "the compiled component is not cached");
        }
        Ok((component, Origin::Compiled))
    }

    /// The code of a file whose MAC is right.
    fn verified<'a>(&self, digest: &str, file: &'a [u8]) -> Option<&'a [u8]> {
        let (code, tag) = file.split_at_checked(file.len().checked_sub(TAG_BYTES)?)?;
        let tag: [u8; TAG_BYTES] = tag.try_into().ok()?;
        // blake3 compares hashes in constant time.
        (self.mac(digest, code) == tag).then_some(code)
    }

    /// Binds the code to the component and the engine for which it was made. Keyed BLAKE3, since half a
    /// megabyte is hashed before a cached component can start.
    fn mac(&self, digest: &str, code: &[u8]) -> blake3::Hash {
        let mut mac = blake3::Hasher::new_keyed(&self.key);
        mac.update(digest.as_bytes());
        mac.update(&self.engine_hash.to_be_bytes());
        mac.update(code);
        mac.finalize()
    }

    /// Writes beside and renames, so that another process never sees half a file.
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

/// Gives verified code to the engine.
fn deserialize(engine: &Engine, code: &[u8]) -> Option<Component> {
    load_compiled(engine, code).inspect_err(|error| tracing::warn!("a cached artifact cannot be loaded: {error}")).ok()
}

/// Gives code to the engine that this user's compiler made: just now, or before, under this cache's MAC.
pub(crate) fn load_compiled(engine: &Engine, code: &[u8]) -> Result<Component, Unloadable> {
    // SAFETY: `deserialize` requires bytes that wasmtime's compiler made and nobody changed. They come from
    // `Engine::precompile_component`, of this process or over a pipe from a child that runs this user's program and
    // calls nothing else; or from the cache, where the MAC over exactly these bytes (already in memory, so they
    // cannot change any more) was made with a key that only this user can read. Another engine version is refused
    // by wasmtime itself.
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
            // Another process may have made the file and not yet written it.
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

/// Puts a fresh key in the place of one that is damaged. What it had signed is worth nothing any more and goes with it,
/// so that this is told once, and not again for each file. Written beside and renamed: another process never sees half.
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
                // Another process may have been faster.
                let _ = fs::remove_file(artifact);
            }
        }
        fs::rename(&beside, path)
    };
    write().map_err(io_error(path))?;
    Ok(key)
}

/// What another user made, or can change, proves nothing about what lies in it.
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
