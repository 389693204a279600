//! Owns: the commands for installed channels: install, update, list, outdated, verify, rollback, remove, pull.
//! Does not own: signatures, registries, the folder (`harness-package`); loading what is installed (`load`).

mod documents;
mod fetch;
mod install;
mod list;
pub(crate) mod look;
mod show;
pub(crate) mod trust;

#[cfg(feature = "author")]
pub(crate) use fetch::max_component;

use std::{path::PathBuf, process::ExitCode};

use anyhow::Result;
use clap::{Args, Subcommand};
use harness_cli::config::ConfigFile;

use super::wait;

/// Whose channels are meant.
#[derive(Args)]
pub(crate) struct OfHost {
    /// The configuration with which the host runs: data folder, trusted publishers
    #[arg(long, value_name = "FILE", default_value = "harness.toml")]
    config: PathBuf,
}

impl OfHost {
    fn file(&self) -> Result<ConfigFile> {
        Ok(ConfigFile::read(&self.config)?)
    }
}

/// How somebody agrees to what a channel may do.
#[derive(Args)]
pub(crate) struct Agreeing {
    /// Do not ask: what the channel may do must stand in the file of `--grant`
    #[arg(long, requires = "grant")]
    yes: bool,
    /// A file of grants, such as the `channels/grants.toml` of a host on which somebody agreed
    #[arg(long, value_name = "FILE", requires = "yes")]
    grant: Option<PathBuf>,
}

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Install a channel's package: verify it, show what it may do, ask. A running host takes it at once
    Install {
        /// HOST/NAMESPACE/NAME[:VERSION] in a registry, a folder that `package` or `pull` wrote, or a component's file with
        /// its signature beside it
        package: String,
        #[command(flatten)]
        agreeing: Agreeing,
        #[command(flatten)]
        of: OfHost,
    },
    /// Replace installed channels by the newest version where they came from; asks where one wants more than before
    Update {
        /// The channel's id [default: all]
        channel: Option<String>,
        /// The newest version there that is looked at [default: any]
        #[arg(long, value_name = "VERSION", requires = "channel")]
        to: Option<harness_package::Version>,
        /// Only show what would change
        #[arg(long, conflicts_with = "yes")]
        dry_run: bool,
        /// Print what would change as JSON
        #[arg(long, requires = "dry_run")]
        json: bool,
        #[command(flatten)]
        agreeing: Agreeing,
        #[command(flatten)]
        of: OfHost,
    },
    /// List the installed channels: version, publisher, digest, where it came from
    List {
        /// Print the list as JSON
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        of: OfHost,
    },
    /// List the installed channels of which there is a newer version
    Outdated {
        /// Print the list as JSON
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        of: OfHost,
    },
    /// Verify a package, or what is installed: whose it is, from which source, whether this host would take it
    Verify {
        /// As for `install`, or the id of an installed channel [default: all that are installed]
        package: Option<String>,
        /// Instead, build the package again from this source tree, and show what differs
        #[cfg(feature = "author")]
        #[arg(long, value_name = "SOURCE", requires = "package", conflicts_with = "config")]
        rebuild: Option<PathBuf>,
        /// Print the result as JSON
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        of: OfHost,
    },
    /// Go back to what ran before an update, under the grant that it had
    Rollback {
        /// The channel's id
        channel: String,
        #[command(flatten)]
        of: OfHost,
    },
    /// Remove an installed channel with its grants; its accounts, conversations and credentials stay
    Remove {
        /// The channel's id
        channel: String,
        #[command(flatten)]
        of: OfHost,
    },
    /// Copy a package with its signatures from a registry into a folder, to install it where there is no network
    Pull {
        /// HOST/NAMESPACE/NAME[:VERSION]
        package: String,
        /// The folder to make
        #[arg(short, long, value_name = "FOLDER")]
        out: PathBuf,
        #[command(flatten)]
        of: OfHost,
    },
}

pub(crate) fn run(command: Command) -> Result<ExitCode> {
    match command {
        Command::Install { package, agreeing, of } => wait(install::install(&of.file()?, &package, &agreeing)),
        Command::Update { channel, to, dry_run: true, json, of, .. } => {
            wait(install::plan(&of.file()?, channel.as_deref(), to.as_ref(), json))
        }
        Command::Update { channel, to, agreeing, of, .. } => {
            wait(install::update(&of.file()?, channel.as_deref(), to.as_ref(), &agreeing))
        }
        Command::List { json, of } => list::list(&of.file()?, json),
        Command::Outdated { json, of } => wait(list::outdated(&of.file()?, json)),
        Command::Verify { package, json, of, .. } => wait(list::verify(&of.file()?, package.as_deref(), json)),
        Command::Rollback { channel, of } => install::rollback(&of.file()?, &channel),
        Command::Remove { channel, of } => install::remove(&of.file()?, &channel),
        Command::Pull { package, out, of } => wait(fetch::pull(&of.file()?, &package, &out)),
    }
}
