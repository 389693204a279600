//! A real browser: Debian's Chromium, driven over WebDriver. Belongs here: starting and ending it.

use std::{fs, os::unix::ffi::OsStrExt as _, process::Stdio};

use fantoccini::{Client, ClientBuilder, Locator, key::Key, wd::WebDriverCompatibleCommand};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::{
    io::{AsyncBufReadExt as _, BufReader, Lines},
    process::{Child, ChildStdout, Command},
};

use crate::eventually;

/// A browser with a profile of its own. It ends when it is dropped.
pub struct Browser {
    pub client: Client,
    _driver: Child,
    profile: TempDir,
}

/// A command of Chromium's own, beside those of WebDriver.
#[derive(Debug)]
struct Devtools(String);

impl WebDriverCompatibleCommand for Devtools {
    fn endpoint(&self, base: &url::Url, session: Option<&str>) -> Result<url::Url, url::ParseError> {
        base.join(&format!("session/{}/goog/cdp/execute", session.unwrap_or_default()))
    }

    fn method_and_body(&self, _: &url::Url) -> (http::Method, Option<String>) {
        (http::Method::POST, Some(self.0.clone()))
    }
}

/// Starts a driver of the browser, with the port that it listens on; `None` if it ended: it takes a free port for one
/// protocol and may find the same one taken for the other.
async fn driver() -> Option<(Child, Lines<BufReader<ChildStdout>>, String)> {
    let mut driver = Command::new("chromedriver")
        .arg("--port=0")
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .expect("chromedriver starts: `.ci/setup` installs it (Debian: chromium, chromium-driver)");
    let mut lines = BufReader::new(driver.stdout.take().expect("its output is piped")).lines();
    while let Some(line) = lines.next_line().await.unwrap() {
        if let Some((_, port)) = line.trim_end_matches('.').rsplit_once("successfully on port ") {
            return Some((driver, lines, port.to_owned()));
        }
    }
    None
}

impl Browser {
    pub async fn start() -> Self {
        let (driver, mut lines, port) = loop {
            if let Some(listening) = driver().await {
                break listening;
            }
        };
        // Whatever else it says is not waited for by anybody.
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        let profile = tempfile::tempdir().unwrap();
        let arguments = [
            "--headless=new".to_owned(),
            // Chromium's own sandbox needs a user other than root.
            "--no-sandbox".to_owned(),
            "--disable-dev-shm-usage".to_owned(),
            "--disable-gpu".to_owned(),
            "--no-first-run".to_owned(),
            format!("--user-data-dir={}", profile.path().display()),
        ];
        let options = json!({ "goog:chromeOptions": { "args": arguments } });
        let client = ClientBuilder::new(hyper_util::client::legacy::connect::HttpConnector::new())
            .capabilities(options.as_object().unwrap().clone())
            .connect(&format!("http://127.0.0.1:{port}"))
            .await
            .expect("the browser starts");
        Self { client, _driver: driver, profile }
    }

    /// Opens an address.
    pub async fn open(&self, address: &str) {
        self.client.goto(address).await.unwrap();
    }

    /// Clicks on what the selector finds, once it is there.
    pub async fn click(&self, selector: &str) {
        // A page that follows what happens may draw the element anew between finding and clicking it.
        eventually(&format!("{selector} to click on"), async || {
            let found = self.client.wait().at_most(crate::PATIENCE).for_element(Locator::Css(selector)).await;
            let found = match found {
                Ok(found) => found,
                Err(error) => panic!("{selector}: {error}; the page says: {}", self.text().await),
            };
            match found.click().await {
                Err(error) if error.is_stale_element_reference() => None,
                clicked => {
                    clicked.unwrap();
                    Some(())
                }
            }
        })
        .await;
    }

    /// Waits until the page says something, and returns all that it says.
    pub async fn says(&self, words: &str) -> String {
        eventually(&format!("a page that says {words:?}"), async || {
            Some(self.text().await).filter(|text| text.contains(words))
        })
        .await
    }

    /// Everything that the page shows.
    pub async fn text(&self) -> String {
        match self.client.find(Locator::Css("body")).await {
            Ok(body) => body.text().await.unwrap_or_default(),
            Err(_) => String::new(),
        }
    }

    /// Types into a field, after what is there.
    pub async fn types(&self, selector: &str, text: &str) {
        // As for `click`: nothing was typed into what is drawn anew.
        eventually(&format!("{selector} to type into"), async || {
            let found = self.client.wait().at_most(crate::PATIENCE).for_element(Locator::Css(selector)).await;
            match found.unwrap_or_else(|error| panic!("{selector}: {error}")).send_keys(text).await {
                Err(error) if error.is_stale_element_reference() => None,
                typed => {
                    typed.unwrap();
                    Some(())
                }
            }
        })
        .await;
    }

    /// Runs a script and returns what it returns.
    pub async fn runs(&self, script: &str) -> Value {
        self.client.execute(script, Vec::new()).await.unwrap()
    }

    /// The same on a page that may be about to leave: `None` while there is nothing to run it in.
    pub async fn tries(&self, script: &str) -> Option<Value> {
        self.client.execute(script, Vec::new()).await.ok()
    }

    /// Waits until an expression has this value, over pages that come and go.
    pub async fn becomes(&self, expression: &str, wanted: impl Into<Value>) {
        let (script, wanted) = (format!("return {expression}"), wanted.into());
        eventually(&script, async || (self.tries(&script).await.as_ref() == Some(&wanted)).then_some(())).await;
    }

    /// Waits for a promise, and returns what it becomes.
    pub async fn waits(&self, promise: &str) -> Value {
        let script = format!("const done = arguments[arguments.length - 1]; ({promise}).then(done)");
        self.client.execute_async(&script, Vec::new()).await.unwrap()
    }

    /// Runs a script at the beginning of every document from now on.
    pub async fn in_every_page(&self, script: &str) {
        let command = json!({ "cmd": "Page.addScriptToEvaluateOnNewDocument", "params": { "source": script } });
        self.client.issue_cmd(Devtools(command.to_string())).await.unwrap();
    }

    /// Gives it a cookie for an address.
    pub async fn keeps_cookie(&self, address: &str, name: &str, value: &str) {
        let cookie = json!({ "name": name, "value": value, "url": address });
        let command = json!({ "cmd": "Network.setCookie", "params": cookie });
        self.client.issue_cmd(Devtools(command.to_string())).await.unwrap();
    }

    /// Presses Enter where the focus is.
    pub async fn presses_enter(&self) {
        self.client.active_element().await.unwrap().send_keys(&char::from(Key::Enter).to_string()).await.unwrap();
    }

    /// Shows the page as a printer gets it, or as a screen again.
    pub async fn in_print(&self, is: bool) {
        let media =
            json!({ "cmd": "Emulation.setEmulatedMedia", "params": { "media": if is { "print" } else { "" } } });
        self.client.issue_cmd(Devtools(media.to_string())).await.unwrap();
    }

    /// Sets the size of the page, in CSS pixels.
    pub async fn sized(&self, width: u32, height: u32) {
        self.client.set_window_rect(0, 0, width, height).await.unwrap();
        // The window has a frame.
        let inner = self.runs("return [innerWidth, innerHeight]").await;
        let frame = |at: usize, of: u32| of + of.saturating_sub(u32::try_from(inner[at].as_u64().unwrap()).unwrap());
        self.client.set_window_rect(0, 0, frame(0, width), frame(1, height)).await.unwrap();
    }

    /// Keeps a picture of the page in the folder that `SCREENSHOTS` names, if it names one, for whoever wants to look.
    pub async fn pictured(&self, name: &str) {
        let Some(folder) = std::env::var_os("SCREENSHOTS") else { return };
        let picture = self.client.screenshot().await.unwrap();
        std::fs::write(std::path::Path::new(&folder).join(format!("{name}.png")), picture).unwrap();
    }

    /// Ends the session, so that no process is left.
    pub async fn quit(self) {
        self.client.clone().close().await.unwrap();
    }
}

impl Drop for Browser {
    /// A test that failed has ended no session, and a driver that is killed leaves its browser behind.
    fn drop(&mut self) {
        let profile = self.profile.path().as_os_str().as_bytes();
        for process in fs::read_dir("/proc").into_iter().flatten().flatten() {
            let command = fs::read(process.path().join("cmdline")).unwrap_or_default();
            if command.windows(profile.len()).any(|part| part == profile) {
                let _ = std::process::Command::new("kill").arg("-KILL").arg(process.file_name()).status();
            }
        }
    }
}
