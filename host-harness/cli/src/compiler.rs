//! Owns: a sandbox that compiles in a child process of this program.
//! Does not own: compiling.

use std::{env, path::PathBuf};

use harness_sandbox::{CompileLimits, Compiler, SandboxConfig};

/// The argument that makes this program act as the compiler.
pub(crate) const COMPILE: &str = "compile-component";

/// A sandbox that compiles in a child process.
pub(crate) fn sandbox(cache_dir: Option<PathBuf>) -> SandboxConfig {
    let compiler = match env::current_exe() {
        Ok(program) => {
            let arguments = vec![COMPILE.into()];
            Compiler::Child { program, arguments, limits: CompileLimits::default() }
        }
        // The program's own path is unknown: compile here, limited only by counting.
        Err(_) => Compiler::InProcess,
    };
    SandboxConfig { cache_dir, compiler, ..SandboxConfig::default() }
}
