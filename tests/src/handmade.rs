//! Components whose core module is written by hand: what no compiler of Rust would make. Belongs here: a
//! module with every export of the contract, of which single ones do what a test wants.

use std::fs;

use wasm_encoder::{
    CodeSection, ConstExpr, DataSection, ExportKind, ExportSection, Function, FunctionSection, GlobalSection,
    GlobalType, Instruction, MemorySection, MemoryType, Module, RefType, TableSection, TableType, TypeSection, ValType,
};
use wit_component::{StringEncoding, embed_component_metadata};
use wit_parser::{
    Resolve, WorldItem, WorldKey,
    abi::{AbiVariant, WasmType},
};

use crate::root;

const MANIFEST: &str = "[channel]\nid = 'handmade'\nname = 'Handmade'\nversion = '1'\ncontract = '0.2.0'\n\
    [webhook.verification]\nscheme = 'shared-secret-header'\nheader = 'x-secret'\nsecrets = ['secret']\n\
    [slots.secret]\nscope = 'app'\n[limits]\ndeadline-ms = 250\n";

/// A component to be made.
pub struct Handmade {
    /// The world whose exports it has.
    pub world: &'static str,
    /// What its contract says otherwise: every text on the left is the one on the right there.
    pub contract: Vec<(&'static str, &'static str)>,
    /// How strings are written in memory.
    pub encoding: StringEncoding,
    /// What `messaging-channel.parse-webhook` does; every other export traps.
    pub parse_webhook: Vec<Instruction<'static>>,
    /// 32-bit locals of that function. What stands before them, its parameters among it, are fewer than 20.
    pub locals: u32,
    /// Bytes in memory, and where.
    pub data: Vec<(i32, Vec<u8>)>,
    /// Pages of memory at the start.
    pub pages: u64,
    /// Elements of the table at the start.
    pub elements: u64,
}

impl Default for Handmade {
    fn default() -> Self {
        Self {
            world: "complete",
            contract: Vec::new(),
            encoding: StringEncoding::UTF8,
            parse_webhook: vec![Instruction::Unreachable],
            locals: 0,
            data: Vec::new(),
            pages: 16,
            elements: 1,
        }
    }
}

fn core(ty: WasmType) -> ValType {
    match ty {
        WasmType::I64 | WasmType::PointerOrI64 => ValType::I64,
        WasmType::F32 => ValType::F32,
        WasmType::F64 => ValType::F64,
        WasmType::I32 | WasmType::Pointer | WasmType::Length => ValType::I32,
    }
}

impl Handmade {
    /// A copy of the contract, with what is otherwise in it.
    fn changed_contract(&self) -> tempfile::TempDir {
        let copy = tempfile::tempdir().unwrap();
        let mut missing = self.contract.clone();
        for entry in fs::read_dir(root().join("wit")).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_some_and(|extension| extension == "wit") {
                let mut text = fs::read_to_string(&path).unwrap();
                missing.retain(|(from, _)| !text.contains(from));
                for (from, to) in &self.contract {
                    text = text.replace(from, to);
                }
                fs::write(copy.path().join(path.file_name().unwrap()), text).unwrap();
            }
        }
        assert!(missing.is_empty(), "the contract does not say {missing:?}");
        copy
    }

    /// Encodes it.
    pub fn component(&self) -> Vec<u8> {
        let mut resolve = Resolve::default();
        let wit = self.changed_contract();
        let (package, _) = resolve.push_dir(wit.path()).unwrap();
        let world = resolve.select_world(&[package], Some(self.world)).unwrap();

        let (mut types, mut functions, mut code) = (TypeSection::new(), FunctionSection::new(), CodeSection::new());
        let mut exports = ExportSection::new();
        for (key, item) in &resolve.worlds.get(world).unwrap().exports {
            let (WorldKey::Interface(_), WorldItem::Interface { id, .. }) = (key, item) else { continue };
            for function in resolve.interfaces.get(*id).unwrap().functions.values() {
                let signature = resolve.wasm_signature(AbiVariant::GuestExport, function);
                let index = functions.len();
                types.ty().function(
                    signature.params.iter().map(|ty| core(*ty)).collect::<Vec<_>>(),
                    signature.results.iter().map(|ty| core(*ty)).collect::<Vec<_>>(),
                );
                functions.function(index);
                let name = format!("{}#{}", resolve.id_of(*id).unwrap(), function.name);
                let of_test = function.name == "parse-webhook";
                let locals = if of_test { self.locals } else { 0 };
                let mut body = Function::new([(1, ValType::F64), (locals, ValType::I32)]);
                if of_test {
                    for instruction in &self.parse_webhook {
                        body.instruction(instruction);
                    }
                } else {
                    body.instruction(&Instruction::Unreachable);
                }
                body.instruction(&Instruction::End);
                code.function(&body);
                exports.export(&name, ExportKind::Func, index);
            }
        }
        // Memory for what is passed in: taken from a heap that only grows.
        let realloc = functions.len();
        types.ty().function([ValType::I32; 4], [ValType::I32]);
        functions.function(realloc);
        let mut body = Function::new([]);
        for instruction in [
            Instruction::GlobalGet(0),
            Instruction::GlobalGet(0),
            Instruction::LocalGet(3),
            Instruction::I32Add,
            Instruction::I32Const(7),
            Instruction::I32Add,
            Instruction::I32Const(-8),
            Instruction::I32And,
            Instruction::GlobalSet(0),
            Instruction::End,
        ] {
            body.instruction(&instruction);
        }
        code.function(&body);
        exports.export("cabi_realloc", ExportKind::Func, realloc);
        exports.export("memory", ExportKind::Memory, 0);

        let mut memories = MemorySection::new();
        memories.memory(MemoryType {
            minimum: self.pages,
            maximum: None,
            memory64: false,
            shared: false,
            page_size_log2: None,
        });
        let mut tables = TableSection::new();
        tables.table(TableType {
            element_type: RefType::FUNCREF,
            minimum: self.elements,
            maximum: None,
            table64: false,
            shared: false,
        });
        let mut globals = GlobalSection::new();
        let heap = GlobalType { val_type: ValType::I32, mutable: true, shared: false };
        globals.global(heap, &ConstExpr::i32_const(65536));
        let mut data = DataSection::new();
        for (at, bytes) in &self.data {
            data.active(0, &ConstExpr::i32_const(*at), bytes.iter().copied());
        }
        let mut module = Module::new();
        module
            .section(&types)
            .section(&functions)
            .section(&tables)
            .section(&memories)
            .section(&globals)
            .section(&exports)
            .section(&code)
            .section(&data);
        let mut module = module.finish();
        embed_component_metadata(&mut module, &resolve, world, self.encoding).unwrap();
        harness_build::encode(&module, MANIFEST).unwrap()
    }
}
