//! Owns: the shape of the command line and its exit codes (0 done, 1 refused, 2 wrong usage).
//! Does not own: the commands.

#![allow(clippy::print_stdout, reason = "a command line speaks to the terminal")]

mod allocator;
mod backup;
mod bench;
mod build;
mod call;
mod check;
mod demo;
mod load;
mod locate;
mod log;
mod replay;
mod running;
mod serve;
mod sim;
mod telemetry;
mod token;
mod watch;

use std::{path::PathBuf, process::ExitCode};

use clap::{Parser, Subcommand};

/// Runs messaging channels as sandboxed WebAssembly components.
#[derive(Parser)]
#[command(name = "harness", bin_name = "cargo harness", version, max_term_width = 100)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Show a conversation end to end: a simulator of Meta, the channel in its sandbox, an inbox
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
    /// Make recorded calls again and show where the results differ; exit code 1 if any does
    Replay {
        /// What `serve --record` wrote
        file: PathBuf,
        /// The component, or the folder of a channel that is built first [default: plugin]
        #[arg(long, value_name = "PATH")]
        channel: Option<PathBuf>,
    },
    /// Deliveries in the journal of a running host
    #[command(subcommand)]
    Deliveries(Deliveries),
    /// Connect an account of a running host: a link for the browser, then the state until a test message came
    Connect {
        /// The channel's id, such as `instagram`
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
    /// Compile and encode a channel: from a folder with Cargo.toml and channel.toml to a component
    Build {
        /// The channel's folder [default: plugin]
        dir: Option<PathBuf>,
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
    /// Measure this machine
    Bench {
        #[command(subcommand)]
        bench: bench::Bench,
    },
    /// Run the simulator of Meta alone, on loopback
    Sim {
        /// The port; 0 takes a free one
        #[arg(long, default_value_t = 4000)]
        port: u16,
        /// Where webhooks go
        #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:8080/webhooks/instagram")]
        webhook: String,
        /// Write a configuration for a host that takes the simulator for Meta, with its secrets beside it
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

#[derive(Subcommand)]
enum Deliveries {
    /// Translate again what could not be translated
    Retry {
        /// The channel's id [default: all]
        channel: Option<String>,
        #[command(flatten)]
        running: running::Running,
    },
}

fn main() -> ExitCode {
    // Before anything else: this process does nothing but compile, and gets a component of strangers.
    if std::env::args_os().nth(1).is_some_and(|first| first == locate::COMPILE) {
        return harness_sandbox::compile_stdin();
    }
    allocator::keep_little();
    let arguments = Arguments::parse();
    let telemetry = match &arguments.command {
        Command::Serve { config, .. } => telemetry::Telemetry::of(config),
        _ => Ok(None),
    };
    let result = telemetry.and_then(|telemetry| {
        start_log(telemetry.as_ref());
        let result = run(arguments.command);
        if let Some(telemetry) = telemetry {
            telemetry.end();
        }
        result
    });
    match result {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {}", harness_contract::text::shown_lines(&log::told(&error)));
            ExitCode::FAILURE
        }
    }
}

fn run(command: Command) -> anyhow::Result<ExitCode> {
    match command {
        Command::Demo { script, channel } => runtime().and_then(|rt| rt.block_on(demo::run(script, channel))),
        Command::Serve { config, watch, record } => {
            runtime().and_then(|rt| rt.block_on(serve::run(&config, watch, record)))
        }
        Command::Replay { file, channel } => replay::run(&file, channel),
        Command::Deliveries(Deliveries::Retry { channel, running }) => {
            runtime().and_then(|rt| rt.block_on(running::retry_deliveries(&running, channel.as_deref())))
        }
        Command::Connect { channel, login, json, running } => {
            runtime().and_then(|rt| rt.block_on(running::connect(&running, &channel, login.as_deref(), json)))
        }
        Command::Doctor { account, probe, json, running } => {
            runtime().and_then(|rt| rt.block_on(running::doctor(&running, account.as_deref(), probe, json)))
        }
        Command::Disconnect { account, delete_conversations, running } => {
            runtime().and_then(|rt| rt.block_on(running::disconnect(&running, &account, delete_conversations)))
        }
        Command::Backup { dest, with_key, of } => {
            runtime().and_then(|rt| rt.block_on(backup::make(&of, &dest, with_key)))
        }
        Command::Restore { src, of } => runtime().and_then(|rt| rt.block_on(backup::restore(&of, &src))),
        Command::CheckInbox { of } => runtime().and_then(|rt| rt.block_on(backup::check(&of))),
        Command::Token { what } => token::run(what),
        Command::Build { dir, json } => build::run(dir, json),
        Command::Check { file, json } => check::run(&file, json),
        Command::Call(arguments) => call::run(&arguments),
        Command::Bench { bench } => runtime().and_then(|rt| rt.block_on(bench::run(bench))),
        Command::Sim { port, webhook, host_config, component, json } => {
            let host_config = host_config.map(|file| sim::HostConfig { file, component });
            runtime().and_then(|rt| rt.block_on(sim::run(port, webhook, host_config, json)))
        }
    }
}

fn runtime() -> anyhow::Result<tokio::runtime::Runtime> {
    Ok(tokio::runtime::Builder::new_multi_thread().enable_all().build()?)
}

/// Log lines go to standard error; `HARNESS_LOG` chooses them, such as `debug` or `harness_engine=trace`.
fn start_log(telemetry: Option<&telemetry::Telemetry>) {
    use std::io::IsTerminal as _;
    use tracing_subscriber::{Layer as _, filter::Targets, layer::SubscriberExt as _, util::SubscriberInitExt as _};
    let usual = || Targets::new().with_default(tracing::Level::WARN);
    let filter = std::env::var("HARNESS_LOG").ok().and_then(|text| text.parse().ok()).unwrap_or_else(usual);
    let lines = tracing_subscriber::fmt::layer()
        .with_writer(log::Lines::default)
        .with_ansi(std::io::stderr().is_terminal())
        .compact();
    match telemetry {
        // What is exported is not chosen by what is logged.
        Some(telemetry) => {
            tracing_subscriber::registry().with(lines.with_filter(filter)).with(telemetry.layer()).init();
        }
        None => tracing_subscriber::registry().with(lines).with(filter).init(),
    }
}
