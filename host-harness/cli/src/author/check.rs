//! Owns: `harness check`: a report on a component before it is trusted.
//! Does not own: the checks (the sandbox, the contract).

use std::{fs, path::Path, process::ExitCode};

use anyhow::{Context as _, Result};
use harness_contract::{
    PACKAGE,
    text::{shown, shown_json, shown_lines},
};
use harness_sandbox::{ComponentBounds, SandboxConfig, ShapeError, count, inspect};

use crate::author::locate;

pub(crate) fn run(file: &Path, json: bool) -> Result<ExitCode> {
    let bytes = fs::read(file).with_context(|| file.display().to_string())?;
    let checked = judge(&bytes);
    if json {
        let document = match &checked {
            Ok(report) => serde_json::json!({ "ok": true, "component": report.json }),
            Err(error) => serde_json::json!({ "ok": false, "problem": crate::log::told(error) }),
        };
        println!("{}", shown_json(&format!("{document:#}")));
        return Ok(if checked.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE });
    }
    let report = checked.with_context(|| file.display().to_string())?;
    print!("{}", shown_lines(&report.text));
    Ok(ExitCode::SUCCESS)
}

struct Report {
    text: String,
    json: serde_json::Value,
}

fn judge(bytes: &[u8]) -> Result<Report> {
    let inspection = inspect(bytes, SandboxConfig::default().max_component_bytes)?;
    let manifest = inspection.manifest()?;
    // Only a component that passed inspection is compiled and run.
    let capabilities = locate::load(bytes, None)?.capabilities(None)?;
    let needs = match count(bytes, &ComponentBounds::default()) {
        Err(ShapeError::TooManyCoreInstances { found, max }) => {
            format!(
                "  needs      `core-instances = {found}` under `[limits]` of the host's configuration (usual: {max})\n"
            )
        }
        _ => String::new(),
    };
    let mut hosts: Vec<_> = manifest.egress.iter().map(|rule| rule.host.as_str()).collect();
    hosts.dedup();
    let webhooks = manifest.webhook.as_ref().map_or_else(
        || "none: nothing comes in at an address of the host".to_owned(),
        |webhook| format!("{} in `{}`", webhook.verification, webhook.verification.header()),
    );
    let or_none = |names: &[String]| if names.is_empty() { "none".to_owned() } else { names.join(", ") };
    // A manifest is untrusted: each ask must stay on one line.
    let asks = harness_contract::asks::asks(&manifest);
    let listed: String = harness_contract::asks::listed(&asks).iter().map(|line| format!("    {line}\n")).collect();
    let text = format!(
        "{} {} ({})\n  contract   {PACKAGE}\n  size       {} bytes\n  sha256     {}\n  imports    {}\n  exports    {}\n  \
         webhooks   {}\n  may reach  {}\n  features   {}\n{needs}  asks for\n{listed}",
        shown(&manifest.channel.name),
        shown(&manifest.channel.version),
        manifest.channel.id,
        inspection.size,
        inspection.digest,
        or_none(&inspection.imports),
        or_none(&inspection.exports),
        shown(&webhooks),
        if hosts.is_empty() { "nothing".to_owned() } else { hosts.join(", ") },
        capabilities.features.len(),
    );
    let json = serde_json::json!({
        "contract": PACKAGE, "size": inspection.size, "digest": inspection.digest, "imports": inspection.imports,
        "exports": inspection.exports,
        "metadata": inspection.metadata,
        "asks": asks.iter().map(ToString::to_string).collect::<Vec<_>>(), "manifest": manifest, "capabilities": capabilities,
    });
    Ok(Report { text, json })
}
