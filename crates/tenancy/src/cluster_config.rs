//! The reference's `cluster-config`: ConfigMaps labelled `runai/cluster-config: "true"` whose key `config` holds YAML with
//! `enforceRunAsUser` and `enforcePreventPrivilegeEscalation` (brief page 2, cluster-and-cli 5.3).
//!
//! **Promise.** Such a ConfigMap makes a cluster stricter and never laxer: what it does not say, or says with `false`, is left
//! to `ReeveConfig`. One that cannot be understood counts as both settings on (admission R13). Pure.

use std::collections::BTreeMap;
use std::fmt;

use k8s_openapi::api::core::v1::ConfigMap;
use reeve_admission::names;
use serde::Deserialize;
use serde::de::IgnoredAny;

/// The namespaces in which such ConfigMaps count.
pub const PLACES: [&str; 2] = [names::REFERENCE_NAMESPACE, names::SYSTEM_NAMESPACE];
/// The key of the ConfigMap's data.
pub const KEY: &str = "config";
/// The longest text of the key that is read, in bytes: two lines are enough.
const LONGEST: usize = 16 * 1024;
const SETTINGS: [&str; 2] = ["enforceRunAsUser", "enforcePreventPrivilegeEscalation"];

/// What a ConfigMap demands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ClusterConfig {
    /// Every container in a project runs as the person who asked for it.
    pub enforce_run_as_user: bool,
    /// No container in a project may gain privileges.
    pub enforce_prevent_privilege_escalation: bool,
}

impl ClusterConfig {
    /// What holds as long as a ConfigMap cannot be understood or read.
    pub const STRICT: Self = Self {
        enforce_run_as_user: true,
        enforce_prevent_privilege_escalation: true,
    };

    /// The stricter of both in each setting.
    #[must_use]
    pub const fn or(self, other: Self) -> Self {
        Self {
            enforce_run_as_user: self.enforce_run_as_user || other.enforce_run_as_user,
            enforce_prevent_privilege_escalation: self.enforce_prevent_privilege_escalation
                || other.enforce_prevent_privilege_escalation,
        }
    }
}

/// Why a ConfigMap cannot be understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Malformed {
    /// `namespace/name`.
    pub object: String,
    problem: String,
}

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { object, problem } = self;
        let [user, escalation] = SETTINGS;
        write!(
            f,
            "the ConfigMap `{object}` {problem}, so both settings are enforced: write in its data.{KEY} the lines \
             `{user}: true` and `{escalation}: true` (or false), or delete it"
        )
    }
}

impl std::error::Error for Malformed {}

/// What a labelled ConfigMap demands. Keys that are not ours are left alone, as the reference does; one that differs from ours
/// in case or punctuation alone was meant to be ours.
///
/// # Errors
/// [`Malformed`]: no key `config`, too long, no YAML map, a value that is not true or false, a misspelt key.
pub fn read(object: &ConfigMap) -> Result<ClusterConfig, Malformed> {
    let data = object.data.as_ref().and_then(|data| data.get(KEY));
    parse(data.map(String::as_str)).map_err(|problem| Malformed {
        object: format!(
            "{}/{}",
            object.metadata.namespace.as_deref().unwrap_or_default(),
            object.metadata.name.as_deref().unwrap_or_default()
        ),
        problem,
    })
}

fn parse(text: Option<&str>) -> Result<ClusterConfig, String> {
    let Some(text) = text else {
        return Err(format!("has no key `{KEY}` in its data"));
    };
    if text.len() > LONGEST {
        return Err(format!("has more than {LONGEST} bytes in data.{KEY}"));
    }
    let no_map = |_| format!("holds no YAML map in data.{KEY}");
    let keys: BTreeMap<String, IgnoredAny> = serde_saphyr::from_str(text).map_err(no_map)?;
    if keys.is_empty() {
        return Err(format!("says nothing in data.{KEY}"));
    }
    let plain = |key: &str| -> String {
        let letters = key.chars().filter(char::is_ascii_alphanumeric);
        letters.map(|c| c.to_ascii_lowercase()).collect()
    };
    for wanted in SETTINGS {
        let misspelt = |key: &&String| *key != wanted && plain(key) == plain(wanted);
        if let Some(key) = keys.keys().find(misspelt) {
            let key: String = key.chars().take(60).collect();
            return Err(format!(
                "has the key `{key}` in data.{KEY}, which must be `{wanted}`"
            ));
        }
    }
    serde_saphyr::from_str(text)
        .map_err(|_| format!("has a value that is neither true nor false in data.{KEY}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOTH: &str = "enforceRunAsUser: true\nenforcePreventPrivilegeEscalation: true\n";

    #[test]
    fn the_text_of_the_brief_demands_both() {
        assert_eq!(parse(Some(BOTH)), Ok(ClusterConfig::STRICT));
    }

    #[test]
    fn what_is_not_said_is_not_demanded() {
        let user = ClusterConfig {
            enforce_run_as_user: true,
            ..ClusterConfig::default()
        };
        assert_eq!(parse(Some("enforceRunAsUser: true\nother: [1]\n")), Ok(user));
        assert_eq!(
            parse(Some("enforceRunAsUser: false")),
            Ok(ClusterConfig::default())
        );
        assert_eq!(parse(Some("{other: x}")), Ok(ClusterConfig::default()));
    }

    #[test]
    fn what_cannot_be_understood_says_what_is_wrong_with_it() {
        let long = format!("# {}\n{BOTH}", "x".repeat(LONGEST));
        let cases = [
            (None, "no key `config`"),
            (Some(""), "data.config"),
            (Some("{}"), "says nothing"),
            (Some("true"), "no YAML map"),
            (Some("enforceRunAsUser: [true"), "no YAML map"),
            (Some("- enforceRunAsUser: true"), "no YAML map"),
            (Some("enforceRunAsUser: maybe"), "neither true nor false"),
            (Some("enforceRunAsUser:"), "neither true nor false"),
            (
                Some("enforceRunAsUser: true\nenforceRunAsUser: false"),
                "no YAML map",
            ),
            (Some("EnforceRunAsUser: true"), "must be `enforceRunAsUser`"),
            (Some("enforce-run-as-user: true"), "must be `enforceRunAsUser`"),
            (Some(long.as_str()), "more than"),
        ];
        for (text, says) in cases {
            let problem = parse(text).unwrap_err();
            assert!(problem.contains(says), "{text:?}: {problem}");
        }
    }
}
