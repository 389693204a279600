//! Owns: the names of publishers, channels and versions, and which of them could be taken for another.
//! Does not own: who may use which name (the trust policy).

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// The longest name of a publisher or a channel, in bytes.
const MAX_NAME: usize = 40;
/// The longest version, in bytes.
const MAX_VERSION: usize = 64;

/// Why a name is none.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum NameError {
    /// Not a publisher's name.
    #[error(
        "`{}` is no name of a publisher: expected 1 to {MAX_NAME} letters a to z, digits and single hyphens, beginning with a letter",
        harness_contract::text::shown(.0)
    )]
    Publisher(String),
    /// Not a channel's id.
    #[error(
        "`{}` is no id of a channel: expected 1 to {MAX_NAME} letters a to z, digits and single hyphens, beginning with a letter",
        harness_contract::text::shown(.0)
    )]
    Channel(String),
    /// Not a version.
    #[error("`{}` is no version: expected three numbers such as 1.2.3, and no build metadata behind `+`", harness_contract::text::shown(.0))]
    Version(String),
}

/// Whether a text is a name: ASCII only, so that no two look alike by their script, and safe as a folder's name.
fn is_name(text: &str) -> bool {
    let letters = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    text.len() <= MAX_NAME
        && text.chars().all(letters)
        && text.starts_with(|c: char| c.is_ascii_lowercase())
        && !text.ends_with('-')
        && !text.contains("--")
}

/// What may be shown of a text that was refused.
fn head(text: &str) -> String {
    text.chars().take(80).collect()
}

/// Checks a channel's id as packages name it.
///
/// # Errors
///
/// [`NameError::Channel`].
pub fn check_channel(id: &str) -> Result<(), NameError> {
    if is_name(id) { Ok(()) } else { Err(NameError::Channel(head(id))) }
}

/// Who hands out a package, by the name that an operator's trust policy gives keys to.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Publisher(String);

impl Publisher {
    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether a person could take one for the other: equal once letters and digits that look alike are one.
    pub fn looks_like(&self, other: &Self) -> bool {
        self != other && skeleton(&self.0) == skeleton(&other.0)
    }
}

/// A name with what looks alike made alike: hyphens left out, `rn` and `vv` joined, digits as the letters they resemble.
fn skeleton(name: &str) -> String {
    let letter = |c: char| match c {
        '0' => 'o',
        '1' | 'i' | 'j' => 'l',
        '2' => 'z',
        '5' => 's',
        '8' => 'b',
        '9' | 'q' => 'g',
        c => c,
    };
    name.replace('-', "").replace("rn", "m").replace("vv", "w").replace("cl", "d").chars().map(letter).collect()
}

impl FromStr for Publisher {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        if is_name(text) { Ok(Self(text.to_owned())) } else { Err(NameError::Publisher(head(text))) }
    }
}

as_text!(Publisher, NameError);

impl fmt::Display for Publisher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A version: semantic, without build metadata, which no tag of a registry can hold.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Version(semver::Version);

impl Version {
    /// Whether it is meant to be taken without being asked for: it has no `-alpha` or the like.
    pub fn is_release(&self) -> bool {
        self.0.pre.is_empty()
    }
}

impl FromStr for Version {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        let refused = || NameError::Version(head(text));
        if text.len() > MAX_VERSION {
            return Err(refused());
        }
        let version: semver::Version = text.parse().map_err(|_| refused())?;
        if version.build.is_empty() { Ok(Self(version)) } else { Err(refused()) }
    }
}

as_text!(Version, NameError);

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    #[test]
    fn names_are_ascii_and_safe_as_a_folder() {
        assert!("acme-labs2".parse::<Publisher>().is_ok());
        for name in
            ["", "Acme", "acme labs", "../acme", "acme/x", "-acme", "acme-", "a--b", "аcme", "acme\u{202e}", "1a"]
        {
            assert!(name.parse::<Publisher>().is_err(), "{name:?}");
            assert!(check_channel(name).is_err(), "{name:?}");
        }
        assert!("a".repeat(41).parse::<Publisher>().is_err());
    }

    #[test]
    fn names_that_look_alike_are_noticed() {
        let name = |text: &str| text.parse::<Publisher>().unwrap();
        for (one, other) in [("acme", "acrne"), ("acme-labs", "acmelabs"), ("lnbox", "inbox"), ("b0ss", "boss")] {
            assert!(name(one).looks_like(&name(other)), "{one} {other}");
        }
        assert!(!name("acme").looks_like(&name("acme")), "the same one is no other");
        assert!(!name("acme").looks_like(&name("apex")));
    }

    #[test]
    fn versions_are_ordered_and_fit_a_tag() {
        let version = |text: &str| text.parse::<Version>().unwrap();
        assert!(version("0.9.0") < version("0.10.0") && version("1.0.0-rc.1") < version("1.0.0"));
        assert!(!version("1.0.0-rc.1").is_release() && version("1.0.0").is_release());
        for text in ["1", "1.2", "v1.2.3", "1.2.3+build", "01.2.3", "1.2.3 ", "latest"] {
            assert!(text.parse::<Version>().is_err(), "{text}");
        }
    }
}
