//! The kinds of changes that there are, read from the type itself: what the suite draws is compared with that, so that a new kind
//! cannot be forgotten.

use serde::de::value::Error;
use serde::de::{Error as _, Visitor};
use serde::{Deserialize, Deserializer, forward_to_deserialize_any};

use crate::DirectoryChange;

/// Every kind of [`DirectoryChange`], by the name that it is kept by, in the order of the type.
pub fn kinds_of_change() -> &'static [&'static str] {
    let mut kinds: &'static [&'static str] = &[];
    let refused = DirectoryChange::deserialize(Variants(&mut kinds));
    assert!(refused.is_err() && !kinds.is_empty(), "the type is an enum");
    kinds
}

/// Reads nothing: keeps which variants the type that is asked for has.
struct Variants<'k>(&'k mut &'static [&'static str]);

impl<'de> Deserializer<'de> for Variants<'_> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Error> {
        Err(Error::custom("not an enum"))
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        variants: &'static [&'static str],
        _: V,
    ) -> Result<V::Value, Error> {
        *self.0 = variants;
        Err(Error::custom("its variants are all that is asked for"))
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 u8 u16 u32 u64 f32 f64 char str string bytes byte_buf option unit unit_struct newtype_struct seq tuple
        tuple_struct map struct identifier ignored_any
    }
}
