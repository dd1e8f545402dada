//! Names and passwords of registries, out of pull secrets. They are used and forgotten: nothing here can be printed.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use k8s_openapi::api::core::v1::Secret as KubernetesSecret;
use reeve_types::Secret;
use serde::Deserialize;

/// A name and a password.
#[derive(Debug, Clone)]
pub struct Credentials {
    pub(super) username: Secret,
    pub(super) password: Secret,
}

/// A Secret is no pull secret. What is in it is not said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("it has no `.dockerconfigjson` or `.dockercfg` that can be read")]
pub struct InvalidPullSecret;

/// What pull secrets say of registries.
#[derive(Debug, Clone, Default)]
pub struct Keyring {
    /// Host and path as they were written, and whose they are.
    entries: Vec<(String, Credentials)>,
}

#[derive(Deserialize)]
struct Entry {
    username: Option<Secret>,
    password: Option<Secret>,
    auth: Option<Secret>,
}

#[derive(Deserialize)]
struct DockerConfig {
    #[serde(default)]
    auths: BTreeMap<String, Entry>,
}

impl Entry {
    fn credentials(self) -> Option<Credentials> {
        let filled = |secret: &Secret| !secret.expose().is_empty();
        if let (Some(username), Some(password)) = (self.username.filter(filled), self.password.filter(filled))
        {
            return Some(Credentials { username, password });
        }
        let both = STANDARD.decode(self.auth?.expose().trim()).ok()?;
        let both = String::from_utf8(both).ok()?;
        let (username, password) = both.split_once(':')?;
        Some(Credentials {
            username: Secret::new(username),
            password: Secret::new(password.trim_end_matches('\0')),
        })
    }
}

impl Keyring {
    /// Takes what a pull secret says.
    ///
    /// # Errors
    /// [`InvalidPullSecret`].
    pub fn add(&mut self, secret: &KubernetesSecret) -> Result<(), InvalidPullSecret> {
        let data = secret.data.as_ref().ok_or(InvalidPullSecret)?;
        let auths = if let Some(text) = data.get(".dockerconfigjson") {
            let config: DockerConfig = serde_json::from_slice(&text.0).map_err(|_| InvalidPullSecret)?;
            config.auths
        } else {
            let text = data.get(".dockercfg").ok_or(InvalidPullSecret)?;
            serde_json::from_slice(&text.0).map_err(|_| InvalidPullSecret)?
        };
        for (place, entry) in auths {
            if let Some(credentials) = entry.credentials() {
                self.entries.push((normal(&place), credentials));
            }
        }
        Ok(())
    }

    /// Those of a repository: of the longest path that it is under. `*` in a host stands for one label, as for the kubelet.
    pub fn of(&self, registry: &str, repository: &str) -> Option<&Credentials> {
        let wanted = normal(registry);
        let fits = |place: &str| {
            let (host, path) = place.split_once('/').unwrap_or((place, ""));
            let under = path.is_empty()
                || repository
                    .strip_prefix(path)
                    .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
            under && host_fits(host, &wanted)
        };
        let fitting = self.entries.iter().filter(|(place, _)| fits(place));
        // The first of those that are equally long: the order of the references counts.
        let longest = fitting.rev().max_by_key(|(place, _)| place.len());
        longest.map(|(_, credentials)| credentials)
    }
}

fn host_fits(pattern: &str, host: &str) -> bool {
    let (patterns, labels): (Vec<&str>, Vec<&str>) =
        (pattern.split('.').collect(), host.split('.').collect());
    patterns.len() == labels.len()
        && patterns
            .iter()
            .zip(&labels)
            .all(|(pattern, label)| pattern == label || *pattern == "*")
}

/// Without scheme, without the versions that Docker writes after a host; Docker Hub has one name.
fn normal(place: &str) -> String {
    let place = place
        .trim_start_matches("https://")
        .trim_start_matches("http://")
        .trim_end_matches('/');
    let place = place
        .strip_suffix("/v1")
        .or_else(|| place.strip_suffix("/v2"))
        .unwrap_or(place);
    let (host, path) = match place.split_once('/') {
        Some((host, path)) => (host, format!("/{path}")),
        None => (place, String::new()),
    };
    let host = match host.to_ascii_lowercase().as_str() {
        "index.docker.io" | "registry-1.docker.io" | "registry.hub.docker.com" => "docker.io".to_owned(),
        other => other.to_owned(),
    };
    format!("{host}{path}")
}

#[cfg(test)]
mod tests {
    use k8s_openapi::ByteString;
    use serde_json::json;

    use super::*;

    fn keyring(auths: serde_json::Value) -> Keyring {
        let text = json!({"auths": auths}).to_string();
        let secret = KubernetesSecret {
            data: Some([(".dockerconfigjson".to_owned(), ByteString(text.into_bytes()))].into()),
            ..KubernetesSecret::default()
        };
        let mut keyring = Keyring::default();
        keyring.add(&secret).unwrap();
        keyring
    }

    fn who(keyring: &Keyring, registry: &str, repository: &str) -> Option<String> {
        let found = keyring.of(registry, repository)?;
        Some(format!("{}/{}", found.username.expose(), found.password.expose()))
    }

    #[test]
    fn the_credentials_of_the_longest_path_are_used_and_no_others() {
        let keyring = keyring(json!({
            "https://index.docker.io/v1/": {"auth": STANDARD.encode("hub:p:w")},
            "registry.example:5000": {"username": "all", "password": "1"},
            "registry.example:5000/team": {"username": "team", "password": "2"},
            "*.cloud.example": {"username": "any", "password": "3"},
        }));
        assert_eq!(
            who(&keyring, "docker.io", "library/x").as_deref(),
            Some("hub/p:w")
        );
        assert_eq!(
            who(&keyring, "registry.example:5000", "other/x").as_deref(),
            Some("all/1")
        );
        assert_eq!(
            who(&keyring, "registry.example:5000", "team/x").as_deref(),
            Some("team/2")
        );
        assert_eq!(
            who(&keyring, "registry.example:5000", "teams/x").as_deref(),
            Some("all/1")
        );
        assert_eq!(who(&keyring, "eu.cloud.example", "x").as_deref(), Some("any/3"));
        for other in [
            "registry.example",
            "a.b.cloud.example",
            "evil.example",
            "notdocker.io",
        ] {
            assert_eq!(who(&keyring, other, "x"), None, "{other}");
        }
    }

    #[test]
    fn what_is_no_pull_secret_is_said_to_be_none_and_nothing_of_it() {
        let secret = |key: &str, text: &str| KubernetesSecret {
            data: Some([(key.to_owned(), ByteString(text.as_bytes().to_vec()))].into()),
            ..KubernetesSecret::default()
        };
        for (key, text) in [
            ("password", "CANARY"),
            (".dockerconfigjson", "CANARY"),
            (".dockercfg", "[]"),
        ] {
            let refused = Keyring::default().add(&secret(key, text)).unwrap_err();
            assert!(!format!("{refused} {refused:?}").contains("CANARY"));
        }
        let keyring = keyring(json!({"r.example": {"username": "u", "password": "CANARY"}}));
        assert!(!format!("{keyring:?}").contains("CANARY"));
    }
}
