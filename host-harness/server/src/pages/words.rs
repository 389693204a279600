//! Owns: the catalogue of the interface's words: every sentence of the pages, how numbers and plurals get into them, and
//! the artificial language that proves that no page depends on English.
//! Does not own: sentences of channels and platforms, which come with what they describe.

use std::{borrow::Cow, sync::OnceLock};

macro_rules! words {
    ($($key:ident = $text:literal;)+) => {
        /// The words of one language. `{name}` is filled in; `{n|one|other}` chooses by the number `n`.
        pub(crate) struct Words {
            /// The language's tag, for `lang`.
            pub(crate) tag: &'static str,
            /// The direction of writing, for `dir`.
            pub(crate) direction: &'static str,
            $(pub(crate) $key: Cow<'static, str>,)+
        }

        impl Words {
            const ENGLISH: Self =
                Self { tag: "en", direction: "ltr", $($key: Cow::Borrowed($text),)+ };

            fn artificial() -> Self {
                Self { tag: "qps", direction: "rtl", $($key: Cow::Owned(stretched($text)),)+ }
            }
        }
    };
}

words! {
    // The shell
    inbox = "Inbox";
    channels = "Channels";
    demo = "Demo";
    help = "Help";
    main_navigation = "Main";
    home = "Home";
    unread_count = "{n} unread";
    skip_to_conversation = "Skip to the conversation";
    skip_to_page = "Skip to the page";
    offline = "No connection. What you write stays here.";
    offline_again = "Try now";
    // The list
    conversations = "Conversations";
    more_conversations = "Show older conversations";
    no_conversations = "No conversations yet";
    no_conversations_hint = "The first one appears here on its own. You do not need to reload the page.";
    choose_conversation = "Choose a conversation";
    choose_conversation_hint = "Press J and K to move through the list, and Enter to open one.";
    back_to_list = "Back to the list";
    nameless = "{channel} user …{last}";
    comment_without_name = "Somebody who commented";
    you = "You: {text}";
    // What a message is
    photo = "Photo";
    photos = "{n} {n|photo|photos}";
    video = "Video";
    audio = "Audio";
    voice = "Voice message";
    file = "File";
    sticker = "Sticker";
    heart = "Heart";
    location = "Location";
    contact_card = "Contact card";
    product = "Product";
    cards = "{n} {n|card|cards}";
    shared = "Shared {what}";
    share_post = "a post";
    share_reel = "a reel";
    share_story = "a story";
    share_video = "a video";
    share_product = "a product";
    share_profile = "a profile";
    share_link = "a link";
    share_other = "something";
    replied_to_story = "Replied to your story";
    story_kept_away = "{channel} does not allow stories to be stored.";
    mentioned_in_story = "Mentioned you in a story";
    unsent = "{name} unsent this message at {time}. Its content has been erased here too.";
    unsent_short = "Unsent";
    unsent_own = "This message was unsent at {time}. Its content has been erased here too.";
    ephemeral = "{name} sent something that disappears. {channel} does not hand it over.";
    not_handed_over = "{name} sent something that {channel} does not hand over. Look at it there.";
    unknown_item = "{channel} sent something that this version cannot show ({kind}).";
    unknown_kind = "without a name";
    tapped_quick_reply = "picked a quick reply";
    tapped_button = "tapped a button";
    tapped_ice_breaker = "tapped a suggested question";
    tapped_menu = "chose from the menu";
    tapped_other = "tapped something";
    from_ad = "Came from your ad";
    from_link = "Came through a link";
    from_elsewhere = "Came from {source}";
    reacted = "{name} reacted with {what}";
    // Messages
    messages_with = "Messages with {name}";
    written_in_app = "Written in the {channel} app";
    automatic = "Automatic message";
    earlier_messages = "Show earlier messages";
    new_messages = "{n} new {n|message|messages}";
    edited = "edited";
    late = "arrived late";
    late_hint = "It arrived after newer messages.";
    from_history = "loaded from the history";
    today = "Today";
    yesterday = "Yesterday";
    open_photo = "Open the photo";
    open_there = "Open on {channel}";
    media_waiting = "Being loaded…";
    media_gone = "No longer available";
    media_deleted = "Deleted";
    media_too_large = "Too large to be stored here";
    media_refused = "Not stored";
    media_failed = "Could not be loaded";
    // Outcomes
    sent = "Sent";
    read = "Read";
    sending = "Sending…";
    waiting = "Waiting to be sent";
    not_sent = "Not sent";
    not_sent_because = "Not sent: {why}";
    not_tried = "Not sent, because the part before it was not.";
    maybe_delivered = "May have been delivered: {channel} did not confirm it. Look there first.";
    it_arrived = "It arrived";
    it_did_not_arrive = "It did not arrive";
    send_again_anyway = "Send again anyway";
    try_again = "Try again";
    // Activities
    commented_without_text = "Commented on your {place}";
    place_post = "post";
    place_reel = "reel";
    place_story = "story";
    place_live = "live video";
    place_ad = "ad";
    place_other = "content";
    reply_privately = "Reply privately";
    mentioned = "Mentioned you in public";
    handed_over = "Another app took over the conversation, or gave it back.";
    called = "Called you";
    opted_in = "Agreed to receive messages";
    opted_out = "No longer wants to receive messages";
    something_happened = "Something happened here: {kind}";
    // The window
    minutes_left = "{n} min left";
    hours_left = "{n} h left";
    minutes_left_to_reply = "{n} min left to reply";
    hours_left_to_reply = "{n} h left to reply";
    window_open = "Open";
    window_human = "As a person until {time}";
    window_closed = "Window closed";
    window_never = "Customer has not written";
    window_unknown = "May be closed";
    time_to_reply = "Time to reply";
    open_until = "Open until {time}";
    open_without_end = "You can reply at any time.";
    restarts = "Every message of the customer restarts the time.";
    then_human = "After that you can still reply as a person until {time}. The bot cannot.";
    human_explained = "Automatic messages are no longer allowed. You can reply as a person until {time}.";
    closed_explained = "The time to reply is over. You can write again when the customer does.";
    never_explained = "The customer has not written here. {channel} does not let a business write first.";
    unknown_explained = "Only {channel} knows whether you may still reply. You can try.";
    try_anyway = "Try anyway";
    // The composer
    reply_to = "Reply to {name}";
    message = "Message";
    write_to = "Write to {name}";
    send = "Send";
    counter = "{used} of {max} {unit}";
    unit_bytes = "bytes";
    unit_characters = "characters";
    unit_utf16_units = "characters";
    unit_items = "items";
    things_to_fix = "{n} {n|thing|things} to fix";
    add_to_message = "Add to the message";
    attach = "Attach files";
    send_heart = "Send a heart";
    quick_replies = "Quick replies";
    shown_only_in_app = "Not shown on: {surfaces}.";
    no_voice = "Voice message: {channel} does not accept them from businesses";
    replying_to = "Reply to: {text}";
    remove = "Remove {name}";
    uploading = "Uploading {name}";
    file_not_taken = "{channel} does not take this kind of file here. It takes {types}.";
    file_too_large = "The file has {size}. {channel} takes at most {max}.";
    upload_failed = "The file could not be uploaded. Try again.";
    split_into = "Arrives as {n} messages.";
    message_is_empty = "Write something, or attach a file.";
    // The contact
    contact = "Contact";
    about = "About {name}";
    close_panel = "Close";
    identifiers = "Identifiers";
    account = "Account";
    photos_and_files = "Photos and files";
    // Times
    now = "now";
    minutes_ago = "{n} min";
    hours_ago = "{n} h";
    // First run
    welcome = "Where do your customers message you?";
    welcome_hint = "Connect a channel, and its messages arrive here beside all the others. It takes about three minutes.";
    customers_write_first = "Customers write first.";
    customers_write_first_hint = "Some channels do not let a business start a conversation. After each message of a customer there is a time in which you can reply.";
    // Help
    keyboard = "Keyboard";
    key_help = "This page";
    key_search = "Search";
    key_next = "Next or previous conversation";
    key_open = "Open the conversation";
    key_escape = "Back to the list";
    key_reply = "Write a reply";
    key_contact = "Contact";
    key_send = "Send";
    key_inbox = "Go to the inbox";
    keyboard_hint = "Single letters work only outside of fields.";
    // Errors
    error_no_page = "There is nothing at this address";
    error_no_page_hint = "The link is incomplete, or what it led to is gone.";
    error_no_conversation = "This conversation is not here";
    error_no_conversation_hint = "It may have been deleted because the customer asked for it, or the link is incomplete.";
    error_ours = "This did not work";
    error_busy = "Too much is going on right now";
    error_busy_hint = "Wait a moment and try again.";
    error_closed = "Nobody can sign in here yet";
    error_closed_hint = "This host has no sign-in. The demo shows the inbox: start it with `harness demo`.";
    error_form = "The form did not arrive as it should";
    error_form_hint = "Go back and try again.";
    go_to_inbox = "Go to the inbox";
    mention_this = "If you ask for help with this, mention";
}

impl Words {
    /// The catalogue for a language's tag; English where there is none.
    pub(crate) fn of(tag: &str) -> &'static Self {
        static ENGLISH: OnceLock<Words> = OnceLock::new();
        static ARTIFICIAL: OnceLock<Words> = OnceLock::new();
        match tag {
            "qps" => ARTIFICIAL.get_or_init(Self::artificial),
            _ => ENGLISH.get_or_init(|| Self::ENGLISH),
        }
    }
}

/// Fills a sentence in: `{name}` with a value, `{name|one|other}` with the form that fits the number.
pub(crate) fn fill(sentence: &str, values: &[(&str, &str)]) -> String {
    let mut filled = String::with_capacity(sentence.len() + 16);
    let mut rest = sentence;
    while let Some((before, after)) = rest.split_once('{') {
        filled.push_str(before);
        let Some((slot, after)) = after.split_once('}') else {
            rest = after;
            continue;
        };
        let mut slot = slot.split('|');
        let name = slot.next().unwrap_or_default();
        let value = values.iter().find(|(known, _)| *known == name).map_or("", |(_, value)| *value);
        match (slot.next(), slot.next()) {
            (Some(one), Some(other)) => filled.push_str(if value == "1" { one } else { other }),
            _ => filled.push_str(value),
        }
        rest = after;
    }
    filled.push_str(rest);
    filled
}

/// A sentence with a number in it.
pub(crate) fn count(sentence: &str, n: impl ToString) -> String {
    fill(sentence, &[("n", &n.to_string())])
}

/// An English sentence in the artificial language: half as long again, its letters with marks, its slots as they were.
fn stretched(text: &str) -> String {
    let mut stretched = String::with_capacity(text.len() * 2);
    let mut depth = 0_usize;
    let mut letters = 0_usize;
    for c in text.chars() {
        match c {
            '{' => depth += 1,
            '}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        let marked = match c {
            _ if depth > 0 => c,
            'a' => 'á',
            'e' => 'é',
            'i' => 'í',
            'o' => 'ö',
            'u' => 'ü',
            'n' => 'ñ',
            'c' => 'ç',
            's' => 'š',
            c => c,
        };
        letters += usize::from(depth == 0 && c.is_alphabetic());
        stretched.push(marked);
    }
    for at in 0..letters / 2 {
        stretched.push(if at % 6 == 0 { ' ' } else { '~' });
    }
    stretched
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_choose_their_word() {
        assert_eq!(count(&Words::of("en").photos, 1), "1 photo");
        assert_eq!(count(&Words::of("en").photos, 3), "3 photos");
        assert_eq!(count(&Words::of("en").things_to_fix, 0), "0 things to fix");
    }

    #[test]
    fn what_is_filled_in_is_not_filled_in_again() {
        assert_eq!(fill("{a} and {b}", &[("a", "{b}"), ("b", "x")]), "{b} and x");
        assert_eq!(fill("open { end", &[]), "open  end");
    }

    #[test]
    fn the_artificial_language_keeps_the_slots() {
        let words = Words::of("qps");
        assert_eq!((words.tag, words.direction), ("qps", "rtl"));
        assert!(words.counter.contains("{used}") && words.counter.contains("{max}"), "{}", words.counter);
        assert!(words.inbox.chars().count() > Words::of("en").inbox.chars().count());
    }
}
