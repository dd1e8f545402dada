//! Secrets at rest: AES-256-GCM, bound to the row they belong to.

use aws_lc_rs::aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};
use zeroize::Zeroizing;

/// Where a sealed value lives. A value moved to another row, column or account does not open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Binding<'a> {
    /// The account.
    pub account: &'a str,
    /// What kind of value: table and column.
    pub kind: &'a str,
    /// The row's id.
    pub row: &'a str,
}

impl Binding<'_> {
    /// Each part with its length before it, so that no two bindings have the same bytes.
    fn bytes(&self) -> Vec<u8> {
        let parts = [self.account, self.kind, self.row];
        parts
            .iter()
            .flat_map(|part| (part.len() as u64).to_be_bytes().into_iter().chain(part.bytes()))
            .collect()
    }
}

/// Why a value could not be sealed or opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// The crypto library refused.
    #[error("a secret could not be sealed")]
    Seal,
    /// Not in a form this version writes.
    #[error("a sealed value has an unknown form")]
    Form,
    /// Changed, moved to another row, or sealed with another master key.
    #[error("a sealed value does not open: it was changed or moved, or the master key is another one")]
    Open,
}

const VERSION: u8 = 1;

/// Seals and opens values with a key derived from the master key.
pub struct Sealer(Option<RandomizedNonceKey>);

impl std::fmt::Debug for Sealer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("[sealer]")
    }
}

impl Sealer {
    pub(crate) fn new(key: &[u8; 32]) -> Self {
        // A key of the right length is always taken; without one, sealing and opening fail.
        Self(RandomizedNonceKey::new(&AES_256_GCM, key).ok())
    }

    /// Version byte, nonce, ciphertext and tag.
    ///
    /// # Errors
    /// [`SealError::Seal`].
    pub fn seal(&self, binding: Binding<'_>, plain: &[u8]) -> Result<Vec<u8>, SealError> {
        let key = self.0.as_ref().ok_or(SealError::Seal)?;
        let mut body = plain.to_vec();
        let nonce = key
            .seal_in_place_append_tag(Aad::from(binding.bytes()), &mut body)
            .map_err(|_| SealError::Seal)?;
        let mut sealed = vec![VERSION];
        sealed.extend_from_slice(nonce.as_ref());
        sealed.append(&mut body);
        Ok(sealed)
    }

    /// The plain bytes, wiped when dropped.
    ///
    /// # Errors
    /// [`SealError::Form`] and [`SealError::Open`].
    pub fn open(&self, binding: Binding<'_>, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, SealError> {
        let key = self.0.as_ref().ok_or(SealError::Open)?;
        let rest = sealed.strip_prefix(&[VERSION]).ok_or(SealError::Form)?;
        let (nonce, body) = rest.split_at_checked(NONCE_LEN).ok_or(SealError::Form)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| SealError::Form)?;
        let mut body = Zeroizing::new(body.to_vec());
        let length = key
            .open_in_place(nonce, Aad::from(binding.bytes()), &mut body)
            .map_err(|_| SealError::Open)?
            .len();
        body.truncate(length);
        Ok(body)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::master::MasterKey;

    const ROW: Binding<'_> = Binding {
        account: "1",
        kind: "signing_key.private",
        row: "7",
    };

    fn sealer(byte: u8) -> Sealer {
        MasterKey::from_bytes(&[byte; 32]).unwrap().sealer()
    }

    #[test]
    fn what_was_sealed_opens_in_its_own_place_only() {
        let sealed = sealer(1).seal(ROW, b"hunter2").unwrap();
        assert_eq!(*sealer(1).open(ROW, &sealed).unwrap(), b"hunter2");
        assert_ne!(sealer(1).seal(ROW, b"hunter2").unwrap(), sealed);
        for elsewhere in [
            Binding { row: "8", ..ROW },
            Binding {
                kind: "signing_key.privat",
                row: "e7",
                ..ROW
            },
            Binding { account: "2", ..ROW },
        ] {
            assert_eq!(sealer(1).open(elsewhere, &sealed), Err(SealError::Open));
        }
        assert_eq!(sealer(2).open(ROW, &sealed), Err(SealError::Open));
    }

    #[test]
    fn no_single_bit_can_be_changed() {
        let sealed = sealer(1).seal(ROW, b"hunter2").unwrap();
        for bit in 0..sealed.len() * 8 {
            let mut changed = sealed.clone();
            changed[bit / 8] ^= 1 << (bit % 8);
            assert!(sealer(1).open(ROW, &changed).is_err(), "bit {bit}");
        }
        for cut in 0..sealed.len() {
            assert!(sealer(1).open(ROW, &sealed[..cut]).is_err(), "cut at {cut}");
        }
    }
}
