//! The settings of an account: what a manifest declares, and how values from a configuration are
//! checked against it. Belongs here: types, defaults, accepted values. Not here: secrets.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{Setting, SettingValue};

/// The type of a setting.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SettingType {
    /// A text.
    Text,
    /// A whole number.
    Number,
    /// `true` or `false`.
    Flag,
    /// A list of texts.
    Texts,
}

/// What a manifest says about one setting.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct SettingSpec {
    /// Its type.
    #[serde(rename = "type")]
    pub kind: SettingType,
    /// Whether an account must have it.
    #[serde(default)]
    pub required: bool,
    /// What stands in when it is left out.
    #[serde(default)]
    pub default: Option<RawSetting>,
    /// The only accepted texts. Empty accepts any.
    #[serde(default)]
    pub one_of: Vec<String>,
    /// For the person who sets it.
    #[serde(default)]
    pub about: String,
}

/// A value as it stands in a TOML document.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum RawSetting {
    /// `true` or `false`.
    Flag(bool),
    /// A whole number.
    Number(i64),
    /// A text.
    Text(String),
    /// A list of texts.
    Texts(Vec<String>),
}

impl From<RawSetting> for SettingValue {
    fn from(value: RawSetting) -> Self {
        match value {
            RawSetting::Flag(flag) => Self::Flag(flag),
            RawSetting::Number(number) => Self::Number(number),
            RawSetting::Text(text) => Self::Text(text),
            RawSetting::Texts(texts) => Self::Texts(texts),
        }
    }
}

/// Why the settings of an account were refused.
#[derive(Debug, thiserror::Error, PartialEq)]
pub enum SettingsError {
    /// The channel has no such setting.
    #[error("`{key}` is not a setting of this channel; it has {}", .known.join(", "))]
    Unknown {
        /// The key that was found.
        key: String,
        /// The keys that exist.
        known: Vec<String>,
    },
    /// It is required and has no default.
    #[error("`{key}` is missing: {about}")]
    Missing {
        /// The key.
        key: String,
        /// What it is for.
        about: String,
    },
    /// The value is not acceptable.
    #[error("`{key}`: {problem}")]
    Value {
        /// The key.
        key: String,
        /// What was expected.
        problem: String,
    },
}

impl SettingSpec {
    pub(crate) fn check(&self) -> Result<(), String> {
        self.default.as_ref().map_or(Ok(()), |value| self.accept(value))
    }

    fn accept(&self, value: &RawSetting) -> Result<(), String> {
        match (self.kind, value) {
            (SettingType::Text, RawSetting::Text(text)) => {
                if self.one_of.is_empty() || self.one_of.contains(text) {
                    Ok(())
                } else {
                    Err(format!("`{text}` is not one of {}", self.one_of.join(", ")))
                }
            }
            (SettingType::Number, RawSetting::Number(_))
            | (SettingType::Flag, RawSetting::Flag(_))
            | (SettingType::Texts, RawSetting::Texts(_)) => Ok(()),
            (SettingType::Text, _) => Err("must be a text in quotes".into()),
            (SettingType::Number, _) => Err("must be a whole number".into()),
            (SettingType::Flag, _) => Err("must be true or false".into()),
            (SettingType::Texts, _) => Err("must be a list of texts".into()),
        }
    }
}

/// Checks the values of a configuration against a manifest's `[settings]` and fills in defaults.
pub fn resolve_settings(
    specs: &BTreeMap<String, SettingSpec>,
    values: &BTreeMap<String, RawSetting>,
) -> Result<Vec<Setting>, SettingsError> {
    if let Some(key) = values.keys().find(|key| !specs.contains_key(*key)) {
        return Err(SettingsError::Unknown { key: key.clone(), known: specs.keys().cloned().collect() });
    }
    let mut settings = Vec::new();
    for (key, spec) in specs {
        let Some(value) = values.get(key).or(spec.default.as_ref()) else {
            if spec.required {
                return Err(SettingsError::Missing { key: key.clone(), about: spec.about.clone() });
            }
            continue;
        };
        spec.accept(value).map_err(|problem| SettingsError::Value { key: key.clone(), problem })?;
        settings.push(Setting { key: key.clone(), value: value.clone().into() });
    }
    Ok(settings)
}
