//! The part of CBOR (RFC 8949) that authenticators send, in the only form in which they may (CTAP2, section 8): lengths are given,
//! integers are as short as can be, there are no tags and no floats, and a key of a map comes once.

use crate::refused::Refused;

/// How deep values may lie in each other. CTAP2 allows four.
const DEEPEST: usize = 4;
/// How many values a list or map has at most.
const MOST_VALUES: u64 = 32;

/// A value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Value<'a> {
    Integer(i64),
    Bytes(&'a [u8]),
    Text(&'a str),
    List(Vec<Self>),
    Map(Vec<(Self, Self)>),
    Boolean(bool),
    Null,
}

impl<'a> Value<'a> {
    /// What a map has under a key; none of anything else.
    fn get(&self, key: &Value<'_>) -> Option<&Self> {
        let Self::Map(entries) = self else { return None };
        entries
            .iter()
            .find_map(|(its, value)| (its == key).then_some(value))
    }

    /// What a map has under a name.
    pub(crate) fn named(&self, name: &str) -> Option<&Self> {
        self.get(&Value::Text(name))
    }

    /// What a map has under a number.
    pub(crate) fn numbered(&self, number: i64) -> Option<&Self> {
        self.get(&Value::Integer(number))
    }

    pub(crate) const fn integer(&self) -> Option<i64> {
        match self {
            Self::Integer(number) => Some(*number),
            _ => None,
        }
    }

    pub(crate) const fn bytes(&self) -> Option<&'a [u8]> {
        match self {
            Self::Bytes(bytes) => Some(bytes),
            _ => None,
        }
    }

    pub(crate) const fn text(&self) -> Option<&'a str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// How many entries a map has; none of anything else.
    pub(crate) const fn entries(&self) -> Option<usize> {
        match self {
            Self::Map(entries) => Some(entries.len()),
            _ => None,
        }
    }
}

/// The one value that the bytes are.
pub(crate) fn whole(bytes: &[u8]) -> Result<Value<'_>, Refused> {
    match first(bytes)? {
        (value, []) => Ok(value),
        _ => Err(Refused::Cbor),
    }
}

/// The value with which the bytes begin, and what follows it.
pub(crate) fn first(bytes: &[u8]) -> Result<(Value<'_>, &[u8]), Refused> {
    let mut reader = Reader { rest: bytes };
    let value = reader.value(DEEPEST)?;
    Ok((value, reader.rest))
}

struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    fn take(&mut self, count: u64) -> Result<&'a [u8], Refused> {
        let count = usize::try_from(count).map_err(|_| Refused::Cbor)?;
        let (taken, rest) = self.rest.split_at_checked(count).ok_or(Refused::Cbor)?;
        self.rest = rest;
        Ok(taken)
    }

    /// The number of a head, whose first byte said `low`; refused where fewer bytes would have said the same.
    fn number(&mut self, low: u8) -> Result<u64, Refused> {
        let (bytes, shortest) = match low {
            0..=23 => return Ok(u64::from(low)),
            24 => (1, 24),
            25 => (2, 1 << 8),
            26 => (4, 1 << 16),
            27 => (8, 1 << 32),
            _ => return Err(Refused::Cbor),
        };
        let number = self
            .take(bytes)?
            .iter()
            .fold(0_u64, |number, byte| (number << 8) | u64::from(*byte));
        if number < shortest {
            return Err(Refused::Cbor);
        }
        Ok(number)
    }

    fn count(&mut self, low: u8) -> Result<u64, Refused> {
        let count = self.number(low)?;
        if count > MOST_VALUES {
            return Err(Refused::Cbor);
        }
        Ok(count)
    }

    fn value(&mut self, depth: usize) -> Result<Value<'a>, Refused> {
        let head = self.take(1)?.first().copied().ok_or(Refused::Cbor)?;
        let (major, low) = (head >> 5, head & 0x1f);
        match major {
            0 => i64::try_from(self.number(low)?)
                .map(Value::Integer)
                .map_err(|_| Refused::Cbor),
            1 => i64::try_from(self.number(low)?)
                .map(|number| Value::Integer(-1 - number))
                .map_err(|_| Refused::Cbor),
            2 => {
                let length = self.number(low)?;
                self.take(length).map(Value::Bytes)
            }
            3 => {
                let length = self.number(low)?;
                let text = std::str::from_utf8(self.take(length)?).map_err(|_| Refused::Cbor)?;
                Ok(Value::Text(text))
            }
            4 => self.list(low, deeper(depth)?),
            5 => self.map(low, deeper(depth)?),
            7 => match low {
                20 => Ok(Value::Boolean(false)),
                21 => Ok(Value::Boolean(true)),
                22 => Ok(Value::Null),
                _ => Err(Refused::Cbor),
            },
            _ => Err(Refused::Cbor),
        }
    }

    fn list(&mut self, low: u8, depth: usize) -> Result<Value<'a>, Refused> {
        let mut values = Vec::new();
        for _ in 0..self.count(low)? {
            values.push(self.value(depth)?);
        }
        Ok(Value::List(values))
    }

    fn map(&mut self, low: u8, depth: usize) -> Result<Value<'a>, Refused> {
        let mut entries: Vec<(Value<'a>, Value<'a>)> = Vec::new();
        for _ in 0..self.count(low)? {
            let key = self.value(depth)?;
            if !matches!(key, Value::Integer(_) | Value::Text(_)) {
                return Err(Refused::Cbor);
            }
            if entries.iter().any(|(its, _)| *its == key) {
                return Err(Refused::Cbor);
            }
            let value = self.value(depth)?;
            entries.push((key, value));
        }
        Ok(Value::Map(entries))
    }
}

fn deeper(depth: usize) -> Result<usize, Refused> {
    depth.checked_sub(1).ok_or(Refused::Cbor)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// RFC 8949, appendix A, as far as authenticators send it.
    #[test]
    fn values_are_those_of_the_standard() {
        let reads = |bytes: &[u8], value: Value<'_>| assert_eq!(whole(bytes), Ok(value), "{bytes:02x?}");
        reads(&[0x00], Value::Integer(0));
        reads(&[0x17], Value::Integer(23));
        reads(&[0x18, 0x18], Value::Integer(24));
        reads(&[0x19, 0x03, 0xe8], Value::Integer(1000));
        reads(&[0x1a, 0x00, 0x0f, 0x42, 0x40], Value::Integer(1_000_000));
        reads(&[0x20], Value::Integer(-1));
        reads(&[0x38, 0x63], Value::Integer(-100));
        reads(&[0x39, 0x01, 0x00], Value::Integer(-257));
        reads(&[0x44, 1, 2, 3, 4], Value::Bytes(&[1, 2, 3, 4]));
        reads(&[0x64, b'I', b'E', b'T', b'F'], Value::Text("IETF"));
        reads(&[0xf4], Value::Boolean(false));
        reads(&[0xf5], Value::Boolean(true));
        reads(&[0xf6], Value::Null);
        let numbers = [1, 2, 3].map(Value::Integer).to_vec();
        reads(&[0x83, 1, 2, 3], Value::List(numbers));
        let entry = (Value::Text("a"), Value::Integer(1));
        reads(&[0xa1, 0x61, b'a', 1], Value::Map(vec![entry]));
    }

    #[test]
    fn what_has_another_form_is_refused() {
        for (why, bytes) in [
            ("nothing", &[][..]),
            ("more than one", &[0x00, 0x00]),
            ("a long 23", &[0x18, 0x17]),
            ("a long 255", &[0x19, 0x00, 0xff]),
            ("a long 65535", &[0x1a, 0x00, 0x00, 0xff, 0xff]),
            ("a long length", &[0x58, 0x01, 0x00]),
            ("more than fits", &[0x1b, 0x80, 0, 0, 0, 0, 0, 0, 0]),
            ("cut off", &[0x44, 1, 2, 3]),
            (
                "a length without an end",
                &[0x5b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
            ),
            ("no length", &[0x5f, 0x41, 1, 0xff]),
            ("a map without a length", &[0xbf, 0xff]),
            ("a tag", &[0xc0, 0x00]),
            ("a float", &[0xf9, 0x00, 0x00]),
            ("undefined", &[0xf7]),
            ("a key twice", &[0xa2, 1, 1, 1, 2]),
            ("a list as a key", &[0xa1, 0x80, 1]),
            ("no text", &[0x61, 0xff]),
            ("five deep", &[0x81, 0x81, 0x81, 0x81, 0x81, 0x00]),
            ("too many", &[0x98, 0x21]),
        ] {
            assert_eq!(whole(bytes), Err(Refused::Cbor), "{why}");
        }
        assert!(whole(&[0x81, 0x81, 0x81, 0x81, 0x00]).is_ok(), "four deep");
    }

    proptest! {
        #[test]
        fn whatever_comes_is_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
            if let Ok((_, rest)) = first(&bytes) {
                prop_assert!(bytes.ends_with(rest) && rest.len() < bytes.len());
            }
        }
    }
}
