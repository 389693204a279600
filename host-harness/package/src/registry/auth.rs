//! Owns: what a registry asks for before it answers, and who is given the login for it.
//! Does not own: where logins come from (`logins`).
//!
//! The registry says where its token service is. So the service is asked for no more than the request needs, it is given
//! the login only where the registry proved by TLS who it is or is the service itself, and its answer has a bound.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use serde::Deserialize;
use url::Url;
use zeroize::Zeroizing;

use super::{
    Login,
    client::{Access, Call, Client, Repository, is_bare, is_loopback, status_error},
};
use crate::source::SourceError;

/// The largest answer of a token service, in bytes.
const MAX_TOKEN: u64 = 64 << 10;
/// The longest challenge that is read, in bytes.
const MAX_CHALLENGE: usize = 4096;

/// What a registry asks for.
#[derive(Debug, Eq, PartialEq)]
enum Challenge {
    /// User name and password.
    Basic,
    /// A token of this service.
    Bearer { realm: String, service: Option<String> },
}

/// What to answer to a challenge.
pub(super) async fn answer(
    client: &Client,
    repository: &Repository,
    access: Access,
    headers: &HeaderMap,
) -> Result<HeaderValue, SourceError> {
    let refused = || SourceError::Unauthorized { place: repository.place.clone(), status: 401 };
    let login = client.options().logins.find(&repository.authority, &repository.name).await;
    let login = login.map_err(|problem| SourceError::failed(&repository.place, problem))?;
    match challenge(headers).ok_or_else(refused)? {
        Challenge::Basic => basic(&login.ok_or_else(refused)?).ok_or_else(refused),
        Challenge::Bearer { realm, service } => {
            let realm =
                trusted(&realm, repository).map_err(|problem| SourceError::failed(&repository.place, problem))?;
            if login.is_some() && !repository.is_tls() && !repository.is_home_of(&realm) {
                let problem = "it wants the login sent to another address, and cannot prove without TLS that it may";
                return Err(SourceError::failed(&repository.place, problem));
            }
            token(client, repository, access, realm, service, login).await
        }
    }
}

/// The address of a token service, where it is one that may be asked.
fn trusted(realm: &str, repository: &Repository) -> Result<Url, &'static str> {
    let url = Url::parse(realm).map_err(|_| "its token service has no address")?;
    if !is_bare(&url) {
        return Err("the address of its token service has a login in it");
    }
    let home = repository.is_home_of(&url);
    match url.scheme() {
        "https" if home || !is_loopback(&url) => Ok(url),
        "http" if !repository.is_tls() && (home || is_loopback(&url)) => Ok(url),
        "https" => Err("its token service is said to be on this machine"),
        _ => Err("its token service has no TLS"),
    }
}

async fn token(
    client: &Client,
    repository: &Repository,
    access: Access,
    mut realm: Url,
    service: Option<String>,
    login: Option<Login>,
) -> Result<HeaderValue, SourceError> {
    #[derive(Deserialize)]
    struct Answer {
        token: Option<Hidden>,
        access_token: Option<Hidden>,
    }
    #[derive(Deserialize)]
    #[serde(from = "String")]
    struct Hidden(Zeroizing<String>);
    impl From<String> for Hidden {
        fn from(text: String) -> Self {
            Self(Zeroizing::new(text))
        }
    }

    let failed = |problem: &str| SourceError::failed(&repository.place, problem);
    if let Some(service) = service {
        realm.query_pairs_mut().append_pair("service", &service);
    }
    // What the request needs, not what the challenge names.
    let actions = if access == Access::Push { "pull,push" } else { "pull" };
    realm.query_pairs_mut().append_pair("scope", &format!("repository:{}:{actions}", repository.name));
    let authorization = match &login {
        Some(login) => Some(basic(login).ok_or_else(|| failed("its login cannot be sent"))?),
        None => None,
    };
    let response = client.send(repository, Call::get(realm).accept("application/json"), authorization).await?;
    match response.status() {
        StatusCode::OK => {}
        status @ (StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN) => {
            return Err(SourceError::Unauthorized { place: repository.place.clone(), status: status.as_u16() });
        }
        status => return Err(status_error(&repository.place, "token", status)),
    }
    let bytes = Zeroizing::new(client.read(repository, "token", response, MAX_TOKEN).await?);
    let answer: Answer = serde_json::from_slice(&bytes).map_err(|_| failed("its token cannot be read"))?;
    let token = answer.token.or(answer.access_token).ok_or_else(|| failed("its token service gave no token"))?;
    sensitive(&Zeroizing::new(format!("Bearer {}", *token.0))).ok_or_else(|| failed("its token cannot be sent"))
}

fn basic(login: &Login) -> Option<HeaderValue> {
    let pair = Zeroizing::new(format!("{}:{}", login.user, *login.password));
    sensitive(&Zeroizing::new(format!("Basic {}", *Zeroizing::new(STANDARD.encode(pair.as_bytes())))))
}

fn sensitive(text: &str) -> Option<HeaderValue> {
    let mut value = HeaderValue::from_str(text).ok()?;
    value.set_sensitive(true);
    Some(value)
}

/// What the headers of an answer ask for: a token before a password.
fn challenge(headers: &HeaderMap) -> Option<Challenge> {
    let mut basic = None;
    for header in headers.get_all(header::WWW_AUTHENTICATE) {
        let Some(text) = header.to_str().ok().filter(|text| text.len() <= MAX_CHALLENGE) else { continue };
        for (scheme, parameters) in challenges(text) {
            let value = |name: &str| {
                let found = parameters.iter().find(|(key, _)| key.eq_ignore_ascii_case(name));
                found.map(|(_, value)| value.clone())
            };
            if scheme.eq_ignore_ascii_case("basic") {
                basic = Some(Challenge::Basic);
            } else if scheme.eq_ignore_ascii_case("bearer")
                && let Some(realm) = value("realm")
            {
                return Some(Challenge::Bearer { realm, service: value("service") });
            }
        }
    }
    basic
}

/// The challenges of a header, each with its parameters: `Bearer realm="https://…",service="…", Basic realm="…"`.
fn challenges(text: &str) -> Vec<(String, Vec<(String, String)>)> {
    let mut found: Vec<(String, Vec<(String, String)>)> = Vec::new();
    let mut rest = text;
    loop {
        rest = rest.trim_start_matches([' ', '\t', ',']);
        let word_ends = rest.find([' ', '\t', ',', '=']).unwrap_or(rest.len());
        let (word, behind) = rest.split_at(word_ends);
        if word.is_empty() {
            // The end, or something that is no challenge.
            return found;
        }
        let Some(value) = behind.strip_prefix('=') else {
            found.push((word.to_owned(), Vec::new()));
            rest = behind;
            continue;
        };
        let Some((value, behind)) = value_of(value) else { return found };
        if let Some((_, parameters)) = found.last_mut() {
            parameters.push((word.to_owned(), value));
        }
        rest = behind;
    }
}

/// A parameter's value, quoted or not, and what follows it.
fn value_of(text: &str) -> Option<(String, &str)> {
    let Some(quoted) = text.strip_prefix('"') else {
        let ends = text.find([',', ' ', '\t']).unwrap_or(text.len());
        let (value, behind) = text.split_at(ends);
        return Some((value.to_owned(), behind));
    };
    let mut value = String::new();
    let mut chars = quoted.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return Some((value, quoted.get(at + 1..)?)),
            '\\' => value.push(chars.next()?.1),
            c => value.push(c),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(text: &'static str) -> Option<Challenge> {
        challenge(&HeaderMap::from_iter([(header::WWW_AUTHENTICATE, HeaderValue::from_static(text))]))
    }

    fn bearer(realm: &str, service: Option<&str>) -> Option<Challenge> {
        Some(Challenge::Bearer { realm: realm.to_owned(), service: service.map(str::to_owned) })
    }

    #[test]
    fn a_challenge_is_read_as_http_has_it() {
        let realm = "https://auth.example.com/token";
        let text =
            r#"Bearer realm="https://auth.example.com/token",service="registry",scope="repository:a/b:pull,push""#;
        assert_eq!(asked(text), bearer(realm, Some("registry")));
        assert_eq!(asked(r#"bearer  Realm=https://auth.example.com/token"#), bearer(realm, None));
        assert_eq!(asked(r#"Basic realm="x, Bearer realm=y""#), Some(Challenge::Basic));
        assert_eq!(asked(r#"Basic realm="x", Bearer realm="https://auth.example.com/token""#), bearer(realm, None));
        assert_eq!(asked(r#"Bearer realm="a\"b""#), bearer("a\"b", None));
        for none in ["", ",", "=", "Bearer", "Bearer service=x", "Digest realm=x", r#"Bearer realm="x"#, "realm=x"] {
            assert_eq!(asked(none), None, "{none}");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_challenge_is_read_or_passed_over(text in r#"[ -~]{0,80}|([a-zA-Z]{0,6}[ =,"\\]){0,12}"#) {
            let Ok(value) = HeaderValue::from_str(&text) else { return Ok(()) };
            let _ = challenge(&HeaderMap::from_iter([(header::WWW_AUTHENTICATE, value)]));
        }
    }
}
