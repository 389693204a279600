//! Instagram's limits, each defined once; `capabilities` publishes them and `outbound` enforces them.
//! What belongs here is numbers and lists, with their units and their source in Meta's documentation.
//!
//! Where Meta's pages contradict each other, the stricter limit applies to what is sent.

use channel_sdk::limit::{Count, IdForm, Length};
use channel_sdk::report::Platform;

use crate::types::MediaKind;

/// The maximum nesting depth of an outgoing `native`.
pub(crate) const NATIVE_DEPTH: u8 = 16;
/// The maximum length of a message's `metadata`, in characters (Messenger Platform, "Send API").
pub(crate) const METADATA: usize = 1000;
/// The Graph API version used in requests, unless the account's settings name another.
pub(crate) const API_VERSION: &str = "v25.0";

/// The only sticker that can be sent (Meta, "Send Messages", and the product's own promise).
pub(crate) const LIKE_HEART: &str = "like_heart";
/// Surfaces that do not show templates and quick replies (Meta, "Quick Replies", "Generic Template").
pub(crate) const NOT_ON_WEB: &[&str] = &["web"];

/// Instagram's name in reports. Its longest known ids have about 200 bytes.
pub(crate) const INSTAGRAM: Platform = Platform { name: "Instagram", longest_id: 1024 };

/// The longest emoji accepted, in bytes. Unicode's longest, families and couples with skin tones, have 35.
pub(crate) const LONGEST_EMOJI: usize = 64;

/// Instagram-scoped ids of people: 15 to 17 digits.
pub(crate) const CONTACT_ID: IdForm = IdForm { min: 15, max: 17 };

/// Meta says "1000 bytes or less, UTF-8" and, elsewhere on the same page, "characters". Bytes are enforced.
pub(crate) const TEXT: Length = Length::bytes(1000);
/// Meta truncates longer titles silently, so they are refused here.
pub(crate) const QUICK_REPLY_TITLE: Length = Length::characters(20);
/// Messenger Platform, "Quick Replies".
pub(crate) const QUICK_REPLY_PAYLOAD: Length = Length::characters(1000);
/// Instagram Messaging, "Generic Template".
pub(crate) const CARD_TITLE: Length = Length::characters(80);
/// Instagram Messaging, "Generic Template".
pub(crate) const CARD_SUBTITLE: Length = Length::characters(80);
/// Messenger Platform, "Buttons".
pub(crate) const BUTTON_TITLE: Length = Length::characters(20);
/// Messenger Platform, "Postback Button".
pub(crate) const BUTTON_PAYLOAD: Length = Length::characters(1000);
/// Instagram Messaging, "Button Template".
pub(crate) const BUTTON_TEXT: Length = Length::characters(640);
/// Messenger Platform, "Ice Breakers".
pub(crate) const ICE_BREAKER: Length = Length::characters(80);
/// Instagram Messaging, "ig.me Links".
pub(crate) const LINK_REF: Length = Length::characters(2083);

/// Instagram Messaging, "Quick Replies".
pub(crate) const QUICK_REPLIES: Count = Count { min: 0, max: 13 };
/// Instagram Messaging, "Generic Template".
pub(crate) const CARDS: Count = Count { min: 1, max: 10 };
/// Instagram Messaging, "Generic Template".
pub(crate) const BUTTONS_PER_CARD: Count = Count { min: 0, max: 3 };
/// Instagram Messaging, "Button Template".
pub(crate) const BUTTONS_PER_MESSAGE: Count = Count { min: 1, max: 3 };
/// Changelog of 2026-05-06: up to ten images in one message.
pub(crate) const IMAGES: Count = Count { min: 1, max: 10 };
/// Instagram Messaging, "Product Template".
pub(crate) const PRODUCTS: Count = Count { min: 1, max: 10 };
/// Instagram Messaging, "Ice Breakers".
pub(crate) const ICE_BREAKERS: Count = Count { min: 1, max: 4 };
/// Instagram Messaging, "Persistent Menu": more are possible but discouraged.
pub(crate) const MENU_ITEMS: Count = Count { min: 1, max: 5 };

/// A file type: its MIME type, aliases of it, file extensions, and whether Meta's pages list it.
pub(crate) struct FileType {
    pub(crate) mime: &'static str,
    pub(crate) aliases: &'static [&'static str],
    pub(crate) endings: &'static [&'static str],
    pub(crate) documented: bool,
}

/// The files accepted for a kind of media.
pub(crate) struct MediaRule {
    pub(crate) kind: MediaKind,
    /// Meta's value for `attachment.type`.
    pub(crate) word: &'static str,
    /// The name of the kind within a sentence.
    pub(crate) name: &'static str,
    pub(crate) types: &'static [FileType],
    /// In bytes.
    pub(crate) max_size: u64,
}

const fn file(mime: &'static str, aliases: &'static [&'static str], endings: &'static [&'static str]) -> FileType {
    FileType { mime, aliases, endings, documented: true }
}

/// Meta writes "8 MB", but its error 36000/2207004 says "8 MiB", so limits use units of 1024.
const MEBIBYTE: u64 = 1024 * 1024;
const GIF: FileType = file("image/gif", &[], &["gif"]);

/// All rules. Meta, "Send Messages" and "Attachment Upload"; MP3 is the product's own promise.
pub(crate) const MEDIA: &[MediaRule] = &[
    MediaRule {
        kind: MediaKind::Image,
        word: "image",
        name: "an image",
        types: &[
            file("image/jpeg", &["image/jpg", "image/pjpeg"], &["jpg", "jpeg"]),
            file("image/png", &["image/x-png"], &["png"]),
            GIF,
        ],
        max_size: 8 * MEBIBYTE,
    },
    MediaRule {
        kind: MediaKind::Animation,
        word: "image",
        name: "an animation",
        types: &[GIF],
        max_size: 8 * MEBIBYTE,
    },
    MediaRule {
        kind: MediaKind::Video,
        word: "video",
        name: "a video",
        types: &[file("video/mp4", &[], &["mp4"])],
        max_size: 25 * MEBIBYTE,
    },
    MediaRule {
        kind: MediaKind::Audio,
        word: "audio",
        name: "audio",
        types: &[
            file("audio/aac", &["audio/x-aac", "audio/aacp"], &["aac"]),
            file("audio/mp4", &["audio/m4a", "audio/x-m4a"], &["m4a", "mp4"]),
            file("audio/wav", &["audio/x-wav", "audio/wave", "audio/vnd.wave"], &["wav"]),
            FileType {
                mime: "audio/mpeg",
                aliases: &["audio/mp3", "audio/mpeg3", "audio/x-mp3"],
                endings: &["mp3"],
                documented: false,
            },
        ],
        max_size: 25 * MEBIBYTE,
    },
    MediaRule {
        kind: MediaKind::File,
        word: "file",
        name: "a document",
        types: &[file("application/pdf", &["application/x-pdf"], &["pdf"])],
        max_size: 25 * MEBIBYTE,
    },
];

/// Video types that Meta's pages list but the product does not promise, with their extensions.
pub(crate) const OTHER_VIDEO: &[(&str, &str)] = &[
    ("video/quicktime", "mov"),
    ("video/webm", "webm"),
    ("video/ogg", "ogv"),
    ("video/ogg", "ogg"),
    ("video/x-msvideo", "avi"),
    ("video/avi", "avi"),
];

/// A rate limit, per account.
pub(crate) struct Rate {
    pub(crate) class: &'static str,
    pub(crate) count: u32,
    /// In milliseconds.
    pub(crate) period: u32,
}

/// The class of texts, templates, shares and stickers.
pub(crate) const RATE_TEXT: &str = "text";
/// The class of messages with files.
pub(crate) const RATE_MEDIA: &str = "media";
/// The class of typing indicators, read receipts and reactions.
pub(crate) const RATE_ACTION: &str = "action";
/// The class of private replies to comments.
pub(crate) const RATE_PRIVATE_REPLY: &str = "private-reply";
/// The class of uploads.
pub(crate) const RATE_UPLOAD: &str = "upload";
/// The class for reading the history, named by the contract: Meta, "Rate Limiting", Conversations API.
pub(crate) const RATE_CONVERSATIONS: &str = "conversations";

/// Meta, "Rate Limiting". The Messenger page allows 300 texts per second, the Instagram page 100. The pages say 10 per
/// second for audio and video, and nothing about images and uploads. Private replies to live comments may be sent at
/// 100 per second, but a channel cannot distinguish them.
pub(crate) const RATES: &[Rate] = &[
    Rate { class: RATE_TEXT, count: 100, period: 1000 },
    Rate { class: RATE_MEDIA, count: 10, period: 1000 },
    Rate { class: RATE_ACTION, count: 100, period: 1000 },
    Rate { class: RATE_PRIVATE_REPLY, count: 750, period: 3_600_000 },
    Rate { class: RATE_UPLOAD, count: 10, period: 1000 },
    Rate { class: RATE_CONVERSATIONS, count: 2, period: 1000 },
];

const HOUR: u64 = 3_600_000;
/// The window after most actions by a customer, in milliseconds (Meta, "Messaging Window").
pub(crate) const WINDOW: u64 = 24 * HOUR;
/// How long people may answer, and the longest window after an ad, in milliseconds.
pub(crate) const LONG_WINDOW: u64 = 7 * 24 * HOUR;
/// The setting that states that Meta granted the Human Agent feature.
pub(crate) const HUMAN_SETTING: &str = "human-agent";
/// How long a typing indicator is shown, in milliseconds (Messenger Platform, "Sender Actions").
pub(crate) const TYPING_LASTS: u32 = 20_000;
