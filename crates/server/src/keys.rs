//! Signing keys: opened from the store, followed, and rotated.
//!
//! **Promises.** A key is published before it signs: the next one is made and published when the one before it becomes current. A
//! key is published as long as a token that it signed may be good ([`RETIRING_SECONDS`]). Which key signs is in the database, and
//! every process follows it by the change log; a process that has not heard of a rotation yet signs with a key that is published
//! all the same. The private parts are in memory and, sealed with the master key, in the database, and nowhere else.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use anyhow::{Context, bail};
use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use reeve_identity::token::REST_SECONDS;
use reeve_identity::{Binding, KeyRing, MasterKey, Sealer, SigningKey};
use reeve_store::{KeyUse, NewSigningKey, SigningKeyFacts, SigningKeyRow};

/// For how long the next key is to be published before it signs, in seconds. API servers of clusters read the published keys again
/// as soon as they see a token of a key that they do not know; others may keep them for some minutes.
pub const PUBLISHED_SECONDS: i64 = 3600;
/// For how long a key that signed stays published, in seconds: as long as the longest token lives, and a quarter of an hour more
/// for clocks that differ and for processes that hear of the rotation late.
pub const RETIRING_SECONDS: i64 = REST_SECONDS + 900;

/// The keys in memory.
#[derive(Debug)]
pub struct Keys {
    sealer: Sealer,
    opened: RwLock<Opened>,
}

#[derive(Debug)]
struct Opened {
    ring: KeyRing,
    by_id: HashMap<String, (KeyUse, Arc<SigningKey>)>,
}

/// Where a key's private part is sealed for. The name of the kind is that of the table where the first two were kept.
const fn binding(id: &str) -> Binding<'_> {
    Binding {
        account: "1",
        kind: "installation.value",
        row: id,
    }
}

/// A new key, sealed; its id is that in tokens.
///
/// # Errors
/// When the crypto library makes none.
pub fn made(sealer: &Sealer) -> anyhow::Result<NewSigningKey> {
    let key = SigningKey::generate()?;
    let sealed = sealer.seal(binding(key.kid()), key.expose_pkcs8())?;
    Ok(NewSigningKey {
        id: key.kid().to_owned(),
        sealed: STANDARD_NO_PAD.encode(sealed),
    })
}

impl Opened {
    /// Opens what is not known yet.
    fn new(sealer: &Sealer, rows: &[SigningKeyRow], known: Option<&Self>) -> anyhow::Result<Self> {
        let mut by_id = HashMap::new();
        let (mut current, mut others) = (None, Vec::new());
        for row in rows {
            let SigningKeyFacts { id, usage, .. } = &row.facts;
            let key = match known.and_then(|known| known.by_id.get(id)) {
                Some((_, key)) => Arc::clone(key),
                None => {
                    let plain = sealer
                        .open(binding(id), &STANDARD_NO_PAD.decode(&row.sealed)?)
                        .with_context(|| format!("signing key `{id}`"))?;
                    Arc::new(SigningKey::from_pkcs8(&plain).with_context(|| format!("signing key `{id}`"))?)
                }
            };
            match usage {
                KeyUse::Current => current = Some(Arc::clone(&key)),
                KeyUse::Next | KeyUse::Retiring => others.push(Arc::clone(&key)),
            }
            by_id.insert(id.clone(), (*usage, key));
        }
        let Some(current) = current else {
            bail!("the database holds no signing key that is current")
        };
        Ok(Self {
            ring: KeyRing::new(current, others),
            by_id,
        })
    }
}

impl Keys {
    /// A new key, sealed.
    ///
    /// # Errors
    /// When the system has no randomness.
    pub fn made(&self) -> anyhow::Result<NewSigningKey> {
        made(&self.sealer)
    }

    /// Opens the keys of an account.
    ///
    /// # Errors
    /// When one does not open, or none is current.
    pub fn open(master: &MasterKey, rows: &[SigningKeyRow]) -> anyhow::Result<Self> {
        let sealer = master.sealer();
        let opened = RwLock::new(Opened::new(&sealer, rows, None)?);
        Ok(Self { sealer, opened })
    }

    /// The keys as they are used now.
    pub fn ring(&self) -> KeyRing {
        self.opened
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .ring
            .clone()
    }

    /// Whether these are the keys here.
    pub(crate) fn are(&self, facts: &[SigningKeyFacts]) -> bool {
        let opened = self.opened.read().unwrap_or_else(PoisonError::into_inner);
        opened.by_id.len() == facts.len()
            && facts.iter().all(|key| {
                opened
                    .by_id
                    .get(&key.id)
                    .is_some_and(|(usage, _)| *usage == key.usage)
            })
    }

    /// Uses these keys from now on.
    pub(crate) fn replace(&self, rows: &[SigningKeyRow]) -> anyhow::Result<()> {
        let mut opened = self.opened.write().unwrap_or_else(PoisonError::into_inner);
        *opened = Opened::new(&self.sealer, rows, Some(&opened))?;
        Ok(())
    }

    /// What a key is called in tokens and in the published set.
    pub fn kid(&self, id: &str) -> Option<String> {
        let opened = self.opened.read().unwrap_or_else(PoisonError::into_inner);
        opened.by_id.get(id).map(|(_, key)| key.kid().to_owned())
    }

    /// Two fresh keys that nobody keeps.
    #[cfg(test)]
    pub fn for_tests(master: &MasterKey) -> Self {
        let row = |usage| {
            let new = made(&master.sealer()).unwrap();
            let at = reeve_types::Timestamp::from_millis(0);
            SigningKeyRow {
                facts: SigningKeyFacts {
                    id: new.id,
                    usage,
                    published: at,
                    since: at,
                },
                sealed: new.sealed,
            }
        };
        Self::open(master, &[row(KeyUse::Current), row(KeyUse::Next)]).unwrap()
    }
}

#[cfg(test)]
mod tests {
    use reeve_types::Timestamp;

    use super::*;

    #[test]
    fn a_key_of_before_the_table_opens_and_one_that_was_moved_does_not() {
        let master = MasterKey::from_bytes(&[7; 32]).unwrap();
        let key = SigningKey::generate().unwrap();
        let before = Binding {
            account: "1",
            kind: "installation.value",
            row: "signing-key-current",
        };
        let sealed = master.sealer().seal(before, key.expose_pkcs8()).unwrap();
        let row = |id: &str| SigningKeyRow {
            facts: SigningKeyFacts {
                id: id.to_owned(),
                usage: KeyUse::Current,
                published: Timestamp::from_millis(0),
                since: Timestamp::from_millis(0),
            },
            sealed: STANDARD_NO_PAD.encode(&sealed),
        };
        let keys = Keys::open(&master, &[row("signing-key-current")]).unwrap();
        assert_eq!(keys.kid("signing-key-current").as_deref(), Some(key.kid()));
        let moved = Keys::open(&master, &[row("signing-key-next")]).unwrap_err();
        assert!(
            format!("{moved:#}").contains("signing key `signing-key-next`"),
            "{moved:#}"
        );
        assert!(Keys::open(&master, &[]).is_err());
        assert!(!format!("{keys:?}").contains("pkcs8"));
    }
}
