//! What a project is in a cluster: a namespace with its labels, and at most one RoleBinding per role, whose subjects are
//! the people and applications of every access rule that reaches it.
//!
//! Pure: values in, Kubernetes objects out, no client. [`rules::RuleSet`] finds the rules that reach a project without
//! looking at all of them; [`secrets`] says which Secrets a project gets a copy of; [`bindings`] and [`namespace`] build;
//! [`people`] and [`operator`] are the reviewed tables of rights, [`chart_files`] writes them for the chart, a file for each switch.
//! [`cluster_config`] reads the reference's ConfigMap of settings, [`limits`] builds a project's LimitRange.

mod binding;
mod by_hand;
mod chart;
pub mod cluster_config;
pub mod credentials;
mod labels;
pub mod limits;
mod openshift;
pub mod operator;
mod page;
pub mod people;
mod permissions;
mod quantity;
mod rbac;
pub mod rules;
pub mod secrets;

pub use binding::{bindings, operator_bindings, own_binding_name};
pub use by_hand::{MANUAL, by_hand_yaml};
pub use chart::{chart_files, file_name, helpers, rbac_yaml, system_namespace_yaml};
pub use labels::{namespace, namespace_annotations, namespace_labels, settings_of, trusted_controllers};
pub use openshift::{constraints_binding, constraints_template, constraints_yaml};
pub use page::{REFUSED, Refused, page};
pub use permissions::{
    PermissionRow, Platform, Shown, permission_rows, permissions_html, permissions_page, permissions_text,
};
pub use rbac::objects;

pub use reeve_types::kubernetes::{MANAGED_OPERATOR, OPERATOR_BINDING};
pub use reeve_types::{Switch, Switches};
