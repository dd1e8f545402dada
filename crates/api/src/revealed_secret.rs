//! A secret on its one way out.

use std::borrow::Cow;
use std::fmt;

use reeve_types::Secret;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Serialize, Serializer};

/// A secret that an answer shows to the caller: a new password, a client secret, a token. It serializes, which
/// [`Secret`] does not; it still cannot be printed.
#[derive(Clone, Deserialize)]
#[serde(transparent)]
pub struct RevealedSecret(Secret);

impl RevealedSecret {
    /// The text itself.
    pub fn expose(&self) -> &str {
        self.0.expose()
    }
}

impl From<Secret> for RevealedSecret {
    fn from(secret: Secret) -> Self {
        Self(secret)
    }
}

impl JsonSchema for RevealedSecret {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "ShownSecret".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        Secret::json_schema(generator)
    }
}

impl Serialize for RevealedSecret {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.0.expose())
    }
}

impl fmt::Debug for RevealedSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[secret]")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_goes_out_as_text_and_prints_as_nothing() {
        let shown = RevealedSecret::from(Secret::new("hunter2"));
        assert_eq!(serde_json::to_string(&shown).unwrap(), "\"hunter2\"");
        assert_eq!(format!("{shown:?}"), "[secret]");
    }
}
