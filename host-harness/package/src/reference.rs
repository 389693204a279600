//! Owns: how a package in a registry is written down: `HOST[:PORT]/NAMESPACE/NAME[:VERSION][@sha256:HEX]`.
//! Does not own: speaking to that host (`registry`).

use std::{fmt, str::FromStr};

use harness_contract::text::shown;
use serde::{Deserialize, Serialize};

use crate::{Digest, Version};

/// The longest reference, in bytes.
const MAX_REFERENCE: usize = 512;
/// The longest repository, in bytes: what registries take.
const MAX_REPOSITORY: usize = 255;
/// The longest tag, in bytes.
const MAX_TAG: usize = 128;

/// Why a text is no reference.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum ReferenceError {
    /// Longer than any.
    #[error("a reference has at most {MAX_REFERENCE} bytes, this one has {0}")]
    TooLong(usize),
    /// The host is left out, or it is none.
    #[error(
        "`{}` does not begin with a registry: expected HOST/NAMESPACE/NAME in lower case, such as \
         registry.example.com/acme/web-chat; no registry is assumed where none is named",
        shown(.0)
    )]
    Host(String),
    /// The part behind the host.
    #[error(
        "`{}` is no repository: expected NAMESPACE/NAME of letters a to z, digits, and single `.`, `_` or `-` between them",
        shown(.0)
    )]
    Repository(String),
    /// The part behind `:`.
    #[error("the tag of a package is its version: {0}")]
    Tag(#[source] crate::NameError),
    /// The part behind `@`.
    #[error(transparent)]
    Digest(#[from] crate::digest::DigestError),
}

/// A package in a registry, or all of its versions where neither a version nor a digest is named.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Reference {
    authority: String,
    repository: String,
    version: Option<Version>,
    digest: Option<Digest>,
}

impl Reference {
    /// The registry: `HOST`, or `HOST:PORT` where a port is named.
    pub fn authority(&self) -> &str {
        &self.authority
    }

    /// `NAMESPACE/NAME`.
    pub fn repository(&self) -> &str {
        &self.repository
    }

    /// The version, which is the tag.
    pub fn version(&self) -> Option<&Version> {
        self.version.as_ref()
    }

    /// The digest of the package's manifest.
    pub fn digest(&self) -> Option<Digest> {
        self.digest
    }

    /// The same repository, with no version and no digest.
    pub fn bare(&self) -> Self {
        Self { version: None, digest: None, ..self.clone() }
    }

    /// The same repository, with this version.
    pub fn with_version(&self, version: Version) -> Self {
        Self { version: Some(version), digest: None, ..self.clone() }
    }
}

impl FromStr for Reference {
    type Err = ReferenceError;

    fn from_str(text: &str) -> Result<Self, ReferenceError> {
        if text.len() > MAX_REFERENCE {
            return Err(ReferenceError::TooLong(text.len()));
        }
        let (rest, digest) = match text.split_once('@') {
            Some((rest, digest)) => (rest, Some(digest.parse()?)),
            None => (text, None),
        };
        let no_host = || ReferenceError::Host(rest.to_owned());
        let (authority, rest) = rest.split_once('/').ok_or_else(no_host)?;
        if !is_authority(authority) {
            return Err(no_host());
        }
        let (repository, version) = match rest.split_once(':') {
            Some((repository, version)) => (repository, Some(version.parse().map_err(ReferenceError::Tag)?)),
            None => (rest, None),
        };
        if !is_repository(repository) {
            return Err(ReferenceError::Repository(repository.to_owned()));
        }
        Ok(Self { authority: authority.to_owned(), repository: repository.to_owned(), version, digest })
    }
}

/// Whether a text is a host in its one canonical form, with a port or without: a name with a dot, `localhost`, an
/// address, or any name with a port. Other words would be a namespace whose registry was left out.
fn is_authority(text: &str) -> bool {
    let port_at = text.rfind(':').filter(|at| !text.get(at + 1..).is_some_and(|rest| rest.contains(']')));
    let (host, port) = match port_at.and_then(|at| text.split_at_checked(at)) {
        Some((host, port)) => (host, port.strip_prefix(':')),
        None => (text, None),
    };
    if let Some(port) = port {
        let number: Option<u16> = port.parse().ok().filter(|number| *number != 0);
        if number.is_none_or(|number| number.to_string() != port) {
            return false;
        }
    }
    let canonical = url::Host::parse(host).is_ok_and(|parsed| parsed.to_string() == host);
    let name = host.bytes().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || b".-[]:".contains(&c));
    canonical && name && !host.ends_with('.') && (port.is_some() || host == "localhost" || host.contains(['.', ':']))
}

/// Whether a text is a repository: at least two parts, each as the OCI distribution specification has them.
fn is_repository(text: &str) -> bool {
    text.len() <= MAX_REPOSITORY && text.contains('/') && text.split('/').all(is_part)
}

/// Letters and digits, with one of `.`, `_`, `__` or hyphens between them.
fn is_part(part: &str) -> bool {
    let alphanumeric = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    let joint = |text: &str| matches!(text, "" | "." | "_" | "__") || text.bytes().all(|c| c == b'-');
    part.starts_with(alphanumeric) && part.ends_with(alphanumeric) && part.split(alphanumeric).all(joint)
}

/// Whether a text can be a tag of a registry. What is none is never asked for, and not believed to be there.
pub(crate) fn is_tag(text: &str) -> bool {
    let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    text.len() <= MAX_TAG && text.starts_with(word) && text.chars().all(|c| word(c) || c == '.' || c == '-')
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.authority, self.repository)?;
        if let Some(version) = &self.version {
            write!(f, ":{version}")?;
        }
        if let Some(digest) = &self.digest {
            write!(f, "@{digest}")?;
        }
        Ok(())
    }
}

as_text!(Reference, ReferenceError);

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    #[test]
    fn a_reference_names_its_registry_and_is_written_as_it_was_read() {
        let digest = Digest::of(b"manifest");
        for text in [
            "registry.example.com/acme/web-chat".to_owned(),
            "registry.example.com:8443/acme/web-chat:1.2.3".to_owned(),
            format!("ghcr.io/acme/team/web_chat:1.0.0-rc.1@{digest}"),
            format!("localhost/acme/web--chat@{digest}"),
            "registry:5000/acme/web.chat".to_owned(),
            "127.0.0.1:5000/a/b:0.1.0".to_owned(),
            "[::1]:5000/a/b".to_owned(),
            "xn--e1aybc.example/a/b__c".to_owned(),
        ] {
            let reference: Reference = text.parse().unwrap();
            assert_eq!(reference.to_string(), text);
            assert_eq!(
                serde_json::from_str::<Reference>(&serde_json::to_string(&reference).unwrap()).unwrap(),
                reference
            );
        }
        let reference: Reference = "registry.example.com:8443/acme/web-chat:1.2.3".parse().unwrap();
        assert_eq!((reference.authority(), reference.repository()), ("registry.example.com:8443", "acme/web-chat"));
        assert_eq!(reference.version().unwrap().to_string(), "1.2.3");
        assert_eq!(reference.bare().to_string(), "registry.example.com:8443/acme/web-chat");
    }

    #[test]
    fn what_could_mean_two_places_is_no_reference() {
        for text in [
            "",
            "web-chat",
            "acme/web-chat:1.0.0",
            "acme/team/web-chat",
            "registry.example.com/web-chat",
            "Registry.example.com/acme/web-chat",
            "registry.example.com/Acme/web-chat",
            "registry.example.com./acme/web-chat",
            "registry.example.com/acme/../web-chat",
            "registry.example.com/../acme/web-chat",
            "registry.example.com/acme//web-chat",
            "registry.example.com/acme/web-chat/",
            "registry.example.com/acme/web..chat",
            "registry.example.com/acme/-chat",
            "registry.example.com/acme/we%2fb",
            "registry.example.com/acme/web-chat:latest",
            "registry.example.com/acme/web-chat:1.0.0+build",
            "registry.example.com/acme/web-chat:",
            "registry.example.com/acme/web-chat@sha256:12",
            "registry.example.com/acme/web-chat@",
            "https://registry.example.com/acme/web-chat",
            "user:password@registry.example.com/acme/web-chat",
            "registry.example.com:0/acme/web-chat",
            "registry.example.com:080/acme/web-chat",
            "registry.example.com:99999/acme/web-chat",
            "registry.example.com:/acme/web-chat",
            "0x7f.1/acme/web-chat",
            "127.1:5000/acme/web-chat",
            "тест.example/acme/web-chat",
            "registry.example.com/аcme/web-chat",
            "registry.example.com/acme/web-chat\u{202e}",
            "registry.example.com/acme/web-chat?x=1",
            " registry.example.com/acme/web-chat",
        ] {
            assert!(text.parse::<Reference>().is_err(), "{text:?}");
        }
        assert!(format!("registry.example.com/acme/{}", "a".repeat(600)).parse::<Reference>().is_err());
    }

    #[test]
    fn a_refusal_says_what_is_expected_and_does_nothing_to_a_terminal() {
        let said = |text: &str| text.parse::<Reference>().unwrap_err().to_string();
        assert!(said("acme/web-chat").contains("registry.example.com/acme/web-chat"));
        assert!(said("r.example.com/a/b:latest").contains("version"));
        assert!(!said("r.example.com/a/\u{1b}[2J").contains('\u{1b}'));
    }

    #[test]
    fn tags_are_words() {
        assert!(is_tag("1.0.0-rc.1") && is_tag("sha256-00") && is_tag("_x"));
        assert!(["", ".x", "-x", "a/b", "a b", "a:b", "ä", &"x".repeat(129)].iter().all(|text| !is_tag(text)));
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_one_reference_in_one_spelling_or_none(text in r"\PC{0,60}|[a-z0-9./:@\[\]_-]{0,60}|[a-z]{1,3}\.[a-z]{1,3}(:[0-9]{1,6})?(/[a-z0-9._-]{1,4}){1,3}(:[0-9.]{1,6})?") {
            match text.parse::<Reference>() {
                Ok(reference) => {
                    proptest::prop_assert_eq!(reference.to_string(), text);
                    let url = url::Url::parse(&format!("https://{}/v2/{}", reference.authority(), reference.repository()));
                    let url = url.unwrap();
                    proptest::prop_assert_eq!(url.path(), format!("/v2/{}", reference.repository()));
                }
                Err(error) => proptest::prop_assert!(!error.to_string().chars().any(harness_contract::text::misleads)),
            }
        }
    }
}
