//! Owns: searching a request for credentials before injection.
//! Does not own: which credentials are known (`Known`).

use harness_contract::{FieldValue, FormField, HttpBody, HttpRequest};

use crate::{error::EgressError, known::Known, offload::GivenUp};

/// Refuses a request that contains a known credential. Channels never see credentials, so it must have leaked some
/// other way.
pub(crate) fn refuse(known: &Known, request: &HttpRequest, given_up: &GivenUp) -> Result<(), EgressError> {
    let leaks = known.search(|known| {
        let contains = |haystack: &[u8]| known.iter().any(|known| known.stand_in(haystack, given_up));
        let in_body = match &request.body {
            HttpBody::Bytes(bytes) => contains(bytes),
            HttpBody::Multipart(fields) => fields.iter().any(|field| {
                let names = [Some(&field.name), field.file_name.as_ref(), field.content_type.as_ref()];
                let in_value = match &field.value {
                    FieldValue::Text(text) => contains(text.as_bytes()),
                    FieldValue::File(_) => false,
                    FieldValue::Other(text) => contains(text.as_bytes()),
                };
                in_value || names.into_iter().flatten().any(|name| contains(name.as_bytes()))
            }),
            HttpBody::Empty | HttpBody::File(_) => false,
            HttpBody::Other(text) => contains(text.as_bytes()),
        };
        let in_headers = request.headers.iter().any(|header| contains(header.value.as_bytes()));
        in_body || in_headers || contains(request.url.as_bytes())
    });
    if leaks { Err(EgressError::Leak) } else { Ok(()) }
}

/// The bytes to search. Files come from people and are not searched.
pub(crate) fn text_bytes(request: &HttpRequest) -> usize {
    let body = match &request.body {
        HttpBody::Empty | HttpBody::File(_) => 0,
        HttpBody::Other(text) => text.len(),
        HttpBody::Bytes(bytes) => bytes.len(),
        HttpBody::Multipart(fields) => {
            let text = |field: &FormField| if let FieldValue::Text(text) = &field.value { text.len() } else { 0 };
            fields.iter().map(text).sum()
        }
    };
    let headers: usize = request.headers.iter().map(|header| header.value.len()).sum();
    body + headers + request.url.len()
}
