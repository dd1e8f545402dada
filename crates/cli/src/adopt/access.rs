//! Who has rights in the namespace beside those that Reeve gives.

use reeve_admission::names;
use serde::Serialize;
use serde_json::Value;

use super::inventory::{list, text};

/// A RoleBinding that is not Reeve's. It keeps its effect.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Access {
    /// Its name.
    pub binding: String,
    /// What it gives: `ClusterRole/edit`.
    pub role: String,
    /// To whom: `User/bob`, `ServiceAccount/ci/builder`.
    pub subjects: Vec<String>,
}

/// The bindings. Reeve's own are left out only where the namespace is the project's already: elsewhere anybody could have
/// labelled one.
pub(super) fn access(bindings: &[Value], already: bool) -> Vec<Access> {
    let ours = |binding: &Value| {
        let labels = binding.pointer("/metadata/labels");
        already && labels.is_some_and(|labels| labels.get(names::MANAGED).is_some())
    };
    bindings
        .iter()
        .filter(|binding| !ours(binding))
        .map(entry)
        .collect()
}

fn entry(binding: &Value) -> Access {
    let subject = |subject: &Value| {
        let namespace = text(subject, "/namespace");
        let parts = [text(subject, "/kind"), namespace, text(subject, "/name")];
        parts
            .iter()
            .filter(|part| !part.is_empty())
            .copied()
            .collect::<Vec<_>>()
            .join("/")
    };
    Access {
        binding: text(binding, "/metadata/name").to_owned(),
        role: format!(
            "{}/{}",
            text(binding, "/roleRef/kind"),
            text(binding, "/roleRef/name")
        ),
        subjects: list(binding, "/subjects").iter().map(subject).collect(),
    }
}
