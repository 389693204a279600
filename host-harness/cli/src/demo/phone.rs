//! Owns: the customer's phone of the demo, as the inbox's page shows it: the simulator behind the server's `Phone`.
//! Does not own: the page, the simulator.

use std::{
    fmt,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use anyhow::Result;
use async_trait::async_trait;
use bytes::Bytes;
use harness_engine::Clock;
use harness_server::{
    FaultKind, Phone, PhoneAction, PhoneFault, PhoneFile, PhoneMessage, PhoneQuote, PhoneThing, PhoneView,
};
use serde_json::Value;
use simulator::{Author, CdnFile, Customer, EchoTiming, Fault, Release, Simulator, ThreadMessage};

use super::pictures;

const POST: &str = "17900000000000001";
const REEL: &str = "17900000000000002";
const STORY: &str = "17900000000000003";
/// How long a slow platform takes.
const SLOW: Duration = Duration::from_secs(3);
/// Maximum size of a file that the phone shows, in bytes.
const LARGEST: usize = 16 << 20;

/// A customer's phone at the simulated platform.
pub struct DemoPhone {
    sim: Simulator,
    clock: Clock,
    customer: Customer,
    business: String,
    vase: String,
    mug: String,
    voice: String,
    client: reqwest::Client,
    set: Mutex<Set>,
}

/// What the visitor has switched, and written in public.
#[derive(Clone, Debug, Default)]
struct Set {
    web: bool,
    faults: Vec<FaultKind>,
    comments: Vec<PhoneMessage>,
}

impl fmt::Debug for DemoPhone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DemoPhone").finish_non_exhaustive()
    }
}

impl DemoPhone {
    /// The phone of a customer; `clock` is the host's, which moves with the platform's.
    ///
    /// # Errors
    ///
    /// If no client for the platform's files can be made.
    pub fn new(sim: Simulator, clock: Clock, customer: Customer, business: String) -> Result<Self> {
        let client = harness_egress::client_builder()?.build()?;
        let file = |mime: &str, content: &[u8]| sim.host_file(CdnFile::new(mime, content));
        let (vase, mug) = (file("image/png", pictures::VASE), file("image/png", pictures::MUG));
        let voice = file("audio/wav", &pictures::melody());
        Ok(Self { sim, clock, customer, business, vase, mug, voice, client, set: Mutex::default() })
    }

    fn set(&self) -> MutexGuard<'_, Set> {
        self.set.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The newest message of one side that is still there.
    fn newest(&self, of: Author) -> Option<ThreadMessage> {
        self.customer.transcript().into_iter().rev().find(|message| message.from == of && !message.deleted)
    }

    /// Lets exactly what is switched on go wrong.
    async fn inject(&self, on: &[FaultKind]) {
        self.sim.clear_faults();
        for kind in on {
            let fault = match kind {
                FaultKind::Cut => Fault::drop_before_accepting(),
                FaultKind::Refuses => Fault::graph_error(551, 1_545_041),
                FaultKind::Silent => Fault::drop_after_accepting(),
                FaultKind::Slow => Fault::delay(SLOW),
            };
            self.sim.inject(fault.times(u32::MAX));
        }
        // Nor does it say so with an echo.
        let echo = if on.contains(&FaultKind::Silent) { EchoTiming::Never } else { self.sim.config().echo };
        self.sim.set_echo(echo);
        // Nothing gets through in the other direction either, and comes when the network is back.
        if on.contains(&FaultKind::Cut) {
            self.sim.hold_webhooks();
        } else {
            self.sim.release_webhooks(Release::InOrder).await;
        }
    }

    /// Writes in public, where the platform keeps no thread.
    async fn comment(&self) {
        let text = "Will you be at the winter market?";
        let id = self.customer.comment(POST, text).await.id;
        let own = PhoneMessage {
            id,
            own: true,
            at: self.sim.clock().now_ms(),
            quote: Some(PhoneQuote::Comment),
            text: Some(text.to_owned()),
            ..PhoneMessage::default()
        };
        self.set().comments.push(own);
    }

    /// The address of the platform's file on this machine.
    fn local(&self, url: &str) -> String {
        let found = self.sim.origins().into_iter().find_map(|(origin, here)| Some((url.strip_prefix(origin)?, here)));
        found.map_or_else(|| url.to_owned(), |(path, here)| format!("{here}{path}"))
    }

    async fn load(&self, url: &str) -> Option<PhoneFile> {
        let mut answer =
            self.client.get(self.local(url)).send().await.ok().filter(|answer| answer.status().is_success())?;
        let mime = answer.headers().get(http::header::CONTENT_TYPE)?.to_str().ok()?.to_owned();
        let mut content = Vec::new();
        while let Some(chunk) = answer.chunk().await.ok()? {
            if content.len() + chunk.len() > LARGEST {
                return None;
            }
            content.extend_from_slice(&chunk);
        }
        Some(PhoneFile { mime, content: Bytes::from(content) })
    }
}

#[async_trait]
impl Phone for DemoPhone {
    async fn look(&self) -> PhoneView {
        let set = self.set().clone();
        let transcript = self.customer.transcript();
        let last = transcript.last().map(|message| message.at_ms);
        let mut messages: Vec<_> = transcript.iter().map(|one| message(one, &transcript)).collect();
        messages.extend(set.comments);
        messages.sort_by_key(|message| message.at);
        PhoneView {
            business: self.business.clone(),
            customer: self.customer.igsid().to_owned(),
            now: self.sim.clock().now_ms(),
            ahead: self.sim.clock().offset_ms(),
            seen: self.customer.seen_by_business_at().is_some_and(|at| last.is_some_and(|last| at >= last)),
            typing: self.customer.sees_typing(),
            web: set.web,
            faults: FaultKind::ALL.map(|kind| PhoneFault { kind, on: set.faults.contains(&kind) }).into(),
            messages,
        }
    }

    async fn act(&self, action: PhoneAction) {
        let customer = &self.customer;
        match action {
            PhoneAction::Text(text) => drop(customer.text(&text).await),
            PhoneAction::Photo => drop(customer.photo(&self.vase).await),
            PhoneAction::Voice => drop(customer.voice(&self.voice).await),
            PhoneAction::Heart => drop(customer.like_heart().await),
            PhoneAction::Post => drop(customer.share_post(POST, "Tall vase, river green", &self.vase).await),
            PhoneAction::Reel => drop(customer.share_reel(REEL, "Rolling a rope rim without cracks", &self.mug).await),
            PhoneAction::Story => drop(customer.story_reply(STORY, &self.mug, "How much is this one?").await),
            PhoneAction::Comment => self.comment().await,
            PhoneAction::React => {
                if let Some(target) = self.newest(Author::Business) {
                    customer.react(&target.mid, "❤️").await;
                }
            }
            PhoneAction::Edit => {
                if let Some(own) = self.newest(Author::Customer)
                    && let Some(text) = own.text
                {
                    customer.edit(&own.mid, &format!("{text} (edited)")).await;
                }
            }
            PhoneAction::Unsend => {
                if let Some(own) = self.newest(Author::Customer) {
                    customer.unsend(&own.mid).await;
                }
            }
            PhoneAction::Read => {
                if let Some(newest) = self.newest(Author::Business) {
                    customer.seen(&newest.mid).await;
                }
            }
            PhoneAction::Quick(title, payload) => drop(customer.quick_reply(&title, &payload).await),
            PhoneAction::Button(title, payload) => drop(customer.postback(&title, &payload).await),
            PhoneAction::Web(on) => self.set().web = on,
            PhoneAction::Hours(hours) => {
                let by = Duration::from_secs(hours * 3600);
                self.clock.advance(by);
                self.sim.clock().advance(by);
            }
            PhoneAction::Fault(kind, on) => {
                let faults = {
                    let mut set = self.set();
                    set.faults.retain(|known| *known != kind);
                    if on {
                        set.faults.push(kind);
                    }
                    set.faults.clone()
                };
                self.inject(&faults).await;
            }
        }
    }

    async fn file(&self, message: &str, thing: usize) -> Option<PhoneFile> {
        let found = self.customer.transcript().into_iter().find(|known| known.mid == message && !known.deleted)?;
        let url = address(shown(&found).nth(thing)?)?.to_owned();
        self.load(&url).await
    }
}

fn text<'v>(value: &'v Value, pointer: &str) -> &'v str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

fn elements(attachment: &Value) -> &[Value] {
    let elements = attachment.pointer("/payload/generic/elements").or(attachment.pointer("/payload/elements"));
    elements.and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// What a message shows besides its text and cards. A shared post comes in two forms, of which one is shown.
fn shown(message: &ThreadMessage) -> impl Iterator<Item = &Value> {
    let kind = |attachment: &Value| text(attachment, "/type").to_owned();
    let twice = message.attachments.iter().any(|attachment| kind(attachment) == "ig_post");
    let plain = message.attachments.iter().filter(|attachment| elements(attachment).is_empty());
    plain.filter(move |attachment| !(twice && kind(attachment) == "share"))
}

/// Where the picture or sound of a thing is.
fn address(attachment: &Value) -> Option<&str> {
    let keys = ["/payload/url", "/payload/story_media_url"];
    keys.iter().map(|key| text(attachment, key)).find(|url| !url.is_empty())
}

fn message(message: &ThreadMessage, all: &[ThreadMessage]) -> PhoneMessage {
    let buttons = |element: &Value| {
        let buttons = element.get("buttons").and_then(Value::as_array).cloned().unwrap_or_default();
        buttons
            .iter()
            .map(|button| (text(button, "/title").into(), text(button, "/payload").into()))
            .collect::<Vec<_>>()
    };
    let cards = message.attachments.iter().flat_map(elements);
    let quote = if message.comment_id.is_some() {
        Some(PhoneQuote::ToComment)
    } else if message.story.is_some() {
        Some(PhoneQuote::Story)
    } else {
        let answered = message.reply_to.as_ref().and_then(|mid| all.iter().find(|known| known.mid == *mid));
        answered.map(|known| PhoneQuote::Message(known.text.clone().unwrap_or_default()))
    };
    PhoneMessage {
        id: message.mid.clone(),
        own: message.from == Author::Customer,
        at: message.at_ms,
        quote,
        text: message.text.clone(),
        things: shown(message)
            .map(|thing| PhoneThing {
                kind: text(thing, "/type").to_owned(),
                title: text(thing, "/payload/title").to_owned(),
                has_file: address(thing).is_some(),
            })
            .collect(),
        edited: message.edits > 0,
        gone: message.deleted,
        quick_replies: message
            .quick_replies
            .iter()
            .map(|quick| (text(quick, "/title").into(), text(quick, "/payload").into()))
            .collect(),
        cards: cards.map(|card| (text(card, "/title").into(), text(card, "/subtitle").into(), buttons(card))).collect(),
        reactions: message.reactions.iter().map(|reaction| reaction.emoji.clone()).collect(),
    }
}
