//! Owns: the engine that all channels of a host share, and loading a channel from bytes.
//! Does not own: wasmtime's settings (`config`), calling (`channel`).

use std::sync::Arc;

use harness_contract::manifest::Manifest;
use wasmtime::{Engine, component::Linker};

use crate::{
    cache::{ArtifactCache, Origin, load_compiled},
    channel::Channel,
    compiler,
    config::{Compiler, SandboxConfig, TICK, engine_config},
    count::count,
    effects::{CallState, add_imports},
    error::LoadError,
    inspect::{InspectError, Inspected, Inspection, inspect},
    memory::GuestMemory,
    observe::Observer,
};

/// Runs channels. Clones share it.
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

    /// The same with an observer of every call.
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

    /// Inspects a component, compiles it or loads it from the cache, and instantiates it once.
    pub fn load(&self, bytes: &[u8]) -> Result<Channel, LoadError> {
        let inspection = inspect(bytes, self.inner.config.max_component_bytes)?;
        let manifest = inspection.manifest()?;
        self.prepare(bytes, inspection, manifest)
    }

    /// The same with a component that was inspected.
    pub fn load_inspected(&self, inspected: Inspected) -> Result<Channel, LoadError> {
        let Inspected { bytes, inspection, manifest } = inspected;
        let (size, max) = (bytes.len(), self.inner.config.max_component_bytes);
        // Whoever inspected it may have allowed more.
        if size > max {
            return Err(InspectError::TooLarge { size, max }.into());
        }
        self.prepare(&bytes, inspection, manifest)
    }

    fn prepare(&self, bytes: &[u8], inspection: Inspection, manifest: Manifest) -> Result<Channel, LoadError> {
        let Shared { engine, linker, cache, config, observer, memory } = &*self.inner;
        // A cached component was counted when it was compiled.
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

/// Advances the epoch until the engine is dropped.
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
