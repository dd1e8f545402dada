//! argon2id, at most a few at a time.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use argon2::{Algorithm, Argon2, Params, Version};
use reeve_types::Secret;
use tokio::sync::Semaphore;

use crate::random::{NoRandomness, Random};

/// Why a password was neither accepted nor refused.
#[derive(Debug, thiserror::Error)]
pub enum PasswordError {
    /// Too many are waiting: 503, try again.
    #[error("too many sign-ins at once: try again in a moment")]
    Busy,
    /// A hash could not be computed, or the kept one cannot be read.
    #[error("a password hash could not be computed")]
    Hash,
    /// No salt.
    #[error(transparent)]
    Random(NoRandomness),
}

/// What a store keeps of a password: a PHC string.
#[derive(Clone, PartialEq, Eq)]
pub struct PasswordHash(String);

impl PasswordHash {
    /// As kept.
    pub fn from_text(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// To keep.
    pub fn as_text(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("[hash]")
    }
}

/// How many hashes are computed at once.
const AT_ONCE: usize = 2;
/// How many more may wait, in all.
const WAITING: usize = 64;
/// How many may wait or be computed for one user name: guessing one account's password leaves room for the others.
const PER_NAME: usize = 4;

/// Hashes and checks passwords. One for the whole process; cheap to clone.
#[derive(Clone, Debug)]
pub struct Passwords(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    random: Random,
    computing: Arc<Semaphore>,
    places: Arc<Semaphore>,
    names: Mutex<HashMap<String, usize>>,
    nobody: PasswordHash,
}

impl Passwords {
    /// Computes one hash, against which unknown users are compared: some 20 ms of work.
    ///
    /// # Errors
    /// [`PasswordError::Hash`] and [`PasswordError::Random`].
    pub fn new(random: Random) -> Result<Self, PasswordError> {
        let nobody = compute(b"nobody's", &random.bytes().map_err(PasswordError::Random)?)?;
        Ok(Self(Arc::new(Inner {
            random,
            computing: Arc::new(Semaphore::new(AT_ONCE)),
            places: Arc::new(Semaphore::new(AT_ONCE + WAITING)),
            names: Mutex::default(),
            nobody,
        })))
    }

    /// The hash to keep of a password.
    ///
    /// # Errors
    /// [`PasswordError`].
    pub async fn hash(&self, password: &Secret) -> Result<PasswordHash, PasswordError> {
        let salt: [u8; 16] = self.0.random.bytes().map_err(PasswordError::Random)?;
        let password = password.clone();
        self.compute("", move || compute(password.expose().as_bytes(), &salt))
            .await
    }

    /// Whether this is the password. `name` is the user name as given, by which the queue counts; without a kept hash the
    /// answer is no, after the same work.
    ///
    /// # Errors
    /// [`PasswordError`].
    pub async fn verify(
        &self,
        name: &str,
        password: &Secret,
        kept: Option<&PasswordHash>,
    ) -> Result<bool, PasswordError> {
        let known = kept.is_some();
        let (password, kept) = (password.clone(), kept.unwrap_or(&self.0.nobody).clone());
        let equal = self
            .compute(name, move || compare(password.expose().as_bytes(), &kept))
            .await?;
        Ok(equal && known)
    }

    async fn compute<T: Send + 'static>(
        &self,
        name: &str,
        work: impl FnOnce() -> Result<T, PasswordError> + Send + 'static,
    ) -> Result<T, PasswordError> {
        let place = Arc::clone(&self.0.places)
            .try_acquire_owned()
            .map_err(|_| PasswordError::Busy)?;
        let turn = Turn::take(&self.0, name)?;
        let permit = Arc::clone(&self.0.computing)
            .acquire_owned()
            .await
            .map_err(|_| PasswordError::Busy)?;
        // All three go with the work: a caller who hangs up does not make room for another hash before this one is done.
        let work = move || {
            let _held = (place, turn, permit);
            work()
        };
        tokio::task::spawn_blocking(work)
            .await
            .map_err(|_| PasswordError::Hash)?
    }
}

/// One name's turn; given back when dropped.
struct Turn(Arc<Inner>, String);

impl Turn {
    fn take(inner: &Arc<Inner>, name: &str) -> Result<Self, PasswordError> {
        let mut names = inner.names.lock().unwrap_or_else(PoisonError::into_inner);
        // However it is spelled, it is the same account.
        let name = name.to_lowercase();
        let held = names.entry(name.clone()).or_default();
        // Hashing new passwords is an administrator's doing and has no name.
        if *held >= PER_NAME && !name.is_empty() {
            return Err(PasswordError::Busy);
        }
        *held += 1;
        Ok(Self(Arc::clone(inner), name))
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        let mut names = self.0.names.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(held) = names.get_mut(&self.1) {
            *held = held.saturating_sub(1);
            if *held == 0 {
                names.remove(&self.1);
            }
        }
    }
}

/// 19 MiB, two passes, one lane: the first choice of OWASP's password storage cheat sheet.
fn argon2() -> Result<Argon2<'static>, PasswordError> {
    let params = Params::new(19 * 1024, 2, 1, None).map_err(|_| PasswordError::Hash)?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

fn compute(password: &[u8], salt: &[u8; 16]) -> Result<PasswordHash, PasswordError> {
    let hash = argon2()?
        .hash_password_with_salt(password, salt)
        .map_err(|_| PasswordError::Hash)?;
    Ok(PasswordHash(hash.to_string()))
}

fn compare(password: &[u8], kept: &PasswordHash) -> Result<bool, PasswordError> {
    let parsed = argon2::password_hash::phc::PasswordHash::new(&kept.0).map_err(|_| PasswordError::Hash)?;
    match argon2()?.verify_password(password, &parsed) {
        Ok(()) => Ok(true),
        Err(argon2::password_hash::Error::PasswordInvalid) => Ok(false),
        Err(_) => Err(PasswordError::Hash),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn only_the_password_itself_passes() {
        let passwords = Passwords::new(Random::seeded(1)).unwrap();
        let (right, wrong) = (Secret::new("aA1!aA1!"), Secret::new("aA1!aA1?"));
        let kept = passwords.hash(&right).await.unwrap();
        assert!(
            kept.as_text().starts_with("$argon2id$v=19$m=19456,t=2,p=1$"),
            "{}",
            kept.as_text()
        );
        assert_ne!(kept, passwords.hash(&right).await.unwrap());
        assert!(passwords.verify("a", &right, Some(&kept)).await.unwrap());
        assert!(!passwords.verify("a", &wrong, Some(&kept)).await.unwrap());
        assert!(!passwords.verify("a", &right, None).await.unwrap());
        assert!(
            passwords
                .verify("a", &right, Some(&PasswordHash::from_text("plain")))
                .await
                .is_err()
        );
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn guessing_one_name_fills_that_names_places_only() {
        let passwords = Passwords::new(Random::seeded(1)).unwrap();
        let guess = |name: &'static str| {
            let passwords = passwords.clone();
            tokio::spawn(async move { passwords.verify(name, &Secret::new("x"), None).await })
        };
        let flood: Vec<_> = (0..40).map(|_| guess("alice")).collect();
        let mut busy = 0;
        for answer in flood {
            busy += usize::from(matches!(answer.await.unwrap(), Err(PasswordError::Busy)));
        }
        assert!(busy >= 20, "{busy} of 40 were turned away");
        assert!(!guess("bob").await.unwrap().unwrap());
        assert!(passwords.0.names.lock().unwrap().is_empty());
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_flood_of_names_is_turned_away_at_the_end_of_the_line() {
        let passwords = Passwords::new(Random::seeded(1)).unwrap();
        let flood: Vec<_> = (0..200)
            .map(|n| {
                let passwords = passwords.clone();
                tokio::spawn(async move { passwords.verify(&format!("u{n}"), &Secret::new("x"), None).await })
            })
            .collect();
        let mut busy = 0;
        for answer in flood {
            busy += usize::from(matches!(answer.await.unwrap(), Err(PasswordError::Busy)));
        }
        assert!(busy >= 50, "{busy} of 200 were turned away");
        assert!(!passwords.verify("late", &Secret::new("x"), None).await.unwrap());
    }
}
