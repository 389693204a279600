//! The channels of this workspace as components. Belongs here: building each once. Not here: what they are tested for.

use std::{path::PathBuf, sync::OnceLock};

use crate::root;

fn built(folder: &'static str) -> (PathBuf, Vec<u8>) {
    let built = harness_build::build(&root().join(folder), false).expect("the channel builds");
    (built.path, built.bytes)
}

/// A function for each: where its component lies, and the component.
macro_rules! channels {
    ($($(#[$what:meta])+ $name:ident: $folder:literal,)+) => {$(
        $(#[$what])+
        pub fn $name() -> &'static (PathBuf, Vec<u8>) {
            static BUILT: OnceLock<(PathBuf, Vec<u8>)> = OnceLock::new();
            BUILT.get_or_init(|| built($folder))
        }
    )+};
}

channels! {
    /// The Instagram component, built from this workspace.
    instagram: "plugin",
    /// The web-chat component.
    web_chat: "tests/channels/web-chat",
    /// The LINE component.
    line: "tests/channels/line",
    /// The Slack component.
    slack: "tests/channels/slack",
    /// The component that attacks its host.
    hostile: "tests/channels/hostile",
    /// The component that does what a script tells it.
    scripted: "tests/channels/scripted",
}
