//! Owns: the commands for running a host.
//! Does not own: the commands for writing a channel (`author`); the structure of the command line (`main`).

mod backup;
mod load;
mod running;
pub(crate) mod serve;
mod token;
mod watch;

use std::{future::Future, path::PathBuf, process::ExitCode};

use anyhow::Result;
use clap::Subcommand;

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Run the host: webhooks in, replies out, an HTTP API, one inbox file
    Serve {
        /// The configuration; `harness.example.toml` is a commented one
        #[arg(long, value_name = "FILE")]
        config: PathBuf,
        /// Load a channel again when its component's file changes; one that is broken is not taken
        #[arg(long)]
        watch: bool,
        /// Write every call of a channel into a file, a line of JSON each: it holds what people write
        #[arg(long, value_name = "FILE")]
        record: Option<PathBuf>,
    },
    /// Deliveries in the journal of a running host
    #[command(subcommand)]
    Deliveries(Deliveries),
    /// Connect an account of a running host: a link for the browser, then the state until a test message came
    Connect {
        /// The channel's id, one of those under `[channels]` in the configuration
        channel: String,
        /// The login, one of those that the channel's manifest lists [default: chosen on the page]
        #[arg(long)]
        login: Option<String>,
        /// Print the link and every change of the state as JSON, a line each
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        running: running::Running,
    },
    /// Check the accounts of a running host line by line, with a fix for everything that is wrong
    Doctor {
        /// One account: its row, its id at the platform, its name or its handle [default: all]
        account: Option<String>,
        /// Also send a signal (typing) to the newest conversation that is open
        #[arg(long)]
        probe: bool,
        /// Print the result as JSON
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        running: running::Running,
    },
    /// Disconnect an account of a running host: the platform is told, its credentials are forgotten
    Disconnect {
        /// Its row, its id at the platform, its name or its handle
        account: String,
        /// Delete its conversations too
        #[arg(long)]
        delete_conversations: bool,
        #[command(flatten)]
        running: running::Running,
    },
    /// Copy everything that a host keeps, also while it runs: inbox, media, sealed credentials
    Backup {
        /// The folder to make
        dest: PathBuf,
        /// Put the key of the credentials into the backup too: then whoever has it has every token
        #[arg(long)]
        with_key: bool,
        #[command(flatten)]
        of: backup::OfHost,
    },
    /// Put a backup where nothing is: its files are checked first, and what waited to be sent is not sent
    Restore {
        /// What `backup` made
        src: PathBuf,
        #[command(flatten)]
        of: backup::OfHost,
    },
    /// Check the whole inbox file and the files of its messages, also while a host runs; exit code 1 for findings
    CheckInbox {
        #[command(flatten)]
        of: backup::OfHost,
    },
    /// Tokens of the API with scopes: make, list and revoke them, while the host runs or before
    Token {
        #[command(subcommand)]
        what: token::Token,
    },
}

#[derive(Subcommand)]
pub(crate) enum Deliveries {
    /// Translate again what could not be translated
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
        Command::Token { what } => token::run(what),
    }
}

/// Runs an async command on a new runtime.
pub(crate) fn wait(command: impl Future<Output = Result<ExitCode>>) -> Result<ExitCode> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(command)
}
