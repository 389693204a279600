//! The `fields` parameter: `a,b{c},d.limit(5){e}` as a tree, and selecting by it.
//! What belongs here: field expansion for every node. The nodes' fields are in their modules.

use serde_json::{Map, Value, json};

use crate::graph::error::GraphError;
use crate::graph::unplayed::{self, Node};

/// A requested field.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Field {
    pub(crate) name: String,
    /// Modifiers such as `.limit(5)`.
    pub(crate) modifiers: Vec<(String, String)>,
    /// The fields in braces.
    pub(crate) inner: Option<Vec<Field>>,
}

impl Field {
    pub(crate) fn modifier(&self, name: &str) -> Option<&str> {
        self.modifiers.iter().find(|(of, _)| of == name).map(|(_, value)| value.as_str())
    }
}

/// Parses a `fields` parameter; a malformed one is parsed as far as possible.
pub(crate) fn parse(text: &str) -> Vec<Field> {
    list(&mut text.chars().peekable(), 0)
}

/// Deeper braces are flattened: no node has that many levels, and a body may have a million.
const MAX_DEPTH: usize = 8;

type Symbols<'a> = std::iter::Peekable<std::str::Chars<'a>>;

fn list(symbols: &mut Symbols<'_>, depth: usize) -> Vec<Field> {
    let mut fields = Vec::new();
    let mut field = Field::default();
    while let Some(symbol) = symbols.next() {
        match symbol {
            '{' if depth < MAX_DEPTH => field.inner = Some(list(symbols, depth + 1)),
            '{' => {}
            '}' => break,
            ',' => fields.push(std::mem::take(&mut field)),
            '.' => field.modifiers.push(modifier(symbols)),
            other if other.is_whitespace() => {}
            other => field.name.push(other),
        }
    }
    fields.push(field);
    fields.retain(|field| !field.name.is_empty());
    fields
}

fn modifier(symbols: &mut Symbols<'_>) -> (String, String) {
    let (mut name, mut value, mut inside) = (String::new(), String::new(), false);
    while let Some(symbol) = symbols.peek().copied() {
        if !inside && matches!(symbol, ',' | '{' | '}' | '.') {
            break;
        }
        symbols.next();
        match symbol {
            '(' => inside = true,
            ')' => break,
            other if inside => value.push(other),
            other => name.push(other),
        }
    }
    (name, value)
}

/// Writes the fields as a parameter again, for the URL of the next page.
pub(crate) fn written(fields: &[Field]) -> String {
    let one = |field: &Field| {
        let modifiers: String = field.modifiers.iter().map(|(name, value)| format!(".{name}({value})")).collect();
        let inner = field.inner.as_deref().map(|inner| format!("{{{}}}", written(inner))).unwrap_or_default();
        format!("{}{modifiers}{inner}", field.name)
    };
    fields.iter().map(one).collect::<Vec<_>>().join(",")
}

/// Selects from a node. `id` is always included; a null field is omitted; an unknown one is refused with 100.
pub(crate) fn pick(of: Node, node: &Value, fields: &[Field]) -> Result<Value, GraphError> {
    let mut answer = Map::new();
    if let Some(id) = node.get("id") {
        answer.insert("id".to_owned(), id.clone());
    }
    for field in fields {
        let value = node.get(&field.name).ok_or_else(|| unplayed::field(of, &field.name))?;
        if !value.is_null() {
            answer.insert(field.name.clone(), expand(of.inside(&field.name), value, field.inner.as_deref())?);
        }
    }
    Ok(Value::Object(answer))
}

/// Applies braces to a field of a message. Missing fields are omitted, because attachments differ.
pub(crate) fn narrowed(value: Value, inner: Option<&[Field]>) -> Value {
    let Some(fields) = inner else { return value };
    match value {
        Value::Array(list) => list.into_iter().map(|one| narrowed(one, inner)).collect(),
        Value::Object(object) if object.contains_key("data") => {
            object.into_iter().map(|(name, one)| (name, narrowed(one, inner))).collect()
        }
        Value::Object(mut object) => {
            let mut answer = Map::new();
            if let Some(id) = object.get("id") {
                answer.insert("id".to_owned(), id.clone());
            }
            for field in fields {
                if let Some(one) = object.remove(&field.name) {
                    answer.insert(field.name.clone(), narrowed(one, field.inner.as_deref()));
                }
            }
            Value::Object(answer)
        }
        plain => plain,
    }
}

/// A nested node shows only its id, unless braces ask for more.
fn expand(of: Node, value: &Value, inner: Option<&[Field]>) -> Result<Value, GraphError> {
    let nested = |value: &Value| match inner {
        Some(fields) => pick(of, value, fields),
        None => Ok(value.clone()),
    };
    match value.get("data") {
        Some(data) => Ok(json!({ "data": nested(data)? })),
        None if value.get("id").is_some() && inner.is_none() => pick(of, value, &[]),
        None if value.is_object() => nested(value),
        None => Ok(value.clone()),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a failed unwrap is a failed test")]
    use super::*;

    fn names(fields: &[Field]) -> Vec<&str> {
        fields.iter().map(|field| field.name.as_str()).collect()
    }

    #[test]
    fn nested_fields_and_modifiers_are_read() {
        let fields = parse("id, messages.limit(5).after(x,y){id,from{id}},updated_time");
        assert_eq!(names(&fields), ["id", "messages", "updated_time"]);
        let messages = fields.get(1).unwrap();
        assert_eq!((messages.modifier("limit"), messages.modifier("after")), (Some("5"), Some("x,y")));
        assert_eq!(names(messages.inner.as_deref().unwrap()), ["id", "from"]);
        let text = "id,messages.limit(5).after(x,y){id,from{id}},updated_time";
        assert_eq!(written(&fields), text);
        assert_eq!(parse(""), []);
        assert_eq!(names(&parse("a{b")), ["a"]);
    }

    #[test]
    fn nulls_are_left_out_and_nested_nodes_show_their_id_only() {
        let node =
            json!({"id": "1", "ig": {"id": "2", "name": "x"}, "none": null, "picture": {"data": {"url": "u", "h": 1}}});
        assert_eq!(pick(Node::Page, &node, &parse("ig,none")).unwrap(), json!({"id": "1", "ig": {"id": "2"}}));
        assert_eq!(
            pick(Node::Page, &node, &parse("ig{name},picture{url}")).unwrap(),
            json!({"id": "1", "ig": {"id": "2", "name": "x"}, "picture": {"data": {"url": "u"}}})
        );
        assert_eq!(pick(Node::Page, &node, &parse("shoe")).unwrap_err().code, 100);
        let attachments = json!({"data": [{"image_data": {"url": "u", "width": 1}}, {"file_url": "f"}]});
        assert_eq!(
            narrowed(attachments, parse("x{image_data{url},video_data}")[0].inner.as_deref()),
            json!({"data": [{"image_data": {"url": "u"}}, {}]})
        );
    }
}
