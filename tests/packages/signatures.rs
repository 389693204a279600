//! Signatures, with independent signers and verifiers, offline: npm's `@sigstore/verify` and `@sigstore/sign`, PyPI's
//! `securesystemslib`, `openssl`. What they verify is ours, and what we verify is theirs.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use harness_package::{
    Digest,
    signature::{
        Attachment, Build, Bundle, Expected, PAYLOAD_TYPE, Package, PackageStatement, PublicKey, PublisherRule,
        SigningKey, SourceTree, Statement, TrustError, TrustPolicy, TrustRules, Verified, pae, verify,
    },
};
use serde_json::{Value, json};
use tempfile::TempDir;

pub(crate) const COMPONENT: &[u8] = b"\0asm a component";

pub(crate) fn statement() -> Statement {
    let package = Package {
        channel: "chat".into(),
        version: "1.2.0".parse().unwrap(),
        publisher: "acme".parse().unwrap(),
        contract: "0.2.0".parse().unwrap(),
        predecessor: None,
        source: SourceTree {
            tree: Digest::of(b"tree"),
            path: ".".into(),
            lock_file: Digest::of(b"lock"),
            repository: None,
        },
        build: Build {
            rustc: "rustc 1.95.0\nhost: x86_64-unknown-linux-gnu\n".into(),
            cargo: "cargo 1.95.0".into(),
            target: "wasm32-unknown-unknown".into(),
            flags: Vec::new(),
            builder: "harness 0.1.0".into(),
        },
        attachments: vec![Attachment { media_type: "text/plain".into(), digest: Digest::of(b"licence"), size: 7 }],
    };
    let (component, manifest) = (Digest::of(COMPONENT), Digest::of(b"manifest"));
    PackageStatement { component, manifest, package }.into()
}

/// A folder with a key pair that `openssl` made, a component and the statement about it.
struct Bench {
    folder: TempDir,
    key: SigningKey,
}

impl Bench {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let private = folder.path().join("private.pem");
        let curve = ["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out"];
        succeeded(Command::new("openssl").arg("genpkey").args(curve).arg(&private));
        let key = SigningKey::from_pem(&fs::read_to_string(&private).unwrap()).unwrap();
        let bench = Self { folder, key };
        succeeded(
            Command::new("openssl")
                .args(["pkey", "-pubout", "-in"])
                .arg(&private)
                .arg("-out")
                .arg(bench.path("public.pem")),
        );
        let public = fs::read_to_string(bench.path("public.pem")).unwrap();
        assert_eq!(PublicKey::from_pem(&public).unwrap(), *bench.key.public());
        assert_eq!(bench.key.public().to_pem(), public, "written as openssl writes it");
        bench.write("component.wasm", COMPONENT);
        bench.write("statement.json", &statement().to_bytes().unwrap());
        bench
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn write(&self, name: &str, bytes: &[u8]) -> PathBuf {
        fs::write(self.path(name), bytes).unwrap();
        self.path(name)
    }

    fn json(&self, name: &str) -> Value {
        serde_json::from_slice(&fs::read(self.path(name)).unwrap()).unwrap()
    }

    /// Our bundle, as JSON.
    fn ours(&self) -> Value {
        let bundle = Bundle::sign(&self.key, &statement()).unwrap().to_bytes().unwrap();
        serde_json::from_slice(&bundle).unwrap()
    }

    /// An envelope of somebody else's in a bundle with our key.
    fn bundled(&self, envelope: Value) -> Vec<u8> {
        let mut bundle = self.ours();
        bundle["dsseEnvelope"] = envelope;
        serde_json::to_vec(&bundle).unwrap()
    }

    fn verify(&self, bundle: Vec<u8>) -> Result<Verified, TrustError> {
        let channels = vec!["chat".parse().unwrap()];
        let (name, keys) = ("acme".parse().unwrap(), vec![*self.key.public()]);
        let acme = PublisherRule { name, keys, identities: Vec::new(), channels };
        let policy = TrustPolicy::new(TrustRules { publishers: vec![acme], ..TrustRules::default() }).unwrap();
        verify(&[bundle], &[], &Expected::component(Digest::of(COMPONENT)), &policy)
    }
}

fn run(command: &mut Command) -> Output {
    command.output().unwrap_or_else(|error| panic!("{command:?} cannot be started ({error}); .ci/setup installs it"))
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&[output.stdout.as_slice(), &output.stderr].concat()).into_owned()
}

fn succeeded(command: &mut Command) {
    let output = run(command);
    assert!(output.status.success(), "{command:?}: {}", said(&output));
}

/// The program ran, and refused with these words: it did not fail for another reason.
fn refused(command: &mut Command, words: &str) {
    let output = run(command);
    assert!(!output.status.success() && said(&output).contains(words), "{command:?}: {}", said(&output));
}

/// Where `.ci/setup` puts what the lists in `sdks` name: `packages` in the target folder.
fn installed(path: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap().join("packages").join(path);
    assert!(path.exists(), "{} is missing: .ci/setup installs it (it needs the network once)", path.display());
    path
}

fn script(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("packages/sdks").join(name)
}

fn node(name: &str) -> Command {
    let mut command = Command::new("node");
    command.arg(script(name)).env("NODE_PATH", installed("node/node_modules"));
    command
}

fn python(name: &str) -> Command {
    let mut command = Command::new(installed("python/bin/python"));
    command.arg(script(name)).env("PYTHONDONTWRITEBYTECODE", "1");
    command
}

/// A payload that says something else, under the same signature.
fn tampered(envelope: &mut Value) {
    let payload = BASE64_STANDARD.decode(envelope["payload"].as_str().unwrap()).unwrap();
    let other = String::from_utf8(payload).unwrap().replace("1.2.0", "9.2.0");
    envelope["payload"] = json!(BASE64_STANDARD.encode(other));
}

#[test]
fn sigstore_for_node_verifies_our_bundles_and_refuses_changed_ones() {
    let bench = Bench::new();
    let check = |bundle: &Value, component: &Path| {
        let bundle = bench.write("bundle.json", &serde_json::to_vec(bundle).unwrap());
        let mut command = node("verify.js");
        command.arg(bundle).arg(bench.path("public.pem")).arg(component);
        command
    };
    let mut bundle = bench.ours();
    succeeded(&mut check(&bundle, &bench.path("component.wasm")));
    let other = bench.write("other.wasm", b"\0asm another component");
    refused(&mut check(&bundle, &other), "another component");
    tampered(&mut bundle["dsseEnvelope"]);
    refused(&mut check(&bundle, &bench.path("component.wasm")), "signature verification failed");
}

#[test]
fn we_verify_what_sigstore_for_node_signs_and_refuse_it_changed() {
    let bench = Bench::new();
    let sign = |kind: &str| {
        let mut command = node("sign.js");
        command
            .arg(kind)
            .arg(bench.path("statement.json"))
            .arg(bench.path("private.pem"))
            .arg(bench.path("theirs.json"));
        succeeded(&mut command);
        bench.json("theirs.json")
    };
    let mut bundle = sign("envelope");
    let bytes = |bundle: &Value| serde_json::to_vec(bundle).unwrap();
    assert_eq!(bench.verify(bytes(&bundle)).unwrap().version().to_string(), "1.2.0");
    tampered(&mut bundle["dsseEnvelope"]);
    let refusal = bench.verify(bytes(&bundle)).unwrap_err();
    assert!(matches!(refusal, TrustError::Forged { .. }), "{refusal}");
    let mut message = sign("message");
    let refusal = bench.verify(bytes(&message)).unwrap_err();
    assert!(matches!(refusal, TrustError::Bundle(_)), "{refusal}");
    // Of both kinds, readers take one or the other; neither is taken here.
    message["mediaType"] = bundle["mediaType"].clone();
    message["dsseEnvelope"] = bench.ours()["dsseEnvelope"].clone();
    let refusal = bench.verify(bytes(&message)).unwrap_err().to_string();
    assert!(refusal.contains("both"), "{refusal}");
}

#[test]
fn securesystemslib_verifies_our_envelopes_and_refuses_changed_ones() {
    let bench = Bench::new();
    let check = |envelope: &Value| {
        let envelope = bench.write("envelope.json", &serde_json::to_vec(envelope).unwrap());
        let mut command = python("envelope.py");
        command.arg("verify").arg(envelope).arg(bench.path("public.pem"));
        command
    };
    let mut envelope = bench.ours()["dsseEnvelope"].clone();
    succeeded(&mut check(&envelope));
    tampered(&mut envelope);
    refused(&mut check(&envelope), "VerificationError");
}

#[test]
fn we_verify_what_securesystemslib_signs_and_refuse_it_changed() {
    let bench = Bench::new();
    let mut command = python("envelope.py");
    command
        .arg("sign")
        .arg(bench.path("statement.json"))
        .arg(bench.path("private.pem"))
        .arg(bench.path("envelope.json"));
    succeeded(&mut command);
    let mut envelope = bench.json("envelope.json");
    assert!(bench.verify(bench.bundled(envelope.clone())).is_ok());
    tampered(&mut envelope);
    let refusal = bench.verify(bench.bundled(envelope)).unwrap_err();
    assert!(matches!(refusal, TrustError::Forged { .. }), "{refusal}");
}

#[test]
fn openssl_verifies_our_signatures_over_the_encoded_payload_and_refuses_changed_ones() {
    let bench = Bench::new();
    let bundle = bench.ours();
    let signature = bundle["dsseEnvelope"]["signatures"][0]["sig"].as_str().unwrap();
    let signature = bench.write("signature.der", &BASE64_STANDARD.decode(signature).unwrap());
    let payload = BASE64_STANDARD.decode(bundle["dsseEnvelope"]["payload"].as_str().unwrap()).unwrap();
    let check = |payload: &[u8]| {
        let signed = bench.write("signed", &pae(PAYLOAD_TYPE, payload));
        let mut command = Command::new("openssl");
        command.args(["dgst", "-sha256", "-verify"]).arg(bench.path("public.pem"));
        command.arg("-signature").arg(&signature).arg(signed);
        command
    };
    succeeded(&mut check(&payload));
    refused(&mut check(&[payload.as_slice(), b" "].concat()), "erification fail");
}

#[test]
fn we_verify_what_openssl_signs() {
    let bench = Bench::new();
    let payload = fs::read(bench.path("statement.json")).unwrap();
    let signed = bench.write("signed", &pae(PAYLOAD_TYPE, &payload));
    let mut command = Command::new("openssl");
    command.args(["dgst", "-sha256", "-sign"]).arg(bench.path("private.pem"));
    succeeded(command.arg("-out").arg(bench.path("signature.der")).arg(signed));
    let sig = BASE64_STANDARD.encode(fs::read(bench.path("signature.der")).unwrap());
    let envelope = json!({
        "payload": BASE64_STANDARD.encode(&payload),
        "payloadType": PAYLOAD_TYPE,
        "signatures": [{ "sig": sig }],
    });
    assert!(bench.verify(bench.bundled(envelope)).is_ok());
}

#[test]
fn keys_that_openssl_writes_in_other_forms_are_refused_with_what_to_do() {
    let bench = Bench::new();
    let refusal = |command: &mut Command| {
        succeeded(command.arg("-out").arg(bench.path("other.pem")));
        let text = fs::read_to_string(bench.path("other.pem")).unwrap();
        let refusal = SigningKey::from_pem(&text).unwrap_err().to_string();
        let secret = text.lines().nth(1).unwrap();
        assert!(!refusal.contains(secret), "a private key is quoted");
        refusal
    };
    let openssl = |arguments: &[&str]| {
        let mut command = Command::new("openssl");
        command.args(arguments);
        command
    };
    let sec1 = refusal(openssl(&["ec", "-in"]).arg(bench.path("private.pem")));
    assert!(sec1.contains("openssl pkcs8 -topk8"), "{sec1}");
    let sealed = refusal(openssl(&["pkcs8", "-topk8", "-passout", "pass:word", "-in"]).arg(bench.path("private.pem")));
    assert!(sealed.contains("decrypt"), "{sealed}");
    for other in [
        &["genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-384"][..],
        &["genpkey", "-algorithm", "ED25519"],
        &["genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:1024"],
    ] {
        let kind = refusal(&mut openssl(other));
        assert!(kind.contains("P-256"), "{kind}");
    }
}
