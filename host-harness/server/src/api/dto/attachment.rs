//! Owns: attachments of messages in the API's JSON, in one shape for everything that can come with a message.
//! Does not own: the files' bytes.

use harness_contract::{self as contract_types, ContactCard, Location, Product};
use harness_engine::Host;
use harness_inbox::{MediaState, MediaView};
use serde::Serialize;
use utoipa::ToSchema;

use super::{Fact, MediaTag, contract, upload};
use crate::api::ids::{Id, MediaRef};

/// Something that came with a message, or was sent with it. `kind` says which of the other fields are set.
#[derive(Debug, Default, Serialize, ToSchema)]
pub(crate) struct Attachment {
    /// `image`, `video`, `audio`, `voice`, `file`, `animation`, `sticker`, `share`, `story_mention`, `location`,
    /// `contact_cards`, `products`, `cards`, `unavailable`, `other` or `unknown`.
    kind: String,
    /// Where this API serves its file, if it does: an address on this host.
    url: Option<String>,
    /// Where a browser loads its file without a token, as in `<img src>`, for half an hour at least. It begins at the root
    /// of this host.
    signed_url: Option<String>,
    /// The platform's address, valid for a limited time.
    platform_url: Option<String>,
    /// The file, and whether it is stored here.
    media: Option<MediaFile>,
    /// The uploaded file that was sent.
    #[schema(value_type = Option<upload::UploadId>)]
    upload_id: Option<String>,
    mime: Option<String>,
    /// In milliseconds.
    duration: Option<u64>,
    /// The name of a file.
    name: Option<String>,
    caption: Option<String>,
    /// For people who do not see it.
    description: Option<String>,
    /// Of a sticker.
    emoji: Option<String>,
    /// What was shared: its kind, such as `post` or `reel`, and the platform's id.
    share: Option<Share>,
    /// The platform's id of the story.
    story_id: Option<String>,
    #[schema(value_type = Option<contract::Location>)]
    location: Option<Location>,
    #[schema(value_type = Vec<contract::ContactCard>)]
    contact_cards: Vec<ContactCard>,
    #[schema(value_type = Vec<contract::Product>)]
    products: Vec<Product>,
    #[schema(value_type = Vec<contract::Card>)]
    cards: Vec<contract_types::Card>,
    /// What to show of a kind that has no fields, or why it is not shown.
    text: Option<String>,
    /// Facts to show beside it.
    details: Vec<Fact>,
}

/// Something from the platform that a person forwarded.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Share {
    /// `post`, `reel`, `story`, `video`, `product`, `profile`, `link` or `other`.
    kind: String,
    /// The platform's id of what was shared.
    platform_id: Option<String>,
    title: Option<String>,
}

/// A file of a message.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct MediaFile {
    object: MediaTag,
    id: MediaRef,
    state: State,
    /// Why it is not stored, as a sentence.
    reason: Option<String>,
    mime: Option<String>,
    /// In bytes.
    size: Option<i64>,
    /// SHA-256 of its content, in hex.
    sha256: Option<String>,
}

/// Whether a file is stored here. `remote`: a download is due. `link_only`: the platform allows no copy. `expired`: its
/// address no longer serves it. `deleted`: its message was unsent.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = MediaState)]
enum State {
    Remote,
    Stored,
    LinkOnly,
    Expired,
    Deleted,
    TooLarge,
    Refused,
    Failed,
}

impl From<MediaState> for State {
    fn from(state: MediaState) -> Self {
        match state {
            MediaState::Remote => Self::Remote,
            MediaState::Stored => Self::Stored,
            MediaState::LinkOnly => Self::LinkOnly,
            MediaState::Expired => Self::Expired,
            MediaState::Deleted => Self::Deleted,
            MediaState::TooLarge => Self::TooLarge,
            MediaState::Refused => Self::Refused,
            MediaState::Failed => Self::Failed,
        }
    }
}

impl Attachment {
    /// `sent`: what was sent from here names uploaded files, what came in names the platform's.
    pub(crate) fn of(attachment: contract_types::Attachment, sent: bool) -> Self {
        use contract_types::Attachment as From;
        let kind = |kind: &str| Self { kind: kind.to_owned(), ..Self::default() };
        match attachment {
            From::Media(media) => Self::media(media, sent),
            From::Sticker(sticker) => {
                let media = sticker.media.map(|media| Self::media(media, sent)).unwrap_or_default();
                Self { kind: "sticker".to_owned(), emoji: sticker.emoji, ..media }
            }
            From::Share(share) => {
                let about = Share { kind: share.kind, platform_id: share.media_id, title: share.title };
                Self { share: Some(about), platform_url: share.url, ..kind("share") }
            }
            From::StoryMention(story) => Self { story_id: story.id, platform_url: story.url, ..kind("story_mention") },
            From::Location(location) => Self { location: Some(location), ..kind("location") },
            From::ContactCards(contact_cards) => Self { contact_cards, ..kind("contact_cards") },
            From::Products(products) => Self { products, ..kind("products") },
            From::Cards(cards) => Self { cards, ..kind("cards") },
            From::Unavailable(reason) => Self { text: Some(reason.name().to_owned()), ..kind("unavailable") },
            From::Other(extra) => {
                let details = extra.details.into_iter().map(Fact::from).collect();
                Self { text: Some(extra.text), name: Some(extra.kind), details, ..kind("other") }
            }
            From::Unknown(item) => Self { text: Some(item.reason), name: item.kind, ..kind("unknown") },
        }
    }

    fn media(media: contract_types::Media, sent: bool) -> Self {
        let kind = media.kind.name().to_owned();
        let upload_id = media.handle.filter(|_| sent).map(|handle| upload::public(&handle));
        let url = upload_id.as_ref().map(|id| format!("/api/v1/uploads/{id}"));
        let contract_types::Media { mime, duration, name, caption, description, url: platform_url, .. } = media;
        Self { kind, url, platform_url, upload_id, mime, duration, name, caption, description, ..Self::default() }
    }

    /// Adds what the host has of its file.
    pub(crate) fn with(mut self, file: MediaView) -> Self {
        let id = Id::from(file.id);
        if file.state == MediaState::Stored {
            self.url = Some(format!("/api/v1/media/{}", harness_inbox::PublicId::public(file.id)));
        }
        self.platform_url = file.url.or(self.platform_url);
        self.name = self.name.or(file.name);
        let MediaView { state, reason, mime, size, sha256, .. } = file;
        self.mime = mime.clone().or(self.mime);
        self.media = Some(MediaFile { object: MediaTag::Tag, id, state: state.into(), reason, mime, size, sha256 });
        self
    }

    /// Adds the address for browsers, if its file is stored here.
    pub(crate) fn signed(&mut self, host: &Host) {
        let stored = self.media.as_ref().filter(|media| matches!(media.state, State::Stored));
        self.signed_url = stored.map(|media| {
            let Id(id) = media.id;
            let (expires, signature) = host.sign_media(id);
            format!("/media/{}?expires={expires}&signature={signature}", harness_inbox::PublicId::public(id))
        });
    }

    /// A file of a message whose content is not kept any more.
    pub(crate) fn file(file: MediaView) -> Self {
        Self { kind: file.kind.clone(), ..Self::default() }.with(file)
    }
}

impl From<contract_types::Detail> for Fact {
    fn from(detail: contract_types::Detail) -> Self {
        Self { key: detail.key, label: detail.label, value: detail.value }
    }
}
