//! The bodies of each kind: what is secret, and what of it may be shown.

use reeve_types::{CredentialAssetKind, Secret};
use schemars::JsonSchema;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};

use super::{CreateAssetMeta, CredentialSpec, ShownKey, UpdateAssetMeta};
use crate::body::fields::{Unsupported, filled};
use crate::body::{Body, InvalidBody, TypedBody};

/// The longest value, and the most bytes of all values of one: far above need, and so that several fit a part of the link.
const VALUE: usize = 64 * 1024;
/// The longest user, address or key, in bytes.
const NAME: usize = 1024;
/// How many pairs a generic secret has at most.
const PAIRS: usize = 100;

/// Values of one kind of credential.
pub trait CredentialBody: Clone + Send + Sync + 'static {
    /// Which kind.
    const KIND: CredentialAssetKind;
    /// The body that makes one.
    type Create: Body + Into<(CreateAssetMeta, Self)> + Send + 'static;
    /// The body that changes one.
    type Update: Body + Into<(Option<UpdateAssetMeta>, Option<Self>)> + Send + 'static;
    /// What of it may be shown, without the number of the key.
    fn shown(&self) -> CredentialSpec;
}

/// A value that is not empty and not too long.
fn secret<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Secret, D::Error> {
    let secret = Secret::deserialize(deserializer)?;
    match secret.expose().len() {
        0 => Err(D::Error::missing_field("")),
        length if length > VALUE => Err(D::Error::custom(format_args!(
            "at most {VALUE} bytes are possible"
        ))),
        _ => Ok(secret),
    }
}

/// The two bodies of a kind.
macro_rules! bodies {
    ($values:ident, $kind:ident, $create:ident, $update:ident, $what:literal, $example:tt, |$this:ident| $shown:expr) => {
        #[doc = concat!("Makes ", $what, ".")]
        #[derive(Debug, Clone, Deserialize, JsonSchema)]
        #[serde(deny_unknown_fields)]
        #[schemars(example = serde_json::json!({"meta": {"name": "registry", "scope": "project", "projectId": 33}, "spec": $example}))]
        pub struct $create {
            /// Name and scope.
            pub meta: CreateAssetMeta,
            /// The values.
            pub spec: $values,
        }

        impl TypedBody for $create {
            fn check(&self) -> Result<(), InvalidBody> {
                self.meta.scope()?;
                self.spec.check()
            }
        }

        impl From<$create> for (CreateAssetMeta, $values) {
            fn from(body: $create) -> Self {
                (body.meta, body.spec)
            }
        }

        #[doc = concat!("Changes ", $what, ": description, values, or both. The reference knows the description alone.")]
        #[derive(Debug, Clone, Deserialize, JsonSchema)]
        #[serde(deny_unknown_fields)]
        #[schemars(example = serde_json::json!({"meta": {"description": "of the build"}, "spec": $example}))]
        pub struct $update {
            /// The description; absent leaves it.
            #[serde(default)]
            pub meta: Option<UpdateAssetMeta>,
            /// All values; absent leaves them.
            #[serde(default)]
            pub spec: Option<$values>,
        }

        impl TypedBody for $update {
            fn check(&self) -> Result<(), InvalidBody> {
                self.spec.as_ref().map_or(Ok(()), $values::check)
            }
        }

        impl From<$update> for (Option<UpdateAssetMeta>, Option<$values>) {
            fn from(body: $update) -> Self {
                (body.meta, body.spec)
            }
        }

        impl CredentialBody for $values {
            const KIND: CredentialAssetKind = CredentialAssetKind::$kind;
            type Create = $create;
            type Update = $update;

            fn shown(&self) -> CredentialSpec {
                let $this = self;
                $shown
            }
        }
    };
}

/// Id and secret of an access key.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AccessKeyValues {
    /// The id: shown again.
    #[serde(deserialize_with = "filled::<_, NAME>")]
    pub access_key_id: String,
    /// The secret half of the key: never shown again.
    #[serde(deserialize_with = "secret")]
    pub secret_access_key: Secret,
    /// A Secret that is in a cluster already needs no credential: a label is enough.
    #[serde(default)]
    #[expect(dead_code, reason = "its own parser refuses what it asks for")]
    existing_secret_name: Unsupported,
}

/// User and password.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PasswordValues {
    /// The user: shown again.
    #[serde(deserialize_with = "filled::<_, NAME>")]
    pub user: String,
    /// The password: never shown again.
    #[serde(deserialize_with = "secret")]
    pub password: Secret,
    /// A Secret that is in a cluster already needs no credential: a label is enough.
    #[serde(default)]
    #[expect(dead_code, reason = "its own parser refuses what it asks for")]
    existing_secret_name: Unsupported,
}

/// Address, user and password of a registry.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DockerRegistryValues {
    /// The registry's address, as images name it: shown again.
    #[serde(deserialize_with = "filled::<_, NAME>")]
    pub url: String,
    /// The user: shown again.
    #[serde(deserialize_with = "filled::<_, NAME>")]
    pub user: String,
    /// The password or token.
    #[serde(deserialize_with = "secret")]
    pub password: Secret,
    /// A Secret that is in a cluster already needs no credential: a label is enough.
    #[serde(default)]
    #[expect(dead_code, reason = "its own parser refuses what it asks for")]
    existing_secret_name: Unsupported,
}

/// Pairs of key and value.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct GenericSecretValues {
    /// The pairs, each key once: the keys are shown again, the values are not.
    pub key_value_pairs: Vec<KeyValuePair>,
    /// A Secret that is in a cluster already needs no credential: a label is enough.
    #[serde(default)]
    #[expect(dead_code, reason = "its own parser refuses what it asks for")]
    existing_secret_name: Unsupported,
}

/// One of them.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct KeyValuePair {
    /// The key: letters, digits, `-`, `_` and `.`, as Kubernetes has it.
    #[serde(deserialize_with = "key")]
    pub key: String,
    /// Its value: never shown again.
    #[serde(deserialize_with = "secret")]
    pub value: Secret,
}

/// A key of the NGC catalogue.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NgcApiKeyValues {
    /// The key: letters, digits, `-`, `_` and `.`.
    #[serde(deserialize_with = "ngc")]
    pub ngc_api_key: Secret,
}

fn is_word(text: &str) -> bool {
    text.bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || b"-._".contains(&byte))
}

fn key<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let key = filled::<_, 253>(deserializer)?;
    if is_word(&key) && key != "." && !key.starts_with("..") {
        Ok(key)
    } else {
        Err(D::Error::custom(
            "letters, digits, `-`, `_` and `.` are possible in a key",
        ))
    }
}

fn ngc<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Secret, D::Error> {
    let secret = secret(deserializer)?;
    if is_word(secret.expose()) {
        Ok(secret)
    } else {
        Err(D::Error::custom(
            "letters, digits, `-`, `_` and `.` are possible in such a key",
        ))
    }
}

impl AccessKeyValues {
    const fn check(&self) -> Result<(), InvalidBody> {
        Ok(())
    }
}

impl PasswordValues {
    const fn check(&self) -> Result<(), InvalidBody> {
        Ok(())
    }
}

impl NgcApiKeyValues {
    const fn check(&self) -> Result<(), InvalidBody> {
        Ok(())
    }
}

impl DockerRegistryValues {
    /// A colon ends the user's name where both are written in one.
    fn check(&self) -> Result<(), InvalidBody> {
        if self.user.contains(':') {
            return Err(InvalidBody::wrong(
                "spec.user",
                "a colon is not possible in the user of a registry",
            ));
        }
        Ok(())
    }
}

impl GenericSecretValues {
    fn check(&self) -> Result<(), InvalidBody> {
        let path = "spec.keyValuePairs";
        let pairs = &self.key_value_pairs;
        if pairs.is_empty() {
            return Err(InvalidBody::Missing {
                path: path.to_owned(),
            });
        }
        if pairs.len() > PAIRS {
            return Err(InvalidBody::wrong(
                path,
                format!("at most {PAIRS} pairs are possible"),
            ));
        }
        let bytes: usize = pairs.iter().map(|pair| pair.value.expose().len()).sum();
        if bytes > VALUE {
            return Err(InvalidBody::wrong(
                path,
                format!("at most {VALUE} bytes are possible in all values together"),
            ));
        }
        let mut keys: Vec<&str> = pairs.iter().map(|pair| pair.key.as_str()).collect();
        keys.sort_unstable();
        keys.dedup();
        if keys.len() < pairs.len() {
            return Err(InvalidBody::wrong(path, "a key is there twice"));
        }
        Ok(())
    }
}

bodies!(AccessKeyValues, AccessKey, CreateAccessKey, UpdateAccessKey, "an access key",
    {"accessKeyId": "AKIA0", "secretAccessKey": "..."},
    |this| CredentialSpec { access_key_id: Some(this.access_key_id.clone()), ..CredentialSpec::default() });
bodies!(PasswordValues, Password, CreatePassword, UpdatePassword, "a user and password",
    {"user": "robot", "password": "..."},
    |this| CredentialSpec { user: Some(this.user.clone()), ..CredentialSpec::default() });
bodies!(DockerRegistryValues, DockerRegistry, CreateDockerRegistry, UpdateDockerRegistry, "the credential of a registry",
    {"url": "registry.example.org", "user": "robot", "password": "..."},
    |this| CredentialSpec { url: Some(this.url.clone()), user: Some(this.user.clone()), ..CredentialSpec::default() });
bodies!(GenericSecretValues, GenericSecret, CreateGenericSecret, UpdateGenericSecret, "a generic secret",
{"keyValuePairs": [{"key": "token", "value": "..."}]},
|this| CredentialSpec {
    key_value_pairs: Some(this.key_value_pairs.iter().map(|pair| ShownKey { key: pair.key.clone() }).collect()),
    ..CredentialSpec::default()
});
bodies!(NgcApiKeyValues, NgcApiKey, CreateNgcApiKey, UpdateNgcApiKey, "a key of the NGC catalogue",
    {"ngc_api_key": "nvapi-0"},
    |_this| CredentialSpec::default());

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal<T: Body>(text: &str) -> String {
        T::parse(text.as_bytes()).err().unwrap().to_string()
    }

    #[test]
    fn a_refusal_names_the_field_and_repeats_no_value() {
        let meta = r#""meta":{"name":"r","scope":"tenant"}"#;
        for (spec, wanted) in [
            (r#"{"url":"r.example","user":"u"}"#, "`spec.password`"),
            (
                r#"{"url":"r.example","user":"canary:1","password":"canary"}"#,
                "`spec.user`",
            ),
            (
                r#"{"url":"r.example","user":"u","password":["canary"]}"#,
                "`spec.password`",
            ),
            (
                r#"{"url":"r.example","user":"u","password":"canary","existingSecretName":"canary"}"#,
                "`spec.existingSecretName`",
            ),
            (
                r#"{"url":"r.example","user":"u","password":"canary","token":"canary"}"#,
                "`spec.token`",
            ),
        ] {
            let said = refusal::<CreateDockerRegistry>(&format!("{{{meta},\"spec\":{spec}}}"));
            assert!(said.contains(wanted) && !said.contains("canary"), "{said}");
        }
        let pairs = format!(
            r#"{{{meta},"spec":{{"keyValuePairs":[{{"key":"a","value":"canary"}},{{"key":"a","value":"canary"}}]}}}}"#
        );
        assert_eq!(
            refusal::<CreateGenericSecret>(&pairs),
            "`spec.keyValuePairs`: a key is there twice"
        );
        let ngc = format!(r#"{{{meta},"spec":{{"ngc_api_key":"canary canary"}}}}"#);
        assert!(!refusal::<CreateNgcApiKey>(&ngc).contains("canary"));
    }

    #[test]
    fn a_scope_needs_its_own_id_and_no_narrower_one() {
        let of = |meta: &str| {
            let text = format!(r#"{{"meta":{{"name":"r",{meta}}},"spec":{{"user":"u","password":"p"}}}}"#);
            CreatePassword::parse(text.as_bytes())
                .map(|body| body.meta.scope().unwrap())
                .map_err(|e| e.to_string())
        };
        assert_eq!(of(r#""scope":"tenant""#).unwrap(), reeve_authz::Scope::Account);
        assert_eq!(
            of(r#""scope":"project","projectId":7"#),
            of(r#""scope":"project","projectId":"7""#)
        );
        assert_eq!(
            of(r#""scope":"project""#).unwrap_err(),
            "`meta.projectId` is missing"
        );
        assert_eq!(
            of(r#""scope":"cluster""#).unwrap_err(),
            "`meta.clusterId` is missing"
        );
        assert!(
            of(r#""scope":"tenant","projectId":7"#)
                .unwrap_err()
                .starts_with("`meta.projectId`: this is no part")
        );
        assert!(
            of(r#""scope":"project","projectId":"x""#)
                .unwrap_err()
                .contains("the number of a project")
        );
        assert!(of(r#""scope":"system""#).is_err());
    }

    #[test]
    fn values_are_not_printed() {
        let text = r#"{"meta":{"name":"r","scope":"tenant"},"spec":{"user":"u","password":"canary"}}"#;
        let body = CreatePassword::parse(text.as_bytes()).unwrap();
        assert!(!format!("{body:?} {:?}", body.spec.shown()).contains("canary"));
    }
}
