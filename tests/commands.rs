//! The `harness` command as a process of its own.

#[path = "accounts_by_command.rs"]
mod accounts_by_command;
#[path = "bench_inbox.rs"]
mod bench_inbox;
#[path = "command_line.rs"]
mod command_line;
#[path = "compile_bombs.rs"]
mod compile_bombs;
#[path = "packages/parts.rs"]
mod parts;
#[path = "publish.rs"]
mod publish;
#[path = "packages/reproducible.rs"]
mod reproducible;
#[path = "simulator_by_command.rs"]
mod simulator_by_command;
#[path = "telemetry.rs"]
mod telemetry;
#[path = "told.rs"]
mod told;
#[path = "users_by_command.rs"]
mod users_by_command;
