//! Components of channels in other languages, built once. Belongs here: building one, and knowing that it need not be
//! built again. What they are: `examples/`.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    sync::OnceLock,
};

use sha2::{Digest as _, Sha256};

use crate::{instagram, root};

/// A channel in JavaScript.
pub fn javascript() -> &'static [u8] {
    static BUILT: OnceLock<Vec<u8>> = OnceLock::new();
    BUILT.get_or_init(|| built("text-only-js", "sdk/js", componentize_js))
}

/// A channel in Python.
pub fn python() -> &'static [u8] {
    static BUILT: OnceLock<Vec<u8>> = OnceLock::new();
    BUILT.get_or_init(|| built("text-only-py", "sdk/py", componentize_py))
}

/// Builds an example with the SDK of its language. The tools never make the same bytes twice, and a host compiles for
/// seconds what it does not know by its bytes: so what came of the same sources is kept.
fn built(example: &str, sdk: &str, build: impl Fn(&Path, &Path, &Path)) -> Vec<u8> {
    let channels = instagram().0.parent().unwrap();
    let (component, stamp) = (channels.join(format!("{example}.wasm")), channels.join(format!("{example}.sources")));
    let folder = format!("examples/{example}");
    let mut digest = Sha256::new();
    for file in [&folder, sdk, "wit"].into_iter().flat_map(|folder| files(&root().join(folder))) {
        digest.update(file.strip_prefix(root()).unwrap().to_str().unwrap());
        digest.update(fs::read(&file).unwrap());
    }
    let sources = hex::encode(digest.finalize());
    if !fs::read_to_string(&stamp).is_ok_and(|text| text == sources) || !component.exists() {
        let scratch = tempfile::tempdir_in(channels).unwrap();
        let raw = scratch.path().join("raw.wasm");
        build(&root().join(&folder), scratch.path(), &raw);
        let manifest = root().join(&folder).join("channel.toml");
        harness_build::embed(&raw, &manifest, &component).unwrap();
        fs::write(&stamp, sources).unwrap();
    }
    fs::read(&component).unwrap()
}

/// The files of a folder that people write, in order.
fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<_> = entries.filter(|path| path.is_file()).collect();
    files.sort();
    files
}

/// Where `.ci/setup` puts what makes components.
fn tools(path: &str) -> PathBuf {
    let target = instagram().0.parent().unwrap().parent().unwrap();
    let tool = target.join("languages").join(path);
    assert!(tool.exists(), "{} is missing: .ci/setup installs it, and needs the network once", tool.display());
    tool
}

fn componentize_js(example: &Path, _: &Path, out: &Path) {
    let cli = tools("node/node_modules/@bytecodealliance/componentize-js/src/cli.js");
    // From here both the channel and the SDK can be imported.
    run(Command::new("node")
        .current_dir(root())
        .arg(cli)
        .arg(example.strip_prefix(root()).unwrap().join("channel.js"))
        .args([
            "--wit",
            "wit",
            "--world-name",
            "translator",
            "--disable",
            "stdio",
            "random",
            "clocks",
            "http",
            "fetch-event",
            "--out",
            out.to_str().unwrap(),
        ]));
}

fn componentize_py(example: &Path, scratch: &Path, out: &Path) {
    // It writes beside the sources what it compiled of them.
    for source in files(example).into_iter().chain(files(&root().join("sdk/py"))) {
        fs::copy(&source, scratch.join(source.file_name().unwrap())).unwrap();
    }
    run(Command::new(tools("python/bin/componentize-py"))
        .current_dir(root())
        .args(["-q", "-d", "wit", "-w", "translator", "componentize", "channel", "--stub-wasi", "-o"])
        .arg(out)
        .arg("-p")
        .arg(scratch));
}

fn run(command: &mut Command) {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?} cannot be started: {error}"));
    let said = [output.stdout, output.stderr].concat();
    assert!(output.status.success(), "{command:?}:\n{}", String::from_utf8_lossy(&said));
}
