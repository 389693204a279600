//! Promises about what each person of a team has for themselves: saved views, mentions in private notes.
//! Not here: the lists that they narrow (`organisation`).

use super::{
    place::Place,
    stage::{NOW, Stage},
};
use harness_inbox::{
    Accepted, ChangeKind, ConversationFilter, ConversationId, InboxError, NewNote, NewSavedView, NewUser, Role,
    UserChange, UserId, ViewFilters, Whose, WorkspaceId,
    store::{MAX_VIEWS, Store},
};

const TEAM: WorkspaceId = WorkspaceId::FIRST;

async fn person(store: &dyn Store, workspace: WorkspaceId, name: &str) -> UserId {
    let email = format!("{name}-{workspace}@shop.example").replace(' ', ".");
    let accepted = Accepted::Password("hash".into());
    store.create_user(NewUser { workspace, email, name: name.into(), role: Role::Admin, accepted }, NOW).await.unwrap()
}

fn view(workspace: WorkspaceId, user: Option<UserId>, name: &str) -> NewSavedView {
    NewSavedView { workspace, user, name: name.into(), filters: ViewFilters::default(), now: NOW }
}

async fn names(store: &dyn Store, workspace: WorkspaceId, user: Option<UserId>) -> Vec<String> {
    store.saved_views(workspace, user).await.unwrap().into_iter().map(|view| view.name).collect()
}

pub(crate) async fn a_saved_view_is_its_owner_s_or_the_workspace_s_and_nobody_else_s(place: &dyn Place) {
    let stage = Stage::new(place).await;
    let store = &*stage.store;
    let other = store.create_workspace("Other".into(), NOW).await.unwrap();
    let (kim, lee) = (person(store, TEAM, "Kim").await, person(store, TEAM, "Lee").await);
    let stranger = person(store, other, "Sam").await;
    let label = store.add_label(TEAM, "Urgent".into(), "red".into(), NOW).await.unwrap();
    let filters = ViewFilters {
        whose: Whose::Mine,
        channel: Some("one".into()),
        label: Some(label),
        unread: true,
        text: Some("mug".into()),
    };
    let own = NewSavedView { filters: filters.clone(), ..view(TEAM, Some(kim), "To do") };
    let own = store.save_view(own).await.unwrap();
    let shared = store.save_view(view(TEAM, None, "All")).await.unwrap();
    // A name is taken for its owner alone.
    store.save_view(view(TEAM, Some(lee), "To do")).await.unwrap();
    store.save_view(view(other, None, "All")).await.unwrap();
    let taken = store.save_view(view(TEAM, None, "All")).await;
    assert!(matches!(taken, Err(InboxError::NameTaken { what: "saved view", .. })));
    let taken = store.save_view(view(TEAM, Some(kim), "To do")).await;
    assert!(matches!(taken, Err(InboxError::NameTaken { .. })));
    assert_eq!(names(store, TEAM, Some(kim)).await, ["To do", "All"]);
    assert_eq!(names(store, TEAM, None).await, ["All"]);
    assert_eq!(names(store, other, Some(stranger)).await, ["All"]);
    assert_eq!(store.saved_view(own).await.unwrap().filters, filters);
    // Nobody saves for a person, or with a label, of another workspace.
    let foreign = store.save_view(view(other, Some(kim), "x")).await;
    assert!(matches!(foreign, Err(InboxError::NotFound { what: "user", .. })));
    let foreign = NewSavedView { filters, ..view(other, None, "x") };
    assert!(matches!(store.save_view(foreign).await, Err(InboxError::NotFound { what: "label", .. })));

    store.change_view(shared, Some("Everything".into()), None, NOW).await.unwrap();
    let unread = ViewFilters { unread: true, ..ViewFilters::default() };
    store.change_view(shared, None, Some(unread.clone()), NOW).await.unwrap();
    let changed = store.saved_view(shared).await.unwrap();
    assert_eq!((changed.name.as_str(), changed.filters, changed.user), ("Everything", unread, None));
    store.delete_view(shared, NOW).await.unwrap();
    assert!(matches!(store.delete_view(shared, NOW).await, Err(InboxError::NotFound { .. })));
    // A view that shows a label goes with it.
    store.delete_label(label, NOW).await.unwrap();
    assert_eq!(names(store, TEAM, Some(kim)).await, Vec::<String>::new());
    for nth in 0..MAX_VIEWS {
        store.save_view(view(TEAM, Some(kim), &format!("v{nth}"))).await.unwrap();
    }
    let too_many = store.save_view(view(TEAM, Some(kim), "one more")).await;
    assert!(matches!(too_many, Err(InboxError::TooMany { most: MAX_VIEWS, .. })));
}

fn note(conversation: ConversationId, user: Option<UserId>, text: &str, now: u64) -> NewNote {
    NewNote { conversation, user, author: "Kim".into(), text: text.into(), key: None, now }
}

pub(crate) async fn a_mention_is_there_for_whom_it_names_until_they_have_seen_it(place: &dyn Place) {
    let stage = Stage::new(place).await;
    let (store, conversation) = (&*stage.store, stage.conversation().await);
    let other = store.create_workspace("Other".into(), NOW).await.unwrap();
    let (kim, lee) = (person(store, TEAM, "Kim").await, person(store, TEAM, "Lee").await);
    let (gone, stranger) = (person(store, TEAM, "Max").await, person(store, other, "Sam").await);
    let disable = UserChange { disabled: Some(true), ..UserChange::default() };
    store.update_user(gone, disable, NOW).await.unwrap();
    let before = *store.newest_change().borrow();
    let told = async || {
        let changes = store.changes_after(before, Some(TEAM), 99).await.unwrap().changes;
        let of_mentions = changes
            .into_iter()
            .filter(|change| matches!(change.kind, ChangeKind::MentionCreated | ChangeKind::MentionSeen));
        of_mentions.map(|change| (change.kind, change.object, change.conversation)).collect::<Vec<_>>()
    };
    let created = (ChangeKind::MentionCreated, Some(lee.get()), Some(conversation));
    // Nobody mentions themselves, people of other workspaces, or people who may not sign in any more.
    let text = "@Kim: @Lee and @Max and @Sam, see lee@Lee.example";
    let first = store.add_note(note(conversation, Some(kim), text, NOW)).await.unwrap();
    assert_eq!(store.unseen_mentions(lee).await.unwrap(), [(conversation, 1)]);
    for nobody in [kim, gone, stranger] {
        assert!(store.unseen_mentions(nobody).await.unwrap().is_empty());
        assert!(store.mentions_before(nobody, false, None, 9).await.unwrap().entries.is_empty());
    }
    assert_eq!(told().await, [created]);
    let mentioned = ConversationFilter { mentioned: Some(lee), ..ConversationFilter::default() };
    assert_eq!(store.conversations_of(mentioned.clone(), None, 9).await.unwrap().entries.len(), 1);
    let of_kim = ConversationFilter { mentioned: Some(kim), ..ConversationFilter::default() };
    assert!(store.conversations_of(of_kim, None, 9).await.unwrap().entries.is_empty());

    assert!(store.see_mentions(lee, conversation, NOW + 1).await.unwrap());
    assert!(!store.see_mentions(lee, conversation, NOW + 2).await.unwrap());
    assert!(!store.see_mentions(kim, conversation, NOW + 2).await.unwrap());
    let seen = (ChangeKind::MentionSeen, Some(lee.get()), Some(conversation));
    assert_eq!(told().await, [created, seen]);
    assert!(store.unseen_mentions(lee).await.unwrap().is_empty());
    let second = store.add_note(note(conversation, None, "@Lee again", NOW + 3)).await.unwrap();
    let page = store.mentions_before(lee, false, None, 1).await.unwrap();
    assert_eq!((page.entries[0].note, page.entries[0].seen_at), (second, None));
    let rest = store.mentions_before(lee, false, page.next, 9).await.unwrap();
    assert_eq!((rest.entries[0].note, rest.entries[0].seen_at, rest.entries.len()), (first, Some(NOW + 1), 1));
    assert_eq!(store.mentions_before(lee, true, None, 9).await.unwrap().entries.len(), 1);

    // Who is not mentioned any more has nothing to see, and who comes in by a correction has.
    store.edit_note(second, "@Kim again".into(), NOW + 4).await.unwrap();
    assert!(store.unseen_mentions(lee).await.unwrap().is_empty());
    assert_eq!(store.unseen_mentions(kim).await.unwrap(), [(conversation, 1)]);
    store.delete_note(second, NOW + 5).await.unwrap();
    assert!(store.unseen_mentions(kim).await.unwrap().is_empty());
    store.disconnect_account(stage.account, true, NOW).await.unwrap();
    assert!(store.mentions_before(lee, false, None, 9).await.unwrap().entries.is_empty(), "it goes with the note");
}
