//! Owns: the texts of the licences that go with a component: the channel's own, and those of what it holds code of.
//! Does not own: licences as expressions (`sbom`).

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use crate::{
    BuildError, read,
    workspace::{Package, Workspace},
};

/// The most bytes of one text.
const MAX_BYTES: u64 = 256 << 10;
/// What stands between two texts.
const LINE: &str = "\n\n----------------------------------------------------------------------\n\n";

/// The channel's own licence, and behind it each text that a package asks to be passed on with its code, once, under the
/// names of those that have it. `packages` says which packages took part, and whether code of them is in the component.
///
/// A package's texts are the file that its Cargo.toml names, otherwise those named `LICENSE…`, `LICENCE…`, `COPYING…` or
/// `NOTICE…` in its folder, and for one of the workspace those in the workspace's folder. None where the channel has none.
pub(crate) fn texts(
    workspace: &Workspace,
    own: &Package,
    packages: &BTreeMap<String, bool>,
) -> Result<Option<Vec<u8>>, BuildError> {
    let Some(mut document) = text(workspace, own)? else { return Ok(None) };
    let inside = |package: &&Package| package.source.is_some() && packages.get(&package.id) == Some(&true);
    let mut others: BTreeMap<Vec<u8>, Vec<String>> = BTreeMap::new();
    for package in workspace.packages.iter().filter(inside) {
        let stated = package.license.as_deref().unwrap_or("no licence stated");
        let text = text(workspace, package)?.unwrap_or_else(|| b"(The package holds no text of its licence.)".to_vec());
        others.entry(text).or_default().push(format!("{} {} ({stated})", package.name, package.version));
    }
    let mut others: Vec<_> = others.into_iter().map(|(text, mut names)| (sorted(&mut names), text)).collect();
    others.sort();
    for (names, text) in others {
        document.extend([LINE.as_bytes(), names.as_bytes(), b"\n\n", &text].concat());
    }
    Ok(Some(document))
}

fn sorted(names: &mut [String]) -> String {
    names.sort();
    names.join("\n")
}

fn text(workspace: &Workspace, package: &Package) -> Result<Option<Vec<u8>>, BuildError> {
    let files = match &package.license_file {
        Some(named) => vec![package.folder().join(named)],
        None => {
            let own = named_so(package.folder());
            let of_workspace = own.is_empty() && package.source.is_none();
            if of_workspace { named_so(&workspace.workspace_root) } else { own }
        }
    };
    let mut texts = Vec::new();
    for file in files {
        if fs::metadata(&file).is_ok_and(|metadata| metadata.len() > MAX_BYTES) {
            return Err(BuildError::LicenceTooLarge { path: file, max: MAX_BYTES });
        }
        texts.push(read(&file)?);
    }
    Ok((!texts.is_empty()).then(|| texts.join(&b"\n\n"[..])))
}

fn named_so(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut found: Vec<_> = entries
        .map(|entry| entry.path())
        .filter(|path| {
            let name = path.file_name().map(|name| name.to_string_lossy().to_ascii_uppercase()).unwrap_or_default();
            path.is_file() && ["LICENSE", "LICENCE", "COPYING", "NOTICE"].iter().any(|word| name.starts_with(word))
        })
        .collect();
    found.sort();
    found
}
