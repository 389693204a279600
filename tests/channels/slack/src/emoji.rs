//! Slack's names of emoji, as far as this channel knows them.
//! Owns the table; a name that is not in it is shown as it is.

/// The usual ones, with the names under which Slack sends and takes them.
const TABLE: &[(&str, &str)] = &[
    ("+1", "👍"),
    ("thumbsup", "👍"),
    ("-1", "👎"),
    ("heart", "❤️"),
    ("joy", "😂"),
    ("smile", "😄"),
    ("tada", "🎉"),
    ("eyes", "👀"),
    ("pray", "🙏"),
    ("white_check_mark", "✅"),
    ("x", "❌"),
    ("fire", "🔥"),
];

/// The emoji of a name. What stands behind `::` is a tone of skin.
pub(crate) fn of_name(name: &str) -> Option<&'static str> {
    let plain = name.split("::").next().unwrap_or(name);
    TABLE.iter().find(|(known, _)| *known == plain).map(|(_, emoji)| *emoji)
}

/// The name of an emoji.
pub(crate) fn name_of(emoji: &str) -> Option<&'static str> {
    let bare = |emoji: &str| emoji.trim_end_matches('\u{fe0f}').to_owned();
    TABLE.iter().find(|(_, known)| bare(known) == bare(emoji)).map(|(name, _)| *name)
}

/// All emoji that can be sent, each once.
pub(crate) fn all() -> Vec<String> {
    let mut all: Vec<String> = TABLE.iter().map(|(_, emoji)| (*emoji).to_owned()).collect();
    all.dedup();
    all
}
