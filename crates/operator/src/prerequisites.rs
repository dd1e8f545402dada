//! What Reeve needs of a cluster, told to the control plane, which shows a cluster without it as `MissingPrerequisites`. Pure.

use reeve_link::Dependency;

use crate::args::Admission;

/// The first minor version of Kubernetes 1 whose API server evaluates policies that fill in.
const WITH_POLICIES: u32 = 36;
/// The first on which the webhook stands in for them.
const WITH_WEBHOOK: u32 = 30;

/// Each prerequisite and whether it is there. `none_installed` says whether nothing of the admission rules is in the cluster;
/// `None` before that was looked at.
pub fn of(admission: Admission, kubernetes_version: &str, none_installed: Option<bool>) -> Vec<Dependency> {
    let mut all = vec![kubernetes(admission, kubernetes_version)];
    if let Some(none_installed) = none_installed {
        let what = match admission {
            Admission::Policies => "admission policies",
            Admission::Webhook => "webhook configurations",
        };
        let missing = format!(
            "none of Reeve's {what} is installed, so that nothing enforces its rules: install the chart `reeve-cluster` again, and \
             look whether `admission.mode` is what this operator was started with"
        );
        all.push(dependency("admission", !none_installed, missing));
    }
    all
}

fn kubernetes(admission: Admission, version: &str) -> Dependency {
    let (least, instead) = match admission {
        Admission::Policies => (WITH_POLICIES, ", or set `admission.mode: webhook` of the chart"),
        Admission::Webhook => (WITH_WEBHOOK, ""),
    };
    // What cannot be read is nobody's fault here: distributions write all kinds of things.
    let is_enough = minor(version).is_none_or(|(major, minor)| major > 1 || minor >= least);
    let missing = format!(
        "the API server is `{version}`, and Kubernetes 1.{least} or newer is needed: upgrade the cluster{instead}"
    );
    dependency("kubernetes", is_enough, missing)
}

fn dependency(name: &str, available: bool, missing: String) -> Dependency {
    Dependency {
        name: name.to_owned(),
        required: true,
        available,
        reason: if available { String::new() } else { missing },
    }
}

/// `v1.37.2-gke.100` is (1, 37).
fn minor(version: &str) -> Option<(u32, u32)> {
    let mut parts = version.trim_start_matches('v').split('.');
    let major = parts.next()?.parse().ok()?;
    let minor: String = parts.next()?.chars().take_while(char::is_ascii_digit).collect();
    Some((major, minor.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_api_server_is_new_enough_for_what_enforces_the_rules() {
        let available = |admission, version| of(admission, version, None)[0].available;
        for version in ["v1.36.0", "v1.37.2-gke.100", "1.40", "v2.0.0", "v1.36+", "odd"] {
            assert!(available(Admission::Policies, version), "{version}");
        }
        assert!(!available(Admission::Policies, "v1.35.9"));
        assert!(available(Admission::Webhook, "v1.30.1"));
        assert!(!available(Admission::Webhook, "v1.29.9"));
        let reason = &of(Admission::Policies, "v1.35.9", None)[0].reason;
        assert!(
            reason.contains("`v1.35.9`") && reason.contains("1.36"),
            "{reason}"
        );
    }

    #[test]
    fn rules_that_nothing_enforces_are_a_missing_prerequisite_once_that_was_looked_at() {
        let admission = |none| {
            let all = of(Admission::Policies, "v1.37.2", none);
            all.into_iter().find(|it| it.name == "admission")
        };
        assert_eq!(admission(None), None);
        assert!(admission(Some(false)).unwrap().available);
        let missing = admission(Some(true)).unwrap();
        assert!(missing.required && !missing.available && missing.reason.contains("again"));
    }
}
