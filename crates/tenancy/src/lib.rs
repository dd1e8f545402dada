//! What a project is in a cluster: a namespace with its labels, and at most one RoleBinding per role, whose subjects are
//! the people and applications of every access rule that reaches it.
//!
//! Pure: values in, Kubernetes objects out, no client. [`rules::RuleSet`] finds the rules that reach a project without
//! looking at all of them; [`bindings`] and [`namespace`] build; [`people`] and [`operator`] are the reviewed tables of
//! rights, [`rbac_yaml`] writes them for the chart.

mod binding;
mod labels;
pub mod operator;
mod page;
pub mod people;
mod rbac;
pub mod rules;

pub use binding::{bindings, operator_binding};
pub use labels::{namespace, namespace_annotations, namespace_labels};
pub use page::{REFUSED, Refused, page};
pub use rbac::{objects, rbac_yaml};

pub use reeve_types::kubernetes::{MANAGED_OPERATOR, OPERATOR_BINDING};
