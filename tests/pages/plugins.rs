//! The pages for plugins in a browser: what runs, what it may do, how it does.

use channel_tests::{World, browser::Browser, instagram};
use harness_engine::{ChannelOptions, Grant, Looked, NewerVersion};

use crate::{
    accessible::{axe, findings},
    street,
};

/// Looks at a page at three widths and in both themes.
pub(crate) async fn looked_at(browser: &Browser, axe: &str, name: &str) {
    let mut wrong = Vec::new();
    for (theme, width) in [("light", 1440), ("dark", 1440), ("light", 820), ("light", 360), ("dark", 360)] {
        browser.runs(&format!("document.documentElement.dataset.theme = '{theme}'")).await;
        browser.sized(width, 900).await;
        let name = format!("{name}-{width}-{theme}");
        browser.pictured(&name).await;
        wrong.extend(findings(browser, axe).await.into_iter().map(|one| format!("{name}: {one}")));
        let wide = browser.runs("return document.documentElement.scrollWidth - innerWidth").await;
        assert!(wide.as_i64().unwrap() <= 0, "{name} is {wide} pixels too wide");
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plugin_s_page_says_what_runs_what_it_may_do_and_how_it_did_in_the_last_hour() {
    let world = World::new().await;
    street::others(&world).await;
    world.settled().await;
    let browser = Browser::start().await;
    browser.sized(1440, 900).await;
    browser.open(&format!("{}/plugins", world.address)).await;
    let page = browser.says("Permissions").await;
    let digest = world.host.channel("instagram").unwrap().channel.inspection().digest.clone();
    for shown in ["Running", "Send to graph.facebook.com", "Load files from", "p95", &digest[..6]] {
        assert!(page.contains(shown), "{shown:?} is missing in {page}");
    }
    let calls = browser.runs("return document.querySelector('.tiles strong').innerText").await;
    assert!(calls.as_str().unwrap().parse::<u32>().unwrap() >= 5, "{calls}");
    let plots = browser.runs("return [...document.querySelectorAll('svg.plot')].map(plot => plot.ariaLabel ?? plot.getAttribute('aria-label'))").await;
    assert!(plots.as_array().unwrap().len() == 4, "{plots}");
    looked_at(&browser, &axe(), "plugins").await;

    // What waits where it came from, and why that is not known.
    let newer = NewerVersion {
        version: "0.3.0".into(),
        publisher: Some("acme".into()),
        more: vec!["requests GET https://more.example.com/a/rather/long/path/that/has/to/be/broken/on/a/phone".into()],
        less: vec!["requests GET https://graph.facebook.com/*".into()],
    };
    let looked = |found| world.host.note_looked("instagram", &digest, Looked { at: world.clock.now(), found });
    looked(Ok(Some(newer)));
    browser.open(&format!("{}/plugins/instagram", world.address)).await;
    let page = browser.says("Version 0.3.0 waits where this one came from").await;
    for shown in ["0.3.0 waits", "acme. It asks for more:", "more.example.com", "harness update instagram", "Running"] {
        assert!(page.contains(shown), "{shown:?} is missing in {page}");
    }
    looked_at(&browser, &axe(), "plugins-newer").await;
    looked(Err("127.0.0.1:5000: nobody answers".into()));
    browser.open(&format!("{}/plugins/instagram", world.address)).await;
    let page = browser.says("127.0.0.1:5000: nobody answers").await;
    assert!(page.contains("is not known") && !page.contains("waits where"), "{page}");

    // What is not allowed is said to be so.
    let granted = world.host.channel("instagram").unwrap().grant.clone();
    let grant = Some(Grant { egress: vec!["graph.facebook.com".into()], ..granted });
    let options = ChannelOptions { grant, ..ChannelOptions::default() };
    world.host.load_channel(instagram().1.clone(), options).await.unwrap();
    browser.open(&format!("{}/plugins/instagram", world.address)).await;
    browser.says("Not all is allowed").await;
    browser.open(&format!("{}/plugins/nothing", world.address)).await;
    browser.says("There is nothing at this address").await;
    browser.quit().await;
}
