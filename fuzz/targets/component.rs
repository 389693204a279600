//! Any bytes are a component or an error. What is taken has one manifest, speaks one version of the contract and asks
//! for nothing but its interfaces; what a validator finds sound is never called malformed; and what is within some
//! bounds is within larger ones.
#![no_main]

use libfuzzer_sys::fuzz_target;
use wasmparser::{Validator, WasmFeatures};

// The sandbox's own files, without the compiler that stands beside them.
#[path = "../../host-harness/sandbox/src/count.rs"]
mod count;
#[path = "../../host-harness/sandbox/src/inspect.rs"]
mod inspect;

use count::{ComponentBounds, ShapeError, count};
use harness_contract::text::misleads;
use inspect::{InspectError, inspect};

/// Bounds that small inputs reach.
const SMALL: ComponentBounds = ComponentBounds {
    depth: 2,
    core_instances: 4,
    instances: 8,
    modules: 8,
    functions: 64,
    items: 256,
    function_bytes: 64,
    locals: 16,
    locals_by_blocks: 64,
    memories: 1,
};

fuzz_target!(|bytes: &[u8]| {
    let sound = Validator::new_with_features(features()).validate_all(bytes).is_ok();
    match inspect(bytes, bytes.len()) {
        Ok(inspection) => {
            let names = inspection.imports.iter().chain(&inspection.exports);
            for name in names {
                assert!(!name.chars().any(misleads), "{name:?}");
            }
            for import in &inspection.imports {
                assert!(import.starts_with("inbox:channel/") && import.ends_with(&inspection.contract), "{import}");
            }
            let _ = inspection.manifest();
        }
        Err(error) => {
            let malformed = matches!(error, InspectError::Malformed { .. });
            assert!(!(sound && malformed) || error.to_string().contains("UTF-8"), "{error}");
            assert!(!error.to_string().chars().any(misleads), "{error}");
        }
    }
    let usual = count(bytes, &ComponentBounds::default());
    if let Err(error @ (ShapeError::Malformed { .. } | ShapeError::NoComponent(_))) = &usual {
        assert!(!sound, "{error}");
    }
    if count(bytes, &SMALL).is_ok() {
        assert!(usual.is_ok(), "{usual:?}");
    }
});

/// What the sandbox's engine takes, and more.
fn features() -> WasmFeatures {
    WasmFeatures::default() | WasmFeatures::COMPONENT_MODEL
}
