//! Owns: the query of the inbox's pages: which conversations the list shows, and what is open beside it.
//! Does not own: finding them.

use harness_inbox::{ConversationFilter, ConversationState, LabelId, MessageId, PublicId};
use serde::Deserialize;

use super::load::Part;
use crate::pages::reader::Reader;

/// The states of conversations with which somebody has something to do.
const AT_WORK: [ConversationState; 2] = [ConversationState::Open, ConversationState::Pending];

/// The query. What it does not know, it ignores: an address that somebody kept still leads somewhere.
#[derive(Clone, Default, Deserialize)]
pub(super) struct Asked {
    /// `mine`, `unassigned`, `closed`, `snoozed`, `mentions`; everything else is everyone's.
    pub(super) view: Option<String>,
    pub(super) channel: Option<String>,
    pub(super) label: Option<String>,
    pub(super) unread: Option<String>,
    /// The words that are searched for.
    pub(super) q: Option<String>,
    /// The message around which the log is shown.
    pub(super) at: Option<String>,
    /// Where a later page of the log begins.
    pub(super) after: Option<String>,
    /// Where an older page of the list, or of the log, begins.
    pub(super) before: Option<String>,
    /// How many conversations the list is to show.
    pub(super) rows: Option<String>,
    /// The conversation that is open beside the list.
    pub(super) open: Option<String>,
    /// The message that is answered.
    pub(super) reply_to: Option<String>,
    /// The comment that is answered in private.
    pub(super) comment: Option<String>,
    /// The message to which somebody wants to react.
    pub(super) react: Option<String>,
    /// The composer is wanted although the window is closed.
    pub(super) anyway: Option<String>,
    /// The part of the page that is wanted: `composer`; `check`, which is the same and sends nothing; `open`: all but the list.
    pub(super) part: Option<String>,
    /// `note`: a private note is to be written.
    pub(super) mode: Option<String>,
}

impl Asked {
    pub(super) fn view(&self) -> &str {
        self.view
            .as_deref()
            .filter(|view| ["mine", "unassigned", "closed", "snoozed", "mentions"].contains(view))
            .unwrap_or("all")
    }

    pub(super) fn writes_note(&self) -> bool {
        self.mode.as_deref() == Some("note")
    }

    /// The list stays as it is.
    pub(super) fn keeps_list(&self) -> bool {
        self.part.as_deref() == Some("open")
    }

    /// How many conversations are shown: a page of them, or more, up to `most`.
    pub(super) fn rows(&self, page: usize, most: usize) -> usize {
        let wanted = self.rows.as_deref().and_then(|rows| rows.parse().ok());
        wanted.unwrap_or(page).clamp(page, most)
    }

    pub(super) fn only_unread(&self) -> bool {
        self.unread.is_some()
    }

    /// The words that are searched for.
    pub(super) fn search(&self) -> Option<&str> {
        self.q.as_deref().map(str::trim).filter(|words| !words.is_empty())
    }

    /// The part of the log that is shown.
    pub(super) fn log(&self) -> Part {
        let around = self.at.as_deref().and_then(|message| MessageId::from_public(message).ok());
        let place = |text: &Option<String>| text.as_deref().and_then(|place| place.parse().ok());
        match (around, place(&self.after), place(&self.before)) {
            (Some(message), ..) => Part::Around(message),
            (_, Some(after), _) => Part::After(after),
            (.., Some(before)) => Part::Before(before),
            _ => Part::Newest,
        }
    }

    /// Whether anything is chosen.
    pub(super) fn is_narrow(&self) -> bool {
        self.is_narrowed() || self.search().is_some()
    }

    /// The same, besides what is searched for.
    pub(super) fn is_narrowed(&self) -> bool {
        let given = |value: &Option<String>| value.as_deref().is_some_and(|value| !value.is_empty());
        self.view() != "all" || given(&self.channel) || given(&self.label) || self.only_unread()
    }

    /// The filter for the reader's workspace.
    pub(super) fn filter(&self, reader: &Reader) -> ConversationFilter {
        let given = |value: &Option<String>| value.clone().filter(|value| !value.is_empty());
        ConversationFilter {
            workspace: Some(reader.workspace),
            channel: given(&self.channel),
            label: given(&self.label).and_then(|label| LabelId::from_public(&label).ok()),
            unread: self.only_unread().then_some(true),
            assignee: match self.view() {
                "mine" => Some(reader.user),
                "unassigned" => Some(None),
                _ => None,
            },
            // Whoever was mentioned finds it whatever became of the conversation.
            mentioned: reader.user.filter(|_| self.view() == "mentions"),
            states: match self.view() {
                "closed" => vec![ConversationState::Closed],
                "snoozed" => vec![ConversationState::Snoozed],
                "mentions" => Vec::new(),
                _ => AT_WORK.to_vec(),
            },
            ..ConversationFilter::default()
        }
    }

    /// What says which list is shown: names and values.
    fn of_list(&self) -> [(&'static str, Option<&str>); 5] {
        [
            ("view", self.view.as_deref()),
            ("channel", self.channel.as_deref()),
            ("label", self.label.as_deref()),
            ("unread", self.unread.as_deref()),
            ("q", self.search()),
        ]
    }

    /// The same names, for the script.
    pub(super) fn names_of_list(&self) -> String {
        self.of_list().map(|(name, _)| name).join(" ")
    }

    /// The query that shows the same list, with its `?`, or nothing.
    pub(super) fn query(&self) -> String {
        self.with(&[])
    }

    /// The same with some of it changed.
    pub(super) fn with(&self, changed: &[(&str, &str)]) -> String {
        let kept = self.of_list();
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        for (name, value) in kept {
            let value = changed.iter().find(|(known, _)| *known == name).map(|(_, value)| *value).or(value);
            if let Some(value) = value.filter(|value| !value.is_empty()) {
                query.append_pair(name, value);
            }
        }
        for (name, value) in changed.iter().filter(|(name, _)| kept.iter().all(|(known, _)| known != name)) {
            query.append_pair(name, value);
        }
        let query = query.finish();
        if query.is_empty() { query } else { format!("?{query}") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_keeps_what_is_chosen_and_forgets_where_a_page_began() {
        let asked = Asked {
            view: Some("mine".into()),
            channel: Some("a&b".into()),
            before: Some("1.2.3".into()),
            ..Asked::default()
        };
        assert_eq!(asked.query(), "?view=mine&channel=a%26b");
        assert_eq!(asked.with(&[("view", "closed"), ("channel", "")]), "?view=closed");
        assert_eq!(asked.with(&[("before", "x")]), "?view=mine&channel=a%26b&before=x");
    }
}
