//! The names of the contract: the values of its string types that have a defined meaning, as constants.
//! Owns: the spelling. Does not own: the meaning of a name, which `wit/` documents; a test compares the two.
#![no_std]

pub mod feature;

/// Kinds of address.
pub mod address_kind {
    /// `phone`
    pub const PHONE: &str = "phone";
    /// `email`
    pub const EMAIL: &str = "email";
    /// `user_id`
    pub const USER_ID: &str = "user_id";
    /// `other`
    pub const OTHER: &str = "other";
    /// All of them, in the order of the contract.
    pub const ALL: &[&str] = &[PHONE, EMAIL, USER_ID, OTHER];
}

/// Actions that open the messaging window.
pub mod window_opener {
    /// `message`
    pub const MESSAGE: &str = "message";
    /// `story_reply`
    pub const STORY_REPLY: &str = "story_reply";
    /// `story_mention`
    pub const STORY_MENTION: &str = "story_mention";
    /// `quick_reply`
    pub const QUICK_REPLY: &str = "quick_reply";
    /// `button`
    pub const BUTTON: &str = "button";
    /// `referral`
    pub const REFERRAL: &str = "referral";
    /// `ad_message`
    pub const AD_MESSAGE: &str = "ad_message";
    /// `reaction`
    pub const REACTION: &str = "reaction";
    /// `comment`
    pub const COMMENT: &str = "comment";
    /// `call`
    pub const CALL: &str = "call";
    /// `follow`
    pub const FOLLOW: &str = "follow";
    /// `other`
    pub const OTHER: &str = "other";
    /// All of them, in the order of the contract.
    pub const ALL: &[&str] = &[
        MESSAGE,
        STORY_REPLY,
        STORY_MENTION,
        QUICK_REPLY,
        BUTTON,
        REFERRAL,
        AD_MESSAGE,
        REACTION,
        COMMENT,
        CALL,
        FOLLOW,
        OTHER,
    ];
}

/// Oddities of an event.
pub mod anomaly {
    /// `text_replaced`
    pub const TEXT_REPLACED: &str = "text_replaced";
    /// `missing_time`
    pub const MISSING_TIME: &str = "missing_time";
    /// `missing_participant`
    pub const MISSING_PARTICIPANT: &str = "missing_participant";
    /// `unexpected_type`
    pub const UNEXPECTED_TYPE: &str = "unexpected_type";
    /// `native_omitted`
    pub const NATIVE_OMITTED: &str = "native_omitted";
    /// `unusual_contact_id`
    pub const UNUSUAL_CONTACT_ID: &str = "unusual_contact_id";
    /// All of them, in the order of the contract.
    pub const ALL: &[&str] =
        &[TEXT_REPLACED, MISSING_TIME, MISSING_PARTICIPANT, UNEXPECTED_TYPE, NATIVE_OMITTED, UNUSUAL_CONTACT_ID];
}

/// Kinds of share.
pub mod share_kind {
    /// `post`
    pub const POST: &str = "post";
    /// `reel`
    pub const REEL: &str = "reel";
    /// `story`
    pub const STORY: &str = "story";
    /// `video`
    pub const VIDEO: &str = "video";
    /// `product`
    pub const PRODUCT: &str = "product";
    /// `profile`
    pub const PROFILE: &str = "profile";
    /// `link`
    pub const LINK: &str = "link";
    /// `other`
    pub const OTHER: &str = "other";
    /// All of them, in the order of the contract.
    pub const ALL: &[&str] = &[POST, REEL, STORY, VIDEO, PRODUCT, PROFILE, LINK, OTHER];
}

/// How a contact came to a conversation.
pub mod referral_source {
    /// `ad`
    pub const AD: &str = "ad";
    /// `link`
    pub const LINK: &str = "link";
    /// `product`
    pub const PRODUCT: &str = "product";
    /// `post`
    pub const POST: &str = "post";
    /// `story`
    pub const STORY: &str = "story";
    /// `customer_chat`
    pub const CUSTOMER_CHAT: &str = "customer_chat";
    /// `other`
    pub const OTHER: &str = "other";
    /// All of them, in the order of the contract.
    pub const ALL: &[&str] = &[AD, LINK, PRODUCT, POST, STORY, CUSTOMER_CHAT, OTHER];
}

/// Where a comment was made.
pub mod comment_place {
    /// `post`
    pub const POST: &str = "post";
    /// `reel`
    pub const REEL: &str = "reel";
    /// `story`
    pub const STORY: &str = "story";
    /// `live`
    pub const LIVE: &str = "live";
    /// `ad`
    pub const AD: &str = "ad";
    /// `other`
    pub const OTHER: &str = "other";
    /// All of them, in the order of the contract.
    pub const ALL: &[&str] = &[POST, REEL, STORY, LIVE, AD, OTHER];
}

/// Changes to an account.
pub mod account_change {
    /// `disconnected`
    pub const DISCONNECTED: &str = "disconnected";
    /// `restricted`
    pub const RESTRICTED: &str = "restricted";
    /// `restored`
    pub const RESTORED: &str = "restored";
    /// `policy`
    pub const POLICY: &str = "policy";
    /// `renamed`
    pub const RENAMED: &str = "renamed";
    /// `other`
    pub const OTHER: &str = "other";
    /// All of them, in the order of the contract.
    pub const ALL: &[&str] = &[DISCONNECTED, RESTRICTED, RESTORED, POLICY, RENAMED, OTHER];
}

/// Problems of a message.
pub mod violation_code {
    /// `empty_message`
    pub const EMPTY_MESSAGE: &str = "empty_message";
    /// `unsupported_feature`
    pub const UNSUPPORTED_FEATURE: &str = "unsupported_feature";
    /// `unsupported_combination`
    pub const UNSUPPORTED_COMBINATION: &str = "unsupported_combination";
    /// `not_shown_everywhere`
    pub const NOT_SHOWN_EVERYWHERE: &str = "not_shown_everywhere";
    /// `text_empty`
    pub const TEXT_EMPTY: &str = "text_empty";
    /// `text_too_long`
    pub const TEXT_TOO_LONG: &str = "text_too_long";
    /// `title_too_long`
    pub const TITLE_TOO_LONG: &str = "title_too_long";
    /// `payload_too_long`
    pub const PAYLOAD_TOO_LONG: &str = "payload_too_long";
    /// `markup_shown_as_typed`
    pub const MARKUP_SHOWN_AS_TYPED: &str = "markup_shown_as_typed";
    /// `too_many`
    pub const TOO_MANY: &str = "too_many";
    /// `too_few`
    pub const TOO_FEW: &str = "too_few";
    /// `missing_field`
    pub const MISSING_FIELD: &str = "missing_field";
    /// `invalid_field`
    pub const INVALID_FIELD: &str = "invalid_field";
    /// `invalid_url`
    pub const INVALID_URL: &str = "invalid_url";
    /// `invalid_settings`
    pub const INVALID_SETTINGS: &str = "invalid_settings";
    /// `invalid_option`
    pub const INVALID_OPTION: &str = "invalid_option";
    /// `native_invalid`
    pub const NATIVE_INVALID: &str = "native_invalid";
    /// `unsupported_media_type`
    pub const UNSUPPORTED_MEDIA_TYPE: &str = "unsupported_media_type";
    /// `unknown_media_type`
    pub const UNKNOWN_MEDIA_TYPE: &str = "unknown_media_type";
    /// `media_too_large`
    pub const MEDIA_TOO_LARGE: &str = "media_too_large";
    /// `unknown_media_size`
    pub const UNKNOWN_MEDIA_SIZE: &str = "unknown_media_size";
    /// `unknown_sticker`
    pub const UNKNOWN_STICKER: &str = "unknown_sticker";
    /// `unknown_reaction`
    pub const UNKNOWN_REACTION: &str = "unknown_reaction";
    /// `window_closed`
    pub const WINDOW_CLOSED: &str = "window_closed";
    /// `window_needs_human`
    pub const WINDOW_NEEDS_HUMAN: &str = "window_needs_human";
    /// `window_never_opened`
    pub const WINDOW_NEVER_OPENED: &str = "window_never_opened";
    /// `window_uncertain`
    pub const WINDOW_UNCERTAIN: &str = "window_uncertain";
    /// `not_available_on_account`
    pub const NOT_AVAILABLE_ON_ACCOUNT: &str = "not_available_on_account";
    /// `documented_otherwise`
    pub const DOCUMENTED_OTHERWISE: &str = "documented_otherwise";
    /// `other`
    pub const OTHER: &str = "other";
    /// All of them, in the order of the contract.
    pub const ALL: &[&str] = &[
        EMPTY_MESSAGE,
        UNSUPPORTED_FEATURE,
        UNSUPPORTED_COMBINATION,
        NOT_SHOWN_EVERYWHERE,
        TEXT_EMPTY,
        TEXT_TOO_LONG,
        TITLE_TOO_LONG,
        PAYLOAD_TOO_LONG,
        MARKUP_SHOWN_AS_TYPED,
        TOO_MANY,
        TOO_FEW,
        MISSING_FIELD,
        INVALID_FIELD,
        INVALID_URL,
        INVALID_SETTINGS,
        INVALID_OPTION,
        NATIVE_INVALID,
        UNSUPPORTED_MEDIA_TYPE,
        UNKNOWN_MEDIA_TYPE,
        MEDIA_TOO_LARGE,
        UNKNOWN_MEDIA_SIZE,
        UNKNOWN_STICKER,
        UNKNOWN_REACTION,
        WINDOW_CLOSED,
        WINDOW_NEEDS_HUMAN,
        WINDOW_NEVER_OPENED,
        WINDOW_UNCERTAIN,
        NOT_AVAILABLE_ON_ACCOUNT,
        DOCUMENTED_OTHERWISE,
        OTHER,
    ];
}

/// Texts with a maximum length.
pub mod text_field {
    /// `message_text`
    pub const MESSAGE_TEXT: &str = "message_text";
    /// `caption`
    pub const CAPTION: &str = "caption";
    /// `quick_reply_title`
    pub const QUICK_REPLY_TITLE: &str = "quick_reply_title";
    /// `quick_reply_payload`
    pub const QUICK_REPLY_PAYLOAD: &str = "quick_reply_payload";
    /// `card_title`
    pub const CARD_TITLE: &str = "card_title";
    /// `card_subtitle`
    pub const CARD_SUBTITLE: &str = "card_subtitle";
    /// `button_title`
    pub const BUTTON_TITLE: &str = "button_title";
    /// `button_payload`
    pub const BUTTON_PAYLOAD: &str = "button_payload";
    /// `button_text`
    pub const BUTTON_TEXT: &str = "button_text";
    /// `choice_title`
    pub const CHOICE_TITLE: &str = "choice_title";
    /// `choice_description`
    pub const CHOICE_DESCRIPTION: &str = "choice_description";
    /// `ice_breaker_question`
    pub const ICE_BREAKER_QUESTION: &str = "ice_breaker_question";
    /// `link_ref`
    pub const LINK_REF: &str = "link_ref";
    /// `sender_name`
    pub const SENDER_NAME: &str = "sender_name";
    /// All of them, in the order of the contract.
    pub const ALL: &[&str] = &[
        MESSAGE_TEXT,
        CAPTION,
        QUICK_REPLY_TITLE,
        QUICK_REPLY_PAYLOAD,
        CARD_TITLE,
        CARD_SUBTITLE,
        BUTTON_TITLE,
        BUTTON_PAYLOAD,
        BUTTON_TEXT,
        CHOICE_TITLE,
        CHOICE_DESCRIPTION,
        ICE_BREAKER_QUESTION,
        LINK_REF,
        SENDER_NAME,
    ];
}

/// Things with a maximum count.
pub mod counted_item {
    /// `quick_replies`
    pub const QUICK_REPLIES: &str = "quick_replies";
    /// `cards`
    pub const CARDS: &str = "cards";
    /// `buttons_per_card`
    pub const BUTTONS_PER_CARD: &str = "buttons_per_card";
    /// `buttons_per_message`
    pub const BUTTONS_PER_MESSAGE: &str = "buttons_per_message";
    /// `choices`
    pub const CHOICES: &str = "choices";
    /// `images_per_message`
    pub const IMAGES_PER_MESSAGE: &str = "images_per_message";
    /// `products`
    pub const PRODUCTS: &str = "products";
    /// `ice_breakers`
    pub const ICE_BREAKERS: &str = "ice_breakers";
    /// `menu_items`
    pub const MENU_ITEMS: &str = "menu_items";
    /// All of them, in the order of the contract.
    pub const ALL: &[&str] = &[
        QUICK_REPLIES,
        CARDS,
        BUTTONS_PER_CARD,
        BUTTONS_PER_MESSAGE,
        CHOICES,
        IMAGES_PER_MESSAGE,
        PRODUCTS,
        ICE_BREAKERS,
        MENU_ITEMS,
    ];
}
