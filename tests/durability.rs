//! What survives the death of a host: kill, backup, files on their way.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    dead_code,
    missing_docs,
    unreachable_pub,
    reason = "a test fails by panicking; no one of these tests uses all that they share"
)]

#[path = "crash/bots.rs"]
mod bots;
#[path = "crash/followers.rs"]
mod followers;
#[path = "crash/judge.rs"]
mod judge;
#[path = "crash/load.rs"]
mod load;
#[path = "crash/process.rs"]
mod process;
#[path = "crash/random.rs"]
mod random;
#[path = "crash/records.rs"]
mod records;

#[path = "automation/killed.rs"]
mod automation_killed;
#[path = "backup.rs"]
mod backup;
#[path = "crash.rs"]
mod crash;
#[path = "large_files.rs"]
mod large_files;
