//! Owns: `harness replay`: reading a recording, and showing where another component's results differ.
//! Does not own: making the calls (the sandbox).

use std::{
    fs::File,
    io::{BufRead as _, BufReader},
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::{Context as _, Result};
use harness_contract::{
    differences::{Difference, differences as find},
    text,
};
use harness_engine::RecordedCall;
use serde_json::Value;

use crate::author::locate;

/// Replays every pure call of the component's channel. Fails if a result differs.
pub(crate) fn run(file: &Path, channel: Option<PathBuf>) -> Result<ExitCode> {
    let lines = BufReader::new(File::open(file).with_context(|| file.display().to_string())?).lines();
    let (_, bytes) = locate::component(channel)?;
    let channel = locate::load(&bytes, locate::cache_dir())?;
    let (mut made, mut left, mut differ) = (0u64, 0u64, 0u64);
    for (line, number) in lines.zip(1u64..) {
        let call: RecordedCall = serde_json::from_str(&line?)
            .with_context(|| format!("{}, line {number}: not a recorded call", file.display()))?;
        if !call.pure || call.channel != channel.id() {
            left += 1;
            continue;
        }
        made += 1;
        let differences = match (&call.output, channel.replay(&call.export, &call.input)) {
            (Some(before), Ok(now)) => differences(before, &now),
            (None, Ok(_)) => vec![format!("it failed before ({}), and returns now", call.failure.unwrap_or_default())],
            (Some(_), Err(error)) => vec![format!("it returned before, and fails now: {error}")],
            (None, Err(_)) => Vec::new(),
        };
        if !differences.is_empty() {
            differ += 1;
            println!("line {number}: {}", text::shown(&call.export));
            // A recording is untrusted, including the names of members in it.
            differences.iter().for_each(|difference| println!("  {}", text::shown(difference)));
        }
    }
    println!("{made} calls made again, {differ} differ; {left} left out (with effects, or of another channel)");
    Ok(if differ == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The differences between two results, one line per place.
fn differences(before: &Value, now: &Value) -> Vec<String> {
    let line = |one: Difference| format!("{}: {} -> {}", one.path, shown(&one.before), shown(&one.after));
    find(before, now, usize::MAX).into_iter().map(line).collect()
}

/// A value on one line, truncated.
fn shown(value: &Value) -> String {
    value.to_string().chars().take(200).collect()
}
