//! Owns: what a channel can do, as the composer asks for it: limits, files, stickers, features.
//! Does not own: the capabilities themselves (the channel).

use harness_contract::{
    Bound, ChannelCapabilities, Direction, FeatureSupport, MediaKind, MediaRule, ReactionPolicy, SupportLevel, Unit,
    names::{counted_item, feature, text_field},
};
use serde::Serialize;

/// Bounds on what a channel may declare, for what the pages show.
const MOST_CARDS: usize = 20;
const MOST_BUTTONS: usize = 10;
const MOST_REACTIONS: usize = 60;
/// Reactions that are offered first where every emoji may be one.
const COMMON: [&str; 6] = ["\u{2764}\u{fe0f}", "\u{1f602}", "\u{1f62e}", "\u{1f622}", "\u{1f44d}", "\u{1f64f}"];

/// The capabilities for what goes out.
#[derive(Clone, Copy)]
pub(super) struct Can<'c>(pub(super) &'c ChannelCapabilities);

/// A rule for files, as the script reads it.
#[derive(Serialize)]
pub(super) struct FileRule<'c> {
    kind: &'static str,
    types: &'c [String],
    max: u64,
}

impl<'c> Can<'c> {
    fn support(self, name: &str) -> Option<&'c FeatureSupport> {
        self.0.features.iter().find(|line| line.feature == name && line.direction == Direction::Outbound)
    }

    /// Whether it may be sent at all.
    pub(super) fn sends(self, name: &str) -> bool {
        self.support(name).is_some_and(|line| !matches!(line.level, SupportLevel::Rejected | SupportLevel::Dropped))
    }

    /// What the channel says about it.
    pub(super) fn note(self, name: &str) -> Option<&'c str> {
        self.support(name).and_then(|line| line.note.as_deref())
    }

    /// Whether posts of the business's own may be shared.
    pub(super) fn shares(self) -> bool {
        self.sends(feature::SHARE)
    }

    /// On which surfaces it is not shown.
    pub(super) fn not_shown_on(self, name: &str) -> &'c [String] {
        self.support(name).map(|line| &*line.not_shown_on).unwrap_or_default()
    }

    pub(super) fn limit(self, field: &str) -> Option<&'c Bound> {
        self.0.text_limits.iter().find(|limit| limit.field == field).map(|limit| &limit.limit)
    }

    pub(super) fn most(self, item: &str) -> Option<u32> {
        self.0.count_limits.iter().find(|limit| limit.item == item).map(|limit| limit.max)
    }

    pub(super) fn message_text(self) -> Option<&'c Bound> {
        self.limit(text_field::MESSAGE_TEXT)
    }

    /// How many quick replies fit under one message; 0 where there are none.
    pub(super) fn quick_replies(self) -> usize {
        let most =
            if self.sends(feature::QUICK_REPLIES) { self.most(counted_item::QUICK_REPLIES).unwrap_or(3) } else { 0 };
        usize::try_from(most).unwrap_or(0)
    }

    /// How many cards fit into one message; 0 where there are none.
    pub(super) fn cards(self) -> usize {
        let most = if self.sends(feature::CARDS) { self.most(counted_item::CARDS).unwrap_or(1) } else { 0 };
        usize::try_from(most).unwrap_or(0).min(MOST_CARDS)
    }

    /// How many buttons fit onto one card.
    pub(super) fn buttons_per_card(self) -> usize {
        usize::try_from(self.most(counted_item::BUTTONS_PER_CARD).unwrap_or(0)).unwrap_or(0).min(MOST_BUTTONS)
    }

    /// How many buttons fit under one text; 0 where there are none.
    pub(super) fn buttons_per_message(self) -> usize {
        let most =
            if self.sends(feature::BUTTONS) { self.most(counted_item::BUTTONS_PER_MESSAGE).unwrap_or(1) } else { 0 };
        usize::try_from(most).unwrap_or(0).min(MOST_BUTTONS)
    }

    /// The longest text above buttons.
    pub(super) fn button_text(self) -> Option<&'c Bound> {
        self.limit(text_field::BUTTON_TEXT).or_else(|| self.message_text())
    }

    /// The emoji and names of reactions that are offered first; none where the channel takes no reactions.
    pub(super) fn reactions(self) -> Vec<&'c str> {
        match &self.0.reactions {
            _ if !self.sends(feature::REACTION) => Vec::new(),
            ReactionPolicy::None => Vec::new(),
            ReactionPolicy::AnyEmoji(names) => COMMON.into_iter().chain(names.iter().map(String::as_str)).collect(),
            ReactionPolicy::Only(only) => only.iter().take(MOST_REACTIONS).map(String::as_str).collect(),
        }
    }

    /// Whether every emoji may be a reaction.
    pub(super) fn any_reaction(self) -> bool {
        self.sends(feature::REACTION) && matches!(self.0.reactions, ReactionPolicy::AnyEmoji(_))
    }

    /// How many pictures fit into one message.
    pub(super) fn pictures_together(self) -> usize {
        self.most(counted_item::IMAGES_PER_MESSAGE).map_or(1, |most| usize::try_from(most).unwrap_or(1)).max(1)
    }

    /// The rules for files that a person may attach.
    fn files(self) -> impl Iterator<Item = &'c MediaRule> {
        self.0.media_rules.iter().filter(|rule| {
            rule.direction == Direction::Outbound
                && matches!(rule.kind, MediaKind::Image | MediaKind::Video | MediaKind::Audio | MediaKind::File)
        })
    }

    /// The same for the script: for each kind the largest of its ways.
    pub(super) fn file_rules(self) -> Vec<FileRule<'c>> {
        let mut rules: Vec<FileRule<'c>> = Vec::new();
        for rule in self.files() {
            match rules.iter_mut().find(|known| known.kind == rule.kind.name() && known.types == rule.types) {
                Some(known) => known.max = known.max.max(rule.max_size),
                None => rules.push(FileRule { kind: rule.kind.name(), types: &rule.types, max: rule.max_size }),
            }
        }
        rules
    }

    /// The value of `accept` for choosing files. Where PNGs are taken, the browser makes them of other pictures.
    pub(super) fn accepted(self) -> String {
        let mut types: Vec<&str> = self.files().flat_map(|rule| &rule.types).map(String::as_str).collect();
        types.extend(types.contains(&"image/png").then_some("image/*"));
        types.sort_unstable();
        types.dedup();
        types.join(",")
    }

    /// The value of `accept` for choosing a picture.
    pub(super) fn accepted_pictures(self) -> String {
        let pictures = self.files().filter(|rule| rule.kind == MediaKind::Image);
        let mut types: Vec<&str> = pictures.flat_map(|rule| &rule.types).map(String::as_str).collect();
        types.extend(types.contains(&"image/png").then_some("image/*"));
        types.join(",")
    }

    /// The sticker that is a heart.
    pub(super) fn heart(self) -> Option<&'c str> {
        let hearts = self.0.stickers.iter().find(|sticker| {
            sticker.emoji.as_deref().is_some_and(super::entry::Entry::is_heart)
                || super::entry::Entry::is_heart(&sticker.id)
        });
        hearts.map(|sticker| sticker.id.as_str())
    }
}

/// The length of a text in a unit.
pub(super) fn length(text: &str, unit: Unit) -> u64 {
    let length = match unit {
        Unit::Bytes => text.len(),
        Unit::Utf16Units => text.encode_utf16().count(),
        _ => text.chars().count(),
    };
    length as u64
}
