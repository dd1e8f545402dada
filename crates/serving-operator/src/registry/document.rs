//! What a registry keeps of an image: an index, a manifest, a configuration.

use std::collections::BTreeMap;

use serde::Deserialize;
use sha2::{Digest as _, Sha256};

/// The kinds of documents that are asked for: of OCI and of Docker.
pub(super) const MANIFESTS: &str = "application/vnd.oci.image.index.v1+json, \
     application/vnd.docker.distribution.manifest.list.v2+json, \
     application/vnd.oci.image.manifest.v1+json, \
     application/vnd.docker.distribution.manifest.v2+json";

/// A digest, by SHA-256; what registries write otherwise is nothing that could be checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Digest(String);

impl Digest {
    pub(super) fn parse(text: &str) -> Option<Self> {
        let hex = text.strip_prefix("sha256:")?;
        let good = hex.len() == 64
            && hex
                .bytes()
                .all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
        good.then(|| Self(text.to_owned()))
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }

    pub(super) fn is_of(&self, bytes: &[u8]) -> bool {
        let found: String = Sha256::digest(bytes)
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        self.0.strip_prefix("sha256:") == Some(found.as_str())
    }
}

/// An index or a manifest.
#[derive(Debug, Deserialize)]
pub(super) struct Document {
    #[serde(default)]
    manifests: Vec<Descriptor>,
    config: Option<Descriptor>,
}

#[derive(Debug, Deserialize)]
struct Descriptor {
    digest: String,
    platform: Option<Platform>,
}

#[derive(Debug, Deserialize)]
struct Platform {
    #[serde(default)]
    os: String,
    #[serde(default)]
    architecture: String,
}

/// Where a document leads.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// To a manifest of an index.
    Manifest(Digest),
    /// To a configuration.
    Config(Digest),
    /// Nowhere for linux/amd64.
    NoPlatform,
    /// It cannot be read.
    Unreadable,
}

impl Document {
    pub(super) fn next(&self) -> Next {
        let digest = |descriptor: &Descriptor| Digest::parse(&descriptor.digest);
        if let Some(config) = &self.config {
            return digest(config).map_or(Next::Unreadable, Next::Config);
        }
        if self.manifests.is_empty() {
            return Next::Unreadable;
        }
        let fitting = self.manifests.iter().find(|manifest| {
            let platform = manifest.platform.as_ref();
            platform.is_some_and(|p| p.os == "linux" && p.architecture == "amd64")
        });
        match fitting {
            Some(manifest) => digest(manifest).map_or(Next::Unreadable, Next::Manifest),
            None => Next::NoPlatform,
        }
    }
}

#[derive(Debug, Deserialize)]
struct ImageConfig {
    config: Option<ContainerConfig>,
}

#[derive(Debug, Deserialize)]
struct ContainerConfig {
    #[serde(rename = "Labels")]
    labels: Option<BTreeMap<String, String>>,
}

/// The labels of a configuration.
pub(super) fn labels(config: &[u8]) -> Option<BTreeMap<String, String>> {
    let config: ImageConfig = serde_json::from_slice(config).ok()?;
    Some(config.config.and_then(|config| config.labels).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_whole_sha256_is_a_digest() {
        let digest =
            Digest::parse("sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855").unwrap();
        assert!(digest.is_of(b"") && !digest.is_of(b"x"));
        for wrong in [
            "sha256:e3b0",
            "md5:e3b0",
            "sha256:../../etc/passwd",
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4",
        ] {
            assert_eq!(Digest::parse(wrong), None, "{wrong}");
        }
    }
}
