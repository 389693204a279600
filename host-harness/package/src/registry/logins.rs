//! Owns: logins to registries, from the files that container tools keep them in, and from their helper programs.
//! Does not own: whom a login is sent to (`auth`).
//!
//! Read are `config.json` of Docker and `auth.json` of Podman: `credHelpers` of the registry, else its entry in `auths`,
//! else `credsStore`.

use std::{
    collections::BTreeMap,
    ffi::OsString,
    fmt,
    io::Read as _,
    path::{Path, PathBuf},
    process::Stdio,
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde::Deserialize;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    process::{ChildStdout, Command},
};
use zeroize::Zeroizing;

/// The largest file with logins that is read, in bytes.
const MAX_FILE: u64 = 1 << 20;
/// The longest answer of a helper program, in bytes.
const MAX_ANSWER: usize = 64 << 10;
/// The user name by which helpers say that the secret is no password.
const IDENTITY_TOKEN: &str = "<token>";
const NO_IDENTITY_TOKENS: &str =
    "the login is an identity token, which is not supported: log in with a user name and an access token";

/// A user name and a password for a registry.
#[derive(Clone)]
pub struct Login {
    /// The user name.
    pub user: String,
    /// The password or access token.
    pub password: Zeroizing<String>,
}

impl fmt::Debug for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Login")
    }
}

/// Where to look for logins: files of container tools, the first that has one. By default nowhere.
#[derive(Clone, Debug, Default)]
pub struct Logins {
    files: Vec<PathBuf>,
}

impl Logins {
    /// Looks into these files. One that is not there has no logins.
    pub fn of_files(files: Vec<PathBuf>) -> Self {
        Self { files }
    }

    /// Looks where Docker and Podman keep theirs, by the variables of an environment: `REGISTRY_AUTH_FILE`,
    /// `DOCKER_CONFIG`, `HOME`, `XDG_RUNTIME_DIR`, `XDG_CONFIG_HOME`.
    pub fn of_environment(variable: impl Fn(&str) -> Option<OsString>) -> Self {
        let folder = |name: &str| variable(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        let home = folder("HOME");
        let below_home = |name: &str| home.as_ref().map(|home| home.join(name));
        let docker = folder("DOCKER_CONFIG").or_else(|| below_home(".docker"));
        let podman = folder("XDG_CONFIG_HOME").or_else(|| below_home(".config"));
        let files = [
            folder("REGISTRY_AUTH_FILE"),
            docker.map(|folder| folder.join("config.json")),
            folder("XDG_RUNTIME_DIR").map(|folder| folder.join("containers/auth.json")),
            podman.map(|folder| folder.join("containers/auth.json")),
        ];
        Self { files: files.into_iter().flatten().collect() }
    }

    /// The login for a repository. Errors are sentences without secrets.
    pub(super) async fn find(&self, authority: &str, repository: &str) -> Result<Option<Login>, String> {
        for path in &self.files {
            let named = |problem: String| format!("{}: {problem}", path.display());
            let opened = path.clone();
            let read = tokio::task::spawn_blocking(move || read(&opened)).await;
            let bytes = match read.unwrap_or_else(|error| Err(std::io::Error::other(error))) {
                Ok(bytes) => bytes,
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => continue,
                Err(error) => return Err(named(format!("the logins could not be read: {error}"))),
            };
            // An error of JSON would show what stands in the file.
            let file: File = serde_json::from_slice(&bytes).map_err(|_| named("it cannot be read as JSON".into()))?;
            if let Some(login) = file.find(authority, repository).await.map_err(named)? {
                return Ok(Some(login));
            }
        }
        Ok(None)
    }
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct File {
    auths: BTreeMap<String, Entry>,
    cred_helpers: BTreeMap<String, String>,
    creds_store: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Entry {
    auth: Option<Hidden>,
    identitytoken: Option<Hidden>,
}

#[derive(Deserialize)]
#[serde(from = "String")]
struct Hidden(Zeroizing<String>);

impl From<String> for Hidden {
    fn from(text: String) -> Self {
        Self(Zeroizing::new(text))
    }
}

impl File {
    async fn find(self, authority: &str, repository: &str) -> Result<Option<Login>, String> {
        if let Some(helper) = self.cred_helpers.get(authority) {
            return ask(helper, authority).await;
        }
        if let Some(entry) = self.entry(authority, repository)
            && let Some(login) = entry.login()?
        {
            return Ok(Some(login));
        }
        match &self.creds_store {
            Some(helper) if !helper.is_empty() => ask(helper, authority).await,
            _ => Ok(None),
        }
    }

    /// The entry of a repository: Podman's for the longest part of its name, else the registry's, also as old tools wrote it.
    fn entry(&self, authority: &str, repository: &str) -> Option<&Entry> {
        let whole = format!("{authority}/{repository}");
        let mut name = whole.as_str();
        loop {
            if let Some(entry) = self.auths.get(name) {
                return Some(entry);
            }
            match name.rsplit_once('/') {
                Some((shorter, _)) => name = shorter,
                None => break,
            }
        }
        let old = |key: &str| {
            let key = key.strip_prefix("https://").or_else(|| key.strip_prefix("http://"));
            key.is_some_and(|key| key.split('/').next() == Some(authority))
        };
        self.auths.iter().find(|(key, _)| old(key)).map(|(_, entry)| entry)
    }
}

impl Entry {
    fn login(&self) -> Result<Option<Login>, String> {
        if self.identitytoken.as_ref().is_some_and(|token| !token.0.is_empty()) {
            return Err(NO_IDENTITY_TOKENS.into());
        }
        let Some(auth) = self.auth.as_ref().filter(|auth| !auth.0.is_empty()) else { return Ok(None) };
        let broken = || "the login is not USER:PASSWORD in base64".to_owned();
        let pair = Zeroizing::new(STANDARD.decode(auth.0.trim()).map_err(|_| broken())?);
        let pair = std::str::from_utf8(&pair).map_err(|_| broken())?;
        let (user, password) = pair.split_once(':').ok_or_else(broken)?;
        // Docker fills the password up with zero bytes in some versions.
        let password = Zeroizing::new(password.trim_end_matches('\0').to_owned());
        Ok(Some(Login { user: user.to_owned(), password }))
    }
}

/// Asks `docker-credential-HELPER` for the login of a registry.
async fn ask(helper: &str, authority: &str) -> Result<Option<Login>, String> {
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Answer {
        username: String,
        secret: Hidden,
    }

    let word = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    if helper.is_empty() || !helper.chars().all(word) {
        return Err("the name of a helper program has other characters than letters, digits, `-` and `_`".into());
    }
    let program = format!("docker-credential-{helper}");
    let failed = |what: &str| format!("{program} {what}");
    let mut child = Command::new(&program)
        .arg("get")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .map_err(|error| failed(&format!("could not be started: {error}")))?;
    let (stdin, stdout) = (child.stdin.take(), child.stdout.take());
    if let Some(mut stdin) = stdin {
        // One that ends without reading says by its status what it has.
        let _ = stdin.write_all(authority.as_bytes()).await;
    }
    let answer = match stdout {
        Some(stdout) => answer_of(stdout).await.map_err(|error| failed(&format!("could not be read: {error}")))?,
        None => Zeroizing::default(),
    };
    let status = child.wait().await.map_err(|error| failed(&format!("could not be waited for: {error}")))?;
    if !status.success() {
        // The one thing that helpers agree on: on failure they write a sentence, and this one means that there is none.
        let none = answer.starts_with(b"credentials not found");
        return if none { Ok(None) } else { Err(failed("failed")) };
    }
    let answer: Answer = serde_json::from_slice(&answer).map_err(|_| failed("answered something unexpected"))?;
    if answer.username == IDENTITY_TOKEN {
        return Err(NO_IDENTITY_TOKENS.into());
    }
    Ok(Some(Login { user: answer.username, password: answer.secret.0 }))
}

async fn answer_of(program: ChildStdout) -> std::io::Result<Zeroizing<Vec<u8>>> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(MAX_ANSWER));
    // One that writes more than that has no login to give: what was read of it is no JSON.
    program.take(MAX_ANSWER as u64).read_to_end(&mut bytes).await?;
    Ok(bytes)
}

/// A file with logins.
fn read(path: &Path) -> std::io::Result<Zeroizing<Vec<u8>>> {
    let file = std::fs::File::open(path)?;
    let found = file.metadata()?;
    if !found.is_file() || found.len() > MAX_FILE {
        return Err(std::io::Error::other("it is no regular file, or larger than 1 MiB"));
    }
    // Room for all of it: a buffer that grows leaves copies behind.
    let mut bytes = Zeroizing::new(Vec::with_capacity(usize::try_from(found.len()).unwrap_or_default() + 1));
    file.take(MAX_FILE).read_to_end(&mut bytes)?;
    Ok(bytes)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    async fn found(json: &str, authority: &str) -> Result<Option<(String, String)>, String> {
        let file: File = serde_json::from_str(json).unwrap();
        let login = file.find(authority, "acme/web-chat").await?;
        Ok(login.map(|login| (login.user, login.password.to_string())))
    }

    fn pair(user: &str, password: &str) -> Option<(String, String)> {
        Some((user.to_owned(), password.to_owned()))
    }

    #[tokio::test]
    async fn the_entry_that_fits_best_is_the_login() {
        let encoded = |pair: &str| STANDARD.encode(pair);
        let json = format!(
            r#"{{"auths":{{"r.example.com":{{"auth":"{}"}},"r.example.com/acme":{{"auth":"{}"}},
            "https://old.example.com/v1/":{{"auth":"{}"}},"stub.example.com":{{}},"bad.example.com":{{"auth":"%"}},
            "token.example.com":{{"auth":"","identitytoken":"secret-word"}}}},"unknown":1}}"#,
            encoded("anna:one"),
            encoded("anna:two:three"),
            encoded("anna:four\0\0"),
        );
        assert_eq!(found(&json, "r.example.com").await, Ok(pair("anna", "two:three")));
        assert_eq!(found(&json, "old.example.com").await, Ok(pair("anna", "four")));
        for none in ["stub.example.com", "other.example.com", "example.com", "r.example.com:5000"] {
            assert_eq!(found(&json, none).await, Ok(None), "{none}");
        }
        assert!(found(&json, "bad.example.com").await.is_err());
        let error = found(&json, "token.example.com").await.unwrap_err();
        assert!(error.contains("identity token") && !error.contains("secret-word"));
    }

    #[tokio::test]
    async fn a_helper_is_a_program_of_that_name_and_no_path() {
        for name in ["../evil", "/bin/sh", "a b", "a;b", ""] {
            let json = format!(r#"{{"credHelpers":{{"r.example.com":"{name}"}}}}"#);
            assert!(found(&json, "r.example.com").await.is_err(), "{name}");
        }
        let json = r#"{"credsStore":"not-installed-anywhere"}"#;
        assert!(found(json, "r.example.com").await.unwrap_err().contains("docker-credential-not-installed-anywhere"));
    }

    #[tokio::test]
    async fn a_login_is_looked_for_where_the_tools_keep_it_and_never_shown() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join(".docker")).unwrap();
        let auth = STANDARD.encode("anna:secret-word");
        let json = format!(r#"{{"auths":{{"r.example.com":{{"auth":"{auth}"}}}}}}"#);
        std::fs::write(folder.path().join(".docker/config.json"), json).unwrap();
        let home = folder.path().as_os_str().to_owned();
        let logins = Logins::of_environment(|name| (name == "HOME").then(|| home.clone()));
        let login = logins.find("r.example.com", "acme/web-chat").await.unwrap().unwrap();
        assert_eq!((login.user.as_str(), login.password.as_str()), ("anna", "secret-word"));
        assert!(!format!("{login:?}{logins:?}").contains("secret-word"));
        std::fs::write(folder.path().join(".docker/config.json"), "{secret-word").unwrap();
        let error = logins.find("r.example.com", "acme/web-chat").await.unwrap_err();
        assert!(error.contains("config.json") && !error.contains("secret-word"));
        assert!(Logins::of_environment(|_| None).find("r.example.com", "a/b").await.unwrap().is_none());
    }
}
