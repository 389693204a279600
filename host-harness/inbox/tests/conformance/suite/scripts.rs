//! Promises about conversations that hold in whatever order a customer, a team and a platform do things.
//! Not here: one thing at a time (`continued`).

use harness_contract::{Event, EventOrigin};
use serde_json::json;

use super::{
    place::Place,
    stage::{NOW, Stage, event, message},
};
use harness_inbox::{ConversationChange, ConversationId, ConversationState, ConversationSummary, NewState, WhenClosed};

/// Checks that one conversation of the contact goes on, and that the others lead to it.
pub(super) fn lead_to_one(all: &[ConversationSummary]) -> ConversationId {
    let current: Vec<_> = all.iter().filter(|one| one.continued_in.is_none()).map(|one| one.id).collect();
    assert_eq!(current.len(), 1, "{all:#?}");
    for one in all {
        let (mut at, mut steps) = (one, 0);
        while let Some(next) = at.continued_in {
            assert_eq!(at.state, ConversationState::Closed);
            at = all.iter().find(|other| other.id == next).unwrap();
            steps += 1;
            assert!(steps < all.len(), "a circle: {all:#?}");
        }
        assert_eq!(at.id, current[0]);
    }
    current[0]
}

pub(crate) async fn in_whatever_order_things_happen_every_word_is_in_one_conversation(place: &dyn Place) {
    for seed in 1..=24_u64 {
        let stage = Stage::new(place).await;
        script(&stage, seed, &format!("p{seed}")).await;
        drop(stage);
    }
}

/// Numbers that look random, the same for the same seed.
struct Dice(u64);

impl Dice {
    fn throw(&mut self, sides: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % sides
    }
}

/// What a customer and a team may do, one after another, with what a platform makes of it: late, twice, from the history.
async fn script(stage: &Stage, seed: u64, who: &str) {
    let (store, mut dice) = (&*stage.store, Dice(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15)));
    let mut written: Vec<Event> = Vec::new();
    for step in 0..40_u64 {
        let now = NOW + step * 10;
        let mine: Vec<_> = stage.all().await.into_iter().filter(|one| one.contact.as_deref() == Some(who)).collect();
        let id = format!("{who}-{step}");
        match dice.throw(10) {
            0 => {
                let choice = if dice.throw(3) == 0 { WhenClosed::Reopen } else { WhenClosed::New };
                store.choose_when_closed(stage.account, choice, now).await.unwrap();
            }
            1 | 2 => {
                if let Some(current) = mine.iter().find(|one| one.continued_in.is_none()) {
                    let state = if dice.throw(5) == 0 { NewState::Snoozed(now + 15) } else { NewState::Closed };
                    stage.put(current.id, state, now).await;
                }
            }
            3 if !mine.is_empty() => {
                let one = &mine[usize::try_from(dice.throw(mine.len() as u64)).unwrap()];
                let change = ConversationChange { state: Some(NewState::Open), ..ConversationChange::default() };
                let opened = store.change_conversation(one.id, change, now).await;
                assert_eq!(opened.is_ok(), one.continued_in.is_none(), "{opened:?}");
            }
            4 if !written.is_empty() => {
                let mut again = written[usize::try_from(dice.throw(written.len() as u64)).unwrap()].clone();
                match dice.throw(3) {
                    0 => again.id = format!("{id}-copy"),
                    1 => again.origin = EventOrigin::History,
                    _ => again.origin = EventOrigin::Live,
                }
                stage.deliver(vec![again]).await;
            }
            5 => {
                // Written some time ago, or read from the history.
                let mut late = message("shop", who, &id, &id, now.saturating_sub(dice.throw(60)));
                if dice.throw(2) == 0 {
                    late.origin = EventOrigin::History;
                }
                written.push(late.clone());
                stage.deliver(vec![late]).await;
            }
            6 if !written.is_empty() => {
                let target = &written[usize::try_from(dice.throw(written.len() as u64)).unwrap()].id;
                let body = match dice.throw(3) {
                    0 => json!({"edited": {"target": target, "text": "edited", "revision": step}}),
                    1 => json!({"reaction": {"target": target, "action": "added", "emoji": "❤"}}),
                    _ => json!({"seen": {"message": target}}),
                };
                stage.deliver(vec![event("shop", who, &id, now, body)]).await;
            }
            7 if !written.is_empty() => {
                // Twice in one batch.
                let one = message("shop", who, &id, &id, now);
                written.push(one.clone());
                stage.deliver(vec![one.clone(), one]).await;
            }
            _ => {
                let one = message("shop", who, &id, &id, now);
                written.push(one.clone());
                stage.deliver(vec![one]).await;
            }
        }
        let mine: Vec<_> = stage.all().await.into_iter().filter(|one| one.contact.as_deref() == Some(who)).collect();
        if mine.is_empty() {
            continue;
        }
        lead_to_one(&mine);
        let mut found = Vec::new();
        for one in &mine {
            found.extend(stage.said(one.id).await.into_iter().filter_map(|entry| entry.platform_id));
        }
        let mut expected: Vec<_> = written.iter().map(|event| event.id.clone()).collect();
        found.sort();
        expected.sort();
        assert_eq!(found, expected, "seed {seed}, step {step}");
    }
}
