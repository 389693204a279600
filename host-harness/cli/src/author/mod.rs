//! Owns: the commands for writing a channel: building, testing and measuring it. They depend on the simulator and the
//! component encoder, so they are behind the feature `author`.
//! Does not own: the commands for running a host (`operator`).

mod bench;
mod build;
mod call;
mod check;
mod demo;
mod embed;
mod key;
mod locate;
mod package;
pub(crate) mod rebuild;
mod replay;
mod screenshots;
mod sign;
mod sim;

use std::{path::PathBuf, process::ExitCode};

use anyhow::Result;
use clap::Subcommand;

use crate::operator::wait;

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Show a conversation end to end: simulated platform, sandboxed channel, inbox
    #[command(after_help = "Without --script, the demo is interactive: the customer sends the lines that you type, \
                            and the agent those that begin with `>`.")]
    Demo {
        /// Play a fixed conversation, print it, and fail if a step fails
        #[arg(long)]
        script: bool,
        /// The channel's folder or component [default: plugin]
        #[arg(long, value_name = "PATH")]
        channel: Option<PathBuf>,
    },
    /// Take pictures of the demo's pages in a real browser; needs Chromium and its driver
    Screenshots {
        /// Where the pictures are written
        #[arg(default_value = "docs/pictures")]
        folder: PathBuf,
        /// The channel's folder or component [default: plugin]
        #[arg(long, value_name = "PATH")]
        channel: Option<PathBuf>,
    },
    /// Compile a folder with Cargo.toml and channel.toml into a component
    Build {
        /// The channel's folder [default: plugin]
        dir: Option<PathBuf>,
        /// Print the result as JSON
        #[arg(long)]
        json: bool,
    },
    /// Embed a manifest into a component built by another tool, such as componentize-js
    Embed {
        /// The component
        component: PathBuf,
        /// The manifest
        #[arg(long, value_name = "FILE", default_value = "channel.toml")]
        manifest: PathBuf,
        /// Where to write the result [default: overwrite the component]
        #[arg(short, long, value_name = "FILE")]
        out: Option<PathBuf>,
        /// Print the result as JSON
        #[arg(long)]
        json: bool,
    },
    /// Build a channel from scratch into a package: component, SBOM, licence, and the statement to sign
    #[command(
        after_help = "The same source gives the same package in any folder and on any machine. What is built must lie in \
                      the source tree (what git tracks, otherwise the workspace) or be pinned by Cargo.lock."
    )]
    Package(package::PackageArguments),
    /// Inspect a component: contract version, imports, exports, size, manifest; or say why it is rejected
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
    /// Replay recorded calls and show where the results differ; exit code 1 if any do
    Replay {
        /// The recording, written by `serve --record`
        file: PathBuf,
        /// The component, or a channel's folder, which is built first [default: plugin]
        #[arg(long, value_name = "PATH")]
        channel: Option<PathBuf>,
    },
    /// A publisher's signing keys
    Key {
        #[command(subcommand)]
        what: key::Key,
    },
    /// Sign a package with its publisher's key, or put a signature beside it that was made elsewhere
    Sign {
        /// The folder that `package` wrote
        package: PathBuf,
        #[command(flatten)]
        how: sign::How,
    },
    /// Copy a signed package from a folder into a registry; the logins are those of the container tools
    Publish {
        /// The folder that `package` wrote
        package: PathBuf,
        /// HOST/NAMESPACE/NAME[:VERSION]; the tag is the version [default: the newest]
        to: String,
        /// Reach the registry without TLS: for one on this machine
        #[arg(long)]
        plain_http: bool,
    },
    /// Run benchmarks on this machine
    Bench {
        #[command(subcommand)]
        bench: bench::Bench,
    },
    /// Run only the simulated platform, on loopback
    Sim {
        /// The port; 0 picks a free one
        #[arg(long, default_value_t = 4000)]
        port: u16,
        /// The address to send webhooks to
        #[arg(long, value_name = "URL", default_value_t = sim::usual_webhook())]
        webhook: String,
        /// Write a configuration for a host that uses the simulator as its platform, with its secrets beside it
        #[arg(long, value_name = "FILE")]
        host_config: Option<PathBuf>,
        /// The component for that configuration [default: the channel of this checkout, built first]
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
        Command::Screenshots { folder, channel } => wait(screenshots::run(folder, channel)),
        Command::Build { dir, json } => build::run(dir, json),
        Command::Embed { component, manifest, out, json } => embed::run(&component, &manifest, out, json),
        Command::Package(arguments) => wait(package::run(arguments)),
        Command::Check { file, json } => check::run(&file, json),
        Command::Call(arguments) => call::run(&arguments),
        Command::Replay { file, channel } => replay::run(&file, channel),
        Command::Key { what } => key::run(what),
        Command::Sign { package, how } => wait(sign::sign(&package, &how)),
        Command::Publish { package, to, plain_http } => wait(sign::publish(&package, &to, plain_http)),
        Command::Bench { bench } => wait(bench::run(bench)),
        Command::Sim { port, webhook, host_config, component, json } => {
            let host_config = host_config.map(|file| sim::HostConfig { file, component });
            wait(sim::run(port, webhook, host_config, json))
        }
    }
}
