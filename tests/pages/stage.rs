//! The demo as a visitor has it: the phone and the inbox in one browser. Belongs here: opening it, and what either side
//! shows.

use channel_tests::{browser::Browser, eventually, instagram, sandbox_config};
use harness_cli::demo::Stage;

/// A visitor in front of the demo.
pub(crate) struct Visit {
    pub(crate) stage: Stage,
    pub(crate) browser: Browser,
}

impl Visit {
    /// Opens the demo at a step of the tour, once the customer has written this.
    pub(crate) async fn at(step: usize, written: Option<&str>) -> Self {
        let stage = Stage::set(instagram().1.clone(), sandbox_config()).await.unwrap();
        let browser = Browser::start().await;
        browser.sized(1440, 900).await;
        if let Some(text) = written {
            stage.customer.text(text).await;
            eventually("the conversation", async || stage.conversation().await.ok()).await;
        }
        browser.open(&format!("{}/demo?step={step}", stage.address)).await;
        browser.says(&format!("Tour, step {step} of 11")).await;
        let visit = Self { stage, browser };
        if let Some(text) = written {
            visit.inbox_says(text).await;
        }
        visit
    }

    /// Waits until the page was loaded with the platform's clock so many hours ahead.
    pub(crate) async fn is_ahead(&self, hours: u32) {
        self.shows("#clock", &format!("({hours} h ahead)")).await;
    }

    async fn shows(&self, selector: &str, words: &str) -> String {
        let script = format!("return document.querySelector('{selector}')?.innerText ?? ''");
        let what = format!("{selector} that says {words:?}");
        eventually(&what, async || {
            let text = self.browser.runs(&script).await.as_str().unwrap_or_default().to_owned();
            text.contains(words).then_some(text)
        })
        .await
    }

    /// Waits until the thread in the inbox says something.
    pub(crate) async fn inbox_says(&self, words: &str) -> String {
        self.shows("#log", words).await
    }

    /// Waits until the composer says something.
    pub(crate) async fn composer_says(&self, words: &str) -> String {
        self.shows("#composer", words).await
    }

    /// Waits until the phone says something.
    pub(crate) async fn phone_says(&self, words: &str) -> String {
        self.shows("#phone", words).await
    }

    /// Waits until there are so many of something.
    pub(crate) async fn has(&self, selector: &str, count: u64) {
        let script = format!("return document.querySelectorAll('{selector}').length");
        eventually(&format!("{count} of {selector}"), async || {
            (self.browser.runs(&script).await.as_u64() == Some(count)).then_some(())
        })
        .await;
    }

    /// Writes on the phone, as the customer.
    pub(crate) async fn customer_writes(&self, text: &str) {
        self.browser.types("#phone-text", &format!("{text}\n")).await;
        self.phone_says(text).await;
    }

    /// Presses a button of the phone or beside it.
    pub(crate) async fn presses(&self, what: &str) {
        self.browser.click(&format!("[data-phone] button[value={what}]:not([tabindex='-1'])")).await;
    }

    /// Moves a switch beside the phone.
    pub(crate) async fn switches(&self, kind: &str) {
        let form = if kind == "web" { "input[value=web]".to_owned() } else { format!("input[value={kind}]") };
        self.browser.click(&format!("form[data-instant-act]:has({form}) .switch")).await;
    }

    /// Writes in the inbox, as the shop.
    pub(crate) async fn shop_writes(&self, text: &str) {
        self.browser.types("#text", text).await;
        self.browser.click("#send").await;
    }

    /// Ends the browser.
    pub(crate) async fn end(self) {
        self.browser.quit().await;
    }
}
