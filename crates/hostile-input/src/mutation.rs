//! Mutations of inputs: the same for the same number, on every machine.

use crate::script;

/// The longest input, in bytes.
const LONGEST: usize = 8 * 1024;

/// A sequence of numbers (SplitMix64).
#[derive(Debug, Clone)]
pub struct Numbers(u64);

impl Numbers {
    /// The sequence of this number.
    pub const fn new(seed: u64) -> Self {
        Self(seed)
    }

    const fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut it = self.0;
        it = (it ^ (it >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        it = (it ^ (it >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        it ^ (it >> 31)
    }

    /// One below `bound`; 0 when that is 0.
    pub fn below(&mut self, bound: usize) -> usize {
        let bound = u64::try_from(bound).unwrap_or(u64::MAX).max(1);
        usize::try_from(self.next() % bound).unwrap_or_default()
    }

    fn byte(&mut self) -> u8 {
        self.next().to_le_bytes()[0]
    }

    fn one<'a, T>(&mut self, list: &'a [T]) -> Option<&'a T> {
        list.get(self.below(list.len()))
    }

    /// One of `inputs`, changed in one to four places: bytes, ranges that go, come twice or change places, words of `words`, and
    /// pieces of other inputs.
    pub fn mutated(&mut self, inputs: &[Vec<u8>], words: &[&str]) -> Vec<u8> {
        let mut input = self.one(inputs).cloned().unwrap_or_default();
        for _ in 0..=self.below(4) {
            let range = self.range(input.len());
            let at = self.below(input.len() + 1);
            match self.below(8) {
                0 => {
                    let byte = self.byte();
                    if let Some(old) = input.get_mut(at) {
                        *old = byte;
                    }
                }
                1 => {
                    let bit = 1 << self.below(8);
                    if let Some(old) = input.get_mut(at) {
                        *old ^= bit;
                    }
                }
                2 => input.insert(at, self.byte()),
                3 => drop(input.drain(range)),
                4 => {
                    let copy: Vec<u8> = input.drain(range).collect();
                    let at = self.below(input.len() + 1);
                    drop(input.splice(at..at, copy));
                }
                5 => {
                    let copy: Vec<u8> = input.get(range).unwrap_or_default().to_vec();
                    drop(input.splice(at..at, copy));
                }
                6 => {
                    let word = self.one(words).copied().unwrap_or_default();
                    drop(input.splice(at..at, script::input(word)));
                }
                _ => {
                    let other = self.one(inputs).cloned().unwrap_or_default();
                    let part = self.range(other.len());
                    let part = other.get(part).unwrap_or_default().to_vec();
                    drop(input.splice(range, part));
                }
            }
            input.truncate(LONGEST);
        }
        input
    }

    /// A short range more often than a long one.
    fn range(&mut self, length: usize) -> std::ops::Range<usize> {
        let from = self.below(length + 1);
        let longest = if self.below(2) == 0 { 4 } else { length };
        let count = self.below(longest.min(length - from) + 1);
        from..from + count
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_gives_the_same_mutations_and_another_gives_others() {
        let inputs = [b"{\"a\":1}".to_vec(), b"[]".to_vec(), Vec::new()];
        let all = |seed| {
            let mut numbers = Numbers::new(seed);
            (0..200)
                .map(|_| numbers.mutated(&inputs, &["null"]))
                .collect::<Vec<_>>()
        };
        assert_eq!(all(1), all(1));
        assert_ne!(all(1), all(2));
        let mut unlike = all(1);
        unlike.sort();
        unlike.dedup();
        assert!(unlike.len() > 100, "{}", unlike.len());
    }
}
