//! Who a person is to a Linux kernel: uid, gid and supplementary groups.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The smallest id anybody can have: 0 is root.
pub const MIN_ID: u32 = 1;
/// The smallest id a person may have where nobody lowered it: below it live the system's own accounts.
pub const LOWEST_ID: u32 = 1000;
/// The largest: Kubernetes reads ids as int64 but the kernel's and many file systems' tools as signed 32 bits.
pub const MAX_ID: u32 = 2_147_483_647;
/// Numbers in between that are nobody's to have, as uid or as gid, and what each is.
pub const RESERVED_IDS: [(i64, &str); 3] = [
    (
        65_534,
        "it is nobody's: the kernel and NFS show it for every owner that they cannot name",
    ),
    (65_535, "it is -1 in 16 bits, which older systems take for no id"),
    (
        4_294_967_295,
        "it is -1 in 32 bits, which the kernel takes for no id",
    ),
];
/// How many supplementary groups an identity may carry. AUTH_SYS of NFS ends at 16, a token should stay small.
pub const MAX_GROUPS: usize = 64;

/// What a person is called inside a container: the local part of the email, cut to what is safe in a path and in `/etc/passwd`.
/// Never `root`, which programs take for uid 0.
pub fn user_name(email: &str) -> String {
    let local = email.split('@').next().unwrap_or_default();
    let safe = |c: char| {
        if c.is_ascii_alphanumeric() || "._-".contains(c) {
            c.to_ascii_lowercase()
        } else {
            '-'
        }
    };
    let name: String = local
        .chars()
        .map(safe)
        .skip_while(|c| !c.is_ascii_alphanumeric())
        .take(32)
        .collect();
    match name.as_str() {
        "" | "root" => "user".to_owned(),
        _ => name,
    }
}

/// The home that a container of this person is given: `/home/<name>` (cluster-and-cli 5.4: newer versions of the reference use the user's
/// name).
pub fn home_directory(email: &str) -> String {
    format!("/home/{}", user_name(email))
}

/// Numbers that are no POSIX identity of a person.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidPosix {
    /// An id outside 1…2147483647.
    #[error("`{text}` is not a valid {kind}: a number from {MIN_ID} to {MAX_ID} is needed")]
    Id {
        /// `uid` or `gid`.
        kind: &'static str,
        /// What was given.
        text: String,
    },
    /// One of [`RESERVED_IDS`].
    #[error("`{number}` is not a valid {kind}: {what}; choose another")]
    Reserved {
        /// `uid` or `gid`.
        kind: &'static str,
        /// Which.
        number: i64,
        /// What it is.
        what: &'static str,
    },
    /// An id below the lowest that is allowed somewhere.
    #[error("{kind} `{number}` is below `{lowest}`")]
    BelowLowest {
        /// `uid` or `gid`.
        kind: &'static str,
        /// Which.
        number: i64,
        /// What is allowed.
        lowest: LowestId,
    },
    /// No number for the lowest id.
    #[error("`{0}` cannot be the lowest id: a number from {MIN_ID} to {LOWEST_ID} is needed")]
    Lowest(i64),
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
            /// Checks the range 1…2147483647, and that it is none of [`RESERVED_IDS`]. Whether it is low enough for
            /// somebody's cluster is [`PosixIdentity::check_lowest`].
            ///
            /// # Errors
            /// [`InvalidPosix::Id`], [`InvalidPosix::Reserved`].
            pub fn new(number: i64) -> Result<Self, InvalidPosix> {
                match RESERVED_IDS.into_iter().find(|(reserved, _)| *reserved == number) {
                    Some((number, what)) => Err(InvalidPosix::Reserved { kind: $kind, number, what }),
                    None => Self::kept(number),
                }
            }

            /// Without the look at reserved numbers: what was kept before they were refused can be read.
            fn kept(number: i64) -> Result<Self, InvalidPosix> {
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
                Self::new(text.parse().map_err(|_| invalid())?)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_u32(self.0)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                Self::kept(i64::deserialize(deserializer)?).map_err(serde::de::Error::custom)
            }
        }

        impl JsonSchema for $name {
            fn schema_name() -> Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!({
                    "type": "integer", "minimum": MIN_ID, "maximum": MAX_ID,
                    "description": concat!("A ", $kind, " of a person: never 65534 or 65535, and in a cluster not below its `lowestId`."),
                })
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

/// The lowest id that people may have in a cluster: 1…1000.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct LowestId(u32);

impl LowestId {
    /// Checks the range.
    ///
    /// # Errors
    /// [`InvalidPosix::Lowest`] outside it.
    pub fn new(number: i64) -> Result<Self, InvalidPosix> {
        u32::try_from(number)
            .ok()
            .filter(|n| (MIN_ID..=LOWEST_ID).contains(n))
            .map(Self)
            .ok_or(InvalidPosix::Lowest(number))
    }

    /// The number.
    pub const fn number(self) -> i64 {
        self.0 as i64
    }
}

impl Default for LowestId {
    fn default() -> Self {
        Self(LOWEST_ID)
    }
}

impl fmt::Display for LowestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl Serialize for LowestId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u32(self.0)
    }
}

impl<'de> Deserialize<'de> for LowestId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::new(i64::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}

impl JsonSchema for LowestId {
    fn schema_name() -> Cow<'static, str> {
        "LowestId".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "integer", "minimum": MIN_ID, "maximum": LOWEST_ID,
            "description": "The lowest uid and gid that people may have in a cluster.",
        })
    }
}

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

impl JsonSchema for PosixIdentity {
    fn schema_name() -> Cow<'static, str> {
        "PosixIdentity".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let (uid, gid) = (generator.subschema_for::<Uid>(), generator.subschema_for::<Gid>());
        let required = if generator.contract().is_serialize() {
            vec!["uid", "gid", "supplementaryGroups"]
        } else {
            vec!["uid", "gid"]
        };
        json_schema!({
            "type": "object",
            "description": "Who a user is to the Linux kernel: the ids that containers run with.",
            "properties": {
                "uid": uid,
                "gid": gid.clone(),
                "supplementaryGroups": {
                    "type": "array", "items": gid, "maxItems": MAX_GROUPS,
                    "description": "The other groups; answers give them in ascending order, each once.",
                },
            },
            "required": required,
            "additionalProperties": false,
        })
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

    /// Whether all of them may be somebody's where `lowest` holds.
    ///
    /// # Errors
    /// [`InvalidPosix::BelowLowest`] or [`InvalidPosix::Reserved`] with the first that may not.
    pub fn check_lowest(&self, lowest: LowestId) -> Result<(), InvalidPosix> {
        let below = |kind, number: i64| {
            if number < lowest.number() {
                Err(InvalidPosix::BelowLowest { kind, number, lowest })
            } else {
                Ok(())
            }
        };
        Uid::new(self.uid.number())?;
        below("uid", self.uid.number())?;
        for gid in self.supplementary_groups.iter().chain([&self.gid]) {
            Gid::new(gid.number())?;
            below("gid", gid.number())?;
        }
        Ok(())
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
    fn root_and_what_is_above_int32_are_refused() {
        for wrong in [-1, 0, 2_147_483_648] {
            assert!(matches!(Uid::new(wrong), Err(InvalidPosix::Id { .. })), "{wrong}");
        }
        assert_eq!(Uid::new(1).unwrap().number(), 1);
        for wrong in ["", "0", "0070012", "+70012", "7e4", "70012 "] {
            assert!(wrong.parse::<Gid>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn the_holes_are_refused_by_name_and_read_where_they_were_kept() {
        for (number, what) in RESERVED_IDS {
            let said = Uid::new(number).unwrap_err().to_string();
            assert!(
                said.contains(&number.to_string()) && said.contains(what),
                "{said}"
            );
            assert!(Gid::new(number).is_err());
            assert_eq!(
                number.to_string().parse::<Gid>().unwrap_err(),
                Gid::new(number).unwrap_err()
            );
        }
        for fine in [65_533, 65_536] {
            assert!(Uid::new(fine).is_ok(), "{fine}");
        }
        let kept: PosixIdentity = serde_json::from_str(r#"{"uid":65534,"gid":65535}"#).unwrap();
        assert!(matches!(
            kept.check_lowest(LowestId::default()),
            Err(InvalidPosix::Reserved { number: 65_534, .. })
        ));
    }

    #[test]
    fn the_lowest_id_counts_for_each_number() {
        let of = |uid, gid, group| {
            let gids = vec![Gid::new(group).unwrap()];
            PosixIdentity::new(Uid::new(uid).unwrap(), Gid::new(gid).unwrap(), gids).unwrap()
        };
        let check = |identity: PosixIdentity, lowest| identity.check_lowest(LowestId::new(lowest).unwrap());
        assert!(check(of(1000, 1000, 1000), 1000).is_ok());
        for (uid, gid, group) in [(999, 1000, 1000), (1000, 999, 1000), (1000, 1000, 999)] {
            let said = check(of(uid, gid, group), 1000).unwrap_err().to_string();
            assert!(said.contains("`999` is below `1000`"), "{said}");
        }
        assert!(check(of(501, 20, 100), 20).is_ok());
        assert!(check(of(501, 20, 100), 21).is_err());
        for wrong in [0, 1001, -5] {
            assert!(LowestId::new(wrong).is_err());
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
