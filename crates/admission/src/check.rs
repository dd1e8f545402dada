//! Every check as one value: what it is called, which rule it keeps, what it says, its CEL and its Rust predicate.
//!
//! The order of the table is the order in which the API server names a refusal: the first failing check of a policy
//! speaks. The tests of this crate hold CEL and predicate together on a real API server.

pub(crate) mod cluster_config;
pub(crate) mod connect;
pub(crate) mod copies;
mod entries;
mod identity;
mod kinds;
mod namespaces;
mod networking;
mod objects;
mod others;
pub(crate) mod outside;
mod ownership;
mod passwd;
mod placement;
mod pools;
mod ranges;
pub(crate) mod shape;
mod stamp;
pub(crate) mod workload_policy;

use std::fmt;

pub use objects::is_marked_claim;

use crate::entries::is_crowded;
use crate::names;
use crate::request::{Operation, Request, map, template_path};

/// A rule of the specification (admission 2), R1 to R15, or one of those that we add to it, from R16 on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Rule(pub u8);

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "R{}", self.0)
    }
}

/// The validating policies, in the order of the chart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Policy {
    /// Pods and the eight kinds with a template.
    Pods,
    /// The same where the namespace bounds on which nodes and with which ids they run. Apart, since it sees what the match
    /// condition of [`Policy::Pods`] does not: the namespace.
    NamespaceBounds,
    /// `pods/binding`, which can write annotations into pods.
    Bindings,
    /// ControllerRevisions, from which StatefulSets and DaemonSets make pods.
    ControllerRevisions,
    /// The labels of project namespaces.
    Namespaces,
    /// What the operator may bind, and where.
    OperatorBindings,
    /// Our custom resources that only one of us may write.
    Resources,
    /// Secrets and Services of a project.
    SecretsAndServices,
    /// Claims: which volume they get, and whose their names say they are.
    Claims,
    /// What makes pods in namespaces that are no projects.
    Outside,
    /// `exec`, `attach` and `port-forward`, beside what the operator lists.
    Connect,
    /// The same, beside the pods themselves.
    ConnectPods,
    /// The proxies of the API server.
    Proxies,
    /// Ingresses, NetworkPolicies and OpenShift's Routes of a project.
    Networking,
    /// Copies of Secrets, and whatever Secret the operator writes.
    SecretCopies,
    /// Secrets where the operator reads them.
    SecretSources,
    /// ConfigMaps that hold settings of the whole cluster.
    ClusterConfig,
    /// Pods and templates where workload policies of the control plane hold.
    WorkloadPolicies,
    /// Kinds of others that hold pod templates.
    TemplateKinds,
    /// The same kinds in namespaces that are no projects.
    TemplateKindsOutside,
    /// What has more entries than policies go through, of kinds that make no pods or are of others.
    Entries,
}

impl Policy {
    /// Every one.
    pub const ALL: [Self; 21] = [
        Self::Pods,
        Self::NamespaceBounds,
        Self::Bindings,
        Self::ControllerRevisions,
        Self::Namespaces,
        Self::OperatorBindings,
        Self::Resources,
        Self::SecretsAndServices,
        Self::Claims,
        Self::Outside,
        Self::Connect,
        Self::ConnectPods,
        Self::Proxies,
        Self::Networking,
        Self::SecretCopies,
        Self::SecretSources,
        Self::ClusterConfig,
        Self::WorkloadPolicies,
        Self::TemplateKinds,
        Self::TemplateKindsOutside,
        Self::Entries,
    ];

    /// The name of policy and binding.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pods => "reeve-pods",
            Self::NamespaceBounds => "reeve-namespace-bounds",
            Self::Bindings => "reeve-bindings",
            Self::ControllerRevisions => "reeve-controller-revisions",
            Self::Namespaces => "reeve-namespaces",
            Self::OperatorBindings => "reeve-operator-bindings",
            Self::Resources => "reeve-resources",
            Self::SecretsAndServices => "reeve-secrets-and-services",
            Self::Claims => "reeve-claims",
            Self::Outside => "reeve-outside",
            Self::Connect => "reeve-connect",
            Self::ConnectPods => "reeve-connect-pods",
            Self::Proxies => "reeve-proxies",
            Self::Networking => "reeve-networking",
            Self::SecretCopies => "reeve-secret-copies",
            Self::SecretSources => "reeve-secret-sources",
            Self::ClusterConfig => "reeve-cluster-config",
            Self::WorkloadPolicies => "reeve-workload-policies",
            Self::TemplateKinds => "reeve-template-kinds",
            Self::TemplateKindsOutside => "reeve-template-kinds-outside",
            Self::Entries => "reeve-entries",
        }
    }

    /// Whether a policy goes through what an object has, and is not asked of one that has too much. Those of which nothing passes
    /// by, [`Policy::Pods`], [`Policy::Outside`] and [`Policy::Entries`], refuse it.
    const fn is_bounded(self) -> bool {
        matches!(
            self,
            Self::Bindings
                | Self::Claims
                | Self::WorkloadPolicies
                | Self::SecretsAndServices
                | Self::TemplateKinds
                | Self::TemplateKindsOutside
        )
    }

    /// Whether the policy looks at this request: its constraints and match conditions, in Rust.
    pub fn applies(self, request: &Request) -> bool {
        let kind = request.kind();
        if self.is_bounded() && is_crowded(request) {
            return false;
        }
        match self {
            Self::Entries => {
                let of_others = request.operation != Operation::Delete && is_template_kind(request);
                of_others || ["Binding", "PersistentVolumeClaim", "Service"].contains(&kind)
            }
            Self::Pods => request.in_project() && template_path(kind).is_some(),
            Self::NamespaceBounds => {
                let bounds = request.enforces(names::BOUNDS_PODS);
                request.in_project() && template_path(kind).is_some() && bounds
            }
            Self::Bindings => request.in_project() && kind == "Binding",
            Self::Claims => request.in_project() && kind == "PersistentVolumeClaim",
            Self::Outside => {
                let makes_pods = template_path(kind).is_some();
                let kept = ["Binding", "ControllerRevision"].contains(&kind);
                !request.in_project()
                    && (makes_pods || kept)
                    && (outside::is_crowded(request) || outside::is_marked(request))
            }
            Self::Connect | Self::ConnectPods => {
                let options = ["PodExecOptions", "PodAttachOptions", "PodPortForwardOptions"];
                request.in_project() && options.contains(&kind)
            }
            Self::Proxies => {
                let in_project = ["PodProxyOptions", "ServiceProxyOptions"].contains(&kind);
                kind == "NodeProxyOptions" || (in_project && request.in_project())
            }
            Self::ControllerRevisions => request.in_project() && kind == "ControllerRevision",
            Self::Namespaces => kind == "Namespace" && namespaces::concerns_a_project(request),
            Self::OperatorBindings => kind == "RoleBinding" && request.user.is_operator(),
            Self::Resources => {
                let written = ["Workload", "PodIdentities"].contains(&kind);
                written && request.operation != Operation::Delete || kind == "ReeveConfig"
            }
            Self::Networking => request.in_project() && ["Ingress", "NetworkPolicy", "Route"].contains(&kind),
            Self::ClusterConfig => cluster_config::concerns(request),
            Self::WorkloadPolicies => {
                request.in_project()
                    && template_path(kind).is_some()
                    && request.allows(names::WORKLOAD_POLICIES)
            }
            Self::TemplateKinds => request.in_project() && is_template_kind(request),
            Self::TemplateKindsOutside => {
                !request.in_project() && is_template_kind(request) && crate::kinds::is_marked(&request.object)
            }
            Self::SecretsAndServices => request.in_project() && ["Secret", "Service"].contains(&kind),
            Self::SecretCopies => kind == "Secret" && copies::concerns(request),
            Self::SecretSources => {
                let is_source = request.namespace_labels.contains_key(names::SECRET_SOURCE);
                is_source && kind == "Secret" && request.operation != Operation::Delete
            }
        }
    }
}

/// Whether the object is of a kind of others that holds pod templates.
fn is_template_kind(request: &Request) -> bool {
    request.operation != Operation::Delete && crate::kinds::kind_of(&request.object).is_some()
}

/// A sentence with values of the request in it.
#[derive(Debug, Clone, Copy)]
pub struct Named {
    /// A cheap expression that is true of most requests that pass: for those no sentence is put together. Where it is
    /// true of a request that is refused, the plain sentence speaks.
    pub unless: Option<&'static str>,
    /// What is wrong, as a CEL expression of a text.
    pub cel: &'static str,
    /// What a program is to do about it, one that asks as a ServiceAccount: it has nobody to sign in.
    pub program: Option<&'static str>,
}

impl Named {
    /// A sentence that is put together at every request.
    pub(crate) const fn always(cel: &'static str) -> Option<Self> {
        Some(Self {
            unless: None,
            cel,
            program: None,
        })
    }

    /// A sentence that is put together unless an expression is true.
    pub(crate) const fn unless(condition: &'static str, cel: &'static str) -> Option<Self> {
        Some(Self {
            unless: Some(condition),
            cel,
            program: None,
        })
    }

    /// As [`Named::unless`], with another remedy for programs. The condition must be false of every ServiceAccount.
    pub(crate) const fn unless_with(
        condition: &'static str,
        cel: &'static str,
        program: &'static str,
    ) -> Option<Self> {
        Some(Self {
            unless: Some(condition),
            cel,
            program: Some(program),
        })
    }
}

/// One check.
#[derive(Debug)]
pub struct Check {
    /// Its stable name, in kebab case.
    pub id: &'static str,
    /// The policy it is part of.
    pub policy: Policy,
    /// The rule it keeps.
    pub rule: Rule,
    /// What is wrong, when nothing of the request can be named.
    pub problem: &'static str,
    /// What is wrong with the request's own values in it. The API server puts it together also where nothing is wrong,
    /// so only the checks that people meet most have one.
    pub named: Option<Named>,
    /// What to do about it.
    pub remedy: &'static str,
    /// The expression that must be true.
    pub cel: &'static str,
    /// The same in Rust: true lets the request pass.
    pub predicate: fn(&Request) -> bool,
}

impl Check {
    /// Whether it leaves what has too many entries to the one check of its policy that counts them (R40).
    fn yields(&self) -> bool {
        self.policy == Policy::Pods && self.id != entries::COUNTED
    }

    /// The expression as it stands in the policy: true lets the request pass.
    pub fn expression(&self) -> String {
        if self.yields() {
            format!("variables.{} || ({})", crate::entries::VARIABLE, self.cel)
        } else {
            self.cel.to_owned()
        }
    }

    /// The sentence for people: rule, problem, remedy.
    pub fn message(&self) -> String {
        format!("reeve: {}: {}: {}", self.rule, self.problem, self.remedy)
    }

    /// What somebody of this name is told to do about it.
    pub fn remedy_for(&self, username: &str) -> &'static str {
        let program = self.named.and_then(|named| named.program);
        program
            .filter(|_| username.starts_with(names::SERVICE_ACCOUNT_PREFIX))
            .unwrap_or(self.remedy)
    }

    /// The expression that gives the sentence with the request's own values in it.
    pub fn message_expression(&self) -> Option<String> {
        self.named.map(|Named { unless, cel, program }| {
            let remedy = program.map_or(format!("': {}'", self.remedy), |program| {
                format!(
                    "(variables.username.startsWith('{}') ? ': {program}' : ': {}')",
                    names::SERVICE_ACCOUNT_PREFIX,
                    self.remedy
                )
            });
            let sentence = format!("'reeve: {}: ' + {cel} + {remedy}", self.rule);
            unless.map_or(sentence.clone(), |condition| {
                format!("({condition}) ? '' : ({sentence})")
            })
        })
    }
}

/// Every check, policy by policy.
pub static CHECKS: &[&[Check]] = &[
    &kinds::POD_CHECKS,
    &stamp::CHECKS,
    &identity::CHECKS,
    &shape::CHECKS,
    &kinds::LABEL_CHECKS,
    &ownership::CHECKS,
    &placement::CHECKS,
    &pools::CHECKS,
    &ranges::CHECKS,
    &passwd::CHECKS,
    &namespaces::CHECKS,
    &others::CHECKS,
    &objects::CHECKS,
    &outside::CHECKS,
    &connect::CHECKS,
    &networking::CHECKS,
    &copies::CHECKS,
    &cluster_config::CHECKS,
    &workload_policy::CHECKS,
    &kinds::CHECKS,
    &kinds::OUTSIDE_CHECKS,
    &entries::CHECKS,
];

/// Every check, in order.
pub fn checks() -> impl Iterator<Item = &'static Check> {
    CHECKS.iter().flat_map(|part| part.iter())
}

/// The check with this name.
pub fn check(id: &str) -> Option<&'static Check> {
    checks().find(|c| c.id == id)
}

/// Every check that refuses the request, policy by policy, and in each policy in the order in which the API server would name
/// them; which policy it names first it leaves open. The request must be what the validating policies see: after
/// [`crate::mutate::fill`].
pub fn failing(request: &Request) -> Vec<&'static Check> {
    checks()
        .filter(|c| {
            c.policy.applies(request) && !(c.yields() && is_crowded(request)) && !(c.predicate)(request)
        })
        .collect()
}

/// Labels that mean something to us: ours, Pod Security's, and the reference's `runai/queue`.
pub(crate) fn is_protected(label: &str) -> bool {
    label.starts_with(names::PREFIX) || label.starts_with(names::POD_SECURITY_PREFIX) || label == names::QUEUE
}

/// The annotations of ours on an object.
pub(crate) fn our_annotations(object: &serde_json::Value) -> Vec<(&str, &str)> {
    let all = map(object, "/metadata/annotations");
    all.into_iter()
        .filter(|(k, _)| k.starts_with(names::PREFIX))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn ids_are_unique_and_in_kebab_case() {
        let mut seen = BTreeSet::new();
        for check in checks() {
            assert!(seen.insert(check.id), "{}", check.id);
            assert!(
                check.id.bytes().all(|b| b.is_ascii_lowercase() || b == b'-'),
                "{}",
                check.id
            );
        }
    }

    #[test]
    fn every_refusal_names_its_rule_and_a_remedy() {
        for check in checks() {
            assert!(
                check.message().starts_with(&format!("reeve: {}: ", check.rule)),
                "{}",
                check.id
            );
            assert!(
                check.remedy.len() > 15 && (1..=41).contains(&check.rule.0),
                "{}",
                check.id
            );
            let program = check.named.and_then(|named| named.program);
            for text in [check.problem, check.remedy].into_iter().chain(program) {
                assert!(
                    !text.contains('\'') && !text.contains('\\') && !text.contains('\n'),
                    "{}",
                    check.id
                );
            }
        }
    }

    #[test]
    fn a_refusal_for_want_of_an_identity_names_all_three_remedies() {
        let message = check("verified-identity").unwrap().message();
        for remedy in ["identity provider", "posix", "enforceRunAsUser"] {
            assert!(message.contains(remedy), "{message}");
        }
    }

    #[test]
    fn no_program_is_told_to_sign_in() {
        for check in checks() {
            let told = check.remedy_for("system:serviceaccount:team:robot");
            assert!(!told.contains("sign in"), "{}: {told}", check.id);
        }
    }

    #[test]
    fn no_expression_could_be_taken_for_a_chart_template() {
        for check in checks() {
            assert!(
                !check.cel.contains("{{") && !check.message_expression().unwrap_or_default().contains("{{"),
                "{}",
                check.id
            );
        }
    }
}
