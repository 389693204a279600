//! Owns: the bounds of a sandbox, and every setting of wasmtime, with its reason.
//! Does not own: what a component may consist of (`count`).

use std::{ffi::OsString, path::PathBuf, time::Duration};

use wasmtime::{Config, InstanceAllocationStrategy, OptLevel, PoolingAllocationConfig};

use crate::count::ComponentBounds;

/// The bounds of a sandbox. The defaults suit a server that translates webhooks.
#[derive(Clone, Debug)]
pub struct SandboxConfig {
    /// The largest component taken, in bytes.
    pub max_component_bytes: usize,
    /// What a component may consist of.
    pub bounds: ComponentBounds,
    /// Where components are compiled.
    pub compiler: Compiler,
    /// Linear memory of one call, in bytes.
    pub memory_bytes: usize,
    /// Linear memory of all calls together, of which a channel gets half, in bytes.
    pub all_memory_bytes: usize,
    /// Elements of a table of one call.
    pub table_elements: usize,
    /// What one call may hand over to the host, in bytes.
    pub transfer_bytes: usize,
    /// Time of one pure call.
    pub pure_deadline: Duration,
    /// Time of one call that may use the network; waiting counts.
    pub effect_deadline: Duration,
    /// Calls at the same time, over all channels.
    pub instances: u32,
    /// Where compiled components are kept. None compiles at every start.
    pub cache_dir: Option<PathBuf>,
    /// Whether what the guest executes is counted, for [`Called::instructions`](crate::observe::Called). It makes calls slower.
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

/// How components are compiled.
#[derive(Clone, Debug, Default)]
pub enum Compiler {
    /// In this process, where only counting bounds it: for components that one has built oneself, and for tests.
    #[default]
    InProcess,
    /// In a process of this program, which does nothing but call `compile_stdin`.
    Child {
        /// The program.
        program: PathBuf,
        /// Its arguments.
        arguments: Vec<OsString>,
        /// Its bounds.
        limits: CompileLimits,
    },
}

/// What compiling one component may take.
#[derive(Clone, Copy, Debug)]
pub struct CompileLimits {
    /// Memory, in bytes.
    pub memory_bytes: u64,
    /// Processor time over all threads, in seconds. Not time that passes: a busy machine refuses nothing for it.
    pub cpu_seconds: u64,
}

impl Default for CompileLimits {
    /// Interpreters of 16 MB take 330 MB and 9 s on one core of a small machine.
    fn default() -> Self {
        Self { memory_bytes: 1 << 30, cpu_seconds: 120 }
    }
}

/// How often the engine looks whether a call is over its deadline.
pub(crate) const TICK: Duration = Duration::from_millis(10);

/// Linear memory that stays mapped between calls, in bytes of each slot of the pool: first touching fresh
/// pages is most of what a fresh instance costs. What a call has grown to is zeroed, and nothing more, so a
/// small one pays nothing for the room that a delivery of hundreds of messages finds here.
const RESIDENT_BYTES: usize = 1 << 20;
/// The same for tables.
const RESIDENT_TABLE_BYTES: usize = 1 << 16;

/// wasmtime, set up for these bounds.
pub(crate) fn engine_config(config: &SandboxConfig) -> Config {
    let mut pool = PoolingAllocationConfig::new();
    pool.total_component_instances(config.instances)
        // A component is one module and the glue that connects its imports.
        .max_core_instances_per_component(8)
        .total_core_instances(config.instances.saturating_mul(4))
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
        // Guests run to the end of a call; the machinery for suspending them costs a third of a call.
        .concurrency_support(false)
        // Traps are named by their code; tables for backtraces would double what is loaded.
        .wasm_backtrace_max_frames(None)
        .generate_address_map(false)
        .native_unwind_info(false)
        // The same input gives the same output on every machine.
        .cranelift_nan_canonicalization(true)
        .relaxed_simd_deterministic(true)
        .max_wasm_stack(256 << 10)
        .wasm_component_model(true)
        // A channel is one thread of plain code; every other proposal is attack surface.
        .wasm_memory64(false)
        // Each module has one memory at most (`count`); with the proposal off, wasmtime 48 panics over components
        // that exchange texts.
        .wasm_multi_memory(true)
        .wasm_tail_call(false);
    engine
}
