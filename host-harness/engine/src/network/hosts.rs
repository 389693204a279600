//! Owns: filling the hosts from an account's settings into the egress rules and slots of its channel.
//! Does not own: which setting names which host (the manifest), which requests are allowed (egress).

use std::{borrow::Cow, collections::BTreeMap};

use harness_contract::{
    Setting,
    manifest::{EgressRule, Slot},
    setting_host::SettingHost,
};

/// The egress rules and slots for an account with these settings. A host that the settings do not resolve stays as
/// written in the manifest, where it matches no address.
pub(super) fn for_account<'m>(
    rules: &'m [EgressRule],
    slots: &'m BTreeMap<String, Slot>,
    settings: &[Setting],
) -> (Cow<'m, [EgressRule]>, Cow<'m, BTreeMap<String, Slot>>) {
    // Most channels name no hosts in settings.
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
