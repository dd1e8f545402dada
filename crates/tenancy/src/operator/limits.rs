//! LimitRanges: one object in each project's namespace, by its name; those of others are read, so that none works against them.

use reeve_admission::names;
use reeve_types::Switch;

use super::{ANY, Grant, RBAC, Reach};

const SWITCH: Option<Switch> = Some(Switch::LimitRange);

pub(super) const GRANTS: &[Grant] = &[
    Grant {
        reach: Reach::Cluster,
        group: "",
        resources: &["limitranges", "resourcequotas"],
        names: ANY,
        verbs: &["list", "watch"],
        because: "whether somebody else's LimitRange is there, and whether a default could ever start under a quota",
        switch: SWITCH,
        with: None,
    },
    Grant {
        reach: Reach::Cluster,
        group: RBAC,
        resources: &["clusterroles"],
        names: &[names::ROLE_OPERATOR_LIMIT_RANGE],
        verbs: &["bind"],
        because: "its own binding",
        switch: SWITCH,
        with: Some(Switch::UserAssignment),
    },
    Grant {
        reach: Reach::Projects,
        group: "",
        resources: &["limitranges"],
        names: &[names::LIMIT_RANGE],
        verbs: &["create", "patch", "delete"],
        because: "the LimitRange of a project; by server-side apply, so that the name limits its creation too",
        switch: SWITCH,
        with: None,
    },
];
