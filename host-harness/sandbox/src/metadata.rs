//! Owns: reading what a component says about itself to tools that know nothing of channels, each text once.
//! Does not own: the manifest, which alone decides what a channel is (`inspect`); writing them (`harness-build`).
//!
//! Nothing is decided by these texts. They are read here, where the component is parsed anyway, so that the operator's
//! command needs nothing that encodes components.

use std::str;

use serde::Serialize;
use wasmparser::{ComponentName, CustomSectionReader, KnownCustom};

/// The longest text, in bytes.
const MAX_BYTES: usize = 4096;
/// The section that holds the name.
const NAME: &str = "component-name";

/// The texts of a component's outermost custom sections. Other people's words: escape them before they are shown.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize)]
pub struct Metadata {
    /// The name.
    pub name: Option<String>,
    /// The version.
    pub version: Option<String>,
    /// One sentence.
    pub description: Option<String>,
    /// An SPDX expression.
    pub licenses: Option<String>,
    /// Who wrote it.
    pub authors: Option<String>,
    /// Where the source lies.
    pub source: Option<String>,
    /// A page about it.
    pub homepage: Option<String>,
    /// A commit.
    pub revision: Option<String>,
}

/// Why the texts are refused.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum MetadataError {
    /// A section twice: readers differ in which they take.
    #[error(
        "the component has two sections `{section}`, of which only one could count; rebuild it with `cargo harness build`, which writes one"
    )]
    Twice {
        /// The section.
        section: &'static str,
    },
    /// No text, or a long one.
    #[error(
        "the component's section `{section}` holds no UTF-8 text of at most {MAX_BYTES} bytes; rebuild it with `cargo harness build`"
    )]
    NoText {
        /// The section.
        section: &'static str,
    },
}

impl Metadata {
    /// Takes a custom section of the outermost component, if it is one of these.
    ///
    /// # Errors
    ///
    /// [`MetadataError`] for a second one of the same name, and for what is no short text.
    pub(crate) fn take(&mut self, section: &CustomSectionReader<'_>) -> Result<(), MetadataError> {
        let (name, place) = match section.name() {
            NAME => (NAME, &mut self.name),
            "version" => ("version", &mut self.version),
            "description" => ("description", &mut self.description),
            "licenses" => ("licenses", &mut self.licenses),
            "authors" => ("authors", &mut self.authors),
            "source" => ("source", &mut self.source),
            "homepage" => ("homepage", &mut self.homepage),
            "revision" => ("revision", &mut self.revision),
            _ => return Ok(()),
        };
        let refused = MetadataError::NoText { section: name };
        if section.data().len() > MAX_BYTES {
            return Err(refused);
        }
        let text = if name == NAME { component_name(section) } else { str::from_utf8(section.data()).ok() };
        let text = text.ok_or(refused)?;
        match place.replace(text.to_owned()) {
            Some(_) => Err(MetadataError::Twice { section: name }),
            None => Ok(()),
        }
    }
}

/// The name in a section of names; an empty text where it names other things only.
fn component_name<'a>(section: &CustomSectionReader<'a>) -> Option<&'a str> {
    let KnownCustom::ComponentName(names) = section.as_known() else { return None };
    let mut found = "";
    for name in names {
        if let ComponentName::Component { name, .. } = name.ok()? {
            found = name;
        }
    }
    Some(found)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use wasmparser::{Parser, Payload};

    use super::*;

    /// A component of custom sections alone.
    fn read(sections: &[(&str, &[u8])]) -> Result<Metadata, MetadataError> {
        let mut bytes = b"\0asm\x0d\0\x01\0".to_vec();
        let number = |mut value: usize| {
            let mut bytes = Vec::new();
            while value >= 0x80 {
                bytes.push(u8::try_from(value & 0x7f).unwrap() | 0x80);
                value >>= 7;
            }
            bytes.push(u8::try_from(value).unwrap());
            bytes
        };
        for (name, data) in sections {
            let content = [&number(name.len())[..], name.as_bytes(), data].concat();
            bytes.push(0);
            bytes.extend([number(content.len()), content].concat());
        }
        let mut metadata = Metadata::default();
        for payload in Parser::new(0).parse_all(&bytes) {
            if let Payload::CustomSection(section) = payload.unwrap() {
                metadata.take(&section)?;
            }
        }
        Ok(metadata)
    }

    #[test]
    fn each_text_is_read_and_what_is_none_of_them_is_passed_over() {
        let metadata =
            read(&[(NAME, b"\x00\x04\x03abc"), ("version", b"1.2.3"), ("licenses", b"MIT"), ("other", b"\xff")])
                .unwrap();
        let text = |text: &str| Some(text.to_owned());
        let expected =
            Metadata { name: text("abc"), version: text("1.2.3"), licenses: text("MIT"), ..Metadata::default() };
        assert_eq!(metadata, expected);
    }

    #[test]
    fn a_text_that_stands_twice_or_is_none_is_refused() {
        assert_eq!(read(&[("version", b"1"), ("version", b"2")]), Err(MetadataError::Twice { section: "version" }));
        assert_eq!(read(&[("authors", b"\xff")]), Err(MetadataError::NoText { section: "authors" }));
        let long = [b'x'; MAX_BYTES + 1];
        assert_eq!(read(&[("description", &long)]), Err(MetadataError::NoText { section: "description" }));
        assert!(read(&[("description", long.get(1..).unwrap())]).is_ok());
        assert_eq!(read(&[(NAME, b"\x00\x7f\x03abc")]), Err(MetadataError::NoText { section: NAME }));
    }
}
