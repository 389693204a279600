//! Owns: connecting a channel's imports through the channel's own table, so that a call instantiates one module less.
//! Does not own: the encoding itself, and shortening it (`encode`); what is left out of the module (`prune`).
//!
//! An import that takes or returns a text needs the channel's memory, which is there only once the channel has been
//! instantiated. The encoder solves that with two small modules: a first one with a table and a function for each
//! import that calls through it, and a last one that fills the table. A table is what every Rust module has, so here
//! the channel's own grows by a slot for each import and the channel calls through that; the first module is gone.

use std::{collections::HashMap, ops::Range};

use wasm_encoder::{
    CodeSection, ComponentAliasSection, ComponentSectionId, ConstExpr, ElementSection, Elements, EntityType,
    ExportKind, ExportSection, Function, FunctionSection, ImportSection, InstanceSection, Module, ModuleArg,
    RawSection, RefType, TableSection, TableType, TypeSection,
    reencode::{self, Reencode, ReencodeComponent, RoundtripReencoder, component_utils, utils},
};
use wasmparser::{
    CanonicalFunction, CodeSectionReader, ComponentAlias, ComponentAliasSectionReader, ExportSectionReader,
    ExternalKind, FuncType, FunctionSectionReader, ImportSectionReader, Instance, Parser, Payload, TableSectionReader,
    TypeRef,
};

/// The name under which the encoder's modules pass the table of imports on.
const TABLE: &str = "$imports";

/// Rewrites an encoded component. One without imports, or of another shape than the encoder's, is returned unchanged.
pub(crate) fn through_own_table(component: Vec<u8>) -> Result<Vec<u8>, String> {
    let Some(plan) = Plan::new(&component).map_err(|error| error.to_string())? else { return Ok(component) };
    let mut rewritten = wasm_encoder::Component::new();
    let mut rewriting = Rewriting { plan, depth: 0, module: 0, instance: 0 };
    rewriting.parse_component(&mut rewritten, Parser::new(0), &component).map_err(|error| error.to_string())?;
    Ok(rewritten.finish())
}

/// The top level of a component: the items with an index that play a part here.
#[derive(Default)]
struct Read<'a> {
    modules: Vec<Range<usize>>,
    instances: Vec<Instance<'a>>,
    /// Core functions: the instance that exports one and its name there; `None` for those of the host.
    functions: Vec<Option<(u32, &'a str)>>,
    /// Core tables: the instance that exports one and its name there, and how many instances stood before the alias.
    tables: Vec<(u32, &'a str, usize)>,
}

impl<'a> Read<'a> {
    fn component(component: &'a [u8]) -> Result<Self, wasmparser::Error> {
        let (mut read, mut depth) = (Self::default(), 0_u32);
        for payload in Parser::new(0).parse_all(component) {
            let payload = payload?;
            match payload {
                Payload::End(_) => depth = depth.saturating_sub(1),
                Payload::ModuleSection { ref unchecked_range, .. } if depth == 0 => {
                    read.modules.push(unchecked_range.clone());
                    depth += 1;
                }
                Payload::ModuleSection { .. } | Payload::ComponentSection { .. } => depth += 1,
                _ if depth > 0 => {}
                Payload::InstanceSection(instances) => {
                    for instance in instances {
                        read.instances.push(instance?);
                    }
                }
                Payload::ComponentAliasSection(aliases) => {
                    for alias in aliases {
                        read.alias(&alias?);
                    }
                }
                Payload::ComponentCanonicalSection(functions) => {
                    for function in functions {
                        if !matches!(function?, CanonicalFunction::Lift { .. }) {
                            read.functions.push(None);
                        }
                    }
                }
                _ => {}
            }
        }
        Ok(read)
    }

    fn alias(&mut self, alias: &ComponentAlias<'a>) {
        if let ComponentAlias::CoreInstanceExport { kind, instance_index, name } = *alias {
            match kind {
                ExternalKind::Func => self.functions.push(Some((instance_index, name))),
                ExternalKind::Table => self.tables.push((instance_index, name, self.instances.len())),
                _ => {}
            }
        }
    }

    /// The slot of a function that is one of the first module's.
    fn slot(&self, function: u32, first: u32) -> Option<u32> {
        let (instance, name) = (*self.functions.get(index(function))?)?;
        if instance == first { name.parse().ok() } else { None }
    }

    /// What an instance hands on, if it only renames.
    fn renamed(&self, instance: u32) -> Option<&[wasmparser::Export<'a>]> {
        match self.instances.get(index(instance))? {
            Instance::FromExports(exports) => Some(exports),
            Instance::Instantiate { .. } => None,
        }
    }
}

fn index(number: u32) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

fn number(index: usize) -> u32 {
    u32::try_from(index).unwrap_or(u32::MAX)
}

/// What happens to the modules and instances of a component.
struct Plan {
    /// The encoder's first module, and its instance.
    first: (u32, u32),
    /// The channel's module and its instance, and the module without imports.
    channel: (u32, u32, Vec<u8>),
    /// The encoder's last module, and the one in its place.
    last: (u32, Vec<u8>),
    /// New indices; `None` for what is left out.
    functions: Vec<Option<u32>>,
    instances: Vec<Option<u32>>,
}

impl Plan {
    fn new(component: &[u8]) -> Result<Option<Self>, reencode::Error> {
        let read = Read::component(component)?;
        let Some((first, channel, last, renaming)) = shape(&read) else { return Ok(None) };
        let module = |index: usize| read.modules.get(index).and_then(|range| component.get(range.clone()));
        let Some(bytes) = module(index(channel.0)) else { return Ok(None) };
        let Some(own) = Own::read(bytes, &read, first.1, &renaming)? else { return Ok(None) };
        let numbered = |left_out: &dyn Fn(usize) -> bool, count: usize| {
            let mut next = 0;
            let new = |old| {
                (!left_out(old)).then(|| {
                    next += 1;
                    next - 1
                })
            };
            (0..count).map(new).collect::<Vec<Option<u32>>>()
        };
        let functions = numbered(
            &|old| read.functions.get(old).is_some_and(|from| from.is_some_and(|(from, _)| from == first.1)),
            read.functions.len(),
        );
        let left_out =
            |old: usize| number(old) == first.1 || renaming.values().any(|renaming| *renaming == number(old));
        let instances = numbered(&left_out, read.instances.len());
        let detached = (channel.0, channel.1, own.detached(bytes)?);
        Ok(Some(Self { first, channel: detached, last: (last, own.filling()?), functions, instances }))
    }
}

/// The first module and its instance, the channel's module and its instance, the last module, and by the name of an
/// import's interface the instance that gives it.
type Shape<'a> = ((u32, u32), (u32, u32), u32, HashMap<&'a str, u32>);

/// Finds the encoder's two modules. `None` if one of them is not there, or something else takes a part in it.
fn shape<'a>(read: &Read<'a>) -> Option<Shape<'a>> {
    let [(first, TABLE, before)] = *read.tables.as_slice() else { return None };
    let Instance::Instantiate { module_index: first_module, args } = read.instances.get(index(first))? else {
        return None;
    };
    if !args.is_empty() {
        return None;
    }
    let (mut channel, mut last) = (None, None);
    for (at, instance) in read.instances.iter().enumerate() {
        let Instance::Instantiate { module_index, args } = instance else { continue };
        if args.is_empty() {
            continue;
        }
        let of_first = |instance: u32| {
            let given = read.renamed(instance)?;
            let all =
                given.iter().all(|given| given.kind == ExternalKind::Func && read.slot(given.index, first).is_some());
            all.then_some(())
        };
        if args.iter().all(|arg| of_first(arg.index).is_some()) {
            let renaming = args.iter().map(|arg| (arg.name, arg.index)).collect();
            if channel.replace(((*module_index, number(at)), renaming)).is_some() {
                return None;
            }
        } else if last.replace(*module_index).is_some() {
            return None;
        }
    }
    let ((channel, instance), renaming) = channel?;
    // The table has to come from the channel now, which must be there by then.
    (index(instance) < before).then_some(((*first_module, first), (channel, instance), last?, renaming))
}

/// The channel's module: its imports with their slots, and its table.
struct Own {
    /// Type index, type and slot of each import.
    imports: Vec<(u32, FuncType, u32)>,
    /// The first slot of an import, behind the table's own ones.
    base: u32,
}

impl Own {
    /// `None` if it imports anything but functions of the first module, or has no table of a fixed size.
    fn read(
        module: &[u8],
        read: &Read<'_>,
        first: u32,
        renaming: &HashMap<&str, u32>,
    ) -> Result<Option<Self>, reencode::Error> {
        let (mut types, mut imports, mut tables) = (Vec::new(), Vec::new(), Vec::new());
        for payload in Parser::new(0).parse_all(module) {
            match payload? {
                Payload::TypeSection(section) => {
                    for ty in section.into_iter_err_on_gc_types() {
                        types.push(ty?);
                    }
                }
                Payload::ImportSection(section) => {
                    for import in section.into_imports() {
                        let import = import?;
                        let given = renaming.get(import.module).and_then(|instance| read.renamed(*instance));
                        let given = given.and_then(|given| given.iter().find(|given| given.name == import.name));
                        let slot = given.and_then(|given| read.slot(given.index, first));
                        let (TypeRef::Func(at), Some(slot)) = (import.ty, slot) else { return Ok(None) };
                        let Some(ty) = types.get(index(at)).cloned() else { return Ok(None) };
                        imports.push((at, ty, slot));
                    }
                }
                Payload::TableSection(section) => {
                    for table in section {
                        tables.push(table?.ty);
                    }
                }
                _ => {}
            }
        }
        // Each slot once, none missing.
        let mut slots = imports.iter().map(|(_, _, slot)| *slot).collect::<Vec<_>>();
        slots.sort_unstable();
        let whole = slots.iter().copied().eq(0..number(imports.len()));
        let [table] = tables.as_slice() else { return Ok(None) };
        let fixed = table.element_type == wasmparser::RefType::FUNCREF && table.maximum == Some(table.initial);
        let base = u32::try_from(table.initial).ok().filter(|_| whole && fixed);
        Ok(base.map(|base| Self { imports, base }))
    }

    fn table(&self) -> TableType {
        let slots = u64::from(self.base) + self.imports.len() as u64;
        TableType {
            element_type: RefType::FUNCREF,
            table64: false,
            minimum: slots,
            maximum: Some(slots),
            shared: false,
        }
    }

    /// The channel's module with a function in place of each import, under the same index, that calls through the
    /// import's slot.
    fn detached(&self, module: &[u8]) -> Result<Vec<u8>, reencode::Error> {
        let mut detached = Module::new();
        Detaching(self).parse_core_module(&mut detached, Parser::new(0), module)?;
        Ok(detached.finish())
    }

    /// The module that puts the host's functions into the slots.
    fn filling(&self) -> Result<Vec<u8>, reencode::Error> {
        let mut slots = self.imports.iter().collect::<Vec<_>>();
        slots.sort_by_key(|(_, _, slot)| *slot);
        let (mut types, mut imports, mut elements) = (TypeSection::new(), ImportSection::new(), ElementSection::new());
        for (at, (_, ty, slot)) in (0..).zip(&slots) {
            types.ty().func_type(&RoundtripReencoder.func_type(ty.clone())?);
            imports.import("", &slot.to_string(), EntityType::Function(at));
        }
        imports.import("", TABLE, self.table());
        let functions = (0..number(slots.len())).collect::<Vec<_>>();
        let base = ConstExpr::i32_const(self.base.cast_signed());
        elements.active(None, &base, Elements::Functions(functions.into()));
        let mut module = Module::new();
        module.section(&types).section(&imports).section(&elements);
        Ok(module.finish())
    }
}

struct Detaching<'a>(&'a Own);

impl Reencode for Detaching<'_> {
    type Error = std::convert::Infallible;

    fn parse_import_section(
        &mut self,
        _: &mut ImportSection,
        _: ImportSectionReader<'_>,
    ) -> Result<(), reencode::Error> {
        Ok(())
    }

    fn parse_function_section(
        &mut self,
        functions: &mut FunctionSection,
        section: FunctionSectionReader<'_>,
    ) -> Result<(), reencode::Error> {
        for (ty, _, _) in &self.0.imports {
            functions.function(*ty);
        }
        utils::parse_function_section(self, functions, section)
    }

    fn parse_table_section(
        &mut self,
        tables: &mut TableSection,
        _: TableSectionReader<'_>,
    ) -> Result<(), reencode::Error> {
        tables.table(self.0.table());
        Ok(())
    }

    fn parse_export_section(
        &mut self,
        exports: &mut ExportSection,
        section: ExportSectionReader<'_>,
    ) -> Result<(), reencode::Error> {
        utils::parse_export_section(self, exports, section)?;
        exports.export(TABLE, ExportKind::Table, 0);
        Ok(())
    }

    fn parse_code_section(
        &mut self,
        code: &mut CodeSection,
        section: CodeSectionReader<'_>,
    ) -> Result<(), reencode::Error> {
        for (at, ty, slot) in &self.0.imports {
            let mut function = Function::new([]);
            let mut instructions = function.instructions();
            for parameter in 0..number(ty.params().len()) {
                instructions.local_get(parameter);
            }
            instructions.i32_const((self.0.base + slot).cast_signed()).call_indirect(0, *at).end();
            code.function(&function);
        }
        utils::parse_code_section(self, code, section)
    }
}

struct Rewriting {
    plan: Plan,
    depth: u32,
    /// The indices of the next module and instance of the top.
    module: u32,
    instance: u32,
}

impl Rewriting {
    /// A new index. What is left out has none, and nothing that stays refers to it: a host would not load what does.
    fn renumbered(&self, new: &[Option<u32>], old: u32) -> u32 {
        if self.depth > 0 { old } else { new.get(index(old)).copied().flatten().unwrap_or(u32::MAX) }
    }
}

impl Reencode for Rewriting {
    type Error = std::convert::Infallible;

    fn function_index(&mut self, function: u32) -> Result<u32, reencode::Error> {
        Ok(self.renumbered(&self.plan.functions, function))
    }
}

impl ReencodeComponent for Rewriting {
    fn push_depth(&mut self) {
        self.depth += 1;
    }

    fn pop_depth(&mut self) {
        self.depth -= 1;
    }

    fn instance_index(&mut self, instance: u32) -> u32 {
        self.renumbered(&self.plan.instances, instance)
    }

    fn module_index(&mut self, module: u32) -> u32 {
        if self.depth == 0 && module > self.plan.first.0 { module - 1 } else { module }
    }

    fn parse_component_submodule(
        &mut self,
        component: &mut wasm_encoder::Component,
        _: Parser,
        module: &[u8],
    ) -> Result<(), reencode::Error> {
        let data: &[u8] = if self.depth > 0 {
            module
        } else {
            self.module += 1;
            match self.module - 1 {
                first if first == self.plan.first.0 => return Ok(()),
                channel if channel == self.plan.channel.0 => &self.plan.channel.2,
                last if last == self.plan.last.0 => &self.plan.last.1,
                _ => module,
            }
        };
        component.section(&RawSection { id: ComponentSectionId::CoreModule.into(), data });
        Ok(())
    }

    fn parse_instance(
        &mut self,
        instances: &mut InstanceSection,
        instance: Instance<'_>,
    ) -> Result<(), reencode::Error> {
        if self.depth > 0 {
            return component_utils::parse_instance(self, instances, instance);
        }
        self.instance += 1;
        let at = self.instance - 1;
        if at == self.plan.channel.1 {
            let module = self.module_index(self.plan.channel.0);
            instances.instantiate(module, std::iter::empty::<(&str, ModuleArg)>());
        } else if self.plan.instances.get(index(at)).is_some_and(Option::is_some) {
            component_utils::parse_instance(self, instances, instance)?;
        }
        Ok(())
    }

    fn parse_component_alias_section(
        &mut self,
        aliases: &mut ComponentAliasSection,
        section: ComponentAliasSectionReader<'_>,
    ) -> Result<(), reencode::Error> {
        for alias in section {
            let alias = match alias? {
                ComponentAlias::CoreInstanceExport { kind, instance_index, name }
                    if self.depth == 0 && instance_index == self.plan.first.1 =>
                {
                    if kind != ExternalKind::Table {
                        continue;
                    }
                    ComponentAlias::CoreInstanceExport { kind, instance_index: self.plan.channel.1, name }
                }
                other => other,
            };
            aliases.alias(self.component_alias(alias)?);
        }
        Ok(())
    }
}
