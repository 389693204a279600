//! Other people's registries. Belongs here: starting and ending them, and clients that speak to them.

use std::{
    collections::BTreeSet,
    fs,
    net::TcpListener,
    path::{Path, PathBuf},
    process::Stdio,
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use harness_package::registry::{Client, Logins, Options, Registry};
use tempfile::TempDir;
use tokio::{
    io::{AsyncBufReadExt as _, BufReader},
    net::TcpStream,
    process::{Child, Command},
};

use crate::eventually;

/// The user that [`DockerRegistry::with_login`] knows, and the password.
pub const USER: (&str, &str) = ("anna", "correct-horse");
/// The same as `htpasswd -B` would write it.
const HTPASSWD: &str = "anna:$2b$04$xC.m9Z3uS1bY.8quM0FbMO21yvotLcQnuDfZGj7XEpVTzQsrJ58M.\n";

/// Debian's `docker-registry`, which has no referrers API. It ends when it is dropped.
pub struct DockerRegistry {
    /// `127.0.0.1:PORT`
    pub authority: String,
    folder: TempDir,
    _child: Child,
}

impl DockerRegistry {
    /// Everybody may read and write.
    pub async fn open() -> Self {
        Self::start("").await
    }

    /// Only [`USER`] may.
    pub async fn with_login() -> Self {
        Self::start("auth: {htpasswd: {realm: tests, path: FOLDER/htpasswd}}\n").await
    }

    async fn start(auth: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path().display().to_string();
        fs::write(folder.path().join("htpasswd"), HTPASSWD).unwrap();
        let config = format!(
            "version: 0.1\n\
             log: {{level: info, accesslog: {{disabled: true}}}}\n\
             storage:\n  filesystem: {{rootdirectory: FOLDER/storage}}\n  delete: {{enabled: true}}\n  \
             maintenance: {{uploadpurging: {{enabled: false}}}}\n\
             http: {{addr: '127.0.0.1:0', secret: of-the-tests}}\n{auth}"
        );
        let file = folder.path().join("config.yml");
        fs::write(&file, config.replace("FOLDER", &place)).unwrap();
        let mut child = Command::new(program())
            .arg("serve")
            .arg(&file)
            .env_clear()
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("docker-registry starts: `.ci/setup` brings it");
        let mut log = BufReader::new(child.stderr.take().unwrap()).lines();
        let authority = loop {
            let line = log.next_line().await.unwrap().expect("docker-registry says where it listens");
            if let Some((_, behind)) = line.split_once("listening on ") {
                break behind.split(['"', ',', ' ']).next().unwrap().to_owned();
            }
        };
        // A full pipe would hold it up.
        tokio::spawn(async move { while let Ok(Some(_)) = log.next_line().await {} });
        Self { authority, folder, _child: child }
    }

    /// A repository of it, for everybody.
    pub fn repository(&self, name: &str) -> Registry {
        repository(&client(&[&self.authority], Logins::default()), &self.authority, name)
    }

    /// The file in which it keeps a blob.
    pub fn blob(&self, hex: &str) -> PathBuf {
        let blobs = self.folder.path().join("storage/docker/registry/v2/blobs/sha256");
        blobs.join(&hex[..2]).join(hex).join("data")
    }
}

/// The crate `ferro-oci-server`, which has the referrers API and keeps everything in memory. It ends when it is dropped.
pub struct FerroRegistry {
    /// `127.0.0.1:PORT`
    pub authority: String,
    _child: Child,
}

impl FerroRegistry {
    /// Everybody may read and write.
    pub async fn open() -> Self {
        // Somebody else may take the free port first.
        for _ in 0..5 {
            if let Some(registry) = Self::start().await {
                return registry;
            }
        }
        panic!("ferro-oci-server does not start")
    }

    async fn start() -> Option<Self> {
        let authority = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
        let mut child = Command::new(tool("bin/ferro-oci-server"))
            .env_clear()
            .env("FERRO_OCI_LISTEN", &authority)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .expect("ferro-oci-server starts: `.ci/setup` brings it");
        let listens =
            eventually("ferro-oci-server", async || TcpStream::connect(&authority).await.is_ok().then_some(()));
        tokio::select! {
            _ = child.wait() => return None,
            () = listens => {}
        }
        let ended = child.try_wait().unwrap().is_some();
        (!ended).then_some(Self { authority, _child: child })
    }

    /// A repository of it.
    pub fn repository(&self, name: &str) -> Registry {
        repository(&client(&[&self.authority], Logins::default()), &self.authority, name)
    }
}

/// Debian's, where it is installed; else where `.ci/setup` puts it.
fn program() -> PathBuf {
    let installed = PathBuf::from("/usr/bin/docker-registry");
    if installed.exists() { installed } else { tool("usr/bin/docker-registry") }
}

/// What `.ci/setup` puts into `registry` in the target folder.
fn tool(path: &str) -> PathBuf {
    // target/PROFILE/deps/TEST
    let test = std::env::current_exe().unwrap();
    test.ancestors().nth(3).unwrap().join("registry").join(path)
}

/// A client that speaks plain HTTP to these registries.
pub fn client(plain_http: &[&str], logins: Logins) -> Client {
    let plain_http: BTreeSet<String> = plain_http.iter().map(|authority| (*authority).to_owned()).collect();
    let options = Options { plain_http, logins, ..Options::default() };
    Client::new(harness_egress::client_builder().unwrap(), options).unwrap()
}

/// A repository, such as `acme/web-chat`.
pub fn repository(client: &Client, authority: &str, name: &str) -> Registry {
    Registry::new(client, &format!("{authority}/{name}").parse().unwrap()).unwrap()
}

/// A login in a file, as container tools keep it.
pub fn login(folder: &Path, authority: &str, (user, password): (&str, &str)) -> Logins {
    let auth = STANDARD.encode(format!("{user}:{password}"));
    let file = folder.join("config.json");
    fs::write(&file, serde_json::json!({ "auths": { authority: { "auth": auth } } }).to_string()).unwrap();
    Logins::of_files(vec![file])
}
