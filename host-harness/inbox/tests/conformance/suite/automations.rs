//! The promises about what the automation stores.

use harness_inbox::{
    AccountId, ConversationChange, ConversationId, HandOverNote, NewDecision, NewState, OpenTurn, Placement,
    TurnChange, WorkspaceId,
};

use super::{
    place::Place,
    stage::{NOW, Stage},
};

fn decision(account: AccountId, conversation: ConversationId, seq: u64) -> NewDecision {
    NewDecision {
        consumer: "assistant",
        seq,
        account,
        conversation,
        now: NOW,
        decision: "{}".into(),
        state: None,
        placement: None,
        note: None,
        turn: None,
    }
}

fn wrote(pause: u64, longest: u64) -> Option<TurnChange> {
    Some(TurnChange::Wrote { pause, longest })
}

pub(crate) async fn a_decision_about_a_change_is_made_once_with_all_that_it_does(place: &dyn Place) {
    let stage = Stage::new(place).await;
    let (store, conversation) = (&stage.store, stage.conversation().await);
    let collection = store.add_collection(WorkspaceId::FIRST, "Refunds".into(), NOW).await.unwrap();
    let label = store.add_label(WorkspaceId::FIRST, "urgent".into(), "red".into(), NOW).await.unwrap();
    let other = store.create_workspace("Other".into(), NOW).await.unwrap();
    let foreign = store.add_label(other, "foreign".into(), "red".into(), NOW).await.unwrap();
    let note = |text: &str| Some(HandOverNote { text: text.into(), brief: "brief".into() });
    let whole = |text: &str| NewDecision {
        state: Some(format!("\"{text}\"")),
        placement: Some(Placement { collection: Some(collection), labels: vec![label, foreign], assign: Vec::new() }),
        note: note(text),
        turn: wrote(1, 2),
        ..decision(stage.account, conversation, 7)
    };
    assert!(store.decide(whole("first")).await.unwrap());
    assert!(!store.decide(whole("second")).await.unwrap());
    let row = store.conversation(conversation).await.unwrap();
    assert_eq!((row.collection, row.labels), (Some(collection), vec![label]), "another workspace's label is left out");
    assert_eq!(store.automation_state(conversation, "assistant").await.unwrap().as_deref(), Some("\"first\""));
    assert_eq!(store.automation_state(conversation, "welcome").await.unwrap(), None);
    let notes = || async { store.notes_before(conversation, None, 9).await.unwrap().entries };
    assert_eq!(notes().await.iter().map(|note| note.text.as_str()).collect::<Vec<_>>(), ["first"]);
    let decisions = store.decisions_before(stage.account, Some(conversation), None, 9).await.unwrap().entries;
    assert_eq!(decisions.iter().map(|row| (row.seq, &*row.consumer)).collect::<Vec<_>>(), [(7, "assistant")]);
    assert!(store.decisions_before(stage.account, None, Some(decisions[0].id), 9).await.unwrap().entries.is_empty());
    assert!(store.is_decided("assistant", 7).await.unwrap() && !store.is_decided("welcome", 7).await.unwrap());
    store.forget_summaries(conversation, NOW).await.unwrap();
    assert_eq!(notes().await[0].text, "brief");
    // What comes of a conversation goes with it.
    store.disconnect_account(stage.account, true, NOW).await.unwrap();
    assert!(store.decisions_before(stage.account, None, None, 9).await.unwrap().entries.is_empty());
    assert_eq!(store.open_turn(conversation).await.unwrap(), None);
}

pub(crate) async fn a_turn_is_due_after_a_pause_and_ends_unless_the_customer_went_on(place: &dyn Place) {
    let stage = Stage::new(place).await;
    let (conversation, account) = (stage.conversation().await, stage.account);
    let store = &stage.store;
    let write = |seq: u64, now: u64| NewDecision {
        consumer: "turn",
        turn: wrote(100, 150),
        now,
        ..decision(account, conversation, seq)
    };
    store.decide(write(1, NOW)).await.unwrap();
    assert_eq!(store.next_turn(NOW).await.unwrap(), Some(NOW + 100));
    store.decide(write(2, NOW + 90)).await.unwrap();
    // Not 190: the longest pause counts from the beginning.
    assert!(store.due_turns(NOW + 149, 9).await.unwrap().is_empty());
    let turn = OpenTurn { conversation, account, first_seq: 1, seq: 2, attempts: 0 };
    assert_eq!(store.due_turns(NOW + 150, 9).await.unwrap(), [turn]);
    store.begin_turn(conversation, NOW + 500).await.unwrap();
    assert!(store.due_turns(NOW + 499, 9).await.unwrap().is_empty());
    let stage = stage.restart(place).await;
    let store = &stage.store;
    assert_eq!(store.open_turn(conversation).await.unwrap(), Some(OpenTurn { attempts: 1, ..turn }));
    store.decide(write(3, NOW + 160)).await.unwrap();
    let ended = |seq| NewDecision { turn: Some(TurnChange::Ended(seq)), ..decision(account, conversation, seq) };
    store.decide(ended(2)).await.unwrap();
    assert_eq!(store.open_turn(conversation).await.unwrap().map(|turn| turn.seq), Some(3), "the customer went on");
    store.decide(ended(3)).await.unwrap();
    assert_eq!(store.open_turn(conversation).await.unwrap(), None);
    // Written by an earlier run that stopped before its position was stored.
    assert!(!store.decide(write(3, NOW + 170)).await.unwrap());
    assert_eq!(store.open_turn(conversation).await.unwrap(), None);
}

pub(crate) async fn a_conversation_that_is_closed_goes_back_to_the_assistant(place: &dyn Place) {
    let stage = Stage::new(place).await;
    let (store, conversation) = (&stage.store, stage.conversation().await);
    assert_eq!(store.standing(conversation).await.unwrap().handed_back_at, None);
    let close = ConversationChange { state: Some(NewState::Closed), ..ConversationChange::default() };
    store.change_conversation(conversation, close, NOW + 5).await.unwrap();
    assert_eq!(store.standing(conversation).await.unwrap().handed_back_at, Some(NOW + 5));
    store.hand_back(conversation, NOW + 9).await.unwrap();
    assert_eq!(store.standing(conversation).await.unwrap().handed_back_at, Some(NOW + 9));
}

pub(crate) async fn settings_keys_positions_and_budgets_are_kept(place: &dyn Place) {
    let stage = Stage::new(place).await;
    let (account, workspace) = (stage.account, WorkspaceId::FIRST);
    let store = &stage.store;
    assert_eq!(store.automation(account).await.unwrap(), None);
    store.set_automation(account, "{}".into(), true, NOW).await.unwrap();
    let since = store.automation(account).await.unwrap().unwrap().since;
    store.conversations(1).await.unwrap();
    stage.conversation().await;
    store.set_automation(account, "{\"on\":true}".into(), false, NOW).await.unwrap();
    assert_eq!(store.automation(account).await.unwrap().unwrap().since, since);
    store.set_model_key(account, Some(b"sealed".to_vec()), NOW).await.unwrap();
    store.set_automation_off(workspace, true, NOW).await.unwrap();
    let row = store.automations().await.unwrap().remove(0);
    assert!(row.has_model_key && row.off && store.automation_off(workspace).await.unwrap());
    store.set_automation_off(workspace, false, NOW).await.unwrap();
    let row = store.automation(account).await.unwrap().unwrap();
    assert!(!row.off && row.since > since, "what happened meanwhile is not answered");
    assert_eq!(store.automation_position("automation").await.unwrap(), None);
    store.set_automation_position("automation", 9).await.unwrap();
    store.set_automation_position("automation", 4).await.unwrap();
    assert_eq!(store.automation_position("automation").await.unwrap(), Some(9), "it never goes back");
    let spend = |day, calls, tokens| store.spend(account, day, calls, tokens);
    assert!(!spend(1, 0, 100).await.unwrap());
    assert!(spend(1, 2, 100).await.unwrap() && spend(1, 2, 100).await.unwrap() && !spend(1, 2, 100).await.unwrap());
    store.note_tokens(account, 1, 100).await.unwrap();
    assert!(!spend(1, 9, 100).await.unwrap() && spend(1, 9, 101).await.unwrap() && spend(2, 1, 100).await.unwrap());
    let stage = stage.restart(place).await;
    assert_eq!(stage.store.model_key(account).await.unwrap().as_deref(), Some(&b"sealed"[..]));
    stage.store.set_model_key(account, None, NOW).await.unwrap();
    assert_eq!(stage.store.model_key(account).await.unwrap(), None);
}
