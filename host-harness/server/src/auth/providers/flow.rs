//! Owns: a sign-in at a provider from the first address to the proof of who it is.
//! Does not own: what the proof opens (`sign_in`), the token's checks (`id_token`, `signature`).

use axum::http::{HeaderMap, HeaderValue, Method, header};
use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use bytes::Bytes;
use harness_contract::text::shown;
use harness_engine::{Host, random};
use ring::hmac;
use serde::Deserialize;
use subtle::ConstantTimeEq as _;
use url::Url;

use super::{
    Provider, ProviderError, TokenError, Ways,
    id_token::{Claims, Expected, Person},
    metadata::{Metadata, ask},
    signature::Unchecked,
};
use crate::auth::tokens::digest;

/// What of a provider's word for a refusal is shown, in characters.
const LONGEST_REFUSAL: usize = 60;

/// A sign-in that was begun.
pub(crate) struct Started {
    /// The provider's page.
    pub(crate) url: Url,
    /// What the browser keeps in a cookie until it is back.
    pub(crate) cookie: String,
}

/// With what the provider sends a browser back.
#[derive(Default, Deserialize)]
pub(crate) struct Arrived {
    #[serde(default)]
    code: Option<String>,
    #[serde(default)]
    state: Option<String>,
    #[serde(default)]
    iss: Option<String>,
    #[serde(default)]
    error: Option<String>,
}

/// Who a provider says somebody is.
pub(crate) struct Claimed {
    pub(crate) subject: String,
    /// Verified.
    pub(crate) email: Result<String, ProviderError>,
    pub(crate) name: Option<String>,
    /// Where in the inbox they wanted to go.
    pub(crate) next: String,
}

/// The secret of one sign-in, which only the browser has. All that has to be guessed by nobody is derived from it, for this
/// provider: what comes back to another browser, or from another provider, fits nothing.
struct Flow {
    key: hmac::Key,
    id: [u8; 32],
    next: String,
}

impl Flow {
    fn of(cookie: &str) -> Option<Self> {
        let (secret, next) = cookie.split_once('.')?;
        let next = String::from_utf8(URL_SAFE_NO_PAD.decode(next).ok()?).ok()?;
        let bytes = URL_SAFE_NO_PAD.decode(secret).ok().filter(|bytes| bytes.len() == 32)?;
        Some(Self { key: hmac::Key::new(hmac::HMAC_SHA256, &bytes), id: digest(&bytes), next })
    }

    fn derived(&self, purpose: &str, provider: &Provider) -> String {
        let of = format!("{purpose} {}", provider.options.id);
        URL_SAFE_NO_PAD.encode(hmac::sign(&self.key, of.as_bytes()))
    }
}

/// Where the provider sends the browser back to.
fn way_back(host: &Host, provider: &Provider) -> Result<String, ProviderError> {
    host.address(&["sign-in", &provider.options.id, "callback"])
        .map_err(|error| ProviderError::NoAddress(error.to_string()))
}

fn encoded(text: &str) -> String {
    url::form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

fn sensitive(value: &str) -> Result<HeaderValue, ProviderError> {
    let at = "when its token was to be used";
    let mut value = HeaderValue::from_str(value)
        .map_err(|_| ProviderError::Answer { at, problem: "it cannot stand in a header".to_owned() })?;
    value.set_sensitive(true);
    Ok(value)
}

#[derive(Deserialize)]
struct Tokens {
    id_token: String,
    access_token: String,
}

impl Ways {
    /// Begins a sign-in: where to send the browser, and what it keeps.
    pub(crate) async fn start(&self, host: &Host, provider: &str, next: &str) -> Result<Started, ProviderError> {
        let provider = self.provider(provider)?;
        let metadata = provider.known.metadata(host, &provider.options).await?;
        let cookie = format!("{}.{}", URL_SAFE_NO_PAD.encode(random::<32>()?), URL_SAFE_NO_PAD.encode(next));
        let flow = Flow::of(&cookie).ok_or(ProviderError::NotBegunHere)?;
        let challenge = URL_SAFE_NO_PAD.encode(digest(flow.derived("verifier", provider).as_bytes()));
        let mut url = metadata.authorization_endpoint.clone();
        url.query_pairs_mut()
            .append_pair("response_type", "code")
            .append_pair("client_id", &provider.options.client_id)
            .append_pair("redirect_uri", &way_back(host, provider)?)
            .append_pair("scope", "openid email profile")
            .append_pair("state", &flow.derived("state", provider))
            .append_pair("nonce", &flow.derived("nonce", provider))
            .append_pair("code_challenge", &challenge)
            .append_pair("code_challenge_method", "S256");
        Ok(Started { url, cookie })
    }

    /// Who it is that comes back from a provider, in the browser in which it was begun. It is believed once.
    pub(crate) async fn arrive(
        &self,
        host: &Host,
        provider: &str,
        cookie: Option<&str>,
        arrived: Arrived,
    ) -> Result<Claimed, ProviderError> {
        let provider = self.provider(provider)?;
        let flow = cookie.and_then(Flow::of).ok_or(ProviderError::NotBegunHere)?;
        let state = arrived.state.unwrap_or_default();
        if !bool::from(state.as_bytes().ct_eq(flow.derived("state", provider).as_bytes())) {
            return Err(ProviderError::NotBegunHere);
        }
        let metadata = provider.known.metadata(host, &provider.options).await?;
        let names_another = match &arrived.iss {
            Some(issuer) => *issuer != provider.options.issuer,
            None => metadata.authorization_response_iss_parameter_supported,
        };
        if names_another {
            return Err(ProviderError::OtherIssuer);
        }
        if let Some(error) = arrived.error {
            return Err(ProviderError::Refused(shown(&error).chars().take(LONGEST_REFUSAL).collect()));
        }
        let code = arrived.code.ok_or_else(|| ProviderError::Refused("no code".to_owned()))?;
        let tokens = redeem(host, provider, &metadata, &flow, &code).await?;
        let person = believed(host, provider, &metadata, &flow, &tokens.id_token).await?;
        if !self.finish(host, flow.id) {
            return Err(ProviderError::NotBegunHere);
        }
        let person = complete(host, &metadata, person, &tokens.access_token).await?;
        let email = match person.email {
            None => Err(ProviderError::NoEmail),
            Some(_) if !person.email_verified => Err(ProviderError::Unverified),
            Some(email) => Ok(email),
        };
        Ok(Claimed { subject: person.sub, email, name: person.name, next: flow.next })
    }
}

/// Changes the code for tokens, showing that this is the client and the browser for which it was made.
async fn redeem(
    host: &Host,
    provider: &Provider,
    metadata: &Metadata,
    flow: &Flow,
    code: &str,
) -> Result<Tokens, ProviderError> {
    let mut fields = vec![
        ("grant_type", "authorization_code".to_owned()),
        ("code", code.to_owned()),
        ("redirect_uri", way_back(host, provider)?),
        ("code_verifier", flow.derived("verifier", provider)),
    ];
    let client = provider.options.client_id.as_str();
    let secret = std::str::from_utf8(provider.options.client_secret.expose()).unwrap_or_default();
    let mut headers = HeaderMap::new();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded"));
    let methods = metadata.token_endpoint_auth_methods_supported.as_deref();
    if methods.is_none_or(|all| all.iter().any(|one| one == "client_secret_basic")) {
        let pair = STANDARD.encode(format!("{}:{}", encoded(client), encoded(secret)));
        headers.insert(header::AUTHORIZATION, sensitive(&format!("Basic {pair}"))?);
    } else {
        fields.extend([("client_id", client.to_owned()), ("client_secret", secret.to_owned())]);
    }
    let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
    let (at, url) = ("when the code was to become a token", metadata.token_endpoint.clone());
    ask(host, at, Method::POST, url, headers, body.into()).await
}

/// The person of a token that is right in all points.
async fn believed(
    host: &Host,
    provider: &Provider,
    metadata: &Metadata,
    flow: &Flow,
    token: &str,
) -> Result<Person, ProviderError> {
    let token = Unchecked::new(token)?;
    let mut keys = provider.known.keys(host, metadata, false).await?;
    if !token.has_key_in(&keys) {
        keys = provider.known.keys(host, metadata, true).await?;
    }
    let claims: Claims = token.checked(&keys)?;
    let nonce = flow.derived("nonce", provider);
    let (issuer, client) = (provider.options.issuer.as_str(), provider.options.client_id.as_str());
    Ok(claims.check(&Expected { issuer, client, nonce: &nonce, now: host.clock().now() })?)
}

/// Asks for the e-mail address of a person whose token does not have it, as OpenID Connect has it with the code flow.
async fn complete(
    host: &Host,
    metadata: &Metadata,
    person: Person,
    access_token: &str,
) -> Result<Person, ProviderError> {
    let Some(url) = metadata.userinfo_endpoint.clone().filter(|_| person.email.is_none()) else { return Ok(person) };
    let mut headers = HeaderMap::new();
    headers.insert(header::AUTHORIZATION, sensitive(&format!("Bearer {access_token}"))?);
    let told: Person = ask(host, "when it was asked who it is", Method::GET, url, headers, Bytes::new()).await?;
    // Another's answer could be slipped in.
    if told.sub != person.sub {
        return Err(TokenError::Subject.into());
    }
    Ok(told)
}
