//! Owns: what a channel can do, as the composer asks for it: limits, files, stickers, features.
//! Does not own: the capabilities themselves (the channel).

use harness_contract::{
    Bound, ChannelCapabilities, Direction, FeatureSupport, MediaKind, MediaRule, SupportLevel, Unit,
    names::{counted_item, feature, text_field},
};
use serde::Serialize;

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

    pub(super) fn quick_replies(self) -> u32 {
        if self.sends(feature::QUICK_REPLIES) { self.most(counted_item::QUICK_REPLIES).unwrap_or(3) } else { 0 }
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

    /// The value of `accept` for choosing files.
    pub(super) fn accepted(self) -> String {
        let mut types: Vec<&str> = self.files().flat_map(|rule| &rule.types).map(String::as_str).collect();
        types.sort_unstable();
        types.dedup();
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
