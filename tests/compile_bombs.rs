//! Components that are made to hurt whoever compiles them: counted before, and compiled in a process of its own, with
//! bounds of memory and processor time, beside a host that goes on.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    reason = "a test fails by panicking"
)]

use channel_tests::{handmade::Handmade, hostile, instagram};
use harness_sandbox::{
    CompileLimits, Compiler, ComponentBounds, LoadError, Origin, Sandbox, SandboxConfig, ShapeError,
};
use wasm_encoder::{
    Alias, BlockType, CanonicalFunctionSection, CanonicalOption, CodeSection, Component, ComponentAliasSection,
    ComponentExportKind, ComponentExportSection, ComponentImportSection, ComponentInstanceSection,
    ComponentOuterAliasKind, ComponentSection as _, ComponentTypeRef, ComponentTypeSection, ConstExpr, DataSection,
    EntityType, ExportKind, ExportSection, Function, FunctionSection, ImportSection, InstanceSection, Instruction as I,
    MemorySection, MemoryType, Module, ModuleArg, ModuleSection, NestedComponentSection, PrimitiveValType, TypeSection,
    ValType,
};

/// The program of this repository as the compiler of another process.
fn child(limits: CompileLimits) -> Compiler {
    let program = env!("CARGO_BIN_EXE_harness").into();
    Compiler::Child { program, arguments: vec!["compile-component".into()], limits }
}

fn load(component: &[u8], config: SandboxConfig) -> Result<Origin, LoadError> {
    Sandbox::new(config).unwrap().load(component).map(|channel| channel.origin())
}

fn refused(component: &[u8]) -> String {
    match load(component, SandboxConfig::default()) {
        Err(LoadError::Shape(error @ (ShapeError::TooMany { .. } | ShapeError::ComponentsAsValues))) => {
            error.to_string()
        }
        other => panic!("{other:?}"),
    }
}

/// A sound channel with one more component in it.
fn with(nested: &Component) -> Vec<u8> {
    let mut bytes = hostile().1.clone();
    NestedComponentSection(nested).append_to_component(&mut bytes);
    bytes
}

/// The same, and it is instantiated: what nothing uses is not compiled.
fn used(nested: &Component) -> Vec<u8> {
    let mut bytes = with(nested);
    let nothing = std::iter::empty::<(&str, ComponentExportKind, u32)>();
    let index = nested_components(&hostile().1);
    ComponentInstanceSection::new().instantiate(index, nothing).append_to_component(&mut bytes);
    bytes
}

/// A component of one module that is instantiated, and behind it others of which each instantiates the one before it
/// twice.
fn doubling(times: u32) -> Component {
    let mut first = Component::new();
    first.section(&ModuleSection(&Module::new()));
    first.section(InstanceSection::new().instantiate(0, std::iter::empty::<(&str, ModuleArg)>()));
    let mut all = Component::new();
    all.section(&NestedComponentSection(&first));
    for before in 0..times {
        let mut next = Component::new();
        let kind = ComponentOuterAliasKind::Component;
        next.section(ComponentAliasSection::new().alias(Alias::Outer { kind, count: 1, index: before }));
        let nothing = std::iter::empty::<(&str, ComponentExportKind, u32)>;
        next.section(ComponentInstanceSection::new().instantiate(0, nothing()).instantiate(0, nothing()));
        all.section(&NestedComponentSection(&next));
    }
    all
}

fn nested(depth: usize) -> Component {
    let mut outer = Component::new();
    if depth > 0 {
        outer.section(&NestedComponentSection(&nested(depth - 1)));
    }
    outer
}

/// Many loops within each other, whose innermost touches as many variables.
fn tangle(locals: u32, loops: usize) -> Handmade {
    let mut code = vec![I::Loop(BlockType::Empty); loops];
    for local in 20..20 + locals {
        code.extend([I::LocalGet(local), I::I32Const(1), I::I32Add, I::LocalSet(local)]);
    }
    for _ in 0..loops {
        code.extend([I::LocalGet(20), I::BrIf(0), I::End]);
    }
    code.push(I::Unreachable);
    Handmade { parse_webhook: code, locals: locals + 20, ..Handmade::default() }
}

#[test]
fn what_a_component_would_make_is_counted_before_anything_is_compiled() {
    assert!(refused(&with(&doubling(30))).contains("instances, and a component may have 256"));
    assert!(refused(&with(&nested(12))).contains("components within each other"));
    let mut modules = Component::new();
    for _ in 0..300 {
        modules.section(&ModuleSection(&Module::new()));
    }
    assert!(refused(&with(&modules)).contains("components and modules"));

    let mut memories = MemorySection::new();
    let memory = MemoryType { minimum: 1, maximum: None, memory64: false, shared: false, page_size_log2: None };
    memories.memory(memory).memory(memory);
    let mut module = Module::new();
    module.section(&memories);
    let mut two = Component::new();
    two.section(&ModuleSection(&module));
    assert!(refused(&with(&two)).contains("memories in one module"));

    assert!(refused(&tangle(4_000, 3_000).component()).contains("locals times blocks"));
    assert!(refused(&tangle(30_000, 1).component()).contains("local variables"));
    let mut long = vec![I::Nop; 2 << 20];
    long.push(I::Unreachable);
    assert!(refused(&Handmade { parse_webhook: long, ..Handmade::default() }.component()).contains("bytes of code"));

    let mut import = Component::new();
    import.section(ComponentTypeSection::new().component_and_nothing());
    import.section(ComponentImportSection::new().import("c", ComponentTypeRef::Component(0)));
    assert!(refused(&with(&import)).contains("other components"));
}

trait EmptyComponentType {
    fn component_and_nothing(&mut self) -> &Self;
}

impl EmptyComponentType for ComponentTypeSection {
    fn component_and_nothing(&mut self) -> &Self {
        self.component(&wasm_encoder::ComponentType::new());
        self
    }
}

#[test]
fn a_component_that_compiles_for_ever_or_eats_all_memory_ends_with_its_process() {
    let bounds = ComponentBounds {
        locals_by_blocks: u64::MAX,
        instances: u64::MAX,
        core_instances: u64::MAX,
        ..ComponentBounds::default()
    };
    let limits = |memory_mib: u64, cpu_seconds| CompileLimits { memory_bytes: memory_mib << 20, cpu_seconds };
    for (name, component, limits) in [
        ("endless", tangle(4_000, 3_000).component(), limits(2048, 1)),
        ("hungry", tangle(4_000, 3_000).component(), limits(96, 600)),
        ("an explosion", used(&exploding()), limits(96, 600)),
    ] {
        let config = SandboxConfig { bounds, compiler: child(limits), ..SandboxConfig::default() };
        match load(&component, config) {
            Err(error @ LoadError::CompilerEnded { .. }) => {
                let sentence = error.to_string();
                assert!(sentence.contains("did not come to an end"), "{name}: {sentence}");
            }
            other => panic!("{name}: {other:?}"),
        }
    }
}

/// Instances without end.
fn exploding() -> Component {
    let mut all = doubling(40);
    let nothing = std::iter::empty::<(&str, ComponentExportKind, u32)>;
    all.section(ComponentInstanceSection::new().instantiate(40, nothing()));
    all
}

#[test]
fn what_the_other_process_compiled_runs_and_is_kept() {
    let folder = tempfile::tempdir().unwrap();
    let config = || SandboxConfig {
        compiler: child(CompileLimits::default()),
        cache_dir: Some(folder.path().join("cache")),
        ..SandboxConfig::default()
    };
    let channel = Sandbox::new(config()).unwrap().load(&instagram().1).unwrap();
    assert_eq!(channel.origin(), Origin::Compiled);
    assert!(!channel.capabilities(None).unwrap().features.is_empty());
    assert_eq!(load(&instagram().1, config()).unwrap(), Origin::Cached);
    // What the compiler refuses it says itself.
    let mut unsound = hostile().1.clone();
    ComponentInstanceSection::new()
        .instantiate(0, [("nothing", ComponentExportKind::Func, 9999)])
        .append_to_component(&mut unsound);
    let error = load(&unsound, config()).unwrap_err();
    assert!(matches!(&error, LoadError::Incompatible(reason) if reason.contains("9999")), "{error}");
}

/// A module with a memory, something that gives room in it, and a function that returns a text, or takes one.
fn module(name: &str, imports: bool) -> Module {
    let mut module = Module::new();
    let mut types = TypeSection::new();
    types.ty().function([ValType::I32; 4], [ValType::I32]);
    types.ty().function([], [ValType::I32]);
    types.ty().function([ValType::I32], []);
    module.section(&types);
    if imports {
        module.section(ImportSection::new().import("a", "text", EntityType::Function(2)));
        return module;
    }
    module.section(FunctionSection::new().function(0).function(1));
    let memory = MemoryType { minimum: 1, maximum: None, memory64: false, shared: false, page_size_log2: None };
    module.section(MemorySection::new().memory(memory));
    module.section(
        ExportSection::new().export("memory", ExportKind::Memory, 0).export("realloc", ExportKind::Func, 0).export(
            name,
            ExportKind::Func,
            1,
        ),
    );
    let (mut realloc, mut text) = (Function::new([]), Function::new([]));
    realloc.instruction(&I::I32Const(4096)).instruction(&I::End);
    text.instruction(&I::I32Const(16)).instruction(&I::End);
    module.section(CodeSection::new().function(&realloc).function(&text));
    module.section(DataSection::new().active(0, &ConstExpr::i32_const(16), [64, 0, 0, 0, 2, 0, 0, 0]));
    module
}

/// Two components of which one hands the other a text.
fn exchanging() -> Component {
    let text_function = |types: &mut ComponentTypeSection| {
        types
            .function()
            .params(std::iter::empty::<(&str, PrimitiveValType)>())
            .result(Some(PrimitiveValType::String.into()));
    };
    let nothing = std::iter::empty::<(&str, ModuleArg)>;
    let core = |instance, name, kind| Alias::CoreInstanceExport { instance, kind, name };
    let options = [CanonicalOption::Memory(0), CanonicalOption::Realloc(0)];

    let mut one = Component::new();
    one.section(&ModuleSection(&module("text", false)));
    one.section(InstanceSection::new().instantiate(0, nothing()));
    let mut aliases = ComponentAliasSection::new();
    aliases.alias(core(0, "realloc", ExportKind::Func)).alias(core(0, "text", ExportKind::Func));
    aliases.alias(core(0, "memory", ExportKind::Memory));
    one.section(&aliases);
    let mut types = ComponentTypeSection::new();
    text_function(&mut types);
    one.section(&types);
    one.section(CanonicalFunctionSection::new().lift(1, 0, options));
    one.section(ComponentExportSection::new().export("text", ComponentExportKind::Func, 0, None));

    let mut other = Component::new();
    let mut types = ComponentTypeSection::new();
    text_function(&mut types);
    other.section(&types);
    other.section(ComponentImportSection::new().import("text", ComponentTypeRef::Func(0)));
    other.section(&ModuleSection(&module("unused", false)));
    other.section(&ModuleSection(&module("unused", true)));
    other.section(InstanceSection::new().instantiate(0, nothing()));
    let mut aliases = ComponentAliasSection::new();
    aliases.alias(core(0, "realloc", ExportKind::Func)).alias(core(0, "memory", ExportKind::Memory));
    other.section(&aliases);
    other.section(CanonicalFunctionSection::new().lower(0, options));
    let mut instances = InstanceSection::new();
    instances.export_items([("text", ExportKind::Func, 1)]).instantiate(1, [("a", ModuleArg::Instance(1))]);
    other.section(&instances);

    let mut both = Component::new();
    both.section(&NestedComponentSection(&one)).section(&NestedComponentSection(&other));
    let none = std::iter::empty::<(&str, ComponentExportKind, u32)>;
    both.section(ComponentInstanceSection::new().instantiate(0, none()));
    let kind = ComponentExportKind::Func;
    both.section(ComponentAliasSection::new().alias(Alias::InstanceExport { instance: 0, kind, name: "text" }));
    both.section(ComponentInstanceSection::new().instantiate(1, [("text", kind, 0)]));
    both
}

#[test]
fn components_that_exchange_texts_within_one_are_refused_and_nothing_panics() {
    let bytes = used(&exchanging());
    for compiler in [Compiler::InProcess, child(CompileLimits::default())] {
        let refused = load(&bytes, SandboxConfig { compiler, ..SandboxConfig::default() });
        assert!(matches!(refused, Err(LoadError::Incompatible(_))), "{refused:?}");
    }
}

/// Small ones of each kind, for fuzzing what reads a component before it is compiled.
#[test]
#[ignore = "writes fuzz/corpus/component"]
fn seeds_for_fuzzing() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fuzz/corpus/component");
    for (name, bytes) in [
        ("channel", Handmade::default().component()),
        ("tangle", tangle(4, 3).component()),
        ("exchanging", exchanging().finish()),
        ("doubling", doubling(3).finish()),
        ("nested", nested(3).finish()),
    ] {
        std::fs::write(format!("{folder}/{name}.wasm"), bytes).unwrap();
    }
}

/// How many components a component has in it.
fn nested_components(bytes: &[u8]) -> u32 {
    use wasmparser::{Parser, Payload};
    let (mut depth, mut count) = (0, 0);
    for payload in Parser::new(0).parse_all(bytes) {
        match payload.unwrap() {
            Payload::ComponentSection { .. } => {
                count += u32::from(depth == 0);
                depth += 1;
            }
            Payload::ModuleSection { .. } => depth += 1,
            Payload::End(_) => depth -= 1,
            _ => {}
        }
    }
    count
}
