//! Ids. On the wire every id is a JSON string, except an access rule's, which the reference types as int32.
//!
//! Ids contain only `[A-Za-z0-9-]`: the reference's client rewrites `_` and does not percent-encode paths
//! (control-plane 0.3, traps 5 and 6). Project ids are decimal integers written as strings (trap 7).

use std::borrow::Cow;
use std::fmt;
use std::num::NonZeroU32;
use std::str::FromStr;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use uuid::Uuid;

/// Text that is no id of the wanted kind.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a valid {kind}: {expected}")]
pub struct InvalidId {
    /// What was wanted, for people.
    pub kind: &'static str,
    /// What was given.
    pub text: String,
    /// What would have been accepted.
    pub expected: &'static str,
}

macro_rules! uuid_id {
    ($(#[$doc:meta])* $name:ident, $kind:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Uuid);

        impl $name {
            /// Wraps a UUID.
            pub const fn from_uuid(uuid: Uuid) -> Self {
                Self(uuid)
            }

            /// The UUID inside.
            pub const fn as_uuid(&self) -> &Uuid {
                &self.0
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
            type Err = InvalidId;

            fn from_str(text: &str) -> Result<Self, InvalidId> {
                // Only the hyphenated form: one id, one spelling.
                match Uuid::try_parse(text) {
                    Ok(uuid) if text.len() == 36 => Ok(Self(uuid)),
                    _ => Err(InvalidId { kind: $kind, text: text.to_owned(), expected: "a UUID like 123e4567-e89b-12d3-a456-426614174000" }),
                }
            }
        }

        string_serde!($name);

        impl JsonSchema for $name {
            fn schema_name() -> Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!({"type": "string", "format": "uuid", "description": concat!("A ", $kind, ".")})
            }
        }
    };
}

macro_rules! number_id {
    ($(#[$doc:meta])* $name:ident, $kind:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(NonZeroU32);

        impl $name {
            /// The id with this number; `None` for 0 and for what does not fit the reference's int32.
            pub fn new(number: i64) -> Option<Self> {
                u32::try_from(number).ok().filter(|n| i32::try_from(*n).is_ok()).and_then(NonZeroU32::new).map(Self)
            }

            /// The number, at least 1 and at most `i32::MAX`.
            pub fn number(self) -> i64 {
                i64::from(self.0.get())
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
            type Err = InvalidId;

            fn from_str(text: &str) -> Result<Self, InvalidId> {
                let canonical = text.bytes().all(|b| b.is_ascii_digit()) && !text.starts_with('0');
                canonical
                    .then(|| text.parse().ok().and_then(Self::new))
                    .flatten()
                    .ok_or_else(|| InvalidId { kind: $kind, text: text.to_owned(), expected: "a decimal number of at least 1" })
            }
        }
    };
}

macro_rules! string_serde {
    ($name:ident) => {
        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                // What was given is not repeated: it may be a secret in the wrong place.
                String::deserialize(deserializer)?
                    .parse()
                    .map_err(|error: InvalidId| {
                        serde::de::Error::custom(format_args!(
                            "this is not a valid {}: {}",
                            error.kind, error.expected
                        ))
                    })
            }
        }
    };
}

macro_rules! decimal_schema {
    ($name:ident, $about:literal) => {
        impl JsonSchema for $name {
            fn schema_name() -> Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!({"type": "string", "pattern": "^[1-9][0-9]{0,9}$", "description": $about})
            }
        }
    };
}

uuid_id!(
    /// A session: what one sign-in began. `sid` of its tokens; 122 random bits, never given twice.
    SessionId, "session id"
);
uuid_id!(
    /// A cluster.
    ClusterId,
    "cluster id"
);
uuid_id!(
    /// A user, local or from an identity provider. The `sub` of the user's tokens and the first part of the user's stamp.
    UserId,
    "user id"
);
uuid_id!(
    /// A service account (older name: application).
    ServiceAccountId,
    "service account id"
);
uuid_id!(
    /// A person's access key (older name: user application).
    AccessKeyId,
    "access key id"
);
uuid_id!(
    /// A passkey of a local user.
    PasskeyId,
    "passkey id"
);
uuid_id!(
    /// A credential that the control plane keeps.
    CredentialAssetId,
    "credential id"
);
uuid_id!(
    /// A secret asset: a credential as a source of data.
    SecretAssetId,
    "secret asset id"
);
uuid_id!(
    /// A workload.
    WorkloadId,
    "workload id"
);
uuid_id!(
    /// A permission set: what custom roles are made of.
    PermissionSetId,
    "permission set id"
);
uuid_id!(
    /// A workload policy of one scope and kind of workload.
    PolicyId,
    "policy id"
);
number_id!(
    /// A department.
    DepartmentId,
    "department id"
);
number_id!(
    /// A project.
    ProjectId,
    "project id"
);
number_id!(
    /// An access rule: an int32 on the wire.
    AccessRuleId,
    "access rule id"
);
string_serde!(DepartmentId);
string_serde!(ProjectId);
decimal_schema!(DepartmentId, "A department id: a decimal number as a string.");
decimal_schema!(ProjectId, "A project id: a decimal number as a string.");

impl JsonSchema for AccessRuleId {
    fn schema_name() -> Cow<'static, str> {
        "AccessRuleId".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "integer", "minimum": 1, "maximum": i32::MAX,
            "description": "An access rule id: a number, unlike all other ids.",
        })
    }
}

impl Serialize for AccessRuleId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_i64(self.number())
    }
}

impl<'de> Deserialize<'de> for AccessRuleId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let number = i64::deserialize(deserializer)?;
        Self::new(number)
            .ok_or_else(|| serde::de::Error::custom(format!("`{number}` is not a valid access rule id")))
    }
}

/// How far a cluster's desired state has come: a counter per cluster that each writing transaction raises by one.
/// Revision 0 is the empty state of a cluster that was just made.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Revision(pub u64);

impl fmt::Display for Revision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_has_one_spelling() {
        assert!(
            "123e4567-e89b-12d3-a456-426614174000"
                .parse::<ClusterId>()
                .is_ok()
        );
        assert!("123e4567e89b12d3a456426614174000".parse::<ClusterId>().is_err());
        assert_eq!("33".parse::<ProjectId>().unwrap().number(), 33);
        for wrong in [
            "",
            "0",
            "033",
            "+3",
            "-3",
            "3.0",
            "4294967296",
            "2147483648",
            " 3",
            "x",
        ] {
            assert!(wrong.parse::<ProjectId>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn project_ids_are_strings_and_rule_ids_numbers_on_the_wire() {
        assert_eq!(serde_json::to_string(&ProjectId::new(33)).unwrap(), "\"33\"");
        assert_eq!(serde_json::to_string(&AccessRuleId::new(7)).unwrap(), "7");
        assert!(serde_json::from_str::<AccessRuleId>("0").is_err());
    }
}
