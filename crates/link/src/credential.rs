//! Credentials on their way into a cluster.
//!
//! What a server keeps of its clusters' desired state has no values ([`Credential::values`] is absent): they are opened when
//! it is sent, over TLS, to the one cluster that is to have them. Nothing prints them.

use std::collections::BTreeMap;
use std::fmt;

use reeve_types::{CredentialAssetId, CredentialAssetKind, CredentialAssetName, Secret};
use serde::{Deserialize, Serialize, Serializer};

use crate::scope::Scope;

/// A credential of this cluster.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Credential {
    /// Its id.
    pub id: CredentialAssetId,
    /// Its name: that of the Secrets in projects.
    pub name: CredentialAssetName,
    /// What it is.
    pub kind: CredentialAssetKind,
    /// Whose it is.
    pub scope: Scope,
    /// Whether it is the whole account's: then that of a cluster comes before it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub account_wide: bool,
    /// Changes with every change of the values, and says nothing of them.
    pub stamp: String,
    /// The data of the Secret. Absent where they are kept, and where the control plane cannot open them: what a cluster has stays.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub values: Option<CredentialValues>,
}

/// The data of a Secret, as text. It cannot be printed.
#[derive(Clone, Default, Deserialize)]
#[serde(transparent)]
pub struct CredentialValues(BTreeMap<String, Secret>);

impl CredentialValues {
    /// These.
    pub const fn new(values: BTreeMap<String, Secret>) -> Self {
        Self(values)
    }

    /// Key by key.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Secret)> {
        self.0.iter().map(|(key, value)| (key.as_str(), value))
    }
}

impl PartialEq for CredentialValues {
    fn eq(&self, other: &Self) -> bool {
        let exposed = |(key, value): (&str, &Secret)| (key.to_owned(), value.expose().to_owned());
        self.iter().map(exposed).eq(other.iter().map(exposed))
    }
}

impl Eq for CredentialValues {}

impl fmt::Debug for CredentialValues {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[secret]")
    }
}

impl Serialize for CredentialValues {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.iter().map(|(key, value)| (key, value.expose())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_go_over_the_wire_and_into_no_print() {
        let wire = serde_json::json!({
            "id": "123e4567-e89b-12d3-a456-426614174000", "name": "registry", "kind": "dockerRegistry",
            "scope": {"type": "cluster"}, "accountWide": true, "stamp": "1", "values": {"a": "canary"},
        });
        let credential: Credential = serde_json::from_value(wire.clone()).unwrap();
        assert_eq!(serde_json::to_value(&credential).unwrap(), wire);
        assert!(!format!("{credential:?}").contains("canary"));
        let without = Credential {
            values: None,
            ..credential.clone()
        };
        assert!(!serde_json::to_string(&without).unwrap().contains("canary"));
        assert_ne!(without, credential);
    }
}
