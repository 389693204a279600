//! What every channel needs: the contract's types and traits, and the work that is the same on every platform.
//! Owns what knows no platform; not what a platform's words, limits and codes mean, which is the channel's.
//!
//! A channel implements [`messaging_channel::Guest`] and [`account::Guest`] and says [`channel!`]`(MyChannel)`.
//!
//! | module | for |
//! |---|---|
//! | [`json`] | reading JSON that is not quite right, and writing it |
//! | [`lenient`] | members of unexpected types: left out, and noted |
//! | [`collect`] | events of one delivery, each with an id of its own |
//! | [`limit`] | how long and how many |
//! | [`report`] | what stands in the way of a message, all at once |
//! | [`address`] | whether an address leads to the public net |
//! | [`cut`] | texts that are too long for one message |
//! | [`failures`] | the platform's error codes, as a table |

pub mod address;
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

#[allow(
    clippy::all,
    clippy::indexing_slicing,
    clippy::panic,
    missing_docs,
    unreachable_pub,
    unsafe_code,
    reason = "generated from the contract, whose own comments become the documentation"
)]
#[doc(hidden)]
pub mod bindings {
    wit_bindgen::generate!({
        path: "../../wit",
        world: "channel",
        additional_derives: [PartialEq],
        pub_export_macro: true,
        default_bindings_module: "channel_sdk::bindings",
    });
}

#[cfg(target_family = "wasm")]
#[doc(hidden)]
pub use memory::Allocator;

pub use bindings::exports::inbox::channel::{account, messaging_channel};
pub use bindings::inbox::channel::{http, storage, types};

/// Exports a channel from its component: `channel!(MyChannel)`, where the type implements both traits.
///
/// `channel!(MyChannel, fresh)` is for hosts that make an instance for each call, as this one does: no memory is given
/// back within an instance, which makes a component smaller and faster. In a host that keeps its instances the channel
/// answers the same, until the memory of an instance is used up.
///
/// A native library cannot carry the export names of the component model; there it is only checked that the traits
/// are implemented.
#[macro_export]
macro_rules! channel {
    ($channel:ident) => {
        $crate::channel!($channel, gives_back = true);
    };
    ($channel:ident, fresh) => {
        $crate::channel!($channel, gives_back = false);
    };
    ($channel:ident, gives_back = $gives_back:literal) => {
        #[cfg(target_family = "wasm")]
        #[allow(unsafe_code, reason = "generated: the canonical ABI passes raw addresses")]
        mod exports {
            use super::$channel;
            $crate::bindings::export!($channel with_types_in $crate::bindings);

            #[global_allocator]
            static MEMORY: $crate::Allocator<$gives_back> = $crate::Allocator::new();
        }

        #[cfg(not(target_family = "wasm"))]
        const _: fn() = $crate::is_channel::<$channel>;
    };
}

#[doc(hidden)]
pub fn is_channel<T: messaging_channel::Guest + account::Guest>() {}
