//! Secret propagation. No Secret can be read but where Secrets for projects lie, and in projects none can: they are written
//! blindly, and a policy refuses whatever is no copy (R26).

use reeve_admission::names;
use reeve_types::Switch;

use super::{ANY, Grant, RBAC, Reach};

pub(super) const GRANTS: &[Grant] = &[
    Grant {
        reach: Reach::Sources,
        group: "",
        resources: &["secrets"],
        names: ANY,
        verbs: &["list", "watch"],
        because: "the Secrets that are for projects: nothing else may lie there (R27), and nowhere else is one read",
        switch: Some(Switch::SecretPropagation),
        with: None,
    },
    Grant {
        reach: Reach::Sources,
        group: "",
        resources: &["secrets"],
        names: ANY,
        verbs: &["create", "patch", "deletecollection"],
        because: "credentials that the control plane keeps: a policy refuses it every Secret there that does not bear their mark (R26)",
        switch: Some(Switch::SecretPropagation),
        with: None,
    },
    Grant {
        reach: Reach::Projects,
        group: "",
        resources: &["secrets"],
        names: ANY,
        verbs: &["create", "patch", "deletecollection"],
        because: "copies, which it writes without reading a Secret: a policy refuses it every other Secret (R26)",
        switch: Some(Switch::SecretPropagation),
        with: None,
    },
    Grant {
        reach: Reach::Cluster,
        group: "",
        resources: &["serviceaccounts"],
        names: &["default"],
        verbs: &["list", "watch"],
        because: "by which Secrets images are pulled",
        switch: Some(Switch::SecretPropagation),
        with: None,
    },
    Grant {
        reach: Reach::Projects,
        group: "",
        resources: &["serviceaccounts"],
        names: &["default"],
        verbs: &["get", "patch"],
        because: "registry secrets among its imagePullSecrets, beside those of others; read before they are taken away",
        switch: Some(Switch::SecretPropagation),
        with: None,
    },
    Grant {
        reach: Reach::Cluster,
        group: RBAC,
        resources: &["clusterroles"],
        names: &[names::ROLE_OPERATOR_SECRET_PROPAGATION],
        verbs: &["bind"],
        because: "its own binding of these rights in a project's namespace",
        switch: Some(Switch::SecretPropagation),
        with: Some(Switch::UserAssignment),
    },
];
