//! Connecting: the URL of the dialog, its result, and the account chosen.
//! What belongs here is the sequence of steps for both logins; tokens and pages have their own files.
//!
//! Sources: Meta, "Manually Build a Login Flow"; "Business Login for Instagram"; "Get Started" of both.

use channel_sdk::json::Json;
use channel_sdk::text::{clip, is_blank};

use super::call::{Answer, Call, Client, GET, Http, USER_TOKEN, invalid, push_parameters, record, text};
use super::pages::{self, lacking, not_granted, picture};
use super::token;
use super::{
    AccountError, AccountSettings, ConnectInput, ConnectRequest, ConnectStep, ConnectedAccount, HttpError, Outcome,
    Parameter, TimestampMs, Trouble,
};
use crate::outbound::is_id;
use crate::types::{Failure, FailureCategory, Setting, SettingValue};

/// The permissions requested for the Instagram login; the manifest lists the same.
pub(super) const INSTAGRAM_SCOPES: &[&str] = &["instagram_business_basic", "instagram_business_manage_messages"];

/// The most characters quoted from the dialog's error.
const QUOTED: usize = 200;

/// Begins or continues connecting.
pub(crate) fn connect(http: &dyn Http, request: ConnectRequest) -> Outcome<ConnectStep> {
    let ConnectRequest { login, redirect_uri, webhook_url: _, state, settings, input } = request;
    let asker = asker(login, settings);
    let client = Client::new(http, &asker)?;
    match input {
        ConnectInput::Start => dialog(&client, &redirect_uri, &state).map(ConnectStep::Visit),
        ConnectInput::Callback(parameters) => {
            has_code(&parameters)?;
            let exchanged = token::exchange(&client, &redirect_uri)?;
            if client.is_facebook() {
                token::prolong(&client)?;
                return choose(&client);
            }
            check_grants(&exchanged)?;
            let ends = token::prolong(&client)?.expiry();
            instagram(&client, ends).map(ConnectStep::Ready)
        }
        ConnectInput::Chosen(candidate) => select(&client, &candidate).map(ConnectStep::Ready),
        ConnectInput::Entered(_) | ConnectInput::Resumed | ConnectInput::Other(_) => {
            Err(invalid("This login has nothing to type in: begin with the dialog."))
        }
    }
}

/// Connects the account that the person chose.
fn select(client: &Client<'_>, candidate: &str) -> Outcome<ConnectedAccount> {
    if !client.is_facebook() {
        let account = instagram(client, None)?;
        return if account.id == candidate { Ok(account) } else { Err(Box::new(AccountError::Expired)) };
    }
    let mut offered = pages::offered(client)?.into_iter();
    let Some(chosen) = offered.find(|offered| offered.candidate.id == candidate && is_id(candidate)) else {
        return Err(Box::new(AccountError::Expired));
    };
    let page = chosen.candidate;
    let id = match (page.account_id, page.obstacle) {
        (Some(id), None) => id,
        (_, obstacle) => return Err(invalid(&obstacle.unwrap_or_default())),
    };
    let person = client.read("me", USER_TOKEN, "id")?;
    keep_page_token(client, candidate)?;
    Ok(ConnectedAccount {
        id,
        aliases: vec![candidate.to_owned()],
        authorized_by: text(&person.json(), "id"),
        name: chosen.account_name.unwrap_or(page.name),
        username: page.username,
        picture: page.picture,
        settings: vec![setting("login", "facebook"), setting("page-id", candidate)],
        // The page's token does not expire. What expires is the person's token, which renews it, and the data access.
        refresh_before: token::debug(client, USER_TOKEN).ok().as_ref().and_then(token::earliest_end),
    })
}

/// Reads the page's token into its slot.
pub(super) fn keep_page_token(client: &Client<'_>, page: &str) -> Outcome<Answer> {
    let settings = &client.settings;
    let kept = client.send(&Call {
        url: &[settings.host(), settings.version, "/", page],
        parameters: &[("fields", "access_token")],
        token: Some(USER_TOKEN),
        keeps: Some("page-token"),
        ..GET
    });
    kept.map_err(|error| match *error {
        AccountError::Http(HttpError::CaptureFailed(_)) => {
            refusal("Facebook gives no access to the page.", "Connect the account with a person who manages the page.")
        }
        _ => error,
    })
}

/// Account settings for the connect call, made from the channel's settings and the login.
fn asker(login: String, mut settings: Vec<Setting>) -> AccountSettings {
    settings.push(Setting { key: "login".to_owned(), value: SettingValue::Text(login) });
    AccountSettings { id: String::new(), settings, webhook_url: None }
}

fn setting(key: &str, value: &str) -> Setting {
    Setting { key: key.to_owned(), value: SettingValue::Text(value.to_owned()) }
}

fn dialog(client: &Client<'_>, redirect_uri: &str, state: &str) -> Outcome<String> {
    let (mut url, scopes) = if client.is_facebook() {
        (format!("https://www.facebook.com/{}/dialog/oauth?", client.settings.version), pages::SCOPES)
    } else {
        ("https://www.instagram.com/oauth/authorize?".to_owned(), INSTAGRAM_SCOPES)
    };
    let mut scope = scopes.join(",");
    if client.is_facebook() && client.asks_for_businesses() {
        scope.push(',');
        scope.push_str(pages::OF_BUSINESSES);
    }
    push_parameters(
        &mut url,
        &[
            ("client_id", client.app()?),
            ("redirect_uri", redirect_uri),
            ("state", state),
            ("response_type", "code"),
            ("scope", &scope),
        ],
    );
    Ok(url)
}

/// Succeeds if the dialog returned a code, which the host keeps in its slot; otherwise says why there is none.
fn has_code(parameters: &[Parameter]) -> Outcome<()> {
    let value = |name: &str| {
        let found = parameters.iter().find(|parameter| parameter.name == name);
        found.map(|parameter| parameter.value.as_str()).filter(|value| !is_blank(value))
    };
    if value("code").is_some() {
        return Ok(());
    }
    let words = value("error_description").or_else(|| value("error_message"));
    match (value("error").or_else(|| value("error_code")), words) {
        (Some("access_denied"), _) => {
            Err(denied("The person did not permit it. Connect again and agree in the dialog."))
        }
        (Some(error), words) => {
            let sentence = format!("Meta's dialog ended with an error: {}", clip(words.unwrap_or(error), QUOTED));
            Err(refusal(&sentence, "Check the app's id, its redirect addresses and whether it is live."))
        }
        (None, _) => Err(invalid("The address has no code: it is not one that Meta's dialog leads to.")),
    }
}

fn choose(client: &Client<'_>) -> Outcome<ConnectStep> {
    let candidates: Vec<_> = pages::offered(client)?.into_iter().map(|offered| offered.candidate).collect();
    if candidates.is_empty() {
        return Err(refusal(
            "Facebook shows no page of this person.",
            "Connect again as somebody with full access to the page, and tick the page in the dialog.",
        ));
    }
    Ok(ConnectStep::Choose(candidates))
}

/// A failure that shows in Meta's response but has no code of Meta's.
pub(super) fn refusal(sentence: &str, fix: &str) -> Trouble {
    Box::new(AccountError::Platform(Failure {
        category: FailureCategory::Other,
        code: None,
        subcode: None,
        message: sentence.to_owned(),
        fix: Some(fix.to_owned()),
        retry_after: None,
        trace_id: None,
    }))
}

fn denied(sentence: &str) -> Trouble {
    Box::new(AccountError::Denied(sentence.to_owned()))
}

/// Checks the permissions returned with the token, as a list or as one text. Older responses have none.
fn check_grants(exchanged: &Answer) -> Outcome<()> {
    let body = exchanged.json();
    let missing = match record(&body).get("permissions") {
        Some(Json::Text(names)) => {
            let granted: Vec<_> = names.split([',', ' ']).map(|name| Json::Text(name.into())).collect();
            lacking(INSTAGRAM_SCOPES, &granted)
        }
        Some(Json::List(granted)) => lacking(INSTAGRAM_SCOPES, granted),
        _ => return Ok(()),
    };
    if missing.is_empty() { Ok(()) } else { Err(denied(&not_granted(&missing))) }
}

/// The fields of an account of the Instagram login. `user_id` is its id in webhooks; `id` is app-specific and used in
/// callbacks.
pub(super) const INSTAGRAM_FIELDS: &str = "id,user_id,username,name,account_type,profile_picture_url";

fn instagram(client: &Client<'_>, refresh_before: Option<TimestampMs>) -> Outcome<ConnectedAccount> {
    let answer = client.read("me", client.settings.slot(), INSTAGRAM_FIELDS)?;
    let body = answer.json();
    let me = record(&body);
    if text(me, "account_type").is_some_and(|kind| kind == "PERSONAL") {
        return Err(invalid(pages::PERSONAL_ACCOUNT));
    }
    let Some(id) = text(me, "user_id") else {
        return Err(refusal("Instagram does not say the account's id.", "Try it again later."));
    };
    let username = text(me, "username");
    Ok(ConnectedAccount {
        name: text(me, "name").or_else(|| username.clone()).unwrap_or_else(|| id.clone()),
        id,
        aliases: Vec::new(),
        authorized_by: text(me, "id"),
        username,
        picture: picture(me),
        settings: vec![setting("login", "instagram")],
        refresh_before,
    })
}
