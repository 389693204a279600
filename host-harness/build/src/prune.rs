//! Owns: removing from a core module what only reused instances need, if the channel says that each serves one call.
//! Does not own: the encoding (`encode`), the mark (`channel!(…; fresh)` of the SDK).

use std::collections::{HashMap, HashSet};

use wasm_encoder::{
    CodeSection, ExportSection, Function, Instruction, Module,
    reencode::{self, Reencode, utils},
};
use wasmparser::{
    BinaryReaderError, CustomSectionReader, ElementItems, ExportSectionReader, ExternalKind, FunctionBody, Operator,
    Parser, Payload,
};

/// The custom section that marks a module whose instances serve one call each.
const FRESH_SECTION: &str = "channel-sdk:fresh";
/// Prefix of the functions that free memory after a call, as named by the canonical ABI.
const POST_RETURN: &str = "cabi_post_";

/// Removes the functions that free memory after a call, if the module is marked as fresh; otherwise returns it
/// unchanged. Functions that only those called lose their bodies.
pub(crate) fn prune(module: &[u8]) -> Result<Vec<u8>, String> {
    let read = Read::module(module).map_err(|error| error.to_string())?;
    if !read.fresh {
        return Ok(module.to_owned());
    }
    let mut pruned = Module::new();
    let mut pruning = Pruning { used: read.used(), next: read.imported };
    pruning.parse_core_module(&mut pruned, Parser::new(0), module).map_err(|error| error.to_string())?;
    Ok(pruned.finish())
}

/// The call graph of a module, by function index.
#[derive(Default)]
struct Read {
    fresh: bool,
    imported: u32,
    /// Functions that stay because they are exported, in a table, or the start function.
    roots: Vec<u32>,
    needs: HashMap<u32, Vec<u32>>,
}

impl Read {
    fn module(module: &[u8]) -> Result<Self, BinaryReaderError> {
        let mut read = Self::default();
        let mut defined = 0;
        for payload in Parser::new(0).parse_all(module) {
            match payload? {
                Payload::CustomSection(section) => read.fresh |= section.name() == FRESH_SECTION,
                Payload::ImportSection(imports) => {
                    for import in imports.into_imports() {
                        read.imported += u32::from(matches!(import?.ty, wasmparser::TypeRef::Func(_)));
                    }
                }
                Payload::ExportSection(exports) => {
                    for export in exports {
                        let export = export?;
                        if export.kind == ExternalKind::Func && !export.name.starts_with(POST_RETURN) {
                            read.roots.push(export.index);
                        }
                    }
                }
                Payload::StartSection { func, .. } => read.roots.push(func),
                Payload::ElementSection(elements) => {
                    for element in elements {
                        match element?.items {
                            ElementItems::Functions(functions) => {
                                for function in functions {
                                    read.roots.push(function?);
                                }
                            }
                            ElementItems::Expressions(_, expressions) => {
                                for expression in expressions {
                                    for operator in expression?.get_operators_reader() {
                                        read.roots.extend(needed(&operator?));
                                    }
                                }
                            }
                        }
                    }
                }
                Payload::CodeSectionEntry(body) => {
                    let mut needs = Vec::new();
                    for operator in body.get_operators_reader()? {
                        needs.extend(needed(&operator?));
                    }
                    read.needs.insert(read.imported + defined, needs);
                    defined += 1;
                }
                _ => {}
            }
        }
        Ok(read)
    }

    fn used(&self) -> HashSet<u32> {
        let mut used = HashSet::new();
        let mut open = self.roots.clone();
        while let Some(function) = open.pop() {
            if used.insert(function) {
                open.extend(self.needs.get(&function).into_iter().flatten());
            }
        }
        used
    }
}

/// The function that an instruction refers to.
fn needed(operator: &Operator<'_>) -> Option<u32> {
    match *operator {
        Operator::Call { function_index }
        | Operator::ReturnCall { function_index }
        | Operator::RefFunc { function_index } => Some(function_index),
        _ => None,
    }
}

struct Pruning {
    used: HashSet<u32>,
    /// The index of the next function body.
    next: u32,
}

impl Reencode for Pruning {
    type Error = std::convert::Infallible;

    fn parse_export_section(
        &mut self,
        exports: &mut ExportSection,
        section: ExportSectionReader<'_>,
    ) -> Result<(), reencode::Error<Self::Error>> {
        for export in section {
            let export = export?;
            if !export.name.starts_with(POST_RETURN) {
                utils::parse_export(self, exports, export)?;
            }
        }
        Ok(())
    }

    fn parse_function_body(
        &mut self,
        code: &mut CodeSection,
        body: FunctionBody<'_>,
    ) -> Result<(), reencode::Error<Self::Error>> {
        let index = self.next;
        self.next += 1;
        if self.used.contains(&index) {
            return utils::parse_function_body(self, code, body);
        }
        let mut nothing = Function::new([]);
        nothing.instruction(&Instruction::Unreachable).instruction(&Instruction::End);
        code.function(&nothing);
        Ok(())
    }

    fn parse_custom_section(
        &mut self,
        module: &mut Module,
        section: CustomSectionReader<'_>,
    ) -> Result<(), reencode::Error<Self::Error>> {
        if section.name() == FRESH_SECTION {
            return Ok(());
        }
        utils::parse_custom_section(self, module, section)
    }
}
