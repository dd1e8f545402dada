//! Where a volume is mounted in a container, and with which mode its files are.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Where a container finds a volume: a path from the root, below it, at most 4,096 bytes, without `:` (which Kubernetes refuses), `..`
/// and control characters.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MountPath(String);

/// Text that is no such path. It is not repeated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a path from the root is needed, below it, at most 4096 bytes, without `:` and `..`")]
pub struct InvalidMountPath;

/// The longest path, in bytes: Linux's `PATH_MAX`.
const LONGEST: usize = 4096;

/// The folders of a path, without what says nothing.
fn folders(path: &str) -> impl Iterator<Item = &str> {
    path.split('/').filter(|part| !part.is_empty() && *part != ".")
}

impl MountPath {
    /// The path as it was given.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether this path is `other` or a folder above it.
    pub fn covers(&self, other: &str) -> bool {
        let mut there = folders(other);
        folders(&self.0).all(|part| there.next() == Some(part))
    }

    /// Whether this path is `other` or lies below it.
    pub fn is_within(&self, other: &str) -> bool {
        let mut here = folders(&self.0);
        folders(other).all(|part| here.next() == Some(part))
    }
}

impl FromStr for MountPath {
    type Err = InvalidMountPath;

    fn from_str(text: &str) -> Result<Self, InvalidMountPath> {
        let plain = !text.contains(|c: char| c == ':' || c.is_control());
        let down = text.split('/').all(|part| part != "..");
        let fits = text.starts_with('/') && folders(text).next().is_some() && text.len() <= LONGEST;
        if plain && down && fits {
            Ok(Self(text.to_owned()))
        } else {
            Err(InvalidMountPath)
        }
    }
}

impl fmt::Display for MountPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for MountPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

impl Serialize for MountPath {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for MountPath {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(serde::de::Error::custom)
    }
}

impl JsonSchema for MountPath {
    fn schema_name() -> Cow<'static, str> {
        "MountPath".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string", "minLength": 2, "maxLength": LONGEST, "pattern": "^/",
            "description": "A path in a container, from the root and below it, without `:` and `..`.",
        })
    }
}

/// The mode of files: what owner, group and others may do, without the bits that change who runs.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FileMode(u16);

/// Text that is no mode. It is not repeated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("`0` and three octal digits are needed, as `0444`")]
pub struct InvalidFileMode;

impl FileMode {
    /// Everybody reads, nobody writes.
    pub const READABLE: Self = Self(0o444);

    /// As a number, as Kubernetes has it.
    pub const fn number(self) -> u16 {
        self.0
    }

    /// Whether everybody reads.
    pub const fn is_readable_by_all(self) -> bool {
        self.0 & 0o004 != 0
    }
}

impl FromStr for FileMode {
    type Err = InvalidFileMode;

    fn from_str(text: &str) -> Result<Self, InvalidFileMode> {
        let octal = text.bytes().all(|digit| (b'0'..=b'7').contains(&digit));
        if text.len() != 4 || !text.starts_with('0') || !octal {
            return Err(InvalidFileMode);
        }
        u16::from_str_radix(text, 8)
            .map(Self)
            .map_err(|_| InvalidFileMode)
    }
}

impl fmt::Display for FileMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04o}", self.0)
    }
}

impl fmt::Debug for FileMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for FileMode {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for FileMode {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(serde::de::Error::custom)
    }
}

impl JsonSchema for FileMode {
    fn schema_name() -> Cow<'static, str> {
        "FileMode".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string", "pattern": "^0[0-7]{3}$",
            "description": "The mode of files: `0` and three octal digits.",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(text: &str) -> MountPath {
        text.parse().unwrap()
    }

    #[test]
    fn a_path_is_one_that_kubernetes_mounts() {
        let longest = format!("/{}", "a".repeat(4095));
        for right in ["/a", "/etc/keys", "/a//b/", "/..a", longest.as_str()] {
            assert_eq!(path(right).as_str(), right);
        }
        let long = format!("{longest}a");
        for wrong in [
            "", "a", "/", "//", "/.", "/a:b", "/a/../b", "../a", "/..", "/a\nb", "/a\0", &long,
        ] {
            assert_eq!(wrong.parse::<MountPath>(), Err(InvalidMountPath), "{wrong:?}");
        }
    }

    /// Planted fault: texts that begin alike, as `/etc/key` and `/etc/keys`, are one below the other.
    #[test]
    fn paths_are_compared_by_folders() {
        for (one, other) in [
            ("/a", "/a"),
            ("/a/", "/a//b/./c"),
            ("/a//b", "/a/b"),
            ("/./a", "/a/b"),
        ] {
            assert!(
                path(one).covers(other) && path(other).is_within(one),
                "{one} {other}"
            );
        }
        for (one, other) in [
            ("/a/b", "/a"),
            ("/a", "/ab"),
            ("/etc/key", "/etc/keys"),
            ("/b", "/a/b"),
        ] {
            assert!(
                !path(one).covers(other) && !path(other).is_within(one),
                "{one} {other}"
            );
        }
    }

    #[test]
    fn a_mode_has_no_bit_that_changes_who_runs() {
        for (text, number) in [("0444", 0o444), ("0000", 0), ("0777", 0o777)] {
            let mode: FileMode = text.parse().unwrap();
            assert_eq!((mode.number(), mode.to_string().as_str()), (number, text));
        }
        for wrong in ["", "444", "4755", "1777", "0448", "00444", "rw-r", "+444"] {
            assert_eq!(wrong.parse::<FileMode>(), Err(InvalidFileMode), "{wrong}");
        }
        let open = |text: &str| text.parse::<FileMode>().unwrap().is_readable_by_all();
        assert!(open("0444") && open("0604") && !open("0440") && !open("0773"));
        assert_eq!(FileMode::READABLE.to_string(), "0444");
    }
}
