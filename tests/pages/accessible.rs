//! Every page against axe-core's rules, in both themes and three widths, and in the artificial language that is written
//! from right to left.

use std::path::Path;

use channel_tests::{World, browser::Browser, eventually};

use crate::{street, team};

/// Widths of a desk, a tablet and a phone.
const WIDTHS: [u32; 3] = [1440, 820, 360];

/// axe-core, as `.ci/setup` installs it.
pub(crate) fn axe() -> String {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap();
    let path = target.join("pages/node/node_modules/axe-core/axe.min.js");
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}; run .ci/setup", path.display()))
}

/// Everything that a composer can hold, with problems.
const FULL: &str = "text=Both+can+leave+today.&quick=Yes%2C+please+wrap+them+in+blue&quick=No&share=1&\
    card.0.title=Tall+vase&card.0.subtitle=Green&card.0.button.0.title=Reserve+it+until+Friday&card.1.title=Bowl&\
    button.0.title=Reserve+both+until+Friday&button.1.title=Sizes&button.1.does=opens&button.1.address=sizes";

/// Opens a conversation with this draft, and the choice of emoji over it.
async fn with_draft(browser: &Browser, thread: &str, draft: &str) {
    browser.open(thread).await;
    let keep = "localStorage.setItem('draft-' + document.querySelector('#composer').dataset.conversation";
    browser.runs(&format!("{keep}, '{draft}')")).await;
    browser.client.refresh().await.unwrap();
    let drawn = "return document.querySelector('#card-title') !== null && document.querySelector('#composer .violation') !== null";
    eventually("the draft", async || (browser.runs(drawn).await == true).then_some(())).await;
}

/// What axe finds serious on the page.
pub(crate) async fn findings(browser: &Browser, axe: &str) -> Vec<String> {
    browser.runs(axe).await;
    let run = "const done = arguments[arguments.length - 1];
        axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] }).then(
            found => done(found.violations.filter(one => ['serious', 'critical'].includes(one.impact)).map(
                one => one.id + ': ' + one.nodes.map(node => node.html.slice(0, 200)).join(' | '))),
            error => done(['axe failed: ' + error]));";
    let found = browser.client.execute_async(run, Vec::new()).await.unwrap();
    found.as_array().unwrap().iter().map(|one| one.as_str().unwrap().to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn no_page_has_a_serious_finding() {
    let world = World::new().await;
    let address = world.address.clone();
    let axe = axe();
    let browser = Browser::start().await;
    let mut wrong = Vec::new();
    browser.open(&format!("{address}/inbox")).await;
    browser.says("No conversations yet").await;
    browser.pictured("empty").await;
    wrong.extend(findings(&browser, &axe).await);

    let nora = team::person(&world, "Nora Whitfield").await;
    street::others(&world).await;
    let maya = street::maya(&world).await;
    let conversation = world.conversation(maya.igsid()).await;
    world.settled().await;
    world
        .host
        .add_note(conversation, Some(nora), "Nora Whitfield", "She collected order 1038 in May.", None)
        .await
        .unwrap();
    let thread = format!("{address}/inbox/{}", harness_inbox::PublicId::public(conversation));
    let pages = [
        ("list", format!("{address}/inbox")),
        ("thread", thread.clone()),
        ("search", format!("{address}/inbox?q=mug")),
        ("note", format!("{thread}?mode=note")),
        ("help", format!("{address}/help")),
        ("error", format!("{address}/inbox/cnv_0000000000000")),
    ];
    for theme in ["light", "dark"] {
        browser.runs(&format!("document.cookie = 'theme={theme}; path=/'")).await;
        for width in WIDTHS {
            browser.sized(width, 900).await;
            for (name, page) in &pages {
                browser.open(page).await;
                browser.pictured(&format!("{name}-{width}-{theme}")).await;
                wrong.extend(
                    findings(&browser, &axe).await.into_iter().map(|one| format!("{name} {width} {theme}: {one}")),
                );
                let wide = browser.runs("return document.documentElement.scrollWidth - innerWidth").await;
                assert!(wide.as_i64().unwrap() <= 0, "{name} at {width} is {wide} pixels too wide");
            }
        }
    }
    // The composer with all that it can hold, the choice of emoji, a reaction without scripts.
    let message = harness_inbox::PublicId::public(world.timeline(maya.igsid()).await[0].id);
    for theme in ["light", "dark"] {
        browser.runs(&format!("document.cookie = 'theme={theme}; path=/'")).await;
        for width in WIDTHS {
            browser.sized(width, 900).await;
            with_draft(&browser, &thread, FULL).await;
            for state in ["full", "emoji", "react"] {
                match state {
                    "emoji" => browser.click("[data-emoji-open=text]").await,
                    "react" => browser.open(&format!("{thread}?react={message}")).await,
                    _ => {}
                }
                if state == "emoji" {
                    browser.says("Gestures").await;
                }
                browser.pictured(&format!("composer-{state}-{width}-{theme}")).await;
                let found = findings(&browser, &axe).await;
                wrong.extend(found.into_iter().map(|one| format!("composer {state} {width} {theme}: {one}")));
                let fits = "return [document.documentElement.scrollWidth - innerWidth, document.querySelector('#log-scroll').clientHeight]";
                let fits = browser.runs(fits).await;
                assert!(fits[0].as_i64().unwrap() <= 0, "the composer ({state}) at {width} is too wide: {fits}");
                assert!(
                    state == "react" || fits[1].as_i64().unwrap() >= 180,
                    "the composer ({state}) at {width} leaves no room: {fits}"
                );
            }
        }
    }
    browser.runs("localStorage.clear()").await;
    browser.runs("document.cookie = 'language=qps; path=/'; document.cookie = 'theme=light; path=/'").await;
    for width in WIDTHS {
        browser.sized(width, 900).await;
        browser.open(&thread).await;
        browser.pictured(&format!("stretched-{width}")).await;
        wrong.extend(findings(&browser, &axe).await.into_iter().map(|one| format!("stretched {width}: {one}")));
        let wide = browser.runs("return document.documentElement.scrollWidth - innerWidth").await;
        assert!(wide.as_i64().unwrap() <= 0, "the long language at {width} is {wide} pixels too wide");
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    browser.quit().await;
}
