//! Owns: `harness demo`: the interactive demo.
//! Does not own: the scripted conversation (`script`), its stage (`harness_cli::demo`).

mod script;
mod transcript;

use std::{collections::BTreeSet, path::PathBuf, process::ExitCode, time::Instant};

use anyhow::Result;
use tokio::io::{AsyncBufReadExt as _, BufReader};

use harness_cli::demo::{Stage, reply, text_part};
use harness_contract::text::shown;

use super::locate;
use crate::compiler;

pub(crate) async fn run(script: bool, channel: Option<PathBuf>) -> Result<ExitCode> {
    let started = Instant::now();
    let (path, component) = tokio::task::spawn_blocking(move || locate::component(channel)).await??;
    let size = component.len();
    let stage = Stage::set(component, compiler::sandbox(locate::cache_dir())).await?;
    let (address, channel) = (&stage.address, &stage.channel);
    println!("channel    {} ({size} bytes)", path.display());
    println!("account    {} ({})", stage.account.0, stage.account.1);
    println!("simulator  {}", stage.sim.base_url());
    println!("webhooks   {address}/webhooks/{channel} (challenge answered)");
    println!("inbox      {address}/inbox (with the customer's phone: {address}/demo)");
    println!("API        {address}/api/v1 (Authorization: Bearer {})", stage.token);
    println!("ready      after {} ms\n", started.elapsed().as_millis());
    if script { script::play(&stage).await } else { open(&stage).await }
}

/// Shows what happens until Ctrl-C. Each typed line is sent.
async fn open(stage: &Stage) -> Result<ExitCode> {
    println!("The customer writes what you type; a line that begins with `>` is the agent's answer. Ctrl-C ends.\n");
    let mut changes = stage.host.inbox().follow();
    let mut lines = BufReader::new(tokio::io::stdin()).lines();
    let mut printed = transcript::Shown::default();
    stage.customer.text("Hi! Do you have the blue mug in stock?").await;
    let mut typing = true;
    loop {
        tokio::select! {
            () = crate::operator::serve::stopped() => return Ok(ExitCode::SUCCESS),
            news = changes.next(100) => {
                let conversations: BTreeSet<_> = news?.changes.iter().filter_map(|change| change.conversation).collect();
                for conversation in conversations {
                    let timeline = stage.host.inbox().timeline(conversation, 200).await?;
                    printed.print_news(&timeline);
                }
            }
            line = lines.next_line(), if typing => match line? {
                None => typing = false,
                Some(line) => match line.strip_prefix('>') {
                    Some(answer) => answered(stage, answer.trim()).await?,
                    None if !line.trim().is_empty() => drop(stage.customer.text(line.trim()).await),
                    None => {}
                },
            },
        }
    }
}

/// Sends a text from the agent, and prints the violations if it is refused.
async fn answered(stage: &Stage, text: &str) -> Result<()> {
    let view = stage.send(reply(vec![text_part(text)])).await?;
    for violation in &view.violations {
        println!("           {}: {}", violation.severity.name(), shown(&violation.message));
    }
    Ok(())
}
