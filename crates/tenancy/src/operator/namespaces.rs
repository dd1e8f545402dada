//! Automatic namespace creation.

use reeve_types::Switch;

use super::{ANY, Grant, Reach};

pub(super) const GRANTS: &[Grant] = &[Grant {
    reach: Reach::Cluster,
    group: "",
    resources: &["namespaces"],
    names: ANY,
    verbs: &["create"],
    because: "a project's namespace",
    switch: Some(Switch::NamespaceCreation),
    with: None,
}];
