//! What every channel needs: the contract's types and traits, and platform-independent helpers.
//! Owns what is the same for all platforms; not the meaning of a platform's values, limits and codes.
//!
//! A channel implements [`messaging_channel::Guest`] and the traits of its optional interfaces, and then calls
//! [`channel!`]`(MyChannel: messaging_channel)`.
//!
//! | module | purpose |
//! |---|---|
//! | [`json`] | parsing JSON that is not quite valid, and writing it |
//! | [`lenient`] | members of unexpected types: left out and noted |
//! | [`blank`] | empty values of the contract |
//! | [`collect`] | the events of a delivery, with unique ids |
//! | [`limit`] | maximum lengths and counts |
//! | [`report`] | all problems of a message at once |
//! | [`address`] | whether a URL points to the public internet |
//! | [`cut`] | texts that are too long for one message |
//! | [`failures`] | the table of a platform's error codes |

extern crate self as channel_sdk;

pub mod address;
pub mod blank;
pub mod collect;
pub mod cut;
pub mod failures;
pub mod id;
pub mod json;
pub mod lenient;
pub mod limit;
#[cfg(any(target_family = "wasm", test))]
mod memory;
pub mod report;
pub mod text;
pub mod types;

/// The contract's bindings: the shared types and the host's functions, and one module for each interface that a channel
/// may export, so that a component's type lists exactly what it implements.
#[allow(
    clippy::all,
    clippy::indexing_slicing,
    clippy::panic,
    missing_docs,
    unreachable_pub,
    unused_imports,
    unsafe_code,
    reason = "generated from the contract, whose own comments become the documentation"
)]
#[doc(hidden)]
pub mod bindings {
    wit_bindgen::generate!({
        inline: "package channel-sdk:worlds;
            world base {
                import inbox:channel/types@0.2.0;
                import inbox:channel/events@0.2.0;
                import inbox:channel/messages@0.2.0;
                import inbox:channel/requests@0.2.0;
                import inbox:channel/capabilities@0.2.0;
                import inbox:channel/http@0.2.0;
                import inbox:channel/storage@0.2.0;
            }",
        path: "../../wit",
        generate_all,
        additional_derives: [PartialEq],
    });

    /// Bindings of one exported interface, using the shared types.
    macro_rules! exported {
        ($($module:ident: $export:tt as $world:tt with $with:tt)+) => {$(
            pub mod $module {
                wit_bindgen::generate!({
                    inline: $export,
                    world: $world,
                    path: "../../wit",
                    with: $with,
                    additional_derives: [PartialEq],
                    pub_export_macro: true,
                    export_macro_name: "export",
                    default_bindings_module: "channel_sdk::bindings",
                });
            }
        )+};
    }

    exported! {
        messaging_channel: "package channel-sdk:worlds; world messaging-channel-only { export inbox:channel/messaging-channel@0.2.0; }" as "messaging-channel-only" with {
            "inbox:channel/types@0.2.0": channel_sdk::bindings::inbox::channel::types,
            "inbox:channel/events@0.2.0": channel_sdk::bindings::inbox::channel::events,
            "inbox:channel/messages@0.2.0": channel_sdk::bindings::inbox::channel::messages,
            "inbox:channel/requests@0.2.0": channel_sdk::bindings::inbox::channel::requests,
            "inbox:channel/capabilities@0.2.0": channel_sdk::bindings::inbox::channel::capabilities,
        }
        account: "package channel-sdk:worlds; world account-only { export inbox:channel/account@0.2.0; }" as "account-only" with {
            "inbox:channel/types@0.2.0": channel_sdk::bindings::inbox::channel::types,
        }
        profiles: "package channel-sdk:worlds; world profiles-only { export inbox:channel/profiles@0.2.0; }" as "profiles-only" with {
            "inbox:channel/types@0.2.0": channel_sdk::bindings::inbox::channel::types,
        }
        history: "package channel-sdk:worlds; world history-only { export inbox:channel/history@0.2.0; }" as "history-only" with {
            "inbox:channel/types@0.2.0": channel_sdk::bindings::inbox::channel::types,
        }
        files: "package channel-sdk:worlds; world files-only { export inbox:channel/files@0.2.0; }" as "files-only" with {
            "inbox:channel/types@0.2.0": channel_sdk::bindings::inbox::channel::types,
            "inbox:channel/events@0.2.0": channel_sdk::bindings::inbox::channel::events,
            "inbox:channel/messages@0.2.0": channel_sdk::bindings::inbox::channel::messages,
            "inbox:channel/requests@0.2.0": channel_sdk::bindings::inbox::channel::requests,
        }
        entry_points: "package channel-sdk:worlds; world entry-points-only { export inbox:channel/entry-points@0.2.0; }" as "entry-points-only" with {
            "inbox:channel/types@0.2.0": channel_sdk::bindings::inbox::channel::types,
        }
        templates: "package channel-sdk:worlds; world templates-only { export inbox:channel/templates@0.2.0; }" as "templates-only" with {
            "inbox:channel/types@0.2.0": channel_sdk::bindings::inbox::channel::types,
            "inbox:channel/events@0.2.0": channel_sdk::bindings::inbox::channel::events,
            "inbox:channel/messages@0.2.0": channel_sdk::bindings::inbox::channel::messages,
        }
        webhook_answer: "package channel-sdk:worlds; world webhook-answer-only { export inbox:channel/webhook-answer@0.2.0; }" as "webhook-answer-only" with {
            "inbox:channel/types@0.2.0": channel_sdk::bindings::inbox::channel::types,
            "inbox:channel/events@0.2.0": channel_sdk::bindings::inbox::channel::events,
            "inbox:channel/messages@0.2.0": channel_sdk::bindings::inbox::channel::messages,
            "inbox:channel/requests@0.2.0": channel_sdk::bindings::inbox::channel::requests,
        }
    }
}

#[cfg(target_family = "wasm")]
#[doc(hidden)]
pub use memory::Allocator;

pub use channel_names as names;

pub use bindings::account::exports::inbox::channel::account;
pub use bindings::entry_points::exports::inbox::channel::entry_points;
pub use bindings::files::exports::inbox::channel::files;
pub use bindings::history::exports::inbox::channel::history;
pub use bindings::inbox::channel::{http, storage};
pub use bindings::messaging_channel::exports::inbox::channel::messaging_channel;
pub use bindings::profiles::exports::inbox::channel::profiles;
pub use bindings::templates::exports::inbox::channel::templates;
pub use bindings::webhook_answer::exports::inbox::channel::webhook_answer;

/// Exports a channel from its component: `channel!(MyChannel: messaging_channel, account)`. The type must implement the
/// trait `Guest` of every interface named. Other interfaces are not exported.
///
/// `channel!(MyChannel: …; fresh)` is for hosts that create an instance for each call, as this one does: memory is not
/// freed within an instance, which makes a component smaller and faster. In a host that reuses instances, the channel
/// works the same until an instance's memory is used up.
///
/// A native library cannot have the export names of the component model; there the macro only checks that the traits
/// are implemented.
#[macro_export]
macro_rules! channel {
    ($channel:ident: $($interface:ident),+ $(,)?) => {
        $crate::channel!($channel, gives_back = true, $($interface),+);
    };
    ($channel:ident: $($interface:ident),+; fresh) => {
        $crate::channel!($channel, gives_back = false, $($interface),+);

        /// Tells the component's build that code for freeing memory may be left out.
        #[cfg(target_family = "wasm")]
        #[allow(unsafe_code, reason = "the section is the SDK's own, and nothing loads it")]
        const _: () = {
            #[used]
            #[unsafe(link_section = "channel-sdk:fresh")]
            static FRESH: [u8; 1] = [1];
        };
    };
    ($channel:ident, gives_back = $gives_back:literal, $($interface:ident),+) => {
        #[cfg(target_family = "wasm")]
        #[allow(unsafe_code, reason = "generated: the canonical ABI passes raw addresses")]
        mod exports {
            use super::$channel;
            $($crate::bindings::$interface::export!($channel with_types_in $crate::bindings::$interface);)+

            #[global_allocator]
            static MEMORY: $crate::Allocator<$gives_back> = $crate::Allocator::new();
        }

        #[cfg(not(target_family = "wasm"))]
        const _: () = {
            fn implements<T: $($crate::$interface::Guest +)+>() {}
            let _: fn() = implements::<$channel>;
        };
    };
}
