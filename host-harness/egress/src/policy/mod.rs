//! Owns: whether a request may be sent. Its parts are within limits, its address and headers match the grant, and it
//! contains no known credential.
//! Does not own: injecting credentials (`inject`), sending (`client`).

pub(crate) mod bounds;
mod leak_scan;
pub(crate) mod overrides;

use harness_contract::{
    Header, HttpMethod, HttpRequest,
    egress::{EgressDenied, admit, may_be_set},
    manifest::EgressRule,
};
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use url::Url;

use crate::{error::EgressError, known::Known, offload, sizes::Sizes};

/// A request that the grant admits. Only this module constructs it.
pub(crate) struct Admitted<'r> {
    /// The rule that admits it.
    pub(crate) rule: &'r EgressRule,
    pub(crate) request: HttpRequest,
    pub(crate) method: Method,
    pub(crate) url: Url,
    pub(crate) headers: HeaderMap,
    /// The total size of its files, in bytes.
    pub(crate) file_bytes: u64,
    /// The total size of its texts, in bytes.
    pub(crate) text_bytes: usize,
    _made_here: (),
}

impl<'r> Admitted<'r> {
    /// Checks a request. `file_bytes` is the total size of its files.
    pub(crate) async fn new(
        rules: &'r [EgressRule],
        known: &Known,
        sizes: &Sizes,
        request: HttpRequest,
        file_bytes: u64,
    ) -> Result<Self, EgressError> {
        bounds::check(&request, sizes)?;
        let method = method(request.method);
        let url = Url::parse(&request.url)
            .map_err(|_| EgressDenied::NotAUrl { url: request.url.split('?').next().unwrap_or_default().to_owned() })?;
        let length = bounds::body_bytes(&request.body).saturating_add(file_bytes);
        let rule = admit(rules, method.as_str(), &url, length)?;
        let headers = header_map(&request.headers, &rule.headers)?;
        // Searching takes CPU time, so it leaves the async threads and ends at the caller's deadline.
        let (text_bytes, known) = (leak_scan::text_bytes(&request), known.clone());
        let searched = offload::done(known.effort(text_bytes), move |given_up| {
            overrides::refuse(&url, &request)?;
            leak_scan::refuse(&known, &request, given_up)?;
            Ok((request, url))
        });
        let (request, url) = searched.await.unwrap_or_else(|_| Err(unprepared()))?;
        Ok(Self { rule, request, method, url, headers, file_bytes, text_bytes, _made_here: () })
    }
}

/// Whether the rule still admits the request with another address and body.
pub(crate) fn still_admits(rule: &EgressRule, method: &Method, url: &Url, body_bytes: u64) -> bool {
    admit(std::slice::from_ref(rule), method.as_str(), url, body_bytes).is_ok()
}

/// The work on a request panicked.
pub(crate) fn unprepared() -> EgressError {
    EgressError::Invalid("the host failed while it prepared the request, which was not sent".into())
}

fn method(method: HttpMethod) -> Method {
    match method {
        HttpMethod::Get => Method::GET,
        HttpMethod::Head => Method::HEAD,
        HttpMethod::Post => Method::POST,
        HttpMethod::Put => Method::PUT,
        HttpMethod::Patch => Method::PATCH,
        HttpMethod::Delete => Method::DELETE,
    }
}

fn header_map(headers: &[Header], granted: &[String]) -> Result<HeaderMap, EgressError> {
    let mut map = HeaderMap::with_capacity(headers.len());
    for Header { name, value } in headers {
        let invalid = || EgressError::Invalid(format!("`{name}` is not a header that a channel may set"));
        let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| invalid())?;
        // An unlisted header could reroute the request or change what it does.
        let usual = ["accept", "content-type"].contains(&name.as_str());
        if !(usual || is_granted(&name, granted)) {
            return Err(invalid());
        }
        map.append(name.clone(), HeaderValue::from_str(value).map_err(|_| invalid())?);
    }
    Ok(map)
}

/// Whether the rule lists a header beyond those that every request may have.
pub(crate) fn is_granted(name: &HeaderName, granted: &[String]) -> bool {
    may_be_set(name.as_str()) && granted.iter().any(|granted| granted == name.as_str())
}
