//! Resource types, made of `roles.txt`.

use std::fmt;
use std::str::FromStr;

use crate::word::{UnknownWord, word};

include!(concat!(env!("OUT_DIR"), "/entities.rs"));

impl fmt::Display for Entity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.wire_name())
    }
}

impl FromStr for Entity {
    type Err = UnknownWord;

    fn from_str(text: &str) -> Result<Self, UnknownWord> {
        word("resource type", text, &Self::ALL, Self::wire_name)
    }
}
