//! What `kube` has for defining custom resources, under its names, and nothing of its client: a crate that defines them is pure,
//! and is built without a runtime, HTTP or TLS.
//!
//! `kube` itself has its client behind a feature, but features of one build are united. `kube-core` and `kube-derive` by
//! themselves do not do: the code that the derives make names `::kube::core`.

pub use kube_core as core;
pub use kube_core::{CustomResourceExt, Resource, ResourceExt};
pub use kube_derive::{CustomResource, KubeSchema};
