//! What Instagram can say and hear, as data: the composer, the API and a bot read it before they write.
//! What belongs here is the list; every number in it comes from `limits`.

use channel_sdk::limit::{Count, Length};

use crate::limits;
use crate::types::{
    ChannelCapabilities, CountLimit, CountedItem, Direction, Feature, FeatureSupport, IdentityRule, MediaRule,
    PauseScope, Rate, ReactionPolicy, StickerChoice, SupportLevel, TextField, TextLimit, TypingRule, WindowOpener,
    WindowPolicy, WindowRule,
};

/// Counts up whenever anything that `capabilities` returns changes.
const REVISION: u32 = 3;

/// A line of the table of features: where it works, how well, what the composer should say, and
/// whether Instagram's web site leaves it out.
struct Line(Feature, Direction, SupportLevel, &'static str, bool);

use Direction::{Inbound, Outbound};
use SupportLevel::{Full, Partial, Rejected};

const FEATURES: &[Line] = &[
    Line(Feature::Text, Inbound, Full, "", false),
    Line(Feature::Image, Inbound, Full, "", false),
    Line(Feature::Video, Inbound, Full, "", false),
    Line(Feature::Audio, Inbound, Full, "", false),
    Line(Feature::Voice, Inbound, Partial, "Voice messages arrive as audio.", false),
    Line(Feature::File, Inbound, Full, "", false),
    Line(Feature::Animation, Inbound, Partial, "Meta may send GIFs as images, or not at all.", false),
    Line(Feature::Album, Inbound, Full, "", false),
    Line(Feature::Sticker, Inbound, Partial, "Only the heart; Meta may send others as images, or not at all.", false),
    Line(Feature::Share, Inbound, Full, "", false),
    Line(Feature::QuickReplies, Inbound, Full, "", false),
    Line(Feature::Buttons, Inbound, Full, "", false),
    Line(Feature::Cards, Inbound, Partial, "Only in echoes of own messages.", false),
    Line(Feature::Products, Inbound, Full, "", false),
    Line(Feature::ReplyTo, Inbound, Full, "", false),
    Line(Feature::Reaction, Inbound, Full, "", false),
    Line(Feature::Seen, Inbound, Full, "", false),
    Line(Feature::Edit, Inbound, Partial, "Meta often tells that a message was edited and not into what.", false),
    Line(Feature::Delete, Inbound, Full, "", false),
    Line(Feature::StoryReply, Inbound, Full, "", false),
    Line(
        Feature::StoryMention,
        Inbound,
        Partial,
        "Only from public accounts and accounts that the business follows.",
        false,
    ),
    Line(
        Feature::Interaction,
        Inbound,
        Partial,
        "A tap on a button, an ice breaker and the menu look the same and arrive as a button.",
        false,
    ),
    Line(Feature::Referral, Inbound, Full, "", false),
    Line(Feature::Comment, Inbound, Full, "", false),
    Line(Feature::Mention, Inbound, Full, "", false),
    Line(Feature::Handover, Inbound, Full, "", false),
    Line(Feature::OptIn, Inbound, Full, "", false),
    Line(Feature::Correlation, Inbound, Full, "", false),
    Line(Feature::Profile, Inbound, Partial, "After the customer has written.", false),
    Line(Feature::History, Inbound, Partial, "The newest 20 messages of each conversation.", false),
    Line(Feature::AccountUpdate, Inbound, Partial, "Only that the app was removed.", false),
    Line(Feature::Erasure, Inbound, Partial, "Of everything that one person permitted.", false),
    Line(Feature::Native, Inbound, Full, "", false),
    Line(Feature::Text, Outbound, Full, "Up to 1,000 bytes in UTF-8. HTML and Markdown are shown as typed.", false),
    Line(Feature::Image, Outbound, Full, "JPEG, PNG or GIF, up to 8 MB.", false),
    Line(Feature::Video, Outbound, Full, "MP4, up to 25 MB.", false),
    Line(Feature::Audio, Outbound, Full, "AAC, M4A, WAV or MP3, up to 25 MB.", false),
    Line(Feature::Voice, Outbound, Rejected, "Instagram takes no voice messages; send audio as a file.", false),
    Line(Feature::File, Outbound, Full, "PDF, up to 25 MB.", false),
    Line(Feature::Animation, Outbound, Full, "GIF, up to 8 MB.", false),
    Line(Feature::Album, Outbound, Partial, "Up to 10 images in one message, images only.", false),
    Line(Feature::Sticker, Outbound, Partial, "Only the heart.", false),
    Line(Feature::Share, Outbound, Partial, "Only the business's own posts.", false),
    Line(Feature::Location, Outbound, Rejected, "Instagram takes no locations; write the address.", false),
    Line(Feature::ContactCards, Outbound, Rejected, "Instagram takes no contact cards; write the number.", false),
    Line(
        Feature::QuickReplies,
        Outbound,
        Partial,
        "Under a text or files, up to 13. Titles up to 20 characters.",
        true,
    ),
    Line(
        Feature::Buttons,
        Outbound,
        Partial,
        "1 to 3 buttons that open a page or send an answer. A footer becomes part of the text.",
        true,
    ),
    Line(Feature::Cards, Outbound, Partial, "1 to 10 cards.", true),
    Line(Feature::Products, Outbound, Partial, "1 to 10 products, on accounts connected with Facebook.", true),
    Line(Feature::Choices, Outbound, Rejected, "Instagram has no lists; offer quick replies.", false),
    Line(Feature::Acknowledge, Outbound, Rejected, "Instagram waits for no answer to a tap.", false),
    Line(Feature::Template, Outbound, Rejected, "Instagram has no approved templates.", false),
    Line(Feature::ReplyTo, Outbound, Partial, "Under a text, files, cards or buttons.", false),
    Line(Feature::Reaction, Outbound, Full, "", false),
    Line(Feature::Typing, Outbound, Full, "", false),
    Line(Feature::MarkSeen, Outbound, Full, "Marks the conversation, not a message.", false),
    Line(Feature::Edit, Outbound, Rejected, "Instagram lets nobody edit a message through its API.", false),
    Line(Feature::Delete, Outbound, Rejected, "Instagram lets nobody unsend a message through its API.", false),
    Line(Feature::PrivateReply, Outbound, Partial, "One message for each comment, within 7 days.", false),
    Line(
        Feature::HumanTag,
        Outbound,
        Partial,
        "For people, up to 7 days, where Meta granted the Human Agent feature.",
        false,
    ),
    Line(Feature::Correlation, Outbound, Full, "", false),
    Line(Feature::Upload, Outbound, Full, "", false),
    Line(Feature::IceBreakers, Outbound, Full, "", true),
    Line(Feature::Menu, Outbound, Full, "", true),
    Line(Feature::Native, Outbound, Full, "", false),
];

/// Everything that a host must know before it shows a composer; constant for a version.
pub fn capabilities() -> ChannelCapabilities {
    ChannelCapabilities {
        revision: REVISION,
        features: FEATURES.iter().map(support).collect(),
        text_limits: text_limits(),
        count_limits: count_limits(),
        media_rules: limits::MEDIA.iter().map(media_rule).collect(),
        window: window(),
        stickers: vec![StickerChoice {
            id: limits::LIKE_HEART.to_owned(),
            name: "Heart".to_owned(),
            emoji: Some("\u{2764}\u{fe0f}".to_owned()),
        }],
        reactions: ReactionPolicy::AnyEmoji,
        rates: limits::RATES.iter().map(rate).collect(),
        typing: Some(TypingRule { lasts: limits::TYPING_LASTS, can_stop: true, marks_seen: false }),
        identity: IdentityRule {
            field: "instagram_id".to_owned(),
            min_length: limits::CONTACT_ID.min,
            max_length: limits::CONTACT_ID.max,
            digits_only: true,
        },
    }
}

fn support(line: &Line) -> FeatureSupport {
    let Line(feature, direction, level, note, hidden) = line;
    FeatureSupport {
        feature: *feature,
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
    const LIMITS: &[(TextField, Length)] = &[
        (TextField::MessageText, limits::TEXT),
        (TextField::Caption, limits::TEXT),
        (TextField::QuickReplyTitle, limits::QUICK_REPLY_TITLE),
        (TextField::QuickReplyPayload, limits::QUICK_REPLY_PAYLOAD),
        (TextField::CardTitle, limits::CARD_TITLE),
        (TextField::CardSubtitle, limits::CARD_SUBTITLE),
        (TextField::ButtonTitle, limits::BUTTON_TITLE),
        (TextField::ButtonPayload, limits::BUTTON_PAYLOAD),
        (TextField::ButtonText, limits::BUTTON_TEXT),
        (TextField::IceBreakerQuestion, limits::ICE_BREAKER),
        (TextField::LinkRef, limits::LINK_REF),
    ];
    LIMITS.iter().map(|(field, length)| TextLimit { field: *field, limit: length.bound() }).collect()
}

fn count_limits() -> Vec<CountLimit> {
    const LIMITS: &[(CountedItem, Count)] = &[
        (CountedItem::QuickReplies, limits::QUICK_REPLIES),
        (CountedItem::Cards, limits::CARDS),
        (CountedItem::ButtonsPerCard, limits::BUTTONS_PER_CARD),
        (CountedItem::ButtonsPerMessage, limits::BUTTONS_PER_MESSAGE),
        (CountedItem::ImagesPerMessage, limits::IMAGES),
        (CountedItem::Products, limits::PRODUCTS),
        (CountedItem::IceBreakers, limits::ICE_BREAKERS),
        (CountedItem::MenuItems, limits::MENU_ITEMS),
    ];
    LIMITS.iter().map(|(item, count)| CountLimit { item: *item, min: count.min, max: count.max }).collect()
}

fn media_rule(rule: &limits::MediaRule) -> MediaRule {
    MediaRule {
        kind: rule.kind,
        direction: Direction::Outbound,
        types: rule.types.iter().map(|file| file.mime.to_owned()).collect(),
        max_size: rule.max_size,
    }
}

fn rate(rate: &limits::Rate) -> Rate {
    Rate { class: rate.class.to_owned(), scope: PauseScope::Account, count: rate.count, period: rate.period }
}

/// Meta's policy page of 2026-09-28: most actions open the window for 24 hours, the first message
/// after an ad "may" open it for up to 7 days. Reactions and comments open nothing.
fn window() -> WindowPolicy {
    const OPENERS: &[WindowOpener] = &[
        WindowOpener::Message,
        WindowOpener::StoryReply,
        WindowOpener::StoryMention,
        WindowOpener::QuickReply,
        WindowOpener::Button,
        WindowOpener::Referral,
        WindowOpener::AdMessage,
    ];
    let rule = |opener: &WindowOpener| WindowRule {
        opener: *opener,
        open_for: Some(limits::WINDOW),
        uncertain_until: matches!(opener, WindowOpener::AdMessage).then_some(limits::LONG_WINDOW),
        human_until: Some(limits::LONG_WINDOW),
    };
    WindowPolicy {
        customer_first: true,
        rules: OPENERS.iter().map(rule).collect(),
        always_allowed: vec![Feature::PrivateReply, Feature::Typing, Feature::MarkSeen, Feature::Reaction],
        human_setting: Some(limits::HUMAN_SETTING.to_owned()),
    }
}
