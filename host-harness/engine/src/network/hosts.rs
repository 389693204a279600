//! Owns: the hosts that an account names in its settings, put into the rules and slots of its channel.
//! Does not own: which setting names which host (the manifest), what may leave (egress).

use std::{borrow::Cow, collections::BTreeMap};

use harness_contract::{
    Setting,
    manifest::{EgressRule, Slot},
    setting_host::SettingHost,
};

/// The rules, and the slots with the hosts that they may go to, for an account with these settings. What a setting does
/// not resolve stays as the manifest writes it, which no address matches.
pub(super) fn for_account<'m>(
    rules: &'m [EgressRule],
    slots: &'m BTreeMap<String, Slot>,
    settings: &[Setting],
) -> (Cow<'m, [EgressRule]>, Cow<'m, BTreeMap<String, Slot>>) {
    // Most channels have none.
    if rules.iter().all(|rule| SettingHost::read(&rule.host).is_none()) {
        return (Cow::Borrowed(rules), Cow::Borrowed(slots));
    }
    let resolve = |host: &mut String| {
        if let Some(resolved) = SettingHost::read(host).and_then(|named| named.resolve(settings)) {
            *host = resolved;
        }
    };
    let (mut rules, mut slots) = (rules.to_vec(), slots.clone());
    rules.iter_mut().for_each(|rule| resolve(&mut rule.host));
    slots.values_mut().flat_map(|slot| &mut slot.hosts).for_each(resolve);
    (Cow::Owned(rules), Cow::Owned(slots))
}
