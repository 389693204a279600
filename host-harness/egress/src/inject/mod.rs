//! Owns: injecting credentials, captured and derived values into an admitted request, where the manifest allows them.
//! Does not own: captures (`capture`), redaction of the response (`redact`), the body with its files (`body`).

mod derived;
mod jwt;
mod places;
mod sigv4;

use std::collections::BTreeMap;

use harness_contract::{
    Fill, FillPlace, FillSource,
    manifest::{EgressRule, Slot, SlotPlace},
};
use http::{HeaderMap, HeaderName, Method};
use url::Url;
use zeroize::Zeroizing;

use self::{
    jwt::Jwt,
    places::{Put, put},
    sigv4::{Payload, Signer},
};
use crate::{
    body::{Content, Files},
    capture::Captured,
    credentials::{Secret, check_slot_name, declared_slot},
    error::EgressError,
    memory::Held,
    offload,
    policy::{self, Admitted, bounds, is_granted},
    sizes::Sizes,
};

/// Finds the credential in a slot.
pub type FindSecret<'a> = dyn Fn(&str) -> Option<Secret> + Sync + 'a;

/// Sources of injected values, and the rules for credentials.
pub(crate) struct Sources<'a> {
    /// The rule that admitted the request.
    pub(crate) rule: &'a EgressRule,
    pub(crate) slots: &'a BTreeMap<String, Slot>,
    pub(crate) secret: &'a FindSecret<'a>,
    pub(crate) captured: &'a Captured,
    /// The host's clock, in milliseconds since 1970.
    pub(crate) now: u64,
}

/// The source of an injected value.
enum Source {
    Text(Zeroizing<String>),
    Token(Jwt),
    /// A signature over the final request.
    Signature(Signer),
    /// One of the host's files, in base64.
    File,
}

/// A value and its place.
struct Value {
    source: Source,
    place: FillPlace,
    is_credential: bool,
}

/// Injected credentials. The channel must not see them in the response.
pub(crate) type InjectedCredentials = Vec<Zeroizing<String>>;

impl Sources<'_> {
    /// The credential of a slot, if the manifest allows it at this place.
    fn slot(&self, slot: &str, place: &SlotPlace) -> Result<Secret, EgressError> {
        check_slot_name(slot)?;
        let missing = || EgressError::MissingSlot(slot.to_owned());
        let declared = self
            .slots
            .get(declared_slot(slot))
            .ok_or_else(|| EgressError::Invalid(format!("`{slot}` is not a credential that the manifest declares")))?;
        let host = declared.hosts.is_empty() || declared.hosts.contains(&self.rule.host);
        if !host || !declared.allowed_in.contains(place) {
            return Err(EgressError::SlotNotAllowed {
                slot: slot.to_owned(),
                place: place_name(place),
                host: self.rule.host.clone(),
            });
        }
        (self.secret)(slot).ok_or_else(missing)
    }

    /// All values to inject, if the manifest allows each at its place.
    fn values(&self, fills: Vec<Fill>) -> Result<Vec<Value>, EgressError> {
        let value = |Fill { source, place }: Fill| {
            let is_credential = !matches!(source, FillSource::Captured(_) | FillSource::FileBase64(_));
            let source = self.source(&source, &place)?;
            if let FillPlace::Header(name) = &place
                && !HeaderName::from_bytes(name.as_bytes()).is_ok_and(|name| is_granted(&name, &self.rule.headers))
            {
                return Err(EgressError::Invalid(format!("`{name}` is not a header that a channel may set")));
            }
            Ok(Value { source, place, is_credential })
        };
        fills.into_iter().map(value).collect()
    }

    fn source(&self, source: &FillSource, place: &FillPlace) -> Result<Source, EgressError> {
        match source {
            FillSource::Slot(slot) => {
                let secret = self.slot(slot, &slot_place(place)?)?;
                let text = std::str::from_utf8(secret.expose()).map_err(|_| {
                    EgressError::Invalid("a credential that is not text cannot stand in a request".into())
                })?;
                Ok(Source::Text(Zeroizing::new(text.to_owned())))
            }
            FillSource::Derived(derivation) => self.derived(derivation, &slot_place(place)?),
            FillSource::Captured(name) => self
                .captured
                .values
                .get(name)
                .map(|value| Source::Text(Zeroizing::new(value.clone())))
                .ok_or_else(|| EgressError::MissingSlot(name.clone())),
            FillSource::FileBase64(_) if matches!(place, FillPlace::Json(_)) => Ok(Source::File),
            FillSource::FileBase64(_) => {
                Err(EgressError::Invalid("a file in base64 stands in a JSON body, at a pointer".into()))
            }
            FillSource::Other(name) => Err(unknown(&format!("the source `{name}` of a fill"))),
        }
    }
}

/// For names that only a newer contract has.
fn unknown(what: &str) -> EgressError {
    EgressError::Invalid(format!("this host does not have {what}"))
}

fn slot_place(place: &FillPlace) -> Result<SlotPlace, EgressError> {
    Ok(match place {
        FillPlace::Authorization(scheme) => SlotPlace::Authorization(scheme.clone()),
        FillPlace::Basic(_) => SlotPlace::Basic,
        FillPlace::Header(name) => SlotPlace::Header(name.clone()),
        FillPlace::Query(name) => SlotPlace::Query(name.clone()),
        FillPlace::FormField(name) => SlotPlace::FormField(name.clone()),
        FillPlace::Json(pointer) => SlotPlace::Json(pointer.clone()),
        FillPlace::Path(name) => SlotPlace::Path(name.clone()),
        FillPlace::Url => return Err(EgressError::Invalid("a credential is no address".into())),
        FillPlace::Other(name) => return Err(unknown(&format!("the place `{name}`"))),
    })
}

fn place_name(place: &SlotPlace) -> &'static str {
    match place {
        SlotPlace::Authorization(_) | SlotPlace::Basic => "the authorization header",
        SlotPlace::Header(_) => "this header",
        SlotPlace::Query(_) => "this query parameter",
        SlotPlace::Path(_) => "this place in the path",
        SlotPlace::FormField(_) => "this form field",
        SlotPlace::Json(_) => "this place in the body",
        SlotPlace::HmacKey => "the key of a derived value",
        SlotPlace::HmacMessage => "the message of a derived value",
        SlotPlace::JwtHs256Key | SlotPlace::JwtRs256Key => "the key of a token",
        SlotPlace::AwsAccessKeyId | SlotPlace::AwsSecretKey => "the signature of the request",
    }
}

/// A request with its credentials, the only kind that is sent. Only this module constructs it.
pub(crate) struct Injected {
    pub(crate) method: Method,
    pub(crate) url: Url,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Content,
    _made_here: (),
}

impl Injected {
    /// Injects the requested values and files. Checks the limits again, because injection makes a request longer. Also
    /// returns the injected credentials.
    pub(crate) async fn new(
        admitted: Admitted<'_>,
        sources: &Sources<'_>,
        files: Files,
        sizes: &Sizes,
        memory: &mut Held,
    ) -> Result<(Self, InjectedCredentials), EgressError> {
        let Admitted { rule, mut request, method, url, headers, file_bytes, text_bytes, .. } = admitted;
        let mut values = sources.values(std::mem::take(&mut request.fills))?;
        let signer = take_signer(&mut values)?;
        let before = bounds::memory_of(&request);
        let bytes = match values.as_slice() {
            [] => 0,
            // An RSA signature takes as long as processing a long text.
            values if values.iter().any(|value| matches!(value.source, Source::Token(_))) => {
                text_bytes.max(offload::SMALL)
            }
            _ => text_bytes,
        };
        let put = offload::done(bytes, move |_| put(values, request, url, headers));
        let put = put.await.unwrap_or_else(|_| Err(policy::unprepared()))?;
        let Put { request, mut url, mut headers, mut credentials, files_at } = put;
        let bytes = bounds::body_bytes(&request.body);
        bounds::check_injected(bytes, &url, &headers, sizes)?;
        if !memory.try_grow(bounds::memory_of(&request).saturating_sub(before)) {
            return Err(EgressError::NoMemory);
        }
        let mut body = Content::new(request.body, &files_at, files)?;
        if let Some(signer) = signer {
            if !signer.lets_stream() {
                body = body.whole(sizes.request, memory).await?;
            }
            let (signs, work) = (method.clone(), body.bytes().len());
            let signed = offload::done(work, move |_| sign(&signer, &signs, url, headers, body));
            let signed = signed.await.unwrap_or_else(|_| Err(policy::unprepared()))?;
            let signature;
            (url, headers, body, signature) = signed;
            credentials.push(signature);
            bounds::check_injected(bytes, &url, &headers, sizes)?;
        }
        // The rule's own error would quote the address or length, which depend on the credential.
        if !policy::still_admits(rule, &method, &url, bytes.saturating_add(file_bytes)) {
            let sentence = "with its credentials it has another path, or a longer body, than was granted";
            return Err(EgressError::Invalid(sentence.into()));
        }
        Ok((Self { method, url, headers, body, _made_here: () }, credentials))
    }
}

/// Removes the signature, which depends on all other values.
fn take_signer(values: &mut Vec<Value>) -> Result<Option<Signer>, EgressError> {
    let mut signers = values.extract_if(.., |value| matches!(value.source, Source::Signature(_)));
    let first = signers.next();
    if signers.count() > 0 {
        return Err(EgressError::Invalid("a request is signed once".into()));
    }
    Ok(first.and_then(|value| if let Source::Signature(signer) = value.source { Some(signer) } else { None }))
}

type Signed = (Url, HeaderMap, Content, Zeroizing<String>);

fn sign(
    signer: &Signer,
    method: &Method,
    mut url: Url,
    mut headers: HeaderMap,
    body: Content,
) -> Result<Signed, EgressError> {
    let payload = match &body {
        Content::Empty | Content::Bytes(_) => Payload::Bytes(body.bytes()),
        Content::Stream(_) => Payload::Streamed,
        Content::Form(_) => {
            return Err(EgressError::Invalid("a multipart body is made while it is sent, and cannot be signed".into()));
        }
    };
    let signature = signer.sign(method, &mut url, &mut headers, payload)?;
    Ok((url, headers, body, signature))
}

#[cfg(test)]
mod known_answers;
