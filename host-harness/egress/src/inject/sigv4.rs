//! Owns: AWS Signature Version 4: signing the final request with a key that the channel never sees.
//! Does not own: which keys are allowed (`derived`, the manifest), other headers.

use std::collections::BTreeMap;

use harness_contract::{Setting, SettingValue, manifest::SIGNED_REQUEST};
use hmac::{Hmac, KeyInit as _, Mac as _};
use http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use jiff::Timestamp;
use sha2::{Digest as _, Sha256};
use url::Url;
use zeroize::Zeroizing;

use crate::{credentials::Secret, error::EgressError};

/// S3, which encodes paths once and accepts unsigned bodies.
const FILES: &str = "s3";
const DATE: HeaderName = HeaderName::from_static("x-amz-date");
const CONTENT: HeaderName = HeaderName::from_static("x-amz-content-sha256");
const UNSIGNED: &str = "UNSIGNED-PAYLOAD";

/// Signs a request.
pub(crate) struct Signer {
    key_id: String,
    key: Secret,
    region: String,
    service: String,
    /// In milliseconds since 1970.
    now: u64,
}

/// The body, if it is in memory.
#[derive(Clone, Copy)]
pub(crate) enum Payload<'b> {
    Bytes(&'b [u8]),
    /// Its bytes are read while being sent.
    Streamed,
}

impl Signer {
    pub(crate) fn new(key_id: &Secret, key: Secret, parameters: &[Setting], now: u64) -> Result<Self, EgressError> {
        let invalid = |problem: &str| EgressError::Invalid(format!("the request cannot be signed: {problem}"));
        let is_name = |text: &str| {
            (1..=64).contains(&text.len())
                && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
        };
        let named = |wanted: &str| match parameters.iter().find(|setting| setting.key == wanted) {
            Some(Setting { value: SettingValue::Text(text), .. }) if is_name(text) => Ok(text.clone()),
            _ => Err(invalid(&format!("`{wanted}` is a text of lower-case letters, digits and `-`"))),
        };
        if parameters.len() != 2 {
            return Err(invalid("`aws-sigv4` takes the parameters `region` and `service`, and no others"));
        }
        // The header separates it with commas and slashes.
        let key_id = std::str::from_utf8(key_id.expose()).ok();
        let key_id = key_id.filter(|id| (1..=128).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_alphanumeric()));
        let key_id = key_id.ok_or_else(|| invalid("the access key's id is letters and digits"))?.to_owned();
        Ok(Self { key_id, key, region: named("region")?, service: named("service")?, now })
    }

    /// Whether the body may be sent without being read first.
    pub(crate) fn lets_stream(&self) -> bool {
        self.service == FILES
    }

    /// Signs a request: adds the signed headers, and rewrites the query in its canonical form. Returns the signature,
    /// which the channel must not see.
    pub(crate) fn sign(
        &self,
        method: &Method,
        url: &mut Url,
        headers: &mut HeaderMap,
        payload: Payload<'_>,
    ) -> Result<Zeroizing<String>, EgressError> {
        let invalid = || EgressError::Invalid("the request cannot be signed".into());
        let at =
            i64::try_from(self.now).ok().and_then(|now| Timestamp::from_millisecond(now).ok()).ok_or_else(invalid)?;
        let (time, date) = (at.strftime("%Y%m%dT%H%M%SZ").to_string(), at.strftime("%Y%m%d").to_string());
        let hash = match payload {
            Payload::Bytes(bytes) => hex::encode(Sha256::digest(bytes)),
            Payload::Streamed => UNSIGNED.to_owned(),
        };
        headers.insert(DATE, HeaderValue::from_str(&time).map_err(|_| invalid())?);
        if self.lets_stream() {
            headers.insert(CONTENT, HeaderValue::from_str(&hash).map_err(|_| invalid())?);
        }
        let query = canonical_query(url);
        url.set_query((!query.is_empty()).then_some(&query));

        let signed = signed_headers(url, headers)?;
        let names = signed.keys().copied().collect::<Vec<_>>().join(";");
        let mut request = format!("{method}\n{}\n{query}\n", self.canonical_path(url.path()));
        for (name, value) in &signed {
            request.push_str(&format!("{name}:{value}\n"));
        }
        request.push_str(&format!("\n{names}\n{hash}"));
        let scope = format!("{date}/{}/{}/aws4_request", self.region, self.service);
        let request = hex::encode(Sha256::digest(request.as_bytes()));
        let to_sign = format!("{SIGNED_REQUEST}\n{time}\n{scope}\n{request}");

        let mut key = Zeroizing::new([b"AWS4", self.key.expose()].concat());
        for part in [&date, &self.region, &self.service, "aws4_request"] {
            key = Zeroizing::new(mac(&key, part.as_bytes())?);
        }
        let signature = Zeroizing::new(hex::encode(mac(&key, to_sign.as_bytes())?));
        let authorization = Zeroizing::new(format!(
            "{SIGNED_REQUEST} Credential={}/{scope}, SignedHeaders={names}, Signature={}",
            self.key_id, *signature
        ));
        let mut authorization = HeaderValue::from_str(&authorization).map_err(|_| invalid())?;
        authorization.set_sensitive(true);
        headers.insert(header::AUTHORIZATION, authorization);
        Ok(signature)
    }

    /// The canonical path: the path of the request, percent-encoded once more. For S3, the decoded path, encoded once.
    fn canonical_path(&self, path: &str) -> String {
        if self.lets_stream() {
            let decoded: Vec<u8> = percent_decoded(path.as_bytes());
            return encoded(&decoded, b"/");
        }
        encoded(path.as_bytes(), b"/")
    }
}

/// The host, the content type, and all `x-amz-` headers.
fn signed_headers<'h>(url: &'h Url, headers: &'h HeaderMap) -> Result<BTreeMap<&'h str, String>, EgressError> {
    let invalid = || EgressError::Invalid("the request cannot be signed: a header of it is no plain text".into());
    let mut signed = BTreeMap::from([("host", url.host_str().unwrap_or_default().to_owned())]);
    for name in headers.keys().filter(|name| *name == header::CONTENT_TYPE || name.as_str().starts_with("x-amz-")) {
        let mut values = Vec::new();
        for value in headers.get_all(name) {
            let value = value.to_str().map_err(|_| invalid())?;
            values.push(value.split(' ').filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" "));
        }
        signed.insert(name.as_str(), values.join(","));
    }
    Ok(signed)
}

fn canonical_query(url: &Url) -> String {
    let mut pairs: Vec<_> = url
        .query_pairs()
        .map(|(name, value)| (encoded(name.as_bytes(), b""), encoded(value.as_bytes(), b"")))
        .collect();
    pairs.sort();
    pairs.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("&")
}

/// Percent-encodes all bytes except unreserved characters (RFC 3986) and `keep`.
fn encoded(bytes: &[u8], keep: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    for byte in bytes {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(byte) || keep.contains(byte) {
            text.push(char::from(*byte));
        } else {
            text.push_str(&format!("%{byte:02X}"));
        }
    }
    text
}

fn percent_decoded(text: &[u8]) -> Vec<u8> {
    let mut decoded = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((byte, behind)) = rest.split_first() {
        let digits = behind.get(..2).and_then(|digits| hex::decode(digits).ok());
        match digits.as_deref() {
            Some([value]) if *byte == b'%' => {
                decoded.push(*value);
                rest = behind.get(2..).unwrap_or_default();
            }
            _ => {
                decoded.push(*byte);
                rest = behind;
            }
        }
    }
    decoded
}

fn mac(key: &[u8], text: &[u8]) -> Result<Vec<u8>, EgressError> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key)
        .map_err(|_| EgressError::Invalid("the key of a signature has no length".into()))?;
    mac.update(text);
    Ok(mac.finalize().into_bytes().to_vec())
}
