//! Owns: the contract's types as JSON Schema, by the rules of `wit/VERSIONING.md`.
//! Does not own: their Rust form (`build.rs`), which fixes the same JSON through serde.

use anyhow::{Context as _, Result, bail};
use serde_json::{Map, Value, json};
use wit_parser::{Docs, Resolve, Type, TypeDefKind};

use super::{DEFAULTED_CHOICES, Generator, pascal, snake};

/// What stands before a type's name, so that it is not taken for one of another document's own.
const PREFIX: &str = "Contract";

/// A schema for each named record, variant and enum; they refer to each other below `#/components/schemas/`.
pub(crate) fn schemas(resolve: &Resolve) -> Result<Value> {
    let (generator, mut schemas) = (Generator { resolve, out: &mut String::new() }, Map::new());
    for (_, def) in resolve.types.iter() {
        let Some(name) = def.name.as_deref() else { continue };
        let mut schema = match &def.kind {
            TypeDefKind::Record(record) => {
                let (mut properties, mut required) = (Map::new(), Vec::new());
                for field in &record.fields {
                    let name = snake(&field.name);
                    if !generator.is_optional_in_json(&field.ty) {
                        required.push(name.clone());
                    }
                    properties.insert(name, described(of(&generator, &field.ty)?, &field.docs));
                }
                json!({ "type": "object", "properties": properties, "required": required, "additionalProperties": false })
            }
            TypeDefKind::Variant(variant) => {
                let mut cases = Vec::new();
                for case in &variant.cases {
                    let name = snake(&case.name);
                    let schema = match &case.ty {
                        None => json!({ "type": "string", "enum": [name] }),
                        Some(ty) => json!({
                            "type": "object", "properties": { name.clone(): of(&generator, ty)? }, "required": [name],
                            "additionalProperties": false,
                        }),
                    };
                    cases.push(described(schema, &case.docs));
                }
                json!({ "oneOf": cases })
            }
            TypeDefKind::Enum(cases) => {
                let cases: Vec<_> = cases.cases.iter().map(|case| snake(&case.name)).collect();
                json!({ "type": "string", "enum": cases })
            }
            _ => continue,
        };
        if DEFAULTED_CHOICES.contains(&name)
            && let Some(TypeDefKind::Enum(cases)) = Some(&def.kind)
        {
            let first = cases.cases.first().context("an enum has a case")?;
            schema["default"] = snake(&first.name).into();
        }
        schemas.insert(format!("{PREFIX}{}", pascal(name)), described(schema, &def.docs));
    }
    Ok(Value::Object(schemas))
}

fn described(mut schema: Value, docs: &Docs) -> Value {
    if let (Some(text), Some(fields)) = (&docs.contents, schema.as_object_mut()) {
        // In OpenAPI 3.1, a description may stand beside a reference.
        fields.insert("description".into(), text.trim().into());
    }
    schema
}

fn of(generator: &Generator<'_>, ty: &Type) -> Result<Value> {
    if generator.is_bytes(ty) {
        return Ok(bytes());
    }
    Ok(match ty {
        Type::Bool => json!({ "type": "boolean" }),
        Type::U8 => json!({ "type": "integer", "minimum": 0, "maximum": u8::MAX }),
        Type::U16 => json!({ "type": "integer", "minimum": 0, "maximum": u16::MAX }),
        Type::U32 => json!({ "type": "integer", "minimum": 0, "maximum": u32::MAX }),
        // Larger numbers are rounded by readers in other languages.
        Type::U64 => json!({ "type": "integer", "minimum": 0, "maximum": 1_u64 << 53 }),
        Type::S64 => json!({ "type": "integer", "minimum": -(1_i64 << 53), "maximum": 1_i64 << 53 }),
        Type::F64 => json!({ "type": "number" }),
        Type::String => json!({ "type": "string" }),
        Type::Id(id) => {
            let def = &generator.resolve.types[*id];
            match (&def.name, &def.kind) {
                (_, TypeDefKind::Type(Type::Id(id))) => of(generator, &Type::Id(*id))?,
                (_, TypeDefKind::Type(primitive)) => of(generator, primitive)?,
                (Some(name), TypeDefKind::Record(_) | TypeDefKind::Variant(_) | TypeDefKind::Enum(_)) => {
                    json!({ "$ref": format!("#/components/schemas/{PREFIX}{}", pascal(name)) })
                }
                (_, TypeDefKind::List(inner)) => json!({ "type": "array", "items": of(generator, inner)? }),
                (_, TypeDefKind::Option(inner)) => json!({ "oneOf": [of(generator, inner)?, { "type": "null" }] }),
                (_, other) => bail!("the contract does not use {}", other.as_str()),
            }
        }
        other => bail!("the contract does not use {other:?}"),
    })
}

/// A text, or base64 where the bytes are none.
fn bytes() -> Value {
    let binary = json!({
        "type": "object", "properties": { "base64": { "type": "string" } }, "required": ["base64"],
        "additionalProperties": false,
    });
    json!({ "oneOf": [{ "type": "string" }, binary] })
}
