//! Accepted files: kinds, types, sizes, URLs, and fetching them.
//! What belongs here: rules about files, shared by messages and uploads.

use std::net::IpAddr;
use std::time::Duration;

use url::{Host, Url};

use crate::config::MediaPolicy;
use crate::core::Core;
use crate::graph::error::GraphError;

const MIB: usize = 1024 * 1024;
/// Meta gives up on a slow address after 75 s (error table, 2018294).
const FETCH_DEADLINE: Duration = Duration::from_secs(75);

const FETCH_FAILED: u32 = 2_018_008;
const TYPE_MISMATCH: u32 = 2_018_047;
const TOO_BIG: u32 = 2_018_109;

/// The rule of one kind of attachment.
pub(crate) struct Rule {
    pub(crate) kind: &'static str,
    extensions: &'static [&'static str],
    mime_types: &'static [&'static str],
    max_bytes: usize,
}

/// Formats and sizes of Meta's documentation.
const RULES: [Rule; 4] = [
    Rule {
        kind: "image",
        extensions: &["png", "jpg", "jpeg", "gif"],
        mime_types: &["image/png", "image/jpeg", "image/gif"],
        max_bytes: 8 * MIB,
    },
    Rule {
        kind: "audio",
        extensions: &["aac", "m4a", "wav", "mp4"],
        mime_types: &[
            "audio/aac",
            "audio/m4a",
            "audio/x-m4a",
            "audio/mp4",
            "audio/wav",
            "audio/wave",
            "audio/x-wav",
            "audio/vnd.wave",
            "video/mp4",
        ],
        max_bytes: 25 * MIB,
    },
    Rule {
        kind: "video",
        extensions: &["mp4", "ogg", "avi", "mov", "webm"],
        mime_types: &["video/mp4", "video/ogg", "video/x-msvideo", "video/avi", "video/quicktime", "video/webm"],
        max_bytes: 25 * MIB,
    },
    Rule { kind: "file", extensions: &["pdf"], mime_types: &["application/pdf"], max_bytes: 25 * MIB },
];

pub(crate) fn rule(kind: &str) -> Option<&'static Rule> {
    RULES.iter().find(|rule| rule.kind == kind)
}

/// A URL to fetch a file of a kind from.
pub(crate) struct Source {
    pub(crate) kind: &'static str,
    pub(crate) url: String,
}

/// Checks a URL, and fetches it if it is on loopback and the configuration allows that.
pub(crate) async fn check(core: &Core, source: &Source) -> Result<(), GraphError> {
    let unfetchable = || GraphError::new(100, Some(FETCH_FAILED));
    let rule = rule(source.kind).ok_or_else(unfetchable)?;
    let url = Url::parse(&source.url).map_err(|_| unfetchable())?;
    if core.config.media == MediaPolicy::FetchLoopback && url.scheme() == "http" && is_loopback(&url) {
        return fetch(core, rule, &url).await;
    }
    if url.scheme() != "https" || !is_public(&url) {
        return Err(unfetchable());
    }
    let extension = url.path().rsplit_once('.').map(|(_, extension)| extension.to_ascii_lowercase());
    match extension {
        Some(extension) if core.config.takes_mp3 && rule.kind == "audio" && extension == "mp3" => Ok(()),
        Some(extension) if is_known_format(&extension) && !rule.extensions.contains(&extension.as_str()) => {
            Err(GraphError::new(100, Some(TYPE_MISMATCH)))
        }
        _ => Ok(()),
    }
}

/// Checks a file's type and size.
pub(crate) fn check_file(core: &Core, rule: &Rule, mime_type: &str, size: usize) -> Result<(), GraphError> {
    let essence = mime_type.split(';').next().unwrap_or("").trim().to_ascii_lowercase();
    let is_mp3 = core.config.takes_mp3 && rule.kind == "audio" && essence == "audio/mpeg";
    check_size(rule, size)?;
    if !is_mp3 && !rule.mime_types.contains(&essence.as_str()) {
        return Err(GraphError::new(100, Some(TYPE_MISMATCH)));
    }
    Ok(())
}

fn check_size(rule: &Rule, size: usize) -> Result<(), GraphError> {
    if size > rule.max_bytes { Err(GraphError::new(100, Some(TOO_BIG))) } else { Ok(()) }
}

async fn fetch(core: &Core, rule: &Rule, url: &Url) -> Result<(), GraphError> {
    let unfetchable = || GraphError::new(100, Some(FETCH_FAILED));
    let request = http::Request::builder().uri(url.as_str()).header("user-agent", "facebookexternalhit/1.1");
    let answer = core.http.send(request, Vec::new(), FETCH_DEADLINE).await.map_err(|_| unfetchable())?;
    if answer.status != 200 {
        return Err(unfetchable());
    }
    let mime_type = answer.headers.get(http::header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    check_file(core, rule, mime_type.unwrap_or(""), answer.body.len())
}

/// Extensions that reliably name a format; `/photo.php` does not.
fn is_known_format(extension: &str) -> bool {
    RULES.iter().any(|rule| rule.extensions.contains(&extension))
        || matches!(
            extension,
            "webp"
                | "heic"
                | "heif"
                | "bmp"
                | "svg"
                | "tif"
                | "tiff"
                | "mp3"
                | "oga"
                | "opus"
                | "flac"
                | "mkv"
                | "doc"
                | "docx"
                | "xls"
                | "xlsx"
                | "ppt"
                | "pptx"
                | "txt"
                | "csv"
                | "zip"
        )
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

fn is_public(url: &Url) -> bool {
    let address: IpAddr = match url.host() {
        Some(Host::Domain(name)) => return name.contains('.') && !name.ends_with(".local"),
        Some(Host::Ipv4(address)) => address.into(),
        Some(Host::Ipv6(address)) => address.into(),
        None => return false,
    };
    match address {
        IpAddr::V4(v4) => !(v4.is_loopback() || v4.is_private() || v4.is_link_local() || v4.is_unspecified()),
        IpAddr::V6(v6) => !(v6.is_loopback() || v6.is_unique_local() || v6.is_unspecified()),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]
    use super::*;

    #[test]
    fn private_addresses_are_not_public() {
        for url in [
            "https://127.0.0.1/a",
            "https://10.0.0.1/a",
            "https://localhost/a",
            "https://[::1]/a",
            "https://nas.local/a",
        ] {
            assert!(!is_public(&Url::parse(url).unwrap()), "{url}");
        }
        assert!(is_public(&Url::parse("https://cdn.example.com/a.jpg").unwrap()));
    }

    #[test]
    fn a_file_may_be_as_large_as_the_limit_and_no_larger() {
        let image = rule("image").unwrap();
        assert!(check_size(image, 8 * MIB).is_ok());
        assert_eq!(check_size(image, 8 * MIB + 1).unwrap_err().subcode, Some(TOO_BIG));
    }
}
