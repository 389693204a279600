//! Nobody writes when the platform does not allow it, and everybody may try on purpose.
//! What belongs here is the messaging window and the tag for people.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod common;
use channel_sdk::names::{comment_place, violation_code::*};
use common::*;
use instagram_channel::types::*;

fn context_with(state: WindowState, granted: bool) -> ConversationContext {
    let mut context = context();
    context.window = window(state);
    context.account.settings.push(setting("human-agent", SettingValue::Flag(granted)));
    context
}

const TAG: &str = r#""messaging_type":"MESSAGE_TAG","tag":"HUMAN_AGENT""#;
const RESPONSE: &str = r#""messaging_type":"RESPONSE""#;

#[test]
fn the_state_of_the_window_decides_who_may_write_and_under_which_tag() {
    let (bot, rule) = (SenderKind::Bot, SenderKind::Automation);
    for (state, kind, granted, code, tag) in [
        (WindowState::Open, SenderKind::Human, true, None, RESPONSE),
        (WindowState::Open, bot, false, None, RESPONSE),
        (WindowState::HumanOnly, SenderKind::Human, true, None, TAG),
        (WindowState::HumanOnly, SenderKind::Human, false, Some(NOT_AVAILABLE_ON_ACCOUNT), TAG),
        (WindowState::HumanOnly, bot, true, Some(WINDOW_NEEDS_HUMAN), RESPONSE),
        (WindowState::HumanOnly, rule, true, Some(WINDOW_NEEDS_HUMAN), RESPONSE),
        (WindowState::Closed, SenderKind::Human, true, Some(WINDOW_CLOSED), RESPONSE),
        (WindowState::NeverOpened, SenderKind::Human, true, Some(WINDOW_NEVER_OPENED), RESPONSE),
    ] {
        let context = context_with(state, granted);
        let mut message = message(vec![text("hi")]);
        message.sender = sender(kind);
        assert_eq!(errors(&message, &context), Vec::from_iter(code), "{state:?}");
        // Whoever wants to try may, and the finding stays as a warning.
        message.try_anyway = true;
        assert_eq!(warnings(&message, &context), Vec::from_iter(code));
        assert!(only_body(&message, &context).contains(tag), "{state:?}");
    }
}

#[test]
fn a_person_hears_within_7_days_that_the_account_may_not_use_them_and_afterwards_that_the_window_is_closed() {
    const DAY: u64 = 86_400_000;
    for (age, kind, granted, code) in [
        (2 * DAY, SenderKind::Human, false, NOT_AVAILABLE_ON_ACCOUNT),
        (7 * DAY - 1, SenderKind::Human, false, NOT_AVAILABLE_ON_ACCOUNT),
        (7 * DAY, SenderKind::Human, false, WINDOW_CLOSED),
        (2 * DAY, SenderKind::Human, true, WINDOW_CLOSED),
        (2 * DAY, SenderKind::Bot, false, WINDOW_CLOSED),
        (2 * DAY, SenderKind::Automation, false, WINDOW_CLOSED),
    ] {
        let mut context = context_with(WindowState::Closed, granted);
        context.window.opened_at = Some(context.now - age);
        let mut message = message(vec![text("hi")]);
        message.sender = sender(kind);
        let found = validate(&message, &context);
        assert_eq!(found.iter().map(|it| it.code.as_str()).collect::<Vec<_>>(), [code], "{age} {kind:?} {granted}");
        assert_eq!(found[0].message.contains("Human Agent"), code == NOT_AVAILABLE_ON_ACCOUNT);
    }
}

#[test]
fn an_uncertain_window_is_a_warning_because_only_the_platform_knows() {
    let context = context_with(WindowState::Unknown, false);
    let message = message(vec![text("hi")]);
    assert_eq!(warnings(&message, &context), [WINDOW_UNCERTAIN]);
    assert!(only_body(&message, &context).contains(RESPONSE));
}

#[test]
fn signals_are_warned_about_and_not_refused() {
    let context = context_with(WindowState::Closed, false);
    let message = message(vec![OutboundPart::Typing(true), OutboundPart::MarkSeen(None)]);
    assert_eq!(errors(&message, &context), NONE);
    assert_eq!(warnings(&message, &context), [WINDOW_UNCERTAIN]);
}

#[test]
fn a_private_reply_needs_no_window_and_a_comment_of_the_last_seven_days() {
    const DAY: u64 = 86_400_000;
    let mut context = context_with(WindowState::NeverOpened, false);
    let mut message = message(vec![text("hi")]);
    message.private_reply_to = Some("17900000000000001".into());
    let mut found = |age: Option<u64>, place, anyway| {
        message.try_anyway = anyway;
        context.comment = Some(KnownComment { place: String::from(place), at: age.map(|age| context.now - age) });
        (errors(&message, &context), warnings(&message, &context))
    };
    use comment_place::{LIVE, POST};
    assert_eq!(found(Some(7 * DAY), POST, false), (vec![], vec![]));
    assert_eq!(found(Some(7 * DAY + 1), POST, false), (vec![WINDOW_CLOSED], vec![]));
    assert_eq!(found(Some(7 * DAY + 1), POST, true), (vec![], vec![WINDOW_CLOSED]));
    assert_eq!(found(None, POST, false), (vec![], vec![WINDOW_UNCERTAIN]));
    assert_eq!(found(Some(DAY), LIVE, false), (vec![], vec![WINDOW_UNCERTAIN]));
    context.comment = None;
    assert_eq!(warnings(&message, &context), [WINDOW_UNCERTAIN]);
}
