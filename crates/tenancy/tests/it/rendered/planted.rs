//! Faults in a copy of the chart, each of which has to be found.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};
use reeve_tenancy::{Switch, Switches};
use reeve_testkit::Helm;

use super::chart::{Rights, TARGETS, render};
use super::never::{faults, takes_only};
use super::{deviations, helm, reeve_cluster};

/// A text in a template, and what stands there instead, once.
struct Planted {
    file: &'static str,
    old: &'static str,
    new: &'static str,
    /// What is said of it.
    found: &'static str,
}

const fn planted(file: &'static str, old: &'static str, new: &'static str, found: &'static str) -> Planted {
    Planted {
        file,
        old,
        new,
        found,
    }
}

const BASE: &str = "clusterroles/base.yaml";
const NAMESPACES: &str = "clusterroles/project-controller-ns-creation.yaml";
const USERS: &str = "clusterroles/project-controller-rb-creation.yaml";
const SECRETS: &str = "clusterroles/project-controller-cluster-wide-secrets.yaml";
const LIMITS: &str = "clusterroles/project-controller-limit-range.yaml";
const OPENSHIFT: &str = "ocp/scc.yaml";

/// What is wrong with everything switched on.
const GRANTS: [Planted; 12] = [
    planted(
        BASE,
        "  - pods\n  verbs:\n  - list\n",
        "  - pods\n  verbs:\n  - \"*\"\n",
        "ClusterRole reeve-operator: a wildcard",
    ),
    planted(
        BASE,
        "  resources:\n  - pods\n",
        "  resources:\n  - \"*\"\n",
        "ClusterRole reeve-operator: a wildcard",
    ),
    planted(
        NAMESPACES,
        "  - create\n",
        "  - create\n  - escalate\n",
        "reeve-operator-namespace-creation: escalate",
    ),
    planted(
        NAMESPACES,
        "  - create\n",
        "  - create\n  - impersonate\n",
        "reeve-operator-namespace-creation: impersonate",
    ),
    planted(
        LIMITS,
        "  resourceNames:\n  - reeve-operator-project-limit-range\n",
        "",
        "reeve-operator-limit-range: bind without names",
    ),
    // A misspelt field is none to the API server.
    planted(
        USERS,
        "  resourceNames:\n  - reeve-user-job\n",
        "  resourceName:\n  - reeve-user-job\n",
        "reeve-operator-project-user-assignment: bind without names",
    ),
    planted(
        LIMITS,
        "  - resourcequotas\n",
        "  - resourcequotas\n  - secrets\n",
        "ClusterRoleBinding reeve-operator-limit-range gives a verb on Secrets",
    ),
    // Rights for projects, given everywhere.
    planted(
        SECRETS,
        "  kind: ClusterRole\n  name: reeve-operator-secret-propagation\n",
        "  kind: ClusterRole\n  name: reeve-operator-project-secret-propagation\n",
        "ClusterRoleBinding reeve-operator-secret-propagation gives a verb on Secrets",
    ),
    planted(
        "metrics-rbac.yaml",
        "system:auth-delegator",
        "cluster-admin",
        "ClusterRoleBinding reeve-operator-metrics gives ClusterRole cluster-admin, which is not the chart's",
    ),
    planted(
        USERS,
        "- kind: ServiceAccount\n  name: reeve-operator\n  namespace: reeve-system\n",
        "- kind: Group\n  apiGroup: rbac.authorization.k8s.io\n  name: system:authenticated\n",
        "ClusterRoleBinding reeve-operator-user-assignment is for Group system:authenticated",
    ),
    planted(
        OPENSHIFT,
        "groups: []\n",
        "groups: [\"system:authenticated\"]\n",
        "SecurityContextConstraints reeve-user-job may be used by",
    ),
    planted(
        OPENSHIFT,
        "  name: reeve-user-job\nrules:\n",
        "  name: reeve-user-job\n  labels: {rbac.authorization.k8s.io/aggregate-to-edit: \"true\"}\nrules:\n",
        "ClusterRole reeve-user-job is aggregated",
    ),
];

/// What is wrong with a switch.
const SWITCHED: [(Switch, Planted); 2] = [
    (
        Switch::LimitRange,
        planted(
            LIMITS,
            "{{- if include \"reeve.switch.limit-range\" . }}",
            "{{- if true }}",
            "takes nothing away",
        ),
    ),
    (
        Switch::NamespaceCreation,
        planted(
            NAMESPACES,
            "{{- if include \"reeve.switch.namespace-creation\" . }}",
            "{{- if not (include \"reeve.switch.namespace-creation\" .) }}",
            "gives",
        ),
    ),
];

/// A rule of two switches that looks at one.
const OF_ONE_SWITCH: Planted = planted(
    LIMITS,
    "{{- if include \"reeve.switch.user-assignment\" . }}",
    "{{- if true }}",
    "ClusterRole reeve-operator-limit-range",
);

impl Planted {
    /// The chart with it, where everything can be had: on OpenShift.
    fn rendered(&self, helm: &Helm, of: &[Switches]) -> Result<Vec<Rights>> {
        let dir = tempfile::tempdir()?;
        let copied = Command::new("cp")
            .arg("-r")
            .args([&reeve_cluster(), dir.path()])
            .status()?;
        ensure!(copied.success(), "cp ended with {copied}");
        let chart = dir.path().join("reeve-cluster");
        self.plant(&chart)?;
        let [_, target, ..] = TARGETS;
        of.iter()
            .map(|switches| render(helm, &chart, target, target.values(*switches)))
            .collect()
    }

    fn plant(&self, chart: &Path) -> Result<()> {
        let file = chart.join("templates").join(self.file);
        let text = fs::read_to_string(&file).with_context(|| file.display().to_string())?;
        let Self { old, new, .. } = self;
        ensure!(text.contains(old), "{} has no {old:?}", self.file);
        fs::write(&file, text.replacen(old, new, 1))?;
        Ok(())
    }
}

#[test]
fn a_fault_that_is_planted_in_the_chart_is_found() -> Result<()> {
    let Some(helm) = helm() else { return Ok(()) };
    let on = Switches::default();
    for planted in &GRANTS {
        let rights = planted.rendered(&helm, &[on])?;
        let found = faults(rights.first().context("nothing is rendered")?);
        ensure!(
            found.iter().any(|it| it.contains(planted.found)),
            "{:?} in {}: {found:?}",
            planted.new,
            planted.file
        );
    }
    for (switch, planted) in &SWITCHED {
        let rights = planted.rendered(&helm, &[on, on.without(*switch)])?;
        let [on, off] = rights.as_slice() else {
            bail!("two are asked for, not {}", rights.len())
        };
        let wrong = takes_only(on, off).unwrap_or_default();
        ensure!(wrong.starts_with(planted.found), "{:?}: {wrong:?}", planted.new);
    }
    let off = on.without(Switch::UserAssignment);
    let rights = OF_ONE_SWITCH.rendered(&helm, &[off])?;
    let wrong = deviations(rights.first().context("nothing is rendered")?, off)?;
    assert_eq!(wrong, [OF_ONE_SWITCH.found]);
    Ok(())
}
