//! `harness sim`: the simulator of Meta alone.

use std::process::ExitCode;

use anyhow::Result;
use simulator::{Config, Simulator};

use crate::serve::stopped;

pub(crate) async fn run(port: u16, webhook: String, json: bool) -> Result<ExitCode> {
    let sim = Simulator::start(Config { port, webhook_url: Some(webhook.clone()), ..Config::demo() }).await?;
    let base = sim.base_url();
    if json {
        println!(
            "{}",
            serde_json::json!({
                "base_url": base, "graph_facebook": sim.graph_facebook_url(), "graph_instagram": sim.graph_instagram_url(),
                "webhook": webhook, "accounts": sim.accounts().iter().map(|account| &account.ig_id).collect::<Vec<_>>(),
            })
        );
    } else {
        println!("the simulator of Meta listens on {base}");
        println!("  https://graph.facebook.com   {}", sim.graph_facebook_url());
        println!("  https://graph.instagram.com  {}", sim.graph_instagram_url());
        println!("  webhooks go to               {webhook}");
        println!("its control surface is {base}/sim/; simulator/README.md describes it");
    }
    stopped().await;
    Ok(ExitCode::SUCCESS)
}
