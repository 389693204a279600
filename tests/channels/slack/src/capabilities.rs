//! What Slack can say and hear.
//! Owns the numbers; not the checks against them (`outbound`).

use channel_sdk::{
    blank,
    limit::{Count, Length},
    names::{counted_item, feature, text_field},
    types::*,
};

use crate::emoji;

/// The longest text; Slack cuts what is longer.
pub(crate) const TEXT: Length = Length::characters(40_000);
/// The longest text in Markdown.
pub(crate) const MARKDOWN: Length = Length::characters(12_000);
/// The longest text above buttons.
pub(crate) const SECTION: Length = Length::characters(3_000);
/// The longest title of a button.
pub(crate) const TITLE: Length = Length::characters(75);
/// The longest text that comes back from a tap.
pub(crate) const PAYLOAD: Length = Length::characters(2_000);
/// How many buttons stand under a text.
pub(crate) const BUTTONS: Count = Count { min: 1, max: 25 };
/// How many files are one message.
pub(crate) const FILES: Count = Count { min: 1, max: 10 };
/// The largest file, in bytes, as the manifest asks for it.
pub(crate) const FILE_BYTES: u64 = 100 << 20;

pub(crate) fn capabilities() -> ChannelCapabilities {
    let both = [
        feature::TEXT,
        feature::IMAGE,
        feature::VIDEO,
        feature::AUDIO,
        feature::FILE,
        feature::ALBUM,
        feature::REPLY_TO,
        feature::REACTION,
        feature::EDIT,
        feature::DELETE,
        feature::FORMATTING,
        feature::CORRELATION,
        feature::GROUP,
    ];
    let inbound = [feature::THREAD_UPDATE, feature::ACCOUNT_UPDATE, feature::ACTIVITY];
    let outbound = [feature::BUTTONS, feature::SENDER_NAME, feature::ACKNOWLEDGE, feature::UPLOAD];
    let supported = |feature: &&str, direction| FeatureSupport {
        feature: (*feature).to_owned(),
        direction,
        level: SupportLevel::Full,
        note: None,
        not_shown_on: Vec::new(),
    };
    let incoming = both.iter().chain(&inbound).map(|feature| supported(feature, Direction::Inbound));
    let outgoing = both.iter().chain(&outbound).map(|feature| supported(feature, Direction::Outbound));
    let text_limit = |field: &str, length: Length| TextLimit { field: field.to_owned(), limit: length.bound() };
    let count_limit = |item: &str, count: Count| CountLimit { item: item.to_owned(), min: count.min, max: count.max };
    let files = |direction, ways: &[MediaWay]| {
        let kinds = [MediaKind::Image, MediaKind::Video, MediaKind::Audio, MediaKind::File];
        let ways = ways.to_vec();
        kinds.map(|kind| MediaRule { kind, direction, types: Vec::new(), max_size: FILE_BYTES, ways: ways.clone() })
    };
    let [incoming_files, outgoing_files] =
        [files(Direction::Inbound, &[]), files(Direction::Outbound, &[MediaWay::Upload])];
    let rate = |class: &str, scope, count| Rate { class: class.to_owned(), scope, count, period: 60_000 };
    ChannelCapabilities {
        features: incoming.chain(outgoing).collect(),
        text_limits: vec![
            text_limit(text_field::MESSAGE_TEXT, TEXT),
            text_limit(text_field::BUTTON_TEXT, SECTION),
            text_limit(text_field::BUTTON_TITLE, TITLE),
            text_limit(text_field::BUTTON_PAYLOAD, PAYLOAD),
        ],
        count_limits: vec![
            count_limit(counted_item::BUTTONS_PER_MESSAGE, BUTTONS),
            count_limit(counted_item::IMAGES_PER_MESSAGE, FILES),
        ],
        media_rules: incoming_files.into_iter().chain(outgoing_files).collect(),
        reactions: ReactionPolicy::Only(emoji::all()),
        rates: vec![
            // One a second in a channel, and bursts of more.
            rate("messages", Scope::Conversation, 60),
            rate("upload", Scope::Account, 100),
            rate("action", Scope::Account, 50),
        ],
        identity: IdentityRule { field: "slack_user_id".into(), start_with: vec!["user_id".into()] },
        ..blank::capabilities()
    }
}
