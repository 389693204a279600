//! Owns: `harness call`: running one function in the sandbox on given input, with defaults for omitted parts.
//! Does not own: the contract's JSON form.

use std::{
    fs,
    io::{self, Read as _, Write as _},
    path::{Path, PathBuf},
    process::ExitCode,
    time::{SystemTime, UNIX_EPOCH},
};

use anyhow::{Context as _, Result, anyhow, bail};
use clap::{Args, ValueEnum};
use harness_contract::{
    AccountSettings, ConversationContext, Delivery, DeliverySource, Header, HttpResponse, OutboundMessage, SendStep,
    Setting,
    manifest::Manifest,
    settings::{RawSetting, SettingType},
};
use harness_sandbox::Channel;
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, json};

use crate::author::locate;

pub(crate) const HELP: &str = "\
Input, a file or `-` for standard input:
  capabilities         none
  parse-webhook        the raw body of a webhook, byte for byte
  validate-outbound    {\"message\": outbound-message, \"context\": conversation-context}, or the message alone
  build-send-request   the same
  parse-send-response  {\"step\": send-step, \"response\": http-response}

Output: the function's result as JSON; see wit/VERSIONING.md for the JSON form of WIT types. If the
function returns an error, {\"error\": …} is printed and the exit code is 1. Omitted parts of a message or
a context get defaults: an open window, the first login of the manifest, a human sender.";

#[derive(Args)]
pub(crate) struct CallArguments {
    /// The function to call
    function: Function,
    /// The input: a file, or `-` for standard input
    #[arg(value_name = "FILE")]
    input: Option<PathBuf>,
    /// The component, or a channel's folder, which is built first [default: plugin]
    #[arg(long, value_name = "PATH")]
    channel: Option<PathBuf>,
    /// parse-webhook: a header of the delivery
    #[arg(long, value_name = "NAME=VALUE")]
    header: Vec<String>,
    /// parse-webhook: the account in the webhook's address
    #[arg(long, value_name = "ID")]
    account: Option<String>,
    /// parse-webhook: the input is an item of the platform's history, as returned by `account.history`
    #[arg(long)]
    archive: bool,
    /// The current time, in milliseconds since 1970 [default: now]
    #[arg(long, value_name = "MS")]
    now: Option<u64>,
    /// Print the result on one line
    #[arg(long)]
    compact: bool,
}

#[derive(Clone, Copy, ValueEnum)]
enum Function {
    Capabilities,
    ParseWebhook,
    ValidateOutbound,
    BuildSendRequest,
    ParseSendResponse,
}

pub(crate) fn run(arguments: &CallArguments) -> Result<ExitCode> {
    let input = || {
        let path = arguments.input.as_deref().context("this function needs an input: a file, or `-`")?;
        read(path)
    };
    let now = arguments.now.unwrap_or_else(now);
    let (_, bytes) = locate::component(arguments.channel.clone())?;
    let channel = locate::load(&bytes, locate::cache_dir())?;
    let result = match arguments.function {
        Function::Capabilities => Ok(print_form(&channel.capabilities(None)?)?),
        Function::ParseWebhook => {
            let headers = arguments.header.iter().map(|text| header(text)).collect::<Result<_>>()?;
            let source = if arguments.archive { DeliverySource::History } else { DeliverySource::Webhook };
            let account = arguments.account.clone();
            let account = account.map(|id| AccountSettings { id, settings: Vec::new(), webhook_url: None });
            let query = String::new();
            let delivery = Delivery { source, body: input()?, headers, query, received_at: now, account };
            either(channel.parse_webhook(&delivery)?)?
        }
        Function::ValidateOutbound => {
            let (message, context) = outbound(&channel, &input()?, now)?;
            Ok(print_form(&channel.validate_outbound(&message, &context)?)?)
        }
        Function::BuildSendRequest => {
            let (message, context) = outbound(&channel, &input()?, now)?;
            either(channel.build_send_request(&message, &context)?)?
        }
        Function::ParseSendResponse => {
            let (step, response) = answer(&input()?)?;
            Ok(print_form(&channel.parse_send_response(&(&step).into(), &response)?)?)
        }
    };
    let (document, code) = match result {
        Ok(document) => (document, ExitCode::SUCCESS),
        Err(error) => (json!({ "error": error }), ExitCode::FAILURE),
    };
    let text = harness_contract::text::shown_json(&if arguments.compact {
        document.to_string()
    } else {
        format!("{document:#}")
    });
    // The reader may close the pipe early, as `head` does.
    match writeln!(io::stdout(), "{text}") {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(code),
    }
}

fn print_form(value: &impl Serialize) -> Result<Value> {
    Ok(serde_json::to_value(value)?)
}

fn either<T: Serialize, E: Serialize>(result: Result<T, E>) -> Result<Result<Value, Value>> {
    Ok(match result {
        Ok(value) => Ok(print_form(&value)?),
        Err(error) => Err(print_form(&error)?),
    })
}

fn read(path: &Path) -> Result<Vec<u8>> {
    if path == Path::new("-") {
        let mut bytes = Vec::new();
        io::stdin().lock().read_to_end(&mut bytes)?;
        return Ok(bytes);
    }
    fs::read(path).with_context(|| path.display().to_string())
}

fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

fn header(text: &str) -> Result<Header> {
    let (name, value) = text.split_once('=').with_context(|| format!("--header takes NAME=VALUE, found `{text}`"))?;
    Ok(Header { name: name.to_ascii_lowercase(), value: value.to_owned() })
}

fn outbound(channel: &Channel, input: &[u8], now: u64) -> Result<(OutboundMessage, ConversationContext)> {
    let document: Value = serde_json::from_slice(input).context("the input is not JSON")?;
    let Value::Object(mut fields) = document else { bail!("the input is not a JSON object") };
    let (message, context) = if fields.contains_key("parts") {
        (Value::Object(fields), None)
    } else {
        let message = fields.remove("message").context("the input has neither `message` nor `parts`")?;
        let context = fields.remove("context");
        if let Some(key) = fields.keys().next() {
            bail!("the input has `{key}`; it takes `message` and `context`");
        }
        (message, context)
    };
    let mut whole_message = json!({ "id": "example-1", "sender": { "kind": "human", "id": "author" }, "parts": [] });
    merge(&mut whole_message, message);
    let mut whole_context = usual_context(channel.manifest(), now)?;
    if let Some(context) = context {
        merge(&mut whole_context, context);
    }
    Ok((typed(whole_message, "message")?, typed(whole_context, "context")?))
}

/// An open conversation with an account that has the manifest's default settings.
fn usual_context(manifest: &Manifest, now: u64) -> Result<Value> {
    let settings: Vec<Setting> = manifest
        .settings
        .iter()
        .filter_map(|(key, spec)| {
            let first = spec.one_of.first().filter(|_| spec.required && spec.kind == SettingType::Text);
            let value = spec.default.clone().or_else(|| first.cloned().map(RawSetting::Text))?;
            Some(Setting { key: key.clone(), value: value.into() })
        })
        .collect();
    Ok(json!({
        "account": { "id": "17841400000000001", "settings": settings },
        "contact": "1234567890123456",
        "window": { "state": "open" },
        "now": now,
    }))
}

/// Merges given values into the defaults: objects key by key, everything else as a whole.
fn merge(usual: &mut Value, given: Value) {
    match (usual, given) {
        (Value::Object(usual), Value::Object(given)) => {
            for (key, value) in given {
                match usual.get_mut(&key) {
                    // A variant has exactly one key, so two cases must not be merged.
                    Some(place) if key != "sender" => merge(place, value),
                    _ => {
                        usual.insert(key, value);
                    }
                }
            }
        }
        (usual, given) => *usual = given,
    }
}

fn answer(input: &[u8]) -> Result<(SendStep, HttpResponse)> {
    let document: Value = serde_json::from_slice(input).context("the input is not JSON")?;
    let Value::Object(mut fields) = document else { bail!("the input is not a JSON object") };
    let mut response = fields.remove("response").context("the input has no `response`")?;
    // Most platforms answer with JSON, which may be written here as JSON instead of as a quoted string.
    if let Some(body) = response.get_mut("body").filter(|body| body.get("base64").is_none() && body.is_object()) {
        *body = Value::String(body.to_string());
    }
    let mut step = json!({
        "parts": [0], "kind": "message", "rate_class": "text", "repeatable": false, "echoed": true,
        "request": { "method": "post", "url": "https://example.invalid/", "body": "empty" },
    });
    if let Some(given) = fields.remove("step") {
        merge(&mut step, given);
    }
    if let Some(key) = fields.keys().next() {
        bail!("the input has `{key}`; it takes `step` and `response`");
    }
    Ok((typed(step, "step")?, typed(response, "response")?))
}

fn typed<T: DeserializeOwned>(value: Value, name: &str) -> Result<T> {
    serde_json::from_value(value).map_err(|error| anyhow!("`{name}` is not what the contract says: {error}"))
}
