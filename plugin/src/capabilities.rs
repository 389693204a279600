//! What Instagram supports, as data: the composer, the API and bots read it before they write.
//! What belongs here is the list; all numbers come from `limits`.

use channel_sdk::limit::{Count, Length};
use channel_sdk::names::{counted_item, feature, text_field, window_opener};
use channel_sdk::report::Report;

use crate::limits;
use crate::outbound::read_settings;
use crate::types::{
    AccountSettings, ChannelCapabilities, CountLimit, Direction, FallbackPolicy, FeatureSupport, IdentityRule,
    MediaRule, MediaWay, Rate, ReactionPolicy, Scope, StickerChoice, SupportLevel, TextLimit, TypingRule, WindowPolicy,
    WindowRule,
};

/// Incremented with every change to what `capabilities` returns.
const REVISION: u32 = 4;

/// A row of the feature table: the name, where it works, how well, the composer's hint, and whether Instagram's web
/// site does not support it.
struct Line(&'static str, Direction, SupportLevel, &'static str, bool);

use Direction::{Inbound, Outbound};
use SupportLevel::{Full, Partial, Rejected};

const FEATURES: &[Line] = &[
    Line(feature::TEXT, Inbound, Full, "", false),
    Line(feature::IMAGE, Inbound, Full, "", false),
    Line(feature::VIDEO, Inbound, Full, "", false),
    Line(feature::AUDIO, Inbound, Full, "", false),
    Line(feature::VOICE, Inbound, Partial, "Voice messages arrive as audio.", false),
    Line(feature::FILE, Inbound, Full, "", false),
    Line(feature::ANIMATION, Inbound, Partial, "Meta may send GIFs as images, or not at all.", false),
    Line(feature::ALBUM, Inbound, Full, "", false),
    Line(feature::STICKER, Inbound, Partial, "Only the heart; Meta may send others as images, or not at all.", false),
    Line(feature::SHARE, Inbound, Full, "", false),
    Line(feature::QUICK_REPLIES, Inbound, Full, "", false),
    Line(
        feature::BUTTONS,
        Inbound,
        Partial,
        "A tap on a button, an ice breaker and the menu look the same and arrive as a button.",
        false,
    ),
    Line(feature::CARDS, Inbound, Partial, "Only in echoes of own messages.", false),
    Line(feature::PRODUCTS, Inbound, Full, "", false),
    Line(feature::REPLY_TO, Inbound, Full, "", false),
    Line(feature::REACTION, Inbound, Full, "", false),
    Line(feature::SEEN, Inbound, Full, "", false),
    Line(feature::EDIT, Inbound, Partial, "Meta often tells that a message was edited and not into what.", false),
    Line(feature::DELETE, Inbound, Full, "", false),
    Line(feature::STORY_REPLY, Inbound, Full, "", false),
    Line(
        feature::STORY_MENTION,
        Inbound,
        Partial,
        "Only from public accounts and accounts that the business follows.",
        false,
    ),
    Line(feature::REFERRAL, Inbound, Full, "", false),
    Line(feature::COMMENT, Inbound, Full, "", false),
    Line(feature::MENTION, Inbound, Full, "", false),
    Line(feature::HANDOVER, Inbound, Full, "", false),
    Line(feature::OPT_IN, Inbound, Full, "", false),
    Line(feature::CORRELATION, Inbound, Full, "", false),
    Line(feature::PROFILE, Inbound, Partial, "After the customer has written.", false),
    Line(feature::HISTORY, Inbound, Partial, "The newest 20 messages of each conversation.", false),
    Line(
        feature::ACCOUNT_UPDATE,
        Inbound,
        Partial,
        "That the app was removed, and notices that Meta enforces a policy.",
        false,
    ),
    Line(feature::ERASURE, Inbound, Partial, "Of everything that one person permitted.", false),
    Line(feature::NATIVE, Inbound, Full, "", false),
    Line(feature::TEXT, Outbound, Full, "Up to 1,000 bytes in UTF-8. HTML and Markdown are shown as typed.", false),
    Line(feature::IMAGE, Outbound, Full, "JPEG, PNG or GIF, up to 8 MB.", false),
    Line(feature::VIDEO, Outbound, Full, "MP4, up to 25 MB.", false),
    Line(feature::AUDIO, Outbound, Full, "AAC, M4A, WAV or MP3, up to 25 MB.", false),
    Line(feature::VOICE, Outbound, Rejected, "Instagram takes no voice messages; send audio as a file.", false),
    Line(feature::FILE, Outbound, Full, "PDF, up to 25 MB.", false),
    Line(feature::ANIMATION, Outbound, Full, "GIF, up to 8 MB.", false),
    Line(feature::ALBUM, Outbound, Partial, "Up to 10 images in one message, images only.", false),
    Line(feature::STICKER, Outbound, Partial, "Only the heart.", false),
    Line(feature::SHARE, Outbound, Partial, "Only the business's own posts.", false),
    Line(feature::LOCATION, Outbound, Rejected, "Instagram takes no locations; write the address.", false),
    Line(feature::CONTACT_CARDS, Outbound, Rejected, "Instagram takes no contact cards; write the number.", false),
    Line(
        feature::QUICK_REPLIES,
        Outbound,
        Partial,
        "Under a text or files, up to 13. Titles up to 20 characters.",
        true,
    ),
    Line(
        feature::BUTTONS,
        Outbound,
        Partial,
        "1 to 3 buttons that open a page or send an answer. A footer becomes part of the text.",
        true,
    ),
    Line(feature::CARDS, Outbound, Partial, "1 to 10 cards.", true),
    Line(feature::PRODUCTS, Outbound, Partial, "1 to 10 products, on accounts connected with Facebook.", true),
    Line(feature::CHOICES, Outbound, Rejected, "Instagram has no lists; offer quick replies.", false),
    Line(feature::ACKNOWLEDGE, Outbound, Rejected, "Instagram waits for no answer to a tap.", false),
    Line(feature::TEMPLATE, Outbound, Rejected, "Instagram has no approved templates.", false),
    Line(feature::REPLY_TO, Outbound, Partial, "Under a text, files, cards or buttons.", false),
    Line(feature::REACTION, Outbound, Full, "", false),
    Line(feature::TYPING, Outbound, Full, "", false),
    Line(feature::MARK_SEEN, Outbound, Full, "Marks the conversation, not a message.", false),
    Line(feature::EDIT, Outbound, Rejected, "Instagram lets nobody edit a message through its API.", false),
    Line(feature::DELETE, Outbound, Rejected, "Instagram lets nobody unsend a message through its API.", false),
    Line(feature::PRIVATE_REPLY, Outbound, Partial, "One message for each comment, within 7 days.", false),
    Line(feature::CORRELATION, Outbound, Full, "", false),
    Line(feature::UPLOAD, Outbound, Full, "", false),
    Line(feature::ICE_BREAKERS, Outbound, Full, "", true),
    Line(feature::MENU, Outbound, Full, "", true),
    Line(feature::NATIVE, Outbound, Full, "", false),
];

/// Everything that a host needs before it shows a composer. Without an account, the most that any account may do.
pub fn capabilities(account: Option<&AccountSettings>) -> ChannelCapabilities {
    let people = account.is_none_or(|account| {
        read_settings(&mut Report::new(limits::INSTAGRAM, FallbackPolicy::Strict), account).human_agent
    });
    ChannelCapabilities {
        revision: REVISION,
        features: FEATURES.iter().map(support).collect(),
        text_limits: text_limits(),
        count_limits: count_limits(),
        media_rules: limits::MEDIA.iter().map(media_rule).collect(),
        window: window(people),
        stickers: vec![StickerChoice {
            id: limits::LIKE_HEART.to_owned(),
            name: "Heart".to_owned(),
            emoji: Some("\u{2764}\u{fe0f}".to_owned()),
            image_url: None,
        }],
        reactions: ReactionPolicy::AnyEmoji(Vec::new()),
        rates: limits::RATES.iter().map(rate).collect(),
        options: Vec::new(),
        typing: Some(TypingRule { lasts: limits::TYPING_LASTS, can_stop: true, marks_seen: false }),
        identity: IdentityRule { field: "instagram_id".to_owned(), start_with: Vec::new() },
    }
}

fn support(line: &Line) -> FeatureSupport {
    let Line(feature, direction, level, note, hidden) = line;
    FeatureSupport {
        feature: (*feature).to_owned(),
        direction: *direction,
        level: *level,
        note: (!note.is_empty()).then(|| (*note).to_owned()),
        not_shown_on: if *hidden { texts(limits::NOT_ON_WEB) } else { Vec::new() },
    }
}

fn texts(list: &[&str]) -> Vec<String> {
    list.iter().map(|text| (*text).to_owned()).collect()
}

fn text_limits() -> Vec<TextLimit> {
    const LIMITS: &[(&str, Length)] = &[
        (text_field::MESSAGE_TEXT, limits::TEXT),
        (text_field::CAPTION, limits::TEXT),
        (text_field::QUICK_REPLY_TITLE, limits::QUICK_REPLY_TITLE),
        (text_field::QUICK_REPLY_PAYLOAD, limits::QUICK_REPLY_PAYLOAD),
        (text_field::CARD_TITLE, limits::CARD_TITLE),
        (text_field::CARD_SUBTITLE, limits::CARD_SUBTITLE),
        (text_field::BUTTON_TITLE, limits::BUTTON_TITLE),
        (text_field::BUTTON_PAYLOAD, limits::BUTTON_PAYLOAD),
        (text_field::BUTTON_TEXT, limits::BUTTON_TEXT),
        (text_field::ICE_BREAKER_QUESTION, limits::ICE_BREAKER),
        (text_field::LINK_REF, limits::LINK_REF),
    ];
    LIMITS.iter().map(|(field, length)| TextLimit { field: (*field).to_owned(), limit: length.bound() }).collect()
}

fn count_limits() -> Vec<CountLimit> {
    const LIMITS: &[(&str, Count)] = &[
        (counted_item::QUICK_REPLIES, limits::QUICK_REPLIES),
        (counted_item::CARDS, limits::CARDS),
        (counted_item::BUTTONS_PER_CARD, limits::BUTTONS_PER_CARD),
        (counted_item::BUTTONS_PER_MESSAGE, limits::BUTTONS_PER_MESSAGE),
        (counted_item::IMAGES_PER_MESSAGE, limits::IMAGES),
        (counted_item::PRODUCTS, limits::PRODUCTS),
        (counted_item::ICE_BREAKERS, limits::ICE_BREAKERS),
        (counted_item::MENU_ITEMS, limits::MENU_ITEMS),
    ];
    LIMITS.iter().map(|(item, count)| CountLimit { item: (*item).to_owned(), min: count.min, max: count.max }).collect()
}

fn media_rule(rule: &limits::MediaRule) -> MediaRule {
    MediaRule {
        kind: rule.kind,
        direction: Direction::Outbound,
        types: rule.types.iter().map(|file| file.mime.to_owned()).collect(),
        max_size: rule.max_size,
        ways: vec![MediaWay::Upload, MediaWay::Url, MediaWay::Handle],
    }
}

fn rate(rate: &limits::Rate) -> Rate {
    Rate { class: rate.class.to_owned(), scope: Scope::Account, count: rate.count, period: rate.period }
}

/// Meta's policy page of 2026-09-28: most actions open the window for 24 hours; the first message after an ad "may"
/// open it for up to 7 days; reactions and comments do not open it. `people` says whether the account may use the 7
/// days for replies by people.
fn window(people: bool) -> WindowPolicy {
    const OPENERS: &[&str] = &[
        window_opener::MESSAGE,
        window_opener::STORY_REPLY,
        window_opener::STORY_MENTION,
        window_opener::QUICK_REPLY,
        window_opener::BUTTON,
        window_opener::REFERRAL,
        window_opener::AD_MESSAGE,
    ];
    let rule = |opener: &&str| WindowRule {
        opener: (*opener).to_owned(),
        open_for: Some(limits::WINDOW),
        uncertain_until: (*opener == window_opener::AD_MESSAGE).then_some(limits::LONG_WINDOW),
        human_until: people.then_some(limits::LONG_WINDOW),
        replies: None,
    };
    WindowPolicy {
        customer_first: true,
        rules: OPENERS.iter().map(rule).collect(),
        always_allowed: texts(&[feature::PRIVATE_REPLY, feature::TYPING, feature::MARK_SEEN, feature::REACTION]),
    }
}
