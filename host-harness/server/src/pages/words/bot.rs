//! Owns: the words of the bot's try-out and of its log in English.
//! Does not own: how they are filled in, the other languages (`words`), those of the form (`catalogue`).

words! {
    /// The words of the bot's try-out and of its log.
    Bot {}
    settings = "Settings";
    changed_meanwhile = "Somebody changed these settings since this page was loaded. Copy what you want to keep, and load the page again.";
    log = "What it did";
    log_hint = "The newest decisions first, with the rule that made each. Nothing that a customer wrote is kept here.";
    nothing_decided = "It has not decided anything yet.";
    older = "Older";
    all_off = "Switch all bots off";
    all_on = "Switch all bots on again";
    // The try-out
    try_it = "Try it";
    nothing_is_sent = "Nothing is sent";
    try_hint = "What it would have done in a conversation of the past, as if everything in it had just come in, or what it would do if a new customer wrote this. What you have not saved yet counts.";
    try_as = "Try it with";
    try_conversation = "A past conversation";
    try_message = "A message that you write as a customer";
    try_text = "What the customer writes";
    try_nothing_written = "Write what a customer might write; for a tap on an ad or a link, say which.";
    came = "It comes as";
    came_message = "A message";
    came_story_reply = "A reply to a story";
    came_comment = "A public comment";
    came_referral = "A tap on an ad or a link, without words";
    referral = "The customer came through";
    referral_none = "Nothing in particular";
    referral_ad = "An ad";
    referral_link = "A link";
    referral_product = "A product";
    referral_post = "A post";
    referral_story = "A story";
    referral_chat = "The chat on a website";
    referral_ad_id = "Id of the ad";
    referral_parameter = "Parameter of the link or the ad";
    conversation = "Conversation";
    ask_model = "Ask the model too";
    ask_model_hint = "This counts to its budget.";
    would_do_nothing = "It would do nothing here.";
    would_ask_model = "It would ask the model for an answer.";
    // Decisions
    welcome = "Welcome message";
    routing = "Collections";
    assistant = "AI assistant";
    sent = "Sent a message";
    placed = "Sorted the conversation";
    handed_over = "Handed over to a person";
    skipped = "Did nothing";
    by_rule = "by “{rule}”";
    by_default = "by the collection for everything else";
    made_by = "with {model}";
    // Why
    reason_off = "It was switched off meanwhile.";
    reason_not_new = "The conversation is not new.";
    reason_welcomed = "It was greeted before.";
    reason_person = "A person wrote before.";
    reason_handed_over = "A person took over.";
    reason_window = "The time to reply was over.";
    reason_placed_by_person = "A person put it where it is.";
    reason_other_collection = "It does not answer in this collection.";
    reason_nothing_to_answer = "There was nothing left to answer.";
    reason_refused = "The channel does not take this message.";
    reason_no_channel = "The channel was not loaded.";
    reason_asked_for_person = "The customer asked for a person.";
    reason_max_turns = "It had given as many answers as it may.";
    reason_budget = "The budget of the day was used up.";
    reason_model_failed = "The model could not be asked, or did not answer.";
    reason_nonsense = "The model’s answer could not be used.";
    reason_low_confidence = "It was not sure of the answer.";
    reason_model_asked = "The model asked for a person.";
    reason_too_long = "The answer was too long.";
    reason_never_ending = "The customer went on writing.";
    reason_continued = "It was closed, and the customer wrote again in a new conversation.";
}
