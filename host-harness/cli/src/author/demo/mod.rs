//! Owns: `harness demo`: simulator, host and inbox in one process, connected by real HTTP on loopback; the interactive
//! demo.
//! Does not own: the scripted conversation (`script`), the setup (`stage`).

mod phone;
mod script;
mod stage;
mod transcript;

use std::{collections::BTreeSet, path::PathBuf, process::ExitCode};

use anyhow::Result;
use tokio::io::{AsyncBufReadExt as _, BufReader};

use stage::Stage;

pub(crate) async fn run(script: bool, channel: Option<PathBuf>) -> Result<ExitCode> {
    let stage = Stage::set(channel).await?;
    if script { script::play(&stage).await } else { open(&stage).await }
}

/// Shows what happens until Ctrl-C. Each typed line is sent.
async fn open(stage: &Stage) -> Result<ExitCode> {
    println!("The customer writes what you type; a line that begins with `>` is the agent's answer. Ctrl-C ends.\n");
    let mut changes = stage.host.inbox().follow();
    let mut lines = BufReader::new(tokio::io::stdin()).lines();
    let mut shown = transcript::Shown::default();
    stage.customer.text("Hi! Do you have the blue mug in stock?").await;
    let mut typing = true;
    loop {
        tokio::select! {
            () = crate::operator::serve::stopped() => return Ok(ExitCode::SUCCESS),
            news = changes.next(100) => {
                let conversations: BTreeSet<_> = news?.changes.iter().filter_map(|change| change.conversation).collect();
                for conversation in conversations {
                    let timeline = stage.host.inbox().timeline(conversation, 200).await?;
                    shown.print_news(&timeline);
                }
            }
            line = lines.next_line(), if typing => match line? {
                None => typing = false,
                Some(line) => match line.strip_prefix('>') {
                    Some(answer) => stage.agent_says(answer.trim()).await?,
                    None if !line.trim().is_empty() => drop(stage.customer.text(line.trim()).await),
                    None => {}
                },
            },
        }
    }
}
