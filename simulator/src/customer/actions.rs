//! What a customer does inside the thread: writing, tapping, reacting, editing, unsending.
//! What belongs here: short names for `Customer::message` and for the events without a message.

use crate::customer::{Customer, Sent, interact};
use crate::state::thread::{Author, ThreadMessage};
use crate::webhook::attachment::Attachment;
use crate::webhook::item::{Kind, MessageBody, Postback, QuickReplyTap, Reaction, Referral, ReplyTo};

impl Customer {
    /// Writes a text.
    pub async fn text(&self, text: &str) -> Sent {
        self.message(MessageBody::text(text)).await
    }

    /// Writes a text as an answer to a message.
    pub async fn reply(&self, mid: &str, text: &str) -> Sent {
        self.message(MessageBody::text(text).replying_to(ReplyTo::mid(mid))).await
    }

    /// Sends one photo.
    pub async fn photo(&self, url: &str) -> Sent {
        self.attach([Attachment::image(url)]).await
    }

    /// Sends several photos in one message: one mid, several attachments.
    pub async fn photos(&self, urls: &[&str]) -> Sent {
        self.attach(urls.iter().map(|url| Attachment::image(url))).await
    }

    /// Sends a video.
    pub async fn video(&self, url: &str) -> Sent {
        self.attach([Attachment::video(url)]).await
    }

    /// Sends a voice message.
    pub async fn voice(&self, url: &str) -> Sent {
        self.attach([Attachment::audio(url)]).await
    }

    /// Sends a file.
    pub async fn file(&self, url: &str) -> Sent {
        self.attach([Attachment::file(url)]).await
    }

    /// Sends the heart sticker.
    pub async fn like_heart(&self) -> Sent {
        self.attach([Attachment::like_heart()]).await
    }

    /// Sends a view-once photo or video.
    pub async fn view_once(&self) -> Sent {
        self.attach([Attachment::ephemeral()]).await
    }

    /// Sends any attachments in one message.
    pub async fn attach(&self, attachments: impl IntoIterator<Item = Attachment>) -> Sent {
        self.message(MessageBody::attachments(attachments)).await
    }

    /// Sends something that the API does not support: mid and `is_unsupported` only.
    pub async fn unsupported(&self) -> Sent {
        self.message(MessageBody { is_unsupported: true, ..MessageBody::default() }).await
    }

    /// Shares a post. During the transition since April 2026, both `share` and `ig_post` are sent.
    pub async fn share_post(&self, media_id: &str, title: &str, url: &str) -> Sent {
        self.attach([Attachment::share_of_post(media_id, title, url), Attachment::ig_post(media_id, title, url)]).await
    }

    /// Shares a reel; the title is its caption.
    pub async fn share_reel(&self, video_id: &str, title: &str, url: &str) -> Sent {
        self.attach([Attachment::ig_reel(video_id, title, url)]).await
    }

    /// Shares a story.
    pub async fn share_story(&self, media_id: &str, url: &str) -> Sent {
        self.attach([Attachment::ig_story(media_id, url)]).await
    }

    /// Mentions the account in a story of their own.
    pub async fn story_mention(&self, url: &str) -> Sent {
        self.attach([Attachment::story_mention(url)]).await
    }

    /// Answers a story of the account.
    pub async fn story_reply(&self, story_id: &str, url: &str, text: &str) -> Sent {
        self.message(MessageBody::text(text).replying_to(ReplyTo::story(story_id, url))).await
    }

    /// Opens the thread from an ad and writes.
    pub async fn text_from_ad(&self, text: &str, reference: &str, ad_id: &str, ad_title: &str) -> Sent {
        self.message(MessageBody::text(text).referred_by(Referral::ad(reference, ad_id, ad_title))).await
    }

    /// Opens a new thread from an `ig.me` link and writes.
    pub async fn text_from_link(&self, text: &str, reference: &str) -> Sent {
        self.message(MessageBody::text(text).referred_by(Referral::link(reference))).await
    }

    /// Asks about a product of the shop.
    pub async fn text_about_product(&self, text: &str, product_id: &str) -> Sent {
        self.message(MessageBody::text(text).referred_by(Referral::product(product_id))).await
    }

    /// Opens the existing thread from an `ig.me` link: a referral without a message.
    pub async fn follow_link(&self, reference: &str) -> Sent {
        let at_ms = self.core.clock.now_ms();
        self.thread(|thread| interact(thread, at_ms));
        self.event(Kind::Referral(Referral::link(reference)), String::new(), at_ms).await
    }

    /// Taps a quick reply: a text message with the title, and the payload beside it.
    pub async fn quick_reply(&self, title: &str, payload: &str) -> Sent {
        let tap = QuickReplyTap { payload: payload.to_owned() };
        self.message(MessageBody { quick_reply: Some(tap), ..MessageBody::text(title) }).await
    }

    /// Taps a template's button, an ice breaker or a menu entry.
    pub async fn postback(&self, title: &str, payload: &str) -> Sent {
        self.postback_from(title, payload, None).await
    }

    /// The same, when a link opened the thread.
    pub async fn postback_from(&self, title: &str, payload: &str, referral: Option<Referral>) -> Sent {
        let micros = self.core.clock.now_micros();
        let mid = self.thread(|thread| {
            interact(thread, micros / 1000);
            let mid = self.core.ids.mid(&self.ig_id, &thread.fbid, micros);
            thread.messages.push(ThreadMessage {
                text: Some(title.to_owned()),
                ..ThreadMessage::new(mid.clone(), Author::Customer, micros / 1000)
            });
            mid
        });
        let postback =
            Postback { mid: Some(mid.clone()), title: title.to_owned(), payload: payload.to_owned(), referral };
        self.event(Kind::Postback(postback), mid, micros / 1000).await
    }

    /// Reacts to a message, replacing an earlier reaction.
    pub async fn react(&self, mid: &str, emoji: &str) -> Sent {
        self.set_reaction(mid, Some(emoji));
        self.raw_event(Kind::Reaction(Reaction::react(mid, emoji))).await
    }

    /// Removes the reaction.
    pub async fn unreact(&self, mid: &str) -> Sent {
        self.set_reaction(mid, None);
        self.raw_event(Kind::Reaction(Reaction::unreact(mid))).await
    }

    /// Sees the thread up to a message.
    pub async fn seen(&self, mid: &str) -> Sent {
        self.raw_event(Kind::Read { mid: mid.to_owned() }).await
    }

    /// Unsends an own message.
    pub async fn unsend(&self, mid: &str) -> Sent {
        self.thread(|thread| thread.forget(mid));
        let body = MessageBody { mid: mid.to_owned(), is_deleted: true, ..MessageBody::default() };
        self.raw_event(Kind::Message(body)).await
    }

    /// Edits an own message; `num_edit` counts up.
    pub async fn edit(&self, mid: &str, text: &str) -> Sent {
        let edits = self.thread(|thread| match thread.message_mut(mid) {
            Some(message) => {
                message.text = Some(text.to_owned());
                message.edits += 1;
                message.edits
            }
            None => 1,
        });
        self.raw_event(Kind::MessageEdit { mid: mid.to_owned(), text: Some(text.to_owned()), num_edit: edits.into() })
            .await
    }

    fn set_reaction(&self, mid: &str, emoji: Option<&str>) {
        self.thread(|thread| {
            if let Some(message) = thread.message_mut(mid) {
                message.react(Author::Customer, emoji);
            }
        });
    }
}
