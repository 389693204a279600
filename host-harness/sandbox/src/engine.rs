//! The engine that all channels of a host share, and the way from bytes to a channel.
//! Belongs here: every setting of wasmtime, with its reason. Not here: calling.

use std::{path::PathBuf, sync::Arc, time::Duration};

use wasmtime::{Config, Engine, InstanceAllocationStrategy, OptLevel, PoolingAllocationConfig, component::Linker};

use crate::{
    cache::{ArtifactCache, Origin, load_compiled},
    channel::Channel,
    compiler::{self, Compiler},
    count::{ComponentBounds, count},
    effects::{CallState, add_imports},
    error::LoadError,
    inspect::inspect,
    memory::GuestMemory,
    observe::Observer,
};

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
    /// Whether what the guest executes is counted, for [`Called::instructions`](crate::Called). It makes calls slower.
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

/// How often the engine looks whether a call is over its deadline.
pub(crate) const TICK: Duration = Duration::from_millis(10);

/// Linear memory that stays mapped between calls, in bytes of each slot of the pool: first touching fresh
/// pages is most of what a fresh instance costs. What a call has grown to is zeroed, and nothing more, so a
/// small one pays nothing for the room that a delivery of hundreds of messages finds here.
const RESIDENT_BYTES: usize = 1 << 20;
/// The same for tables.
const RESIDENT_TABLE_BYTES: usize = 1 << 16;

/// Runs channels. Cloning shares it.
#[derive(Clone)]
pub struct Sandbox {
    inner: Arc<Shared>,
}

struct Shared {
    engine: Engine,
    linker: Linker<CallState>,
    cache: Option<ArtifactCache>,
    config: SandboxConfig,
    observer: Option<Arc<dyn Observer>>,
    memory: GuestMemory,
}

impl Sandbox {
    /// Sets up the engine and opens the cache.
    pub fn new(config: SandboxConfig) -> Result<Self, LoadError> {
        Self::observed(config, None)
    }

    /// The same, with somebody who watches every call.
    pub fn observed(config: SandboxConfig, observer: Option<Arc<dyn Observer>>) -> Result<Self, LoadError> {
        let unusable = |error: wasmtime::Error| LoadError::Engine(format!("{error:#}"));
        let engine = Engine::new(&engine_config(&config)).map_err(unusable)?;
        let mut linker = Linker::new(&engine);
        add_imports(&mut linker).map_err(unusable)?;
        let cache = config.cache_dir.as_deref().map(|dir| ArtifactCache::open(dir, &engine)).transpose()?;
        start_ticking(&engine)?;
        let memory = GuestMemory::new(config.all_memory_bytes);
        Ok(Self { inner: Arc::new(Shared { engine, linker, cache, config, observer, memory }) })
    }

    /// Inspects a component, compiles it or takes it from the cache, and tries it out.
    pub fn load(&self, bytes: &[u8]) -> Result<Channel, LoadError> {
        let Shared { engine, linker, cache, config, observer, memory } = &*self.inner;
        let inspection = inspect(bytes, config.max_component_bytes)?;
        let manifest = inspection.manifest()?;
        // Not for what is in the cache: it was counted when it was compiled.
        let compile = || {
            count(bytes, &config.bounds)?;
            match &config.compiler {
                Compiler::InProcess => {
                    engine.precompile_component(bytes).map_err(|e| LoadError::Incompatible(format!("{e:#}")))
                }
                Compiler::Child { program, arguments, limits } => {
                    compiler::in_child(program, arguments, *limits, config, bytes)
                }
            }
        };
        let (component, origin) = match cache {
            Some(cache) => cache.get_or_compile(&inspection.digest, engine, compile)?,
            None => (load_compiled(engine, &compile()?)?, Origin::Compiled),
        };
        let pre = linker.instantiate_pre(&component).map_err(|e| LoadError::Incompatible(format!("{e:#}")))?;
        Channel::new(pre, inspection, manifest, origin, config, memory, observer.clone())
    }
}

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

/// Advances the epoch until the engine is gone.
fn start_ticking(engine: &Engine) -> Result<(), LoadError> {
    let engine = engine.weak();
    std::thread::Builder::new()
        .name("sandbox-epoch".into())
        .spawn(move || {
            while let Some(engine) = engine.upgrade() {
                engine.increment_epoch();
                drop(engine);
                std::thread::sleep(TICK);
            }
        })
        .map(drop)
        .map_err(|error| LoadError::Engine(format!("the thread that stops runaway calls did not start: {error}")))
}
