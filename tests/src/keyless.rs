//! Signatures without keys of a publisher's, made here: an authority of certificates, a log of certificates and a
//! transparency log, and what they sign for an identity. Nothing of sigstore's is used for it.

use std::sync::Arc;

use base64::{Engine as _, prelude::BASE64_STANDARD};
use harness_package::signature::pae;
use ring::{
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair as _},
};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

/// Who signs, unless a test says otherwise.
pub const ISSUER: &str = "https://token.actions.example.com";
pub const SUBJECT: &str = "https://git.example.com/acme/chat/.ci/release.yml@refs/tags/v1";
/// 2024-01-01T12:00:00Z, in seconds since 1970.
pub const SIGNED_AT: i64 = 1_704_110_400;
/// Ten minutes around that.
const VALID: [&str; 2] = ["240101115500Z", "240101120500Z"];

fn sha256(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}

pub fn base64(bytes: &[u8]) -> String {
    BASE64_STANDARD.encode(bytes)
}

/// A key on P-256.
#[derive(Clone)]
pub struct Key(Arc<EcdsaKeyPair>);

impl Key {
    fn new() -> Self {
        let random = SystemRandom::new();
        let pkcs8 = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &random).unwrap();
        Self(Arc::new(EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, pkcs8.as_ref(), &random).unwrap()))
    }

    fn sign(&self, bytes: &[u8]) -> Vec<u8> {
        self.0.sign(&SystemRandom::new(), bytes).unwrap().as_ref().to_vec()
    }

    /// The public key, as certificates and logs name it.
    fn spki(&self) -> Vec<u8> {
        let algorithm = [oid(&[0x2a, 0x86, 0x48, 0xce, 0x3d, 2, 1]), oid(&[0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7])];
        sequence(&[sequence(&algorithm), bits(self.0.public_key().as_ref())])
    }

    fn id(&self) -> [u8; 32] {
        sha256(&self.spki())
    }

    /// As a trusted root has it.
    fn log(&self, name: &str) -> Value {
        json!({
            "baseUrl": format!("https://{name}.example.com"), "hashAlgorithm": "SHA2_256",
            "publicKey": {
                "rawBytes": base64(&self.spki()), "keyDetails": "PKIX_ECDSA_P256_SHA_256",
                "validFor": { "start": "2023-01-01T00:00:00Z" },
            },
            "logId": { "keyId": base64(&self.id()) },
        })
    }
}

fn der(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = content.len();
    let length = match length {
        0..=127 => vec![u8::try_from(length).unwrap()],
        128..=255 => vec![0x81, u8::try_from(length).unwrap()],
        _ => [&[0x82], &u16::try_from(length).unwrap().to_be_bytes()[..]].concat(),
    };
    [&[tag], length.as_slice(), content].concat()
}

fn sequence(parts: &[Vec<u8>]) -> Vec<u8> {
    der(0x30, &parts.concat())
}

fn oid(arcs: &[u8]) -> Vec<u8> {
    der(0x06, arcs)
}

fn bits(bytes: &[u8]) -> Vec<u8> {
    der(0x03, &[&[0], bytes].concat())
}

fn ecdsa_with_sha256() -> Vec<u8> {
    sequence(&[oid(&[0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 2])])
}

fn extension(id: &[u8], critical: bool, content: &[u8]) -> Vec<u8> {
    let critical = if critical { der(0x01, &[0xff]) } else { Vec::new() };
    sequence(&[oid(id), critical, der(0x04, content)])
}

/// A name with one common name.
fn named(name: &str) -> Vec<u8> {
    let name = sequence(&[oid(&[0x55, 4, 3]), der(0x0c, name.as_bytes())]);
    sequence(&[der(0x31, &name)])
}

/// What is signed of a certificate.
fn to_be_signed(issuer: &[u8], valid: [&str; 2], subject: &[u8], key: &Key, extensions: &[Vec<u8>]) -> Vec<u8> {
    let valid = valid.map(|time| der(0x17, time.as_bytes()));
    sequence(&[
        der(0xa0, &der(0x02, &[2])),
        der(0x02, &[7]),
        ecdsa_with_sha256(),
        issuer.to_vec(),
        sequence(&valid),
        subject.to_vec(),
        key.spki(),
        der(0xa3, &sequence(extensions)),
    ])
}

fn certificate(to_be_signed: Vec<u8>, by: &Key) -> Vec<u8> {
    let signature = bits(&by.sign(&to_be_signed));
    sequence(&[to_be_signed, ecdsa_with_sha256(), signature])
}

/// How a signature is made.
pub struct Signing<'a> {
    pub issuer: &'a str,
    pub subject: &'a str,
    /// When the log took it in, in seconds since 1970.
    pub at: i64,
    /// Whether the certificate's log vouches for it.
    pub public: bool,
    /// What the certificate may be used for: 3 is signing code, 1 a server.
    pub usage: u8,
}

impl Default for Signing<'_> {
    fn default() -> Self {
        Self { issuer: ISSUER, subject: SUBJECT, at: SIGNED_AT, public: true, usage: 3 }
    }
}

/// An authority and its logs.
#[derive(Clone)]
pub struct World {
    pub authority: Key,
    pub certificates: Key,
    pub entries: Key,
}

impl World {
    #[allow(clippy::new_without_default, reason = "each is another one")]
    pub fn new() -> Self {
        Self { authority: Key::new(), certificates: Key::new(), entries: Key::new() }
    }

    /// A `trusted_root.json` that trusts it.
    pub fn trusted_root(&self) -> Value {
        let authority = named("authority");
        let extensions = [
            extension(&[0x55, 0x1d, 0x13], true, &sequence(&[der(0x01, &[0xff])])),
            extension(&[0x55, 0x1d, 0x0f], true, &der(0x03, &[1, 6])),
        ];
        let valid = ["230101000000Z", "400101000000Z"];
        let root = to_be_signed(&authority, valid, &authority, &self.authority, &extensions);
        json!({
            "mediaType": "application/vnd.dev.sigstore.trustedroot+json;version=0.1",
            "tlogs": [self.entries.log("entries")],
            "certificateAuthorities": [{
                "subject": { "organization": "tests", "commonName": "authority" },
                "uri": "https://authority.example.com",
                "certChain": { "certificates": [{ "rawBytes": base64(&certificate(root, &self.authority)) }] },
                "validFor": { "start": "2023-01-01T00:00:00Z" },
            }],
            "ctlogs": [self.certificates.log("certificates")],
            "timestampAuthorities": [],
        })
    }

    /// A certificate for a key that signs once.
    fn certificate(&self, key: &Key, signing: &Signing<'_>) -> Vec<u8> {
        let subject = if signing.subject.contains("://") { 0x86 } else { 0x81 };
        let mut extensions = vec![
            extension(&[0x55, 0x1d, 0x0f], true, &der(0x03, &[7, 0x80])),
            extension(&[0x55, 0x1d, 0x25], false, &sequence(&[oid(&[0x2b, 6, 1, 5, 5, 7, 3, signing.usage])])),
            extension(&[0x55, 0x1d, 0x11], true, &sequence(&[der(subject, signing.subject.as_bytes())])),
            extension(&[0x2b, 6, 1, 4, 1, 0x83, 0xbf, 0x30, 1, 8], false, &der(0x0c, signing.issuer.as_bytes())),
        ];
        let issuer = named("authority");
        let made = |extensions: &[Vec<u8>]| to_be_signed(&issuer, VALID, &sequence(&[]), key, extensions);
        if signing.public {
            let promise = self.promise(&made(&extensions));
            extensions.push(extension(&[0x2b, 6, 1, 4, 1, 0xd6, 0x79, 2, 4, 2], false, &der(0x04, &promise)));
        }
        certificate(made(&extensions), &self.authority)
    }

    /// The list with the log's word for a certificate (RFC 6962).
    fn promise(&self, to_be_signed: &[u8]) -> Vec<u8> {
        let at = u64::try_from(SIGNED_AT * 1000).unwrap().to_be_bytes();
        let length = u32::try_from(to_be_signed.len()).unwrap().to_be_bytes();
        let signed = [&[0, 0], &at[..], &[0, 1], &self.authority.id(), &length[1..], to_be_signed, &[0, 0]].concat();
        let signature = self.certificates.sign(&signed);
        let length = |bytes: &[u8]| u16::try_from(bytes.len()).unwrap().to_be_bytes();
        let one = [&[0], &self.certificates.id()[..], &at, &[0, 0], &[4, 3], &length(&signature), &signature].concat();
        let list = [&length(&one)[..], &one].concat();
        [&length(&list)[..], &list].concat()
    }

    /// A bundle around a statement, as an identity signs it.
    pub fn sign(&self, statement: &[u8], signing: &Signing<'_>) -> Value {
        let key = Key::new();
        let certificate = self.certificate(&key, signing);
        let signature = key.sign(&pae("application/vnd.in-toto+json", statement));
        let pem = format!("-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n", {
            let text = base64(&certificate);
            text.as_bytes().chunks(64).map(|line| str::from_utf8(line).unwrap()).collect::<Vec<_>>().join("\n")
        });
        let hash = |bytes: &[u8]| json!({ "algorithm": "sha256", "value": hex::encode(sha256(bytes)) });
        let body = json!({
            "apiVersion": "0.0.1", "kind": "dsse",
            "spec": {
                "envelopeHash": hash(b"the envelope, as somebody wrote it"), "payloadHash": hash(statement),
                "signatures": [{ "signature": base64(&signature), "verifier": base64(pem.as_bytes()) }],
            },
        });
        json!({
            "mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json",
            "verificationMaterial": {
                "certificate": { "rawBytes": base64(&certificate) },
                "tlogEntries": [self.entry(body.to_string().as_bytes(), signing.at)],
            },
            "dsseEnvelope": {
                "payload": base64(statement), "payloadType": "application/vnd.in-toto+json",
                "signatures": [{ "sig": base64(&signature) }],
            },
        })
    }

    /// An entry of the transparency log, which is the second in it.
    fn entry(&self, body: &[u8], at: i64) -> Value {
        let leaf = |body: &[u8]| sha256(&[&[0], body].concat());
        let (first, own) = (leaf(b"another entry"), leaf(body));
        let root = base64(&sha256(&[&[1], &first[..], &own].concat()));
        let note = format!("entries.example.com\n2\n{root}\n");
        let signed = [&self.entries.id()[..4], &self.entries.sign(note.as_bytes())].concat();
        let promised = format!(
            r#"{{"body":"{}","integratedTime":{at},"logID":"{}","logIndex":1}}"#,
            base64(body),
            hex::encode(self.entries.id())
        );
        json!({
            "logIndex": "1", "logId": { "keyId": base64(&self.entries.id()) },
            "kindVersion": { "kind": "dsse", "version": "0.0.1" },
            "integratedTime": at.to_string(),
            "inclusionPromise": { "signedEntryTimestamp": base64(&self.entries.sign(promised.as_bytes())) },
            "inclusionProof": {
                "logIndex": "1", "rootHash": root, "treeSize": "2", "hashes": [base64(&first)],
                "checkpoint": { "envelope": format!("{note}\n\u{2014} entries.example.com {}\n", base64(&signed)) },
            },
            "canonicalizedBody": base64(body),
        })
    }
}
