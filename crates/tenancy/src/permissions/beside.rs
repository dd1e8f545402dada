//! What the chart gives beside the table of rights, by values of its own and by no switch. A test compares it with what Helm renders.

use std::fmt::Write;

use reeve_admission::names;

use super::{Platform, right};
use crate::operator::{Grant, Reach};

/// A role beside the table, with what takes it away.
#[derive(Debug)]
pub(super) struct Beside {
    /// The ClusterRole.
    pub(super) role: &'static str,
    /// Whom it is bound to.
    pub(super) held_by: &'static str,
    /// What is in it.
    pub(super) grants: &'static [Grant],
    /// The value of the chart that takes it away.
    pub(super) removed_by: &'static str,
    /// On OpenShift alone.
    only_on_openshift: bool,
}

const TITLE: &str = "Beside the switches, by other values of the chart";

/// What is rendered and held by nobody.
pub(super) const UNBOUND: &str = "The chart also brings the ClusterRole reeve-metrics-reader (get /metrics), bound to nobody: it is for your monitoring, and left out \
     with metrics.readerRole=false.";

const WEBHOOK: &str = "admission.mode=policies, the default from Kubernetes 1.36 on";

const ALL: [Beside; 4] = [
    Beside {
        role: "system:auth-delegator",
        held_by: "reeve-operator, and reeve-webhook where it is installed",
        grants: &[
            grant(
                "authentication.k8s.io",
                &["tokenreviews"],
                &["create"],
                "whose token it was shown by who asks for its metrics",
            ),
            grant(
                "authorization.k8s.io",
                &["subjectaccessreviews"],
                &["create"],
                "whether that one may read them",
            ),
        ],
        removed_by: "metrics.authorize=false",
        only_on_openshift: false,
    },
    Beside {
        role: "reeve-operator-webhooks",
        held_by: "reeve-operator",
        grants: &[grant(
            "admissionregistration.k8s.io",
            &["mutatingwebhookconfigurations", "validatingwebhookconfigurations"],
            &["list", "watch"],
            "alarm when the webhook that stands in for the policies is missing or changed (R1); it may never write them",
        )],
        removed_by: WEBHOOK,
        only_on_openshift: false,
    },
    Beside {
        role: "reeve-webhook",
        held_by: "reeve-webhook",
        grants: &[
            grant(
                "",
                &["namespaces"],
                &["get"],
                "the settings of the namespace in which something is asked for",
            ),
            grant("", &["pods"], &["get"], "whose the pod is that is stepped into"),
            grant(
                names::GROUP,
                &["podidentities"],
                &["get"],
                "whose the pod is that is stepped into",
            ),
        ],
        removed_by: WEBHOOK,
        only_on_openshift: false,
    },
    Beside {
        role: names::OPENSHIFT_CONSTRAINTS,
        held_by: "pods of projects, bound by the operator while the policies are as installed and ReeveConfig asks for it",
        grants: &[Grant {
            reach: Reach::Projects,
            names: &[names::OPENSHIFT_CONSTRAINTS],
            ..grant(
                names::OPENSHIFT_SECURITY,
                &["securitycontextconstraints"],
                &["use"],
                "people run as themselves, also outside of the uids that OpenShift gave the namespace",
            )
        }],
        removed_by: "openShift.securityContextConstraints.create=false",
        only_on_openshift: true,
    },
];

const fn grant(
    group: &'static str,
    resources: &'static [&'static str],
    verbs: &'static [&'static str],
    because: &'static str,
) -> Grant {
    Grant {
        reach: Reach::Cluster,
        group,
        resources,
        names: &[],
        verbs,
        because,
        switch: None,
        with: None,
    }
}

/// What there is on a platform.
pub(super) fn on(platform: Platform) -> impl Iterator<Item = &'static Beside> {
    ALL.iter()
        .filter(move |beside| !beside.only_on_openshift || platform == Platform::OpenShift)
}

/// For a terminal.
pub(super) fn text(platform: Platform) -> String {
    let mut text = format!("\n{TITLE}:\n");
    for beside in on(platform) {
        let _ = writeln!(text, "\n{}, held by {}:", beside.role, beside.held_by);
        for grant in beside.grants {
            let _ = writeln!(
                text,
                "  {}\n      why: {}\n      removed by: {}",
                right(grant),
                grant.because,
                beside.removed_by
            );
        }
    }
    text
}

/// For the page of the docs: what there is on OpenShift, which has most.
pub(super) fn section() -> String {
    let mut text =
        format!("\n## {TITLE}\n\n| Role | Held by | Right | Why | Removed by |\n|---|---|---|---|---|\n");
    for beside in on(Platform::OpenShift) {
        for grant in beside.grants {
            let _ = writeln!(
                text,
                "| `{}` | {} | {} | {} | {} |",
                beside.role,
                beside.held_by,
                right(grant),
                grant.because,
                beside.removed_by
            );
        }
    }
    let name = names::OPENSHIFT_CONSTRAINTS;
    let _ = writeln!(text, "\n`{name}` is there on OpenShift alone. {UNBOUND}");
    text
}
