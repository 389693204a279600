//! A channel that does what a script tells it: how many events, requests, headers, captures, pages and bytes it hands
//! its host, and what becomes of it. The script is the body of a delivery, the text of a message, or the setting
//! `script`, in JSON. Belongs here: carrying scripts out. Making them up is the test's.

#![allow(clippy::result_large_err, reason = "the contract's errors are as large as they are")]

mod connecting;
mod script;

use channel_sdk::{account, blank, history, messaging_channel, profiles, types::*};
use script::Script;

struct Scripted;

impl messaging_channel::Guest for Scripted {
    fn capabilities(_: Option<AccountSettings>) -> ChannelCapabilities {
        blank::capabilities()
    }

    fn parse_webhook(input: Delivery) -> Result<Vec<Event>, ParseError> {
        let script = Script::read(&input.body).map_err(ParseError::Other)?;
        script.misbehave();
        Ok(script.events())
    }

    fn validate_outbound(_: OutboundMessage, _: ConversationContext) -> Validation {
        Validation { violations: Vec::new(), degradations: Vec::new() }
    }

    fn build_send_request(message: OutboundMessage, _: ConversationContext) -> Result<Vec<SendStep>, Vec<Violation>> {
        let Some(OutboundPart::Text(text)) = message.parts.first() else { return Ok(Vec::new()) };
        let Ok(script) = Script::read(text.text.as_bytes()) else { return Ok(Vec::new()) };
        script.misbehave();
        Ok(script.requests().into_iter().map(blank::step).collect())
    }

    /// Passes on everything that it was shown.
    fn parse_send_response(_: SentStep, response: HttpResponse) -> SendOutcome {
        SendOutcome {
            verdict: SendResult::Rejected(blank::failure(FailureCategory::Other, shown(&response))),
            pause: None,
            reply_context: None,
        }
    }
}

/// An answer as a text, as far as one fits into a sentence.
fn shown(response: &HttpResponse) -> String {
    let headers: Vec<_> = response.headers.iter().map(|header| format!("{}={}", header.name, header.value)).collect();
    let text = format!("{} {} {}", response.status, headers.join(" "), String::from_utf8_lossy(&response.body));
    text.chars().take(100_000).collect()
}

fn script_of(account: &AccountSettings) -> Result<Script, AccountError> {
    let text = account.settings.iter().find_map(|setting| match &setting.value {
        SettingValue::Text(text) if setting.key == "script" => Some(text.as_str()),
        _ => None,
    });
    let script = Script::read(text.unwrap_or("{}").as_bytes()).and_then(Script::resolved);
    let script = script.map_err(AccountError::Other)?;
    script.misbehave();
    Ok(script)
}

impl account::Guest for Scripted {
    fn connect(request: account::ConnectRequest) -> Result<account::ConnectStep, AccountError> {
        connecting::step(request)
    }

    fn check(account: AccountSettings) -> Result<Vec<account::CheckResult>, AccountError> {
        let script = script_of(&account)?;
        script.store();
        let finding = script.send().into_iter().map(|answer| match answer {
            Ok(response) => shown(&response),
            Err(error) => format!("{error:?}"),
        });
        let finding = finding.collect::<Vec<_>>().join("\n");
        Ok(vec![account::CheckResult { name: "script".into(), level: account::CheckLevel::Passed, finding, fix: None }])
    }
    fn refresh(_: AccountSettings) -> Result<account::Refreshed, AccountError> {
        Err(AccountError::Unsupported)
    }
    fn subscribe(_: AccountSettings) -> Result<(), AccountError> {
        Ok(())
    }
    fn unsubscribe(_: AccountSettings) -> Result<(), AccountError> {
        Err(AccountError::Unsupported)
    }
}

impl profiles::Guest for Scripted {
    fn profile(
        account: AccountSettings,
        id: String,
        _: Option<String>,
    ) -> Result<profiles::ContactProfile, AccountError> {
        let script = script_of(&account)?;
        script.send();
        let contact = Contact { name: Some("n".repeat(script.size())), ..blank::person(id) };
        Ok(profiles::ContactProfile { contact, picture: None })
    }
}

impl history::Guest for Scripted {
    fn history(account: AccountSettings, _: history::HistoryRequest) -> Result<history::HistoryPage, AccountError> {
        Ok(script_of(&account)?.page())
    }
}

channel_sdk::channel!(Scripted: messaging_channel, account, profiles, history);
