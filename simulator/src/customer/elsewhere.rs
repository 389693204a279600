//! What reaches the account from outside the customer's own writing: comments, mentions, messages
//! written in Instagram's app, other apps in the thread. What belongs here: those webhooks.

use serde_json::Value;

use crate::customer::{Customer, Sent};
use crate::state::StoredComment;
use crate::state::thread::{Author, ThreadMessage};
use crate::webhook::change::{Change, Comment};
use crate::webhook::hold::Part;
use crate::webhook::item::{Item, Kind, MessageBody, ThreadControl};

impl Customer {
    /// Comments on a post: shape C, which both logins send in practice.
    pub async fn comment(&self, media_id: &str, text: &str) -> Sent {
        let comment = self.new_comment(media_id, "FEED", text);
        self.store_comment(&comment, false);
        self.change(Part::Change(Change::comment(&comment)), comment.id).await
    }

    /// Comments on a post; Instagram gives only the writer's user name.
    pub async fn comment_without_id(&self, media_id: &str, text: &str) -> Sent {
        let comment = self.new_comment(media_id, "FEED", text);
        self.store_comment(&comment, false);
        let mut change = Change::comment(&comment);
        if let Some(from) = change.value.get_mut("from").and_then(Value::as_object_mut) {
            from.remove("id");
        }
        self.change(Part::Change(change), comment.id).await
    }

    /// Comments on a post, in the flat shape D that is documented for the Instagram login.
    pub async fn comment_flat(&self, media_id: &str, text: &str) -> Sent {
        let comment = self.new_comment(media_id, "FEED", text);
        self.store_comment(&comment, false);
        self.change(Part::Flat(Change::comment(&comment)), comment.id).await
    }

    /// Comments in a running live broadcast; end it with `Simulator::end_broadcast`.
    pub async fn live_comment(&self, media_id: &str, text: &str) -> Sent {
        let comment = self.new_comment(media_id, "LIVE", text);
        self.store_comment(&comment, true);
        self.change(Part::Change(Change::live_comment(&comment)), comment.id).await
    }

    /// Mentions the account in a post, or in a comment there.
    pub async fn mention(&self, media_id: &str, comment_id: Option<&str>) -> Sent {
        self.change(Part::Change(Change::mention(media_id, comment_id)), media_id.to_owned()).await
    }

    /// Any change for the account, in shape C or, `flat`, in shape D.
    pub async fn raw_change(&self, change: Change, flat: bool) -> Sent {
        let part = if flat { Part::Flat(change) } else { Part::Change(change) };
        self.change(part, String::new()).await
    }

    /// The business answers in Instagram's app: an echo without `app_id`.
    pub async fn business_writes_in_app(&self, text: &str) -> Sent {
        let micros = self.core.clock.now_micros();
        let mid = self.thread(|thread| {
            let mid = self.core.ids.mid(&self.ig_id, &thread.fbid, micros);
            thread.messages.push(ThreadMessage {
                text: Some(text.to_owned()),
                ..ThreadMessage::new(mid.clone(), Author::Business, micros / 1000)
            });
            mid
        });
        let body = MessageBody { mid: mid.clone(), is_echo: true, ..MessageBody::text(text) };
        let item = Item::new(&self.ig_id, &self.igsid, micros / 1000, Kind::Message(body));
        let delivery = self.emit(Part::Messaging(item)).await;
        Sent { id: mid, at_ms: micros / 1000, delivery }
    }

    /// The business unsends its own message in Instagram's app: a deleted echo.
    pub async fn business_unsends_in_app(&self, mid: &str) -> Sent {
        let at_ms = self.core.clock.now_ms();
        self.thread(|thread| thread.forget(mid));
        let body = MessageBody { mid: mid.to_owned(), is_echo: true, is_deleted: true, ..MessageBody::default() };
        let item = Item::new(&self.ig_id, &self.igsid, at_ms, Kind::Message(body));
        let delivery = self.emit(Part::Messaging(item)).await;
        Sent { id: mid.to_owned(), at_ms, delivery }
    }

    /// Another app passes the thread to this one, which owns it from now on.
    pub async fn thread_passed_here(&self, from_app: &str, metadata: &str) -> Sent {
        let to = self.own_app();
        self.set_thread_owner(None);
        self.raw_event(Kind::PassThreadControl(control(from_app, &to, metadata))).await
    }

    /// Another app takes the thread: later events arrive in `standby`.
    pub async fn thread_taken_by(&self, app: &str, metadata: &str) -> Sent {
        let from = self.own_app();
        let sent = self.raw_event(Kind::TakeThreadControl(control(&from, app, metadata))).await;
        self.set_thread_owner(Some(app));
        sent
    }

    /// Another app asks for the thread.
    pub async fn thread_requested_by(&self, app: &str, metadata: &str) -> Sent {
        self.raw_event(Kind::RequestThreadControl {
            requested_owner_app_id: app.to_owned(),
            metadata: metadata.to_owned(),
        })
        .await
    }

    async fn change(&self, part: Part, id: String) -> Sent {
        let at_ms = self.core.clock.now_ms();
        Sent { id, at_ms, delivery: self.emit(part).await }
    }

    fn own_app(&self) -> String {
        self.core.app_id(self.core.webhook_login(&self.ig_id)).to_owned()
    }

    fn new_comment(&self, media_id: &str, product: &str, text: &str) -> Comment {
        Comment {
            id: self.core.ids.media(),
            from_id: self.igsid.clone(),
            from_username: self.thread(|thread| thread.profile.username.clone()),
            self_id: None,
            text: text.to_owned(),
            media_id: media_id.to_owned(),
            media_product_type: product.to_owned(),
            parent_id: None,
            ad: None,
        }
    }

    fn store_comment(&self, comment: &Comment, live: bool) {
        let stored = StoredComment {
            ig_id: self.ig_id.clone(),
            from_id: self.igsid.clone(),
            media_id: comment.media_id.clone(),
            at_ms: self.core.clock.now_ms(),
            live,
            answered_privately: false,
        };
        self.core.world().comments.insert(comment.id.clone(), stored);
    }
}

fn control(from: &str, to: &str, metadata: &str) -> ThreadControl {
    ThreadControl {
        previous_owner_app_id: from.to_owned(),
        new_owner_app_id: to.to_owned(),
        metadata: metadata.to_owned(),
    }
}
