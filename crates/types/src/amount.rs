//! How much of processors and memory a container asks for.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Processors: thousandths of a core, from one of them to 1,024 cores. JSON has a number of cores, as the reference; text is Kubernetes'
/// quantity (`2`, `500m`), and is read as a decimal fraction, too.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CpuCores(u32);

/// No such number. It is not repeated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a number of cores from 0.001 to 1024 is needed, with three decimals at most")]
pub struct InvalidCpuCores;

/// The most, in thousandths of a core.
const MOST_MILLICORES: u32 = 1024 * 1000;

impl CpuCores {
    fn of_millicores(number: u32) -> Result<Self, InvalidCpuCores> {
        if (1..=MOST_MILLICORES).contains(&number) {
            Ok(Self(number))
        } else {
            Err(InvalidCpuCores)
        }
    }
}

impl FromStr for CpuCores {
    type Err = InvalidCpuCores;

    fn from_str(text: &str) -> Result<Self, InvalidCpuCores> {
        let thousandths = match text.strip_suffix('m') {
            Some(text) => digits(text),
            None => thousandths(text),
        };
        let number = thousandths.and_then(|number| u32::try_from(number).ok());
        Self::of_millicores(number.ok_or(InvalidCpuCores)?)
    }
}

impl fmt::Display for CpuCores {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.0 / 1000, self.0 % 1000) {
            (cores, 0) => write!(f, "{cores}"),
            _ => write!(f, "{}m", self.0),
        }
    }
}

impl fmt::Debug for CpuCores {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for CpuCores {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match (self.0 / 1000, self.0 % 1000) {
            (cores, 0) => serializer.serialize_u32(cores),
            _ => serializer.serialize_f64(f64::from(self.0) / 1000.0),
        }
    }
}

impl<'de> Deserialize<'de> for CpuCores {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // By its shortest text, so that no fraction is off by what binary fractions cannot say.
        let number = serde_json::Number::deserialize(deserializer)?;
        let cores = thousandths(&number.to_string()).and_then(|number| u32::try_from(number).ok());
        cores
            .ok_or(InvalidCpuCores)
            .and_then(Self::of_millicores)
            .map_err(serde::de::Error::custom)
    }
}

impl JsonSchema for CpuCores {
    fn schema_name() -> Cow<'static, str> {
        "CpuCores".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "number", "minimum": 0.001, "maximum": 1024,
            "description": "Processor cores, with three decimals at most.",
        })
    }
}

/// An amount of memory as Kubernetes writes it: a number with three decimals at most, and a unit; from one byte to one `Pi`. Two that are
/// written otherwise are not equal; compare [`MemoryAmount::bytes`].
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct MemoryAmount {
    text: String,
    bytes: u64,
}

/// Text that is no such amount. It is not repeated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an amount of memory like `512Mi`, `2G` or `1.5Gi` is needed, at most `1Pi`")]
pub struct InvalidMemoryAmount;

/// Units and how many bytes each has.
const UNITS: [(&str, u64); 11] = [
    ("Ki", 1 << 10),
    ("Mi", 1 << 20),
    ("Gi", 1 << 30),
    ("Ti", 1 << 40),
    ("Pi", 1 << 50),
    ("k", 1_000),
    ("M", 1_000_000),
    ("G", 1_000_000_000),
    ("T", 1_000_000_000_000),
    ("P", 1_000_000_000_000_000),
    ("", 1),
];
/// The most, in bytes.
const MOST_BYTES: u64 = 1 << 50;

impl MemoryAmount {
    /// As it was given.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// How many bytes it is; parts of one count as one.
    pub const fn bytes(&self) -> u64 {
        self.bytes
    }
}

impl FromStr for MemoryAmount {
    type Err = InvalidMemoryAmount;

    fn from_str(text: &str) -> Result<Self, InvalidMemoryAmount> {
        // The last unit is none, with which every text ends.
        let unit = UNITS
            .into_iter()
            .find_map(|(unit, size)| Some((text.strip_suffix(unit)?, size)));
        let bytes = unit.and_then(|(number, size)| {
            let thousandths = thousandths(number)?;
            Some(thousandths.checked_mul(size)?.div_ceil(1000))
        });
        match bytes {
            Some(bytes) if (1..=MOST_BYTES).contains(&bytes) => Ok(Self {
                text: text.to_owned(),
                bytes,
            }),
            _ => Err(InvalidMemoryAmount),
        }
    }
}

impl fmt::Display for MemoryAmount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for MemoryAmount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Serialize for MemoryAmount {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}

impl<'de> Deserialize<'de> for MemoryAmount {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(serde::de::Error::custom)
    }
}

impl JsonSchema for MemoryAmount {
    fn schema_name() -> Cow<'static, str> {
        "MemoryAmount".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string", "pattern": r"^[0-9]{1,16}(\.[0-9]{1,3})?([KMGTP]i|[kMGTP])?$",
            "description": "An amount of memory, like `512Mi`, `2G` or `1.5Gi`: at most `1Pi`.",
        })
    }
}

/// A whole number, of 16 digits at most.
fn digits(text: &str) -> Option<u64> {
    let plain = (1..=16).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|_| plain)
}

/// How many thousandths a decimal number is that has three decimals at most; zeros after these say nothing.
fn thousandths(text: &str) -> Option<u64> {
    let (whole, decimals) = text.split_once('.').unwrap_or((text, "0"));
    let said = decimals.trim_end_matches('0');
    let given = !decimals.is_empty() && decimals.bytes().all(|byte| byte.is_ascii_digit());
    if !given || said.len() > 3 {
        return None;
    }
    let part: u64 = format!("{said:0<3}").parse().ok()?;
    digits(whole)?.checked_mul(1000)?.checked_add(part)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cores_are_read_as_numbers_and_quantities_and_written_as_kubernetes_does() {
        for (text, shown, json) in [
            ("2", "2", "2"),
            ("0.5", "500m", "0.5"),
            ("500m", "500m", "0.5"),
            ("2000m", "2", "2"),
            ("1.250", "1250m", "1.25"),
            ("0.001", "1m", "0.001"),
            ("1024", "1024", "1024"),
            ("0.29", "290m", "0.29"),
        ] {
            let cores: CpuCores = text.parse().unwrap();
            assert_eq!(cores.to_string(), shown, "{text}");
            assert_eq!(serde_json::to_string(&cores).unwrap(), json, "{text}");
            assert_eq!(serde_json::from_str::<CpuCores>(json).unwrap(), cores, "{text}");
        }
        for wrong in [
            "", "m", "0", "0.0005", "-1", "1024.001", "1e3", ".5", "1.", "+1", " 1", "0m", "1,5", "NaN",
        ] {
            assert_eq!(wrong.parse::<CpuCores>(), Err(InvalidCpuCores), "{wrong}");
        }
        for wrong in ["0", "-1", "1e9", "0.0001", "\"1\"", "1025", "true"] {
            assert!(serde_json::from_str::<CpuCores>(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn amounts_of_memory_have_the_units_of_kubernetes_and_an_upper_bound() {
        for (text, bytes) in [
            ("1", 1),
            ("512Mi", 512 << 20),
            ("1.5Gi", 3 << 29),
            ("2G", 2_000_000_000),
            ("0.001k", 1),
            ("1Pi", 1 << 50),
        ] {
            let amount: MemoryAmount = text.parse().unwrap();
            assert_eq!((amount.bytes(), amount.as_str()), (bytes, text));
        }
        for wrong in [
            "",
            "Mi",
            "0",
            "-1Mi",
            "1mi",
            "1 Mi",
            "2Pi",
            "1e3",
            "1E",
            "1.0001Gi",
            "99999999999999999",
            "1m",
            "+1Gi",
        ] {
            assert_eq!(wrong.parse::<MemoryAmount>(), Err(InvalidMemoryAmount), "{wrong}");
        }
    }
}
