//! Owns: hosts that an account names in a setting: `{setting:KEY}`, alone or before a domain.
//! Does not own: which requests a host is granted (`egress`).

use crate::{Setting, SettingValue};

/// Maximum length of a host name, and of one label.
const MAX_NAME: usize = 253;
const MAX_LABEL: usize = 63;

/// A host whose name, or first label, comes from a setting of the account.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct SettingHost<'a> {
    /// The setting's key.
    pub key: &'a str,
    /// What follows the value: nothing, or a dot and a domain.
    pub suffix: &'a str,
}

impl<'a> SettingHost<'a> {
    /// Parses a host from a manifest. `None` if it is an ordinary host name.
    pub fn read(host: &'a str) -> Option<Self> {
        let (key, suffix) = host.strip_prefix("{setting:")?.split_once('}')?;
        let is_domain = suffix.strip_prefix('.').is_some_and(is_host_name);
        (!key.is_empty() && (suffix.is_empty() || is_domain)).then_some(Self { key, suffix })
    }

    /// The host for an account with these settings. `None` if the setting is missing or does not give a host name. IP
    /// addresses, ports and patterns are never host names.
    pub fn resolve(&self, settings: &[Setting]) -> Option<String> {
        let value = settings.iter().find(|setting| setting.key == self.key).map(|setting| &setting.value)?;
        let SettingValue::Text(text) = value else { return None };
        if !self.suffix.is_empty() && !is_label(&text.to_ascii_lowercase()) {
            return None;
        }
        Some(format!("{}{}", text.to_ascii_lowercase(), self.suffix)).filter(|name| is_host_name(name))
    }
}

/// Whether this is a host name within a domain. An IP address never is, in any spelling, because no top-level domain
/// begins with a digit.
pub(crate) fn is_host_name(name: &str) -> bool {
    let top = name.rsplit('.').next().unwrap_or_default();
    name.len() <= MAX_NAME
        && name.contains('.')
        && name.split('.').all(is_label)
        && top.starts_with(|first: char| first.is_ascii_lowercase())
}

fn is_label(label: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    (1..=MAX_LABEL).contains(&label.len())
        && label.bytes().all(fits)
        && !label.starts_with('-')
        && !label.ends_with('-')
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
    use super::*;

    fn resolved(host: &str, value: &str) -> Option<String> {
        let setting = Setting { key: "server".into(), value: SettingValue::Text(value.into()) };
        SettingHost::read(host).unwrap().resolve(&[setting])
    }

    #[test]
    fn a_setting_names_a_host_and_nothing_else() {
        for (value, host) in [
            ("chat.example.org", "chat.example.org"),
            ("Chat.Example.ORG", "chat.example.org"),
            ("xn--bcher-kva.example", "xn--bcher-kva.example"),
        ] {
            assert_eq!(resolved("{setting:server}", value).as_deref(), Some(host));
        }
        let long = format!("{}.example.org", "x".repeat(64));
        for value in [
            "",
            "localhost",
            "chat.example.org:8443",
            "chat.example.org/path",
            "https://chat.example.org",
            "user@chat.example.org",
            "*.example.org",
            "chat..example.org",
            ".example.org",
            "chat.example.org.",
            "-chat.example.org",
            "127.0.0.1",
            "0x7f.0.0.0x1",
            "2130706433",
            "1.example.1",
            "[::1]",
            "::1",
            "chat.example.org\n",
            "bücher.example",
            "{setting:server}",
            &long,
        ] {
            assert_eq!(resolved("{setting:server}", value), None, "{value:?}");
        }
    }

    #[test]
    fn before_a_domain_a_setting_is_one_label() {
        assert_eq!(resolved("{setting:server}.example.com", "Shop-1").as_deref(), Some("shop-1.example.com"));
        for value in ["", "a.b", "evil.test/", "evil.test#", "a:1", "-a", "*", "a_b"] {
            assert_eq!(resolved("{setting:server}.example.com", value), None, "{value:?}");
        }
    }

    #[test]
    fn a_placeholder_is_the_beginning_of_a_host_or_there_is_none() {
        for host in [
            "chat.example.org",
            "{setting:}",
            "{setting:server",
            "{server}",
            "a.{setting:server}",
            "{setting:server}example.com",
            "{setting:server}.",
            "{setting:server}.com:1",
            "{setting:a}.{setting:b}",
            "{setting:server}.localhost",
        ] {
            assert_eq!(SettingHost::read(host), None, "{host}");
        }
        assert_eq!(
            SettingHost::read("{setting:a}.example.com"),
            Some(SettingHost { key: "a", suffix: ".example.com" })
        );
    }
}
