//! Where a sign-in is between commands: in the keyring of the desktop, or in a file that its owner alone can read.
//!
//! `authentication.json` is the sign-in where it is there; else it is the item of the keyring that `keyring.json` names. That file is
//! written before the item is, and goes after it, so that no item is forgotten. An item that cannot be taken away when it has to stays there
//! as a leftover: it is never read again, and the next login or logout takes it away.
//!
//! A renewed sign-in, of which there is no other copy, is kept in any case: in the file where the keyring does not take it.

use std::io::ErrorKind;
use std::path::PathBuf;

use clap::ValueEnum;
use serde::{Deserialize, Serialize};

use super::keyring::{self, Ask, KeyringError};
use super::{Settings, SignIn, file};
use crate::failure::Failure;
use crate::random;

const SIGN_IN: &str = "authentication.json";
const IN_KEYRING: &str = "keyring.json";

/// Where somebody wants the tokens of a sign-in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum TokenStore {
    /// The keyring of the desktop where it is there and open, else a file
    Auto,
    /// The keyring of the desktop, which is asked to be unlocked
    Keyring,
    /// A file that you alone can read (mode 0600)
    File,
}

impl TokenStore {
    /// Where that is here and now.
    ///
    /// # Errors
    /// The keyring is asked for and cannot be used.
    pub async fn place(self) -> Result<Place, Failure> {
        let file = |because| Place::File { because };
        match self {
            Self::File => Ok(file(None)),
            Self::Keyring => match keyring::open(Ask::Owner).await {
                Ok(()) => Ok(Place::Keyring),
                Err(error) => Err(error.explain("cannot keep a sign-in in the keyring")),
            },
            Self::Auto => Ok(match keyring::open(Ask::Nobody).await {
                Ok(()) => Place::Keyring,
                Err(error @ KeyringError::Locked) => file(Some(format!(
                    "{error}; `reeve login --token-store keyring` asks you to unlock it"
                ))),
                Err(error) => file(Some(error.to_string())),
            }),
        }
    }
}

/// Where a sign-in is going to be kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// In the keyring.
    Keyring,
    /// In the file.
    File {
        /// Why not in the keyring, unless nobody asked for that.
        because: Option<String>,
    },
}

/// Where a sign-in is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    place: Place,
    path: PathBuf,
    left: Option<String>,
}

impl Kept {
    /// Where, for programs: `keyring` or `file`.
    pub const fn word(&self) -> &'static str {
        match self.place {
            Place::Keyring => "keyring",
            Place::File { .. } => "file",
        }
    }

    /// Whether the keyring still has an earlier one.
    pub const fn leaves_another(&self) -> bool {
        self.left.is_some()
    }

    /// For people.
    pub fn sentence(&self) -> String {
        let path = self.path.display();
        let place = match &self.place {
            Place::Keyring => "the tokens are in the keyring of your desktop".to_owned(),
            Place::File { because: None } => format!("the tokens are in `{path}`, which you alone can read"),
            Place::File { because: Some(why) } => {
                format!("the tokens are in `{path}`, which you alone can read, and not in a keyring: {why}")
            }
        };
        match &self.left {
            Some(why) => format!("{place}\n{}", left_over(why)),
            None => place,
        }
    }
}

/// What became of a sign-in that was to be forgotten.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Forgotten {
    /// There was one.
    pub was_there: bool,
    /// Why the keyring still has an earlier one.
    pub left: Option<String>,
}

impl Forgotten {
    /// What the keyring still has, for people.
    pub fn sentence(&self) -> Option<String> {
        self.left.as_deref().map(left_over)
    }
}

fn left_over(why: &str) -> String {
    format!(
        "an earlier sign-in is still in the keyring ({why}): the next `reeve login` or `reeve logout` that can use the keyring takes it away"
    )
}

/// That the keyring has an item, or may have one (`keyring.json`).
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct InKeyring {
    item: String,
    username: String,
    /// It is not the sign-in any more.
    #[serde(default)]
    left_over: bool,
}

impl Settings {
    /// The sign-in; `None` when there is none.
    ///
    /// # Errors
    /// It is there and cannot be read.
    pub async fn sign_in(&self) -> Result<Option<SignIn>, Failure> {
        if let Some(sign_in) = file::read(&self.dir.join(SIGN_IN))? {
            return Ok(Some(sign_in));
        }
        match self.in_keyring()? {
            Some(there) if !there.left_over => from_keyring(&there).await.map(Some),
            _ => Ok(None),
        }
    }

    /// Keeps a sign-in in the place of the one that it renews. Whoever calls holds the lock. A sentence where it had to go into the file.
    ///
    /// # Errors
    /// It cannot be written.
    pub async fn renew(&self, sign_in: &SignIn) -> Result<Option<String>, Failure> {
        let path = self.dir.join(SIGN_IN);
        let there = self.in_keyring().ok().flatten();
        let there = there.filter(|there| !there.left_over && !path.exists());
        let Some(there) = there else {
            file::write(&path, sign_in)?;
            return Ok(None);
        };
        let Err(error) = into_keyring(&there, sign_in).await else {
            return Ok(None);
        };
        file::write(&path, sign_in)?;
        self.mark_left_over(there)?;
        Ok(Some(format!(
            "the renewed tokens are in `{}`, which you alone can read, and not in the keyring any more: {error}",
            path.display()
        )))
    }

    /// Puts it where it is to be. Whoever calls holds the lock, and has taken the one before away.
    pub(super) async fn put(
        &self,
        sign_in: &SignIn,
        place: Place,
        left: Option<KeyringError>,
    ) -> Result<Kept, Failure> {
        let path = self.dir.join(SIGN_IN);
        let left = left.map(|error| error.to_string());
        if place != Place::Keyring {
            file::write(&path, sign_in)?;
            return Ok(Kept { place, path, left });
        }
        let before = self.in_keyring()?;
        let there = InKeyring {
            item: before.map_or_else(random::text, |before| Ok(before.item))?,
            username: sign_in.username.clone(),
            left_over: false,
        };
        file::write(&self.dir.join(IN_KEYRING), &there)?;
        let Err(error) = into_keyring(&there, sign_in).await else {
            return Ok(Kept {
                place,
                path,
                left: None,
            });
        };
        file::write(&path, sign_in)?;
        let left = self.take_out(there).await?.map(|error| error.to_string());
        let because = Some(error.to_string());
        let place = Place::File { because };
        Ok(Kept { place, path, left })
    }

    /// Takes the sign-in away, wherever it is, for another to come. Whoever calls holds the lock. Why the keyring keeps what it has, where
    /// it does.
    pub(super) async fn clear(&self) -> Result<Option<KeyringError>, Failure> {
        self.remove_file(SIGN_IN)?;
        match self.in_keyring()? {
            Some(there) => self.take_out(there).await,
            None => Ok(None),
        }
    }

    /// Removes the sign-in, wherever it is. One that is in a keyring which cannot be used stays as it was.
    ///
    /// # Errors
    /// It cannot be removed.
    pub async fn forget(&self) -> Result<Forgotten, Failure> {
        let _lock = self.lock_sign_in().await;
        let was_in_file = self.remove_file(SIGN_IN)?;
        let Some(there) = self.in_keyring()? else {
            return Ok(Forgotten {
                was_there: was_in_file,
                left: None,
            });
        };
        let is_left_over = there.left_over || was_in_file;
        match keyring::remove(&there.item, Ask::Owner).await {
            Ok(()) => {
                self.remove_file(IN_KEYRING)?;
                Ok(Forgotten {
                    was_there: was_in_file || !is_left_over,
                    left: None,
                })
            }
            Err(error) if is_left_over => {
                self.mark_left_over(there)?;
                Ok(Forgotten {
                    was_there: was_in_file,
                    left: Some(error.to_string()),
                })
            }
            Err(error) => Err(error.explain("cannot take the sign-in out of the keyring")),
        }
    }

    /// Takes an item out of the keyring without asking anybody; or says why it is left over there.
    async fn take_out(&self, there: InKeyring) -> Result<Option<KeyringError>, Failure> {
        match keyring::remove(&there.item, Ask::Nobody).await {
            Ok(()) => {
                self.remove_file(IN_KEYRING)?;
                Ok(None)
            }
            Err(error) => {
                self.mark_left_over(there)?;
                Ok(Some(error))
            }
        }
    }

    fn in_keyring(&self) -> Result<Option<InKeyring>, Failure> {
        file::read(&self.dir.join(IN_KEYRING))
    }

    fn mark_left_over(&self, there: InKeyring) -> Result<(), Failure> {
        let there = InKeyring {
            left_over: true,
            ..there
        };
        file::write(&self.dir.join(IN_KEYRING), &there)
    }

    fn remove_file(&self, name: &str) -> Result<bool, Failure> {
        let path = self.dir.join(name);
        match std::fs::remove_file(&path) {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
            Err(error) => Err(Failure::failed(format!("cannot remove `{}`", path.display())).because(error)),
        }
    }
}

async fn into_keyring(there: &InKeyring, sign_in: &SignIn) -> Result<(), KeyringError> {
    let text = serde_json::to_vec(sign_in).map_err(|_| KeyringError::Failed("no JSON".to_owned()))?;
    let label = format!("Reeve sign-in of {}", there.username);
    keyring::write(&there.item, &label, &text, Ask::Nobody).await
}

async fn from_keyring(there: &InKeyring) -> Result<SignIn, Failure> {
    let what = format!("cannot read the sign-in of `{}`", there.username);
    let text = match keyring::read(&there.item, Ask::Owner).await {
        Ok(text) => text,
        Err(error) => return Err(error.explain(what)),
    };
    // The error's text could repeat a part of the token.
    let sign_in = text.map(|text| serde_json::from_slice(&text).map_err(|_| "what the keyring has is none"));
    sign_in
        .unwrap_or(Err("the keyring does not have it any more"))
        .map_err(|why| {
            Failure::failed(what)
                .cause(why)
                .hint("sign in again: `reeve login`")
        })
}
