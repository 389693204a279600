//! Owns: the words of the demo: the phone, its controls, the tour, in English.
//! Does not own: how they are filled in, the other languages (`words`).

words! {
    /// The words of the demo.
    Demo {}
    demo_title = "Demo: the customer’s phone beside your inbox";
    customers_phone = "The customer’s phone";
    controls = "Controls";
    phone = "Phone";
    business_chat = "Business chat";
    web_client = "On the web";
    your_comment = "Your public comment";
    about_your_comment = "About your comment";
    you_replied_to_story = "You replied to a story";
    post = "Post";
    reel = "Reel";
    story = "Story";
    messages_on_phone = "Messages on the phone";
    typing_there = "The business is typing";
    seen = "Seen";
    send_photo = "Send a photo";
    send_voice = "Send a voice message";
    write_as_customer = "Write as the customer";
    not_on_web = "There is more here, which the web client does not show.";
    clock = "Clock";
    hours_ahead = "({n} h ahead)";
    plus_hour = "+ 1 hour";
    plus_six = "+ 6 hours";
    plus_day = "+ 23 hours";
    plus_week = "+ 7 days";
    go_wrong = "Make things go wrong";
    fault_cut = "Cut the network";
    fault_refuses = "Let the platform refuse";
    fault_silent = "Let it take messages and not say so";
    fault_slow = "Slow connection";
    as_customer = "As the customer";
    act_post = "Share a post";
    act_reel = "Share a reel";
    act_story = "Reply to a story";
    act_comment = "Comment";
    act_react = "React";
    act_edit = "Edit";
    act_unsend = "Unsend";
    act_read = "Read it";
    on_the_web = "In the web client";
    tour = "Tour";
    tour_step = "Tour, step {n} of {all}";
    tour_back = "Back";
    tour_next = "Next step";
    tour_end = "Go to the inbox";
    tour_1 = "You are the customer. Write a message on the phone and watch it arrive in your inbox.";
    tour_2 = "Now you are the shop. Write an answer in the inbox. It appears on the phone, and “Sent” stands under it.";
    tour_3 = "Press “Read it”. Under your answer “Sent” becomes “Read”.";
    tour_4 = "Send a photo, a voice message and a heart from the phone. The inbox shows each as what it is.";
    tour_5 = "Share a post and reply to a story. They arrive as cards, with what they are about.";
    tour_6 = "In the inbox, open “Quick replies”, fill in two and send. Tap one on the phone. Then switch to the web client: there they are not shown.";
    tour_7 = "Edit a message on the phone, then unsend it. The inbox follows, and erases what was unsent.";
    tour_8 = "Comment on a post. In the inbox, press “Reply privately” under the comment and answer.";
    tour_9 = "Let the platform refuse, and answer. The reason stands under the message, with “Try again” beside it. Switch it off again and try.";
    tour_10 = "Let it take messages and not say so, and answer. The inbox says that it may have been delivered: look at the phone, then decide. Switch it off again.";
    tour_11 = "Move the clock by 23 hours, then by six more, and watch the window close: only a person may answer. Seven days later nobody may.";
}
