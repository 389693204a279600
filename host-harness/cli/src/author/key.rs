//! Owns: `harness key`: a publisher's signing keys, sealed in a folder of this user.
//! Does not own: what a key is (`harness-package`), sealing (the vault).

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::{Context as _, Result, bail, ensure};
use clap::{Args, Subcommand};
use harness_contract::text::shown;
use harness_egress::credentials::{Secret, SecretKey, Vault, VaultKey};
use harness_package::{
    Publisher, durable,
    signature::{Bundle, RotationStatement, SigningKey, Statement},
};
use zeroize::Zeroizing;

/// Where the keys are.
#[derive(Args)]
pub(crate) struct KeyFolder {
    /// The folder with the signing keys, sealed [default: inbox-harness/keys in this user's folder for configuration]
    #[arg(long, value_name = "FOLDER")]
    keys: Option<PathBuf>,
}

#[derive(Subcommand)]
pub(crate) enum Key {
    /// Make a signing key, and print its public half for those who are to trust it
    Create {
        /// The publisher's name, such as `acme`
        publisher: Publisher,
        #[command(flatten)]
        folder: KeyFolder,
    },
    /// Print the public key of a publisher, as PEM
    Show {
        /// The publisher's name
        publisher: Publisher,
        #[command(flatten)]
        folder: KeyFolder,
    },
    /// Replace a publisher's key by a new one that the old one vouches for: packages signed from now on carry that word
    Rotate {
        /// The publisher's name
        publisher: Publisher,
        #[command(flatten)]
        folder: KeyFolder,
    },
}

pub(crate) fn run(command: Key) -> Result<ExitCode> {
    match command {
        Key::Create { publisher, folder } => create(&Keys::open(&folder)?, &publisher),
        Key::Show { publisher, folder } => {
            print!("{}", Keys::open(&folder)?.signing_key(&publisher)?.public().to_pem());
            Ok(ExitCode::SUCCESS)
        }
        Key::Rotate { publisher, folder } => rotate(&Keys::open(&folder)?, &publisher),
    }
}

/// An opened folder with keys.
pub(super) struct Keys {
    folder: PathBuf,
    vault: Vault,
}

impl Keys {
    /// The key that seals the others is in the folder, or in `HARNESS_VAULT_KEY`.
    pub(super) fn open(folder: &KeyFolder) -> Result<Self> {
        let folder = match &folder.keys {
            Some(folder) => folder.clone(),
            None => usual_folder().context("this user has no home folder: name one with `--keys`")?,
        };
        crate::operator::serve::private_dir(&folder).with_context(|| folder.display().to_string())?;
        let key = match env::var_os("HARNESS_VAULT_KEY") {
            Some(_) => VaultKey::Env("HARNESS_VAULT_KEY".to_owned()),
            None => VaultKey::File(folder.join("vault.key")),
        };
        Ok(Self { vault: Vault::open(&key)?, folder })
    }

    fn file(&self, publisher: &Publisher) -> PathBuf {
        self.folder.join(format!("{publisher}.key"))
    }

    fn rotations_file(&self, publisher: &Publisher) -> PathBuf {
        self.folder.join(format!("{publisher}.rotations.json"))
    }

    /// A publisher's signing key.
    pub(super) fn signing_key(&self, publisher: &Publisher) -> Result<SigningKey> {
        let path = self.file(publisher);
        let sealed = fs::read(&path).with_context(|| {
            format!("{}: there is no key of {publisher}; `harness key create {publisher}` makes one", path.display())
        })?;
        let secret = self.vault.unseal(&slot(publisher), &sealed)?;
        Ok(SigningKey::from_pkcs8(Zeroizing::new(secret.expose().to_vec()))?)
    }

    /// The words of earlier keys for later ones, as bundles, the oldest first.
    pub(super) fn rotations(&self, publisher: &Publisher) -> Result<Vec<Vec<u8>>> {
        let path = self.rotations_file(publisher);
        if !path.exists() {
            return Ok(Vec::new());
        }
        let text = fs::read(&path).with_context(|| path.display().to_string())?;
        let bundles: Vec<String> = serde_json::from_slice(&text).with_context(|| path.display().to_string())?;
        Ok(bundles.into_iter().map(String::into_bytes).collect())
    }

    fn write(&self, publisher: &Publisher, key: &SigningKey) -> Result<()> {
        let secret = Secret::new(key.to_pkcs8().to_vec());
        replace(&self.file(publisher), &self.vault.seal(&slot(publisher), &secret)?)
    }
}

/// What a publisher's key is sealed for.
fn slot(publisher: &Publisher) -> SecretKey {
    SecretKey { channel: "publisher".to_owned(), account: None, slot: publisher.to_string() }
}

fn usual_folder() -> Option<PathBuf> {
    let home = || Some(PathBuf::from(env::var_os("HOME")?).join(".config"));
    let base = env::var_os("XDG_CONFIG_HOME").map(PathBuf::from).filter(|path| path.is_absolute()).or_else(home)?;
    Some(base.join("inbox-harness").join("keys"))
}

/// Replaces a file of the folder.
fn replace(path: &Path, bytes: &[u8]) -> Result<()> {
    durable::replace(path, bytes).with_context(|| path.display().to_string())
}

fn create(keys: &Keys, publisher: &Publisher) -> Result<ExitCode> {
    let path = keys.file(publisher);
    if path.exists() {
        bail!("{}: {publisher} has a key; `harness key rotate {publisher}` replaces it", path.display());
    }
    let key = SigningKey::generate()?;
    keys.write(publisher, &key)?;
    tell(publisher, &key, &path);
    Ok(ExitCode::SUCCESS)
}

fn rotate(keys: &Keys, publisher: &Publisher) -> Result<ExitCode> {
    let old = keys.signing_key(publisher)?;
    let new = SigningKey::generate()?;
    let statement = RotationStatement { publisher: publisher.clone(), new_key: *new.public() };
    let bundle = Bundle::sign(&old, &Statement::Rotation(statement))?.to_bytes()?;
    let mut rotations: Vec<String> =
        keys.rotations(publisher)?.iter().map(|bundle| String::from_utf8_lossy(bundle).into_owned()).collect();
    ensure!(
        rotations.len() < harness_package::signature::MAX_ROTATIONS,
        "{publisher} has replaced its key {} times, which is as far as hosts follow: hand them the new public key",
        rotations.len()
    );
    rotations.push(String::from_utf8_lossy(&bundle).into_owned());
    // The word for the new key first: without it a key that is there would be trusted by nobody.
    replace(&keys.rotations_file(publisher), &serde_json::to_vec_pretty(&rotations)?)?;
    keys.write(publisher, &new)?;
    tell(publisher, &new, &keys.file(publisher));
    Ok(ExitCode::SUCCESS)
}

fn tell(publisher: &Publisher, key: &SigningKey, path: &Path) {
    print!("{}", key.public().to_pem());
    eprintln!("key of {publisher}: {}", key.public().hint());
    eprintln!("its private half is sealed in {}: back up that folder", shown(&path.display().to_string()));
}
