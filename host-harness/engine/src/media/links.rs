//! Owns: signed, expiring addresses: those from which platforms download files that are to be sent, and those from which
//! browsers load files of messages without a token. If a channel's rules allow
//! no upload, the host's files are replaced by such addresses before the channel sees the message.
//! Does not own: serving the bytes (`uploads`).

use std::{sync::Arc, time::Duration};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use harness_contract::{
    ChannelCapabilities, Direction, MediaRule, MediaSource, MediaWay, OutboundMedia, OutboundMessage,
};
use harness_egress::credentials::Vault;
use subtle::ConstantTimeEq as _;

use super::{Media, MediaError, uploads::media_of};
use crate::{
    base::{clock::Clock, public_url::PublicUrl},
    error::ConnectError,
    store::stored::FileContent,
};
use harness_inbox::{MediaId, Upload};

/// How long an address is valid. Platforms download at once, or when somebody opens the message.
const LIFE: Duration = Duration::from_secs(24 * 3600);

/// An address of a message's file for a browser is valid for one or two of these, in seconds. Addresses of the same time
/// are the same, so that a page that is drawn again loads nothing again.
const SHOWN_FOR: u64 = 1800;

/// Makes and checks addresses.
pub(crate) struct FileLinks {
    pub(crate) vault: Arc<Vault>,
    pub(crate) public_url: PublicUrl,
    pub(crate) clock: Clock,
}

impl FileLinks {
    /// An address for a file, valid for [`LIFE`].
    pub(crate) fn address(&self, handle: &str) -> Result<String, ConnectError> {
        let until = self.clock.after(LIFE);
        let mut url = self.public_url.address(&["files", handle])?;
        url.query_pairs_mut().append_pair("until", &until.to_string()).append_pair("proof", &self.proof(handle, until));
        Ok(url.into())
    }

    fn proof(&self, handle: &str, until: u64) -> String {
        URL_SAFE_NO_PAD.encode(self.vault.sign("file", &format!("{until}/{handle}")))
    }

    /// Until when a browser may load a message's file, in seconds since 1970, and the signature for it.
    pub(crate) fn for_browser(&self, id: MediaId) -> (u64, String) {
        let expires = (self.clock.now() / 1000 / SHOWN_FOR + 2) * SHOWN_FOR;
        (expires, self.browser_proof(id, expires))
    }

    fn browser_proof(&self, id: MediaId, expires: u64) -> String {
        URL_SAFE_NO_PAD.encode(self.vault.sign("media", &format!("{expires}/{id}")))
    }

    /// Whether this is the signature for it, and its time not over.
    pub(crate) fn is_for_browser(&self, id: MediaId, expires: u64, signature: &str) -> bool {
        let good = bool::from(self.browser_proof(id, expires).as_bytes().ct_eq(signature.as_bytes()));
        good && self.clock.now() / 1000 < expires
    }

    fn is_good(&self, handle: &str, until: u64, proof: &str) -> bool {
        let good = bool::from(self.proof(handle, until).as_bytes().ct_eq(proof.as_bytes()));
        good && self.clock.now() <= until
    }
}

impl Media {
    /// Replaces the host's files by addresses where their kind cannot be uploaded. Without a public address they stay
    /// as they are, and the channel reports the problem.
    pub(crate) fn give_addresses(&self, message: &mut OutboundMessage, capabilities: &ChannelCapabilities) {
        for media in media_of(message) {
            if !only_by_address(media, capabilities) {
                continue;
            }
            for source in sources(media) {
                if let MediaSource::File(file) = source
                    && let Ok(address) = self.links.address(&file.handle)
                {
                    *source = MediaSource::Url(address);
                }
            }
        }
    }

    /// The file behind a signed address; `None` if the signature is wrong or has expired.
    pub(crate) async fn linked(
        &self,
        handle: &str,
        until: u64,
        proof: &str,
    ) -> Result<Option<(Upload, FileContent)>, MediaError> {
        if self.links.is_good(handle, until, proof) { Ok(Some(self.upload(handle).await?)) } else { Ok(None) }
    }
}

/// Whether a message has files of the host's.
pub(crate) fn names_files(message: &mut OutboundMessage) -> bool {
    media_of(message).into_iter().flat_map(sources).any(|source| matches!(source, MediaSource::File(_)))
}

fn sources(media: &mut OutboundMedia) -> impl Iterator<Item = &mut MediaSource> {
    std::iter::once(&mut media.source).chain(&mut media.preview)
}

/// Whether the rules for this kind of file allow addresses and no uploads.
fn only_by_address(media: &OutboundMedia, capabilities: &ChannelCapabilities) -> bool {
    let of_kind = |rule: &&MediaRule| rule.direction == Direction::Outbound && rule.kind == media.kind;
    let ways: Vec<MediaWay> =
        capabilities.media_rules.iter().filter(of_kind).flat_map(|rule| rule.ways.iter().copied()).collect();
    ways.contains(&MediaWay::Url) && !ways.contains(&MediaWay::Upload)
}
