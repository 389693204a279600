//! Owns: both ends of the compiler process, with limits on memory and CPU time. A malicious component may take forever
//! to compile, exhaust memory, or trigger a compiler bug.
//! Does not own: the checks before compiling (`count`), storing the result (`cache`).

use std::{
    ffi::OsString,
    io::{self, Read, Write},
    path::PathBuf,
    process::{Command, ExitCode, Stdio},
};

use wasmtime::Engine;

use crate::{
    config::{CompileLimits, SandboxConfig, engine_config},
    error::LoadError,
};

/// Prefix of the child's error if the compiler itself gives the reason.
const REFUSED: &str = "refused: ";
/// The most that is read of the child's error output, in bytes.
const MAX_WORDS: u64 = 4096;
/// Environment variables for the child: its limits, and the setting that changes the compiled form.
const MEMORY: &str = "HARNESS_COMPILE_MEMORY";
const CPU: &str = "HARNESS_COMPILE_CPU";
const COUNTING: &str = "HARNESS_COMPILE_COUNTING";

/// Compiles a component in a child process; returns its compiled form.
pub(crate) fn in_child(
    program: &PathBuf,
    arguments: &[OsString],
    limits: CompileLimits,
    config: &SandboxConfig,
    component: &[u8],
) -> Result<Vec<u8>, LoadError> {
    let failed = |error: io::Error| LoadError::Engine(format!("the compiler {}: {error}", program.display()));
    let mut child = Command::new(program)
        .args(arguments)
        // The compiler needs nothing from this process's environment.
        .env_clear()
        .env(MEMORY, limits.memory_bytes.to_string())
        .env(CPU, limits.cpu_seconds.to_string())
        .env(COUNTING, u8::from(config.count_instructions).to_string())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(failed)?;
    let (stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    let (mut code, mut words) = (Vec::new(), String::new());
    std::thread::scope(|scope| {
        scope.spawn(|| {
            // A child that exits early reports the reason in its status.
            let _ = stdin.map(|mut stdin| stdin.write_all(component));
        });
        scope.spawn(|| {
            let _ = stderr.map(|mut stderr| {
                let _ = stderr.by_ref().take(MAX_WORDS).read_to_string(&mut words);
                // Read to the end, so that the child never blocks on a full pipe.
                io::copy(&mut stderr, &mut io::sink())
            });
        });
        // Bounded by the child's memory.
        let _ = stdout.map(|mut stdout| stdout.read_to_end(&mut code));
    });
    let status = child.wait().map_err(failed)?;
    if status.success() {
        return Ok(code);
    }
    if let Some(reason) = words.trim().strip_prefix(REFUSED) {
        return Err(LoadError::Incompatible(harness_contract::text::shown(reason)));
    }
    Err(LoadError::CompilerEnded {
        how: status.to_string(),
        memory_mib: limits.memory_bytes >> 20,
        cpu_seconds: limits.cpu_seconds,
    })
}

/// The child process: reads a component from standard input and writes its compiled form to standard output. It first
/// limits itself as the environment says.
pub fn compile_stdin() -> ExitCode {
    match compile() {
        Ok(()) => ExitCode::SUCCESS,
        Err(reason) => {
            let _ = writeln!(io::stderr(), "{REFUSED}{reason}");
            ExitCode::FAILURE
        }
    }
}

fn compile() -> Result<(), String> {
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    bound(number(MEMORY), number(CPU)).map_err(|error| format!("the compiler cannot be bounded: {error}"))?;
    let config = SandboxConfig { count_instructions: number(COUNTING) == Some(1), ..SandboxConfig::default() };
    let mut component = Vec::new();
    io::stdin().read_to_end(&mut component).map_err(|error| error.to_string())?;
    let text = |error: wasmtime::Error| format!("{error:#}");
    let engine = Engine::new(&engine_config(&config)).map_err(text)?;
    let code = engine.precompile_component(&component).map_err(text)?;
    io::stdout().write_all(&code).map_err(|error| error.to_string())
}

/// Limits this process. Only writable memory counts, not reserved address space.
#[cfg(unix)]
fn bound(memory: Option<u64>, cpu: Option<u64>) -> io::Result<()> {
    use rustix::process::{Resource, Rlimit, setrlimit};
    for (resource, most) in [(Resource::Data, memory), (Resource::Cpu, cpu), (Resource::Core, Some(0))] {
        setrlimit(resource, Rlimit { current: most, maximum: most })?;
    }
    Ok(())
}

#[cfg(not(unix))]
fn bound(_memory: Option<u64>, _cpu: Option<u64>) -> io::Result<()> {
    Ok(())
}
