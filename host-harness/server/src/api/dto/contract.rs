//! Owns: the contract's types in the API's description: their names, and their schemas, which come from the WIT.
//! Does not own: the types themselves.

use std::{borrow::Cow, collections::BTreeSet};

use serde_json::{Map, Value};
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{
        RefOr,
        schema::{ObjectBuilder, Schema},
    },
};

macro_rules! named {
    ($($name:ident),+ $(,)?) => {
        $(
            /// Stands for the contract's type of this name in the API's description.
            pub(crate) struct $name;

            impl PartialSchema for $name {
                fn schema() -> RefOr<Schema> {
                    RefOr::T(ObjectBuilder::new().build().into())
                }
            }

            impl ToSchema for $name {
                fn name() -> Cow<'static, str> {
                    concat!("Contract", stringify!($name)).into()
                }
            }
        )+
    };
}

named! {
    Answer, Card, ChannelCapabilities, CheckResult, ContactCard, Degradation, EntryPoints, FallbackPolicy, FormattedText,
    InputField, Location, MessageRef, OutboundPart, Product, QuickReply, Referral, SendResult, Sender, Setting, Thread,
    Violation,
}

const PLACE: &str = "#/components/schemas/";

/// Puts the schemas of the contract's types that a description refers to into it.
pub(crate) fn complete(description: &mut Value) {
    let contract: Map<String, Value> = serde_json::from_str(harness_contract::SCHEMAS).unwrap_or_default();
    let mut wanted = BTreeSet::new();
    references(description, &mut wanted);
    let Some(schemas) = description.pointer_mut("/components/schemas").and_then(Value::as_object_mut) else { return };
    let mut done = BTreeSet::new();
    while let Some(name) = wanted.pop_first() {
        if let Some(schema) = contract.get(&name).filter(|_| !done.contains(&name)) {
            references(schema, &mut wanted);
            schemas.insert(name.clone(), schema.clone());
        }
        done.insert(name);
        wanted.retain(|name| !done.contains(name));
    }
    schemas.sort_keys();
}

fn references(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(members) => {
            for (name, inner) in members {
                match (name.as_str(), inner.as_str()) {
                    ("$ref", Some(reference)) => found.extend(reference.strip_prefix(PLACE).map(str::to_owned)),
                    _ => references(inner, found),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| references(item, found)),
        _ => {}
    }
}
