//! Owns: egress rules: which URL a rule admits. A pure decision over a parsed URL.
//! Does not own: resolving names, sending, secrets.

use std::fmt;

use serde::{Deserialize, Serialize};
use url::{Host, Url};

use crate::syntax::is_header_name;

/// A destination of requests, always over HTTPS on port 443.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct EgressRule {
    /// The host's exact name in lower case; or `{setting:KEY}`, alone or before a domain, if each account names the
    /// host. See [`crate::setting_host`].
    pub host: String,
    /// The methods, in upper case.
    pub methods: Vec<String>,
    /// Path patterns; see [`PathPattern`].
    pub paths: Vec<PathPattern>,
    /// Headers that a request may set besides `accept` and `content-type`, in lower case.
    #[serde(default)]
    pub headers: Vec<String>,
    /// Set for endpoints that hand out credentials: JSON pointers to everything that the channel sees of a response,
    /// besides captured values and the headers `content-type`, `date` and `retry-after`. `*` matches every element of a
    /// list.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shown: Option<Vec<String>>,
    /// Maximum size of a request body, in bytes.
    #[serde(default = "default_request_bytes")]
    pub max_request_bytes: u64,
    /// Maximum size of a response body, in bytes.
    #[serde(default = "default_response_bytes")]
    pub max_response_bytes: u64,
}

fn default_request_bytes() -> u64 {
    64 << 10
}

fn default_response_bytes() -> u64 {
    1 << 20
}

/// Headers that a channel may never set, whatever a rule lists: connection headers; headers that request a compressed
/// or partial response, in which credentials could not be found; and headers by which servers override the request's
/// method, path, host or sender.
const NEVER_SET: [&str; 32] = [
    "a-im",
    "accept-encoding",
    "authorization",
    "client-ip",
    "connection",
    "content-encoding",
    "content-length",
    "cookie",
    "expect",
    "forwarded",
    "host",
    "if-range",
    "keep-alive",
    "max-forwards",
    "proxy-authorization",
    "proxy-connection",
    "range",
    "te",
    "trailer",
    "transfer-encoding",
    "true-client-ip",
    "upgrade",
    "via",
    "x-client-ip",
    "x-host",
    "x-http-method",
    "x-http-method-override",
    "x-method-override",
    "x-original-url",
    "x-original-host",
    "x-real-ip",
    "x-rewrite-url",
];

/// Whether a rule may list this header, so that requests may carry it. Names are in lower case.
pub fn may_be_set(name: &str) -> bool {
    is_header_name(name) && !name.starts_with("x-forwarded") && !NEVER_SET.contains(&name)
}

/// A pattern for the path of a URL, segment by segment: `*` matches exactly one non-empty segment, a final `**` any
/// number of segments; everything else is literal.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PathPattern(String);

/// Why a pattern was rejected.
#[derive(Debug, thiserror::Error)]
#[error("`{0}` is not a path pattern: it begins with `/`, `*` stands alone in its segment, and `**` stands last")]
pub struct PatternError(String);

impl TryFrom<String> for PathPattern {
    type Error = PatternError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let Some(rest) = text.strip_prefix('/') else { return Err(PatternError(text)) };
        let last = rest.split('/').count().saturating_sub(1);
        let sound = rest.split('/').enumerate().all(|(index, segment)| match segment {
            "*" => true,
            "**" => index == last,
            _ => !segment.contains('*'),
        });
        if sound { Ok(Self(text)) } else { Err(PatternError(text)) }
    }
}

impl From<PathPattern> for String {
    fn from(pattern: PathPattern) -> Self {
        pattern.0
    }
}

impl fmt::Display for PathPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl PathPattern {
    /// Whether the path matches.
    pub fn matches(&self, path: &str) -> bool {
        let (mut wanted, mut found) = (self.0.split('/'), path.split('/'));
        loop {
            match (wanted.next(), found.next()) {
                (None, None) => return true,
                (Some("**"), _) => return true,
                (Some("*"), Some(segment)) if !segment.is_empty() => {}
                (Some(literal), Some(segment)) if literal != "*" && literal == segment => {}
                _ => return false,
            }
        }
    }
}

/// Why a request may not be sent.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum EgressDenied {
    /// The URL cannot be parsed.
    #[error("`{url}` is not an absolute URL")]
    NotAUrl {
        /// The URL, without its query.
        url: String,
    },
    /// The request is not HTTPS on port 443, or its URL has a user name.
    #[error("requests leave over https on port 443 and without a user name, found `{found}`")]
    Scheme {
        /// The scheme, host and port.
        found: String,
    },
    /// An IP address, or a name that is not granted.
    #[error("the host `{host}` is not granted to this channel; granted are {}", if .granted.is_empty() { "none".into() } else { .granted.join(", ") })]
    Host {
        /// The host.
        host: String,
        /// The granted hosts.
        granted: Vec<String>,
    },
    /// The path contains escapes or dots that another server might read differently.
    #[error("the path `{path}` is ambiguous: dots, empty segments, backslashes and encoded separators are refused")]
    AmbiguousPath {
        /// The path.
        path: String,
    },
    /// The host is granted, but not this method and path.
    #[error("{method} {path} on `{host}` is not granted to this channel")]
    Route {
        /// The host.
        host: String,
        /// The method.
        method: String,
        /// The path.
        path: String,
    },
    /// The request body exceeds the granted size.
    #[error("the request body has {actual} bytes, granted are {max}")]
    TooLong {
        /// In bytes.
        actual: u64,
        /// In bytes.
        max: u64,
    },
}

/// Finds the rule that admits a request.
pub fn admit<'r>(rules: &'r [EgressRule], method: &str, url: &Url, body: u64) -> Result<&'r EgressRule, EgressDenied> {
    let host = match url.host() {
        Some(Host::Domain(name)) => name,
        Some(address) => return Err(not_granted(rules, address.to_string())),
        None => return Err(EgressDenied::Scheme { found: url.scheme().to_owned() }),
    };
    if url.scheme() != "https" || url.port().is_some() || !url.username().is_empty() || url.password().is_some() {
        return Err(EgressDenied::Scheme { found: format!("{}://{host}:{}", url.scheme(), url.port().unwrap_or(443)) });
    }
    let path = url.path();
    if is_ambiguous(path) {
        return Err(EgressDenied::AmbiguousPath { path: path.to_owned() });
    }
    let mut of_host = rules.iter().filter(|rule| rule.host == host).peekable();
    if of_host.peek().is_none() {
        return Err(not_granted(rules, host.to_owned()));
    }
    let fits = |rule: &&EgressRule| {
        rule.methods.iter().any(|known| known == method) && rule.paths.iter().any(|pattern| pattern.matches(path))
    };
    let fitting: Vec<&EgressRule> = of_host.filter(fits).collect();
    // The rule of an endpoint that hands out credentials applies even if a wider pattern matches, too.
    let rule = fitting.iter().find(|rule| rule.shown.is_some()).or_else(|| fitting.first());
    let rule = *rule.ok_or_else(|| EgressDenied::Route {
        host: host.to_owned(),
        method: method.to_owned(),
        path: path.to_owned(),
    })?;
    if body > rule.max_request_bytes {
        return Err(EgressDenied::TooLong { actual: body, max: rule.max_request_bytes });
    }
    Ok(rule)
}

fn not_granted(rules: &[EgressRule], host: String) -> EgressDenied {
    let mut granted: Vec<String> = rules.iter().map(|rule| rule.host.clone()).collect();
    granted.sort();
    granted.dedup();
    EgressDenied::Host { host, granted }
}

/// `Url` has already resolved plain dot segments. Anything left here is ambiguous.
fn is_ambiguous(path: &str) -> bool {
    let lower = path.to_ascii_lowercase();
    lower.contains("//")
        || odd_escape(&lower)
        || ["%2e", "%2f", "%5c", "%00", "%25", "%3b", "\\", ";"].iter().any(|odd| lower.contains(odd))
        || lower.split('/').any(|segment| segment == "." || segment == "..")
}

/// Whether an escape is broken, encodes an unreserved or a control character, or yields invalid UTF-8, such as an
/// overlong slash. Below `**`, no other check looks at the path.
fn odd_escape(path: &str) -> bool {
    let mut plain = Vec::with_capacity(path.len());
    let mut pieces = path.split('%');
    plain.extend_from_slice(pieces.next().unwrap_or_default().as_bytes());
    let odd = pieces.any(|rest| {
        let digits = rest.get(..2).filter(|digits| digits.bytes().all(|digit| digit.is_ascii_hexdigit()));
        let byte = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok());
        plain.extend(byte);
        plain.extend_from_slice(rest.get(2..).unwrap_or_default().as_bytes());
        byte.is_none_or(|byte| byte.is_ascii_alphanumeric() || byte.is_ascii_control() || b"-._~".contains(&byte))
    });
    odd || std::str::from_utf8(&plain).map_or(true, |plain| plain.chars().any(char::is_control))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
    use super::*;

    fn pattern(text: &str) -> PathPattern {
        text.to_owned().try_into().unwrap()
    }

    #[test]
    fn a_star_stands_for_exactly_one_segment() {
        let messages = pattern("/*/*/messages");
        assert!(messages.matches("/v25.0/123/messages"));
        for path in
            ["/v25.0/messages", "/v25.0/1/2/messages", "/v25.0//messages", "/v25.0/1/messages/", "/v25.0/1/message"]
        {
            assert!(!messages.matches(path), "{path}");
        }
        assert!(pattern("/v1/**").matches("/v1/a/b"));
        assert!(!pattern("/v1/**").matches("/v2/a"));
        for wrong in ["v1", "/a*", "/**/b"] {
            assert!(PathPattern::try_from(wrong.to_owned()).is_err(), "{wrong}");
        }
    }

    #[test]
    fn an_endpoint_that_hands_out_credentials_is_one_whatever_wider_pattern_fits_it_too() {
        let rule = |paths: &[&str], shown: Option<Vec<String>>| EgressRule {
            host: "graph.example.com".into(),
            methods: vec!["GET".into()],
            paths: paths.iter().map(|text| pattern(text)).collect(),
            headers: Vec::new(),
            shown,
            max_request_bytes: 10,
            max_response_bytes: 10,
        };
        let shown = vec!["/expires_in".to_owned()];
        let rules = [rule(&["/*/*"], None), rule(&["/oauth/access_token"], Some(shown.clone()))];
        let shows = |path: &str| {
            let url = Url::parse(&format!("https://graph.example.com{path}")).unwrap();
            admit(&rules, "GET", &url, 0).unwrap().shown.clone()
        };
        assert_eq!(shows("/oauth/access_token"), Some(shown));
        assert_eq!(shows("/oauth/other"), None);
    }

    #[test]
    fn no_escape_below_two_stars_is_read_in_two_ways() {
        let rules = [EgressRule {
            host: "x.example.com".into(),
            methods: vec!["GET".into()],
            paths: vec![pattern("/v1/**")],
            headers: Vec::new(),
            shown: None,
            max_request_bytes: 10,
            max_response_bytes: 10,
        }];
        let ask = |path: &str| admit(&rules, "GET", &Url::parse(&format!("https://x.example.com{path}")).unwrap(), 0);
        for path in ["/v1/a/b", "/v1/Gr%C3%BC%C3%9Fe/%40you", "/v1/a%20b"] {
            assert!(ask(path).is_ok(), "{path}");
        }
        for path in [
            "/v1/%2e%2e/admin",
            "/v1/.%2e/admin",
            "/v1/..%2fadmin",
            "/v1/..%5cadmin",
            "/v1/..\\admin",
            "/v1/%252e%252e/admin",
            "/v1/%25252f",
            "/v1/..;/admin",
            "/v1/..%3b/admin",
            "/v1/%c0%ae%c0%ae/admin",
            "/v1/%e0%80%af",
            "/v1/a%0ab",
            "/v1/%61dmin",
            "/v1/%",
        ] {
            assert!(ask(path).is_err(), "{path}");
        }
    }

    #[test]
    fn only_granted_hosts_routes_and_sizes_leave() {
        let rules = [EgressRule {
            host: "graph.example.com".into(),
            methods: vec!["POST".into()],
            paths: vec![pattern("/*/messages")],
            headers: Vec::new(),
            shown: None,
            max_request_bytes: 10,
            max_response_bytes: 10,
        }];
        let ask = |method: &str, url: &str, body| admit(&rules, method, &Url::parse(url).unwrap(), body).map(|_| ());
        assert_eq!(ask("POST", "https://graph.example.com/me/messages", 10), Ok(()));
        assert!(matches!(ask("POST", "https://graph.example.com/me/messages", 11), Err(EgressDenied::TooLong { .. })));
        assert!(matches!(ask("GET", "https://graph.example.com/me/messages", 0), Err(EgressDenied::Route { .. })));
        for url in [
            "http://graph.example.com/me/messages",
            "https://graph.example.com:8443/me/messages",
            "https://a@graph.example.com/me/messages",
        ] {
            assert!(matches!(ask("POST", url, 0), Err(EgressDenied::Scheme { .. })), "{url}");
        }
        for url in [
            "https://example.com/me/messages",
            "https://graph.example.com.evil.test/me/messages",
            "https://127.0.0.1/me/messages",
            "https://0x7f000001/me/messages",
            "https://[::1]/me/messages",
        ] {
            assert!(matches!(ask("POST", url, 0), Err(EgressDenied::Host { .. })), "{url}");
        }
        for url in [
            "https://graph.example.com/a%2Fb/messages",
            "https://graph.example.com//messages",
            "https://graph.example.com/me;x/messages",
            "https://graph.example.com/%6de/messages",
            "https://graph.example.com/a%0db/messages",
            "https://graph.example.com/a%zz/messages",
            "https://graph.example.com/a%3Bb/messages",
            "https://graph.example.com/a%c0%afb/messages",
            "https://graph.example.com/a%c2%85b/messages",
        ] {
            assert!(matches!(ask("POST", url, 0), Err(EgressDenied::AmbiguousPath { .. })), "{url}");
        }
    }
}
