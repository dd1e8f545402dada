//! Kinds of credentials that the control plane keeps (control-plane 4.4), and what each is in a cluster.

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A kind of credential, by the reference's word for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum CredentialAssetKind {
    /// Id and secret of an access key, as of S3.
    AccessKey,
    /// User and password.
    Password,
    /// Address, user and password of a registry: images are pulled by it.
    DockerRegistry,
    /// Pairs of key and value.
    GenericSecret,
    /// A key of the NGC catalogue.
    NgcApiKey,
}

impl CredentialAssetKind {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::AccessKey,
        Self::Password,
        Self::DockerRegistry,
        Self::GenericSecret,
        Self::NgcApiKey,
    ];

    /// As it is kept and shown.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::AccessKey => "accessKey",
            Self::Password => "password",
            Self::DockerRegistry => "dockerRegistry",
            Self::GenericSecret => "genericSecret",
            Self::NgcApiKey => "ngcApiKey",
        }
    }

    /// As it is called in paths and on the command line; the reference's value of the label `run.ai/resource`, too.
    pub const fn slug(self) -> &'static str {
        match self {
            Self::AccessKey => "access-key",
            Self::Password => "password",
            Self::DockerRegistry => "docker-registry",
            Self::GenericSecret => "generic-secret",
            Self::NgcApiKey => "ngc-api-key",
        }
    }

    /// The type of the Secret that it becomes.
    pub const fn secret_type(self) -> &'static str {
        match self {
            Self::DockerRegistry => crate::kubernetes::REGISTRY_TYPES[0],
            _ => "Opaque",
        }
    }

    /// What the label `run.ai/resource` of the Secret says (cluster-and-cli 4.1).
    pub const fn resource(self) -> &'static str {
        match self {
            Self::GenericSecret => "generic",
            other => other.slug(),
        }
    }
}

impl fmt::Display for CredentialAssetKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for CredentialAssetKind {
    type Err = String;

    /// Takes both spellings.
    fn from_str(text: &str) -> Result<Self, String> {
        let found = Self::ALL
            .into_iter()
            .find(|kind| kind.as_str() == text || kind.slug() == text);
        found.ok_or_else(|| {
            let all: Vec<&str> = Self::ALL.iter().map(|kind| kind.slug()).collect();
            format!(
                "this is no kind of credential: one of {} is needed",
                all.join(", ")
            )
        })
    }
}
