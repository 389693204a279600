//! Owns: the words of the pages for connecting accounts and for deletion requests, in English.
//! Does not own: how they are filled in, the other languages (`words`).

words! {
    /// The words of the pages for connecting accounts.
    Connecting {}
    title = "Connect {channel}";
    sorry = "This did not work";
    steps = "Steps";
    step_sign_in = "Sign in";
    step_choose = "Choose account";
    step_test = "Test message";
    step_done = "(done)";
    // Signing in
    you_will_be_sent = "You will be sent to {channel}, where you permit this inbox to read and answer messages.";
    you_will_be_asked = "You will be asked, step by step, for what this inbox needs to read and answer messages.";
    connect_with = "Connect with {login}";
    begin_again = "Begin again";
    go_on_at = "Go on at {channel}";
    visiting = "The next step is in the window that has just opened. If there is none, or if you came back without an answer, begin again.";
    working = "One moment: your account is being connected. This page goes on by itself.";
    try_again_here = "You can try again from here.";
    // Choosing
    choose_account = "Choose the account to connect";
    ready = "Ready";
    not_in_list = "It is not in the list";
    none_found = "No account was found that could be connected.";
    none_possible = "None of these can be connected as things are. What is missing stands beside each.";
    when_mended = "When that is mended, try again.";
    hint_professional = "Is it a professional account, of a business or a creator? Personal ones cannot be connected.";
    hint_ticked = "Did you tick it when you were asked which accounts and pages this inbox may use?";
    hint_admin = "Are you an administrator of it? If not, somebody who is must open this link.";
    // Typing in
    not_all_fits = "Not all of it fits. What is wrong stands beside each field.";
    type_again = "Type in again what is not shown.";
    choose = "Choose";
    go_on = "Go on";
    // Waiting
    goes_on = "This page goes on by itself.";
    minute_left = "There is 1 minute left for it.";
    minutes_left = "There are {n} minutes left for it.";
    qr_code = "QR code to scan";
    // Connected
    connected = "Connected";
    disconnected_since = "It was disconnected since. To connect it again, ask for a new link.";
    received = "Received:";
    received_hint = "the first message is in the inbox. You can close this page.";
    send_test_message = "Send a test message to this account from another one. This page says \"Received\" when it arrives.";
    silent = "Nothing has come in for a minute. This may be the reason:";
    nothing_wrong = "Nothing wrong was found. Was the message sent to this account, and from another one than this?";
    deleted_before = "Conversations of this account were deleted here before. They stay deleted: what was said until then does not come back.";
    // The check-up
    need_attention = "{n} of {all} checks need attention";
    check_again = "Check again";
    probe = "Try the way out";
    probe_hint = "Shows “typing” to the customer of the newest open conversation.";
    probed = "Checked, the way out too.";
    being_done = "It is being done. Check again in a moment.";
    read_again = "Read them again";
    look = "Look at them";
    see_plugin = "See the plugin";
    // What becomes of closed conversations
    closed_title = "Closed conversations";
    when_closed = "When the customer writes again";
    when_closed_reopen = "Open the same conversation";
    when_closed_new = "Begin a new conversation";
    when_closed_hint = "A new one has the same assignee. Notes, labels and the collection stay with the closed one.";
    ahead = "Ahead of time";
    renew = "Renew now";
    renew_hint = "Renews the account's access at the platform ahead of time. This inbox does it by itself, long before it ends.";
    renewed = "Renewed.";
    renewed_until = "Renewed. The access lasts until {day}.";
    not_renewed = "It was not renewed: {reason}";
    fetch = "Fetch missing messages";
    fetch_hint = "Reads the platform's archive of the last 30 days again. What is here already does not come twice.";
    fetching = "The archive is being read. Missing messages appear in the inbox as they come.";
    // What did not work
    no_page = "There is no page at this address. Open the link again that you were given.";
    no_link = "Ask an admin of the team for a link: the page Channels makes one, and so does `cargo harness connect CHANNEL`.";
    no_way_chosen = "No way of connecting was chosen.";
    none_chosen = "No account was chosen.";
    not_filled_in = "The form was not filled in, or is too long.";
    for_the_browser = "This page is for the browser that comes from the platform.";
    // Deletion requests
    no_request = "There is no such request.";
    no_request_with_code = "There is no request with this code.";
    your_request = "Your request";
    code = "Code";
    state = "State";
    worked_on = "Received, and being worked on.";
    deleted = "Done. Deleted: {accounts}, {people}.";
    accounts = "{n} {n|account with its conversations|accounts with their conversations}";
    people = "{n} {n|person who had written|people who had written}";
}
