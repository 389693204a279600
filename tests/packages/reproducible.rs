//! What a publisher builds: one source gives one package, wherever and by whom it is built, and nothing that the source
//! tree does not hold goes into it.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    reason = "a test fails by panicking"
)]

use std::{
    fs,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
    sync::OnceLock,
};

use channel_tests::small::{self, CHANNEL, INSIDE, OUTSIDE, SHARED};
use harness_build::SourceTree;
use harness_package::Digest;
use harness_sandbox::{Metadata, inspect};
use serde_json::Value;

pub(crate) fn checkout() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().parent().unwrap()
}

/// Where cargo keeps what it downloaded.
fn cargo_home() -> PathBuf {
    let named = std::env::var_os("CARGO_HOME").map(PathBuf::from);
    named.unwrap_or_else(|| std::env::home_dir().unwrap().join(".cargo"))
}

fn rustup_home() -> PathBuf {
    let named = std::env::var_os("RUSTUP_HOME").map(PathBuf::from);
    named.unwrap_or_else(|| std::env::home_dir().unwrap().join(".rustup"))
}

fn copy(from: &Path, to: &Path) {
    if from.is_dir() {
        fs::create_dir_all(to).unwrap();
        for entry in fs::read_dir(from).unwrap() {
            let entry = entry.unwrap();
            copy(&entry.path(), &to.join(entry.file_name()));
        }
    } else {
        fs::create_dir_all(to.parent().unwrap()).unwrap();
        fs::copy(from, to).unwrap();
    }
}

fn edit(file: &Path, change: impl FnOnce(String) -> String) {
    fs::write(file, change(fs::read_to_string(file).unwrap())).unwrap();
}

fn harness(arguments: &[&str], variables: &[(&str, &Path)]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_harness"))
        .args(arguments)
        .env("CARGO_NET_OFFLINE", "true")
        .envs(variables.iter().copied())
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn package(root: &Path, out: &Path, variables: &[(&str, &Path)]) -> Output {
    let (dir, out) = (root.join(CHANNEL), out.to_str().unwrap().to_owned());
    let dir = dir.to_str().unwrap();
    let arguments = ["package", dir, "--publisher", "acme", "--repository", "https://example.com/acme", "--out", &out];
    harness(&[&arguments[..], &["--json"]].concat(), variables)
}

fn packaged(root: &Path, out: &Path, variables: &[(&str, &Path)]) -> Value {
    let output = package(root, out, variables);
    assert!(output.status.success(), "{}", said(&output));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// The digest of what `harness build` makes.
fn built(root: &Path, variables: &[(&str, &Path)]) -> String {
    let output = harness(&["build", root.join(CHANNEL).to_str().unwrap(), "--json"], variables);
    let told: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}", said(&output)));
    Digest::of(&fs::read(told["path"].as_str().unwrap()).unwrap()).to_string()
}

/// A tree and its package, made once for all tests that look at it.
pub(crate) struct Packaged {
    root: PathBuf,
    folder: PathBuf,
    told: Value,
}

pub(crate) fn first() -> &'static Packaged {
    static FIRST: OnceLock<Packaged> = OnceLock::new();
    FIRST.get_or_init(|| {
        let base = Path::new(env!("CARGO_TARGET_TMPDIR")).join("packaged");
        let _ = fs::remove_dir_all(&base);
        let (root, folder) = (small::write(&base.join("source")), base.join("package"));
        let told = packaged(&root, &folder, &[]);
        Packaged { root, folder, told }
    })
}

fn files(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let tree = SourceTree::of(folder).unwrap();
    tree.paths().map(|path| (PathBuf::from(path), fs::read(folder.join(path)).unwrap())).collect()
}

/// The component of that package.
fn component() -> Vec<u8> {
    let digest = first().told["component"].as_str().unwrap().trim_start_matches("sha256:");
    fs::read(first().folder.join("blobs/sha256").join(digest)).unwrap()
}

/// Which version of a package that tree's lock file pins.
pub(crate) fn version_of(package: &str) -> String {
    let lock = fs::read_to_string(first().root.join("Cargo.lock")).unwrap();
    let version = lock.split(&format!("name = \"{package}\"\nversion = \"")).nth(1).unwrap();
    version.split('"').next().unwrap().to_owned()
}

/// What a referrer of this kind carries.
pub(crate) fn attachment(media_type: &str) -> Vec<u8> {
    let package = first();
    let attachments = package.told["attachments"].as_array().unwrap();
    let found = attachments.iter().find(|attachment| attachment["mediaType"] == media_type).unwrap();
    let digest = found["digest"].as_str().unwrap().trim_start_matches("sha256:");
    fs::read(package.folder.join("blobs/sha256").join(digest)).unwrap()
}

#[test]
fn one_source_gives_one_package_in_another_folder_under_another_home_and_in_a_shell_full_of_flags() {
    let first = first();
    let base = tempfile::tempdir().unwrap();
    let root = small::write(&base.path().join("deep/er/copy of the tree"));
    // The same files, this time because git tracks them.
    for arguments in [&["init", "--quiet"][..], &["add", "--all"]] {
        assert!(Command::new("git").args(arguments).current_dir(&root).status().unwrap().success());
    }
    fs::write(root.join("not tracked"), "and not used").unwrap();
    let home = base.path().join("home");
    fs::create_dir_all(home.join("cargo")).unwrap();
    symlink(cargo_home().join("registry"), home.join("cargo/registry")).unwrap();
    fs::write(home.join("cargo/config.toml"), "[net]\nretry = 1\n").unwrap();
    let (cargo, elsewhere, rustup) = (home.join("cargo"), base.path().join("elsewhere"), rustup_home());
    let variables: [(&str, &Path); 12] = [
        ("HOME", &home),
        ("CARGO_HOME", &cargo),
        ("RUSTUP_HOME", &rustup),
        ("CARGO_TARGET_DIR", &elsewhere),
        ("GIT_DIR", &elsewhere),
        ("CARGO_INCREMENTAL", Path::new("1")),
        ("CARGO_PROFILE_RELEASE_DEBUG", Path::new("2")),
        ("CARGO_PROFILE_RELEASE_STRIP", Path::new("none")),
        ("CARGO_BUILD_RUSTFLAGS", Path::new("-Copt-level=0")),
        ("RUSTFLAGS", Path::new("-Copt-level=0")),
        ("CARGO_ENCODED_RUSTFLAGS", Path::new("-Copt-level=0")),
        ("RUSTC_WRAPPER", Path::new("/bin/false")),
    ];
    let folder = base.path().join("package");
    let told = packaged(&root, &folder, &variables);
    assert_eq!(told["component"], first.told["component"]);
    assert_eq!(told["manifest"], first.told["manifest"]);
    assert_eq!(
        told["source"]["tree"], first.told["source"]["tree"],
        "tracked files and an archive of them are one tree"
    );
    assert!(files(&folder) == files(&first.folder), "every file of the package, its statement too");

    assert_eq!(built(&first.root, &[]), first.told["component"], "`harness build` makes what is published");
}

#[test]
fn vendored_packages_give_the_same_component() {
    let first = first();
    let base = tempfile::tempdir().unwrap();
    let root = small::write(&base.path().join("vendored"));
    let configuration = small::cargo(&root, &["vendor", "--offline", "vendor"]);
    fs::create_dir(root.join(".cargo")).unwrap();
    fs::write(root.join(".cargo/config.toml"), configuration).unwrap();
    let empty = base.path().join("cargo");
    fs::create_dir(&empty).unwrap();
    let told =
        packaged(&root, &base.path().join("package"), &[("CARGO_HOME", &empty), ("RUSTUP_HOME", &rustup_home())]);
    assert_eq!(told["component"], first.told["component"]);
    assert_ne!(told["source"]["tree"], first.told["source"]["tree"], "its tree holds more");
    let bytes = component();
    let named = format!("crates/{INSIDE}-{}/src/lib.rs", version_of(INSIDE));
    let holds = |text: &str| bytes.windows(text.len()).any(|part| part == text.as_bytes());
    assert!(holds(&named), "a panic names the package's file as `{named}`");
    assert!(!holds("/registry/") && !holds(env!("CARGO_TARGET_TMPDIR")) && !holds("/vendor/"));
}

/// A toolchain as it is with the component `rust-src`: rustc then names the files of its own library by their place.
fn toolchain_with_source(at: &Path) -> PathBuf {
    let asked = Command::new("rustc").args(["--print", "sysroot"]).current_dir(checkout()).output().unwrap();
    let real = PathBuf::from(String::from_utf8(asked.stdout).unwrap().trim());
    let (bin, sysroot) = (at.join("bin"), at.join("sysroot"));
    fs::create_dir_all(&bin).unwrap();
    fs::create_dir_all(&sysroot).unwrap();
    let copied = Command::new("cp").arg("-rs").arg(real.join("lib")).arg(sysroot.join("lib")).status().unwrap();
    assert!(copied.success());
    let marker = sysroot.join("lib/rustlib/src/rust/library/std/src/lib.rs");
    fs::create_dir_all(marker.parent().unwrap()).unwrap();
    fs::write(marker, "").unwrap();
    let rustc = format!("#!/bin/sh\nexec {}/bin/rustc \"$@\" --sysroot {}\n", real.display(), sysroot.display());
    fs::write(bin.join("rustc"), rustc).unwrap();
    fs::set_permissions(bin.join("rustc"), std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    symlink(real.join("bin/cargo"), bin.join("cargo")).unwrap();
    bin
}

#[test]
fn the_source_of_rusts_library_where_it_is_installed_changes_nothing() {
    let first = first();
    let base = tempfile::tempdir().unwrap();
    let root = small::write(&base.path().join("tree"));
    let bin = toolchain_with_source(base.path());
    let path = format!("{}:{}", bin.display(), std::env::var("PATH").unwrap());
    let told = packaged(&root, &base.path().join("package"), &[("PATH", Path::new(&path))]);
    assert_eq!(told["component"], first.told["component"]);
    let generic = b"/library/alloc/src/collections/btree/";
    assert!(component().windows(generic.len()).any(|part| part == generic), "it holds code of that library");
}

#[test]
fn a_rebuild_shows_that_a_component_comes_from_a_source_and_what_differs_where_it_does_not() {
    let first = first();
    let base = tempfile::tempdir().unwrap();
    let folder = first.folder.to_str().unwrap();
    let rebuild = |source: &Path, package: &str| {
        let output = harness(&["verify", "--rebuild", source.to_str().unwrap(), package, "--json"], &[]);
        let report: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}", said(&output)));
        (output.status.success(), report)
    };
    let (same, report) = rebuild(&first.root, folder);
    assert!(same && report["same"] == true, "{report}");
    assert_eq!(report["rebuilt"], first.told["component"]);
    assert_eq!(report["differences"], serde_json::json!([]));

    // Signed, it is the signature that says where it comes from.
    let signed = base.path().join("signed");
    copy(&first.folder, &signed);
    let (keys, signed) = (base.path().join("keys"), signed.to_str().unwrap());
    for command in [&["key", "create", "acme"][..], &["sign", signed]] {
        let output = harness(&[command, &["--keys", keys.to_str().unwrap()]].concat(), &[]);
        assert!(output.status.success(), "{}", said(&output));
    }
    fs::remove_file(Path::new(signed).join("statement-0.3.0.json")).unwrap();
    let (same, report) = rebuild(&first.root, signed);
    assert!(same && report["differences"] == serde_json::json!([]), "{report}");

    // A component alone, which does not say which folder it comes from; and a source that was changed.
    let root = small::write(&base.path().join("changed"));
    edit(&root.join(CHANNEL).join("channel.toml"), |text| text.replace("\"Small\"", "\"Large\""));
    let file = base.path().join("small.wasm");
    fs::write(&file, component()).unwrap();
    let (same, report) = rebuild(&root, file.to_str().unwrap());
    assert!(!same && report["same"] == false, "{report}");
    assert_eq!(report["differences"][0]["what"], "bytes");
    let output = harness(&["verify", "--rebuild", root.to_str().unwrap(), folder], &[]);
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(!output.status.success() && text.contains("does not come from this source"), "{text}");
    assert!(text.contains("source tree: the package says sha256:") && !text.contains("lock file:"), "{text}");
}

#[test]
fn nothing_is_said_about_a_tree_when_something_outside_of_it_decides_what_is_built() {
    let base = tempfile::tempdir().unwrap();
    let refused = |root: &Path, variables: &[(&str, &Path)], words: &[&str]| {
        let output = package(root, &base.path().join("package"), variables);
        let said = said(&output);
        assert!(output.status.code() == Some(1) && words.iter().all(|word| said.contains(word)), "{words:?}: {said}");
    };
    let root = small::write(&base.path().join("above/tree"));
    let above = base.path().join("above/.cargo");
    fs::create_dir(&above).unwrap();
    fs::write(above.join("config.toml"), "[profile.release.package.smallvec]\nopt-level = 0\n").unwrap();
    refused(&root, &[], &["the table `profile`", "above/.cargo/config.toml", "move it into the tree"]);
    fs::remove_dir_all(&above).unwrap();

    let home = base.path().join("home");
    fs::create_dir(&home).unwrap();
    symlink(cargo_home().join("registry"), home.join("registry")).unwrap();
    fs::write(home.join("config.toml"), "[build]\nrustflags = []\n").unwrap();
    refused(
        &root,
        &[("CARGO_HOME", &home), ("RUSTUP_HOME", &rustup_home())],
        &["the table `build`", "home/config.toml"],
    );

    copy(&root.join("shared"), &base.path().join("above/moved"));
    let inside = fs::read_to_string(root.join("Cargo.toml")).unwrap();
    edit(&root.join("Cargo.toml"), |text| text.replace(", \"shared\"", "").replace("\"shared\"", "\"../moved\""));
    refused(&root, &[], &[SHARED, "outside of the workspace", "move it into the workspace"]);
    fs::write(root.join("Cargo.toml"), inside).unwrap();

    fs::remove_file(root.join("Cargo.lock")).unwrap();
    refused(&root, &[], &["--locked", "Cargo.lock"]);
}

#[test]
fn what_a_publisher_says_wrongly_is_refused_before_anything_is_built() {
    let base = tempfile::tempdir().unwrap();
    let root = small::write(&base.path().join("tree"));
    let (dir, out) = (root.join(CHANNEL), base.path().join("package"));
    let (dir, out) = (dir.to_str().unwrap(), out.to_str().unwrap());
    let acme = ["--publisher", "acme"];
    for (arguments, code, words) in [
        (&["--publisher", "Acme Labs"][..], 2, "no name of a publisher"),
        (&["--repository", "https://example.com/x"], 2, "--publisher"),
        (&[&acme[..], &["--repository", "https://user:word@example.com/x"]].concat(), 1, "without a login"),
        (&[&acme[..], &["--repository", "git@example.com:x"]].concat(), 1, "https"),
        (&[&acme[..], &["--predecessor", "sha256:12"]].concat(), 1, "expected a component's file, or its digest"),
    ] {
        let output = harness(&[&["package", dir, "--out", out], arguments].concat(), &[]);
        let said = said(&output);
        assert!(output.status.code() == Some(code) && said.contains(words), "{arguments:?}: {said}");
        assert!(!said.contains("user:word"), "{said}");
    }
    edit(&root.join(CHANNEL).join("channel.toml"), |text| text.replace("0.3.0", "0.3"));
    let output = harness(&["package", dir, "--out", out], &[]);
    assert!(output.status.code() == Some(1) && said(&output).contains("no version"), "{}", said(&output));
    assert!(!root.join("target").exists() && !Path::new(out).exists(), "nothing was built or written");
}

#[test]
fn a_file_that_git_does_not_track_cannot_be_built_in_unseen() {
    let base = tempfile::tempdir().unwrap();
    let root = small::write(&base.path().join("tree"));
    for arguments in [&["init", "--quiet"][..], &["add", "--all"]] {
        assert!(Command::new("git").args(arguments).current_dir(&root).status().unwrap().success());
    }
    fs::write(root.join(CHANNEL).join("src/secret.rs"), "").unwrap();
    edit(&root.join(CHANNEL).join("src/lib.rs"), |text| format!("{text}\nmod secret;\n"));
    let output = package(&root, &base.path().join("package"), &[]);
    let said = said(&output);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("secret.rs is used and does not belong to the source tree"), "{said}");
    assert!(!base.path().join("package").exists(), "nothing was written");
}

#[test]
fn a_downloaded_package_that_was_changed_stops_a_rebuild() {
    let first = first();
    let base = tempfile::tempdir().unwrap();
    let cache = base.path().join("cargo/registry/cache/index.crates.io-0123456789abcdef");
    fs::create_dir_all(&cache).unwrap();
    fs::write(cache.join(format!("{INSIDE}-{}.crate", version_of(INSIDE))), "poison").unwrap();
    let (source, package) = (first.root.to_str().unwrap(), first.folder.to_str().unwrap());
    let output = harness(&["verify", "--rebuild", source, package], &[("CARGO_HOME", &base.path().join("cargo"))]);
    let said = said(&output);
    assert!(output.status.code() == Some(1) && said.contains("is not the package that Cargo.lock pins"), "{said}");
}

#[test]
fn a_component_says_to_other_tools_what_the_channels_own_files_say() {
    let text = |text: &str| Some(text.to_owned());
    let expected = Metadata {
        name: text("small"),
        version: text("0.3.0"),
        description: text("A small channel"),
        licenses: text("Apache-2.0"),
        ..Metadata::default()
    };
    assert_eq!(inspect(&component(), 1 << 20).unwrap().metadata, expected, "what channel.toml has not, Cargo.toml has");
}

#[test]
fn a_package_holds_the_licence_and_a_statement_about_where_it_comes_from() {
    let first = first();
    let (licence, own) = (attachment("text/plain"), fs::read(checkout().join("LICENSE")).unwrap());
    let others = String::from_utf8(licence.strip_prefix(own.as_slice()).unwrap().to_vec()).unwrap();
    let named = format!("{INSIDE} {} (MIT OR Apache-2.0)", version_of(INSIDE));
    assert!(others.contains(&named) && others.contains("Permission is hereby granted"), "{others}");
    assert!(!others.contains(OUTSIDE), "code of the build script's packages is not handed out");
    let statement: Value =
        serde_json::from_slice(&fs::read(first.folder.join("statement-0.3.0.json")).unwrap()).unwrap();
    let predicate = &statement["predicate"];
    let hex = |digest: &Value| digest.as_str().unwrap().trim_start_matches("sha256:").to_owned();
    assert_eq!(statement["subject"][0]["digest"]["sha256"], hex(&first.told["component"]));
    assert_eq!(statement["subject"][1]["digest"]["sha256"], hex(&first.told["manifest"]));
    assert_eq!((&predicate["channel"], &predicate["publisher"]), (&"small".into(), &"acme".into()));
    assert_eq!((&predicate["source"]["path"], &predicate["predecessor"]), (&CHANNEL.into(), &Value::Null));
    assert_eq!(
        predicate["source"]["tree"],
        Digest::from_bytes(SourceTree::of(&first.root).unwrap().digest()).to_string()
    );
    let lock = fs::read(first.root.join("Cargo.lock")).unwrap();
    assert_eq!(predicate["source"]["lockFile"], Digest::of(&lock).to_string());
    assert!(predicate["build"]["rustc"].as_str().unwrap().contains("commit-hash: "), "{predicate}");
    let text = statement.to_string();
    assert!(!text.contains(checkout().to_str().unwrap()), "no path of the machine that built it: {text}");
}

#[test]
fn the_digest_of_a_tree_can_be_computed_as_the_page_says() {
    let page = fs::read_to_string(checkout().join("docs/packages.md")).unwrap();
    let program = page.split("```python\n").nth(1).unwrap().split("```").next().unwrap();
    let base = tempfile::tempdir().unwrap();
    let root = small::write(base.path());
    symlink("lib.rs", root.join(CHANNEL).join("src/link.rs")).unwrap();
    symlink("src", root.join(CHANNEL).join("linked")).unwrap();
    fs::set_permissions(root.join("LICENSE"), std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    for left_out in ["target/debug/x", ".hg/x"] {
        copy(&root.join("LICENSE"), &root.join(left_out));
    }
    let output = Command::new("python3").args(["-c", program]).arg(&root).output().unwrap();
    let computed = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    let tree = SourceTree::of(&root).unwrap();
    assert!(tree.paths().any(|path| path.ends_with("linked")), "a link to a folder is a link");
    assert_eq!(computed, Digest::from_bytes(tree.digest()).to_string(), "{}", String::from_utf8_lossy(&output.stderr));
}
