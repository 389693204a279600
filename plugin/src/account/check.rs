//! The health check: tests every prerequisite of a connection and reports a line for each.
//! What belongs here is the questions and the interpretation of the answers. A question that cannot be answered says
//! why, and does not stop the others.
//!
//! Sources: Meta, "Debug Token", "Error Codes" of the Messenger Platform, and the fields of the nodes.

use channel_sdk::json::Json;

use super::app_webhook::{self, Standing};
use super::call::{Answer, Call, Client, GET, is_about, list, record, text};
use super::connect::{INSTAGRAM_FIELDS, INSTAGRAM_SCOPES};
use super::pages::{self, LINKED, lacking};
use super::subscription::missing_fields;
use super::token;
use super::{AccountError, CheckLevel, CheckResult, HttpError, Outcome};
use crate::time::DAY;
use crate::types::FailureCategory;

/// Credentials that expire within this many days cause a warning.
const WARN_DAYS: u64 = 10;

const RECONNECT: &str = "Connect the account again.";
const GRANT: &str = "Connect the account again and leave every permission switched on.";
const LINK: &str = "Link the Instagram account to the page in the page's settings, or connect the account again.";
const SUBSCRIBE: &str = "Subscribe the account to webhooks again.";
const GO_LIVE: &str = "Set the app to live mode at Meta: until then only people with a role in it can be answered.";
const SWITCH_KIND: &str = "Switch it to a business or creator account in the Instagram app.";

/// The lines reported so far.
struct Lines {
    results: Vec<CheckResult>,
    /// Whether a response said that the app is not live.
    app_mode: bool,
}

impl Lines {
    fn add(&mut self, name: &str, level: CheckLevel, finding: &str, fix: &str) {
        let fix = (!fix.is_empty()).then(|| fix.to_owned());
        self.results.push(CheckResult { name: name.to_owned(), level, finding: finding.to_owned(), fix });
    }

    fn passed(&mut self, name: &str, finding: &str) {
        self.add(name, CheckLevel::Passed, finding, "");
    }

    fn failed(&mut self, name: &str, finding: &str, fix: &str) {
        self.add(name, CheckLevel::Failed, finding, fix);
    }

    fn skipped(&mut self, name: &str, why: &str) {
        self.add(name, CheckLevel::Skipped, &format!("Not known: {why}"), "");
    }

    /// Adds a line for a question that Meta or the host refused.
    fn refused(&mut self, name: &str, error: &AccountError) {
        match error {
            AccountError::Platform(failure) if !is_about(error, PASSING) => {
                self.app_mode |= failure.category == FailureCategory::AppMode;
                self.failed(name, &failure.message, failure.fix.as_deref().unwrap_or_default());
            }
            _ => self.skipped(name, &reason(error)),
        }
    }

    /// Adds lines for questions that cannot be answered.
    fn skip(&mut self, names: &[&str], error: &AccountError) {
        for name in names {
            self.skipped(name, &reason(error));
        }
    }
}

/// Failures that say nothing about the connection itself.
const PASSING: &[FailureCategory] = &[FailureCategory::PlatformTransient, FailureCategory::RateLimited];

/// The sentence of an error.
fn reason(error: &AccountError) -> String {
    let sentence = match error {
        AccountError::Platform(failure) => &failure.message,
        AccountError::InvalidInput(sentence) => sentence,
        AccountError::Http(HttpError::Unreachable(_)) => "Meta could not be reached.",
        AccountError::Http(HttpError::TimedOut) => "Meta did not answer in time.",
        AccountError::Http(HttpError::MissingSlot(slot)) => return format!("The credential `{slot}` is missing."),
        AccountError::Http(HttpError::Denied(rule)) => return format!("The host refused the request: {rule}"),
        _ => "The request could not be carried out.",
    };
    sentence.to_owned()
}

/// The lines after `token-valid`: for an account of the Facebook login, and of the Instagram login.
const FACEBOOK: &[&str] = &[
    "token-expiry",
    "data-access",
    "permissions",
    "page-task",
    "page-link",
    "account-type",
    "webhook-fields",
    "app-webhook",
    "message-access",
    "app-mode",
    "api-version",
];
const INSTAGRAM: &[&str] = &[
    "token-expiry",
    "permissions",
    "account-type",
    "webhook-fields",
    "app-webhook",
    "message-access",
    "app-mode",
    "api-version",
];

/// Tests the connection.
pub(super) fn check(client: &Client<'_>) -> Vec<CheckResult> {
    let mut lines = Lines { results: Vec::new(), app_mode: false };
    let facebook = client.is_facebook();
    let (node, fields, rest) = match facebook {
        true => (client.settings.node.as_str(), "id,name,instagram_business_account{id,username}", FACEBOOK),
        false => ("me", INSTAGRAM_FIELDS, INSTAGRAM),
    };
    let own = match client.read(node, client.settings.slot(), fields) {
        Ok(answer) => answer,
        Err(error) => {
            // Without a working token no other question can be asked.
            match *error {
                AccountError::Platform(_) => lines.refused("token-valid", &error),
                _ => lines.failed("token-valid", &reason(&error), ""),
            }
            lines.skip(rest, &error);
            return lines.results;
        }
    };
    lines.passed("token-valid", "Meta accepts the token.");
    let body = own.json();
    if facebook {
        of_token(&mut lines, client, own.now());
        of_page(&mut lines, client, &body);
    }
    let access = message_access(client);
    if !facebook {
        lines.skipped("token-expiry", "Instagram does not tell when a token ends; it is renewed in time.");
        match &access {
            Ok(_) => granted(&mut lines, INSTAGRAM_SCOPES),
            Err(error) => lines.refused("permissions", error),
        }
        account_type(&mut lines, text(record(&body), "account_type"));
    }
    webhook_fields(&mut lines, client);
    of_app_webhook(&mut lines, client);
    match &access {
        Ok(_) => lines.passed("message-access", "Conversations can be read."),
        Err(error) => lines.refused("message-access", error),
    }
    match lines.app_mode {
        true => lines.failed("app-mode", "The app is not live.", GO_LIVE),
        false => lines.skipped("app-mode", "no answer of Meta's tells whether the app is live. The switch at the top of its dashboard shows it; in development, messages of people without a role in the app never arrive."),
    }
    api_version(&mut lines, client, &own);
    lines.results
}

fn granted(lines: &mut Lines, permissions: &[&str]) {
    lines.passed("permissions", &format!("Granted: {}.", permissions.join(", ")));
}

/// The three lines answered by `debug_token`.
fn of_token(lines: &mut Lines, client: &Client<'_>, now: Option<u64>) {
    let debugged = match token::debug(client, client.settings.slot()) {
        Ok(answer) => answer,
        Err(error) => return lines.skip(&["token-expiry", "data-access", "permissions"], &error),
    };
    let body = debugged.json();
    let token = record(&body);
    ends(lines, "token-expiry", "The token", token::end(token, "expires_at"), now);
    ends(lines, "data-access", "The access to data", token::end(token, "data_access_expires_at"), now);
    let missing = lacking(pages::SCOPES, list(token, "scopes"));
    match missing.is_empty() {
        true => granted(lines, pages::SCOPES),
        false => lines.failed("permissions", &format!("Missing: {missing}."), GRANT),
    }
}

/// Adds a line about when an access expires.
fn ends(lines: &mut Lines, name: &str, what: &str, end: Option<u64>, now: Option<u64>) {
    let (Some(end), Some(now)) = (end, now) else {
        let word = if end.is_none() { " does not end." } else { " ends some day." };
        return lines.passed(name, &format!("{what}{word}"));
    };
    if end <= now {
        return lines.failed(name, &format!("{what} has ended."), RECONNECT);
    }
    let days = (end - now) / DAY;
    let (level, fix) = match days < WARN_DAYS {
        true => (CheckLevel::Warning, RECONNECT),
        false => (CheckLevel::Passed, ""),
    };
    lines.add(name, level, &format!("{what} ends in {days} days."), fix);
}

/// Adds lines about the person's role on the page and the page's linked account.
fn of_page(lines: &mut Lines, client: &Client<'_>, page: &Json<'_>) {
    let mut found = None;
    let listed = pages::each(client, &mut |page| {
        if text(page, "id").as_deref() == Some(client.settings.node.as_str()) {
            found = Some(pages::missing_tasks(page));
        }
    });
    let name = "page-task";
    match (listed, found.as_deref()) {
        // The person's token may have expired while the page's still works.
        (Err(error), _) => lines.skip(&[name], &error),
        (_, Some("")) => lines.passed(name, "The person who connected the account may answer for the page."),
        (_, Some(missing)) => {
            lines.failed(name, &format!("Missing on the page: {missing}."), "Ask the page's administrator for it.");
        }
        (_, None) => lines.failed(name, "The person who connected the account has no task on the page.", RECONNECT),
    }
    let linked = page.get(LINKED).and_then(|linked| text(linked, "id"));
    match &linked {
        Some(id) if id == client.account => lines.passed("page-link", "The page is linked to this account."),
        Some(_) => lines.failed("page-link", "The page is linked to another Instagram account.", LINK),
        None => lines.failed("page-link", "The page is linked to no business or creator account.", LINK),
    }
    match linked {
        Some(_) => lines.passed("account-type", "It is a business or creator account."),
        None => lines.skipped("account-type", "the page shows no such account."),
    }
}

fn account_type(lines: &mut Lines, kind: Option<String>) {
    let name = "account-type";
    match kind.as_deref() {
        Some("PERSONAL") => lines.failed(name, "It is a personal account.", SWITCH_KIND),
        Some(kind) => lines.passed(name, &format!("It is a professional account: {kind}.")),
        None => lines.skipped(name, "Instagram does not say what kind of account it is."),
    }
}

fn webhook_fields(lines: &mut Lines, client: &Client<'_>) {
    let name = "webhook-fields";
    match missing_fields(client) {
        Err(error) => lines.refused(name, &error),
        Ok(None) => lines.failed(name, "The app is not subscribed to the account's webhooks.", SUBSCRIBE),
        Ok(Some(missing)) if missing.is_empty() => lines.passed(name, "Webhooks are subscribed."),
        Ok(Some(missing)) => lines.failed(name, &format!("Not subscribed: {missing}."), SUBSCRIBE),
    }
}

/// Adds a line about where Meta sends the app's webhooks.
fn of_app_webhook(lines: &mut Lines, client: &Client<'_>) {
    let name = "app-webhook";
    // For the Facebook login, the token lines have already requested the app's token.
    let asked = if client.is_facebook() { Ok(()) } else { token::of_app(client).map(|_| ()) };
    let problem = match asked.and_then(|()| app_webhook::standing(client)) {
        Ok(Standing::Set(address)) => {
            return lines.passed(name, &format!("Meta sends this app's webhooks to {address}."));
        }
        Ok(Standing::Unset) => "The Meta app has no address for its webhooks of Instagram.".to_owned(),
        Ok(Standing::Elsewhere(address)) => format!("Meta sends this app's webhooks to {address} and not here."),
        Ok(Standing::Lacks(missing)) => format!("The Meta app's webhook lacks the fields {missing}."),
        // It may be configured anyway; other lines show whether anything arrives.
        Err(error) => {
            let finding = format!("Not known: {}", reason(&error));
            return lines.add(name, CheckLevel::Skipped, &finding, &app_webhook::by_hand(client));
        }
    };
    lines.failed(name, &problem, &app_webhook::by_hand(client));
}

/// Reading conversations shows whether the owner switched on access to messages.
fn message_access(client: &Client<'_>) -> Outcome<Answer> {
    let url = client.settings.url("conversations");
    let parameters = [("platform", "instagram"), ("fields", "id"), ("limit", "1")];
    let token = Some(client.settings.slot());
    client.send(&Call { url: &[&url], parameters: &parameters, token, ..GET })
}

/// If the requested version is retired, Meta answers with a newer one.
fn api_version(lines: &mut Lines, client: &Client<'_>, answer: &Answer) {
    let asked = client.settings.version;
    let header = if client.is_facebook() { "facebook-api-version" } else { "instagram-api-version" };
    match answer.header(header) {
        Some(used) if used != asked => {
            let finding = format!("Meta answers with {used} instead of {asked}.");
            let fix = "Set the account's API version to one that Meta has.";
            lines.add("api-version", CheckLevel::Warning, &finding, fix);
        }
        _ => lines.passed("api-version", &format!("Meta takes {asked}.")),
    }
}
