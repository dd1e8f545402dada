//! RoleBindings: one per role, whose subjects are everybody whom a rule gives that role here.

use std::collections::BTreeMap;

use k8s_openapi::api::rbac::v1::{RoleBinding, RoleRef, Subject};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use reeve_admission::names;
use reeve_crds::desired::{self, AccessRule, Project, SubjectKind};

use crate::{MANAGED_OPERATOR, OPERATOR_BINDING, people, rules};

const RBAC: &str = "rbac.authorization.k8s.io";

/// The RoleBindings a project's namespace is to have for people and applications: for each role that some rule gives
/// here exactly one, its subjects sorted and each once; none without subjects. Rules that do not reach the project, and
/// roles that no ClusterRole of ours stands for, give nothing.
pub fn bindings<'a>(project: &Project, rules: impl IntoIterator<Item = &'a AccessRule>) -> Vec<RoleBinding> {
    let mut roles: BTreeMap<&'static str, BTreeMap<&desired::Subject, Subject>> = BTreeMap::new();
    for rule in rules
        .into_iter()
        .filter(|rule| rules::reaches(rule.scope, project))
    {
        if let Some(role) = people::cluster_role(&rule.role)
            && let Some(subject) = subject(&rule.subject)
        {
            roles.entry(role).or_default().insert(&rule.subject, subject);
        }
    }
    roles
        .into_iter()
        .map(|(role, subjects)| {
            let subjects = subjects.into_values().collect();
            binding(
                &project.namespace,
                role,
                names::MANAGED_ACCESS_RULES,
                role,
                subjects,
            )
        })
        .collect()
}

/// The operator's own RoleBinding in a project's namespace, without which it may write nothing there.
pub fn operator_binding(namespace: &str) -> RoleBinding {
    let subject = Subject {
        kind: "ServiceAccount".to_owned(),
        name: names::OPERATOR_SERVICE_ACCOUNT.to_owned(),
        namespace: Some(names::SYSTEM_NAMESPACE.to_owned()),
        api_group: None,
    };
    binding(
        namespace,
        OPERATOR_BINDING,
        MANAGED_OPERATOR,
        names::ROLE_OPERATOR_IN_PROJECT,
        vec![subject],
    )
}

fn binding(namespace: &str, name: &str, managed: &str, role: &str, subjects: Vec<Subject>) -> RoleBinding {
    RoleBinding {
        metadata: ObjectMeta {
            name: Some(name.to_owned()),
            namespace: Some(namespace.to_owned()),
            labels: Some(BTreeMap::from([(names::MANAGED.to_owned(), managed.to_owned())])),
            ..ObjectMeta::default()
        },
        role_ref: RoleRef {
            api_group: Some(RBAC.to_owned()),
            kind: "ClusterRole".to_owned(),
            name: role.to_owned(),
        },
        subjects: Some(subjects),
    }
}

/// A subject of a rule as Kubernetes knows it. An application is a user with a name no identity provider can give; a group has
/// the name that our tokens carry, which is none of the cluster's own. One that no token carries is bound to nothing.
fn subject(subject: &desired::Subject) -> Option<Subject> {
    let (kind, name) = match subject.kind {
        SubjectKind::User => ("User", subject.name.clone()),
        SubjectKind::Group => ("Group", names::group_in_cluster(&subject.name)?),
        SubjectKind::ServiceAccount => ("User", format!("{}{}", names::APPLICATION_PREFIX, subject.name)),
    };
    Some(Subject {
        kind: kind.to_owned(),
        name,
        api_group: Some(RBAC.to_owned()),
        namespace: None,
    })
}
