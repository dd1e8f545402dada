//! Automatic user assignment: every right to write bindings, so that without it the operator gives nobody anything, itself
//! included.

use reeve_admission::names;
use reeve_types::Switch;

use super::{ANY, Grant, RBAC, Reach};

pub(super) const GRANTS: &[Grant] = &[
    Grant {
        reach: Reach::Cluster,
        group: RBAC,
        resources: &["rolebindings"],
        names: ANY,
        verbs: &["create"],
        because: "its own first binding in a namespace (policy R11 limits where)",
        switch: Some(Switch::UserAssignment),
        with: None,
    },
    Grant {
        reach: Reach::Cluster,
        group: RBAC,
        resources: &["clusterroles"],
        names: &[
            names::ROLE_OPERATOR_IN_PROJECT,
            names::ROLE_OPERATOR_USER_ASSIGNMENT,
        ],
        verbs: &["bind"],
        because: "its own bindings",
        switch: Some(Switch::UserAssignment),
        with: None,
    },
    Grant {
        reach: Reach::Projects,
        group: RBAC,
        resources: &["rolebindings"],
        names: ANY,
        verbs: &["create", "patch", "delete"],
        because: "people's bindings",
        switch: Some(Switch::UserAssignment),
        with: None,
    },
    Grant {
        reach: Reach::Projects,
        group: RBAC,
        resources: &["clusterroles"],
        names: names::PEOPLE_CLUSTER_ROLES,
        verbs: &["bind"],
        because: "people's bindings",
        switch: Some(Switch::UserAssignment),
        with: None,
    },
    Grant {
        reach: Reach::Projects,
        group: RBAC,
        resources: &["clusterroles"],
        names: &[names::OPENSHIFT_CONSTRAINTS],
        verbs: &["bind"],
        because: "on OpenShift, the constraints under which pods of a project run as a person",
        switch: Some(Switch::UserAssignment),
        with: None,
    },
];
