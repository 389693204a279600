//! Credentials in memory. They leave this module only into a request that was checked, or into a MAC;
//! they are wiped when dropped and have no readable form. Belongs here: keeping and finding them.

use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, PoisonError, RwLock},
};

use zeroize::Zeroizing;

use crate::egress::EgressError;

/// A credential.
#[derive(Clone)]
pub struct Secret(Arc<Zeroizing<Vec<u8>>>);

impl Secret {
    /// Takes the bytes over.
    pub fn new(bytes: Vec<u8>) -> Self {
        Self(Arc::new(Zeroizing::new(bytes)))
    }

    /// For the places that put it into a request or a MAC.
    pub(crate) fn expose(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// The manifest's name of a slot: several credentials of one kind are told apart behind a colon.
pub(crate) fn declared_slot(slot: &str) -> &str {
    slot.split_once(':').map_or(slot, |(declared, _)| declared)
}

/// The longest name of a slot, with what stands behind the colon.
const MAX_SLOT_NAME: usize = 192;

/// Names that a channel makes up stand in errors, in logs and in the inbox's file.
pub(crate) fn check_slot_name(slot: &str) -> Result<(), EgressError> {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.:".contains(&byte);
    if slot.is_empty() || slot.len() > MAX_SLOT_NAME || !slot.bytes().all(fits) {
        return Err(EgressError::Invalid(
            "the name of a credential has letters, digits, `-`, `_`, `.` and one `:`".into(),
        ));
    }
    Ok(())
}

/// Which credential.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct SecretKey {
    /// The channel's id.
    pub channel: String,
    /// The platform's id of the account; none for a slot of the whole channel.
    pub account: Option<String>,
    /// The slot's name in the manifest.
    pub slot: String,
}

/// The credentials of a host. Cloning shares them.
#[derive(Clone, Debug, Default)]
pub struct Secrets {
    slots: Arc<RwLock<HashMap<SecretKey, Secret>>>,
    /// Replaced ones that still prove where a webhook comes from, each until a time.
    previous: Arc<RwLock<Vec<(SecretKey, Secret, u64)>>>,
}

impl Secrets {
    /// Fills a slot.
    pub fn set(&self, key: SecretKey, secret: Secret) {
        self.slots.write().unwrap_or_else(PoisonError::into_inner).insert(key, secret);
    }

    /// Keeps a secret that was replaced: it proves where webhooks come from until then, and fills no request.
    pub fn set_previous(&self, key: SecretKey, secret: Secret, until: u64) {
        let mut previous = self.previous.write().unwrap_or_else(PoisonError::into_inner);
        previous.retain(|(known, _, _)| *known != key);
        previous.push((key, secret, until));
    }

    /// Puts these credentials in the place of all that an account had, in one step: nobody meets it with none.
    pub(crate) fn replace(&self, channel: &str, account: &str, credentials: Vec<(SecretKey, Secret)>) {
        let mut slots = self.slots.write().unwrap_or_else(PoisonError::into_inner);
        slots.retain(|key, _| key.channel != channel || key.account.as_deref() != Some(account));
        slots.extend(credentials);
    }

    /// Forgets every credential of an account.
    pub(crate) fn forget(&self, channel: &str, account: &str) {
        let mut slots = self.slots.write().unwrap_or_else(PoisonError::into_inner);
        slots.retain(|key, _| key.channel != channel || key.account.as_deref() != Some(account));
    }

    /// The credential for a slot as a request of this account sees it: the account's own, or the channel's.
    pub(crate) fn find(&self, channel: &str, account: &str, slot: &str) -> Option<Secret> {
        let slots = self.slots.read().unwrap_or_else(PoisonError::into_inner);
        let key = |account: Option<&str>| SecretKey {
            channel: channel.to_owned(),
            account: account.map(str::to_owned),
            slot: slot.to_owned(),
        };
        slots.get(&key(Some(account))).or_else(|| slots.get(&key(None))).cloned()
    }

    /// The credential that a channel has for all its accounts.
    pub(crate) fn of_app(&self, channel: &str, slot: &str) -> Option<Secret> {
        let slots = self.slots.read().unwrap_or_else(PoisonError::into_inner);
        slots.get(&SecretKey { channel: channel.to_owned(), account: None, slot: slot.to_owned() }).cloned()
    }

    /// Every credential of a channel in a slot, with the account that it belongs to; also those that were
    /// replaced and are still accepted.
    pub(crate) fn in_slot(&self, channel: &str, slot: &str, now: u64) -> Vec<(Option<String>, Secret)> {
        let wanted = |key: &SecretKey| key.channel == channel && key.slot == slot;
        let mut found = self.select(wanted);
        let previous = self.previous.read().unwrap_or_else(PoisonError::into_inner);
        let accepted = previous.iter().filter(|(key, _, until)| wanted(key) && now < *until);
        found.extend(accepted.map(|(key, secret, _)| (key.account.clone(), secret.clone())));
        found
    }

    /// Every credential of a channel: what a request of a channel must not contain by itself.
    pub(crate) fn of_channel(&self, channel: &str) -> Vec<(Option<String>, Secret)> {
        self.select(|key| key.channel == channel)
    }

    fn select(&self, wanted: impl Fn(&SecretKey) -> bool) -> Vec<(Option<String>, Secret)> {
        let slots = self.slots.read().unwrap_or_else(PoisonError::into_inner);
        slots.iter().filter(|(key, _)| wanted(key)).map(|(key, secret)| (key.account.clone(), secret.clone())).collect()
    }
}
