//! Owns: a sandbox whose compiler is this program again, in a process of its own.
//! Does not own: compiling.

use std::{env, path::PathBuf};

use harness_sandbox::{CompileLimits, Compiler, SandboxConfig};

/// The argument with which this program is the compiler of another one.
pub(crate) const COMPILE: &str = "compile-component";

/// A sandbox that compiles in a process of its own.
pub(crate) fn sandbox(cache_dir: Option<PathBuf>) -> SandboxConfig {
    let compiler = match env::current_exe() {
        Ok(program) => {
            let arguments = vec![COMPILE.into()];
            Compiler::Child { program, arguments, limits: CompileLimits::default() }
        }
        // A program that does not know where it is: counting alone bounds it.
        Err(_) => Compiler::InProcess,
    };
    SandboxConfig { cache_dir, compiler, ..SandboxConfig::default() }
}
