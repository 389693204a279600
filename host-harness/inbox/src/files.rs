//! Owns: files with message content or secrets: creating them private, and detecting other users' access to them.
//! Does not own: their content.

use std::{
    ffi::OsString,
    fs::OpenOptions,
    io,
    path::{Path, PathBuf},
};

/// Options that create a file readable by this user alone. The caller sets the access mode.
pub fn private_options() -> OpenOptions {
    let mut options = OpenOptions::new();
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

/// The permission bits of a file or folder that other users can read. `None` if they cannot, whether because of its own
/// permissions or because a folder above it shuts them out. The group of a file that belongs to root may read it: an
/// operator meant that. Fails if the path does not exist or cannot be inspected.
#[cfg(unix)]
pub fn open_to_others(path: &Path) -> io::Result<Option<u32>> {
    use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
    // Symbolic links are resolved: their target is what gets read.
    let path = path.canonicalize()?;
    let about = path.metadata()?;
    let mode = about.permissions().mode() & 0o777;
    let allowed = if about.uid() == 0 { 0o037 } else { 0o077 };
    let mut open = mode & allowed;
    for folder in path.ancestors().skip(1) {
        let way = folder.metadata()?.permissions().mode();
        if way & 0o001 == 0 {
            // Users who are neither the owner nor in the group cannot pass this folder.
            open &= !0o007;
        }
        if way & 0o011 == 0 {
            open &= !0o070;
        }
    }
    Ok((open != 0).then_some(mode))
}

/// Without Unix permissions, access by others cannot be detected.
#[cfg(not(unix))]
pub fn open_to_others(_: &Path) -> io::Result<Option<u32>> {
    Ok(None)
}

/// The path with `end` appended to its file name, such as the lock file `.lock` beside an inbox.
pub fn beside(path: &Path, end: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(end);
    name.into()
}

#[cfg(all(test, unix))]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use std::{fs, os::unix::fs::PermissionsExt as _};

    use super::*;

    #[test]
    fn who_can_read_a_file_is_told_by_it_and_by_the_folders_above() {
        let folder = tempfile::tempdir().unwrap();
        let set = |path: &Path, mode: u32| fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
        let inner = folder.path().join("inner");
        fs::create_dir(&inner).unwrap();
        let file = inner.join("file");
        fs::write(&file, "x").unwrap();
        for (outer, middle, mode, open) in [
            (0o755, 0o755, 0o644, true),
            (0o755, 0o755, 0o604, true),
            (0o755, 0o711, 0o644, true),
            (0o755, 0o755, 0o600, false),
            (0o755, 0o700, 0o644, false),
            (0o700, 0o755, 0o666, false),
            (0o755, 0o750, 0o604, false),
        ] {
            set(&file, mode);
            set(&inner, middle);
            set(folder.path(), outer);
            let found = open_to_others(&file).unwrap();
            assert_eq!(found.is_some(), open, "{outer:o} {middle:o} {mode:o}");
        }
        assert!(open_to_others(&inner.join("nothing")).is_err());
    }
}
