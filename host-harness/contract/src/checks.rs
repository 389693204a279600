//! Owns: checking a manifest's credentials: places, hosts and pointers must be valid and fit together.
//! Does not own: the manifest's other checks, and its shape (`manifest`).

use std::collections::BTreeSet;

use crate::{
    manifest::{Manifest, SIGNED_REQUEST, Slot, SlotPlace, SlotScope, is_scheme},
    setting_host::SettingHost,
    syntax::is_pointer,
};

type Problem = (String, String);

impl Manifest {
    /// Checks the slots and the places where requests carry them.
    pub(crate) fn check_credentials(&self) -> Result<(), Problem> {
        credentials(self)
    }
}

fn credentials(manifest: &Manifest) -> Result<(), Problem> {
    let proving: BTreeSet<&str> = manifest.proving_slots().map(String::as_str).collect();
    let hosts: BTreeSet<&str> = manifest.egress.iter().map(|rule| rule.host.as_str()).collect();
    for (name, slot) in &manifest.slots {
        let fail = |key: &str, problem: String| Err((format!("slots.{name}.{key}"), problem));
        if let Some(host) = slot.hosts.iter().find(|host| !hosts.contains(host.as_str())) {
            return fail("hosts", format!("no [[egress]] names the host `{host}`"));
        }
        for (key, places) in [("allowed-in", &slot.allowed_in), ("derived", &slot.derived)] {
            if let Some(problem) = places.iter().find_map(problem_of) {
                return fail(key, problem);
            }
        }
        derived(slot).or_else(|problem| fail("derived", problem))?;
        generated(slot).or_else(|problem| fail("generated", problem))?;
        captured(slot).or_else(|problem| fail("captured-from", problem))?;
        elsewhere(manifest, slot).or_else(|problem| fail("hosts", problem))?;
        if proving.contains(name.as_str()) && slot.allowed_in.iter().any(SlotPlace::is_key) {
            proves_and_derives(slot).or_else(|(key, problem)| fail(key, problem))?;
        }
    }
    for rule in &manifest.egress {
        let pointers = rule.shown.iter().flatten();
        if let Some(pointer) = pointers.into_iter().find(|pointer| !is_pointer(pointer)) {
            return Err(("egress.shown".into(), format!("`{pointer}` is no JSON pointer: it begins with `/`")));
        }
    }
    Ok(())
}

/// A secret shared by all accounts must not be sent to a host that one account names.
fn elsewhere(manifest: &Manifest, slot: &Slot) -> Result<(), String> {
    let named = |host: &str| SettingHost::read(host).is_some();
    if slot.scope == SlotScope::Account
        || slot.allowed_in.is_empty()
        || !manifest.egress.iter().any(|rule| named(&rule.host))
    {
        return Ok(());
    }
    if slot.hosts.is_empty() || slot.hosts.iter().any(|host| named(host)) {
        return Err(
            "accounts name hosts in their settings, and only an account's own credential may go there: list the \
                    other hosts"
                .into(),
        );
    }
    Ok(())
}

fn derived(slot: &Slot) -> Result<(), String> {
    if slot.derived.is_empty() {
        return Ok(());
    }
    let mut keys = slot.allowed_in.iter().filter(|place| place.is_key()).peekable();
    if keys.peek().is_none() {
        return Err("nothing is derived with a slot whose `allowed-in` has no key, such as `hmac-key`".into());
    }
    if slot.derived.iter().any(SlotPlace::is_derived_from) {
        return Err("a derived value stands in a request, and is no part of another".into());
    }
    let signature = SlotPlace::Authorization(SIGNED_REQUEST.into());
    if keys.all(|key| *key == SlotPlace::AwsSecretKey) && slot.derived.iter().any(|place| *place != signature) {
        return Err(format!("the signature of a request goes to `{{ authorization = '{SIGNED_REQUEST}' }}` alone"));
    }
    Ok(())
}

fn generated(slot: &Slot) -> Result<(), String> {
    if slot.generated && slot.scope == SlotScope::Connect {
        return Err(
            "what is forgotten after connecting is not made by the host: the scope is `app` or `account`".into()
        );
    }
    if slot.generated && !slot.captured_from.is_empty() {
        return Err("the host makes it, so no answer fills it: `captured-from` is for other slots".into());
    }
    Ok(())
}

fn captured(slot: &Slot) -> Result<(), String> {
    if slot.captured_from.is_empty() {
        return Ok(());
    }
    if !slot.allowed_in.contains(&SlotPlace::HmacMessage) {
        return Err(
            "it bounds what a message of a derived value is filled from, and `allowed-in` has no `hmac-message`".into(),
        );
    }
    if slot.scope == SlotScope::App {
        return Err("no answer fills a slot of the scope `app`".into());
    }
    match slot.captured_from.iter().find(|pointer| !is_pointer(pointer)) {
        Some(pointer) => Err(format!("`{pointer}` is no JSON pointer: it begins with `/`")),
        None => Ok(()),
    }
}

/// A value derived with a webhook secret is a signature like the platform's own, for anyone who can read it.
fn proves_and_derives(slot: &Slot) -> Result<(), (&'static str, String)> {
    if slot.derived.is_empty() {
        return Err(("derived", "a secret of webhooks is a key for named places only, and none is named".into()));
    }
    let readable = |place: &&SlotPlace| {
        !matches!(place, SlotPlace::Authorization(_) | SlotPlace::Basic | SlotPlace::Header(_) | SlotPlace::Query(_))
    };
    if slot.derived.iter().find(readable).is_some() {
        let problem = "what a secret of webhooks derives goes into headers and queries, not where a person may read it";
        return Err(("derived", problem.into()));
    }
    if slot.hosts.is_empty() {
        return Err(("hosts", "a secret of webhooks that is a key names the hosts to which the value goes".into()));
    }
    Ok(())
}

/// Why a place is invalid.
fn problem_of(place: &SlotPlace) -> Option<String> {
    let is_token = |name: &str| {
        !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.[]".contains(&byte))
    };
    match place {
        SlotPlace::Authorization(scheme) => {
            (!is_scheme(scheme)).then(|| "the scheme of an authorization header is a token, such as `Bearer`".into())
        }
        place if *place == SlotPlace::Basic || place.is_derived_from() => None,
        SlotPlace::Header(name) => {
            let lower = is_token(name) && !name.bytes().any(|byte| byte.is_ascii_uppercase());
            (!lower).then(|| format!("names of headers are lower case, found `{name}`"))
        }
        SlotPlace::Query(name) | SlotPlace::FormField(name) | SlotPlace::Path(name) => {
            (!is_token(name)).then(|| format!("`{name}` is no name of a parameter"))
        }
        SlotPlace::Json(pointer) => {
            (!is_pointer(pointer)).then(|| format!("`{pointer}` is no JSON pointer: it begins with `/`"))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
    use crate::manifest::Manifest;

    const REST: &str = "
[channel]
id = 'x'
name = 'X'
version = '1'
contract = '0.2.0'
[webhook.verification]
scheme = 'shared-secret-header'
header = 'x-secret'
secrets = ['secret']
[[egress]]
host = 'api.example.com'
methods = ['GET']
paths = ['/**']
";

    fn problem(slots: &str) -> String {
        Manifest::parse(&format!("{REST}{slots}"), "x").map(|_| String::new()).unwrap_or_else(|error| error.to_string())
    }

    const PROVES: &str = "[slots.secret]\nscope = 'app'\n";

    #[test]
    fn where_derived_values_go_and_messages_come_from_is_checked() {
        let other = |rest: &str| problem(&format!("{PROVES}[slots.other]\nscope = 'account'\n{rest}"));
        assert_eq!(
            other(
                "allowed-in = ['hmac-key', 'hmac-message', { authorization = 'Bearer' }]\nderived = [{ query = 'proof' }]\ncaptured-from = ['/access_token']"
            ),
            ""
        );
        for rest in [
            "allowed-in = ['jwt-hs256-key', 'jwt-rs256-key']\nderived = [{ json = '/assertion' }]",
            "allowed-in = ['aws-access-key-id']",
            "allowed-in = ['aws-secret-key']\nderived = [{ authorization = 'AWS4-HMAC-SHA256' }]",
        ] {
            assert_eq!(other(rest), "");
        }
        for (rest, words) in [
            ("derived = [{ query = 'proof' }]", "has no key"),
            ("allowed-in = ['hmac-key']\nderived = ['hmac-message']", "no part of another"),
            ("allowed-in = ['hmac-key']\nderived = ['somewhere']", "somewhere"),
            ("allowed-in = ['hmac-key']\nderived = [{ query = '' }]", "no name of a parameter"),
            ("allowed-in = ['jwt-rs256-key']\nderived = ['aws-secret-key']", "no part of another"),
            ("allowed-in = ['aws-access-key-id']\nderived = [{ authorization = 'AWS4-HMAC-SHA256' }]", "has no key"),
            ("allowed-in = ['aws-secret-key']\nderived = [{ query = 'signature' }]", "AWS4-HMAC-SHA256"),
            ("allowed-in = [{ authorization = 'Bearer x' }]", "is a token"),
            ("allowed-in = [{ header = 'X-Key' }]", "lower case"),
            ("allowed-in = [{ json = 'text' }]", "no JSON pointer"),
            ("captured-from = ['/access_token']", "no `hmac-message`"),
            ("allowed-in = ['hmac-message']\ncaptured-from = ['access_token']", "no JSON pointer"),
            ("allowed-in = ['hmac-message']\ncaptured-from = ['']", "no JSON pointer"),
            ("hosts = ['elsewhere.example.com']", "no [[egress]] names the host"),
        ] {
            let problem = other(rest);
            assert!(
                problem.contains(words) && problem.contains("slots.other") || words == "somewhere",
                "{rest}: {problem}"
            );
            assert!(problem.contains(words), "{rest}: {problem}");
        }
        let app = problem(&format!(
            "{PROVES}[slots.other]\nscope = 'app'\nallowed-in = ['hmac-message']\ncaptured-from = ['/x']"
        ));
        assert!(app.contains("scope `app`"), "{app}");
    }

    #[test]
    fn a_secret_of_webhooks_is_a_key_for_its_declared_places_only() {
        let host = "hosts = ['api.example.com']";
        let token =
            problem(&format!("{PROVES}allowed-in = ['jwt-hs256-key']\nderived = [{{ json = '/text' }}]\n{host}"));
        assert!(token.contains("not where a person may read it"), "{token}");
        let proves = |rest: &str| problem(&format!("{PROVES}allowed-in = ['hmac-key']\n{rest}"));
        assert_eq!(proves(&format!("derived = [{{ query = 'proof' }}]\n{host}")), "");
        assert!(proves(host).contains("none is named"));
        for readable in ["{ json = '/text' }", "{ form-field = 'text' }", "{ path = 'text' }"] {
            let problem = proves(&format!("derived = [{readable}]\n{host}"));
            assert!(problem.contains("not where a person may read it"), "{problem}");
        }
        assert!(proves("derived = [{ query = 'proof' }]").contains("names the hosts"));
    }

    #[test]
    fn a_secret_that_the_host_makes_comes_from_nowhere_else() {
        let with = |rest: &str| problem(&format!("{PROVES}generated = true\n[slots.other]\ngenerated = true\n{rest}"));
        assert_eq!(with("scope = 'account'\nallowed-in = [{ json = '/secret_token' }]"), "");
        assert!(with("scope = 'connect'").contains("the scope is `app` or `account`"));
        let captured = "scope = 'account'\nallowed-in = ['hmac-message']\ncaptured-from = ['/token']";
        assert!(with(captured).contains("no answer fills it"));
    }

    #[test]
    fn only_an_accounts_own_credential_may_go_to_a_host_that_the_account_names() {
        const NAMED: &str = "[[egress]]\nhost = '{setting:server}'\nmethods = ['GET']\npaths = ['/**']\n";
        const SERVER: &str = "[settings.server]\ntype = 'text'\n";
        let with = |slot: &str| problem(&format!("{NAMED}{SERVER}{PROVES}[slots.other]\n{slot}"));
        let bearer = "allowed-in = [{ authorization = 'Bearer' }]";
        assert_eq!(with(&format!("scope = 'account'\n{bearer}")), "");
        assert_eq!(with(&format!("scope = 'account'\n{bearer}\nhosts = ['{{setting:server}}']")), "");
        assert_eq!(with("scope = 'app'"), "");
        assert_eq!(with(&format!("scope = 'app'\n{bearer}\nhosts = ['api.example.com']")), "");
        for wide in ["", "hosts = ['{setting:server}']", "hosts = ['api.example.com', '{setting:server}']"] {
            for scope in ["app", "connect"] {
                let problem = with(&format!("scope = '{scope}'\n{bearer}\n{wide}"));
                assert!(problem.contains("only an account's own credential"), "{scope} {wide}: {problem}");
            }
        }
    }

    #[test]
    fn a_host_by_setting_names_a_text_of_the_account() {
        let with = |host: &str, setting: &str| {
            problem(&format!("[[egress]]\nhost = '{host}'\nmethods = ['GET']\npaths = ['/**']\n{PROVES}{setting}"))
        };
        let text = "[settings.server]\ntype = 'text'\n";
        assert_eq!(with("{setting:server}", text) + &with("{setting:server}.example.com", text), "");
        for (host, setting) in [
            ("{setting:server}", ""),
            ("{setting:other}", text),
            ("{setting:server}", "[settings.server]\ntype = 'number'\n"),
            ("{setting:server}", "[settings.server]\ntype = 'text'\nscope = 'channel'\n"),
            ("{setting:server}", "[settings.server]\ntype = 'text'\nscope = 'both'\n"),
        ] {
            let problem = with(host, setting);
            assert!(problem.contains("not a setting of the type `text` and the scope `account`"), "{host}: {problem}");
        }
        for host in
            ["{server}", "*.{setting:server}", "{setting:server}.com", "{setting:server}:8443", "{setting:server"]
        {
            let problem = with(host, text);
            assert!(problem.contains("neither an exact lower-case host name"), "{host}: {problem}");
        }
    }

    #[test]
    fn what_is_shown_of_credentials_is_named_by_pointers() {
        let shown = |pointers: &str| problem(&format!("shown = {pointers}\n{PROVES}"));
        assert_eq!(shown("[]") + &shown("['/expires_in', '/data/*/id']"), "");
        assert!(shown("['']").contains("no JSON pointer") && shown("['expires_in']").contains("no JSON pointer"));
    }
}
