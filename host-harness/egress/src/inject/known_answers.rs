//! Owns: tests of derived values against published ones: RFC 7515, AWS's test suite, and its guide to signing S3
//! requests; and that the channel never sees one.
//! Does not own: checking the manifest (the contract's `checks`).

#![cfg(test)]
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use harness_contract::{
    Derivation, Header, HttpBody, HttpMethod, HttpRequest, HttpResponse, Setting, SettingValue, manifest::SlotScope,
};
use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::{credentials::Secrets, known::Known, memory::Memory, offload::GivenUp, response};

/// The RSA key of RFC 7515, A.2.
const RSA: &str = include_str!("rfc7515-a2.pem");
/// 2015-08-30T12:36:00Z, the time of AWS's test suite.
const SUITE: u64 = 1_440_938_160_000;

fn text(key: &str, value: &str) -> Setting {
    Setting { key: key.into(), value: SettingValue::Text(value.into()) }
}

fn number(key: &str, value: i64) -> Setting {
    Setting { key: key.into(), value: SettingValue::Number(value) }
}

fn derived(scheme: &str, slots: &[&str], parameters: Vec<Setting>) -> FillSource {
    let slots = slots.iter().map(|slot| (*slot).to_owned()).collect();
    FillSource::Derived(Derivation { scheme: scheme.into(), slots, parameters })
}

fn request(fills: Vec<Fill>, body: HttpBody) -> HttpRequest {
    HttpRequest {
        method: HttpMethod::Post,
        url: "https://api.example.com/v1/send?a=1".into(),
        headers: vec![Header { name: "content-type".into(), value: "application/json".into() }],
        body,
        fills,
        captures: Vec::new(),
    }
}

/// A channel whose manifest allows the places used in the tests.
struct Channel {
    slots: BTreeMap<String, Slot>,
    rule: EgressRule,
    secrets: BTreeMap<String, Secret>,
}

impl Channel {
    fn new(secrets: &[(&str, &str)]) -> Self {
        let slot = |allowed_in: Vec<SlotPlace>, derived: Vec<SlotPlace>| Slot {
            scope: SlotScope::Account,
            allowed_in,
            hosts: Vec::new(),
            derived,
            captured_from: Vec::new(),
            generated: false,
            description: String::new(),
        };
        let bearer = SlotPlace::Authorization("Bearer".into());
        let assertion = SlotPlace::Json("/assertion".into());
        let signature = SlotPlace::Authorization("AWS4-HMAC-SHA256".into());
        let slots = BTreeMap::from([
            (
                "hmac".to_owned(),
                slot(vec![SlotPlace::JwtHs256Key, SlotPlace::HmacKey], vec![bearer.clone(), assertion.clone()]),
            ),
            ("rsa".to_owned(), slot(vec![SlotPlace::JwtRs256Key], vec![assertion])),
            ("id".to_owned(), slot(vec![SlotPlace::AwsAccessKeyId], vec![])),
            ("key".to_owned(), slot(vec![SlotPlace::AwsSecretKey], vec![signature])),
            ("plain".to_owned(), slot(vec![bearer, SlotPlace::HmacMessage, SlotPlace::Basic], vec![])),
        ]);
        let rule: EgressRule = serde_json::from_value(json!({
            "host": "api.example.com", "methods": ["POST"], "paths": ["/**"], "max-request-bytes": 1000,
        }))
        .unwrap();
        let secrets = secrets.iter().map(|(slot, value)| ((*slot).to_owned(), Secret::new((*value).into())));
        Self { slots, rule, secrets: secrets.collect() }
    }

    fn known(&self) -> Known {
        let secrets = Secrets::default();
        for (slot, secret) in &self.secrets {
            let key =
                crate::credentials::SecretKey { channel: "c".into(), account: Some("a".into()), slot: slot.clone() };
            secrets.set(key, secret.clone());
        }
        Known::new(&secrets, "c", None)
    }

    fn inject(&self, request: HttpRequest, files: Files) -> Result<(Injected, InjectedCredentials), EgressError> {
        let secret = |slot: &str| self.secrets.get(slot).cloned();
        let (sizes, captured) = (Sizes::default(), Captured::default());
        let rules = std::slice::from_ref(&self.rule);
        let sources =
            Sources { rule: &self.rule, slots: &self.slots, secret: &secret, captured: &captured, now: SUITE };
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let mut memory = Memory::new(1 << 20).try_take("c", 0).unwrap().unwrap();
            let bytes = files.bytes(&request);
            let admitted = Admitted::new(rules, &self.known(), &sizes, request, bytes).await?;
            Injected::new(admitted, &sources, files, &sizes, &mut memory).await
        })
    }

    fn refused(&self, source: FillSource, place: FillPlace) -> String {
        let body = HttpBody::Bytes(br#"{"assertion":"","other":""}"#.to_vec());
        let refused = self.inject(request(vec![Fill { source, place }], body), Files::default());
        refused.map(|_| ()).unwrap_err().to_string()
    }
}

fn usual() -> Channel {
    Channel::new(&[
        ("hmac", "a-key-of-the-account"),
        ("rsa", RSA),
        ("id", "AKIDEXAMPLE"),
        ("key", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"),
        ("plain", "a-token-of-the-account"),
    ])
}

fn authorization(injected: &Injected) -> &str {
    injected.headers[http::header::AUTHORIZATION].to_str().unwrap()
}

#[test]
fn tokens_are_signed_as_rfc_7515_signs_them() {
    let payload = "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";
    let hmac_key = "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow";
    for (header, key, signature) in [
        ("eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9", None, "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"),
        (
            "eyJhbGciOiJSUzI1NiJ9",
            Some(RSA),
            "cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw",
        ),
    ] {
        let (algorithm, key) = match key {
            Some(pem) => (jwt::Algorithm::Rs256, pem.as_bytes().to_vec()),
            None => (jwt::Algorithm::Hs256, BASE64_URL_SAFE_NO_PAD.decode(hmac_key).unwrap()),
        };
        let (token, alone) = Jwt::of(algorithm, Secret::new(key), format!("{header}.{payload}")).sign().unwrap();
        assert_eq!((token.as_str(), alone.as_str()), (format!("{header}.{payload}.{signature}").as_str(), signature));
    }
}

#[test]
fn a_token_says_what_the_channel_claims_and_ends_by_the_hosts_clock() {
    let channel = usual();
    let claims = vec![text("iss", "joe"), number("level", 3), number("expires-in", 600), text("key-id", "k1")];
    let source = derived("jwt-rs256", &["rsa"], claims);
    let fills = vec![Fill { source, place: FillPlace::Json("/assertion".into()) }];
    let (injected, credentials) =
        channel.inject(request(fills, HttpBody::Bytes(br#"{"assertion":null}"#.to_vec())), Files::default()).unwrap();
    let body: serde_json::Value = serde_json::from_slice(injected.body.bytes()).unwrap();
    let token = body["assertion"].as_str().unwrap();
    assert!(credentials.iter().any(|known| known.as_str() == token), "it is not looked for in the answer");
    let part = |at: usize| -> serde_json::Value {
        serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(token.split('.').nth(at).unwrap()).unwrap()).unwrap()
    };
    assert_eq!(part(0), json!({ "alg": "RS256", "typ": "JWT", "kid": "k1" }));
    let issued = SUITE / 1000;
    assert_eq!(part(1), json!({ "iss": "joe", "level": 3, "iat": issued, "exp": issued + 600 }));

    let life = |seconds| number("expires-in", seconds);
    for (scheme, slots, parameters, words) in [
        ("jwt-hs256", vec!["hmac"], vec![], "`expires-in` lies between"),
        ("jwt-hs256", vec!["hmac"], vec![life(0)], "`expires-in` lies between"),
        ("jwt-hs256", vec!["hmac"], vec![life(1_000_000)], "`expires-in` lies between"),
        ("jwt-hs256", vec!["hmac"], vec![life(60), number("exp", 1)], "the host sets `iat` and `exp`"),
        ("jwt-hs256", vec!["hmac"], vec![life(60), text("key-id", "x")], "belongs to `jwt-rs256`"),
        ("jwt-hs256", vec!["hmac"], vec![life(60), text("a", "x"), text("a", "y")], "a claim twice"),
        ("jwt-hs256", vec!["hmac"], vec![life(60), text("a", &"x".repeat(5000))], "bytes of them"),
        ("jwt-hs256", vec!["rsa"], vec![life(60)], "the key of a token"),
        ("jwt-rs256", vec!["hmac"], vec![life(60)], "the key of a token"),
        ("jwt-hs256", vec!["hmac", "rsa"], vec![life(60)], "takes one slot"),
        ("jwt-es256", vec!["hmac"], vec![life(60)], "does not have the scheme `jwt-es256`"),
        ("jwt-hs256", vec!["plain"], vec![life(60)], "does not let the credential `derived value`"),
    ] {
        let refused = channel.refused(derived(scheme, &slots, parameters), FillPlace::Json("/assertion".into()));
        assert!(refused.contains(words), "{scheme}: {refused}");
    }
    let elsewhere = derived("jwt-hs256", &["hmac"], vec![life(60)]);
    let refused = channel.refused(elsewhere.clone(), FillPlace::Json("/other".into()));
    assert!(refused.contains("does not let the credential `derived value` go to this place"), "{refused}");
    let no_pem = Channel::new(&[("rsa", "-----BEGIN PRIVATE KEY-----\nno-key-at-all")]);
    let refused = no_pem.refused(derived("jwt-rs256", &["rsa"], vec![life(60)]), FillPlace::Json("/assertion".into()));
    assert!(refused.contains("no RSA key") && !refused.contains("no-key-at-all"), "{refused}");
}

fn signer(service: &str, id: &str, key: &str, now: u64) -> Signer {
    let parameters = [text("region", "us-east-1"), text("service", service)];
    Signer::new(&Secret::new(id.into()), Secret::new(key.into()), &parameters, now).unwrap()
}

#[test]
fn requests_are_signed_as_awss_test_suite_signs_them() {
    let signer = signer("service", "AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", SUITE);
    let form = "application/x-www-form-urlencoded";
    for (method, path, content_type, body, names, signature) in [
        (
            Method::GET,
            "/",
            None,
            "",
            "host;x-amz-date",
            "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31",
        ),
        (
            Method::GET,
            "/?Param2=value2&Param1=value1",
            None,
            "",
            "host;x-amz-date",
            "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500",
        ),
        (
            Method::POST,
            "/",
            None,
            "",
            "host;x-amz-date",
            "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b",
        ),
        (
            Method::POST,
            "/",
            Some(form),
            "Param1=value1",
            "content-type;host;x-amz-date",
            "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a",
        ),
    ] {
        let mut url = Url::parse(&format!("https://example.amazonaws.com{path}")).unwrap();
        let mut headers = HeaderMap::new();
        if let Some(content_type) = content_type {
            headers.insert(http::header::CONTENT_TYPE, content_type.parse().unwrap());
        }
        let signed = signer.sign(&method, &mut url, &mut headers, Payload::Bytes(body.as_bytes())).unwrap();
        assert_eq!(signed.as_str(), signature, "{method} {path}");
        let expected = format!(
            "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, SignedHeaders={names}, Signature={signature}"
        );
        assert_eq!(headers[http::header::AUTHORIZATION], expected);
        assert_eq!(headers["x-amz-date"], "20150830T123600Z");
    }
}

#[test]
fn requests_for_files_are_signed_as_the_guide_signs_them() {
    // 2013-05-24T00:00:00Z.
    let files = signer("s3", "AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", 1_369_353_600_000);
    for (query, signature) in [
        ("lifecycle", "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543"),
        ("max-keys=2&prefix=J", "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"),
    ] {
        let mut url = Url::parse(&format!("https://examplebucket.s3.amazonaws.com/?{query}")).unwrap();
        let signed = files.sign(&Method::GET, &mut url, &mut HeaderMap::new(), Payload::Bytes(b"")).unwrap();
        assert_eq!(signed.as_str(), signature, "{query}");
    }
    // For S3, the decoded name is signed, whatever its spelling; for other services, the path as written.
    let path = |signer: &Signer, path: &str| {
        let mut url = Url::parse(&format!("https://a.example.com{path}")).unwrap();
        signer.sign(&Method::GET, &mut url, &mut HeaderMap::new(), Payload::Bytes(b"")).unwrap()
    };
    let other = signer("execute-api", "AKIDEXAMPLE", "key", SUITE);
    assert_eq!(path(&files, "/a%24b"), path(&files, "/a$b"));
    assert_ne!(path(&other, "/a%24b"), path(&other, "/a$b"));
    let mut headers = HeaderMap::new();
    let mut url = Url::parse("https://a.example.com/file?x=a+b%2Bc").unwrap();
    files.sign(&Method::PUT, &mut url, &mut headers, Payload::Streamed).unwrap();
    assert_eq!(headers["x-amz-content-sha256"], "UNSIGNED-PAYLOAD");
    assert_eq!(url.query(), Some("x=a%20b%2Bc"), "what is sent is what was signed");
}

fn file(content: &'static [u8]) -> Files {
    let mut files = Files::default();
    files.push(crate::body::File { size: content.len() as u64, body: content.into() });
    files
}

fn signed_by(service: &str) -> Fill {
    let parameters = vec![text("region", "eu-central-1"), text("service", service)];
    let source = derived("aws-sigv4", &["id", "key"], parameters);
    Fill { source, place: FillPlace::Authorization("AWS4-HMAC-SHA256".into()) }
}

fn base64_at(pointer: &str) -> Fill {
    let file = harness_contract::FileRef { handle: "f".into(), size: 0 };
    Fill { source: FillSource::FileBase64(file), place: FillPlace::Json(pointer.into()) }
}

#[test]
fn a_request_is_signed_with_all_that_was_filled_in_and_with_its_files() {
    let channel = usual();
    let body = || HttpBody::Bytes(br#"{"assertion":"", "file":""}"#.to_vec());
    let fills = || vec![signed_by("ses"), base64_at("/file")];
    let (injected, credentials) = channel.inject(request(fills(), body()), file(b"hello")).unwrap();
    assert_eq!(injected.body.bytes(), br#"{"assertion":"", "file":"aGVsbG8="}"#);
    let (expected, _) = channel
        .inject(request(vec![signed_by("ses")], HttpBody::Bytes(injected.body.bytes().to_vec())), Files::default())
        .unwrap();
    assert_eq!(authorization(&injected), authorization(&expected));
    assert!(credentials.iter().any(|known| authorization(&injected).ends_with(known.as_str())));
    // For S3, the body is not read beforehand.
    let (injected, _) =
        channel.inject(request(vec![signed_by("s3"), base64_at("/file")], body()), file(b"hello")).unwrap();
    assert!(
        matches!(injected.body, Content::Stream(_)) && injected.headers["x-amz-content-sha256"] == "UNSIGNED-PAYLOAD"
    );

    let twice = channel.inject(request(vec![signed_by("ses"), signed_by("ses")], body()), Files::default());
    assert!(twice.map(|_| ()).unwrap_err().to_string().contains("signed once"));
    let parts = HttpRequest { headers: Vec::new(), ..request(vec![signed_by("ses")], HttpBody::Multipart(Vec::new())) };
    assert!(channel.inject(parts, Files::default()).map(|_| ()).unwrap_err().to_string().contains("cannot be signed"));
    let Fill { source, .. } = signed_by("ses");
    let refused = channel.refused(source, FillPlace::Authorization("Bearer".into()));
    assert!(refused.contains("with the scheme `AWS4-HMAC-SHA256`"), "{refused}");
    for parameters in
        [vec![], vec![text("region", "eu/x"), text("service", "ses")], vec![text("region", "eu"), number("service", 1)]]
    {
        let source = derived("aws-sigv4", &["id", "key"], parameters);
        assert!(
            channel.refused(source, FillPlace::Authorization("AWS4-HMAC-SHA256".into())).contains("cannot be signed")
        );
    }
}

#[test]
fn a_file_in_base64_counts_before_the_request_is_made_and_stands_in_json_alone() {
    let channel = usual();
    let body = || HttpBody::Bytes(br#"{"file":""}"#.to_vec());
    const FITS: &[u8] = &[7; 738];
    const LARGER: &[u8] = &[7; 744];
    assert!(channel.inject(request(vec![base64_at("/file")], body()), file(FITS)).is_ok());
    let refused = channel.inject(request(vec![base64_at("/file")], body()), file(LARGER)).map(|_| ()).unwrap_err();
    assert!(matches!(&refused, EgressError::Denied(_)) && refused.to_string().contains("1000"), "{refused}");
    for place in
        [FillPlace::Query("file".into()), FillPlace::Authorization("Bearer".into()), FillPlace::FormField("f".into())]
    {
        let refused = channel.refused(base64_at("").source, place);
        assert!(refused.contains("stands in a JSON body"), "{refused}");
    }
}

#[test]
fn the_scheme_of_authorization_is_a_token_and_a_user_name_ends_where_it_says() {
    let channel = usual();
    let plain = || FillSource::Slot("plain".into());
    for scheme in ["", "Bearer x", "Bearer\r\nx:", "Bear:er", "Bearer,", "B\u{e4}rer", &"x".repeat(65)] {
        let refused = channel.refused(plain(), FillPlace::Authorization(scheme.into()));
        assert!(refused.contains("is a token (RFC 9110)"), "{scheme:?}: {refused}");
    }
    for user in ["a:b", "a\rb", "a\nb", "a\0b", "a\u{7f}", "a\u{85}", &"x".repeat(257)] {
        let refused = channel.refused(plain(), FillPlace::Basic(user.into()));
        assert!(refused.contains("no colon"), "{user:?}: {refused}");
    }
    for user in ["", "AC123", "Jos\u{e9} M."] {
        let fills = vec![Fill { source: plain(), place: FillPlace::Basic(user.into()) }];
        let (injected, _) = channel.inject(request(fills, HttpBody::Empty), Files::default()).unwrap();
        let pair = base64::prelude::BASE64_STANDARD.encode(format!("{user}:a-token-of-the-account"));
        assert_eq!(authorization(&injected), format!("Basic {pair}"));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// A server that repeats everything that it was sent, in any spelling, shows the channel no credential, no derived
    /// value and no signature.
    #[test]
    fn nothing_that_is_derived_is_shown_to_whoever_asked_for_it(
        hmac in "[ -~]{12,40}",
        plain in "[!-~]{12,40}",
        key in "[A-Za-z0-9/+]{12,40}",
        id in "[A-Z0-9]{12,20}",
        claim in "[a-z]{0,10}",
        spelling in 0..5_usize,
        signs in any::<bool>(),
    ) {
        let channel = Channel::new(&[("hmac", &hmac), ("rsa", RSA), ("id", &id), ("key", &key), ("plain", &plain)]);
        let claims = || vec![text("iss", &claim), number("expires-in", 60)];
        let at = |pointer: &str| FillPlace::Json(pointer.to_owned());
        let mut fills = vec![Fill { source: derived("jwt-rs256", &["rsa"], claims()), place: at("/assertion") }];
        fills.push(if signs {
            signed_by("ses")
        } else {
            Fill { source: derived("jwt-hs256", &["hmac"], claims()), place: FillPlace::Authorization("Bearer".into()) }
        });
        let body = HttpBody::Bytes(br#"{"assertion":""}"#.to_vec());
        let request = HttpRequest { url: "https://api.example.com/v1".into(), ..request(fills, body) };
        let channel = Channel { rule: EgressRule { max_request_bytes: 4000, ..channel.rule.clone() }, ..channel };
        let (injected, credentials) = channel.inject(request, Files::default()).unwrap();
        let sent: Vec<String> = injected.headers.values().map(|value| value.to_str().unwrap().to_owned())
            .chain([String::from_utf8(injected.body.bytes().to_vec()).unwrap()])
            .chain(channel.secrets.values().map(|secret| String::from_utf8(secret.expose().to_vec()).unwrap()))
            .collect();
        let said = sent.join("\n");
        let spelled = match spelling {
            0 => said.clone(),
            1 => json!({ "you sent": said }).to_string(),
            2 => said.bytes().map(|byte| format!("%{byte:02x}")).collect(),
            3 => url::form_urlencoded::byte_serialize(said.as_bytes()).collect(),
            _ => said.chars().map(|c| format!("&#{};", u32::from(c))).collect(),
        };
        let headers = vec![Header { name: "x-said".into(), value: authorization(&injected).to_owned() }];
        let answer = HttpResponse { status: 200, headers, body: spelled.into_bytes() };
        let (shown, _) =
            response::redacted(answer, &credentials, &channel.known(), &[], None, Captured::default(), &GivenUp::default());
        let shown = shown.unwrap();
        let shown = format!("{}{:?}", String::from_utf8_lossy(&shown.body), shown.headers);
        let read = percent(&shown);
        let signature = authorization(&injected).rsplit(['=', '.']).next().unwrap().to_owned();
        for hidden in credentials.iter().map(|value| value.as_str()).chain(channel.secrets.values().map(|secret| std::str::from_utf8(secret.expose()).unwrap())).chain([signature.as_str()]) {
            prop_assert!(!shown.contains(hidden) && !read.contains(hidden), "{hidden} in {shown}");
        }
    }
}

/// Decodes percent or numeric character escapes.
fn percent(text: &str) -> String {
    let read = url::form_urlencoded::parse(format!("x={}", text.replace('&', "\u{1}")).as_bytes())
        .map(|(_, value)| value.into_owned())
        .collect::<String>();
    let mut letters = String::new();
    for part in read.split('\u{1}') {
        let number = part.strip_prefix('#').and_then(|part| part.split_once(';'));
        match number.and_then(|(number, rest)| Some((char::from_u32(number.parse().ok()?)?, rest))) {
            Some((c, rest)) => letters.extend([c.to_string(), rest.to_owned()]),
            None => letters.push_str(part),
        }
    }
    letters
}
