//! RoleBindings: one per role, whose subjects are everybody whom a rule gives that role here.

use std::collections::BTreeMap;

use k8s_openapi::api::rbac::v1::{RoleBinding, RoleRef, Subject};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use reeve_admission::names;
use reeve_crds::desired::{self, AccessRule, Project, SubjectKind};

use crate::operator::{self, Reach};
use crate::{MANAGED_OPERATOR, OPERATOR_BINDING, Switch, Switches, people, rules};

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

/// The name of the operator's own RoleBinding to the rights of a switch, or to those it always holds.
pub fn own_binding_name(switch: Option<Switch>) -> String {
    operator::with_slug(OPERATOR_BINDING, switch)
}

/// The operator's own RoleBindings in a project's namespace, without which it may write nothing there: in the order in which
/// they are made, the one with which it writes others last.
pub fn operator_bindings(namespace: &str, switches: Switches) -> Vec<RoleBinding> {
    let own = |switch| {
        let name = own_binding_name(switch);
        let role = operator::role_name(Reach::Projects, switch);
        binding(
            namespace,
            &name,
            MANAGED_OPERATOR,
            &role,
            vec![crate::rbac::subject()],
        )
    };
    operator::roles_in_projects(switches)
        .into_iter()
        .map(own)
        .collect()
}

/// A binding without subjects and without our mark.
pub(crate) fn unmarked(namespace: &str, name: &str, role: &str) -> RoleBinding {
    let mut made = binding(namespace, name, "", role, Vec::new());
    made.metadata.labels = None;
    made
}

pub(crate) fn binding(
    namespace: &str,
    name: &str,
    managed: &str,
    role: &str,
    subjects: Vec<Subject>,
) -> RoleBinding {
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
