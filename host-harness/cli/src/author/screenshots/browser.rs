//! Owns: a Chromium without a window, driven over WebDriver: a page, a script, a picture.
//! Does not own: what is looked at.
//!
//! Written here because five calls of WebDriver over the client that is there anyway weigh less in every build of the
//! command than a library for all of it.

use std::process::Stdio;

use anyhow::{Context as _, Result, ensure};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::{
    io::{AsyncBufReadExt as _, BufReader},
    process::{Child, Command},
};

const MISSING: &str = "chromedriver did not start; install Chromium and its driver (Debian: chromium, chromium-driver)";
/// How often a page is looked at until something holds on it, 100 ms apart.
const LOOKS: u32 = 300;

/// A browser with a profile of its own, and the address of its session.
pub(super) struct Browser {
    client: reqwest::Client,
    session: String,
    _driver: Child,
    _profile: TempDir,
}

impl Browser {
    /// Starts a browser whose page is so wide and high, in pixels.
    pub(super) async fn start((width, height): (u32, u32), dark: bool) -> Result<Self> {
        let mut driver = Command::new("chromedriver")
            .arg("--port=0")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .context(MISSING)?;
        let mut lines = BufReader::new(driver.stdout.take().context(MISSING)?).lines();
        let port = loop {
            let line = lines.next_line().await?.context(MISSING)?;
            if let Some((_, port)) = line.trim_end_matches('.').rsplit_once("successfully on port ") {
                break port.to_owned();
            }
        };
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        let profile = tempfile::tempdir()?;
        let mut arguments = vec![
            "--headless=new".to_owned(),
            // Chromium's own sandbox needs a user other than root, and what it opens here is this host's.
            "--no-sandbox".to_owned(),
            "--disable-dev-shm-usage".to_owned(),
            "--disable-gpu".to_owned(),
            "--hide-scrollbars".to_owned(),
            "--lang=en".to_owned(),
            format!("--user-data-dir={}", profile.path().display()),
        ];
        // A machine without a mouse would be taken for a phone: 4 is a pointer that is fine, 2 one that hovers.
        let mut look =
            "primaryPointerType=4,availablePointerTypes=4,primaryHoverType=2,availableHoverTypes=2".to_owned();
        if dark {
            look.push_str(",preferredColorScheme=0");
        }
        arguments.push(format!("--blink-settings={look}"));
        let options = json!({ "capabilities": { "alwaysMatch": { "goog:chromeOptions": { "args": arguments } } } });
        let client = harness_egress::client_builder()?.build()?;
        let base = format!("http://127.0.0.1:{port}/session");
        let value = called(&client, &base, &options).await?;
        let id = value.pointer("/sessionId").and_then(Value::as_str).context("the driver gave no session")?;
        let browser = Self { session: format!("{base}/{id}"), client, _driver: driver, _profile: profile };
        // The size of the page, whatever the window's frame needs; narrower than a window can be, too.
        let metrics = json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": false });
        let command = json!({ "cmd": "Emulation.setDeviceMetricsOverride", "params": metrics });
        browser.call("goog/cdp/execute", &command).await?;
        Ok(browser)
    }

    pub(super) async fn open(&self, address: &str) -> Result<()> {
        self.call("url", &json!({ "url": address })).await.map(drop)
    }

    pub(super) async fn run(&self, script: &str) -> Result<Value> {
        self.call("execute/sync", &json!({ "script": script, "args": [] })).await
    }

    /// Waits until something holds on the page.
    pub(super) async fn waits_for(&self, condition: &str) -> Result<()> {
        for _ in 0..LOOKS {
            if self.run(&format!("return Boolean({condition})")).await? == Value::Bool(true) {
                return Ok(());
            }
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        }
        anyhow::bail!("the page does not come to {condition}")
    }

    /// Waits until pictures have come and what moves has ended.
    pub(super) async fn settles(&self) -> Result<()> {
        let script = "const done = arguments[arguments.length - 1];
            Promise.all([...document.images].map((image) => image.decode().catch(() => {})))
              .then(() => setTimeout(done, 1000));";
        self.call("execute/async", &json!({ "script": script, "args": [] })).await.map(drop)
    }

    /// What the page looks like, as a PNG.
    pub(super) async fn picture(&self) -> Result<Vec<u8>> {
        let answer = self.client.get(format!("{}/screenshot", self.session)).send().await?.bytes().await?;
        let answer: Value = serde_json::from_slice(&answer)?;
        let text = answer.pointer("/value").and_then(Value::as_str).context("the driver gave no picture")?;
        STANDARD.decode(text).context("the driver's picture is no base64")
    }

    /// Ends the browser, which its driver would leave behind.
    pub(super) async fn quit(self) -> Result<()> {
        self.client.delete(&self.session).send().await?;
        Ok(())
    }

    async fn call(&self, what: &str, body: &Value) -> Result<Value> {
        called(&self.client, &format!("{}/{what}", self.session), body).await
    }
}

async fn called(client: &reqwest::Client, address: &str, body: &Value) -> Result<Value> {
    let sent = client.post(address).header("content-type", "application/json").body(body.to_string()).send().await?;
    let status = sent.status();
    let mut answer: Value = serde_json::from_slice(&sent.bytes().await?)?;
    let value = answer.get_mut("value").map(Value::take).unwrap_or_default();
    let said = value.pointer("/message").and_then(Value::as_str).unwrap_or_default();
    ensure!(status.is_success(), "the browser's driver answered {status}: {said}");
    Ok(value)
}
