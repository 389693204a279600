//! A channel that does what a script tells it: how many events, requests, headers, captures, pages and bytes it hands
//! its host, and what becomes of it. The script is the body of a delivery, the text of a message, or the setting
//! `script`, in JSON. Belongs here: carrying scripts out. Making them up is the test's.

#![allow(clippy::result_large_err, reason = "the contract's errors are as large as they are")]

mod script;

use channel_sdk::{account, collect::person, messaging_channel, types::*};
use script::Script;

struct Scripted;

impl messaging_channel::Guest for Scripted {
    fn capabilities() -> ChannelCapabilities {
        ChannelCapabilities {
            revision: 1,
            features: Vec::new(),
            text_limits: Vec::new(),
            count_limits: Vec::new(),
            media_rules: Vec::new(),
            window: WindowPolicy {
                customer_first: false,
                rules: Vec::new(),
                always_allowed: Vec::new(),
                human_setting: None,
            },
            stickers: Vec::new(),
            reactions: ReactionPolicy::None,
            rates: Vec::new(),
            typing: None,
            identity: IdentityRule { field: "id".into(), min_length: 1, max_length: 64, digits_only: false },
        }
    }

    fn parse_webhook(input: Delivery) -> Result<ParsedDelivery, ParseError> {
        let script = Script::read(&input.body).map_err(ParseError::Other)?;
        script.misbehave();
        Ok(ParsedDelivery { events: script.events() })
    }

    fn validate_outbound(_: OutboundMessage, _: ConversationContext) -> Validation {
        Validation { violations: Vec::new(), degradations: Vec::new() }
    }

    fn build_send_request(message: OutboundMessage, _: ConversationContext) -> Result<Vec<SendStep>, Vec<Violation>> {
        let Some(OutboundPart::Text(text)) = message.parts.first() else { return Ok(Vec::new()) };
        let Ok(script) = Script::read(text.text.as_bytes()) else { return Ok(Vec::new()) };
        script.misbehave();
        let step = |request| SendStep {
            part: 0,
            kind: StepKind::Message,
            rate_class: "text".into(),
            request,
            repeatable: false,
            echoed: false,
            correlation: None,
            text: None,
            degradations: Vec::new(),
        };
        Ok(script.requests().into_iter().map(step).collect())
    }

    /// Passes on everything that it was shown.
    fn parse_send_response(_: SendStep, response: HttpResponse) -> SendOutcome {
        SendOutcome { result: SendResult::Rejected(failure(shown(&response))), pause: None, reply_context: None }
    }
}

fn failure(sentence: String) -> Failure {
    Failure {
        category: FailureCategory::Other,
        code: None,
        subcode: None,
        sentence,
        fix: None,
        retry_after: None,
        trace_id: None,
    }
}

/// An answer as a text, as far as one fits into a sentence.
fn shown(response: &HttpResponse) -> String {
    let headers: Vec<_> = response.headers.iter().map(|header| format!("{}={}", header.name, header.value)).collect();
    let text = format!("{} {} {}", response.status, headers.join(" "), String::from_utf8_lossy(&response.body));
    text.chars().take(100_000).collect()
}

fn script_of(account: &AccountSettings) -> Result<Script, account::AccountError> {
    let text = account.settings.iter().find_map(|setting| match &setting.value {
        SettingValue::Text(text) if setting.key == "script" => Some(text.as_str()),
        _ => None,
    });
    let script = Script::read(text.unwrap_or("{}").as_bytes()).and_then(Script::resolved);
    let script = script.map_err(account::AccountError::Other)?;
    script.misbehave();
    Ok(script)
}

impl account::Guest for Scripted {
    fn connect(_: account::ConnectRequest) -> Result<account::ConnectStep, account::AccountError> {
        Err(account::AccountError::Unsupported)
    }
    fn select(_: account::ConnectRequest, _: String) -> Result<account::ConnectedAccount, account::AccountError> {
        Err(account::AccountError::Unsupported)
    }
    fn check(account: AccountSettings) -> Result<Vec<account::CheckResult>, account::AccountError> {
        let script = script_of(&account)?;
        script.store();
        let finding = script.send().into_iter().map(|answer| match answer {
            Ok(response) => shown(&response),
            Err(error) => format!("{error:?}"),
        });
        let finding = finding.collect::<Vec<_>>().join("\n");
        Ok(vec![account::CheckResult { name: "script".into(), level: account::CheckLevel::Passed, finding, fix: None }])
    }
    fn refresh(_: AccountSettings) -> Result<Option<TimestampMs>, account::AccountError> {
        Err(account::AccountError::Unsupported)
    }
    fn subscribe(_: AccountSettings, _: String) -> Result<(), account::AccountError> {
        Err(account::AccountError::Unsupported)
    }
    fn unsubscribe(_: AccountSettings) -> Result<(), account::AccountError> {
        Err(account::AccountError::Unsupported)
    }
    fn profile(account: AccountSettings, id: String) -> Result<account::ContactProfile, account::AccountError> {
        let script = script_of(&account)?;
        script.send();
        let contact = Contact { name: Some("n".repeat(script.size())), ..person(id) };
        Ok(account::ContactProfile {
            contact,
            picture: None,
            follower_count: None,
            follows_business: None,
            followed_by_business: None,
            verified: None,
        })
    }
    fn history(
        account: AccountSettings,
        _: account::HistoryRequest,
    ) -> Result<account::HistoryPage, account::AccountError> {
        Ok(script_of(&account)?.page())
    }
    fn locate_media(_: AccountSettings, _: Media) -> Result<account::MediaLocation, account::AccountError> {
        Err(account::AccountError::Unsupported)
    }
    fn configure(_: AccountSettings, _: account::EntryPoints) -> Result<(), account::AccountError> {
        Err(account::AccountError::Unsupported)
    }
}

channel_sdk::channel!(Scripted);
