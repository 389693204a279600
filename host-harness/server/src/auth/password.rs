//! Owns: hashing and verifying passwords with argon2id, off the async threads and a few at a time; which passwords are
//! accepted.
//! Does not own: how often somebody may try (`attempts`), storing hashes.

use std::sync::Arc;

use argon2::{
    Argon2,
    password_hash::{PasswordHasher as _, PasswordVerifier as _, phc::PasswordHash},
};
use harness_engine::{Secret, VaultError, random};
use tokio::sync::Semaphore;

/// Passwords hashed at the same time. Each takes 19 MiB.
const AT_ONCE: usize = 2;
/// Requests that wait for their turn. More are told to come back.
const WAITING: usize = 32;
/// The shortest password, in characters.
pub(crate) const SHORTEST: usize = 10;
/// The longest password, in bytes.
pub(crate) const LONGEST: usize = 256;
/// What a password is compared with where there is no such person, so that the answer takes the same time. No password
/// has this hash: it is no output of the function.
const NOBODY: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// Why a password was not hashed or compared.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PasswordError {
    #[error(
        "choose a password of at least {SHORTEST} characters: several words that do not belong together are a good one"
    )]
    TooShort,
    #[error("choose a password of at most {LONGEST} bytes")]
    TooLong,
    #[error("choose a password that is not your e-mail address or name, and not one character again and again")]
    TooEasy,
    #[error("too many people are signing in at this moment; try again in a few seconds")]
    Busy,
    #[error(transparent)]
    Random(#[from] VaultError),
    #[error("the password could not be hashed: {0}")]
    Hash(#[from] argon2::password_hash::Error),
    #[error("hashing a password was interrupted")]
    Interrupted,
}

/// Hashes passwords. Cloning shares the limits.
#[derive(Clone, Debug)]
pub(crate) struct Passwords {
    turns: Arc<Semaphore>,
    places: Arc<Semaphore>,
}

impl Default for Passwords {
    fn default() -> Self {
        Self { turns: Arc::new(Semaphore::new(AT_ONCE)), places: Arc::new(Semaphore::new(AT_ONCE + WAITING)) }
    }
}

impl Passwords {
    /// The hash of a password that somebody chose, in PHC's format. `names` are what it must not be.
    pub(crate) async fn hash(&self, password: Secret, names: [&str; 2]) -> Result<String, PasswordError> {
        check(&password, names)?;
        let salt = random::<16>()?;
        self.in_turn(move || {
            let hash: PasswordHash = Argon2::default().hash_password_with_salt(password.expose(), &salt)?;
            Ok(hash.to_string())
        })
        .await
    }

    /// Whether a password has this hash. Without a hash it never has, and the answer takes as long.
    pub(crate) async fn verify(&self, password: Secret, hash: Option<String>) -> Result<bool, PasswordError> {
        // Longer ones are never accepted, so they need not be hashed, whoever's they are.
        if password.expose().len() > LONGEST {
            return Ok(false);
        }
        self.in_turn(move || {
            let hash = hash.as_deref().unwrap_or(NOBODY);
            let hash = PasswordHash::new(hash)
                .or_else(|_| PasswordHash::new(NOBODY))
                .map_err(argon2::password_hash::Error::from)?;
            Ok(Argon2::default().verify_password(password.expose(), &hash).is_ok())
        })
        .await
    }

    async fn in_turn<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, PasswordError> + Send + 'static,
    ) -> Result<T, PasswordError> {
        let place = Arc::clone(&self.places).try_acquire_owned().map_err(|_| PasswordError::Busy)?;
        let turn = Arc::clone(&self.turns).acquire_owned().await.map_err(|_| PasswordError::Interrupted)?;
        // The permits go with the work: a client that goes away does not make room while its password is hashed.
        let work = move || {
            let _held = (place, turn);
            work()
        };
        tokio::task::spawn_blocking(work).await.map_err(|_| PasswordError::Interrupted)?
    }
}

fn check(password: &Secret, names: [&str; 2]) -> Result<(), PasswordError> {
    let text = String::from_utf8_lossy(password.expose());
    if text.chars().count() < SHORTEST {
        return Err(PasswordError::TooShort);
    }
    if password.expose().len() > LONGEST {
        return Err(PasswordError::TooLong);
    }
    let mut letters = text.chars();
    let first = letters.next();
    let plain = text.trim().to_lowercase();
    if letters.all(|letter| Some(letter) == first) || names.iter().any(|name| name.trim().to_lowercase() == plain) {
        return Err(PasswordError::TooEasy);
    }
    Ok(())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    fn secret(text: &str) -> Secret {
        Secret::new(text.as_bytes().to_vec())
    }

    #[tokio::test]
    async fn a_password_has_its_own_hash_and_nobody_has_one() {
        let passwords = Passwords::default();
        let hash = passwords.hash(secret("correct horse battery"), ["", ""]).await.unwrap();
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
        assert_ne!(hash, passwords.hash(secret("correct horse battery"), ["", ""]).await.unwrap(), "a salt of its own");
        assert!(passwords.verify(secret("correct horse battery"), Some(hash.clone())).await.unwrap());
        assert!(!passwords.verify(secret("correct horse batterz"), Some(hash)).await.unwrap());
        for nobody in [None, Some(String::new()), Some("!".into())] {
            assert!(!passwords.verify(secret("correct horse battery"), nobody).await.unwrap());
        }
        // It costs what any other does.
        assert_eq!(
            PasswordHash::new(NOBODY).unwrap().params,
            PasswordHash::new(&passwords.hash(secret("another one of these"), ["", ""]).await.unwrap()).unwrap().params
        );
    }

    #[tokio::test]
    async fn a_password_that_anybody_would_guess_is_not_accepted() {
        let passwords = Passwords::default();
        for (text, sentence) in [
            ("short", "at least 10"),
            ("пароль-12", "at least 10"),
            ("aaaaaaaaaaaaaa", "not your"),
            ("Kim@Shop.example", "not your"),
            (&"x1".repeat(200), "at most 256"),
        ] {
            let error = passwords.hash(secret(text), ["kim@shop.example", "Kim"]).await.unwrap_err().to_string();
            assert!(error.contains(sentence), "{text}: {error}");
        }
    }

    #[tokio::test]
    async fn who_comes_when_too_many_wait_is_told_to_come_back() {
        let passwords = Passwords::default();
        let held = passwords.turns.acquire_many(u32::try_from(AT_ONCE).unwrap()).await.unwrap();
        let waiting: Vec<_> = (0..AT_ONCE + WAITING)
            .map(|_| {
                let passwords = passwords.clone();
                tokio::spawn(async move { passwords.verify(secret("a long enough one"), None).await })
            })
            .collect();
        while passwords.places.available_permits() > 0 {
            tokio::task::yield_now().await;
        }
        assert!(matches!(passwords.verify(secret("one more of them"), None).await, Err(PasswordError::Busy)));
        drop(held);
        for one in waiting {
            assert!(!one.await.unwrap().unwrap());
        }
        assert!(!passwords.verify(secret("one more of them"), None).await.unwrap());
    }
}
