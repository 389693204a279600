//! Owns: the commands for running a host.
//! Does not own: the commands for writing a channel (`author`); the structure of the command line (`main`).

mod backup;
mod installed;
mod load;
pub(crate) mod packages;
mod running;
pub(crate) mod serve;
mod token;
mod updates;
mod user;
mod watch;

use std::{future::Future, path::PathBuf, process::ExitCode};

use anyhow::Result;
use clap::Subcommand;

#[cfg(feature = "author")]
pub(crate) use packages::max_component;
pub(crate) use packages::trust::registries;

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Run the host: webhooks in, replies out, an HTTP API, one inbox file
    Serve {
        /// The configuration; `harness.example.toml` is a commented example
        #[arg(long, value_name = "FILE")]
        config: PathBuf,
        /// Reload a channel when its component file changes; a broken component does not replace the running one
        #[arg(long)]
        watch: bool,
        /// Record every call of a channel to a file, one JSON line per call; it contains what people write
        #[arg(long, value_name = "FILE")]
        record: Option<PathBuf>,
    },
    /// Manage deliveries in the journal of a running host
    #[command(subcommand)]
    Deliveries(Deliveries),
    /// Connect an account of a running host: print a link for the browser, then the progress until a test message
    /// arrives
    Connect {
        /// The channel's id under `[channels]` in the configuration
        channel: String,
        /// A login from the channel's manifest [default: chosen on the page]
        #[arg(long)]
        login: Option<String>,
        /// Print the link and each change of the progress as one JSON line
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        running: running::Running,
    },
    /// Check the accounts of a running host, with a fix for every problem
    Doctor {
        /// The account's id, platform id, name or handle [default: all accounts]
        account: Option<String>,
        /// Also send a signal (typing) to the most recent open conversation
        #[arg(long)]
        probe: bool,
        /// Print the result as JSON
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        running: running::Running,
    },
    /// Disconnect an account of a running host: tell the platform, forget the credentials
    Disconnect {
        /// The account's id, platform id, name or handle
        account: String,
        /// Also delete its conversations
        #[arg(long)]
        delete_conversations: bool,
        #[command(flatten)]
        running: running::Running,
    },
    /// Back up everything that a host stores, even while it runs: inbox, media, sealed credentials
    Backup {
        /// The folder to create
        dest: PathBuf,
        /// Include the key of the credentials: whoever has the backup then has every token
        #[arg(long)]
        with_key: bool,
        #[command(flatten)]
        of: backup::OfHost,
    },
    /// Restore a backup to an empty place: its files are checked first, and pending replies are not sent
    Restore {
        /// The folder created by `backup`
        src: PathBuf,
        #[command(flatten)]
        of: backup::OfHost,
    },
    /// Check the whole inbox file and the files of its messages, even while a host runs; exit code 1 if it finds
    /// problems
    CheckInbox {
        #[command(flatten)]
        of: backup::OfHost,
    },
    #[command(flatten)]
    Packages(packages::Command),
    /// Create, list and revoke API tokens with scopes, whether or not the host runs
    Token {
        #[command(subcommand)]
        what: token::Token,
    },
    /// Invite, list, disable and enable people of a running host
    User {
        #[command(subcommand)]
        what: user::User,
    },
}

#[derive(Subcommand)]
pub(crate) enum Deliveries {
    /// Retry deliveries that could not be translated
    Retry {
        /// The channel's id [default: all]
        channel: Option<String>,
        #[command(flatten)]
        running: running::Running,
    },
}

pub(crate) fn run(command: Command) -> Result<ExitCode> {
    match command {
        Command::Serve { config, watch, record } => wait(serve::run(&config, watch, record)),
        Command::Deliveries(Deliveries::Retry { channel, running }) => {
            wait(running::retry_deliveries(&running, channel.as_deref()))
        }
        Command::Connect { channel, login, json, running } => {
            wait(running::connect(&running, &channel, login.as_deref(), json))
        }
        Command::Doctor { account, probe, json, running } => {
            wait(running::doctor(&running, account.as_deref(), probe, json))
        }
        Command::Disconnect { account, delete_conversations, running } => {
            wait(running::disconnect(&running, &account, delete_conversations))
        }
        Command::Backup { dest, with_key, of } => wait(backup::make(&of, &dest, with_key)),
        Command::Restore { src, of } => wait(backup::restore(&of, &src)),
        Command::CheckInbox { of } => wait(backup::check(&of)),
        Command::Packages(command) => packages::run(command),
        Command::Token { what } => token::run(what),
        Command::User { what } => wait(user::run(what)),
    }
}

/// The machine's clock, in milliseconds since 1970.
fn now() -> u64 {
    u64::try_from(jiff::Timestamp::now().as_millisecond()).unwrap_or(0)
}

/// Runs an async command on a new runtime.
pub(crate) fn wait(command: impl Future<Output = Result<ExitCode>>) -> Result<ExitCode> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(command)
}
