//! A credential of the control plane as a Secret among those that are for projects. Pure.

use std::collections::BTreeMap;

use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::Secret;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use reeve_admission::names;
use reeve_crds::desired::{Credential, Scope};
use reeve_types::CredentialAssetId;

/// The name of its Secret where Secrets for projects lie: those of different scopes may have the same name.
pub fn source_name(id: CredentialAssetId) -> String {
    format!("credential-{id}")
}

/// `namespace/name` of its Secret there: what its copies are copied from.
pub fn origin(id: CredentialAssetId) -> String {
    format!("{}/{}", names::SECRETS_NAMESPACE, source_name(id))
}

/// The Secret; `None` without values.
pub fn source(credential: &Credential) -> Option<Secret> {
    let values = credential.values.as_ref()?;
    let data = values
        .iter()
        .map(|(key, value)| (key.to_owned(), ByteString(value.expose().as_bytes().to_vec())));
    Some(Secret {
        metadata: ObjectMeta {
            name: Some(source_name(credential.id)),
            namespace: Some(names::SECRETS_NAMESPACE.to_owned()),
            labels: Some(labels(credential)),
            ..ObjectMeta::default()
        },
        type_: Some(credential.kind.secret_type().to_owned()),
        data: Some(data.collect()),
        ..Secret::default()
    })
}

/// Whose it is, what its copies are called, and whom it is for.
fn labels(credential: &Credential) -> BTreeMap<String, String> {
    let (key, value) = match credential.scope {
        Scope::Cluster => (names::TO_CLUSTER, names::ON.to_owned()),
        Scope::Department(id) => (names::TO_DEPARTMENT, id.to_string()),
        Scope::Project(id) => (names::TO_PROJECT, id.to_string()),
    };
    let mut labels = BTreeMap::from([
        (names::CREDENTIAL.to_owned(), credential.id.to_string()),
        (names::COPY_NAME.to_owned(), credential.name.to_string()),
        (
            names::SECRET_KIND_KEYS[0].to_owned(),
            credential.kind.resource().to_owned(),
        ),
        (key.to_owned(), value),
    ]);
    if credential.account_wide {
        labels.insert(names::ACCOUNT_WIDE.to_owned(), names::ON.to_owned());
    }
    labels
}

/// The credential that a Secret there is of.
pub fn credential_of(source: &Secret) -> Option<CredentialAssetId> {
    let labels = source.metadata.labels.as_ref()?;
    labels.get(names::CREDENTIAL)?.parse().ok()
}

/// Whether what is there is what is to be there.
pub fn is_same(actual: &Secret, wanted: &Secret) -> bool {
    actual.data == wanted.data
        && actual.type_ == wanted.type_
        && actual.metadata.labels == wanted.metadata.labels
        && actual.immutable != Some(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn credential(scope: serde_json::Value) -> Credential {
        let wire = serde_json::json!({
            "id": "123e4567-e89b-12d3-a456-426614174000", "name": "registry", "kind": "dockerRegistry", "scope": scope,
            "stamp": "1", "values": {".dockerconfigjson": "{}"},
        });
        serde_json::from_value(wire).unwrap()
    }

    #[test]
    fn a_credential_is_a_source_that_says_whom_it_is_for() {
        for (scope, label) in [
            (
                serde_json::json!({"type": "cluster"}),
                ("reeve.dev/cluster-wide", "true"),
            ),
            (
                serde_json::json!({"type": "department", "id": "7"}),
                ("reeve.dev/department", "7"),
            ),
            (
                serde_json::json!({"type": "project", "id": "3"}),
                ("reeve.dev/to-project", "3"),
            ),
        ] {
            let credential = credential(scope);
            let secret = source(&credential).unwrap();
            let labels = secret.metadata.labels.clone().unwrap();
            assert_eq!(labels[label.0], label.1);
            assert_eq!(labels["reeve.dev/copy-name"], "registry");
            assert_eq!(labels["run.ai/resource"], "docker-registry");
            assert_eq!(secret.type_.as_deref(), Some("kubernetes.io/dockerconfigjson"));
            assert_eq!(credential_of(&secret), Some(credential.id));
            assert!(is_same(&secret, &secret));
            let closed = Credential {
                values: None,
                ..credential
            };
            assert_eq!(source(&closed), None, "what a cluster has stays");
        }
    }
}
