//! Somebody's machine, on which commands run, and what a publisher and an operator have there.
//! Does not own: what is tried (`publish` and the files beside this one).

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
    sync::atomic::{AtomicU32, Ordering},
};

use channel_tests::{
    manifest::with_manifest,
    process::Process,
    request,
    team::{Browser, accepts, invited_at},
    web_chat, write_secret,
};
use harness_package::{
    Digest,
    layout::Layout,
    oci::{Descriptor, Manifest, TITLE, WASM, WASM_CONFIG, WasmConfig},
    signature::{Build, Package, PackageStatement, SourceTree, Statement},
    source::Target as _,
};
use serde_json::Value;
use simulator::{Config, Login, Simulator};
use tempfile::TempDir;

use crate::command_line::admin;

/// People who joined so far.
static JOINED: AtomicU32 = AtomicU32::new(0);

/// Somebody's machine: a folder, in which commands run.
pub(super) struct Machine(pub(super) TempDir);

impl Machine {
    pub(super) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub(super) fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_harness"));
        command.args(words).current_dir(self.0.path()).env("HOME", self.0.path()).env_remove("XDG_CONFIG_HOME");
        for name in ["DOCKER_CONFIG", "REGISTRY_AUTH_FILE", "XDG_RUNTIME_DIR"] {
            command.env_remove(name);
        }
        command
    }

    /// Runs a command where nobody can be asked.
    pub(super) fn run(&self, words: &[&str]) -> (bool, String) {
        said(&self.command(words).stdin(std::process::Stdio::null()).output().unwrap())
    }

    /// Makes a package of a channel of this checkout, in the home of whoever runs the tests: there are cargo's downloads.
    pub(super) fn package(&self, source: &str, name: &str) {
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(source);
        let mut command = Command::new(env!("CARGO_BIN_EXE_harness"));
        command.arg("package").arg(source).args(["--publisher", "acme", "--out"]).arg(self.path(name));
        let (done, said) = said(&command.output().unwrap());
        assert!(done, "{said}");
    }

    pub(super) fn done(&self, words: &[&str]) -> String {
        let (done, said) = self.run(words);
        assert!(done, "{words:?}: {said}");
        said
    }

    /// Runs a command in a terminal, where this is typed.
    pub(super) fn typed(&self, words: &[&str], answer: &str) -> (bool, String) {
        let quoted = words.iter().map(|word| format!("'{word}'")).collect::<Vec<_>>().join(" ");
        let line = format!("'{}' {quoted}", env!("CARGO_BIN_EXE_harness"));
        let mut command = Command::new("script");
        command.args(["--quiet", "--return", "--command", &line, "/dev/null"]);
        command.current_dir(self.0.path()).env("HOME", self.0.path());
        let path = format!("{}:{}", self.0.path().display(), std::env::var("PATH").unwrap());
        command.env("PATH", path);
        let answer_file = self.path("answer");
        fs::write(&answer_file, format!("{answer}\n")).unwrap();
        said(&command.stdin(fs::File::open(answer_file).unwrap()).output().unwrap())
    }
}

pub(super) fn said(output: &Output) -> (bool, String) {
    let text = [output.stdout.as_slice(), output.stderr.as_slice()].concat();
    (output.status.success(), String::from_utf8_lossy(&text).into_owned())
}

/// A package of a component, as `harness package` lays it out.
pub(super) async fn package(folder: &Path, channel: &str, version: &str, publisher: &str, component: &[u8]) {
    let layer = Descriptor::of(WASM, component).annotated(TITLE, format!("{channel}.wasm"));
    let config = serde_json::to_vec(&WasmConfig::of(layer.digest, Vec::new(), Vec::new())).unwrap();
    let component_digest = layer.digest;
    let manifest = Manifest::of_package(Descriptor::of(WASM_CONFIG, &config), layer.clone(), [].into());
    let layout = Layout::create(folder).await.unwrap();
    layout.put_blob(&layer, component).await.unwrap();
    layout.put_blob(&manifest.config, &config).await.unwrap();
    let put = layout.put_manifest(&manifest.to_bytes().unwrap(), Some(version)).await.unwrap();
    let any = Digest::of(b"source");
    let statement = Statement::Package(Box::new(PackageStatement {
        component: component_digest,
        manifest: put.digest,
        package: Package {
            channel: channel.into(),
            version: version.parse().unwrap(),
            publisher: publisher.parse().unwrap(),
            contract: "0.2.0".parse().unwrap(),
            predecessor: None,
            source: SourceTree { tree: any, path: "channel".into(), lock_file: any, repository: None },
            build: Build {
                rustc: "rustc".into(),
                cargo: "cargo".into(),
                target: "wasm32-unknown-unknown".into(),
                flags: Vec::new(),
                builder: "tests".into(),
            },
            attachments: Vec::new(),
        },
    }));
    fs::write(folder.join(format!("statement-{version}.json")), statement.to_bytes().unwrap()).unwrap();
}

/// The web chat in a later version that asks for one host more.
pub(super) fn wanting_more(version: &str) -> Vec<u8> {
    let text = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/channels/web-chat/channel.toml"));
    let text = text.unwrap().replace("version = \"0.1.0\"", &format!("version = \"{version}\""));
    let more = "\n[[egress]]\nhost = \"more.example.com\"\nmethods = [\"GET\"]\npaths = [\"/spy\"]\n";
    with_manifest(&web_chat().1, &(text + more))
}

/// An operator's configuration: it trusts `acme` for both channels, and has what Instagram needs.
pub(super) fn configure(machine: &Machine, registry: &str, sim: &Simulator) -> String {
    let (folder, config) = (machine.0.path(), sim.config());
    for (name, secret) in [("app-secret", &config.app_secret), ("verify-token", &config.verify_token)] {
        write_secret(&folder.join(name), secret.expose());
    }
    let account = sim.accounts().into_iter().next().unwrap();
    write_secret(&folder.join("page-token"), account.token(Login::Facebook).unwrap().expose());
    let text = format!(
        r#"listen = "127.0.0.1:0"
data-dir = "data"
[packages]
plain-http = [{registry:?}]
[packages.publishers.acme]
keys = ["acme.pub"]
channels = ["instagram", "web-*"]
[development.endpoints]
"https://graph.facebook.com" = {facebook:?}
[channels.instagram.secrets]
app-secret = {{ file = "app-secret" }}
verify-token = {{ file = "verify-token" }}
[[channels.instagram.accounts]]
id = {id:?}
settings = {{ login = "facebook", page-id = {page:?} }}
secrets = {{ page-token = {{ file = "page-token" }} }}
"#,
        facebook = sim.graph_facebook_url(),
        id = account.ig_id,
        page = account.page.as_ref().unwrap().id,
    );
    fs::write(machine.path("harness.toml"), text).unwrap();
    machine.path("harness.toml").to_str().unwrap().to_owned()
}

/// A publisher who has a key, and an operator who trusts it, with the configuration. No registry is reached.
pub(super) async fn trusting() -> (Machine, Machine, String) {
    let (publisher, operator) = (Machine::new(), Machine::new());
    publisher.done(&["key", "create", "acme"]);
    fs::write(operator.path("acme.pub"), publisher.done(&["key", "show", "acme"])).unwrap();
    // Its addresses and secrets fill the configuration; these tests send nothing.
    let sim = Simulator::start(Config::demo()).await.unwrap();
    let config = configure(&operator, "127.0.0.1:1", &sim);
    (publisher, operator, config)
}

pub(super) async fn api(machine: &Machine, served: &Process, method: &str, path: &str, body: Option<Value>) -> Value {
    let shown = admin(machine.0.path());
    let headers = [("authorization", shown.as_str()), ("idempotency-key", "one"), ("content-type", "application/json")];
    let body = body.map_or_else(Vec::new, |body| body.to_string().into_bytes());
    let answer = request(method, &format!("{}/api/v1/{path}", served.address), &headers, body).await;
    channel_tests::entries(answer.json())
}

/// Somebody who runs the host, signed in.
pub(super) async fn operator_of(operator: &Machine, served: &Process) -> Browser {
    let email = format!("nora.{}@shop.example", JOINED.fetch_add(1, Ordering::Relaxed));
    let link = invited_at(&served.address, &admin(operator.0.path()), None, &email, "admin").await;
    accepts(&served.address, &link, "Nora").await
}

/// The digest and the provenance of a channel that runs; none where it does not.
pub(super) async fn runs(machine: &Machine, served: &Process, channel: &str) -> Option<(String, Value)> {
    let all = api(machine, served, "GET", "channels", None).await;
    let found = all.as_array().unwrap().iter().find(|found| found["id"] == channel)?.clone();
    Some((found["digest"].as_str().unwrap().to_owned(), found["provenance"].clone()))
}

pub(super) fn hex(component: &[u8]) -> String {
    Digest::of(component).hex()
}
