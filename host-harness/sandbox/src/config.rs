//! Owns: the limits of a sandbox, and every wasmtime setting with its reason.
//! Does not own: the limits of a component's structure (`count`).

use std::{ffi::OsString, path::PathBuf, time::Duration};

use wasmtime::{Config, InstanceAllocationStrategy, OptLevel, PoolingAllocationConfig};

use crate::count::ComponentBounds;

/// The limits of a sandbox. The defaults suit a server that translates webhooks.
#[derive(Clone, Debug)]
pub struct SandboxConfig {
    /// The largest component, in bytes.
    pub max_component_bytes: usize,
    /// Limits of a component's structure.
    pub bounds: ComponentBounds,
    /// Where components are compiled.
    pub compiler: Compiler,
    /// Linear memory of one call, in bytes.
    pub memory_bytes: usize,
    /// Linear memory of all calls together, of which a channel gets half, in bytes.
    pub all_memory_bytes: usize,
    /// Elements of a table of one call.
    pub table_elements: usize,
    /// What one call may pass to the host, in bytes.
    pub transfer_bytes: usize,
    /// The longest duration of a pure call.
    pub pure_deadline: Duration,
    /// The longest duration of a call that may use the network, waiting included.
    pub effect_deadline: Duration,
    /// Concurrent calls over all channels.
    pub instances: u32,
    /// The cache of compiled components. `None` compiles at every start.
    pub cache_dir: Option<PathBuf>,
    /// Counts the guest's instructions for [`Called::instructions`](crate::observe::Called). Slows calls down.
    pub count_instructions: bool,
}

impl Default for SandboxConfig {
    fn default() -> Self {
        Self {
            max_component_bytes: 32 << 20,
            bounds: ComponentBounds::default(),
            compiler: Compiler::default(),
            memory_bytes: 64 << 20,
            all_memory_bytes: 192 << 20,
            table_elements: 10_000,
            transfer_bytes: 16 << 20,
            pure_deadline: Duration::from_millis(500),
            effect_deadline: Duration::from_secs(60),
            instances: 64,
            cache_dir: None,
            count_instructions: false,
        }
    }
}

/// Where components are compiled.
#[derive(Clone, Debug, Default)]
pub enum Compiler {
    /// In this process, limited only by `count`: for your own components, and for tests.
    #[default]
    InProcess,
    /// In a child process of this program that only calls `compile_stdin`.
    Child {
        /// The program.
        program: PathBuf,
        /// Its arguments.
        arguments: Vec<OsString>,
        /// Its limits.
        limits: CompileLimits,
    },
}

/// Limits of compiling one component.
#[derive(Clone, Copy, Debug)]
pub struct CompileLimits {
    /// Memory, in bytes.
    pub memory_bytes: u64,
    /// CPU time over all threads, in seconds. Not wall time, so that a busy machine refuses nothing.
    pub cpu_seconds: u64,
}

impl Default for CompileLimits {
    /// Interpreters of 16 MB take 330 MB and 9 s on one core of a small machine.
    fn default() -> Self {
        Self { memory_bytes: 1 << 30, cpu_seconds: 120 }
    }
}

/// The interval at which the engine checks deadlines.
pub(crate) const TICK: Duration = Duration::from_millis(10);

/// Linear memory that stays mapped between calls, in bytes per pool slot. First touching fresh pages is most of the
/// cost of a fresh instance. Only what a call has grown to is zeroed, so small calls pay nothing for a size that suits
/// deliveries of hundreds of messages.
const RESIDENT_BYTES: usize = 1 << 20;
/// The same for tables.
const RESIDENT_TABLE_BYTES: usize = 1 << 16;

/// The wasmtime configuration for these limits.
pub(crate) fn engine_config(config: &SandboxConfig) -> Config {
    let core_instances = u32::try_from(config.bounds.core_instances).unwrap_or(u32::MAX);
    let mut pool = PoolingAllocationConfig::new();
    pool.total_component_instances(config.instances)
        .max_core_instances_per_component(core_instances)
        // Only a count; no memory is reserved.
        .total_core_instances(config.instances.saturating_mul(core_instances))
        .max_memories_per_component(1)
        .total_memories(config.instances)
        .max_memory_size(config.memory_bytes)
        .max_tables_per_component(4)
        .total_tables(config.instances.saturating_mul(4))
        .table_elements(config.table_elements)
        .linear_memory_keep_resident(RESIDENT_BYTES)
        .table_keep_resident(RESIDENT_TABLE_BYTES)
        .max_unused_warm_slots(config.instances);

    let mut engine = Config::new();
    engine
        .allocation_strategy(InstanceAllocationStrategy::Pooling(pool))
        .cranelift_opt_level(OptLevel::Speed)
        .epoch_interruption(true)
        .consume_fuel(config.count_instructions)
        // Guests run each call to the end; support for suspending them costs a third of a call.
        .concurrency_support(false)
        // Trap codes name a trap; backtrace tables would double the code that is loaded.
        .wasm_backtrace_max_frames(None)
        .generate_address_map(false)
        .native_unwind_info(false)
        // The same input gives the same output on every machine.
        .cranelift_nan_canonicalization(true)
        .relaxed_simd_deterministic(true)
        .max_wasm_stack(256 << 10)
        .wasm_component_model(true)
        // A channel is single-threaded plain code; every other proposal is attack surface.
        .wasm_memory64(false)
        // `count` allows one memory for each module. With the proposal off, wasmtime 48 panics on components that
        // exchange strings.
        .wasm_multi_memory(true)
        .wasm_tail_call(false);
    engine
}
