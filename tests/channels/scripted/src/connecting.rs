//! Connecting step by step as the channel's setting `connecting` says: a list of steps in JSON, one for each call. The account
//! that comes of it is named after all that the channel was told meanwhile. Belongs here: those steps.

use channel_sdk::{
    account::{ConnectInput, ConnectRequest, ConnectStep, ConnectedAccount, InputField, Waiting},
    storage,
    types::*,
};
use serde::Deserialize;

/// One step. `ready` carries the account's id.
#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Step {
    Enter(Vec<Field>),
    Wait(Wait),
    Visit(String),
    Ready(String),
    Invalid(String),
    Unreachable,
}

#[derive(Deserialize)]
struct Field {
    key: String,
    label: String,
    #[serde(default)]
    hint: Option<String>,
    #[serde(default)]
    secret: bool,
    kind: String,
    #[serde(default)]
    one_of: Vec<String>,
    #[serde(default)]
    default: Option<String>,
}

#[derive(Deserialize)]
struct Wait {
    text: String,
    #[serde(default)]
    qr: Option<String>,
    #[serde(default)]
    code: Option<String>,
    again_after: u64,
    #[serde(default)]
    until: Option<u64>,
}

pub(crate) fn step(request: ConnectRequest) -> Result<ConnectStep, AccountError> {
    let text = request.settings.iter().find_map(|setting| match &setting.value {
        SettingValue::Text(text) if setting.key == "connecting" => Some(text.as_str()),
        _ => None,
    });
    let steps: Vec<Step> = serde_json::from_str(text.ok_or(AccountError::Unsupported)?)
        .map_err(|error| AccountError::Other(error.to_string()))?;
    let begins = matches!(request.input, ConnectInput::Start);
    let turn = if begins { 0 } else { kept("turn")?.trim().parse::<usize>().unwrap_or_default() };
    let seen = if begins { String::new() } else { kept("seen")? };
    let seen = format!("{seen}{};", told(&request.input));
    keep("turn", &(turn + 1).to_string())?;
    keep("seen", &seen)?;
    if let ConnectInput::Entered(settings) = &request.input {
        let pairs = settings.iter().map(|setting| format!("{}={}\n", setting.key, text_of(&setting.value)));
        keep("entered", &(kept("entered")? + &pairs.collect::<String>()))?;
    }
    match steps.into_iter().nth(turn) {
        Some(Step::Enter(fields)) => Ok(ConnectStep::Enter(fields.into_iter().map(field).collect())),
        Some(Step::Wait(Wait { text, qr, code, again_after, until })) => {
            Ok(ConnectStep::Wait(Waiting { text, qr, code, again_after, until }))
        }
        Some(Step::Visit(address)) => Ok(ConnectStep::Visit(format!("{address}?state={}", request.state))),
        Some(Step::Ready(id)) => Ok(ConnectStep::Ready(ready(id, seen)?)),
        Some(Step::Invalid(sentence)) => Err(AccountError::InvalidInput(sentence)),
        Some(Step::Unreachable) => Err(AccountError::Http(HttpError::Unreachable("scripted".into()))),
        None => Err(AccountError::Expired),
    }
}

/// All that the channel was told.
fn told(input: &ConnectInput) -> String {
    match input {
        ConnectInput::Start => "start".into(),
        ConnectInput::Callback(parameters) => {
            let named: Vec<_> = parameters.iter().map(|one| format!("{}={}", one.name, one.value)).collect();
            format!("callback {}", named.join(" "))
        }
        ConnectInput::Entered(settings) => {
            let named: Vec<_> = settings.iter().map(|one| format!("{}={}", one.key, text_of(&one.value))).collect();
            format!("entered {}", named.join(" "))
        }
        ConnectInput::Chosen(id) => format!("chosen {id}"),
        ConnectInput::Resumed => "resumed".into(),
        ConnectInput::Other(other) => other.clone(),
    }
}

fn text_of(value: &SettingValue) -> String {
    match value {
        SettingValue::Text(text) => text.clone(),
        SettingValue::Number(number) => number.to_string(),
        SettingValue::Flag(flag) => flag.to_string(),
        SettingValue::Texts(texts) => texts.join(","),
    }
}

fn field(field: Field) -> InputField {
    let Field { key, label, hint, secret, kind, one_of, default } = field;
    InputField { key, label, hint, secret, kind, one_of, default: default.map(SettingValue::Text) }
}

fn ready(id: String, name: String) -> Result<ConnectedAccount, AccountError> {
    let entered = kept("entered")?;
    let settings = entered.lines().filter_map(|line| line.split_once('=')).map(|(key, value)| Setting {
        key: key.to_owned(),
        value: value.parse().map_or_else(|_| SettingValue::Text(value.to_owned()), SettingValue::Number),
    });
    Ok(ConnectedAccount {
        id,
        aliases: Vec::new(),
        authorized_by: None,
        name,
        username: None,
        picture: None,
        settings: settings.collect(),
        refresh_before: None,
    })
}

fn kept(key: &str) -> Result<String, AccountError> {
    let value = storage::get(key).map_err(AccountError::Storage)?;
    Ok(String::from_utf8_lossy(&value.unwrap_or_default()).into_owned())
}

fn keep(key: &str, value: &str) -> Result<(), AccountError> {
    storage::set(key, value.as_bytes()).map_err(AccountError::Storage)
}
