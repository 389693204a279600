//! Turns the WIT contract into plain Rust types, so that the contract is written down once.
//! Belongs here: how a WIT type looks in Rust and in JSON. Not here: anything a channel does.

#![allow(clippy::indexing_slicing, reason = "wit-parser keeps types in an arena; its ids are always in it")]

#[path = "build/schema.rs"]
mod schema;

use std::{env, fmt::Write as _, fs, path::Path};

use anyhow::{Context as _, Result, bail};
use wit_parser::{Docs, Resolve, Type, TypeDefKind, TypeId};

/// Enums and variants whose first case, which has no payload, stands in when a JSON document leaves the field out.
const DEFAULTED_CHOICES: [&str; 3] = ["delivery-source", "text-format", "fallback-policy"];

fn main() -> Result<()> {
    let wit = Path::new("../../wit");
    println!("cargo::rerun-if-changed={}", wit.display());
    let mut resolve = Resolve::default();
    let (package, _) = resolve.push_dir(wit).context("the contract in wit/ must parse")?;

    let mut out = String::new();
    let name = &resolve.packages.get(package).context("the package that was just read")?.name;
    writeln!(out, "/// The contract's package, with its version.\npub const PACKAGE: &str = \"{name}\";")?;
    let version = name.version.as_ref().context("the contract's package has a version")?;
    writeln!(out, "/// The contract's version.\npub const VERSION: &str = \"{version}\";")?;
    for (id, _) in resolve.types.iter() {
        Generator { resolve: &resolve, out: &mut out }.definition(id)?;
    }
    let target = env::var("OUT_DIR")?;
    fs::write(Path::new(&target).join("types.rs"), out)?;
    fs::write(Path::new(&target).join("schemas.json"), schema::schemas(&resolve)?.to_string())?;
    Ok(())
}

struct Generator<'a> {
    resolve: &'a Resolve,
    out: &'a mut String,
}

impl Generator<'_> {
    fn definition(&mut self, id: TypeId) -> Result<()> {
        let def = &self.resolve.types[id];
        let Some(name) = def.name.as_deref() else { return Ok(()) };
        let rust = pascal(name);
        match &def.kind {
            // `use` of another interface's type: all types share one namespace here.
            TypeDefKind::Type(Type::Id(_)) => {}
            TypeDefKind::Type(primitive) => {
                self.docs(&def.docs, "")?;
                let target = self.rust_type(primitive)?;
                writeln!(self.out, "pub type {rust} = {target};\n")?;
            }
            TypeDefKind::Record(record) => {
                self.docs(&def.docs, "")?;
                let default = record.fields.iter().all(|f| self.has_default(&f.ty));
                self.derives(
                    "record",
                    if default { "Clone, Debug, Default, PartialEq" } else { "Clone, Debug, PartialEq" },
                )?;
                writeln!(self.out, "#[serde(deny_unknown_fields)]\npub struct {rust} {{")?;
                for field in &record.fields {
                    self.docs(&field.docs, "    ")?;
                    let ty = self.rust_type(&field.ty)?;
                    self.component_name(&field.name)?;
                    self.field_attributes(&field.ty)?;
                    writeln!(self.out, "    pub {}: {ty},", ident(&field.name))?;
                }
                writeln!(self.out, "}}\n")?;
            }
            TypeDefKind::Variant(variant) => {
                self.docs(&def.docs, "")?;
                let default = DEFAULTED_CHOICES.contains(&name);
                let traits = "Clone, Debug, PartialEq";
                self.derives("variant", &if default { format!("{traits}, Default") } else { traits.to_owned() })?;
                writeln!(self.out, "pub enum {rust} {{")?;
                for (index, case) in variant.cases.iter().enumerate() {
                    self.docs(&case.docs, "    ")?;
                    self.component_name(&case.name)?;
                    if default && index == 0 {
                        writeln!(self.out, "    #[default]")?;
                    }
                    writeln!(self.out, "    #[serde(rename = \"{}\")]", snake(&case.name))?;
                    match &case.ty {
                        None => writeln!(self.out, "    {},", pascal(&case.name))?,
                        Some(ty) => {
                            let bytes = self.is_bytes(ty).then_some("#[serde(with = \"crate::json::bytes\")] ");
                            let ty = self.rust_type(ty)?;
                            writeln!(self.out, "    {}({}{ty}),", pascal(&case.name), bytes.unwrap_or_default())?;
                        }
                    }
                }
                writeln!(self.out, "}}\n")?;
                let names = variant.cases.iter().map(|c| (c.name.as_str(), c.ty.is_some())).collect::<Vec<_>>();
                self.names(&rust, &names)?;
            }
            TypeDefKind::Enum(cases) => {
                self.docs(&def.docs, "")?;
                let default = DEFAULTED_CHOICES.contains(&name);
                let traits = "Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd";
                self.derives("enum", &if default { format!("{traits}, Default") } else { traits.to_owned() })?;
                writeln!(self.out, "#[repr(u8)]\npub enum {rust} {{")?;
                for (index, case) in cases.cases.iter().enumerate() {
                    self.docs(&case.docs, "    ")?;
                    self.component_name(&case.name)?;
                    if default && index == 0 {
                        writeln!(self.out, "    #[default]")?;
                    }
                    writeln!(
                        self.out,
                        "    #[serde(rename = \"{}\")]\n    {},",
                        snake(&case.name),
                        pascal(&case.name)
                    )?;
                }
                writeln!(self.out, "}}\n")?;
                let names = cases.cases.iter().map(|c| (c.name.as_str(), false)).collect::<Vec<_>>();
                self.names(&rust, &names)?;
            }
            other => bail!("type `{name}`: the contract does not use {}", other.as_str()),
        }
        Ok(())
    }

    fn derives(&mut self, kind: &str, traits: &str) -> Result<()> {
        writeln!(self.out, "#[derive({traits}, serde::Serialize, serde::Deserialize)]")?;
        writeln!(
            self.out,
            "#[cfg_attr(feature = \"component\", derive(wasmtime::component::ComponentType, \
             wasmtime::component::Lift, wasmtime::component::Lower))]"
        )?;
        writeln!(self.out, "#[cfg_attr(feature = \"component\", component({kind}))]")?;
        Ok(())
    }

    fn component_name(&mut self, name: &str) -> Result<()> {
        writeln!(self.out, "    #[cfg_attr(feature = \"component\", component(name = \"{name}\"))]")?;
        Ok(())
    }

    /// The name that stands for a case in JSON, SQL and log lines.
    fn names(&mut self, rust: &str, cases: &[(&str, bool)]) -> Result<()> {
        writeln!(self.out, "impl {rust} {{\n    /// The case's name, as in JSON and SQL.")?;
        writeln!(self.out, "    pub fn name(&self) -> &'static str {{\n        match self {{")?;
        for (case, payload) in cases {
            let pattern = if *payload { "(_)" } else { "" };
            writeln!(self.out, "            Self::{}{pattern} => \"{}\",", pascal(case), snake(case))?;
        }
        writeln!(self.out, "        }}\n    }}")?;
        if cases.iter().all(|(_, payload)| !payload) {
            writeln!(self.out, "    /// The case of this name, if there is one.")?;
            writeln!(self.out, "    pub fn from_name(name: &str) -> Option<Self> {{\n        Some(match name {{")?;
            for (case, _) in cases {
                writeln!(self.out, "            \"{}\" => Self::{},", snake(case), pascal(case))?;
            }
            writeln!(self.out, "            _ => return None,\n        }})\n    }}")?;
        }
        writeln!(self.out, "}}\n")?;
        Ok(())
    }

    fn field_attributes(&mut self, ty: &Type) -> Result<()> {
        if let Some(inner) = self.option_of(ty) {
            let with = if self.is_bytes(&inner) { ", with = \"crate::json::optional_bytes\"" } else { "" };
            writeln!(self.out, "    #[serde(default, skip_serializing_if = \"Option::is_none\"{with})]")?;
        } else if self.is_bytes(ty) {
            writeln!(self.out, "    #[serde(default, with = \"crate::json::bytes\")]")?;
        } else if self.is_optional_in_json(ty) {
            writeln!(self.out, "    #[serde(default)]")?;
        }
        Ok(())
    }

    fn kind(&self, ty: &Type) -> Option<&TypeDefKind> {
        match ty {
            Type::Id(id) => match &self.resolve.types[*id].kind {
                TypeDefKind::Type(inner) => self.kind(inner),
                kind => Some(kind),
            },
            _ => None,
        }
    }

    fn option_of(&self, ty: &Type) -> Option<Type> {
        match self.kind(ty) {
            Some(TypeDefKind::Option(inner)) => Some(*inner),
            _ => None,
        }
    }

    fn is_bytes(&self, ty: &Type) -> bool {
        matches!(self.kind(ty), Some(TypeDefKind::List(Type::U8)))
    }

    fn is_defaulted_choice(&self, ty: &Type) -> bool {
        let Type::Id(id) = ty else { return false };
        self.resolve.types[*id].name.as_deref().is_some_and(|name| DEFAULTED_CHOICES.contains(&name))
    }

    fn is_optional_in_json(&self, ty: &Type) -> bool {
        matches!(ty, Type::Bool)
            || self.is_defaulted_choice(ty)
            || matches!(self.kind(ty), Some(TypeDefKind::List(_) | TypeDefKind::Option(_)))
    }

    fn has_default(&self, ty: &Type) -> bool {
        match self.kind(ty) {
            None => true,
            Some(TypeDefKind::List(_) | TypeDefKind::Option(_)) => true,
            Some(TypeDefKind::Enum(_)) => self.is_defaulted_choice(ty),
            Some(TypeDefKind::Record(record)) => record.fields.iter().all(|f| self.has_default(&f.ty)),
            Some(_) => false,
        }
    }

    fn rust_type(&self, ty: &Type) -> Result<String> {
        Ok(match ty {
            Type::Bool => "bool".into(),
            Type::U8 => "u8".into(),
            Type::U16 => "u16".into(),
            Type::U32 => "u32".into(),
            Type::U64 => "u64".into(),
            Type::S64 => "i64".into(),
            Type::F64 => "f64".into(),
            Type::String => "String".into(),
            Type::Id(id) => {
                let def = &self.resolve.types[*id];
                match (&def.name, &def.kind) {
                    (Some(name), _) => pascal(name),
                    (None, TypeDefKind::List(inner)) => format!("Vec<{}>", self.rust_type(inner)?),
                    (None, TypeDefKind::Option(inner)) => format!("Option<{}>", self.rust_type(inner)?),
                    (None, other) => bail!("the contract does not use an unnamed {}", other.as_str()),
                }
            }
            other => bail!("the contract does not use {other:?}"),
        })
    }

    fn docs(&mut self, docs: &Docs, indent: &str) -> Result<()> {
        for line in docs.contents.iter().flat_map(|text| text.trim_end().lines()) {
            writeln!(self.out, "{indent}/// {line}")?;
        }
        Ok(())
    }
}

fn snake(name: &str) -> String {
    name.replace('-', "_")
}

fn pascal(name: &str) -> String {
    name.split('-')
        .map(|word| {
            let mut letters = word.chars();
            letters.next().map(|first| first.to_ascii_uppercase()).into_iter().chain(letters).collect::<String>()
        })
        .collect()
}

/// A field's name in Rust; a raw identifier where Rust uses the word itself.
fn ident(name: &str) -> String {
    match name {
        "ref" => "r#ref".into(),
        _ => snake(name),
    }
}
