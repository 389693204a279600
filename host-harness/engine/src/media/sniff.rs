//! Owns: the type of a file: detected from its content, or as claimed if the content is not recognised.
//! Does not own: whether it may be sent (the channel's rules).

/// The MIME type of a file, lower case and without parameters, if it can be told.
pub(crate) fn type_of(content: &[u8], claimed: Option<&str>) -> Option<String> {
    if let Some(found) = infer::get(content) {
        return Some(found.mime_type().to_owned());
    }
    let claimed = claimed?.split(';').next()?.trim().to_ascii_lowercase();
    (!claimed.is_empty() && claimed != "application/octet-stream").then_some(claimed)
}

/// Whether a file of this type fits the message's kind: a `media-kind` of the contract, or `share`. An error page
/// served in place of a file never fits.
pub(crate) fn fits(kind: &str, mime: &str) -> bool {
    let is = |family: &str| mime.split('/').next() == Some(family);
    match kind {
        "image" | "animation" | "sticker" => is("image"),
        "video" => is("video"),
        // Speech often comes in a video container.
        "audio" | "voice" => is("audio") || is("video"),
        "share" => is("image") || is("video"),
        _ => !matches!(mime, "text/html" | "application/xhtml+xml"),
    }
}

/// Whether browsers may display this type inline. All other types are served as downloads.
pub fn shown_in_place(mime: &str) -> bool {
    matches!(mime, "image/png" | "image/jpeg" | "image/gif" | "image/webp")
        || mime.starts_with("video/")
        || mime.starts_with("audio/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_counts_for_more_than_what_is_claimed() {
        let png = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR";
        assert_eq!(type_of(png, Some("image/jpeg")).as_deref(), Some("image/png"));
        assert_eq!(type_of(b"no signature", Some("Audio/AAC; x=1")).as_deref(), Some("audio/aac"));
        assert_eq!(type_of(b"no signature", Some("application/octet-stream")), None);
    }

    #[test]
    fn an_error_page_is_no_film_and_no_document() {
        let page = type_of(b"<html><body>URL signature expired</body></html>", Some("video/mp4"));
        assert_eq!(page.as_deref(), Some("text/html"));
        for kind in ["image", "video", "audio", "file", "share", "other"] {
            assert!(!fits(kind, "text/html"), "{kind}");
        }
        assert!(fits("file", "application/pdf") && fits("audio", "video/mp4") && !fits("image", "video/mp4"));
        assert!(!shown_in_place("image/svg+xml") && !shown_in_place("text/html") && shown_in_place("image/png"));
    }
}
