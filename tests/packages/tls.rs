//! Registries with TLS: what is allowed between hosts that have proved who they are, and what is not.

use std::{collections::BTreeSet, path::Path, process::Command, sync::Arc};

use channel_tests::registry::{USER, login};
use harness_package::registry::{Client, Logins, Options, Registry};
use rustls::{
    ClientConfig, RootCertStore, ServerConfig,
    crypto::ring::default_provider,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _},
};
use tempfile::TempDir;
use tokio_rustls::TlsAcceptor;

use crate::{
    fake::{Answer, Asked, Fake, Honest, Step, sample, whole},
    hostile::refused,
    sample::{VERSION, read},
};

/// Names that the tests have certificates for.
const NAMES: [&str; 3] = ["registry.test", "storage.test", "tokens.test"];

/// Certificates for some names, and a client that trusts them and finds the names on this machine.
struct World {
    folder: TempDir,
    certificate: CertificateDer<'static>,
    acceptor: TlsAcceptor,
}

impl World {
    fn new(names: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let names: Vec<String> = names.iter().map(|name| format!("DNS:{name}")).collect();
        let names = format!("subjectAltName={}", names.join(","));
        let made = Command::new("openssl")
            .args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"])
            .args(["-subj", "/CN=tests", "-addext", &names, "-addext", "basicConstraints=critical,CA:FALSE"])
            .args(["-keyout", "key.pem", "-out", "certificate.pem"])
            .current_dir(folder.path())
            .output()
            .expect("openssl runs: `.ci/setup` installs it");
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        let certificate = CertificateDer::from_pem_file(folder.path().join("certificate.pem")).unwrap();
        let key = PrivateKeyDer::from_pem_file(folder.path().join("key.pem")).unwrap();
        let server = ServerConfig::builder_with_provider(Arc::new(default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate.clone()], key)
            .unwrap();
        Self { folder, certificate, acceptor: TlsAcceptor::from(Arc::new(server)) }
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    async fn serves(&self, lie: impl Fn(&Asked, usize, &Honest) -> Option<Answer> + Send + Sync + 'static) -> Fake {
        Fake::over_tls(self.acceptor.clone(), lie).await
    }

    /// The registry, asked by a client that trusts this world's certificate.
    fn registry(&self, of: &Fake, options: Options) -> Registry {
        let mut roots = RootCertStore::empty();
        roots.add(self.certificate.clone()).unwrap();
        let tls = ClientConfig::builder_with_provider(Arc::new(default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        let mut builder = reqwest::Client::builder().no_proxy().tls_backend_preconfigured(tls);
        for name in NAMES.iter().chain(&["other.test"]) {
            builder = builder.resolve(name, ([127, 0, 0, 1], 0).into());
        }
        let client = Client::new(builder, options).unwrap();
        Registry::new(&client, &format!("{}/acme/web-chat", at("registry.test", of)).parse().unwrap()).unwrap()
    }
}

/// A fake by a name.
fn at(name: &str, fake: &Fake) -> String {
    format!("{name}:{}", fake.authority.split(':').next_back().unwrap())
}

fn with_login(world: &World, of: &Fake) -> Options {
    Options { logins: login(world.path(), &at("registry.test", of), USER), ..Options::default() }
}

fn challenge(realm: &str) -> Option<Answer> {
    Some(whole("401 Unauthorized", &format!("www-authenticate: Bearer realm=\"{realm}\"\r\n"), b""))
}

#[tokio::test]
async fn a_registry_that_proved_who_it_is_names_its_token_service_and_its_storage() {
    let world = World::new(&NAMES);
    let tokens = world.serves(|_, _, _| Some(whole("200 OK", "", br#"{"access_token":"of-the-registry"}"#))).await;
    let storage = world.serves(|_, _, _| Some(whole("200 OK", "", &sample().component))).await;
    let (realm, place) = (at("tokens.test", &tokens), at("storage.test", &storage));
    let registry = world
        .serves(move |asked, _, _| match asked.headers.get("authorization").map(String::as_str) {
            Some("Bearer of-the-registry") if Step::Layer.is_of(asked) => {
                Some(whole("307 Temporary Redirect", &format!("location: https://{place}/blob?signed=yes\r\n"), b""))
            }
            Some("Bearer of-the-registry") => None,
            _ => challenge(&format!("https://{realm}/token")),
        })
        .await;
    let options = with_login(&world, &registry);
    assert_eq!(read(&world.registry(&registry, options), VERSION).await.1, sample().component);
    assert_eq!(tokens.asked().len(), 1);
    assert!(tokens.asked()[0].headers["authorization"].starts_with("Basic "));
    assert!(!storage.asked()[0].headers.contains_key("authorization"));
    assert!(
        !registry
            .asked()
            .iter()
            .any(|asked| asked.headers.get("authorization").is_some_and(|a| a.starts_with("Basic")))
    );
}

#[tokio::test]
async fn tls_is_not_left_for_anything() {
    let world = World::new(&NAMES);
    let thief = Fake::telling(|_, _, _| Some(whole("200 OK", "", br#"{"token":"x"}"#))).await;
    let inside = world.serves(|_, _, _| Some(whole("200 OK", "", &sample().component))).await;
    let plain = BTreeSet::from([thief.authority.clone()]);
    for (address, word) in [
        (format!("http://{}/x", thief.authority), "another scheme"),
        (format!("https://{}/x", inside.authority), "this machine"),
        (format!("https://localhost:{}/x", inside.authority.split(':').next_back().unwrap()), "this machine"),
    ] {
        let location = address.clone();
        let registry = world
            .serves(move |asked, _, _| {
                let answer = || whole("302 Found", &format!("location: {location}\r\n"), b"");
                Step::Layer.is_of(asked).then(answer)
            })
            .await;
        let options = Options { plain_http: plain.clone(), ..Options::default() };
        let sentence = refused(&world.registry(&registry, options), &address).await.to_string();
        assert!(sentence.contains(word), "{address}: {sentence}");
    }
    for (realm, word) in [
        (format!("http://{}/token", thief.authority), "no TLS"),
        (format!("https://{}/token", inside.authority), "on this machine"),
        ("http://SELF/token".to_owned(), "no TLS"),
    ] {
        let registry = world.serves(move |asked, _, _| challenge(&realm.replace("SELF", &asked.headers["host"]))).await;
        let options = Options { plain_http: plain.clone(), ..with_login(&world, &registry) };
        let sentence = refused(&world.registry(&registry, options), word).await.to_string();
        assert!(sentence.contains(word), "{sentence}");
    }
    assert!(thief.asked().is_empty() && inside.asked().is_empty());
}

#[tokio::test]
async fn a_registry_with_another_name_or_no_tls_is_told_nothing() {
    let world = World::new(&["other.test"]);
    let other = world.serves(|_, _, _| None).await;
    let sentence = refused(&world.registry(&other, with_login(&world, &other)), "another name").await.to_string();
    assert!(sentence.contains("no connection"), "{sentence}");
    assert!(other.asked().is_empty());
    let plain = Fake::telling(|_, _, _| None).await;
    let options = Options { logins: Logins::default(), ..Options::default() };
    refused(&world.registry(&plain, options), "no TLS").await;
    assert!(plain.asked().is_empty());
}
