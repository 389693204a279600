//! Owns: the shape of every list of the API, and the query parameters that ask for a page of it.
//! Does not own: how a page is found (the inbox), filters.

use std::{fmt::Display, str::FromStr};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use harness_inbox::Page;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::problem::Problem;

/// The largest number of entries on a page.
const MAX_PAGE: usize = 200;
/// The number of entries on a page, if the request does not say.
const PAGE: usize = 50;

/// One page of a list.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct List<T> {
    /// The entries.
    pub(crate) data: Vec<T>,
    /// Whether there are more.
    pub(crate) has_more: bool,
    /// Where the next page begins, for the parameter `cursor`. Opaque; null on the last page.
    pub(crate) cursor: Option<String>,
}

impl<T> List<T> {
    /// A page of the inbox, with each entry in the form of the API.
    pub(crate) fn of<Row>(page: Page<Row, impl Display>, form: impl FnMut(Row) -> T) -> Self {
        Self::new(page.entries.into_iter().map(form).collect(), page.next)
    }

    /// Entries, and where the next page begins.
    pub(crate) fn new(data: Vec<T>, next: Option<impl Display>) -> Self {
        let cursor = next.map(|place| URL_SAFE_NO_PAD.encode(place.to_string()));
        Self { data, has_more: cursor.is_some(), cursor }
    }

    /// A list that always fits on one page.
    pub(crate) fn whole(data: Vec<T>) -> Self {
        Self { data, has_more: false, cursor: None }
    }
}

/// Which page of a list is asked for.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Paging {
    /// The number of entries, at most 200; without it 50.
    #[param(value_type = Option<u16>, minimum = 1, maximum = 200)]
    pub(crate) limit: Option<String>,
    /// Where the page before this one ended: its `cursor`.
    pub(crate) cursor: Option<String>,
}

impl Paging {
    /// The number of entries.
    pub(crate) fn limit(&self) -> Result<usize, Problem> {
        let Some(limit) = &self.limit else { return Ok(PAGE) };
        let given = limit.parse().ok().filter(|limit| (1..=MAX_PAGE).contains(limit));
        given.ok_or_else(|| {
            let sentence = format!("`limit` is how many entries a page has: a number from 1 to {MAX_PAGE}");
            Problem::bad("bad_parameter", sentence).at("limit")
        })
    }

    /// The place after which the page begins.
    pub(crate) fn place<P: FromStr>(&self) -> Result<Option<P>, Problem> {
        let Some(cursor) = &self.cursor else { return Ok(None) };
        let place = URL_SAFE_NO_PAD.decode(cursor).ok().and_then(|text| String::from_utf8(text).ok()?.parse().ok());
        place.map(Some).ok_or_else(|| {
            let sentence = "`cursor` is where an earlier page ended: take it from that page's `cursor`";
            Problem::bad("bad_parameter", sentence).at("cursor")
        })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_leads_to_where_the_page_ended_and_nothing_else_does() {
        let list = List::new(vec![1, 2], Some(77_u64));
        assert!(list.has_more);
        let paging = Paging { limit: Some("2".to_owned()), cursor: list.cursor };
        assert_eq!((paging.limit().unwrap(), paging.place::<u64>().unwrap()), (2, Some(77)));
        let end = List::new(vec![1], None::<u64>);
        assert_eq!((end.has_more, end.cursor), (false, None));
        for wrong in ["", "77", "!", "bm9uZQ"] {
            let paging = Paging { limit: None, cursor: Some(wrong.to_owned()) };
            assert!(paging.place::<u64>().is_err(), "{wrong}");
        }
        for wrong in ["0", "201", "-1", "", "many"] {
            assert!(Paging { limit: Some(wrong.to_owned()), cursor: None }.limit().is_err(), "{wrong}");
        }
    }
}
