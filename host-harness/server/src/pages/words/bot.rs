//! Owns: the words of the bot's try-out and of its log in English.
//! Does not own: how they are filled in, the other languages (`words`), those of the form (`catalogue`).

words! {
    /// The words of the bot's try-out and of its log.
    Bot {}
    settings = "Settings";
    log = "What it did";
    log_hint = "The newest decisions first, with the rule that made each. Nothing that a customer wrote is kept here.";
    nothing_decided = "It has not decided anything yet.";
    older = "Older";
    all_off = "Switch all bots off";
    all_on = "Switch all bots on again";
    // The try-out
    try_it = "Try it";
    nothing_is_sent = "Nothing is sent";
    try_hint = "What it would have done in a conversation of the past, as if everything in it had just come in. What you have not saved yet counts.";
    no_conversations = "There is no conversation to try it with yet.";
    conversation = "Conversation";
    ask_model = "Ask the model too";
    ask_model_hint = "This counts to its budget.";
    would_do_nothing = "It would do nothing here.";
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
