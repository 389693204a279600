//! Features that a channel may support: their names.
//! Does not own: their meaning, which `wit/` documents.

/// `text`
pub const TEXT: &str = "text";
/// `image`
pub const IMAGE: &str = "image";
/// `video`
pub const VIDEO: &str = "video";
/// `audio`
pub const AUDIO: &str = "audio";
/// `voice`
pub const VOICE: &str = "voice";
/// `file`
pub const FILE: &str = "file";
/// `animation`
pub const ANIMATION: &str = "animation";
/// `album`
pub const ALBUM: &str = "album";
/// `sticker`
pub const STICKER: &str = "sticker";
/// `share`
pub const SHARE: &str = "share";
/// `location`
pub const LOCATION: &str = "location";
/// `contact_cards`
pub const CONTACT_CARDS: &str = "contact_cards";
/// `buttons`
pub const BUTTONS: &str = "buttons";
/// `choices`
pub const CHOICES: &str = "choices";
/// `cards`
pub const CARDS: &str = "cards";
/// `products`
pub const PRODUCTS: &str = "products";
/// `template`
pub const TEMPLATE: &str = "template";
/// `quick_replies`
pub const QUICK_REPLIES: &str = "quick_replies";
/// `native`
pub const NATIVE: &str = "native";
/// `reply_to`
pub const REPLY_TO: &str = "reply_to";
/// `reaction`
pub const REACTION: &str = "reaction";
/// `edit`
pub const EDIT: &str = "edit";
/// `delete`
pub const DELETE: &str = "delete";
/// `seen`
pub const SEEN: &str = "seen";
/// `delivery_status`
pub const DELIVERY_STATUS: &str = "delivery_status";
/// `correlation`
pub const CORRELATION: &str = "correlation";
/// `formatting`
pub const FORMATTING: &str = "formatting";
/// `sender_name`
pub const SENDER_NAME: &str = "sender_name";
/// `typing`
pub const TYPING: &str = "typing";
/// `mark_seen`
pub const MARK_SEEN: &str = "mark_seen";
/// `acknowledge`
pub const ACKNOWLEDGE: &str = "acknowledge";
/// `story_reply`
pub const STORY_REPLY: &str = "story_reply";
/// `story_mention`
pub const STORY_MENTION: &str = "story_mention";
/// `referral`
pub const REFERRAL: &str = "referral";
/// `comment`
pub const COMMENT: &str = "comment";
/// `private_reply`
pub const PRIVATE_REPLY: &str = "private_reply";
/// `mention`
pub const MENTION: &str = "mention";
/// `handover`
pub const HANDOVER: &str = "handover";
/// `opt_in`
pub const OPT_IN: &str = "opt_in";
/// `call`
pub const CALL: &str = "call";
/// `group`
pub const GROUP: &str = "group";
/// `activity`
pub const ACTIVITY: &str = "activity";
/// `contact_update`
pub const CONTACT_UPDATE: &str = "contact_update";
/// `thread_update`
pub const THREAD_UPDATE: &str = "thread_update";
/// `account_update`
pub const ACCOUNT_UPDATE: &str = "account_update";
/// `erasure`
pub const ERASURE: &str = "erasure";
/// `profile`
pub const PROFILE: &str = "profile";
/// `history`
pub const HISTORY: &str = "history";
/// `upload`
pub const UPLOAD: &str = "upload";
/// `ice_breakers`
pub const ICE_BREAKERS: &str = "ice_breakers";
/// `menu`
pub const MENU: &str = "menu";
/// `templates`
pub const TEMPLATES: &str = "templates";
/// All of them, in the order of the contract.
pub const ALL: &[&str] = &[
    TEXT,
    IMAGE,
    VIDEO,
    AUDIO,
    VOICE,
    FILE,
    ANIMATION,
    ALBUM,
    STICKER,
    SHARE,
    LOCATION,
    CONTACT_CARDS,
    BUTTONS,
    CHOICES,
    CARDS,
    PRODUCTS,
    TEMPLATE,
    QUICK_REPLIES,
    NATIVE,
    REPLY_TO,
    REACTION,
    EDIT,
    DELETE,
    SEEN,
    DELIVERY_STATUS,
    CORRELATION,
    FORMATTING,
    SENDER_NAME,
    TYPING,
    MARK_SEEN,
    ACKNOWLEDGE,
    STORY_REPLY,
    STORY_MENTION,
    REFERRAL,
    COMMENT,
    PRIVATE_REPLY,
    MENTION,
    HANDOVER,
    OPT_IN,
    CALL,
    GROUP,
    ACTIVITY,
    CONTACT_UPDATE,
    THREAD_UPDATE,
    ACCOUNT_UPDATE,
    ERASURE,
    PROFILE,
    HISTORY,
    UPLOAD,
    ICE_BREAKERS,
    MENU,
    TEMPLATES,
];
