//! Owns: the words of the shell and the inbox in English, by what they are for.
//! Does not own: how they are filled in, the other languages (`words`), the words of other pages (their modules).

use super::{
    Language, bot::Bot, composer::Composer, connecting::Connecting, demo::Demo, find::Find, plugins::Plugins,
    settings::Settings,
};

words! {
    /// The words of one language.
    Words {
        language: Language,
        bot_pages: Bot,
        composer: Composer,
        connecting: Connecting,
        plugins: Plugins,
        settings: Settings,
        visit: Demo,
        find: Find,
    }

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
    they = "{name}: {text}";
    myself = "You";
    whose = "Which conversations";
    mine = "Mine";
    unassigned = "Unassigned";
    everyone = "Everyone";
    closed = "Closed";
    channel = "Channel";
    all_channels = "All channels";
    label = "Label";
    all_labels = "All labels";
    only_unread = "Unread";
    show = "Show";
    nothing_here = "Nothing here";
    nothing_here_hint = "No conversation fits what you chose.";
    select = "Select the conversation with {name}";
    selected = "Selected";
    // Order in the team
    close = "Close";
    reopen = "Reopen";
    closed_at = "Closed";
    pending = "Waiting for somebody else";
    snoozed = "Snoozed until {time}";
    more_actions = "More actions";
    snooze_hour = "Snooze for an hour";
    snooze_day = "Snooze until tomorrow";
    set_pending = "Wait for somebody else";
    handled_by = "Handled by";
    assigned_to = "Assigned to";
    nobody = "Nobody";
    take_it = "Assign to me";
    collection = "Collection";
    no_collection = "No collection";
    add_label = "Add a label";
    save = "Save";
    others_first = "{name} was first. Nothing was changed.";
    error_settled = "It is known by now what became of this message. Nothing was changed.";
    others_first_hint = "Look at the conversation again before you change it.";
    other_conversations = "Other conversations";
    reply_mode = "Reply";
    note_mode = "Private note";
    note_text = "Private note";
    note_placeholder = "Only your team sees this.";
    add_note = "Add note";
    note_by = "{name}, private note. Only your team sees it.";
    delete_note = "Delete this note";
    saved_replies = "Saved replies";
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
    today_inside = "today";
    yesterday = "Yesterday";
    yesterday_inside = "yesterday";
    open_photo = "Open the photo";
    previous_photo = "Previous photo";
    next_photo = "Next photo";
    open_alone = "Open in a new tab";
    preview = "Preview";
    is_looking = "{name} is here too";
    is_writing = "{name} is writing";
    customer_is_typing = "{name} is typing";
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
    key_next = "Next or previous conversation";
    key_open = "Open the conversation";
    key_escape = "Back to the list";
    key_reply = "Write a reply; on a message: answer it";
    key_note = "Write a private note";
    key_close = "Close the conversation";
    key_assign = "Assign";
    key_label = "Label";
    key_select = "Select";
    key_messages = "Move through the messages";
    key_contact = "Contact";
    key_send = "Send";
    key_inbox = "Go to the inbox";
    key_channels = "Go to the channels";
    key_bot = "Go to the bot";
    key_plugins = "Go to the plugins";
    key_settings = "Go to the settings";
    keyboard_hint = "Single letters work only outside of fields.";
    // Channels and the bot
    bot = "Bot";
    connect = "Connect";
    connect_channel = "Connect a channel";
    connected_accounts = "Accounts";
    channels_hint = "The accounts whose messages arrive here.";
    check_up = "Check-up";
    connected = "Connected";
    needs_reconnect = "Has to be connected again";
    disconnected = "Disconnected";
    needs_attention = "Needs your attention";
    all_good = "All good";
    checks = "{n} {n|check|checks}";
    change_connection = "Change the connection";
    connect_again = "Connect again";
    disconnect = "Disconnect";
    disconnect_hint = "Disconnecting keeps the conversations. No message comes in any more.";
    try_demo = "Just looking around? Try it with the demo phone.";
    bot_hint = "What happens by itself when a customer writes. A person who answers always takes over.";
    bot_on = "The bot works for this account";
    bot_all_off = "All bots of your team are switched off at the moment.";
    not_saved = "Nothing was saved.";
    saved = "Saved.";
    welcome_message = "Welcome message";
    welcome_message_hint = "Sent once when somebody writes for the first time.";
    collection_rules = "Collections";
    collection_rules_hint = "The first rule that fits decides where a new conversation goes.";
    rule_words = "If the message has one of these words";
    otherwise = "Otherwise";
    assistant = "AI assistant";
    assistant_hint = "Answers with a language model, and hands over to a person when it is not sure.";
    assistant_address = "Address of the model’s interface";
    assistant_model = "Model";
    assistant_key = "Key";
    assistant_key_stored = "A key is stored. Type a new one to replace it.";
    assistant_key_missing = "No key is stored.";
    assistant_instructions = "What it knows and how it answers";
    assistant_disclosure = "How it says that it is automatic";
    assistant_hand_over = "What it says when it hands over";
    error_role = "Your role does not allow this";
    error_role_hint = "Ask an admin of your team.";
    // The demo
    your_inbox = "Your inbox";
    // Signing in
    sign_in = "Sign in";
    email_address = "Email address";
    password = "Password";
    continue_with = "Continue with {name}";
    or_with_password = "or with a password";
    forgotten = "Forgotten your password? An admin of your team can send you a new link.";
    no_account = "No account yet? Ask an admin of your team for an invitation.";
    fill_in_both = "Fill in both fields.";
    sign_in_wrong = "The email address or the password is not right.";
    sign_in_held_up = "Too many wrong passwords were tried. Try again in {n} {n|second|seconds}. A browser in which you have signed in before is not held up by others.";
    sign_in_busy = "Too many people are signing in at this moment. Try again in a few seconds.";
    no_passwords = "People do not sign in with passwords here.";
    sign_in_ours = "This did not work, and it is not your fault. Try again, or tell whoever runs this inbox.";
    invited_title = "Welcome";
    invited_as = "You are invited to this inbox as {email}.";
    choose_name_and_password = "Choose how you are called here and a password.";
    sign_in_with_this_address = "Sign in with this address at the service that your team uses.";
    your_name = "Your name";
    your_name_hint = "It stands on your replies.";
    name_length = "A name has 1 to 80 characters.";
    new_password_hint = "At least 10 characters: several words that do not belong together are a good one.";
    password_too_short = "Choose a password of at least 10 characters: several words that do not belong together are a good one.";
    password_too_long = "Choose a shorter password.";
    password_too_easy = "Choose a password that is not your email address or name, and not one character again and again.";
    email_taken = "Somebody of another team has this email address here. Ask for an invitation to another one.";
    invitation_gone = "This invitation is not valid any more: it was used, replaced or withdrawn, or its time is over. Ask for another.";
    provider_begin_again = "This sign-in was begun in another browser, has been finished already, or took longer than ten minutes. Begin again.";
    provider_cancelled = "You did not finish signing in at {name}.";
    provider_refused = "{name} did not sign you in. Its reason: {reason}";
    provider_away = "{name} does not answer as it should at the moment. Try again in a minute; if it stays so, tell whoever runs this inbox.";
    provider_not_trusted = "What came back from {name} proves nothing, so you are not signed in. Begin again; if it stays so, tell whoever runs this inbox.";
    provider_no_email = "{name} tells no email address of you. Add one there, then sign in again.";
    provider_unverified = "{name} has not verified your email address. Verify it there, then sign in again.";
    provider_not_invited = "Nobody is invited as {email}. Ask an admin of your team for an invitation to this address.";
    provider_other_identity = "{email} belongs to somebody here whom {name} knows as another person. If that is you, ask an admin of your team for an invitation.";
    provider_disabled = "You cannot sign in here any more. Ask an admin of your team.";
    provider_unknown = "There is no such way to sign in. Choose one that is shown here.";
    // Errors
    error_no_page = "There is nothing at this address";
    error_no_page_hint = "The link is incomplete, or what it led to is gone.";
    error_no_conversation = "This conversation is not here";
    error_no_conversation_hint = "It may have been deleted because the customer asked for it, or the link is incomplete.";
    error_ours = "This did not work";
    error_ours_hint = "It is not your fault. Try again. If it happens again, tell whoever runs this inbox.";
    error_busy = "Too much is going on right now";
    error_busy_hint = "Wait a moment and try again.";
    error_closed = "Nobody can sign in here yet";
    error_closed_hint = "This host has no sign-in. The demo shows the inbox: start it with `harness demo`.";
    error_form = "The form did not arrive as it should";
    error_other_site = "This was asked by a page of another site";
    error_other_site_hint = "Nothing was changed. Open the inbox yourself and do it there.";
    error_form_hint = "Go back and try again.";
    go_to_inbox = "Go to the inbox";
    mention_this = "If you ask for help with this, mention";
}
