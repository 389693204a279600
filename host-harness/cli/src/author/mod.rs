//! Owns: the commands for writing a channel: building, testing and measuring it. They depend on the simulator and the
//! component encoder, so they are behind the feature `author`.
//! Does not own: the commands for running a host (`operator`).

mod bench;
mod build;
mod call;
mod check;
mod demo;
mod embed;
mod locate;
mod package;
mod rebuild;
mod replay;
mod sim;

use std::{path::PathBuf, process::ExitCode};

use anyhow::Result;
use clap::Subcommand;

use crate::operator::wait;

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Show a conversation end to end: a simulator of the platform, the channel in its sandbox, an inbox
    #[command(after_help = "Without --script it stays open: what you type is sent by the customer, \
                            a line that begins with `>` is answered by the agent.")]
    Demo {
        /// Play a fixed conversation, print it, and fail if any step did not happen
        #[arg(long)]
        script: bool,
        /// The channel's folder or component [default: plugin]
        #[arg(long, value_name = "PATH")]
        channel: Option<PathBuf>,
    },
    /// Compile and encode a channel: from a folder with Cargo.toml and channel.toml to a component
    Build {
        /// The channel's folder [default: plugin]
        dir: Option<PathBuf>,
        /// Print the result as JSON
        #[arg(long)]
        json: bool,
    },
    /// Put a manifest into a component that another tool built, such as componentize-js
    Embed {
        /// The component
        component: PathBuf,
        /// The manifest
        #[arg(long, value_name = "FILE", default_value = "channel.toml")]
        manifest: PathBuf,
        /// Where to write the result [default: over the component]
        #[arg(short, long, value_name = "FILE")]
        out: Option<PathBuf>,
        /// Print the result as JSON
        #[arg(long)]
        json: bool,
    },
    /// Build a channel from nothing and make a package of it: component, SBOM, licence, and the statement to be signed
    #[command(
        after_help = "The same source gives the same package in any folder, on any machine: what it is built from \
                            must lie in the source tree (what git tracks, or the workspace) or be pinned by Cargo.lock."
    )]
    Package(package::PackageArguments),
    /// Show whether a package comes from a source tree: build it again from a copy, and compare
    Verify {
        /// The root of the source tree
        #[arg(long, value_name = "SOURCE")]
        rebuild: PathBuf,
        /// The package: a folder, or a component's file
        package: PathBuf,
        /// Which of the folder's versions [default: the one that it holds]
        #[arg(long)]
        version: Option<String>,
        /// Print the result as JSON
        #[arg(long)]
        json: bool,
    },
    /// Inspect a component: contract version, imports, exports, size, manifest; refuse with a reason
    Check {
        /// The component
        file: PathBuf,
        /// Print the result as JSON
        #[arg(long)]
        json: bool,
    },
    /// Call one function of a component in the sandbox and print the result as JSON
    #[command(after_help = call::HELP)]
    Call(call::CallArguments),
    /// Make recorded calls again and show where the results differ; exit code 1 if any does
    Replay {
        /// What `serve --record` wrote
        file: PathBuf,
        /// The component, or the folder of a channel that is built first [default: plugin]
        #[arg(long, value_name = "PATH")]
        channel: Option<PathBuf>,
    },
    /// Measure this machine
    Bench {
        #[command(subcommand)]
        bench: bench::Bench,
    },
    /// Run the simulator of the platform alone, on loopback
    Sim {
        /// The port; 0 takes a free one
        #[arg(long, default_value_t = 4000)]
        port: u16,
        /// Where webhooks go
        #[arg(long, value_name = "URL", default_value_t = sim::usual_webhook())]
        webhook: String,
        /// Write a configuration for a host that takes the simulator for the platform, with its secrets beside it
        #[arg(long, value_name = "FILE")]
        host_config: Option<PathBuf>,
        /// The component that the written configuration names; without it, the channel of this checkout is built
        #[arg(long, value_name = "FILE", requires = "host_config")]
        component: Option<PathBuf>,
        /// Print addresses, ids, secrets and tokens as JSON
        #[arg(long)]
        json: bool,
    },
}

pub(crate) fn run(command: Command) -> Result<ExitCode> {
    match command {
        Command::Demo { script, channel } => wait(demo::run(script, channel)),
        Command::Build { dir, json } => build::run(dir, json),
        Command::Embed { component, manifest, out, json } => embed::run(&component, &manifest, out, json),
        Command::Package(arguments) => wait(package::run(arguments)),
        Command::Verify { rebuild: source, package, version, json } => {
            wait(rebuild::run(&source, &package, version.as_deref(), json))
        }
        Command::Check { file, json } => check::run(&file, json),
        Command::Call(arguments) => call::run(&arguments),
        Command::Replay { file, channel } => replay::run(&file, channel),
        Command::Bench { bench } => wait(bench::run(bench)),
        Command::Sim { port, webhook, host_config, component, json } => {
            let host_config = host_config.map(|file| sim::HostConfig { file, component });
            wait(sim::run(port, webhook, host_config, json))
        }
    }
}
