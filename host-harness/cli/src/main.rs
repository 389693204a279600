//! Owns: the structure of the command line, and the exit codes (0 success, 1 failure, 2 wrong usage).
//! Does not own: the commands.

#![allow(clippy::print_stdout, reason = "a command line speaks to the terminal")]

mod allocator;
#[cfg(feature = "author")]
mod author;
mod compiler;
mod log;
mod operator;
mod progress;
#[cfg_attr(not(feature = "otlp"), path = "no_telemetry.rs")]
mod telemetry;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Runs messaging channels as sandboxed WebAssembly components.
#[derive(Parser)]
#[command(name = "harness", bin_name = harness_cli::NAME, version, max_term_width = 100)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    #[command(flatten)]
    Operator(operator::Command),
    #[cfg(feature = "author")]
    #[command(flatten)]
    Author(author::Command),
}

fn main() -> ExitCode {
    // Before anything else: the compiler process handles an untrusted component and must do nothing but compile.
    if std::env::args_os().nth(1).is_some_and(|first| first == compiler::COMPILE) {
        return harness_sandbox::compile_stdin();
    }
    allocator::keep_little();
    let arguments = Arguments::parse();
    let telemetry = match &arguments.command {
        Command::Operator(operator::Command::Serve { config, .. }) => telemetry::Telemetry::of(config),
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
        // An author's command under an operator's name: it needs what builds components.
        #[cfg(feature = "author")]
        Command::Operator(operator::Command::Packages(operator::packages::Command::Verify {
            rebuild: Some(source),
            package: Some(package),
            json,
            ..
        })) => operator::wait(author::rebuild::run(&source, &package, json)),
        Command::Operator(command) => operator::run(command),
        #[cfg(feature = "author")]
        Command::Author(command) => author::run(command),
    }
}

/// Starts logging to standard error. `HARNESS_LOG` selects the lines, e.g. `debug` or `harness_engine=trace`.
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
        // The log filter does not apply to exported traces.
        Some(telemetry) => {
            tracing_subscriber::registry().with(lines.with_filter(filter)).with(telemetry.layer()).init();
        }
        None => tracing_subscriber::registry().with(lines).with(filter).init(),
    }
}
