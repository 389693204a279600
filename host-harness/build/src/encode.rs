//! Owns: turning a core module into a component: encoding, stripping, embedding the manifest.
//! Does not own: compiling (`cargo`).

use std::collections::HashMap;

use harness_contract::manifest::MANIFEST_SECTION;
use wasm_encoder::{
    Component, ComponentImportSection, ComponentInstanceSection, ComponentSection as _, ComponentSectionId,
    CustomSection, RawSection,
    reencode::{Error, Reencode, ReencodeComponent, component_utils},
};
use wasmparser::{ComponentImportSectionReader, ComponentInstance, CustomSectionReader, Parser};
use wit_component::ComponentEncoder;

use crate::{BuildError, imports::through_own_table, prune::prune};

/// Encodes a core module, built against the world `channel`, as a component with an embedded manifest.
pub fn encode(module: &[u8], manifest: &str) -> Result<Vec<u8>, BuildError> {
    let encoded = ComponentEncoder::default()
        .validate(true)
        .module(&prune(module).map_err(BuildError::Encode)?)
        .and_then(|mut encoder| encoder.encode())
        .map_err(|error| BuildError::Encode(format!("{error:#}")))?;
    let encoded = through_own_table(encoded).map_err(BuildError::Encode)?;
    let mut component = Component::new();
    Shorter::default()
        .parse_component(&mut component, Parser::new(0), &encoded)
        .map_err(|error| BuildError::Encode(format!("the encoded component cannot be read again: {error}")))?;
    let mut component = component.finish();
    CustomSection { name: MANIFEST_SECTION.into(), data: manifest.as_bytes().into() }
        .append_to_component(&mut component);
    Ok(component)
}

/// Copies a component without the parts that are not needed to run it.
///
/// The encoder wraps every exported interface in a small component that imports each type and function under a long
/// name, and each name occurs twice: there, and where the wrapper is instantiated. These names are not visible from
/// outside, so they are replaced by numbers. Custom sections with debug names and producers are dropped.
#[derive(Default)]
struct Shorter {
    names: HashMap<String, String>,
    depth: u32,
}

impl Shorter {
    fn shorter(&mut self, name: &str) -> String {
        let next = self.names.len();
        self.names.entry(name.to_owned()).or_insert_with(|| word(next)).clone()
    }
}

/// The words that a name may be, the shortest first: a letter, then letters and digits.
fn word(number: usize) -> String {
    const LETTERS: &[u8] = b"abcdefghijklmnopqrstuvwxyz0123456789";
    let letter = |number: usize| LETTERS.get(number % LETTERS.len()).copied().map_or('a', char::from);
    let (mut word, mut rest) = (String::from(letter(number % 26)), number / 26);
    while rest > 0 {
        rest -= 1;
        word.push(letter(rest));
        rest /= LETTERS.len();
    }
    word
}

impl Reencode for Shorter {
    type Error = std::convert::Infallible;
}

impl ReencodeComponent for Shorter {
    fn push_depth(&mut self) {
        self.depth += 1;
    }

    fn pop_depth(&mut self) {
        self.depth -= 1;
    }

    fn parse_component_submodule(
        &mut self,
        component: &mut Component,
        _: Parser,
        module: &[u8],
    ) -> Result<(), Error<Self::Error>> {
        component.section(&RawSection { id: ComponentSectionId::CoreModule.into(), data: module });
        Ok(())
    }

    fn parse_component_custom_section(
        &mut self,
        _: &mut Component,
        _: CustomSectionReader<'_>,
    ) -> Result<(), Error<Self::Error>> {
        Ok(())
    }

    fn parse_component_import_section(
        &mut self,
        imports: &mut ComponentImportSection,
        section: ComponentImportSectionReader<'_>,
    ) -> Result<(), Error<Self::Error>> {
        if self.depth == 0 {
            return component_utils::parse_component_import_section(self, imports, section);
        }
        for import in section {
            let import = import?;
            let ty = self.component_type_ref(import.ty)?;
            imports.import(self.shorter(import.name.name).as_str(), ty);
        }
        Ok(())
    }

    fn parse_component_instance(
        &mut self,
        instances: &mut ComponentInstanceSection,
        instance: ComponentInstance<'_>,
    ) -> Result<(), Error<Self::Error>> {
        let ComponentInstance::Instantiate { component_index, args } = instance else {
            return component_utils::parse_component_instance(self, instances, instance);
        };
        let args = args.iter().map(|arg| (self.shorter(arg.name), arg.kind.into(), arg.index)).collect::<Vec<_>>();
        instances.instantiate(component_index, args);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn every_number_is_a_word_of_its_own() {
        let words: std::collections::HashSet<_> = (0..100_000).map(super::word).collect();
        assert_eq!(words.len(), 100_000);
        assert!(words.iter().all(|word| word.starts_with(|letter: char| letter.is_ascii_lowercase())));
    }
}
