//! What LINE can say and hear.
//! Owns the numbers; not the checks against them (`outbound`).

use channel_sdk::{
    blank,
    limit::{Count, Length},
    names::{counted_item, feature, text_field, window_opener},
    types::*,
};

/// The longest text, in the units that LINE counts.
pub(crate) const TEXT: Length = Length { max: 5000, unit: Unit::Utf16Units };
/// The longest name of a writer.
pub(crate) const SENDER_NAME: Length = Length::characters(20);
/// The longest title of a button or a quick reply.
pub(crate) const TITLE: Length = Length::characters(20);
/// The longest text above buttons, without a picture and a title.
pub(crate) const BUTTON_TEXT: Length = Length::characters(160);
/// The longest text that comes back from a tap.
pub(crate) const PAYLOAD: Length = Length::characters(300);
/// How many buttons stand under a text.
pub(crate) const BUTTONS: Count = Count { min: 1, max: 4 };
/// How many quick replies stand under a message.
pub(crate) const QUICK_REPLIES: Count = Count { min: 0, max: 13 };
/// The largest picture, in bytes.
const IMAGE_BYTES: u64 = 10 << 20;
/// The largest film or sound, in bytes.
const VIDEO_BYTES: u64 = 200 << 20;

pub(crate) fn capabilities() -> ChannelCapabilities {
    let both = [
        feature::TEXT,
        feature::IMAGE,
        feature::VIDEO,
        feature::AUDIO,
        feature::STICKER,
        feature::LOCATION,
        feature::REPLY_TO,
        feature::GROUP,
    ];
    let inbound = [feature::FILE, feature::DELETE, feature::CONTACT_UPDATE, feature::THREAD_UPDATE];
    let outbound = [feature::BUTTONS, feature::QUICK_REPLIES, feature::SENDER_NAME];
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
    let sent = |kind, types: &[&str], max_size| MediaRule {
        kind,
        direction: Direction::Outbound,
        types: types.iter().map(|mime| (*mime).to_owned()).collect(),
        max_size,
        ways: vec![MediaWay::Url],
    };
    ChannelCapabilities {
        features: incoming.chain(outgoing).collect(),
        text_limits: vec![
            text_limit(text_field::MESSAGE_TEXT, TEXT),
            text_limit(text_field::SENDER_NAME, SENDER_NAME),
            text_limit(text_field::BUTTON_TEXT, BUTTON_TEXT),
            text_limit(text_field::BUTTON_TITLE, TITLE),
            text_limit(text_field::BUTTON_PAYLOAD, PAYLOAD),
            text_limit(text_field::QUICK_REPLY_TITLE, TITLE),
            text_limit(text_field::QUICK_REPLY_PAYLOAD, PAYLOAD),
        ],
        count_limits: vec![
            count_limit(counted_item::QUICK_REPLIES, QUICK_REPLIES),
            count_limit(counted_item::BUTTONS_PER_MESSAGE, BUTTONS),
        ],
        media_rules: vec![
            sent(MediaKind::Image, &["image/jpeg", "image/png"], IMAGE_BYTES),
            sent(MediaKind::Video, &["video/mp4"], VIDEO_BYTES),
            sent(MediaKind::Audio, &["audio/mpeg", "audio/x-m4a"], VIDEO_BYTES),
        ],
        window: WindowPolicy {
            customer_first: true,
            // People who write, tap or follow can be written to from then on.
            rules: [window_opener::MESSAGE, window_opener::BUTTON, window_opener::OTHER].map(blank::window_rule).into(),
            always_allowed: Vec::new(),
        },
        rates: vec![Rate { class: "messages".into(), scope: Scope::Account, count: 2000, period: 1000 }],
        identity: IdentityRule { field: "line_user_id".into(), start_with: Vec::new() },
        ..blank::capabilities()
    }
}
