//! Where randomness comes from.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use aws_lc_rs::digest;
use aws_lc_rs::rand::{SecureRandom, SystemRandom};

/// The machine gave no random bytes. Nothing secret can be made then.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the machine gives no random bytes")]
pub struct NoRandomness;

/// A source of random bytes. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Random(Source);

#[derive(Clone, Debug)]
enum Source {
    System(SystemRandom),
    Seeded(u64, Arc<AtomicU64>),
}

impl Random {
    /// The machine's generator, by way of the crypto library. Made once, in `main`.
    pub fn system() -> Self {
        Self(Source::System(SystemRandom::new()))
    }

    /// For tests: the same bytes for the same seed.
    pub fn seeded(seed: u64) -> Self {
        Self(Source::Seeded(seed, Arc::default()))
    }

    /// Fills `bytes`.
    ///
    /// # Errors
    /// [`NoRandomness`].
    pub fn fill(&self, bytes: &mut [u8]) -> Result<(), NoRandomness> {
        match &self.0 {
            Source::System(random) => random.fill(bytes).map_err(|_| NoRandomness),
            Source::Seeded(seed, drawn) => {
                for chunk in bytes.chunks_mut(32) {
                    let count = drawn.fetch_add(1, Ordering::SeqCst);
                    let mut input = seed.to_be_bytes().to_vec();
                    input.extend(count.to_be_bytes());
                    for (to, from) in chunk
                        .iter_mut()
                        .zip(digest::digest(&digest::SHA256, &input).as_ref())
                    {
                        *to = *from;
                    }
                }
                Ok(())
            }
        }
    }

    /// `N` random bytes.
    ///
    /// # Errors
    /// [`NoRandomness`].
    pub fn bytes<const N: usize>(&self) -> Result<[u8; N], NoRandomness> {
        let mut bytes = [0; N];
        self.fill(&mut bytes)?;
        Ok(bytes)
    }

    /// A number below `bound` (1…256), each with the same probability.
    ///
    /// # Errors
    /// [`NoRandomness`].
    pub(crate) fn below(&self, bound: usize) -> Result<usize, NoRandomness> {
        let bound = bound.clamp(1, 256);
        // Bytes above the last whole multiple of the bound would favour small numbers.
        let usable = 256 - 256 % bound;
        loop {
            let [byte] = self.bytes::<1>()?;
            if usize::from(byte) < usable {
                return Ok(usize::from(byte) % bound);
            }
        }
    }

    /// A version 4 UUID (RFC 9562).
    ///
    /// # Errors
    /// [`NoRandomness`].
    pub fn uuid(&self) -> Result<uuid::Uuid, NoRandomness> {
        Ok(uuid::Builder::from_random_bytes(self.bytes()?).into_uuid())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_repeats_itself_and_the_machine_does_not() {
        let twice = |make: fn() -> Random| (make().bytes::<48>().unwrap(), make().bytes::<48>().unwrap());
        let (a, b) = twice(|| Random::seeded(7));
        assert_eq!(a, b);
        let (a, b) = twice(Random::system);
        assert_ne!(a, b);
    }

    #[test]
    fn every_number_below_the_bound_is_drawn() {
        let random = Random::seeded(1);
        let mut seen = [0u32; 70];
        for _ in 0..7_000 {
            seen[random.below(70).unwrap()] += 1;
        }
        assert!(seen.iter().all(|count| (40..200).contains(count)), "{seen:?}");
    }
}
