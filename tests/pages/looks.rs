//! How pages look where a machine can tell: nothing is cut off or has to be scrolled sideways at 200 % zoom and on a phone,
//! in both directions of writing; what is printed; documents in the thread.

use channel_tests::{World, browser::Browser, eventually, request};
use harness_inbox::{MediaState, PublicId as _};

use crate::{stage::Visit, street, team};

/// A desk's screen at 200 %, and a phone.
const SIZES: [(u32, u32); 2] = [(720, 450), (360, 740)];

/// Every kind of page, with something on it.
async fn pages(world: &World) -> Vec<(String, String)> {
    let nora = team::person(world, "Nora Whitfield").await;
    street::others(world).await;
    let maya = street::maya(world).await;
    let conversation = world.conversation(maya.igsid()).await;
    world.settled().await;
    world.host.add_note(conversation, None, "Dev", "@Nora Whitfield, can you look at this?", None).await.unwrap();
    let filters = harness_inbox::ViewFilters::default();
    let workspace = harness_inbox::WorkspaceId::FIRST;
    let view = world.host.save_view(workspace, Some(nora), "Questions about orders", filters).await.unwrap();
    let account = world.host.inbox().accounts().await.unwrap().remove(0).id.public();
    let filter = harness_inbox::DeliveryFilter::default();
    let delivery = world.host.inbox().deliveries_before(filter, None, 1).await.unwrap().entries.remove(0).id.public();
    let thread = format!("inbox/{}", conversation.public());
    let mut all: Vec<String> =
        ["inbox", "inbox?view=mentions", "inbox?q=mug", "help", "channels", "plugins", "inspector", "nowhere"]
            .map(str::to_owned)
            .into();
    all.extend([format!("{thread}?mode=note"), thread, format!("channels/{account}"), format!("inspector/{delivery}")]);
    all.extend([format!("bot/{account}"), format!("bot/{account}/log"), format!("settings/views/{}", view.public())]);
    let tabs = ["you", "appearance", "replies", "views", "labels", "people", "tokens", "webhooks", "retention"];
    all.extend(tabs.map(|tab| format!("settings/{tab}")));
    all.into_iter().map(|path| (path.replace(['/', '?', '='], "-"), format!("{}/{path}", world.address))).collect()
}

/// What reaches out of the page to a side, unless something around it scrolls or hides it on purpose.
const CUT: &str = "const all = [...document.querySelectorAll('body *')].filter(one => {
        const box = one.getBoundingClientRect();
        if (!box.width || !box.height || (box.left >= -1 && box.right <= innerWidth + 1)) return false;
        for (let at = one; at; at = at.parentElement) {
            const style = getComputedStyle(at);
            if (style.overflowX !== 'visible' || style.position === 'fixed' || at.matches('.sr, .skip')) return false;
        }
        return true;
    });
    return [document.documentElement.scrollWidth - innerWidth, all.slice(0, 3).map(one => one.outerHTML.slice(0, 120))]";

/// The page of each step of connecting an account, for this browser.
async fn connecting(world: &World, browser: &Browser) -> Vec<(String, String)> {
    let mut all = vec![("connect-gone".to_owned(), format!("{}/connect/nothing", world.address))];
    for (name, says) in [
        ("connect-start", "Connect with"),
        ("connect-failed", "not permitted"),
        ("connect-choose", "Choose the account to connect"),
        ("connect-test", "Send a test message"),
    ] {
        browser.open(&world.link("instagram").await).await;
        browser.says("Connect with").await;
        if name != "connect-start" {
            browser.click("button[value=facebook]").await;
            browser.click(if name == "connect-failed" { "#cancel" } else { "#continue" }).await;
        }
        if name == "connect-test" {
            browser.click("input[name=candidate]").await;
            browser.click("button").await;
        }
        browser.says(says).await;
        all.push((name.to_owned(), browser.client.current_url().await.unwrap().to_string()));
    }
    all
}

/// Looks at pages of one address at both sizes, and in both directions of writing. Returns what is wrong.
async fn cut_off(browser: &Browser, pages: &[(String, String)]) -> Vec<String> {
    let mut wrong = Vec::new();
    browser.open(&pages[0].1).await;
    for language in ["en", "qps"] {
        browser.runs(&format!("document.cookie = 'language={language}; path=/'")).await;
        for (width, height) in SIZES {
            browser.sized(width, height).await;
            for (name, page) in pages {
                browser.open(page).await;
                browser.pictured(&format!("looks-{name}-{width}-{language}")).await;
                let found = browser.runs(CUT).await;
                if found[0].as_i64().unwrap() > 0 || !found[1].as_array().unwrap().is_empty() {
                    wrong.push(format!("{name} at {width}, {language}: {found}"));
                }
            }
        }
        if std::env::var_os("SCREENSHOTS").is_some() {
            also_pictured(browser, pages, language).await;
        }
    }
    wrong
}

/// Pictures of what a machine cannot judge: the other widths, and the dark.
async fn also_pictured(browser: &Browser, pages: &[(String, String)], language: &str) {
    for (width, theme) in [(1440, "light"), (1440, "dark"), (820, "light"), (360, "dark")] {
        browser.sized(width, 900).await;
        for (name, page) in pages {
            browser.open(page).await;
            browser.runs(&format!("document.documentElement.dataset.theme = '{theme}'")).await;
            browser.pictured(&format!("looks-{name}-{width}-{theme}-{language}")).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_page_is_cut_or_scrolls_sideways_at_twice_the_size_and_on_a_phone_in_both_directions() {
    let world = World::new().await;
    let mut pages = pages(&world).await;
    let browser = Browser::start().await;
    pages.extend(connecting(&world, &browser).await);
    let wrong = cut_off(&browser, &pages).await;
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    browser.quit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_demo_is_not_cut_and_does_not_scroll_sideways_either() {
    let visit = Visit::at(1, Some("Do you still have the tall vase?")).await;
    let steps = (1..=11).map(|step| (format!("demo-{step}"), format!("{}/demo?step={step}", visit.stage.address)));
    let wrong = cut_off(&visit.browser, &steps.collect::<Vec<_>>()).await;
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    visit.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thread_is_printed_whole_and_without_what_is_pressed() {
    let world = World::new().await;
    street::others(&world).await;
    let maya = street::maya(&world).await;
    let conversation = world.conversation(maya.igsid()).await;
    world.settled().await;
    let browser = Browser::start().await;
    browser.sized(1000, 700).await;
    browser.open(&format!("{}/inbox/{}", world.address, conversation.public())).await;
    browser.says("Could you ship them by Friday?").await;
    let shown = "return ['.rail', '.list', '.composer', '.contact', '#head form', '#log .item button']
        .filter(one => [...document.querySelectorAll(one)].some(found => found.getClientRects().length))";
    assert_ne!(browser.runs(shown).await, serde_json::json!([]), "they are there on a screen");
    browser.in_print(true).await;
    browser.pictured("print").await;
    assert_eq!(browser.runs(shown).await, serde_json::json!([]));
    // The first and the last message stand in the flow of the page, which nothing clips.
    let whole = "const scroll = document.querySelector('#log-scroll'), items = [...document.querySelectorAll('#log .item')];
        const [first, last] = [items[0].getBoundingClientRect(), items.at(-1).getBoundingClientRect()];
        return [getComputedStyle(scroll).overflowY, scroll.scrollHeight <= scroll.clientHeight + 1, first.top < last.top,
            document.documentElement.scrollHeight + 1 >= last.bottom + scrollY]";
    assert_eq!(browser.runs(whole).await, serde_json::json!(["visible", true, true, true]));
    browser.in_print(false).await;
    assert_ne!(browser.runs(shown).await, serde_json::json!([]));
    browser.quit().await;
}

/// A page with one word on it.
const PDF: &[u8] =
    b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n\
3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 300 200]/Contents 4 0 R/Resources<</Font<</F 5 0 R>>>>>>endobj\n\
4 0 obj<</Length 41>>stream\nBT /F 24 Tf 40 100 Td (Price list) Tj ET \nendstream endobj\n\
5 0 obj<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n";

#[tokio::test(flavor = "multi_thread")]
async fn a_pdf_is_looked_at_in_the_thread_and_loaded_only_then() {
    let world = World::new().await;
    let maya = street::customer(&world, "551982014663702", "Maya Lindqvist");
    maya.file(&street::file(&world, "application/pdf", PDF)).await;
    maya.photo(&street::file(&world, "image/png", &simulator::CdnFile::demo_photo().bytes)).await;
    let conversation = world.conversation(maya.igsid()).await;
    let files = eventually("both files", async || {
        let timeline = world.timeline(maya.igsid()).await;
        let files: Vec<_> = timeline.into_iter().flat_map(|entry| entry.media).collect();
        (files.len() == 2 && files.iter().all(|file| file.state == MediaState::Stored)).then_some(files)
    })
    .await;
    let of = |mime: &str| files.iter().find(|file| file.mime.as_deref() == Some(mime)).unwrap().id.public();
    let address = |id: &str| format!("{}/inbox/media/{id}/preview", world.address);
    let answer = request("GET", &address(&of("application/pdf")), &[], Vec::new()).await;
    assert_eq!(answer.status, 200);
    for (name, value) in [
        ("content-type", "application/pdf"),
        ("content-disposition", "inline"),
        ("x-content-type-options", "nosniff"),
        ("x-frame-options", "SAMEORIGIN"),
    ] {
        assert_eq!(answer.headers[name], value, "{name}");
    }
    let policy = answer.headers["content-security-policy"].to_str().unwrap();
    assert!(policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'self'"), "{policy}");
    // Nothing else is shown so, and the file's own address stays a download.
    assert_eq!(request("GET", &address(&of("image/png")), &[], Vec::new()).await.status, 404);
    let own = format!("{}/inbox/media/{}", world.address, of("application/pdf"));
    let own = request("GET", &own, &[], Vec::new()).await;
    assert_eq!((own.headers["content-disposition"].as_bytes(), own.status), (&b"attachment"[..], 200));
    assert!(own.headers["content-security-policy"].to_str().unwrap().contains("sandbox"));

    let browser = Browser::start().await;
    browser.sized(1440, 900).await;
    browser.open(&format!("{}/inbox/{}", world.address, conversation.public())).await;
    browser.says("Preview").await;
    let loaded = "return performance.getEntriesByType('resource').filter(one => one.name.endsWith('/preview')).length";
    assert_eq!(browser.runs(loaded).await, 0);
    browser.click(".pdf summary").await;
    eventually("the document", async || (browser.runs(loaded).await == 1).then_some(())).await;
    browser.pictured("pdf").await;
    browser.quit().await;
}
