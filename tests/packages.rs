//! Packages with real registries and other people's programs, a file for each kind. `.ci/setup` installs the programs.

#[path = "packages/signatures.rs"]
mod signatures;
