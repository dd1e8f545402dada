//! A verified identity, and the stamp that says whose a pod is.

use std::fmt;
use std::str::FromStr;

use reeve_types::{Gid, InvalidPosix, PosixIdentity, Uid, UserId};

/// A person the server verified, with the POSIX identity that the person's containers run with.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Identity {
    /// The user id: `sub` of the tokens, `userInfo.uid` in Kubernetes.
    pub user_id: UserId,
    /// The POSIX identity.
    pub posix: PosixIdentity,
}

/// The annotation [`crate::names::RUNS_AS`] as a value: `userid/uid/gid/g1.g2`, the last part empty without groups.
///
/// Numbers are decimal without sign or leading zero. Equal identities have equal stamps, so policies compare text.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Stamp(Identity);

/// Text that is no stamp.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidStamp {
    /// Not four parts between slashes.
    #[error("`{0}` is not a stamp: userid/uid/gid/groups is needed")]
    Parts(String),
    /// The first part is no user id.
    #[error("`{text}` is not a stamp: its first part is not a user id")]
    User {
        /// What was given.
        text: String,
    },
    /// One of the numbers is no id of a person.
    #[error("`{text}` is not a stamp")]
    Number {
        /// What was given.
        text: String,
        /// Which number, and why.
        source: InvalidPosix,
    },
}

impl Stamp {
    /// The stamp of an identity.
    pub fn new(identity: Identity) -> Self {
        Self(identity)
    }

    /// Whose it is.
    pub fn identity(&self) -> &Identity {
        &self.0
    }
}

impl From<Identity> for Stamp {
    fn from(identity: Identity) -> Self {
        Self(identity)
    }
}

impl fmt::Display for Stamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Identity { user_id, posix } = &self.0;
        write!(f, "{user_id}/{}/{}/", posix.uid(), posix.gid())?;
        for (i, group) in posix.supplementary_groups().iter().enumerate() {
            write!(f, "{}{group}", if i == 0 { "" } else { "." })?;
        }
        Ok(())
    }
}

impl FromStr for Stamp {
    type Err = InvalidStamp;

    fn from_str(text: &str) -> Result<Self, InvalidStamp> {
        let parts: Vec<&str> = text.split('/').collect();
        let [user, uid, gid, groups] = parts.as_slice() else {
            return Err(InvalidStamp::Parts(text.to_owned()));
        };
        let number = |source| InvalidStamp::Number {
            text: text.to_owned(),
            source,
        };
        let user_id = user.parse().map_err(|_| InvalidStamp::User {
            text: text.to_owned(),
        })?;
        let uid: Uid = uid.parse().map_err(number)?;
        let gid: Gid = gid.parse().map_err(number)?;
        let groups: Result<Vec<Gid>, _> = match *groups {
            "" => Ok(Vec::new()),
            list => list.split('.').map(str::parse).collect(),
        };
        let posix = PosixIdentity::new(uid, gid, groups.map_err(number)?).map_err(number)?;
        Ok(Self(Identity { user_id, posix }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALICE: &str = "123e4567-e89b-12d3-a456-426614174000/70012/5000/5001.5002";

    #[test]
    fn a_stamp_reads_back_what_it_printed() {
        for text in [ALICE, "123e4567-e89b-12d3-a456-426614174000/70014/5000/"] {
            assert_eq!(text.parse::<Stamp>().unwrap().to_string(), text);
        }
        assert_eq!(
            ALICE
                .parse::<Stamp>()
                .unwrap()
                .identity()
                .posix
                .supplementary_groups()
                .len(),
            2
        );
    }

    #[test]
    fn what_is_no_stamp_is_refused() {
        let id = "123e4567-e89b-12d3-a456-426614174000";
        let wrong = [
            String::new(),
            id.to_owned(),
            format!("{id}/70012/5000"),
            format!("{id}/70012/5000//"),
            format!("{id}/0/5000/"),
            format!("{id}/70012/05000/"),
            format!("{id}/70012/5000/5001."),
            "alice/70012/5000/".to_owned(),
        ];
        for text in wrong {
            assert!(text.parse::<Stamp>().is_err(), "{text}");
        }
    }
}
