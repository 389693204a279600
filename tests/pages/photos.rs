//! Files of messages in a browser: looking at photos, seeking in a sound.

use channel_tests::{World, browser::Browser, eventually, request};
use fantoccini::key::Key;
use harness_inbox::PublicId as _;
use simulator::CdnFile;

use crate::street;

#[tokio::test(flavor = "multi_thread")]
async fn photos_are_looked_at_in_a_dialog_and_keys_lead_through_them() {
    let world = World::new().await;
    let tomas = street::customer(&world, "551982014663711", "Tomás Rivera");
    let photo = street::file(&world, "image/png", &CdnFile::demo_photo().bytes);
    tomas.photo(&photo).await;
    tomas.photo(&street::file(&world, "image/png", &CdnFile::demo_photo().bytes)).await;
    let conversation = world.conversation(tomas.igsid()).await;
    world.settled().await;
    let browser = Browser::start().await;
    browser.sized(1440, 900).await;
    browser.open(&format!("{}/inbox/{}", world.address, conversation.public())).await;
    eventually("two photos", async || {
        (browser.runs("return document.querySelectorAll('#log a[data-viewer]').length").await == 2).then_some(())
    })
    .await;
    let press = async |key: Key| {
        let focused = browser.client.active_element().await.unwrap();
        focused.send_keys(&String::from(char::from(key))).await.unwrap();
    };
    browser.click("#log a[data-viewer]").await;
    browser.says("1 / 2").await;
    let seen = "return document.querySelector('#viewer').open && document.querySelector('#viewer img').alt";
    assert_eq!(browser.runs(seen).await, "Photo");
    browser.pictured("viewer").await;
    press(Key::Right).await;
    browser.says("2 / 2").await;
    press(Key::Escape).await;
    let closed = "return !document.querySelector('#viewer').open && document.activeElement.matches('a[data-viewer]')";
    eventually("focus on the photo", async || (browser.runs(closed).await == true).then_some(())).await;
    browser.quit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_player_seeks_in_a_file_of_a_message() {
    let world = World::new().await;
    let tomas = street::customer(&world, "551982014663711", "Tomás Rivera");
    tomas.voice(&street::file(&world, "audio/mp4", b"\0\0\0\x18ftypM4A \0\0\0\0M4A isom")).await;
    world.settled().await;
    let file = eventually("the file", async || {
        let all = world.timeline(tomas.igsid()).await;
        all.iter()
            .flat_map(|one| &one.media)
            .find(|one| one.state == harness_inbox::MediaState::Stored)
            .map(|one| one.id)
    })
    .await;
    let address = format!("{}/inbox/media/{}", world.address, file.public());
    let part = request("GET", &address, &[("range", "bytes=4-7")], Vec::new()).await;
    assert_eq!((part.status, &*part.body), (206, "ftyp"));
    assert_eq!(part.headers["content-range"], "bytes 4-7/24");
}
