//! Credentials at rest: sealed with the first key of the ring, opened with any, sealed anew when there is another first.
//!
//! The ring is a file, `credential-keys` in the data directory or the one that was given, one key a line; without one, or where
//! it is empty, the key that is derived from the master key is used. The file is read again whenever something is sealed, and when
//! a key is not known: a new key needs no restart. **A kill at any moment loses nothing**: every row names its key, a batch is one
//! transaction, and keys leave the file only when somebody takes them out.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{PoisonError, RwLock};

use anyhow::{Context, bail};
use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use reeve_authz::Granted;
use reeve_identity::{Binding, CredentialKeys, MasterKey, NoRandomness, Random};
use reeve_link::CredentialValues;
use reeve_store::{AuditEntry, Resealed, SealedCredential, SealedValues, Store};
use reeve_types::CredentialAssetId;
use zeroize::Zeroizing;

/// The file in a data directory.
pub const FILE: &str = "credential-keys";
/// How many credentials are sealed anew in one transaction.
pub const BATCH: u32 = 100;

/// The keys, and where they come from.
#[derive(Debug)]
pub struct CredentialSealer {
    master: MasterKey,
    file: Option<PathBuf>,
    /// Whether the file has to be there.
    given: bool,
    ring: RwLock<CredentialKeys>,
}

/// Where a credential's values are sealed for.
fn sealed<T>(id: CredentialAssetId, with: impl FnOnce(Binding<'_>) -> T) -> T {
    with(Binding {
        account: "1",
        kind: "credential_assets.sealed",
        row: &id.to_string(),
    })
}

fn read(master: &MasterKey, file: Option<&Path>, given: bool) -> anyhow::Result<CredentialKeys> {
    let text = match file {
        Some(file) if given || file.exists() => Zeroizing::new(
            fs::read_to_string(file)
                .with_context(|| format!("failed to read the credential keys in `{}`", file.display()))?,
        ),
        _ => Zeroizing::new(String::new()),
    };
    CredentialKeys::read(master, &text).with_context(|| {
        let name = file.map(|file| file.display().to_string()).unwrap_or_default();
        format!("the credential keys in `{name}` cannot be read")
    })
}

impl CredentialSealer {
    /// The keys of a file. Of one that was `given`, it has to be there.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn new(master: &MasterKey, file: Option<PathBuf>, given: bool) -> anyhow::Result<Self> {
        let ring = RwLock::new(read(master, file.as_deref(), given)?);
        Ok(Self {
            master: master.clone(),
            file,
            given,
            ring,
        })
    }

    /// The key of the master key alone.
    pub fn derived(master: &MasterKey) -> Self {
        Self {
            master: master.clone(),
            file: None,
            given: false,
            ring: RwLock::new(CredentialKeys::derived(master)),
        }
    }

    /// Reads the file again.
    ///
    /// # Errors
    /// When it cannot be read; the keys stay as they were.
    pub fn read_again(&self) -> anyhow::Result<()> {
        let ring = read(&self.master, self.file.as_deref(), self.given)?;
        *self.ring.write().unwrap_or_else(PoisonError::into_inner) = ring;
        Ok(())
    }

    fn with_ring<T>(&self, with: impl FnOnce(&CredentialKeys) -> T) -> T {
        with(&self.ring.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// The number of the key that seals.
    pub fn first(&self) -> i32 {
        self.with_ring(CredentialKeys::first)
    }

    /// The numbers of all keys.
    pub fn numbers(&self) -> Vec<i32> {
        self.with_ring(|ring| ring.numbers().collect())
    }

    /// The line of a new key, for the front of the file.
    ///
    /// # Errors
    /// Without randomness.
    pub fn new_line(&self, random: &Random) -> Result<Zeroizing<String>, NoRandomness> {
        self.with_ring(|ring| ring.new_line(random))
    }

    /// Refuses when one of these keys is not there.
    ///
    /// # Errors
    /// It names those.
    pub fn check(&self, used: &[(i32, u64)]) -> anyhow::Result<()> {
        let known = self.numbers();
        let missing: Vec<String> = used
            .iter()
            .filter(|(key, _)| !known.contains(key))
            .map(|(key, rows)| format!("key {key} ({rows} credentials)"))
            .collect();
        if missing.is_empty() {
            return Ok(());
        }
        let file = self.file.as_deref().unwrap_or(Path::new(FILE)).display();
        bail!(
            "the database holds credentials sealed with {}, which `{file}` does not have: put the lines of these keys back",
            missing.join(", ")
        )
    }

    /// Seals values for a credential.
    ///
    /// # Errors
    /// When the file cannot be read any more, or the crypto library refuses.
    pub fn seal(&self, id: CredentialAssetId, values: &CredentialValues) -> anyhow::Result<SealedValues> {
        self.read_again()?;
        let plain = Zeroizing::new(serde_json::to_vec(values)?);
        self.seal_bytes(id, &plain)
    }

    fn seal_bytes(&self, id: CredentialAssetId, plain: &[u8]) -> anyhow::Result<SealedValues> {
        let (key_id, bytes) = sealed(id, |binding| self.with_ring(|ring| ring.seal(binding, plain)))?;
        Ok(SealedValues {
            key_id,
            text: STANDARD_NO_PAD.encode(bytes),
        })
    }

    fn open_bytes(&self, row: &SealedCredential) -> anyhow::Result<Zeroizing<Vec<u8>>> {
        let (id, key) = (row.id, row.sealed.key_id);
        let bytes = STANDARD_NO_PAD.decode(&row.sealed.text)?;
        if !self.numbers().contains(&key) {
            self.read_again()?;
        }
        let opened = sealed(id, |binding| {
            self.with_ring(|ring| ring.open(key, binding, &bytes))
        });
        opened.with_context(|| format!("credential `{id}` does not open"))
    }

    /// Opens the values of a credential.
    ///
    /// # Errors
    /// When its key is not there, or it was changed or moved.
    pub fn open(&self, row: &SealedCredential) -> anyhow::Result<CredentialValues> {
        let plain = self.open_bytes(row)?;
        // What a parser says could quote the values.
        serde_json::from_slice(&plain).map_err(|_| anyhow::anyhow!("credential `{}` holds no values", row.id))
    }

    /// Seals anew with the first key what is sealed with another one, in one transaction of at most `most`; how many. 0 is the end.
    ///
    /// # Errors
    /// When something does not open, or the store fails.
    pub async fn reseal(
        &self,
        store: &dyn Store,
        granted: &Granted,
        most: u32,
        entry: AuditEntry,
    ) -> anyhow::Result<u64> {
        let rows = store.sealed_with_other_keys(granted, self.first(), most).await?;
        let resealed: Vec<Resealed> = rows
            .into_iter()
            .map(|before| {
                let plain = self.open_bytes(&before)?;
                let after = self.seal_bytes(before.id, &plain)?;
                Ok(Resealed { before, after })
            })
            .collect::<anyhow::Result<_>>()?;
        if resealed.is_empty() {
            return Ok(0);
        }
        let mut entry = entry;
        entry.metadata.insert("key".to_owned(), self.first().to_string());
        store.reseal_credentials(granted, &resealed, entry).await?;
        Ok(resealed.len() as u64)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use reeve_types::Secret;

    use super::*;

    const ONE: &str = "1 AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE";
    const TWO: &str = "2 AgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgI";

    #[test]
    fn a_new_first_key_is_used_without_a_restart_and_old_ones_open() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join(FILE);
        let master = MasterKey::from_bytes(&[7; 32]).unwrap();
        let sealer = CredentialSealer::new(&master, Some(file.clone()), false).unwrap();
        let id = "123e4567-e89b-12d3-a456-426614174000".parse().unwrap();
        let values = CredentialValues::new(BTreeMap::from([("a".to_owned(), Secret::new("canary"))]));
        let row = |sealed: SealedValues| SealedCredential {
            id,
            sealed,
            stamp: String::new(),
        };
        let derived = row(sealer.seal(id, &values).unwrap());
        fs::write(&file, ONE).unwrap();
        let one = row(sealer.seal(id, &values).unwrap());
        let other = CredentialSealer::new(&master, Some(file.clone()), true).unwrap();
        fs::write(&file, format!("{TWO}\n{ONE}\n")).unwrap();
        let two = row(sealer.seal(id, &values).unwrap());
        assert_eq!([&derived, &one, &two].map(|row| row.sealed.key_id), [0, 1, 2]);
        for row in [&derived, &one, &two] {
            assert_eq!(other.open(row).unwrap(), values, "also a key that came later");
        }
        fs::write(&file, TWO).unwrap();
        let later = CredentialSealer::new(&master, Some(file), true).unwrap();
        let refused = later.check(&[(0, 1), (1, 3), (2, 1)]).unwrap_err().to_string();
        assert!(
            refused.contains("sealed with key 1 (3 credentials), which"),
            "{refused}"
        );
        assert!(!format!("{:#}", later.open(&one).unwrap_err()).contains("canary"));
        let moved = SealedCredential {
            id: "223e4567-e89b-12d3-a456-426614174000".parse().unwrap(),
            ..two
        };
        assert!(
            later.open(&moved).is_err(),
            "a row's values do not open in another"
        );
    }
}
