//! Files that hold what people wrote, or what opens something. Belongs here: that nobody else can read them.

use std::fs::OpenOptions;

/// How a file is opened that is for this user alone, should it be made. What is done with it is the caller's to set.
pub fn private_options() -> OpenOptions {
    let mut options = OpenOptions::new();
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}
