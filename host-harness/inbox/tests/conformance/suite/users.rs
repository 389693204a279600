//! Promises about workspaces, the people in them, their sessions and invitations.
//! Not here: passwords, cookies and roles, which no store knows.

use serde_json::json;

use super::{
    place::Place,
    stage::{CHANNEL, NOW, Stage, connect, event, message, new_reply},
};
use harness_inbox::{
    Accepted, AccountId, AtProvider, ChangeKind, FromDialog, InboxError, NewAccount, NewInvitation, NewSession,
    NewUser, Role, Row, Upload, UserChange, UserId, WorkspaceId, store::Store,
};

const LATER: u64 = NOW + 1_000_000;

fn password(hash: &str) -> Accepted {
    Accepted::Password(hash.into())
}

pub(super) async fn add(store: &dyn Store, email: &str, role: Role) -> UserId {
    let (workspace, email, name) = (WorkspaceId::FIRST, email.into(), "Kim".into());
    store.create_user(NewUser { workspace, email, name, role, accepted: password("hash") }, NOW).await.unwrap()
}

async fn begin(store: &dyn Store, id: u8, user: UserId) -> bool {
    let new = NewSession { id: [id; 32], user, client: "a browser".into(), expires_at: LATER };
    store.begin_session(new, NOW).await.unwrap()
}

async fn open(store: &dyn Store, ids: impl IntoIterator<Item = u8>) -> Vec<u8> {
    let mut open = Vec::new();
    for id in ids {
        if store.session([id; 32], NOW + 1).await.unwrap().is_some() {
            open.push(id);
        }
    }
    open
}

fn invitation(secret: u8, email: &str, role: Role) -> NewInvitation {
    let (workspace, email) = (WorkspaceId::FIRST, email.into());
    NewInvitation { secret: [secret; 32], workspace, email, role, invited_by: None, expires_at: LATER }
}

pub(crate) async fn a_person_signs_in_by_their_address_in_any_case_and_an_address_is_one_persons(place: &dyn Place) {
    let store = place.open().await;
    let kim = add(&*store, "kim@shop.example", Role::Admin).await;
    let found = store.credentials_of("KIM@Shop.example").await.unwrap().unwrap();
    assert_eq!((found.user.id, found.password.as_deref()), (kim, Some("hash")));
    assert!(store.credentials_of("lee@shop.example").await.unwrap().is_none());
    let other = store.create_workspace("Other".into(), NOW).await.unwrap();
    for workspace in [WorkspaceId::FIRST, other] {
        let new = NewUser {
            workspace,
            email: "Kim@shop.example".into(),
            name: "Another".into(),
            role: Role::Agent,
            accepted: password("x"),
        };
        assert!(matches!(store.create_user(new, NOW).await, Err(InboxError::EmailTaken)));
    }
    drop(store);
    let store = place.open().await;
    let people = store.users(WorkspaceId::FIRST).await.unwrap();
    assert_eq!(people, [store.user(kim).await.unwrap()]);
    assert!(store.users(other).await.unwrap().is_empty());
    let names: Vec<_> = store.workspaces().await.unwrap().into_iter().map(|one| (one.id, one.name)).collect();
    assert_eq!(names, [(WorkspaceId::FIRST, "Team".to_owned()), (other, "Other".to_owned())]);
}

pub(crate) async fn a_disabled_person_is_out_at_once_and_a_workspace_keeps_an_admin(place: &dyn Place) {
    let store = place.open().await;
    let kim = add(&*store, "kim@shop.example", Role::Admin).await;
    let lee = add(&*store, "lee@shop.example", Role::Agent).await;
    assert!(begin(&*store, 1, kim).await && begin(&*store, 2, lee).await);
    let disable = UserChange { disabled: Some(true), ..UserChange::default() };
    assert_eq!(store.update_user(lee, disable.clone(), NOW).await.unwrap().disabled_at, Some(NOW));
    assert_eq!(open(&*store, [1, 2]).await, [1]);
    assert!(!begin(&*store, 3, lee).await, "nor does another one begin");
    let again = store.update_user(lee, disable.clone(), NOW + 9).await.unwrap();
    assert_eq!(again.disabled_at, Some(NOW), "since when stays");
    let demote = UserChange { role: Some(Role::Agent), ..UserChange::default() };
    for change in [disable, demote] {
        assert!(matches!(store.update_user(kim, change, NOW).await, Err(InboxError::LastAdmin)));
    }
    assert_eq!(open(&*store, [1]).await, [1], "what was refused changed nothing");
    let back = UserChange { disabled: Some(false), role: Some(Role::Admin), name: Some("Lee".into()) };
    let lee_now = store.update_user(lee, back, NOW).await.unwrap();
    assert_eq!((lee_now.name.as_str(), lee_now.role, lee_now.disabled_at), ("Lee", Role::Admin, None));
    assert!(open(&*store, [2, 3]).await.is_empty(), "an ended session stays ended");
    assert!(begin(&*store, 4, lee).await);
}

pub(crate) async fn a_session_ends_by_its_time_by_leaving_and_by_another_password(place: &dyn Place) {
    let store = place.open().await;
    let kim = add(&*store, "kim@shop.example", Role::Admin).await;
    let lee = add(&*store, "lee@shop.example", Role::Admin).await;
    for (id, user) in [(1, kim), (2, kim), (3, kim), (4, kim), (9, lee)] {
        assert!(begin(&*store, id, user).await);
    }
    let session = store.session([1; 32], LATER - 1).await.unwrap().unwrap();
    assert_eq!((session.user.id, session.created_at, session.last_used_at), (kim, NOW, NOW));
    assert!(store.session([1; 32], LATER).await.unwrap().is_none(), "it was not used in time");
    store.use_session([1; 32], LATER + 5, LATER - 1).await.unwrap();
    assert_eq!(store.session([1; 32], LATER).await.unwrap().unwrap().last_used_at, LATER - 1);
    store.use_session([2; 32], LATER + 5, LATER).await.unwrap();
    assert!(store.session([2; 32], LATER).await.unwrap().is_none(), "an ended session is not revived");
    store.end_session([3; 32]).await.unwrap();
    assert_eq!(open(&*store, [1, 2, 3, 4, 9]).await, [1, 2, 4, 9]);
    store.set_password(kim, "new".into(), Some([4; 32]), NOW).await.unwrap();
    assert_eq!(store.password_of(kim).await.unwrap().as_deref(), Some("new"));
    assert_eq!(open(&*store, [1, 2, 4, 9]).await, [4, 9], "only the one in which it was changed goes on");
    assert!(begin(&*store, 5, kim).await);
    assert_eq!(store.end_sessions(kim, None).await.unwrap(), 2);
    assert_eq!(open(&*store, [4, 5, 9]).await, [9]);
    drop(store);
    assert_eq!(open(&*place.open().await, [9]).await, [9]);
}

pub(crate) async fn an_invitation_is_accepted_once_and_lets_a_forgetful_person_back_in(place: &dyn Place) {
    let store = place.open().await;
    let admin = add(&*store, "admin@shop.example", Role::Admin).await;
    let first = store.invite(invitation(1, "kim@shop.example", Role::Agent), NOW).await.unwrap();
    let second = store.invite(invitation(2, "Kim@shop.example", Role::Agent), NOW).await.unwrap();
    let listed: Vec<_> = store.invitations(WorkspaceId::FIRST, NOW).await.unwrap().iter().map(|one| one.id).collect();
    assert_eq!(listed, [second], "the newer one replaces {first}");
    assert!(store.invitation([1; 32], NOW).await.unwrap().is_none());
    assert!(store.invitation([2; 32], NOW).await.unwrap().is_some());
    assert!(store.invitation([2; 32], LATER).await.unwrap().is_none());
    let late = store.accept_invitation([2; 32], "Kim".into(), password("a"), LATER).await;
    assert!(matches!(late, Err(InboxError::NotFound { .. })));
    let kim = store.accept_invitation([2; 32], "Kim".into(), password("a"), NOW).await.unwrap();
    assert_eq!((kim.role, kim.email.as_str()), (Role::Agent, "Kim@shop.example"));
    let again = store.accept_invitation([2; 32], "Kim".into(), password("b"), NOW).await;
    assert!(matches!(again, Err(InboxError::NotFound { .. })));
    assert!(store.invitations(WorkspaceId::FIRST, NOW).await.unwrap().is_empty());

    assert!(begin(&*store, 7, kim.id).await);
    store.invite(invitation(3, "kim@shop.example", Role::Admin), NOW).await.unwrap();
    let back = store.accept_invitation([3; 32], "Kim Lee".into(), password("c"), NOW).await.unwrap();
    assert_eq!((back.id, back.role, back.name.as_str()), (kim.id, Role::Agent, "Kim Lee"), "the role stays");
    assert_eq!(store.password_of(kim.id).await.unwrap().as_deref(), Some("c"));
    assert!(open(&*store, [7]).await.is_empty());

    let other = store.create_workspace("Other".into(), NOW).await.unwrap();
    let elsewhere = NewInvitation { workspace: other, ..invitation(4, "kim@shop.example", Role::Admin) };
    store.invite(elsewhere, NOW).await.unwrap();
    let taken = store.accept_invitation([4; 32], "Kim".into(), password("d"), NOW).await;
    assert!(matches!(taken, Err(InboxError::EmailTaken)), "{taken:?}");
    assert_eq!(store.password_of(kim.id).await.unwrap().as_deref(), Some("c"));

    let provider = |subject: &str| Accepted::Provider { issuer: "https://id.example".into(), subject: subject.into() };
    store.invite(invitation(5, "lee@shop.example", Role::Agent), NOW).await.unwrap();
    let lee = store.accept_invitation([5; 32], "Lee".into(), provider("s-1"), NOW).await.unwrap();
    assert_eq!(store.user_at_provider("https://id.example", "s-1").await.unwrap().unwrap().id, lee.id);
    assert!(store.user_at_provider("https://other.example", "s-1").await.unwrap().is_none());
    assert_eq!(store.password_of(lee.id).await.unwrap(), None);
    store.invite(invitation(6, "sam@shop.example", Role::Agent), NOW).await.unwrap();
    let same = store.accept_invitation([6; 32], "Sam".into(), provider("s-1"), NOW).await;
    assert!(matches!(same, Err(InboxError::EmailTaken)), "one person at the provider is one person here");
    let [left] = &store.invitations(WorkspaceId::FIRST, NOW).await.unwrap()[..] else { panic!("one is left") };
    store.revoke_invitation(left.id, NOW).await.unwrap();
    assert!(store.invitation([6; 32], NOW).await.unwrap().is_none());
    assert!(matches!(store.revoke_invitation(left.id, NOW).await, Err(InboxError::NotFound { .. })));
    assert_eq!(store.user(admin).await.unwrap().disabled_at, None);
}

pub(crate) async fn a_provider_s_person_is_one_person_here_whatever_their_address_becomes(place: &dyn Place) {
    let store = place.open().await;
    let at = |subject: &str, email: &str| AtProvider {
        issuer: "https://id.example".into(),
        subject: subject.into(),
        email: email.into(),
        name: "From there".into(),
    };
    let join = async |subject: &str, email: &str, open| store.join_from_provider(at(subject, email), open, NOW).await;
    assert!(join("s-1", "kim@shop.example", None).await.unwrap().is_none(), "nobody knows her");
    // Who is there already is found by the address once, and keeps role, name and password.
    let kim = add(&*store, "kim@shop.example", Role::Admin).await;
    let joined = join("s-1", "KIM@shop.example", None).await.unwrap().unwrap();
    assert_eq!((joined.id, joined.name.as_str(), joined.role), (kim, "Kim", Role::Admin));
    assert_eq!(store.password_of(kim).await.unwrap().as_deref(), Some("hash"));
    assert_eq!(store.user_at_provider("https://id.example", "s-1").await.unwrap().unwrap().id, kim);
    // Somebody else who was given the address is not her, and she is nobody else.
    assert!(matches!(join("s-2", "kim@shop.example", None).await, Err(InboxError::EmailTaken)));
    add(&*store, "lee@shop.example", Role::Agent).await;
    assert!(matches!(join("s-1", "lee@shop.example", None).await, Err(InboxError::EmailTaken)));
    // An invitation is used up; for a person with another identity it is the way back in.
    store.invite(invitation(1, "sam@shop.example", Role::Admin), NOW).await.unwrap();
    let sam = join("s-3", "sam@shop.example", None).await.unwrap().unwrap();
    assert_eq!((sam.name.as_str(), sam.role), ("From there", Role::Admin));
    assert!(store.invitations(WorkspaceId::FIRST, NOW).await.unwrap().is_empty());
    assert!(begin(&*store, 1, sam.id).await);
    store.invite(invitation(2, "sam@shop.example", Role::Agent), NOW).await.unwrap();
    let again = join("s-4", "sam@shop.example", None).await.unwrap().unwrap();
    assert_eq!((again.id, again.role), (sam.id, Role::Admin));
    assert!(open(&*store, [1]).await.is_empty());
    assert!(store.user_at_provider("https://id.example", "s-3").await.unwrap().is_none());
    store.invite(invitation(3, "late@shop.example", Role::Admin), NOW).await.unwrap();
    let late = store.join_from_provider(at("s-5", "late@shop.example"), None, LATER).await.unwrap();
    assert!(late.is_none(), "its time is over");
    // Everybody of a mail domain, into the workspace that is named.
    let other = store.create_workspace("Other".into(), NOW).await.unwrap();
    let pat = join("s-6", "pat@shop.example", Some(other)).await.unwrap().unwrap();
    assert_eq!((pat.workspace, pat.role), (other, Role::Agent));
    assert!(matches!(join("s-6", "new@shop.example", Some(other)).await, Err(InboxError::EmailTaken)));
}

pub(crate) async fn the_browsers_used_last_are_remembered_for_each_person(place: &dyn Place) {
    let store = place.open().await;
    let kim = add(&*store, "kim@shop.example", Role::Admin).await;
    let lee = add(&*store, "lee@shop.example", Role::Agent).await;
    for (at, device) in (0..25).enumerate() {
        store.remember_device([device; 32], kim, NOW + at as u64).await.unwrap();
    }
    store.remember_device([24; 32], lee, NOW).await.unwrap();
    let known = async |device: u8, user| store.is_known_device([device; 32], user).await.unwrap();
    assert!(!known(4, kim).await && known(5, kim).await && known(24, kim).await);
    assert!(known(24, lee).await && !known(23, lee).await, "a browser may be several people's");
}

pub(crate) async fn every_row_knows_its_workspace_and_an_account_does_not_change_it(place: &dyn Place) {
    let stage = Stage::new(place).await;
    let store = &*stage.store;
    let other = store.create_workspace("Other".into(), NOW).await.unwrap();
    let new = |workspace, name: &str| NewAccount {
        workspace,
        channel: CHANNEL.into(),
        platform_id: "elsewhere".into(),
        name: name.into(),
        dialog: Some(FromDialog::default()),
        now: NOW,
        ..NewAccount::default()
    };
    let theirs = store.connect_account(new(Some(other), "theirs")).await.unwrap();
    assert_eq!(store.account_row(theirs).await.unwrap().workspace, other);
    let taken = store.connect_account(new(Some(WorkspaceId::FIRST), "taken")).await;
    assert!(matches!(taken, Err(InboxError::OtherWorkspace)));
    assert_eq!(store.account_row(theirs).await.unwrap().name, "theirs", "nothing was changed");
    store.connect_account(new(None, "from the configuration")).await.unwrap();
    assert_eq!(store.account_row(theirs).await.unwrap().workspace, other, "it stays where it is");

    let photo = json!({"message": {"id": "m2", "to_self": false, "attachments": [
        {"media": {"kind": "image", "url": "https://cdn.example/1.jpg", "retention": "storable"}}]}});
    stage.deliver(vec![message("shop", "ada", "m1", "hi", NOW), event("shop", "ada", "m2", NOW + 1, photo)]).await;
    stage.deliver(vec![message("elsewhere", "bob", "m3", "hello", NOW)]).await;
    let of = async |row: Row| store.workspace_of(row).await.unwrap();
    let mut seen = 0;
    for conversation in store.conversations(9).await.unwrap() {
        let account = store.account_of(conversation.id).await.unwrap();
        let expected = Some(if account == theirs { other } else { WorkspaceId::FIRST });
        assert_eq!(of(account.into()).await, expected);
        assert_eq!(of(conversation.id.into()).await, expected);
        for entry in store.timeline(conversation.id, 9).await.unwrap() {
            assert_eq!(of(entry.id.into()).await, expected);
            for media in &entry.media {
                assert_eq!(of(media.id.into()).await, expected);
                seen += 1;
            }
        }
        let reply = store.queue_reply(new_reply(conversation.id, "key", "hello")).await.unwrap().reply;
        assert_eq!(of(reply.into()).await, expected);
    }
    assert_eq!(seen, 1, "the photo");
    let handle = "handle".to_owned();
    let file = Upload {
        handle: handle.clone(),
        name: None,
        mime: None,
        size: 1,
        sha256: "00".into(),
        stored_as: "outbound/handle".into(),
    };
    store.store_upload(file, other, NOW).await.unwrap();
    assert_eq!(of(Row::Upload(handle)).await, Some(other));
    assert_eq!(of(Row::Upload("none".into())).await, None);
    assert_eq!(of(AccountId::new(99).into()).await, None);
    let kim = add(store, "kim@shop.example", Role::Admin).await;
    assert_eq!(of(kim.into()).await, Some(WorkspaceId::FIRST));
    let invitation = store.invite(invitation(1, "lee@shop.example", Role::Agent), NOW).await.unwrap();
    assert_eq!(of(invitation.into()).await, Some(WorkspaceId::FIRST));
    assert_eq!(connect(store, CHANNEL, "shop").await, stage.account);
}

pub(crate) async fn changes_of_people_are_told_to_their_workspace(place: &dyn Place) {
    let store = place.open().await;
    let other = store.create_workspace("Other".into(), NOW).await.unwrap();
    let from = *store.newest_change().borrow();
    let kim = add(&*store, "kim@shop.example", Role::Admin).await;
    store.update_user(kim, UserChange { name: Some("Kim".into()), ..UserChange::default() }, NOW).await.unwrap();
    store.set_password(kim, "new".into(), None, NOW).await.unwrap();
    let invited = store.invite(invitation(1, "lee@shop.example", Role::Agent), NOW).await.unwrap();
    let lee = store.accept_invitation([1; 32], "Lee".into(), password("x"), NOW).await.unwrap();
    store.rename_workspace(WorkspaceId::FIRST, "Shop".into(), NOW).await.unwrap();
    let told = store.changes_after(from, Some(WorkspaceId::FIRST), 99).await.unwrap().changes;
    assert!(told.iter().all(|change| change.kind == ChangeKind::SettingsUpdated), "{told:?}");
    let objects: Vec<_> = told.iter().map(|change| change.object).collect();
    let kim = Some(kim.get());
    assert_eq!(objects, [kim, kim, kim, Some(invited.get()), Some(lee.id.get()), None]);
    assert!(store.changes_after(from, Some(other), 99).await.unwrap().changes.is_empty());
}
