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
    views = "Views";
    save_view = "Save this view";
    view_name = "Name of the view";
    remove_view = "Remove the view {name}";
    no_views = "Choose filters, or search, and save them here under a name.";
    number_selected = "{n} selected";
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
