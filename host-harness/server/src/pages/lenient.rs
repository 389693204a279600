//! Owns: reading the query of an address that somebody may have changed by hand: what it does not know is as if it were
//! not there.
//! Does not own: queries of other systems, which are right or refused.

use std::{collections::BTreeMap, convert::Infallible};

use axum::{extract::FromRequestParts, http::request::Parts};
use serde::de::DeserializeOwned;

/// The query, or its default.
pub(super) struct Lenient<T>(pub(super) T);

impl<S: Sync, T: DeserializeOwned + Default> FromRequestParts<S> for Lenient<T> {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self(read(parts.uri.query().unwrap_or_default())))
    }
}

/// Of several values of a name, the last one counts.
fn read<T: DeserializeOwned + Default>(query: &str) -> T {
    let once: BTreeMap<_, _> = url::form_urlencoded::parse(query.as_bytes()).collect();
    let query = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(once).finish();
    let uri = format!("/?{query}").parse();
    uri.ok().and_then(|uri| axum::extract::Query::try_from_uri(&uri).ok()).map(|query| query.0).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Default, Deserialize, PartialEq)]
    struct Asked {
        q: Option<String>,
        step: Option<usize>,
    }

    #[test]
    fn what_a_query_does_not_know_is_as_if_it_were_not_there() {
        let asked = |q: &str, step| Asked { q: Some(q.into()), step };
        assert_eq!(read::<Asked>("q=a&step=2&step=3&other=1"), asked("a", Some(3)));
        assert_eq!(read::<Asked>("q=a&q=%F0%9F%98%80+b"), asked("😀 b", None));
        for broken in ["", "step=abc", "step=-1&q=a", "%%%"] {
            assert_eq!(read::<Asked>(broken).step, None, "{broken}");
        }
    }
}
