//! argon2id, at most a few at a time.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use argon2::password_hash::PasswordHasher;
use argon2::{Algorithm, Argon2, Block, Params, Version};
use aws_lc_rs::constant_time;
use reeve_types::Secret;
use tokio::sync::Semaphore;

use super::limiter::{AT_ONCE, LoginAttempt, LoginLimiter, Slot};
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

/// Hashes and checks passwords. One for the whole process; cheap to clone.
#[derive(Clone, Debug)]
pub struct Passwords(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    random: Random,
    computing: Arc<Semaphore>,
    places: Arc<LoginLimiter>,
    nobody: PasswordHash,
    /// What checks work in. Kept: given back to the allocator it would stay with each thread that ever computed one.
    memory: Mutex<Vec<Vec<Block>>>,
}

impl Inner {
    fn memory(&self) -> MutexGuard<'_, Vec<Vec<Block>>> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn compare(&self, password: &[u8], kept: &PasswordHash) -> Result<bool, PasswordError> {
        let mut memory = self.memory().pop().unwrap_or_default();
        let equal = compare(password, kept, &mut memory);
        self.memory().push(memory);
        equal
    }
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
            places: Arc::default(),
            nobody,
            // From the start: what is in use does not grow under a flood.
            memory: Mutex::new(vec![vec![Block::new(); MEMORY as usize]; AT_ONCE]),
        })))
    }

    /// The hash to keep of a password.
    ///
    /// # Errors
    /// [`PasswordError`].
    pub async fn hash(&self, password: &Secret) -> Result<PasswordHash, PasswordError> {
        let salt: [u8; 16] = self.0.random.bytes().map_err(PasswordError::Random)?;
        let password = password.clone();
        self.compute(self.0.places.take_unnamed(), move || {
            compute(password.expose().as_bytes(), &salt)
        })
        .await
    }

    /// Whether this is the password; without a kept hash the answer is no, after the same work. Who finds a place in the
    /// queue is said at [`LoginAttempt`]; who has one waits for what came before, some 80 hashes at most.
    ///
    /// # Errors
    /// [`PasswordError`].
    pub async fn verify(
        &self,
        asking: &LoginAttempt<'_>,
        password: &Secret,
        kept: Option<&PasswordHash>,
    ) -> Result<bool, PasswordError> {
        let known = kept.is_some();
        let (password, kept) = (password.clone(), kept.unwrap_or(&self.0.nobody).clone());
        let inner = Arc::clone(&self.0);
        let equal = self
            .compute(self.0.places.take(asking), move || {
                inner.compare(password.expose().as_bytes(), &kept)
            })
            .await?;
        Ok(equal && known)
    }

    async fn compute<T: Send + 'static>(
        &self,
        place: Option<Slot>,
        work: impl FnOnce() -> Result<T, PasswordError> + Send + 'static,
    ) -> Result<T, PasswordError> {
        let place = place.ok_or(PasswordError::Busy)?;
        let permit = Arc::clone(&self.0.computing)
            .acquire_owned()
            .await
            .map_err(|_| PasswordError::Busy)?;
        // Both go with the work: a caller who hangs up does not make room for another hash before this one is done.
        let work = move || {
            let _held = (place, permit);
            work()
        };
        tokio::task::spawn_blocking(work)
            .await
            .map_err(|_| PasswordError::Hash)?
    }
}

/// In KiB, and so in blocks.
const MEMORY: u32 = 19 * 1024;

/// 19 MiB, two passes, one lane: the first choice of OWASP's password storage cheat sheet.
fn argon2() -> Result<Argon2<'static>, PasswordError> {
    let params = Params::new(MEMORY, 2, 1, None).map_err(|_| PasswordError::Hash)?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

fn compute(password: &[u8], salt: &[u8; 16]) -> Result<PasswordHash, PasswordError> {
    let hash = argon2()?
        .hash_password_with_salt(password, salt)
        .map_err(|_| PasswordError::Hash)?;
    Ok(PasswordHash(hash.to_string()))
}

fn compare(password: &[u8], kept: &PasswordHash, memory: &mut Vec<Block>) -> Result<bool, PasswordError> {
    let failed = |_| PasswordError::Hash;
    let parsed = argon2::password_hash::phc::PasswordHash::new(&kept.0).map_err(|_| PasswordError::Hash)?;
    let algorithm = Algorithm::try_from(parsed.algorithm.as_str()).map_err(|_| PasswordError::Hash)?;
    let version = parsed.version.ok_or(PasswordError::Hash)?;
    let version = Version::try_from(version).map_err(failed)?;
    let params = Params::try_from(&parsed).map_err(|_| PasswordError::Hash)?;
    let (Some(salt), Some(hash)) = (&parsed.salt, &parsed.hash) else {
        return Err(PasswordError::Hash);
    };
    memory.resize(params.block_count().max(memory.len()), Block::new());
    let mut given = vec![0; hash.as_bytes().len()];
    Argon2::new(algorithm, version, params)
        .hash_password_into_with_memory(password, salt.as_ref(), &mut given, memory)
        .map_err(failed)?;
    Ok(constant_time::verify_slices_are_equal(&given, hash.as_bytes()).is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn asking(name: &str) -> LoginAttempt<'_> {
        LoginAttempt {
            name,
            from: None,
            break_glass: false,
        }
    }

    /// AUTH-08. What is kept says how it was made; a long password counts to its end.
    #[tokio::test]
    async fn a_stored_password_is_argon2id_with_the_parameters_of_the_standard() {
        let passwords = Passwords::new(Random::seeded(1)).unwrap();
        let long = |end: &str| Secret::new(format!("Aa1!{}{end}", "\u{fc}".repeat(62)));
        super::super::check_password(&long("a")).unwrap();
        let kept = passwords.hash(&long("a")).await.unwrap();
        assert!(
            kept.as_text().starts_with("$argon2id$v=19$m=19456,t=2,p=1$"),
            "{}",
            kept.as_text()
        );
        let again = passwords.hash(&long("a")).await.unwrap();
        assert_ne!(kept.as_text(), again.as_text(), "each has a salt of its own");
        assert!(
            passwords
                .verify(&asking("a"), &long("a"), Some(&kept))
                .await
                .unwrap()
        );
        assert!(
            !passwords
                .verify(&asking("a"), &long("b"), Some(&kept))
                .await
                .unwrap()
        );
    }

    async fn guess(passwords: &Passwords, name: &str) -> Result<bool, PasswordError> {
        passwords.verify(&asking(name), &Secret::new("x"), None).await
    }

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
        let verify = async |password, kept| passwords.verify(&asking("a"), password, kept).await;
        assert!(verify(&right, Some(&kept)).await.unwrap());
        assert!(!verify(&wrong, Some(&kept)).await.unwrap());
        assert!(!verify(&right, None).await.unwrap());
        assert!(
            verify(&right, Some(&PasswordHash::from_text("plain")))
                .await
                .is_err()
        );
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_flood_of_names_is_turned_away_at_the_end_of_the_line() {
        let passwords = Passwords::new(Random::seeded(1)).unwrap();
        let flood: Vec<_> = (0..200)
            .map(|n| {
                let passwords = passwords.clone();
                tokio::spawn(async move { guess(&passwords, &format!("u{n}")).await })
            })
            .collect();
        let mut busy = 0;
        for answer in flood {
            busy += usize::from(matches!(answer.await.unwrap(), Err(PasswordError::Busy)));
        }
        assert!(busy >= 50, "{busy} of 200 were turned away");
        assert!(!guess(&passwords, "late").await.unwrap());
    }
}
