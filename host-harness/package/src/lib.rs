//! Owns: packages of channels: formats, signatures, the trust policy, registries, the folder of installed channels.
//! Does not own: building components (`build`), running them (`sandbox`, `engine`), what people are asked (`cli`).
//!
//! A package is what a publisher hands out and an operator installs: an OCI manifest with one layer, the component, and
//! referrers to it: signatures, the SBOM, the licence. It lies in a registry, in a folder (an OCI image layout), or is a
//! component's file with its signature beside it; all three are a [`source::Source`], and installing from them is the same
//! path.
//!
//! Nothing is parsed or compiled before its signature was verified: bytes → digest → signature → policy → component.

#[macro_use]
mod as_text;

pub mod copy;
pub mod digest;
pub mod durable;
pub mod file;
pub mod found;
pub mod installed;
pub mod layout;
pub mod names;
pub mod oci;
pub mod reference;
pub mod registry;
pub mod signature;
pub mod source;

pub use digest::Digest;
pub use names::{NameError, Publisher, Version};
pub use reference::Reference;
