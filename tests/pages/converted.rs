//! Pictures of a kind that the channel does not take, and what the browser makes of them.

use channel_tests::World;

use crate::{
    composer::{choose, holds, messages, put, sent},
    team,
};

/// A picture of two pixels by one, uncompressed, which every browser draws: red and blue.
fn bitmap() -> Vec<u8> {
    let mut bytes = b"BM".to_vec();
    for number in [62_u32, 0, 54, 40, 2, 1] {
        bytes.extend(number.to_le_bytes());
    }
    for number in [1_u16, 24] {
        bytes.extend(number.to_le_bytes());
    }
    for number in [0_u32, 8, 2_835, 2_835, 0, 0] {
        bytes.extend(number.to_le_bytes());
    }
    bytes.extend([0, 0, 255, 255, 0, 0, 0, 0]);
    bytes
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_picture_that_the_browser_can_draw_is_offered_as_a_png_and_sent_so() {
    let world = World::new().await;
    let (browser, _) = team::opened(&world).await;
    let folder = tempfile::tempdir().unwrap();
    let put = |name: &str, content: &[u8]| put(&folder, name, content);
    let loaded = "performance.getEntriesByType('resource').some(one => one.name.endsWith('/js/convert.js'))";
    assert_eq!(browser.runs(&format!("return {loaded}")).await, false, "it is loaded when it is needed");
    // One that is none, one that is no picture at all, and one that can be drawn: each has its reason, one an offer.
    let files = [put("broken.webp", b"RIFF\x04\0\0\0WEBP"), put("list.csv", b"a,b"), put("logo.bmp", &bitmap())];
    choose(&browser, &files).await;
    holds(&browser, "the offer", "document.querySelector('#refused-files button')").await;
    assert_eq!(browser.runs(&format!("return {loaded}")).await, true);
    let lines =
        browser.runs("return [...document.querySelectorAll('#refused-files > *')].map(one => one.innerText)").await;
    let lines: Vec<&str> = lines.as_array().unwrap().iter().map(|line| line.as_str().unwrap()).collect();
    assert_eq!(lines.len(), 3, "{lines:?}");
    for (line, name) in lines.iter().zip(["broken.webp", "list.csv", "logo.bmp"]) {
        assert!(line.starts_with(&format!("{name}: Instagram does not take this kind of file here.")), "{lines:?}");
        assert_eq!(line.contains("Convert to PNG"), name == "logo.bmp", "{lines:?}");
    }
    browser.pictured("composer-convert").await;
    browser.click("#refused-files button").await;
    holds(&browser, "the picture", "document.querySelector('#files input[name=file]')").await;
    let tray = browser.runs("return document.querySelector('#files ul').innerText").await;
    assert!(tray.as_str().unwrap().contains("logo.png"), "{tray}");
    let size = "return (async () => { const one = document.querySelector('#files img'); await one.decode(); \
        return [one.naturalWidth, one.naturalHeight]; })()";
    assert_eq!(browser.runs(size).await, serde_json::json!([2, 1]));
    // What is said about the others stays.
    assert_eq!(browser.runs("return document.querySelectorAll('#refused-files > *').length").await, 2);
    assert_eq!(messages(&world), 0);
    browser.click("#send").await;
    sent(&world, "the picture", |reply| reply.attachments.len() == 1).await;
    browser.quit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_converted_picture_is_checked_as_every_file_is() {
    let world = World::new().await;
    let (browser, _) = team::opened(&world).await;
    let folder = tempfile::tempdir().unwrap();
    let path = put(&folder, "logo.bmp", &bitmap());
    // As if the channel took nearly nothing.
    browser
        .runs(
            "const form = document.querySelector('#composer'); const rules = JSON.parse(form.dataset.files); \
        rules.forEach(rule => rule.max = 10); form.dataset.files = JSON.stringify(rules)",
        )
        .await;
    choose(&browser, &[path]).await;
    holds(&browser, "the offer", "document.querySelector('#refused-files button')").await;
    browser.click("#refused-files button").await;
    let page = browser.says("logo.png: The file has").await;
    assert!(page.contains("Instagram takes at most 10 bytes"), "{page}");
    assert_eq!(browser.runs("return document.querySelectorAll('#files input[name=file]').length").await, 0);
    browser.quit().await;
}
