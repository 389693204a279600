//! Owns: what a component says about itself to tools that know nothing of channels: name, version, description, licence,
//! authors.
//! Does not own: the manifest, which is what hosts read; reading these texts back (`harness-sandbox`, `metadata`).
//!
//! They are part of the bytes that are signed, so they hold nothing that the source tree does not: no commit, no time.

use harness_contract::manifest::Manifest;
use spdx::Expression;
use wasm_metadata::{AddMetadata, AddMetadataField, Authors, Description, Licenses, Version};

use crate::{BuildError, workspace::Package};

/// The texts: the manifest's, and where it has none those of Cargo.toml.
pub(crate) struct About<'a> {
    name: &'a str,
    version: &'a str,
    description: &'a str,
    licence: &'a str,
    authors: &'a [String],
}

impl<'a> About<'a> {
    /// Of a component that another tool built.
    pub(crate) fn manifest(manifest: &'a Manifest) -> Self {
        let channel = &manifest.channel;
        Self {
            name: &channel.id,
            version: &channel.version,
            description: &channel.description,
            licence: &channel.license,
            authors: &[],
        }
    }

    /// Of a channel with a Cargo.toml.
    pub(crate) fn package(manifest: &'a Manifest, package: &'a Package) -> Self {
        let or = |own: &'a str, other: &'a Option<String>| {
            if own.is_empty() { other.as_deref().unwrap_or_default() } else { own }
        };
        let own = Self::manifest(manifest);
        Self {
            description: or(own.description, &package.description),
            licence: or(own.licence, &package.license),
            authors: &package.authors,
            ..own
        }
    }

    /// Writes them into a component that has none: a component of this crate has no custom section but the manifest.
    /// Where one was there already, it would be there twice, and readers differ in which they take.
    pub(crate) fn write(&self, component: &[u8]) -> Result<Vec<u8>, BuildError> {
        let mut add = AddMetadata::default();
        add.name = AddMetadataField::Set(self.name.to_owned());
        add.version = AddMetadataField::Set(Version::new(self.version.to_owned()));
        if !self.description.is_empty() {
            add.description = AddMetadataField::Set(Description::new(self.description.to_owned()));
        }
        if !self.licence.is_empty() {
            add.licenses = AddMetadataField::Set(licence(self.licence)?);
        }
        if !self.authors.is_empty() {
            add.authors = AddMetadataField::Set(Authors::new(self.authors.join(", ")));
        }
        add.to_wasm(component).map_err(|error| BuildError::Encode(format!("{error:#}")))
    }
}

/// A licence in its canonical spelling: Cargo.toml may have older ones, such as `MIT/Apache-2.0`.
fn licence(text: &str) -> Result<Licenses, BuildError> {
    let refused = || BuildError::Licence { licence: text.to_owned() };
    let canonical = Expression::canonicalize(text).map_err(|_| refused())?;
    Licenses::new(canonical.as_deref().unwrap_or(text)).map_err(|_| refused())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    /// A component without anything in it.
    const EMPTY: &[u8] = b"\0asm\x0d\0\x01\0";

    #[test]
    fn tools_that_know_nothing_of_channels_read_what_a_component_says_about_itself() {
        let authors = ["Kim".to_owned(), "Jo <jo@example.com>".to_owned()];
        let about = About {
            name: "chat",
            version: "1.2.3",
            description: "A chat",
            licence: "MIT/Apache-2.0",
            authors: &authors,
        };
        let bytes = about.write(EMPTY).unwrap();
        assert_eq!(bytes, about.write(EMPTY).unwrap(), "the same texts give the same bytes");
        let payload = wasm_metadata::Payload::from_binary(&bytes).unwrap();
        let read = payload.metadata();
        assert_eq!(read.name.as_deref(), Some("chat"));
        let texts = [
            read.version.as_ref().map(ToString::to_string),
            read.description.as_ref().map(ToString::to_string),
            read.licenses.as_ref().map(ToString::to_string),
            read.authors.as_ref().map(ToString::to_string),
        ];
        let expected = ["1.2.3", "A chat", "MIT OR Apache-2.0", "Kim, Jo <jo@example.com>"];
        assert_eq!(texts, expected.map(|text| Some(text.to_owned())));
        assert!(read.revision.is_none() && read.producers.is_none());
    }

    #[test]
    fn a_licence_that_no_tool_understands_is_refused_with_what_is_expected() {
        let about = About { name: "chat", version: "1.0.0", description: "", licence: "my own", authors: &[] };
        let said = about.write(EMPTY).unwrap_err().to_string();
        assert!(said.contains("my own") && said.contains("SPDX"), "{said}");
    }
}
