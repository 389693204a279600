//! Issued tokens and authorization codes: holder, permissions, expiry.
//! What belongs here: data, look-ups and expiry. Issuing rules are in `graph`.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt;

use crate::config::Login;
use crate::secret::Secret;

/// Whom a token speaks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Holder {
    /// The app itself.
    App,
    /// The person, with a user token of the Facebook login.
    Person,
    /// A page, by its id.
    Page(String),
    /// An Instagram account, by its id, with a token of the Instagram login.
    Account(String),
}

/// The person's grant in a dialog. `None` grants everything, as configured tokens do.
#[derive(Debug, Clone, Default)]
pub(crate) struct Grant {
    pub(crate) scopes: Option<BTreeSet<String>>,
    pub(crate) declined: BTreeSet<String>,
    /// The selected page ids.
    pub(crate) pages: Option<BTreeSet<String>>,
}

impl Grant {
    pub(crate) fn has(&self, scope: &str) -> bool {
        self.scopes.as_ref().is_none_or(|scopes| scopes.contains(scope))
    }

    pub(crate) fn covers_page(&self, id: &str) -> bool {
        self.pages.as_ref().is_none_or(|pages| pages.contains(id))
    }
}

/// An issued token.
#[derive(Debug, Clone)]
pub(crate) struct Minted {
    pub(crate) holder: Holder,
    pub(crate) grant: Grant,
    pub(crate) issued_ms: i64,
    /// `None`: never.
    pub(crate) expires_ms: Option<i64>,
    pub(crate) long_lived: bool,
    /// Increases with every token: events of an account concern earlier tokens.
    pub(crate) serial: u64,
}

/// An authorization code.
#[derive(Debug, Clone)]
pub(crate) struct Code {
    pub(crate) login: Login,
    pub(crate) redirect_uri: String,
    pub(crate) expires_ms: i64,
    pub(crate) used: bool,
    pub(crate) holder: Holder,
    pub(crate) grant: Grant,
}

/// Everything issued, including expired. `Debug` shows no value.
#[derive(Default)]
pub(crate) struct Tokens {
    minted: BTreeMap<String, Minted>,
    codes: BTreeMap<String, Code>,
    /// Single dead tokens with their subcode of 190.
    dead: HashMap<String, u32>,
    /// The page token issued to each user token: the same on every request.
    page_tokens: HashMap<(String, String), String>,
    next_serial: u64,
}

impl fmt::Debug for Tokens {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Tokens({} tokens, {} codes)", self.minted.len(), self.codes.len())
    }
}

impl Tokens {
    pub(crate) fn get(&self, token: &str) -> Option<&Minted> {
        self.minted.get(token)
    }

    /// Stores a token and sets its serial number.
    pub(crate) fn add(&mut self, token: String, minted: Minted) {
        let serial = self.next_serial;
        self.next_serial += 1;
        self.minted.insert(token, Minted { serial, ..minted });
    }

    /// The next serial number.
    pub(crate) fn next_serial(&self) -> u64 {
        self.next_serial
    }

    pub(crate) fn kill(&mut self, token: &str, subcode: u32) {
        self.dead.insert(token.to_owned(), subcode);
    }

    /// Invalidates every token so far whose holder `of` accepts.
    pub(crate) fn kill_all(&mut self, subcode: u32, of: impl Fn(&Holder) -> bool) {
        let dying: Vec<String> =
            self.minted.iter().filter(|(_, minted)| of(&minted.holder)).map(|(token, _)| token.clone()).collect();
        for token in dying {
            self.dead.entry(token).or_insert(subcode);
        }
    }

    /// The subcode of 190 if a token is refused. Configured tokens never expire.
    pub(crate) fn death(&self, token: &str, now_ms: i64) -> Option<u32> {
        if let Some(subcode) = self.dead.get(token) {
            return Some(*subcode);
        }
        let expired = self.minted.get(token)?.expires_ms.is_some_and(|expires| now_ms >= expires);
        expired.then_some(463)
    }

    /// The page token that was issued to a user token.
    pub(crate) fn page_token(&self, user_token: &str, page: &str) -> Option<String> {
        self.page_tokens.get(&(user_token.to_owned(), page.to_owned())).cloned()
    }

    pub(crate) fn remember_page_token(&mut self, user_token: &str, page: &str, token: &str) {
        self.page_tokens.insert((user_token.to_owned(), page.to_owned()), token.to_owned());
    }

    pub(crate) fn add_code(&mut self, value: String, code: Code) {
        self.codes.insert(value, code);
    }

    pub(crate) fn code(&self, value: &str) -> Option<&Code> {
        self.codes.get(value)
    }

    pub(crate) fn use_code(&mut self, value: &str) {
        if let Some(code) = self.codes.get_mut(value) {
            code.used = true;
        }
    }

    /// Every issued value.
    pub(crate) fn values(&self) -> Vec<Secret> {
        self.minted.keys().chain(self.codes.keys()).map(Secret::new).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_output_shows_no_token_and_no_code() {
        let mut tokens = Tokens::default();
        let minted = Minted {
            holder: Holder::Person,
            grant: Grant::default(),
            issued_ms: 0,
            expires_ms: Some(10),
            long_lived: false,
            serial: 0,
        };
        tokens.add("EAAvalue".to_owned(), minted);
        assert_eq!(format!("{tokens:?}"), "Tokens(1 tokens, 0 codes)");
        assert_eq!(tokens.death("EAAvalue", 9), None);
        assert_eq!(tokens.death("EAAvalue", 10), Some(463));
    }
}
