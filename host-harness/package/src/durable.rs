//! Owns: replacing a file so that it is whole or as before, for this user alone.
//! Does not own: what stands in it.

use std::{
    fs::{self, File},
    io::{self, Write as _},
    path::Path,
};

/// Replaces a file in one step, with its folder where there is none. It is on the disk when this returns, and only this
/// user may read it.
///
/// # Errors
///
/// What the file system says; the file is as before then.
pub fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder)?;
    let mut beside = tempfile::NamedTempFile::new_in(folder)?;
    beside.write_all(bytes)?;
    beside.as_file().sync_all()?;
    beside.persist(path)?;
    // The name is on the disk once its folder is.
    File::open(folder)?.sync_all()
}
