//! The source tree of a channel that compiles in a second, for tests of what is built from sources. Belongs here: writing
//! the tree. Every function of its channel traps.

use std::{
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use wit_component::StringEncoding;
use wit_parser::{
    Resolve, WorldItem, WorldKey,
    abi::{AbiVariant, WasmType},
};

use crate::root;

/// The channel's folder in the tree.
pub const CHANNEL: &str = "channels/small";
/// A package of the registry that the component holds code of, with panic messages that name its files.
pub const INSIDE: &str = "smallvec";
/// One that the build script stands on.
pub const OUTSIDE: &str = "autocfg";
/// One of the workspace.
pub const SHARED: &str = "small-shared";

const WORKSPACE: &str = r#"[workspace]
resolver = "3"
members = ["channels/small", "shared"]

[workspace.dependencies]
small-shared = { path = "shared" }
"#;

const SHARED_MANIFEST: &str = r#"[package]
name = "small-shared"
version = "0.1.0"
edition = "2024"
license = "MIT"

[dependencies]
smallvec = "1"
"#;

const SHARED_SOURCE: &str = r#"//! Keeps a package of a registry in the component.

use std::collections::BTreeMap;

/// Panics in that package where the index is too large, and holds generic code of the standard library.
pub fn remove(bytes: &[u8], at: usize) -> u8 {
    let mut seen: BTreeMap<u8, String> = bytes.iter().map(|byte| (*byte, byte.to_string())).collect();
    seen.retain(|byte, _| *byte > 1);
    let texts: String = seen.into_values().collect();
    smallvec::SmallVec::<[u8; 8]>::from_slice(texts.as_bytes()).remove(at)
}
"#;

const MANIFEST: &str = r#"[package]
name = "small-channel"
description = "A small channel"
version = "0.3.0"
edition = "2024"
license = "Apache-2.0"

[lib]
crate-type = ["cdylib", "rlib"]

[dependencies]
small-shared.workspace = true

[build-dependencies]
autocfg = "1"
"#;

const CHANNEL_MANIFEST: &str = r#"[channel]
id = "small"
name = "Small"
version = "0.3.0"
contract = "0.2.0"

[webhook.verification]
scheme = "shared-secret-header"
header = "x-secret"
secrets = ["secret"]

[slots.secret]
scope = "app"
"#;

const BUILD_SCRIPT: &str = r#"fn main() {
    println!("cargo::rerun-if-changed=build.rs");
}
"#;

/// Writes the tree into a folder. It needs what this workspace's lock file pins, and nothing of the network.
pub fn write(to: &Path) -> PathBuf {
    let put = |path: &str, content: &[u8]| {
        let path = to.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    };
    put("Cargo.toml", WORKSPACE.as_bytes());
    put("shared/Cargo.toml", SHARED_MANIFEST.as_bytes());
    put("shared/src/lib.rs", SHARED_SOURCE.as_bytes());
    let channel = |path: &str| format!("{CHANNEL}/{path}");
    let (source, world) = source();
    put(&channel("Cargo.toml"), MANIFEST.as_bytes());
    put(&channel("channel.toml"), CHANNEL_MANIFEST.as_bytes());
    put(&channel("build.rs"), BUILD_SCRIPT.as_bytes());
    put(&channel("src/lib.rs"), source.as_bytes());
    put(&channel("src/world.bin"), &world);
    put("LICENSE", &fs::read(root().join("LICENSE")).unwrap());
    put("rust-toolchain.toml", &fs::read(root().join("rust-toolchain.toml")).unwrap());
    // What the smaller workspace does not need falls out of the lock file; the versions stay.
    put("Cargo.lock", &fs::read(root().join("Cargo.lock")).unwrap());
    cargo(to, &["metadata", "--offline", "--format-version", "1"]);
    to.to_owned()
}

/// Runs cargo in a tree. Returns what it wrote.
pub fn cargo(dir: &Path, arguments: &[&str]) -> Vec<u8> {
    let mut command = Command::new("cargo");
    command.args(arguments).current_dir(dir).env_remove("CARGO_TARGET_DIR").stdin(Stdio::null());
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

/// The source of the world `translator`, and the description of the world that goes into the module.
fn source() -> (String, Vec<u8>) {
    let mut resolve = Resolve::default();
    let (package, _) = resolve.push_dir(root().join("wit")).unwrap();
    let world = resolve.select_world(&[package], Some("translator")).unwrap();
    let mut source = String::from("//! A channel in which every function traps.\n");
    for (key, item) in &resolve.worlds[world].exports {
        let (WorldKey::Interface(_), WorldItem::Interface { id, .. }) = (key, item) else { continue };
        for function in resolve.interfaces[*id].functions.values() {
            let name = format!("{}#{}", resolve.name_world_key(key), function.name);
            let signature = resolve.wasm_signature(AbiVariant::GuestExport, function);
            let parameters = signature.params.iter().enumerate();
            let parameters: Vec<_> = parameters.map(|(at, ty)| format!("_{at}: {}", core(*ty))).collect();
            let result = signature.results.first().map(|ty| format!(" -> {}", core(*ty))).unwrap_or_default();
            let rust = function.name.replace('-', "_");
            let _ = write!(
                source,
                "\n#[unsafe(export_name = \"{name}\")]\npub extern \"C\" fn {rust}({}){result} {{\n    \
                 panic!(\"{{}}\", small_shared::remove(b\"{rust}\", 99))\n}}\n",
                parameters.join(", ")
            );
        }
    }
    let described = wit_component::metadata::encode(&resolve, world, StringEncoding::UTF8, None).unwrap();
    let _ = write!(
        source,
        "\n#[unsafe(export_name = \"cabi_realloc\")]\npub extern \"C\" fn realloc(_: i32, _: i32, _: i32, _: i32) -> i32 {{\n    \
         unreachable!()\n}}\n\n#[unsafe(link_section = \"component-type:translator\")]\npub static WORLD: [u8; {}] = \
         *include_bytes!(\"world.bin\");\n",
        described.len()
    );
    (source, described)
}

fn core(ty: WasmType) -> &'static str {
    match ty {
        WasmType::I64 | WasmType::PointerOrI64 => "i64",
        WasmType::F32 => "f32",
        WasmType::F64 => "f64",
        WasmType::I32 | WasmType::Pointer | WasmType::Length => "i32",
    }
}
