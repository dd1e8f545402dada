//! Who a person is to a Linux kernel: uid, gid and supplementary groups.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The smallest id a person may have: below it live the system's own accounts.
pub const MIN_ID: u32 = 1000;
/// The largest: Kubernetes reads ids as int64 but the kernel's and many file systems' tools as signed 32 bits.
pub const MAX_ID: u32 = 2_147_483_647;
/// How many supplementary groups an identity may carry. AUTH_SYS of NFS ends at 16, a token should stay small.
pub const MAX_GROUPS: usize = 64;

/// Numbers that are no POSIX identity of a person.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidPosix {
    /// An id outside 1000…2147483647.
    #[error("`{text}` is not a valid {kind}: a number from {MIN_ID} to {MAX_ID} is needed")]
    Id {
        /// `uid` or `gid`.
        kind: &'static str,
        /// What was given.
        text: String,
    },
    /// Too many supplementary groups.
    #[error("{count} supplementary groups are too many: at most {MAX_GROUPS} are possible")]
    TooManyGroups {
        /// How many were given.
        count: usize,
    },
}

macro_rules! posix_id {
    ($(#[$doc:meta])* $name:ident, $kind:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(u32);

        impl $name {
            /// Checks the range 1000…2147483647.
            ///
            /// # Errors
            /// [`InvalidPosix::Id`] outside it.
            pub fn new(number: i64) -> Result<Self, InvalidPosix> {
                u32::try_from(number)
                    .ok()
                    .filter(|n| (MIN_ID..=MAX_ID).contains(n))
                    .map(Self)
                    .ok_or_else(|| InvalidPosix::Id { kind: $kind, text: number.to_string() })
            }

            /// The number.
            pub const fn number(self) -> i64 {
                self.0 as i64
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&self.0, f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&self.0, f)
            }
        }

        impl FromStr for $name {
            type Err = InvalidPosix;

            /// Reads the decimal spelling without sign or leading zero, the form of claims and stamps.
            fn from_str(text: &str) -> Result<Self, InvalidPosix> {
                let invalid = || InvalidPosix::Id { kind: $kind, text: text.to_owned() };
                if text.starts_with('0') || !text.bytes().all(|b| b.is_ascii_digit()) {
                    return Err(invalid());
                }
                Self::new(text.parse().map_err(|_| invalid())?).map_err(|_| invalid())
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_u32(self.0)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                Self::new(i64::deserialize(deserializer)?).map_err(serde::de::Error::custom)
            }
        }
    };
}

posix_id!(
    /// A user id.
    Uid,
    "uid"
);
posix_id!(
    /// A group id.
    Gid,
    "gid"
);

/// The verified numbers a person's containers run with. On the wire `{uid, gid, supplementaryGroups}`, as numbers;
/// in claims and stamps as decimal text.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, try_from = "Unchecked")]
pub struct PosixIdentity {
    uid: Uid,
    gid: Gid,
    supplementary_groups: Vec<Gid>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Unchecked {
    uid: Uid,
    gid: Gid,
    #[serde(default)]
    supplementary_groups: Vec<Gid>,
}

impl TryFrom<Unchecked> for PosixIdentity {
    type Error = InvalidPosix;

    fn try_from(raw: Unchecked) -> Result<Self, InvalidPosix> {
        Self::new(raw.uid, raw.gid, raw.supplementary_groups)
    }
}

impl PosixIdentity {
    /// Puts the groups in ascending order without repeats, so that equal identities have equal stamps.
    ///
    /// # Errors
    /// [`InvalidPosix::TooManyGroups`] above [`MAX_GROUPS`].
    pub fn new(uid: Uid, gid: Gid, mut supplementary_groups: Vec<Gid>) -> Result<Self, InvalidPosix> {
        supplementary_groups.sort_unstable();
        supplementary_groups.dedup();
        if supplementary_groups.len() > MAX_GROUPS {
            return Err(InvalidPosix::TooManyGroups {
                count: supplementary_groups.len(),
            });
        }
        Ok(Self {
            uid,
            gid,
            supplementary_groups,
        })
    }

    /// The user id.
    pub const fn uid(&self) -> Uid {
        self.uid
    }

    /// The primary group.
    pub const fn gid(&self) -> Gid {
        self.gid
    }

    /// The other groups, ascending, each once.
    pub fn supplementary_groups(&self) -> &[Gid] {
        &self.supplementary_groups
    }
}

impl fmt::Display for PosixIdentity {
    /// `uid/gid/g1.g2`, as in a stamp; the last part is empty without groups.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/", self.uid, self.gid)?;
        for (i, group) in self.supplementary_groups.iter().enumerate() {
            write!(f, "{}{group}", if i == 0 { "" } else { "." })?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_below_1000_and_above_int32_are_refused() {
        for wrong in [-1, 0, 999, 2_147_483_648] {
            assert!(Uid::new(wrong).is_err(), "{wrong}");
        }
        assert_eq!(Uid::new(1000).unwrap().number(), 1000);
        for wrong in ["", "0070012", "+70012", "7e4", "999", "70012 "] {
            assert!(wrong.parse::<Gid>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn equal_identities_have_equal_groups() {
        let json = r#"{"uid":70012,"gid":5000,"supplementaryGroups":[5001,5000,5001]}"#;
        let identity: PosixIdentity = serde_json::from_str(json).unwrap();
        assert_eq!(
            serde_json::to_string(&identity).unwrap(),
            r#"{"uid":70012,"gid":5000,"supplementaryGroups":[5000,5001]}"#
        );
        assert!(serde_json::from_str::<PosixIdentity>(r#"{"uid":0,"gid":5000}"#).is_err());
    }
}
