//! Parameters of a Graph request in every notation: pairs, brackets, JSON in texts.
//! What belongs here: building one document from names and values. Their place is `request`.

use std::collections::{BTreeMap, BTreeSet};

use http::Method;
use serde_json::{Map, Value};

use crate::state::log::TokenPlace;

/// Deeper brackets stay part of the name: no parameter has that many levels, and a body may have a million.
const MAX_DEPTH: usize = 8;

/// Query and body. No `Debug`: it holds the token.
#[derive(Default)]
pub(crate) struct Params {
    pub(crate) params: Map<String, Value>,
    /// Texts as sent, by their name in `params`.
    pub(crate) texts: BTreeMap<String, String>,
    pub(crate) token: Option<(TokenPlace, String)>,
    pub(crate) proof: Option<String>,
    /// `method=`, which overrides that of a GET or POST.
    pub(crate) method: Option<Method>,
    /// Names that had brackets.
    bracketed: BTreeSet<String>,
}

impl Params {
    pub(crate) fn pairs(&mut self, encoded: &[u8], place: TokenPlace) {
        for (name, value) in url::form_urlencoded::parse(encoded) {
            self.put(name.into_owned(), Value::String(value.into_owned()), place);
        }
    }

    /// Adds a parameter; the last of a name wins.
    pub(crate) fn put(&mut self, name: String, value: Value, place: TokenPlace) {
        match (name.as_str(), value) {
            ("access_token", Value::String(token)) if token.is_empty() => {}
            ("access_token", Value::String(token)) => self.token = Some((place, token)),
            ("appsecret_proof", Value::String(proof)) => self.proof = Some(proof),
            ("method", Value::String(method)) => {
                let method = method.to_ascii_uppercase();
                self.method = [Method::GET, Method::POST, Method::DELETE].into_iter().find(|one| *one == *method);
            }
            (_, Value::String(text)) => {
                let value = structured(&text);
                if !self.in_brackets(&name, value.clone()) {
                    self.params.insert(name.clone(), value);
                    self.texts.insert(name, text);
                }
            }
            (_, value) => {
                self.texts.remove(&name);
                self.params.insert(name, value);
            }
        }
    }

    /// `recipient[id]=65`, `fields[0]=name`, `fields[]=name`: how form libraries write objects and lists.
    fn in_brackets(&mut self, name: &str, value: Value) -> bool {
        let Some((base, keys)) = name.strip_suffix(']').and_then(|name| name.split_once('[')) else { return false };
        let keys: Vec<&str> = keys.split("][").collect();
        if base.is_empty() || keys.len() > MAX_DEPTH {
            return false;
        }
        self.texts.remove(base);
        self.bracketed.insert(base.to_owned());
        let mut place = self.params.entry(base).or_insert(Value::Null);
        for key in keys {
            if !place.is_object() {
                *place = Value::Object(Map::new());
            }
            let Value::Object(object) = place else { return false };
            let key = if key.is_empty() { object.len().to_string() } else { key.to_owned() };
            place = object.entry(key).or_insert(Value::Null);
        }
        *place = value;
        true
    }

    /// Turns brackets counted from 0 into lists.
    pub(crate) fn finished(mut self) -> Self {
        for name in std::mem::take(&mut self.bracketed) {
            if let Some(value) = self.params.get_mut(&name) {
                *value = listed(value.take(), 0);
            }
        }
        self
    }
}

/// A text with a JSON object or array is parsed: Meta's samples use both notations.
fn structured(text: &str) -> Value {
    match text.trim_start().chars().next() {
        Some('{' | '[') => serde_json::from_str(text)
            .or_else(|_| serde_json::from_str(&strict(text)))
            .unwrap_or_else(|_| Value::String(text.to_owned())),
        _ => Value::String(text.to_owned()),
    }
}

/// `{id:65,text:'hi'}` as JSON: Meta's samples have unquoted names and single quotes.
fn strict(text: &str) -> String {
    let (mut json, mut symbols) = (String::with_capacity(text.len() + 16), text.chars().peekable());
    while let Some(symbol) = symbols.next() {
        match symbol {
            '"' | '\'' => {
                json.push('"');
                while let Some(inside) = symbols.next_if(|inside| *inside != symbol) {
                    match (inside, symbols.peek()) {
                        ('\\', Some('\'')) => json.extend(symbols.next()),
                        ('\\', Some(_)) => {
                            json.push(inside);
                            json.extend(symbols.next());
                        }
                        ('"', _) => json.push_str("\\\""),
                        _ => json.push(inside),
                    }
                }
                symbols.next();
                json.push('"');
            }
            letter if letter.is_ascii_alphabetic() || letter == '_' => {
                let mut word = String::from(letter);
                while let Some(more) = symbols.next_if(|more| more.is_ascii_alphanumeric() || *more == '_') {
                    word.push(more);
                }
                match word.as_str() {
                    "true" | "false" | "null" => json.push_str(&word),
                    _ => json.extend(["\"", &word, "\""]),
                }
            }
            other => json.push(other),
        }
    }
    json
}

fn listed(value: Value, depth: usize) -> Value {
    let Value::Object(mut object) = value else { return value };
    if depth <= MAX_DEPTH {
        for inner in object.values_mut() {
            *inner = listed(inner.take(), depth + 1);
        }
    }
    let counted = !object.is_empty() && (0..object.len()).all(|at| object.contains_key(&at.to_string()));
    if !counted {
        return Value::Object(object);
    }
    (0..object.len()).filter_map(|at| object.remove(&at.to_string())).collect()
}

/// Decodes a percent-encoded name or secret of HTTP Basic.
pub(crate) fn unescaped(text: &str) -> String {
    if !text.contains('%') {
        return text.to_owned();
    }
    let pair = format!("x={}", text.replace('&', "%26"));
    url::form_urlencoded::parse(pair.as_bytes()).next().map_or_else(|| text.to_owned(), |(_, value)| value.into_owned())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn of(query: &str) -> Map<String, Value> {
        let mut params = Params::default();
        params.pairs(query.as_bytes(), TokenPlace::Form);
        params.finished().params
    }

    #[test]
    fn form_values_that_hold_json_are_read_as_json() {
        assert_eq!(structured(r#"{"id":"65"}"#), json!({"id": "65"}));
        assert_eq!(structured("65"), Value::String("65".to_owned()));
        assert_eq!(structured("{broken"), Value::String("{broken".to_owned()));
    }

    #[test]
    fn the_loose_json_of_metas_samples_is_read_too() {
        assert_eq!(structured("{id:65}"), json!({"id": 65}));
        let loose = r#"{attachment:{type:'template', "a":[true,null], text:'It\'s "so"', u:'a:b,c\n'}}"#;
        let expected =
            json!({"attachment": {"type": "template", "a": [true, null], "text": "It's \"so\"", "u": "a:b,c\n"}});
        assert_eq!(structured(loose), expected);
        for text in ["{hello}", "[so: so", "{'", "[\\", "{a:'\\"] {
            assert_eq!(structured(text), Value::String(text.to_owned()), "{text}");
        }
    }

    #[test]
    fn brackets_are_objects_and_lists() {
        let sent = of("recipient[id]=65&message[text]=hi&fields[]=a&fields[]=b&x[0][y]=1&x[1][y]=2&[z]=3");
        let expected = json!({
            "recipient": {"id": "65"}, "message": {"text": "hi"}, "fields": ["a", "b"],
            "x": [{"y": "1"}, {"y": "2"}], "[z]": "3",
        });
        assert_eq!(Value::Object(sent), expected);
    }

    #[test]
    fn credentials_may_be_percent_encoded_or_not() {
        assert_eq!((unescaped("a%3Ab").as_str(), unescaped("a+b&c").as_str()), ("a:b", "a+b&c"));
    }
}
