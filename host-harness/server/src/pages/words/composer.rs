//! Owns: the words of the composer, of answering and of reacting, in English.
//! Does not own: how they are filled in, the other languages (`words`).

words! {
    /// The words of the composer.
    Composer {}
    // Messages
    answer = "Reply";
    react = "React";
    key_react = "On a message: react to it";
    react_to = "React to: {text}";
    react_with = "React with {what}";
    more_emoji = "More emoji";
    remove_reaction = "Remove your reaction {what}";
    no_such_message = "This message is no longer here";
    not_reacted = "The reaction was not sent: {why}";
    // Emoji
    emoji = "Emoji";
    find_emoji = "Find an emoji";
    no_emoji = "No emoji has this name.";
    // What becomes of it
    arrives_as = "Arrives as {n} messages";
    lengths = "{lengths} {unit}";
    send_many = "Send {n}";
    send_as_person = "Reply as a person";
    write_as_person = "Reply as a person";
    enter_sends = "Enter sends";
    enter_sends_hint = "Shift and Enter begins a new line. Otherwise Ctrl and Enter sends.";
    sending_options = "How to send";
    sent_before = "What stood here before was sent: it is in the conversation. Press Send if you want to send this one too.";
    no_answer = "No answer came, so it may have been sent. Press Send again: the same message is sent only once.";
    note_no_answer = "No answer came, so it may have been added. Press the button again: the same note is added only once.";
    went_out_since = "This was sent again already.";
    went_out_since_hint = "It stands among the newest messages.";
    stays_not_sent = "The message stays as it is: not sent.";
    still_uploading = "A file is still being uploaded. Try again when it is there.";
    no_files_in_notes = "A note is text. Go to Reply to send a file.";
    not_sent_elsewhere = "Your message to {name} was not sent.";
    lost_elsewhere = "No answer came when you sent your message to {name}.";
    note_not_added = "Your note about {name} was not added.";
    note_lost = "No answer came when you added your note about {name}.";
    kept_as_draft = "It is kept as a draft.";
    look_at_draft = "Open it";
    dismiss = "Dismiss";
    // Quick replies, buttons and cards
    quick_reply = "Quick reply {n}";
    add_quick_reply = "Add a quick reply";
    number_of = "{n} of {max}";
    move_up = "Move {name} up";
    move_back = "Move {name} to the front";
    buttons = "Buttons";
    buttons_hint = "They stand under the text, as one message with it.";
    cards = "Cards";
    card = "Card {n}";
    add_card = "Add";
    remove_card = "Remove this card";
    card_title = "Title";
    card_subtitle = "Second line";
    card_image = "Address of a picture";
    card_picture = "the picture";
    upload_picture = "Upload a picture";
    card_url = "Address that the card opens";
    card_button = "Button {n}";
    add_button = "Add a button";
    button_title = "Text of button {n}";
    button_does = "What button {n} does";
    sends_reply = "sends a reply";
    opens_page = "opens a page";
    button_address = "Address that button {n} opens";
    as_seen = "As {name} will see it";
    to_fix = "to fix";
    // Files
    convert = "Convert to PNG";
    not_converted = "This browser could not convert it.";
    stands_still = "One picture of the moving one is left.";
    // Posts
    share = "Share one of your posts";
    share_id = "The post’s id";
    share_hint = "{channel} knows every post by an id. Only posts of this account can be shared.";
    saved_replies_hint = "Saved replies (/)";
    // Notes
    mention = "Mention a colleague";
    colleagues = "Colleagues";
    // The window
    then_as_person = "After {time} only a person can reply, not the bot.";
    then_closed = "After {time} you can reply once {name} writes again.";
    closed_title = "You can reply once {name} writes again.";
    draft_kept = "What you have written is kept.";
    add_note = "Add a note for the team";
    write_anyway = "Try to send anyway";
    // Closed, and begun anew
    continues = "Goes on from an earlier conversation";
    wrote_again = "{name} wrote again, in a new conversation";
    continued_title = "{name} wrote again. This conversation stays closed, and a new one goes on.";
    go_on_there = "Go to the new conversation";
    not_sent_here = "What you wrote here was not sent";
    is_continued = "The customer wrote again, in a new conversation";
    is_continued_hint = "The conversation that you changed stays closed. The new one stands in the list.";
    // Outcomes
    look = "Look for it on {channel}";
}
