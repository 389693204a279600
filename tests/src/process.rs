//! `harness serve` in a process of its own. Belongs here: its start, its address, its end. Not here: what it serves.

use std::{
    io::{BufRead as _, BufReader},
    process::{Child, Command, ExitStatus, Stdio},
};

/// The process. It ends with this.
pub struct Process {
    child: Child,
    /// `http://127.0.0.1:…`
    pub address: String,
}

impl Process {
    /// Starts it, and waits until it listens.
    pub fn start(command: &mut Command) -> Self {
        let started = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn();
        let mut child = started.unwrap_or_else(|error| panic!("{command:?}: {error}"));
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let first = lines.next().unwrap_or_else(|| panic!("{command:?} did not start")).unwrap();
        let address = first.strip_prefix("listening on ").unwrap_or_else(|| panic!("it said: {first}")).to_owned();
        // A closed pipe would end it: what it says later finds somebody who reads.
        std::thread::spawn(move || lines.for_each(drop));
        Self { child, address }
    }

    /// Its number.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Whether it still runs.
    pub fn runs(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    /// Waits until it has ended by itself.
    pub fn ended(&mut self) -> ExitStatus {
        self.child.wait().unwrap()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
