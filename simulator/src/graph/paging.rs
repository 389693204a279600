//! Result pages: `limit`, `after`, cursors, and the address of the next page.
//! What belongs here: cutting a list. What stands in the list is made by its endpoint.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value, json};
use url::Url;

use crate::core::Core;
use crate::graph::error::GraphError;
use crate::graph::request::GraphRequest;

/// The size of a page when the client does not say one.
const DEFAULT_LIMIT: usize = 25;

/// Which part of a list is wanted.
pub(crate) struct Wanted {
    pub(crate) limit: usize,
    after: Option<String>,
}

/// A part of a list.
pub(crate) struct Part<T> {
    pub(crate) entries: Vec<T>,
    first: Option<String>,
    last: Option<String>,
    more: bool,
}

impl Wanted {
    /// Reads `limit` and `after`; no page is longer than the configured size.
    pub(crate) fn read(limit: Option<&str>, after: Option<&str>, most: usize) -> Result<Self, GraphError> {
        let limit = match limit {
            None => DEFAULT_LIMIT,
            Some(text) => text
                .parse()
                .ok()
                .filter(|limit| *limit > 0)
                .ok_or_else(|| GraphError::parameter("Param limit must be a positive number"))?,
        };
        let after = match after.filter(|after| !after.is_empty()) {
            None => None,
            Some(cursor) => Some(
                URL_SAFE_NO_PAD
                    .decode(cursor)
                    .ok()
                    .and_then(|bytes| String::from_utf8(bytes).ok())
                    .ok_or_else(invalid_cursor)?,
            ),
        };
        Ok(Self { limit: limit.min(most.max(1)), after })
    }

    pub(crate) fn of_request(core: &Core, request: &GraphRequest) -> Result<Self, GraphError> {
        let most = core.world().app.page_size;
        Self::read(request.text("limit").as_deref(), request.text("after").as_deref(), most)
    }

    /// Cuts a list whose entries are named by a key.
    pub(crate) fn cut<T>(&self, entries: Vec<(String, T)>) -> Result<Part<T>, GraphError> {
        let start = match &self.after {
            None => 0,
            Some(after) => entries.iter().position(|(key, _)| key == after).ok_or_else(invalid_cursor)? + 1,
        };
        let more = entries.len() > start.saturating_add(self.limit);
        let (keys, entries): (Vec<String>, Vec<T>) = entries.into_iter().skip(start).take(self.limit).unzip();
        Ok(Part { entries, first: keys.first().cloned(), last: keys.last().cloned(), more })
    }
}

fn invalid_cursor() -> GraphError {
    GraphError::parameter("Invalid cursor")
}

impl<T> Part<T> {
    /// The `paging` object. `next` is a whole address, token included, as on the real platform.
    pub(crate) fn paging(
        &self,
        core: &Core,
        request: &GraphRequest,
        path: &str,
        parameters: &[(&str, String)],
    ) -> Value {
        let (Some(first), Some(last)) = (&self.first, &self.last) else { return json!({}) };
        let after = URL_SAFE_NO_PAD.encode(last);
        let mut paging = Map::new();
        paging.insert("cursors".to_owned(), json!({"before": URL_SAFE_NO_PAD.encode(first), "after": after}));
        if self.more {
            let version = request.version.as_deref().unwrap_or("v25.0");
            let base = format!("{}/{}/{version}{path}", core.base_url, request.host.name());
            if let Ok(mut next) = Url::parse(&base) {
                {
                    let mut query = next.query_pairs_mut();
                    if let Some((_, token)) = &request.token {
                        query.append_pair("access_token", token);
                    }
                    for (name, value) in parameters {
                        query.append_pair(name, value);
                    }
                    query.append_pair("after", &after);
                }
                paging.insert("next".to_owned(), json!(next.as_str()));
            }
        }
        Value::Object(paging)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]
    use super::*;

    fn letters() -> Vec<(String, u8)> {
        [("a", 1), ("b", 2), ("c", 3)].map(|(key, value)| (key.to_owned(), value)).into()
    }

    #[test]
    fn a_list_is_cut_by_limit_and_cursor() {
        let first = Wanted::read(Some("2"), None, 100).unwrap().cut(letters()).unwrap();
        assert!(first.more && first.entries == [1, 2]);
        let cursor = URL_SAFE_NO_PAD.encode("b");
        let second = Wanted::read(None, Some(&cursor), 100).unwrap().cut(letters()).unwrap();
        assert!(!second.more && second.entries == [3]);
        assert_eq!(Wanted::read(Some("50"), None, 2).unwrap().limit, 2);
    }

    #[test]
    fn broken_limits_and_cursors_are_refused() {
        assert!(Wanted::read(Some("0"), None, 100).is_err());
        assert!(Wanted::read(None, Some("%%"), 100).is_err());
        let unknown = URL_SAFE_NO_PAD.encode("z");
        assert!(Wanted::read(None, Some(&unknown), 100).unwrap().cut(letters()).is_err());
    }
}
