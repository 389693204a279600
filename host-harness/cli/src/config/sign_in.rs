//! Owns: `[sign-in]`: its keys and accepted values.
//! Does not own: signing in (the server).

use std::collections::BTreeMap;

use harness_inbox::{PublicId as _, WorkspaceId};
use harness_server::{ProviderOptions, SignInOptions};
use serde::Deserialize;
use url::Url;

use super::{ConfigError, ConfigFile, SecretSource};

/// The longest name of a provider, in characters: it stands on a button.
const LONGEST_NAME: usize = 40;

/// How people sign in.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct SignInConfig {
    /// Whether people may sign in with passwords.
    pub password: bool,
    /// Identity providers that are trusted to say who somebody is, by the short name in their addresses here.
    pub providers: BTreeMap<String, ProviderConfig>,
}

impl Default for SignInConfig {
    fn default() -> Self {
        Self { password: true, providers: BTreeMap::new() }
    }
}

/// An identity provider: OpenID Connect.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ProviderConfig {
    /// Its name, as the page for signing in shows it.
    pub name: String,
    /// Its issuer identifier, letter by letter as the provider publishes it.
    pub issuer: String,
    /// The id that it has given to this host.
    pub client_id: String,
    /// The secret that it has given to this host.
    pub client_secret: SecretSource,
    /// Mail domains whose people join without an invitation, as agents, once the provider has verified their address.
    #[serde(default)]
    pub domains: Vec<String>,
    /// The workspace that they join, such as `wsp_…`. Defaults to the first.
    #[serde(default)]
    pub workspace: Option<String>,
}

impl ConfigFile {
    /// How people sign in.
    pub fn sign_in(&self) -> Result<SignInOptions, ConfigError> {
        let given = &self.config.sign_in;
        if !given.password && given.providers.is_empty() {
            let problem = "is false, and there is no provider: nobody could sign in. Add one under [sign-in.providers]";
            return Err(self.value("sign-in.password", problem));
        }
        let providers = given.providers.iter().map(|(id, provider)| self.provider(id, provider));
        Ok(SignInOptions { password: given.password, providers: providers.collect::<Result<_, _>>()? })
    }

    fn provider(&self, id: &str, given: &ProviderConfig) -> Result<ProviderOptions, ConfigError> {
        let key = |name: &str| format!("sign-in.providers.{id}{name}");
        let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        if id.is_empty() || id.len() > 32 || !id.bytes().all(plain) {
            return Err(self.value(&key(""), "is no short name: expected 1 to 32 of a–z, 0–9 and -"));
        }
        if given.name.trim().is_empty() || given.name.chars().count() > LONGEST_NAME {
            return Err(self.value(&key(".name"), format!("expected 1 to {LONGEST_NAME} characters")));
        }
        let sound =
            |url: &Url| matches!(url.scheme(), "https" | "http") && url.query().is_none() && url.fragment().is_none();
        if !Url::parse(&given.issuer).is_ok_and(|url| sound(&url)) {
            let problem =
                "is no issuer: expected an address such as https://accounts.example.com, as the provider has it";
            return Err(self.value(&key(".issuer"), problem));
        }
        if let Some(domain) = given.domains.iter().find(|domain| domain.contains('@') || !domain.contains('.')) {
            let problem = format!("{domain} is no mail domain: expected one such as shop.example");
            return Err(self.value(&key(".domains"), problem));
        }
        let workspace = match &given.workspace {
            None => WorkspaceId::FIRST,
            Some(text) => WorkspaceId::from_public(text).map_err(|_| {
                self.value(
                    &key(".workspace"),
                    "is no workspace: expected an id such as wsp_…, as `GET /api/v1/workspaces` lists them",
                )
            })?,
        };
        Ok(ProviderOptions {
            id: id.to_owned(),
            name: given.name.trim().to_owned(),
            issuer: given.issuer.clone(),
            client_id: given.client_id.clone(),
            client_secret: self.secret(&key(".client-secret"), &given.client_secret)?,
            domains: given.domains.clone(),
            workspace,
        })
    }
}
