//! Owns: settings: their declarations in a manifest, and checking values against them.
//! Does not own: secrets.

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

/// Who sets a setting.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SettingScope {
    /// Each account.
    #[default]
    Account,
    /// The channel, for all its accounts and for connecting them.
    Channel,
    /// The channel, and an account may override it.
    Both,
}

impl SettingScope {
    fn includes(self, asked: Self) -> bool {
        self == asked || self == Self::Both
    }
}

/// The declaration of a setting in a manifest.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct SettingSpec {
    /// Its type.
    #[serde(rename = "type")]
    pub kind: SettingType,
    /// Who sets it.
    #[serde(default)]
    pub scope: SettingScope,
    /// Whether a value is required.
    #[serde(default)]
    pub required: bool,
    /// The value if none is set.
    #[serde(default)]
    pub default: Option<RawSetting>,
    /// Whether the channel also gets it with webhooks whose account the host knows.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub in_webhooks: bool,
    /// The allowed texts. Empty allows any.
    #[serde(default)]
    pub one_of: Vec<String>,
    /// For the person who sets it.
    #[serde(default)]
    pub description: String,
}

/// A value as written in a TOML document.
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

/// Why settings were rejected.
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
    /// The setting is required and has no default.
    #[error("`{key}` is missing: {description}")]
    Missing {
        /// The key.
        key: String,
        /// What it is for.
        description: String,
    },
    /// The value is invalid.
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
        self.default.clone().map_or(Ok(()), |value| self.accept(&value.into()))
    }

    fn accept(&self, value: &SettingValue) -> Result<(), String> {
        match (self.kind, value) {
            (SettingType::Text, SettingValue::Text(text)) => {
                if self.one_of.is_empty() || self.one_of.contains(text) {
                    Ok(())
                } else {
                    Err(format!("`{text}` is not one of {}", self.one_of.join(", ")))
                }
            }
            (SettingType::Number, SettingValue::Number(_))
            | (SettingType::Flag, SettingValue::Flag(_))
            | (SettingType::Texts, SettingValue::Texts(_)) => Ok(()),
            (SettingType::Text, _) => Err("must be a text in quotes".into()),
            (SettingType::Number, _) => Err("must be a whole number".into()),
            (SettingType::Flag, _) => Err("must be true or false".into()),
            (SettingType::Texts, _) => Err("must be a list of texts".into()),
        }
    }
}

/// Checks the values of a configuration against a manifest's `[settings]` and fills in defaults. `scope` is the channel
/// or one account. Defaults of settings that both may set are added to the channel's.
pub fn resolve_settings(
    specs: &BTreeMap<String, SettingSpec>,
    scope: SettingScope,
    values: &BTreeMap<String, RawSetting>,
) -> Result<Vec<Setting>, SettingsError> {
    let here = || specs.iter().filter(|(_, spec)| spec.scope.includes(scope));
    if let Some(key) = values.keys().find(|key| here().all(|(known, _)| known != *key)) {
        return Err(SettingsError::Unknown { key: key.clone(), known: here().map(|(key, _)| key.clone()).collect() });
    }
    let mut settings = Vec::new();
    for (key, spec) in here() {
        let default = spec.default.as_ref().filter(|_| spec.scope == scope || scope == SettingScope::Channel);
        let Some(value) = values.get(key).or(default) else {
            if spec.required && spec.scope == scope {
                return Err(SettingsError::Missing { key: key.clone(), description: spec.description.clone() });
            }
            continue;
        };
        let value = value.clone().into();
        spec.accept(&value).map_err(|problem| SettingsError::Value { key: key.clone(), problem })?;
        settings.push(Setting { key: key.clone(), value });
    }
    Ok(settings)
}

/// The channel's settings for a version that nobody configured: those of another version's values that it accepts, and its
/// defaults. Required ones may be missing.
pub fn settings_known_to(specs: &BTreeMap<String, SettingSpec>, values: &[Setting]) -> Vec<Setting> {
    let here = specs.iter().filter(|(_, spec)| spec.scope.includes(SettingScope::Channel));
    let value = |key: &String, spec: &SettingSpec| {
        let given = values.iter().find(|one| one.key == *key && spec.accept(&one.value).is_ok());
        given.map(|one| one.value.clone()).or_else(|| spec.default.clone().map(Into::into))
    };
    here.filter_map(|(key, spec)| Some(Setting { key: key.clone(), value: value(key, spec)? })).collect()
}

/// The settings that a channel gets for an account: the account's own, then those of the channel that it does not
/// override.
pub fn merge_settings(account: &mut Vec<Setting>, channel: &[Setting]) {
    for setting in channel {
        if account.iter().all(|own| own.key != setting.key) {
            account.push(setting.clone());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spec(kind: SettingType, scope: SettingScope) -> SettingSpec {
        SettingSpec {
            kind,
            scope,
            required: false,
            default: None,
            in_webhooks: false,
            one_of: Vec::new(),
            description: String::new(),
        }
    }

    #[test]
    fn a_version_that_nobody_configured_has_its_defaults_and_of_other_values_those_that_it_accepts() {
        let default = |spec: SettingSpec, value: RawSetting| SettingSpec { default: Some(value), ..spec };
        let specs = BTreeMap::from([
            // Required, and unknown to the version that the values are of: the others are there all the same.
            ("app".into(), SettingSpec { required: true, ..spec(SettingType::Text, SettingScope::Channel) }),
            ("limit".into(), default(spec(SettingType::Number, SettingScope::Channel), RawSetting::Number(3))),
            ("mode".into(), default(spec(SettingType::Text, SettingScope::Both), RawSetting::Text("plain".into()))),
            ("shop".into(), default(spec(SettingType::Text, SettingScope::Account), RawSetting::Text("no".into()))),
        ]);
        let set = |key: &str, value: SettingValue| Setting { key: key.into(), value };
        let values = [
            set("limit", SettingValue::Text("three".into())),
            set("mode", SettingValue::Text("rich".into())),
            set("new", SettingValue::Flag(true)),
        ];
        let known = settings_known_to(&specs, &values);
        assert_eq!(known, [set("limit", SettingValue::Number(3)), set("mode", SettingValue::Text("rich".into()))]);
    }
}
