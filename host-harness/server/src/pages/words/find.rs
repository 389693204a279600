//! Owns: the words of searching, of saved views, and of changing several conversations at once, in English.
//! Does not own: how they are filled in, the other languages (`words`).

words! {
    /// The words of finding conversations.
    Find {}
    search = "Search messages and people";
    found_people = "People";
    found_messages = "Messages";
    found_nothing = "Nothing found";
    found_nothing_hint = "Search for the beginnings of words, three letters or more.";
    more_found = "Show older messages";
    snoozed_view = "Snoozed";
    views = "Views";
    save_view = "Save this view";
    view_name = "Name of the view";
    saved_views = "Saved views";
    shared_view = "shared with your team";
    share_view = "Share it with your team";
    manage_views = "Rename or delete views";
    change_view = "Change the view";
    views_hint = "What the list of conversations is narrowed to, under a name. Choose filters there, or search, and save them. Only you see your own views.";
    to_list = "Go to the list of conversations";
    not_saved = "The view is not saved";
    view_taken = "There is a view of this name already. Choose another name.";
    too_many_views = "There are as many views as there may be. Delete one that you do not need any more.";
    mentions = "Mentions";
    mentions_you = "Mentions you";
    unseen_mentions = "{n|note mentions|notes mention} you";
    no_views = "Choose filters, or search, and save them here under a name.";
    number_selected = "{n} selected";
    too_many = "{n} conversations are selected. At most {max} are changed at once.";
    too_many_hint = "Nothing was changed. Select fewer.";
    in_everything = "Found in all conversations, whatever the list is narrowed to.";
    select_all = "Select all that are shown";
    select_none = "Select none";
    assign = "Assign";
    add_label = "Label";
    key_search = "Search; in the composer: saved replies";
    key_select_to = "Select up to here";
    mark_unread = "Mark as unread";
    later_messages = "Show later messages";
    to_newest = "Go to the newest messages";
}
