//! Result pages: `limit`, `after`, cursors, and the URL of the next page.
//! What belongs here: paging. The endpoints make the lists.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value, json};
use url::Url;

use crate::core::Core;
use crate::graph::error::GraphError;
use crate::graph::request::GraphRequest;

/// The default page size.
const DEFAULT_LIMIT: usize = 25;

/// The requested part of a list.
pub(crate) struct Wanted {
    pub(crate) limit: usize,
    after: Option<String>,
    before: Option<String>,
}

/// A part of a list.
pub(crate) struct Part<T> {
    pub(crate) entries: Vec<T>,
    first: Option<String>,
    last: Option<String>,
    less: bool,
    more: bool,
}

impl Wanted {
    /// Reads `limit`, `after` and `before`, up to the configured page size.
    pub(crate) fn read(
        limit: Option<&str>,
        after: Option<&str>,
        before: Option<&str>,
        most: usize,
    ) -> Result<Self, GraphError> {
        let limit = match limit {
            None => DEFAULT_LIMIT,
            Some(text) => text.parse().ok().ok_or_else(|| GraphError::parameter("Param limit must not be negative"))?,
        };
        Ok(Self { limit: limit.min(most.max(1)), after: cursor(after)?, before: cursor(before)? })
    }

    pub(crate) fn of_request(core: &Core, request: &GraphRequest) -> Result<Self, GraphError> {
        let most = core.world().app.page_size;
        let text = |name: &str| request.text(name);
        Self::read(text("limit").as_deref(), text("after").as_deref(), text("before").as_deref(), most)
    }

    /// Cuts a list whose entries have keys.
    pub(crate) fn cut<T>(&self, entries: Vec<(String, T)>) -> Result<Part<T>, GraphError> {
        let position = |key: &String| entries.iter().position(|(of, _)| of == key).ok_or_else(invalid_cursor);
        let (start, end) = match (&self.after, &self.before) {
            (Some(after), _) => (position(after)? + 1, entries.len()),
            (None, Some(before)) => {
                let end = position(before)?;
                (end.saturating_sub(self.limit), end)
            }
            (None, None) => (0, entries.len()),
        };
        let end = end.min(start.saturating_add(self.limit));
        let (less, more) = (start > 0, end < entries.len());
        let (keys, entries): (Vec<String>, Vec<T>) =
            entries.into_iter().skip(start).take(end.saturating_sub(start)).unzip();
        Ok(Part { entries, first: keys.first().cloned(), last: keys.last().cloned(), less, more })
    }
}

fn cursor(text: Option<&str>) -> Result<Option<String>, GraphError> {
    let Some(text) = text.filter(|text| !text.is_empty()) else { return Ok(None) };
    let key = URL_SAFE_NO_PAD.decode(text).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    key.map(Some).ok_or_else(invalid_cursor)
}

fn invalid_cursor() -> GraphError {
    GraphError::parameter("Invalid cursor")
}

impl<T> Part<T> {
    /// The `paging` object. `next` and `previous` are full URLs with the token, as on the real platform.
    pub(crate) fn paging(
        &self,
        core: &Core,
        request: &GraphRequest,
        path: &str,
        parameters: &[(&str, String)],
    ) -> Value {
        let (Some(first), Some(last)) = (&self.first, &self.last) else { return json!({}) };
        let (before, after) = (URL_SAFE_NO_PAD.encode(first), URL_SAFE_NO_PAD.encode(last));
        let mut paging = Map::new();
        paging.insert("cursors".to_owned(), json!({"before": before, "after": after}));
        for (name, there, place, cursor) in
            [("previous", self.less, "before", &before), ("next", self.more, "after", &after)]
        {
            let address = address(core, request, path, parameters, (place, cursor));
            if let Some(address) = address.filter(|_| there) {
                paging.insert(name.to_owned(), json!(address));
            }
        }
        Value::Object(paging)
    }
}

fn address(
    core: &Core,
    request: &GraphRequest,
    path: &str,
    parameters: &[(&str, String)],
    (place, cursor): (&str, &str),
) -> Option<String> {
    let version = request.version.as_deref().unwrap_or("v25.0");
    let mut address = Url::parse(&format!("{}/{}/{version}{path}", core.base_url, request.host.name())).ok()?;
    {
        let mut query = address.query_pairs_mut();
        if let Some((_, token)) = &request.token {
            query.append_pair("access_token", token);
        }
        for (name, value) in parameters {
            query.append_pair(name, value);
        }
        query.append_pair(place, cursor);
    }
    Some(address.into())
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
        let first = Wanted::read(Some("2"), None, None, 100).unwrap().cut(letters()).unwrap();
        assert!(first.more && first.entries == [1, 2]);
        let cursor = URL_SAFE_NO_PAD.encode("b");
        let second = Wanted::read(None, Some(&cursor), None, 100).unwrap().cut(letters()).unwrap();
        assert!(!second.more && second.entries == [3]);
        let back = Wanted::read(Some("1"), None, Some(&URL_SAFE_NO_PAD.encode("c")), 100).unwrap();
        let back = back.cut(letters()).unwrap();
        assert!(back.less && back.more && back.entries == [2]);
        assert_eq!(Wanted::read(Some("50"), None, None, 2).unwrap().limit, 2);
    }

    #[test]
    fn broken_limits_and_cursors_are_refused() {
        assert!(Wanted::read(Some("-1"), None, None, 100).is_err());
        // Clients request the summary alone this way.
        assert!(Wanted::read(Some("0"), None, None, 100).unwrap().cut(letters()).unwrap().entries.is_empty());
        assert!(Wanted::read(None, Some("%%"), None, 100).is_err());
        let unknown = URL_SAFE_NO_PAD.encode("z");
        assert!(Wanted::read(None, Some(&unknown), None, 100).unwrap().cut(letters()).is_err());
    }
}
