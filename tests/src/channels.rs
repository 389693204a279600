//! The channels of this workspace as components. Belongs here: building each once. Not here: what they are tested for.

use std::{path::PathBuf, sync::OnceLock};

use crate::root;

fn built(folder: &'static str) -> (PathBuf, Vec<u8>) {
    let built = harness_build::build(&root().join(folder), false).expect("the channel builds");
    (built.path, built.bytes)
}

/// The Instagram component, built from this workspace.
pub fn instagram() -> &'static (PathBuf, Vec<u8>) {
    static BUILT: OnceLock<(PathBuf, Vec<u8>)> = OnceLock::new();
    BUILT.get_or_init(|| built("plugin"))
}

/// The web-chat component.
pub fn web_chat() -> &'static (PathBuf, Vec<u8>) {
    static BUILT: OnceLock<(PathBuf, Vec<u8>)> = OnceLock::new();
    BUILT.get_or_init(|| built("tests/channels/web-chat"))
}

/// The LINE component.
pub fn line() -> &'static (PathBuf, Vec<u8>) {
    static BUILT: OnceLock<(PathBuf, Vec<u8>)> = OnceLock::new();
    BUILT.get_or_init(|| built("tests/channels/line"))
}

/// The Slack component.
pub fn slack() -> &'static (PathBuf, Vec<u8>) {
    static BUILT: OnceLock<(PathBuf, Vec<u8>)> = OnceLock::new();
    BUILT.get_or_init(|| built("tests/channels/slack"))
}

/// The component that attacks its host.
pub fn hostile() -> &'static (PathBuf, Vec<u8>) {
    static BUILT: OnceLock<(PathBuf, Vec<u8>)> = OnceLock::new();
    BUILT.get_or_init(|| built("tests/channels/hostile"))
}

/// The component that does what a script tells it.
pub fn scripted() -> &'static (PathBuf, Vec<u8>) {
    static BUILT: OnceLock<(PathBuf, Vec<u8>)> = OnceLock::new();
    BUILT.get_or_init(|| built("tests/channels/scripted"))
}
