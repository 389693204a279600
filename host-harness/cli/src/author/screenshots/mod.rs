//! Owns: `harness screenshots`: the demo's pages as pictures, as the README shows them.
//! Does not own: the browser (`browser`), who writes what (`scene`).

mod browser;
mod scene;

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::{Context as _, Result};
use harness_cli::demo::Stage;

use self::browser::Browser;
use super::locate;
use crate::compiler;

/// A picture: its name, the page, what the page has to show, what is done on it before, how large, and whether dark.
struct Picture {
    name: &'static str,
    page: String,
    shows: &'static str,
    steps: &'static [Step],
    size: (u32, u32),
    dark: bool,
}

const DESK: (u32, u32) = (1440, 900);
const PHONE: (u32, u32) = (360, 780);

/// Fills a field as somebody would who types.
const FILLS: &str = "const fills = (name, text) => {
  const field = document.querySelector(name);
  field.value = text;
  field.dispatchEvent(new Event('input', { bubbles: true }));
};";

/// What is done on a page, and what is there afterwards.
type Step = (&'static str, &'static str);

/// Opens the quick replies and writes two.
const QUICK_REPLIES: &[Step] = &[
    ("fills('#text', 'Shall I put both aside for you?'); document.querySelector('#tool-quick').click()", "#quick-0"),
    ("fills('#quick-0', 'Yes, please'); document.querySelector('#add-quick').click()", "#quick-1"),
    ("fills('#quick-1', 'Only the vase')", "#quick-preview"),
];

pub(crate) async fn run(folder: PathBuf, channel: Option<PathBuf>) -> Result<ExitCode> {
    std::fs::create_dir_all(&folder).with_context(|| format!("{} cannot be made", folder.display()))?;
    let (_, component) = tokio::task::spawn_blocking(move || locate::component(channel)).await??;
    let stage = Stage::set(component, compiler::sandbox(locate::cache_dir())).await?;
    scene::play(&stage).await?;
    for picture in pictures(&stage).await? {
        let browser = Browser::start(picture.size, picture.dark).await?;
        let taken = taken(&browser, &stage, &picture).await;
        browser.quit().await?;
        let path = folder.join(format!("{}.png", picture.name));
        write(&path, &taken.with_context(|| format!("the picture {:?}", picture.name))?)?;
        println!("{}", path.display());
    }
    Ok(ExitCode::SUCCESS)
}

async fn pictures(stage: &Stage) -> Result<Vec<Picture>> {
    let thread = format!("/inbox/{}", scene::conversation(stage).await?);
    let picture =
        |name, page: &str, shows| Picture { name, page: page.to_owned(), shows, steps: &[], size: DESK, dark: false };
    Ok(vec![
        picture("inbox", &thread, scene::LAST),
        Picture { dark: true, ..picture("inbox-dark", &thread, scene::LAST) },
        Picture { size: PHONE, ..picture("inbox-narrow", &thread, scene::LAST) },
        Picture { steps: QUICK_REPLIES, ..picture("composer", &thread, scene::LAST) },
        picture("phone", "/demo?step=6", "Tour, step 6 of 11"),
        picture("settings", "/settings/people", "Dev Patel"),
        picture("plugins", "/plugins", "Permissions"),
        picture("inspector", &format!("/inspector/{}", scene::delivery(stage).await?), "messaging"),
    ])
}

async fn taken(browser: &Browser, stage: &Stage, picture: &Picture) -> Result<Vec<u8>> {
    browser.open(&format!("{}{}", stage.address, picture.page)).await?;
    browser.waits_for(&format!("document.body.innerText.includes({:?})", picture.shows)).await?;
    for (script, there) in picture.steps {
        browser.run(&format!("{FILLS}{script}")).await?;
        browser.waits_for(&format!("document.querySelector('{there}')")).await?;
    }
    browser.settles().await?;
    browser.picture().await
}

fn write(path: &Path, content: &[u8]) -> Result<()> {
    std::fs::write(path, content).with_context(|| format!("{} cannot be written", path.display()))
}
