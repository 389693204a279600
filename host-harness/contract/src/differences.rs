//! Owns: where two JSON documents differ.
//! Does not own: what the documents are.

use serde::Serialize;
use serde_json::Value;

/// A place at which two documents differ.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Difference {
    /// A JSON pointer, such as `/0/body/message/text`.
    pub path: String,
    /// The value in the first document; null if it has none.
    pub before: Value,
    /// The value in the second document; null if it has none.
    pub after: Value,
}

/// The places at which two documents differ, at most `limit`. Lists of different lengths differ as a whole.
pub fn differences(before: &Value, after: &Value, limit: usize) -> Vec<Difference> {
    let mut found = Vec::new();
    compare(String::new(), before, after, limit, &mut found);
    found
}

fn compare(path: String, before: &Value, after: &Value, limit: usize, found: &mut Vec<Difference>) {
    if found.len() >= limit {
        return;
    }
    match (before, after) {
        (Value::Object(a), Value::Object(b)) => {
            let below = |key: &str| format!("{path}/{}", key.replace('~', "~0").replace('/', "~1"));
            for (key, value) in a {
                compare(below(key), value, b.get(key).unwrap_or(&Value::Null), limit, found);
            }
            for (key, value) in b.iter().filter(|(key, _)| !a.contains_key(*key)) {
                compare(below(key), &Value::Null, value, limit, found);
            }
        }
        (Value::Array(a), Value::Array(b)) if a.len() == b.len() => {
            for ((index, a), b) in a.iter().enumerate().zip(b) {
                compare(format!("{path}/{index}"), a, b, limit, found);
            }
        }
        _ if before != after => found.push(Difference { path, before: before.clone(), after: after.clone() }),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_place_that_differs_is_named_and_no_other() {
        let before = json!([{ "a/b": 1, "same": [1, 2], "gone": true }]);
        let after = json!([{ "a/b": 2, "same": [1, 2], "new": "x" }]);
        let found = differences(&before, &after, 10);
        let places: Vec<_> = found.iter().map(|one| (one.path.as_str(), &one.before, &one.after)).collect();
        let (one, two, yes, x) = (json!(1), json!(2), json!(true), json!("x"));
        assert_eq!(places, [("/0/a~1b", &one, &two), ("/0/gone", &yes, &Value::Null), ("/0/new", &Value::Null, &x)]);
        assert_eq!(differences(&before, &after, 1).len(), 1);
        assert_eq!(differences(&json!([1]), &json!([1, 2]), 10).len(), 1, "lists of different lengths");
    }
}
