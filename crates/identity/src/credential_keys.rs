//! The ring of keys that credentials are sealed with: the first seals, all of them open.
//!
//! **Promises.** Every sealed value has the number of its key beside it. A new key goes to the front; the ones behind it open
//! what was sealed before, until that is sealed anew. Key 0 is derived from the master key, is always there and is the only one
//! without a file: it seals only as long as there is no other.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use zeroize::Zeroizing;

use crate::master::MasterKey;
use crate::random::{NoRandomness, Random};
use crate::seal::{Binding, SealError, Sealer};

/// The number of the key that is derived from the master key.
pub const DERIVED_KEY: i32 = 0;

/// The keys. Prints their numbers alone.
pub struct CredentialKeys(Vec<(i32, Sealer)>);

impl fmt::Debug for CredentialKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.numbers()).finish()
    }
}

/// Why the text of a ring cannot be read. The text is not repeated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidRing {
    /// A line that is no key.
    #[error(
        "line {0}: a number of at least 1, a space, and 32 bytes in base64 are needed, as in `1 $(head -c 32 /dev/urandom | base64)`"
    )]
    Line(usize),
    /// A number that is there twice.
    #[error("line {0}: this number is there twice")]
    Twice(usize),
}

/// Why a value does not open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// Its key is not in the ring.
    #[error("it was sealed with key {0}, which is not in the file of credential keys: put its line back")]
    NoKey(i32),
    /// It is not what was sealed, or not where.
    #[error(transparent)]
    Seal(#[from] SealError),
}

impl CredentialKeys {
    /// The key of the master key alone.
    pub fn derived(master: &MasterKey) -> Self {
        Self(vec![(DERIVED_KEY, master.credential_sealer())])
    }

    /// The keys of a file's text, one a line, `number base64`, with that of the master key behind them. Empty lines and
    /// lines that begin with `#` are passed over.
    ///
    /// # Errors
    /// [`InvalidRing`] names the line.
    pub fn read(master: &MasterKey, text: &str) -> Result<Self, InvalidRing> {
        let mut keys: Vec<(i32, Sealer)> = Vec::new();
        for (line, text) in text.lines().enumerate() {
            let (line, text) = (line + 1, text.trim());
            if text.is_empty() || text.starts_with('#') {
                continue;
            }
            let (number, key) = parsed(text).ok_or(InvalidRing::Line(line))?;
            if keys.iter().any(|(known, _)| *known == number) {
                return Err(InvalidRing::Twice(line));
            }
            keys.push((number, Sealer::new(&key)));
        }
        keys.push((DERIVED_KEY, master.credential_sealer()));
        Ok(Self(keys))
    }

    /// A new key as a line of the file, with a number that none of these has.
    ///
    /// # Errors
    /// [`NoRandomness`].
    pub fn new_line(&self, random: &Random) -> Result<Zeroizing<String>, NoRandomness> {
        let key = Zeroizing::new(random.bytes::<32>()?);
        let number = self.numbers().max().unwrap_or(DERIVED_KEY) + 1;
        let text = Zeroizing::new(STANDARD_NO_PAD.encode(&key[..]));
        Ok(Zeroizing::new(format!("{number} {}\n", &*text)))
    }

    /// Their numbers, the one that seals first.
    pub fn numbers(&self) -> impl Iterator<Item = i32> {
        self.0.iter().map(|(number, _)| *number)
    }

    /// The number of the key that seals.
    pub fn first(&self) -> i32 {
        self.numbers().next().unwrap_or(DERIVED_KEY)
    }

    /// Seals with the first key; its number, and the sealed value.
    ///
    /// # Errors
    /// [`SealError::Seal`].
    pub fn seal(&self, binding: Binding<'_>, plain: &[u8]) -> Result<(i32, Vec<u8>), SealError> {
        let (number, sealer) = self.0.first().ok_or(SealError::Seal)?;
        Ok((*number, sealer.seal(binding, plain)?))
    }

    /// Opens with the key of this number.
    ///
    /// # Errors
    /// [`OpenError`].
    pub fn open(
        &self,
        number: i32,
        binding: Binding<'_>,
        sealed: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, OpenError> {
        let found = self.0.iter().find(|(known, _)| *known == number);
        let (_, sealer) = found.ok_or(OpenError::NoKey(number))?;
        Ok(sealer.open(binding, sealed)?)
    }
}

fn parsed(line: &str) -> Option<(i32, Zeroizing<[u8; 32]>)> {
    let (number, key) = line.split_once(char::is_whitespace)?;
    let number: i32 = number.parse().ok().filter(|number| *number > DERIVED_KEY)?;
    let bytes = STANDARD_NO_PAD.decode(key.trim().trim_end_matches('=')).ok()?;
    let bytes = Zeroizing::new(bytes);
    let key: [u8; 32] = bytes.as_slice().try_into().ok()?;
    Some((number, Zeroizing::new(key)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const BINDING: Binding<'_> = Binding {
        account: "1",
        kind: "credential_assets.sealed",
        row: "a",
    };
    const ONE: &str = "1 AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE";
    const TWO: &str = "2 AgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgI=";

    fn ring(text: &str) -> CredentialKeys {
        CredentialKeys::read(&MasterKey::from_bytes(&[9; 32]).unwrap(), text).unwrap()
    }

    #[test]
    fn the_first_seals_and_all_open() {
        let before = ring("");
        let derived = before.seal(BINDING, b"a").unwrap();
        let one = ring(ONE).seal(BINDING, b"b").unwrap();
        let both = ring(&format!("# the new one\n{TWO}\n\n{ONE}\n"));
        let two = both.seal(BINDING, b"c").unwrap();
        assert_eq!((derived.0, one.0, two.0), (0, 1, 2));
        for ((number, sealed), plain) in [(&derived, b"a"), (&one, b"b"), (&two, b"c")] {
            assert_eq!(*both.open(*number, BINDING, sealed).unwrap(), plain);
        }
        assert_eq!(ring(ONE).open(two.0, BINDING, &two.1), Err(OpenError::NoKey(2)));
        // A number alone opens nothing: what was sealed with another key of that number stays closed.
        assert_eq!(
            both.open(1, BINDING, &two.1),
            Err(OpenError::Seal(SealError::Open))
        );
    }

    #[test]
    fn a_value_in_another_row_or_account_does_not_open_a_thousand_times() {
        let ring = ring(ONE);
        let rows: Vec<String> = (0..1000).map(|row| format!("row-{row}")).collect();
        let sealed: Vec<_> = rows
            .iter()
            .map(|row| ring.seal(Binding { row, ..BINDING }, b"canary").unwrap())
            .collect();
        for (place, (number, value)) in sealed.iter().enumerate() {
            let (own, other) = (&rows[place], &rows[(place + 1) % 1000]);
            assert!(ring.open(*number, Binding { row: own, ..BINDING }, value).is_ok());
            assert!(
                ring.open(
                    *number,
                    Binding {
                        row: other,
                        ..BINDING
                    },
                    value
                )
                .is_err()
            );
            let elsewhere = Binding {
                account: "2",
                row: own,
                ..BINDING
            };
            assert!(ring.open(*number, elsewhere, value).is_err());
        }
    }

    #[test]
    fn a_bad_file_is_named_by_its_line_and_not_repeated() {
        let master = MasterKey::from_bytes(&[9; 32]).unwrap();
        let read = |text: &str| CredentialKeys::read(&master, text).unwrap_err();
        assert_eq!(read("canary"), InvalidRing::Line(1));
        assert_eq!(read(&format!("{ONE}\n0{}", &ONE[1..])), InvalidRing::Line(2));
        assert_eq!(read(&format!("{ONE}\n{ONE}")), InvalidRing::Twice(2));
        assert_eq!(read("3 BwcH"), InvalidRing::Line(1));
        assert!(!read("1 canary").to_string().contains("canary"));
        let line = ring(TWO).new_line(&Random::system()).unwrap();
        assert!(line.starts_with("3 "));
        assert_eq!(ring(&line).first(), 3);
        assert_eq!(format!("{:?}", ring(TWO)), "[2, 0]");
    }
}
