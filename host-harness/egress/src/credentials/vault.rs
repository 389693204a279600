//! Owns: sealing credentials with XChaCha20-Poly1305 under an external key, each bound to its slot.
//! Does not own: where sealed credentials are stored.

use std::{
    fs, io,
    io::Write as _,
    path::{Path, PathBuf},
    process::Command,
};

use chacha20poly1305::{
    Key, KeyInit as _, XChaCha20Poly1305, XNonce,
    aead::{Aead as _, Payload},
};
use hmac::{Hmac, KeyInit as MacInit, Mac as _};
use sha2::Sha256;
use zeroize::Zeroizing;

use super::secret::{Secret, SecretKey};

const KEY_BYTES: usize = 32;
const NONCE_BYTES: usize = 24;

/// Where the key is.
#[derive(Clone, Debug)]
pub enum VaultKey {
    /// A private file with 64 hexadecimal digits, created if missing.
    File(PathBuf),
    /// An environment variable with 64 hexadecimal digits.
    Env(String),
    /// A program with arguments that prints 64 hexadecimal digits, such as a client of a key store.
    Command(Vec<String>),
}

/// Why credentials cannot be sealed or unsealed.
#[derive(Debug, thiserror::Error)]
pub enum VaultError {
    /// The key file cannot be used.
    #[error("the key file {path}: {source}")]
    File {
        /// Its path.
        path: PathBuf,
        /// The reason.
        #[source]
        source: io::Error,
    },
    /// Other users can read the key.
    #[error("the key file {path} can be read by others (mode {mode:o}): run `chmod 600 {path}`", path = .path.display())]
    TooOpen {
        /// Its path.
        path: PathBuf,
        /// Its permissions.
        mode: u32,
    },
    /// The content is not a key.
    #[error("{0} does not hold a key: expected 64 hexadecimal digits and nothing else, also no byte-order mark")]
    NoKey(String),
    /// The variable is not set.
    #[error("the environment variable {0} is not set: it must hold the key, 64 hexadecimal digits")]
    NotSet(String),
    /// The command failed.
    #[error("the command for the key failed: {0}")]
    Command(String),
    /// Another key, or a modified file.
    #[error(
        "the credential `{slot}` of {channel} {account} cannot be opened: the key is not the one it was sealed with, or it was changed. Use the right key, or connect the account again"
    )]
    Sealed {
        /// The channel's id.
        channel: String,
        /// The platform's id of the account.
        account: String,
        /// The slot.
        slot: String,
    },
    /// The operating system returned no random bytes.
    #[error("the operating system returned no random bytes: {0}")]
    Random(String),
}

/// Seals and unseals credentials.
pub struct Vault {
    cipher: XChaCha20Poly1305,
    /// Signs data that only has to be recognised again. Its key is derived from the cipher's.
    signer: Hmac<Sha256>,
}

impl Vault {
    /// Reads the key. A missing file is created.
    pub fn open(key: &VaultKey) -> Result<Self, VaultError> {
        let (text, place) = match key {
            VaultKey::File(path) => (read_or_make(path)?, path.display().to_string()),
            VaultKey::Env(name) => {
                let text = std::env::var(name).map_err(|_| VaultError::NotSet(name.clone()))?;
                (Zeroizing::new(text), name.clone())
            }
            VaultKey::Command(words) => (run(words)?, "what the command printed".to_owned()),
        };
        let mut bytes = Zeroizing::new([0; KEY_BYTES]);
        hex::decode_to_slice(text.trim(), bytes.as_mut_slice()).map_err(|_| VaultError::NoKey(place.clone()))?;
        // HMAC takes a key of any length.
        let keyed = |key: &[u8]| <Hmac<Sha256> as MacInit>::new_from_slice(key);
        let mut derived = keyed(bytes.as_slice()).map_err(|_| VaultError::NoKey(place.clone()))?;
        derived.update(b"signatures");
        let signer = keyed(&derived.finalize().into_bytes()).map_err(|_| VaultError::NoKey(place))?;
        Ok(Self { cipher: XChaCha20Poly1305::new(Key::from_slice(bytes.as_slice())), signer })
    }

    /// A signature for one purpose, which only this key can produce.
    pub fn sign(&self, purpose: &str, text: &str) -> [u8; 32] {
        let mut signer = self.signer.clone();
        for part in [purpose, text] {
            signer.update(&(part.len() as u64).to_le_bytes());
            signer.update(part.as_bytes());
        }
        signer.finalize().into_bytes().into()
    }

    /// Seals a credential for its slot.
    pub fn seal(&self, key: &SecretKey, secret: &Secret) -> Result<Vec<u8>, VaultError> {
        let mut sealed = random::<NONCE_BYTES>()?.to_vec();
        let payload = Payload { msg: secret.expose(), aad: &bound_to(key) };
        // Encryption fails only for inputs longer than any credential.
        let text = self.cipher.encrypt(XNonce::from_slice(&sealed), payload).map_err(|_| sealed_error(key))?;
        sealed.extend_from_slice(&text);
        Ok(sealed)
    }

    /// Unseals a credential that was sealed for this slot.
    pub fn unseal(&self, key: &SecretKey, sealed: &[u8]) -> Result<Secret, VaultError> {
        let (nonce, text) = sealed.split_at_checked(NONCE_BYTES).ok_or_else(|| sealed_error(key))?;
        let payload = Payload { msg: text, aad: &bound_to(key) };
        self.cipher.decrypt(XNonce::from_slice(nonce), payload).map(Secret::new).map_err(|_| sealed_error(key))
    }
}

/// The additional authenticated data. It includes lengths, so that different keys never produce the same bytes.
fn bound_to(key: &SecretKey) -> Vec<u8> {
    let mut bound = Vec::new();
    for part in [&key.channel, key.account.as_ref().unwrap_or(&String::new()), &key.slot] {
        bound.extend_from_slice(&(part.len() as u64).to_le_bytes());
        bound.extend_from_slice(part.as_bytes());
    }
    bound
}

fn sealed_error(key: &SecretKey) -> VaultError {
    VaultError::Sealed {
        channel: key.channel.clone(),
        account: key.account.clone().unwrap_or_default(),
        slot: key.slot.clone(),
    }
}

/// Cryptographically secure random bytes.
pub fn random<const N: usize>() -> Result<[u8; N], VaultError> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|error| VaultError::Random(error.to_string()))?;
    Ok(bytes)
}

fn read_or_make(path: &Path) -> Result<Zeroizing<String>, VaultError> {
    let failed = |source| VaultError::File { path: path.to_owned(), source };
    match fs::read_to_string(path) {
        Ok(text) => {
            let text = Zeroizing::new(text);
            #[cfg(unix)]
            {
                use std::os::unix::fs::PermissionsExt as _;
                let mode = fs::metadata(path).map_err(failed)?.permissions().mode() & 0o777;
                if mode & 0o077 != 0 {
                    return Err(VaultError::TooOpen { path: path.to_owned(), mode });
                }
            }
            Ok(text)
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let text = Zeroizing::new(hex::encode(Zeroizing::new(random::<KEY_BYTES>()?)));
            let mut options = fs::OpenOptions::new();
            #[cfg(unix)]
            std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
            let mut file = options.write(true).create_new(true).open(path).map_err(failed)?;
            file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).map_err(failed)?;
            Ok(text)
        }
        Err(source) => Err(failed(source)),
    }
}

fn run(words: &[String]) -> Result<Zeroizing<String>, VaultError> {
    let Some((program, arguments)) = words.split_first() else {
        return Err(VaultError::Command("it is empty".into()));
    };
    let output = Command::new(program)
        .args(arguments)
        .output()
        .map_err(|error| VaultError::Command(format!("{program}: {error}")))?;
    if !output.status.success() {
        // Its output may contain the key.
        return Err(VaultError::Command(format!("{program} ended with {}", output.status)));
    }
    let output = Zeroizing::new(output.stdout);
    Ok(Zeroizing::new(String::from_utf8_lossy(&output).into_owned()))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    fn key(slot: &str) -> SecretKey {
        SecretKey { channel: "c".into(), account: Some("1".into()), slot: slot.into() }
    }

    #[test]
    fn a_sealed_credential_opens_only_with_its_key_and_for_its_slot() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        let vault = Vault::open(&VaultKey::File(path.clone())).unwrap();
        let sealed = vault.seal(&key("a"), &Secret::new(b"token".to_vec())).unwrap();
        assert!(!sealed.windows(5).any(|window| window == b"token"));
        let again = Vault::open(&VaultKey::File(path)).unwrap();
        assert_eq!(again.unseal(&key("a"), &sealed).unwrap().expose(), b"token");
        assert!(again.unseal(&key("b"), &sealed).is_err());
        let other = Vault::open(&VaultKey::File(folder.path().join("other"))).unwrap();
        assert!(other.unseal(&key("a"), &sealed).is_err());
        assert!(vault.unseal(&key("a"), sealed.get(..10).unwrap()).is_err());
    }

    #[cfg(unix)]
    #[test]
    fn a_key_that_others_can_read_is_refused() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        Vault::open(&VaultKey::File(path.clone())).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        let error = Vault::open(&VaultKey::File(path)).err().unwrap().to_string();
        assert!(error.contains("chmod 600"), "{error}");
    }

    #[test]
    fn a_key_may_come_from_a_command_and_what_is_no_key_is_named() {
        let words = |text: &str| VaultKey::Command(vec!["echo".into(), text.into()]);
        assert!(Vault::open(&words(&"a1".repeat(32))).is_ok());
        assert!(matches!(Vault::open(&words("short")), Err(VaultError::NoKey(_))));
        assert!(matches!(Vault::open(&VaultKey::Env("NO_SUCH_KEY_HERE".into())), Err(VaultError::NotSet(_))));
    }
}
