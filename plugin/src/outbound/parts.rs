//! Parts: what each becomes on Instagram, and which ones Instagram does not support.
//! What belongs here is the only match over `outbound-part`, with the short checks of small parts.

use channel_sdk::cut;
use channel_sdk::names::violation_code;
use channel_sdk::report::Report;

use super::settings::Settings;
use super::{Piece, media, path, rich, text};
use crate::limits::{LIKE_HEART, LONGEST_EMOJI};
use crate::types::{OutboundPart, OutboundReaction, ReactionAction};

/// Checks a part and adds its pieces, one per request.
pub(super) fn read<'m>(
    report: &mut Report,
    settings: &Settings<'_>,
    at: usize,
    part: &'m OutboundPart,
    pieces: &mut Vec<(usize, Piece<'m>)>,
) {
    let piece = match part {
        OutboundPart::Text(content) => {
            pieces.extend(text::read(report, at, content).into_iter().map(|text| (at, Piece::Text(text))));
            return;
        }
        OutboundPart::Media(files) => return media::read(report, at, files, pieces),
        OutboundPart::Sticker(id) => sticker(report, at, id),
        OutboundPart::Share(id) => {
            let name = "The id of the post";
            report.reference(&path(at, "share"), name, id).then_some(Piece::Share(id))
        }
        OutboundPart::Cards(cards) => {
            rich::cards(report, at, cards);
            Some(Piece::Cards(cards))
        }
        OutboundPart::Buttons(message) => {
            let text = rich::button_message(report, at, message);
            Some(Piece::Buttons(text, &message.buttons))
        }
        OutboundPart::Products(products) => {
            rich::products(report, settings, at, products);
            Some(Piece::Products(products))
        }
        OutboundPart::Reaction(content) => reaction(report, at, content),
        OutboundPart::Typing(on) => Some(Piece::Typing(*on)),
        OutboundPart::MarkSeen(_) => Some(Piece::MarkSeen),
        OutboundPart::Choices(_) => {
            refuse(report, at, "choices", "Instagram has no lists to choose from. Offer quick replies or buttons.")
        }
        OutboundPart::Location(_) => {
            refuse(report, at, "location", "Instagram takes no locations. Write the address, or a link to a map.")
        }
        OutboundPart::ContactCards(_) => {
            refuse(report, at, "contact_cards", "Instagram takes no contact cards. Write the name and the number.")
        }
        OutboundPart::Template(_) => {
            refuse(report, at, "template", "Instagram has no approved templates. Write the text, or send cards.")
        }
        OutboundPart::Edit(_) => {
            refuse(report, at, "edit", "Instagram lets no business edit a message. Send a correction.")
        }
        OutboundPart::Delete(_) => refuse(
            report,
            at,
            "delete",
            "Instagram lets no application unsend a message. Unsend it in the Instagram app.",
        ),
        OutboundPart::Other(_) => {
            refuse(report, at, "other", "Instagram has nothing like that. Send a text, a file, cards or buttons.")
        }
        OutboundPart::Acknowledge(_) => {
            refuse(report, at, "acknowledge", "Instagram waits for no answer to a tap. Send a message instead.")
        }
    };
    pieces.extend(piece.map(|piece| (at, piece)));
}

fn refuse<'m>(report: &mut Report, at: usize, name: &str, sentence: &str) -> Option<Piece<'m>> {
    report.error(violation_code::UNSUPPORTED_FEATURE, &path(at, name), sentence);
    None
}

fn sticker<'m>(report: &mut Report, at: usize, id: &'m str) -> Option<Piece<'m>> {
    if id == LIKE_HEART {
        return Some(Piece::Sticker(id));
    }
    let sentence = "Instagram takes no sticker but the heart. Send the heart, or an image.";
    report.not_accepted(violation_code::UNKNOWN_STICKER, &path(at, "sticker"), sentence, &[LIKE_HEART]);
    None
}

fn reaction<'m>(report: &mut Report, at: usize, reaction: &'m OutboundReaction) -> Option<Piece<'m>> {
    let there = report.reference(&path(at, "reaction.target.id"), "The message to react to", &reaction.target.id);
    let place = path(at, "reaction.emoji");
    let emoji = reaction.emoji.as_deref().unwrap_or_default();
    match reaction.action {
        ReactionAction::Removed => there.then_some(Piece::Unreact(&reaction.target.id)),
        ReactionAction::Added if emoji.is_empty() => {
            report.error(violation_code::MISSING_FIELD, &place, "The reaction has no emoji. Choose one.");
            None
        }
        ReactionAction::Added if emoji.len() > LONGEST_EMOJI || !cut::is_emoji(emoji) => {
            let sentence = "A reaction is exactly one emoji. Choose one.";
            report.not_accepted(violation_code::UNKNOWN_REACTION, &place, sentence, &["\u{2764}\u{fe0f}"]);
            None
        }
        ReactionAction::Added => there.then_some(Piece::React(&reaction.target.id, emoji)),
        ReactionAction::Other => {
            let sentence = "A reaction can be added or removed. Choose one of these.";
            report.error(violation_code::UNSUPPORTED_FEATURE, &path(at, "reaction.action"), sentence);
            None
        }
    }
}
