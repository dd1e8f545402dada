//! What a credential of each kind is as the data of a Secret.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use reeve_api::credential::{
    AccessKeyValues, CredentialBody, DockerRegistryValues, GenericSecretValues, NgcApiKeyValues,
    PasswordValues,
};
use reeve_types::Secret;
use serde_json::json;

/// Values that become a Secret.
pub(super) trait SecretValues: CredentialBody {
    /// The data.
    fn data(&self) -> BTreeMap<String, Secret>;
}

fn pairs<const N: usize>(of: [(&str, Secret); N]) -> BTreeMap<String, Secret> {
    of.into_iter()
        .map(|(key, value)| (key.to_owned(), value))
        .collect()
}

impl SecretValues for AccessKeyValues {
    fn data(&self) -> BTreeMap<String, Secret> {
        pairs([
            ("AccessKeyId", Secret::new(&self.access_key_id)),
            ("SecretKey", self.secret_access_key.clone()),
        ])
    }
}

impl SecretValues for PasswordValues {
    fn data(&self) -> BTreeMap<String, Secret> {
        pairs([
            ("username", Secret::new(&self.user)),
            ("password", self.password.clone()),
        ])
    }
}

impl SecretValues for DockerRegistryValues {
    /// As `kubectl create secret docker-registry` writes it.
    fn data(&self) -> BTreeMap<String, Secret> {
        let (user, password) = (&self.user, self.password.expose());
        let auth = STANDARD.encode(format!("{user}:{password}"));
        let entry = json!({"username": user, "password": password, "auth": auth});
        let config = json!({"auths": {self.url.as_str(): entry}});
        pairs([(".dockerconfigjson", Secret::new(config.to_string()))])
    }
}

impl SecretValues for GenericSecretValues {
    fn data(&self) -> BTreeMap<String, Secret> {
        let pairs = self.key_value_pairs.iter();
        pairs.map(|pair| (pair.key.clone(), pair.value.clone())).collect()
    }
}

impl SecretValues for NgcApiKeyValues {
    fn data(&self) -> BTreeMap<String, Secret> {
        pairs([("NGC_API_KEY", self.ngc_api_key.clone())])
    }
}
