//! Owns: the style sheets, scripts and icons of the pages, and their addresses, which change with their content.
//! Does not own: which page uses which.

use std::sync::OnceLock;

use axum::{
    Router,
    extract::Path,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse as _, Response},
    routing::get,
};
use sha2::{Digest as _, Sha256};

const CSS: &str = "text/css; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";

macro_rules! assets {
    ($($name:literal: $mime:expr,)+) => {
        /// Every asset: its name, its media type, its content.
        const ASSETS: &[(&str, &str, &str)] =
            &[$(($name, $mime, include_str!(concat!("../../assets/", $name))),)+];
    };
}

assets! {
    "tokens.css": CSS,
    "inbox.css": CSS,
    "icons.svg": "image/svg+xml",
    "mark.svg": "image/svg+xml",
    "js/inbox.js": SCRIPT,
    "js/composer.js": SCRIPT,
    "js/convert.js": SCRIPT,
    "js/copy.js": SCRIPT,
    "js/demo.js": SCRIPT,
    "js/draft.js": SCRIPT,
    "js/emoji.js": SCRIPT,
    "js/files.js": SCRIPT,
    "js/keys.js": SCRIPT,
    "js/listbox.js": SCRIPT,
    "js/list.js": SCRIPT,
    "js/live.js": SCRIPT,
    "js/log.js": SCRIPT,
    "js/look.js": SCRIPT,
    "js/morph.js": SCRIPT,
    "js/notify.js": SCRIPT,
    "js/onward.js": SCRIPT,
    "js/open.js": SCRIPT,
    "js/page.js": SCRIPT,
    "js/permission.js": SCRIPT,
    "js/picker.js": SCRIPT,
    "js/presence.js": SCRIPT,
    "js/redraw.js": SCRIPT,
    "js/renew.js": SCRIPT,
    "js/rows.js": SCRIPT,
    "js/stream.js": SCRIPT,
    "js/times.js": SCRIPT,
    "js/toast.js": SCRIPT,
    "js/tryout.js": SCRIPT,
    "js/typing.js": SCRIPT,
    "js/upload.js": SCRIPT,
    "js/viewer.js": SCRIPT,
}

/// The first bytes of the digest of all assets, in hex. It stands in their addresses, so that a new version of any of
/// them is loaded, and that modules find each other by relative addresses.
fn version() -> &'static str {
    static VERSION: OnceLock<String> = OnceLock::new();
    VERSION.get_or_init(|| {
        let mut digest = Sha256::new();
        for (name, _, content) in ASSETS {
            digest.update(name.as_bytes());
            digest.update([0]);
            digest.update(content.as_bytes());
            digest.update([0]);
        }
        hex::encode(digest.finalize().get(..8).unwrap_or_default())
    })
}

/// The address of an asset.
pub(super) fn address(name: &str) -> String {
    format!("/assets/{}/{name}", version())
}

/// `/assets/{version}/{name}`.
pub(super) fn router() -> Router {
    Router::new().route("/assets/{version}/{*name}", get(asset))
}

/// An asset is public: it holds nothing of anybody's.
async fn asset(Path((asked, name)): Path<(String, String)>) -> Response {
    let found = served().iter().find(|(known, ..)| *known == name && asked == version());
    let Some((_, mime, content)) = found else {
        return (StatusCode::NOT_FOUND, "there is nothing at this address\n").into_response();
    };
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static(mime)),
        (header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=31536000, immutable")),
    ];
    (headers, content.as_str()).into_response()
}

/// The assets as they are sent: scripts without their lines of comment, a tenth of them.
fn served() -> &'static [(&'static str, &'static str, String)] {
    static SERVED: OnceLock<Vec<(&str, &str, String)>> = OnceLock::new();
    SERVED.get_or_init(|| {
        let sent = |(name, mime, content): &(&'static str, &'static str, &str)| {
            let is_sent = |line: &&str| *mime != SCRIPT || !is_comment(line);
            (*name, *mime, content.split_inclusive('\n').filter(is_sent).collect())
        };
        ASSETS.iter().map(sent).collect()
    })
}

fn is_comment(line: &str) -> bool {
    line.trim_start().starts_with("//")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scripts_are_sent_without_their_comments_and_nothing_else_is_left_out() {
        for ((name, mime, content), (_, _, sent)) in ASSETS.iter().zip(served()) {
            if *mime != SCRIPT {
                assert_eq!(content, sent, "{name}");
                continue;
            }
            assert!(!sent.lines().any(is_comment), "{name}");
            let mut quotes = 0;
            for line in content.lines() {
                if is_comment(line) {
                    // In a text over several lines it would be no comment.
                    assert!(quotes % 2 == 0, "{name}: {line}");
                } else {
                    quotes += line.matches('`').count();
                }
            }
        }
    }
}
