//! Owns: limits of a component's structure, counted in one pass before compiling.
//! Does not own: names and manifest (`inspect`), time and memory of compiling (`compiler`).

use wasmparser::{
    ComponentAlias, ComponentExternalKind, ComponentInstance, ComponentOuterAliasKind, ComponentTypeRef, FunctionBody,
    Instance, Operator, Parser, Payload,
};

use crate::inspect::reason;

/// The limits of a component. The defaults leave room for an interpreter: the largest measured has 38 core modules and
/// functions of some hundred kilobytes.
#[derive(Clone, Copy, Debug)]
pub struct ComponentBounds {
    /// Depth of nested components.
    pub depth: usize,
    /// Instances, each counted as often as it is created: a component may be instantiated repeatedly.
    pub instances: u64,
    /// Instances of core modules, counted in the same way. Determines the size of the instance pool.
    pub core_instances: u64,
    /// Components and core modules.
    pub modules: u64,
    /// Core functions, and functions lifted or lowered at a component's boundary.
    pub functions: u64,
    /// Items of all sections without their own limit: types, imports, exports, aliases, elements, data.
    pub items: u64,
    /// The largest function, in bytes.
    pub function_bytes: u64,
    /// The most locals of a function.
    pub locals: u64,
    /// A function's locals times its blocks: compile time grows with both.
    pub locals_by_blocks: u64,
    /// The most memories of a core module.
    pub memories: u64,
}

impl Default for ComponentBounds {
    fn default() -> Self {
        Self {
            depth: 8,
            instances: 256,
            // A component is one module and the adapters that connect its imports.
            core_instances: 8,
            modules: 256,
            functions: 200_000,
            items: 400_000,
            function_bytes: 1 << 20,
            locals: 20_000,
            locals_by_blocks: 8 << 20,
            memories: 1,
        }
    }
}

/// Why a component is not compiled.
#[derive(Debug, thiserror::Error)]
pub enum ShapeError {
    /// More than the limit.
    #[error("the component has {found} {what}, and a component may have {max}")]
    TooMany {
        /// What was counted.
        what: &'static str,
        /// The count so far.
        found: u64,
        /// The limit.
        max: u64,
    },
    /// More core instances than the instance pool allows.
    #[error(
        "the component is made of {found} core modules, and this host takes at most {max}; interpreters have more: allow them with `core-instances = {found}` under `[limits]` of the host's configuration"
    )]
    TooManyCoreInstances {
        /// The total that it instantiates.
        found: u64,
        /// The limit.
        max: u64,
    },
    /// It imports or exports components as values, so its instances cannot be counted.
    #[error("the component imports, exports or aliases other components; one that is linked statically does not")]
    ComponentsAsValues,
    /// It refers to a missing component.
    #[error("the component names a component {0} that it does not have")]
    NoComponent(u32),
    /// It cannot be read.
    #[error("the component is malformed at byte {offset}: {reason}")]
    Malformed {
        /// The offset.
        offset: usize,
        /// The parser's message.
        reason: String,
    },
}

impl From<wasmparser::BinaryReaderError> for ShapeError {
    fn from(error: wasmparser::BinaryReaderError) -> Self {
        Self::Malformed { offset: error.offset(), reason: reason(&error) }
    }
}

/// How many instances are created.
#[derive(Clone, Copy, Default)]
struct Created {
    all: u64,
    core: u64,
}

/// A component or module that is being read.
#[derive(Default)]
struct Frame {
    /// The instances that each component in scope creates.
    components: Vec<Created>,
    /// The instances that this one creates.
    created: Created,
    /// Whether it is a core module, which does not enter its parent's component index space.
    is_module: bool,
    memories: u64,
}

struct Counter {
    bounds: ComponentBounds,
    frames: Vec<Frame>,
    modules: u64,
    functions: u64,
    items: u64,
}

/// Checks a component against the limits. Nothing is compiled.
pub fn count(bytes: &[u8], bounds: &ComponentBounds) -> Result<(), ShapeError> {
    let mut counter = Counter { bounds: *bounds, frames: vec![Frame::default()], modules: 0, functions: 0, items: 0 };
    Parser::new(0).parse_all(bytes).try_for_each(|payload| counter.take(payload?))?;
    // Checked at the end, so that the error has the total that the limit must allow.
    let found = counter.frames.first().map_or(0, |outermost| outermost.created.core);
    let max = bounds.core_instances;
    if found > max { Err(ShapeError::TooManyCoreInstances { found, max }) } else { Ok(()) }
}

/// Adds to a limited count.
fn add(number: &mut u64, more: u64, what: &'static str, max: u64) -> Result<(), ShapeError> {
    *number = number.saturating_add(more);
    if *number > max { Err(ShapeError::TooMany { what, found: *number, max }) } else { Ok(()) }
}

impl Counter {
    fn take(&mut self, payload: Payload<'_>) -> Result<(), ShapeError> {
        match payload {
            Payload::ModuleSection { .. } => self.enter(true),
            Payload::ComponentSection { .. } => self.enter(false),
            Payload::End(_) => self.leave(),
            Payload::InstanceSection(section) => {
                for instance in section {
                    if let Instance::Instantiate { args, .. } = instance? {
                        self.items(args.len() as u64)?;
                        self.instantiate(Created { all: 1, core: 1 })?;
                    }
                }
                Ok(())
            }
            Payload::ComponentInstanceSection(section) => {
                for instance in section {
                    match instance? {
                        ComponentInstance::Instantiate { component_index, args } => {
                            self.items(args.len() as u64)?;
                            let inside = self.component(0, component_index)?;
                            self.instantiate(Created { all: inside.all.saturating_add(1), ..inside })?;
                        }
                        ComponentInstance::FromExports(exports) => self.items(exports.len() as u64)?,
                    }
                }
                Ok(())
            }
            Payload::ComponentAliasSection(section) => {
                self.items(section.count().into())?;
                section.into_iter().try_for_each(|alias| self.alias(alias?))
            }
            Payload::ComponentImportSection(section) => {
                self.items(section.count().into())?;
                for import in section {
                    if let ComponentTypeRef::Component(_) = import?.ty {
                        return Err(ShapeError::ComponentsAsValues);
                    }
                }
                Ok(())
            }
            Payload::ComponentExportSection(section) => {
                self.items(section.count().into())?;
                for export in section {
                    if export?.kind == ComponentExternalKind::Component {
                        return Err(ShapeError::ComponentsAsValues);
                    }
                }
                Ok(())
            }
            Payload::ComponentCanonicalSection(section) => self.functions(section.count().into()),
            Payload::FunctionSection(section) => self.functions(section.count().into()),
            Payload::MemorySection(section) => {
                let max = self.bounds.memories;
                let Some(frame) = self.frames.last_mut() else { return Ok(()) };
                add(&mut frame.memories, section.count().into(), "memories in one module", max)
            }
            Payload::CodeSectionEntry(body) => self.body(&body),
            Payload::TypeSection(section) => self.items(section.count().into()),
            Payload::CoreTypeSection(section) => self.items(section.count().into()),
            Payload::ComponentTypeSection(section) => self.items(section.count().into()),
            Payload::ImportSection(section) => self.items(section.count().into()),
            Payload::ExportSection(section) => self.items(section.count().into()),
            Payload::TableSection(section) => self.items(section.count().into()),
            Payload::GlobalSection(section) => self.items(section.count().into()),
            Payload::ElementSection(section) => self.items(section.count().into()),
            Payload::DataSection(section) => self.items(section.count().into()),
            _ => Ok(()),
        }
    }

    fn enter(&mut self, is_module: bool) -> Result<(), ShapeError> {
        add(&mut self.modules, 1, "components and modules", self.bounds.modules)?;
        let depth = self.frames.len() as u64;
        if self.frames.len() > self.bounds.depth {
            let max = self.bounds.depth as u64;
            return Err(ShapeError::TooMany { what: "components within each other", found: depth, max });
        }
        self.frames.push(Frame { is_module, ..Frame::default() });
        Ok(())
    }

    fn leave(&mut self) -> Result<(), ShapeError> {
        if self.frames.len() < 2 {
            return Ok(());
        }
        let Some(done) = self.frames.pop() else { return Ok(()) };
        if !done.is_module
            && let Some(parent) = self.frames.last_mut()
        {
            parent.components.push(done.created);
        }
        Ok(())
    }

    fn items(&mut self, more: u64) -> Result<(), ShapeError> {
        add(&mut self.items, more, "items in its sections", self.bounds.items)
    }

    fn functions(&mut self, more: u64) -> Result<(), ShapeError> {
        add(&mut self.functions, more, "functions", self.bounds.functions)
    }

    fn instantiate(&mut self, more: Created) -> Result<(), ShapeError> {
        let max = self.bounds.instances;
        let Some(frame) = self.frames.last_mut() else { return Ok(()) };
        frame.created.core = frame.created.core.saturating_add(more.core);
        add(&mut frame.created.all, more.all, "instances", max)
    }

    /// The instances that the component at this index creates, `outward` levels up.
    fn component(&self, outward: u32, index: u32) -> Result<Created, ShapeError> {
        let place = usize::try_from(outward).unwrap_or(usize::MAX).saturating_add(1);
        let frame = self.frames.len().checked_sub(place).and_then(|at| self.frames.get(at));
        let found = frame.and_then(|frame| frame.components.get(usize::try_from(index).unwrap_or(usize::MAX)));
        found.copied().ok_or(ShapeError::NoComponent(index))
    }

    fn alias(&mut self, alias: ComponentAlias<'_>) -> Result<(), ShapeError> {
        match alias {
            ComponentAlias::Outer { kind: ComponentOuterAliasKind::Component, count, index } => {
                let created = self.component(count, index)?;
                if let Some(frame) = self.frames.last_mut() {
                    frame.components.push(created);
                }
                Ok(())
            }
            ComponentAlias::InstanceExport { kind: ComponentExternalKind::Component, .. } => {
                Err(ShapeError::ComponentsAsValues)
            }
            _ => Ok(()),
        }
    }

    fn body(&self, body: &FunctionBody<'_>) -> Result<(), ShapeError> {
        let bounds = &self.bounds;
        add(&mut 0, body.as_bytes().len() as u64, "bytes of code in one function", bounds.function_bytes)?;
        let mut locals = 0;
        for group in body.get_locals_reader()? {
            add(&mut locals, group?.0.into(), "local variables in one function", bounds.locals)?;
        }
        let mut blocks = 1u64;
        for operator in body.get_operators_reader()? {
            blocks = blocks.saturating_add(match operator? {
                Operator::Block { .. } | Operator::Loop { .. } | Operator::If { .. } | Operator::Else => 1,
                Operator::BrTable { targets } => targets.len().into(),
                _ => continue,
            });
        }
        let product = locals.max(1).saturating_mul(blocks);
        add(&mut 0, product, "locals times blocks in one function", bounds.locals_by_blocks)
    }
}
