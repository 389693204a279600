//! Owns: the customer's phone of the demo, as the inbox's page shows it: the simulator behind the server's `Phone`.
//! Does not own: the page, the simulator.

use std::{
    fmt,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use harness_engine::Clock;
use harness_server::{FaultKind, Phone, PhoneAction, PhoneFault, PhoneMessage, PhoneView};
use serde_json::Value;
use simulator::{Author, CdnFile, Customer, Fault, Simulator, ThreadMessage};

const POST: &str = "17900000000000001";
const REEL: &str = "17900000000000002";
const STORY: &str = "17900000000000003";
/// The shortest WAV file: a header and a tenth of a second of silence.
const SILENCE: usize = 800;
/// How long a slow platform takes.
const SLOW: Duration = Duration::from_secs(3);

/// The phone.
pub(crate) struct DemoPhone {
    sim: Simulator,
    clock: Clock,
    customer: Customer,
    business: String,
    picture: String,
    voice: String,
    set: Mutex<Set>,
}

/// What the visitor has switched.
#[derive(Clone, Debug, Default)]
struct Set {
    web: bool,
    faults: Vec<FaultKind>,
}

impl fmt::Debug for DemoPhone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DemoPhone").finish_non_exhaustive()
    }
}

impl DemoPhone {
    pub(crate) fn new(sim: Simulator, clock: Clock, customer: Customer, business: String) -> Self {
        let picture = sim.host_file(CdnFile::demo_photo());
        let voice = sim.host_file(CdnFile::new("audio/wav", silence()));
        Self { sim, clock, customer, business, picture, voice, set: Mutex::default() }
    }

    fn set(&self) -> std::sync::MutexGuard<'_, Set> {
        self.set.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The newest message of one side that is still there.
    fn newest(&self, of: Author) -> Option<ThreadMessage> {
        self.customer.transcript().into_iter().rev().find(|message| message.from == of && !message.deleted)
    }

    /// Lets exactly what is switched on go wrong.
    fn inject(&self, on: &[FaultKind]) {
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
    }
}

#[async_trait]
impl Phone for DemoPhone {
    async fn look(&self) -> PhoneView {
        let set = self.set().clone();
        let messages: Vec<_> = self.customer.transcript().iter().map(message).collect();
        let last = self.customer.transcript().last().map(|message| message.at_ms);
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
            PhoneAction::Photo => drop(customer.photo(&self.picture).await),
            PhoneAction::Voice => drop(customer.voice(&self.voice).await),
            PhoneAction::Heart => drop(customer.like_heart().await),
            PhoneAction::Post => drop(customer.share_post(POST, "Tall vase, river green", &self.picture).await),
            PhoneAction::Reel => {
                drop(customer.share_reel(REEL, "Rolling a rope rim without cracks", &self.picture).await)
            }
            PhoneAction::Story => drop(customer.story_reply(STORY, &self.picture, "How much is this one?").await),
            PhoneAction::Comment => drop(customer.comment(POST, "Will you be at the winter market?").await),
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
                self.inject(&faults);
            }
        }
    }
}

fn message(message: &ThreadMessage) -> PhoneMessage {
    let text = |value: &Value, key: &str| value.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
    let buttons = |element: &Value| {
        let buttons = element.get("buttons").and_then(Value::as_array).cloned().unwrap_or_default();
        buttons.iter().map(|button| (text(button, "title"), text(button, "payload"))).collect::<Vec<_>>()
    };
    let elements = |attachment: &Value| {
        let elements = attachment.pointer("/payload/generic/elements").or(attachment.pointer("/payload/elements"));
        elements.and_then(Value::as_array).cloned().unwrap_or_default()
    };
    let cards = message.attachments.iter().flat_map(elements);
    let kinds = message.attachments.iter().filter(|attachment| elements(attachment).is_empty());
    PhoneMessage {
        id: message.mid.clone(),
        own: message.from == Author::Customer,
        text: message.text.clone(),
        kinds: kinds.map(|attachment| text(attachment, "type")).collect(),
        gone: message.deleted,
        quick_replies: message
            .quick_replies
            .iter()
            .map(|quick| (text(quick, "title"), text(quick, "payload")))
            .collect(),
        cards: cards.map(|card| (text(&card, "title"), text(&card, "subtitle"), buttons(&card))).collect(),
        reactions: message.reactions.iter().map(|reaction| reaction.emoji.clone()).collect(),
    }
}

/// A tenth of a second of silence as a WAV file.
fn silence() -> Vec<u8> {
    let samples = u32::try_from(SILENCE).unwrap_or(0);
    let mut wav = b"RIFF".to_vec();
    wav.extend((36 + samples).to_le_bytes());
    wav.extend(b"WAVEfmt ");
    wav.extend(16_u32.to_le_bytes());
    wav.extend([1, 0, 1, 0]);
    wav.extend(8000_u32.to_le_bytes());
    wav.extend(8000_u32.to_le_bytes());
    wav.extend([1, 0, 8, 0]);
    wav.extend(b"data");
    wav.extend(samples.to_le_bytes());
    wav.resize(wav.len() + SILENCE, 0x80);
    wav
}
