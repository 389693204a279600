//! Owns: the tests of source trees and their digests.
//! Does not own: anything else.
#![cfg(test)]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::{fs, os::unix::fs::symlink, process::Command};

use tempfile::TempDir;

use super::*;

fn put(folder: &TempDir, path: &str, content: &str) {
    let path = folder.path().join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, content).unwrap();
}

fn tree() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for path in ["Cargo.toml", "src/lib.rs", "src/target/mod.rs", "z.rs", "a/Cargo.toml"] {
        put(&folder, path, path);
    }
    put(&folder, "run", "#!/bin/sh");
    fs::set_permissions(folder.path().join("run"), fs::Permissions::from_mode(0o755)).unwrap();
    symlink("../z.rs", folder.path().join("src/link")).unwrap();
    folder
}

fn of(folder: &TempDir) -> SourceTree {
    SourceTree::of(folder.path()).unwrap()
}

#[test]
fn the_text_that_is_hashed_lists_every_file_sorted_with_its_kind_and_digest() {
    let text = of(&tree()).document();
    let lines: Vec<&str> = text.lines().collect();
    let digest = |content: &str| hex::encode(Sha256::digest(content));
    let expected = [
        "inbox-channel source tree 1".to_owned(),
        format!("- {} Cargo.toml", digest("Cargo.toml")),
        format!("- {} a/Cargo.toml", digest("a/Cargo.toml")),
        format!("x {} run", digest("#!/bin/sh")),
        format!("- {} src/lib.rs", digest("src/lib.rs")),
        format!("l {} src/link", digest("../z.rs")),
        format!("- {} src/target/mod.rs", digest("src/target/mod.rs")),
        format!("- {} z.rs", digest("z.rs")),
    ];
    assert_eq!(lines, expected);
    assert!(text.ends_with('\n'));
}

#[test]
fn what_is_built_and_what_version_control_keeps_do_not_count_and_everything_else_does() {
    let folder = tree();
    let before = of(&folder).digest();
    for path in ["target/debug/x", "a/target/x", ".hg/x", "a/.svn/x"] {
        put(&folder, path, "x");
        assert_eq!(of(&folder).digest(), before, "{path}");
    }
    for path in [".cargo/config.toml", "src/target/x", "b/target/x", ".gitignore"] {
        put(&folder, path, "x");
        assert_ne!(of(&folder).digest(), before, "{path}");
        fs::remove_file(folder.path().join(path)).unwrap();
        assert_eq!(of(&folder).digest(), before, "{path}");
    }
    fs::set_permissions(folder.path().join("z.rs"), fs::Permissions::from_mode(0o755)).unwrap();
    assert_ne!(of(&folder).digest(), before, "the bit counts");
}

#[test]
fn what_git_tracks_is_the_tree_and_a_copy_of_it_has_the_same_digest() {
    let folder = tree();
    let before = of(&folder);
    for arguments in [&["init", "--quiet"][..], &["add", "--all"]] {
        assert!(Command::new("git").args(arguments).current_dir(folder.path()).status().unwrap().success());
    }
    put(&folder, "notes", "not tracked");
    let tracked = of(&folder);
    assert_eq!(tracked.document(), before.document());
    assert!(tracked.has(&folder.path().join("src/link")) && !tracked.has(&folder.path().join("notes")));

    let copy = tempfile::tempdir().unwrap();
    tracked.copy_to(copy.path()).unwrap();
    assert_eq!(of(&copy).document(), before.document());
}

#[test]
fn a_channel_belongs_to_the_work_tree_that_tracks_it_and_otherwise_to_its_workspace() {
    let folder = tree();
    put(&folder, "own/Cargo.toml", "");
    put(&folder, "own/channel.toml", "");
    let own = folder.path().join("own");
    let init = |arguments: &[&str]| Command::new("git").args(arguments).current_dir(folder.path()).status().unwrap();
    assert!(init(&["init", "--quiet"]).success());
    let around = SourceTree::around(&own, &own).unwrap();
    assert_eq!(around.root(), own.canonicalize().unwrap());
    assert!(init(&["add", "--all"]).success());
    let around = SourceTree::around(&own, &own).unwrap();
    assert_eq!(around.root(), folder.path().canonicalize().unwrap());
    assert_eq!(around.inside(&own.canonicalize().unwrap()).as_deref(), Some("own"));
}

#[test]
fn links_that_lead_out_and_names_that_others_cannot_write_are_refused() {
    for target in ["/etc/passwd", "../../x", "../src/../../x"] {
        let folder = tree();
        symlink(target, folder.path().join("src/out")).unwrap();
        let refused = SourceTree::of(folder.path()).unwrap_err();
        assert!(matches!(refused, TreeError::LeadsOut(_)), "{target}: {refused}");
    }
    for name in ["a\nb", "a\u{1b}[2J"] {
        let folder = tree();
        put(&folder, name, "x");
        let refused = SourceTree::of(folder.path()).unwrap_err();
        let said = refused.to_string();
        assert!(matches!(refused, TreeError::Name(_)) && !said.contains(['\n', '\u{1b}']), "{said}");
    }
    let folder = tree();
    assert!(Command::new("mkfifo").arg(folder.path().join("pipe")).status().unwrap().success());
    assert!(matches!(SourceTree::of(folder.path()).unwrap_err(), TreeError::Special(_)));
}
