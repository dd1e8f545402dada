//! How much a report may hold. An operator keeps to it; a server refuses what does not, before anything waits for it.

use std::collections::HashSet;

use crate::desired::ObjectKey;
use crate::status::{ClusterSettings, KubernetesEndpoint, StatusReport};

/// How many objects one report names at most.
pub const OBJECTS: usize = 500;
/// The longest message of an object, in bytes.
pub const MESSAGE: usize = 1000;
/// How many policy alarms the settings hold at most, each no longer than [`MESSAGE`].
pub const ALARMS: usize = 50;
/// How many dependencies, and how many issues, the settings hold at most.
pub const ISSUES: usize = 20;
/// The longest name or kind or reason in one word, in bytes.
pub const WORD: usize = 64;
/// The longest version, in bytes.
pub const VERSION: usize = 128;
/// The longest address of an API server, in bytes.
pub const ADDRESS: usize = 512;
/// The longest certificate authority, in bytes of base64.
pub const AUTHORITY: usize = 64 * 1024;

/// What of a report is beyond its bounds.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OutOfBounds {
    /// Too many.
    #[error("`{field}` holds {found}: at most {most} are possible in one report")]
    TooMany {
        /// Which list.
        field: &'static str,
        /// How many.
        found: usize,
        /// How many are possible.
        most: usize,
    },
    /// Too long.
    #[error("`{field}` is {found} bytes long: at most {most} are possible")]
    TooLong {
        /// Which text.
        field: &'static str,
        /// How long.
        found: usize,
        /// How long it may be.
        most: usize,
    },
    /// An object is named more than once.
    #[error("`objects` names {0:?} twice")]
    Twice(ObjectKey),
    /// A name that is no word.
    #[error("`{field}`: a word of letters and digits is needed")]
    NoWord {
        /// Which.
        field: &'static str,
    },
    /// An address that no token may be sent to.
    #[error(
        "`kubernetesEndpoint.server`: an address like `https://host:6443` is needed, without user, query or fragment"
    )]
    Address,
    /// An authority that is no base64.
    #[error(
        "`kubernetesEndpoint.certificateAuthorityData`: certificates in PEM as base64 are needed, as in a kubeconfig"
    )]
    Authority,
}

const fn count(field: &'static str, found: usize, most: usize) -> Result<(), OutOfBounds> {
    if found > most {
        Err(OutOfBounds::TooMany { field, found, most })
    } else {
        Ok(())
    }
}

const fn length(field: &'static str, text: &str, most: usize) -> Result<(), OutOfBounds> {
    if text.len() > most {
        Err(OutOfBounds::TooLong {
            field,
            found: text.len(),
            most,
        })
    } else {
        Ok(())
    }
}

fn word(field: &'static str, text: &str) -> Result<(), OutOfBounds> {
    length(field, text, WORD)?;
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return Err(OutOfBounds::NoWord { field });
    }
    Ok(())
}

impl StatusReport {
    /// Whether it keeps to the bounds.
    ///
    /// # Errors
    /// [`OutOfBounds`] names the field and the bound.
    pub fn check(&self) -> Result<(), OutOfBounds> {
        count("objects", self.objects.len(), OBJECTS)?;
        let mut seen = HashSet::with_capacity(self.objects.len());
        for object in &self.objects {
            length("objects.message", &object.message, MESSAGE)?;
            if !seen.insert(object.key) {
                return Err(OutOfBounds::Twice(object.key));
            }
        }
        self.settings.as_ref().map_or(Ok(()), ClusterSettings::check)
    }
}

impl ClusterSettings {
    fn check(&self) -> Result<(), OutOfBounds> {
        length("kubernetesVersion", &self.kubernetes_version, VERSION)?;
        length("operatorVersion", &self.operator_version, VERSION)?;
        count("policyAlarms", self.policy_alarms.len(), ALARMS)?;
        for alarm in &self.policy_alarms {
            length("policyAlarms", alarm, MESSAGE)?;
        }
        count("dependencies", self.dependencies.len(), ISSUES)?;
        for dependency in &self.dependencies {
            word("dependencies.name", &dependency.name)?;
            length("dependencies.reason", &dependency.reason, MESSAGE)?;
        }
        count("issues", self.issues.len(), ISSUES)?;
        for issue in &self.issues {
            word("issues.kind", &issue.kind)?;
            word("issues.reason", &issue.reason)?;
            length("issues.message", &issue.message, MESSAGE)?;
        }
        self.kubernetes_endpoint
            .as_ref()
            .map_or(Ok(()), KubernetesEndpoint::check)
    }
}

impl KubernetesEndpoint {
    /// Whether people's tokens may be sent there at all: over TLS, to a host.
    ///
    /// # Errors
    /// [`OutOfBounds`].
    pub fn check(&self) -> Result<(), OutOfBounds> {
        length("kubernetesEndpoint.server", &self.server, ADDRESS)?;
        length(
            "kubernetesEndpoint.certificateAuthorityData",
            &self.certificate_authority_data,
            AUTHORITY,
        )?;
        let rest = self.server.strip_prefix("https://").ok_or(OutOfBounds::Address)?;
        let host = rest.split('/').next().unwrap_or_default();
        let odd = |c: char| !c.is_ascii_graphic() || "@?#\\\"'`<>".contains(c);
        if host.is_empty() || host.starts_with(':') || rest.contains(odd) {
            return Err(OutOfBounds::Address);
        }
        let base64 = |b: u8| b.is_ascii_alphanumeric() || b"+/=".contains(&b);
        if self.certificate_authority_data.bytes().all(base64) {
            Ok(())
        } else {
            Err(OutOfBounds::Authority)
        }
    }
}

#[cfg(test)]
mod tests {
    use reeve_types::AccessRuleId;

    use super::*;
    use crate::status::{Dependency, Issue, ObjectStatus, StatusPhase};

    fn object(id: i64, message: usize) -> ObjectStatus {
        ObjectStatus {
            key: ObjectKey::AccessRule(AccessRuleId::new(id).unwrap()),
            phase: StatusPhase::Ready,
            message: "x".repeat(message),
        }
    }

    fn report(objects: Vec<ObjectStatus>) -> StatusReport {
        StatusReport {
            objects,
            ..StatusReport::default()
        }
    }

    #[test]
    fn a_report_of_the_largest_size_is_possible_and_a_larger_one_names_its_bound() {
        let full = || (1..=500).map(|id| object(id, 1000)).collect::<Vec<_>>();
        assert_eq!(report(full()).check(), Ok(()));
        let mut more = full();
        more.push(object(501, 0));
        let error = report(more).check().unwrap_err().to_string();
        assert_eq!(
            error,
            "`objects` holds 501: at most 500 are possible in one report"
        );
        let error = report(vec![object(1, 1001)]).check().unwrap_err().to_string();
        assert_eq!(
            error,
            "`objects.message` is 1001 bytes long: at most 1000 are possible"
        );
        let twice = report(vec![object(1, 0), object(2, 0), object(1, 0)]);
        assert!(matches!(twice.check(), Err(OutOfBounds::Twice(_))));
    }

    #[test]
    fn settings_are_bounded_too() {
        let dependency = |name: &str, reason: &str| Dependency {
            name: name.to_owned(),
            required: true,
            available: false,
            reason: reason.to_owned(),
        };
        let issue = |kind: &str, message: &str| Issue {
            kind: kind.to_owned(),
            reason: "Invalid".to_owned(),
            message: message.to_owned(),
        };
        let settings = |change: &dyn Fn(&mut ClusterSettings)| {
            let mut settings = ClusterSettings {
                enforce_run_as_user: true,
                enforce_prevent_privilege_escalation: true,
                kubernetes_version: "v1.37.2".to_owned(),
                operator_version: "0.1.0".to_owned(),
                kubernetes_endpoint: None,
                policy_alarms: vec!["x".repeat(1000); 50],
                dependencies: vec![dependency("admission", &"x".repeat(1000)); 20],
                issues: vec![issue("LimitRangeValid", &"x".repeat(1000)); 20],
            };
            change(&mut settings);
            let report = StatusReport {
                settings: Some(settings),
                ..StatusReport::default()
            };
            report.check()
        };
        assert_eq!(settings(&|_| {}), Ok(()));
        assert!(settings(&|it| it.policy_alarms.push(String::new())).is_err());
        assert!(settings(&|it| it.policy_alarms[7].push('x')).is_err());
        assert!(settings(&|it| it.kubernetes_version = "v".repeat(129)).is_err());
        assert!(settings(&|it| it.operator_version = "v".repeat(129)).is_err());
        assert!(settings(&|it| it.dependencies.push(dependency("a", ""))).is_err());
        assert!(settings(&|it| it.dependencies[3].reason.push('x')).is_err());
        assert!(settings(&|it| it.dependencies[3].name = "two words".to_owned()).is_err());
        assert!(settings(&|it| it.issues.push(issue("A", ""))).is_err());
        assert!(settings(&|it| it.issues[3].message.push('x')).is_err());
        for odd in ["", "a/b", &"x".repeat(65)] {
            assert!(
                settings(&|it| odd.clone_into(&mut it.issues[3].kind)).is_err(),
                "{odd}"
            );
        }
    }

    #[test]
    fn an_address_is_one_that_tokens_may_be_sent_to() {
        let endpoint = |server: &str, authority: &str| {
            KubernetesEndpoint {
                server: server.to_owned(),
                certificate_authority_data: authority.to_owned(),
            }
            .check()
        };
        for good in [
            "https://10.0.0.1:6443",
            "https://k8s.example",
            "https://[::1]:6443/clusters/a",
        ] {
            assert_eq!(endpoint(good, "Q0E="), Ok(()), "{good}");
        }
        let long = format!("https://{}", "x".repeat(512));
        for bad in [
            "http://10.0.0.1",
            "https://",
            "https://:6443",
            "https://a@b",
            "https://a?b",
            "https://a b",
            "",
            &long,
        ] {
            assert!(endpoint(bad, "").is_err(), "{bad}");
        }
        assert_eq!(endpoint("https://a", "not base64!"), Err(OutOfBounds::Authority));
        assert!(endpoint("https://a", &"A".repeat(AUTHORITY + 1)).is_err());
    }
}
