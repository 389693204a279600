//! Files: the kinds and sizes that Instagram accepts, from a URL, by id, or uploaded by the host.
//! What belongs here is checking files and determining their type; `render` builds the requests.

use channel_sdk::names::{feature, violation_code};
use channel_sdk::report::Report;
use channel_sdk::text::is_blank;

use super::{Files, Piece, element, path, text};
use crate::limits::{IMAGES, MEDIA, MediaRule, OTHER_VIDEO};
use crate::types::{Bound, FileRef, MediaKind, MediaSource, OutboundMedia, Unit};

/// A checked file.
pub(super) struct Item<'m> {
    /// Meta's value for its kind.
    pub(super) word: &'static str,
    pub(super) source: Source<'m>,
}

/// Where its bytes come from.
pub(super) enum Source<'m> {
    Url(&'m str),
    Handle(&'m str),
    Upload { file: &'m FileRef, mime: &'static str, name: String },
}

/// Checks the files of a part and adds its pieces.
pub(super) fn read<'m>(report: &mut Report, part: usize, files: Files<'m>, pieces: &mut Vec<(usize, Piece<'m>)>) {
    let list = path(part, "media");
    report.count(&list, "files", files.len(), IMAGES);
    let images = |file: &OutboundMedia| matches!(file.kind, MediaKind::Image | MediaKind::Animation);
    if files.len() > 1 && !files.iter().all(images) {
        let sentence =
            "Instagram shows only images together in one message. Send every other file as a part of its own.";
        report.error(violation_code::UNSUPPORTED_COMBINATION, &list, sentence);
    }
    let mut items = Vec::with_capacity(files.len());
    let mut captions = Vec::new();
    for (at, file) in files.iter().enumerate() {
        items.extend(item(report, &element(&list, at, ""), file));
        if let Some(caption) = file.caption.as_deref().filter(|text| !is_blank(text)) {
            let place = element(&list, at, "caption");
            let sentence = "Instagram has no captions; the caption is sent as a text of its own.";
            report.lost(part, feature(file.kind), &place, sentence);
            captions.extend(text::read_plain(report, &place, caption, false));
        }
    }
    pieces.push((part, Piece::Media(items)));
    pieces.extend(captions.into_iter().map(|text| (part, Piece::Text(text))));
}

fn feature(kind: MediaKind) -> &'static str {
    match kind {
        MediaKind::Video => feature::VIDEO,
        MediaKind::Audio => feature::AUDIO,
        MediaKind::File => feature::FILE,
        MediaKind::Animation => feature::ANIMATION,
        _ => feature::IMAGE,
    }
}

fn item<'m>(report: &mut Report, place: &str, file: &'m OutboundMedia) -> Option<Item<'m>> {
    let Some(rule) = MEDIA.iter().find(|rule| rule.kind == file.kind) else {
        refuse_kind(report, place, file.kind);
        return None;
    };
    let source = match &file.source {
        MediaSource::Handle(id) => {
            let name = "The id of the uploaded file";
            report.reference(&format!("{place}.source.handle"), name, id);
            Source::Handle(id)
        }
        MediaSource::Url(url) => {
            let name = "The address of the file";
            report.address(&format!("{place}.source.url"), name, url, &["https"]);
            check_type(report, place, rule, file);
            check_size(report, place, rule, file.size);
            Source::Url(url)
        }
        MediaSource::Other(_) => {
            let sentence = "Instagram takes a file by its address, by its id, or uploaded. Attach it again.";
            report.error(violation_code::UNSUPPORTED_FEATURE, &format!("{place}.source"), sentence);
            return None;
        }
        MediaSource::File(held) => {
            let mime = check_type(report, place, rule, file);
            check_size(report, place, rule, Some(held.size));
            Source::Upload { file: held, mime: mime?, name: file_name(report, place, file, mime?) }
        }
    };
    Some(Item { word: rule.word, source })
}

fn refuse_kind(report: &mut Report, place: &str, kind: MediaKind) {
    let (code, sentence) = match kind {
        MediaKind::Voice => (
            violation_code::UNSUPPORTED_FEATURE,
            "Instagram takes no voice messages from businesses. Send the recording as audio in AAC, M4A, WAV or MP3.",
        ),
        MediaKind::Sticker => {
            (violation_code::UNSUPPORTED_FEATURE, "Instagram takes no stickers as files. Send the heart, or an image.")
        }
        _ => (
            violation_code::UNSUPPORTED_MEDIA_TYPE,
            "Instagram takes images, videos, audio and PDF documents. Choose one of these.",
        ),
    };
    let accepted = MEDIA.iter().flat_map(|rule| rule.types).map(|known| known.mime).collect::<Vec<_>>();
    report.not_accepted(code, &format!("{place}.kind"), sentence, &accepted);
}

/// The type of a file, as far as its MIME type, name or URL reveal it.
enum Found {
    Known(&'static str, bool),
    /// A type that is not accepted, by name.
    Other(String),
    Unknown,
}

fn check_type(report: &mut Report, place: &str, rule: &MediaRule, file: &OutboundMedia) -> Option<&'static str> {
    let types = rule.types.iter().map(|known| known.mime).collect::<Vec<_>>();
    let mime_path = format!("{place}.mime");
    match find_type(rule, file) {
        Found::Known(mime, documented) => {
            if !documented {
                let sentence = format!("Meta's pages do not list {mime}. It is sent, and Instagram may refuse it.");
                report.warning(violation_code::DOCUMENTED_OTHERWISE, &mime_path, &sentence);
            }
            Some(mime)
        }
        Found::Other(found) => {
            let listed = types.join(", ");
            let sentence = format!("Instagram does not take {found} as {}. Convert it to one of: {listed}.", rule.name);
            report.not_accepted(violation_code::UNSUPPORTED_MEDIA_TYPE, &mime_path, &sentence, &types);
            let is_video = matches!(rule.kind, MediaKind::Video);
            if is_video && OTHER_VIDEO.iter().any(|(mime, ending)| *mime == found || *ending == found) {
                let sentence = "Meta's pages list this type of video too; this channel promises MP4 only.";
                report.warning(violation_code::DOCUMENTED_OTHERWISE, &mime_path, sentence);
            }
            None
        }
        Found::Unknown if matches!(file.source, MediaSource::File(_)) => {
            let sentence = "The type of the file is not known. Name its type, or give its name an ending.";
            report.not_accepted(violation_code::UNKNOWN_MEDIA_TYPE, &mime_path, sentence, &types);
            None
        }
        Found::Unknown => {
            let sentence = "The type of the file is not known. Instagram may refuse it.";
            report.warning(violation_code::UNKNOWN_MEDIA_TYPE, &mime_path, sentence);
            None
        }
    }
}

/// The declared type takes precedence, then the extension of the name, then that of the URL.
fn find_type(rule: &MediaRule, file: &OutboundMedia) -> Found {
    let declared = file.mime.as_deref().and_then(|mime| mime.split(';').next()).unwrap_or_default();
    let declared = declared.trim_ascii().to_ascii_lowercase();
    if !declared.is_empty() && declared != "application/octet-stream" {
        let known =
            rule.types.iter().find(|known| known.mime == declared || known.aliases.contains(&declared.as_str()));
        return match known {
            Some(known) => Found::Known(known.mime, known.documented),
            None => Found::Other(declared),
        };
    }
    let in_address = match &file.source {
        MediaSource::Url(url) => path_of(url),
        _ => None,
    };
    for name in [file.name.as_deref(), in_address].into_iter().flatten() {
        let Some(ending) = ending(name) else {
            continue;
        };
        let is = |known: &crate::limits::FileType| known.endings.contains(&ending.as_str());
        if let Some(known) = rule.types.iter().find(|known| is(known)) {
            return Found::Known(known.mime, known.documented);
        }
        return Found::Other(ending);
    }
    Found::Unknown
}

/// The path of a URL, without the leading slash.
fn path_of(url: &str) -> Option<&str> {
    url.split(['?', '#']).next()?.splitn(4, '/').nth(3)
}

/// The text after the last dot, if it looks like a file extension.
fn ending(name: &str) -> Option<String> {
    let file = name.rsplit('/').next()?;
    let (_, ending) = file.rsplit_once('.')?;
    let plain = (1..=5).contains(&ending.len()) && ending.bytes().all(|b| b.is_ascii_alphanumeric());
    plain.then(|| ending.to_ascii_lowercase())
}

fn check_size(report: &mut Report, place: &str, rule: &MediaRule, size: Option<u64>) {
    let size_path = format!("{place}.size");
    let limit = Bound { max: rule.max_size, unit: Unit::Bytes };
    let max = format!("{} MB", rule.max_size / (1024 * 1024));
    match size {
        None => {
            let sentence = format!("The size of the file is not known. Instagram refuses more than {max}.");
            report.warning(violation_code::UNKNOWN_MEDIA_SIZE, &size_path, &sentence);
        }
        Some(0) => {
            let sentence = "The file is empty. Choose another one.";
            report.error(violation_code::INVALID_FIELD, &size_path, sentence);
        }
        Some(size) if size > rule.max_size => {
            let over = size - rule.max_size;
            let sentence =
                format!("The file is {over} bytes over Instagram's {max} for {}. Make it smaller.", rule.name);
            report.error_with(violation_code::MEDIA_TOO_LARGE, &size_path, &sentence, |violation| {
                violation.limit = Some(limit);
                violation.actual = Some(size);
            });
        }
        Some(_) => {}
    }
}

/// The name under which a file is uploaded. Non-ASCII names fail (Meta, "Attachment Upload").
fn file_name(report: &mut Report, place: &str, file: &OutboundMedia, mime: &str) -> String {
    let plain = |letter: char| letter.is_ascii_graphic() && !matches!(letter, '"' | '\\' | '/') || letter == ' ';
    let types = MEDIA.iter().flat_map(|rule| rule.types);
    let ending = types.filter(|known| known.mime == mime).find_map(|known| known.endings.first());
    let substitute = || format!("attachment.{}", ending.copied().unwrap_or_default());
    match file.name.as_deref() {
        Some(name) if !name.is_empty() && name.chars().all(plain) => name.to_owned(),
        Some(name) if !name.is_empty() => {
            let substitute = substitute();
            let sentence = format!(
                "Instagram refuses file names with letters outside of ASCII; the file is sent as {substitute}."
            );
            report.warning(violation_code::INVALID_FIELD, &format!("{place}.name"), &sentence);
            substitute
        }
        _ => substitute(),
    }
}
